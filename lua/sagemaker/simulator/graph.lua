--- Tables that refer to each other, as text and back.
--
-- The record of an endpoint is no tree: a deployment under way points to the variants that its
-- machine points to as well. A graph is written as a JSON list of its tables, the root first; where
-- a table stands in another one, its place in the list stands, in a list of its own: [2]. Lists are
-- written as {"#": [items]}, so that empty ones stay what they are and may have fields as well.
--
-- Functions, metatables and keys that are neither strings nor positions are not written.

local json = require "sagemaker.simulator.json"

local M = {}

-- So many names are remembered as they are written: every record has the same ones, but for what
-- callers chose for the keys of their maps.
local NAMES = 1000

local names, known = {}, 0

local function name_text(key)
  local text = names[key]
  if text then return text end
  text = json.string("." .. key) .. ":"
  if known < NAMES then names[key], known = text, known + 1 end
  return text
end

-- Appends the JSON of a value; tables are put into the queue of those to write. False for a value
-- that cannot be written.
local function put_value(out, value, places, queue)
  local kind = type(value)
  if kind == "table" then
    local place = places[value]
    if not place then
      place = #queue + 1
      places[value], queue[place] = place, value
    end
    out[#out + 1] = ("[%d]"):format(place)
  elseif kind == "string" then
    out[#out + 1] = json.string(value)
  elseif kind == "number" then
    out[#out + 1] = json.number(value)
  elseif kind == "boolean" then
    out[#out + 1] = value and "true" or "false"
  else
    return false
  end
  return true
end

local function put_list(out, t, places, queue)
  out[#out + 1] = '"#":['
  local i = 1
  while t[i] ~= nil do
    if i > 1 then out[#out + 1] = "," end
    if not put_value(out, t[i], places, queue) then out[#out + 1] = "null" end
    i = i + 1
  end
  out[#out + 1] = "]"
end

-- The fields that are written, in order: the same state gives the same text, however its tables
-- came to be.
local function keys_of(t, skip)
  local keys = {}
  for key in pairs(t) do
    if type(key) == "string" and not skip[key] then keys[#keys + 1] = key end
  end
  if keys[2] then table.sort(keys) end
  return keys
end

local function put_table(out, t, skip, places, queue)
  local before = t[1] ~= nil
  out[#out + 1] = "{"
  if before then put_list(out, t, places, queue) end
  for _, key in ipairs(keys_of(t, skip)) do
    local at = #out
    if before then out[at + 1] = "," end
    out[#out + 1] = name_text(key)
    if put_value(out, t[key], places, queue) then
      before = true
    else
      for extra = #out, at + 1, -1 do out[extra] = nil end
    end
  end
  out[#out + 1] = "}"
end

--- A table with all that it refers to.
---@param root table
---@param skip? table<string, any> fields that are not written, wherever they stand
---@return string json
function M.encode(root, skip)
  local places, queue, out = { [root] = 1 }, { root }, { "[" }
  local i = 1
  while queue[i] do
    if i > 1 then out[#out + 1] = "," end
    put_table(out, queue[i], skip or {}, places, queue)
    i = i + 1
  end
  out[#out + 1] = "]"
  return table.concat(out)
end

local function value_of(value, nodes)
  if type(value) ~= "table" then return value end
  return nodes[value[1]] or error("a reference leads nowhere", 0)
end

local function fill(node, row, nodes)
  for key, value in pairs(row) do
    if key == "#" then
      for i, item in ipairs(value) do node[i] = value_of(item, nodes) end
    elseif key:sub(1, 1) == "." then
      node[key:sub(2)] = value_of(value, nodes)
    end
  end
end

--- The table that a decoded graph stands for. Throws when it is none.
---@param rows table[] what `encode` wrote, decoded
---@return table
function M.decode(rows)
  local nodes = {}
  for i, row in ipairs(rows) do
    if type(row) ~= "table" then error("an entry is no table", 0) end
    nodes[i] = {}
  end
  for i, row in ipairs(rows) do fill(nodes[i], row, nodes) end
  return nodes[1] or error("a graph is empty", 0)
end

return M
