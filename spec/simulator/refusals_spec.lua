-- Every refusal that users of the service know, with its status, code and message.

local caller = require "simulator.caller"
local simulator = require "sagemaker.simulator"

local ARN = "arn:aws:sagemaker:us-east-1:123456789012:"

describe("the simulator refuses", function()
  local sim, call, invoke

  before_each(function()
    sim = simulator.new { limits = { models = 2, endpoint_configs = 3, endpoints = 2 } }
    call = caller.new(sim)
    invoke = caller.new(sim, { model = "sagemaker-runtime" })
    caller.prepare(call, "v1", "v2")
    assert(call("CreateEndpoint", { EndpointName = "Churn", EndpointConfigName = "v1" }))
    sim:advance(300)
  end)

  local function refused(by, status, code, message, operation, input)
    local output, got, text, response = by(operation, input)
    assert.is_nil(output)
    assert.same({ status, code, message }, { response.status, got, text })
  end

  local function invalid(message, operation, input)
    refused(call, 400, "ValidationException", message, operation, input)
  end

  local ENDPOINT = { EndpointName = "churn", EndpointConfigName = "v2" }
  local SCALE = { EndpointName = "churn", DesiredWeightsAndCapacities = {
    { VariantName = "AllTraffic", DesiredInstanceCount = 1 } } }

  local function model(name)
    return { ModelName = name, PrimaryContainer = { Image = caller.IMAGE } }
  end

  it("names that exist, whatever their case", function()
    invalid('Cannot create already existing endpoint "' .. ARN .. 'endpoint/churn".',
      "CreateEndpoint", { EndpointName = "CHURN", EndpointConfigName = "v1" })
    invalid('Cannot create already existing endpoint configuration "' .. ARN
      .. 'endpoint-config/v1".', "CreateEndpointConfig", caller.config("V1", 1))
    invalid('Cannot create already existing model "' .. ARN .. 'model/model".', "CreateModel",
      model "MODEL")
  end)

  it("names that are missing", function()
    local config = 'Could not find endpoint configuration "' .. ARN .. 'endpoint-config/none".'
    invalid(config, "CreateEndpoint", { EndpointName = "e", EndpointConfigName = "none" })
    invalid(config, "UpdateEndpoint", { EndpointName = "churn", EndpointConfigName = "none" })
    invalid(config, "DescribeEndpointConfig", { EndpointConfigName = "none" })
    invalid(config, "DeleteEndpointConfig", { EndpointConfigName = "none" })
    local endpoint = 'Could not find endpoint "' .. ARN .. 'endpoint/none".'
    for _, operation in ipairs { "DescribeEndpoint", "DeleteEndpoint" } do
      invalid(endpoint, operation, { EndpointName = "none" })
    end
    invalid(endpoint, "UpdateEndpoint", { EndpointName = "none", EndpointConfigName = "v1" })
    invalid(endpoint, "UpdateEndpointWeightsAndCapacities", { EndpointName = "none",
      DesiredWeightsAndCapacities = SCALE.DesiredWeightsAndCapacities })
    local missing = caller.config("v3", 1)
    missing.ProductionVariants[1].ModelName = "none"
    invalid('Could not find model "' .. ARN .. 'model/none".', "CreateEndpointConfig", missing)
  end)

  it("an update when the current configuration was deleted meanwhile", function()
    assert(call("DeleteEndpointConfig", { EndpointConfigName = "v1" }))
    invalid('Could not find endpoint configuration "' .. ARN .. 'endpoint-config/v1".',
      "UpdateEndpoint", ENDPOINT)
  end)

  it("changes of an endpoint on which something is under way", function()
    assert(call("UpdateEndpoint", ENDPOINT))
    local message = 'Cannot update in-progress endpoint "' .. ARN .. 'endpoint/churn".'
    invalid(message, "UpdateEndpoint", ENDPOINT)
    invalid(message, "DeleteEndpoint", { EndpointName = "churn" })
    invalid(message, "UpdateEndpointWeightsAndCapacities", SCALE)
  end)

  it("what violates a constraint of the model", function()
    local input = caller.config("v3", 1)
    input.ProductionVariants[1].InitialInstanceCount = 0
    invalid("1 validation error detected: Value '0' at 'productionVariants.1.member."
      .. "initialInstanceCount' failed to satisfy constraint: Member must have value greater than "
      .. "or equal to 1", "CreateEndpointConfig", input)
  end)

  it("more requests than its rate, also on the runtime", function()
    sim:throttle(2)
    refused(call, 400, "ThrottlingException", "Rate exceeded", "ListModels", {})
    refused(invoke, 400, "ThrottlingException", "Rate exceeded", "InvokeEndpoint",
      { EndpointName = "churn", Body = "" })
    assert(call("ListModels", {}))
  end)

  it("more of a kind than the account may have", function()
    assert(call("CreateModel", model "second"))
    refused(call, 400, "ResourceLimitExceeded", "The account-level service limit 'Total models' is "
      .. "2, with current utilization of 2 and a request delta of 1. Request an increase of the "
      .. "quota.", "CreateModel", model "third")
    assert(call("CreateEndpointConfig", caller.config("v3", 1)))
    refused(call, 400, "ResourceLimitExceeded", "The account-level service limit 'Total endpoint "
      .. "configurations' is 3, with current utilization of 3 and a request delta of 1. Request an "
      .. "increase of the quota.", "CreateEndpointConfig", caller.config("v4", 1))
  end)

  it("signatures that are wrong, old or missing, on both services", function()
    for _, service in ipairs { "sagemaker", "sagemaker-runtime" } do
      local operation = service == "sagemaker" and "ListModels" or "InvokeEndpoint"
      local input = service == "sagemaker" and {} or { EndpointName = "churn", Body = "x" }
      local function code(opts)
        opts.model = service
        local output, got, _, response = caller.new(sim, opts)(operation, input)
        assert.is_nil(output)
        assert.equal(403, response.status)
        return got
      end
      assert.equal("InvalidSignatureException", code { credentials = {
        access_key_id = "test", secret_access_key = "wrong" } })
      assert.equal("UnrecognizedClientException", code { credentials = {
        access_key_id = "other", secret_access_key = "test" } })
      assert.equal("InvalidSignatureException", code { at = sim:now() - 301 })
      assert.equal("MissingAuthenticationTokenException",
        code { change = function(request) request.headers.Authorization = nil end })
      sim:deny(operation)
      assert.equal("AccessDeniedException", code {})
      sim:deny(false)
    end
  end)

  it("invocations of what is not there, or is not serving", function()
    refused(invoke, 400, "ValidationError", "Endpoint none of account 123456789012 not found.",
      "InvokeEndpoint", { EndpointName = "none", Body = "" })
    assert(call("DeleteEndpoint", { EndpointName = "churn" }))
    refused(invoke, 400, "ValidationError", "Endpoint churn of account 123456789012 not found.",
      "InvokeEndpoint", { EndpointName = "churn", Body = "" })
  end)

  it("answers of containers that are none", function()
    for _, answer in ipairs {
      function() return { body = {} } end, function() return { body = "", status = "good" } end,
      function() return { parts = { 1, {} } } end, function() return { headers = "none" } end,
      function() return 42 end, function() return { seconds = "long" } end,
      function() return { status = 99999 } end,
    } do
      sim:container("model", answer)
      local output, code, message, response =
        invoke("InvokeEndpoint", { EndpointName = "churn", Body = "" })
      assert.is_nil(output)
      assert.same({ 424, "ModelError" }, { response.status, code })
      assert.matches("%(500%) from primary with message \"the function of the container answered",
        message)
    end
    sim:container("model", function()
      return { body = "fine", headers = { ["Content-Type"] = "a\nb: c", [1] = 2,
        ["X-Amzn-SageMaker-Custom-Attributes"] = ("x"):rep(2000) } }
    end)
    local out = assert(invoke("InvokeEndpoint", { EndpointName = "churn", Body = "" }))
    assert.equal("fine", out.Body)
    assert.is_nil(out.ContentType)
    assert.is_nil(out.CustomAttributes)
  end)

  it("or answers whatever comes to the runtime", function()
    local random = require("support.shapes").random(5)
    local function pick(list) return list[random(#list) + 1] end
    local function junk(most)
      local bytes = {}
      for i = 1, random(most + 1) do bytes[i] = string.char(random(256)) end
      return table.concat(bytes)
    end
    local paths = { "/endpoints/churn/invocations", "/endpoints/churn/async-invocations",
      "/endpoints/churn/invocations-response-stream", "/endpoints/churn/openai/v1/chat",
      "/endpoints/churn/inference-components/x/openai/v1/m" }
    local names = { "Content-Type", "Accept", "X-Amzn-SageMaker-Target-Variant",
      "X-Amzn-SageMaker-Target-Model", "X-Amzn-SageMaker-Inference-Component",
      "X-Amzn-SageMaker-Session-Id", "X-Amzn-SageMaker-InputLocation", "Authorization",
      "X-Amzn-SageMaker-RequestTTLSeconds", "X-Amzn-SageMaker-Custom-Attributes" }
    local values = { "AllTraffic", "NEW_SESSION", "s3://a/b", "60", "Bearer x" }
    sim.verifier = nil
    local statuses = {}
    for _ = 1, 3000 do
      local path, headers = pick(paths), {}
      if random(3) == 0 then
        local at = random(#path)
        path = path:sub(1, at) .. junk(3) .. path:sub(at + 1)
      end
      for _ = 1, random(5) do
        headers[pick(names)] = random(2) == 0 and junk(8) or pick(values)
      end
      local response = sim:handle { method = pick { "POST", "POST", "GET" }, path = path,
        headers = headers, body = junk(20), query = random(4) == 0 and junk(10) or "" }
      statuses[response.status] = true
      assert.is_true(response.status == 200 or response.status >= 400 and response.status < 500)
    end
    assert.is_true(statuses[200] and statuses[400])
  end)

  it("strange paths of the runtime, and stays up", function()
    sim = simulator.new { verify = false }
    for _, path in ipairs { "/endpoints/%zz/openai/v1/chat", "/endpoints/%00/openai/v1/x",
      "/endpoints//openai/v1/x", "/endpoints/a/inference-components/%ff/openai/v1/x",
      "/endpoints/a/openai/v1/", "/endpoints/", "/endpoints/a", "/endpoints/a/b/c/d",
      "/endpoints/%zz/invocations", "/endpoints/a%2Fb/invocations",
      "/endpoints/a/async-invocations", "/endpoints/a/invocations-response-stream" } do
      local response = sim:handle { method = "POST", path = path, headers = {}, body = "" }
      assert.is_true(response.status >= 400 and response.status < 500, path)
      assert.matches("^{.+}$", response.body)
    end
  end)
end)
