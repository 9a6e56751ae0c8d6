--- How many columns of a terminal a text takes.

local M = {}

local starts, stops -- of the wide ranges, in order; read at the first need

local function load_ranges()
  starts, stops = {}, {}
  local at = 0
  for gap, length in require("sagemaker.cli.output.wide_ranges"):gmatch("(%d+)%+?(%d*)") do
    at = at + tonumber(gap)
    starts[#starts + 1] = at
    at = at + (tonumber(length) or 1)
    stops[#stops + 1] = at
  end
end

local function is_wide(code)
  local low, high = 1, #starts
  while low <= high do
    local middle = math.floor((low + high) / 2)
    if code < starts[middle] then
      high = middle - 1
    elseif code >= stops[middle] then
      low = middle + 1
    else
      return true
    end
  end
  return false
end

local function code_of(sequence)
  local lead = sequence:byte(1)
  local code = lead % (lead >= 240 and 8 or lead >= 224 and 16 or 32)
  for i = 2, #sequence do code = code * 64 + sequence:byte(i) % 64 end
  return code
end

--- The columns of a text: two for a wide character, one for any other.
---@param text string UTF-8
---@return integer
function M.of(text)
  if not text:find("[\128-\255]") then return #text end
  if not starts then load_ranges() end
  local columns = 0
  for sequence in text:gmatch("[%z\1-\127\192-\255][\128-\191]*") do
    columns = columns + (#sequence > 1 and is_wide(code_of(sequence)) and 2 or 1)
  end
  return columns
end

return M
