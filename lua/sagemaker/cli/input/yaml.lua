--- YAML of --cli-input-yaml, read by the module lyaml where that is installed.

local document = require "sagemaker.cli.document"
local failure = require "sagemaker.cli.failure"

local M = {}

local NAME = "--cli-input-yaml"

-- Deeper than any value that an operation takes; an alias of itself has no end.
local MAX_DEPTH = 500

-- More values than any operation takes; aliases of aliases are soon more than memory holds.
local MAX_VALUES = 1000000

local function refuse(message)
  failure.usage(("%s: %s"):format(NAME, message))
end

local function check_depth(depth)
  if depth > MAX_DEPTH then refuse(("nested deeper than %d levels"):format(MAX_DEPTH)) end
end

local WORDS = { ["true"] = true, ["True"] = true, ["TRUE"] = true, ["false"] = false,
  ["False"] = false, ["FALSE"] = false }
local NULLS = { [""] = true, ["~"] = true, null = true, Null = true, NULL = true }
local BASES = { b = { "^[01]+$", 2 }, o = { "^[0-7]+$", 8 }, x = { "^%x+$", 16 } }

-- The number that a plain word is, or nil.
local function number(word)
  local sign, text = word:match("^([+-]?)(.+)$")
  text = (text or ""):gsub("_", "")
  local base, digits = text:match("^0([box])(.+)$")
  local value
  if base then
    value = digits:find(BASES[base][1]) and tonumber(digits, BASES[base][2]) or nil
  elseif text:find("^%d+$") or text:find("^%d*%.%d*$") and text:find("%d")
    or text:find("^%d+%.?%d*[eE][+-]?%d+$") or text:find("^%.%d+[eE][+-]?%d+$") then
    value = tonumber(text)
  end
  return value and (sign == "-" and -value or value)
end

-- What a word without quotes is, in YAML 1.2: "yes" and "on" are texts, as they are to the AWS CLI.
local function plain(null)
  return function(word)
    if NULLS[word] then return null end
    if WORDS[word] ~= nil then return WORDS[word] end
    local value = number(word)
    return value == nil and word or value
  end
end

local function library()
  local ok, lyaml = pcall(require, "lyaml")
  if ok then return lyaml end
  failure.usage(("%s needs the Lua module lyaml, which is not installed (Debian: lua-yaml, "
    .. "LuaRocks: lyaml); --cli-input-json takes the same as JSON"):format(NAME))
end

-- The text that a scalar is as a key, as `convert` makes it.
local function key_of(event)
  if event.style ~= "PLAIN" or event.tag then return event.value end
  return tostring(plain "null"(event.value))
end

-- Notes a node: where a mapping waits for a key, it must be a new one. A key that is no scalar has
-- none; `convert` refuses it.
local function note(frame, key, mark)
  if not frame or not frame.keys then return end
  frame.is_value = not frame.is_value
  if not frame.is_value or not key then return end
  local line = mark.line + 1
  if frame.keys[key] then
    refuse(("the key %q is there twice, at line %d and at line %d"):format(key:sub(1, 60),
      frame.keys[key], line))
  end
  frame.keys[key] = line
end

-- Refuses what lyaml takes: a key that its mapping has already (YAML 1.2, 3.2.1.1), and what is
-- nested so deep that it takes minutes. What is no YAML, lyaml tells.
local function check(text)
  local frames, anchors, parse = {}, {}, require("yaml").parser(text)
  while true do
    local ok, event = pcall(parse)
    if not ok or not event then return end
    local kind, mark = event.type, event.start_mark
    if kind == "SCALAR" then
      local key = key_of(event)
      if event.anchor then anchors[event.anchor] = key end
      note(frames[#frames], key, mark)
    elseif kind == "ALIAS" then
      note(frames[#frames], anchors[event.anchor], mark)
    elseif kind == "MAPPING_START" or kind == "SEQUENCE_START" then
      note(frames[#frames], nil, mark)
      frames[#frames + 1] = { keys = kind == "MAPPING_START" and {} or nil }
      check_depth(#frames)
    elseif kind == "MAPPING_END" or kind == "SEQUENCE_END" then
      frames[#frames] = nil
    end
  end
end

-- What lyaml read, with our null, and keys that are texts. A table that several places hold (an
-- alias) becomes a table for each.
local function convert(value, null, depth, counted)
  counted.values = counted.values + 1
  if counted.values > MAX_VALUES then refuse(("more than %d values"):format(MAX_VALUES)) end
  if value == nil or value == null then return document.null end
  if type(value) ~= "table" then return value end
  check_depth(depth)
  local copy = {}
  if value[1] ~= nil then
    for i, item in ipairs(value) do copy[i] = convert(item, null, depth + 1, counted) end
    return document.list(copy)
  end
  for key, item in pairs(value) do
    if type(key) == "table" then refuse "a key must be a text" end
    copy[tostring(key)] = convert(item, null, depth + 1, counted)
  end
  return copy
end

--- Reads YAML. Ends the command where that is not possible.
---@param text string
---@return any document
function M.decode(text)
  local lyaml = library()
  check(text)
  local ok, documents = pcall(lyaml.load, text,
    { all = true, implicit_scalar = plain(lyaml.null) })
  if not ok then
    local line, column, message = tostring(documents):match "^(%d+):(%d+): (.*)$"
    refuse(line and ("invalid YAML at line %s, column %s: %s"):format(line, column, message)
      or "invalid YAML: " .. tostring(documents))
  elseif #documents > 1 then
    refuse(("one document is expected, not %d"):format(#documents))
  end
  return convert(documents[1], lyaml.null, 1, { values = 0 })
end

return M
