--- JSON that keeps what a table of Lua would lose: the order of keys, empty lists, floats that are
--- whole. For what people write and read; requests and answers go through the core's codec.
-- RFC 8259.

local document = require "sagemaker.cli.document"

local M = {}

-- Deeper than any value that an operation takes or answers; C stacks and Lua stacks hold it.
local MAX_DEPTH = 500

local Failure = {}

local function fail(at, message)
  error(setmetatable({ at = at, message = message }, Failure), 0)
end

local function skip(text, at)
  return (text:find("[^ \t\r\n]", at)) or #text + 1
end

local function utf8_char(code)
  local char, floor = string.char, math.floor
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xC0 + floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
  end
  return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64,
    0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\",
  ["/"] = "/" }

-- The text of the escape whose backslash is at `at`, and where it ends. A half of a surrogate pair
-- becomes the replacement character: UTF-8 has no form for it.
local function escape(text, at)
  local c = text:sub(at + 1, at + 1)
  if ESCAPES[c] then return ESCAPES[c], at + 2 end
  if c ~= "u" then fail(at, "unknown escape \\" .. c) end
  local hex = text:match("^%x%x%x%x", at + 2)
  if not hex then fail(at, "\\u needs four hexadecimal digits") end
  local code = tonumber(hex, 16)
  at = at + 6
  if code >= 0xD800 and code < 0xDC00 then
    local low = text:match("^\\u([dD][c-fC-F]%x%x)", at)
    if not low then return "\239\191\189", at end
    code = 0x10000 + (code - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00
    at = at + 6
  elseif code >= 0xDC00 and code < 0xE000 then
    return "\239\191\189", at
  end
  return utf8_char(code), at
end

-- A string whose opening quote is at `at`.
local function read_string(text, at)
  local parts, from = nil, at + 1
  while true do
    local stop = text:find('[%z\1-\31"\\]', from)
    if not stop then fail(at, "the string has no end") end
    local c = text:sub(stop, stop)
    if c == '"' then
      local last = text:sub(from, stop - 1)
      if not parts then return last, stop + 1 end
      parts[#parts + 1] = last
      return table.concat(parts), stop + 1
    elseif c ~= "\\" then
      fail(stop, "a control character must be written as an escape")
    end
    parts = parts or {}
    parts[#parts + 1] = text:sub(from, stop - 1)
    parts[#parts + 1], from = escape(text, stop)
  end
end

local function read_number(text, at)
  local whole = text:match("^%-?%d+", at)
  if not whole or whole:find("^%-?0%d") then fail(at, "not a number") end
  local stop = at + #whole
  local fraction = text:match("^%.%d+", stop) or ""
  stop = stop + #fraction
  local exponent = text:match("^[eE][+-]?%d+", stop) or ""
  stop = stop + #exponent
  if text:find("^[%w.+-]", stop) then fail(stop, "not a number") end
  local number = tonumber(text:sub(at, stop - 1))
  if not number then fail(at, "a number that is out of range") end
  if fraction ~= "" or exponent ~= "" then return document.float(number), stop end
  return number == 0 and 0 or number, stop
end

local WORDS = { ["true"] = true, ["false"] = false, null = document.null }

local read_value

local function read_list(text, at, depth)
  local list = document.list {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then return list, at + 1 end
  while true do
    list[#list + 1], at = read_value(text, at, depth)
    at = skip(text, at)
    local c = text:sub(at, at)
    if c == "]" then return list, at + 1 end
    if c ~= "," then fail(at, "expected , or ] after an item of a list") end
    at = skip(text, at + 1)
  end
end

local function read_object(text, at, depth)
  local fields, order = {}, {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then return document.object(fields, order), at + 1 end
  while true do
    if text:sub(at, at) ~= '"' then fail(at, "expected a key in double quotes") end
    local key
    key, at = read_string(text, at)
    at = skip(text, at)
    if text:sub(at, at) ~= ":" then fail(at, "expected : after a key") end
    if fields[key] == nil then order[#order + 1] = key end
    fields[key], at = read_value(text, skip(text, at + 1), depth)
    at = skip(text, at)
    local c = text:sub(at, at)
    if c == "}" then return document.object(fields, order), at + 1 end
    if c ~= "," then fail(at, "expected , or } after a value") end
    at = skip(text, at + 1)
  end
end

function read_value(text, at, depth)
  if depth > MAX_DEPTH then fail(at, ("nested deeper than %d levels"):format(MAX_DEPTH)) end
  local c = text:sub(at, at)
  if c == '"' then return read_string(text, at) end
  if c == "{" then return read_object(text, at, depth + 1) end
  if c == "[" then return read_list(text, at, depth + 1) end
  if c:find("^[-%d]") then return read_number(text, at) end
  local word = text:match("^%a+", at)
  if word and WORDS[word] ~= nil then return WORDS[word], at + #word end
  if c == "" then fail(at, "expected a value, found the end") end
  fail(at, "expected a value")
end

local function read_all(text)
  local value, at = read_value(text, skip(text, 1), 1)
  at = skip(text, at)
  if at <= #text then fail(at, "something follows the value") end
  return value
end

--- Reads JSON.
---@param text string
---@return any value a document, `null` for null; nil when the text is no JSON
---@return string|nil message
---@return integer|nil at the byte where it went wrong, from 1
function M.decode(text)
  local ok, value = pcall(read_all, text)
  if ok then return value end
  if getmetatable(value) ~= Failure then error(value, 0) end
  return nil, value.message, value.at
end

-- Writing.

local SHORT = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n",
  ["\r"] = "\\r", ["\t"] = "\\t" }

local function control(c)
  return SHORT[c] or ("\\u%04x"):format(c:byte())
end

local function code_point(sequence)
  local lead = sequence:byte(1)
  local code = lead % (lead >= 240 and 8 or lead >= 224 and 16 or 32)
  for i = 2, #sequence do code = code * 64 + sequence:byte(i) % 64 end
  if code < 0x10000 then return ("\\u%04x"):format(code) end
  code = code - 0x10000
  return ("\\u%04x\\u%04x"):format(0xD800 + math.floor(code / 1024), 0xDC00 + code % 1024)
end

local function string_text(value, ascii)
  value = value:gsub('[%z\1-\31"\\]', control)
  if ascii then value = value:gsub("[\194-\244][\128-\191]+", code_point) end
  return '"' .. value .. '"'
end

local NUMBERS = { inf = "Infinity", ["-inf"] = "-Infinity", nan = "NaN" }

local function number_text(value)
  local text = document.number_text(value)
  return NUMBERS[text] or text
end

local write_value

-- Items between brackets, each on its own line where there is an indent.
local function write_items(out, style, depth, open, close, count, write_item)
  if count == 0 then
    out[#out + 1] = open .. close
    return
  end
  local indent = style.indent
  local inner = indent and "\n" .. (" "):rep(indent * depth) or ""
  out[#out + 1] = open .. inner
  for i = 1, count do
    if i > 1 then out[#out + 1] = "," .. inner end
    write_item(i)
  end
  out[#out + 1] = (indent and "\n" .. (" "):rep(indent * (depth - 1)) or "") .. close
end

local function write_table(out, style, value, kind, depth)
  if depth > MAX_DEPTH then error("the value is nested too deeply to be written as JSON", 0) end
  if kind == "list" then
    write_items(out, style, depth, "[", "]", #value, function(i)
      write_value(out, style, value[i], depth + 1)
    end)
    return
  end
  local keys = document.keys(value)
  local colon = style.indent and ": " or ":"
  write_items(out, style, depth, "{", "}", #keys, function(i)
    out[#out + 1] = string_text(tostring(keys[i]), style.ascii) .. colon
    write_value(out, style, value[keys[i]], depth + 1)
  end)
end

function write_value(out, style, value, depth)
  local kind = document.kind(value)
  if kind == "null" then
    out[#out + 1] = "null"
  elseif kind == "boolean" then
    out[#out + 1] = tostring(value)
  elseif kind == "number" then
    out[#out + 1] = number_text(value)
  elseif kind == "string" then
    out[#out + 1] = string_text(value, style.ascii)
  else
    write_table(out, style, value, kind, depth)
  end
end

---@class sagemaker.cli.JsonStyle
---@field indent? integer spaces a level, each item on its own line; default: all on one line
---@field ascii? boolean characters beyond ASCII as escapes

--- Writes JSON. Keys come in the order that the object has, or else in that of their bytes.
---@param value any a document
---@param style? sagemaker.cli.JsonStyle
---@return string
function M.encode(value, style)
  local out = {}
  write_value(out, style or {}, value, 1)
  return table.concat(out)
end

return M
