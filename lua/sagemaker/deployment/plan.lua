--- What a deployment will do, step by step: when, with which share of the traffic, on how many
-- instances.
--
-- The steps are those of the guardrails chapter of the developer guide:
-- https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
-- What AWS does not document is chosen here: a percentage of a fleet rounds up to whole instances,
-- at least one; the last linear step and the last batch take the rest; instances serve PROVISIONING
-- seconds after they were asked for; turning traffic on and removing instances take no time unless
-- the caller says so.

local fleets = require "sagemaker.deployment.fleet"

local M = {}

--- Seconds until new instances serve, when nobody says better: pulling an image and loading a model
-- of ordinary size.
M.PROVISIONING = 300

---@class sagemaker.deployment.Times how long the parts take that the configuration does not set
---@field provisioning? number seconds until new instances serve (default 300)
---@field activation? number seconds to turn traffic on (default 0)
---@field removal? number seconds to remove old instances (default 0)

---@class sagemaker.deployment.Step
---@field time number seconds since the update was accepted
---@field duration number seconds
---@field stage string as DescribeEndpoint spells a VariantStatus: "Creating" (of new instances),
--- "ActivatingTraffic", "Baking", "Deleting" (of old instances); also "TerminationWait", and
--- "InService" at the end
---@field step integer traffic shifts so far, one that is under way included
---@field steps integer traffic shifts in all
---@field traffic {old: number, new: number} percent
---@field instances? {old: integer, new: integer} as DescribeEndpoint counts them: the old fleet's
--- instances that still run, and the new fleet's that take traffic; nil when the fleet is not known

---@class sagemaker.deployment.Plan
---@field policy "ALL_AT_ONCE"|"CANARY"|"LINEAR"|"ROLLING"
---@field steps sagemaker.deployment.Step[]
---@field duration number seconds from the accepted update to the end, at worst: every bake and wait
--- in full. A roll-back ends a deployment earlier.
---@field waits number the part of duration that the configuration asks for: bakes and waits
---@field provisioning number the rest: instances that come and go, an estimate
---@field timeout? integer MaximumExecutionTimeoutInSeconds
---@field peak? integer most instances that run at once, old and new together
---@field warnings string[]

local Plan = { __name = "sagemaker.deployment.plan" }

local function ceil_share(percent, count)
  return math.max(1, math.floor((percent * count + 99) / 100))
end

-- Whole numbers as integers, the rest with one decimal: 33.3.
local function percent(part, whole)
  local tenths = math.floor(1000 * part / whole + 0.5)
  return tenths % 10 == 0 and math.floor(tenths / 10) or tenths / 10
end
M.percent = percent

--- The shares of both fleets in percent.
---@param new number instances of the new fleet that take traffic
---@param all number instances of the new fleet in all
---@return {old: number, new: number}
function M.traffic(new, all)
  local share = percent(math.min(new, all), all)
  return { old = percent(100 - share, 100), new = share }
end

-- How many units a variant shifts at a time; a variant of unknown size has 100 units.
local function unit_size(size, variant)
  if not size then return variant.instances or 100 end
  if size.Type == "INSTANCE_COUNT" then return size.Value end
  if not variant.instances then return size.Value end
  return ceil_share(size.Value, variant.instances)
end

-- What takes traffic after shift number `n`, in units, of one variant. CANARY has two shifts, the
-- second takes the rest.
local function shifted(shape, variant, n)
  local units = variant.instances or 100
  if shape.policy == "CANARY" and n >= 2 then return units end
  return math.min(units, n * unit_size(shape.size, variant))
end

