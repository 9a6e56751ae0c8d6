--- What `deploy` looks at before it changes anything: the parameters, the endpoint, both
-- configurations, the rules against the real fleet. Reads only.

local alarms = require "sagemaker.watch.alarms"
local deployment = require "sagemaker.deployment"
local errors = require "sagemaker.error"
local fleets = require "sagemaker.deployment.fleet"
local pollers = require "sagemaker.watch.poller"
local readings = require "sagemaker.watch.reading"
local rules = require "sagemaker.deployment.rules"

local M = {}

---@class sagemaker.watch.DeployRequest
---@field EndpointName string
---@field EndpointConfigName string
---@field DeploymentConfig? table from sagemaker.deployment; without it AWS shifts all traffic at
--- once and watches no alarm
---@field Tags? {Key: string, Value: string}[] of the endpoint; added with AddTags when it exists
---@field RetainAllVariantProperties? boolean update: keep instance counts and weights
---@field ExcludeRetainedVariantProperties? table[] update: but not these
---@field RetainDeploymentConfig? boolean update: the DeploymentConfig of the last deployment again
---@field on_event? fun(event: sagemaker.watch.Event) called each time the deployment moves
---@field on_plan? fun(preview: sagemaker.watch.Preview) called before anything is changed; again
--- for another attempt after a deployment of somebody else
---@field alarm_check? "basic"|"strict"|"warn"|false whether an update is refused by its alarms:
--- "basic" (default) where one is in ALARM, "strict" also where one does not exist or has no data,
--- "warn" never; false does not ask CloudWatch
---@field wait? boolean queue behind a deployment that is under way
---@field replace_failed? boolean delete a Failed endpoint and create it anew
---@field force? boolean update even if the endpoint runs this configuration already
---@field timeout? number seconds for the deployment, from when it was accepted
---@field provisioning? number seconds for new instances beyond the deployment's own timeout
---@field delay? number seconds between the first looks
---@field max_delay? number seconds between looks at most

local AWS = {
  "DeploymentConfig", "EndpointConfigName", "EndpointName", "ExcludeRetainedVariantProperties",
  "RetainAllVariantProperties", "RetainDeploymentConfig", "Tags",
}
local CREATE = { "EndpointName", "EndpointConfigName", "DeploymentConfig", "Tags" }
local UPDATE = { "EndpointName", "EndpointConfigName", "DeploymentConfig",
  "RetainAllVariantProperties", "ExcludeRetainedVariantProperties", "RetainDeploymentConfig" }
local OWN = {
  delay = "number", force = "boolean", max_delay = "number", on_event = "function",
  on_plan = "function", provisioning = "number", replace_failed = "boolean", timeout = "number",
  wait = "boolean",
}

local function pick(request, names)
  local params = {}
  for _, name in ipairs(names) do params[name] = request[name] end
  return params
end

--- The parameters of CreateEndpoint.
---@param request table
---@return table
function M.create_params(request)
  return pick(request, CREATE)
end

--- The parameters of UpdateEndpoint.
---@param request table
---@return table
function M.update_params(request)
  return pick(request, UPDATE)
end

