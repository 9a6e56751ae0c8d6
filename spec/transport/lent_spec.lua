-- Answers that are read from a head that the transport lends say the same as those that come as
-- tables: random heads and bodies, read in both ways.
local answers = require "sagemaker.answer"
local core = require "sagemaker.core"
local curl = require "sagemaker.transport.curl"
local server = require "support.server"
local shapes = require "support.shapes"

local io = require("sagemaker.env").new()

local function header(shape, name, more)
  local member = { shape = shape, location = "header", locationName = name }
  for k, v in pairs(more or {}) do member[k] = v end
  return member
end

local function members(extra)
  local all = {
    Text = header("String", "X-Text"), Number = header("Integer", "x-number"),
    Yes = header("Boolean", "X-YES"), When = header("Time", "X-When"),
    Real = header("Double", "X-Real"), Data = header("Blob", "X-Data"),
    List = header("List", "X-List"), Dates = header("Times", "X-Dates"),
    Json = header("String", "X-Json", { jsonvalue = true }),
    Status = { shape = "Integer", location = "statusCode" },
  }
  for k, v in pairs(extra) do all[k] = v end
  return { type = "structure", members = all }
end

local function operation(output)
  return { name = output, http = { method = "POST", requestUri = "/" },
    output = { shape = output } }
end

local payload = members { Body = { shape = "Blob" } }
payload.payload = "Body"

local service = core.load_service {
  metadata = { protocol = "rest-json", endpointPrefix = "x", serviceId = "X",
    apiVersion = "2026-01-01" },
  operations = { Plain = operation "Plain", Payload = operation "Payload",
    Prefixed = operation "Prefixed" },
  shapes = {
    Plain = members { Inner = { shape = "String" } },
    Payload = payload,
    Prefixed = members { Meta = { shape = "Map", location = "headers",
      locationName = "x-meta-" } },
    String = { type = "string" }, Integer = { type = "integer" }, Boolean = { type = "boolean" },
    Double = { type = "double" }, Blob = { type = "blob" }, Time = { type = "timestamp" },
    List = { type = "list", member = { shape = "String" } },
    Times = { type = "list", member = { shape = "Time" } },
    Map = { type = "map", key = { shape = "String" }, value = { shape = "String" } },
  },
}

local NAMES = { "X-Text", "x-number", "X-YES", "X-When", "X-Real", "X-Data", "X-List", "X-Dates",
  "X-Json", "x-meta-a", "X-Meta-b", "x-meta-", "Other", "X-Tex", "X-Texts", "x-amzn-RequestId" }
local VALUES = { "", "a", "7", "-1", "1.5", "true", "false", "null", "Infinity", "1e400",
  "99999999999", "Sun, 02 Jan 2000 20:34:56 GMT",
  "2000-01-02T20:34:56Z", "a, b", '"a,b", c', "e30=", "bnVsbA==",
  "WzEsbnVsbF0=", "=", "e30", "\\xFF\\xFE", "\\xC3\\xA9", "a\\r\\n  b", "\\r\\n\\t", "\\t a \\t",
  ("x"):rep(300) }
local BODIES = { "", " ", "{}", "null", "[]", "{", '{"Inner":"a"}', '{"Inner":7}',
  '{"Inner":null}', '{"Other":{"a":[1]}}', '{"Inner":"\\xFF"}', "\\0\\r\\n", ("y"):rep(500) }
local LINES = { "\\r\\n", "\\n" }

-- The name in other letters, now and then.
local function spelled(name, rnd)
  if rnd(3) > 0 then return name end
  return (name:gsub("%a", function(c) return rnd(2) == 0 and c:upper() or c:lower() end))
end

-- How many bytes the server makes of a text.
local function size(text)
  return #text:gsub("\\x%x%x", "x"):gsub("\\.", "x")
end

