-- Whole calls inside nginx: what goes wrong on the way, streams of models, many at once.
local nginx = require "support.nginx"
local server = require "support.server"

local core = require "sagemaker.core"

-- Bytes as badserver takes them.
local function step(bytes)
  return "send:" .. bytes:gsub("[^%w ]", function(c) return ("\\x%02X"):format(c:byte()) end)
end

local HEAD = "HTTP/1.1 %s\r\nContent-Type: %s\r\nx-amzn-RequestId: id-1\r\n"

local function answer(status, body, more)
  return step(HEAD:format(status, "application/json") .. (more or "") ..
    ("Content-Length: %d\r\n\r\n%s"):format(#body, body))
end

-- The frame of a part of a stream, or of an exception in it.
local function frame(payload, kind)
  local headers = { { name = ":message-type", type = "string", value = "event" },
    { name = ":event-type", type = "string", value = kind or "PayloadPart" },
    { name = ":content-type", type = "string", value = "application/octet-stream" } }
  if kind then
    headers = { { name = ":message-type", type = "string", value = "exception" },
      { name = ":exception-type", type = "string", value = kind } }
  end
  return core.eventstream_encode(headers, payload)
end

local STREAM = HEAD:format("200 OK", "application/vnd.amazon.eventstream") ..
  "Transfer-Encoding: chunked\r\n\r\n"

local function chunk(bytes)
  return ("%x\r\n%s\r\n"):format(#bytes, bytes)
end

-- Runs in nginx: calls a model, reads its stream if it answers one, and tells what came of it.
local CALL = [[
  local sagemaker = require "sagemaker"
  local seen = {}
  local runtime = assert(sagemaker.runtime{ region = "eu-west-1", endpoint_url = %q,
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" },
    timeouts = { connect = 1, read = 0.4 }, hooks = { on_call = function(m) seen = m end } })
  local name = %q
  local out, message, err = runtime[name](runtime, { EndpointName = "churn", Body = "1,2" })
  local text
  if out and name:find("stream") then
    local parts = {}
    repeat
      local bytes
      bytes, message, err = out:read()
      parts[#parts + 1] = bytes
    until not bytes
    text, out = table.concat(parts), nil
  end
  return { body = out and out.Body, text = text, metrics = { outcome = seen.outcome,
    attempts = seen.attempts }, err = err and { code = err.code, kind = err.kind,
    status = err.status, attempts = err.attempts, gave_up = err.gave_up, message = message,
    original = err.fields and err.fields.OriginalStatusCode } }
]]

describe("nginx calls", function()
  local available, reason = nginx.available()
  if not available then
    pending(reason)
    return
  end

  local one
  local crew = nginx.crew()
  local bad = crew.bad

  local function call(other, name)
    return one:lua(CALL, other:url(""), name or "invoke_endpoint")
  end

  setup(function()
    one = nginx.start{}
  end)
  after_each(crew.stop)
  teardown(function()
    one:stop()
    server.clean()
  end)

  it("tell a model's error from the service's, and ask neither twice", function()
    local other = bad{ "read", answer("424 Failed", '{"OriginalStatusCode":500,"Message":"no"}',
      "x-amzn-errortype: ModelError\r\n"), "again" }
    local out = call(other)
    assert.same({ "ModelError", "service", 424, 500, 1 }, { out.err.code, out.err.kind,
      out.err.status, out.err.original, other:requests() })
    assert.same({ "service", 1 }, { out.metrics.outcome, out.metrics.attempts })
    other = bad{ "read", answer("503 Busy", '{"message":"later"}',
      "x-amzn-errortype: ServiceUnavailable\r\n"), "again" }
    out = call(other)
    assert.same({ "ServiceUnavailable", "careful", 1 },
      { out.err.code, out.err.gave_up, other:requests() })
  end)

  it("end when nothing comes, when too little comes, and when it breaks", function()
    local function outcome(steps, requests)
      local other = bad(steps)
      local out = call(other)
      assert.equal(requests, other:requests())
      return out.err.code, out.err.kind
    end
    assert.same({ "ReadTimeout", "timeout" }, { outcome({ "read", "hang" }, 1) })
    assert.same({ "ReadTimeout", "timeout" },
      { outcome({ "read", "send:HTTP/1.1 200 OK\\r\\nA: ", "hang" }, 1) })
    assert.same({ "TruncatedResponse", "transport" },
      { outcome({ "read", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nabc" }, 1) })
    assert.same({ "TruncatedResponse", "transport" },
      { outcome({ "read", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nabc", "half",
        "hang" }, 1) })
  end)

  it("are sent again where nothing was answered", function()
    local other = bad{ "read", "reset", "next", "read", answer("200 OK", "[1]") }
    assert.equal("[1]", call(other).body)
    assert.equal(2, other:requests())
  end)

  describe("of a stream", function()
    local NAME = "invoke_endpoint_with_response_stream"

    local function stream(...)
      return call(bad{ "read", ... }, NAME)
    end

    it("read it as it comes", function()
      local frames = frame("hello, ") .. frame("world")
      local out = stream(step(STREAM .. chunk(frames:sub(1, 20))), "wait:20",
        step(chunk(frames:sub(21)) .. "0\r\n\r\n"))
      assert.same({ "hello, world", "ok" }, { out.text, out.metrics.outcome })
      assert.is_nil(out.err)
    end)

    it("never take a broken one for its end", function()
      local good, whole = chunk(frame("hello")), frame("world")
      local corrupt = whole:sub(1, -2) .. string.char((whole:byte(-1) + 1) % 256)
      local function outcome(...)
        local out = stream(step(STREAM .. good), ...)
        assert.equal("hello", out.text)
        assert.equal(out.err.kind, out.metrics.outcome)
        return { out.err.code, out.err.kind }
      end
      assert.same({ "BrokenStream", "protocol" },
        outcome(step(chunk(corrupt) .. "0\r\n\r\n")))
      assert.same({ "BrokenStream", "protocol" },
        outcome(step(chunk(whole:sub(1, 9)) .. "0\r\n\r\n")))
      assert.same({ "TruncatedResponse", "transport" }, outcome())
      assert.same({ "TruncatedResponse", "transport" }, outcome("wait:30", "reset"))
      assert.same({ "TruncatedResponse", "transport" }, outcome("half", "hang"))
      assert.same({ "ReadTimeout", "timeout" }, outcome("hang"))
      assert.same({ "ModelStreamError", "service" }, outcome(step(chunk(frame(
        '{"Message":"no","ErrorCode":"X"}', "ModelStreamError")) .. "0\r\n\r\n")))
    end)
  end)

  it("leave nothing behind when they fail", function()
    local cut = bad{ "read", step(STREAM .. chunk(frame("hello"))), "wait:1", "reset" }
    local good = bad{ "read", step(STREAM .. chunk(frame("hello")) .. "0\r\n\r\n"), "again" }
    local busy = bad{ "read", answer("503 Busy", "{}") }
    local round = ([[
      local clients = {}
      for i, url in ipairs{ %q, %q, %q } do
        clients[i] = assert(require("sagemaker").runtime{ region = "eu-west-1",
          endpoint_url = url, transport = require("sagemaker.transport.resty").new(),
          credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" } })
      end
      for i = 1, %%d do
        for _, runtime in ipairs(clients) do
          local s = runtime:invoke_endpoint_with_response_stream{ EndpointName = "x", Body = "" }
          if s then
            s:read()
            if math.fmod(i, 2) == 0 then s:close() else s:read() end
          end
        end
      end
      clients = nil
      collectgarbage() collectgarbage()
      return 1 ]]):format(cut:url(""), good:url(""), busy:url(""))
    one:lua((round:format(60)))
    local fds, bytes = one:descriptors(), one:memory()
    one:lua((round:format(400)))
    assert.is_true(one:descriptors() <= fds + 1)
    assert.is_true(one:memory() - bytes < 1024 * 1024, one:memory() - bytes)
  end)

  it("leave the memory as it was when they succeed, by the thousand", function()
    local model = crew.start{ locations = [[ location / { return 200 "{}"; } ]] }
    local round = ([[
      runtime = runtime or assert(require("sagemaker").runtime{ region = "eu-west-1",
        endpoint_url = %q, shared = require("sagemaker.nginx").shared(),
        credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" } })
      for i = 1, %%d do
        assert(runtime:invoke_endpoint{ EndpointName = "x", Body = ("x"):rep(100) })
      end
      collectgarbage() collectgarbage()
      return collectgarbage("count") ]]):format(model:url(""))
    one:lua(round:format(2000))
    local kilobytes, bytes, fds = one:lua(round:format(1000)), one:memory(), one:descriptors()
    local later = one:lua(round:format(5000))
    assert.is_true(later - kilobytes < 64, later - kilobytes)
    assert.is_true(one:memory() - bytes < 1024 * 1024, one:memory() - bytes)
    assert.is_true(one:descriptors() <= fds)
  end)

  it("go on side by side, and hold nobody up", function()
    -- A model that answers only when it was told to, which is when all calls wait for it.
    local model = crew.start{ locations = [[
      location / { content_by_lua_block {
        ngx.req.read_body()
        local state = ngx.shared.sagemaker
        state:incr("waiting", 1, 0)
        for _ = 1, 2000 do
          if state:get("told") then return ngx.print("{}") end
          ngx.sleep(0.005)
        end
        ngx.exit(504) } }
      location /waiting { content_by_lua_block {
        ngx.print(ngx.shared.sagemaker:get("waiting") or 0) } }
      location /tell { content_by_lua_block { ngx.shared.sagemaker:set("told", true) } } ]] }
    local waiting, answered = one:lua([[
      local url = %q
      local runtime = assert(require("sagemaker").runtime{ region = "eu-west-1",
        endpoint_url = url,
        credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" } })
      local threads = {}
      for i = 1, 64 do
        threads[i] = ngx.thread.spawn(function()
          return assert(runtime:invoke_endpoint{ EndpointName = "slow", Body = "" })
        end)
      end
      local transport = require("sagemaker.transport.resty").new()
      local function get(path)
        return assert(transport:send{ method = "GET", url = url .. path, headers = {},
          body = "" }).body
      end
      local waiting
      for _ = 1, 1000 do
        waiting = get("/waiting")
        if waiting == "64" then break end
        ngx.sleep(0.005)
      end
      get("/tell")
      local answered = 0
      for i = 1, 64 do
        if ngx.thread.wait(threads[i]) then answered = answered + 1 end
      end
      return waiting, answered ]], model:url(""))
    assert.same({ "64", 64 }, { waiting, answered })
  end)
end)