local function all_names()
  local names = { "alarm_check" }
  for _, name in ipairs(AWS) do names[#names + 1] = name end
  for name in pairs(OWN) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function check_names(request, problems)
  local names = all_names()
  local known = {}
  for _, name in ipairs(names) do known[name] = true end
  for name in pairs(request) do
    if not known[name] then
      name = tostring(name)
      problems[#problems + 1] = {
        path = name, code = "unknown", member = name, suggestion = errors.nearest(name, names),
        message = ("%s: not a parameter of deploy%s"):format(name, errors.hint(name, names)),
      }
    end
  end
end

-- Our own options: a wrong type is a mistake in the program and throws.
local function check_own(request)
  for name, kind in pairs(OWN) do
    local value = request[name]
    local fits = value == nil or type(value) == kind
    if fits and kind == "number" and value then fits = value == value and value >= 0 end
    if not fits then error(("deploy: option %s must be a %s"):format(name, kind), 0) end
  end
  local mode = request.alarm_check
  if mode ~= nil and mode ~= false and not alarms.MODES[mode] then
    error('deploy: option alarm_check must be "basic", "strict", "warn" or false', 0)
  end
end

-- Strict validation of the shapes, for both operations that may follow.
local function check_shapes(check, request, problems)
  for _, operation in ipairs{ "CreateEndpoint", "UpdateEndpoint" } do
    local names = operation == "CreateEndpoint" and CREATE or UPDATE
    local fine, _, err = check(operation, pick(request, names))
    if not fine then
      rules.merge(problems,
        err.errors or { { path = err.path, code = err.code, message = err.message } })
    end
  end
end

-- What `pairs` gives, and the named members even if only __index knows them.
local function copied(value, names)
  local copy = {}
  for key, member in pairs(value) do copy[key] = member end
  for _, name in ipairs(names) do copy[name] = value[name] end
  return copy
end

-- AWS's guardrails chapter leaves WaitIntervalInSeconds out of its all-at-once example, and the API
-- requires it: 0 is what the example means.
local function completed(config)
  local policy = config.BlueGreenUpdatePolicy
  local routing = type(policy) == "table" and policy.TrafficRoutingConfiguration
  if type(routing) ~= "table" or routing.Type ~= "ALL_AT_ONCE"
      or routing.WaitIntervalInSeconds ~= nil then
    return config
  end
  routing = copied(routing, { "Type", "CanarySize", "LinearStepSize" })
  routing.WaitIntervalInSeconds = 0
  policy = copied(policy, { "TerminationWaitInSeconds", "MaximumExecutionTimeoutInSeconds" })
  policy.TrafficRoutingConfiguration = routing
  config = copied(config, { "RollingUpdatePolicy", "AutoRollbackConfiguration" })
  config.BlueGreenUpdatePolicy = policy
  return config
end

-- A copy of what the caller gave, plain, so that what is checked is what is sent.
local function read(given)
  local request = copied(given, all_names())
  local config = request.DeploymentConfig
  if type(config) == "table" then
    local fine, whole = pcall(completed, config)
    if fine then request.DeploymentConfig = whole end
  end
  return request
end

--- The request with what is implied written out, after every check that needs no network.
---@param check function strict validation
---@param given sagemaker.watch.DeployRequest
---@return sagemaker.watch.DeployRequest|nil
---@return string? message
---@return sagemaker.Error? err
function M.parameters(check, given)
  if type(given) ~= "table" then
    error("deploy takes a table of parameters, not a " .. type(given), 0)
  end
  local fine, request = pcall(read, given)
  if not fine then
    return rules.fail({ { path = "", code = "type",
      message = "the parameters cannot be read: " .. tostring(request) } }, "deploy")
  end
  check_own(request)
  local problems = {}
  check_names(request, problems)
  check_shapes(check, request, problems)
  if request.DeploymentConfig ~= nil then
    local sound, _, err = deployment.check(request.DeploymentConfig)
    if not sound then rules.merge(problems, err.errors) end
    if request.RetainDeploymentConfig == true then
      rules.merge(problems, { { path = "RetainDeploymentConfig", code = "rule",
        message = "RetainDeploymentConfig: excludes DeploymentConfig, give one of them" } })
    end
  end
  if #problems > 0 then return rules.fail(problems, "deploy") end
  return request
end

--- The endpoint as it is, or false when there is none.
---@param call function
---@param name string
---@param call_opts? table
---@return table|false|nil output of DescribeEndpoint
---@return string? message
---@return sagemaker.Error? err
function M.endpoint(call, name, call_opts)
  local output, message, err = call("DescribeEndpoint", { EndpointName = name }, call_opts)
  if output then return output end
  if pollers.is_missing_endpoint(err) then return false end
  return nil, message, err
end

local function excludes_count(request)
  for _, row in ipairs(request.ExcludeRetainedVariantProperties or {}) do
    if row.VariantPropertyType == "DesiredInstanceCount" then return true end
  end
  return false
end

-- RetainAllVariantProperties keeps the old fleet's numbers of instances.
local function retain_counts(request, fleet, old)
  if not request.RetainAllVariantProperties or excludes_count(request) then return end
  for _, variant in ipairs(fleet.variants) do
    for _, before in ipairs(old.variants) do
      if before.name == variant.name and before.instances then
        variant.instances = before.instances
      end
    end
  end
end

local function names_in(fleet)
  local names = {}
  for i, variant in ipairs(fleet.variants) do names[i] = variant.name end
  table.sort(names)
  return table.concat(names, ", ")
end

-- What the endpoint has now. DescribeEndpoint tells, unless the endpoint never ran.
local function old_fleet(describe_config, current)
  local fleet = fleets.of(current.ProductionVariants, true)
  if fleet or not current.EndpointConfigName then return fleet end
  local config = describe_config(current.EndpointConfigName)
  return config and fleets.of(config.ProductionVariants)
end

---@class sagemaker.watch.Preparation
---@field config table|nil the DeploymentConfig that will govern the deployment
---@field fleet? sagemaker.deployment.KnownFleet of an update, with the old one
---@field plan? sagemaker.deployment.Plan of an update
---@field provisioning number seconds that the new variants may take to come, at most
---@field alarms? sagemaker.watch.AlarmStates of an update
---@field warnings string[]

-- The DeploymentConfig of an update: given, or the one of the last deployment.
local function effective(request, current, problems)
  if request.DeploymentConfig or not request.RetainDeploymentConfig then
    return request.DeploymentConfig
  end
  if current.LastDeploymentConfig then return completed(current.LastDeploymentConfig) end
  problems[#problems + 1] = { path = "RetainDeploymentConfig", code = "rule",
    message = "RetainDeploymentConfig: the endpoint has no DeploymentConfig to retain" }
  return nil
end

local LEAST = 3600

-- Seconds that instances, model data and containers of a configuration may take.
local function provisioning_of(config)
  local most = LEAST
  for _, variant in ipairs(config.ProductionVariants or {}) do
    most = math.max(most, (variant.ModelDataDownloadTimeoutInSeconds or 0)
      + (variant.ContainerStartupHealthCheckTimeoutInSeconds or 0)
      + (variant.VariantInstanceProvisionTimeoutInSeconds or 600))
  end
  return most
end

local function warn_inf1(config, warnings)
  for _, variant in ipairs(config.ProductionVariants or {}) do
    if tostring(variant.InstanceType):find("^ml%.inf1%.") then
      local text = "variant %s runs on Inf1: all its traffic is shifted at once, without baking"
      warnings[#warnings + 1] = text:format(variant.VariantName)
    end
  end
end

local function prepare_create(request, config, result, problems)
  if request.DeploymentConfig == nil then return end
  local _, found = deployment.examine(request.DeploymentConfig,
    fleets.of(config.ProductionVariants))
  rules.merge(problems, found)
  result.warnings[1] = "the endpoint is new: its DeploymentConfig guards nothing yet, and is kept "
    .. "for updates with RetainDeploymentConfig"
end

local function check_variant_names(request, fleet, old, problems)
  local have, want = names_in(old), names_in(fleet)
  if have == want then return end
  local text = "EndpointConfigName: %s has the variants %s, but the endpoint has %s: an update "
    .. "needs the same names"
  problems[#problems + 1] = { path = "EndpointConfigName", code = "rule",
    message = text:format(request.EndpointConfigName, want, have) }
end

local function prepare_update(describe_config, request, config, current, result, problems)
  local fleet = fleets.of(config.ProductionVariants)
  local old = old_fleet(describe_config, current)
  if fleet and old then
    retain_counts(request, fleet, old)
    fleet.old = old
    check_variant_names(request, fleet, old, problems)
  end
  result.config = effective(request, current, problems)
  local plan, found = deployment.examine(result.config, fleet)
  rules.merge(problems, found)
  result.fleet, result.plan = fleet, plan
  for _, warning in ipairs(plan and plan.warnings or {}) do
    result.warnings[#result.warnings + 1] = warning
  end
  if result.config then warn_inf1(config, result.warnings) end
end

--- The rules and the plan against the real fleet.
---@param call function
---@param request sagemaker.watch.DeployRequest
---@param current table|false output of DescribeEndpoint
---@param call_opts? table
---@return sagemaker.watch.Preparation|nil
---@return string? message
---@return sagemaker.Error? err
function M.prepare(call, request, current, call_opts)
  local function describe_config(name)
    return call("DescribeEndpointConfig", { EndpointConfigName = name }, call_opts)
  end
  local config, message, err = describe_config(request.EndpointConfigName)
  if not config then return nil, message, err end
  local problems, result = {}, { warnings = {}, provisioning = provisioning_of(config) }
  if current then
    prepare_update(describe_config, request, config, current, result, problems)
  else
    prepare_create(request, config, result, problems)
  end
  if #problems > 0 then return rules.fail(problems, "deploy") end
  return result
end

local BUSY = { Creating = true, Updating = true, SystemUpdating = true, RollingBack = true,
  Deleting = true }

--- Why nothing can be started now, in words, or nil.
---@param current table|false
---@return string|nil
function M.busy(current)
  if not current or not BUSY[current.EndpointStatus] then return nil end
  local reading = readings.read(current)
  local target = reading.pending or (reading.status == "Creating" and reading.config)
  return ("endpoint %s is %s%s"):format(tostring(current.EndpointName), reading.status,
    target and (" (deployment of " .. target .. ")") or "")
end

return M
