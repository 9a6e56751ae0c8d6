--- Readers of streams: whatever the boundaries of the parts, the same lines, events and values.

local errors = require "sagemaker.error"
local sagemaker_null = require "sagemaker.null"
local shapes = require "support.shapes"
local sources = require "sagemaker.stream.source"
local streams = require "sagemaker.stream"

-- A source that gives these parts; the last entry may be an err.
local function source(parts)
  local n = 0
  return function()
    n = n + 1
    local part = parts[n]
    if errors.is(part) then return nil, tostring(part), part end
    return part
  end
end

local function of(parts, opts)
  return streams.new(source(parts), opts)
end

local function drain(reader)
  local list = {}
  while true do
    local value, message, err = reader:next()
    if value == nil then return list, message, err end
    list[#list + 1] = value
  end
end

local READERS = {
  lines = function(stream) return stream:lines() end,
  json_lines = function(stream) return stream:json_lines() end,
  sse = function(stream) return stream:sse() end,
}

-- Every cut in two, and many random ones, must give what `expected` says.
local function check_cuts(kind, text, expected, rounds)
  local open = READERS[kind]
  for cut = 0, #text do
    local list, message = drain(open(of { text:sub(1, cut), text:sub(cut + 1) }))
    assert.is_nil(message)
    assert.same(expected, list, ("cut at %d"):format(cut))
  end
  local bytes = {}
  for i = 1, #text do bytes[i] = text:sub(i, i) end
  assert.same(expected, (drain(open(of(bytes)))))
  local rnd = shapes.random(#text)
  for _ = 1, rounds do
    local parts, at = {}, 1
    while at <= #text do
      local n = rnd(1 + rnd(20))
      parts[#parts + 1] = text:sub(at, at + n - 1)
      at = at + n
    end
    local got = drain(open(of(parts)))
    for i = 1, math.max(#expected, #got) do
      if type(expected[i]) ~= "table" then
        if expected[i] ~= got[i] then assert.same(expected, got) end
      elseif expected[i].data ~= (got[i] or {}).data or expected[i].event ~= got[i].event then
        assert.same(expected, got)
      end
    end
  end
end

local BROKEN = errors.new { kind = "transport", code = "ConnectionReset", message = "gone" }

describe("stream", function()
  it("gives its parts as they come", function()
    local stream = of { "a", "", "bc" }
    assert.same({ "a", "", "bc" }, (drain(stream:parts())))
    assert.is_nil(stream:read())
    assert.same({}, (drain(of({}):parts())))
  end)

  it("gives whole lines", function()
    local long = ("é"):rep(50)
    check_cuts("lines", "one\n\ntwo é日本😀\r\n\rthree\r\n" .. long .. "\nlast",
      { "one", "", "two é日本😀", "\rthree", long, "last" }, 10000)
    check_cuts("lines", "a\n", { "a" }, 10)
    check_cuts("lines", "\n\n", { "", "" }, 10)
    check_cuts("lines", "", {}, 1)
  end)

  it("joins a line of very many parts", function()
    local parts = {}
    for i = 1, 5000 do parts[i] = string.char(97 + i % 26) end
    local text = table.concat(parts)
    parts[#parts + 1] = "\nx"
    assert.same({ text, "x" }, (drain(of(parts):lines())))
  end)

  it("gives server-sent events", function()
    local text = "\239\187\191: comment\ndata: one\n\nevent: add\ndata:two\ndata:  lines\nid: 7\n\n"
      .. "retry: 300\nretry: x\nnoise: 1\nfield\n\ndata\n\nid: a\0b\nevent: lost\n\n"
      .. "data: é日本\r\n\r\ndata: cr\rdata: too\r\rid\ndata:{\"a\": \"b: c\"}\n\n"
      .. "data: [DONE]\n\ndata: never\n\n"
    check_cuts("sse", text, {
      { event = "message", data = "one" },
      { event = "add", data = "two\n lines", id = "7" },
      { event = "message", data = "", id = "7", retry = 300 },
      { event = "message", data = "é日本", id = "7" },
      { event = "message", data = "cr\ntoo", id = "7" },
      { event = "message", data = '{"a": "b: c"}', id = "" },
    }, 10000)
  end)

  it("gives an event that the end cuts short of its blank line", function()
    check_cuts("sse", "data: a\n\ndata: b", { { event = "message", data = "a" },
      { event = "message", data = "b" } }, 10)
    check_cuts("sse", "data: a\n\ndata: [DONE]", { { event = "message", data = "a" } }, 10)
    check_cuts("sse", "event: a\n", {}, 10)
    check_cuts("sse", "\239\187\191\n\ndata: a\n\n", { { event = "message", data = "a" } }, 10)
  end)

  it("reads on to the end of the stream after the last event, and tells its failure", function()
    local closed = {}
    local function close(err) closed[#closed + 1] = err and err.code or "end" end
    local stream = of({ "data: a\n\ndata: [DONE]\n\n", ": bye\n\n", "data: b\n\n" },
      { close = close })
    assert.equal(1, #drain(stream:sse()))
    assert.same({ "end" }, closed)
    assert.is_nil(stream:read())
    local events = of({ "data: a\n\ndata: [DONE]\n\n", BROKEN }, { close = close }):sse()
    local list, _, err = drain(events)
    assert.equal(1, #list)
    assert.equal(BROKEN, err)
    assert.equal(BROKEN, select(3, events:next()))
    local reads = 0
    events = streams.new(function()
      reads = reads + 1
      return reads == 1 and "data: [DONE]\n\n" or ("x"):rep(1000)
    end, { close = close }):sse()
    assert.same({}, (drain(events)))
    assert.is_true(reads < 100)
    assert.same({ "end", "ConnectionReset", "end" }, closed)
  end)

  it("knows other ends of server-sent events, or none", function()
    local text = "data: [DONE]\n\ndata: END\n\ndata: x\n\n"
    local first = drain(of({ text }):sse { last = "END" })
    assert.same({ { event = "message", data = "[DONE]" } }, first)
    assert.equal(3, #drain(of({ text }):sse { last = false }))
  end)

  it("gives values of JSON lines", function()
    check_cuts("json_lines", '\239\187\191"one"\n\n  \n"two é"\r\n12\n"last"',
      { "one", "two é", 12, "last" }, 10000)
    local list = drain(of({ '{"a":[1,null]}\nfalse\nnull\n' }):json_lines())
    assert.same({ { a = { 1, sagemaker_null } }, false, sagemaker_null }, list)
  end)

  it("says which line is no JSON, and stays there", function()
    for _, line in ipairs { "{", "1 2", "nul", "1\0" } do
      local reader = of({ "1\n\n", line, "\n2" }):json_lines()
      local list, message, err = drain(reader)
      assert.same({ 1 }, list)
      assert.matches("^InvalidJSON: line 3 of the stream is not valid JSON", message)
      assert.equal("protocol", err.kind)
      assert.equal(message, select(2, reader:next()))
    end
  end)

  it("keeps no more than its limit", function()
    local read = 0
    local stream = streams.new(function()
      read = read + 100
      return ("x"):rep(100)
    end, { max_bytes = 1000 })
    local list, message, err = drain(stream:lines())
    assert.same({}, list)
    assert.equal("LineTooLong: a line of the stream is longer than 1000 bytes", message)
    assert.equal("LineTooLong", err.code)
    assert.is_true(read <= 1100)
    list, message = drain(of({ ("data: 12345\n"):rep(300) }, { max_bytes = 1000 }):sse())
    assert.same({}, list)
    assert.equal("EventTooLarge: an event of the stream is larger than 1000 bytes", message)
    list, message = drain(of({ ("x"):rep(1000), "\n" }, { max_bytes = 1000 }):lines())
    assert.same({ ("x"):rep(1000) }, list)
    assert.is_nil(message)
    list = drain(of({ ("data: 12345\n\n"):rep(300) }, { max_bytes = 1000 }):sse())
    assert.equal(300, #list)
  end)

  it("tells failures, and never what came before them as if it were whole", function()
    for kind, open in pairs(READERS) do
      local stream = of { '"a"\ndata: b\n\n"c', BROKEN }
      local reader = open(stream)
      local list, message, err = drain(reader)
      assert.equal(kind == "json_lines" and "InvalidJSON" or "ConnectionReset", err.code)
      assert.equal(tostring(err), message)
      assert.equal(kind == "lines" and 3 or 1, #list)
      assert.equal(err, select(3, reader:next()))
      assert.equal(err, select(3, stream:read()))
    end
  end)

  it("gives a failure without an err one", function()
    local _, message, err = streams.new(function() return nil, "cut" end):read()
    assert.equal("StreamBroken: cut", message)
    assert.equal("transport", err.kind)
  end)

  it("raises failures in generic for", function()
    local seen = {}
    local ok, err = pcall(function()
      for line in of({ "a\nb", BROKEN }):lines() do seen[#seen + 1] = line end
    end)
    assert.is_false(ok)
    assert.equal(BROKEN, err)
    assert.same({ "a" }, seen)
    for line in of({ "a" }):lines() do seen[#seen + 1] = line end
    assert.same({ "a", "a" }, seen)
  end)

  it("lets one reader go on where another stopped", function()
    local stream = of { "a\nb\r", "\ndata: c\r", "\n\r", "\nrest", " of it" }
    assert.equal("a", stream:lines():next())
    assert.equal("b", stream:lines():next())
    assert.equal("c", stream:sse():next().data)
    assert.same({ "rest", " of it" }, (drain(stream:parts())))
  end)

  it("reads no further than it must", function()
    local read = 0
    local stream = streams.new(function()
      read = read + 1
      return "line\nline\n"
    end)
    local lines = stream:lines()
    assert.equal(0, read)
    lines:next()
    lines:next()
    assert.equal(1, read)
    lines:next()
    assert.equal(2, read)
  end)

  it("closes its source once, at any time", function()
    local closed = 0
    local function close() closed = closed + 1 end
    local stream = of({ "a\nb\n", "c" }, { close = close })
    assert.equal("a", stream:lines():next())
    stream:close()
    stream:close()
    assert.equal(1, closed)
    local line, message, err = stream:lines():next()
    assert.is_nil(line)
    assert.equal("StreamClosed: the stream was closed before its end", message)
    assert.equal("StreamClosed", err.code)
    stream = of({ "a" }, { close = close })
    drain(stream:lines())
    assert.equal(2, closed)
    stream:close()
    assert.is_nil(select(2, stream:read()))
    stream = of({ BROKEN }, { close = close })
    stream:read()
    assert.equal(3, closed)
  end)
end)

describe("payloads of an event stream", function()
  local core = require "sagemaker.core"

  local function frame(kind, name, payload)
    return core.eventstream_encode({ { name = ":message-type", value = kind },
      { name = ":" .. kind .. "-type", value = name } }, payload)
  end

  local function payloads(parts)
    local decoder = core.eventstream_decoder(core.service "sagemaker-runtime",
      "InvokeEndpointWithResponseStream")
    return streams.new(sources.payloads(source(parts), decoder))
  end

  it("are its parts", function()
    local bytes = frame("event", "PayloadPart", "a\nb") .. frame("event", "Novelty", "{}")
      .. frame("event", "PayloadPart", "") .. frame("event", "PayloadPart", "c\n")
    for cut = 0, #bytes do
      local stream = payloads { bytes:sub(1, cut), bytes:sub(cut + 1) }
      assert.same({ "a", "bc" }, (drain(stream:lines())))
    end
    assert.same({ "a\nb", "", "c\n" }, (drain(payloads({ bytes }):parts())))
  end)

  it("end in the error of the service", function()
    local stream = payloads { frame("event", "PayloadPart", "a\nb"),
      frame("exception", "ModelStreamError", '{"Message":"boom","ErrorCode":"X"}') }
    local list, message, err = drain(stream:lines())
    assert.same({ "a" }, list)
    assert.equal("ModelStreamError: boom", message)
    assert.equal("service", err.kind)
    assert.equal("X", err.fields.ErrorCode)
    assert.is_false(err.retryable)
  end)

  it("are refused when they are cut or corrupt", function()
    local bytes = frame("event", "PayloadPart", "a\n")
    local list, message, err = drain(payloads({ bytes, bytes:sub(1, -2) }):lines())
    assert.same({ "a" }, list)
    assert.matches("^BrokenStream: .*the stream ends inside of a frame at byte %d+$", message)
    assert.equal("protocol", err.kind)
    list, message = drain(payloads({ bytes:sub(1, -2) .. "x" }):lines())
    assert.same({}, list)
    assert.matches("^BrokenStream: .*the checksum of the message is wrong", message)
    list, message = drain(payloads({ bytes, BROKEN }):lines())
    assert.same({ "a" }, list)
    assert.equal("ConnectionReset: gone", message)
  end)
end)