-- Levels of the new fleet after each shift: instances (nil when not known) and traffic.
local function level(shape, variants, n)
  local active, all, share, known = 0, 0, 0, true
  for _, variant in ipairs(variants) do
    local units = variant.instances or 100
    local now = shifted(shape, variant, n)
    active, all, share = active + now, all + units, share + now / units
    known = known and variant.instances ~= nil
  end
  if known then return { new = active, traffic = M.traffic(active, all) } end
  return { traffic = M.traffic(share / #variants, 1) }
end

local function levels(shape, variants)
  local rows, n = {}, 0
  repeat
    n = n + 1
    rows[n] = level(shape, variants, n)
  until rows[n].traffic.new >= 100
  return rows
end

-- The parts of a DeploymentConfig that a plan is made of.
local function shape_of(config)
  local rolling = config and config.RollingUpdatePolicy
  if rolling then
    return {
      policy = "ROLLING",
      size = rolling.MaximumBatchSize,
      bake = rolling.WaitIntervalInSeconds,
      termination = 0,
      timeout = rolling.MaximumExecutionTimeoutInSeconds,
    }
  end
  local policy = config and config.BlueGreenUpdatePolicy
  local routing = policy and policy.TrafficRoutingConfiguration or { Type = "ALL_AT_ONCE" }
  return {
    policy = routing.Type,
    size = routing.CanarySize or routing.LinearStepSize,
    bake = routing.WaitIntervalInSeconds or 0,
    termination = policy and policy.TerminationWaitInSeconds or 0,
    timeout = policy and policy.MaximumExecutionTimeoutInSeconds,
  }
end

local Writer = {}
Writer.__index = Writer

-- One row, and time moves on.
function Writer:row(stage, duration, current, step)
  self.steps[#self.steps + 1] = {
    time = self.time,
    duration = duration,
    stage = stage,
    step = step,
    steps = #self.levels,
    traffic = { old = current.traffic.old, new = current.traffic.new },
    instances = current.new and { old = self.old, new = current.new } or nil,
  }
  self.time = self.time + duration
end

-- The traffic moves at the end of ActivatingTraffic and bakes even if for no time.
function Writer:shift(step)
  local activation = self.times.activation or 0
  if activation > 0 then self:row("ActivatingTraffic", activation, self.levels[step - 1], step) end
  self:row("Baking", self.shape.bake, self.levels[step], step)
end

local function write_blue_green(writer)
  local count = #writer.levels
  writer:row("Creating", writer.times.provisioning, writer.levels[0], 0)
  for step = 1, count do writer:shift(step) end
  local last = writer.levels[count]
  if writer.shape.termination > 0 then
    writer:row("TerminationWait", writer.shape.termination, last, count)
  end
  writer:row("Deleting", writer.times.removal or 0, last, count)
end

local function write_rolling(writer, all)
  local old = writer.old
  for step, current in ipairs(writer.levels) do
    writer:row("Creating", writer.times.provisioning, writer.levels[step - 1], step - 1)
    writer:shift(step)
    writer:row("Deleting", writer.times.removal or 0, current, step)
    if old then writer.old = math.floor(old * (all - current.new) / all + 0.5) end
  end
end

-- Most instances at once: both fleets, or with rolling the old one and a batch.
local function peak_of(writer, all, old)
  if not all or not old then return nil end
  if writer.shape.policy ~= "ROLLING" then return old + all end
  return math.max(old, all) + writer.levels[1].new
end

local function describe_fleet(fleet)
  local variants = fleet and fleet.variants or { {} }
  local old = fleet and fleets.instances(fleet.old or fleet)
  return variants, fleet and fleets.instances(fleet), old
end

--- The plan of a sound configuration: rules have been checked, sizes can be computed.
---@param config? table DeploymentConfig; nil is AWS's default, all at once without alarms
---@param fleet? sagemaker.deployment.KnownFleet
---@param times? sagemaker.deployment.Times
---@param warnings string[] the plan's, to be added to
---@return sagemaker.deployment.Plan
function M.make(config, fleet, times, warnings)
  times = { provisioning = times and times.provisioning or M.PROVISIONING,
    activation = times and times.activation, removal = times and times.removal }
  local shape = shape_of(config)
  local variants, all, old = describe_fleet(fleet)
  local writer = setmetatable({ shape = shape, times = times, steps = {}, time = 0 }, Writer)
  writer.old = old or all
  writer.levels = levels(shape, variants)
  writer.levels[0] = { traffic = { old = 100, new = 0 }, new = all and 0 }
  local count = #writer.levels
  if shape.policy == "ROLLING" then
    write_rolling(writer, all)
  else
    write_blue_green(writer)
  end
  writer.old = writer.old and 0
  writer:row("InService", 0, writer.levels[count], count)
  local waits = count * shape.bake + shape.termination
  return setmetatable({
    policy = shape.policy,
    steps = writer.steps,
    duration = writer.time,
    waits = waits,
    provisioning = writer.time - waits,
    timeout = shape.timeout,
    peak = peak_of(writer, all, old),
    warnings = warnings,
  }, Plan)
end

--- Seconds that an update takes at worst with instances that come in PROVISIONING seconds, or nil
-- when that does not follow from what is known of the fleet.
---@param config? table a sound DeploymentConfig
---@param fleet? sagemaker.deployment.KnownFleet
---@return number|nil
function M.duration(config, fleet)
  if not M.is_computable(config, fleet) then return nil end
  return M.make(config, fleet, nil, {}).duration
end

--- Traffic shares of the new fleet after each shift, in percent, ascending: how a watcher tells the
-- step from the share it sees.
---@param config? table
---@param fleet? sagemaker.deployment.KnownFleet
---@return number[]
function M.shares(config, fleet)
  local rows = {}
  for i, row in ipairs(levels(shape_of(config), (describe_fleet(fleet)))) do
    rows[i] = row.traffic.new
  end
  return rows
end

--- Whether the steps of a configuration follow from what is known of the fleet.
---@param config? table
---@param fleet? sagemaker.deployment.KnownFleet
---@return boolean
function M.is_computable(config, fleet)
  local size = shape_of(config).size
  if not size or size.Type ~= "INSTANCE_COUNT" then return true end
  return fleet ~= nil and fleets.instances(fleet) ~= nil
end

--- Seconds as a clock shows them: 5:00, 1:02:30.
---@param seconds number
---@return string
function M.clock(seconds)
  seconds = math.floor(seconds + 0.5)
  local minutes = math.floor(seconds / 60)
  if minutes < 60 then return ("%d:%02d"):format(minutes, seconds % 60) end
  return ("%d:%02d:%02d"):format(math.floor(minutes / 60), minutes % 60, seconds % 60)
end

local WORDS = {
  Creating = "provision new instances",
  ActivatingTraffic = "turn traffic on",
  Baking = "bake",
  TerminationWait = "wait before removing the old",
  Deleting = "remove instances",
  InService = "in service",
}

-- What a step of a plan does, or an event of a watcher tells.
local function label(row)
  local what = WORDS[row.stage] or row.stage
  if row.outcome then return ("%s: %s"):format(row.status or "?", row.outcome) end
  if row.status then
    local is_told = row.status == "Updating" and WORDS[row.stage]
    return is_told and ("%s, %s"):format(row.status, what) or row.status
  end
  if row.stage == "Baking" and row.duration == 0 then return "shift traffic" end
  if row.duration > 0 then return ("%s %s"):format(what, M.clock(row.duration)) end
  return what
end

--- One line for a step of a plan or an event of a watcher: time, what happens, traffic, instances.
---@param row sagemaker.deployment.Step|sagemaker.watch.Event
---@return string line without a line end
function M.line(row)
  local steps, fleet = "", ""
  if (row.steps or 0) > 1 and (row.step or 0) > 0 then
    steps = ("%d/%d"):format(row.step, row.steps)
  end
  if row.instances and row.instances.old then
    fleet = ("%d old, %d new"):format(row.instances.old, row.instances.new)
  end
  local line = ("%8s  %-38s %5s  %5.4g %% old %5.4g %% new   %s"):format(
    M.clock(row.time or row.elapsed), label(row), steps, row.traffic.old, row.traffic.new, fleet)
  return (line:gsub("%s+$", ""))
end

--- A readable timeline of a plan: one line a step, then the duration and the warnings.
---@param plan sagemaker.deployment.Plan
---@return string
function M.format(plan)
  local lines = { ("%8s  %-38s %5s  %-25s   %s"):format("time", "what", "step", "traffic",
    plan.peak and "instances" or "") }
  lines[1] = lines[1]:gsub("%s+$", "")
  for _, row in ipairs(plan.steps) do lines[#lines + 1] = M.line(row) end
  lines[#lines + 1] = ("%8s  at most, of which %s are an estimate of provisioning%s"):format(
    M.clock(plan.duration), M.clock(plan.provisioning),
    plan.timeout and ("; timeout at " .. M.clock(plan.timeout)) or "")
  for _, warning in ipairs(plan.warnings) do lines[#lines + 1] = "warning: " .. warning end
  return table.concat(lines, "\n")
end

Plan.__tostring = M.format

return M
