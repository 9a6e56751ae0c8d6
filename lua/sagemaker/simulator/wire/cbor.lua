--- CBOR (RFC 8949), as much of it as AWS's clients speak: no shapes, no numbers beyond 2^53.

local M = {}

local floor, byte, char, sub = math.floor, string.byte, string.char, string.sub

-- Containers may be nested this deep.
local MAX_DEPTH = 64

local List = { __name = "sagemaker.simulator.cbor.list" }
local Time = { __name = "sagemaker.simulator.cbor.time" }

--- Marks a table as a list, also when it is empty.
---@param list table
---@return table
function M.list(list)
  return setmetatable(list, List)
end

--- A time that is written as such.
---@param seconds number since the epoch
---@return table
function M.time(seconds)
  return setmetatable({ seconds = seconds }, Time)
end

-- Reading ---------------------------------------------------------------------------------------

local function fail(message)
  error({ message = message }, 0)
end

local function take(r, n)
  local from = r.at
  if n > #r.text - from + 1 then fail("the data end too early") end
  r.at = from + n
  return from
end

local function unsigned(r, n)
  local value, from = 0, take(r, n)
  for i = from, from + n - 1 do value = value * 256 + byte(r.text, i) end
  return value
end

-- The number that comes with a first byte; nil for an indefinite length.
local function argument(r, info)
  if info < 24 then return info end
  if info == 31 then return nil end
  if info > 27 then fail("a length is not valid") end
  return unsigned(r, 2 ^ (info - 24))
end

-- An IEEE 754 number of its parts.
local function float_of(sign, exponent, exponent_bits, fraction, fraction_bits)
  local top, bias = 2 ^ exponent_bits - 1, 2 ^ (exponent_bits - 1) - 1
  if exponent == top then return fraction == 0 and sign / 0 or 0 / 0 end
  if exponent == 0 then return sign * fraction * 2 ^ (1 - bias - fraction_bits) end
  return sign * (1 + fraction / 2 ^ fraction_bits) * 2 ^ (exponent - bias)
end

-- Half, single and double: bytes, and bits of the exponent.
local FORMS = { [25] = { 2, 5 }, [26] = { 4, 8 }, [27] = { 8, 11 } }

local function read_float(r, info)
  local size, exponent_bits = FORMS[info][1], FORMS[info][2]
  local first = unsigned(r, 2) -- sign, exponent, and the first bits of the fraction
  local scale, more = 2 ^ (15 - exponent_bits), 8 * (size - 2)
  local fraction = first % scale * 2 ^ more + unsigned(r, size - 2)
  return float_of(first >= 32768 and -1 or 1, floor(first % 32768 / scale), exponent_bits,
    fraction, 15 - exponent_bits + more)
end

local read

local function is_end(r)
  if byte(r.text, r.at) ~= 255 then return false end
  r.at = r.at + 1
  return true
end

