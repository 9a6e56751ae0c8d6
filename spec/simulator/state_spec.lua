local caller = require "simulator.caller"
local simulator = require "sagemaker.simulator"

describe("the state of a simulator", function()
  local CANARY = {
    BlueGreenUpdatePolicy = {
      TrafficRoutingConfiguration = { Type = "CANARY", WaitIntervalInSeconds = 600,
        CanarySize = { Type = "CAPACITY_PERCENT", Value = 30 } },
      TerminationWaitInSeconds = 120,
    },
    AutoRollbackConfiguration = { Alarms = { { AlarmName = "churn-5xx" } } },
  }
  local ROLLING = {
    RollingUpdatePolicy = { MaximumBatchSize = { Type = "INSTANCE_COUNT", Value = 1 },
      WaitIntervalInSeconds = 60 },
  }

  local sim, call

  before_each(function()
    sim = simulator.new()
    call = caller.new(sim)
    caller.prepare(call, "v1", "v2")
    for _, name in ipairs { "Blue", "green", "quiet" } do
      assert(call("CreateEndpoint", { EndpointName = name, EndpointConfigName = "v1",
        Tags = { { Key = "k", Value = "v" } } }))
    end
    sim:advance(400)
    assert(call("UpdateEndpoint", { EndpointName = "blue", EndpointConfigName = "v2",
      DeploymentConfig = CANARY }))
    assert(call("UpdateEndpoint", { EndpointName = "green", EndpointConfigName = "v2",
      DeploymentConfig = ROLLING }))
    assert(call("UpdateEndpointWeightsAndCapacities", { EndpointName = "quiet",
      DesiredWeightsAndCapacities = { { VariantName = "AllTraffic", DesiredInstanceCount = 5 } } }))
  end)

  -- A simulator that goes on where `sim` stands.
  local function again(opts)
    local other = simulator.new(opts)
    assert(other:restore(sim:snapshot()))
    return other, caller.new(other)
  end

  local function everything(ask)
    local rows = {}
    for _, name in ipairs { "blue", "green", "quiet" } do
      rows[name] = ask("DescribeEndpoint", { EndpointName = name })
    end
    rows.list = ask("ListEndpoints", {})
    rows.models, rows.configs = ask("ListModels", {}), ask("ListEndpointConfigs", {})
    rows.tags = ask("ListTags", { ResourceArn = rows.blue.EndpointArn })
    return rows
  end

  it("goes on in another simulator at every moment of a deployment", function()
    for _, seconds in ipairs { 0, 59, 61, 300, 301, 450, 600, 300, 3000 } do
      sim:advance(seconds)
      local other, ask = again()
      assert.equal(sim:now(), other:now())
      assert.same(everything(call), everything(ask))
      for _ = 1, 12 do
        sim:advance(170)
        other:advance(170)
        assert.same(everything(call), everything(ask))
      end
      assert.same(sim:history("blue"), other:history("blue"))
      sim, call = again()
    end
    assert.equal("v2", everything(call).blue.EndpointConfigName)
  end)

  it("keeps alarms, knobs and what they do", function()
    sim:unhealthy { "x", "y" }
    sim:latency(2)
    sim:throttle(function() return false end)
    sim:set_alarm("churn-5xx", "ALARM")
    local other = again()
    assert.same({ "x", "y" }, other.knobs.unhealthy)
    assert.equal(2, other.knobs.latency)
    assert.is_nil(other.knobs.throttle)
    assert.equal("ALARM", other.account.alarms["churn-5xx"])
    other:set_alarm("churn-5xx", "OK")
    assert.equal("OK", other.account.alarms["churn-5xx"])
  end)

  it("gives no request id twice", function()
    local other, ask = again()
    local seen = {}
    for _, row in ipairs(sim:requests()) do seen[row.request_id] = true end
    ask("ListModels", {})
    assert.is_nil(seen[other:requests()[1].request_id])
  end)

  it("is the same text for the same state", function()
    assert.equal(sim:snapshot(), sim:snapshot())
    local pauses = 0
    assert.equal(sim:snapshot(), sim:snapshot(function() pauses = pauses + 1 end))
    assert.equal(1, pauses) -- six records, a turn is four
    for i = 1, 40 do assert(call("CreateEndpointConfig", caller.config("c" .. i, 1))) end
    sim:snapshot(function() pauses = pauses + 1 end)
    assert.equal(1 + 11, pauses)
  end)

  it("is read also when somebody has written it anew", function()
    local json = require "cjson"
    local data = json.decode(sim:snapshot())
    data.sections = {} -- lua-cjson takes every empty list for an object
    local other = simulator.new()
    assert(other:restore(json.encode(data)))
    assert.same(sim:history("blue"), other:history("blue"))
  end)

  it("shares again what endpoints have alike", function()
    local other = again()
    local blue = other.account:endpoint("blue").machine
    local twin = other.account:endpoint("green").machine
    assert.is_true(#blue.current.variants > 0)
    assert.equal(blue.current.config, twin.current.config)
    assert.equal(blue.current.variants[1].spec, twin.current.variants[1].spec)
    assert.are_not.equal(blue.current.variants[1], twin.current.variants[1])
  end)

  it("leaves out what is deleted while it is written", function()
    for i = 1, 40 do assert(call("CreateEndpointConfig", caller.config("c" .. i, 1))) end
    local text = sim:snapshot(function()
      call("DeleteEndpointConfig", { EndpointConfigName = "c40" })
    end)
    local other = simulator.new()
    assert(other:restore(text))
    assert.is_nil(other.account.store:find("endpoint-config", "c40"))
    assert.is_table(other.account.store:find("endpoint-config", "c39"))
  end)

  it("is refused when it is foreign, torn or another version", function()
    local text = sim:snapshot()
    local function refused(bad, opts)
      local ok, message = simulator.new(opts):restore(bad)
      assert.is_nil(ok)
      return message
    end
    for _, foreign in ipairs { "{}", "[]", "1", '"x"', '{"head":{"format":"x"}}' } do
      assert.matches("not a snapshot", refused(foreign))
    end
    for _, n in ipairs { 0, 1, 100, math.floor(#text / 2), #text - 3 } do
      assert.matches("not a whole snapshot", refused(text:sub(1, n)))
    end
    assert.matches("has version 3, and this simulator reads version 2",
      refused((text:gsub('"version":2', '"version":3'))))
    assert.matches("of region us%-east%-1, and this simulator plays eu%-west%-1",
      refused(text, { region = "eu-west-1" }))
    assert.matches("no known kind", refused((text:gsub('"endpoint%-config"', '"thing"', 1))))
    assert.matches("cannot be used", refused((text:gsub("%[2%]", "[99999]", 1))))
  end)
end)
