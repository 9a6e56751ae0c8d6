--- CloudWatch alarms: what they watch, when they ring.
--
-- Alarms on the simulator's own metrics (namespace AWS/SageMaker, dimensions EndpointName and
-- VariantName) are evaluated every minute of the simulator's time, or as often as their period is
-- long where that is less, over periods that end at that moment. All others keep the state they
-- are given. How missing data counts:
-- https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
--
-- Actions are taken down where they would be carried out: there is nobody here to carry them out.

local json = require "sagemaker.simulator.json"
local metrics = require "sagemaker.simulator.metrics"

local M = {}

local Alarms = { __name = "sagemaker.simulator.alarms" }
Alarms.__index = Alarms

-- So many periods more than EvaluationPeriods are looked at when some hold no data.
local RANGE = 2

local NAMESPACE = "AWS/SageMaker"

-- So many actions of an alarm are remembered.
local ACTIONS = 20

---@class sagemaker.simulator.alarm
---@field name string
---@field arn string
---@field definition table the input of PutMetricAlarm
---@field state "OK"|"ALARM"|"INSUFFICIENT_DATA"
---@field reason string
---@field reason_data string|nil
---@field configured number when it was defined
---@field updated number when its state was last set
---@field transitioned number when it last became another
---@field actions {at: number, state: string, action: string}[]|nil what would have been done, the
--- latest last

---@class sagemaker.simulator.alarms
---@field by_name table<string, sagemaker.simulator.alarm>

---@param opts {account: sagemaker.simulator.account, prefix: string}
---@return sagemaker.simulator.alarms
function M.new(opts)
  return setmetatable({ account = opts.account, prefix = opts.prefix, by_name = {} }, Alarms)
end

--- What an alarm watches of the simulator's own: endpoint, variant, metric; nil when nothing.
---@param definition table
---@return table|nil
function M.watched(definition)
  if definition.Namespace ~= NAMESPACE or not definition.MetricName then return nil end
  local names = {}
  for _, dimension in ipairs(definition.Dimensions or {}) do
    names[dimension.Name] = dimension.Value
  end
  if not names.EndpointName or not names.VariantName or #definition.Dimensions ~= 2 then
    return nil
  end
  return { endpoint = names.EndpointName, variant = names.VariantName,
    metric = definition.MetricName }
end

local BREACHES = {
  GreaterThanOrEqualToThreshold = function(value, threshold) return value >= threshold end,
  GreaterThanThreshold = function(value, threshold) return value > threshold end,
  LessThanThreshold = function(value, threshold) return value < threshold end,
  LessThanOrEqualToThreshold = function(value, threshold) return value <= threshold end,
}

--- Whether an operator compares with a number; the others need a band that is learned.
---@param operator string
---@return boolean
function M.compares(operator)
  return BREACHES[operator] ~= nil
end

