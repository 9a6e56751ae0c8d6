local clients = require "sagemaker.client"
local errors = require "sagemaker.error"
local sagemaker = require "sagemaker"
local scripted = require "support.scripted"
local stub = require "sagemaker.transport.stub"

local cjson = require "cjson"

local KEYS, client_of, header = scripted.KEYS, scripted.client, scripted.header

local OK = { body = '{"EndpointName":"e","EndpointStatus":"InService"}' }
local THROTTLED = { status = 400, body = '{"__type":"ThrottlingException","message":"slow"}' }

describe("sagemaker.client", function()
  it("calls an operation by its name in both spellings", function()
    local client, transport = client_of { OK, OK, OK, OK }
    assert.equal("InService", client:describe_endpoint({ EndpointName = "e" }).EndpointStatus)
    assert.equal("InService", client:DescribeEndpoint({ EndpointName = "e" }).EndpointStatus)
    assert.equal("e", client:call("describe_endpoint", { EndpointName = "e" }).EndpointName)
    assert.equal("e", client:call("DescribeEndpoint", { EndpointName = "e" }).EndpointName)
    local request = transport.requests[1]
    assert.equal("POST", request.method)
    assert.equal("https://api.sagemaker.eu-west-1.amazonaws.com/", request.url)
    assert.equal("api.sagemaker.eu-west-1.amazonaws.com", request.host)
    assert.equal("SageMaker.DescribeEndpoint", header(request, "x-amz-target"))
    assert.equal("application/x-amz-json-1.1", header(request, "content-type"))
    assert.matches("AKIDEXAMPLE", header(request, "authorization"))
    assert.matches("^sagemaker%-lua/[%d.]+ ua/2.1 os/", header(request, "user-agent"))
    assert.equal("attempt=1", header(request, "amz-sdk-request"))
    assert.same({ EndpointName = "e" }, cjson.decode(request.body))
    assert.same({ connect = 60, read = 60 }, request.timeouts)
  end)

  it("offers every operation of the model", function()
    local client = client_of {}
    local names = client.service:operations()
    assert.is_true(#names > 400)
    for _, name in ipairs(names) do
      local operation = client.service:operation(name)
      assert.is_function(client[name])
      assert.is_function(client[operation.snake])
    end
  end)

  it("throws for what only a mistake in the program can be", function()
    local client = client_of {}
    local cases = {
      ["unknown operation creat_endpoint (did you mean create_endpoint?)"] =
        function() client:creat_endpoint {} end,
      ["unknown operation CreatEndpoint"] = function() client:call("CreatEndpoint", {}) end,
      ["unknown operation 17"] = function() client:call(17) end,
      ["parameters must be a table, not string"] =
        function() client:describe_endpoint "e" end,
      ["call it with a colon: client:describe_endpoint{…}"] =
        function() client.describe_endpoint { EndpointName = "e" } end,
      ["unknown option regoin (did you mean region?)"] =
        function() client:describe_endpoint({ EndpointName = "e" }, { regoin = "x" }) end,
      ["the options of a call must be a table, not string"] =
        function() client:describe_endpoint({ EndpointName = "e" }, "x") end,
      ["DescribeEndpoint has no pages"] = function() client:pages("DescribeEndpoint") end,
      ["unknown waiter nothing"] = function() client:wait("nothing", {}) end,
      ["unknown option proxy"] =
        function() client:pages("ListEndpoints", {}, { proxy = false }) end,
      ["the options must be a table, not string"] = function() sagemaker.new "eu-west-1" end,
      ["unknown option xyz"] = function() sagemaker.new { xyz = 1 } end,
      ["option max_items must be a whole number"] =
        function() client:pages("ListEndpoints", {}, { max_items = -1 }) end,
      ["option delay must be a number"] =
        function() client:wait("endpoint_in_service", {}, { delay = "x" }) end,
    }
    for text, case in pairs(cases) do
      local ok, message = pcall(case)
      assert.is_false(ok, text)
      assert.matches(text, message, 1, true)
      assert.matches("^spec/client_spec.lua:%d+: ", message)
    end
  end)

  it("has no field that is no operation", function()
    local client = client_of {}
    assert.is_nil(client.__something)
    assert.is_nil(client[17])
    assert.is_nil(client[nil])
    assert.is_nil(client[0 / 0])
    assert.equal("sagemaker.client (sagemaker, eu-west-1)", tostring(client))
  end)

  it("may be given a method of one's own, which no other client has", function()
    local one, other = client_of { OK, OK }, client_of { OK }
    assert.is_table(one:describe_endpoint { EndpointName = "e" }) -- it has the usual one by now
    one.describe_endpoint = function() return "mine" end
    assert.equal("mine", one:describe_endpoint {})
    assert.is_table(other:describe_endpoint { EndpointName = "e" })
    one.describe_endpoint = nil
    assert.is_table(one:describe_endpoint { EndpointName = "e" })
  end)

  it("answers validation errors with all problems, sending nothing", function()
    local client, transport = client_of {}
    local output, message, err = client:create_endpoint { EndpointNam = "e", Tags = 5 }
    assert.is_nil(output)
    assert.equal("validation", err.kind)
    assert.equal("ParamValidation", err.code)
    assert.equal("CreateEndpoint", err.operation)
    assert.is_true(#err.errors >= 3)
    assert.equal(err.errors[1].path, err.path)
    for _, problem in ipairs(err.errors) do
      assert.matches(problem.message, message, 1, true)
    end
    assert.equal(0, #transport.requests)
  end)

  it("checks strictly without sending", function()
    local client, transport = client_of {}
    assert.is_true(client:check("DescribeEndpoint", { EndpointName = "e" }))
    local ok, message, err = client:check("describe_endpoint", { EndpointName = "under_score" })
    assert.is_nil(ok)
    assert.equal("validation", err.kind)
    assert.equal("EndpointName", err.path)
    assert.equal(tostring(err), message)
    assert.equal(0, #transport.requests)
  end)

  it("takes the validation mode per client and per call", function()
    local client = client_of({ OK, OK }, { validation = "strict" })
    local bad = { EndpointName = "under_score" }
    assert.is_nil((client:describe_endpoint(bad)))
    assert.is_table(client:describe_endpoint(bad, { validation = "basic" }))
    assert.is_table(client:describe_endpoint({}, { validation = false }))
  end)

  it("makes the signed request without sending it", function()
    local client, transport = client_of {}
    local request = assert(client:request("DescribeEndpoint", { EndpointName = "e" }))
    assert.equal("https://api.sagemaker.eu-west-1.amazonaws.com/", request.url)
    assert.equal("/", request.path)
    assert.equal("", request.query)
    assert.is_string(header(request, "authorization"))
    assert.is_string(header(request, "x-amz-date"))
    assert.equal(0, #transport.requests)
    local none, _, err = client:request("DescribeEndpoint", { Nope = 1 })
    assert.is_nil(none)
    assert.equal("validation", err.kind)
  end)

  it("makes a request without any transport", function()
    local client = assert(sagemaker.new { region = "eu-west-1", credentials = KEYS,
      io = { getenv = function() end } })
    package.loaded["sagemaker.transport"] = nil
    assert.is_table(client:request("ListEndpoints"))
    assert.is_nil(package.loaded["sagemaker.transport"])
  end)

  describe("errors", function()
    it("of the service carry code, status, request id and the body", function()
      local client = client_of { { status = 400, headers = { ["x-amzn-RequestId"] = "r-1" },
        body = '{"__type":"ValidationException","message":"Could not find endpoint"}' } }
      local output, message, err = client:describe_endpoint { EndpointName = "e" }
      assert.is_nil(output)
      assert.equal("ValidationException: Could not find endpoint", message)
      assert.is_true(errors.is(err))
      assert.equal("service", err.kind)
      assert.equal(400, err.status)
      assert.equal("r-1", err.request_id)
      assert.equal("DescribeEndpoint", err.operation)
      assert.equal(1, err.attempts)
      assert.is_false(err.retryable)
      assert.equal("Could not find endpoint", err.raw.message)
    end)

    it("say something where the service says nothing", function()
      local client = client_of({ { status = 503, body = "<html>" } },
        { retry = { max_attempts = 1 } })
      local _, message, err = client:describe_endpoint { EndpointName = "e" }
      assert.matches("^503: %a", message)
      assert.is_true(err.retryable)
      assert.equal("attempts", err.gave_up)
    end)

    it("of an unreadable answer are of kind protocol and not retried", function()
      for _, body in ipairs { "<html>", "", '{"EndpointName":', "[1]" } do
        local client, transport = client_of { { body = body,
          headers = { ["X-Amzn-RequestId"] = "r" } } }
        local output, _, err = client:describe_endpoint { EndpointName = "e" }
        if body ~= "" then
          assert.is_nil(output)
          assert.equal("protocol", err.kind)
          assert.equal("UnreadableResponse", err.code)
          assert.equal("r", err.request_id)
          assert.equal(200, err.status)
        end
        assert.equal(1, #transport.requests)
      end
    end)

    it("of the transport come through, retried where that may help", function()
      local client, transport = client_of { { code = "ConnectionReset", sent = true }, OK }
      assert.is_table(client:describe_endpoint { EndpointName = "e" })
      assert.equal(2, #transport.requests)
      client, transport = client_of { { code = "CertificateError", retryable = false } }
      local _, message, err = client:describe_endpoint { EndpointName = "e" }
      assert.equal("CertificateError: as the script says", message)
      assert.equal("transport", err.kind)
      assert.equal(1, #transport.requests)
    end)
  end)

  describe("retries", function()
    it("send the same bytes under the same id, signed anew", function()
      local client, transport = client_of { THROTTLED, THROTTLED, OK }
      assert.is_table(client:describe_endpoint { EndpointName = "e" })
      local first, third = transport.requests[1], transport.requests[3]
      assert.same({ 1, 2 }, transport.sleeps)
      assert.equal(first.body, third.body)
      assert.equal(header(first, "amz-sdk-invocation-id"), header(third, "amz-sdk-invocation-id"))
      assert.equal("attempt=3; max=3", header(third, "amz-sdk-request"))
      assert.not_equal(header(first, "x-amz-date"), header(third, "x-amz-date"))
    end)

    it("end after the last attempt", function()
      local client = client_of { THROTTLED, THROTTLED, THROTTLED }
      local _, message, err = client:describe_endpoint { EndpointName = "e" }
      assert.equal("ThrottlingException: slow", message)
      assert.equal(3, err.attempts)
      assert.equal("attempts", err.gave_up)
      assert.is_true(err.retryable)
    end)

    it("fill in an idempotency token once a call", function()
      local client, transport = client_of { THROTTLED, { body = "{}" }, { body = "{}" } }
      local params = { PipelineName = "p", RoleArn = "arn:aws:iam::123456789012:role/r" }
      assert.is_table(client:create_pipeline(params))
      assert.is_table(client:create_pipeline(params))
      local tokens = {}
      for i, request in ipairs(transport.requests) do
        tokens[i] = cjson.decode(request.body).ClientRequestToken
      end
      assert.equal(36, #tokens[1])
      assert.equal(tokens[1], tokens[2])
      assert.is_nil(params.ClientRequestToken)
    end)

    it("share one quota among the calls of a client", function()
      local client, transport = client_of(function() return THROTTLED end)
      for _ = 1, 50 do client:describe_endpoint { EndpointName = "e" } end
      local before = #transport.requests
      local _, _, err = client:describe_endpoint { EndpointName = "e" }
      assert.equal(before + 1, #transport.requests)
      assert.equal("quota", err.gave_up)
    end)

    it("never wait past the operation's deadline", function()
      local client, transport = client_of({ THROTTLED, THROTTLED, THROTTLED },
        { timeouts = { operation = 2.5 } })
      local _, _, err = client:describe_endpoint { EndpointName = "e" }
      assert.equal("ThrottlingException", err.code)
      assert.equal("deadline", err.gave_up)
      assert.equal(2, err.attempts)
      assert.same({ 1 }, transport.sleeps)
      assert.equal(2.5, transport.requests[2].deadline)
    end)

    it("tell the hook on_retry", function()
      local told = {}
      local client = client_of({ THROTTLED, OK }, { hooks = {
        on_retry = function(err, delay, operation)
          told[#told + 1] = { err.code, delay, operation }
        end,
      } })
      client:describe_endpoint { EndpointName = "e" }
      assert.same({ { "ThrottlingException", 1, "DescribeEndpoint" } }, told)
    end)

    it("can be set per call, also in legacy mode", function()
      local client, transport = client_of(function() return THROTTLED end)
      local _, _, err = client:describe_endpoint({ EndpointName = "e" },
        { retry = { max_attempts = 2 } })
      assert.equal(2, err.attempts)
      _, _, err = client:describe_endpoint({ EndpointName = "e" }, { retry = { mode = "legacy" } })
      assert.equal(5, err.attempts)
      assert.equal(7, #transport.requests)
    end)
  end)

  describe("timeouts", function()
    it("of an attempt leave room for another one", function()
      local client, transport = client_of({ { delay = 9 }, OK }, { timeouts = { attempt = 3 } })
      assert.is_table(client:describe_endpoint { EndpointName = "e" })
      assert.equal(3, transport.requests[1].deadline)
      assert.equal(7, transport.requests[2].deadline)
    end)

    it("of the operation end it", function()
      local client, transport = client_of({ { delay = 9 } },
        { timeouts = { attempt = 30, operation = 5 } })
      local _, message, err = client:describe_endpoint { EndpointName = "e" }
      assert.matches("^OperationTimeout: ", message)
      assert.equal("timeout", err.kind)
      assert.is_false(err.retryable)
      assert.equal(1, #transport.requests)
    end)
  end)

  describe("a wrong clock", function()
    local function skewed(code)
      return function(request)
        if header(request, "x-amz-date"):sub(1, 11) == "20260115T14" then return OK end
        return { status = 403, headers = { Date = "Thu, 15 Jan 2026 14:00:00 GMT" },
          body = ('{"__type":"%s","message":"m"}'):format(code) }
      end
    end

    it("is set right by the Date header, at once, for all further calls", function()
      for _, code in ipairs { "RequestTimeTooSkewed", "InvalidSignatureException" } do
        local client, transport = client_of(skewed(code))
        assert.is_table(client:describe_endpoint { EndpointName = "e" })
        assert.equal(2, #transport.requests)
        assert.same({}, transport.sleeps)
        assert.is_table(client:describe_endpoint { EndpointName = "e" })
        assert.equal(3, #transport.requests)
        assert.equal(500, client.state.quota.available)
      end
    end)

    it("is set right only once a call", function()
      local client, transport = client_of(function()
        return { status = 403, headers = { date = "Thu, 15 Jan 2026 18:00:00 GMT" },
          body = '{"__type":"RequestTimeTooSkewed","message":"m"}' }
      end)
      local _, _, err = client:describe_endpoint { EndpointName = "e" }
      assert.equal("RequestTimeTooSkewed", err.code)
      assert.equal(2, #transport.requests)
    end)
  end)

  describe("hooks", function()
    it("see and change what goes out and comes in", function()
      local order = {}
      local client, transport = client_of({ OK }, { hooks = {
        before_sign = function(request, operation)
          order[#order + 1] = "sign " .. operation
          request.headers["X-Amz-Mine"] = "1"
          assert.is_nil(request.headers.Authorization)
        end,
        before_send = function(request)
          order[#order + 1] = "send"
          assert.is_string(request.headers.Authorization)
          request.headers["X-Late"] = "2"
        end,
        after_response = function(response, operation)
          order[#order + 1] = ("response %d %s"):format(response.status, operation)
        end,
      } })
      client:describe_endpoint { EndpointName = "e" }
      assert.same({ "sign DescribeEndpoint", "send", "response 200 DescribeEndpoint" }, order)
      assert.equal("1", header(transport.requests[1], "x-amz-mine"))
      assert.equal("2", header(transport.requests[1], "x-late"))
    end)

    it("that throw reach the caller, and the client goes on", function()
      local client = client_of { OK }
      local boom = { before_send = function() error("boom", 0) end }
      assert.error_matches(function()
        client:describe_endpoint({ EndpointName = "e" }, { hooks = boom })
      end, "^boom$")
      assert.is_table(client:describe_endpoint { EndpointName = "e" })
    end)
  end)

  it("tells the logger everything but secrets", function()
    local lines = {}
    local client = client_of({ THROTTLED, OK, { status = 400, body = "{}" } }, {
      logger = function(level, text) lines[#lines + 1] = level .. " " .. text end,
    })
    client:describe_endpoint { EndpointName = "e" }
    client:describe_endpoint { EndpointName = "e" }
    local text = table.concat(lines, "\n")
    assert.is_nil(text:find("HIDDEN"))
    assert.is_nil(text:find("Signature=", 1, true))
    assert.matches("debug DescribeEndpoint: attempt 1: POST https://", text, 1, true)
    assert.matches("info DescribeEndpoint: attempt 1 failed (ThrottlingException: slow), next one "
      .. "in 1.000 s", text, 1, true)
    assert.matches("debug DescribeEndpoint: HTTP 200", text, 1, true)
    assert.matches("warn DescribeEndpoint: 400: ", text, 1, true)
  end)

  describe("credentials", function()
    it("that are missing are an error with the reasons", function()
      local client = client_of({}, { credentials = { get = function() return nil, "no" end } })
      local output, message, err = client:describe_endpoint { EndpointName = "e" }
      assert.is_nil(output)
      assert.equal("NoCredentials: no usable credentials: no", message)
      assert.equal("credentials", err.kind)
      assert.equal(0, err.attempts)
      client = assert(sagemaker.new { region = "x", transport = stub.new {},
        io = { getenv = function(name)
          return ({ HOME = "/nowhere", AWS_EC2_METADATA_DISABLED = "true" })[name]
        end,
          open = function(path) return nil, path .. ": No such file or directory", 2 end } })
      message = select(2, client:list_endpoints())
      assert.matches("^NoCredentials: no usable credentials: environment: "
        .. "AWS_ACCESS_KEY_ID is not set; assume%-role: ", message)
    end)

    it("that are broken say so, without the keys", function()
      local client = client_of({}, { credentials = { access_key_id = "HIDDEN" } })
      local _, message, err = client:describe_endpoint { EndpointName = "e" }
      assert.equal("InvalidCredentials", err.code)
      assert.is_nil(message:find("HIDDEN"))
    end)

    it("may come from a function and change while the client lives", function()
      local n = 0
      local client, transport = client_of(function() return OK end, { credentials = function()
        n = n + 1
        return { access_key_id = "AKID" .. n, secret_access_key = "s", expires_at = 1768478400
          + n * 3600 }
      end })
      client:describe_endpoint { EndpointName = "e" }
      client:describe_endpoint { EndpointName = "e" }
      transport:sleep(3000)
      client:describe_endpoint { EndpointName = "e" }
      assert.matches("AKID1", header(transport.requests[2], "authorization"), 1, true)
      assert.matches("AKID2", header(transport.requests[3], "authorization"), 1, true)
    end)

    it("are asked of one provider, whatever a call overrides", function()
      local n = 0
      local client = client_of(function() return OK end, { credentials = function()
        n = n + 1
        return KEYS
      end })
      client:describe_endpoint({ EndpointName = "e" }, { region = "us-east-1" })
      client:describe_endpoint({ EndpointName = "e" }, { timeouts = { read = 1 } })
      client:describe_endpoint { EndpointName = "e" }
      assert.equal(1, n)
    end)

    it("and the region may be other ones for a call", function()
      local client, transport = client_of { OK, OK }
      client:describe_endpoint({ EndpointName = "e" }, { region = "us-east-1",
        credentials = { access_key_id = "OTHER", secret_access_key = "x" } })
      client:describe_endpoint { EndpointName = "e" }
      assert.equal("https://api.sagemaker.us-east-1.amazonaws.com/", transport.requests[1].url)
      assert.matches("OTHER", header(transport.requests[1], "authorization"), 1, true)
      assert.matches("us-east-1", header(transport.requests[1], "authorization"), 1, true)
      assert.equal("https://api.sagemaker.eu-west-1.amazonaws.com/", transport.requests[2].url)
      assert.matches("AKIDEXAMPLE", header(transport.requests[2], "authorization"), 1, true)
    end)
  end)

  it("sends to an endpoint URL with a prefix", function()
    local client, transport = client_of({ OK, OK }, { endpoint_url = "http://localhost:8080/x" })
    client:describe_endpoint { EndpointName = "e" }
    assert.equal("http://localhost:8080/x", transport.requests[1].url)
    assert.equal("localhost:8080", transport.requests[1].host)
    client:describe_endpoint({ EndpointName = "e" }, { endpoint_url = "http://other" })
    assert.equal("http://other/", transport.requests[2].url)
    local _, _, err = client:describe_endpoint({ EndpointName = "e" }, { endpoint_url = "junk" })
    assert.equal("config", err.kind)
  end)

  it("adds to the user agent", function()
    local client, transport = client_of({ OK, OK, OK }, { user_agent_extra = "shop/1",
      io = { getenv = function(name)
        return name == "AWS_SDK_UA_APP_ID" and "my app" or nil
      end } })
    client:describe_endpoint { EndpointName = "e" }
    assert.matches(" app/my%-app shop/1$", header(transport.requests[1], "user-agent"))
    client:describe_endpoint({ EndpointName = "e" }, { user_agent_extra = "once/2" })
    assert.matches(" app/my%-app once/2$", header(transport.requests[2], "user-agent"))
    client:describe_endpoint({ EndpointName = "e" }, { retry = { mode = "legacy" } })
    assert.matches(" cfg/retry%-mode#legacy app/my%-app shop/1$",
      header(transport.requests[3], "user-agent"))
  end)

  it("uses another transport for a call", function()
    local client, transport = client_of {}
    local other = stub.new { OK }
    assert.is_table(client:describe_endpoint({ EndpointName = "e" }, { transport = other }))
    assert.equal(0, #transport.requests)
    assert.equal(1, #other.requests)
  end)

  it("serves other services of the model", function()
    local transport = stub.new { { body = "answer",
      headers = { ["Content-Type"] = "text/plain" } } }
    local client = assert(clients.new({ region = "eu-west-1", credentials = KEYS,
      transport = transport, io = { getenv = function() end } },
      { name = "sagemaker-runtime", id = "SageMaker Runtime", read_timeout = 70 }))
    local output = assert(client:invoke_endpoint { EndpointName = "e", Body = "in" })
    assert.equal("answer", output.Body)
    assert.equal("https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/e/invocations",
      transport.requests[1].url)
    assert.equal(70, transport.requests[1].timeouts.read)
    assert.is_nil(rawget(client.class, "describe_endpoint"))
  end)
end)
