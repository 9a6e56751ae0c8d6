--- Deployments: builders of a DeploymentConfig, the rules AWS documents for one, and what it will
-- do step by step.
--
-- A deployment replaces the old fleet of an endpoint by a new one under guard: part of the traffic
-- first, time to bake, alarms that send it all back.
-- https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html

local errors = require "sagemaker.error"
local fleets = require "sagemaker.deployment.fleet"
local plans = require "sagemaker.deployment.plan"
local rules = require "sagemaker.deployment.rules"

local M = {}

---@alias sagemaker.deployment.Size string|integer "10%" of the fleet, or a number of instances

---@class sagemaker.deployment.Options
---@field alarms? (string|{AlarmName: string})[] CloudWatch alarms that roll the deployment back,
--- 1 to 10; without them baking protects nothing
---@field bake? integer seconds, 0 to 3600, that each share of traffic is watched (default 0)
---@field timeout? integer seconds, 600 to 28800, after which the deployment is rolled back

---@class sagemaker.deployment.BlueGreenOptions : sagemaker.deployment.Options
---@field termination_wait? integer seconds, 0 to 3600, before the old fleet is removed

---@class sagemaker.deployment.CanaryOptions : sagemaker.deployment.BlueGreenOptions
---@field size sagemaker.deployment.Size of the canary, at most 50 %

---@class sagemaker.deployment.LinearOptions : sagemaker.deployment.BlueGreenOptions
---@field step sagemaker.deployment.Size of each step, 10 to 50 %; may also be called `size`

---@class sagemaker.deployment.RollingOptions : sagemaker.deployment.Options
---@field batch sagemaker.deployment.Size of each batch, 5 to 50 %; may also be called `size`
---@field rollback_batch? sagemaker.deployment.Size of each batch when rolling back (default 100 %)

-- Which option a member of the DeploymentConfig comes from, for messages.
local OPTION_OF = {
  { "CanarySize", "size" },
  { "LinearStepSize", "step" },
  { "RollbackMaximumBatchSize", "rollback_batch" },
  { "MaximumBatchSize", "batch" },
  { "WaitIntervalInSeconds", "bake" },
  { "TerminationWaitInSeconds", "termination_wait" },
  { "MaximumExecutionTimeoutInSeconds", "timeout" },
  { "Alarms", "alarms" },
}

local function complain(builder, option, text, ...)
  error(("deployment.%s: option %s "):format(builder, option) .. text:format(...), 0)
end

-- A builder whose complaints are thrown at its caller's line.
local function throwing(build)
  return function(options)
    local fine, config = pcall(build, options)
    if not fine then error(config, 2) end
    return config
  end
end

local function check_names(builder, options, allowed)
  if type(options) ~= "table" then
    error(("deployment.%s takes a table of options, not a %s"):format(builder, type(options)), 0)
  end
  for name in pairs(options) do
    local known = false
    for _, candidate in ipairs(allowed) do known = known or candidate == name end
    if not known then
      complain(builder, tostring(name), "is not known%s; there are %s", errors.hint(name, allowed),
        table.concat(allowed, ", "))
    end
  end
end

local function size_of(builder, option, value)
  if value == nil then return nil end
  if type(value) == "number" then
    if value % 1 ~= 0 or value < 1 or value >= 2 ^ 31 then
      complain(builder, option, "must be a whole number of instances, at least 1, not %.14g", value)
    end
    return { Type = "INSTANCE_COUNT", Value = value }
  end
  local digits = type(value) == "string" and value:match("^%s*(%d+)%s*%%%s*$")
  if not digits or #digits > 3 then
    complain(builder, option, 'must be whole percents ("10%%") or a number of instances, not %s',
      type(value) == "string" and ("%q"):format(value:sub(1, 40)) or "a " .. type(value))
  end
  return { Type = "CAPACITY_PERCENT", Value = tonumber(digits) }
end

local function need(builder, option, value)
  if value == nil then
    complain(builder, option, 'is missing: "10%%" of the fleet or a number of instances')
  end
  return value
end

-- `primary` or its other name `size`, not both.
local function either(builder, options, primary)
  if options[primary] ~= nil and options.size ~= nil then
    complain(builder, primary, "and size mean the same: give one")
  end
  local value = options[primary]
  if value == nil then value = options.size end
  return size_of(builder, primary, need(builder, primary, value))
