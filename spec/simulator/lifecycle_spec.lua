local histories = require "sagemaker.simulator.history"
local lifecycle = require "sagemaker.simulator.lifecycle"
local view = require "sagemaker.simulator.view"

local PERCENT, COUNT = "CAPACITY_PERCENT", "INSTANCE_COUNT"

local function size(kind, value)
  return { Type = kind, Value = value }
end

local function routing(fields, wait, timeout, alarms)
  return {
    BlueGreenUpdatePolicy = {
      TrafficRoutingConfiguration = fields, TerminationWaitInSeconds = wait,
      MaximumExecutionTimeoutInSeconds = timeout,
    },
    AutoRollbackConfiguration = alarms and { Alarms = alarms },
  }
end

local function canary(percent, bake, wait, timeout, alarms)
  return routing({ Type = "CANARY", WaitIntervalInSeconds = bake,
    CanarySize = size(PERCENT, percent) }, wait, timeout, alarms)
end

local function rolling(batch, bake, rollback, alarms, timeout)
  return {
    RollingUpdatePolicy = { MaximumBatchSize = batch, WaitIntervalInSeconds = bake,
      RollbackMaximumBatchSize = rollback, MaximumExecutionTimeoutInSeconds = timeout },
    AutoRollbackConfiguration = alarms and { Alarms = alarms },
  }
end

local ALARM = { { AlarmName = "errors" } }

local function blueprint(name, count, fields)
  local variant = { name = "AllTraffic", weight = 1, desired_weight = 1, count = count,
    desired = count, spec = { InstanceType = "ml.m5.large" }, images = {} }
  for k, v in pairs(fields or {}) do variant[k] = v end
  return { name = name, variants = { variant }, shadows = {}, config = {} }
end

local function new_world()
  local world = {
    alarms = {}, failing = {},
    seconds = { provisioning = 120, activation = 0, removal = 0, rollback = 30, scaling = 60,
      deleting = 30 },
  }
  function world.alarm(name) return world.alarms[name] or "OK" end
  function world.fails(kind) return world.failing[kind], 300 end
  function world.reason(_, reason) return reason end
  return world
end

-- An endpoint in service on "v1" with `count` instances, at time 1000.
local function in_service(world, count)
  local m = lifecycle.new("churn")
  lifecycle.create(m, blueprint("v1", count), nil, 1000 - 120, world)
  lifecycle.advance(m, 1000, world)
  assert.equal("InService", m.status)
  m.history = {}
  return m
end

local function latest(m)
  return histories.rows(m.history, 1)[1]
end

-- "at status stage.step share%" for each entry since time 1000.
local function told(m)
  local lines = {}
  for _, h in ipairs(histories.rows(m.history)) do
    lines[#lines + 1] = ("%g %s%s %g%%"):format(h.at - 1000, h.status,
      h.stage and (" " .. h.stage .. "." .. h.step) or "", h.share * 100)
  end
  return lines
end

