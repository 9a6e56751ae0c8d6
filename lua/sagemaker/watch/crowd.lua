--- Keeps the garbage of many watchers small: without it that of a thousand grows to as much again
-- as they are.
--
-- A few watchers leave the collector of their host alone, to which a step may mean a walk over
-- everything it has. One that the host has stopped is left alone by all of them. Lua 5.1 does not
-- tell whether it is stopped, and a step would start it again: there, steps are made only right
-- after the collector was seen at work.

local M = {}

-- KB that the collector is told of with each look, about three times what one leaves behind.
local LEFT_BEHIND = 60

-- So many looks within as many seconds are those of many watchers.
local MANY = 16

-- KB by which memory shrinks from one look to the next only when the collector sweeps.
local SWEPT = 4

---@class sagemaker.watch.Crowd
---@field looks integer since `since`
---@field since number when the first of them was
---@field memory number in KB, at the latest look; where Lua does not tell whether it collects
local Crowd = { __name = "sagemaker.watch.crowd" }
Crowd.__index = Crowd

-- Whether the collector runs, as far as that is known.
local function is_running(self)
  local told, running = pcall(collectgarbage, "isrunning")
  if told then return running end
  local before = self.memory
  self.memory = collectgarbage "count"
  return self.memory < before - SWEPT
end

local function step(self)
  local has_finished = collectgarbage("step", LEFT_BEHIND * MANY)
  if self.memory == 0 then return end
  -- Between two rounds there is nothing to see.
  if has_finished then collectgarbage("step", 1) end
  self.memory = collectgarbage "count"
end

--- Notes a look.
---@param now number
function Crowd:looked(now)
  if self.looks == 0 then self.since = now end
  self.looks = self.looks + 1
  if self.looks < MANY then return end
  local passed = now - self.since
  if passed >= 0 and passed < self.looks then
    if not is_running(self) then return end
    step(self)
  end
  self.looks = 0
end

--- For the watchers of one client.
---@return sagemaker.watch.Crowd
function M.new()
  return setmetatable({ looks = 0, memory = 0, since = 0 }, Crowd)
end

return M
