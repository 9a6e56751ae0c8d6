-- Containers that are URLs, pinged and called by the server from inside nginx.

local caller = require "simulator.caller"
local server = require "support.server"
local simulate = require "support.simulate"

local ROLE = "arn:aws:iam::123456789012:role/sagemaker"

local CONTAINERS = [[
location = /good/ping { return 200 ""; }
location = /bad/ping { return 200 ""; }
location = /sick/ping { return 503 ""; }
location = /good/invocations { content_by_lua_block {
  ngx.req.read_body()
  ngx.header["X-Amzn-SageMaker-Custom-Attributes"] =
    ngx.var.http_x_amzn_sagemaker_custom_attributes
  ngx.print("good: ", ngx.req.get_body_data() or "")
} }
location = /bad/invocations { return 500 "broken"; }
location = /slow/ping { return 200 ""; }
location = /slow/invocations { content_by_lua_block {
  local state, waited = ngx.shared.state, 0
  state:set("asked", true)
  while not state:get "open" and waited < 20 do
    ngx.sleep(0.005)
    waited = waited + 0.005
  end
  ngx.print "slow"
} }
location = /asked { content_by_lua_block {
  ngx.shared.state:set("open", true)
  ngx.print(tostring(ngx.shared.state:get "asked"))
} }
]]

