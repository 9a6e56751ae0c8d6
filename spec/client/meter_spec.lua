--- The hook on_call: one table a call, whatever became of it.

local core = require "sagemaker.core"
local sagemaker = require "sagemaker"
local scripted = require "support.scripted"
local server = require "support.server"
local task = require "sagemaker.task"

local OK = { body = '{"EndpointName":"e"}', delay = 0.25 }
local THROTTLED = { status = 400, body = '{"__type":"ThrottlingException","message":"slow"}' }
local CALL = { EndpointName = "e" }
local INVOCATION = { EndpointName = "churn", Body = "1,2" }

-- A client whose hook fills a list; the list; and what `make` answers besides.
local function measured(make, script, options)
  local told = {}
  local all = { hooks = { on_call = function(metrics) told[#told + 1] = metrics end } }
  for name, value in pairs(options or {}) do all[name] = value end
  local client, transport = make(script, all)
  return client, told, transport
end

local function part(payload)
  return core.eventstream_encode({ { name = ":message-type", value = "event" },
    { name = ":event-type", value = "PayloadPart" } }, payload)
end

describe("the hook on_call", function()
  it("tells of a call that succeeded", function()
    local client, told, transport = measured(scripted.client, { OK })
    assert(client:describe_endpoint(CALL))
    assert.same({ { service = "sagemaker", operation = "DescribeEndpoint", outcome = "ok",
      status = 200, attempts = 1, duration = 0.25, host = "api.sagemaker.eu-west-1.amazonaws.com",
      bytes_sent = #transport.requests[1].body, bytes_received = #OK.body } }, told)
  end)

  it("tells once of a call of many attempts", function()
    local client, told, transport = measured(scripted.client, { THROTTLED, THROTTLED, OK })
    assert(client:describe_endpoint(CALL))
    assert.equal(1, #told)
    assert.equal("ok", told[1].outcome)
    assert.is_nil(told[1].code)
    assert.equal(3, told[1].attempts)
    assert.equal(1 + 2 + 0.25, told[1].duration)
    assert.equal(3 * #transport.requests[1].body, told[1].bytes_sent)
    assert.equal(2 * #THROTTLED.body + #OK.body, told[1].bytes_received)
  end)

  it("tells how a call failed", function()
    local client, told = measured(scripted.client, { THROTTLED, THROTTLED, THROTTLED })
    client:describe_endpoint(CALL)
    assert.equal("service", told[1].outcome)
    assert.equal("ThrottlingException", told[1].code)
    assert.equal(400, told[1].status)
    client, told = measured(scripted.client, { THROTTLED, { code = "CertificateError",
      retryable = false } })
    client:describe_endpoint(CALL)
    assert.equal("transport", told[1].outcome)
    assert.equal("CertificateError", told[1].code)
    assert.is_nil(told[1].status)
    assert.equal(2, told[1].attempts)
  end)

  it("tells of a call that was never sent", function()
    local client, told = measured(scripted.client, {})
    client:describe_endpoint { Nope = 1 }
    client:call("DescribeEndpoint", CALL, { credentials = function() return nil, "none" end })
    client:describe_endpoint(CALL, { endpoint_url = "junk" })
    client:describe_endpoint(CALL, { region = "no region" })
    assert.equal(4, #told)
    local outcomes = {}
    for i, metrics in ipairs(told) do
      outcomes[i] = metrics.outcome .. " " .. metrics.code
      assert.equal(0, metrics.attempts)
      assert.equal(0, metrics.duration)
      assert.equal("DescribeEndpoint", metrics.operation)
    end
    assert.same({ "validation ParamValidation", "credentials InvalidCredentials",
      "config InvalidEndpoint", "config InvalidRegion" }, outcomes)
    assert(client:request("DescribeEndpoint", CALL))
    assert.equal(4, #told)
  end)

  it("can be that of one call", function()
    local client, told = measured(scripted.client, { OK, OK, OK })
    local own = {}
    assert(client:describe_endpoint(CALL, { hooks = { on_call = function(metrics)
      own[1] = metrics
    end } }))
    assert.equal(0, #told)
    assert.equal("ok", own[1].outcome)
    assert(client:describe_endpoint(CALL))
    assert.equal(1, #told)
  end)

  it("changes no outcome by what it throws, which the logger is told, or else stderr", function()
    local log, shown = {}, {}
    local hooks = { on_call = function() error("boom", 0) end }
    local client = scripted.client({ OK, THROTTLED, OK }, { hooks = hooks,
      retry = { max_attempts = 1 }, logger = function(level, text)
        if level == "error" then log[#log + 1] = text end
      end })
    assert.equal("e", assert(client:describe_endpoint(CALL)).EndpointName)
    local output, message, err = client:describe_endpoint(CALL)
    assert.same({ nil, "ThrottlingException: slow", "ThrottlingException" },
      { output, message, err.code })
    local BOOM = "DescribeEndpoint: the hook on_call has thrown: boom"
    assert.same({ BOOM, BOOM }, { log[1], log[#log] })
    local stderr = io.stderr
    io.stderr = { write = function(_, ...) shown[#shown + 1] = table.concat { ... } end } -- luacheck: ignore
    local ok, problem = pcall(function()
      client = scripted.client({ OK }, { hooks = hooks })
      assert.equal("e", assert(client:describe_endpoint(CALL)).EndpointName)
    end)
    io.stderr = stderr -- luacheck: ignore
    assert(ok, problem)
    assert.same({ "sagemaker: " .. BOOM .. "\n" }, shown)
  end)

  it("may wait, and does not keep the task in which it waits from being cancelled", function()
    local client = scripted.client({ OK, OK }, { hooks = { on_call = function()
      task.sleep(0.001)
    end } })
    task.run(function() assert(client:describe_endpoint(CALL)) end)
    client = scripted.client({ OK }, { hooks = { on_call = function() task.sleep(60) end } })
    task.run(function()
      local one = task.spawn(function() return client:describe_endpoint(CALL) end)
      task.sleep(0)
      one:cancel()
      local ok, err = one:wait()
      assert.same({ false, "TaskCancelled" }, { ok, err.code })
    end)
  end)

  it("tells of calls in which a hook has thrown, and of cancelled ones", function()
    local client, told = measured(scripted.client, { OK, OK })
    local hooks = { on_call = client.options.hooks.on_call,
      before_send = function() error("boom", 0) end }
    assert.error_matches(function() client:describe_endpoint(CALL, { hooks = hooks }) end, "^boom$")
    assert.equal("thrown", told[1].outcome)
    assert.equal(0, told[1].attempts)
    hooks.before_send = function() task.sleep(60) end
    local err
    task.run(function()
      local one = task.spawn(function() client:describe_endpoint(CALL, { hooks = hooks }) end)
      task.spawn(function()
        one:cancel()
        err = select(2, one:wait())
      end)
    end)
    assert.equal("cancelled", err.kind)
    -- PUC 5.1 cannot catch what ends a call that waits: it is told when the call is collected.
    collectgarbage()
    collectgarbage()
    assert.equal(2, #told)
    assert.equal("cancelled", told[2].outcome)
    assert.equal("TaskCancelled", told[2].code)
  end)

  it("has a clock read for it, which is not read without it", function()
    local client, transport = scripted.client { OK }
    transport.clock = function() error("read", 0) end
    assert(client:describe_endpoint(CALL))
  end)

  describe("of a stream", function()
    local function open(parts, options)
      local runtime, told, transport = measured(scripted.runtime,
        { { delay = 1, parts = parts } }, options)
      local stream = assert(runtime:invoke_endpoint_with_response_stream(INVOCATION))
      assert.equal(0, #told)
      return stream, told, transport
    end

    it("tells when it has been read to its end", function()
      local bytes = part "a\nb"
      local stream, told, transport = open { bytes:sub(1, 9), bytes:sub(10), part "c" }
      transport:sleep(2)
      local lines = stream:lines()
      assert.equal("a", lines:next())
      assert.equal(0, #told)
      transport:sleep(3)
      assert.equal("bc", lines:next())
      assert.equal(1, #told)
      assert.is_nil(lines:next())
      stream:close()
      assert.same({ { service = "sagemaker-runtime", operation = "InvokeEndpointWithResponseStream",
        outcome = "ok", status = 200, attempts = 1, duration = 6, first_byte = 3, bytes_sent = 3,
        bytes_received = #bytes + #part "c", host = "runtime.sagemaker.eu-west-1.amazonaws.com" } },
        told)
    end)

    it("tells when it fails", function()
      local stream, told = open { part "a", { kind = "timeout", code = "ReadTimeout" } }
      assert.equal("a", stream:read())
      stream:read()
      stream:read()
      assert.equal(1, #told)
      assert.equal("timeout", told[1].outcome)
      assert.equal("ReadTimeout", told[1].code)
      assert.equal(#part "a", told[1].bytes_received)
      stream, told = open { part "a":sub(1, -2) .. "\0" }
      stream:read()
      assert.equal("protocol", told[1].outcome)
      assert.equal("BrokenStream", told[1].code)
    end)

    it("tells when it is closed, or left alone", function()
      local stream, told = open { part "a", part "b" }
      stream:read()
      stream:close()
      assert.equal(1, #told)
      assert.equal("ok", told[1].outcome)
      assert.equal("StreamClosed", told[1].code)
      local transport
      stream, told, transport = open { part "a" }
      stream = stream:read() -- luacheck: ignore 311
      collectgarbage()
      collectgarbage()
      assert.equal(1, #told)
      assert.equal("StreamClosed", told[1].code)
      assert.equal(1, transport.readers[1].closed)
    end)

    it("tells of an error before it, and of an answer that came whole", function()
      local runtime, told = measured(scripted.runtime, { { status = 424, body = "{}",
        headers = { ["x-amzn-errortype"] = "ModelError" } }, { body = part "abc" } })
      runtime:invoke_endpoint_with_response_stream(INVOCATION)
      assert.equal("ModelError", told[1].code)
      assert.equal(2, told[1].bytes_received)
      local stream = assert(runtime:invoke_endpoint_with_response_stream(INVOCATION))
      assert.equal(1, #told)
      assert.equal("abc", stream:read())
      assert.is_nil(stream:read())
      assert.equal(2, #told)
      assert.equal(#part "abc", told[2].bytes_received)
    end)
  end)

  it("brings the transport's timings with it", function()
    if not server.available() then
      pending("nginx is not installed")
      return
    end
    local nginx = server.nginx { locations = "location / { return 200 '{\"Endpoints\":[]}'; }" }
    local told = {}
    local ok, thrown = pcall(function()
      local client = assert(sagemaker.new { region = "eu-west-1", endpoint_url = nginx:url "",
        credentials = scripted.KEYS, io = { getenv = function() end },
        hooks = { on_call = function(metrics) told[#told + 1] = metrics end } })
      assert(client:list_endpoints())
      assert(client:list_endpoints())
      client.transport:close()
    end)
    nginx:stop()
    if not ok then error(thrown, 0) end
    for i, metrics in ipairs(told) do
      assert.is_true(metrics.timings.total > 0)
      assert.is_true(metrics.timings.first_byte <= metrics.timings.total)
      assert.is_true(metrics.duration >= metrics.timings.total)
      assert.equal(i == 2, metrics.reused)
    end
    assert.equal(2, #told)
  end)
end)
