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

-- The positions of a table that make up its list.
local function length_of(t)
  local n = 0
  while t[n + 1] ~= nil do n = n + 1 end
  return n
end

-- The JSON of a value; tables are put into the queue of those to write.
local function value_text(value, places, queue)
  local kind = type(value)
  if kind == "table" then
    local place = places[value]
    if not place then
      place = #queue + 1
      places[value], queue[place] = place, value
    end
    return ("[%d]"):format(place)
  elseif kind == "string" then
    return json.string(value)
  elseif kind == "number" then
    return json.number(value)
  elseif kind == "boolean" then
    return tostring(value)
  end
  return nil
end

local function table_text(t, skip, places, queue)
  local parts, n = {}, length_of(t)
  if n > 0 then
    local items = {}
    for i = 1, n do items[i] = value_text(t[i], places, queue) or "null" end
    parts[1] = '"#":[' .. table.concat(items, ",") .. "]"
  end
  for key, value in pairs(t) do
    local text = type(key) == "string" and not skip[key] and value_text(value, places, queue)
    if text then parts[#parts + 1] = json.string("." .. key) .. ":" .. text end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- A table with all that it refers to.
---@param root table
---@param skip? table<string, any> fields that are not written, wherever they stand
---@return string json
function M.encode(root, skip)
  local places, queue, out = { [root] = 1 }, { root }, {}
  local i = 1
  while queue[i] do
    out[i] = table_text(queue[i], skip or {}, places, queue)
    i = i + 1
  end
  return "[" .. table.concat(out, ",") .. "]"
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
