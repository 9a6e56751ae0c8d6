--- The protocol suites of botocore and Smithy: awsJson1.0, awsJson1.1 and restJson1 requests,
-- answers and errors, with services built from the models inside the suites.

local codec = require "support.codec"
local core = require "sagemaker.core"
local support = require "support"

local TOKEN = "00000000-0000-4000-8000-000000000000"
local dir = support.conformance()

local function suites(path)
  local text = support.read(dir .. "/protocols/" .. path)
  return text and assert(codec.json(text), path .. " is not JSON")
end

-- {{ Comparing

local function split_uri(uri)
  local path, query = uri:match("^([^?]*)%??(.*)$")
  return path, query
end

-- Items of a list in a header: optional blanks around commas do not count.
local function header_text(value)
  return (value:gsub("%s*,%s*", ","))
end

local function header_difference(expected, actual)
  for name, value in pairs(expected.headers or {}) do
    local got = codec.header(actual.headers, name)
    if not got or header_text(got) ~= header_text(value) then
      return ("header %s: expected %q, got %s"):format(name, value, tostring(got))
    end
  end
  for _, name in ipairs(expected.forbidHeaders or {}) do
    if codec.header(actual.headers, name) then return "forbidden header " .. name end
  end
  return nil
end

local function host_difference(expected, actual)
  local host = expected.resolvedHost or expected.host
  local prefix = actual.host_prefix or ""
  if host and host:sub(1, #prefix) ~= prefix then
    return ("host: expected %s, got the prefix %s"):format(host, prefix)
  end
  return nil
end

local function request_difference(expected, actual)
  local path, query = split_uri(expected.uri)
  if expected.queryParams then query = table.concat(expected.queryParams, "&") end
  local base = (expected.host or ""):match("/.*$") or "" -- the endpoint's path comes before ours
  if expected.method and expected.method ~= actual.method then return "method " .. actual.method end
  if path ~= base .. actual.path then
    return ("path: expected %s, got %s"):format(path, base .. actual.path)
  end
  local found = codec.difference(codec.query_pairs(query), codec.query_pairs(actual.query),
    "query") or header_difference(expected, actual) or host_difference(expected, actual)
  if found then return found end
  if expected.body == nil then return nil end
  return codec.body_difference(expected.body, actual.body)
end

-- }}

-- {{ Rules for what this client does otherwise, or cannot do

-- The member of a shape with a trait of a given value.
local function member_with(shapes, name, trait, value)
  for member, row in pairs((shapes[name] or {}).members or {}) do
    if row[trait] == value then return member, row end
  end
  return nil
end

local function payload_type(shapes, name)
  local shape = shapes[name] or {}
  local member = shape.payload and shape.members[shape.payload]
  return member and (shapes[member.shape] or {}).type
end

-- An empty list of the parameters whose header is expected to be there, empty.
local function wants_empty_header(case, shapes, input)
  for name, row in pairs((shapes[input] or {}).members or {}) do
    local value = type(case.params) == "table" and case.params[name]
    if row.location == "header" and type(value) == "table" and next(value) == nil
      and (case.serialized.headers or {})[row.locationName] == "" then
      return true
    end
  end
  return false
end

-- Why a request is skipped, or nil.
local function request_rule(case, shapes)
  local given, expected = case.given, case.serialized
  local input = given.input and given.input.shape
  if given.requestcompression then
    return "request compression: no operation of SageMaker has it"
  end
  if wants_empty_header(case, shapes, input) then
    return "an empty list in a header: botocore sends none, as we do; Smithy wants an empty one"
  end
  local type_expected = (expected.headers or {})["Content-Type"]
  if type_expected and payload_type(shapes, input) == "blob" and expected.body == ""
    and member_with(shapes, input, "locationName", "Content-Type") then
    return "a default Content-Type where the caller is in charge of it: the golden requests send"
      .. " none"
  end
  if type_expected and payload_type(shapes, input) == "blob"
    and type_expected ~= "application/octet-stream"
    and not member_with(shapes, input, "locationName", "Content-Type") then
    return "the mediaType trait is not in the service models"
  end
  return nil
end

local function is_event_stream(shapes, name)
  for _, row in pairs((shapes[name] or {}).members or {}) do
    if (shapes[row.shape] or {}).eventstream then return true end
  end
  return false
end

-- What an answer must look like here where the suite wants something else.
local function adapt_result(expected, case, shapes)
  local output = case.given.output and case.given.output.shape
  local shape = shapes[output] or {}
  local payload = shape.payload and shape.members[shape.payload]
  if payload and (case.response.body or "") == "" and expected[shape.payload] == nil
    and ({ blob = true, string = true })[(shapes[payload.shape] or {}).type] then
    expected[shape.payload] = "" -- an empty body is an empty blob, as in the golden answers
  end
  for name, row in pairs(shape.members or {}) do
    if row.jsonvalue and row.location == "header" and type(expected[name]) == "string" then
      expected[name] = codec.json(expected[name]) -- as botocore: the value, not its text
    end
  end
  return expected
end

-- }}

-- {{ One case

local function run_input(case)
  local shapes = case.suite.shapes
  local reason = request_rule(case, shapes)
  if reason then return nil, reason end
  local service = codec.service(case.suite.metadata, case.given, shapes)
  local params = case.params ~= support.null and case.params or {}
  local mode = "basic"
  if codec.has_null(params) then mode = false end -- null is absent only when nothing is validated
  local request, errors = core.encode(service, case.given.name, params, mode, { token = TOKEN })
  if not request then return errors[1].message end
  return request_difference(case.serialized, request)
end

local function error_difference(case, got)
  if got.code ~= case.errorCode then return "code: got " .. got.code end
  if case.errorMessage and got.message ~= case.errorMessage then
    return "message: " .. got.message
  end
  local fields = got.fields or {}
  return codec.difference(case.error, fields, "error")
end

local function run_output(case)
  local shapes = case.suite.shapes
  local output = case.given.output and case.given.output.shape
  if is_event_stream(shapes, output) then
    return nil, "an event stream: its reader has a spec of its own"
  end
  local service = codec.service(case.suite.metadata, case.given, shapes)
  local response = case.response
  if case.errorCode then
    return error_difference(case, core.decode_error(service, case.given.name,
      response.status_code, response.headers or {}, response.body or ""))
  end
  local got, message = core.decode(service, case.given.name, response.status_code,
    response.headers or {}, response.body or "")
  if not got then return message end
  return codec.difference(adapt_result(case.result, case, shapes), got, "result")
end

-- }}

-- {{ Suites

local function cases_of(path)
  local cases = {}
  for i, suite in ipairs(suites(path) or {}) do
    for j, case in ipairs(suite.cases) do
      case.suite = suite
      case.id = case.id or ("%s/%d/%d %s"):format(path, i, j, suite.description)
      cases[#cases + 1] = case
    end
  end
  return cases
end

local FILES = { "json", "json_1_0", "rest-json", "json_1_0-query-compatible" }

local function add(path, run)
  if not dir then
    pending("protocols/" .. path .. ": the vectors are not at hand")
    return
  end
  it("passes " .. path, function()
    assert.equal("", codec.run(path, cases_of(path), run))
  end)
end

describe("protocol suites of botocore", function()
  for _, file in ipairs(FILES) do
    add("botocore/input/" .. file .. ".json", run_input)
    add("botocore/output/" .. file .. ".json", run_output)
  end
end)

describe("older protocol suites of botocore", function()
  for _, file in ipairs { "json", "rest-json" } do
    add("botocore-legacy/input/" .. file .. ".json", run_input)
    add("botocore-legacy/output/" .. file .. ".json", run_output)
  end
end)

-- }}

-- {{ Smithy's own cases, with the shapes of botocore's suites

-- What botocore's suites know about each operation and each error of a protocol.
local function known_operations(files)
  local operations, errors = {}, {}
  for _, file in ipairs(files) do
    for _, case in ipairs(cases_of(file)) do
      local given, suite = case.given, case.suite
      local op = operations[given.name] or { given = { name = given.name, http = given.http },
        metadata = suite.metadata, shapes = {} }
      operations[given.name] = op
      for k, v in pairs(given) do op.given[k] = op.given[k] or v end
      for k, v in pairs(suite.shapes) do op.shapes[k] = op.shapes[k] or v end
      for _, e in ipairs(given.errors or {}) do errors[e.shape] = op end
    end
  end
  return operations, errors
end

local function smithy_cases(path)
  local cases = {}
  for file, traits in pairs(suites(path) or {}) do
    for _, trait in ipairs(traits) do
      for _, case in ipairs(trait.cases) do
        case.trait, case.target = trait.trait, trait.target
        case.id = ("%s %s %s"):format(file, trait.trait, case.id)
        cases[#cases + 1] = case
      end
    end
  end
  table.sort(cases, function(a, b) return a.id < b.id end)
  return cases
end

-- True when a value holds a member that the shape, taken from an older suite, does not have.
local function is_newer(shapes, name, value)
  local shape = shapes[name]
  if not shape or type(value) ~= "table" or shape.document then return false end
  for key, item in pairs(value) do
    local member = shape.members and shape.members[key] or shape.member or shape.value
    if not member or is_newer(shapes, member.shape, item) then return true end
  end
  return false
end

local CLIENT_TRAITS = { httpRequestTests = true, httpResponseTests = true }

local function smithy_runner(operations, errors)
  return function(case)
    if case.appliesTo == "server" then return nil, "for servers" end
    if not CLIENT_TRAITS[case.trait] then return nil, "for servers, or an event stream" end
    local op = operations[case.target]
    local failing = op == nil and errors[case.target]
    if not op and not failing then return nil, "the shapes are not at hand" end
    op = op or failing
    case.given, case.suite = op.given, { metadata = op.metadata, shapes = op.shapes }
    case.params = case.params or {}
    local root = op.given[case.trait == "httpRequestTests" and "input" or "output"]
    root = failing and case.target or root and root.shape
    if root and is_newer(op.shapes, root, case.params) then
      return nil, "the shapes at hand are older than the case"
    end
    if case.trait == "httpRequestTests" then
      case.serialized = case
      return run_input(case)
    end
    case.response = { status_code = case.code, headers = case.headers, body = case.body }
    case.result = case.params
    if failing then case.errorCode, case.error = case.target, case.params end
    return run_output(case)
  end
end

local SMITHY = { { "awsJson1_1.json", "json" }, { "restJson1.json", "rest-json" } }

describe("protocol cases of Smithy", function()
  for _, row in ipairs(SMITHY) do
    local path, protocol = "smithy-json/" .. row[1], row[2]
    if not dir then
      pending("protocols/" .. path .. ": the vectors are not at hand")
    else
      it("passes " .. path, function()
        local operations, errors = known_operations { "botocore/input/" .. protocol .. ".json",
          "botocore/output/" .. protocol .. ".json" }
        assert.equal("", codec.run(path, smithy_cases(path), smithy_runner(operations, errors)))
      end)
    end
  end
end)

-- }}
