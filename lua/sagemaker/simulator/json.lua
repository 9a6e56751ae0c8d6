--- Writes JSON without a shape: snapshots and the control API. lua-cjson reads it; it does not
-- write it, because it takes every empty table for an object and rounds times.
--
-- Nor does `sagemaker.json`, whose codec refuses what JSON cannot hold and writes keys as they
-- come: what is told here has its keys in order, so that two states can be compared, and a knob
-- that is a function must not keep the rest from being told. Graphs and XML also take single
-- strings and numbers from here, for which the codec would be called a thousand times a record.
-- Lists that may be empty are marked the same way for both.

local M = {}

local ARRAY = { __name = "sagemaker.simulator.array", __jsontype = "array" }

--- Marks a list that may be empty.
---@param list table
---@return table the same
function M.array(list)
  return setmetatable(list, ARRAY)
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape(char)
  return ESCAPES[char] or ("\\u%04x"):format(char:byte())
end

--- A string in quotes.
---@param text string
---@return string
function M.string(text)
  if not text:find('[%c"\\\127]') then return '"' .. text .. '"' end
  return '"' .. text:gsub('[%c"\\\127]', escape) .. '"'
end

local quote = M.string

--- A number with as many digits as it needs to be read again; null where JSON has none.
---@param value number
---@return string
function M.number(value)
  if value ~= value or value == math.huge or value == -math.huge then return "null" end
  if value % 1 == 0 and value > -2 ^ 53 and value < 2 ^ 53 then return ("%d"):format(value) end
  local text = ("%.14g"):format(value)
  if tonumber(text) == value then return text end
  return ("%.17g"):format(value)
end

local put

local function put_array(out, list)
  out[#out + 1] = "["
  for i = 1, #list do
    if i > 1 then out[#out + 1] = "," end
    put(out, list[i])
  end
  out[#out + 1] = "]"
end

local function put_object(out, object)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  table.sort(keys)
  out[#out + 1] = "{"
  for i, key in ipairs(keys) do
    if i > 1 then out[#out + 1] = "," end
    out[#out + 1] = quote(key)
    out[#out + 1] = ":"
    put(out, object[key])
  end
  out[#out + 1] = "}"
end

local function is_array(list)
  local meta = getmetatable(list)
  return list[1] ~= nil or type(meta) == "table" and meta.__jsontype == "array"
end

put = function(out, value)
  local kind = type(value)
  if kind == "string" then
    out[#out + 1] = quote(value)
  elseif kind == "number" then
    out[#out + 1] = M.number(value)
  elseif kind == "boolean" then
    out[#out + 1] = tostring(value)
  elseif kind ~= "table" then
    out[#out + 1] = "null"
  elseif is_array(value) then
    put_array(out, value)
  else
    put_object(out, value)
  end
end

--- Any value: tables with a first item and those marked are arrays, keys are strings and come in
-- their order; functions and userdata become null.
---@param value any
---@return string
function M.encode(value)
  local out = {}
  put(out, value)
  return table.concat(out)
end

return M
