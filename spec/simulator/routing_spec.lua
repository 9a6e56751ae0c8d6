-- Who answers, counted: 10,000 invocations with seeded chances at each stage of a deployment lie as
-- close to its plan as chance allows (four standard deviations).

local caller = require "simulator.caller"
local simulator = require "sagemaker.simulator"

local ROLE = "arn:aws:iam::123456789012:role/sagemaker"
local MANY = 10000

describe("the routing of invocations", function()
  local sim, call, counts

  before_each(function()
    sim = simulator.new { seed = 7, verify = false }
    call = caller.new(sim)
    assert(call("CreateModel", { ModelName = "m", ExecutionRoleArn = ROLE,
      PrimaryContainer = { Image = caller.IMAGE } }))
    sim:container("m", function(request)
      if request.path == "/ping" then return "" end
      local key = request.variant .. "/" .. request.fleet .. "/" .. request.config
      counts[key] = (counts[key] or 0) + 1
      return ""
    end)
  end)

  local function config(name, variants, more)
    local input = { EndpointConfigName = name, ProductionVariants = {} }
    for i, variant in ipairs(variants) do
      input.ProductionVariants[i] = { VariantName = variant[1], ModelName = "m",
        InitialVariantWeight = variant[2], InitialInstanceCount = variant[3] or 4,
        InstanceType = "ml.m5.large" }
    end
    for member, value in pairs(more or {}) do input[member] = value end
    assert(call("CreateEndpointConfig", input))
  end

  -- Routes straight through the account: signatures are not what is counted here.
  local function invoke_many(input)
    counts = {}
    local invocations = require "sagemaker.simulator.invocation"
    input = input or { EndpointName = "e", Body = "" }
    for _ = 1, MANY do assert(invocations.invoke(sim.account, input)) end
    return counts
  end

  -- Whether `seen` of MANY fits a probability.
  local function fits(probability, seen)
    local expected = MANY * probability
    local tolerance = 4 * math.sqrt(MANY * probability * (1 - probability))
    assert.is_true(math.abs((seen or 0) - expected) <= tolerance,
      ("%d of %d for a probability of %g"):format(seen or 0, MANY, probability))
  end

  local function start(name, deployment)
    assert(call("UpdateEndpoint",
      { EndpointName = "e", EndpointConfigName = name, DeploymentConfig = deployment }))
  end

  local function created(name)
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = name }))
    sim:advance(300)
  end

  local function blue_green(routing)
    routing.WaitIntervalInSeconds = 600
    return { BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = routing,
      TerminationWaitInSeconds = 300 } }
  end

  it("follows the weights of the variants", function()
    config("c", { { "A", 1 }, { "B", 2 }, { "C", 0.5 }, { "D", 0 } })
    created "c"
    invoke_many()
    fits(1 / 3.5, counts["A/blue/c"])
    fits(2 / 3.5, counts["B/blue/c"])
    fits(0.5 / 3.5, counts["C/blue/c"])
    assert.is_nil(counts["D/blue/c"])
    assert(call("UpdateEndpointWeightsAndCapacities", { EndpointName = "e",
      DesiredWeightsAndCapacities = { { VariantName = "D", DesiredWeight = 3.5 } } }))
    invoke_many()
    assert.is_nil(counts["D/blue/c"], "new weights count when they are there")
    sim:advance(60)
    invoke_many()
    fits(0.5, counts["D/blue/c"])
  end)

  it("is the same for the same seed", function()
    config("c", { { "A", 1 }, { "B", 1 } })
    created "c"
    local first = invoke_many()["A/blue/c"]
    sim.hosting.dice = simulator.new { seed = 7 }.hosting.dice
    local second = invoke_many()["A/blue/c"]
    assert.equal(first, second)
    assert.are_not.equal(second, invoke_many()["A/blue/c"])
  end)

  it("follows a canary", function()
    config("c1", { { "A", 1 } })
    config("c2", { { "A", 1 } })
    created "c1"
    start("c2", blue_green { Type = "CANARY", CanarySize = { Type = "CAPACITY_PERCENT",
      Value = 25 } })
    invoke_many()
    assert.equal(MANY, counts["A/blue/c1"], "nothing before the new fleet is there")
    sim:advance(300)
    invoke_many()
    fits(0.25, counts["A/green/c2"])
    fits(0.75, counts["A/blue/c1"])
    sim:advance(600)
    invoke_many()
    assert.equal(MANY, counts["A/green/c2"])
    sim:advance(600 + 300)
    assert.equal("InService", call("DescribeEndpoint", { EndpointName = "e" }).EndpointStatus)
    invoke_many()
    assert.equal(MANY, counts["A/blue/c2"])
  end)

  it("goes back to the old fleet at the moment of a roll-back", function()
    config("c1", { { "A", 1 } })
    config("c2", { { "A", 1 } })
    created "c1"
    local deployment = blue_green { Type = "CANARY",
      CanarySize = { Type = "CAPACITY_PERCENT", Value = 50 } }
    deployment.AutoRollbackConfiguration = { Alarms = { { AlarmName = "bad" } } }
    start("c2", deployment)
    sim:advance(400)
    invoke_many()
    fits(0.5, counts["A/green/c2"])
    sim:set_alarm("bad", "ALARM")
    invoke_many()
    assert.equal(MANY, counts["A/blue/c1"])
  end)

  it("follows a linear shift, for every variant", function()
    config("c1", { { "A", 3 }, { "B", 1 } })
    config("c2", { { "A", 3 }, { "B", 1 } })
    created "c1"
    start("c2", blue_green { Type = "LINEAR", LinearStepSize = { Type = "CAPACITY_PERCENT",
      Value = 50 } })
    sim:advance(300)
    invoke_many()
    fits(0.75 * 0.5, counts["A/green/c2"])
    fits(0.25 * 0.5, counts["B/green/c2"])
    fits(0.25 * 0.5, counts["B/blue/c1"])
    sim:advance(600)
    invoke_many()
    fits(0.75, counts["A/green/c2"])
    fits(0.25, counts["B/green/c2"])
  end)

  it("finds the new fleet where the old one has no instances", function()
    config("c1", { { "A", 1 } })
    config("c2", { { "A", 1 } })
    created "c1"
    assert(call("UpdateEndpointWeightsAndCapacities", { EndpointName = "e",
      DesiredWeightsAndCapacities = { { VariantName = "A", DesiredInstanceCount = 0 } } }))
    sim:advance(60)
    local invocations = require "sagemaker.simulator.invocation"
    assert.is_nil((invocations.invoke(sim.account, { EndpointName = "e", Body = "" })))
    start("c2", blue_green { Type = "ALL_AT_ONCE" })
    assert.is_nil((invocations.invoke(sim.account, { EndpointName = "e", Body = "" })))
    for _, seconds in ipairs { 300, 900 } do
      sim:advance(seconds)
      counts = {}
      for _ = 1, 50 do
        assert(invocations.invoke(sim.account, { EndpointName = "e", Body = "" }))
      end
      assert.same({ [seconds == 300 and "A/green/c2" or "A/blue/c2"] = 50 }, counts)
    end
  end)

  it("follows a rolling update and its way back, batch by batch", function()
    config("c1", { { "A", 1, 4 } })
    config("c2", { { "A", 1, 4 } })
    created "c1"
    start("c2", { RollingUpdatePolicy = {
      MaximumBatchSize = { Type = "INSTANCE_COUNT", Value = 1 }, WaitIntervalInSeconds = 100,
      RollbackMaximumBatchSize = { Type = "INSTANCE_COUNT", Value = 1 } },
      AutoRollbackConfiguration = { Alarms = { { AlarmName = "bad" } } } })
    for batch = 1, 3 do
      sim:advance(300)
      invoke_many()
      fits(batch / 4, counts["A/green/c2"])
      if batch < 3 then sim:advance(100) end
    end
    sim:set_alarm("bad", "ALARM")
    invoke_many()
    fits(3 / 4, counts["A/green/c2"])
    sim:advance(300)
    invoke_many()
    local history = sim:history "e"
    fits(history[#history].share, counts["A/green/c2"])
    sim:advance(3000)
    invoke_many()
    assert.equal(MANY, counts["A/blue/c1"])
  end)

  it("stays mixed where a roll-back has failed", function()
    config("c1", { { "A", 1, 4 } })
    config("c2", { { "A", 1, 4 } })
    created "c1"
    start("c2", { RollingUpdatePolicy = {
      MaximumBatchSize = { Type = "INSTANCE_COUNT", Value = 1 }, WaitIntervalInSeconds = 100 },
      AutoRollbackConfiguration = { Alarms = { { AlarmName = "bad" } } } })
    sim:advance(300 + 100 + 300)
    sim:rollback_fails(true)
    sim:set_alarm("bad", "ALARM")
    sim:advance(1000)
    assert.equal("UpdateRollbackFailed",
      call("DescribeEndpoint", { EndpointName = "e" }).EndpointStatus)
    invoke_many()
    fits(0.5, counts["A/green/c2"])
    fits(0.5, counts["A/blue/c1"])
  end)

  it("gives shadow variants their share of copies, and lets nobody hear them", function()
    config("c", { { "A", 2 } }, { ShadowProductionVariants = { { VariantName = "S",
      ModelName = "m", InitialVariantWeight = 0.5, InitialInstanceCount = 1,
      InstanceType = "ml.m5.large" } } })
    created "c"
    local heard = {}
    sim:container("m", function(request)
      if request.path == "/ping" then return "" end
      counts[request.variant] = (counts[request.variant] or 0) + 1
      if request.variant == "S" then return { status = 500, body = "shadow" } end
      return request.body
    end)
    counts = {}
    local invocations = require "sagemaker.simulator.invocation"
    for _ = 1, MANY do
      local answer = assert(invocations.invoke(sim.account, { EndpointName = "e", Body = "b" }))
      heard[answer.invocation.variant .. answer.body] = true
    end
    assert.same({ Ab = true }, heard)
    assert.equal(MANY, counts.A)
    fits(0.25, counts.S)
    local from = math.floor(sim:now() / 60) * 60
    assert.equal(counts.S,
      sim.account.metrics:statistic("e", "S", "Invocation5XXErrors", "Sum", from, from + 60))
    assert.equal(0,
      sim.account.metrics:statistic("e", "A", "Invocation5XXErrors", "Sum", from, from + 60))
  end)

  it("goes on while an inference component changes, copy by copy", function()
    assert(call("CreateEndpointConfig", { EndpointConfigName = "bare", ExecutionRoleArn = ROLE,
      ProductionVariants = { { VariantName = "V", InstanceType = "ml.g5.xlarge",
        InitialInstanceCount = 1 } } }))
    created "bare"
    local specification = { ModelName = "m",
      ComputeResourceRequirements = { MinMemoryRequiredInMb = 128 } }
    assert(call("CreateInferenceComponent", { InferenceComponentName = "ic", EndpointName = "e",
      Specification = specification, RuntimeConfig = { CopyCount = 4 } }))
    sim:advance(300)
    assert(call("UpdateInferenceComponent", { InferenceComponentName = "ic",
      Specification = specification, DeploymentConfig = { RollingUpdatePolicy = {
        MaximumBatchSize = { Type = "COPY_COUNT", Value = 1 }, WaitIntervalInSeconds = 60 } } }))
    sim:advance(300)
    invoke_many { EndpointName = "e", Body = "", InferenceComponentName = "ic" }
    fits(0.25, counts["V/green/ic"])
    fits(0.75, counts["V/blue/ic"])
  end)
end)
