--- The states of the alarms that guard a deployment, while it runs. They are told where CloudWatch
-- tells them; one who may not ask it (the permission is cloudwatch:DescribeAlarms) sees names only.

local alarms = require "sagemaker.watch.alarms"

local M = {}

-- Seconds between two looks, and for one.
local PAUSE, PATIENCE = 10, 5

---@class sagemaker.cli.Alarms
---@field states sagemaker.watch.AlarmStates|nil by name
local Alarms = {}
Alarms.__index = Alarms
Alarms.__name = "sagemaker.cli.alarms"

--- Takes what somebody else has seen just now. Where that was nothing, nobody looks again.
---@param states sagemaker.watch.AlarmStates|nil
function Alarms:take(states)
  self.states, self.at, self.is_over = states, self.clock(), not states
end

--- Looks, unless that was done a moment ago. The first look that brings nothing is the last.
---@param names string[]
---@param is_urgent? boolean look in any case
---@return sagemaker.watch.AlarmStates|nil states
function Alarms:look(names, is_urgent)
  if self.is_over or #names == 0 then return self.states end
  if self.states and self.clock() - self.at < PAUSE and not is_urgent then return self.states end
  self:take((alarms.look(self.describe, names,
    { retry = { max_attempts = 1 }, timeouts = { operation = PATIENCE } })))
  return self.states
end

--- Alarms to look at.
---@param describe sagemaker.watch.DescribeAlarms
---@param clock fun(): number
---@return sagemaker.cli.Alarms
function M.new(describe, clock)
  return setmetatable({ clock = clock, describe = describe, is_over = false }, Alarms)
end

return M
