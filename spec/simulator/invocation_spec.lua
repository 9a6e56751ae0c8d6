local caller = require "simulator.caller"
local cjson = require "cjson"
local simulator = require "sagemaker.simulator"

local ROLE = "arn:aws:iam::123456789012:role/sagemaker"

describe("invocations", function()
  local sim, call, invoke

  local function setup(opts)
    sim = simulator.new(opts)
    call = caller.new(sim)
    invoke = caller.new(sim, { model = "sagemaker-runtime" })
  end

  before_each(function() setup() end)

  local function model(name, container, more)
    local input = { ModelName = name, ExecutionRoleArn = ROLE,
      PrimaryContainer = container or { Image = caller.IMAGE } }
    for member, value in pairs(more or {}) do input[member] = value or nil end
    assert(call("CreateModel", input))
  end

  local function config(name, variants, more)
    local input = { EndpointConfigName = name, ProductionVariants = {} }
    for i, variant in ipairs(variants) do
      input.ProductionVariants[i] = { VariantName = variant[1], ModelName = variant[2],
        InitialVariantWeight = variant[3] or 1, InitialInstanceCount = variant[4] or 2,
        InstanceType = "ml.m5.large" }
    end
    for member, value in pairs(more or {}) do input[member] = value end
    assert(call("CreateEndpointConfig", input))
  end

  local function endpoint(name, config_name)
    assert(call("CreateEndpoint", { EndpointName = name, EndpointConfigName = config_name }))
    sim:advance(300)
  end

  -- An endpoint "e" in service on one model "m".
  local function simple()
    model "m"
    config("c", { { "Main", "m" } })
    endpoint("e", "c")
  end

  local function refused(message, input, operation)
    local output, code, text, response = invoke(operation or "InvokeEndpoint", input)
    assert.is_nil(output)
    assert.equal(message, text)
    assert.equal("ValidationError", code)
    assert.equal(400, response.status)
  end

  it("are answered by an echo that says which fleet it is", function()
    simple()
    local out = assert(invoke("InvokeEndpoint", { EndpointName = "E", Body = "1,2,3" }))
    assert.equal("Main", out.InvokedProductionVariant)
    assert.equal("application/json", out.ContentType)
    assert.same({ endpoint = "e", config = "c", variant = "Main", fleet = "blue", model = "m",
      bytes = 5 }, cjson.decode(out.Body))
  end)

  it("carry bytes, headers and their answers through a function", function()
    simple()
    local seen
    sim:container("M", function(request)
      if request.path == "/ping" then return "" end
      seen = request
      return { headers = { ["Content-Type"] = "x/y", ["X-Amzn-SageMaker-Custom-Attributes"] = "c" },
        body = request.body:reverse() }
    end)
    local out = assert(invoke("InvokeEndpoint", { EndpointName = "e", Body = "\0\255a",
      ContentType = "text/csv", Accept = "x/y", CustomAttributes = "trace=1", InferenceId = "i-1",
      EnableExplanations = "`true`" }))
    assert.equal("a\255\0", out.Body)
    assert.equal("x/y", out.ContentType)
    assert.equal("c", out.CustomAttributes)
    assert.equal("POST", seen.method)
    assert.equal("/invocations", seen.path)
    assert.same({ ["Content-Type"] = "text/csv", Accept = "x/y",
      ["X-Amzn-SageMaker-Custom-Attributes"] = "trace=1",
      ["X-Amzn-SageMaker-Inference-Id"] = "i-1",
      ["X-Amzn-SageMaker-Enable-Explanations"] = "`true`" }, seen.headers)
  end)

  it("find no endpoint that does not serve", function()
    simple()
    refused("Endpoint none of account 123456789012 not found.",
      { EndpointName = "none", Body = "" })
    assert(call("CreateEndpoint", { EndpointName = "young", EndpointConfigName = "c" }))
    refused("Endpoint young of account 123456789012 not found.",
      { EndpointName = "young", Body = "" })
    sim:fail_provisioning(true)
    sim:advance(300)
    assert.equal("Failed", call("DescribeEndpoint", { EndpointName = "young" }).EndpointStatus)
    refused("Endpoint young of account 123456789012 not found.",
      { EndpointName = "young", Body = "" }, "InvokeEndpointWithResponseStream")
    assert(call("DeleteEndpoint", { EndpointName = "e" }))
    refused("Endpoint e of account 123456789012 not found.", { EndpointName = "e", Body = "" })
  end)

  it("are served through updates, roll-backs and the service's own updates", function()
    simple()
    config("c2", { { "Main", "m" } })
    local function served(status)
      assert.equal(status, call("DescribeEndpoint", { EndpointName = "e" }).EndpointStatus)
      assert(invoke("InvokeEndpoint", { EndpointName = "e", Body = "" }))
    end
    sim:system_update("e", 10)
    served "SystemUpdating"
    sim:advance(10)
    assert(call("UpdateEndpoint", { EndpointName = "e", EndpointConfigName = "c2" }))
    served "Updating"
    sim:fail_provisioning(true)
    sim:advance(300)
    served "RollingBack"
    sim:rollback_fails(true)
    sim:advance(30)
    served "UpdateRollbackFailed"
  end)

  it("tell what the container said when it fails", function()
    simple()
    local status, body = 400, 'no "features"'
    sim:container("m", function() return { status = status, body = body } end)
    local function failed()
      local output, code, message, response = invoke("InvokeEndpoint",
        { EndpointName = "e", Body = "x" })
      assert.is_nil(output)
      assert.equal("ModelError", code)
      assert.equal(424, response.status)
      return message, cjson.decode(response.body)
    end
    local message, fields = failed()
    assert.equal('Received client error (400) from primary with message "no "features"". See '
      .. "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logEventViewer:"
      .. "group=/aws/sagemaker/Endpoints/e in account 123456789012 for more information.", message)
    assert.equal(400, fields.OriginalStatusCode)
    assert.equal('no "features"', fields.OriginalMessage)
    assert.equal("arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/e",
      fields.LogStreamArn)
    status, body = 503, ("\255"):rep(5000)
    message, fields = failed()
    assert.matches("^Received server error %(503%) from primary", message)
    assert.equal(("?"):rep(2000), fields.OriginalMessage)
    sim:container("m", function() error("no weights", 0) end)
    message, fields = failed()
    assert.matches('%(500%) from primary with message "no weights"', message)
    assert.equal(500, fields.OriginalStatusCode)
    sim:container("m", function() return { seconds = 61, body = "late" } end)
    message, fields = failed()
    assert.matches("Your invocation timed out while waiting for a response from container primary",
      message)
    assert.equal(0, fields.OriginalStatusCode)
  end)

  it("are measured, each kind of failure by itself", function()
    simple()
    local answers = { 200, 200, 404, 500, 200 }
    local i = 0
    sim:container("m", function()
      i = i + 1
      return { status = answers[i], body = "", seconds = 0.25 }
    end)
    for _ = 1, #answers do invoke("InvokeEndpoint", { EndpointName = "e", Body = "" }) end
    local from = math.floor(sim:now() / 60) * 60
    local function sum(metric, statistic)
      return sim.account.metrics:statistic("e", "Main", metric, statistic or "Sum", from, from + 60)
    end
    assert.equal(5, sum "Invocations")
    assert.equal(1, sum "Invocation4XXErrors")
    assert.equal(1, sum "Invocation5XXErrors")
    assert.equal(5, sum("Invocation5XXErrors", "SampleCount"))
    assert.equal(250000, sum("ModelLatency", "Average"))
    assert.equal(5, sum("OverheadLatency", "SampleCount"))
  end)

  it("go to the variant they name, or to none", function()
    model "m"
    config("c", { { "A", "m", 1 }, { "B", "m", 0 } })
    endpoint("e", "c")
    for _ = 1, 20 do
      assert.equal("A", assert(invoke("InvokeEndpoint", { EndpointName = "e", Body = "" }))
        .InvokedProductionVariant)
      assert.equal("B", assert(invoke("InvokeEndpoint", { EndpointName = "e", Body = "",
        TargetVariant = "B" })).InvokedProductionVariant)
    end
    refused("Variant C of endpoint e not found.",
      { EndpointName = "e", Body = "", TargetVariant = "C" })
  end)

  it("go through all containers of a pipeline", function()
    model("m", nil, { PrimaryContainer = false, Containers = {
      { ContainerHostname = "first", Image = caller.IMAGE },
      { ContainerHostname = "second", Image = caller.IMAGE } } })
    config("c", { { "Main", "m" } })
    endpoint("e", "c")
    local types = {}
    sim:container("m", function(request)
      types[#types + 1] = request.headers["Content-Type"] or "none"
      return { body = request.body .. "+", headers = { ["content-type"] = "text/plus" } }
    end)
    local out = assert(invoke("InvokeEndpoint",
      { EndpointName = "e", Body = "x", ContentType = "text/x" }))
    assert.equal("x++", out.Body)
    assert.same({ "text/x", "text/plus" }, types)
    refused("TargetContainerHostname can only be used with a model whose containers are invoked "
      .. "directly.", { EndpointName = "e", Body = "", TargetContainerHostname = "first" })
  end)

  it("go to the container they name where containers are invoked directly", function()
    model("m", nil, { PrimaryContainer = false, InferenceExecutionConfig = { Mode = "Direct" },
      Containers = { { ContainerHostname = "first", Image = caller.IMAGE },
        { ContainerHostname = "second", Image = caller.IMAGE } } })
    config("c", { { "Main", "m" } })
    endpoint("e", "c")
    sim:container("m", function() return { status = 500, body = "oops" } end)
    local _, _, message = invoke("InvokeEndpoint",
      { EndpointName = "e", Body = "x", TargetContainerHostname = "second" })
    assert.matches("^Received server error %(500%) from second with message", message)
    refused("TargetContainerHostname is required: the containers of the model are invoked "
      .. "directly.", { EndpointName = "e", Body = "" })
    refused("The model has no container with the hostname third.",
      { EndpointName = "e", Body = "", TargetContainerHostname = "third" })
  end)

  it("name a model of a multi-model endpoint", function()
    model("m", { Image = caller.IMAGE, Mode = "MultiModel" })
    config("c", { { "Main", "m" } })
    endpoint("e", "c")
    sim:container("m", function(request)
      return request.headers["X-Amzn-SageMaker-Target-Model"]
    end)
    assert.equal("a.tar.gz", assert(invoke("InvokeEndpoint",
      { EndpointName = "e", Body = "", TargetModel = "a.tar.gz" })).Body)
    refused("TargetModel is required for a multi-model endpoint.",
      { EndpointName = "e", Body = "" })
    model "plain"
    config("c2", { { "Main", "plain" } })
    endpoint("e2", "c2")
    refused("TargetModel can only be used with a multi-model endpoint.",
      { EndpointName = "e2", Body = "", TargetModel = "a" })
  end)

  it("open and close sessions", function()
    simple()
    local out = assert(invoke("InvokeEndpoint",
      { EndpointName = "e", Body = "", SessionId = "NEW_SESSION" }))
    assert.matches("^[%x-]+; Expires=2026%-01%-15T13:05:00Z$", out.NewSessionId)
    sim:container("m", function(request)
      if request.headers["X-Amzn-SageMaker-Session-Id"] == "s-1" then
        return { headers = { ["X-Amzn-SageMaker-Closed-Session-Id"] = "s-1" } }
      end
      return { headers = {
        ["X-Amzn-SageMaker-New-Session-Id"] = "s-1; Expires=2026-01-15T13:00:00Z" } }
    end)
    out = assert(invoke("InvokeEndpoint",
      { EndpointName = "e", Body = "", SessionId = "NEW_SESSION" }))
    assert.equal("s-1; Expires=2026-01-15T13:00:00Z", out.NewSessionId)
    out = assert(invoke("InvokeEndpoint", { EndpointName = "e", Body = "", SessionId = "s-1" }))
    assert.equal("s-1", out.ClosedSessionId)
  end)

  it("go to the inference component they name", function()
    model "m"
    assert(call("CreateEndpointConfig", { EndpointConfigName = "bare", ExecutionRoleArn = ROLE,
      ProductionVariants = { { VariantName = "V", InstanceType = "ml.g5.xlarge",
        InitialInstanceCount = 1 } } }))
    endpoint("host", "bare")
    local function component(name, specification, copies)
      assert(call("CreateInferenceComponent", { InferenceComponentName = name,
        EndpointName = "host", Specification = specification,
        RuntimeConfig = copies and { CopyCount = copies } }))
    end
    component("one", { ModelName = "m",
      ComputeResourceRequirements = { MinMemoryRequiredInMb = 128 } })
    refused("Inference Component one of account 123456789012 not found.",
      { EndpointName = "host", Body = "", InferenceComponentName = "one" })
    component("empty", { Container = { Image = caller.IMAGE },
      ComputeResourceRequirements = { MinMemoryRequiredInMb = 128 } }, 0)
    sim:advance(300)
    component("lora", { BaseInferenceComponentName = "one",
      Container = { ArtifactUrl = "s3://b/lora" } })
    sim:advance(300)
    local function ask(name)
      return assert(invoke("InvokeEndpoint",
        { EndpointName = "host", Body = "", InferenceComponentName = name }))
    end
    local out = ask "ONE"
    assert.equal("V", out.InvokedProductionVariant)
    local told = cjson.decode(out.Body)
    assert.same({ "one", "m" }, { told.config, told.model })
    sim:container("m", function(request)
      return request.headers["X-Amzn-SageMaker-Inference-Component"]
    end)
    assert.equal("lora", ask("lora").Body)
    refused("Inference Component has no capacity to process this request. ApplicationAutoScaling "
      .. "may be in-progress (if configured) or try to increase the capacity by invoking "
      .. "UpdateInferenceComponentRuntimeConfig API.",
      { EndpointName = "host", Body = "", InferenceComponentName = "empty" })
    refused("Inference Component Name header is required for endpoints to which you plan to deploy "
      .. "inference components. Please include Inference Component Name header or consider using "
      .. "SageMaker models.", { EndpointName = "host", Body = "" })
    config("c", { { "Main", "m" } })
    endpoint("e", "c")
    refused("Inference Component Name header is not allowed for endpoints to which you dont plan "
      .. "to deploy inference components. Please remove the Inference Component Name header and "
      .. "try again.", { EndpointName = "e", Body = "", InferenceComponentName = "one" })
    refused("Inference Component none of account 123456789012 not found.",
      { EndpointName = "host", Body = "", InferenceComponentName = "none" })
  end)

  it("are refused when they are too large or break the model's constraints", function()
    simple()
    local _, code, message, response =
      invoke("InvokeEndpoint", { EndpointName = "e", Body = ("x"):rep(6 * 1024 * 1024 + 1) })
    assert.equal(413, response.status)
    assert.equal("RequestEntityTooLargeException", code)
    assert.equal("HTTP content length exceeded 6291456 bytes.", message)
    assert(invoke("InvokeEndpoint", { EndpointName = "e", Body = ("x"):rep(6 * 1024 * 1024) }))
    refused("1 validation error detected: Value 'a b' at 'targetVariant' failed to satisfy "
      .. "constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9])*",
      { EndpointName = "e", Body = "", TargetVariant = "a b" })
  end)

  describe("of what is not ready", function()
    local function refused_as(text, input)
      local output, code, message, response = invoke("InvokeEndpoint", input)
      assert.is_nil(output)
      assert.equal("ModelNotReadyException", code)
      assert.matches(text, message, 1, true)
      assert.equal(429, response.status)
    end

    it("wait for the target model of a multi-model endpoint", function()
      setup { loading_seconds = 20 }
      model("m", { Image = caller.IMAGE, Mode = "MultiModel", ModelDataUrl = "s3://b/models/" })
      config("c", { { "Main", "m" } })
      endpoint("e", "c")
      refused_as("The model a.tar.gz of endpoint e is not ready",
        { EndpointName = "e", Body = "", TargetModel = "a.tar.gz" })
      sim:advance(19)
      refused_as("a.tar.gz", { EndpointName = "e", Body = "", TargetModel = "a.tar.gz" })
      refused_as("b.tar.gz", { EndpointName = "e", Body = "", TargetModel = "b.tar.gz" })
      local other = simulator.new { loading_seconds = 20 }
      assert(other:restore(sim:snapshot()))
      sim:advance(1)
      other:advance(1)
      for _, one in ipairs { sim, other } do
        invoke = caller.new(one, { model = "sagemaker-runtime" })
        assert(invoke("InvokeEndpoint",
          { EndpointName = "e", Body = "", TargetModel = "a.tar.gz" }))
        refused_as("b.tar.gz", { EndpointName = "e", Body = "", TargetModel = "b.tar.gz" })
      end
      assert.equal(0, sim.account.metrics:statistic("e", "Main", "Invocation4XXErrors", "Sum",
        0, sim:now() + 60 - sim:now() % 60))
    end)

    it("wait for the resources of a serverless variant, and no others", function()
      setup { loading_seconds = 5 }
      simple()
      assert(invoke("InvokeEndpoint", { EndpointName = "e", Body = "" }))
      assert(call("CreateEndpointConfig", { EndpointConfigName = "s", ProductionVariants = { {
        VariantName = "Cold", ModelName = "m",
        ServerlessConfig = { MemorySizeInMB = 1024, MaxConcurrency = 2 } } } }))
      endpoint("f", "s")
      refused_as("The variant Cold of endpoint f is not ready", { EndpointName = "f", Body = "" })
      sim:advance(5)
      assert(invoke("InvokeEndpoint", { EndpointName = "f", Body = "" }))
    end)

    it("are refused by a knob, by number, name and chance", function()
      simple()
      sim:not_ready(2)
      for _ = 1, 2 do refused_as("The model of endpoint e", { EndpointName = "e", Body = "" }) end
      assert(invoke("InvokeEndpoint", { EndpointName = "e", Body = "" }))
      for _, value in ipairs { "m", { "other", "e" }, { chance = 1, names = { "e" } } } do
        sim:not_ready(value)
        refused_as("The model of endpoint e", { EndpointName = "e", Body = "" })
        assert(invoke("InvokeEndpointWithResponseStream", { EndpointName = "e", Body = "" }))
      end
      sim:not_ready("other")
      assert(invoke("InvokeEndpoint", { EndpointName = "e", Body = "" }))
    end)
  end)

  it("of a model without containers are echoed under its own name", function()
    assert(call("CreateModel", { ModelName = "bare", ExecutionRoleArn = ROLE }))
    config("c", { { "Main", "bare" } })
    endpoint("e", "c")
    local answer = cjson.decode(invoke("InvokeEndpoint", { EndpointName = "e", Body = "x" }).Body)
    assert.equal("bare", answer.model)
    sim:container("bare", function() return "own" end)
    assert.equal("own", invoke("InvokeEndpoint", { EndpointName = "e", Body = "x" }).Body)
  end)

  it("reach the model of the instance pool that brings the instances", function()
    model "m"
    model "small"
    local function pools(...)
      return { EndpointConfigName = "c", ProductionVariants = { { VariantName = "Main",
        ModelName = "m", InitialInstanceCount = 1, InstancePools = { ... } } } }
    end
    local _, _, message = call("CreateEndpointConfig", pools(
      { InstanceType = "ml.g6.2xlarge", Priority = 1, ModelNameOverride = "gone" }))
    assert.equal('Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/gone".',
      message)
    _, _, message = call("CreateEndpointConfig", pools(
      { InstanceType = "ml.g6.2xlarge", Priority = 1 },
      { InstanceType = "ml.g6.4xlarge", Priority = 1 }))
    assert.matches("InstancePools has Priority 1 twice", message)
    assert(call("CreateEndpointConfig", pools({ InstanceType = "ml.g6.4xlarge", Priority = 2 },
      { InstanceType = "ml.g6.2xlarge", Priority = 1, ModelNameOverride = "small" })))
    endpoint("e", "c")
    local answer = cjson.decode(invoke("InvokeEndpoint", { EndpointName = "e", Body = "x" }).Body)
    assert.equal("small", answer.model)
    sim:unhealthy "small"
    assert(call("UpdateEndpoint", { EndpointName = "e", EndpointConfigName = "c" }))
    sim:advance(600)
    assert.equal("RollingBack", call("DescribeEndpoint", { EndpointName = "e" }).EndpointStatus)
  end)

  it("are answered later when the endpoint is asynchronous", function()
    model "m"
    config("c", { { "Main", "m" } }, { AsyncInferenceConfig = { OutputConfig = {
      S3OutputPath = "s3://b/out/", S3FailurePath = "s3://b/failed" } } })
    endpoint("e", "c")
    local seen
    sim:container("m", function(request)
      seen = request
      if request.body == "bad" then return { status = 500, body = "no" } end
      return "got " .. request.body
    end)
    sim:put_object("s3://b/in.csv", "1,2")
    local function ask(more)
      more.EndpointName = "e"
      local out, response = assert(invoke("InvokeEndpointAsync", more))
      assert.equal(202, response.status)
      return out
    end
    local out = ask { InputLocation = "s3://b/in.csv", InferenceId = "mine" }
    assert.equal("mine", out.InferenceId)
    assert.matches("^s3://b/out/[%x-]+%.out$", out.OutputLocation)
    assert.equal("got 1,2", sim:object(out.OutputLocation))
    out = ask { Body = "bad", S3OutputPathExtension = "day-1", Filename = "f" }
    assert.equal("s3://b/out/day-1/f.out", out.OutputLocation)
    assert.equal("s3://b/failed/day-1/f-error.out", out.FailureLocation)
    assert.is_nil(sim:object(out.OutputLocation))
    assert.matches("Received server error %(500%)", sim:object(out.FailureLocation))
    sim:container("m", function(request)
      seen = request
      return { body = "late", seconds = 100 }
    end)
    out = ask { Body = "x", RequestTTLSeconds = 60 }
    assert.equal("late", sim:object(out.OutputLocation))
    out = ask { Body = "x", InvocationTimeoutSeconds = 99 }
    assert.is_nil(sim:object(out.OutputLocation))
    assert.matches("timed out", sim:object(out.FailureLocation), 1, true)
    ask { InputLocation = "s3://b/unknown" }
    assert.equal("", seen.body)
    assert.equal("s3://b/unknown", seen.headers["X-Amzn-SageMaker-InputLocation"])
    refused("Endpoint e is an asynchronous inference endpoint: it can only be invoked with "
      .. "InvokeEndpointAsync.", { EndpointName = "e", Body = "" })
    refused("One of InputLocation and Body must be given.", { EndpointName = "e" },
      "InvokeEndpointAsync")
    config("c2", { { "Main", "m" } })
    endpoint("e2", "c2")
    refused("Endpoint e2 is not an asynchronous inference endpoint: invoke it with InvokeEndpoint.",
      { EndpointName = "e2", Body = "" }, "InvokeEndpointAsync")
    refused("Endpoint none of account 123456789012 not found.",
      { EndpointName = "none", Body = "" }, "InvokeEndpointAsync")
  end)
end)
