--- The codec and values made to break it: metatables, cycles, depth, size, random input, the
-- garbage collector.

local codec = require "support.codec"
local core = require "sagemaker.core"
local shapes = require "support.shapes"

local sagemaker = core.service("sagemaker")
local runtime = core.service("sagemaker-runtime")

local function encode(operation, params, mode)
  return core.encode(sagemaker, operation, params, mode)
end

local function first(operation, params, mode)
  local request, errors = encode(operation, params, mode)
  assert.is_nil(request)
  return errors[1]
end

local recursive = codec.root_service("json", "input", "In", {
  In = { type = "structure", members = { s = { shape = "In" }, l = { shape = "L" },
    m = { shape = "M" }, d = { shape = "D" } } },
  L = { type = "list", member = { shape = "In" } },
  M = { type = "map", key = { shape = "K" }, value = { shape = "In" } },
  K = { type = "string" },
  D = { type = "structure", document = true, members = {} },
})

describe("metatables", function()
  it("without __index and __pairs mean nothing", function()
    local params = setmetatable({ EndpointName = "e" }, { __name = "params",
      __newindex = error, __len = error, __tostring = error })
    assert.equal('{"EndpointName":"e"}', encode("DescribeEndpoint", params).body)
  end)

  it("may give members of a structure", function()
    local defaults = { EndpointConfigName = "c", Tags = { { Key = "k", Value = "v" } } }
    local params = setmetatable({ EndpointName = "e" }, { __index = defaults })
    assert.equal('{"EndpointName":"e","EndpointConfigName":"c","Tags":[{"Key":"k","Value":"v"}]}',
      encode("CreateEndpoint", params).body)
    params = setmetatable({}, { __index = function(_, key)
      return key == "EndpointName" and "e" or nil
    end })
    assert.equal('{"EndpointName":"e"}', encode("DescribeEndpoint", params).body)
  end)

  it("may give items of a list", function()
    local items = { { Key = "a", Value = "1" }, { Key = "b", Value = "2" } }
    local proxy = setmetatable({}, { __index = items })
    assert.equal('{"ResourceArn":"x","Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]}',
      encode("AddTags", { ResourceArn = "x", Tags = proxy }).body)
  end)

  it("may say what pairs gives", function()
    local hidden = { A = "1" }
    local proxy = setmetatable({}, { __pairs = function() return pairs(hidden) end })
    assert.equal('{"ModelName":"m","PrimaryContainer":{"Environment":{"A":"1"}}}',
      encode("CreateModel", { ModelName = "m", PrimaryContainer = { Environment = proxy } }).body)
    hidden.B = 2
    assert.equal("PrimaryContainer.Environment.B", first("CreateModel",
      { ModelName = "m", PrimaryContainer = { Environment = proxy } }).path)
  end)

  it("that throw become a problem", function()
    local thrower = setmetatable({}, { __index = function() error("boom", 0) end })
    local err = first("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "c",
      DeploymentConfig = thrower })
    assert.equal("metamethod", err.code)
    assert.equal("DeploymentConfig", err.path)
    assert.equal("DeploymentConfig: a metamethod failed: boom", err.message)
    err = first("CreateEndpoint", setmetatable({}, { __pairs = function() error({}) end }))
    assert.equal("the parameters: a metamethod failed: table", err.message)
    local yielder = setmetatable({}, { __index = function() coroutine.yield() end })
    local co = coroutine.create(function() return first("DescribeEndpoint", yielder).code end)
    assert.same({ true, "metamethod" }, { coroutine.resume(co) })
  end)

  it("that never end become a problem", function()
    local endless = setmetatable({}, { __index = function(_, i) return tostring(i) end })
    assert.equal("metamethod", first("DeleteTags", { ResourceArn = "x", TagKeys = endless }).code)
    local more = setmetatable({}, { __pairs = function()
      return function(_, i) return (i or 0) + 1, "x" end
    end })
    assert.equal("metamethod", first("DeleteTags", { ResourceArn = "x", TagKeys = more }).code)
  end)

  it("may call the codec again", function()
    local nested = setmetatable({}, { __index = function(_, key)
      if key ~= "EndpointName" then return nil end
      local request = encode("DescribeEndpoint", { EndpointName = "inner" })
      assert(core.decode(sagemaker, "DescribeEndpoint", 200, {}, '{"EndpointName":"x\\n"}'))
      assert(not encode("DescribeEndpoint", { Wrong = true }))
      return request.body
    end })
    for _ = 1, 3 do
      assert.equal([[{"EndpointName":"{\"EndpointName\":\"inner\"}"}]],
        encode("DescribeEndpoint", nested).body)
    end
  end)

  it("may change the caller's tables meanwhile", function()
    local params = { EndpointName = ("n"):rep(100) .. os.time(), EndpointConfigName = "c" }
    params.DeploymentConfig = setmetatable({}, { __index = function()
      params.EndpointName, params.Tags = nil, nil
      collectgarbage()
      return nil
    end })
    params.Tags = { { Key = ("k"):rep(100) .. os.time(), Value = "v" } }
    assert.is_truthy(encode("CreateEndpoint", params))
  end)

  it("may change what is being traversed", function()
    local holder = {}
    local function vandal()
      return setmetatable({}, { __index = function()
        for key in pairs(holder[1]) do holder[1][key] = nil end
        for i = 1, 100 do holder[1]["x" .. i], holder[1][-i] = {}, {} end
      end })
    end
    for _, key in ipairs { "l", "m", "d" } do
      for _, mode in ipairs { "basic", false } do
        local inner = key == "l" and {} or { a = {}, b = {}, c = {} }
        for i = 1, 5 do inner[key == "l" and i or "k" .. i] = vandal() end
        holder[1] = inner
        local request, errors = core.encode(recursive, "Op", { [key] = inner }, mode)
        assert(request or #errors > 0)
      end
    end
    holder[1] = { z = vandal(), y = vandal(), s = vandal() }
    assert.is_truthy((core.encode(recursive, "Op", holder[1], false)))
  end)
end)