describe("containers behind the server", function()
  local ok, reason = simulate.available()
  if not ok then
    pending("are called from nginx: " .. reason)
    return
  end

  local containers, running, call, invoke, put_alarm

  before_each(function()
    containers = server.nginx { locations = CONTAINERS }
    running = assert(simulate.start { clock = "virtual" })
    local sim = running:remote()
    call, invoke = caller.new(sim), caller.new(sim, { model = "sagemaker-runtime" })
    put_alarm = caller.new(sim, { model = "cloudwatch", service = "monitoring" })
    for _, name in ipairs { "good", "bad", "sick", "slow" } do
      assert(call("CreateModel", { ModelName = name, ExecutionRoleArn = ROLE, PrimaryContainer = {
        Image = caller.IMAGE,
        Environment = { SAGEMAKER_SIMULATOR_URL = containers:url("/" .. name) } } }))
      assert(call("CreateEndpointConfig", { EndpointConfigName = name, ProductionVariants = { {
        VariantName = "Main", ModelName = name, InstanceType = "ml.m5.large",
        InitialInstanceCount = 2, InitialVariantWeight = 1 } } }))
    end
  end)

  after_each(function()
    running:stop()
    containers:stop()
  end)

  local function advance(seconds)
    assert.equal(200, (running:post("/_simulator/advance", { seconds = seconds })))
  end

  local function status()
    return assert(call("DescribeEndpoint", { EndpointName = "e" }))
  end

  -- Pings take their time; the clock stands meanwhile.
  local function created()
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "good" }))
    advance(300)
    assert.is_true(server.wait_for(10, function()
      return status().EndpointStatus == "InService"
    end))
  end

  it("are in service once their ping is answered, and serve", function()
    created()
    local out = assert(invoke("InvokeEndpoint",
      { EndpointName = "e", Body = "1,2\0\255", CustomAttributes = "trace" }))
    assert.equal("good: 1,2\0\255", out.Body)
    assert.equal("trace", out.CustomAttributes)
    local _, state = running:get "/_simulator/state"
    assert.equal(containers:url "/good", state.models[1].url)
    assert.is_true(state.models[1].healthy)
    assert(call("UpdateEndpoint", { EndpointName = "e", EndpointConfigName = "sick" }))
    advance(600)
    assert.equal("RollingBack", status().EndpointStatus)
    advance(30)
    assert.equal("good", status().EndpointConfigName)
    assert.matches("did not pass the ping health check", status().FailureReason)
  end)

  it("of shadow variants let nobody wait", function()
    local function variant(name)
      return { VariantName = name, ModelName = name, InstanceType = "ml.m5.large",
        InitialInstanceCount = 1, InitialVariantWeight = 1 }
    end
    assert(call("CreateEndpointConfig", { EndpointConfigName = "both",
      ProductionVariants = { variant "good" }, ShadowProductionVariants = { variant "slow" } }))
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "both" }))
    advance(300)
    assert.is_true(server.wait_for(10, function()
      return status().EndpointStatus == "InService"
    end))
    -- The shadow answers when it is let go, which happens after the answer has come.
    assert.equal("good: x", assert(invoke("InvokeEndpoint",
      { EndpointName = "e", Body = "x" })).Body)
    assert.is_true(server.wait_for(10, function()
      return server.shell("curl -sS " .. containers:url "/asked") == "true"
    end))
    assert.is_true(server.wait_for(10, function()
      local _, state = running:get "/_simulator/state"
      return state.endpoints[1].shadows[1].invocations == 1
    end))
  end)

  it("of asynchronous invocations are called when their caller has an answer", function()
    assert(call("CreateEndpointConfig", { EndpointConfigName = "async",
      AsyncInferenceConfig = { OutputConfig = { S3OutputPath = "s3://b/out" } },
      ProductionVariants = { { VariantName = "Main", ModelName = "slow",
        InstanceType = "ml.m5.large", InitialInstanceCount = 1 } } }))
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "async" }))
    advance(300)
    assert.is_true(server.wait_for(10, function()
      return status().EndpointStatus == "InService"
    end))
    local out = assert(invoke("InvokeEndpointAsync", { EndpointName = "e", Body = "x" }))
    assert.matches("^s3://b/out/", out.OutputLocation)
    local path = running.url .. "/_simulator/objects/" .. out.OutputLocation
    assert.matches("NotFound", (server.shell("curl -sS " .. path)), 1, true)
    assert.is_true(server.wait_for(10, function()
      return server.shell("curl -sS " .. containers:url "/asked") == "true"
    end))
    assert.is_true(server.wait_for(10, function()
      return server.shell("curl -sS " .. path) == "slow"
    end))
  end)

  it("that are bad let a canary roll itself back by an alarm", function()
    created()
    assert(put_alarm("PutMetricAlarm", { AlarmName = "errors", Namespace = "AWS/SageMaker",
      MetricName = "Invocation5XXErrors", Statistic = "Sum", Period = 60, EvaluationPeriods = 1,
      Threshold = 1, ComparisonOperator = "GreaterThanOrEqualToThreshold",
      TreatMissingData = "notBreaching", Dimensions = { { Name = "EndpointName", Value = "e" },
        { Name = "VariantName", Value = "Main" } } }))
    assert(call("UpdateEndpoint", { EndpointName = "e", EndpointConfigName = "bad",
      DeploymentConfig = { BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = {
        Type = "CANARY", WaitIntervalInSeconds = 600,
        CanarySize = { Type = "CAPACITY_PERCENT", Value = 50 } } },
        AutoRollbackConfiguration = { Alarms = { { AlarmName = "errors" } } } } }))
    advance(301)
    assert.is_true(server.wait_for(10, function()
      local pending_variant = status().PendingDeploymentSummary.ProductionVariants[1]
      return pending_variant.VariantStatus[1].Status == "Baking"
    end))
    local failed = 0
    for _ = 1, 20 do
      local out, code = invoke("InvokeEndpoint", { EndpointName = "e", Body = "x" })
      if not out then
        assert.equal("ModelError", code)
        failed = failed + 1
      end
    end
    assert.is_true(failed > 0 and failed < 20, failed .. " failed")
    advance(60)
    assert.equal("RollingBack", status().EndpointStatus)
    advance(30)
    local after = status()
    assert.same({ "InService", "good", "Alarm errors is in state ALARM." },
      { after.EndpointStatus, after.EndpointConfigName, after.FailureReason })
    assert.equal("good: x", assert(invoke("InvokeEndpoint",
      { EndpointName = "e", Body = "x" })).Body)
  end)
end)