describe("the life of an endpoint", function()
  local world
  before_each(function() world = new_world() end)

  it("is created and then in service", function()
    local m = lifecycle.new("churn")
    lifecycle.create(m, blueprint("v1", 2), nil, 0, world)
    assert.equal("Creating", m.status)
    local seen = view.describe(m, "arn")
    assert.equal("v1", seen.EndpointConfigName)
    assert.equal("v1", seen.PendingDeploymentSummary.EndpointConfigName)
    assert.is_nil(seen.ProductionVariants)
    lifecycle.advance(m, 119, world)
    assert.equal("Creating", m.status)
    lifecycle.advance(m, 120, world)
    assert.equal("InService", m.status)
    seen = view.describe(m, "arn")
    assert.equal(2, seen.ProductionVariants[1].CurrentInstanceCount)
    assert.is_nil(seen.PendingDeploymentSummary)
    assert.equal(120, seen.LastModifiedTime)
  end)

  it("fails when a create finds no instances, and can then only be deleted", function()
    world.failing.provisioning = "no capacity"
    local m = lifecycle.new("churn")
    lifecycle.create(m, blueprint("v1", 2), nil, 0, world)
    lifecycle.advance(m, 500, world)
    assert.equal("Failed", m.status)
    local seen = view.describe(m, "arn")
    assert.equal("no capacity", seen.FailureReason)
    assert.equal("v1", seen.EndpointConfigName)
    assert.equal("failed", lifecycle.busy(m, "update"))
    assert.equal("failed", lifecycle.busy(m, "scale"))
    assert.is_nil(lifecycle.busy(m, "delete"))
  end)

  it("gives a container time to become healthy before it fails", function()
    world.failing.health = "no ping"
    local m = lifecycle.new("churn")
    lifecycle.create(m, blueprint("v1", 2), nil, 0, world)
    lifecycle.advance(m, 419, world)
    assert.equal("Creating", m.status)
    lifecycle.advance(m, 420, world)
    assert.equal("Failed", m.status)
    assert.equal("no ping", m.failure_reason)
  end)

  it("shifts all at once when no policy is given", function()
    local m = in_service(world, 3)
    lifecycle.update(m, blueprint("v2", 3), nil, 1000, world)
    lifecycle.advance(m, 10000, world)
    assert.same({
      "0 Updating provision.1 0%", "120 Updating activate.1 0%", "120 Updating bake.1 100%",
      "120 Updating remove.1 100%", "120 InService 0%",
    }, told(m))
    assert.equal("v2", m.current.name)
  end)

  it("plays all at once with a bake and a termination wait", function()
    local m = in_service(world, 3)
    lifecycle.update(m, blueprint("v2", 3),
      routing({ Type = "ALL_AT_ONCE", WaitIntervalInSeconds = 300 }, 60), 1000, world)
    lifecycle.advance(m, 10000, world)
    assert.same({
      "0 Updating provision.1 0%", "120 Updating activate.1 0%", "120 Updating bake.1 100%",
      "420 Updating wait.1 100%", "480 Updating remove.1 100%", "480 InService 0%",
    }, told(m))
  end)

  it("plays a canary, and shows the old fleet until the end", function()
    local m = in_service(world, 3)
    lifecycle.update(m, blueprint("v2", 3), canary(30, 600, 600, 1800), 1000, world)
    local seen = view.describe(m, "arn")
    assert.equal("v1", seen.EndpointConfigName)
    assert.equal("Creating", seen.PendingDeploymentSummary.ProductionVariants[1].VariantStatus[1]
      .Status)
    lifecycle.advance(m, 1300, world)
    seen = view.describe(m, "arn")
    local row = seen.PendingDeploymentSummary.ProductionVariants[1]
    assert.equal("v1", seen.EndpointConfigName)
    assert.equal(3, seen.ProductionVariants[1].CurrentInstanceCount)
    assert.equal("v2", seen.PendingDeploymentSummary.EndpointConfigName)
    assert.equal(1000, seen.PendingDeploymentSummary.StartTime)
    assert.equal("Baking", row.VariantStatus[1].Status)
    assert.equal(1120, row.VariantStatus[1].StartTime)
    assert.equal(1, row.CurrentInstanceCount)
    assert.equal(3, row.DesiredInstanceCount)
    assert.equal(1, row.CurrentWeight)
    lifecycle.advance(m, 100000, world)
    local third = ("%g%%"):format(100 / 3)
    assert.same({
      "0 Updating provision.1 0%", "120 Updating activate.1 0%",
      "120 Updating bake.1 " .. third, "720 Updating activate.2 " .. third,
      "720 Updating bake.2 100%", "1320 Updating wait.2 100%", "1920 Updating remove.2 100%",
      "1920 InService 0%",
    }, told(m))
    assert.equal("v2", view.describe(m, "arn").EndpointConfigName)
    assert.equal("CANARY", m.last_deployment_config.BlueGreenUpdatePolicy
      .TrafficRoutingConfiguration.Type)
  end)

  it("plays a linear shift, one bake a step", function()
    local m = in_service(world, 10)
    lifecycle.update(m, blueprint("v2", 10), routing({ Type = "LINEAR",
      WaitIntervalInSeconds = 100, LinearStepSize = size(COUNT, 4) }), 1000, world)
    lifecycle.advance(m, 10000, world)
    assert.same({
      "0 Updating provision.1 0%", "120 Updating activate.1 0%", "120 Updating bake.1 40%",
      "220 Updating activate.2 40%", "220 Updating bake.2 80%", "320 Updating activate.3 80%",
      "320 Updating bake.3 100%", "420 Updating remove.3 100%", "420 InService 0%",
    }, told(m))
  end)

  it("rolls batch by batch; the old fleet shrinks", function()
    local m = in_service(world, 4)
    lifecycle.update(m, blueprint("v2", 4), rolling(size(PERCENT, 50), 100), 1000, world)
    lifecycle.advance(m, 1340, world)
    local seen = view.describe(m, "arn")
    local row = seen.PendingDeploymentSummary.ProductionVariants[1]
    assert.equal(2, seen.ProductionVariants[1].CurrentInstanceCount)
    assert.equal(4, row.CurrentInstanceCount)
    lifecycle.advance(m, 10000, world)
    assert.same({
      "0 Updating provision.1 0%", "120 Updating activate.1 0%", "120 Updating bake.1 50%",
      "220 Updating remove.1 50%", "220 Updating provision.2 50%",
      "340 Updating activate.2 50%", "340 Updating bake.2 100%", "440 Updating remove.2 100%",
      "440 InService 0%",
    }, told(m))
  end)

  it("shows later batches of a rolling update as Updating, with traffic on", function()
    local m = in_service(world, 4)
    lifecycle.update(m, blueprint("v2", 4), rolling(size(PERCENT, 25), 100), 1000, world)
    lifecycle.advance(m, 1250, world)
    local seen = view.describe(m, "arn")
    local row = seen.PendingDeploymentSummary.ProductionVariants[1]
    assert.equal("Updating", row.VariantStatus[1].Status)
    assert.equal(1, row.CurrentInstanceCount)
    assert.equal(3, seen.ProductionVariants[1].CurrentInstanceCount)
    assert.equal(4, seen.ProductionVariants[1].DesiredInstanceCount)
  end)

  describe("with alarms", function()
    it("goes back from the canary's bake at the moment the alarm trips", function()
      local m = in_service(world, 3)
      lifecycle.update(m, blueprint("v2", 3), canary(30, 600, 0, nil, ALARM), 1000, world)
      lifecycle.advance(m, 1400, world)
      world.alarms.errors = "ALARM"
      lifecycle.alarm_changed(m, 1400, world)
      assert.equal("RollingBack", m.status)
      local seen = view.describe(m, "arn")
      assert.equal(0, seen.PendingDeploymentSummary.ProductionVariants[1].CurrentInstanceCount)
      lifecycle.advance(m, 100000, world)
      local third = ("%g%%"):format(100 / 3)
      assert.same({
        "0 Updating provision.1 0%", "120 Updating activate.1 0%",
        "120 Updating bake.1 " .. third, "400 RollingBack rollback.1 0%", "430 InService 0%",
      }, told(m))
      seen = view.describe(m, "arn")
      assert.equal("v1", seen.EndpointConfigName)
      assert.matches("errors", seen.FailureReason)
      assert.equal(1430, seen.LastModifiedTime)
    end)

    it("is killed at once when the alarm already rings", function()
      world.alarms.errors = "ALARM"
      local m = in_service(world, 3)
      lifecycle.update(m, blueprint("v2", 3), canary(30, 600, 0, nil, ALARM), 1000, world)
      assert.equal("RollingBack", m.status)
      lifecycle.advance(m, 1030, world)
      assert.equal("InService", m.status)
      assert.equal("v1", m.current.name)
    end)

    it("does not mind an alarm that rings only while the fleet is provisioned", function()
      local m = in_service(world, 3)
      lifecycle.update(m, blueprint("v2", 3), canary(30, 600, 0, nil, ALARM), 1000, world)
      lifecycle.advance(m, 1010, world)
      world.alarms.errors = "ALARM"
      lifecycle.alarm_changed(m, 1010, world)
      assert.equal("Updating", m.status)
      lifecycle.advance(m, 1020, world)
      world.alarms.errors = "OK"
      lifecycle.alarm_changed(m, 1020, world)
      lifecycle.advance(m, 10000, world)
      assert.equal("v2", m.current.name)
    end)

    it("goes back from the start of a bake when the alarm rings by then", function()
      local m = in_service(world, 3)
      lifecycle.update(m, blueprint("v2", 3), canary(30, 0, 0, nil, ALARM), 1000, world)
      world.alarms.errors = "ALARM"
      lifecycle.alarm_changed(m, 1001, world)
      lifecycle.advance(m, 5000, world)
      assert.equal("1150 InService 0%",
        ("%g InService 0%%"):format(latest(m).at))
      assert.equal("v1", m.current.name)
    end)

    it("watches no alarm during the termination wait, nor INSUFFICIENT_DATA", function()
      local m = in_service(world, 3)
      world.alarms.errors = "INSUFFICIENT_DATA"
      lifecycle.update(m, blueprint("v2", 3), canary(30, 100, 600, nil, ALARM), 1000, world)
      lifecycle.advance(m, 1400, world)
      assert.equal("wait", m.deployment.stage.kind)
      world.alarms.errors = "ALARM"
      lifecycle.alarm_changed(m, 1400, world)
      lifecycle.advance(m, 10000, world)
      assert.equal("v2", m.current.name)
    end)

    it("brings the old fleet of a rolling update back in batches", function()
      local m = in_service(world, 4)
      lifecycle.update(m, blueprint("v2", 4),
        rolling(size(COUNT, 1), 100, size(COUNT, 1), ALARM), 1000, world)
      lifecycle.advance(m, 1000 + 3 * 220 - 10, world)
      world.alarms.errors = "ALARM"
      lifecycle.alarm_changed(m, 1650, world)
      assert.equal("RollingBack", m.status)
      local seen = view.describe(m, "arn")
      assert.equal(2, seen.ProductionVariants[1].CurrentInstanceCount)
      lifecycle.advance(m, 1650 + 120, world)
      seen = view.describe(m, "arn")
      assert.equal(3, seen.ProductionVariants[1].CurrentInstanceCount)
      assert.equal(1, seen.PendingDeploymentSummary.ProductionVariants[1].CurrentInstanceCount)
      lifecycle.advance(m, 1650 + 239, world)
      assert.equal("RollingBack", m.status)
      lifecycle.advance(m, 1650 + 240, world)
      assert.equal("InService", m.status)
      assert.equal(4, view.describe(m, "arn").ProductionVariants[1].CurrentInstanceCount)
    end)
  end)

  it("rolls an update back that finds no instances or an unhealthy container", function()
    for kind, ends in pairs { provisioning = 150, health = 450 } do
      world = new_world()
      local m = in_service(world, 2)
      world.failing[kind] = "why"
      lifecycle.update(m, blueprint("v2", 2), nil, 1000, world)
      lifecycle.advance(m, 5000, world)
      assert.equal(1000 + ends, m.modified)
      assert.equal("InService", m.status)
      assert.equal("v1", m.current.name)
      assert.equal("why", m.failure_reason)
    end
  end)

  it("forgets the reason at the next update", function()
    local m = in_service(world, 2)
    world.failing.provisioning = "why"
    lifecycle.update(m, blueprint("v2", 2), nil, 1000, world)
    lifecycle.advance(m, 2000, world)
    assert.equal("why", m.failure_reason)
    world.failing = {}
    lifecycle.update(m, blueprint("v3", 2), nil, 2000, world)
    assert.is_nil(m.failure_reason)
    lifecycle.advance(m, 3000, world)
    assert.equal("v3", m.current.name)
  end)

  it("ends at MaximumExecutionTimeoutInSeconds when it bakes for longer", function()
    local m = in_service(world, 3)
    lifecycle.update(m, blueprint("v2", 3), canary(30, 600, 0, 1000), 1000, world)
    lifecycle.advance(m, 1999, world)
    assert.equal("Updating", m.status)
    lifecycle.advance(m, 10000, world)
    assert.equal("v1", m.current.name)
    assert.equal(2030, m.modified)
    assert.matches("MaximumExecutionTimeoutInSeconds", m.failure_reason)
  end)

  it("lets a deployment end exactly at its timeout", function()
    local m = in_service(world, 3)
    lifecycle.update(m, blueprint("v2", 3), canary(30, 600, 3600, 1320), 1000, world)
    lifecycle.advance(m, 100000, world)
    assert.equal("v2", m.current.name)
  end)

  it("ends in UpdateRollbackFailed when the way back fails too, and can be repaired", function()
    local m = in_service(world, 4)
    world.failing.rollback = true
    lifecycle.update(m, blueprint("v2", 4), rolling(size(COUNT, 1), 100, nil, ALARM), 1000, world)
    lifecycle.advance(m, 1000 + 220 + 130, world)
    world.alarms.errors = "ALARM"
    lifecycle.alarm_changed(m, 1350, world)
    lifecycle.advance(m, 10000, world)
    assert.equal("UpdateRollbackFailed", m.status)
    local seen = view.describe(m, "arn")
    assert.equal("v1", seen.EndpointConfigName)
    assert.equal(3, seen.ProductionVariants[1].CurrentInstanceCount)
    assert.is_nil(lifecycle.busy(m, "update"))
    world.failing, world.alarms = {}, {}
    lifecycle.update(m, blueprint("v3", 4), nil, 10000, world)
    lifecycle.advance(m, 20000, world)
    assert.equal("InService", m.status)
    assert.equal("v3", m.current.name)
  end)

  it("changes weights and capacities through Updating", function()
    local m = in_service(world, 2)
    lifecycle.scale(m, { AllTraffic = { desired = 5, weight = 2 } }, 1000, world)
    local row = view.describe(m, "arn").ProductionVariants[1]
    assert.equal("Updating", m.status)
    assert.same({ 2, 5, 1, 2 }, { row.CurrentInstanceCount, row.DesiredInstanceCount,
      row.CurrentWeight, row.DesiredWeight })
    assert.is_nil(view.describe(m, "arn").PendingDeploymentSummary)
    assert.equal("in-progress", lifecycle.busy(m, "delete"))
    lifecycle.advance(m, 1060, world)
    row = view.describe(m, "arn").ProductionVariants[1]
    assert.equal("InService", m.status)
    assert.same({ 5, 5, 2, 2 }, { row.CurrentInstanceCount, row.DesiredInstanceCount,
      row.CurrentWeight, row.DesiredWeight })
  end)

  it("rolls a re-scale back that finds no instances; Failed when even that fails", function()
    for _, case in ipairs { { false, "InService" }, { true, "Failed" } } do
      world = new_world()
      local m = in_service(world, 2)
      world.failing = { provisioning = "no capacity", rollback = case[1] }
      lifecycle.scale(m, { AllTraffic = { desired = 5 } }, 1000, world)
      lifecycle.advance(m, 1060, world)
      assert.equal("RollingBack", m.status)
      lifecycle.advance(m, 1090, world)
      assert.equal(case[2], m.status)
      assert.equal(2, m.current.variants[1].desired)
      assert.equal("no capacity", m.failure_reason)
    end
  end)

  it("is deleted in its own time", function()
    local m = in_service(world, 2)
    lifecycle.delete(m, 1000, world)
    assert.equal("Deleting", m.status)
    assert.equal("in-progress", lifecycle.busy(m, "delete"))
    lifecycle.advance(m, 1029, world)
    assert.is_nil(m.gone)
    lifecycle.advance(m, 1030, world)
    assert.is_true(m.gone)
  end)

  it("is busy while the service updates it", function()
    local m = in_service(world, 2)
    lifecycle.system_update(m, 500, 1000, world)
    for _, operation in ipairs { "update", "scale", "delete" } do
      assert.equal("in-progress", lifecycle.busy(m, operation))
    end
    lifecycle.advance(m, 1500, world)
    assert.equal("InService", m.status)
  end)

  it("knows no guardrails on Inf1 instances", function()
    local m = in_service(world, 3)
    world.alarms.errors = "ALARM"
    lifecycle.update(m, blueprint("v2", 3, { spec = { InstanceType = "ml.inf1.xlarge" } }),
      canary(30, 600, 600, nil, ALARM), 1000, world)
    lifecycle.advance(m, 1120, world)
    assert.equal("v2", m.current.name)
  end)

  it("moves the traffic of a serverless variant in hundredths", function()
    local m = in_service(world, 3)
    local config = { MemorySizeInMB = 2048, MaxConcurrency = 5 }
    lifecycle.update(m, blueprint("v2", 0, { serverless = config, desired_serverless = config }),
      canary(30, 600, 0), 1000, world)
    lifecycle.advance(m, 1120, world)
    assert.equal(0.3, lifecycle.share(m))
    local row = view.describe(m, "arn").PendingDeploymentSummary.ProductionVariants[1]
    assert.equal(0, row.CurrentInstanceCount)
    assert.equal(config, row.CurrentServerlessConfig)
  end)

  it("keeps a bounded past", function()
    local m = in_service(world, 1)
    for i = 1, 600 do lifecycle.system_update(m, 0, 1000 + i, world) end
    assert.is_true(histories.count(m.history) <= 1000)
    assert.equal(1600, latest(m).at)
  end)
end)
