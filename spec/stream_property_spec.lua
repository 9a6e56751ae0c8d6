--- What holds for every stream: however a body is cut, its readers give the same; what is corrupt
-- or missing is an error, never silence. Expectations come from readers of whole texts, written
-- here for that purpose.

local core = require "sagemaker.core"
local shapes = require "support.shapes"
local streams = require "sagemaker.stream"
local stub = require "sagemaker.transport.stub"
local sagemaker = require "sagemaker"

local cjson = require "cjson"

-- A restless collector makes everything many times as slow.
local ROUNDS = os.getenv "SAGEMAKER_TORTURE" and 200 or 10000

-- {{ Readers of whole texts

local function lines_of(text)
  local list = {}
  for line in text:gmatch "[^\n]*\n" do list[#list + 1] = line:gsub("\r?\n$", "") end
  local rest = text:match "[^\n]*$"
  if rest ~= "" then list[#list + 1] = rest:gsub("\r$", "") end
  return list
end

-- A value as text, keys in order.
local function shown(value)
  if type(value) == "number" then return ("%.14g"):format(value) end
  if type(value) ~= "table" then return type(value) .. " " .. tostring(value) end
  local list = {}
  for key, item in pairs(value) do list[#list + 1] = tostring(key) .. "=" .. shown(item) end
  table.sort(list)
  return "{" .. table.concat(list, ",") .. "}"
end

local function json_of(text)
  local list = {}
  for _, line in ipairs(lines_of(text)) do
    if line:find "%S" then list[#list + 1] = shown(cjson.decode(line)) end
  end
  return list
end

-- "type id retry|data" of each event, in the order of the HTML standard's own algorithm.
local function events_of(text)
  local list, data, kind, id, retry = {}, {}, nil, nil, nil
  text = text:gsub("\r\n", "\n"):gsub("\r", "\n")
  if text:sub(-1) ~= "\n" then text = text .. "\n" end
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    if line == "" then
      if #data > 0 then
        local joined = table.concat(data, "\n")
        if joined == "[DONE]" then return list end
        list[#list + 1] = ("%s %s %s|%s"):format(kind or "message", id or "-", retry or "-", joined)
        retry = nil
      end
      data, kind = {}, nil
    elseif line:sub(1, 1) ~= ":" then
      local name, value = line, ""
      local colon = line:find(":", 1, true)
      if colon then
        name, value = line:sub(1, colon - 1), line:sub(colon + 1):gsub("^ ", "")
      end
      if name == "data" then data[#data + 1] = value end
      if name == "event" then kind = value ~= "" and value or nil end
      if name == "id" then id = value end
      if name == "retry" and value:find "^%d+$" then retry = value end
    end
  end
  return list
end

-- }}

-- {{ Texts

local WORDS = { "a", "bc", "é", "日本", "😀", " ", "ß:", "x\127", "%0", "[DONE" }

local function words(rnd)
  local list = {}
  for i = 1, rnd(6) do list[i] = WORDS[1 + rnd(#WORDS)] end
  return table.concat(list)
end

local ENDS = { "\n", "\n", "\r\n" }

local function some_lines(rnd)
  local list = {}
  for _ = 1, rnd(8) do
    list[#list + 1] = words(rnd)
    list[#list + 1] = ENDS[1 + rnd(#ENDS)]
  end
  if rnd(2) == 0 then list[#list + 1] = words(rnd) end
  return table.concat(list)
end

local function some_json(rnd)
  local list = {}
  for _ = 1, rnd(6) do
    list[#list + 1] = rnd(5) == 0 and "  " or cjson.encode { n = rnd(100), s = words(rnd) }
    list[#list + 1] = ENDS[1 + rnd(#ENDS)]
  end
  if rnd(2) == 0 then list[#list + 1] = '"é last"' end
  return table.concat(list)
end

local FIELDS = { "data: ", "data:", "data: ", "event: ", "id: ", "retry: 1", ": ", "noise: " }

local function some_events(rnd)
  local list = {}
  local stop = ({ "\n", "\r\n", "\r" })[1 + rnd(3)]
  for _ = 1, rnd(10) do
    list[#list + 1] = FIELDS[1 + rnd(#FIELDS)] .. words(rnd) .. stop
    if rnd(3) == 0 then list[#list + 1] = stop end
  end
  if rnd(2) == 0 then list[#list + 1] = "data: last" end
  if rnd(4) == 0 then
    list[#list + 1] = stop .. stop .. "data: [DONE]" .. stop .. stop .. "data: no"
  end
  return table.concat(list)
end

-- Everything of a reader, as `show` shows it; and its failure.
local function drain(reader, show)
  local list = {}
  while true do
    local value, message, err = reader:next()
    if value == nil then return list, message, err end
    list[#list + 1] = show and show(value) or value
  end
end

local function is_utf8(text)
  local plain = text:gsub("[\194-\223][\128-\191]", "")
    :gsub("[\224-\239][\128-\191][\128-\191]", "")
    :gsub("[\240-\244][\128-\191][\128-\191][\128-\191]", "")
  return not plain:find "[\128-\255]"
end

-- Joined, pieces are the text; these readers promise nothing more of where they cut.
local function joined(stream, check)
  local list, message = drain(stream)
  for _, piece in ipairs(list) do assert.is_true(not check or check(piece), piece) end
  return { table.concat(list) }, message
end

local KINDS = {
  { name = "parts", text = some_lines, whole = function(text) return { text } end,
    read = function(stream) return joined(stream:parts()) end },
  { name = "text", text = some_lines, whole = function(text) return { text } end,
    read = function(stream) return joined(stream:text(), is_utf8) end },
  { name = "lines", text = some_lines, whole = lines_of,
    read = function(stream) return drain(stream:lines()) end },
  { name = "json_lines", text = some_json, whole = json_of,
    read = function(stream) return drain(stream:json_lines(), shown) end },
  { name = "sse", text = some_events, whole = events_of,
    read = function(stream)
      return drain(stream:sse(), function(event)
        return ("%s %s %s|%s"):format(event.event, event.id or "-", event.retry or "-", event.data)
      end)
    end },
}

-- }}

-- {{ Bodies

local function frame(payload)
  return core.eventstream_encode({ { name = ":message-type", value = "event" },
    { name = ":event-type", value = "PayloadPart" } }, payload)
end

local function pieces_of(text, rnd, longest)
  local pieces, at = {}, 1
  while at <= #text do
    local n = 1 + rnd(1 + rnd(longest))
    pieces[#pieces + 1] = text:sub(at, at + n - 1)
    at = at + n
  end
  return pieces
end

-- A text in frames, cut anywhere, also inside of characters; some are empty.
local function framed(text, rnd)
  local frames = {}
  for _, piece in ipairs(pieces_of(text, rnd, 30)) do
    frames[#frames + 1] = frame(piece)
    if rnd(10) == 0 then frames[#frames + 1] = frame "" end
  end
  return frames
end

local service = core.service "sagemaker-runtime"
local HEADERS = { ["x-amzn-requestid"] = "r" }
local OPERATIONS = {
  frames = { name = "InvokeEndpointWithResponseStream" },
  plain = { name = "OpenAI", is_plain = true },
}

-- The stream of an answer whose body comes in these pieces.
local function open(kind, pieces)
  local n = 0
  local reader = { read = function()
    n = n + 1
    return pieces[n]
  end, close = function() n = #pieces + 1 end }
  return streams.of(service, OPERATIONS[kind], { status = 200, headers = HEADERS,
    reader = reader }, {})
end

-- Fails unless the stream of the pieces is what is expected of the text.
local function check(kind, reader, pieces, expected, what)
  local got, message = reader.read(open(kind, pieces))
  if message then error(("%s over %s, %s: %s"):format(reader.name, kind, what, message), 0) end
  local same = #got == #expected
  for i = 1, #expected do same = same and got[i] == expected[i] end
  if not same then assert.same(expected, got, what) end
end

-- }}

-- One text a reader, with everything that is difficult in it.
local DIFFICULT = {
  parts = "a\0\255\n\195\169", text = "aé日本😀\r\n\r\n😀😀",
  lines = "one\n\nzwei é\r\n日本\rx\r\n\n😀",
  json_lines = '{"a":"é"}\n\n  \r\n[1,2]\r\n"😀"\nnull\n12',
  sse = ": c\ndata: é\n\nevent: add\r\ndata: x\r\ndata:  日\r\n\r\nid: 7\rdata\r\rretry: 5\n"
    .. "data: {\"😀\": 1}\n\ndata: cut short",
}

describe("every stream", function()
  for _, reader in ipairs(KINDS) do
    it("gives the same wherever its body is cut in two: " .. reader.name, function()
      local text, rnd = DIFFICULT[reader.name], shapes.random(11)
      local expected = reader.whole(text)
      for kind, body in pairs { plain = text, frames = table.concat(framed(text, rnd)) } do
        for cut = 0, #body do
          check(kind, reader, { body:sub(1, cut), body:sub(cut + 1) }, expected, "cut at " .. cut)
        end
        local bytes = {}
        for i = 1, #body do bytes[i] = body:sub(i, i) end
        check(kind, reader, bytes, expected, "cut everywhere")
      end
      -- The same for the boundaries of frames.
      for cut = 0, #text do
        check("frames", reader, { frame(text:sub(1, cut)) .. frame(text:sub(cut + 1)) }, expected,
          "frames at " .. cut)
      end
    end)

    for _, kind in ipairs { "frames", "plain" } do
      it(("gives the same for random texts and cuts: %s over %s"):format(reader.name, kind),
        function()
          local rnd = shapes.random(#reader.name * 100 + #kind)
          for round = 1, ROUNDS / #KINDS do
            local text = reader.text(rnd)
            local body = kind == "frames" and table.concat(framed(text, rnd)) or text
            check(kind, reader, pieces_of(body, rnd, 40), reader.whole(text), "round " .. round)
          end
        end)
    end
  end

  it("gives the same for 10,000 random cuts of one body", function()
    local rnd = shapes.random(5)
    for _, reader in ipairs(KINDS) do
      local text = DIFFICULT[reader.name]
      local expected, body = reader.whole(text), table.concat(framed(text, rnd))
      for round = 1, ROUNDS / #KINDS do
        check("frames", reader, pieces_of(body, rnd, 40), expected, "round " .. round)
      end
    end
  end)

  it("ends whatever it holds: in nothing, or in an error", function()
    local rnd = shapes.random(23)
    local alphabet = { "\r", "\n", ":", "data", "event", "id", "retry", " ", "{", "}", "[", '"',
      "\0", "\255", "\239\187\191", "é", "1", ",", "[DONE]" }
    for round = 1, ROUNDS / 20 do
      local list = {}
      for i = 1, rnd(30) do
        list[i] = rnd(2) == 0 and string.char(rnd(256)) or alphabet[1 + rnd(#alphabet)]
      end
      local text = table.concat(list)
      for _, name in ipairs { "parts", "text", "lines", "json_lines", "sse" } do
        local kind = ({ "plain", "frames" })[1 + rnd(2)]
        local body = kind == "frames" and rnd(2) == 0 and table.concat(framed(text, rnd)) or text
        local stream = open(kind, pieces_of(body, rnd, 20))
        local values, message, err = drain(stream[name](stream))
        assert.is_true(#values <= #body + 1, round)
        if message then assert.equal(message, tostring(err)) end
        local _, _, again = stream:read()
        assert.equal(err, again)
      end
    end
  end)

  it("keeps no more than what is being read", function()
    local piece, n, most = frame(("x"):rep(500) .. "\n"), 0, 0
    local stream = streams.of(service, OPERATIONS.frames, { status = 200, headers = HEADERS,
      reader = { read = function()
        n = n + 1
        if n <= 4000 then return piece end
      end, close = function() end } }, {})
    collectgarbage()
    local before = collectgarbage "count"
    for _ in stream:lines() do
      if n % 1000 == 0 then
        collectgarbage()
        most = math.max(most, collectgarbage "count" - before)
      end
    end
    assert.is_true(most < 200, ("%d KB"):format(most))
  end)
end)

describe("a stream that is not whole", function()
  local PARTS = { "data: one\n\n", "data: zw", "ei é\n\n" }
  local FRAMES = { frame(PARTS[1]), frame(PARTS[2]), frame(PARTS[3]) }
  local BODY = table.concat(FRAMES)

  -- How many frames end at or before a byte.
  local function whole_before(at)
    local n, stop = 0, 0
    for _, bytes in ipairs(FRAMES) do
      stop = stop + #bytes
      if stop > at then break end
      n = n + 1
    end
    return n
  end

  local function check_error(body, frames_before, what)
    local list, message, err = drain(open("frames", { body }):parts())
    assert.matches("^BrokenStream: ", tostring(message), nil, what)
    assert.equal("protocol", err.kind)
    assert.equal("r", err.request_id)
    assert.is_true(#list <= frames_before, what)
    for i, bytes in ipairs(list) do assert.equal(PARTS[i], bytes) end
    local again = open("frames", { body })
    drain(again:sse())
    assert.equal("BrokenStream", select(3, again:read()).code)
  end

  it("is an error for every byte that is another one", function()
    for at = 1, #BODY do
      for _, change in ipairs { 1, 128, 85 } do
        local byte = (BODY:byte(at) + change) % 256
        check_error(BODY:sub(1, at - 1) .. string.char(byte) .. BODY:sub(at + 1),
          whole_before(at - 1), ("byte %d + %d"):format(at, change))
      end
    end
  end)

  it("is an error for every byte that is missing or too much", function()
    for at = 1, #BODY do
      check_error(BODY:sub(1, at - 1) .. BODY:sub(at + 1), 2, "without byte " .. at)
      check_error(BODY:sub(1, at) .. "\0" .. BODY:sub(at + 1), 3, "after byte " .. at)
    end
  end)

  it("is an error wherever its end is missing", function()
    for stop = 1, #BODY - 1 do
      local n = whole_before(stop)
      if stop ~= #table.concat(FRAMES, "", 1, n) then
        check_error(BODY:sub(1, stop), n, "up to byte " .. stop)
      end
    end
  end)

  it("is an error through the whole of a client, and gives the connection up", function()
    for at = 1, #BODY, 7 do
      local bad = BODY:sub(1, at - 1) .. string.char((BODY:byte(at) + 1) % 256) .. BODY:sub(at + 1)
      local transport = stub.new { { headers = HEADERS, parts = { bad } } }
      local runtime = assert(sagemaker.runtime { region = "eu-west-1", transport = transport,
        io = { getenv = function() end },
        credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "s" } })
      local stream = assert(runtime:invoke_endpoint_with_response_stream { EndpointName = "e",
        Body = "" })
      local _, _, err = drain(stream:sse())
      assert.equal("BrokenStream", err.code)
      assert.equal(1, transport.readers[1].closed)
    end
  end)
end)