local function random_answer(rnd)
  local eol = LINES[1 + rnd(#LINES)]
  local lines = { ("HTTP/1.1 %d X"):format(({ 200, 200, 200, 201, 299, 404, 503 })[1 + rnd(7)]) }
  for _ = 1, rnd(9) do
    lines[#lines + 1] = ("%s:%s%s"):format(spelled(NAMES[1 + rnd(#NAMES)], rnd),
      rnd(2) == 0 and " " or "", VALUES[1 + rnd(#VALUES)])
  end
  local body = BODIES[1 + rnd(#BODIES)]
  if rnd(4) == 0 then
    lines[#lines + 1] = "Transfer-Encoding: chunked"
    local last = "0\\r\\n\\r\\n"
    body = body == "" and last or ("%x\\r\\n%s\\r\\n%s"):format(size(body), body, last)
  else
    table.insert(lines, 2 + rnd(#lines), ("Content-Length: %d"):format(size(body)))
  end
  return "send:" .. table.concat(lines, eol) .. eol .. eol .. body
end

describe("answers that are lent", function()
  local crew, transport = server.crew(), nil

  before_each(function()
    transport = curl.new { io = io }
  end)
  after_each(function()
    transport:close()
    crew.stop()
  end)
  teardown(server.clean)

  -- What comes of the next answer of a server, and whether it was read from its head.
  local function result(url, name, decoder)
    local response = assert(transport:send({ method = "POST", url = url, headers = {}, body = "" },
      nil, decoder))
    if response.output then return { response.output }, true end
    local output, err = answers.decode(service, name, response)
    return { output or false, err and { tostring(err), err.code, err.kind, err.status,
      err.request_id or false, err.retryable or false, err.fields or false } }, false
  end

  it("say the same as tables", function()
    local rnd = shapes.random(tonumber(os.getenv "SAGEMAKER_SEED" or 1))
    local n, read = 0, { Plain = 0, Payload = 0, Prefixed = 0 }
    for _ = 1, 8 do
      for name in pairs(read) do
        local steps = {}
        for i = 1, 160, 4 do
          local answer = random_answer(rnd)
          steps[i], steps[i + 1], steps[i + 2], steps[i + 3] = "read", answer, "read", answer
        end
        local url, decoder = crew.bad(steps):url(), answers.decoder(service, name)
        for i = 1, 160, 4 do
          local lent, was_read = result(url, name, decoder)
          local plain = result(url, name, nil)
          n = n + 1
          if was_read then read[name] = read[name] + 1 end
          assert.same(plain, lent, steps[i + 1])
        end
      end
    end
    assert.equal(960, n)
    assert.equal(0, read.Prefixed) -- these want all headers
    assert.is_true(read.Plain > 10 and read.Payload > 10)
  end)

  it("cannot be kept, however reading them ends", function()
    local runtime = core.service("sagemaker-runtime")
    local url = crew.bad { "read",
      "send:HTTP/1.1 200 OK\\r\\nX-A: b\\r\\nContent-Length: 2\\r\\n\\r\\n{}", "again" }:url()
    local kept
    local ends = {
      function() return {} end,
      function() return nil end,
      function() error("no more", 0) end,
      function() coroutine.yield() end,
      function() transport:close() end,
      function() -- another call, whose answer the same userdata lends meanwhile
        assert.same({ {} }, (result(url, "Plain", function() return {} end)))
        return {}
      end,
    }
    for _, ending in ipairs(ends) do
      pcall(result, url, "Plain", function(answer)
        kept = answer
        assert.is_table(core.decode(runtime, "InvokeEndpoint", 200, answer, answer))
        return ending()
      end)
      collectgarbage()
      for _, decode in ipairs {
        function() return core.decode(runtime, "InvokeEndpoint", 200, kept, "") end,
        function() return core.decode(runtime, "InvokeEndpoint", 200, {}, kept) end,
        function() return core.decode(core.service "sagemaker", "ListTags", 200, nil, kept) end,
      } do
        local ok, message = pcall(decode)
        assert.is_false(ok)
        assert.matches("these bytes are lent no more", message, 1, true)
      end
    end
  end)
end)
