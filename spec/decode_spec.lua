--- The decoder: from an answer to a Lua table, an error, or what a request asks for.

local codec = require "support.codec"
local core = require "sagemaker.core"

local sagemaker = core.service("sagemaker")
local runtime = core.service("sagemaker-runtime")

local function decode(operation, body)
  return core.decode(sagemaker, operation, 200, {}, body)
end

-- What the member `v` of a shape becomes.
local function value_of(shape, json, more)
  local shapes = { Out = { type = "structure", members = { v = { shape = "V" } } }, V = shape }
  for name, other in pairs(more or {}) do shapes[name] = other end
  local got, message = core.decode(codec.root_service("json", "output", "Out", shapes), "Op", 200,
    {}, '{"v":' .. json .. "}")
  if not got then return nil, message end
  return got.v
end

local math_type = rawget(math, "type") or function() return "number" end

describe("core.decode", function()
  it("builds a table by the output shape", function()
    assert.same({ EndpointName = "e", ProductionVariants = { { VariantName = "v",
      CurrentInstanceCount = 2, CurrentWeight = 0.5 } }, CreationTime = 1635195148.181 },
      decode("DescribeEndpoint", [[
        { "EndpointName" : "e", "ProductionVariants" : [ { "VariantName" : "v",
          "CurrentInstanceCount" : 2, "CurrentWeight" : 0.5 } ], "CreationTime" : 1635195148.181 }
      ]]))
  end)

  it("does not care about the order of members", function()
    local body = '{"Tags":[{"Value":"1","Key":"a"},{"Key":"b","Value":"2"},{"Value":"3"}]}'
    for _ = 1, 3 do
      assert.same({ Tags = { { Key = "a", Value = "1" }, { Key = "b", Value = "2" },
        { Value = "3" } } }, decode("ListTags", body))
    end
  end)

  it("takes a body without any text for an empty output", function()
    assert.same({}, decode("DescribeEndpoint", ""))
    assert.same({}, decode("DescribeEndpoint", " \n"))
    assert.same({}, decode("DescribeEndpoint", nil))
    assert.same({}, decode("DeleteEndpoint", ""))
    assert.same({}, decode("DeleteEndpoint", "{}"))
  end)

  it("skips what it does not know, whatever it is", function()
    assert.same({ EndpointName = "e" }, decode("DescribeEndpoint",
      [[{"New":{"a":[1,{"b":null},"\u00e9"],"c":-1.5e9},"EndpointName":"e","Newer":true}]]))
  end)

  it("leaves null members and entries away, and keeps positions of lists", function()
    assert.same({}, decode("DescribeEndpoint", '{"EndpointName":null}'))
    assert.same({ PrimaryContainer = { Environment = { b = "x" } } },
      decode("DescribeModel", '{"PrimaryContainer":{"Environment":{"a":null,"b":"x"}}}'))
    assert.same({ VpcConfig = { Subnets = { core.null, "b", core.null } } },
      decode("DescribeModel", '{"VpcConfig":{"Subnets":[null,"b",null]}}'))
  end)

  it("lets the last of equal keys win", function()
    assert.same({ EndpointName = "b" }, decode("DescribeEndpoint",
      '{"EndpointName":"a","EndpointName":"b"}'))
    assert.same({}, decode("DescribeEndpoint", '{"EndpointName":"a","EndpointName":null}'))
    assert.same({ PrimaryContainer = { Environment = { a = "2" } } },
      decode("DescribeModel", '{"PrimaryContainer":{"Environment":{"a":"1","a":"2"}}}'))
  end)

  it("decodes escapes, NUL among them", function()
    assert.equal('"\\/\b\f\n\r\t\0é😀', decode("DescribeEndpoint",
      [[{"EndpointName":"\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00"}]]).EndpointName)
  end)

  it("throws for what is no service, operation or body", function()
    assert.error_matches(function() core.decode({}, "DescribeEndpoint", 200, {}, "") end, "#1")
    assert.error_matches(function() core.decode(sagemaker, "Nope", 200, {}, "") end, "Nope")
    assert.error_matches(function() core.decode(sagemaker, "DescribeEndpoint", 200, {}, {}) end,
      "#5")
  end)
end)

