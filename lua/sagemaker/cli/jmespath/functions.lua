--- The functions of the language.
-- https://jmespath.org/specification.html#built-in-functions
--
-- A row of SIGNATURES names the types of the arguments; a last one that ends in "…" may come any
-- number of times more. Types are checked before the function is called.

local compare = require "sagemaker.cli.jmespath.compare"
local document = require "sagemaker.cli.document"
local json = require "sagemaker.cli.json"

local M = {}

local kind, null, number = document.kind, document.null, document.number

local Reference = { __name = "sagemaker.cli.jmespath.reference" }

--- What `&expression` hands to a function.
---@param evaluate fun(value: any): any
---@return fun(): table
function M.reference(evaluate)
  local reference = setmetatable({ evaluate = evaluate }, Reference)
  return function()
    return reference
  end
end

local function type_name(value)
  if getmetatable(value) == Reference then return "expression" end
  local is = kind(value)
  return is == "list" and "array" or is
end

local function fail(message, ...)
  error({ kind = "invalid-type", message = message:format(...) }, 0)
end

-- Whether the items of a list are all of one of the types.
local function is_of(list, types)
  if #list == 0 then return true end
  for _, name in ipairs(types) do
    local all = true
    for i = 1, #list do
      if type_name(list[i]) ~= name then
        all = false
        break
      end
    end
    if all then return true end
  end
  return false
end

local function plain(name)
  return { says = "a value of type " .. name, fits = function(value)
    return type_name(value) == name
  end }
end

local function list_of(says, ...)
  local types = { ... }
  return { says = says, fits = function(value)
    return type_name(value) == "array" and is_of(value, types)
  end }
end

local function either(says, ...)
  local set = {}
  for _, name in ipairs { ... } do set[name] = true end
  return { says = says, fits = function(value)
    return set[type_name(value)] ~= nil
  end }
end

local ANY = { says = "a value", fits = function(value)
  return getmetatable(value) ~= Reference
end }
local NUMBER, STRING, ARRAY, OBJECT = plain "number", plain "string", plain "array", plain "object"
local REFERENCE = { says = "an expression (&…)", fits = function(value)
  return getmetatable(value) == Reference
end }
local NUMBERS = list_of("a list of numbers", "number")
local STRINGS = list_of("a list of strings", "string")
local SORTABLE = list_of("a list of only numbers or only strings", "number", "string")
local SEQUENCE = either("a list or a string", "array", "string")
local COUNTABLE = either("a string, a list or an object", "array", "string", "object")

local SIGNATURES = {
  abs = { NUMBER }, avg = { NUMBERS }, ceil = { NUMBER }, contains = { SEQUENCE, ANY },
  ends_with = { STRING, STRING }, floor = { NUMBER }, join = { STRING, STRINGS },
  keys = { OBJECT }, length = { COUNTABLE }, map = { REFERENCE, ARRAY }, max = { SORTABLE },
  max_by = { ARRAY, REFERENCE }, merge = { OBJECT, is_variadic = true }, min = { SORTABLE },
  min_by = { ARRAY, REFERENCE }, not_null = { ANY, is_variadic = true }, reverse = { SEQUENCE },
  sort = { SORTABLE }, sort_by = { ARRAY, REFERENCE }, starts_with = { STRING, STRING },
  sum = { NUMBERS }, to_array = { ANY }, to_number = { ANY }, to_string = { ANY },
  type = { ANY }, values = { OBJECT },
}

local call = {}

-- A result that is a float when the number that it comes from was one.
local function like(value, result)
  return document.is_float(value) and document.float(result) or result
end

-- A whole number as an integer, where it is not too large for one.
local function whole(value)
  if math.tointeger then return math.tointeger(value) or value end -- luacheck: ignore 143
  return value
end

function call.abs(value)
  return like(value, math.abs(number(value)))
end

function call.ceil(value)
  return whole(math.ceil(number(value)))
end

function call.floor(value)
  return whole(math.floor(number(value)))
end

function call.sum(list)
  local total, is_float = 0, false
  for i = 1, #list do
    total = total + number(list[i])
    is_float = is_float or document.is_float(list[i])
  end
  return is_float and document.float(total) or total
end

