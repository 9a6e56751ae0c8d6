--- A terminal that knows as much as the command uses: lines, "cursor up", "erase". It complains of
-- a line that would wrap, and of sequences that it does not know.

local text = require "sagemaker.cli.view.text"

local M = {}

local Terminal = {}
Terminal.__index = Terminal

local sequences = {}

function sequences.A(self, count)
  self.row = self.row - (tonumber(count) or 1)
  assert(self.row >= 1, "the cursor left the screen")
end

function sequences.J(self)
  for i = self.row + 1, #self.rows do self.rows[i] = nil end
  self.rows[self.row] = ""
end

-- Lines are always written whole, so what stood behind them is gone already.
function sequences.K() end

function sequences.m(self)
  self.colours = self.colours + 1
end

--- Takes what a program writes.
---@param bytes string
---@return table self
function Terminal:write(bytes)
  self.writes = self.writes + 1
  local at = 1
  while at <= #bytes do
    local parameters, kind, stop = bytes:match("^\27%[([%d;]*)(%a)()", at)
    if kind then
      assert(sequences[kind], "unknown sequence " .. kind)(self, parameters)
      at = stop
    elseif bytes:sub(at, at) == "\n" then
      self.row, self.is_fresh = self.row + 1, true
      self.rows[self.row] = self.rows[self.row] or ""
      at = at + 1
    elseif bytes:sub(at, at) == "\r" then
      self.is_fresh, at = true, at + 1
    else
      local part, after = bytes:match("^([^\27\n\r]+)()", at)
      if self.is_fresh then self.rows[self.row] = "" end
      self.is_fresh = false
      self.rows[self.row] = self.rows[self.row] .. part
      local line = self.rows[self.row]
      assert(not self.columns or text.width(line) <= self.columns, "a line is too long: " .. line)
      at = after
    end
  end
  return self
end

function Terminal:flush()
  return self
end

--- What is seen, without the last line if it is empty.
---@return string[]
function Terminal:lines()
  local lines = {}
  for i, row in ipairs(self.rows) do lines[i] = row end
  if lines[#lines] == "" then lines[#lines] = nil end
  return lines
end

--- A terminal.
---@param columns? integer lines that are longer are an error
---@return table
function M.new(columns)
  return setmetatable({ colours = 0, columns = columns, is_fresh = true, row = 1, rows = { "" },
    text = "", writes = 0 }, Terminal)
end

return M
