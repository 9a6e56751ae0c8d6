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
end)
