--- Deployments from end to end: client, encoder, signer, decoder and the simulator's service.

local sagemaker = require "sagemaker"

local deployment = sagemaker.deployment
local MODEL = { ModelName = "m", ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
  PrimaryContainer = { Image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/m:1" } }

local function variant(name, instances)
  return { VariantName = name, ModelName = "m", InstanceType = "ml.m5.large",
    InitialInstanceCount = instances }
end

-- A simulator and its client with the configurations v1, v2 and v3 of `variants`.
local function start(variants, opts)
  local sim = sagemaker.simulator.new(opts)
  local client = assert(sagemaker.new{ transport = sim })
  assert(client:create_model(MODEL))
  for i = 1, 3 do
    assert(client:create_endpoint_config{ EndpointConfigName = "v" .. i,
      ProductionVariants = variants or { variant("main", 4) } })
  end
  return sim, client
end

-- Deploys; looks every second of virtual time, so that nothing is missed.
local function deploy(client, config, more)
  local request = { EndpointName = "churn", EndpointConfigName = config, delay = 1, max_delay = 1 }
  for key, value in pairs(more or {}) do request[key] = value end
  return client:deploy(request)
end

local function running(variants, opts)
  local sim, client = start(variants, opts)
  assert.equal("deployed", assert(deploy(client, "v1")).outcome)
  return sim, client
end

local CANARY = deployment.canary{ size = "25%", bake = 300, termination_wait = 60,
  alarms = { "a" } }

-- {time, new traffic, old instances, new instances} of rows, where something of it changes.
local function changes(rows)
  local list, last = {}, nil
  for _, row in ipairs(rows) do
    local key = ("%g|%d|%d"):format(row.traffic.new, row.instances.old, row.instances.new)
    local entry = { row.time or row.elapsed, key }
    -- a row that takes no time is not seen
    if key ~= last and row.duration ~= 0 or row.stage == "InService" then
      if key == last then entry = nil end
      list[#list + 1] = entry
      last = key
    end
  end
  return list
end

describe("timelines in the simulator agree with deployment.plan", function()
  local cases = {
    canary = { CANARY, { 10 } },
    ["canary of a count"] = { deployment.canary{ size = 2, bake = 60, alarms = { "a" } }, { 5 } },
    linear = { deployment.linear{ step = "30%", bake = 120, alarms = { "a" } }, { 10 } },
    ["linear of a count"] = { deployment.linear{ step = 3, bake = 60, alarms = { "a" } }, { 8 } },
    ["linear of two variants"] =
      { deployment.linear{ step = "40%", bake = 60, alarms = { "a" } }, { 3, 5 } },
    ["all at once"] = { deployment.all_at_once{ bake = 90, alarms = { "a" },
      termination_wait = 30 }, { 3 } },
    rolling = { deployment.rolling{ batch = "20%", bake = 60, alarms = { "a" } }, { 10 } },
    ["rolling of a count"] =
      { deployment.rolling{ batch = 2, bake = 60, alarms = { "a" } }, { 5 } },
    ["no configuration"] = { nil, { 4 } },
  }
  for name, case in pairs(cases) do
    it(name, function()
      local variants, fleet = {}, { variants = {} }
      for i, instances in ipairs(case[2]) do
        variants[i] = variant("v" .. i, instances)
        fleet.variants[i] = { name = "v" .. i, instances = instances }
      end
      local _, client = running(variants, { activation_seconds = 5, removal_seconds = 9 })
      local events = {}
      local result = assert(deploy(client, "v2", { DeploymentConfig = case[1],
        on_event = function(event) events[#events + 1] = event end }))
      assert.equal("deployed", result.outcome)
      local plan = assert(deployment.plan(case[1], fleet, { activation = 5, removal = 9 }))
      local seen, planned = changes(events), changes(plan.steps)
      assert.equal(#planned, #seen)
      for i, row in ipairs(planned) do
        assert.equal(row[2], seen[i][2])
        assert.is_near(row[1], seen[i][1], 1.6)
      end
      assert.is_near(plan.duration, result.elapsed, 1.6)
      for _, event in ipairs(events) do
        assert.equal(plan.steps[1].steps, event.steps or plan.steps[1].steps)
      end
    end)
  end

  it("in percent for serverless variants", function()
    local serverless = { { VariantName = "s", ModelName = "m",
      ServerlessConfig = { MemorySizeInMB = 2048, MaxConcurrency = 5 } } }
    local _, client = running(serverless)
    local shares = {}
    local result = assert(deploy(client, "v2", { DeploymentConfig = CANARY,
      on_event = function(event) shares[#shares + 1] = event.traffic.new end }))
    assert.equal("deployed", result.outcome)
    local seen = {}
    for _, share in ipairs(shares) do
      if share ~= seen[#seen] then seen[#seen + 1] = share end
    end
    assert.same({ 0, 25, 100 }, seen)
    local _, _, err = deploy(client, "v3", { DeploymentConfig = deployment.rolling{
      batch = "25%" } })
    assert.equal("validation", err.kind)
  end)

  it("for eight hours in no time", function()
    local _, client = running({ variant("main", 10) })
    local config = deployment.linear{ step = "10%", bake = 2700, alarms = { "a" }, timeout = 28800 }
    local result = assert(client:deploy{ EndpointName = "churn", EndpointConfigName = "v2",
      DeploymentConfig = config })
    assert.equal("deployed", result.outcome)
    assert.is_true(result.elapsed >= 27300)
  end)
end)

describe("a roll-back", function()
  local function tripped(opts, config)
    local sim, client = running(nil, opts)
    sim:at(400, function() sim:set_alarm("a", "ALARM") end)
    return sim, client, assert(deploy(client, "v2", { DeploymentConfig = config or CANARY }))
  end

  it("is told by deploy, and called a success by AWS's own waiter", function()
    local _, client, result = tripped()
    assert.equal("rolled_back", result.outcome)
    assert.truthy(result.failure_reason:find("Alarm a", 1, true))
    assert.equal("v1", result.endpoint.EndpointConfigName)
    assert.same({ old = 100, new = 0 }, result.traffic)
    local output = assert(client:wait("endpoint_in_service", { EndpointName = "churn" }))
    assert.equal("InService", output.EndpointStatus)
    local none, message, err =
      client:wait_until_in_service("churn", { EndpointConfigName = "v2" })
    assert.is_nil(none)
    assert.equal("DeploymentRolledBack", err.code)
    assert.equal("rolled_back", err.result.outcome)
    assert.truthy(message:find("Alarm a", 1, true))
  end)

  it("is told although nobody looked while it happened", function()
    local sim, client = running()
    local before = assert(client:describe_endpoint{ EndpointName = "churn" })
    assert(client:update_endpoint{ EndpointName = "churn", EndpointConfigName = "v2",
      DeploymentConfig = CANARY })
    sim:at(400, function() sim:set_alarm("a", "ALARM") end)
    sim:advance(3600)
    local event = client:watch_endpoint("churn", { EndpointConfigName = "v2", before = before })()
    assert.equal("rolled_back", event.outcome)
    assert.equal(0, event.elapsed)
    event = client:watch_endpoint("churn")()
    assert.equal("in_service", event.outcome)
  end)

  it("keeps its FailureReason although the service hides it later", function()
    local _, _, result = tripped{ hide_failure_reason = true }
    assert.equal("rolled_back", result.outcome)
  end)

  it("of a rolling deployment goes back in batches", function()
    local config = deployment.rolling{ batch = "25%", bake = 60, rollback_batch = "25%",
      alarms = { "a" } }
    local sim, client = running()
    sim:at(800, function() sim:set_alarm("a", "ALARM") end)
    local shares = {}
    local result = assert(deploy(client, "v2", { DeploymentConfig = config,
      on_event = function(event)
        if event.traffic.new ~= shares[#shares] then shares[#shares + 1] = event.traffic.new end
      end }))
    assert.equal("rolled_back", result.outcome)
    assert.equal(0, shares[#shares])
  end)

  it("follows a timeout, containers that are not healthy, instances that do not come", function()
    local sim, client = running()
    local short = deployment.canary{ size = "25%", bake = 500, timeout = 600, alarms = { "a" } }
    local result = assert(deploy(client, "v2", { DeploymentConfig = short }))
    assert.equal("rolled_back", result.outcome)
    assert.truthy(result.failure_reason:find("600", 1, true))
    assert.truthy(result.warnings[1]:find("rolled back at the timeout", 1, true))
    for _, knob in ipairs{ "unhealthy", "fail_provisioning" } do
      sim[knob](sim, true)
      result = assert(deploy(client, "v2", { DeploymentConfig = CANARY }))
      assert.equal("rolled_back", result.outcome)
      assert.is_string(result.failure_reason)
      sim[knob](sim, false)
    end
    result = assert(deploy(client, "v2", { DeploymentConfig = CANARY }))
    assert.equal("deployed", result.outcome)
    assert.is_nil(result.failure_reason)
  end)

  it("can fail itself; the next update repairs that", function()
    local sim, client = running()
    sim:rollback_fails(true)
    sim:at(400, function() sim:set_alarm("a", "ALARM") end)
    local result = assert(deploy(client, "v2", { DeploymentConfig = CANARY }))
    assert.equal("rollback_failed", result.outcome)
    sim:rollback_fails(false)
    sim:set_alarm("a", "OK")
    result = assert(deploy(client, "v1", { DeploymentConfig = CANARY }))
    assert.equal("deployed", result.outcome)
    assert.equal("update", result.action)
  end)
end)

describe("an endpoint", function()
  it("is created, left alone, updated", function()
    local _, client = start()
    local tags = { { Key = "team", Value = "growth" } }
    local result = assert(deploy(client, "v1", { Tags = tags, DeploymentConfig = CANARY }))
    assert.equal("create", result.action)
    local arn = result.endpoint.EndpointArn
    assert.same(tags, assert(client:list_tags{ ResourceArn = arn }).Tags)
    result = assert(deploy(client, "v1"))
    assert.is_false(result.changed)
    result = assert(deploy(client, "v2", { RetainDeploymentConfig = true,
      Tags = { { Key = "version", Value = "2" } } }))
    assert.equal("deployed", result.outcome)
    assert.equal("CANARY", result.plan.policy)
    assert.equal(2, #assert(client:list_tags{ ResourceArn = arn }).Tags)
  end)

  it("that Failed is replaced only when told to", function()
    local sim, client = start()
    sim:fail_provisioning(true)
    local result = assert(deploy(client, "v1"))
    assert.equal("failed", result.outcome)
    assert.is_string(result.failure_reason)
    sim:fail_provisioning(false)
    local _, _, err = deploy(client, "v1")
    assert.equal("EndpointFailed", err.code)
    result = assert(deploy(client, "v1", { replace_failed = true }))
    assert.equal("deployed", result.outcome)
  end)

  it("that is busy is queued for only when told to", function()
    local _, client = running()
    assert(client:update_endpoint{ EndpointName = "churn", EndpointConfigName = "v2",
      DeploymentConfig = CANARY })
    local _, message, err = deploy(client, "v3")
    assert.equal("DeploymentInProgress", err.code)
    assert.truthy(message:find("deployment of v2", 1, true))
    local result = assert(deploy(client, "v3", { wait = true }))
    assert.equal("deployed", result.outcome)
    assert.equal("v3", result.endpoint.EndpointConfigName)
  end)

  it("whose weights change is in service on the same configuration", function()
    local sim, client = running({ variant("a", 2), variant("b", 2) })
    local change = { EndpointName = "churn", DesiredWeightsAndCapacities = {
      { VariantName = "a", DesiredWeight = 3 } } }
    assert(client:update_endpoint_weights_and_capacities(change))
    local result = assert(client:wait_until_in_service("churn", { EndpointConfigName = "v1" }))
    assert.equal("deployed", result.outcome)
    sim:fail_provisioning(true)
    change.DesiredWeightsAndCapacities[1].DesiredInstanceCount = 5
    assert(client:update_endpoint_weights_and_capacities(change))
    local none, _, err = client:wait_until_in_service("churn", { EndpointConfigName = "v1" })
    assert.is_nil(none)
    assert.equal("DeploymentRolledBack", err.code)
  end)

  it("that is deleted meanwhile ends the watch", function()
    local _, client = running()
    assert(client:delete_endpoint{ EndpointName = "churn" })
    local none, _, err = client:wait_until_in_service("churn", { EndpointConfigName = "v1" })
    assert.is_nil(none)
    assert.equal("EndpointDeleted", err.code)
  end)
end)

describe("the wire may lose, delay and refuse", function()
  it("answers of a create and of an update", function()
    for _, config in ipairs{ "v1", "v2" } do
      for _, drops in ipairs{ 1, 3 } do
        local sim, client = start()
        if config == "v2" then assert(deploy(client, "v1")) end
        local operation = config == "v2" and "UpdateEndpoint" or "CreateEndpoint"
        local left = drops
        sim:drop(function(case)
          if case.operation ~= operation or left == 0 then return false end
          left = left - 1
          return true
        end)
        local result = assert(deploy(client, config, { DeploymentConfig = CANARY }))
        assert.equal("deployed", result.outcome)
        assert.is_true(result.changed)
        assert.equal(0, left)
        assert.truthy(table.concat(result.warnings, " "):find("was lost", 1, true))
      end
    end
  end)

  it("and an update that is rolled back is still told from a success", function()
    local sim, client = running()
    sim:drop("UpdateEndpoint")
    sim:at(400, function() sim:set_alarm("a", "ALARM") end)
    assert.equal("rolled_back",
      assert(deploy(client, "v2", { DeploymentConfig = CANARY })).outcome)
  end)

  it("looks, at random", function()
    local sim, client = running()
    local n = 0
    local function every(period)
      return function(case)
        n = n + 1
        return case.operation == "DescribeEndpoint" and n > 10 and n % period < period / 2
      end
    end
    sim:throttle(every(40))
    sim:unreachable(every(14))
    assert.equal("deployed", assert(deploy(client, "v2", { DeploymentConfig = CANARY })).outcome)
  end)

  it("what was just made is not visible at once", function()
    local sim, client = start()
    sim:visible_after(20)
    assert(client:create_endpoint_config{ EndpointConfigName = "v4",
      ProductionVariants = { variant("main", 4) } })
    local result = assert(deploy(client, "v4"))
    assert.equal("deployed", result.outcome)
  end)
end)

describe("in_service_coroutine", function()
  it("leaves the waiting to its host", function()
    local sim, client = running()
    assert(client:update_endpoint{ EndpointName = "churn", EndpointConfigName = "v2",
      DeploymentConfig = CANARY })
    local co = client:in_service_coroutine("churn", { EndpointConfigName = "v2" })
    local last
    while coroutine.status(co) ~= "dead" do
      local before = sim:clock()
      local ok, event, delay = coroutine.resume(co)
      assert.is_true(ok)
      assert.equal(before, sim:clock())
      last = event
      sim:advance(delay)
    end
    assert.equal("deployed", last.outcome)
  end)
end)

describe("deploy by name only", function()
  it("checks the parameters strictly before anything is sent", function()
    local sim, client = start()
    local sent = #sim:requests()
    local none, message, err = client:deploy{ EndpointName = "chu_rn", EndpointConfigName = "v1",
      DeploymentConfig = { BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = {
        Type = "CANARY", WaitIntervalInSeconds = 9999, CanarySize = {
          Type = "CAPACITY_PERCENT", Value = 60 } } } } }
    assert.is_nil(none)
    assert.equal("validation", err.kind)
    assert.equal(message, tostring(err))
    local paths = {}
    for i, problem in ipairs(err.errors) do paths[i] = problem.path:match("[^.]+$") end
    table.sort(paths)
    assert.same({ "EndpointName", "Value", "WaitIntervalInSeconds" }, paths)
    assert.equal(sent, #sim:requests())
  end)
end)

describe("the examples", function()
  for _, name in ipairs{ "deploy", "own_loop" } do
    it(name, function()
      local lines, original = {}, print
      local chunk = assert(loadfile("examples/deploy/" .. name .. ".lua"))
      _G.print = function(line) lines[#lines + 1] = tostring(line) end
      local ok, message = pcall(chunk)
      _G.print = original
      assert.is_true(ok, message)
      assert.truthy(table.concat(lines, "\n"):find("rolled_back", 1, true))
    end)
  end
end)
