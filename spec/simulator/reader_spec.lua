--- Response streams of the simulator in process, as its transport hands them out.

local caller = require "simulator.caller"
local core = require "sagemaker.core"
local sagemaker = require "sagemaker"

local RUNTIME = core.service "sagemaker-runtime"
local STREAM = "InvokeEndpointWithResponseStream"

describe("a reader of the simulator", function()
  local sim

  -- An endpoint "e" whose only model is "model", at this URL if there is one.
  local function prepare(opts, url)
    sim = sagemaker.simulator.new(opts)
    local call = caller.new(sim)
    assert(call("CreateModel", { ModelName = "model",
      ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
      PrimaryContainer = { Image = caller.IMAGE,
        Environment = url and { SAGEMAKER_SIMULATOR_URL = url } or nil } }))
    assert(call("CreateEndpointConfig", { EndpointConfigName = "c", ProductionVariants = { {
      VariantName = "v", ModelName = "model", InstanceType = "ml.m5.large",
      InitialInstanceCount = 1 } } }))
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "c" }))
    sim:advance(300)
  end

  before_each(function() prepare() end)

  -- Asks for a stream, as the transport's caller.
  local function send(name, timeouts, path)
    local request = assert(core.encode(RUNTIME, STREAM,
      { EndpointName = name, Body = '{"stream": true}' }, false))
    request.path = path or request.path
    request.host, request.stream = "runtime.sagemaker.us-east-1.amazonaws.com", true
    request.headers.Host, request.timeouts = request.host, timeouts
    core.signer { access_key_id = "test", secret_access_key = "test", region = "us-east-1",
      service = "sagemaker" }:sign(request, sim:now())
    return sim:send(request)
  end

  local function open(timeouts, path)
    return assert(send("e", timeouts, path)).reader
  end

  -- The event in bytes that are one frame.
  local function event_of(bytes)
    local decoder = core.eventstream_decoder(RUNTIME, STREAM)
    assert(decoder:feed(bytes))
    local event, message, fault = decoder:next()
    if event then assert(decoder:finish()) end
    return event and event.PayloadPart.Bytes, message, fault
  end

  local function part_of(reader)
    return event_of(assert(reader:read()))
  end

  it("gives part by part, and asks the container for no more than is read", function()
    local asked, list = 0, { "to", "", "ken" }
    sim:container("model", function()
      return { parts = function()
        asked = asked + 1
        return list[asked]
      end }
    end)
    local response = assert(send "e")
    assert.same({ 200, nil, nil }, { response.status, response.body, response.stream })
    assert.is_nil(response.headers["Content-Length"])
    local reader = response.reader
    assert.equal(0, asked)
    assert.equal("to", part_of(reader))
    assert.equal(1, asked)
    assert.equal("", part_of(reader))
    assert.equal("ken", part_of(reader))
    for _ = 1, 2 do assert.is_nil(reader:read()) end
    reader:close()
    assert.is_nil((select(2, reader:read())))
    assert.equal(4, asked)
  end)

  it("tells how a container ends its stream in the stream itself", function()
    sim:container("model", function()
      return { parts = { "half" }, stream_error = { code = "StreamBroken", message = "no more" } }
    end)
    local reader = open()
    assert.equal("half", part_of(reader))
    local event, _, fault = event_of(reader:read())
    assert.is_nil(event)
    assert.same({ "ModelStreamError", "no more", "StreamBroken" },
      { fault.code, fault.message, fault.fields.ErrorCode })
    assert.same({}, { reader:read() })
  end)

  it("lets the time between two parts pass when the second one is read", function()
    sim:stream_pause(2)
    local before = sim:now()
    local reader = open { read = 3 }
    part_of(reader)
    assert.equal(0, sim:now() - before)
    for i = 1, 5 do
      part_of(reader)
      assert.equal(2 * i, sim:now() - before)
    end
    assert.is_nil(reader:read())
    assert.equal(10, sim:now() - before)
  end)

  it("fails where a part does not come within the caller's time", function()
    sim:stream_pause(5)
    local before = sim:now()
    local reader = open { read = 2 }
    part_of(reader)
    for _ = 1, 2 do
      local bytes, message, err = reader:read()
      assert.is_nil(bytes)
      assert.equal("ReadTimeout: No byte more within 2 seconds.", message)
      assert.same({ "timeout", "ReadTimeout", true, true },
        { err.kind, err.code, err.sent, err.received })
      assert.equal(2, sim:now() - before)
    end
  end)

  it("ends in the middle of the first part by a knob", function()
    local whole = open():read()
    sim:truncate(1)
    local reader = open()
    assert.equal(whole:sub(1, math.floor(#whole / 2)), reader:read())
    for _ = 1, 2 do
      local bytes, _, err = reader:read()
      assert.is_nil(bytes)
      assert.same({ "transport", "ConnectionReset", true }, { err.kind, err.code, err.received })
    end
  end)

  it("is none where the answer is an error, or does not arrive", function()
    local response = assert(send "nobody")
    assert.same({ 400, nil }, { response.status, response.reader })
    assert.matches("not found", response.body)
    sim:drop(1)
    local _, message, err = send "e"
    assert.equal("ConnectionReset: The answer was lost on the way.", message)
    assert.is_true(err.sent)
  end)

  describe("over a container that is a URL", function()
    local rows, closed

    before_each(function()
      rows, closed = {}, 0
      prepare({ invoke = function(request)
        assert.is_true(request.stream)
        return { status = 200, headers = {}, reader = {
          read = function()
            local row = table.remove(rows, 1) or {}
            return row[1], row[2], row[3]
          end,
          close = function() closed = closed + 1 end,
        } }
      end }, "http://127.0.0.1:1")
      sim:health("model", true)
      sim:advance(600)
    end)

    it("gives it up when it is closed", function()
      rows = { { "a" }, { "b" } }
      local reader = open()
      assert.equal("a", part_of(reader))
      reader:close()
      reader:close()
      assert.equal(1, closed)
      local _, _, err = reader:read()
      assert.same({ "transport", "StreamClosed", false }, { err.kind, err.code, err.retryable })
      assert.equal(1, #rows)
    end)

    it("gives it up when the answer is lost", function()
      sim:reset(1)
      assert.is_nil((send "e"))
      assert.equal(1, closed)
      sim:latency(5)
      assert.is_nil((send("e", { read = 1 })))
      assert.equal(2, closed)
    end)

    it("fails on the OpenAI-compatible path when it breaks off", function()
      rows = { { "data: 1\n\n" }, { nil, "gone", { kind = "transport" } } }
      local reader = open(nil, "/endpoints/e/openai/v1/chat/completions")
      assert.equal("data: 1\n\n", reader:read())
      local bytes, _, err = reader:read()
      assert.is_nil(bytes)
      assert.equal("ConnectionReset", err.code)
    end)
  end)

  describe("under a client", function()
    local runtime

    before_each(function() runtime = assert(sagemaker.runtime { transport = sim }) end)

    local function body()
      return assert(runtime:invoke_endpoint_with_response_stream { EndpointName = "e",
        Body = "x" }).Body
    end

    it("gives the parts that the container gave, and its error", function()
      sim:container("model", function()
        return { parts = { "one ", "two" }, stream_error = { message = "no more" } }
      end)
      local stream = body()
      assert.equal("one ", stream:read())
      assert.equal("two", stream:read())
      local part, message, err = stream:read()
      assert.is_nil(part)
      assert.equal("ModelStreamError: no more", message)
      assert.equal("service", err.kind)
    end)

    it("is closed with the client's stream", function()
      local asked = 0
      sim:container("model", function()
        return { parts = function()
          asked = asked + 1
          return "x"
        end }
      end)
      local stream = body()
      stream:read()
      stream:close()
      assert.is_nil((stream:read()))
      assert.equal(1, asked)
    end)

    it("lets other streams go on while time passes", function()
      sim:stream_pause(1)
      sim:container("model", function(request)
        return { parts = { request.body .. 1, request.body .. 2 } }
      end)
      local seen = {}
      local function reads(name)
        return function()
          local stream = assert(runtime:invoke_endpoint_with_response_stream {
            EndpointName = "e", Body = name }).Body
          local part = stream:read()
          while part do
            seen[#seen + 1] = part
            part = stream:read()
          end
        end
      end
      local before = sim:now()
      for _, row in ipairs(sagemaker.all { reads "a", reads "b" }) do assert(row[1], row[2]) end
      assert.same({ "a1", "b1", "a2", "b2" }, seen)
      assert.equal(1, sim:now() - before)
    end)
  end)
end)
