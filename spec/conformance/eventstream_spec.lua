--- Event streams of others: the vectors of botocore and Smithy, Smithy's protocol suite, and
-- streams of SageMaker with what AWS's own client makes of them. Whatever the cuts, the same comes
-- out.

local codec = require "support.codec"
local core = require "sagemaker.core"
local shapes = require "support.shapes"
local support = require "support"

local dir = support.conformance()
local unbase64 = core.text.unbase64

-- {{ Reading

-- Everything that a decoder gives for pieces: values, and true or the message and the fault.
local function read(decoder, pieces)
  local out = {}
  for _, piece in ipairs(pieces) do
    decoder:feed(piece)
    local got, message, fault = decoder:next()
    while got do
      out[#out + 1] = got
      got, message, fault = decoder:next()
    end
    if message then return { values = out, message = message, fault = fault } end
  end
  local _, message, fault = decoder:finish()
  return { values = out, message = message, fault = fault }
end

local EVERY_BYTE = 3000 -- longer streams are cut at random
local rnd = shapes.random(7)

-- Where to cut a stream in two.
local function cuts(n)
  local list = {}
  if n <= EVERY_BYTE then
    for i = 0, n do list[#list + 1] = i end
  else
    for i = 1, 100 do list[i] = rnd(n) end
  end
  return list
end

-- What comes of a stream; text when its cuts change that.
local function read_cut(new, bytes)
  local whole = read(new(), { bytes })
  for _, cut in ipairs(cuts(#bytes)) do
    local found = codec.difference(whole, read(new(), { bytes:sub(1, cut), bytes:sub(cut + 1) }))
    if found then return whole, ("cut at %d: %s"):format(cut, found) end
  end
  for _ = 1, 20 do
    local pieces, at = {}, 1
    while at <= #bytes do
      local n = 1 + rnd(1 + rnd(#bytes))
      pieces[#pieces + 1] = bytes:sub(at, at + n - 1)
      at = at + n
    end
    local found = codec.difference(whole, read(new(), pieces))
    if found then return whole, ("cut at random: %s"):format(found) end
  end
  return whole
end

local function raw()
  return core.eventstream_decoder()
end

-- }}

-- {{ Vectors of frames

-- A message as the vectors have it: timestamps are milliseconds there.
local function values_of(message)
  local headers = {}
  for _, header in ipairs(message.headers) do
    local value = header.value
    headers[header.name] = header.type == "timestamp" and value * 1000 or value
  end
  return { headers = headers, payload = message.payload }
end

-- A frame and the message in it: { headers = {name = value}, payload }.
local function run_frame(case)
  local got, failure = read_cut(raw, case.bytes)
  if failure then return failure end
  if not case.expected then
    return not got.message and "it is read although it is broken" or nil
  end
  if got.message or #got.values ~= 1 then return tostring(got.message) end
  local found = case.expected ~= true and codec.difference(case.expected, values_of(got.values[1]))
  if found then return found end
  if core.eventstream_encode(got.values[1].headers, got.values[1].payload) ~= case.bytes then
    return "written again it is another frame"
  end
end

local function botocore_cases()
  local suite = codec.json(support.read(dir .. "/eventstream/botocore-vectors.json"))
  local cases = {}
  for _, row in ipairs(suite.positive) do
    cases[#cases + 1] = { id = "botocore " .. row.name, bytes = unbase64(row.encoded),
      expected = { headers = codec.untag(row.headers), payload = unbase64(row.payload) } }
  end
  for _, row in ipairs(suite.negative) do
    cases[#cases + 1] = { id = "botocore " .. row.name, bytes = unbase64(row.encoded) }
  end
  return cases
end

local function list(path)
  local names = {}
  local pipe = assert(io.popen("ls '" .. path .. "' 2>/dev/null"))
  for name in pipe:lines() do names[#names + 1] = name end
  pipe:close()
  return names
end

local TEXTUAL = { [6] = true, [7] = true, [9] = true } -- given in base64

local function decoded(text)
  local row = codec.json(text)
  local headers = {}
  for _, header in ipairs(row.headers) do
    headers[header.name] = TEXTUAL[header.type] and unbase64(header.value) or header.value
  end
  return { headers = headers, payload = unbase64(row.payload) }
end

local function folder_cases(folder)
  local base, cases = dir .. "/eventstream/" .. folder, {}
  for _, kind in ipairs { "positive", "negative" } do
    for _, name in ipairs(list(base .. "/encoded/" .. kind)) do
      local text = support.read(base .. "/decoded/" .. kind .. "/" .. name)
      cases[#cases + 1] = { id = folder .. " " .. name,
        bytes = support.read(base .. "/encoded/" .. kind .. "/" .. name),
        expected = kind == "positive" and decoded(text) or nil }
    end
  end
  return cases
end

-- Files that say by their name whether they are valid.
local function named_cases(folder)
  local cases = {}
  for _, name in ipairs(list(dir .. "/eventstream/" .. folder)) do
    cases[#cases + 1] = { id = folder .. " " .. name,
      bytes = support.read(dir .. "/eventstream/" .. folder .. "/" .. name),
      expected = name:find("^valid") and true or nil }
  end
  return cases
end

-- }}

-- {{ Streams of SageMaker

local function sagemaker_decoder()
  return core.eventstream_decoder(core.service "sagemaker-runtime",
    "InvokeEndpointWithResponseStream")
end

-- A row with a note shows the reference being accidental: there, what is unclear must end in an
-- error, and events before it must be those of the row.
local function run_noted(row, got)
  if not got.message then return "it ends without an error" end
  for i, value in ipairs(got.values) do
    local found = codec.difference(codec.untag(row.events[i]), value)
    if found then return found end
  end
  local code = (row["end"].error or {}).Code
  if code and code ~= "" and (got.fault or {}).code ~= code then return "another code" end
end

local function run_golden(row)
  local got, failure = read_cut(sagemaker_decoder, unbase64(row.stream))
  if failure then return failure end
  if row.note then return run_noted(row, got) end
  local found = codec.difference(codec.untag(row.events), got.values)
  if found then return found end
  if row["end"].ok then return got.message end
  local expected = row["end"].error
  if not expected then return not got.message and "it ends without an error" or nil end
  return codec.difference({ code = expected.Code, message = expected.Message },
    { code = (got.fault or {}).code, message = (got.fault or {}).message })
end

-- }}

-- {{ Smithy's protocol suite, whose events have these shapes

local function structure(members)
  return { type = "structure", event = true, members = members }
end

local function header(shape)
  return { shape = shape, eventheader = true }
end

local SHAPES = {
  Blob = { type = "blob" }, Bool = { type = "boolean" }, Byte = { type = "integer" },
  Long = { type = "long" }, Text = { type = "string" }, Time = { type = "timestamp" },
  Struct = { type = "structure", members = { structureMember = { shape = "Text" } } },
  Union = { type = "structure", union = true, members = { unionMember = { shape = "Text" } } },
  Headers = structure {
    booleanHeader = header "Bool", byteHeader = header "Byte", shortHeader = header "Byte",
    intHeader = header "Byte", longHeader = header "Long", blobHeader = header "Blob",
    stringHeader = header "Text", timestampHeader = header "Time" },
  BlobPayload = structure { payload = { shape = "Blob", eventpayload = true } },
  StringPayload = structure { payload = { shape = "Text", eventpayload = true } },
  StructurePayload = structure { payload = { shape = "Struct", eventpayload = true } },
  UnionPayload = structure { payload = { shape = "Union", eventpayload = true } },
  Explicit = structure { header = header "Text",
    payload = { shape = "Struct", eventpayload = true } },
  Implicit = structure { header = header "Text", payload = { shape = "Text" } },
  ErrorEvent = { type = "structure", exception = true, members = { message = { shape = "Text" } } },
  Stream = { type = "structure", eventstream = true, members = {
    headers = { shape = "Headers" }, blobPayload = { shape = "BlobPayload" },
    stringPayload = { shape = "StringPayload" }, structurePayload = { shape = "StructurePayload" },
    unionPayload = { shape = "UnionPayload" }, headersAndExplicitPayload = { shape = "Explicit" },
    headersAndImplicitPayload = { shape = "Implicit" }, error = { shape = "ErrorEvent" } } },
  Output = { type = "structure", payload = "stream", members = { stream = { shape = "Stream" },
    initialResponseMember = { shape = "Text", location = "header",
      locationName = "initial-response-member" } } },
}

local SERVICE = core.load_service { shapes = SHAPES,
  metadata = { protocol = "rest-json", serviceId = "Events" },
  operations = { Op = { output = { shape = "Output" },
    http = { method = "POST", requestUri = "/" } } } }

local function smithy_decoder()
  return core.eventstream_decoder(SERVICE, "Op")
end

-- {"blob": base64} and so on: the value of a header.
local function header_value(tagged)
  local kind, value = next(tagged)
  if kind == "blob" then return unbase64(value) end
  if kind == "timestamp" then return core.time.parse(value) * 1000 end
  return value
end

-- The bytes must be the headers and the body that the case names, whoever sends them.
local function frame_difference(event)
  local got, failure = read_cut(raw, unbase64(event.bytes))
  if failure then return failure end
  if got.message then return got.message end
  local headers = {}
  for name, tagged in pairs(event.headers or {}) do headers[name] = header_value(tagged) end
  return codec.difference({ headers = headers, payload = event.body or "" },
    values_of(got.values[1]))
end

local function expected_event(params)
  local time = params.headers and params.headers.timestampHeader
  if time then params.headers.timestampHeader = core.time.parse(time) end
  return params
end

-- The head of an answer: members of the output, or an error instead of a stream.
local function run_head(case)
  local head = case.initialResponse
  if case.expectation then
    local found = core.decode_error(SERVICE, "Op", head.code, head.headers, head.body)
    local expected = case.expectation.failure.errorId
    if expected and found.code ~= expected then return "the code is " .. tostring(found.code) end
    return not found.code and "no error" or nil
  end
  local output, message = core.decode(SERVICE, "Op", head.code, head.headers, "")
  if not output then return message end
  return codec.difference(case.initialResponseParams, output)
end

local function run_smithy(case)
  for _, event in ipairs(case.events or {}) do
    local found = event.bytes and frame_difference(event)
    if found then return found end
  end
  if case.initialResponse then return run_head(case) end
  local event = case.events and case.events[1]
  if not event then return nil, "no operation of SageMaker sends events" end
  if event.type ~= "response" then
    return nil, "no operation of SageMaker sends events; the frame is read"
  end
  if case.appliesTo == "server" then return nil, "for servers; the frame is read" end
  local failure = case.expectation and case.expectation.failure
  if failure and case.target:find("WithInitial") then
    return nil, "members missing in the headers of an answer are not refused"
  end
  local got, broken = read_cut(smithy_decoder, unbase64(event.bytes))
  if broken then return broken end
  if not failure then
    return got.message or codec.difference({ expected_event(event.params) }, got.values)
  end
  if not got.message then return "it is not refused" end
  if failure.errorId and (got.fault or {}).code ~= failure.errorId then return "another code" end
end

local function smithy_cases()
  local cases = {}
  local files = codec.json(support.read(dir .. "/protocols/smithy-json/restJson1.json"))
  for _, suites in pairs(files) do
    for _, suite in ipairs(suites) do
      for _, case in ipairs(suite.trait == "eventStreamTests" and suite.cases or {}) do
        case.target = suite.target
        cases[#cases + 1] = case
      end
    end
  end
  table.sort(cases, function(a, b) return a.id < b.id end)
  return cases
end

-- }}

describe("event streams of others", function()
  if not dir then
    pending("the conformance vectors are not at hand")
    return
  end

  it("frames of botocore and Smithy", function()
    local cases = botocore_cases()
    for _, more in ipairs { folder_cases "vectors-smithy-go",
      folder_cases "vectors-smithy-typescript", named_cases "vectors-smithy-rs" } do
      for _, case in ipairs(more) do cases[#cases + 1] = case end
    end
    assert.equal("", codec.run("event stream frames", cases, run_frame))
  end)

  it("events of Smithy's restJson1 suite", function()
    assert.equal("", codec.run("event streams of Smithy", smithy_cases(), run_smithy))
  end)

  it("streams of SageMaker", function()
    assert.equal("", codec.run("golden event streams", support.rows "golden/eventstream.jsonl",
      run_golden))
  end)
end)
