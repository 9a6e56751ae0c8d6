--- The OpenAI-compatible paths: requests, answers, streams and errors, over a script of answers and
-- over HTTP.

local core = require "sagemaker.core"
local sagemaker = require "sagemaker"
local script = require "support.scripted"
local server = require "support.server"

local cjson = require "cjson"

local header, scripted = script.header, script.runtime
local CHAT = "/v1/chat/completions"
local BODY = { messages = { { role = "user", content = "Grüße" } } }
local JSON = { ["Content-Type"] = "application/json", ["x-amzn-RequestId"] = "r-1",
  ["x-Amzn-Invoked-Production-Variant"] = "blue" }
local EVENTS = { ["Content-Type"] = "text/event-stream",
  ["x-Amzn-Invoked-Production-Variant"] = "blue" }

describe("runtime:openai", function()
  local function sent(path, body, opts)
    local runtime, transport = scripted { { body = "{}", headers = JSON } }
    assert(runtime:openai("chat", path, body, opts))
    return transport.requests[1]
  end

  it("sends a table as JSON and answers a table", function()
    local runtime, transport = scripted { { body = '{"choices":[{"index":0}],"usage":null}',
      headers = JSON } }
    local answer = assert(runtime:openai("chat", CHAT, BODY))
    assert.same({ choices = { { index = 0 } }, usage = sagemaker.null }, answer)
    local request = transport.requests[1]
    assert.equal("POST", request.method)
    assert.equal("https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/chat/openai"
      .. "/v1/chat/completions", request.url)
    assert.same(BODY, cjson.decode(request.body))
    assert.equal("application/json", header(request, "content-type"))
    assert.equal("application/json", header(request, "accept"))
    assert.matches("/eu%-west%-1/sagemaker/aws4_request", header(request, "authorization"))
    assert.same({ connect = 60, read = 70 }, request.timeouts)
    assert.is_nil(request.stream)
  end)

  it("keeps whole numbers whole, and empty lists lists", function()
    local list = setmetatable({}, { __jsontype = "array" })
    local request = sent(CHAT, { seed = 2 ^ 53, stop = list, temperature = 0.1, user = "é" })
    assert.matches('"seed":9007199254740992', request.body, 1, true)
    assert.matches('"stop":[]', request.body, 1, true)
    assert.matches('"temperature":0.1', request.body, 1, true)
    local runtime = scripted { { body = '{"usage":{"total_tokens":12}}', headers = JSON } }
    assert.equal("12", tostring(runtime:openai("chat", CHAT, BODY).usage.total_tokens))
  end)

  it("says where a body cannot be written", function()
    local runtime = scripted {}
    local _, message = runtime:openai("chat", CHAT, { messages = { { content = print } } })
    assert.matches("body.messages[0].content: JSON cannot hold this value", message, 1, true)
  end)

  it("sends a string as it is", function()
    local request = sent("/v1/embeddings", '{"input":"x"}', { ContentType = "application/x-it" })
    assert.equal('{"input":"x"}', request.body)
    assert.equal("application/x-it", header(request, "content-type"))
  end)

  it("gets what has no body", function()
    local request = sent("/v1/models", nil)
    assert.equal("GET", request.method)
    assert.equal("", request.body)
    assert.is_nil(header(request, "content-type"))
    assert.equal("POST", sent("/v1/abort", nil, { method = "POST" }).method)
    assert.equal("DELETE", sent("/v1/responses/r", nil, { method = "DELETE" }).method)
  end)

  it("sends the members that InvokeEndpoint has in headers, and a component in the path", function()
    local request = sent(CHAT, BODY, { TargetVariant = "blue", SessionId = "NEW_SESSION",
      CustomAttributes = "a=b", InferenceId = "i", InferenceComponentName = "qwen",
      timeouts = { read = 5 } })
    assert.equal("blue", header(request, "x-amzn-sagemaker-target-variant"))
    assert.equal("NEW_SESSION", header(request, "x-amzn-sagemaker-session-id"))
    assert.equal("a=b", header(request, "x-amzn-sagemaker-custom-attributes"))
    assert.equal("i", header(request, "x-amzn-sagemaker-inference-id"))
    assert.is_nil(header(request, "x-amzn-sagemaker-inference-component"))
    assert.equal("/endpoints/chat/inference-components/qwen/openai/v1/chat/completions",
      request.path)
    assert.equal(5, request.timeouts.read)
  end)

  it("encodes in the path what must be, once, and signs what it sends", function()
    for given, expected in pairs {
      ["/v1/models/Qwen/Qwen3 4B"] = "/v1/models/Qwen/Qwen3%204B",
      ["/v1/models/a%2Fb"] = "/v1/models/a%2Fb",
      ["/v1/models/100%"] = "/v1/models/100%25",
      ["/v1/models/5%zz#é"] = "/v1/models/5%25zz%23%C3%A9",
      ["/v1/models?limit=2&after=a b%20c"] = "/v1/models?limit=2&after=a%20b%20c",
    } do
      local request = sent(given)
      assert.equal("/endpoints/chat/openai" .. expected, request.url:match("amazonaws%.com(.*)$"))
      local signer = core.signer { access_key_id = script.KEYS.access_key_id,
        secret_access_key = script.KEYS.secret_access_key,
        session_token = script.KEYS.session_token, region = "eu-west-1", service = "sagemaker" }
      local copy = { method = request.method, url = request.url, headers = {}, body = "" }
      local names = header(request, "authorization"):match("SignedHeaders=([^,]*)")
      for name, value in pairs(request.headers) do
        if name ~= "Authorization" then copy.headers[name] = value end
      end
      assert.equal(header(request, "authorization"),
        signer:authorization(copy, core.time.parse(header(request, "x-amz-date")), names))
    end
  end)

  it("proves whose a request is by a token where it is told to", function()
    local request = sent(CHAT, BODY, { auth = "bearer" })
    local token = header(request, "authorization"):match("^Bearer sagemaker%-api%-key%-(.*)$")
    local url = core.text.unbase64(token)
    assert.matches("^sagemaker.amazonaws.com/%?Action=CallWithBearerToken&", url)
    assert.matches("X-Amz-Credential=AKIDEXAMPLE%2F20260115%2Feu-west-1%2Fsagemaker%2Faws4_request",
      url, 1, true)
    assert.matches("X-Amz-Expires=300", url, 1, true)
    assert.matches("X-Amz-Security-Token=HIDDENTOKEN", url, 1, true)
    assert.matches("&Version=1$", url)
    assert.is_nil(header(request, "x-amz-date"))
  end)

  it("is served by the simulator, signed or with a token", function()
    local sim = sagemaker.simulator.new()
    local client = assert(sagemaker.new { transport = sim })
    assert(client:create_model { ModelName = "m",
      ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
      PrimaryContainer = { Image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/chat:1" } })
    sim:container("m", function(request)
      return { body = ('{"path":"%s","bytes":%d}'):format(request.path, #request.body),
        headers = { ["Content-Type"] = "application/json" } }
    end)
    assert(client:create_endpoint_config { EndpointConfigName = "c", ProductionVariants = { {
      VariantName = "v", ModelName = "m", InstanceType = "ml.m5.large",
      InitialInstanceCount = 1 } } })
    assert(client:deploy { EndpointName = "chat", EndpointConfigName = "c" })
    local runtime = assert(sagemaker.runtime { transport = sim })
    for _, auth in ipairs { "sigv4", "bearer" } do
      assert.same({ path = CHAT, bytes = 2 }, runtime:openai("chat", CHAT, "{}", { auth = auth }))
      local _, _, err = runtime:openai("chat", CHAT, "{}", { auth = auth,
        credentials = { access_key_id = "AKIDWRONG", secret_access_key = "x" } })
      assert.equal(403, err.status)
    end
  end)

  it("validates names, paths and bodies before anything is sent", function()
    local runtime, transport = scripted {}
    local loop = {}
    loop.loop = loop
    for _, case in ipairs {
      { "EndpointName", "under_score", CHAT, BODY },
      { "EndpointName", "", CHAT, BODY },
      { "EndpointName", "a/../b", CHAT, BODY },
      { "TargetVariant", "chat", CHAT, BODY, { TargetVariant = "no no" } },
      { "path", "chat", "/v1/../../other/invocations", BODY },
      { "path", "chat", "/v1/%2e%2E/x", BODY },
      { "body", "chat", CHAT, { f = print } },
      { "body", "chat", CHAT, loop },
      { "body", "chat", CHAT, { 1, nil, 3 } },
      { "body", "chat", CHAT, { text = "\255" } },
    } do
      local answer, message, err = runtime:openai(case[2], case[3], case[4], case[5])
      assert.is_nil(answer)
      assert.equal("validation", err.kind, message)
      assert.equal(case[1], err.path)
      assert.equal("OpenAI", err.operation)
    end
    assert.equal(0, #transport.requests)
  end)

  it("throws for what only a mistake in the program can be", function()
    local runtime = scripted {}
    for text, case in pairs {
      ["call it with a colon"] = function() runtime.openai("chat", CHAT, BODY) end,
      ["the endpoint must be a string, not nil"] = function() runtime:openai(nil, CHAT) end,
      ["the path must be a string that begins with"] =
        function() runtime:openai("chat", "v1/models") end,
      ["the body must be a string or a table, not number"] =
        function() runtime:openai("chat", CHAT, 5) end,
      ["option method must be"] =
        function() runtime:openai("chat", CHAT, nil, { method = "TRACE" }) end,
      ["option auth must be"] =
        function() runtime:openai("chat", CHAT, BODY, { auth = "basic" }) end,
      ["option stream must be true or false, not string"] =
        function() runtime:openai("chat", CHAT, BODY, { stream = "yes" }) end,
      ["option raw must be true or false, not number"] =
        function() runtime:openai("chat", CHAT, BODY, { raw = 1 }) end,
      ["unknown option temperature"] =
        function() runtime:openai("chat", CHAT, BODY, { temperature = 1 }) end,
      ["unknown operation openai"] = function()
        sagemaker.new({ region = "x", credentials = script.KEYS }):openai("chat", CHAT)
      end,
    } do
      local ok, message = pcall(case)
      assert.is_false(ok, text)
      assert.matches("openai_spec.lua:%d+: ", message)
      assert.matches(text, message, 1, true)
    end
  end)

  it("answers the raw body with the members of the head on request", function()
    local runtime = scripted { { body = "plain", headers = JSON } }
    assert.same({ Body = "plain", ContentType = "application/json",
      InvokedProductionVariant = "blue" }, runtime:openai("chat", CHAT, BODY, { raw = true }))
  end)

  it("finds an answer that is no JSON unreadable", function()
    for _, body in ipairs { "", "<html>", '{"a":', "{}\0" } do
      local runtime = scripted { { body = body, headers = JSON } }
      local answer, message, err = runtime:openai("chat", CHAT, BODY)
      assert.is_nil(answer)
      assert.matches("^UnreadableResponse: ", message)
      assert.equal("protocol", err.kind)
      assert.equal("r-1", err.request_id)
    end
    assert.same({}, scripted({ { status = 204 } }):openai("chat", "/v1/x", nil,
      { method = "DELETE" }))
  end)

  describe("with a stream", function()
    local TEXT = 'data: {"n":1}\n\ndata: {"n":2}\n\ndata: [DONE]\n\n'

    local function parts_of(text, size)
      local parts = {}
      for at = 1, #text, size do parts[#parts + 1] = text:sub(at, at + size - 1) end
      return parts
    end

    local function data_of(stream)
      local list = {}
      for event in stream:sse() do list[#list + 1] = cjson.decode(event.data).n end
      return list
    end

    it("reads events from a body without frames", function()
      for _, way in ipairs { { { stream = true } }, { {}, { stream = true } },
        { '{"stream":true}', { stream = true } } } do
        local runtime, transport = scripted { { headers = EVENTS, parts = parts_of(TEXT, 5) } }
        local stream = assert(runtime:openai("chat", CHAT, way[1], way[2]))
        local request = transport.requests[1]
        assert.is_true(request.stream)
        assert.equal("text/event-stream", header(request, "accept"))
        assert.is_true(cjson.decode(request.body).stream)
        assert.equal("blue", stream.InvokedProductionVariant)
        assert.equal("text/event-stream", stream.ContentType)
        assert.equal(0, transport.readers[1].reads)
        assert.same({ 1, 2 }, data_of(stream))
        stream:close()
        assert.equal(1, transport.readers[1].closed)
      end
    end)

    it("leaves the caller's table alone, and lets it say no", function()
      local body = { model = "m" }
      local runtime = scripted { { headers = EVENTS, parts = { TEXT } },
        { headers = JSON, body = "{}" } }
      assert(runtime:openai("chat", CHAT, body, { stream = true }))
      assert.same({ model = "m" }, body)
      assert.same({}, runtime:openai("chat", CHAT, { stream = true }, { stream = false }))
    end)

    it("answers one where events come unasked, or all at once", function()
      local runtime = scripted { { headers = EVENTS, body = TEXT }, { headers = EVENTS,
        body = TEXT } }
      assert.same({ 1, 2 }, data_of(assert(runtime:openai("chat", CHAT, "{}"))))
      assert.same({ 1, 2 }, data_of(assert(runtime:openai("chat", CHAT, { stream = true }))))
    end)

    it("ends in the failure of the transport", function()
      local runtime = scripted { { headers = EVENTS, parts = { "data: {\"n\":1}\n\n",
        { code = "TruncatedResponse" } } } }
      local events = assert(runtime:openai("chat", CHAT, { stream = true })):sse()
      assert.equal('{"n":1}', events:next().data)
      local event, _, err = events:next()
      assert.is_nil(event)
      assert.equal("TruncatedResponse", err.code)
      assert.equal("OpenAI", err.operation)
    end)

    it("is measured to its end", function()
      local told = {}
      local runtime = scripted({ { headers = EVENTS, parts = { TEXT } } }, { hooks = {
        on_call = function(metrics) told[#told + 1] = metrics end } })
      local stream = assert(runtime:openai("chat", CHAT, { stream = true }))
      assert.equal(0, #told)
      data_of(stream)
      stream:close()
      assert.equal(1, #told)
      assert.equal("OpenAI", told[1].operation)
      assert.equal(#TEXT, told[1].bytes_received)
    end)
  end)

  describe("errors", function()
    local function failed(status, body, headers, opts)
      local runtime, transport = scripted { { status = status, body = body, headers = headers },
        { body = "{}" } }
      local answer, message, err = runtime:openai("chat", CHAT, BODY, opts)
      assert.is_nil(answer)
      assert.equal(1, #transport.requests)
      assert.equal("service", err.kind)
      assert.equal(status, err.status)
      assert.equal("OpenAI", err.operation)
      assert.equal(tostring(err), message)
      return message, err
    end

    it("of model servers carry their code and message", function()
      for body, expected in pairs {
        ['{"error":{"message":"no such model","type":"NotFoundError","code":404}}'] =
          "NotFoundError: no such model",
        ['{"error":{"message":"too long","type":"invalid_request_error",'
          .. '"code":"context_length_exceeded"}}'] = "context_length_exceeded: too long",
        ['{"object":"error","message":"bad","type":"BadRequestError","param":null,"code":400}'] =
          "BadRequestError: bad",
        ['{"error":{"message":"m","type":null,"code":null}}'] = "404: m",
        ['{"error":"Model not loaded"}'] = "404: Model not loaded",
        ['{"detail":"Not Found"}'] = "404: Not Found",
        ["<html>"] = "404: <html>",
        ["[1]"] = "404: [1]",
        ["null"] = "404: null",
      } do
        local message, err = failed(404, body)
        assert.equal(expected, message)
        if body:find("^{") then assert.same(cjson.decode(body), err.raw) end
      end
    end)

    it("of AWS win", function()
      local message, err = failed(424, '{"Message":"m","OriginalMessage":"{\\"error\\":1}",'
        .. '"OriginalStatusCode":400}', { ["x-amzn-ErrorType"] = "ModelError" })
      assert.equal("ModelError: m", message)
      assert.equal(400, err.fields.OriginalStatusCode)
      assert.equal("AccessDeniedException: no", (failed(403,
        '{"__type":"AccessDeniedException","message":"no"}')))
    end)

    it("of a stream come before it", function()
      local message, err = failed(400, '{"error":{"message":"m","type":"t"}}', nil,
        { stream = true })
      assert.equal("t: m", message)
      assert.equal(1, err.attempts)
    end)

    it("are not tried again unless the program asks for it", function()
      local message, err = failed(503, '{"error":{"message":"busy","type":"overloaded"}}')
      assert.equal("overloaded: busy", message)
      assert.equal("careful", err.gave_up)
      local runtime, transport = scripted { { status = 503, body = "" }, { body = "{}" } }
      assert(runtime:openai("chat", CHAT, BODY, { retry = { max_attempts = 2 } }))
      assert.equal(2, #transport.requests)
    end)
  end)
end)

-- A model that sends a few events slowly enough to be seen apart, and what it was sent.
local MODEL = [[
  location /endpoints/chat/openai/v1/chat/completions {
    content_by_lua_block {
      ngx.req.read_body()
      local body = ngx.req.get_body_data()
      if body:find('"stream":true', 1, true) then
        ngx.header["Content-Type"] = "text/event-stream"
        for i = 1, 3 do
          ngx.print("data: {\"n\":" .. i .. "}\n\n")
          ngx.flush(true)
        end
        ngx.print("data: [DONE]\n\n")
      else
        ngx.header["Content-Type"] = "application/json"
        ngx.print('{"echo":', body, '}')
      end
    }
  }
]]

describe("runtime:openai over HTTP", function()
  if not server.available() then
    pending("nginx is not installed")
    return
  end
  local nginx

  setup(function() nginx = server.nginx { locations = MODEL } end)
  teardown(function() if nginx then nginx:stop() end end)

  it("answers tables and streams", function()
    local runtime = assert(sagemaker.runtime { credentials = script.KEYS, region = "eu-west-1",
      endpoint_url = nginx:url "", io = { getenv = function() end } })
    assert.same({ echo = BODY }, runtime:openai("chat", CHAT, BODY))
    local stream, list = assert(runtime:openai("chat", CHAT, BODY, { stream = true })), {}
    for event in stream:sse() do list[#list + 1] = event.data end
    assert.same({ '{"n":1}', '{"n":2}', '{"n":3}' }, list)
    runtime.transport:close()
  end)
end)
