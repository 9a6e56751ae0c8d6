--- The life of one endpoint, as a pure state machine.
--
-- A machine knows no clock: everything happens at times it is given. `advance(machine, now, world)`
-- plays every event up to `now` at the event's own time, so one jump over eight hours and a
-- thousand small ones leave the same history. What lies outside an endpoint is asked of `world`;
-- its answers must be constant between two calls, so whoever changes an alarm or a knob first
-- advances the machines it concerns (simulator/init.lua does).
--
-- A machine is a plain tree: no functions, no cycles, no table in two places that both change. It
-- can be written down, read back and played on.
--
-- Statuses and what follows what:
-- https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html

local history = require "sagemaker.simulator.history"
local scaling = require "sagemaker.simulator.scaling"
local share = require "sagemaker.simulator.share"
local stages = require "sagemaker.simulator.stages"

local M = {}

---@class sagemaker.simulator.variant
---@field name string
---@field weight number
---@field desired_weight number
---@field count integer instances that run
---@field desired integer instances that shall run
---@field serverless table|nil ServerlessConfig
---@field desired_serverless table|nil
---@field spec table the ProductionVariant it was made from
---@field images string[] of its containers
---@field resolved number when they were looked up

---@class sagemaker.simulator.blueprint what an endpoint configuration turns into
---@field name string EndpointConfigName
---@field variants sagemaker.simulator.variant[]
---@field shadows sagemaker.simulator.variant[]
---@field config table the stored endpoint configuration
---@field capture table|nil DataCaptureConfig

---@class sagemaker.simulator.world what a machine asks of its surroundings
---@field seconds table<string, number> provisioning, activation, removal, rollback, scaling, …
---@field alarm fun(name: string): string "OK", "ALARM" or "INSUFFICIENT_DATA"
---@field fails fun(kind: string, machine: table, blueprint: table, at: number|nil):
--- string|false|nil, number|nil, number|nil a reason; of "health" also how long to wait for it, and
--- how soon to look again
---@field reason fun(machine: table, reason: string): string|nil what FailureReason shows

---@class sagemaker.simulator.machine
---@field name string
---@field status string|nil EndpointStatus; nil before it is created
---@field gone boolean|nil true when it has been deleted
---@field due number|nil when something happens next
---@field created number
---@field modified number
---@field failure_reason string|nil
---@field version integer counts every change
---@field current sagemaker.simulator.blueprint|nil what serves
---@field failed sagemaker.simulator.blueprint|nil what never came into service
---@field endpoint string|nil of an inference component
---@field wanted string|nil name of the blueprint that the latest deployment was to bring
---@field deployment table|nil what is under way
---@field history any[] see simulator/history.lua

--- Which status may follow which. "" stands for no endpoint.
M.transitions = {
  [""] = { Creating = true },
  Creating = { InService = true, Failed = true },
  InService = { Updating = true, SystemUpdating = true, Deleting = true },
  Updating = { InService = true, RollingBack = true },
  RollingBack = { InService = true, UpdateRollbackFailed = true, Failed = true },
  UpdateRollbackFailed = { Updating = true, Deleting = true },
  SystemUpdating = { InService = true },
  OutOfService = { Deleting = true },
  Failed = { Deleting = true },
  Deleting = { [""] = true },
}

--- A machine for an endpoint that does not exist yet.
---@param name string
---@return sagemaker.simulator.machine
function M.new(name)
  return { name = name, version = 0, history = {} }
end

--- The part of the requests that the new fleet of a running deployment gets, 0 to 1.
---@param m sagemaker.simulator.machine
---@return number
function M.share(m)
  local d = m.deployment
  if not d or not d.blueprint then return 0 end
  local active, total = 0, 0
  for i, variant in ipairs(d.blueprint.variants) do
    active = active + d.active[i]
    total = total + stages.capacity(variant)
  end
  return total > 0 and active / total or (d.green > 0 and 1 or 0)
end

-- Remembers what the machine looks like since `at`.
local function note(m, at)
  m.version = m.version + 1
  local stage = m.deployment and m.deployment.stage
  history.note(m.history, at, m.status or "", stage and stage.kind, stage and stage.step,
    M.share(m))
