--- Keeps the garbage of many watchers small: without it that of a thousand grows to as much again
-- as they are.
--
-- A few watchers leave the collector of their host alone, to which a step may mean a walk over
-- everything it has.

local M = {}

-- KB that the collector is told of with each look, about three times what one leaves behind.
local LEFT_BEHIND = 60

-- So many looks within as many seconds are those of many watchers.
local MANY = 16

---@class sagemaker.watch.Crowd
---@field looks integer since `since`
---@field since number when the first of them was
local Crowd = { __name = "sagemaker.watch.crowd" }
Crowd.__index = Crowd

--- Notes a look.
---@param now number
function Crowd:looked(now)
  if self.looks == 0 then self.since = now end
  self.looks = self.looks + 1
  if self.looks < MANY then return end
  self.looks = 0
  local passed = now - self.since
  if passed >= 0 and passed < MANY then collectgarbage("step", LEFT_BEHIND * MANY) end
end

--- For the watchers of one client.
---@return sagemaker.watch.Crowd
function M.new()
  return setmetatable({ looks = 0, since = 0 }, Crowd)
end

return M
