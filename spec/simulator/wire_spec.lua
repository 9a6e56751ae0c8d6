local caller = require "simulator.caller"
local core = require "sagemaker.core"
local simulator = require "sagemaker.simulator"

describe("the simulator on the wire", function()
  local sim, call

  before_each(function()
    sim = simulator.new()
    call = caller.new(sim)
  end)

  local function message(operation, input)
    local output, code, text = call(operation, input)
    assert.is_nil(output)
    assert.equal("ValidationException", code)
    return text
  end

  it("answers with a request id, a date and a content type", function()
    local _, response = call("ListModels", {})
    assert.matches("^%x+%-%x+%-4%x+%-[89ab]%x+%-%x+$", response.headers["x-amzn-RequestId"])
    assert.equal("Thu, 15 Jan 2026 12:00:00 GMT", response.headers.Date)
    assert.equal("application/x-amz-json-1.1", response.headers["Content-Type"])
    assert.equal(tostring(#response.body), response.headers["Content-Length"])
  end)

  it("gives the same request ids for the same seed, and others for another", function()
    local function first(seed)
      local _, response = caller.new(simulator.new { seed = seed })("ListModels", {})
      return response.headers["x-amzn-RequestId"]
    end
    assert.equal(first(7), first(7))
    assert.not_equal(first(7), first(8))
    local seen, _ = {}, nil
    for _ = 1, 1000 do
      local id = select(2, call("ListModels", {})).headers["x-amzn-RequestId"]
      assert.is_nil(seen[id])
      seen[id] = true
    end
  end)

  it("words violated constraints as the service does", function()
    assert.equal("1 validation error detected: Value null at 'endpointName' failed to satisfy "
      .. "constraint: Member must not be null", message("DescribeEndpoint", {}))
    assert.equal("1 validation error detected: Value 'a_b' at 'endpointName' failed to satisfy "
      .. "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9])"
      .. "{0,62}", message("DescribeEndpoint", { EndpointName = "a_b" }))
    assert.equal("1 validation error detected: Value '101' at 'maxResults' failed to satisfy "
      .. "constraint: Member must have value less than or equal to 100",
      message("ListModels", { MaxResults = 101 }))
    assert.equal("1 validation error detected: Value '0' at 'maxResults' failed to satisfy "
      .. "constraint: Member must have value greater than or equal to 1",
      message("ListModels", { MaxResults = 0 }))
    assert.equal("1 validation error detected: Value 'Size' at 'sortBy' failed to satisfy "
      .. "constraint: Member must satisfy enum value set: [Name, CreationTime]",
      message("ListModels", { SortBy = "Size" }))
    assert.equal("1 validation error detected: Value '[]' at 'productionVariants' failed to "
      .. "satisfy constraint: Member must have length greater than or equal to 1",
      message("CreateEndpointConfig", { EndpointConfigName = "c", ProductionVariants = {} }))
  end)

  it("tells all violations at once, with list positions from 1", function()
    local text = message("CreateEndpointConfig", { EndpointConfigName = ("x"):rep(64),
      ProductionVariants = { { VariantName = "a", ModelName = "model" },
        { ModelName = "model", InitialInstanceCount = 0 } } })
    assert.matches("^4 validation errors detected: ", text)
    assert.matches("at 'endpointConfigName' failed to satisfy constraint: Member must have length "
      .. "less than or equal to 63", text)
    assert.matches("Value null at 'productionVariants%.2%.member%.variantName' failed", text)
    assert.matches("Value '0' at 'productionVariants%.2%.member%.initialInstanceCount' failed",
      text)
  end)

  it("names the map whose keys or values are wrong", function()
    local function environment(map)
      return message("CreateModel",
        { ModelName = "m", PrimaryContainer = { Image = "i", Environment = map } })
    end
    assert.equal("1 validation error detected: Value '{1a=x}' at 'primaryContainer.environment' "
      .. "failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy "
      .. "regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*]", environment { ["1a"] = "x" })
    assert.matches("Map value must satisfy constraint: %[Member must have length less than or "
      .. "equal to 1024%]$", environment { A = ("x"):rep(1025) })
  end)

  it("ignores members it does not know", function()
    local response = sim:handle {
      method = "POST", path = "/", query = "", headers = {}, body = "{}",
    }
    assert.equal(403, response.status)
    local open = simulator.new { verify = false }
    response = open:handle {
      method = "POST", path = "/", query = "", body = '{"MaxResults": 5, "Newer": {"a": [1]}}',
      headers = { ["X-Amz-Target"] = "SageMaker.ListModels",
        ["Content-Type"] = "application/x-amz-json-1.1" },
    }
    assert.same({ 200, '{"Models":[]}' }, { response.status, response.body })
  end)

  it("refuses requests that are none, and stays up", function()
    local open = simulator.new { verify = false }
    local function status(fields)
      local request = { method = "POST", path = "/", query = "", body = "{}",
        headers = { ["X-Amz-Target"] = "SageMaker.ListModels",
          ["Content-Type"] = "application/x-amz-json-1.1" } }
      for key, value in pairs(fields) do request[key] = value end
      local response = open:handle(request)
      local failure = core.decode_error(core.service "sagemaker", nil, response.status,
        response.headers, response.body)
      assert.is_true(response.status >= 400 and response.status < 500)
      assert.is_string(failure.code)
      return failure.code
    end
    assert.equal("UnknownOperationException", status { headers = {} })
    assert.equal("UnknownOperationException",
      status { headers = { ["X-Amz-Target"] = "SageMaker.Nonsense" } })
    assert.equal("SerializationException", status { body = "{" })
    assert.equal("SerializationException", status { body = "[]" })
    assert.equal("SerializationException", status { body = '{"MaxResults": "five"}' })
    assert.equal("SerializationException", status { body = ("["):rep(100000) })
    assert.equal("NotSimulated",
      status { headers = { ["X-Amz-Target"] = "SageMaker.CreateTrainingJob" } })
    local response = open:handle { method = "POST", path = "/", query = "", body = "{}",
      headers = { ["X-Amz-Target"] = "SageMaker.ListModels",
        ["Content-Type"] = "application/x-amz-json-1.1" } }
    assert.equal(200, response.status)
  end)

  describe("in the query protocol", function()
    local function code_of(service, action, opts)
      opts = opts or {}
      local request = { method = "POST", path = "/", query = "", host = service .. ".amazonaws.com",
        body = "Action=" .. action .. "&Version=2011-06-15", headers = {
          Host = service .. ".amazonaws.com",
          ["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8" } }
      core.signer { access_key_id = opts.key or "test", secret_access_key = opts.secret or "test",
        region = "us-east-1", service = service }:sign(request, opts.at or sim:now())
      if opts.unsigned then request.headers.Authorization = nil end
      local response = sim:handle(request)
      local body = response.body
      return body:match("<Code>(.-)</Code>"), body:match("<Message>(.-)</Message>"), response.status
    end

    it("calls refusals as services with that protocol do", function()
      local function has(code, text, ...)
        local got, said, status = code_of(...)
        assert.equal(code, got)
        assert.matches(text, said)
        assert.equal(403, status)
      end
      assert.is_nil((code_of("sts", "GetCallerIdentity")))
      has("SignatureDoesNotMatch", "does not match", "sts", "GetCallerIdentity", { secret = "x" })
      has("InvalidClientTokenId", "token included in the request is invalid", "monitoring",
        "DescribeAlarms", { key = "x" })
      has("MissingAuthenticationToken", "Missing", "monitoring", "DescribeAlarms",
        { unsigned = true })
      sim:deny(1)
      has("AccessDenied", "not authorized to perform: sts:GetCallerIdentity", "sts",
        "GetCallerIdentity")
      sim:expire(1)
      has("ExpiredToken", "is expired", "sts", "GetCallerIdentity")
    end)

    it("takes signatures of five minutes, and STS of fifteen", function()
      local old = sim:now() - 301
      assert.is_nil((code_of("sts", "GetCallerIdentity", { at = old })))
      local code, said = code_of("monitoring", "DescribeAlarms", { at = old })
      assert.equal("SignatureDoesNotMatch", code)
      assert.equal("Signature expired: 20260115T115459Z is now earlier than 20260115T115500Z "
        .. "(20260115T120000Z - 5 min.)", said)
      code, said = code_of("sts", "GetCallerIdentity", { at = sim:now() - 901 })
      assert.equal("SignatureDoesNotMatch", code)
      assert.matches("%(20260115T120000Z %- 15 min%.%)$", said)
    end)
  end)

  it("passes over headers that no wire can bring", function()
    local open = simulator.new { verify = false }
    local function status(headers)
      headers["X-Amz-Target"] = headers["X-Amz-Target"] or "SageMaker.ListModels"
      return open:handle({ method = "POST", path = "/", query = "", body = "{}",
        headers = headers }).status
    end
    for _, headers in ipairs { { "x" }, { [true] = "x" }, { [1.5] = {} }, { a = {} },
      { a = { {} } }, { a = { true } }, { a = print }, { a = 1 }, { a = { "x", 2 } } } do
      assert.equal(200, status(headers))
    end
    assert.equal(400, open:handle({ headers = { ["X-Amz-Target"] = { {} } } }).status)
  end)

  it("remembers the latest requests", function()
    call("ListModels", {})
    call("DescribeModel", { ModelName = "none" })
    local log = sim:requests()
    assert.equal(2, #log)
    assert.same({ "DescribeModel", 400, "ValidationException" },
      { log[2].operation, log[2].status, log[2].code })
    for _ = 1, 500 do call("ListModels", {}) end
    assert.equal(200, #sim:requests())
  end)

  it("plays an eight-hour deployment without waiting for it", function()
    local sleep = stub(core, "sleep")
    finally(function() sleep:revert() end)
    caller.prepare(call, "v1", "v2")
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "v1" }))
    sim:sleep(300)
    assert(call("UpdateEndpoint", { EndpointName = "e", EndpointConfigName = "v2",
      DeploymentConfig = { BlueGreenUpdatePolicy = { TerminationWaitInSeconds = 3600,
        MaximumExecutionTimeoutInSeconds = 28800, TrafficRoutingConfiguration = {
          Type = "LINEAR", WaitIntervalInSeconds = 3600,
          LinearStepSize = { Type = "CAPACITY_PERCENT", Value = 20 } } } } }))
    local looks = 0
    repeat
      sim:sleep(30)
      looks = looks + 1
    until assert(call("DescribeEndpoint", { EndpointName = "e" })).EndpointStatus == "InService"
    assert.is_true(looks > 400)
    assert.stub(sleep).was_not_called()
    assert.equal("v2", assert(call("DescribeEndpoint", { EndpointName = "e" })).EndpointConfigName)
  end)

  it("keeps a thousand deployments apart", function()
    caller.prepare(call, "v1", "v2")
    for i = 1, 1000 do
      assert(call("CreateEndpoint", { EndpointName = "e" .. i, EndpointConfigName = "v1" }))
      sim:advance(1)
    end
    for i = 1, 1000 do
      local status = assert(call("DescribeEndpoint", { EndpointName = "e" .. i })).EndpointStatus
      assert.equal(i <= 701 and "InService" or "Creating", status)
    end
  end)

  it("runs on real time times a factor", function()
    local time = 0
    local fast = simulator.new { clock = { factor = 60 }, io = {
      now = function() return 1768478400 end, clock = function() return time end,
      sleep = function(seconds) time = time + seconds end,
    } }
    local quick = caller.new(fast)
    caller.prepare(quick, "v1")
    assert(quick("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "v1" }))
    fast:sleep(240)
    assert.equal(4, time)
    local function status()
      return assert(quick("DescribeEndpoint", { EndpointName = "e" })).EndpointStatus
    end
    assert.equal("Creating", status())
    time = time + 1
    assert.equal("InService", status())
    assert.equal(300, fast:clock())
  end)
end)