function call.avg(list)
  if #list == 0 then return null end
  return document.float(number(call.sum(list)) / #list)
end

function call.contains(subject, search)
  if type(subject) == "string" then
    return type(search) == "string" and subject:find(search, 1, true) ~= nil
  end
  for i = 1, #subject do
    if compare.equal(subject[i], search) then return true end
  end
  return false
end

function call.ends_with(text, suffix)
  return suffix == "" or text:sub(-#suffix) == suffix
end

function call.starts_with(text, prefix)
  return text:sub(1, #prefix) == prefix
end

function call.join(separator, list)
  return table.concat(list, separator)
end

function call.keys(object)
  return document.list(document.keys(object))
end

function call.values(object)
  local out = document.list {}
  for i, key in ipairs(document.keys(object)) do out[i] = object[key] end
  return out
end

function call.length(value)
  if type(value) == "string" then
    local _, characters = value:gsub("[^\128-\191]", "")
    return characters
  elseif kind(value) == "list" then
    return #value
  end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  return count
end

function call.map(reference, list)
  local out = document.list {}
  for i = 1, #list do out[i] = reference.evaluate(list[i]) end
  return out
end

-- The first item whose key is before (or after) those of all others.
local function extreme(list, key_of, is_better)
  local best, best_key = null, nil
  for i = 1, #list do
    local key = key_of(list[i])
    if best_key == nil or is_better(key, best_key) then best, best_key = list[i], key end
  end
  return best
end

local function less(a, b)
  return a < b
end

local function more(a, b)
  return a > b
end

local function key_itself(item)
  return number(item) or item
end

function call.max(list)
  return extreme(list, key_itself, more)
end

function call.min(list)
  return extreme(list, key_itself, less)
end

function call.sort(list)
  return compare.sorted(list, key_itself)
end

-- The keys that an expression gives to items: all numbers or all strings.
local function keys_by(name, reference)
  local wanted
  return function(item)
    local key = reference.evaluate(item)
    local is = type_name(key)
    if (is ~= "number" and is ~= "string") or (wanted and is ~= wanted) then
      fail("the expression of %s() must give %s for every item, not %s", name,
        wanted and "a " .. wanted or "a number or a string", is)
    end
    wanted = is
    return key_itself(key)
  end
end

function call.max_by(list, reference)
  return extreme(list, keys_by("max_by", reference), more)
end

function call.min_by(list, reference)
  return extreme(list, keys_by("min_by", reference), less)
end

function call.sort_by(list, reference)
  return compare.sorted(list, keys_by("sort_by", reference))
end

function call.merge(...)
  local out, order = {}, {}
  for _, object in ipairs { ... } do
    for _, key in ipairs(document.keys(object)) do
      if out[key] == nil then order[#order + 1] = key end
      out[key] = object[key]
    end
  end
  return document.object(out, order)
end

function call.not_null(...)
  for _, value in ipairs { ... } do
    if value ~= null then return value end
  end
  return null
end

function call.reverse(value)
  if kind(value) == "list" then
    local out = document.list {}
    for i = #value, 1, -1 do out[#out + 1] = value[i] end
    return out
  end
  local characters = {}
  for character in value:gmatch("[%z\1-\127\192-\255]?[\128-\191]*") do
    table.insert(characters, 1, character)
  end
  return table.concat(characters)
end

function call.to_array(value)
  return kind(value) == "list" and value or document.list { value }
end

function call.to_string(value)
  return type(value) == "string" and value or json.encode(value, { ascii = true })
end

-- Decimal digits, with a fraction and an exponent if you like: no hexadecimal, no "inf".
function call.to_number(value)
  if kind(value) == "number" then return value end
  local text = type(value) == "string" and value:match("^%s*(.-)%s*$") or ""
  if text:find("^[+-]?%d+$") then
    local integer = tonumber((text:gsub("^%+", "")))
    return integer == 0 and 0 or integer
  end
  local digits = text:match("^[+-]?([%d.]+)$") or text:match("^[+-]?([%d.]+)[eE][+-]?%d+$")
  local value_of = digits and digits:find("%d") and tonumber((text:gsub("^%+", "")))
  return value_of and document.float(value_of) or null
end

call.type = type_name

local function check_arity(tree, signature)
  local wanted, given = #signature, #tree.arguments
  if given == wanted or (signature.is_variadic and given > wanted) then return end
  error({ kind = "invalid-arity", at = tree.at, message = ("%s() takes %s%d argument%s, not %d")
    :format(tree.name, signature.is_variadic and "at least " or "", wanted,
      wanted == 1 and "" or "s", given) }, 0)
end

--- The function that a call names, which checks the types of its arguments.
---@param tree {name: string, at: integer, arguments: table[]} a node of the parser
---@return fun(values: any[]): any
function M.prepare(tree)
  local name = tree.name
  local signature = SIGNATURES[name]
  if not signature then
    error({ kind = "unknown-function", at = tree.at, message = ("there is no function %s()")
      :format(name) }, 0)
  end
  check_arity(tree, signature)
  local body, unpack = call[name], table.unpack or unpack -- luacheck: ignore 113 143
  return function(values)
    for i = 1, #values do
      local wanted = signature[i] or signature[#signature]
      if not wanted.fits(values[i]) then
        local is = type_name(values[i])
        fail("%s() takes %s%s, not %s", name, wanted.says,
          #values > 1 and (" as argument %d"):format(i) or "",
          is == "array" and wanted ~= ARRAY and "this list" or "a value of type " .. is)
      end
    end
    return body(unpack(values, 1, #values))
  end
end

return M