end

local function set_status(m, status, at)
  m.status, m.modified = status, at
end

-- The instances of the new fleet that serve after `green` steps, per variant.
local function activate(d, green)
  d.green = green
  for i, variant in ipairs(d.blueprint.variants) do
    d.active[i] = stages.active(d.plan, variant, green)
  end
end

-- Takes `blue` batches from the old fleet. The last batch takes what is left.
local function retire(m, d, blue)
  if blue == 0 or not m.current then return end
  for _, variant in ipairs(m.current.variants) do
    if variant.desired > 0 then
      local batch = stages.instances(d.plan.size, variant.desired)
      variant.count = blue >= d.plan.steps and 0 or math.max(0, variant.desired - blue * batch)
    end
  end
end

local function set_due(m, d)
  m.due = d.ends
  local counts = d.stage.kind ~= "wait" and d.stage.kind ~= "remove"
  if m.status == "Updating" and d.deadline and counts and d.deadline < d.ends then
    m.due = d.deadline
  end
end

local function tripped(d, world)
  for _, name in ipairs(d.plan.alarms) do
    if world.alarm(name) == "ALARM" then return name end
  end
  return nil
end

-- Back in service on what `m.current` says, with the reason of a failed update if there is one.
local function settle(m, at)
  m.deployment, m.due = nil, nil
  set_status(m, "InService", at)
  note(m, at)
end

-- Starts the next batch of a roll-back: the old instances it brings back are there at its end.
local function next_rollback(m, at, world)
  local d = m.deployment
  d.batch = d.batch + 1
  d.stage = { kind = "rollback", step = d.batch }
  d.since = at
  d.ends = at + (d.batches > 0 and world.seconds.provisioning or world.seconds.rollback)
  m.due = d.ends
  note(m, at)
end

-- All traffic goes back to the old fleet; what a rolling deployment has taken from it comes back
-- in batches first.
local function roll_back(m, at, reason, world)
  local d = m.deployment
  m.failure_reason = world.reason(m, reason)
  set_status(m, "RollingBack", at)
  d.batch = 0
  d.batches, d.batch_size = stages.rollback(d.given, m.current.variants)
  if d.batches == 0 then activate(d, 0) end
  d.served = {}
  for i, active in ipairs(d.active) do d.served[i] = active end
  next_rollback(m, at, world)
end

local function after_rollback(m, at, world)
  local d = m.deployment
  if world.fails("rollback", m, d.blueprint) then
    m.mixed = { blueprint = d.blueprint, share = M.share(m) }
    m.deployment, m.due = nil, nil
    set_status(m, "UpdateRollbackFailed", at)
    return note(m, at)
  end
  for _, variant in ipairs(m.current.variants) do
    local size = stages.instances(d.batch_size, variant.desired)
    variant.count = math.min(variant.desired, variant.count + size)
  end
  if d.batch >= d.batches then
    for _, variant in ipairs(m.current.variants) do variant.count = variant.desired end
    return settle(m, at)
  end
  for i, served in ipairs(d.served) do
    d.active[i] = math.floor(served * (d.batches - d.batch) / d.batches)
  end
  next_rollback(m, at, world)
end

-- The new fleet is the fleet.
local function finish(m, at)
  local d = m.deployment
  m.current, m.mixed = d.blueprint, nil
  for _, variant in ipairs(m.current.variants) do variant.count = variant.desired end
  for _, variant in ipairs(m.current.shadows) do variant.count = variant.desired end
  settle(m, at)
end

local function next_stage(m, at, world)
  local d = m.deployment
  d.index = d.index + 1
  d.stage = d.plan[d.index]
  if not d.stage then return finish(m, at) end
  d.since, d.ends = at, at + d.stage.seconds
  activate(d, d.stage.green)
  retire(m, d, d.stage.blue)
  note(m, at)
  local alarm = d.stage.kind == "bake" and tripped(d, world)
  if alarm then
    return roll_back(m, at, ("Alarm %s is in state ALARM."):format(alarm), world)
  end
  set_due(m, d)
