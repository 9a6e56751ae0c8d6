local caller = require "simulator.caller"
local core = require "sagemaker.core"
local simulator = require "sagemaker.simulator"

describe("response streams in process", function()
  local sim, invoke

  before_each(function()
    sim = simulator.new()
    local call = caller.new(sim)
    invoke = caller.new(sim, { model = "sagemaker-runtime" })
    caller.prepare(call, "c")
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "c" }))
    sim:advance(300)
  end)

  local function assert_event(event, message)
    if message then error(message) end
    return event
  end

  local function parts_of(input)
    local out, response = assert(invoke("InvokeEndpointWithResponseStream", input))
    assert.equal("application/vnd.amazon.eventstream", response.headers["Content-Type"])
    local decoder = core.eventstream_decoder(core.service "sagemaker-runtime",
      "InvokeEndpointWithResponseStream")
    assert(decoder:feed(response.body))
    local parts = {}
    for event in function() return assert_event(decoder:next()) end do
      parts[#parts + 1] = event.PayloadPart.Bytes
    end
    assert(decoder:finish())
    return parts, out
  end

  it("come part by part", function()
    sim:container("model", function()
      return { parts = { "to", "ken", "\0s" }, headers = { ["Content-Type"] = "text/x" } }
    end)
    local parts, out = parts_of { EndpointName = "e", Body = "" }
    assert.equal("AllTraffic", out.InvokedProductionVariant)
    assert.equal("text/x", out.ContentType)
    assert.same({ "to", "ken", "\0s" }, parts)
  end)

  it("come from a function, one part after the other", function()
    local list, last = { "a", "b" }, nil
    local function parts()
      if #list == 0 and last then error(last, 0) end
      return table.remove(list, 1)
    end
    sim:container("model", function() return { parts = parts } end)
    assert.same({ "a", "b" }, (parts_of { EndpointName = "e", Body = "" }))
    list = { "c", "d" }
    assert.equal("cd", invoke("InvokeEndpoint", { EndpointName = "e", Body = "" }).Body)
    list, last = { "e" }, "out of memory \255"
    local _, response = assert(invoke("InvokeEndpointWithResponseStream",
      { EndpointName = "e", Body = "" }))
    assert.matches("StreamBroken", response.body, 1, true)
    assert.matches("out of memory ?", response.body, 1, true)
    local _, code, text = invoke("InvokeEndpoint", { EndpointName = "e", Body = "" })
    assert.equal("ModelError", code)
    assert.matches("out of memory", text, 1, true)
    list, last = { "f", 7 }, nil
    _, response = assert(invoke("InvokeEndpointWithResponseStream",
      { EndpointName = "e", Body = "" }))
    assert.matches("a part that is no string", response.body, 1, true)
  end)

  it("come member by member from the echo, which a pause delays", function()
    sim:stream_pause(2)
    local before = sim:now()
    assert.equal(6, #parts_of { EndpointName = "e", Body = "" })
    assert.equal(10, sim:now() - before)
    local hasty = caller.new(sim, { model = "sagemaker-runtime", timeouts = { read = 1 } })
    local out, code = hasty("InvokeEndpointWithResponseStream", { EndpointName = "e", Body = "" })
    assert.is_nil(out)
    assert.equal("ReadTimeout", code)
  end)

  it("are cut at events, or into pieces", function()
    local body, kind = "data: a\n\ndata: b\r\n\r\ndata: end", "text/event-stream"
    sim:container("model", function()
      return { body = body, headers = { ["content-type"] = kind } }
    end)
    assert.same({ "data: a\n\n", "data: b\r\n\r\n", "data: end" },
      (parts_of { EndpointName = "e", Body = "" }))
    body, kind = ("x"):rep(20000), "text/plain"
    local parts = parts_of { EndpointName = "e", Body = "" }
    assert.same({ 8192, 8192, 3616 }, { #parts[1], #parts[2], #parts[3] })
    assert.equal(body, table.concat(parts))
  end)

  it("end with the error that the container ends with", function()
    sim:container("model", function()
      return { parts = { "half" }, stream_error = { code = "StreamBroken", message = "no more" } }
    end)
    local _, response = assert(invoke("InvokeEndpointWithResponseStream",
      { EndpointName = "e", Body = "" }))
    local decoder = core.eventstream_decoder(core.service "sagemaker-runtime",
      "InvokeEndpointWithResponseStream")
    assert(decoder:feed(response.body))
    assert.equal("half", decoder:next().PayloadPart.Bytes)
    local event, _, fault = decoder:next()
    assert.is_nil(event)
    assert.equal("ModelStreamError", fault.code)
    assert.equal("no more", fault.message)
    assert.equal("StreamBroken", fault.fields.ErrorCode)
  end)

  describe("for hosts that can send them", function()
    local core_service = core.service "sagemaker-runtime"
    local reads, closed

    -- A container whose transport reads what `reads` says.
    before_each(function()
      reads, closed = {}, 0
      local sent
      sim = simulator.new { invoke = function(request)
        if request.url:find "/ping$" then return { status = 200, headers = {}, body = "" } end
        sent = request
        if not request.stream then return { status = 200, headers = {}, body = "whole" } end
        return { status = 200, headers = { ["Content-Type"] = "text/x" }, reader = {
          read = function()
            local row = table.remove(reads, 1) or {}
            return row[1], row[2], row[3]
          end,
          close = function() closed = closed + 1 end,
        } }
      end, ping = true }
      local call = caller.new(sim)
      assert(call("CreateModel", { ModelName = "model", PrimaryContainer = {
        Image = caller.IMAGE, Environment = { SAGEMAKER_SIMULATOR_URL = "http://127.0.0.1:1" } },
        ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker" }))
      assert(call("CreateEndpointConfig", { EndpointConfigName = "c", ProductionVariants = { {
        VariantName = "v", ModelName = "model", InstanceType = "ml.m5.large",
        InitialInstanceCount = 1 } } }))
      assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "c" }))
      sim:advance(300)
      assert.is_nil(sent)
    end)

    local function ask(streams, path)
      local request = assert(core.encode(core_service, "InvokeEndpointWithResponseStream",
        { EndpointName = "e", Body = '{"stream": true}' }, false))
      request.path = path or request.path
      request.host, request.streams = "runtime.sagemaker.us-east-1.amazonaws.com", streams
      request.headers.Host = request.host
      core.signer { access_key_id = "test", secret_access_key = "test", region = "us-east-1",
        service = "sagemaker" }:sign(request, sim:now())
      return sim:handle(request)
    end

    local function events_of(bytes)
      local decoder = core.eventstream_decoder(core_service, "InvokeEndpointWithResponseStream")
      assert(decoder:feed(bytes))
      return decoder
    end

    it("come while they are read", function()
      reads = { { "a" }, { "b" } }
      local response = ask(true)
      assert.is_nil(response.body)
      assert.is_nil(response.headers["Content-Length"])
      assert.equal("text/x", response.headers["X-Amzn-SageMaker-Content-Type"])
      assert.equal(2, #reads)
      assert.equal("a", events_of(response.stream.next()):next().PayloadPart.Bytes)
      assert.equal(1, #reads)
      assert.equal("b", events_of(response.stream.next()):next().PayloadPart.Bytes)
      assert.is_nil(response.stream.next())
      assert.is_nil(response.stream.next())
      response.stream.close()
      assert.equal(1, closed)
    end)

    it("come whole to others", function()
      local response = ask(nil)
      assert.is_nil(response.stream)
      assert.equal("whole", events_of(response.body):next().PayloadPart.Bytes)
    end)

    it("tell how a transfer failed", function()
      for kind, code in pairs { timeout = "ModelInvocationTimeExceeded",
        transport = "StreamBroken" } do
        reads = { { "a" }, { nil, "what happened", { kind = kind } } }
        local response = ask(true)
        response.stream.next()
        local event, _, fault = events_of(response.stream.next()):next()
        assert.is_nil(event)
        assert.same({ "ModelStreamError", "what happened", code },
          { fault.code, fault.message, fault.fields.ErrorCode })
        assert.is_nil(response.stream.next())
      end
    end)

    it("come as they are on the OpenAI-compatible path, and say when they end too early", function()
      reads = { { "data: 1\n\n" }, { nil, "gone", { kind = "transport" } } }
      local response = ask(true, "/endpoints/e/openai/v1/chat/completions")
      assert.equal("data: 1\n\n", response.stream.next())
      assert.is_false(response.stream.failed())
      assert.is_nil(response.stream.next())
      assert.is_true(response.stream.failed())
    end)
  end)
end)
