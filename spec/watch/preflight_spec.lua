local deployment = require "sagemaker.deployment"
local errors = require "sagemaker.error"
local watched = require "support.watched"

local look, config = watched.describe, watched.config
local service, request = watched.service, watched.request
local count = watched.count
local untouched = watched.untouched
local CANARY = watched.CANARY
local V1, V2 = watched.OLD, watched.NEW

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