describe("values", function()
  it("have the type of their shape", function()
    assert.equal(3, value_of({ type = "integer" }, "3"))
    assert.equal(3, value_of({ type = "integer" }, "3.0"))
    assert.equal(1000, value_of({ type = "long" }, "1e3"))
    assert.equal(math_type(1), math_type(value_of({ type = "integer" }, "3.0")))
    assert.equal(math_type(0.5), math_type(value_of({ type = "double" }, "1")))
    assert.equal(1e400, value_of({ type = "double" }, "1e400"))
    assert.equal(-math.huge, value_of({ type = "float" }, '"-Infinity"'))
    local nan = value_of({ type = "float" }, '"NaN"')
    assert.is_true(nan ~= nan)
    assert.is_true(value_of({ type = "boolean" }, "true"))
    assert.equal("\0\255", value_of({ type = "blob" }, '"AP8="'))
    if rawget(math, "type") then
      local exact = value_of({ type = "long" }, "9007199254740993")
      assert.equal("9007199254740993", ("%d"):format(exact))
    end
  end)

  it("that are times come in every form", function()
    local time = { type = "timestamp" }
    for _, json in ipairs { "1700000000", "1700000000.0", "1.7e9", '"2023-11-14T22:13:20Z"',
      '"Tue, 14 Nov 2023 22:13:20 GMT"', '"1700000000"' } do
      assert.equal(1700000000, value_of(time, json))
      assert.equal(math_type(1), math_type(value_of(time, json)))
    end
    assert.equal(1700000000.25, value_of(time, '"2023-11-14T23:13:20.25+01:00"'))
    assert.equal(-0.5, value_of(time, "-0.5"))
  end)

  it("of another type are refused, with their place", function()
    local rows = {
      { { type = "string" }, "1", "v: expected a string, got a number 1" },
      { { type = "string" }, "{}", "v: expected a string, got an object" },
      { { type = "integer" }, '"3"', 'v: expected an integer, got a string "3"' },
      { { type = "integer" }, "3.5", 'v: expected an integer, got "3.5"' },
      { { type = "long" }, "1e30", 'v: expected an integer, got "1e30"' },
      { { type = "double" }, '"x"', 'v: expected a number, got "x"' },
      { { type = "double" }, "true", "v: expected a number, got true" },
      { { type = "boolean" }, '"true"', 'v: expected a boolean, got a string "true"' },
      { { type = "timestamp" }, '"yesterday"', 'v: expected a timestamp, got "yesterday"' },
      { { type = "timestamp" }, "1e300", 'v: expected a timestamp, got "1e300"' },
      { { type = "timestamp" }, "[]", "v: expected a timestamp, got a list" },
      { { type = "blob" }, '"?"', 'v: expected base64, got "?"' },
      { { type = "structure", members = {} }, "[]", "v: expected an object, got a list" },
      { { type = "string", sensitive = true }, "72357", "v: expected a string, got a number" },
      { { type = "blob", sensitive = true }, '"?"', "v: expected base64, got something else" },
    }
    for _, row in ipairs(rows) do
      local got, message = value_of(row[1], row[2])
      assert.is_nil(got)
      assert.equal(row[3], message)
    end
    local _, message = value_of({ type = "list", member = { shape = "S" } }, '["a",2]',
      { S = { type = "string" } })
    assert.equal("v[1]: expected a string, got a number 2", message)
    _, message = value_of({ type = "map", key = { shape = "S" }, value = { shape = "S" } },
      '{"k":2}', { S = { type = "string" } })
    assert.equal("v.k: expected a string, got a number 2", message)
  end)

  it("of unions have exactly one member", function()
    local union = { type = "structure", union = true,
      members = { a = { shape = "S" }, b = { shape = "S" } } }
    local more = { S = { type = "string" } }
    assert.same({ a = "x" }, value_of(union, '{"a":"x"}', more))
    assert.same({ a = "x" }, value_of(union, '{"__type":"T","b":null,"a":"x"}', more))
    assert.same({ SDK_UNKNOWN_MEMBER = { name = "c" } }, value_of(union, '{"c":[1]}', more))
    for _, json in ipairs { "{}", '{"a":null}', '{"a":"x","b":"y"}', '{"a":"x","c":1}' } do
      local _, message = value_of(union, json, more)
      assert.equal("v: expected exactly one member of a union", message)
    end
  end)

  it("of documents keep null and empty lists", function()
    local document = { type = "structure", document = true, members = {} }
    local got = value_of(document, '{"a":null,"b":[],"c":[1,2.5,{"d":true}],"e":{}}')
    assert.equal(core.null, got.a)
    assert.equal("array", getmetatable(got.b).__jsontype)
    assert.same({ 1, 2.5, { d = true } }, got.c)
    assert.equal(core.null, value_of(document, "null"))
  end)
end)

