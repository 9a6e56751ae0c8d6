--- `sagemaker check`: strict validation without a region, credentials or a network.

local cjson = require "cjson"
local command = require "support.command"

local function check(argv, opts)
  opts = opts or {}
  opts.env = opts.env or {}
  table.insert(argv, 1, "check")
  local result = command.run(argv, opts)
  assert.equal(0, #result.requests)
  return result
end

describe("check", function()
  it("finds nothing wrong with what is right", function()
    local result = check { "describe-endpoint", "--endpoint-name", "churn" }
    assert.same({ 0, "DescribeEndpoint: nothing is wrong\n" }, { result.code, result.out })
  end)

  it("tells every problem with its path", function()
    local result = check { "create-endpoint", "--endpoint-name", "a_b", "--tags", "Key=",
      "--deployment-config", "BlueGreenUpdatePolicy={TrafficRoutingConfiguration={Type=CANRY,"
        .. "WaitIntervalInSeconds=99999}}" }
    assert.equal(252, result.code)
    assert.truthy(result.out:find("^CreateEndpoint: %d problems\n"), result.out)
    local routing = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration."
    for _, text in ipairs { "EndpointConfigName is required", "EndpointName: ", "Tags[0].Value",
      routing .. "Type", "did you mean CANARY?", routing .. "WaitIntervalInSeconds",
      "warning: no alarms are named" } do
      assert.truthy(result.out:find(text, 1, true), result.out)
    end
  end)

  it("speaks of objects, not of Lua's tables", function()
    local argv = { "create-endpoint", "--endpoint-name", "a", "--endpoint-config-name", "b",
      "--deployment-config", "AutoRollbackConfiguration=x" }
    assert.truthy(check(argv).out:find("\n  DeploymentConfig.AutoRollbackConfiguration: expected "
      .. 'an object, got "x"\n', 1, true))
  end)

  it("knows the rules of deployments", function()
    local result = check { "update-endpoint", "--cli-input-json", cjson.encode {
      EndpointName = "churn", EndpointConfigName = "v2", DeploymentConfig = {
        BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = { Type = "CANARY",
          WaitIntervalInSeconds = 60, CanarySize = { Type = "CAPACITY_PERCENT", Value = 60 } } } },
    } }
    assert.equal(252, result.code)
    assert.truthy(result.out:find("is 60 %, but must be at most 50 %", 1, true), result.out)
  end)

  it("reads files, and lets options win over them", function()
    local files = { ["in.json"] = '{"EndpointName": "a_b"}' }
    local input = { "describe-endpoint", "--cli-input-json", "file://in.json" }
    assert.equal(252, check({ input[1], input[2], input[3] }, { files = files }).code)
    input[4], input[5] = "--endpoint-name", "ab"
    assert.equal(0, check(input, { files = files }).code)
  end)

  it("prints values", function()
    local value = cjson.decode(check({ "describe-endpoint", "--cli-input-json",
      '{"EndpointNam": "x"}', "--output", "json" }).out)
    assert.is_false(value.valid)
    assert.equal("DescribeEndpoint", value.operation)
    assert.equal("EndpointName", value.problems[1].suggestion)
    assert.equal("unknown", value.problems[1].code)
  end)

  it("checks invocations", function()
    assert.equal(0, check({ "runtime", "invoke-endpoint", "--endpoint-name", "churn", "--body",
      "e30=" }).code)
  end)

  it("suggests the operation that was meant", function()
    local result = check { "create-endpont" }
    assert.equal(252, result.code)
    assert.truthy(result.err:find("did you mean create-endpoint?", 1, true), result.err)
    assert.equal(252, check({}).code)
  end)
end)