describe("depth and size", function()
  it("of cyclic tables is limited", function()
    for _, key in ipairs { "s", "l", "m", "d" } do
      local loop = {}
      loop[key] = key == "s" and loop or { loop }
      if key == "m" then loop.m = { x = loop } end
      if key == "d" then loop.d = loop end
      local request, errors = core.encode(recursive, "Op", loop)
      assert.is_nil(request)
      assert.equal("limit", errors[1].code)
      assert.is_true(#errors[1].path > 60)
      assert.is_nil(core.encode(recursive, "Op", loop, false))
    end
  end)

  it("of deep tables is limited", function()
    local deep = {}
    for _ = 1, 10000 do deep = { s = deep } end
    assert.equal("limit", select(2, core.encode(recursive, "Op", deep))[1].code)
    deep = {}
    for _ = 1, 10000 do deep = { deep } end
    assert.equal("limit", select(2, core.encode(recursive, "Op", { d = deep }))[1].code)
    local fits = {}
    for _ = 1, 60 do fits = { s = fits } end
    assert.is_truthy(core.encode(recursive, "Op", fits))
  end)

  it("of tables that share parts is limited", function()
    local value = { ("x"):rep(2 ^ 20) }
    for _ = 1, 40 do value = { value, value } end -- 2^60 bytes
    local request, errors = core.encode(recursive, "Op", { d = value })
    assert.is_nil(request)
    assert.equal("limit", errors[1].code)
  end)

  it("of answers is limited", function()
    local output = core.decode(sagemaker, "DescribeEndpoint", 200, {},
      '{"x":' .. ("["):rep(100000) .. ("]"):rep(100000) .. "}")
    assert.is_nil(output)
    local raw = ('{"a":'):rep(100000) .. "1" .. ("}"):rep(100000)
    assert.equal("500", core.decode_error(sagemaker, nil, 500, {}, raw).code)
  end)

  it("of structures is limited", function()
    local members = {}
    for i = 1, 255 do members["m" .. i] = { shape = "S" } end
    local all = { In = { type = "structure", members = members }, S = { type = "string" } }
    local service, params = codec.root_service("json", "input", "In", all), {}
    for i = 1, 255 do params["m" .. i] = "x" end
    assert.same(params, codec.json(core.encode(service, "Op", params).body))
    members.m256 = { shape = "S" }
    service = codec.root_service("json", "input", "In", all)
    assert.error_matches(function() core.encode(service, "Op", params) end, "more than 255 members")
  end)
end)

describe("long names of members", function()
  local long = ("LongName"):rep(8)

  it("are found and written", function()
    local all = { In = { type = "structure", members = { [long] = { shape = "S" },
      ['q"\\'] = { shape = "S" } } }, S = { type = "string" } }
    local service = codec.root_service("json", "input", "In", all)
    local params = { [("LongName"):rep(8)] = "x", ['q"\\'] = "y" }
    assert.same(params, codec.json(core.encode(service, "Op", params).body))
    service = codec.root_service("json", "output", "In", all)
    local body = '{"q\\"\\\\":"y","' .. long .. '":"x"}'
    assert.same(params, core.decode(service, "Op", 200, {}, body))
    local _, errors = core.encode(codec.root_service("json", "input", "In", all), "Op",
      { [long .. "s"] = "x" })
    assert.equal(long, errors[1].suggestion or long)
    assert.equal("unknown", errors[1].code)
  end)
end)

describe("random values", function()
  it("come back from a request as they were", function()
    local rnd = shapes.random(1)
    for _, service in ipairs { sagemaker, runtime } do
      for _, name in ipairs(service:operations()) do
        local info = service:operation(name)
        local params = shapes.value(service, info.input, rnd, 4)
        local request, errors = core.encode(service, name, params, "basic")
        assert(request, errors and errors[1].message)
        local operation, got, message = core.decode_input(service, request)
        assert(operation, message)
        assert.equal(name, operation)
        assert.is_nil(codec.difference(params, got, name))
      end
    end
  end)

  it("come back from an answer as they were", function()
    local rnd = shapes.random(2)
    for _, service in ipairs { sagemaker, runtime } do
      for _, name in ipairs(service:operations()) do
        local info = service:operation(name)
        if info.output and not info.stream_output then
          local output = shapes.value(service, info.output, rnd, 4)
          local payload = service:shape(info.output).payload
          if payload then output[payload] = output[payload] or "" end
          local answer = assert(core.encode_output(service, name, output))
          local got, message = core.decode(service, name, answer.status, answer.headers,
            answer.body)
          assert(got, message)
          assert.is_nil(codec.difference(output, got, name))
        end
      end
    end
  end)

  it("of any type are refused, never fatal", function()
    local rnd = shapes.random(3)
    local odd = { true, false, 0 / 0, 1e308, -1, 2 ^ 53, "", "\255\0", print, core.null, {}, { {} },
      { [1.5] = 1 }, { x = { 1, nil, 3 } }, setmetatable({}, { __index = error }),
      coroutine.create(function() end), io.stdout }
    for _, name in ipairs(sagemaker:operations()) do
      local params = shapes.value(sagemaker, sagemaker:operation(name).input, rnd, 3)
      local at = params
      while type(at) == "table" do
        local keys = {}
        for k in pairs(at) do keys[#keys + 1] = k end
        if #keys == 0 then break end
        local key = keys[1 + rnd(#keys)]
        if type(at[key]) ~= "table" or rnd(3) == 0 then
          at[key] = odd[1 + rnd(#odd)]
          break
        end
        at = at[key]
      end
      for _, mode in ipairs { "basic", "strict" } do
        local request, errors = core.encode(sagemaker, name, params, mode)
        assert(request or #errors > 0)
      end
    end
  end)
end)

describe("broken answers", function()
  local body = core.encode_output(sagemaker, "DescribeEndpoint", {
    EndpointName = "é\n", CreationTime = 1635195148.181,
    ProductionVariants = { { VariantName = "v", CurrentWeight = 1.5e-7, DeployedImages = { {
      SpecifiedImage = "i", ResolutionTime = 1 } } } },
  }).body

  it("are refused wherever they are cut", function()
    assert.is_truthy(core.decode(sagemaker, "DescribeEndpoint", 200, {}, body))
    for i = 1, #body - 1 do
      local got, message = core.decode(sagemaker, "DescribeEndpoint", 200, {}, body:sub(1, i))
      assert.is_nil(got)
      assert.is_truthy(message:find("^not valid JSON: .+ at byte %d+$"))
      assert.equal("503", core.decode_error(sagemaker, nil, 503, {}, body:sub(1, i)).code)
    end
  end)

  it("never crash, whatever byte is another", function()
    local rnd = shapes.random(4)
    for i = 1, #body do
      local text = body:sub(1, i - 1) .. string.char(rnd(256)) .. body:sub(i + 1)
      local got, message = core.decode(sagemaker, "DescribeEndpoint", 200, {}, text)
      assert(type(got) == "table" or type(message) == "string")
      assert.is_string(core.decode_error(sagemaker, "DescribeEndpoint", 400, {}, text).code)
      core.decode_input(sagemaker, { headers = { ["X-Amz-Target"] = "SageMaker.CreateModel" },
        body = text })
    end
  end)
end)

describe("the garbage collector", function()
  -- Runs a function with a collector that never rests.
  local function torture(f)
    local pause, step = collectgarbage("setpause", 0), collectgarbage("setstepmul", 400)
    local ok, message = pcall(f)
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", step)
    assert(ok, message)
  end

  it("may run at any time", function()
    local rnd = shapes.random(5)
    for _, name in ipairs { "CreateEndpoint", "CreateEndpointConfig", "CreateModel", "AddTags" } do
      local params = shapes.value(sagemaker, sagemaker:operation(name).input, rnd, 6)
      local operation, request, got
      torture(function()
        for _ = 1, 3 do
          request = assert(core.encode(sagemaker, name, params))
          operation, got = core.decode_input(sagemaker, request)
          params.Unknown = setmetatable({}, { __index = error })
          assert(not core.encode(sagemaker, name, params, "strict"))
          params.Unknown = nil
          core.decode_error(sagemaker, name, 400, {}, request.body)
        end
      end)
      assert.equal(name, operation)
      assert.is_nil(codec.difference(params, got))
    end
  end)

  it("frees services that nobody uses", function()
    for _ = 1, 50 do
      local service = codec.root_service("json", "input", "In", {
        In = { type = "structure", members = { v = { shape = "S" } } },
        S = { type = "string", pattern = "[a-z]+" },
      })
      assert.is_truthy(core.encode(service, "Op", { v = "x" }, "strict"))
    end
    collectgarbage()
    collectgarbage()
    assert.equal('{"EndpointName":"e"}', encode("DescribeEndpoint", { EndpointName = "e" }).body)
  end)
end)