end

local function fail(m, at, reason, world)
  if m.status == "Updating" then return roll_back(m, at, reason, world) end
  m.failure_reason = world.reason(m, reason)
  m.failed, m.deployment, m.due = m.deployment.blueprint, nil, nil
  set_status(m, "Failed", at)
  note(m, at)
end

-- Instances either come or do not; containers that do not answer take their time to be given up.
local function provisioned(m, at, world)
  local d = m.deployment
  local reason = not d.waiting and world.fails("provisioning", m, d.blueprint)
  if reason then return fail(m, at, reason, world) end
  local sick, patience, look_again = world.fails("health", m, d.blueprint, at)
  if not sick then
    d.waiting = nil
    return next_stage(m, at, world)
  elseif not d.waiting then
    d.waiting, d.ends = true, at + patience
  elseif at >= d.ends then
    return fail(m, at, sick, world)
  end
  set_due(m, d)
  if look_again then m.due = math.min(m.due, at + look_again) end
end

local function scaled(m, at, world)
  local d = m.deployment
  local reason = d.grows and world.fails("provisioning", m, m.current)
  if not reason then
    scaling.finish(m.current, d.changes)
    return settle(m, at)
  end
  m.failure_reason = world.reason(m, reason)
  d.stage, m.due = { kind = "rollback", step = 1 }, at + world.seconds.rollback
  set_status(m, "RollingBack", at)
  note(m, at)
end

local handlers = {}

function handlers.Creating(m, at, world)
  if m.deployment.stage.kind == "provision" then return provisioned(m, at, world) end
  next_stage(m, at, world)
end

function handlers.Updating(m, at, world)
  local d = m.deployment
  if d.changes then
    return scaled(m, at, world)
  elseif at < d.ends and d.deadline and at >= d.deadline then
    local reason = "The deployment exceeded MaximumExecutionTimeoutInSeconds (%d)."
    return roll_back(m, at, reason:format(d.plan.timeout), world)
  elseif d.stage.kind == "provision" then
    return provisioned(m, at, world)
  end
  next_stage(m, at, world)
end

function handlers.RollingBack(m, at, world)
  local d = m.deployment
  if not d.changes then return after_rollback(m, at, world) end
  scaling.undo(m.current, d.changes)
  if world.fails("rollback", m, m.current) then
    m.deployment, m.due = nil, nil
    set_status(m, "Failed", at)
    return note(m, at)
  end
  settle(m, at)
end

function handlers.SystemUpdating(m, at)
  settle(m, at)
end

function handlers.Deleting(m, at)
  m.gone, m.due, m.status, m.modified = true, nil, nil, at
  note(m, at)
end

--- Plays everything that is due up to and including `now`.
---@param m sagemaker.simulator.machine
---@param now number
---@param world sagemaker.simulator.world
function M.advance(m, now, world)
  while m.due and m.due <= now do
    handlers[m.status](m, m.due, world)
  end
end

local function start(m, blueprint, given, plan, at)
  given, plan = share(given), share(plan)
  m.deployment = {
    blueprint = blueprint, given = given, plan = plan, index = 0,
    active = {}, green = 0, started = at,
    deadline = plan.timeout and at + plan.timeout,
  }
  for i = 1, #blueprint.variants do m.deployment.active[i] = 0 end
  m.wanted, m.last_deployment_config = blueprint.name, given
end

--- CreateEndpoint. A DeploymentConfig is kept, but there is no old fleet to deploy against.
---@param m sagemaker.simulator.machine
---@param blueprint sagemaker.simulator.blueprint
---@param given table|nil DeploymentConfig
---@param now number
---@param world sagemaker.simulator.world
function M.create(m, blueprint, given, now, world)
  m.created = now
  set_status(m, "Creating", now)
  start(m, blueprint, given, stages.create(world.seconds), now)
  next_stage(m, now, world)
  M.advance(m, now, world)
end