describe("bodies that are no JSON", function()
  it("are refused", function()
    for _, body in ipairs { "not json", "{", '{"EndpointName":"e"', '{"EndpointName":"e"}x', "[]",
      "null", '"x"', "1", "\239\187\191{}", "<html></html>", '{"EndpointName":"\255"}',
      '{"EndpointName":"a\nb"}', "{'EndpointName':'e'}", '{"EndpointName":NaN}' } do
      local got, message = decode("DescribeEndpoint", body)
      assert.is_nil(got)
      assert.is_true(#message > 10)
      assert.is_nil(message:find("\n", 1, true))
    end
    assert.is_nil((decode("DeleteEndpoint", "not json")))
    assert.is_nil((decode("DeleteEndpoint", "[]")))
  end)

  it("say where", function()
    local _, message = decode("DescribeEndpoint", '{"EndpointName":tru}')
    assert.is_truthy(message:find("^not valid JSON: .* at byte %d+$") or message:find("expected"))
  end)
end)

describe("restJson1 answers", function()
  it("have members in headers of any case", function()
    local got = core.decode(runtime, "InvokeEndpoint", 200, {
      ["CONTENT-TYPE"] = "text/csv",
      ["x-amzn-invoked-production-variant"] = "v",
      ["X-Unknown"] = "x",
    }, "\0raw")
    assert.same({ Body = "\0raw", ContentType = "text/csv", InvokedProductionVariant = "v" }, got)
  end)

  it("have members in headers that are spelled as in the model, rather than otherwise", function()
    for _ = 1, 20 do -- the order in which a table is walked differs from one to the next
      assert.same({ Body = "", ContentType = "this" }, core.decode(runtime, "InvokeEndpoint", 200,
        { ["Content-Type"] = "this", ["content-type"] = "a", ["CONTENT-TYPE"] = "b",
          [("x"):rep(math.random(40))] = "c" }, ""))
    end
  end)

  it("pass over headers that are no strings", function()
    assert.same({ Body = "", CustomAttributes = "a" }, core.decode(runtime, "InvokeEndpoint", 200,
      { "x", [true] = "y", ["Content-Type"] = { "text/csv" },
        ["X-Amzn-SageMaker-Custom-Attributes"] = "a" }, ""))
  end)

  it("have an empty payload where there is no body", function()
    assert.same({ Body = "" }, core.decode(runtime, "InvokeEndpoint", 200, {}, ""))
    assert.same({ Body = "" }, core.decode(runtime, "InvokeEndpoint", 200, nil, nil))
  end)

  it("leave event streams to their reader", function()
    assert.same({ ContentType = "x" }, core.decode(runtime, "InvokeEndpointWithResponseStream", 200,
      { ["X-Amzn-SageMaker-Content-Type"] = "x" }, "\0\0\0"))
  end)
end)

describe("core.decode_error", function()
  local function code(body, headers, status)
    return core.decode_error(sagemaker, "CreateEndpoint", status or 400, headers, body).code
  end

  it("finds the code", function()
    assert.equal("A", code('{"__type":"A"}'))
    assert.equal("A", code('{"__type":"ns#A"}'))
    assert.equal("A", code('{"__type":"ns#A:http://x/"}'))
    assert.equal("A", code('{"__type":"A","code":"B"}', { ["x-amzn-errortype"] = "C" }))
    assert.equal("C", code('{"code":"B"}', { ["X-AMZN-ErrorType"] = "ns#C:http://x#y" }))
    assert.equal("B", code('{"code":"B"}'))
    assert.equal("B", code('{"Code":"B"}'))
    assert.equal("C", code('{"__type":"","code":1}', { ["X-Amzn-ErrorType"] = "C" }))
    assert.equal("400", code('{"__type":null}'))
    assert.equal("400", code('{"__type":{"a":1}}'))
    assert.equal("503", code("", nil, 503))
    assert.equal("404", code("<html>", {}, 404))
    assert.equal("301", code("", { Location = "x" }, 301))
    assert.equal("C", code("not json", { ["x-amzn-errortype"] = "C" }))
  end)

  it("finds the message", function()
    local function message(body, status)
      return core.decode_error(sagemaker, nil, status or 400, {}, body).message
    end
    assert.equal("m", message('{"message":"m","Message":"n"}'))
    assert.equal("n", message('{"Message":"n"}'))
    assert.equal("e", message('{"errorMessage":"e"}'))
    assert.equal('{"a": 1}', message('{"message":{"a": 1}}'))
    assert.equal("", message('{"message":null}'))
    assert.equal("", message("{}"))
    assert.equal("", message("", 404))
    assert.equal("Service Unavailable", message("", 503))
    assert.equal("Bad Gateway", message(" <HTML>x", 502))
    assert.equal("plain text", message(" plain text\n", 500))
    assert.equal("", message("\255\254", 400 + 20))
    assert.is_true(#message(("é"):rep(10000), 500) <= 4096)
  end)

  it("keeps what came", function()
    local got = core.decode_error(sagemaker, nil, 400, {}, '{"__type":"X","a":[1,null]}')
    assert.same({ 1, core.null }, got.raw.a)
    assert.is_nil(got.body)
    got = core.decode_error(sagemaker, nil, 400, {}, "[1]")
    assert.equal("[1]", got.body)
    assert.is_nil(got.raw)
  end)

  it("reads the members of a modeled error", function()
    local got = core.decode_error(runtime, "InvokeEndpoint", 424, {
      ["x-amzn-errortype"] = "ModelError" },
      '{"Message":"m","OriginalStatusCode":500,"New":1}')
    assert.same({ Message = "m", OriginalStatusCode = 500 }, got.fields)
    got = core.decode_error(runtime, "InvokeEndpoint", 424, {
      ["x-amzn-errortype"] = "ModelError" }, '{"Message":"m","OriginalStatusCode":"x"}')
    assert.is_nil(got.fields)
    assert.equal("m", got.message)
    assert.is_nil(core.decode_error(sagemaker, nil, 400, {}, '{"__type":"New"}').fields)
  end)

  it("knows the codes of the query protocol", function()
    local got = core.decode_error(sagemaker, nil, 400, { ["x-amzn-query-error"] = "Old;Sender" },
      '{"__type":"New"}')
    assert.same({ "Old", "New", "Sender" }, { got.code, got.query_error_code, got.type })
    assert.equal("New", core.decode_error(sagemaker, nil, 400,
      { ["x-amzn-query-error"] = "Old;Sender;400" }, '{"__type":"New"}').code)
  end)
end)

describe("core.decode_input", function()
  local function input(target, body)
    return core.decode_input(sagemaker, { method = "POST", path = "/", query = "",
      headers = { ["x-amz-target"] = target }, body = body })
  end

  it("finds the operation and its parameters", function()
    local operation, params = input("SageMaker.DescribeEndpoint", '{"EndpointName":"e","New":1}')
    assert.equal("DescribeEndpoint", operation)
    assert.same({ EndpointName = "e" }, params)
    operation, params = core.decode_input(runtime, { method = "POST", query = "a=b",
      path = "/endpoints/a%20b%2Fc/invocations", headers = { accept = "x" }, body = "\0" })
    assert.equal("InvokeEndpoint", operation)
    assert.same({ EndpointName = "a b/c", Accept = "x", Body = "\0" }, params)
  end)

  it("says what it cannot do", function()
    local operation, code, message, _ = input("SageMaker.Nope", "{}")
    assert.is_nil(operation)
    assert.equal("UnknownOperationException", code)
    assert.is_string(message)
    assert.equal("UnknownOperationException", select(2, input("Other.DescribeEndpoint", "{}")))
    assert.equal("UnknownOperationException", select(2, input(nil, "{}")))
    assert.equal("UnknownOperationException", select(2, core.decode_input(runtime,
      { method = "GET", path = "/endpoints/e/invocations", headers = {} })))
    _, code, message = input("SageMaker.DescribeEndpoint", '{"EndpointName":1}')
    assert.equal("SerializationException", code)
    assert.equal("EndpointName: expected a string, got a number 1", message)
    _, code = input("SageMaker.DescribeEndpoint", "{")
    assert.equal("SerializationException", code)
    _, code = core.decode_input(runtime, { method = "POST", path = "/endpoints/%zz/invocations",
      headers = {} })
    assert.equal("SerializationException", code)
  end)

  it("reads queries", function()
    local service = codec.root_service("rest-json", "input", "In", {
      In = { type = "structure", members = {
        one = { shape = "I", location = "querystring", locationName = "o" },
        many = { shape = "L", location = "querystring", locationName = "m" },
        rest = { shape = "M", location = "querystring" },
      } },
      I = { type = "integer" }, S = { type = "string" },
      L = { type = "list", member = { shape = "S" } },
      M = { type = "map", key = { shape = "S" }, value = { shape = "S" } },
    })
    local params = { one = 7, many = { "a b", "c&d" }, rest = { ["x="] = "ü" } }
    local request = core.encode(service, "Op", params)
    assert.same(params, select(2, core.decode_input(service, request)))
    local _, code, message = core.decode_input(service, { method = "POST", path = "/",
      query = "o=x", headers = {} })
    assert.equal("SerializationException", code)
    assert.equal('one: expected an integer, got "x"', message)
  end)
end)
