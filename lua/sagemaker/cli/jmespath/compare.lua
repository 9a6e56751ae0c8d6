--- Truth, equality and order of values.

local document = require "sagemaker.cli.document"

local M = {}

local kind, number = document.kind, document.number

--- Whether a value counts as true: all do but null, false, "", empty lists and empty objects.
---@param value any
---@return boolean
function M.truth(value)
  local is = kind(value)
  if is == "null" or value == false or value == "" then return false end
  if is == "list" then return #value > 0 end
  if is == "object" then return next(value) ~= nil end
  return true
end

--- Whether two values are the same, items and fields included; 1 and 1.0 are.
---@param a any
---@param b any
---@return boolean
function M.equal(a, b)
  local is = kind(a)
  if is ~= kind(b) then return false end
  if is == "number" then return number(a) == number(b) end
  if is == "list" then
    if #a ~= #b then return false end
    for i = 1, #a do
      if not M.equal(a[i], b[i]) then return false end
    end
    return true
  elseif is == "object" then
    for key, value in pairs(a) do
      if b[key] == nil or not M.equal(value, b[key]) then return false end
    end
    for key in pairs(b) do
      if a[key] == nil then return false end
    end
    return true
  end
  return is == "null" or a == b
end

-- Merges the sorted runs from[low … middle-1] and from[middle … high-1] into `to`.
local function merge(from, to, low, middle, high)
  local i, j = low, middle
  for at = low, high - 1 do
    if i < middle and (j >= high or not (from[j].key < from[i].key)) then -- luacheck: ignore 581
      to[at], i = from[i], i + 1
    else
      to[at], j = from[j], j + 1
    end
  end
end

--- A list in the order of the keys of its items, which are all numbers or all strings. Items with
--- the same key stay as they were.
---@param items any[]
---@param key_of fun(item: any): number|string
---@return any[]
function M.sorted(items, key_of)
  local n, width = #items, 1
  local from, to = {}, {}
  for i = 1, n do from[i] = { key = key_of(items[i]), item = items[i] } end
  while width < n do
    for low = 1, n, 2 * width do
      merge(from, to, low, math.min(low + width, n + 1), math.min(low + 2 * width, n + 1))
    end
    from, to, width = to, from, 2 * width
  end
  local out = document.list {}
  for i = 1, n do out[i] = from[i].item end
  return out
end

return M