local function read_string(r, n)
  if n then
    local from = take(r, n)
    return sub(r.text, from, from + n - 1)
  end
  local parts = {}
  while not is_end(r) do parts[#parts + 1] = read(r) end
  for _, part in ipairs(parts) do
    if type(part) ~= "string" then fail("a part of a string is none") end
  end
  return table.concat(parts)
end

local function read_list(r, n)
  local list, i = {}, 0
  while n and i < n or not n and not is_end(r) do
    i = i + 1
    list[i] = read(r)
  end
  return list
end

local function read_map(r, n)
  local map, i = {}, 0
  while n and i < n or not n and not is_end(r) do
    i = i + 1
    local key = read(r)
    if type(key) ~= "string" then fail("a key of a map is no string") end
    map[key] = read(r)
  end
  return map
end

local function read_simple(r, info)
  if info == 20 then return false end
  if info == 21 then return true end
  if info == 22 or info == 23 then return nil end
  if FORMS[info] then return read_float(r, info) end
  return fail("a simple value is unknown")
end

local READERS = {
  [0] = function(_, n) return n end,
  [1] = function(_, n) return -1 - n end,
  [2] = read_string, [3] = read_string, [4] = read_list, [5] = read_map,
  [6] = function(r) return read(r) end, -- a tag: times are numbers of seconds
}

read = function(r)
  local first = byte(r.text, take(r, 1))
  local major, info = floor(first / 32), first % 32
  if major == 7 then return read_simple(r, info) end
  local n = argument(r, info)
  if not n and (major < 2 or major == 6) then fail("a number is not valid") end
  r.depth = r.depth + 1
  if r.depth > MAX_DEPTH then fail("the data are nested too deeply") end
  local value = READERS[major](r, n)
  r.depth = r.depth - 1
  return value
end

--- Reads one value.
---@param text string
---@return any value nil also for null
---@return string|nil message why it cannot be read
function M.decode(text)
  local r = { text = text, at = 1, depth = 0 }
  local ok, value = pcall(read, r)
  if not ok and type(value) == "table" then return nil, value.message end
  if not ok then error(value, 0) end
  if r.at <= #text then return nil, "there is more than one value" end
  return value
end

-- Writing ---------------------------------------------------------------------------------------

local function bytes_of(value, n)
  local list = {}
  for i = n, 1, -1 do
    list[i] = char(value % 256)
    value = floor(value / 256)
  end
  return table.concat(list)
end

local function head(major, n)
  local base = major * 32
  if n < 24 then return char(base + n) end
  if n < 256 then return char(base + 24, n) end
  if n < 65536 then return char(base + 25) .. bytes_of(n, 2) end
  if n < 2 ^ 32 then return char(base + 26) .. bytes_of(n, 4) end
  return char(base + 27) .. bytes_of(n, 8)
end

-- A double as eight bytes.
local function double(value)
  if value ~= value then return "\251\127\248\0\0\0\0\0\0" end
  local sign = (value < 0 or 1 / value < 0) and 128 or 0
  value = math.abs(value)
  if value == 0 then return "\251" .. char(sign) .. ("\0"):rep(7) end
  if value == math.huge then return "\251" .. char(sign + 127, 240) .. ("\0"):rep(6) end
  local exponent = 0
  while value >= 2 do value, exponent = value / 2, exponent + 1 end
  while value < 1 and exponent > -1022 do value, exponent = value * 2, exponent - 1 end
  local biased = value >= 1 and exponent + 1023 or 0
  local fraction = (value >= 1 and value - 1 or value) * 2 ^ 52
  return "\251" .. char(sign + floor(biased / 16), biased % 16 * 16 + floor(fraction / 2 ^ 48))
    .. bytes_of(fraction % 2 ^ 48, 6)
end

local function number(value)
  if value % 1 ~= 0 or value <= -2 ^ 53 or value >= 2 ^ 53 then return double(value) end
  if value >= 0 then return head(0, floor(value)) end
  return head(1, floor(-1 - value))
end

local put

local function put_map(out, map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys)
  out[#out + 1] = head(5, #keys)
  for _, key in ipairs(keys) do
    put(out, key)
    put(out, map[key])
  end
end

put = function(out, value)
  local kind = type(value)
  if kind == "string" then
    out[#out + 1] = head(3, #value) .. value
  elseif kind == "number" then
    out[#out + 1] = number(value)
  elseif kind == "boolean" then
    out[#out + 1] = value and "\245" or "\244"
  elseif getmetatable(value) == Time then
    out[#out + 1] = "\193" .. double(value.seconds)
  elseif getmetatable(value) == List then
    out[#out + 1] = head(4, #value)
    for _, item in ipairs(value) do put(out, item) end
  else
    put_map(out, value)
  end
end

--- Writes strings, numbers, booleans, lists and times that are marked, and maps of these.
---@param value any
---@return string
function M.encode(value)
  local out = {}
  put(out, value)
  return table.concat(out)
end

return M
