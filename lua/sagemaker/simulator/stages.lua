--- The stages of a deployment: what a DeploymentConfig asks for, as a list with durations.
--
-- A stage is {kind, seconds, green, blue}: green is how many steps of the new fleet serve
-- while the stage lasts, blue how many batches of the old fleet are gone. Sizes turn into
-- instances per variant; a percentage rounds up and is at least one instance.
-- Follows the deployment guardrails chapter of the developer guide:
-- https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html

local M = {}

-- A serverless variant has no instances; its traffic moves in hundredths.
local SERVERLESS_UNITS = 100

---@class sagemaker.simulator.stage
---@field kind "provision"|"activate"|"bake"|"wait"|"remove"
---@field seconds number
---@field green integer steps of the new fleet that serve
---@field blue integer batches of the old fleet that are gone
---@field step integer which step the stage belongs to, from 1

---@class sagemaker.simulator.plan
---@field policy "ALL_AT_ONCE"|"CANARY"|"LINEAR"|"ROLLING"
---@field size table|nil the CapacitySize of a step
---@field steps integer
---@field bake number seconds
---@field timeout number|nil seconds, from the start to the end of the last bake
---@field alarms string[]
---@field [integer] sagemaker.simulator.stage

--- What a variant can serve: its instances, or hundredths when it has none.
---@param variant table a variant of a fleet
---@return integer
function M.capacity(variant)
  if variant.serverless then return SERVERLESS_UNITS end
  return variant.desired
end

--- How many of `total` instances a CapacitySize means.
---@param size table {Type, Value}
---@param total integer
---@return integer
function M.instances(size, total)
  local n = size.Value
  if size.Type == "CAPACITY_PERCENT" then n = math.max(1, math.ceil(total * n / 100)) end
  return math.min(n, total)
end

--- How many instances (or hundredths) of a variant of the new fleet serve after `step` steps.
---@param plan sagemaker.simulator.plan
---@param variant table
---@param step integer
---@return integer
function M.active(plan, variant, step)
  local total = M.capacity(variant)
  if step <= 0 then return 0 end
  if step >= plan.steps then return total end
  return math.min(total, step * M.instances(plan.size, total))
end

-- How many steps of `size` bring the whole fleet to work.
local function steps_of(size, fleet)
  local steps = 1
  for _, variant in ipairs(fleet) do
    local total = M.capacity(variant)
    if total > 0 then
      steps = math.max(steps, math.ceil(total / M.instances(size, total)))
    end
  end
  return steps
end

-- Inf1 instances and Elastic Inference know no guardrails: all at once, without baking.
local function falls_back(fleet)
  for _, variant in ipairs(fleet) do
    local spec = variant.spec
    if spec.AcceleratorType or (spec.InstanceType or ""):find("^ml%.inf1%.") then return true end
  end
  return false
end

local function alarm_names(config)
  local names = {}
  local rollback = config.AutoRollbackConfiguration
  for _, alarm in ipairs(rollback and rollback.Alarms or {}) do
    names[#names + 1] = alarm.AlarmName
  end
  return names
end

-- Type, step size, bake and waits of a DeploymentConfig, whichever policy it names.
local function read(config, fleet)
  local rolling, blue_green = config.RollingUpdatePolicy, config.BlueGreenUpdatePolicy
  local plan = { policy = "ALL_AT_ONCE", steps = 1, bake = 0, alarms = {} }
  if falls_back(fleet) then return plan, 0 end
  plan.alarms = alarm_names(config)
  if rolling then
    plan.policy, plan.size = "ROLLING", rolling.MaximumBatchSize
    plan.bake = rolling.WaitIntervalInSeconds
    plan.timeout = rolling.MaximumExecutionTimeoutInSeconds
    plan.steps = steps_of(plan.size, fleet)
    return plan, 0
  elseif not blue_green then
    return plan, 0
  end
  local routing = blue_green.TrafficRoutingConfiguration
  plan.policy, plan.bake = routing.Type, routing.WaitIntervalInSeconds
  plan.timeout = blue_green.MaximumExecutionTimeoutInSeconds
  if plan.policy == "CANARY" then
    plan.size = routing.CanarySize
    plan.steps = math.min(2, steps_of(plan.size, fleet))
  elseif plan.policy == "LINEAR" then
    plan.size = routing.LinearStepSize
    plan.steps = steps_of(plan.size, fleet)
  end
  return plan, blue_green.TerminationWaitInSeconds or 0
end

--- The stages of an update with this DeploymentConfig.
---@param config table|nil DeploymentConfig; nil means all at once, without alarms
---@param fleet table[] the variants of the new fleet
---@param seconds table<string, number> how long provisioning, activation and removal take
---@return sagemaker.simulator.plan
function M.update(config, fleet, seconds)
  local plan, wait = read(config or {}, fleet)
  local rolling = plan.policy == "ROLLING"
  local function add(kind, duration, step, green, blue)
    plan[#plan + 1] =
      { kind = kind, seconds = duration, step = step, green = green, blue = blue }
  end
  for step = 1, plan.steps do
    local gone = rolling and step - 1 or 0
    if rolling or step == 1 then add("provision", seconds.provisioning, step, step - 1, gone) end
    add("activate", seconds.activation, step, step - 1, gone)
    add("bake", plan.bake, step, step, gone)
    if rolling then add("remove", seconds.removal, step, step, gone) end
  end
  if not rolling then
    if wait > 0 then add("wait", wait, plan.steps, plan.steps, 0) end
    add("remove", seconds.removal, plan.steps, plan.steps, 0)
  end
  return plan
end

--- The stages of a first roll-out: there is no old fleet to guard.
---@param seconds table<string, number>
---@return sagemaker.simulator.plan
function M.create(seconds)
  return {
    policy = "ALL_AT_ONCE", steps = 1, bake = 0, alarms = {},
    { kind = "provision", seconds = seconds.provisioning, step = 1, green = 0, blue = 0 },
    { kind = "activate", seconds = seconds.activation, step = 1, green = 0, blue = 0 },
  }
end

--- How many batches bring back what a rolling deployment has taken from the old fleet.
---@param config table|nil DeploymentConfig
---@param fleet table[] the old fleet as it is now (count below desired where batches are gone)
---@return integer batches 0 when nothing is missing
---@return table size CapacitySize of a batch
function M.rollback(config, fleet)
  local rolling = config and config.RollingUpdatePolicy
  local size = rolling and rolling.RollbackMaximumBatchSize
    or { Type = "CAPACITY_PERCENT", Value = 100 }
  local batches = 0
  for _, variant in ipairs(fleet) do
    local missing = variant.desired - variant.count
    if missing > 0 then
      batches = math.max(batches, math.ceil(missing / M.instances(size, variant.desired)))
    end
  end
  return batches, size
end

return M
