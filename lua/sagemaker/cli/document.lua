--- Values as JSON knows them, in Lua tables: objects that keep the order of their keys, lists that
--- are lists also when they are empty, numbers that remember that they were written as floats.
--
-- A list or an object is a plain table with a metatable that says which of the two it is; code that
-- knows nothing of this reads it as usual. A table without such a metatable is a list when it has a
-- first item, else an object. Null is `sagemaker.null`, in lists and in objects.

local null = require "sagemaker.null"

local M = { null = null }

-- The keys of the metatables are private to this module, so that no other table is taken for one.
local ORDER, KIND = {}, {}

local List = { __name = "sagemaker.cli.list", __jsontype = "array", [KIND] = "list" }
local Float = { __name = "sagemaker.cli.float", [KIND] = "number" }

local math_type = math.type -- luacheck: ignore 143 (nil where all numbers are floats)
local huge = math.huge

--- Marks a table as a list.
---@param items any[]
---@return any[] items the same table
function M.list(items)
  return setmetatable(items, List)
end

--- Marks a table as an object.
---@param fields table<string, any>
---@param order? string[] its keys as they are to be printed; those that are absent are passed over,
---   and those that it does not name follow in the order of their bytes
---@return table<string, any> fields the same table
function M.object(fields, order)
  return setmetatable(fields, { __name = "sagemaker.cli.object", [KIND] = "object",
    [ORDER] = order })
end

--- A number that is printed as a float also when it is whole: 1.0, not 1.
---@param number number
---@return any float a number where Lua has floats, else a box that `number` opens
function M.float(number)
  if math_type then return number * 1.0 end -- a sum would lose the sign of -0.0
  if number % 1 ~= 0 or number == huge or number == -huge then return number end
  return setmetatable({ value = number }, Float)
end

--- The number in a value.
---@param value any
---@return number|nil number nil when the value is none
function M.number(value)
  if type(value) == "number" then return value end
  if type(value) == "table" and getmetatable(value) == Float then return value.value end
  return nil
end

--- Puts numbers where boxes are, in all of a value: the encoder knows no boxes.
---@param value any
---@return any value the same, changed in place; where it is a box itself, its number
function M.unbox(value)
  if type(value) ~= "table" or math_type then return value end
  if getmetatable(value) == Float then return value.value end
  for key, item in pairs(value) do value[key] = M.unbox(item) end
  return value
end

--- Whether a number is printed as a float.
---@param value any a number or a box
---@return boolean
function M.is_float(value)
  if type(value) == "table" then return getmetatable(value) == Float end
  if math_type then return math_type(value) == "float" end
  return value % 1 ~= 0 or value == huge or value == -huge
end

local SCALARS = { boolean = "boolean", number = "number", string = "string" }

--- What a value is.
---@param value any
---@return "null"|"boolean"|"number"|"string"|"list"|"object"
function M.kind(value)
  if value == null or value == nil then return "null" end
  local scalar = SCALARS[type(value)]
  if scalar then return scalar end
  if type(value) ~= "table" then error("no JSON value: " .. type(value), 2) end
  local meta = getmetatable(value)
  local kind = type(meta) == "table" and rawget(meta, KIND)
  if kind then return kind end
  return value[1] ~= nil and "list" or "object"
end

--- Whether a value is neither a list nor an object.
---@param value any
---@return boolean
function M.is_scalar(value)
  local kind = M.kind(value)
  return kind ~= "list" and kind ~= "object"
end

--- The keys of an object in the order in which they are printed.
---@param object table<string, any>
---@return string[]
function M.keys(object)
  local meta = getmetatable(object)
  local order = type(meta) == "table" and rawget(meta, ORDER)
  local keys, seen, rest = {}, {}, {}
  for _, key in ipairs(order or {}) do
    if object[key] ~= nil and not seen[key] then
      seen[key] = true
      keys[#keys + 1] = key
    end
  end
  for key in pairs(object) do
    if not seen[key] then rest[#rest + 1] = key end
  end
  table.sort(rest)
  for _, key in ipairs(rest) do keys[#keys + 1] = key end
  return keys
end

--- The keys of an object in the order of their bytes, which is that of their code points.
---@param object table<string, any>
---@return string[]
function M.sorted_keys(object)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- The digits of a float and its decimal exponent, as few digits as tell it from every other float.
local function shortest(number)
  local from = (number < 2.3e-308) and 1 or 15
  for digits = from, 17 do
    local text = ("%." .. (digits - 1) .. "e"):format(number)
    if digits == 17 or tonumber(text) == number then
      local whole, fraction, exponent = text:match("^(%d)%D?(%d*)e([+-]%d+)$")
      return (whole .. fraction):gsub("0+$", ""), tonumber(exponent)
    end
  end
end

-- A finite float: 0.5, 1.0, 1e+16, 1e-05.
local function float_text(number)
  if number == 0 then return 1 / number < 0 and "-0.0" or "0.0" end
  local sign = number < 0 and "-" or ""
  local digits, exponent = shortest(math.abs(number))
  if exponent < -4 or exponent >= 16 then
    local rest = digits:sub(2)
    return ("%s%s%se%s%02d"):format(sign, digits:sub(1, 1), rest ~= "" and "." .. rest or "",
      exponent < 0 and "-" or "+", math.abs(exponent))
  elseif exponent < 0 then
    return sign .. "0." .. ("0"):rep(-exponent - 1) .. digits
  elseif #digits <= exponent + 1 then
    return sign .. digits .. ("0"):rep(exponent + 1 - #digits) .. ".0"
  end
  return sign .. digits:sub(1, exponent + 1) .. "." .. digits:sub(exponent + 2)
end

--- A number as text: 12, 0.5, 1.0, 1e+16; inf, -inf and nan are spelled so.
---@param value any a number or a box
---@return string
function M.number_text(value)
  local number = M.number(value)
  if number ~= number then return "nan" end
  if number == huge then return "inf" end
  if number == -huge then return "-inf" end
  if M.is_float(value) then return float_text(number) end
  if math_type then return ("%d"):format(number) end
  return number == 0 and "0" or ("%.0f"):format(number)
end

return M