--- UpdateEndpoint. The caller has seen to it that `M.busy` is nil.
---@param m sagemaker.simulator.machine
---@param blueprint sagemaker.simulator.blueprint
---@param given table|nil DeploymentConfig
---@param now number
---@param world sagemaker.simulator.world
function M.update(m, blueprint, given, now, world)
  m.failure_reason = nil
  set_status(m, "Updating", now)
  start(m, blueprint, given, stages.update(given, blueprint.variants, world.seconds), now)
  next_stage(m, now, world)
  local alarm = tripped(m.deployment, world)
  if alarm and m.status == "Updating" then
    local reason = "Alarm %s was in state ALARM when the deployment started."
    roll_back(m, now, reason:format(alarm), world)
  end
  M.advance(m, now, world)
end

--- UpdateEndpointWeightsAndCapacities.
---@param m sagemaker.simulator.machine
---@param wanted table<string, table> by variant name: {desired, weight, serverless}
---@param now number
---@param world sagemaker.simulator.world
function M.scale(m, wanted, now, world)
  m.failure_reason = nil
  local d = { started = now, stage = { kind = "scale", step = 1 } }
  d.changes, d.grows = scaling.begin(m.current, wanted)
  m.deployment, m.due = d, now + world.seconds.scaling
  set_status(m, "Updating", now)
  note(m, now)
  M.advance(m, now, world)
end

--- An update that the service does by itself.
---@param m sagemaker.simulator.machine
---@param seconds number how long it takes
---@param now number
---@param world sagemaker.simulator.world
function M.system_update(m, seconds, now, world)
  m.due = now + seconds
  set_status(m, "SystemUpdating", now)
  note(m, now)
  M.advance(m, now, world)
end

--- DeleteEndpoint.
---@param m sagemaker.simulator.machine
---@param now number
---@param world sagemaker.simulator.world
function M.delete(m, now, world)
  m.due = now + world.seconds.deleting
  set_status(m, "Deleting", now)
  note(m, now)
  M.advance(m, now, world)
end

--- Looks at the alarms after one has changed: while the new fleet bakes, ALARM ends it.
---@param m sagemaker.simulator.machine
---@param now number
---@param world sagemaker.simulator.world
function M.alarm_changed(m, now, world)
  local d = m.deployment
  if m.status ~= "Updating" or not d.stage or d.stage.kind ~= "bake" then return end
  local alarm = tripped(d, world)
  if alarm then roll_back(m, now, ("Alarm %s is in state ALARM."):format(alarm), world) end
  M.advance(m, now, world)
end

--- Looks at the containers after their health has changed: a fleet that waits for it goes on.
---@param m sagemaker.simulator.machine
---@param now number
---@param world sagemaker.simulator.world
function M.health_changed(m, now, world)
  local d = m.deployment
  if not d or not d.waiting or m.status == "RollingBack" then return end
  if world.fails("health", m, d.blueprint, now) then return end
  d.waiting = nil
  next_stage(m, now, world)
  M.advance(m, now, world)
end

--- Makes one of what is alike in this machine and in others, as it is in those that were never
-- written down.
---@param m sagemaker.simulator.machine
function M.share_alike(m)
  local d = m.deployment or {}
  m.last_deployment_config = share(m.last_deployment_config)
  d.given, d.plan = share(d.given), share(d.plan)
  for _, blueprint in pairs { m.current or false, d.blueprint or false, m.failed or false } do
    if blueprint then
      blueprint.config, blueprint.capture = share(blueprint.config), share(blueprint.capture)
      for _, list in ipairs { blueprint.variants, blueprint.shadows } do
        for _, variant in ipairs(list) do
          variant.spec, variant.images = share(variant.spec), share(variant.images)
          variant.containers = share(variant.containers)
        end
      end
    end
  end
end

--- Why an operation cannot be done now, or nil when it can.
---@param m sagemaker.simulator.machine
---@param operation "update"|"scale"|"delete"
---@return "in-progress"|"failed"|nil
function M.busy(m, operation)
  local status = m.status
  if status == "InService" or status == "UpdateRollbackFailed" then return nil end
  if status == "Failed" or status == "OutOfService" then
    return operation ~= "delete" and "failed" or nil
  end
  return "in-progress"
end

return M
