--- Where a deployment is on its way: the events of a watcher laid over the steps of its plan.
--
-- A plan says what comes and how long it takes; an event says what there is now. Stages may be
-- missed and may take longer or shorter than planned, so the place in the plan is looked for anew
-- with each event, and never goes back.

local fleets = require "sagemaker.deployment.fleet"
local plans = require "sagemaker.deployment.plan"

local M = {}

---@class sagemaker.cli.Segment one bar
---@field kind "provision"|"shift"|"batch"|"keep"|"remove"
---@field step integer
---@field share number percent of the traffic that the new fleet has afterwards
---@field duration number seconds
---@field first integer of the steps of the plan
---@field last integer

---@class sagemaker.cli.Progress
---@field name string EndpointName
---@field segments sagemaker.cli.Segment[]
---@field event? sagemaker.watch.Event the latest
local Progress = {}
Progress.__index = Progress
Progress.__name = "sagemaker.cli.progress"

local KINDS = { Creating = "provision", ActivatingTraffic = "shift", Baking = "shift",
  TerminationWait = "keep", Deleting = "remove" }

-- A step that takes no time is worth a bar only if it shifts traffic.
local function has_bar(step)
  return KINDS[step.stage] and (step.duration > 0 or step.stage == "Baking")
end

-- The bars of a plan: one a step, with a rolling deployment one a batch.
local function segments_of(plan)
  local list = {}
  for i, step in ipairs(plan.steps) do
    local last = list[#list]
    local is_rolling = plan.policy == "ROLLING"
    if is_rolling and step.stage ~= "InService" then
      if step.stage == "Creating" then
        list[#list + 1] = { kind = "batch", step = step.step + 1, duration = 0, first = i }
      end
      last = list[#list]
      last.last, last.duration, last.share = i, last.duration + step.duration, step.traffic.new
    elseif step.stage == "Baking" and last and last.kind == "shift" and last.step == step.step then
      last.last, last.duration, last.share = i, last.duration + step.duration, step.traffic.new
    elseif has_bar(step) then
      list[#list + 1] = { kind = KINDS[step.stage], step = step.step, share = step.traffic.new,
        duration = step.duration, first = i, last = i }
    end
  end
  return list
end

-- What is shown of a deployment that creates an endpoint: it has no steps but the fleet's coming.
local function creation()
  return { policy = "ALL_AT_ONCE", duration = plans.PROVISIONING, warnings = {}, steps = {
    { time = 0, duration = plans.PROVISIONING, stage = "Creating", step = 0, steps = 1,
      traffic = { old = 0, new = 0 } },
    { time = plans.PROVISIONING, duration = 0, stage = "InService", step = 1, steps = 1,
      traffic = { old = 0, new = 100 } },
  } }
end

--- Sets or replaces the plan.
---@param plan sagemaker.deployment.Plan
---@param config? table the DeploymentConfig it was made of
function Progress:follow(plan, config)
  self.plan, self.config = plan, config
  self.segments, self.index = segments_of(plan), 1
  self.since = self.began
end

-- The plan of a deployment that somebody else started, from what DescribeEndpoint shows.
local function plan_from(output)
  local pending = output.PendingDeploymentSummary
  if output.EndpointStatus == "Creating" then return creation() end
  if type(pending) ~= "table" or output.EndpointStatus ~= "Updating" then return nil end
  local fleet = fleets.of(pending.ProductionVariants, true)
  if fleet then fleet.old = fleets.of(output.ProductionVariants, true) end
  local deployment = require "sagemaker.deployment"
  return deployment.examine(output.LastDeploymentConfig, fleet), output.LastDeploymentConfig
end

-- The stage of an event in the words of a plan. Rolling deployments show "Updating" for batches
-- after the first.
local function stage_of(event)
  if event.status == "InService" and event.outcome == "deployed" then return "InService" end
  local stage = event.stage or (event.status == "Creating" and "Creating") or nil
  return stage == "Updating" and "Creating" or stage
end

local function is_at(step, stage, event)
  if stage == "ActivatingTraffic" and step.stage == "Baking" then
    return step.step == (event.step or step.step)
  end
  if step.stage ~= stage then return false end
  return not event.step or step.step == event.step
end

-- The step of the plan that an event tells of, at or after the one known.
local function find(self, event)
  local stage = stage_of(event)
  for i = self.index, #self.plan.steps do
    if is_at(self.plan.steps[i], stage, event) then return i end
  end
  return self.index
end

-- When the stage of an event began, by the service's own clock.
local function stage_start(event)
  local pending = event.endpoint and event.endpoint.PendingDeploymentSummary
  local latest
  for _, variant in ipairs(type(pending) == "table" and pending.ProductionVariants or {}) do
    for _, status in ipairs(variant.VariantStatus or {}) do
      local start = status.Status == event.stage and tonumber(status.StartTime)
      if start and (not latest or start > latest) then latest = start end
    end
  end
  return latest
end

local function began_at(event)
  local pending = event.endpoint and event.endpoint.PendingDeploymentSummary
  if type(pending) == "table" then return tonumber(pending.StartTime) end
  if event.status == "Creating" and event.endpoint then
    return tonumber(event.endpoint.CreationTime)
  end
  return nil
end

-- No deployment takes longer, its provisioning included: an older time is that of another clock.
local LONGEST = 36000

-- A time of the service's clock, if it can be one of ours.
local function plausible(time, from, now)
  return time and time >= from and time <= now and time or nil
end

-- What a look shows of the deployment as a whole.
function Progress:identify(event)
  local output = event.endpoint
  if not output then return end
  local pending = output.PendingDeploymentSummary
  if type(pending) == "table" and not event.queued then
    self.to = self.to or pending.EndpointConfigName
    self.from = self.from or output.EndpointConfigName
  elseif event.status == "Creating" then
    self.to = self.to or output.EndpointConfigName
  end
  if not self.plan and not event.queued then
    local plan, config = plan_from(output)
    if plan then self:follow(plan, config) end
  end
end

--- Takes an event.
---@param event sagemaker.watch.Event
---@param now number wall time
function Progress:see(event, now)
  if not event.queued and self.event and self.event.queued then self.began = now end
  self.event, self.note = event, nil
  self.began = self.began or plausible(began_at(event), now - LONGEST, now) or now
  self.since = self.since or self.began
  self:identify(event)
  if not self.plan or event.queued then return end
  local index = find(self, event)
  if index ~= self.index then self.index, self.since = index, now end
  self.since = plausible(stage_start(event), self.began, now) or self.since
end

--- Says that a look brought nothing, until the next one does.
---@param note string|nil
function Progress:miss(note)
  self.note = note
end

-- Seconds of the step under way that have passed, of those that were planned.
local function spent(self, now)
  return math.min(self.plan.steps[self.index].duration, math.max(0, now - self.since))
end

--- Seconds until the deployment is over at worst, or nil when that is not known.
---@param now number wall time
---@return number|nil
function Progress:left(now)
  local event = self.event
  if not self.plan or not event or event.outcome or event.queued then return nil end
  if event.status ~= "Updating" and event.status ~= "Creating" then return nil end
  return self.plan.duration - self.plan.steps[self.index].time - spent(self, now)
end

--- Seconds since the deployment began.
---@param now number wall time
---@return number
function Progress:elapsed(now)
  return self.began and math.max(0, now - self.began) or 0
end

-- Seconds of a segment that are done, as planned.
local function done_of(self, segment, now)
  if self.index > segment.last then return segment.duration end
  local steps = self.plan.steps
  return math.max(0, steps[self.index].time + spent(self, now) - steps[segment.first].time)
end

--- The bars as they are now.
---@param now number wall time
---@return {segment: sagemaker.cli.Segment, state: string, done: number}[] rows state: "done", "now"
--- or "todo"; done: seconds
function Progress:bars(now)
  local rows = {}
  local is_over = self.event and self.event.outcome == "deployed"
  for i, segment in ipairs(self.segments or {}) do
    local state = "todo"
    if is_over or self.index > segment.last then
      state = "done"
    elseif self.event and self.index >= segment.first then
      state = "now"
    end
    local done = state == "now" and done_of(self, segment, now)
      or state == "done" and segment.duration or 0
    rows[i] = { segment = segment, state = state, done = done }
  end
  return rows
end

--- The progress of a deployment.
---@param of {name: string, from?: string, to?: string}
---@return sagemaker.cli.Progress
function M.new(of)
  return setmetatable({ name = of.name, from = of.from, to = of.to, index = 1 }, Progress)
end

--- The plan of a create: the fleet comes, and nothing else.
M.creation = creation

return M
