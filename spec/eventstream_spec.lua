--- Event streams: frames in and out, events by the shapes of an operation, failures.

local core = require "sagemaker.core"
local shapes = require "support.shapes"

local OPERATION = "InvokeEndpointWithResponseStream"

local function frame(headers, payload)
  local list = {}
  for i, row in ipairs(headers) do list[i] = { name = row[1], value = row[2], type = row[3] } end
  return core.eventstream_encode(list, payload)
end

local function event(kind, payload)
  return frame({ { ":message-type", "event" }, { ":event-type", kind } }, payload)
end

local function exception(kind, payload)
  return frame({ { ":message-type", "exception" }, { ":exception-type", kind } }, payload)
end

local function decoder(max)
  return core.eventstream_decoder(core.service "sagemaker-runtime", OPERATION, max)
end

-- All bytes of the PayloadParts, and how the stream ended: true, or message and fault.
local function read(stream, pieces)
  local parts = {}
  for _, piece in ipairs(pieces) do
    stream:feed(piece)
    local got, message, fault = stream:next()
    while got do
      parts[#parts + 1] = got.PayloadPart.Bytes
      got, message, fault = stream:next()
    end
    if message then return parts, message, fault end
  end
  local ok, why, what = stream:finish()
  return parts, ok or why, what
end

local function has(text, part)
  assert.is_truthy(text:find(part, 1, true), ("%q is not in %q"):format(part, text))
end

describe("event streams", function()
  it("give their events however they are cut", function()
    local bytes = event("PayloadPart", "one") .. event("PayloadPart", "")
      .. event("PayloadPart", ("two"):rep(300))
    local want = { "one", "", ("two"):rep(300) }
    for cut = 0, #bytes do
      local parts, ended = read(decoder(), { bytes:sub(1, cut), bytes:sub(cut + 1) })
      assert.same(want, parts)
      assert.is_true(ended)
    end
    local one = {}
    for i = 1, #bytes do one[i] = bytes:sub(i, i) end
    assert.same(want, (read(decoder(), one)))
  end)

  it("skip events that nobody knows", function()
    local parts, ended = read(decoder(), { event("Novelty", "{}") .. event("PayloadPart", "x") })
    assert.same({ "x" }, parts)
    assert.is_true(ended)
  end)

  it("tell exceptions of the service, with their fields, and stay failed", function()
    local stream = decoder()
    local parts, message, fault = read(stream, { event("PayloadPart", "x")
      .. exception("ModelStreamError", '{"Message":"boom","ErrorCode":"StreamBroken"}')
      .. event("PayloadPart", "y") })
    assert.same({ "x" }, parts)
    assert.equal("ModelStreamError: boom", message)
    assert.equal("ModelStreamError", fault.code)
    assert.equal("boom", fault.message)
    assert.equal("StreamBroken", fault.fields.ErrorCode)
    local got, again, same = stream:next()
    assert.is_nil(got)
    assert.equal(message, again)
    assert.equal(fault, same)
    assert.same({ nil, message, fault }, { stream:finish() })
  end)

  it("tell exceptions that have no shape", function()
    local _, message, fault = read(decoder(), { exception("Odd", '{"message":"why"}') })
    assert.equal("Odd: why", message)
    assert.equal("Odd", fault.code)
    _, message, fault = read(decoder(), { exception("Odd", "") })
    assert.equal("Odd", message)
    assert.equal("", fault.message)
  end)

  it("tell errors", function()
    local _, message, fault = read(decoder(), { frame({ { ":message-type", "error" },
      { ":error-code", "InternalError" }, { ":error-message", "it broke" } }) })
    assert.equal("InternalError: it broke", message)
    assert.same({ code = "InternalError", message = "it broke" }, fault)
    _, message = read(decoder(), { frame({ { ":message-type", "error" } }) })
    assert.equal("UnknownError", message)
  end)

  it("are refused when they are corrupt or cut", function()
    local bytes = event("PayloadPart", "one")
    for i = 1, #bytes do
      local broken = bytes:sub(1, i - 1) .. string.char((bytes:byte(i) + 1) % 256)
        .. bytes:sub(i + 1)
      local parts, message, fault = read(decoder(), { broken })
      assert.same({}, parts)
      has(message, "the event stream cannot be read: the checksum")
      assert.is_nil(fault)
    end
    for i = 1, #bytes - 1 do
      local _, message = read(decoder(), { bytes:sub(1, i) })
      has(message, ("the stream ends inside of a frame at byte %d"):format(i + 1))
    end
  end)

  it("are refused when a message is none", function()
    local rows = {
      ["a message has no :message-type"] = { { ":event-type", "PayloadPart" } },
      [":message-type is no string"] = { { ":message-type", "event", "bytes" } },
      ["an unknown :message-type"] = { { ":message-type", "novelty" } },
      ["an event has no :event-type"] = { { ":message-type", "event" } },
      [":event-type is no string"] = { { ":message-type", "event" }, { ":event-type", 1 } },
      ["an exception has no :exception-type"] = { { ":message-type", "exception" } },
    }
    for message, headers in pairs(rows) do
      local stream = decoder()
      stream:feed(frame(headers, ""))
      local got, told, fault = stream:next()
      assert.is_nil(got)
      has(told, message)
      assert.is_nil(fault)
      assert.equal(told, select(2, stream:next()))
    end
  end)

  it("have a limit", function()
    local _, message = read(decoder(100), { event("PayloadPart", ("x"):rep(100)) })
    has(message, "the frame is longer than the limit at byte 1")
    assert.has_error(function() decoder(1) end)
  end)

  it("are only those of operations that answer one", function()
    assert.has_error(function()
      core.eventstream_decoder(core.service "sagemaker-runtime", "InvokeEndpoint")
    end, "InvokeEndpoint answers no event stream")
    assert.has_error(function()
      core.eventstream_decoder(core.service "sagemaker-runtime", "Invoke")
    end)
    assert.has_error(function()
      local stream = decoder()
      stream:feed("x")
      stream:finish()
    end, "there are bytes that next() did not read yet")
  end)

  it("keep the pieces alive that they still need", function()
    local stream = decoder()
    for i = 1, 200 do
      stream:feed(event("PayloadPart", ("%d"):format(i):rep(50)))
      collectgarbage()
    end
    for i = 1, 200 do
      assert.equal(("%d"):format(i):rep(50), stream:next().PayloadPart.Bytes)
      if i % 10 == 0 then collectgarbage() end
    end
    assert.is_true(stream:finish())
  end)
end)

-- {{ Events with members of every kind

local SERVICE = core.load_service {
  metadata = { protocol = "rest-json", serviceId = "Events" },
  operations = { Op = { output = { shape = "Output" },
    http = { method = "POST", requestUri = "/" } } },
  shapes = {
    Blob = { type = "blob" },
    Bool = { type = "boolean" },
    Explicit = { type = "structure", event = true, members = {
      Text = { shape = "Text", eventheader = true },
      Data = { shape = "Struct", eventpayload = true } } },
    Headers = { type = "structure", event = true, members = {
      Blob = { shape = "Blob", eventheader = true }, Bool = { shape = "Bool", eventheader = true },
      Int = { shape = "Int", eventheader = true }, Long = { shape = "Long", eventheader = true },
      Text = { shape = "Text", eventheader = true },
      Time = { shape = "Time", eventheader = true } } },
    Implicit = { type = "structure", event = true, members = {
      Header = { shape = "Int", eventheader = true }, Data = { shape = "Struct" },
      Text = { shape = "Text" } } },
    Int = { type = "integer" },
    Long = { type = "long" },
    Output = { type = "structure", payload = "Stream", members = {
      Stream = { shape = "Stream" } } },
    Stream = { type = "structure", eventstream = true, members = {
      Explicit = { shape = "Explicit" }, Headers = { shape = "Headers" },
      Implicit = { shape = "Implicit" }, Text = { shape = "TextEvent" } } },
    Struct = { type = "structure", members = { A = { shape = "Int" } } },
    Text = { type = "string" },
    TextEvent = { type = "structure", event = true, members = {
      Text = { shape = "Text", eventpayload = true } } },
    Time = { type = "timestamp" },
  },
}

local function one(kind, headers, payload)
  local list = { { ":message-type", "event" }, { ":event-type", kind } }
  for _, row in ipairs(headers) do list[#list + 1] = row end
  local stream = core.eventstream_decoder(SERVICE, "Op")
  stream:feed(frame(list, payload))
  return stream:next()
end

describe("events", function()
  it("have members in headers", function()
    assert.same({ Headers = { Blob = "\0\255", Bool = false, Int = -3, Long = 2 ^ 40,
      Text = "é", Time = 1.5 } }, one("Headers", { { "Blob", "\0\255", "bytes" },
        { "Bool", false }, { "Int", -3, "short" }, { "Long", 2 ^ 40 }, { "Text", "é" },
        { "Time", 1.5, "timestamp" } }, ""))
    assert.same({ Headers = {} }, one("Headers", {}, "ignored"))
  end)

  it("have a payload, or JSON of what is no header", function()
    assert.same({ Explicit = { Text = "t", Data = { A = 1 } } },
      one("Explicit", { { "Text", "t" } }, '{"A":1}'))
    assert.same({ Explicit = {} }, one("Explicit", {}, ""))
    assert.same({ Implicit = { Header = 1, Text = "t", Data = { A = 2 } } },
      one("Implicit", { { "Header", 1, "byte" } }, '{"Text":"t","Data":{"A":2}}'))
    assert.same({ Text = { Text = "é" } }, one("Text", {}, "é"))
  end)

  it("are refused where they are not as the model says", function()
    local rows = {
      { "Headers", { { "Int", "3" } }, "",
        "Headers.Int: expected an integer in a header, got the type string" },
      { "Explicit", {}, '{"A":"x"}', "Explicit.Data.A: expected an integer" },
      { "Explicit", {}, '{"A":', "not valid JSON" },
      { "Implicit", {}, '{"Data":1}', "Implicit.Data: expected an object" },
      { "Text", {}, "\255", "Text.Text: not valid UTF-8" },
    }
    for _, row in ipairs(rows) do
      local got, message = one(row[1], row[2], row[3])
      assert.is_nil(got)
      has(message, row[4])
    end
  end)
end)

-- }}

describe("frames", function()
  local TYPES = { { "boolean", true }, { "boolean", false }, { "byte", -128 }, { "short", 32767 },
    { "integer", -2147483648 }, { "long", 2 ^ 52 }, { "bytes", "\0\1" }, { "string", "é" },
    { "timestamp", 1768480496.123 }, { "uuid", "0123456789abcdef" } }

  it("come back as they were", function()
    local list = {}
    for i, row in ipairs(TYPES) do
      list[i] = { name = "h" .. i, type = row[1], value = row[2] }
    end
    local stream = core.eventstream_decoder()
    stream:feed(core.eventstream_encode(list, "payload"))
    assert.same({ headers = list, payload = "payload" }, stream:next())
    assert.is_true(stream:finish())
  end)

  it("of random headers come back, cut anywhere", function()
    local rnd = shapes.random(1)
    local bytes, want = {}, {}
    for i = 1, 50 do
      local list = {}
      for j = 1, rnd(5) do
        local row = TYPES[1 + rnd(#TYPES)]
        list[j] = { name = "h" .. j, type = row[1], value = row[2] }
      end
      want[i] = { headers = list, payload = ("p"):rep(rnd(300)) }
      bytes[i] = core.eventstream_encode(list, want[i].payload)
    end
    local all, stream, got = table.concat(bytes), core.eventstream_decoder(), {}
    while #all > 0 do
      local n = 1 + rnd(200)
      stream:feed(all:sub(1, n))
      all = all:sub(n + 1)
      for message in function() return (stream:next()) end do got[#got + 1] = message end
    end
    assert.is_true(stream:finish())
    assert.same(want, got)
  end)

  it("refuse what they cannot hold", function()
    local rows = { { value = "x" }, { name = "", value = "x" }, { name = "a" },
      { name = "a", value = 1.5 }, { name = "a", value = 200, type = "byte" },
      { name = "a", value = "x", type = "uuid" }, { name = "a", value = "x", type = "odd" },
      { name = "a", value = 1, type = "string" }, { name = "a", value = "\255" },
      { name = "a", value = 0 / 0, type = "timestamp" }, 1 }
    for _, row in ipairs(rows) do
      local ok, message = pcall(core.eventstream_encode, { row }, "")
      assert.is_false(ok)
      has(message, "header 1: ")
    end
    assert.has_error(function()
      core.eventstream_encode({ { name = "a", value = 1 }, { name = "a", value = 2 } }, "")
    end)
  end)
end)
