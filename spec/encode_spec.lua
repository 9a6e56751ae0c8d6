--- The encoder: from a Lua table to a request, or to all that is wrong with it.

local codec = require "support.codec"
local core = require "sagemaker.core"

local sagemaker = core.service("sagemaker")
local runtime = core.service("sagemaker-runtime")

local function encode(operation, params, mode)
  return core.encode(sagemaker, operation, params, mode)
end

-- The body of the request for a structure with one member `v` of a shape.
local function service_of(shape, more, protocol)
  local shapes = { In = { type = "structure", members = { v = { shape = "V" } } }, V = shape }
  for name, other in pairs(more or {}) do shapes[name] = other end
  return codec.root_service(protocol or "json", "input", "In", shapes)
end

local function body_of(shape, value, mode, more)
  local request, errors = core.encode(service_of(shape, more), "Op", { v = value }, mode)
  return request and request.body, errors and errors[1]
end

local function code_of(...)
  local body, err = body_of(...)
  assert.is_nil(body)
  return err.code, err
end

-- One line per problem: "code path member".
local function problems(errors)
  local list = {}
  for i, e in ipairs(errors) do list[i] = ("%s %s %s"):format(e.code, e.path, e.member or "-") end
  table.sort(list)
  return list
end

describe("core.encode", function()
  it("makes the parts of a request and nothing else", function()
    local request = encode("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "c" })
    assert.same({
      method = "POST", path = "/", query = "",
      headers = {
        ["Content-Type"] = "application/x-amz-json-1.1",
        ["X-Amz-Target"] = "SageMaker.CreateEndpoint",
      },
      body = '{"EndpointName":"e","EndpointConfigName":"c"}',
    }, request)
  end)

  it("writes members in the order of the model", function()
    local request = encode("CreateEndpoint", {
      Tags = { { Value = "v", Key = "k" } },
      EndpointConfigName = "c",
      EndpointName = "e",
    })
    assert.equal('{"EndpointName":"e","EndpointConfigName":"c","Tags":[{"Key":"k","Value":"v"}]}',
      request.body)
  end)

  it("takes snake_case names of operations, and no parameters at all", function()
    assert.equal("{}", encode("list_endpoints").body)
    assert.equal("SageMaker.ListEndpoints", encode("list_endpoints", {}).headers["X-Amz-Target"])
  end)

  it("throws for what is no service, operation or mode", function()
    assert.error_matches(function() core.encode({}, "CreateEndpoint", {}) end, "bad argument #1")
    assert.error_matches(function() core.encode(nil, "CreateEndpoint", {}) end, "bad argument #1")
    assert.error_matches(function() core.encode(sagemaker, 1, {}) end, "bad argument #2")
    assert.error_matches(function() encode("CreateEndpoin", {}) end,
      "no operation CreateEndpoin; did you mean CreateEndpoint%?")
    assert.error_matches(function() encode("CreateEndpoint", {}, "lax") end, "bad argument #4")
  end)

  it("gives every call tables of its own", function()
    local a, b = encode("ListEndpoints", {}), encode("ListEndpoints", {})
    a.headers["X-Amz-Date"] = "now"
    assert.is_nil(b.headers["X-Amz-Date"])
  end)

  it("does not change the caller's tables", function()
    local params = { EndpointName = "e", EndpointConfigName = "c", Tags = { { Key = "k" } },
      Unknown = { 1 } }
    local before = codec.untag(params)
    encode("CreateEndpoint", params, "strict")
    assert.same(before, params)
  end)

  it("fills in the idempotency token only where it is absent", function()
    local params = { PipelineName = "pipeline", PipelineDefinition = "{}",
      RoleArn = "arn:aws:iam::111122223333:role/r" }
    local token = ("t"):rep(32)
    local request = assert(core.encode(sagemaker, "CreatePipeline", params, "basic",
      { token = token }))
    assert.equal(token, codec.json(request.body).ClientRequestToken)
    assert.is_nil(params.ClientRequestToken)
    assert.is_true(core.validate(sagemaker, "CreatePipeline", params))
    local _, errors = core.encode(sagemaker, "CreatePipeline", params)
    assert.same({ "required  ClientRequestToken" }, problems(errors))
  end)
end)

describe("validation", function()
  it("reports everything at once, with paths", function()
    local _, errors = encode("CreateEndpoint", {
      EndpointNam = "e",
      EndpointConfigName = 7,
      DeploymentConfig = { BlueGreenUpdatePolicy = {} },
      Tags = { { Key = "" }, "x" },
    })
    assert.same({
      "min_length Tags[0].Key -",
      "required  EndpointName",
      "required DeploymentConfig.BlueGreenUpdatePolicy TrafficRoutingConfiguration",
      "required Tags[0] Value",
      "type EndpointConfigName -",
      "type Tags[1] -",
      "unknown  EndpointNam",
    }, problems(errors))
  end)

  it("stops after a hundred problems", function()
    local tags = {}
    for i = 1, 500 do tags[i] = {} end
    local _, errors = encode("AddTags", { ResourceArn = "a", Tags = tags })
    assert.equal(100, #errors)
  end)

  it("stops after a hundred unknown members", function()
    local params = {}
    for i = 1, 500 do params["k" .. i] = i end
    local _, errors = encode("CreateEndpoint", params)
    assert.equal(100, #errors)
  end)

  it("names the key that no structure has", function()
    local _, errors = encode("CreateEndpoint", { [true] = 1 })
    assert.equal("the parameters: expected a table of members, got a table with the key true",
      errors[1].message)
    _, errors = encode("CreateEndpoint", { [2.5] = 1 })
    assert.equal("the parameters: expected a table of members, got a table with the key 2.5",
      errors[1].message)
    _, errors = encode("CreateEndpoint", { "a" })
    assert.equal("the parameters: expected a table of members, got a list", errors[1].message)
  end)

  it("finds NaN within no bounds", function()
    local nan = 0 / 0
    assert.equal("min", (code_of({ type = "double", min = 0 }, nan)))
    assert.equal("max", (code_of({ type = "double", max = 9 }, nan, "strict")))
    assert.equal('{"v":"NaN"}', (body_of({ type = "double" }, nan, "strict")))
  end)

  it("suggests the nearest member and value", function()
    local _, errors = encode("ListEndpoints", { SortOder = "Ascending" })
    assert.equal("SortOrder", errors[1].suggestion)
    assert.equal("SortOder is unknown; did you mean SortOrder?", errors[1].message)
    _, errors = encode("ListEndpoints", { SortOrder = "ascending" }, "strict")
    assert.equal("Ascending", errors[1].suggestion)
    _, errors = encode("DescribeEndpoint", { EndpointName = "e", Zzz = 1 })
    assert.equal("Zzz is unknown; there are EndpointName", errors[1].message)
  end)

  it("leaves to strict what newer models may allow", function()
    local params = { EndpointName = "not_valid", EndpointConfigName = ("x"):rep(64),
      DeploymentConfig = { BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = {
        Type = "NEW", WaitIntervalInSeconds = 3601 } } } }
    assert.is_truthy(encode("CreateEndpoint", params))
    assert.is_truthy(encode("CreateEndpoint", params, "basic"))
    local routing = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration"
    local _, errors = encode("CreateEndpoint", params, "strict")
    assert.same({
      "enum " .. routing .. ".Type -",
      "max " .. routing .. ".WaitIntervalInSeconds -",
      "max_length EndpointConfigName -",
      "pattern EndpointConfigName -", -- which limits the length, too
      "pattern EndpointName -",
    }, problems(errors))
    for _, e in ipairs(errors) do
      if e.code == "max" then assert.equal(3600, e.limit) assert.equal("3601", e.value) end
      if e.code == "pattern" then assert.is_string(e.pattern) end
      if e.code == "max_length" then assert.equal(63, e.limit) end
      assert.is_string(e.shape)
    end
  end)

  it("is left out on request, except for types", function()
    assert.equal('{"Tags":[{"Key":""}],"Newer":{"a":[1]}}',
      encode("AddTags", { Tags = { { Key = "" } }, Newer = { a = { 1 } } }, false).body)
    assert.equal("{}", encode("DescribeEndpoint", { EndpointName = core.null }, false).body)
    local _, errors = encode("DescribeEndpoint", { EndpointName = 1 }, false)
    assert.equal("type", errors[1].code)
  end)

  it("says the same without encoding", function()
    assert.is_true(core.validate(sagemaker, "DescribeEndpoint", { EndpointName = "e" }, "strict"))
    local ok, errors = core.validate(sagemaker, "DescribeEndpoint", {})
    assert.is_nil(ok)
    assert.equal("EndpointName is required", errors[1].message)
  end)

  it("shows values shortened and escaped, in one line", function()
    local _, errors = encode("ListEndpoints", { SortBy = ("x\n"):rep(100) }, "strict")
    assert.is_true(#errors[1].message < 200)
    assert.is_nil(errors[1].message:find("\n", 1, true))
    assert.is_truthy(errors[1].message:find([["x\nx\n]], 1, true))
  end)

  it("never shows a sensitive value", function()
    local secret = { type = "string", sensitive = true, min = 50, max = 60, pattern = "[0-9]+",
      enum = { "hunter2hunter" } }
    for _, value in ipairs { "hunter2hunte", 72357, { "hunter2" } } do
      local _, errors = core.encode(service_of(secret), "Op", { v = value }, "strict")
      for _, e in ipairs(errors) do
        for _, field in pairs(e) do
          assert.is_nil(tostring(field):find("hunter2hunte$") or tostring(field):find("72357"))
        end
      end
    end
    local _, errors = core.encode(runtime, "InvokeEndpoint", { EndpointName = "e", Body = 72357 })
    assert.equal("Body: expected a string of bytes, got a number", errors[1].message)
  end)

  it("counts characters, not bytes", function()
    local shape = { type = "string", min = 2, max = 3 }
    assert.equal('{"v":"éé"}', body_of(shape, "éé", "strict"))
    assert.equal("min_length", code_of(shape, "é", "strict"))
    assert.equal("max_length", code_of(shape, "éééé", "strict"))
    assert.equal("min_length", code_of(shape, "日", "basic"))
  end)
end)

describe("numbers", function()
  local integer, long, double = { type = "integer" }, { type = "long" }, { type = "double" }

  it("are integers where they have no fraction", function()
    assert.equal('{"v":10}', body_of(integer, 10))
    assert.equal('{"v":10}', body_of(integer, 10.0))
    assert.equal('{"v":-2147483648}', body_of(integer, -2147483648))
    assert.equal('{"v":9007199254740992}', body_of(long, 2 ^ 53))
    assert.equal("type", code_of(integer, 1.5))
    assert.equal("type", code_of(integer, 0 / 0))
    assert.equal("type", code_of(long, math.huge))
    assert.equal("range", code_of(integer, 2147483648))
    assert.equal("range", code_of(integer, -2147483649))
    assert.equal("range", code_of(long, 2 ^ 63))
    assert.equal("range", code_of(long, 1e300))
  end)

  it("are neither booleans nor strings", function()
    for _, shape in ipairs { integer, long, double } do
      for _, value in ipairs { true, "10", { 1 } } do
        local code, err = code_of(shape, value)
        assert.equal("type", code)
        assert.equal("v", err.path)
      end
    end
    assert.equal("type", code_of({ type = "boolean" }, 1))
    assert.equal("type", code_of({ type = "boolean" }, "true"))
    assert.equal("type", code_of({ type = "string" }, 1))
  end)

  it("are written so that they read back the same", function()
    assert.equal('{"v":0.1}', body_of(double, 0.1))
    assert.equal('{"v":1e+300}', body_of(double, 1e300))
    assert.equal('{"v":0.25}', body_of({ type = "float" }, 0.25))
  end)

  it("have names where JSON has no numbers", function()
    assert.equal('{"v":"NaN"}', body_of(double, 0 / 0))
    assert.equal('{"v":"-Infinity"}', body_of(double, -math.huge))
    assert.equal('{"v":"Infinity"}', body_of(double, "Infinity"))
    assert.equal("type", code_of(double, "infinity"))
  end)

  it("keep 64 bits where Lua has them", function()
    if rawget(math, "type") then
      local most = rawget(math, "maxinteger")
      assert.equal('{"v":9223372036854775807}', body_of(long, most))
      assert.equal('{"v":-9223372036854775808}', body_of(long, -most - 1))
    end
  end)
end)

describe("timestamps", function()
  local function written(format, value)
    local body, err = body_of({ type = "timestamp", timestampFormat = format }, value)
    return body and body:match('^{"v":(.*)}$') or err.code
  end

  it("are numbers or text, and go out as whole seconds", function()
    assert.equal("1700000000", written(nil, 1700000000))
    assert.equal("1700000000", written(nil, 1700000000.9))
    assert.equal("-1", written(nil, -0.5))
    assert.equal("1700000000", written(nil, "2023-11-14T22:13:20Z"))
    assert.equal("1700000000", written(nil, "Tue, 14 Nov 2023 22:13:20 GMT"))
    assert.equal("1700000000", written(nil, "1700000000"))
  end)

  it("follow the format of their shape", function()
    assert.equal('"2023-11-14T22:13:20Z"', written("iso8601", 1700000000))
    assert.equal('"Tue, 14 Nov 2023 22:13:20 GMT"', written("rfc822", 1700000000))
  end)

  it("are refused when they are none", function()
    for _, value in ipairs { "yesterday", "", true, {}, 0 / 0, math.huge, 1e20 } do
      assert.equal("type", written(nil, value))
    end
  end)
end)

describe("strings", function()
  local shape = { type = "string" }

  it("are escaped and must be UTF-8", function()
    assert.equal([[{"v":"\"\\\b\f\n\r\t\u0000\u001f]] .. '\127é/"}',
      body_of(shape, '"\\\b\f\n\r\t\0\31\127é/'))
    local code, err = code_of(shape, "ok\255")
    assert.equal("utf8", code)
    assert.equal("v: not valid UTF-8 from byte 3 on", err.message)
    for _, bad in ipairs { "\192\128", "\237\160\128", "\244\144\128\128", "\226\130" } do
      assert.equal("utf8", code_of(shape, bad))
    end
  end)

  it("hold JSON where the model says so", function()
    local service = codec.root_service("json", "input", "In", {
      In = { type = "structure", members = { v = { shape = "S", jsonvalue = true } } },
      S = { type = "string" },
    })
    assert.equal([[{"v":"{\"a\":1}"}]], core.encode(service, "Op", { v = { a = 1 } }).body)
    assert.equal([[{"v":"[]"}]], core.encode(service, "Op", { v = "[]" }).body)
  end)

  it("are base64 where they are bytes", function()
    assert.equal('{"v":"AP8="}', body_of({ type = "blob" }, "\0\255"))
    assert.equal("min_length", code_of({ type = "blob", min = 3 }, "ab"))
  end)
end)

describe("lists", function()
  local shape, more = { type = "list", member = { shape = "S" } }, { S = { type = "string" } }

  local function try(value)
    local body, err = body_of(shape, value, nil, more)
    return body or err.code, err
  end

  it("are sequences", function()
    assert.equal('{"v":["a","b"]}', try { "a", "b" })
    assert.equal('{"v":[]}', try {})
    local backwards = {}
    for i = 9, 1, -1 do backwards[i] = tostring(i) end
    assert.equal('{"v":["1","2","3","4","5","6","7","8","9"]}', try(backwards))
  end)

  it("have neither holes nor other keys", function()
    local code, err = try { [1] = "a", [3] = "c" }
    assert.equal("type", code)
    assert.equal("v: expected a list, got a table that has the index 3 but not 2", err.message)
    code, err = try { "a", x = "b" }
    assert.equal("type", code)
    assert.equal('v: expected a list, got a table with the key "x"', err.message)
    for _, value in ipairs { { [0] = "a" }, { [1.5] = "a" }, { [-1] = "a" }, { [2 ^ 40] = "a" },
      { [true] = "a" }, { [{}] = "a" } } do
      assert.equal("type", (try(value)))
    end
  end)

  it("name the item that is wrong", function()
    local _, err = try { "a", 2 }
    assert.equal("v[1]", err.path)
    _, err = try { "a", core.null }
    assert.equal("v[1]: expected a string, got null", err.message)
  end)
end)

describe("maps", function()
  local shape = { type = "map", key = { shape = "K" }, value = { shape = "S" } }
  local more = { S = { type = "string" }, K = { type = "string", min = 2 } }

  it("have string keys that follow their shape", function()
    assert.equal('{"v":{"ab":"x"}}', body_of(shape, { ab = "x" }, nil, more))
    assert.equal('{"v":{}}', body_of(shape, {}, nil, more))
    local _, err = body_of(shape, { a = "x" }, nil, more)
    assert.equal("min_length v (key: a)", err.code .. " " .. err.path)
    _, err = body_of(shape, { ab = 1 }, nil, more)
    assert.equal("type v.ab", err.code .. " " .. err.path)
    _, err = body_of(shape, { ["a\255"] = "x" }, nil, more)
    assert.equal("utf8", err.code)
    for _, value in ipairs { { "x" }, { [7] = "x" }, { [true] = "x" }, "x" } do
      _, err = body_of(shape, value, nil, more)
      assert.equal("type v", err.code .. " " .. err.path)
    end
  end)
end)

describe("unions", function()
  local shape = { type = "structure", union = true,
    members = { a = { shape = "S" }, b = { shape = "S" } } }
  local more = { S = { type = "string" } }

  it("have exactly one member", function()
    assert.equal('{"v":{"b":"x"}}', body_of(shape, { b = "x" }, nil, more))
    assert.equal("union", (select(2, body_of(shape, {}, nil, more))).code)
    assert.equal("union", (select(2, body_of(shape, { a = "x", b = "x" }, nil, more))).code)
    assert.equal("unknown", (select(2, body_of(shape, { c = "x" }, nil, more))).code)
  end)
end)

describe("documents", function()
  local shape = { type = "structure", document = true, members = {} }

  it("hold any JSON", function()
    local value = { a = { 1, 2.5, "x", true, core.null, {}, { b = false } } }
    local body = body_of(shape, value)
    assert.is_nil(codec.difference({ v = value }, codec.json(body)))
    assert.equal('{"v":7}', body_of(shape, 7))
    assert.equal('{"v":[]}', body_of(shape, setmetatable({}, { __jsontype = "array" })))
    assert.equal('{"v":{}}', body_of(shape, {}))
  end)

  it("hold nothing else", function()
    for _, value in ipairs { print, { print }, { 1, x = 2 }, { [true] = 1 }, { 1, nil, 3 },
      { a = { [1.5] = 1 } } } do
      assert.equal("type", code_of(shape, value))
    end
    assert.equal("utf8", code_of(shape, "\255"))
    assert.equal("utf8", code_of(shape, { ["\255"] = 1 }))
  end)
end)

describe("restJson1 requests", function()
  it("put members where they belong", function()
    local request = core.encode(runtime, "InvokeEndpoint", { EndpointName = "a b/c", Body = "\0x",
      Accept = "text/csv", TargetVariant = "v" })
    assert.same({
      method = "POST", path = "/endpoints/a%20b%2Fc/invocations", query = "", body = "\0x",
      headers = { Accept = "text/csv", ["X-Amzn-SageMaker-Target-Variant"] = "v" },
    }, request)
  end)

  it("refuse labels that would lead elsewhere", function()
    for _, name in ipairs { "", ".", ".." } do
      local _, errors = core.encode(runtime, "InvokeEndpoint", { EndpointName = name, Body = "" })
      assert.equal("label EndpointName", errors[1].code .. " " .. errors[1].path)
    end
    local _, errors = core.encode(runtime, "InvokeEndpoint", { Body = "" }, false)
    assert.equal("label", errors[1].code)
  end)

  it("refuse headers that would end early", function()
    for _, value in ipairs { "a\r\nb", "a\nb", "a\0b", "\27" } do
      local _, errors = core.encode(runtime, "InvokeEndpoint", { EndpointName = "e", Body = "",
        CustomAttributes = value })
      assert.equal("header CustomAttributes", errors[1].code .. " " .. errors[1].path)
    end
    assert.is_truthy(core.encode(runtime, "InvokeEndpoint", { EndpointName = "e", Body = "",
      CustomAttributes = "tab\tand é" }))
  end)

  it("do not copy a payload", function()
    local body = ("x"):rep(2 ^ 20)
    local request = core.encode(runtime, "InvokeEndpoint", { EndpointName = "e", Body = body })
    assert.is_true(request.body == body)
  end)
end)

describe("the service's side", function()
  it("encodes outputs", function()
    local answer = core.encode_output(sagemaker, "DescribeEndpoint",
      { EndpointName = "e", CreationTime = 1.25, FailureReason = core.null })
    assert.same({ status = 200, headers = { ["Content-Type"] = "application/x-amz-json-1.1" },
      body = '{"EndpointName":"e","CreationTime":1.25}' }, answer)
    assert.equal("", core.encode_output(sagemaker, "DeleteEndpoint").body)
    local none, errors = core.encode_output(sagemaker, "DescribeEndpoint", { EndpointNam = "e" })
    assert.is_nil(none)
    assert.equal("unknown", errors[1].code)
    answer = core.encode_output(runtime, "InvokeEndpoint", { Body = "\0", ContentType = "x/y",
      InvokedProductionVariant = "v" })
    assert.same({ status = 200, body = "\0", headers = { ["Content-Type"] = "x/y",
      ["x-Amzn-Invoked-Production-Variant"] = "v" } }, answer)
  end)

  it("encodes errors", function()
    assert.same({ status = 400, headers = { ["Content-Type"] = "application/x-amz-json-1.1" },
      body = '{"__type":"ValidationException","message":"no \\"x\\""}' },
      core.encode_error(sagemaker, "ValidationException", 'no "x"', 400))
    assert.same({ status = 424, headers = { ["Content-Type"] = "application/json",
      ["x-amzn-ErrorType"] = "ModelError" }, body = '{"Message":"m","OriginalStatusCode":500}' },
      core.encode_error(runtime, "ModelError", "m", nil, { OriginalStatusCode = 500 }))
    assert.error_matches(function() core.encode_error(sagemaker, "X", "\255", 400) end, "UTF%-8")
  end)
end)
