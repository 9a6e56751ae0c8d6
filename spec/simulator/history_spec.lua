-- Random lives: whatever happens to endpoints and inference components, no status follows another
-- that may not follow it, and how a stretch of time is cut into pieces changes nothing.

local caller = require "simulator.caller"
local histories = require "sagemaker.simulator.history"
local lifecycle = require "sagemaker.simulator.lifecycle"
local simulator = require "sagemaker.simulator"

-- The generator of Park and Miller: the same numbers on every Lua.
local function generator(seed)
  local state = seed % 2147483646 + 1
  return function(n)
    state = state * 48271 % 2147483647
    return math.floor(state / 2147483647 * n) + 1
  end
end

local ENDPOINTS = { "alpha", "beta", "gamma" }
local COMPONENTS = { "llama", "mistral" }
local CONFIGS = { "c1", "c2", "c4", "c10" }
local ALARMS = { "red", "blue" }
local STATES = { "OK", "ALARM", "INSUFFICIENT_DATA" }

local function size(random, low, high)
  return { Type = "CAPACITY_PERCENT", Value = low + random(high - low) }
end

local function deployment_config(random)
  local kind = random(6)
  if kind == 1 then return nil end
  local wait = random(8) * 50
  local config = { AutoRollbackConfiguration =
    random(3) > 1 and { Alarms = { { AlarmName = ALARMS[random(2)] } } } or nil }
  local timeout = random(3) == 1 and 600 + random(10) * 300 or nil
  if kind == 2 then
    config.RollingUpdatePolicy = { MaximumBatchSize = size(random, 5, 50),
      WaitIntervalInSeconds = wait, MaximumExecutionTimeoutInSeconds = timeout,
      RollbackMaximumBatchSize = random(2) == 1 and size(random, 10, 100) or nil }
    return config
  end
  local routing = { Type = "ALL_AT_ONCE", WaitIntervalInSeconds = wait }
  if kind == 3 or kind == 4 then
    routing.Type, routing.CanarySize = "CANARY", size(random, 1, 50)
  elseif kind == 5 then
    routing.Type, routing.LinearStepSize = "LINEAR", size(random, 10, 50)
  end
  config.BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = routing,
    TerminationWaitInSeconds = random(4) * 30, MaximumExecutionTimeoutInSeconds = timeout }
  return config
end

