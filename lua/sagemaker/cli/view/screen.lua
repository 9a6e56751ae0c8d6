--- A block of lines at the end of a terminal that is drawn again and again in its place.
--
-- Only "cursor up" and "erase" are used, which every terminal knows. When a terminal becomes
-- narrower, it breaks the lines of the block anew, or cuts them; `reflows` says which. So how many
-- rows the block takes up is found out when it is drawn over, by the width of that moment.

local text = require "sagemaker.cli.view.text"

local M = {}

---@class sagemaker.cli.Screen
local Screen = {}
Screen.__index = Screen
Screen.__name = "sagemaker.cli.screen"

-- Puts the cursor where the block begins.
local function back(self, columns)
  local rows = 0
  for _, line in ipairs(self.lines) do
    rows = rows + text.rows(line, self.reflows and columns or self.columns)
  end
  return rows > 0 and ("\27[%dA\r"):format(rows) or ""
end

--- Draws the block.
---@param lines string[] without line ends
---@param columns integer of the terminal now
function Screen:draw(lines, columns)
  local parts = { back(self, columns) }
  -- tmux takes a row for a part of a longer line until all of it is erased. It is done row by row:
  -- what is erased from the top of its screen on would be kept in its history.
  local before = #self.lines > 0 and columns ~= self.columns and "\27[K" or ""
  for _, line in ipairs(lines) do parts[#parts + 1] = before .. line .. "\27[K\n" end
  parts[#parts + 1] = "\27[J"
  self.lines, self.columns = lines, columns
  self.write(table.concat(parts))
end

--- Takes the block away, so that what is written next stands in its place.
---@param columns integer of the terminal now
function Screen:clear(columns)
  if #self.lines > 0 then self.write(back(self, columns) .. "\27[J") end
  self.lines = {}
end

--- Leaves the block as it is: what is written next stands below it.
function Screen:leave()
  self.lines = {}
end

--- A screen.
---@param write fun(bytes: string)
---@param reflows? boolean whether the terminal breaks lines anew; default: it does
---@return sagemaker.cli.Screen
function M.new(write, reflows)
  return setmetatable({ columns = 0, lines = {}, reflows = reflows ~= false, write = write },
    Screen)
end

return M
