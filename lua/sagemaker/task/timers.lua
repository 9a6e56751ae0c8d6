--- Who waits for which time: a binary heap, the earliest first. What waits is a table whose fields
-- `at` and `place` belong to the heap it is in; it is in one at a time.

local M = {}

local Timers = { __name = "sagemaker.task.timers" }
Timers.__index = Timers

-- Moves an entry, whose place is free, up and down to where it belongs.
local function settle(self, place, entry)
  local at = entry.at
  while place > 1 do
    local above = math.floor(place / 2)
    local other = self[above]
    if other.at <= at then break end
    self[place], other.place, place = other, place, above
  end
  while true do
    local below = place * 2
    local other, right = self[below], self[below + 1]
    if not other then break end
    if right and right.at < other.at then other, below = right, below + 1 end
    if other.at >= at then break end
    self[place], other.place, place = other, place, below
  end
  self[place], entry.place = entry, place
end

--- Adds an entry for a time.
---@param entry table
---@param at number
function Timers:add(entry, at)
  entry.at = at
  self.n = self.n + 1
  settle(self, self.n, entry)
end

--- Takes an entry out; nothing happens when it is not there.
---@param entry table
function Timers:remove(entry)
  local place, n = entry.place, self.n
  if not place or self[place] ~= entry then return end
  local last = self[n]
  self[n], self.n, entry.place = nil, n - 1, nil
  if last ~= entry then settle(self, place, last) end
end

--- The entry with the earliest time, nil when there is none.
---@return table|nil
function Timers:first()
  return self[1]
end

---@return sagemaker.task.timers
function M.new()
  return setmetatable({ n = 0 }, Timers)
end

return M
