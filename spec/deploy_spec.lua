local deployment = require "sagemaker.deployment"
local watched = require "support.watched"

local look, config = watched.describe, watched.config
local service, request = watched.service, watched.request
local count = watched.count
local has = watched.has
local untouched = watched.untouched
local CANARY = watched.CANARY
local V1, V2 = watched.OLD, watched.NEW
local BAKING, BACK = watched.BAKING, watched.BACK
local CREATING, CREATED = watched.CREATING, watched.CREATED

describe("deploy", function()
  it("creates an endpoint that is not there", function()
    local world = service(nil, { CREATING, CREATED })
    local tags = { { Key = "team", Value = "growth" } }
    local seen = {}
    local result = assert(world.watch:deploy(request{ DeploymentConfig = CANARY, Tags = tags,
      on_event = function(event) seen[#seen + 1] = event.outcome or event.status end }))
    assert.equal("deployed", result.outcome)
    assert.equal("create", result.action)
    assert.is_true(result.changed)
    assert.same({ "Creating", "deployed" }, seen)
    assert.same({ "DescribeEndpoint", "DescribeEndpointConfig", "CreateEndpoint",
      "DescribeEndpoint", "DescribeEndpoint" }, world.calls)
    assert.same({ EndpointName = "churn", EndpointConfigName = "v2", DeploymentConfig = CANARY,
      Tags = tags }, world.params.CreateEndpoint)
    assert.equal(1, #result.warnings)
    assert.is_true(has(result.warnings, "the endpoint is new"))
    assert.same({ old = 0, new = 100 }, result.traffic)
    assert.equal(2, #result.history)
  end)

  it("updates an endpoint that is there", function()
    local world = service(V1, { BAKING, V2 })
    local result = assert(world.watch:deploy(request{ DeploymentConfig = CANARY,
      RetainAllVariantProperties = true, Tags = { { Key = "k", Value = "v" } } }))
    assert.equal("deployed", result.outcome)
    assert.equal("update", result.action)
    assert.is_true(result.changed)
    assert.equal("CANARY", result.plan.policy)
    assert.same({}, result.warnings)
    assert.same({ EndpointName = "churn", EndpointConfigName = "v2", DeploymentConfig = CANARY,
      RetainAllVariantProperties = true }, world.params.UpdateEndpoint)
    assert.same({ ResourceArn = watched.ARN, Tags = { { Key = "k", Value = "v" } } },
      world.params.AddTags)
  end)

  it("returns a roll-back as a result to be looked at", function()
    local result = assert(service(V1, { BAKING, BACK }).watch:deploy(request{
      DeploymentConfig = CANARY }))
    assert.equal("rolled_back", result.outcome)
    assert.equal("Alarm x is in ALARM.", result.failure_reason)
    assert.is_true(result.changed)
    -- even if nothing of it was ever seen
    result = assert(service(V1, { BACK }).watch:deploy(request{ DeploymentConfig = CANARY }))
    assert.equal("rolled_back", result.outcome)
  end)

  it("changes nothing when there is nothing to change", function()
    local world = service(V2, {})
    local seen = 0
    local result = assert(world.watch:deploy(request{ DeploymentConfig = CANARY,
      on_event = function() seen = seen + 1 end }))
    assert.equal("deployed", result.outcome)
    assert.is_false(result.changed)
    assert.equal("none", result.action)
    assert.same({}, result.history)
    assert.equal(1, seen)
    untouched(world)
  end)

  it("updates with the same configuration when it is forced to", function()
    local busy = look{ config = "v2", status = "Updating", modified = 1600 }
    local done = look{ config = "v2", modified = 1700 }
    local world = service(V2, { V2, busy, done })
    local result = assert(world.watch:deploy(request{ force = true }))
    assert.equal("deployed", result.outcome)
    assert.is_true(result.changed)
    assert.equal(done, result.endpoint)
    world = service(V2, { V2, busy, look{ config = "v2", modified = 1700, reason = "no" } })
    assert.equal("rolled_back", assert(world.watch:deploy(request{ force = true })).outcome)
  end)

  it("repairs an endpoint after UpdateRollbackFailed", function()
    local mixed = look{ config = "v2", status = "UpdateRollbackFailed" }
    local world = service(mixed, { mixed, look{ config = "v2", status = "Updating",
      modified = 1600 }, look{ config = "v2", modified = 1700 } })
    local result = assert(world.watch:deploy(request()))
    assert.equal("deployed", result.outcome)
    assert.equal(1, count(world, "UpdateEndpoint"))
  end)

  it("warns of a deployment without guard", function()
    local result = assert(service(V1, { V2 }).watch:deploy(request()))
    assert.is_true(has(result.warnings, "no DeploymentConfig"))
    result = assert(service(V1, { V2 }).watch:deploy(request{
      DeploymentConfig = deployment.canary{ size = 1, bake = 60 } }))
    assert.is_true(has(result.warnings, "no alarms"))
    result = assert(service(V1, { V2 }, { DescribeEndpointConfig = { config("v2",
      { type = "ml.inf1.xlarge" }) } }).watch:deploy(request{ DeploymentConfig = CANARY }))
    assert.is_true(has(result.warnings, "Inf1"))
  end)

  it("goes on without tags that were refused, and says so", function()
    local denied = watched.refusal("no", { code = "AccessDeniedException" })
    local result = assert(service(V1, { V2 }, { AddTags = { denied } }).watch:deploy(request{
      DeploymentConfig = CANARY, Tags = { { Key = "k", Value = "v" } } }))
    assert.equal("deployed", result.outcome)
    assert.is_true(has(result.warnings, "AccessDeniedException"))
  end)

  it("fills in the wait interval that AWS's all-at-once example leaves out", function()
    local given = { BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = {
      Type = "ALL_AT_ONCE" }, TerminationWaitInSeconds = 600 },
      AutoRollbackConfiguration = { Alarms = { { AlarmName = "a" } } } }
    local world = service(V1, { V2 })
    assert(world.watch:deploy(request{ DeploymentConfig = given }))
    local sent = world.params.UpdateEndpoint.DeploymentConfig
    assert.same({ Type = "ALL_AT_ONCE", WaitIntervalInSeconds = 0 },
      sent.BlueGreenUpdatePolicy.TrafficRoutingConfiguration)
    assert.equal(600, sent.BlueGreenUpdatePolicy.TerminationWaitInSeconds)
    assert.same(given.AutoRollbackConfiguration, sent.AutoRollbackConfiguration)
    assert.is_nil(given.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.WaitIntervalInSeconds)
  end)

  it("hands on the options of calls and of watching", function()
    local world = service(V1, { BAKING })
    local result = assert(world.watch:deploy(request{ timeout = 50, delay = 10 },
      { region = "x" }))
    assert.equal("timed_out", result.outcome)
    assert.equal(50, result.elapsed)
    assert.same({ region = "x" }, world.opts)
  end)
end)

describe("deploy and an endpoint that is not at rest", function()
  local FOREIGN = look{ config = "v1", status = "Updating", pending = "v9", modified = 1050 }

  it("names the deployment in its way", function()
    for status, text in pairs{ Updating = "churn is Updating (deployment of v9)",
      RollingBack = "churn is RollingBack", SystemUpdating = "churn is SystemUpdating",
      Creating = "churn is Creating", Deleting = "churn is Deleting" } do
      local world = service(look{ config = "v1", status = status, pending = "v9" }, {})
      local result, message, err = world.watch:deploy(request())
      assert.is_nil(result)
      assert.equal("DeploymentInProgress", err.code)
      assert.truthy(message:find(text, 1, true))
      assert.truthy(message:find("wait = true", 1, true))
      untouched(world)
    end
    -- What runs is not what is in the way: only the first deployment of an endpoint is so shown.
    for status, text in pairs{ Creating = "churn is Creating (deployment of v1)",
      Updating = "churn is Updating" } do
      local world = service(look{ config = "v1", status = status }, {})
      local _, message = world.watch:deploy(request())
      assert.truthy(message:find(text, 1, true), message)
      assert.equal(status == "Creating", message:find("deployment of v1", 1, true) ~= nil)
    end
  end)

  it("queues behind it when told to", function()
    local function busy_until(seconds, of)
      return { DescribeEndpoint = function(_, _, world)
        if world.accepted then return world.time < 400 and BAKING or V2 end
        return world.time < seconds and FOREIGN or of
      end }
    end
    local world = service(nil, nil, busy_until(100, look{ config = "v9", modified = 1090 }))
    local seen = {}
    local result = assert(world.watch:deploy(request{ wait = true, DeploymentConfig = CANARY,
      on_event = function(event)
        seen[#seen + 1] = (event.queued and "theirs " or "ours ") .. (event.outcome or event.status)
      end }))
    assert.equal("deployed", result.outcome)
    assert.same({ "theirs Updating", "theirs InService", "ours Updating", "ours deployed" }, seen)
    -- it was rolled back: our turn all the same
    world = service(nil, nil, busy_until(100, V1))
    assert.equal("deployed", assert(world.watch:deploy(request{ wait = true })).outcome)
    -- it brought what we want
    world = service(nil, nil, busy_until(100, look{ config = "v2", modified = 1090 }))
    result = assert(world.watch:deploy(request{ wait = true }))
    assert.is_false(result.changed)
    untouched(world)
  end)

  it("creates anew after waiting for a delete", function()
    local world = service(nil, nil, { DescribeEndpoint = function(_, _, w)
      if w.accepted then return CREATED end
      return w.time < 50 and look{ config = "v1", status = "Deleting" } or watched.missing
    end })
    local result = assert(world.watch:deploy(request{ wait = true }))
    assert.equal("create", result.action)
  end)

  it("does not wait for ever", function()
    local world = service(FOREIGN, {})
    local result, _, err = world.watch:deploy(request{ wait = true, timeout = 300 })
    assert.is_nil(result)
    assert.equal("DeploymentTimedOut", err.code)
    assert.equal("timeout", err.kind)
    untouched(world)
  end)

  it("says that a Failed endpoint can only be deleted", function()
    local world = service(look{ config = "v1", status = "Failed", reason = "no capacity" }, {})
    local result, message, err = world.watch:deploy(request())
    assert.is_nil(result)
    assert.equal("EndpointFailed", err.code)
    assert.truthy(message:find("no capacity", 1, true))
    assert.truthy(message:find("replace_failed", 1, true))
    untouched(world)
  end)

  it("replaces a Failed one when told to", function()
    local failed = look{ config = "v2", status = "Failed", reason = "no capacity" }
    local deleting = look{ config = "v2", status = "Deleting" }
    local world = service(nil, nil, {
      DeleteEndpoint = { {} },
      DescribeEndpoint = function(_, _, w)
        if w.accepted then
          w.looks = (w.looks or 0) + 1
          -- a late look still shows the endpoint that is gone
          return ({ watched.missing, failed, CREATING })[w.looks] or CREATED
        end
        if not w.count.DeleteEndpoint then return failed end
        return w.time < 10 and failed or w.time < 40 and deleting or watched.missing
      end,
    })
    local seen = {}
    local result = assert(world.watch:deploy(request{ replace_failed = true,
      on_event = function(event) seen[#seen + 1] = event.status end }))
    assert.equal("deployed", result.outcome)
    assert.equal("create", result.action)
    assert.same({ "Creating", "InService" }, seen)
    assert.equal(1, count(world, "DeleteEndpoint"))
  end)

  it("checks everything before it deletes a Failed one", function()
    local world = service(look{ config = "v1", status = "Failed" }, {},
      { DescribeEndpointConfig = { watched.missing_config("v2") } })
    assert.is_nil((world.watch:deploy(request{ replace_failed = true })))
    untouched(world)
  end)

  it("reports a delete that was refused, and bears one whose answer was lost", function()
    local failed = look{ config = "v2", status = "Failed" }
    local denied = watched.refusal("no", { code = "AccessDeniedException" })
    local world = service(failed, {}, { DeleteEndpoint = { denied } })
    local _, _, err = world.watch:deploy(request{ replace_failed = true })
    assert.equal(denied, err)
    assert.equal(0, count(world, "CreateEndpoint"))
    world = service(nil, nil, { DeleteEndpoint = { watched.lost() },
      DescribeEndpoint = function(_, _, w)
        if w.accepted then return CREATED end
        return w.count.DeleteEndpoint and watched.missing or failed
      end })
    assert.equal("deployed", assert(world.watch:deploy(request{ replace_failed = true })).outcome)
    -- the delete never arrived
    world = service(failed, {}, { DeleteEndpoint = { watched.lost() } })
    _, _, err = world.watch:deploy(request{ replace_failed = true })
    assert.equal("ConnectionReset", err.code)
    assert.equal(0, count(world, "CreateEndpoint"))
  end)

  it("notices a deployment that was faster", function()
    local faster = { UpdateEndpoint = function(_, n, world)
      if n == 1 then
        world.raced = true
        return watched.in_progress()
      end
      world.accepted = true
      return {}
    end, DescribeEndpoint = function(_, _, world)
      if world.accepted then return V2 end
      return world.raced and world.time < 60 and FOREIGN or V1
    end }
    local result, message, err = service(nil, nil, faster).watch:deploy(request())
    assert.is_nil(result)
    assert.equal("DeploymentInProgress", err.code)
    assert.truthy(message:find("deployment of v9", 1, true))
    result = assert(service(nil, nil, faster).watch:deploy(request{ wait = true }))
    assert.equal("deployed", result.outcome)
  end)

  it("reports a name that somebody else has taken meanwhile", function()
    local taken = look{ config = "v9" }
    local world = service(nil, nil, { CreateEndpoint = { watched.existing() },
      DescribeEndpoint = function(_, n) return n == 1 and watched.missing or taken end })
    local _, message = world.watch:deploy(request())
    assert.truthy(message:find("already existing", 1, true))
  end)
end)

describe("deploy returns the triple", function()
  local denied = watched.refusal("no", { code = "AccessDeniedException" })

  it("when a look, a request or a poll fails for good", function()
    for _, more in ipairs{
      { DescribeEndpoint = { denied } }, { DescribeEndpointConfig = { denied } },
      { UpdateEndpoint = { denied } },
      { DescribeEndpoint = function(_, n) return n == 1 and V1 or denied end } } do
      local result, message, err = service(V1, { BAKING }, more).watch:deploy(request())
      assert.is_nil(result)
      assert.equal("AccessDeniedException: no", message)
      assert.equal(denied, err)
    end
  end)
end)
