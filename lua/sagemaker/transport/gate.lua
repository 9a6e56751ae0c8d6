--- How many requests may be under way to one host at once. Who comes when all places are taken
-- waits, and they go in the order in which they came. Who leaves passes his place on to who is
-- next, so nobody overtakes.
--
-- Who cannot yield (see sagemaker.task.scheduler) does not wait here: whoever could give a place
-- back may be one that waits below him on the stack, and goes on only after him. He goes in beyond
-- the limit; as many as may drive the scheduler inside one another do.

local scheduler = require "sagemaker.task.scheduler"

local M = {}

local Gate = { __name = "sagemaker.transport.gate" }
Gate.__index = Gate

--- Takes a place if one is free.
---@return boolean entered
function Gate:try()
  local taken = self.taken
  if taken >= self.places then return false end
  self.taken = taken + 1
  return true
end

--- Waits for a place.
---@param seconds number|nil how long at most
---@return boolean entered
---@return any why where not: "time" or "cancelled"
---@return any err
---@return table|nil waiter for scheduler.check
function Gate:enter(seconds)
  local waiter, at = scheduler.waiter(), self.last + 1
  self.last, self[at] = at, waiter
  local why, err = scheduler.suspend_for(waiter, seconds, false, true)
  if why == "entered" then return true end
  if why == "stuck" then -- nobody else has run meanwhile
    self[at], self.last, self.taken = nil, at - 1, self.taken + 1
    return true
  end
  self[at] = self[at] and false
  return false, why, err, waiter
end

--- Gives a place back: to who waits longest, unless it was one beyond the limit.
function Gate:leave()
  while self.first <= self.last and self.taken <= self.places do
    local at = self.first
    local waiter = self[at]
    self.first, self[at] = at + 1, nil
    if waiter and waiter.mode then return scheduler.wake(waiter, "entered") end
  end
  self.taken = self.taken - 1
end

---@param places integer
---@return sagemaker.transport.gate
function M.new(places)
  return setmetatable({ first = 1, last = 0, places = places, taken = 0 }, Gate)
end

return M
