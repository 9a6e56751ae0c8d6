local check = require "sagemaker.check"
local core = require "sagemaker.core"

local service = core.service "sagemaker"

describe("sagemaker.check", function()
  it("checks against the model, strictly", function()
    assert.is_true(check.shapes(service, "DescribeEndpoint", { EndpointName = "e" }))
    for _, fn in ipairs { check.shapes, check.parameters } do
      local ok, message, err = fn(service, "DescribeEndpoint", { EndpointName = "a_b" })
      assert.is_nil(ok)
      assert.equal("validation", err.kind)
      assert.equal("DescribeEndpoint", err.operation)
      assert.equal(tostring(err), message)
    end
  end)

  it("checks the rules of deployments too", function()
    local function params(routing)
      return { EndpointName = "e", EndpointConfigName = "c", DeploymentConfig = {
        BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = routing } } }
    end
    local canary = { Type = "CANARY", WaitIntervalInSeconds = 60,
      CanarySize = { Type = "CAPACITY_PERCENT", Value = 10 } }
    assert.is_true(check.parameters(service, "UpdateEndpoint", params(canary)))
    canary.CanarySize = nil
    local ok, _, err = check.parameters(service, "CreateEndpoint", params(canary))
    assert.is_nil(ok)
    assert.equal("DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.CanarySize",
      err.path)
    -- What is wrong for both reasons is said once.
    canary.WaitIntervalInSeconds = "x"
    ok, _, err = check.parameters(service, "CreateEndpoint", params(canary))
    assert.is_nil(ok)
    assert.equal(2, #err.errors)
    -- A table that cannot be read is a validation error, too.
    local hostile = setmetatable({}, { __index = function() error("boom") end,
      __pairs = function() error("boom") end })
    ok, _, err = check.parameters(service, "CreateEndpoint",
      { EndpointName = "e", EndpointConfigName = "c", DeploymentConfig = hostile })
    assert.is_nil(ok)
    assert.equal("validation", err.kind)
  end)
end)
