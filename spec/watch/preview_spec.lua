--- What `deploy` tells before it changes anything.

local churns = require "support.churn"
local deploys = require "sagemaker.watch.deploy"
local deployment = require("sagemaker").deployment

local CANARY = deployment.canary { size = "25%", bake = 60, alarms = { "a" } }

local function preview(churn, config, more)
  local request = { EndpointName = "churn", EndpointConfigName = config }
  for name, value in pairs(more or {}) do request[name] = value end
  local client = churn.client
  return deploys.preview({
    call = function(...) return client:call(...) end,
    check = function(...) return client:check(...) end,
  }, request)
end

describe("preview", function()
  it("tells what is to be done, with the plan of an update", function()
    local churn = churns.new()
    local found = assert(preview(churn, "v2", { DeploymentConfig = CANARY }))
    assert.equal("update", found.action)
    assert.equal("v1", found.endpoint.EndpointConfigName)
    assert.equal("CANARY", found.plan.policy)
    assert.equal(4, found.fleet.variants[1].instances)
    assert.same({}, found.warnings)
    assert.equal("none", assert(preview(churn, "V1")).action)
    assert.equal("update", assert(preview(churn, "v1", { force = true })).action)
    found = assert(preview(churns.new { absent = true }, "v1"))
    assert.same({ "create" }, { found.action, found.plan, found.endpoint })
  end)

  it("finds what deploy would refuse", function()
    local churn = churns.new()
    local none, message, err = preview(churn, "v2",
      { DeploymentConfig = deployment.canary { size = 3 } })
    assert.is_nil(none)
    assert.equal("validation", err.kind)
    assert.equal(tostring(err), message)
    none, message = preview(churn, "v9")
    assert.is_nil(none)
    assert.truthy(message:find("Could not find endpoint configuration", 1, true))
    assert(churn.client:update_endpoint { EndpointName = "churn", EndpointConfigName = "v2" })
    assert.truthy(assert(preview(churn, "v3")).busy:find("deployment of v2", 1, true))
  end)

  it("knows that a Failed endpoint must be replaced", function()
    local churn = churns.new { absent = true, fail_provisioning = true }
    churn.client:deploy { EndpointName = "churn", EndpointConfigName = "v1" }
    local _, _, err = preview(churn, "v2")
    assert.equal("EndpointFailed", err.code)
    assert.equal("create", assert(preview(churn, "v2", { replace_failed = true })).action)
  end)
end)

describe("on_plan", function()
  it("is called once, before anything is changed", function()
    local churn = churns.new()
    local told = {}
    assert(churn.client:deploy { EndpointName = "churn", EndpointConfigName = "v2",
      DeploymentConfig = CANARY, on_plan = function(found)
        told[#told + 1] = found
        local now = churn.client:describe_endpoint { EndpointName = "churn" }
        assert.equal("InService", now.EndpointStatus)
      end })
    assert.equal(1, #told)
    assert.equal("update", told[1].action)
    assert.equal(120 + 300, told[1].plan.duration)
  end)

  it("ends the deployment by what it throws", function()
    local churn = churns.new()
    assert.has_error(function()
      churn.client:deploy { EndpointName = "churn", EndpointConfigName = "v2",
        on_plan = function() error("no", 0) end }
    end, "no")
    assert.equal("InService",
      churn.client:describe_endpoint { EndpointName = "churn" }.EndpointStatus)
  end)
end)