-- Something done to an inference component.
local function component_step(random)
  local name = COMPONENTS[random(#COMPONENTS)]
  local specification = { ModelName = "model",
    ComputeResourceRequirements = { MinMemoryRequiredInMb = 128 } }
  local kind, copies = random(5), { CopyCount = random(8) - 1 }
  if kind == 1 then
    return { "CreateInferenceComponent", { InferenceComponentName = name, EndpointName = "host",
      Specification = specification, RuntimeConfig = copies } }
  elseif kind == 2 then
    return { "DeleteInferenceComponent", { InferenceComponentName = name } }
  elseif kind == 3 then
    return { "UpdateInferenceComponentRuntimeConfig",
      { InferenceComponentName = name, DesiredRuntimeConfig = copies } }
  end
  return { "UpdateInferenceComponent", { InferenceComponentName = name,
    Specification = specification, RuntimeConfig = random(2) == 1 and copies or nil,
    DeploymentConfig = random(4) > 1 and { RollingUpdatePolicy = {
      MaximumBatchSize = size(random, 5, 50), WaitIntervalInSeconds = random(8) * 50,
      MaximumExecutionTimeoutInSeconds = random(3) == 1 and 600 + random(10) * 300 or nil,
      RollbackMaximumBatchSize = random(2) == 1 and size(random, 10, 100) or nil },
      AutoRollbackConfiguration =
        random(3) > 1 and { Alarms = { { AlarmName = ALARMS[random(2)] } } } or nil } or nil } }
end

-- A list of things to do: {wait = seconds} or {name, input} or {knob = …}.
local function script(seed, length)
  local random = generator(seed)
  local steps = {}
  local function add(step) steps[#steps + 1] = step end
  for _ = 1, length do
    local kind, name = random(21), ENDPOINTS[random(#ENDPOINTS)]
    local config = CONFIGS[random(#CONFIGS)]
    if kind <= 4 then
      add { wait = random(5) == 1 and random(4000) or random(400) }
    elseif kind <= 6 then
      add { "CreateEndpoint", { EndpointName = name, EndpointConfigName = config,
        DeploymentConfig = random(2) == 1 and deployment_config(random) or nil } }
    elseif kind <= 10 then
      add { "UpdateEndpoint", { EndpointName = name, EndpointConfigName = config,
        DeploymentConfig = deployment_config(random), RetainDeploymentConfig = random(4) == 1,
        RetainAllVariantProperties = random(3) == 1 } }
    elseif kind == 11 or kind == 17 then
      add { "UpdateEndpointWeightsAndCapacities", { EndpointName = name,
        DesiredWeightsAndCapacities = { { VariantName = "AllTraffic",
          DesiredInstanceCount = random(12), DesiredWeight = random(3) } } } }
    elseif kind == 12 then
      add { "DeleteEndpoint", { EndpointName = name } }
    elseif kind > 17 then
      add(component_step(random))
    elseif kind == 13 then
      add { alarm = ALARMS[random(2)], state = STATES[random(3)], delay = random(500) }
    else
      local knob = ({ "fail_provisioning", "unhealthy", "rollback_fails" })[random(3)]
      add { knob = knob, value = ({ config, true, false })[random(3)] }
    end
  end
  add { wait = 100000 }
  return steps
end

-- Plays a script; `pieces(sim, seconds)` lets the time pass. Answers what every call said, and
-- every life that was lived.
local function play(steps, pieces)
  local machines, new = {}, lifecycle.new
  lifecycle.new = function(...)
    machines[#machines + 1] = new(...)
    return machines[#machines]
  end
  local sim = simulator.new { activation_seconds = 5, removal_seconds = 20 }
  local call, said = caller.new(sim), {}
  caller.prepare(call)
  for _, name in ipairs(CONFIGS) do
    assert(call("CreateEndpointConfig", caller.config(name, tonumber(name:sub(2)))))
  end
  assert(call("CreateEndpointConfig", { EndpointConfigName = "bare",
    ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker", ProductionVariants = { {
      VariantName = "V", InstanceType = "ml.g5.xlarge", InitialInstanceCount = 1 } } }))
  assert(call("CreateEndpoint", { EndpointName = "host", EndpointConfigName = "bare" }))
  sim:advance(300)
  for i, step in ipairs(steps) do
    if step.wait then
      pieces(sim, step.wait)
    elseif step.alarm then
      sim:at(step.delay, function() sim:set_alarm(step.alarm, step.state) end)
    elseif step.knob then
      sim[step.knob](sim, step.value)
    else
      local output, code, message = call(step[1], step[2])
      said[#said + 1] = { i, output and "ok" or code, not output and message or nil }
    end
  end
  sim.account:settle()
  lifecycle.new = new
  local lives = {}
  for i, machine in ipairs(machines) do lives[i] = histories.rows(machine.history) end
  return said, lives
end

local function at_once(sim, seconds)
  sim:advance(seconds)
end

-- Many small steps, looking around between them.
local function in_pieces(seed)
  local random = generator(seed)
  return function(sim, seconds)
    while seconds > 0 do
      local step = math.min(seconds, random(math.max(1, math.floor(seconds / 3))))
      sim:advance(step)
      seconds = seconds - step
      if random(3) == 1 then sim:history(ENDPOINTS[random(#ENDPOINTS)]) end
    end
  end
end

local function check_transitions(lives)
  local seen = {}
  for _, history in ipairs(lives) do
    local status, time = "", 0
    for _, entry in ipairs(history) do
      assert.is_true(entry.at >= time, "time runs backwards")
      assert.is_true(entry.share >= 0 and entry.share <= 1)
      if entry.status ~= status then
        local change = ("%s -> %s"):format(status, entry.status)
        assert.is_true(lifecycle.transitions[status][entry.status], change)
        seen[change] = true
      end
      status, time = entry.status, entry.at
    end
  end
  return seen
end

describe("what a machine remembers", function()
  it("comes back as rows, oldest first, as many as are asked for", function()
    local list = {}
    histories.note(list, 1, "Creating", "provision", 1, 0)
    histories.note(list, 2, "InService", nil, nil, 0)
    histories.note(list, 3, "Updating", "bake", 2, 0.5)
    assert.equal(3, histories.count(list))
    assert.same({ at = 1, status = "Creating", stage = "provision", step = 1, share = 0 },
      histories.rows(list)[1])
    assert.same({ { at = 2, status = "InService", share = 0 },
      { at = 3, status = "Updating", stage = "bake", step = 2, share = 0.5 } },
      histories.rows(list, 2))
  end)

  it("forgets its older half when it is full", function()
    local list = {}
    for i = 1, 1000 do histories.note(list, i, "InService", nil, nil, 0) end
    assert.equal(1000, histories.count(list))
    histories.note(list, 1001, "Deleting", nil, nil, 0)
    assert.equal(501, histories.count(list))
    local rows = histories.rows(list)
    assert.same({ 501, 1001, "Deleting" }, { rows[1].at, rows[501].at, rows[501].status })
  end)
end)

describe("random lives of endpoints", function()
  local all = {}

  it("make no transition that is not documented, however time is cut", function()
    for seed = 1, 100 do
      local steps = script(seed, 60)
      local said, lives = play(steps, at_once)
      local said_again, lives_again = play(steps, in_pieces(seed + 1000))
      assert.same(said, said_again, "seed " .. seed)
      assert.same(lives, lives_again, "seed " .. seed)
      for change in pairs(check_transitions(lives)) do all[change] = true end
    end
  end)

  it("have met every transition there is", function()
    for from, followers in pairs(lifecycle.transitions) do
      for to in pairs(followers) do
        local change = ("%s -> %s"):format(from, to)
        -- Nothing in a script makes an endpoint OutOfService or SystemUpdating.
        if not change:find("OutOfService") and not change:find("SystemUpdating") then
          assert.is_true(all[change], change)
        end
      end
    end
  end)
end)
