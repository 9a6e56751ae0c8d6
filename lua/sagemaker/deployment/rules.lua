--- What AWS documents about a DeploymentConfig and no other client enforces: ranges, sizes against
-- the fleet, waits against the timeout, alarms.
--
-- Pure: a table in, rows of problems out. The sources are the API reference of DeploymentConfig
-- and what it holds, and the deployment guardrails chapter of the developer guide:
-- https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeploymentConfig.html
-- https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html

local errors = require "sagemaker.error"
local fleets = require "sagemaker.deployment.fleet"

local M = {}

---@class sagemaker.deployment.Problem
---@field path string "DeploymentConfig.RollingUpdatePolicy.MaximumBatchSize.Value"
---@field code string "required", "unknown", "type", "enum", "min", "max" or "rule"
---@field message string one sentence that starts with the path
---@field member? string the member that is missing or unknown
---@field suggestion? string the nearest name

local SIZE = {
  members = {
    Type = { enum = { "CAPACITY_PERCENT", "INSTANCE_COUNT" }, required = true },
    Value = { integer = true, min = 1, required = true },
  },
}
local WAIT = { integer = true, min = 0, max = 3600 }
local NEEDED_WAIT = { integer = true, min = 0, max = 3600, required = true }
local TIMEOUT = { integer = true, min = 600, max = 28800 }

-- AWS requires WaitIntervalInSeconds of every traffic routing, yet the guardrails chapter's own
-- all-at-once example leaves it out; see missing_wait.
local ROUTING = {
  members = {
    Type = { enum = { "ALL_AT_ONCE", "CANARY", "LINEAR" }, required = true },
    WaitIntervalInSeconds = WAIT,
    CanarySize = SIZE,
    LinearStepSize = SIZE,
  },
  required = true,
}

local CONFIG = {
  members = {
    BlueGreenUpdatePolicy = {
      members = {
        TrafficRoutingConfiguration = ROUTING,
        TerminationWaitInSeconds = WAIT,
        MaximumExecutionTimeoutInSeconds = TIMEOUT,
      },
    },
    RollingUpdatePolicy = {
      members = {
        MaximumBatchSize = { members = SIZE.members, required = true },
        WaitIntervalInSeconds = NEEDED_WAIT,
        MaximumExecutionTimeoutInSeconds = TIMEOUT,
        RollbackMaximumBatchSize = SIZE,
      },
    },
    AutoRollbackConfiguration = {
      members = {
        Alarms = {
          list = { members = { AlarmName = { text = true, required = true } } },
          min = 1,
          max = 10,
        },
      },
    },
  },
}

