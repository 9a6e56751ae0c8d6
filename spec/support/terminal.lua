--- A terminal that knows as much as the command uses: lines, "cursor up", "erase". It complains of
-- a line that would wrap, and of sequences that it does not know. When its width changes, it breaks
-- its lines anew, as most terminals do, or cuts them.

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

-- Splits a line into rows.
local function broken(line, columns)
  local rows, row = {}, ""
  for character in line:gmatch "[^\128-\191][\128-\191]*" do
    if text.width(row .. character) > columns then rows[#rows + 1], row = row, "" end
    row = row .. character
  end
  rows[#rows + 1] = row
  return rows
end

-- Writes text without control characters.
function Terminal:put(part)
  local line = self.rows[self.row] .. part
  if not self.columns or text.width(line) <= self.columns then
    self.rows[self.row] = line
    return
  end
  assert(self.wraps, "a line is too long: " .. line)
  for i, row in ipairs(broken(line, self.columns)) do
    if i > 1 then
      self.joined[self.row] = true
      self.row = self.row + 1
    end
    self.rows[self.row] = row
  end
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
      self.joined[self.row] = nil
      self.row, self.is_fresh = self.row + 1, true
      self.rows[self.row] = self.rows[self.row] or ""
      at = at + 1
    elseif bytes:sub(at, at) == "\r" then
      self.is_fresh, at = true, at + 1
    else
      local part, after = bytes:match("^([^\27\n\r]+)()", at)
      if self.is_fresh then self.rows[self.row] = "" end
      self.is_fresh = false
      self:put(part)
      at = after
    end
  end
  return self
end

--- Gives it another width. The cursor stays with its line.
---@param columns integer
---@param cuts? boolean what is too long is cut off
function Terminal:resize(columns, cuts)
  local rows, joined, cursor, line = {}, {}, nil, ""
  for i, row in ipairs(self.rows) do
    line = line .. row
    if i == self.row then cursor = #rows + 1 end
    if not self.joined[i] then
      local parts = cuts and { broken(line, columns)[1] } or broken(line, columns)
      for n, part in ipairs(parts) do
        rows[#rows + 1] = part
        joined[#rows] = n < #parts or nil
      end
      line = ""
    end
  end
  self.columns, self.rows, self.joined, self.row = columns, rows, joined, cursor
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
---@param columns? integer lines that are longer are an error, or with `wraps` are broken
---@return table
function M.new(columns)
  return setmetatable({ colours = 0, columns = columns, is_fresh = true, joined = {}, row = 1,
    rows = { "" }, text = "", writes = 0 }, Terminal)
end

return M
