--- Text as a terminal shows it: how wide it is, cut to a width, filled up, broken into lines, free
-- of anything that would steer the terminal.

local M = {}

-- Code points of two columns (East Asian wide and emoji) and of none (combining marks), as ranges.
local WIDE = {
  { 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0xa4cf }, { 0xac00, 0xd7a3 },
  { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 },
  { 0x1f300, 0x1f64f }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
}
local NONE = { { 0x300, 0x36f }, { 0x200b, 0x200f }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f } }

local function is_in(ranges, code)
  for _, range in ipairs(ranges) do
    if code < range[1] then return false end
    if code <= range[2] then return true end
  end
  return false
end

-- The characters of a text in UTF-8.
local CHARACTER = "[^\128-\191][\128-\191]*"

local function code_of(character)
  local first = character:byte()
  local code = first % (first < 0xe0 and 0x20 or first < 0xf0 and 0x10 or 0x08)
  for i = 2, #character do code = code * 64 + character:byte(i) % 64 end
  return code
end

local function columns_of(character)
  if #character == 1 then return 1 end
  local code = code_of(character)
  if code < 0x300 or is_in(NONE, code) then return code < 0x300 and 1 or 0 end
  return is_in(WIDE, code) and 2 or 1
end

-- Sequences that set colours take no room.
local function without_colour(text)
  return (text:gsub("\27%[[%d;]*m", ""))
end

--- How many columns a text takes. Colours count nothing.
---@param text string
---@return integer
function M.width(text)
  if not text:find("[\27\128-\255]") then return #text end
  local columns = 0
  for character in without_colour(text):gmatch(CHARACTER) do
    columns = columns + columns_of(character)
  end
  return columns
end

--- How many rows of a terminal a line takes. A wide character is never broken.
---@param line string may have colours
---@param columns integer of the terminal
---@return integer
function M.rows(line, columns)
  if M.width(line) <= columns then return 1 end
  local rows, taken = 1, 0
  for character in without_colour(line):gmatch(CHARACTER) do
    local width = columns_of(character)
    if taken + width > columns then rows, taken = rows + 1, 0 end
    taken = taken + width
  end
  return rows
end

--- A text of at most so many columns; what was cut off is told by `mark`. The text has no colours.
---@param text string
---@param columns integer
---@param mark? string default "..."
---@return string
function M.cut(text, columns, mark)
  if M.width(text) <= columns then return text end
  mark = mark or "..."
  local room = columns - M.width(mark)
  if room < 1 then mark, room = "", columns end
  local parts = {}
  for character in text:gmatch(CHARACTER) do
    room = room - columns_of(character)
    if room < 0 then break end
    parts[#parts + 1] = character
  end
  return table.concat(parts) .. mark
end

--- A text filled up with blanks.
---@param text string may have colours
---@param columns integer negative: the blanks come first
---@return string
function M.pad(text, columns)
  local blanks = (" "):rep(math.abs(columns) - M.width(text))
  return columns < 0 and blanks .. text or text .. blanks
end

--- A text in one line, without control characters and bytes that are no UTF-8: texts of a service
-- must not steer the terminal.
---@param text any
---@return string
function M.clean(text)
  text = tostring(text):gsub("%s+", " "):gsub("[%z\1-\31\127]", "?")
  if not require("sagemaker.core").text.utf8_valid(text) then
    text = text:gsub("[\128-\255]", "?")
  end
  text = text:gsub("\194[\128-\159]", "?")
  return (text:gsub("^ ", ""):gsub(" $", ""))
end

--- The lines of a paragraph; a word that is longer than a line has one of its own.
---@param text string
---@param columns integer
---@param indent? string put before every line but the first
---@param first? string put before the first line; default: indent
---@return string[]
function M.wrap(text, columns, indent, first)
  indent = indent or ""
  local lines, line, has_word = {}, first or indent, false
  local taken, margin = M.width(line), M.width(indent)
  for word in text:gmatch("%S+") do
    local width = M.width(word)
    if has_word and taken + 1 + width > columns then
      lines[#lines + 1] = line
      line, taken, has_word = indent, margin, false
    end
    line = has_word and line .. " " .. word or line .. word
    taken = taken + (has_word and 1 or 0) + width
    has_word = true
  end
  lines[#lines + 1] = line
  return lines
end

--- Rows as columns that stand below each other. The last is not filled up.
---@param rows string[][]
---@param right? table<integer, true> columns that are aligned to the right
---@param indent? string
---@param gap? string between two columns; default two blanks
---@return string[] lines
function M.columns(rows, right, indent, gap)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, M.width(cell)) end
  end
  for n, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do
      local is_right = right and right[i]
      cells[i] = M.pad(cell, is_right and -widths[i] or widths[i])
    end
    lines[n] = ((indent or "") .. table.concat(cells, gap or "  ")):match("^.*%S") or ""
  end
  return lines
end

return M
