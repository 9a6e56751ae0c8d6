--- Calls recorded while botocore's own unit tests ran: validation, serializing, parsing.

local codec = require "support.codec"
local core = require "sagemaker.core"
local support = require "support"

local function suite(file, run)
  local rows = support.rows("botocore-unit/" .. file)
  if #rows == 0 then
    pending("botocore-unit/" .. file .. ": the vectors are not at hand")
    return
  end
  it("passes " .. file, function()
    assert.equal("", codec.run("botocore-unit/" .. file, rows, run))
  end)
end

-- {{ Validation

-- How each line of a report begins, what comes of it, and where the path and the member are.
local REPORTS = {
  { "required", '^Missing required parameter in (.-): "(.*)"' },
  { "unknown", '^Unknown parameter in (.-): "(.-)"' },
  { "type", "^Invalid type for parameter (.-), value:" },
  { "min", "^Invalid value for parameter (.-), value:" },
  { "min_length", "^Invalid length for parameter (.-), value:" },
  { "union", "^Must set one of the following keys for tagged unionstructure (.-):" },
  { "union", "^Invalid number of parameters set for tagged union structure (.-)%. Can only" },
}

local function expectation(line)
  for _, row in ipairs(REPORTS) do
    local path, member = line:match(row[2])
    if path then
      return ("%s %s %s"):format(row[1], path == "input" and "" or path, member or "-")
    end
  end
  error("unknown report: " .. line)
end

local function holds_date(value)
  if type(value) ~= "table" then return false end
  if value["$datetime"] then return true end
  for _, item in pairs(value) do
    if holds_date(item) then return true end
  end
  return false
end

-- A value that JSON cannot hold: only dates are, and in Lua they are strings or numbers.
local function jsonvalue_rule(model, params)
  for name, member in pairs(model.shapes[model.root].members) do
    if member.jsonvalue and holds_date(params[name]) then return "Lua has no type of dates" end
  end
  return nil
end

local function protocol_of(root)
  if root.payload then return "rest-json" end
  for _, member in pairs(root.members) do
    if member.location then return "rest-json" end
  end
  return "json"
end

local function sorted(list)
  table.sort(list)
  return table.concat(list, "\n")
end

local function run_validate(row)
  local model = row.model
  local root = model.shapes[model.root]
  for k, v in pairs(model.root_traits) do root[k] = v end
  local reason = jsonvalue_rule(model, row.params)
  if reason then return nil, reason end
  local service = codec.root_service(protocol_of(root), "input", model.root, model.shapes)
  local expected, got = {}, {}
  for line in row.report:gmatch("[^\n]+") do expected[#expected + 1] = expectation(line) end
  local _, errors = core.validate(service, "Op", codec.untag(row.params), "basic")
  for i, e in ipairs(errors or {}) do
    got[i] = ("%s %s %s"):format(e.code, e.path, e.member or "-")
  end
  if sorted(expected) == sorted(got) then return nil end
  return ("expected\n%s\ngot\n%s"):format(sorted(expected), sorted(got))
end

-- }}

-- {{ Serializing

-- The others have specs of their own, or are not spoken.
local SERIALIZERS = { JSONSerializer = true, RestJSONSerializer = true }

-- A query as text, which the rows also give as a table.
local function query_of(query)
  if type(query) ~= "table" then return query end
  local pairs_of = {}
  for name, value in pairs(query) do
    for _, item in ipairs(type(value) == "table" and value or { value }) do
      pairs_of[#pairs_of + 1] = name .. "=" .. core.text.percent_encode(tostring(item))
    end
  end
  table.sort(pairs_of)
  return table.concat(pairs_of, "&")
end

local function run_serialize(row)
  if not SERIALIZERS[row.serializer] then return nil, row.serializer .. " is not of this codec" end
  local model = row.model.service
  local service = codec.service(model.metadata, model.operations[row.model.operation],
    model.shapes)
  local got, errors = core.encode(service, row.model.operation, codec.untag(row.params))
  if not got then return errors[1].message end
  local expected = row.request
  for name, value in pairs(expected.headers) do
    if codec.header(got.headers, name) ~= value then return "header " .. name end
  end
  if got.method ~= expected.method or got.path ~= expected.url_path then return "method or path" end
  if got.query ~= query_of(expected.query_string) then return "query " .. got.query end
  return codec.body_difference(codec.untag(expected.body), got.body)
end

-- }}

-- {{ Parsing

local PROTOCOLS = { JSONParser = "json", RestJSONParser = "rest-json" }
local NOT_MEMBERS = { ResponseMetadata = true, Error = true, SDK_UNKNOWN_MEMBER = true }

-- The shape for a value, of those that the row brings along.
local function shape_for(shapes, value)
  for name, shape in pairs(shapes) do
    local is_list = shape.type == "list"
    if is_list == (type(value) == "table") then return name end
  end
  return nil
end

-- The rows name the shapes but not the members of their root: those are what was parsed, or, where
-- parsing failed, what was sent.
local function add_root(row, body)
  local model = row.model
  local members = {}
  for name, value in pairs(row.parsed or codec.json(body)) do
    if not NOT_MEMBERS[name] then members[name] = { shape = shape_for(model.shapes, value) } end
  end
  model.shapes[model.root] = { type = "structure", members = members }
  for k, v in pairs(model.root_traits) do model.shapes[model.root][k] = v end
end

local function run_error(row, service, body)
  local response = row.response
  local got = core.decode_error(service, "Op", response.status_code, response.headers, body)
  local shown = { Code = got.code, Message = got.message, Type = got.type,
    QueryErrorCode = got.query_error_code }
  return codec.difference(row.parsed.Error, shown)
end

local function run_parse(row)
  local protocol = PROTOCOLS[row.parser]
  if not protocol then return nil, row.parser .. " is not of this protocol" end
  local response = row.response
  local body = codec.untag(response.body)
  if body == support.null or body == nil then body = "" end
  if row.model == support.null then row.model = { root = "Out", root_traits = {}, shapes = {} } end
  add_root(row, body)
  local service = codec.root_service(protocol, "output", row.model.root, row.model.shapes)
  if row.parsed and row.parsed.Error then return run_error(row, service, body) end
  local got, message = core.decode(service, "Op", response.status_code, response.headers, body)
  if row.error then return got and "was accepted" or nil end
  if not got then return message end
  row.parsed.ResponseMetadata = nil -- the client's business
  return codec.difference(row.parsed, got)
end

-- }}

describe("recorded calls of botocore", function()
  suite("validate.jsonl", run_validate)
  suite("serialize.jsonl", run_serialize)
  suite("parse.jsonl", run_parse)
end)
