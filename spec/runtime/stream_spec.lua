--- Response streams: over answers that came whole, and over readers that hand the body out as it
-- comes.

local core = require "sagemaker.core"
local script = require "support.scripted"

local CALL = { EndpointName = "churn", Body = "1,2" }
local scripted = script.runtime

local function frame(kind, name, payload)
  return core.eventstream_encode({ { name = ":message-type", value = kind },
    { name = ":" .. kind .. "-type", value = name } }, payload)
end

local function part(payload)
  return frame("event", "PayloadPart", payload)
end

local HEADERS = { ["x-Amzn-Invoked-Production-Variant"] = "blue",
  ["X-Amzn-SageMaker-Content-Type"] = "text/event-stream", ["x-amzn-requestid"] = "r-2" }

describe("a response stream", function()
  local PARTS = part("data: on") .. frame("event", "PayloadPart",
    "e\n\ndata: two\n") .. part("\ndata: [DONE]\n\n")

  it("is read by events, lines and parts", function()
    local answer = { body = PARTS, headers = HEADERS }
    local runtime, transport = scripted { answer, answer, answer }
    local stream = assert(runtime:invoke_endpoint_with_response_stream(CALL))
    assert.matches("/endpoints/churn/invocations%-response%-stream$", transport.requests[1].url)
    assert.equal("1,2", transport.requests[1].body)
    assert.equal("blue", stream.InvokedProductionVariant)
    assert.equal("text/event-stream", stream.ContentType)
    assert.equal(stream, stream.Body)
    assert.is_nil(stream.Nothing)
    local seen = {}
    for event in stream:sse() do seen[#seen + 1] = event.data end
    assert.same({ "one", "two" }, seen)
    stream = assert(runtime:call("InvokeEndpointWithResponseStream", CALL))
    seen = {}
    for line in stream.Body:lines() do seen[#seen + 1] = line end
    assert.same({ "data: one", "", "data: two", "", "data: [DONE]", "" }, seen)
    stream = assert(runtime:invoke_endpoint_with_response_stream(CALL))
    assert.equal("data: on", stream:read())
    stream:close()
    assert.equal("StreamClosed", select(3, stream:read()).code)
  end)

  it("ends in the error of the model, or in that of a broken stream", function()
    local runtime = scripted {
      { headers = HEADERS, body = PARTS:sub(1, #part("data: on"))
        .. frame("exception", "ModelStreamError", '{"Message":"boom","ErrorCode":"E"}') },
      { headers = HEADERS, body = PARTS:sub(1, -2) },
      { status = 424, headers = { ["x-amzn-errortype"] = "ModelError" }, body = "{}" },
    }
    local stream = assert(runtime:invoke_endpoint_with_response_stream(CALL))
    assert.equal("data: on", stream:read())
    local bytes, message, err = stream:read()
    assert.is_nil(bytes)
    assert.equal("ModelStreamError: boom", message)
    assert.equal("r-2", err.request_id)
    assert.equal("InvokeEndpointWithResponseStream", err.operation)
    assert.equal("E", err.fields.ErrorCode)
    stream = assert(runtime:invoke_endpoint_with_response_stream(CALL))
    local ok, raised = pcall(function()
      for _ in stream:parts() do bytes = true end
    end)
    assert.is_false(ok)
    assert.is_true(bytes)
    assert.equal("BrokenStream", raised.code)
    stream, message = runtime:invoke_endpoint_with_response_stream(CALL)
    assert.is_nil(stream)
    assert.matches("^ModelError", message)
  end)
end)

describe("a response stream with a reader", function()
  local function open(parts, options, call_options)
    local runtime, transport = scripted({ { headers = HEADERS, parts = parts } }, options)
    local stream, message, err = runtime:invoke_endpoint_with_response_stream(CALL, call_options)
    return stream, transport.readers[1], transport, message, err
  end

  local function drain(reader)
    local list = {}
    while true do
      local value, message, err = reader:next()
      if value == nil then return list, message, err end
      list[#list + 1] = value
    end
  end

  it("is asked for, and read only as far as somebody wants", function()
    local bytes = part "a\nb\n"
    local stream, reader, transport = open { bytes:sub(1, 7), bytes:sub(8), part "c", "never" }
    assert.is_true(transport.requests[1].stream)
    assert.equal("blue", stream.InvokedProductionVariant)
    assert.equal(0, reader.reads)
    local lines = stream:lines()
    assert.equal("a", lines:next())
    assert.equal("b", lines:next())
    assert.equal(2, reader.reads)
    assert.equal(0, reader.closed)
    stream:close()
    stream:close()
    assert.equal(1, reader.closed)
    assert.equal("StreamClosed", select(3, lines:next()).code)
  end)

  it("gives the connection back at its end", function()
    local stream, reader = open { part "a", part "b\n" .. part "c" }
    assert.same({ "ab", "c" }, (drain(stream:lines())))
    assert.equal(1, reader.closed)
    assert.is_nil(stream:read())
    stream:close()
    assert.equal(1, reader.closed)
  end)

  it("is asked for by operations that stream, and by no other", function()
    local runtime, transport = scripted { { parts = { "an", "swer" } } }
    assert.equal("answer", runtime:invoke_endpoint(CALL).Body)
    assert.is_nil(transport.requests[1].stream)
    local request = assert(runtime:request("InvokeEndpointWithResponseStream", CALL))
    assert.is_nil(request.stream)
  end)

  it("ends in the failure of the transport, with what is known of the call", function()
    local stream, reader = open { part "a\n", { kind = "timeout", code = "ReadTimeout",
      message = "no byte for 70 s" } }
    local list, message, err = drain(stream:lines())
    assert.same({ "a" }, list)
    assert.equal("ReadTimeout: no byte for 70 s", message)
    assert.equal("timeout", err.kind)
    assert.equal("InvokeEndpointWithResponseStream", err.operation)
    assert.equal("r-2", err.request_id)
    assert.equal(1, err.attempts)
    assert.is_true(err.received)
    assert.equal(1, reader.closed)
    assert.equal(err, select(3, stream:read()))
    assert.equal(2, reader.reads)
  end)

  it("ends in the error of the model", function()
    for _, case in ipairs {
      { "ModelStreamError", '{"Message":"boom","ErrorCode":"E"}', "ModelStreamError: boom" },
      { "InternalStreamFailure", '{"Message":"ours"}', "InternalStreamFailure: ours" },
    } do
      local stream, reader = open { part "a", frame("exception", case[1], case[2]), part "b" }
      local list, message, err = drain(stream:parts())
      assert.same({ "a" }, list)
      assert.equal(case[3], message)
      assert.equal("service", err.kind)
      assert.equal(case[1], err.code)
      assert.equal(1, err.attempts)
      assert.equal(1, reader.closed)
      assert.equal(2, reader.reads)
    end
  end)

  it("is an error when it is cut or corrupt, and the connection is given up", function()
    local bytes = part "a\n"
    for _, parts in ipairs { { bytes, bytes:sub(1, -3) }, { bytes, bytes:sub(1, -2) .. "\0", "" },
      { bytes .. "\0\0\0\1\0\0\0\0\0\0\0\0" } } do
      local stream, reader = open(parts)
      local list, message, err = drain(stream:lines())
      assert.same({ "a" }, list)
      assert.matches("^BrokenStream: ", message)
      assert.equal("protocol", err.kind)
      assert.equal("InvokeEndpointWithResponseStream", err.operation)
      assert.equal(1, reader.closed)
    end
  end)

  it("does not count towards the largest answer", function()
    local parts = {}
    for i = 1, 100 do parts[i] = part(("x"):rep(1000)) end
    local stream = open(parts, { max_response_bytes = 1000 })
    local size = 0
    for bytes in stream:parts() do size = size + #bytes end
    assert.equal(100000, size)
  end)

  it("is not there where the model has answered an error", function()
    local runtime, transport = scripted { { status = 424, parts = { '{"Message":', '"m"}' },
      headers = { ["x-amzn-errortype"] = "ModelError" } } }
    local stream, message, err = runtime:invoke_endpoint_with_response_stream(CALL)
    assert.is_nil(stream)
    assert.equal("ModelError: m", message)
    assert.equal(424, err.status)
    assert.equal(1, err.attempts)
    assert.equal(0, #transport.readers)
  end)

  it("is tried again up to its head, where that is safe, and never after it", function()
    local runtime, transport = scripted { { code = "ConnectionRefused", sent = false },
      { headers = HEADERS, parts = { part "a", { code = "ConnectionReset" } } } }
    local stream = assert(runtime:invoke_endpoint_with_response_stream(CALL))
    local _, _, err = drain(stream:parts())
    assert.equal("ConnectionReset", err.code)
    assert.equal(2, err.attempts)
    assert.equal(2, #transport.requests)
    runtime, transport = scripted { { delay = 100 } }
    stream, _, err = runtime:invoke_endpoint_with_response_stream(CALL,
      { timeouts = { attempt = 5, read = 3 } })
    assert.is_nil(stream)
    assert.equal("AttemptTimeout", err.code)
    assert.equal(3, transport.requests[1].timeouts.read)
    assert.equal(1, #transport.requests)
  end)

  it("shows its head to hooks and loggers, and its failure to these", function()
    local seen, lines = nil, {}
    local stream, reader = open({ part "a", { code = "ConnectionReset", message = "gone" } }, {
      hooks = { after_response = function(response) seen = response end },
      logger = function(_, text) lines[#lines + 1] = text end,
    })
    assert.equal(200, seen.status)
    assert.equal(reader, seen.reader)
    assert.is_nil(seen.body)
    assert.matches("InvokeEndpointWithResponseStream: HTTP 200, a stream; ",
      table.concat(lines, "\n"), 1, true)
    assert.equal("a", stream:read())
    stream:read()
    assert.equal("InvokeEndpointWithResponseStream: ConnectionReset: gone", lines[#lines])
  end)

  it("is closed when a hook throws or its head cannot be read", function()
    local runtime, transport = scripted { { headers = HEADERS, parts = { part "a" } } }
    assert.error_matches(function()
      runtime:invoke_endpoint_with_response_stream(CALL,
        { hooks = { after_response = function() error("boom", 0) end } })
    end, "^boom$")
    assert.equal(1, transport.readers[1].closed)
  end)
end)

describe("the text of a response stream", function()
  local function pieces(parts)
    local frames = {}
    for i, bytes in ipairs(parts) do frames[i] = part(bytes) end
    local runtime = scripted { { headers = HEADERS, parts = frames } }
    local list = {}
    for text in assert(runtime:invoke_endpoint_with_response_stream(CALL)):text() do
      list[#list + 1] = text
    end
    return list
  end

  it("never cuts a character", function()
    assert.same({ "a", "é", "b" }, pieces { "a\195", "", "\169", "b" })
    assert.same({ "😀", "x" }, pieces { "\240", "\159", "\152", "\128", "x" })
    assert.same({ "日本", "語!" }, pieces { "日本\232", "\170\158!" })
    assert.same({ "a", "…" }, pieces { "a\226\128", "\166" }) -- the least of bytes that go on
    assert.same({ "a", "\223\191", "\194\128" }, pieces { "a\223", "\191\194", "\128" })
    assert.same({ "\224\160\128" }, pieces { "\224", "\160", "\128" })
  end)

  it("hands on what is no text as it is", function()
    assert.same({ "\255\254", "a\128" }, pieces { "\255\254", "a\128" })
    assert.same({ "a", "\240\159" }, pieces { "a\240", "\159" })
    assert.same({ "\195a" }, pieces { "\195", "a" })
    assert.same({ "\128\128\128\128" }, pieces { "\128\128\128\128" })
  end)

  it("leaves what it holds back to the reader that comes after it", function()
    local runtime = scripted { { headers = HEADERS, parts = { part "a\195", part "\169\nb" } } }
    local stream = assert(runtime:invoke_endpoint_with_response_stream(CALL))
    assert.equal("a", stream:text():next())
    assert.equal("é", stream:lines():next())
    assert.equal("b", stream:text():next())
  end)
end)
