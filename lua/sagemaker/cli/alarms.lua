--- The states of the CloudWatch alarms that guard a deployment. They are told where CloudWatch
-- tells them; one who may not ask it (the permission is cloudwatch:DescribeAlarms) sees names only.

local M = {}

-- Seconds between two looks, and for one.
local PAUSE, PATIENCE = 10, 5

---@class sagemaker.cli.Alarms
---@field states table<string, string>|nil by name: "OK", "ALARM", "INSUFFICIENT_DATA", or "missing"
local Alarms = {}
Alarms.__index = Alarms
Alarms.__name = "sagemaker.cli.alarms"

-- A client of CloudWatch with the credentials that the other client has found.
local function client_of(ctx, client)
  local options = ctx:client_options()
  local keyring = client.settings.keyring
  options.credentials = keyring and keyring.provider or nil
  options.region = client.settings.region
  options.retry = { max_attempts = 1 }
  return ctx.world.new_client(options, "cloudwatch")
end

local function read(names, output)
  local states = {}
  for _, kind in ipairs { "MetricAlarms", "CompositeAlarms" } do
    for _, alarm in ipairs(output[kind] or {}) do states[alarm.AlarmName] = alarm.StateValue end
  end
  for _, name in ipairs(names) do states[name] = states[name] or "missing" end
  return states
end

--- Looks, unless that was done a moment ago. The first look that brings nothing is the last.
---@param names string[]
---@param is_urgent? boolean look in any case
---@return table<string, string>|nil states
function Alarms:look(names, is_urgent)
  if self.is_over or #names == 0 then return self.states end
  local now = self.clock()
  if self.states and now - self.at < PAUSE and not is_urgent then return self.states end
  self.at = now
  local cloudwatch = self.cloudwatch or client_of(self.ctx, self.client)
  self.cloudwatch = cloudwatch
  local output = cloudwatch and cloudwatch:call("DescribeAlarms",
    { AlarmNames = names, AlarmTypes = { "MetricAlarm", "CompositeAlarm" } },
    { timeouts = { operation = PATIENCE } })
  self.is_over = not output
  self.states = output and read(names, output) or nil
  return self.states
end

--- What the states mean for a deployment that has not begun.
---@param names string[]
---@param states table<string, string>|nil
---@return string[] warnings
function M.warnings(names, states)
  local warnings = {}
  for _, name in ipairs(states and names or {}) do
    if states[name] == "ALARM" then
      warnings[#warnings + 1] = ("the alarm %s is in ALARM: it rolls the deployment back at once")
        :format(name)
    elseif states[name] == "missing" then
      warnings[#warnings + 1] = ("there is no alarm %s in CloudWatch: it guards nothing")
        :format(name)
    end
  end
  return warnings
end

--- Alarms to look at.
---@param ctx sagemaker.cli.Context
---@param client sagemaker.Client of SageMaker
---@param clock fun(): number
---@return sagemaker.cli.Alarms
function M.new(ctx, client, clock)
  return setmetatable({ client = client, clock = clock, ctx = ctx, is_over = false }, Alarms)
end

return M
