--- The simulator's time: virtual, or real time times a factor. Callbacks can be set to times; they
-- run when the clock passes them, and see exactly the time they were set to.

local M = {}

local Clock = { __name = "sagemaker.simulator.clock" }
Clock.__index = Clock

--- 2026-01-15T12:00:00Z, where virtual time begins unless told otherwise.
M.START = 1768478400

---@class sagemaker.simulator.clock
---@field start number seconds since the epoch
---@field time number virtual: what now() answers
---@field factor number|nil real time: how much faster
---@field io sagemaker.Env|nil real time: the clock and sleep that drive it

---@param kind "virtual"|{factor: number}
---@param start number|nil seconds since the epoch
---@param io sagemaker.Env needed with a factor
---@return sagemaker.simulator.clock
function M.new(kind, start, io)
  local self = { queue = {}, offset = 0 }
  if type(kind) == "table" then
    self.factor, self.io = kind.factor, io
    self.start = start or io.now()
    self.origin = io.clock()
  else
    self.start = start or M.START
  end
  self.time = self.start
  return setmetatable(self, Clock)
end

-- Where the clock would stand, whatever is due.
local function reading(self)
  if not self.factor then return self.time end
  return self.start + self.offset + (self.io.clock() - self.origin) * self.factor
end

-- Runs what is due up to `now`, each at its own time.
local function run_due(self, now)
  local queue = self.queue
  while queue[1] and queue[1].at <= now do
    local entry = table.remove(queue, 1)
    local outer = self.held
    self.held = entry.at
    if not self.factor then self.time = math.max(self.time, entry.at) end
    local ok, failure = pcall(entry.fn)
    self.held = outer
    if not ok then error(failure, 0) end
  end
end

--- Seconds since the epoch, on this clock.
---@return number
function Clock:now()
  if not self.factor then return self.time end
  if self.held then return self.held end
  local now = reading(self)
  if self.queue[1] then run_due(self, now) end
  return now
end

--- Moves the clock on. Virtual time jumps; a real-time clock is set forward.
---@param seconds number
function Clock:advance(seconds)
  if self.factor then
    self.offset = self.offset + seconds
    self:now()
    return
  end
  local target = self.time + seconds
  run_due(self, target)
  self.time = math.max(self.time, target)
end

--- Goes on from where another clock stood. Real time that runs no faster than it does is not set
-- back: there, time passed in between as well.
---@param now number seconds since the epoch
---@param start number where that clock began
function Clock:resume(now, start)
  if not self.factor then
    self.time, self.start = now, start
    return
  end
  if self.factor == 1 then now = math.max(now, reading(self)) end
  self.start, self.offset = start, 0
  self.offset = now - reading(self)
end

--- Waits: virtual time jumps, real time passes `factor` times faster. Where several tasks wait, it
-- jumps when none of them can go on, to where the first one wakes.
---@param seconds number
function Clock:sleep(seconds)
  if seconds <= 0 then return end
  local scheduler = package.loaded["sagemaker.task.scheduler"]
  if self.factor then
    self.io.sleep(seconds / self.factor)
    self:now()
  elseif scheduler and scheduler.is_active() then
    scheduler.sleep_on(self, self.time + seconds)
  else
    self:advance(seconds)
  end
end

--- Runs `fn` when the clock passes `at`. What is set to the same time runs in the order it was set.
---@param at number seconds since the epoch
---@param fn fun()
function Clock:at(at, fn)
  local queue, i = self.queue, #self.queue
  while i > 0 and queue[i].at > at do i = i - 1 end
  table.insert(queue, i + 1, { at = at, fn = fn })
end

return M
