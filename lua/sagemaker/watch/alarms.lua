--- The CloudWatch alarms that guard a deployment, looked at before it begins: one in ALARM would
-- end it, and one that does not exist, or has no data, guards nothing.
-- https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html

local errors = require "sagemaker.error"

local M = {}

---@alias sagemaker.watch.AlarmStates table<string, "OK"|"ALARM"|"INSUFFICIENT_DATA"|"missing">

---@alias sagemaker.watch.DescribeAlarms
---| fun(names: string[], call_opts?: table): table|nil, string|nil, sagemaker.Error|nil

--- The values of `alarm_check`, besides false: which states refuse a deployment.
---@type table<string, table<string, true>>
M.MODES = {
  basic = { ALARM = true },
  strict = { ALARM = true, INSUFFICIENT_DATA = true, missing = true },
  warn = {},
}

--- The names of the alarms of a DeploymentConfig.
---@param config table|nil
---@return string[]
function M.names(config)
  local names, rollback = {}, config and config.AutoRollbackConfiguration
  for i, alarm in ipairs(rollback and rollback.Alarms or {}) do names[i] = alarm.AlarmName end
  return names
end

--- The states of alarms, now.
---@param describe sagemaker.watch.DescribeAlarms
---@param names string[]
---@param call_opts? table
---@return sagemaker.watch.AlarmStates|nil
---@return string? message
---@return sagemaker.Error? err
function M.look(describe, names, call_opts)
  local output, message, err = describe(names, call_opts)
  if not output then return nil, message, err end
  local states = {}
  for _, name in ipairs(names) do states[name] = "missing" end
  for _, kind in ipairs { "MetricAlarms", "CompositeAlarms" } do
    for _, alarm in ipairs(output[kind] or {}) do
      if states[alarm.AlarmName] then states[alarm.AlarmName] = alarm.StateValue end
    end
  end
  return states
end

local TEXTS = {
  ALARM = "the alarm %s is in ALARM: it rolls the deployment back at once",
  INSUFFICIENT_DATA = "the alarm %s has no data (INSUFFICIENT_DATA): it guards nothing till it has",
  missing = "there is no alarm %s in CloudWatch: it guards nothing",
}

-- Who may not look is told which permission it takes.
local function unknown(err, message)
  local is_denied = err and (err.status == 403 or tostring(err.code):find("AccessDenied", 1, true))
  return ("the states of the alarms are not known%s: %s"):format(
    is_denied and ", which takes the permission cloudwatch:DescribeAlarms" or "", tostring(message))
end

-- What refuses, and then what is to be known besides.
local function refusal(problems, doubts, states)
  for _, doubt in ipairs(doubts) do problems[#problems + 1] = doubt end
  return errors.new { kind = "service", code = "AlarmsNotReady", operation = "deploy",
    message = table.concat(problems, "; ") .. '; alarm_check = "warn" deploys all the same',
    alarms = states, retryable = false }
end

---@class sagemaker.watch.AlarmCheck
---@field states? sagemaker.watch.AlarmStates nil where they could not be read
---@field refusal? sagemaker.Error why the deployment should not begin
---@field warnings string[] those of `refusal` too

--- What the alarms of a deployment mean for it before it begins.
---@param describe sagemaker.watch.DescribeAlarms|nil nil where nobody can tell
---@param config table|nil DeploymentConfig
---@param mode "basic"|"strict"|"warn"|false|nil false does not look; default "basic"
---@param call_opts? table
---@return sagemaker.watch.AlarmCheck
function M.check(describe, config, mode, call_opts)
  local names, found = M.names(config), { warnings = {} }
  if mode == false or not describe or #names == 0 then return found end
  local states, message, err = M.look(describe, names, call_opts)
  if not states then
    found.warnings[1] = unknown(err, message)
    return found
  end
  local refuses, problems, doubts = M.MODES[mode or "basic"], {}, {}
  for _, name in ipairs(names) do
    local state = states[name]
    local text = TEXTS[state] and TEXTS[state]:format(name)
    found.warnings[#found.warnings + 1] = text
    local list = refuses[state] and problems or doubts
    list[#list + 1] = text
  end
  found.states = states
  found.refusal = #problems > 0 and refusal(problems, doubts, states) or nil
  return found
end

return M
