local caller = require "simulator.caller"
local core = require "sagemaker.core"
local server = require "support.server"
local simulator = require "sagemaker.simulator"

local ROLE = "arn:aws:iam::123456789012:role/sagemaker"
local URL = "http://127.0.0.1:8080/model/"

local CANARY = {
  BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = { Type = "CANARY",
    WaitIntervalInSeconds = 600, CanarySize = { Type = "CAPACITY_PERCENT", Value = 50 } } },
  AutoRollbackConfiguration = { Alarms = { { AlarmName = "errors" } } },
}

describe("the containers of a simulator", function()
  local sim, call, invoke

  local function setup(opts)
    sim = simulator.new(opts)
    call = caller.new(sim)
    invoke = caller.new(sim, { model = "sagemaker-runtime" })
  end

  local function model(name, url)
    assert(call("CreateModel", { ModelName = name, ExecutionRoleArn = ROLE, PrimaryContainer = {
      Image = caller.IMAGE, Environment = url and { SAGEMAKER_SIMULATOR_URL = url } } }))
    assert(call("CreateEndpointConfig", { EndpointConfigName = name, ProductionVariants = { {
      VariantName = "Main", ModelName = name, InstanceType = "ml.m5.large",
      InitialInstanceCount = 2, InitialVariantWeight = 1 } } }))
  end

  local function describe_endpoint()
    return assert(call("DescribeEndpoint", { EndpointName = "e" }))
  end

  local function create(name)
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = name }))
  end

  local function update(name, config)
    assert(call("UpdateEndpoint",
      { EndpointName = "e", EndpointConfigName = name, DeploymentConfig = config }))
  end

  local PING = "The primary container for production variant Main did not pass the ping health "
    .. "check. Please check CloudWatch logs for this endpoint."

  it("are called at their URL, which is given to the host", function()
    local seen = {}
    setup { ping = true, invoke = function(request)
      seen[#seen + 1] = request
      return { status = 200, headers = { ["Content-Type"] = "text/plain" }, body = "hello" }
    end }
    model("m", URL)
    create "m"
    sim:advance(300)
    assert.equal("InService", describe_endpoint().EndpointStatus)
    assert.equal("http://127.0.0.1:8080/model/ping", seen[1].url)
    assert.equal("GET", seen[1].method)
    local out = assert(invoke("InvokeEndpoint", { EndpointName = "e", Body = "x", Accept = "a/b",
      CustomAttributes = "c" }))
    assert.equal("hello", out.Body)
    assert.equal("text/plain", out.ContentType)
    local last = seen[#seen]
    assert.equal("http://127.0.0.1:8080/model/invocations", last.url)
    assert.equal("POST", last.method)
    assert.equal("x", last.body)
    assert.equal("127.0.0.1:8080", last.headers.Host)
    assert.equal("a/b", last.headers.Accept)
    assert.equal("c", last.headers["X-Amzn-SageMaker-Custom-Attributes"])
  end)

  it("are called by curl unless a host says how", function()
    local ok, reason = server.available()
    if not ok then return pending(reason) end
    local nginx = server.nginx { locations = [[
      location = /model/ping { return 200 ""; }
      location = /model/invocations { content_by_lua_block {
        ngx.req.read_body()
        if ngx.req.get_body_data() == "bad" then ngx.status = 422 end
        ngx.header["Content-Type"] = "text/x"
        ngx.header["X-Amzn-SageMaker-Custom-Attributes"] =
          ngx.var.http_x_amzn_sagemaker_custom_attributes
        ngx.print("got ", ngx.req.get_body_data())
      } }
    ]] }
    finally(function() nginx:stop() end)
    setup()
    model("m", nginx:url "/model")
    create "m"
    sim:advance(300)
    assert.equal("InService", describe_endpoint().EndpointStatus)
    local out = assert(invoke("InvokeEndpoint", { EndpointName = "e", Body = "\0\1\255",
      CustomAttributes = "c" }))
    assert.same({ "got \0\1\255", "text/x", "c" },
      { out.Body, out.ContentType, out.CustomAttributes })
    local from = math.floor(sim:now() / 60) * 60
    assert.is_true(sim.account.metrics:statistic("e", "Main", "ModelLatency", "Average", from,
      from + 60) > 0)
    local _, code, message = invoke("InvokeEndpoint", { EndpointName = "e", Body = "bad" })
    assert.equal("ModelError", code)
    assert.matches('client error %(422%) from primary with message "got bad"', message)
  end)

  it("that cannot be reached answer as one that is too late does", function()
    setup { ping = true, invoke = function(request)
      if request.url:find("/ping$") then return { status = 200, headers = {}, body = "" } end
      return nil, "connection refused"
    end }
    model("m", URL)
    create "m"
    sim:advance(300)
    local _, code, message, response = invoke("InvokeEndpoint", { EndpointName = "e", Body = "x" })
    assert.equal("ModelError", code)
    assert.equal(424, response.status)
    assert.matches('^Received server error %(0%) from primary with message "connection refused"',
      message)
  end)

  it("fail an endpoint when their ping is not answered in time", function()
    setup { ping = true, invoke = function() return nil, "connection refused" end }
    model("m", URL)
    create "m"
    sim:advance(300 + 299)
    assert.equal("Creating", describe_endpoint().EndpointStatus)
    sim:advance(1)
    assert.equal("Failed", describe_endpoint().EndpointStatus)
    assert.equal(PING, describe_endpoint().FailureReason)
  end)

  it("are waited for until a host tells that they are healthy", function()
    setup { invoke = function() error "nobody pings from here" end }
    model("m", URL)
    create "m"
    assert.same({ { model = "m", url = URL } }, sim:containers())
    sim:advance(300 + 100)
    assert.equal("Creating", describe_endpoint().EndpointStatus)
    sim:health("M", false)
    assert.equal("Creating", describe_endpoint().EndpointStatus)
    sim:health("m", true)
    local now = describe_endpoint()
    assert.equal("InService", now.EndpointStatus)
    assert.equal(sim:now(), now.LastModifiedTime)
    assert.is_true(sim:containers()[1].healthy)
    model("n", URL)
    update "n"
    sim:advance(300 + 300)
    assert.equal("RollingBack", describe_endpoint().EndpointStatus)
    sim:advance(30)
    now = describe_endpoint()
    assert.equal("InService", now.EndpointStatus)
    assert.equal("m", now.EndpointConfigName)
    assert.equal(PING, now.FailureReason)
  end)

  it("that are functions are healthy unless they say otherwise or throw", function()
    setup()
    model "m"
    create "m"
    for _, answers in ipairs {
      { "InService", function() return nil end }, { "InService", function() return "" end },
      { "InService", function() return { status = 200 } end },
      { "RollingBack", function() return { status = 503 } end },
      { "RollingBack", function(request)
        if request.path == "/ping" then error "no weights" end
        return "never"
      end },
    } do
      sim:advance(1000)
      sim:container("m", answers[2])
      update "m"
      sim:advance(600)
      assert.equal(answers[1], describe_endpoint().EndpointStatus)
    end
  end)

  it("are asked again every ten seconds while they are not healthy", function()
    setup()
    model "m"
    local pings, ready = 0, sim:now() + 300 + 45
    sim:container("m", function(request)
      if request.path == "/ping" then
        pings = pings + 1
        return { status = request.at >= ready and 200 or 503 }
      end
    end)
    create "m"
    sim:advance(300 + 49)
    assert.equal("Creating", describe_endpoint().EndpointStatus)
    assert.equal(5, pings)
    sim:advance(3600)
    local out = describe_endpoint()
    assert.equal("InService", out.EndpointStatus)
    assert.equal(out.CreationTime + 350, out.LastModifiedTime)
    assert.equal(6, pings)
  end)

  it("that are not healthy in time meet MaximumExecutionTimeoutInSeconds", function()
    setup()
    model "m"
    model "n"
    create "m"
    sim:advance(300)
    sim:container("n", function() return { status = 503 } end)
    local config = { BlueGreenUpdatePolicy = { MaximumExecutionTimeoutInSeconds = 600,
      TrafficRoutingConfiguration = { Type = "ALL_AT_ONCE", WaitIntervalInSeconds = 0 } } }
    sim.account.seconds.health_check = 900
    update("n", config)
    sim:advance(599)
    assert.equal("Updating", describe_endpoint().EndpointStatus)
    sim:advance(1)
    assert.equal("RollingBack", describe_endpoint().EndpointStatus)
    assert.equal("The deployment exceeded MaximumExecutionTimeoutInSeconds (600).",
      describe_endpoint().FailureReason)
  end)

  it("refuse what they are not", function()
    setup()
    for _, wrong in ipairs {
      function() sim:container(nil, print) end, function() sim:container("m", "fn") end,
      function() sim:health("m", "yes") end, function() sim:put_object("s3://b/x") end,
      function() simulator.new { invoke = "curl" } end, function() simulator.new { ping = 1 } end,
    } do
      assert.has_error(wrong)
    end
  end)

  -- Three failed invocations in a minute.
  local function alarm(endpoint, more)
    local definition = { AlarmName = "errors", Namespace = "AWS/SageMaker",
      MetricName = "Invocation5XXErrors", Statistic = "Sum", Period = 60, EvaluationPeriods = 1,
      Threshold = 3, ComparisonOperator = "GreaterThanOrEqualToThreshold",
      TreatMissingData = "notBreaching", Dimensions = {
        { Name = "EndpointName", Value = endpoint }, { Name = "VariantName", Value = "Main" } } }
    for member, value in pairs(more or {}) do definition[member] = value end
    return definition
  end

  it("are watched by alarms that can be", function()
    setup()
    local definition = alarm "e"
    sim:put_alarm(definition)
    definition.Threshold = 99
    assert.equal(3, sim.account.watch.by_name.errors.definition.Threshold)
    assert.has_error(function() sim:put_alarm "errors" end,
      "put_alarm takes the input of PutMetricAlarm")
    local ok, message = pcall(sim.put_alarm, sim, alarm("e", { Statistic = "Mean" }))
    assert.is_false(ok)
    assert.matches("put_alarm: Statistic ", message)
    ok, message = pcall(sim.put_alarm, sim, alarm("e", { ExtendedStatistic = "p90" }))
    assert.is_false(ok)
    assert.matches("put_alarm: ", message)
  end)

  it("that are bad let a canary roll itself back", function()
    setup()
    model "good"
    model "bad"
    create "good"
    sim:advance(300)
    sim:container("bad", function(request)
      if request.path == "/ping" then return "" end
      return { status = 500, body = "broken" }
    end)
    sim:put_alarm(alarm "e")
    update("bad", CANARY)
    local statuses, failures = {}, 0
    for _ = 1, 120 do
      sim:advance(10)
      local _, code = invoke("InvokeEndpoint", { EndpointName = "e", Body = "x" })
      if code == "ModelError" then failures = failures + 1 end
      local status = describe_endpoint().EndpointStatus
      if statuses[#statuses] ~= status then statuses[#statuses + 1] = status end
    end
    assert.same({ "Updating", "RollingBack", "InService" }, statuses)
    assert.equal("good", describe_endpoint().EndpointConfigName)
    assert.equal("Alarm errors is in state ALARM.", describe_endpoint().FailureReason)
    assert.is_true(failures >= 3 and failures < 15, failures .. " failures")
    for _ = 1, 20 do
      assert(invoke("InvokeEndpoint", { EndpointName = "e", Body = "x" }))
    end
  end)

  it("of an inference component let its rolling update roll itself back", function()
    setup()
    model "good"
    model "bad"
    assert(call("CreateEndpointConfig", { EndpointConfigName = "bare", ExecutionRoleArn = ROLE,
      ProductionVariants = { { VariantName = "V", InstanceType = "ml.g5.xlarge",
        InitialInstanceCount = 1 } } }))
    create "bare"
    sim:advance(300)
    local function specification(name)
      return { ModelName = name, ComputeResourceRequirements = { MinMemoryRequiredInMb = 128 } }
    end
    assert(call("CreateInferenceComponent", { InferenceComponentName = "ic", EndpointName = "e",
      Specification = specification "good", RuntimeConfig = { CopyCount = 4 } }))
    sim:advance(300)
    sim:container("bad", function(request)
      if request.path ~= "/ping" then return { status = 500, body = "broken" } end
    end)
    sim:put_alarm(alarm("e", { Dimensions = {
      { Name = "EndpointName", Value = "e" }, { Name = "VariantName", Value = "V" } } }))
    assert(call("UpdateInferenceComponent", { InferenceComponentName = "ic",
      Specification = specification "bad", DeploymentConfig = { RollingUpdatePolicy = {
        MaximumBatchSize = { Type = "COPY_COUNT", Value = 1 }, WaitIntervalInSeconds = 600 },
        AutoRollbackConfiguration = { Alarms = { { AlarmName = "errors" } } } } }))
    sim:advance(300)
    local failed
    for _ = 1, 50 do
      local out, code = invoke("InvokeEndpoint",
        { EndpointName = "e", Body = "", InferenceComponentName = "ic" })
      if not out then failed = code end
    end
    assert.equal("ModelError", failed)
    sim:advance(600)
    local out = assert(call("DescribeInferenceComponent", { InferenceComponentName = "ic" }))
    assert.equal("InService", out.InferenceComponentStatus)
    assert.equal("good", out.Specification.ModelName)
    assert.equal("Alarm errors is in state ALARM.", out.FailureReason)
    for _ = 1, 20 do
      assert(invoke("InvokeEndpoint",
        { EndpointName = "e", Body = "", InferenceComponentName = "ic" }))
    end
  end)

  it("and all chances go on after a snapshot", function()
    setup()
    model("m")
    assert(call("CreateEndpointConfig", { EndpointConfigName = "two", ProductionVariants = {
      { VariantName = "A", ModelName = "m", InstanceType = "ml.m5.large",
        InitialInstanceCount = 1 },
      { VariantName = "B", ModelName = "m", InstanceType = "ml.m5.large",
        InitialInstanceCount = 1 } } }))
    create "two"
    sim:advance(300)
    sim:put_object("s3://b/k", "bytes\0\n")
    local other = simulator.new()
    assert(other:restore(sim:snapshot()))
    local ask = caller.new(other, { model = "sagemaker-runtime" })
    assert.equal("bytes\0\n", other:object "s3://b/k")
    for _ = 1, 50 do
      local input = { EndpointName = "e", Body = "" }
      assert.equal(invoke("InvokeEndpoint", input).InvokedProductionVariant,
        ask("InvokeEndpoint", input).InvokedProductionVariant)
    end
  end)
end)

describe("the OpenAI-compatible path", function()
  local sim, call, seen

  before_each(function()
    sim = simulator.new()
    call = caller.new(sim)
    caller.prepare(call, "c")
    assert(call("CreateEndpoint", { EndpointName = "chat", EndpointConfigName = "c" }))
    sim:advance(300)
    sim:container("model", function(request)
      if request.path == "/ping" then return "" end
      seen = request
      if request.body == "bad" then return { status = 422, body = '{"error":"bad"}' } end
      return { status = 201, headers = { ["Content-Type"] = "text/event-stream" },
        body = "data: [DONE]\n\n" }
    end)
  end)

  local function signer()
    return core.signer { access_key_id = "test", secret_access_key = "test",
      region = "us-east-1", service = "sagemaker" }
  end

  local function request(path)
    return { method = "POST", path = path, query = "", body = '{"messages":[]}',
      host = "runtime.sagemaker.us-east-1.amazonaws.com",
      headers = { Host = "runtime.sagemaker.us-east-1.amazonaws.com",
        ["Content-Type"] = "application/json" } }
  end

  local function ask(path, body)
    local r = request(path)
    r.body = body or r.body
    signer():sign(r, sim:now())
    return sim:handle(r)
  end

  -- A token as the SDK makes it: a presigned CallWithBearerToken, in base64.
  local function token_of(at, expires)
    local r = { method = "POST", host = "sagemaker.amazonaws.com", path = "/", body = "",
      query = "Action=CallWithBearerToken", headers = { Host = "sagemaker.amazonaws.com" } }
    local query = signer():presign(r, at, expires):match("%?(.*)$")
    return "Bearer sagemaker-api-key-"
      .. core.text.base64("sagemaker.amazonaws.com/?" .. query .. "&Version=1")
  end

  it("hands requests and answers on as they are", function()
    local response = ask "/endpoints/chat/openai/v1/chat/completions"
    assert.equal(201, response.status)
    assert.equal("data: [DONE]\n\n", response.body)
    assert.equal("text/event-stream", response.headers["Content-Type"])
    assert.equal("AllTraffic", response.headers["x-Amzn-Invoked-Production-Variant"])
    assert.equal("/v1/chat/completions", seen.path)
    assert.equal('{"messages":[]}', seen.body)
    assert.equal("application/json", seen.headers["Content-Type"])
    local r = request "/endpoints/chat/openai/v1/models"
    r.headers["X-Amzn-SageMaker-Target-Variant"] = "AllTraffic"
    r.headers["X-Amzn-SageMaker-Custom-Attributes"] = "trace=1"
    signer():sign(r, sim:now())
    assert.equal(201, sim:handle(r).status)
    assert.equal("trace=1", seen.headers["X-Amzn-SageMaker-Custom-Attributes"])
    r.headers["X-Amzn-SageMaker-Target-Variant"] = "Other"
    signer():sign(r, sim:now())
    assert.equal(400, sim:handle(r).status)
    response = ask("/endpoints/chat/openai/v1/chat/completions", "bad")
    assert.equal(424, response.status)
    assert.matches('"OriginalStatusCode":422', response.body)
    assert.equal(400, ask("/endpoints/none/openai/v1/models").status)
    assert.equal("InvokeEndpoint", sim:requests()[#sim:requests()].operation)
  end)

  it("takes bearer tokens, as long as they are good", function()
    local function answer(authorization)
      local r = request "/endpoints/chat/openai/v1/chat/completions"
      r.headers.Authorization = authorization
      return sim:handle(r)
    end
    local token = token_of(sim:now(), 600)
    assert.equal(201, answer(token).status)
    sim:advance(601)
    local late = answer(token)
    assert.equal(403, late.status)
    assert.equal("InvalidSignatureException", late.headers["x-amzn-ErrorType"])
    assert.equal(403, answer("Bearer sagemaker-api-key-" .. core.text.base64("x")).status)
    assert.equal(403, answer("Bearer other").status)
    assert.equal(403, answer(token_of(sim:now(), 600):sub(1, -9) .. "AAAAAAAA").status)
    assert.equal(403, answer(nil).status)
  end)

  it("names an inference component in its path", function()
    assert(call("CreateEndpointConfig", { EndpointConfigName = "bare",
      ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker", ProductionVariants = { {
        VariantName = "V", InstanceType = "ml.g5.xlarge", InitialInstanceCount = 1 } } }))
    assert(call("CreateEndpoint", { EndpointName = "host", EndpointConfigName = "bare" }))
    sim:advance(300)
    assert(call("CreateInferenceComponent", { InferenceComponentName = "ic", EndpointName = "host",
      Specification = { ModelName = "model",
        ComputeResourceRequirements = { MinMemoryRequiredInMb = 128 } } }))
    sim:advance(300)
    assert.equal(201, ask("/endpoints/host/inference-components/ic/openai/v1/models").status)
    assert.equal("ic", seen.headers["X-Amzn-SageMaker-Inference-Component"])
    assert.equal("/v1/models", seen.path)
    assert.equal("ic", seen.config)
    assert.equal(400, ask("/endpoints/host/openai/v1/models").status)
  end)
end)
