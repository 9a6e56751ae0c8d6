--- The options that say how a deployment is guarded, for commands of our own, and the
-- DeploymentConfig that they make: `--canary 10% --bake 5m --alarms churn-5xx`.

local lazy = require "sagemaker.lazy"
local deployment = lazy "sagemaker.deployment"

local M = {}

--- Rows of options, as sagemaker.cli.globals describes them.
M.OPTIONS = {
  { name = "canary", value = "SIZE", summary = "A small share of the traffic first, then the rest: "
    .. "10% of the fleet (at most 50%), or a number of instances." },
  { name = "linear", value = "SIZE",
    summary = "The traffic in equal steps, each 10% to 50%, or a number of instances." },
  { name = "rolling", value = "SIZE", summary = "Batch by batch, on few spare instances: each "
    .. "batch 5% to 50%, or a number of instances." },
  { name = "all-at-once", kind = "flag", summary = "All traffic in one step, then baking." },
  { name = "bake", value = "TIME", summary = "How long each share of the traffic is watched, up to "
    .. "an hour: 300, 5m. Default: 0." },
  { name = "alarms", value = "NAME", kind = "list", summary = "CloudWatch alarms that roll the "
    .. "deployment back, 1 to 10, separated by blanks or commas." },
  { name = "termination-wait", value = "TIME", summary = "How long the old instances are kept "
    .. "afterwards, up to an hour. Not with --rolling." },
  { name = "rollback-batch", value = "SIZE",
    summary = "The batches of a roll-back, with --rolling. Default: 100%." },
  { name = "deployment-timeout", value = "TIME",
    summary = "The time, 10m to 8h, after which SageMaker rolls back." },
}

-- How the builders call the options.
local BUILDERS = {
  { key = "canary", size = "size" }, { key = "linear", size = "step" },
  { key = "rolling", size = "batch" }, { key = "all_at_once" },
}
local TIMES = { bake = "bake", termination_wait = "termination_wait",
  deployment_timeout = "timeout" }

local function option(key)
  return "--" .. key:gsub("_", "-")
end

local UNITS = { h = 3600, m = 60, s = 1 }

--- Seconds of a text: "300", "300s", "5m", "1h30m".
---@param value string
---@return number|nil
function M.seconds(value)
  local number = value:match("^%d+%.?%d*$")
  if number then return tonumber(number) end
  local sum, rest = 0, value:lower()
  for _, unit in ipairs{ "h", "m", "s" } do
    local count, after = rest:match("^(%d+)" .. unit .. "(.*)$")
    if count then sum, rest = sum + tonumber(count) * UNITS[unit], after end
  end
  return rest == "" and value ~= "" and sum or nil
end

--- Seconds of the value of an option.
---@param key string
---@param value string
---@return number|nil
---@return string|nil message
function M.time(key, value)
  local seconds = M.seconds(value)
  if seconds and seconds < 2 ^ 31 then return seconds end
  if seconds then
    return nil, ("%s: %q is longer than any deployment"):format(option(key), value)
  end
  return nil, ("%s: %q is no time; write seconds, 5m or 1h30m"):format(option(key), value)
end

-- "10%", or a number of instances.
local function size_of(value)
  if value:find("^%s*%d+%s*$") then return tonumber(value) end
  return value
end

-- A name or several, separated by commas.
local function names_of(values)
  local names = {}
  for _, value in ipairs(values) do
    for name in value:gmatch("[^,]+") do names[#names + 1] = name end
  end
  return names
end

-- What a builder's option is called here.
local function option_of(kind, name)
  if name == kind.size or name == "size" then return option(kind.key) end
  for key, its in pairs(TIMES) do
    if its == name then return option(key) end
  end
  return option(name)
end

-- A builder's complaint in the words of the command line.
local function translate(message, kind)
  local name = message:match("^deployment%.[%w_]+: option ([%w_]+) is not known")
  if name then return ("%s does not go with %s"):format(option_of(kind, name), option(kind.key)) end
  return (message:gsub("^deployment%.[%w_]+: option ([%w_]+) ", function(of)
    return option_of(kind, of) .. " "
  end):gsub("^deployment%.[%w_]+: ", ""))
end

local function kind_of(values)
  local kind
  for _, candidate in ipairs(BUILDERS) do
    if values[candidate.key] then
      if kind then
        return nil, ("%s and %s exclude each other"):format(option(kind.key), option(candidate.key))
      end
      kind = candidate
    end
  end
  return kind
end

-- The options of a builder, from those of the command line.
local function builder_options(values, kind)
  local options = { alarms = values.alarms and names_of(values.alarms) }
  if kind.size then options[kind.size] = size_of(values[kind.key]) end
  for key, name in pairs(TIMES) do
    if values[key] then
      local message
      options[name], message = M.time(key, values[key])
      if message then return nil, message end
    end
  end
  if values.rollback_batch then options.rollback_batch = size_of(values.rollback_batch) end
  return options
end

--- The first of our options that is given, or nil.
---@param values table<string, any>
---@return string|nil
function M.given(values)
  for _, row in ipairs(M.OPTIONS) do
    if values[(row.name:gsub("-", "_"))] then return "--" .. row.name end
  end
  return nil
end

--- The DeploymentConfig that the options make.
---@param values table<string, any> by the keys of the options above
---@return table|nil config nil also where no option is given
---@return string|nil message what is wrong
function M.config(values)
  local first = M.given(values)
  if not first then return nil end
  local kind, message = kind_of(values)
  if message then return nil, message end
  if not kind then
    return nil, ("%s needs one of --canary, --linear, --rolling and --all-at-once"):format(first)
  end
  local options
  options, message = builder_options(values, kind)
  if not options then return nil, message end
  local fine, config = pcall(deployment[kind.key], options)
  if not fine then return nil, translate(tostring(config), kind) end
  return config
end

-- The members of a DeploymentConfig that the options make.
local MEMBERS = { CanarySize = "canary", LinearStepSize = "linear", MaximumBatchSize = "rolling",
  RollbackMaximumBatchSize = "rollback_batch", WaitIntervalInSeconds = "bake",
  TerminationWaitInSeconds = "termination_wait",
  MaximumExecutionTimeoutInSeconds = "deployment_timeout", Alarms = "alarms" }

local function named(message, values)
  return (message:gsub("^DeploymentConfig%.([%w_.%[%]]+): ", function(path)
    for member in path:gmatch "%a+" do
      local key = MEMBERS[member]
      if key and values[key] then return option(key) .. " " end
    end
  end))
end

--- A complaint about the DeploymentConfig that the options have made, in their words.
---@param err sagemaker.Error of kind "validation"; others stay as they are
---@param values table<string, any> by the keys of the options above
---@return sagemaker.Error the same
function M.reword(err, values)
  if not M.given(values) then return err end
  for _, problem in ipairs(err.kind == "validation" and err.errors or {}) do
    problem.message = named(problem.message, values)
  end
  return err
end

return M
