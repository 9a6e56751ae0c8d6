--- What the service itself demands of a DeploymentConfig beyond the shapes of its model.
--
-- The ranges are documented (API reference of CapacitySize, TrafficRoutingConfig,
-- RollingUpdatePolicy, BlueGreenUpdatePolicy and the guardrails chapter); how the service words a
-- refusal is not, so the messages are our own.

local M = {}

-- What a size may be, in percent of a variant's instances.
local LIMITS = {
  CanarySize = { 0, 50 }, LinearStepSize = { 10, 50 }, MaximumBatchSize = { 5, 50 },
  RollbackMaximumBatchSize = { 0, 100 },
}

-- Which size a kind of routing takes.
local TAKES = { CANARY = "CanarySize", LINEAR = "LinearStepSize" }

local function outside(name, percent)
  local limit = LIMITS[name]
  return percent < limit[1] or percent > limit[2]
end

local function bad_size(policy, name, variants)
  local size = policy[name]
  if not size then return nil end
  local range = ("%s must be between %d%% and %d%% of the capacity of the variant.")
    :format(name, LIMITS[name][1], LIMITS[name][2])
  if size.Type == "CAPACITY_PERCENT" then
    return outside(name, size.Value) and range or nil
  end
  for _, variant in ipairs(variants) do
    if not variant.serverless and variant.desired > 0
        and outside(name, 100 * size.Value / variant.desired) then
      return range
    end
  end
  return nil
end

local function bad_routing(routing, variants)
  local needed = TAKES[routing.Type]
  if needed and not routing[needed] then
    return ("%s must be specified for traffic routing type %s."):format(needed, routing.Type)
  end
  for _, name in ipairs { "CanarySize", "LinearStepSize" } do
    if routing[name] and name ~= needed then
      return ("%s must not be specified for traffic routing type %s."):format(name, routing.Type)
    end
    local bad = bad_size(routing, name, variants)
    if bad then return bad end
  end
  return nil
end

local function bad_timeout(policy, wait)
  local timeout = policy.MaximumExecutionTimeoutInSeconds
  if timeout and timeout <= wait + (policy.TerminationWaitInSeconds or 0) then
    return "MaximumExecutionTimeoutInSeconds must be larger than the sum of "
      .. "WaitIntervalInSeconds and TerminationWaitInSeconds."
  end
  return nil
end

local function any_serverless(variants)
  for _, variant in ipairs(variants) do
    if variant.serverless then return true end
  end
  return false
end

local function bad_rolling(policy, variants, old)
  if #variants > 1 then
    return "RollingUpdatePolicy is not supported for endpoints with more than one variant."
  elseif any_serverless(variants) or any_serverless(old or {}) then
    return "RollingUpdatePolicy is not supported for serverless endpoints."
  end
  return bad_size(policy, "MaximumBatchSize", variants)
    or bad_size(policy, "RollbackMaximumBatchSize", variants)
    or bad_timeout(policy, policy.WaitIntervalInSeconds)
end

--- Why a deployment with this configuration is refused, or nil.
---@param config table|nil DeploymentConfig
---@param variants sagemaker.simulator.variant[] of the new fleet
---@param old sagemaker.simulator.variant[]|nil those of the fleet it replaces
---@return string|nil
function M.check(config, variants, old)
  local blue_green = config and config.BlueGreenUpdatePolicy
  local rolling = config and config.RollingUpdatePolicy
  if blue_green and rolling then
    return "Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified."
  elseif rolling then
    return bad_rolling(rolling, variants, old)
  elseif blue_green then
    local routing = blue_green.TrafficRoutingConfiguration
    return bad_routing(routing, variants)
      or bad_timeout(blue_green, routing.WaitIntervalInSeconds)
  end
  return nil
end

--- Why a fleet cannot take the place of another, or nil: it needs the same variants.
---@param old sagemaker.simulator.variant[]
---@param new sagemaker.simulator.variant[]
---@return string|nil
function M.check_names(old, new)
  local names = {}
  for _, variant in ipairs(old) do names[variant.name] = true end
  local same = #old == #new
  for _, variant in ipairs(new) do same = same and names[variant.name] end
  if same then return nil end
  return "The endpoint configuration must have the same variant names as the current one."
end

return M
