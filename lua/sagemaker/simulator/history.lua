--- What has happened to a machine, in one flat list: five values a moment, because a thousand
-- endpoints remember some ten moments each, and a table for each of those costs five times as much.

local M = {}

-- at, status, stage or false, step or false, share.
local WIDTH = 5

-- So many moments are remembered.
local MOMENTS = 1000

---@class sagemaker.simulator.moment
---@field at number seconds since the epoch
---@field status string
---@field stage string|nil
---@field step integer|nil
---@field share number the part of the traffic, 0 to 1, that the new fleet gets

--- Forgets the older half when there is no more room.
---@param list any[]
local function make_room(list)
  local last = #list
  if last < MOMENTS * WIDTH then return end
  local half = MOMENTS / 2 * WIDTH
  for i = 1, last do list[i] = list[i + half] end
end

--- Takes a moment down.
---@param list any[] changed in place
---@param at number
---@param status string
---@param stage string|nil
---@param step integer|nil
---@param share number
function M.note(list, at, status, stage, step, share)
  make_room(list)
  local n = #list
  list[n + 1], list[n + 2] = at, status
  list[n + 3], list[n + 4], list[n + 5] = stage or false, step or false, share
end

--- How many moments there are.
---@param list any[]
---@return integer
function M.count(list)
  return #list / WIDTH
end

--- The moments as rows, oldest first.
---@param list any[]
---@param limit? integer only so many, the latest
---@return sagemaker.simulator.moment[]
function M.rows(list, limit)
  local rows = {}
  for i = math.max(0, #list / WIDTH - (limit or MOMENTS)) * WIDTH, #list - 1, WIDTH do
    rows[#rows + 1] = {
      at = list[i + 1], status = list[i + 2], stage = list[i + 3] or nil,
      step = list[i + 4] or nil, share = list[i + 5],
    }
  end
  return rows
end

return M
