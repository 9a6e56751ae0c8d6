--- Reads JSON and remembers the order of the keys: the members of a structure have the order that
-- the model gives them, which lua-cjson forgets.

local M = {}

local order = setmetatable({}, { __mode = "k" })

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local WORDS = { ["true"] = true, ["false"] = false }

local value

local function fail(text, at, message)
  local _, line = text:sub(1, at):gsub("\n", "")
  error(("line %d: %s"):format(line + 1, message), 0)
end

local function utf8_of(hex)
  local code = tonumber(hex, 16)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(192 + math.floor(code / 64), 128 + code % 64) end
  return string.char(224 + math.floor(code / 4096), 128 + math.floor(code / 64) % 64,
    128 + code % 64)
end

local function string_at(text, at)
  local parts = {}
  at = at + 1
  while true do
    local from, to = text:find('^[^"\\]*', at)
    parts[#parts + 1] = text:sub(from, to)
    at = to + 1
    local c = text:sub(at, at)
    if c == '"' then return table.concat(parts), at + 1 end
    local e = text:sub(at + 1, at + 1)
    if c ~= "\\" or e == "" then fail(text, at, "unfinished string") end
    local hex = text:match("^u(%x%x%x%x)", at + 1)
    parts[#parts + 1] = hex and utf8_of(hex) or ESCAPES[e] or e
    at = at + (hex and 6 or 2)
  end
end

local function skip(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

local function array_at(text, at)
  local list = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then return list, at + 1 end
  while true do
    list[#list + 1], at = value(text, at)
    at = skip(text, at)
    local c = text:sub(at, at)
    if c == "]" then return list, at + 1 end
    if c ~= "," then fail(text, at, "expected , or ]") end
    at = skip(text, at + 1)
  end
end

local function object_at(text, at)
  local object, keys = {}, {}
  order[object] = keys
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then return object, at + 1 end
  while true do
    if text:sub(at, at) ~= '"' then fail(text, at, "expected a key") end
    local key
    key, at = string_at(text, at)
    at = skip(text, at)
    if text:sub(at, at) ~= ":" then fail(text, at, "expected :") end
    keys[#keys + 1] = key
    object[key], at = value(text, skip(text, at + 1))
    at = skip(text, at)
    local c = text:sub(at, at)
    if c == "}" then return object, at + 1 end
    if c ~= "," then fail(text, at, "expected , or }") end
    at = skip(text, at + 1)
  end
end

function value(text, at)
  local c = text:sub(at, at)
  if c == "{" then return object_at(text, at) end
  if c == "[" then return array_at(text, at) end
  if c == '"' then return string_at(text, at) end
  local word = text:match("^%l+", at)
  if word == "null" then return nil, at + 4 end
  if WORDS[word] ~= nil then return WORDS[word], at + #word end
  local number = text:match("^%-?%d[%d.eE+-]*", at)
  if not tonumber(number) then fail(text, at, "expected a value") end
  return tonumber(number), at + #number
end

--- Decodes one JSON value. Throws "line n: …" where it is malformed; null becomes nil.
---@param text string
---@return any
function M.decode(text)
  local result, at = value(text, skip(text, 1))
  if skip(text, at) <= #text then fail(text, at, "more than one value") end
  return result
end

--- The keys of a decoded object in the order of the file.
---@param object table|nil nil has none
---@return string[]
function M.keys(object)
  return object and order[object] or {}
end

--- The keys of a table in byte order.
---@param object table|nil
---@return string[]
function M.sorted(object)
  local keys = {}
  for key in pairs(object or {}) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

return M
