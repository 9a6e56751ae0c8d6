--- CloudWatch: PutMetricAlarm, DescribeAlarms, SetAlarmState, DeleteAlarms.

local core = require "sagemaker.core"
local metrics = require "sagemaker.simulator.metrics"
local refusal = require "sagemaker.simulator.refusal"

local M = {}

-- Alarms in a page when MaxRecords does not say.
local PAGE = 50

local TREATMENTS = { breaching = true, notBreaching = true, ignore = true, missing = true }

local function bad_period(input)
  local period = input.Period
  if period ~= 10 and period ~= 20 and period ~= 30 and period % 60 ~= 0 then
    return "Period must be 10, 20, 30 or a multiple of 60."
  end
  local longest = period >= 3600 and 7 * 86400 or 86400
  if period * input.EvaluationPeriods > longest then
    return ("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be "
      .. "<= %d)."):format(longest)
  end
  return nil
end

-- What an alarm on one metric needs.
local function bad_metric(input)
  for _, name in ipairs { "MetricName", "Namespace", "Period", "EvaluationPeriods", "Threshold",
    "ComparisonOperator" } do
    if input[name] == nil then return ("The parameter %s is required."):format(name) end
  end
  if (input.Statistic == nil) == (input.ExtendedStatistic == nil) then
    return "Exactly one of Statistic and ExtendedStatistic must be specified."
  end
  local extended = input.ExtendedStatistic
  if extended and not (extended:sub(1, 1) == "p" and metrics.is_statistic(extended)) then
    return ("The value %s for parameter ExtendedStatistic is not supported."):format(extended)
  end
  return bad_period(input)
end

local function bad_alarm(input)
  local treatment = input.TreatMissingData
  if treatment and not TREATMENTS[treatment] then
    return ("The value %s is not supported for parameter TreatMissingData."):format(treatment)
  elseif (input.DatapointsToAlarm or 0) > (input.EvaluationPeriods or math.huge) then
    return "DatapointsToAlarm must be less than or equal to EvaluationPeriods."
  elseif input.Metrics then
    return input.MetricName and "Metrics and MetricName exclude each other." or nil
  end
  return bad_metric(input)
end

local function invalid(message)
  return refusal.new("ValidationError", message)
end

-- Members that mean what is not played: composite alarms, and queries in PromQL.
local UNPLAYED = {
  DescribeAlarms = { "ChildrenOfAlarmName", "ParentsOfAlarmName" },
  PutMetricAlarm = { "EvaluationCriteria", "EvaluationInterval", "EvaluationWindow" },
}

local function check_played(operation, input)
  for _, member in ipairs(UNPLAYED[operation]) do
    if input[member] ~= nil then
      return refusal.unplayed(("%s of %s"):format(member, operation))
    end
  end
  return true
end

function M.PutMetricAlarm(account, input)
  local played, unplayed = check_played("PutMetricAlarm", input)
  if not played then return nil, unplayed end
  local bad = bad_alarm(input)
  if bad then return invalid(bad) end
  account.watch:put(input)
  return {}
end

-- Members of the definition that DescribeAlarms gives back as they came.
local KEPT = {
  "AlarmDescription", "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit",
  "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData",
  "EvaluateLowSampleCountPercentile", "Metrics", "ThresholdMetricId",
}

local function row_of(alarm)
  local definition = alarm.definition
  local row = {
    AlarmName = alarm.name, AlarmArn = alarm.arn, StateValue = alarm.state,
    StateReason = alarm.reason, StateReasonData = alarm.reason_data,
    StateUpdatedTimestamp = alarm.updated, StateTransitionedTimestamp = alarm.transitioned,
    AlarmConfigurationUpdatedTimestamp = alarm.configured,
    ActionsEnabled = definition.ActionsEnabled ~= false, OKActions = definition.OKActions or {},
    AlarmActions = definition.AlarmActions or {}, Dimensions = definition.Dimensions or {},
    InsufficientDataActions = definition.InsufficientDataActions or {},
  }
  for _, member in ipairs(KEPT) do row[member] = definition[member] end
  return row
end

-- Those that were only ever set by hand (sim:set_alarm, the control API) can be seen as well.
local function known_names(account)
  local names = {}
  for name in pairs(account.alarms) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function has_action(definition, prefix)
  for _, list in ipairs { "OKActions", "AlarmActions", "InsufficientDataActions" } do
    for _, action in ipairs(definition[list] or {}) do
      if action:sub(1, #prefix) == prefix then return true end
    end
  end
  return false
end

-- Whether DescribeAlarms means this alarm.
local function is_meant(alarm, input, wanted)
  local prefix = input.AlarmNamePrefix
  if wanted and not wanted[alarm.name] then return false end
  if prefix and alarm.name:sub(1, #prefix) ~= prefix then return false end
  if input.StateValue and alarm.state ~= input.StateValue then return false end
  return not input.ActionPrefix or has_action(alarm.definition, input.ActionPrefix)
end

local function set_of(list)
  if not list or not list[1] then return nil end
  local set = {}
  for _, item in ipairs(list) do set[item] = true end
  return set
end

local function seal(account, name)
  return core.sha256(account.secret .. "\nDescribeAlarms\n" .. name):sub(1, 32)
end

-- The name after which a page begins: "" without a token, nil when it is not ours.
local function place_of(account, token)
  if not token then return "" end
  local bytes = core.text.unbase64(token) or ""
  local name = bytes:sub(33)
  return bytes:sub(1, 32) == seal(account, name) and name or nil
end

function M.DescribeAlarms(account, input)
  local played, unplayed = check_played("DescribeAlarms", input)
  if not played then return nil, unplayed end
  local wanted, types = set_of(input.AlarmNames), set_of(input.AlarmTypes)
  local after = place_of(account, input.NextToken)
  if not after then return refusal.new("InvalidNextToken", "The next token is not valid.") end
  if wanted and input.AlarmNamePrefix then
    return invalid("AlarmNames and AlarmNamePrefix exclude each other.")
  end
  local rows, names = {}, known_names(account)
  if types and not types.MetricAlarm then names = {} end
  for _, name in ipairs(names) do
    local alarm = account.watch.by_name[name] or { name = name, state = account.alarms[name],
      arn = account.watch.prefix .. name, reason = "Set by the simulator", definition = {} }
    if name > after and is_meant(alarm, input, wanted) then
      if #rows == (input.MaxRecords or PAGE) then
        local last = rows[#rows].AlarmName
        return { MetricAlarms = rows, CompositeAlarms = {},
          NextToken = core.text.base64(seal(account, last) .. last) }
      end
      rows[#rows + 1] = row_of(alarm)
    end
  end
  return { MetricAlarms = rows, CompositeAlarms = {} }
end

local function unknown(name)
  return refusal.new("ResourceNotFound", ("Unknown alarm: %s"):format(name), 404)
end

--- A deployment that bakes and names the alarm rolls back at this moment.
function M.SetAlarmState(account, input)
  local data = input.StateReasonData
  if not account.alarms[input.AlarmName] then return unknown(input.AlarmName) end
  if data and not pcall(require("cjson").decode, data) then
    return refusal.new("InvalidFormatFault", "StateReasonData is not valid JSON.")
  end
  account:set_alarm(input.AlarmName, input.StateValue, input.StateReason, data)
  return {}
end

--- All of them, or none when one is unknown.
function M.DeleteAlarms(account, input)
  for _, name in ipairs(input.AlarmNames) do
    if not account.alarms[name] then return unknown(name) end
  end
  for _, name in ipairs(input.AlarmNames) do account.watch:remove(name) end
  return {}
end

return M
