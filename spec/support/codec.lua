--- What the specs of the encoder and the decoder share: the tags of the vector files, comparison of
-- values, services built from the models that come with a suite.

local cjson = require "cjson"
local core = require "sagemaker.core"
local support = require "support"

local M = {}

local NONFINITE = { NaN = 0 / 0, Infinity = math.huge, ["-Infinity"] = -math.huge,
  nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }

--- A value of a vector file as a caller would write it: tags are replaced by what they stand for.
function M.untag(value)
  if type(value) ~= "table" then return value end
  if type(value["$bytes"]) == "string" then return core.text.unbase64(value["$bytes"]) end
  if value["$datetime"] then return value["$datetime"] end
  if value["$timestamp"] then return value["$timestamp"] end
  if value["$decimal"] then return tonumber(value["$decimal"]) end
  if value["$float"] then return NONFINITE[value["$float"]] end
  local copy = {}
  for k, v in pairs(value) do copy[k] = M.untag(v) end
  return copy
end

--- True when a JSON value holds null anywhere.
function M.has_null(value)
  if value == support.null then return true end
  if type(value) ~= "table" then return false end
  for _, v in pairs(value) do
    if M.has_null(v) then return true end
  end
  return false
end

local function same_number(a, b)
  if a ~= a or b ~= b then return a ~= a and b ~= b end
  return a + 0.0 == b + 0.0
end

-- A number that a vector writes as text: "NaN", "-Infinity".
local function named(expected, actual)
  return type(expected) == "string" and type(actual) == "number" and NONFINITE[expected] ~= nil
    and same_number(NONFINITE[expected], actual)
end

--- Where two values differ, as text, or nil when they are equal. null and absent are the same;
-- numbers are compared by value, whatever their subtype; so are "NaN" and NaN.
function M.difference(expected, actual, path)
  path = path or "value"
  if expected == support.null then expected = nil end
  if actual == support.null then actual = nil end
  if type(expected) == "number" and type(actual) == "number" then
    if same_number(expected, actual) then return nil end
  elseif type(expected) == "table" and type(actual) == "table" then
    local keys = {}
    for k in pairs(expected) do keys[k] = true end
    for k in pairs(actual) do keys[k] = true end
    for k in pairs(keys) do
      local found = M.difference(expected[k], actual[k], path .. "." .. tostring(k))
      if found then return found end
    end
    return nil
  elseif expected == actual or named(expected, actual) then
    return nil
  end
  return ("%s: expected %s, got %s"):format(path, tostring(expected), tostring(actual))
end

--- JSON text, decoded; nil when it is none.
function M.json(text)
  local ok, value = pcall(cjson.decode, text)
  if ok then return value end
  return nil
end

--- Where two bodies differ: by value when both are JSON, else byte by byte.
function M.body_difference(expected, actual)
  local a, b = M.json(expected), M.json(actual)
  if a ~= nil and b ~= nil then return M.difference(a, b, "body") end
  if expected == actual then return nil end
  return ("body: expected %q, got %q"):format(expected, actual)
end

--- The pairs of a query as a sorted list of text, decoded.
function M.query_pairs(query)
  local pairs_of = {}
  for pair in (query or ""):gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    pairs_of[#pairs_of + 1] = core.text.percent_decode(name) .. "="
      .. core.text.percent_decode(value)
  end
  table.sort(pairs_of)
  return pairs_of
end

--- A header of any case.
function M.header(headers, name)
  for k, v in pairs(headers) do
    if k:lower() == name:lower() then return v end
  end
  return nil
end

-- What only those notice who check types: a map that a suite calls a string; lists and maps of
-- nothing.
local function repair(shapes)
  local text = { shape = "RepairedString" }
  for _, shape in pairs(shapes) do
    if shape.key and shape.value then shape.type = "map" end
    if shape.type == "list" then shape.member = shape.member or text end
    if shape.type == "map" then
      shape.key, shape.value = shape.key or text, shape.value or text
    end
  end
  shapes.RepairedString = { type = "string" }
end

--- A service from the parts of a model.
---@param metadata table
---@param operation table one operation as a model has it; `name` is filled in
---@param shapes table
function M.service(metadata, operation, shapes)
  repair(shapes)
  operation.http = operation.http or { method = "POST", requestUri = "/" }
  operation.http.method = operation.http.method or "POST"
  operation.http.requestUri = operation.http.requestUri or "/"
  operation.name = operation.name or "OperationName"
  return core.load_service {
    metadata = metadata,
    operations = { [operation.name] = operation },
    shapes = shapes,
  }
end

--- A service of one operation "Op" whose input or output is a given shape.
---@param protocol string "json" or "rest-json"
---@param role string "input" or "output"
---@param root string name of the shape
---@param shapes table
function M.root_service(protocol, role, root, shapes)
  return M.service({ protocol = protocol, jsonVersion = "1.1", targetPrefix = "T",
    serviceId = "T" }, { name = "Op", [role] = { shape = root } }, shapes)
end

--- The compiled-in service of a row.
function M.named_service(name)
  return assert(core.service(name or "sagemaker"), "no service " .. tostring(name))
end

--- Runs a suite: `run(case)` returns nil when the case passes, text when it fails, or nil and a
-- reason when it is skipped. Every failure is told, at the end.
---@param name string what the suite is called in the output
---@param cases {id: string}[]
---@param run fun(case: table): string|nil, string|nil
function M.run(name, cases, run)
  local ran, skipped, failures = 0, {}, {}
  for _, case in ipairs(cases) do
    local ok, failure, reason = pcall(run, case)
    if not ok then failure = "threw " .. tostring(failure) end
    if failure then
      failures[#failures + 1] = case.id .. ": " .. failure
      ran = ran + 1
    elseif reason then
      skipped[#skipped + 1] = { id = case.id, reason = reason }
    else
      ran = ran + 1
    end
  end
  support.tally(name, ran, skipped)
  return table.concat(failures, "\n")
end

return M