end

local function alarms_of(builder, alarms)
  if alarms == nil then return nil end
  if type(alarms) ~= "table" then
    complain(builder, "alarms", "must be a list of alarm names, not a %s", type(alarms))
  end
  local list = {}
  for key in pairs(alarms) do
    if type(key) ~= "number" or alarms[key - 1] == nil and key ~= 1 then
      complain(builder, "alarms", "must be a list without gaps, but has the key %s", tostring(key))
    end
  end
  for i, alarm in ipairs(alarms) do
    if type(alarm) == "string" then alarm = { AlarmName = alarm } end
    if type(alarm) ~= "table" then
      complain(builder, "alarms", "must hold names, but entry %d is a %s", i, type(alarm))
    end
    list[i] = { AlarmName = alarm.AlarmName }
    for name in pairs(alarm) do
      if name ~= "AlarmName" then
        complain(builder, "alarms", "entry %d: %s is not known, there is AlarmName", i,
          tostring(name))
      end
    end
  end
  return { Alarms = list }
end

-- Throws when a rule is broken.
local function guard(builder, config)
  local problems = rules.check(config)
  local first = problems[1]
  if not first then return config end
  for _, pair in ipairs(OPTION_OF) do
    if first.path:find(pair[1], 1, true) then
      local text = first.message:sub(#first.path + 1):gsub("^: ", "")
      complain(builder, pair[2], "%s [%s]", text, first.path)
    end
  end
  error(("deployment.%s: %s"):format(builder, first.message), 0)
end

local BLUE_GREEN = { "alarms", "bake", "size", "step", "termination_wait", "timeout" }

local function pick(names, without)
  local list = {}
  for _, name in ipairs(names) do
    if not without[name] then list[#list + 1] = name end
  end
  return list
end

local function default(value, other)
  if value == nil then return other end
  return value
end

local function blue_green(builder, kind, options, member, size)
  return guard(builder, {
    BlueGreenUpdatePolicy = {
      TrafficRoutingConfiguration = {
        Type = kind,
        WaitIntervalInSeconds = default(options.bake, 0),
        [member] = size,
      },
      TerminationWaitInSeconds = options.termination_wait,
      MaximumExecutionTimeoutInSeconds = options.timeout,
    },
    AutoRollbackConfiguration = alarms_of(builder, options.alarms),
  })
end

--- A small share of the traffic first, then the rest, baking after each. Throws on an unknown
-- option, a wrong type or a broken rule: a nil in its place would silently drop the guardrail.
---@type fun(options: sagemaker.deployment.CanaryOptions): table DeploymentConfig
M.canary = throwing(function(options)
  check_names("canary", options, pick(BLUE_GREEN, { step = true }))
  local size = size_of("canary", "size", need("canary", "size", options.size))
  return blue_green("canary", "CANARY", options, "CanarySize", size)
end)

--- The traffic in equal steps, baking after each. Throws like canary.
---@type fun(options: sagemaker.deployment.LinearOptions): table DeploymentConfig
M.linear = throwing(function(options)
  check_names("linear", options, BLUE_GREEN)
  local size = either("linear", options, "step")
  return blue_green("linear", "LINEAR", options, "LinearStepSize", size)
end)

--- All traffic in one step, then baking with the old fleet still there. Throws like canary.
---@type fun(options?: sagemaker.deployment.BlueGreenOptions): table DeploymentConfig
M.all_at_once = throwing(function(options)
  options = default(options, {})
  check_names("all_at_once", options, pick(BLUE_GREEN, { size = true, step = true }))
  return blue_green("all_at_once", "ALL_AT_ONCE", options, "CanarySize", nil)
end)

local ROLLING = { "alarms", "bake", "batch", "rollback_batch", "size", "timeout" }

--- Batch by batch: new instances come, traffic moves, old ones go. Needs few spare instances; not
-- for serverless or multi-variant endpoints. Throws like canary.
---@type fun(options: sagemaker.deployment.RollingOptions): table DeploymentConfig
M.rolling = throwing(function(options)
  check_names("rolling", options, ROLLING)
  return guard("rolling", {
    RollingUpdatePolicy = {
      MaximumBatchSize = either("rolling", options, "batch"),
      WaitIntervalInSeconds = default(options.bake, 0),
      MaximumExecutionTimeoutInSeconds = options.timeout,
      RollbackMaximumBatchSize = size_of("rolling", "rollback_batch", options.rollback_batch),
    },
    AutoRollbackConfiguration = alarms_of("rolling", options.alarms),
  })
end)

-- The rules, for a value that may be anything: a metatable of its own may throw.
local function inspect(config, fleet)
  local fine, problems, warnings = pcall(rules.check, config, fleet)
  if fine then return problems, warnings end
  return { { path = "DeploymentConfig", code = "type",
    message = "DeploymentConfig: cannot be read: " .. tostring(problems) } }, {}
end

--- Whether a DeploymentConfig keeps the documented rules. Every problem is in err.errors, with its
-- path as AWS spells it. ALL_AT_ONCE may leave out WaitIntervalInSeconds as AWS's guardrails
-- chapter does; `deploy` then sends 0.
---@param config any a DeploymentConfig, built here or anywhere
---@param fleet? integer|sagemaker.deployment.Fleet the endpoint's; throws on anything else
---@return true|nil
---@return string? message
---@return sagemaker.Error? err kind "validation"
function M.check(config, fleet)
  local problems = inspect(config, fleets.normalize(fleet))
  if #problems > 0 then return rules.fail(problems) end
  return true
end

-- What a plan says that the rules do not forbid.
local function warn_plan(plan, config, fleet)
  local warnings = plan.warnings
  if plan.timeout and plan.duration >= plan.timeout then
    warnings[#warnings + 1] = (
      "the deployment may take %d s (%d s of it waits) and is rolled back at the timeout of %d s"
    ):format(plan.duration, plan.waits, plan.timeout)
  end
  if fleet and plan.policy ~= "ALL_AT_ONCE" and plans.shares(config, fleet)[1] >= 100 then
    warnings[#warnings + 1] =
      "the first step is the whole fleet: it is too small to shift a part of the traffic"
  end
end

--- The plan and the problems of any configuration; what `deploy` builds on.
---@param config any
---@param fleet sagemaker.deployment.KnownFleet|nil
---@param times? sagemaker.deployment.Times
---@return sagemaker.deployment.Plan|nil plan nil when there are problems
---@return sagemaker.deployment.Problem[] problems
function M.examine(config, fleet, times)
  local problems, warnings = {}
  if config == nil then
    warnings = { "no DeploymentConfig: all traffic moves at once and no alarm is watched" }
  else
    problems, warnings = inspect(config, fleet)
  end
  if #problems == 0 and not plans.is_computable(config, fleet) then
    problems[1] = { path = "DeploymentConfig", code = "rule",
      message = "DeploymentConfig: counts instances, so its steps follow only from a known fleet" }
  end
  if #problems > 0 then return nil, problems end
  local plan = plans.make(config, fleet, times, warnings)
  warn_plan(plan, config, fleet)
  return plan, problems
end

local TIMES = { provisioning = true, activation = true, removal = true }

--- What a deployment will do: its steps with time, traffic and instances, its duration at worst and
-- warnings. `tostring(plan)` is a readable timeline.
---@param config table|nil DeploymentConfig; nil is AWS's default, all at once without alarms
---@param fleet? integer|sagemaker.deployment.Fleet without it the plan holds percentages only
---@param times? sagemaker.deployment.Times what the parts take that the configuration does not set
---@return sagemaker.deployment.Plan|nil
---@return string? message
---@return sagemaker.Error? err kind "validation": a broken rule, or sizes that need the fleet
function M.plan(config, fleet, times)
  for name, value in pairs(times or {}) do
    if not TIMES[name] or type(value) ~= "number" or not (value >= 0 and value < 2 ^ 31) then
      error(("deployment.plan: %s must be one of provisioning, activation, removal, and seconds")
        :format(tostring(name)), 2)
    end
  end
  local plan, problems = M.examine(config, fleets.normalize(fleet), times)
  if not plan then return rules.fail(problems) end
  return plan
end

--- A plan as a readable timeline, one line a step.
---@type fun(plan: sagemaker.deployment.Plan): string
M.format = plans.format

--- One such line for a step of a plan or an event of a watcher.
---@type fun(row: sagemaker.deployment.Step|sagemaker.watch.Event): string
M.line = plans.line

return M