local function show(value)
  if type(value) == "string" then
    return ("%q"):format(#value > 60 and value:sub(1, 57) .. "..." or value)
  end
  if type(value) == "number" then return ("%.14g"):format(value) end
  return type(value)
end

-- As many problems as anybody reads.
local MOST = 100

local function add(problems, path, code, text, more)
  if #problems >= MOST then return end
  local row = more or {}
  row.path, row.code = path, code
  row.message = path .. (code == "required" and " is required" or ": " .. text)
  problems[#problems + 1] = row
end

local function is_integer(value)
  return type(value) == "number" and value % 1 == 0 and value > -2 ^ 53 and value < 2 ^ 53
end

local function sorted(names)
  local list = {}
  for name in pairs(names) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local walk

local function walk_members(problems, shape, value, path)
  local names = sorted(shape.members)
  local unknown = {}
  for name in pairs(value) do
    if shape.members[name] == nil then unknown[#unknown + 1] = tostring(name):sub(1, 60) end
  end
  table.sort(unknown)
  for _, name in ipairs(unknown) do
    local near = errors.nearest(name, names)
    add(problems, path .. "." .. name, "unknown",
      "is not a member of " .. path .. (near and (", did you mean " .. near .. "?") or ""),
      { member = name, suggestion = near })
  end
  for _, name in ipairs(names) do
    local member, inner = value[name], shape.members[name]
    if member ~= nil then
      walk(problems, inner, member, path .. "." .. name)
    elseif inner.required then
      add(problems, path .. "." .. name, "required", nil, { member = name })
    end
  end
end

local function walk_list(problems, shape, value, path)
  local count = #value
  for key in pairs(value) do
    if not is_integer(key) or key < 1 or key > count then
      add(problems, path, "type", ("must be a list, not a table with the key %s"):format(show(key)))
      return
    end
  end
  if count < shape.min or count > shape.max then
    add(problems, path, count < shape.min and "min" or "max",
      ("has %d entries, but takes %d to %d"):format(count, shape.min, shape.max))
  end
  for i = 1, math.min(count, 100) do
    walk(problems, shape.list, value[i], ("%s[%d]"):format(path, i - 1))
  end
end

local function walk_integer(problems, shape, value, path)
  if type(value) ~= "number" then
    add(problems, path, "type", ("must be a whole number, not %s"):format(show(value)))
  elseif not is_integer(value) then
    add(problems, path, "type", ("must be a whole number, not %s"):format(show(value)))
  elseif value < shape.min then
    add(problems, path, "min", ("is %s, but must be at least %d"):format(show(value), shape.min))
  elseif shape.max and value > shape.max then
    add(problems, path, "max", ("is %s, but must be at most %d"):format(show(value), shape.max))
  end
end

local function walk_text(problems, value, path)
  if type(value) ~= "string" then
    add(problems, path, "type", ("must be a string, not %s"):format(show(value)))
  elseif #value > 255 then
    add(problems, path, "max", ("has %d bytes, but may have 255"):format(#value))
  elseif not value:find("%S") then
    add(problems, path, "min", "must not be blank")
  end
end

local function walk_enum(problems, shape, value, path)
  if type(value) ~= "string" then
    add(problems, path, "type", ("must be a string, not %s"):format(show(value)))
    return
  end
  for _, allowed in ipairs(shape.enum) do
    if value == allowed then return end
  end
  local near = errors.nearest(value, shape.enum)
  add(problems, path, "enum", ("is %s, but must be one of %s%s"):format(show(value),
    table.concat(shape.enum, ", "), near and (" (did you mean " .. near .. "?)") or ""),
    { suggestion = near })
end

-- Writes what is wrong with the form of `value`: types, names, ranges.
function walk(problems, shape, value, path)
  if shape.integer then return walk_integer(problems, shape, value, path) end
  if shape.text then return walk_text(problems, value, path) end
  if shape.enum then return walk_enum(problems, shape, value, path) end
  if type(value) ~= "table" then
    local what = shape.list and "list" or "structure"
    add(problems, path, "type", ("must be a %s, not %s"):format(what, show(value)))
  elseif shape.list then
    walk_list(problems, shape, value, path)
  else
    walk_members(problems, shape, value, path)
  end
end

-- The rules below read only what the walk found well-formed.
local function part(value, name)
  local member = type(value) == "table" and value[name]
  return type(member) == "table" and member or nil
end

local function whole(value, name)
  local member = type(value) == "table" and value[name]
  return is_integer(member) and member or nil
end

-- What a size may be, in percent of a variant's instances.
local LIMITS = {
  CanarySize = { 0, 50 },
  LinearStepSize = { 10, 50 },
  MaximumBatchSize = { 5, 50 },
  RollbackMaximumBatchSize = { 0, 100 },
}

local function check_count(context, path, value, limit, variant)
  local share = 100 * value / variant.instances
  if share >= limit[1] and share <= limit[2] then return end
  local range = limit[1] > 0 and ("%d to %d %%"):format(limit[1], limit[2])
    or ("at most %d %%"):format(limit[2])
  local least = math.max(1, math.ceil(limit[1] * variant.instances / 100))
  local most = math.floor(limit[2] * variant.instances / 100)
  local fits = least > most and "no number of instances fits: use CAPACITY_PERCENT"
    or least == most and ("%d fits"):format(most) or ("%d to %d fit"):format(least, most)
  local text = "is %d of the %d instances of %s, but must be %s (%s)"
  add(context.problems, path, "rule",
    text:format(value, variant.instances, variant.name or "the fleet", range, fits))
end

local function check_size(context, policy, path, name)
  local size = part(policy, name)
  local value = whole(size, "Value")
  if not value or value < 1 then return end
  local limit = LIMITS[name]
  path = ("%s.%s.Value"):format(path, name)
  if size.Type == "CAPACITY_PERCENT" then
    if value > limit[2] or value < limit[1] then
      add(context.problems, path, "rule", limit[1] > 0
        and ("is %d %%, but must be %d to %d %%"):format(value, limit[1], limit[2])
        or ("is %d %%, but must be at most %d %%"):format(value, limit[2]))
    end
    return
  end
  if size.Type ~= "INSTANCE_COUNT" or not context.fleet then return end
  for _, variant in ipairs(context.fleet.variants) do
    if variant.serverless then
      local warning = "%s counts instances, but the variant %s is serverless: use CAPACITY_PERCENT"
      context.warnings[#context.warnings + 1] = warning:format(path, variant.name or "")
    elseif variant.instances then
      check_count(context, path, value, limit, variant)
    end
  end
end

-- Which size a kind of traffic routing takes; the others must be absent.
local TAKES = { CANARY = "CanarySize", LINEAR = "LinearStepSize", ALL_AT_ONCE = false }

local function check_routing(context, routing, path)
  local takes = TAKES[routing.Type]
  for _, name in ipairs{ "CanarySize", "LinearStepSize" } do
    if takes == name and routing[name] == nil then
      add(context.problems, path .. "." .. name, "rule",
        ("%s needs it"):format(routing.Type), { member = name })
    elseif takes ~= nil and takes ~= name and routing[name] ~= nil then
      add(context.problems, path .. "." .. name, "rule",
        ("%s takes none"):format(routing.Type))
    else
      check_size(context, routing, path, name)
    end
  end
  if routing.WaitIntervalInSeconds == nil and takes then
    add(context.problems, path .. ".WaitIntervalInSeconds", "required", nil,
      { member = "WaitIntervalInSeconds" })
  end
end

local function check_timeout(context, policy, path, wait)
  local timeout = whole(policy, "MaximumExecutionTimeoutInSeconds")
  local termination = whole(policy, "TerminationWaitInSeconds")
  local waits = (wait or 0) + (termination or 0)
  if timeout and timeout <= waits then
    add(context.problems, path .. ".MaximumExecutionTimeoutInSeconds", "rule",
      ("is %d, but must be larger than %s, which is %d"):format(timeout,
        termination and "WaitIntervalInSeconds + TerminationWaitInSeconds"
        or "WaitIntervalInSeconds", waits))
  end
end

local function check_rolling_fleet(context, path)
  local fleet = context.fleet
  if not fleet then return end
  local serverless, variants = fleets.traits(fleet)
  if serverless then
    add(context.problems, path, "rule", "serverless variants cannot be rolled")
  end
  if variants > 1 then
    add(context.problems, path, "rule",
      ("the endpoint has %d variants, only one can be rolled"):format(variants))
  end
end

local function check_policies(context, config)
  local blue_green, rolling = config.BlueGreenUpdatePolicy, config.RollingUpdatePolicy
  if (blue_green == nil) == (rolling == nil) then
    add(context.problems, "DeploymentConfig", "rule",
      "needs exactly one of BlueGreenUpdatePolicy and RollingUpdatePolicy, and has "
      .. (blue_green == nil and "neither" or "both"))
  end
  if type(blue_green) == "table" then
    local path = "DeploymentConfig.BlueGreenUpdatePolicy"
    local routing = part(blue_green, "TrafficRoutingConfiguration")
    if routing then check_routing(context, routing, path .. ".TrafficRoutingConfiguration") end
    check_timeout(context, blue_green, path, whole(routing, "WaitIntervalInSeconds"))
  end
  if type(rolling) == "table" then
    local path = "DeploymentConfig.RollingUpdatePolicy"
    check_size(context, rolling, path, "MaximumBatchSize")
    check_size(context, rolling, path, "RollbackMaximumBatchSize")
    check_timeout(context, rolling, path, whole(rolling, "WaitIntervalInSeconds"))
    check_rolling_fleet(context, path)
  end
end

local function warn_alarms(context, config)
  local warnings = context.warnings
  local alarms = part(part(config, "AutoRollbackConfiguration"), "Alarms")
  if not alarms or #alarms == 0 then
    warnings[#warnings + 1] = "no alarms are named: baking protects nothing without them"
    return
  end
  local policy = part(part(config, "BlueGreenUpdatePolicy"), "TrafficRoutingConfiguration")
    or part(config, "RollingUpdatePolicy")
  if policy and (policy.WaitIntervalInSeconds or 0) == 0 then
    warnings[#warnings + 1] = "alarms are watched while baking, and WaitIntervalInSeconds is 0"
  end
end

--- Every problem of a DeploymentConfig, and what is allowed but probably not meant.
---@param config any the DeploymentConfig, in AWS spelling
---@param fleet? sagemaker.deployment.KnownFleet from fleet.normalize
---@return sagemaker.deployment.Problem[] problems empty when it is sound
---@return string[] warnings
function M.check(config, fleet)
  local context = { problems = {}, warnings = {}, fleet = fleet }
  walk(context.problems, CONFIG, config, "DeploymentConfig")
  if type(config) == "table" then
    check_policies(context, config)
    warn_alarms(context, config)
  end
  return context.problems, context.warnings
end

-- What a problem is about, whether its path names the member or only its parent.
local function subject(problem)
  local path, member = problem.path or "", problem.member
  if not member or path == member or path:sub(-#member - 1) == "." .. member then return path end
  return path == "" and member or path .. "." .. member
end

--- Adds problems about members that have none yet: the same mistake may break the model's shapes
-- and a rule.
---@param problems sagemaker.deployment.Problem[] grows
---@param more sagemaker.deployment.Problem[]
function M.merge(problems, more)
  local known = {}
  for _, problem in ipairs(problems) do known[subject(problem)] = true end
  for _, problem in ipairs(more) do
    if not known[subject(problem)] then problems[#problems + 1] = problem end
  end
end

--- The three values of a failed check.
---@param problems sagemaker.deployment.Problem[]
---@param operation? string
---@return nil
---@return string message
---@return sagemaker.Error err
function M.fail(problems, operation)
  local lines = {}
  for i, problem in ipairs(problems) do lines[i] = problem.message end
  local message = lines[1]
  if #lines > 1 then
    message = ("%d problems with %s:\n  %s"):format(#lines,
      operation and "the parameters of " .. operation or "the DeploymentConfig",
      table.concat(lines, "\n  "))
  end
  return errors.fail{
    kind = "validation",
    code = "ParamValidation",
    message = message,
    path = problems[1].path,
    errors = problems,
    operation = operation,
    attempts = 0,
    retryable = false,
  }
end

return M
