--- Invocations: bodies and header members both ways, errors of models, what is never sent twice,
-- streams; over a script of answers and over HTTP.

local core = require "sagemaker.core"
local sagemaker = require "sagemaker"
local script = require "support.scripted"
local server = require "support.server"

local header, scripted = script.header, script.runtime

local function frame(kind, name, payload)
  return core.eventstream_encode({ { name = ":message-type", value = kind },
    { name = ":" .. kind .. "-type", value = name } }, payload)
end

local BYTES = "\0\1\255 not UTF-8"
local CALL = { EndpointName = "churn", Body = "1,2" }

describe("sagemaker.runtime", function()
  it("invokes an endpoint with a raw body and members in headers", function()
    local runtime, transport = scripted { { body = BYTES, headers = {
      ["Content-Type"] = "application/octet-stream",
      ["x-Amzn-Invoked-Production-Variant"] = "blue",
      ["X-Amzn-SageMaker-Custom-Attributes"] = "trace=1",
      ["X-Amzn-SageMaker-New-Session-Id"] = "s; Expires=1",
      ["X-Amzn-SageMaker-Closed-Session-Id"] = "t",
    } } }
    local answer = assert(runtime:invoke_endpoint { EndpointName = "churn/1", Body = BYTES,
      ContentType = "text/csv", Accept = "text/plain", CustomAttributes = "a=b",
      TargetModel = "m.tar.gz", TargetVariant = "blue", TargetContainerHostname = "c",
      InferenceId = "i", EnableExplanations = "`true`", InferenceComponentName = "n",
      SessionId = "NEW_SESSION" })
    assert.same({ Body = BYTES, ContentType = "application/octet-stream",
      InvokedProductionVariant = "blue", CustomAttributes = "trace=1",
      NewSessionId = "s; Expires=1", ClosedSessionId = "t" }, answer)
    local request = transport.requests[1]
    assert.equal("POST", request.method)
    assert.equal("https://runtime.sagemaker.eu-west-1.amazonaws.com"
      .. "/endpoints/churn%2F1/invocations", request.url)
    assert.equal(BYTES, request.body)
    assert.same({ connect = 60, read = 70 }, request.timeouts)
    assert.matches("/eu%-west%-1/sagemaker/aws4_request", header(request, "authorization"))
    local sent = { ["content-type"] = "text/csv", accept = "text/plain",
      ["x-amzn-sagemaker-custom-attributes"] = "a=b",
      ["x-amzn-sagemaker-target-model"] = "m.tar.gz",
      ["x-amzn-sagemaker-target-variant"] = "blue",
      ["x-amzn-sagemaker-target-container-hostname"] = "c",
      ["x-amzn-sagemaker-inference-id"] = "i",
      ["x-amzn-sagemaker-enable-explanations"] = "`true`",
      ["x-amzn-sagemaker-inference-component"] = "n",
      ["x-amzn-sagemaker-session-id"] = "NEW_SESSION" }
    for name, value in pairs(sent) do assert.equal(value, header(request, name), name) end
  end)

  it("invokes an endpoint asynchronously", function()
    local runtime, transport = scripted { { status = 202, body = '{"InferenceId":"i"}', headers = {
      ["X-Amzn-SageMaker-OutputLocation"] = "s3://b/out",
      ["X-Amzn-SageMaker-FailureLocation"] = "s3://b/failed" } } }
    local answer = assert(runtime:invoke_endpoint_async { EndpointName = "churn",
      InputLocation = "s3://b/in", RequestTTLSeconds = 60 })
    assert.same({ InferenceId = "i", OutputLocation = "s3://b/out",
      FailureLocation = "s3://b/failed" }, answer)
    local request = transport.requests[1]
    assert.matches("/endpoints/churn/async%-invocations$", request.url)
    assert.equal("s3://b/in", header(request, "x-amzn-sagemaker-inputlocation"))
    assert.equal("60", header(request, "x-amzn-sagemaker-requestttlseconds"))
  end)

  -- The values that a member of the model may have in a header, as Lua and as text.
  local function value_of(service, member)
    local shape = service:shape(member.shape)
    if shape.type == "integer" or shape.type == "long" then return 60, "60" end
    local text = shape.enum and shape.enum[1] or "some-value"
    return text, text
  end

  it("knows every header member of every operation, both ways", function()
    local runtime, transport = scripted(function() return { headers = {}, body = "" } end)
    local service = runtime.service
    for _, name in ipairs(service:operations()) do
      local operation = service:operation(name)
      local params, expected, headers, members, n = {}, {}, {}, {}, 0
      for _, member in ipairs(service:shape(operation.input).members) do
        local value, text = value_of(service, member)
        if member.location == "header" then
          n, params[member.name], expected[member.wire:lower()] = n + 1, value, text
        else
          params[member.name] = "x"
        end
      end
      assert(runtime:call(name, params, { validation = false }))
      local sent = transport.requests[#transport.requests]
      for wire, text in pairs(expected) do assert.equal(text, header(sent, wire), wire) end
      assert.is_true(n >= 7, name)
      for _, member in ipairs(service:shape(operation.output).members) do
        if member.location == "header" then
          members[member.name], headers[member.wire:upper()] = value_of(service, member)
        end
      end
      local answer = assert(core.decode(service, name, 200, headers, ""))
      for member, value in pairs(members) do assert.equal(value, answer[member], member) end
      assert.is_not_nil(next(members), name)
    end
  end)

  it("finds what is missing before anything is sent", function()
    local runtime, transport = scripted {}
    local answer, message, err = runtime:invoke_endpoint {}
    assert.is_nil(answer)
    assert.equal("validation", err.kind)
    assert.matches("EndpointName", message)
    assert.matches("Body", message)
    assert.equal(0, #transport.requests)
    assert.has_error(function() runtime:describe_endpoint {} end)
  end)

  it("tells what a model has answered", function()
    local runtime = scripted { { status = 424, headers = { ["x-amzn-RequestId"] = "r-1",
      ["x-amzn-ErrorType"] = "ModelError" }, body = '{"ErrorCode":"X","LogStreamArn":"arn:log",'
      .. '"Message":"Received server error (500) from primary","OriginalMessage":"boom",'
      .. '"OriginalStatusCode":500}' } }
    local answer, message, err = runtime:invoke_endpoint(CALL)
    assert.is_nil(answer)
    assert.equal("ModelError: Received server error (500) from primary", message)
    assert.equal(424, err.status)
    assert.equal("r-1", err.request_id)
    assert.equal("InvokeEndpoint", err.operation)
    assert.same({ Message = "Received server error (500) from primary", LogStreamArn = "arn:log",
      OriginalMessage = "boom", OriginalStatusCode = 500 }, err.fields)
  end)

  it("throws where it is called wrongly", function()
    local ok, message = pcall(function() sagemaker:runtime {} end)
    assert.is_false(ok)
    assert.matches("runtime_spec.lua:%d+: call it with a dot", message)
    ok, message = pcall(function() sagemaker.runtime { regoin = "x" } end)
    assert.is_false(ok)
    assert.matches("runtime_spec.lua:%d+: .*region", message)
  end)
end)

describe("an invocation", function()
  local OK = { body = "ok" }

  -- How often it was sent, and the failure.
  local function attempts(first, options, call_options)
    local runtime, transport = scripted({ first, OK }, options)
    local _, _, err = runtime:invoke_endpoint(CALL, call_options)
    return #transport.requests, err
  end

  local DONE = {
    ["a timeout"] = { code = "ReadTimeout", kind = "timeout", sent = true, retryable = true },
    ["a timeout that nobody knows more of"] = { code = "ReadTimeout", kind = "timeout" },
    ["an attempt that took too long"] = { delay = 100, code = "AttemptTimeout", kind = "timeout",
      sent = true, retryable = true },
    ["an answer that was cut"] = { code = "ConnectionReset", sent = true, received = true,
      retryable = true },
    ["a 500"] = { status = 500, body = '{"message":"x"}' },
    ["a 503"] = { status = 503, body = "" },
    ["throttling"] = { status = 429, headers = { ["x-amzn-errortype"] = "ThrottlingException" } },
    ["a model that is not ready"] = { status = 429,
      headers = { ["x-amzn-errortype"] = "ModelNotReadyException" } },
  }

  for what, first in pairs(DONE) do
    it("is not sent again after " .. what, function()
      local n, err = attempts(first)
      assert.equal(1, n)
      assert.equal(1, err.attempts)
      assert.is_true(err.gave_up == "careful" or err.gave_up == "final")
    end)
  end

  local UNDONE = {
    ["a refused connection"] = { code = "ConnectionRefused", sent = false, retryable = true },
    ["a connection that took too long"] = { code = "ConnectTimeout", kind = "timeout",
      sent = false, retryable = true },
    ["a connection that ended without an answer"] = { code = "ConnectionReset", sent = true,
      received = false, retryable = true },
  }

  for what, first in pairs(UNDONE) do
    it("is sent again after " .. what, function()
      local n, err = attempts(first)
      assert.equal(2, n)
      assert.is_nil(err)
    end)
  end

  it("is sent again where the program asks for retries", function()
    for _, what in ipairs { "a timeout", "an answer that was cut", "a 500", "a 503",
      "throttling" } do
      assert.equal(2, (attempts(DONE[what], { retry = { max_attempts = 3 } })), what)
      assert.equal(2, (attempts(DONE[what], nil, { retry = { mode = "standard" } })), what)
      assert.equal(1, (attempts(DONE[what], { retry = { max_attempts = 1 } })), what)
    end
  end)

  it("is sent again when it was refused for the date of a wrong clock", function()
    local n, err = attempts { status = 403, headers = { Date = "Thu, 15 Jan 2026 13:00:00 GMT",
      ["x-amzn-errortype"] = "InvalidSignatureException" } }
    assert.equal(2, n)
    assert.is_nil(err)
  end)
end)

-- A model that sends back what it gets; a stream is the body's base64, decoded, in small pieces.
local MODEL = [[
  location ~ ^/endpoints/echo/invocations$ {
    content_by_lua_block {
      ngx.req.read_body()
      ngx.header["Content-Type"] = ngx.var.content_type
      ngx.header["x-Amzn-Invoked-Production-Variant"] = ngx.var.http_x_amzn_sagemaker_target_variant
      ngx.print(ngx.req.get_body_data())
    }
  }
  location = /endpoints/broken/invocations {
    content_by_lua_block {
      ngx.status = 424
      ngx.header["x-amzn-ErrorType"] = "ModelError"
      ngx.print('{"Message":"m","OriginalStatusCode":500,"OriginalMessage":"o"}')
    }
  }
  location = /endpoints/slow/invocations {
    content_by_lua_block {
      ngx.shared.state:incr("slow", 1, 0)
      ngx.sleep(2)
      ngx.print("late")
    }
  }
  location = /slow { content_by_lua_block { ngx.print(ngx.shared.state:get("slow")) } }
  location ~ ^/endpoints/echo/invocations-response-stream$ {
    content_by_lua_block {
      ngx.req.read_body()
      local bytes = ngx.decode_base64(ngx.req.get_body_data())
      for at = 1, #bytes, 50 do
        ngx.print(bytes:sub(at, at + 49))
        ngx.flush(true)
      end
    }
  }
]]

describe("invocations over HTTP", function()
  if not server.available() then
    pending("nginx is not installed")
    return
  end
  local nginx

  setup(function() nginx = server.nginx { locations = MODEL } end)
  teardown(function() if nginx then nginx:stop() end end)

  local function runtime(options)
    local all = { credentials = script.KEYS, endpoint_url = nginx:url "",
      io = { getenv = function() end }, region = "eu-west-1" }
    for name, value in pairs(options or {}) do all[name] = value end
    return assert(sagemaker.runtime(all))
  end

  it("carry bodies as they are", function()
    local all = {}
    for i = 0, 255 do all[i + 1] = string.char(i) end
    local body = table.concat(all):rep(400)
    local answer = assert(runtime():invoke_endpoint { EndpointName = "echo", Body = body,
      ContentType = "application/x-it", TargetVariant = "green" })
    assert.is_true(answer.Body == body)
    assert.equal("application/x-it", answer.ContentType)
    assert.equal("green", answer.InvokedProductionVariant)
  end)

  it("tell errors of the model", function()
    local _, message, err = runtime():invoke_endpoint { EndpointName = "broken", Body = "x" }
    assert.equal("ModelError: m", message)
    assert.equal(500, err.fields.OriginalStatusCode)
    assert.equal(1, err.attempts)
  end)

  it("are sent once, even to a model that is too slow", function()
    local _, _, err = runtime { timeouts = { read = 0.2 } }:invoke_endpoint {
      EndpointName = "slow", Body = "x" }
    assert.equal("timeout", err.kind)
    assert.equal("careful", err.gave_up)
    assert.equal(1, err.attempts)
    local transport = require("sagemaker.transport.curl").new {}
    local response = assert(transport:send { method = "GET", url = nginx:url "/slow",
      headers = {}, body = "" })
    assert.equal("1", response.body)
  end)

  it("stream", function()
    local lines, frames = {}, {}
    for i = 1, 200 do lines[i] = ("line %d é"):format(i) end
    local text = table.concat(lines, "\n")
    for at = 1, #text, 7 do
      frames[#frames + 1] = frame("event", "PayloadPart", text:sub(at, at + 6))
    end
    local stream = assert(runtime():invoke_endpoint_with_response_stream { EndpointName = "echo",
      Body = core.text.base64(table.concat(frames)) })
    local got = {}
    for line in stream:lines() do got[#got + 1] = line end
    assert.same(lines, got)
  end)
end)
