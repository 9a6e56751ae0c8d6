local caller = require "simulator.caller"
local json = require "sagemaker.simulator.json"
local simulator = require "sagemaker.simulator"

local ROLE = "arn:aws:iam::123456789012:role/sagemaker"

describe("the state that a simulator tells", function()
  local sim, call

  before_each(function()
    sim = simulator.new()
    call = caller.new(sim)
    caller.prepare(call, "v1", "v2")
    assert(call("CreateModel", { ModelName = "far", ExecutionRoleArn = ROLE, PrimaryContainer = {
      Image = caller.IMAGE, Environment = { SAGEMAKER_SIMULATOR_URL = "http://127.0.0.1:9" } } }))
    assert(call("CreateEndpoint", { EndpointName = "E", EndpointConfigName = "v1" }))
  end)

  local function row()
    return sim:state().endpoints[1]
  end

  it("is plain: it can be written as JSON, and has no tables of the simulator's own", function()
    local state = sim:state()
    assert.matches('"name":"E"', json.encode(state))
    state.endpoints[1].variants[1].count = 99
    state.endpoints[1].history[1].share = 99
    assert.equal(3, row().variants[1].count)
    assert.equal(0, row().history[1].share)
  end)

  it("tells what is there", function()
    local state = sim:state()
    assert.equal(sim:now(), state.now)
    assert.same({ kind = "virtual", start = sim:now() }, state.clock)
    assert.equal("123456789012", state.account_id)
    assert.equal("us-east-1", state.region)
    local created = { name = "far", created = sim:now(), url = "http://127.0.0.1:9" }
    assert.same({ { name = "model", created = sim:now() }, created }, state.models)
    sim:health("far", true)
    created.healthy = true
    assert.same(created, sim:state().models[2])
    assert.same({ "v1", "v2" }, { state.configs[1].name, state.configs[2].name })
    assert.same({ { name = "AllTraffic", model = "model", instance_type = "ml.m5.large", count = 3,
      weight = 1 } }, state.configs[1].variants)
    assert.equal("CreateEndpoint", state.requests[#state.requests].operation)
    sim:throttle { "ListModels" }
    sim:latency(function() return 0 end)
    assert.same({ throttle = { "ListModels" }, latency = "(a function)" }, sim:state().knobs)
  end)

  it("tells what is under way on an endpoint, and what was planned", function()
    local before = row()
    assert.equal("Creating", before.status)
    assert.is_nil(before.config)
    assert.equal("v1", before.pending_config)
    assert.equal("CREATE", before.deployment.kind)
    assert.same({ old = 0, new = 0 }, before.traffic)
    sim:advance(300)
    local calm = row()
    assert.same({ old = 100, new = 0 }, calm.traffic)
    assert.is_nil(calm.stage)
    assert.is_nil(calm.deployment)
    assert(call("UpdateEndpoint", { EndpointName = "e", EndpointConfigName = "v2",
      DeploymentConfig = { BlueGreenUpdatePolicy = { TerminationWaitInSeconds = 60,
        MaximumExecutionTimeoutInSeconds = 3600, TrafficRoutingConfiguration = { Type = "LINEAR",
          WaitIntervalInSeconds = 100, LinearStepSize = { Type = "INSTANCE_COUNT", Value = 1 } } },
        AutoRollbackConfiguration = { Alarms = { { AlarmName = "red" } } } } }))
    local started = sim:now()
    sim:advance(300 + 100 + 40)
    local during = row()
    assert.equal("v1", during.config)
    assert.equal("v2", during.pending_config)
    assert.same({ old = 33.3, new = 66.7 }, during.traffic)
    assert.same({ kind = "bake", step = 2, steps = 3, since = started + 400, ends = started + 500 },
      during.stage)
    local d = during.deployment
    assert.same({ "LINEAR", started, started + 3600, "v2" },
      { d.kind, d.started, d.deadline, d.config })
    assert.same({ { name = "red", state = "OK", defined = false, actions = {} } },
      sim:state().alarms)
    local told = {}
    for i, stage in ipairs(d.stages) do
      told[i] = ("%s %d %d-%d %g"):format(stage.kind, stage.step, stage.starts - started,
        stage.ends - started, stage.share)
    end
    assert.same({ "provision 1 0-300 0", "activate 1 300-300 0", "bake 1 300-400 33.3",
      "activate 2 400-400 33.3", "bake 2 400-500 66.7", "activate 3 500-500 66.7",
      "bake 3 500-600 100", "wait 3 600-660 100", "remove 3 660-660 100" }, told)
    sim:set_alarm("red", "ALARM")
    local back = row()
    assert.equal("RollingBack", back.status)
    assert.equal("Alarm red is in state ALARM.", back.failure_reason)
    assert.equal("rollback", back.stage.kind)
    assert.same({ old = 100, new = 0 }, back.traffic)
    sim:advance(30)
    local history = row().history
    assert.same({ at = sim:now(), status = "InService", share = 0 }, history[#history])
  end)

  it("tells a re-scale, shadow variants and invocations", function()
    local config = caller.config("shadowed", 2)
    config.ShadowProductionVariants = { { VariantName = "Shadow", ModelName = "model",
      InstanceType = "ml.m5.large", InitialInstanceCount = 1 } }
    assert(call("CreateEndpointConfig", config))
    assert(call("CreateEndpoint", { EndpointName = "s", EndpointConfigName = "shadowed" }))
    sim:advance(300)
    local invoke = caller.new(sim, { model = "sagemaker-runtime" })
    for _ = 1, 3 do assert(invoke("InvokeEndpoint", { EndpointName = "s", Body = "" })) end
    local told = sim:state().endpoints[2]
    assert.equal(3, told.variants[1].invocations)
    assert.same({ name = "Shadow", model = "model", weight = 1, desired_weight = 1, count = 1,
      desired = 1, serverless = false, invocations = 3 }, told.shadows[1])
    assert(call("UpdateEndpointWeightsAndCapacities", { EndpointName = "s",
      DesiredWeightsAndCapacities = { { VariantName = "AllTraffic", DesiredInstanceCount = 5 } } }))
    told = sim:state().endpoints[2]
    assert.equal("SCALE", told.deployment.kind)
    assert.equal("scale", told.stage.kind)
    assert.same({ 2, 5 }, { told.variants[1].count, told.variants[1].desired })
    sim:advance(3600)
    assert.equal(0, sim:state().endpoints[2].variants[1].invocations)
  end)

  it("tells inference components as it tells endpoints", function()
    assert(call("CreateEndpointConfig", { EndpointConfigName = "bare", ExecutionRoleArn = ROLE,
      ProductionVariants = { { VariantName = "V", InstanceType = "ml.g5.xlarge",
        InitialInstanceCount = 1 } } }))
    assert(call("CreateEndpoint", { EndpointName = "host", EndpointConfigName = "bare" }))
    sim:advance(300)
    assert.same({}, sim:state().components)
    local input = { InferenceComponentName = "ic", EndpointName = "host", Specification = {
      ModelName = "model", ComputeResourceRequirements = { MinMemoryRequiredInMb = 128 } },
      RuntimeConfig = { CopyCount = 4 } }
    assert(call("CreateInferenceComponent", input))
    sim:advance(300)
    assert(call("UpdateInferenceComponent", { InferenceComponentName = "ic",
      Specification = input.Specification, DeploymentConfig = { RollingUpdatePolicy = {
        MaximumBatchSize = { Type = "COPY_COUNT", Value = 1 }, WaitIntervalInSeconds = 60 } } }))
    sim:advance(300)
    local told = sim:state().components[1]
    assert.same({ "ic", "host", "Updating" }, { told.name, told.endpoint, told.status })
    assert.same({ old = 75, new = 25 }, told.traffic)
    assert.equal("ROLLING", told.deployment.kind)
    assert.same({ 4, "model" }, { told.variants[1].count, told.variants[1].model })
  end)
end)
