local deployment = require "sagemaker.deployment"
local errors = require "sagemaker.error"
local watched = require "support.watched"

local look, config = watched.describe, watched.config
local CANARY = deployment.canary{ size = "25%", bake = 300, alarms = { "a" } }

-- The answers of a service that keeps one endpoint: `before` until CreateEndpoint or UpdateEndpoint
-- is accepted, then `after`, one a look.
local function service(before, after, more)
  local scripts = {
    DescribeEndpoint = function(_, _, world)
      if not world.accepted then return before or watched.missing end
      world.looks = (world.looks or 0) + 1
      return after[math.min(world.looks, #after)]
    end,
    DescribeEndpointConfig = function(params) return config(params.EndpointConfigName) end,
    CreateEndpoint = function(_, _, world)
      world.accepted = true
      return { EndpointArn = watched.ARN }
    end,
    AddTags = function() return { Tags = {} } end,
  }
  scripts.UpdateEndpoint = scripts.CreateEndpoint
  for name, script in pairs(more or {}) do scripts[name] = script end
  return watched.new(scripts)
end

local V1 = look{ config = "v1" }
local V2 = look{ config = "v2", modified = 1500 }
local BAKING = look{ config = "v1", status = "Updating", pending = "v2", stage = "Baking", on = 1,
  modified = 1100 }
local BACK = look{ config = "v1", modified = 1400, reason = "Alarm a is in state ALARM." }
local CREATING = look{ config = "v2", status = "Creating", created = 2000, modified = 2000 }
local CREATED = look{ config = "v2", created = 2000, modified = 2100 }

local function request(more)
  local params = { EndpointName = "churn", EndpointConfigName = "v2" }
  for key, value in pairs(more or {}) do params[key] = value end
  return params
end

local function count(world, op) return world.count[op] or 0 end

local function has(list, text)
  for _, entry in ipairs(list) do
    if entry:find(text, 1, true) then return true end
  end
  return false
end

-- Nothing was changed in the service.
local function untouched(world)
  for _, op in ipairs(world.calls) do assert.equal(1, (op:find("Describe", 1, true)), op) end
end

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
    assert.equal("Alarm a is in state ALARM.", result.failure_reason)
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

describe("deploy refuses before anything is sent", function()
  it("what the strict check finds, and the rules, all at once", function()
    local world = service(V1, {}, { check = function(op)
      if op == "UpdateEndpoint" then return true end
      return errors.fail{ kind = "validation", code = "ParamValidation", message = "x", errors = {
        { path = "EndpointName", code = "pattern", message = "EndpointName is odd" },
        { path = "DeploymentConfig.RollingUpdatePolicy", member = "MaximumBatchSize",
          code = "required", message = "is missing" } } }
    end })
    local result, message, err = world.watch:deploy(request{ Tag = {},
      DeploymentConfig = { RollingUpdatePolicy = { WaitIntervalInSeconds = 5000 } } })
    assert.is_nil(result)
    assert.equal("validation", err.kind)
    assert.equal(message, tostring(err))
    local paths = {}
    for i, problem in ipairs(err.errors) do
      paths[i] = problem.path .. (problem.member and "/" .. problem.member or "")
    end
    table.sort(paths)
    assert.same({
      "DeploymentConfig.RollingUpdatePolicy.WaitIntervalInSeconds",
      "DeploymentConfig.RollingUpdatePolicy/MaximumBatchSize",
      "EndpointName", "Tag/Tag",
    }, paths)
    assert.same({}, world.calls)
  end)

  it("a misspelt parameter, which would drop the guardrail", function()
    local world = service(V1, {})
    local result, message, err = world.watch:deploy(request{ DeploymentConfg = CANARY })
    assert.is_nil(result)
    assert.truthy(message:find("did you mean DeploymentConfig?", 1, true))
    assert.equal("DeploymentConfig", err.errors[1].suggestion)
    assert.same({}, world.calls)
  end)

  it("a DeploymentConfig that is none", function()
    for _, given in ipairs{ false, "x", 5, {}, { BlueGreenUpdatePolicy = {} },
      setmetatable({}, { __index = function() error("no") end }) } do
      local world = service(V1, {})
      local result, _, err = world.watch:deploy(request{ DeploymentConfig = given })
      assert.is_nil(result)
      assert.equal("validation", err.kind)
      assert.same({}, world.calls)
    end
  end)

  it("parameters that cannot be read, and sends those that only __index knows", function()
    local world = service(V1, { V2 })
    local wicked = setmetatable({}, { __index = function() error("no") end })
    local result, message, err = world.watch:deploy(wicked)
    assert.is_nil(result)
    assert.equal("validation", err.kind)
    assert.truthy(message:find("cannot be read", 1, true))
    assert.same({}, world.calls)
    local inherited = setmetatable({}, { __index = request{ DeploymentConfig = CANARY } })
    assert(world.watch:deploy(inherited))
    assert.same(CANARY, world.params.UpdateEndpoint.DeploymentConfig)
  end)

  it("DeploymentConfig together with RetainDeploymentConfig", function()
    local world = service(V1, {})
    local _, message = world.watch:deploy(request{ DeploymentConfig = CANARY,
      RetainDeploymentConfig = true })
    assert.truthy(message:find("excludes DeploymentConfig", 1, true))
    assert.same({}, world.calls)
  end)

  it("wrong options of its own, by throwing", function()
    local watch = service(V1, {}).watch
    assert.error_matches(function() watch:deploy() end, "table of parameters")
    assert.error_matches(function() watch:deploy(request{ wait = 1 }) end, "option wait")
    assert.error_matches(function() watch:deploy(request{ on_event = {} }) end, "option on_event")
    assert.error_matches(function() watch:deploy(request{ timeout = -1 }) end, "option timeout")
  end)
end)

describe("deploy refuses against the real fleet", function()
  local function refused(before, given, configs)
    local world = service(before, {}, { DescribeEndpointConfig = configs })
    local result, message, err = world.watch:deploy(request(given))
    assert.is_nil(result)
    assert.equal("validation", err.kind)
    untouched(world)
    return message, err
  end

  it("sizes that do not fit", function()
    local message, err = refused(V1, { DeploymentConfig = deployment.canary{ size = 3 } })
    assert.truthy(message:find("3 of the 4 instances of main", 1, true))
    assert.truthy(err.path:find("CanarySize.Value", 1, true))
    -- on the first create too: the configuration is kept for later
    refused(nil, { DeploymentConfig = deployment.canary{ size = 3 } })
    -- against the counts that are retained
    local linear, twenty = deployment.linear{ step = 1 }, { config("v2", { all = 20 }) }
    refused(V1, { DeploymentConfig = linear }, twenty)
    refused(V1, { DeploymentConfig = linear, RetainAllVariantProperties = true,
      ExcludeRetainedVariantProperties = { { VariantPropertyType = "DesiredInstanceCount" } } },
      twenty)
    local world = service(V1, { V2 }, { DescribeEndpointConfig = twenty })
    assert(world.watch:deploy(request{ DeploymentConfig = linear,
      RetainAllVariantProperties = true }))
  end)

  it("other variant names, and everything else at once", function()
    local message, err = refused(V1, { DeploymentConfig = deployment.canary{ size = 3 } },
      { config("v2", { variant = "other" }) })
    assert.equal(2, #err.errors)
    assert.truthy(message:find("the variants other, but the endpoint has main", 1, true))
  end)

  it("rolling for serverless and for several variants", function()
    local rolling = deployment.rolling{ batch = "25%" }
    refused(look{ config = "v1", variants = { { VariantName = "main", CurrentInstanceCount = 0,
      CurrentServerlessConfig = { MemorySizeInMB = 2048, MaxConcurrency = 5 } } } },
      { DeploymentConfig = rolling }, { config("v2", { serverless = { MaxConcurrency = 5 } }) })
    local function two(name)
      return { { VariantName = "a", InitialInstanceCount = 4, DesiredInstanceCount = 4 },
        { VariantName = name, InitialInstanceCount = 4, DesiredInstanceCount = 4 } }
    end
    refused(look{ config = "v1", variants = two("b") }, { DeploymentConfig = rolling },
      { config("v2", { variants = two("b") }) })
  end)

  it("a retained DeploymentConfig that is not there, or no longer fits", function()
    local message = refused(V1, { RetainDeploymentConfig = true })
    assert.truthy(message:find("no DeploymentConfig to retain", 1, true))
    refused(look{ config = "v1", last = deployment.canary{ size = 3 } },
      { RetainDeploymentConfig = true })
    local world = service(look{ config = "v1", last = CANARY }, { V2 })
    local result = assert(world.watch:deploy(request{ RetainDeploymentConfig = true }))
    assert.equal("CANARY", result.plan.policy)
    assert.is_true(world.params.UpdateEndpoint.RetainDeploymentConfig)
  end)

  it("a configuration that is not there", function()
    local world = service(V1, {}, { DescribeEndpointConfig = { watched.missing_config("v2") } })
    local result, message = world.watch:deploy(request())
    assert.is_nil(result)
    assert.truthy(message:find("Could not find endpoint configuration", 1, true))
    assert.equal(1, count(world, "DescribeEndpointConfig"))
    untouched(world)
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

describe("deploy and eventual consistency", function()
  it("waits for a configuration that is not visible yet", function()
    for _, operation in ipairs{ "CreateEndpoint", "UpdateEndpoint" } do
      local world = service(operation == "UpdateEndpoint" and V1 or nil, { CREATED, CREATED },
        { [operation] = function(_, _, w)
          if w.time < 30 then return watched.missing_config("v2") end
          w.accepted = true
          return {}
        end })
      assert.equal("deployed", assert(world.watch:deploy(request())).outcome)
    end
  end)

  it("but for no longer than 60 s", function()
    local world = service(V1, {}, { UpdateEndpoint = { watched.missing_config("v2") } })
    local result, message = world.watch:deploy(request())
    assert.is_nil(result)
    assert.truthy(message:find("Could not find endpoint configuration", 1, true))
    assert.is_near(60, world.time, 1)
  end)

  it("and not when the endpoint's own configuration was deleted", function()
    local world = service(V1, {}, { UpdateEndpoint = { watched.missing_config("v1") } })
    local result, message, err = world.watch:deploy(request())
    assert.is_nil(result)
    assert.equal(1, count(world, "UpdateEndpoint"))
    assert.truthy(message:find("current configuration v1 was deleted", 1, true))
    assert.equal(message, tostring(err))
  end)

  it("and for no other message", function()
    local other = watched.refusal('Could not find model "arn:x".')
    local world = service(V1, {}, { UpdateEndpoint = { other } })
    local _, _, err = world.watch:deploy(request())
    assert.equal(other, err)
    assert.equal(1, count(world, "UpdateEndpoint"))
    assert.equal(0, world.time)
  end)

  it("waits for an endpoint that was accepted and is not visible yet, for up to 60 s", function()
    local function visible_after(seconds)
      return service(nil, nil, { DescribeEndpoint = function(_, _, w)
        return w.accepted and w.time >= seconds and CREATED or watched.missing
      end })
    end
    assert.equal("deployed", assert(visible_after(50).watch:deploy(request())).outcome)
    local result, message = visible_after(1e9).watch:deploy(request())
    assert.is_nil(result)
    assert.truthy(message:find("Could not find endpoint", 1, true))
  end)
end)

describe("deploy and answers that were lost", function()
  -- What an operation answers although the service accepted it.
  local function lossy(operation, before, after, answers)
    return service(before, after, { [operation] = function(_, n, world)
      world.accepted = true
      return answers[n]
    end })
  end

  it("finds out that a create was accepted", function()
    for _, answer in ipairs{
      watched.lost(), watched.existing(2),
      errors.new{ kind = "timeout", code = "ReadTimeout", message = "x", sent = true },
      watched.lost{ sent = false, attempts = 2 },
      errors.new{ kind = "protocol", code = "InvalidAnswer", message = "x", attempts = 1 },
      watched.refusal("boom", { status = 500, code = "InternalFailure", attempts = 3 }) } do
      local world = lossy("CreateEndpoint", nil, { watched.missing, CREATING, CREATED }, { answer })
      local result = assert(world.watch:deploy(request()))
      assert.equal("deployed", result.outcome)
      assert.equal("create", result.action)
      assert.equal(1, count(world, "CreateEndpoint"))
      assert.is_true(has(result.warnings, "the answer to CreateEndpoint was lost"))
    end
  end)

  it("finds out that an update was accepted", function()
    for _, answer in ipairs{ watched.lost(), watched.in_progress(2) } do
      for _, after in ipairs{ { V1, BAKING, V2 }, { BAKING, V2 }, { V2 } } do
        local world = lossy("UpdateEndpoint", V1, after, { answer })
        local result = assert(world.watch:deploy(request{ DeploymentConfig = CANARY }))
        assert.equal("deployed", result.outcome)
        assert.equal(1, count(world, "UpdateEndpoint"))
        assert.is_true(has(result.warnings, "the answer to UpdateEndpoint was lost"))
      end
      local world = lossy("UpdateEndpoint", V1, { BACK }, { answer })
      local result = assert(world.watch:deploy(request{ DeploymentConfig = CANARY }))
      assert.equal("rolled_back", result.outcome)
    end
  end)

  it("reports a loss that left no trace", function()
    local world = service(V1, {}, { UpdateEndpoint = { watched.lost() } })
    local result, message, err = world.watch:deploy(request())
    assert.is_nil(result)
    assert.equal("ConnectionReset", err.code)
    assert.equal(tostring(err), message)
    assert.is_true(world.time >= 30 and world.time < 45)
    assert.equal(1, count(world, "UpdateEndpoint"))
    world = service(nil, {}, { CreateEndpoint = { watched.lost() } })
    result, message, err = world.watch:deploy(request())
    assert.is_nil(result)
    assert.equal(tostring(err), message)
    assert.equal("ConnectionReset", err.code)
  end)

  it("says when nobody can tell", function()
    local world = service(nil, nil, { UpdateEndpoint = { watched.lost() },
      DescribeEndpoint = function(_, n) return n == 1 and V1 or watched.lost() end })
    local _, message, err = world.watch:deploy(request())
    assert.is_true(err.in_doubt)
    assert.truthy(message:find("whether it was accepted is not known", 1, true))
    assert.equal(tostring(err), message)
  end)

  it("does not take another's deployment for its own", function()
    local foreign = look{ config = "v1", status = "Updating", pending = "v9", modified = 1100 }
    local world = lossy("UpdateEndpoint", V1, { foreign }, { watched.in_progress(2) })
    local result, message, err = world.watch:deploy(request())
    assert.is_nil(result)
    assert.equal("DeploymentInProgress", err.code)
    assert.truthy(message:find("deployment of v9", 1, true))
    world = lossy("CreateEndpoint", nil, { look{ config = "v9" } }, { watched.existing(2) })
    result, message = world.watch:deploy(request())
    assert.is_nil(result)
    assert.truthy(message:find("already existing", 1, true))
  end)

  it("asks nothing more when the request surely never left", function()
    local err = watched.lost{ sent = false, attempts = 1, code = "ConnectionRefused" }
    local world = service(V1, {}, { UpdateEndpoint = { err } })
    local _, _, got = world.watch:deploy(request())
    assert.equal(err, got)
    assert.equal(1, count(world, "DescribeEndpoint"))
  end)

  it("does not take the Failed endpoint that it has deleted for the one it creates", function()
    local failed = look{ config = "v2", status = "Failed", created = 1000 }
    local world = service(nil, nil, {
      DeleteEndpoint = { {} }, CreateEndpoint = function(_, _, w)
        w.accepted = w.time
        return watched.lost()
      end,
      DescribeEndpoint = function(_, _, w)
        if w.accepted then return w.time < w.accepted + 5 and failed or CREATED end
        return w.count.DeleteEndpoint and watched.missing or failed
      end })
    local result = assert(world.watch:deploy(request{ replace_failed = true }))
    assert.equal("deployed", result.outcome)
    assert.equal(CREATED, result.endpoint)
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