-- The latest datapoints of an alarm, newest first: at most EvaluationPeriods of those there are.
local function datapoints_of(self, definition, now)
  local target = M.watched(definition)
  local period = definition.Period
  local statistic = definition.Statistic or definition.ExtendedStatistic
  local values, wanted = {}, definition.EvaluationPeriods
  for i = 1, wanted + RANGE do
    local value = #values < wanted and self.account.metrics:statistic(target.endpoint,
      target.variant, target.metric, statistic, now - i * period, now - (i - 1) * period)
    if value then values[#values + 1] = value end
  end
  return values
end

--- The state that datapoints mean, and how many of them breach; nil: the state stays.
---@param definition table
---@param values number[]
---@return string|nil state
---@return integer breaching
function M.judge(definition, values)
  local breaches = BREACHES[definition.ComparisonOperator]
  local needed = definition.DatapointsToAlarm or definition.EvaluationPeriods
  local missing, breaching = definition.EvaluationPeriods - #values, 0
  for _, value in ipairs(values) do
    if breaches(value, definition.Threshold) then breaching = breaching + 1 end
  end
  local treatment = missing > 0 and definition.TreatMissingData or "missing"
  local filled = treatment == "breaching" and missing or 0
  if breaching + filled >= needed then return "ALARM", breaching end
  if treatment == "breaching" or treatment == "notBreaching" or breaching < #values then
    return "OK", breaching
  elseif treatment == "ignore" then
    return nil, breaching
  end
  return #values > 0 and "ALARM" or "INSUFFICIENT_DATA", breaching
end

local function shown(values)
  local texts = {}
  for i, value in ipairs(values) do texts[i] = json.number(value) end
  return table.concat(texts, ", ")
end

local function reason_of(definition, state, values, breaching)
  if state == "INSUFFICIENT_DATA" then return "Insufficient Data: no datapoints were received" end
  return ("Threshold Crossed: %d out of the last %d datapoints [%s] breached the threshold (%s)")
    :format(breaching, definition.EvaluationPeriods, shown(values),
      json.number(definition.Threshold))
end

-- Whether there is something to evaluate: an alarm on a metric that nobody has measured yet keeps
-- the state it was given, unless it says what missing data mean.
local function is_live(self, definition)
  local target = M.watched(definition)
  if not target or not definition.Period or not M.compares(definition.ComparisonOperator) then
    return false
  end
  local treatment = definition.TreatMissingData
  return treatment == "breaching" or treatment == "notBreaching"
    or self.account.metrics:measured(target.endpoint, target.variant, target.metric)
end

local function evaluate(self, alarm, now)
  local definition = alarm.definition
  if not is_live(self, definition) then return end
  local values = datapoints_of(self, definition, now)
  local state, breaching = M.judge(definition, values)
  if state and state ~= alarm.state then
    self.account:set_alarm(alarm.name, state, reason_of(definition, state, values, breaching))
  end
end

-- How often an alarm is looked at, in seconds.
local function step_of(alarm)
  return math.min(metrics.BUCKET, alarm.definition.Period or metrics.BUCKET)
end

-- When the next alarm is to be looked at; nil when there is none.
local function next_look(self)
  local soonest
  for _, alarm in pairs(self.by_name) do
    local step = step_of(alarm)
    local at = (math.floor(self.account:now() / step) + 1) * step
    soonest = math.min(soonest or at, at)
  end
  return soonest
end

-- Looks at each alarm when its time has come, as long as there are any. An alarm that is to be
-- looked at earlier than those before it makes another appointment; the old one is kept by nobody.
local function schedule(self)
  local at = next_look(self)
  if not at or self.scheduled and self.scheduled <= at then return end
  self.scheduled = at
  self.account.clock:at(at, function()
    if self.scheduled ~= at then return end
    self.scheduled = nil
    for _, name in ipairs(self:names()) do
      local alarm = self.by_name[name]
      if at % step_of(alarm) == 0 then evaluate(self, alarm, at) end
    end
    schedule(self)
  end)
end

--- The names of all alarms, sorted.
---@return string[]
function Alarms:names()
  local names = {}
  for name in pairs(self.by_name) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Defines an alarm, or defines it anew: then it keeps its state.
---@param definition table the input of PutMetricAlarm
function Alarms:put(definition)
  local name, now = definition.AlarmName, self.account:now()
  local alarm = self.by_name[name]
  if not alarm then
    alarm = { name = name, arn = self.prefix .. name, updated = now, transitioned = now,
      state = self.account.alarms[name] or "INSUFFICIENT_DATA",
      reason = "Unchecked: Initial alarm creation" }
    self.by_name[name] = alarm
    self.account.alarms[name] = alarm.state
  end
  alarm.definition, alarm.configured = definition, now
  schedule(self)
end

--- Forgets an alarm.
---@param name string
function Alarms:remove(name)
  self.account:set_alarm(name, "OK")
  self.account.alarms[name], self.by_name[name] = nil, nil
end

-- The members that say what is done in a state.
local LISTS = {
  ALARM = "AlarmActions", OK = "OKActions", INSUFFICIENT_DATA = "InsufficientDataActions",
}

-- Takes down what a new state would let be done.
local function note_actions(alarm, state, now)
  local definition = alarm.definition
  if definition.ActionsEnabled == false then return end
  for _, action in ipairs(definition[LISTS[state]] or {}) do
    alarm.actions = alarm.actions or {}
    table.insert(alarm.actions, { at = now, state = state, action = action })
    if #alarm.actions > ACTIONS then table.remove(alarm.actions, 1) end
  end
end

--- Takes down that an alarm has another state, or another reason for it.
---@param name string
---@param state string
---@param reason string|nil
---@param data string|nil JSON
function Alarms:changed(name, state, reason, data)
  local alarm = self.by_name[name]
  if not alarm then return end
  local now = self.account:now()
  if alarm.state ~= state then
    note_actions(alarm, state, now)
    alarm.transitioned = now
  end
  alarm.state, alarm.updated = state, now
  alarm.reason, alarm.reason_data = reason or "Set by the simulator", data
end

--- All alarms, as plain data.
---@return table
function Alarms:save()
  return { states = self.account.alarms, defined = self.by_name }
end

--- Takes back what `save` gave.
---@param data table
function Alarms:load(data)
  self.account.alarms, self.by_name = data.states, data.defined
  schedule(self)
end

return M
