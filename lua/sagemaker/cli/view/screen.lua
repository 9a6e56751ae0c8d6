--- A block of lines at the end of a terminal that is drawn again and again in its place.
--
-- Only "cursor up" and "erase" are used, which every terminal knows. Lines must fit into the
-- terminal's width: one that wraps would be two. When the width changes, the terminal has broken
-- the old lines anew, so the block is drawn afresh below them.

local M = {}

---@class sagemaker.cli.Screen
local Screen = {}
Screen.__index = Screen
Screen.__name = "sagemaker.cli.screen"

--- Draws the block.
---@param lines string[] without line ends
---@param columns integer of the terminal now
function Screen:draw(lines, columns)
  local parts = {}
  if self.height > 0 then
    if columns == self.columns then
      parts[1] = ("\27[%dA\r"):format(self.height)
    else
      parts[1] = "\n"
    end
  end
  for _, line in ipairs(lines) do parts[#parts + 1] = line .. "\27[K\n" end
  parts[#parts + 1] = "\27[J"
  self.height, self.columns = #lines, columns
  self.write(table.concat(parts))
end

--- Takes the block away, so that what is written next stands in its place.
function Screen:clear()
  if self.height > 0 then self.write(("\27[%dA\r\27[J"):format(self.height)) end
  self.height = 0
end

--- Leaves the block as it is: what is written next stands below it.
function Screen:leave()
  self.height = 0
end

--- A screen.
---@param write fun(bytes: string)
---@return sagemaker.cli.Screen
function M.new(write)
  return setmetatable({ columns = 0, height = 0, write = write }, Screen)
end

return M
