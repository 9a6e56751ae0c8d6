--- Alarms looked at before a deployment begins.

local churns = require "support.churn"
local errors = require "sagemaker.error"
local sagemaker = require "sagemaker"

local alarms = require "sagemaker.watch.alarms"
local deployment = sagemaker.deployment

local CONFIG = deployment.canary { size = "25%", bake = 60, alarms = { "a", "b", "c" } }

-- What CloudWatch answers for states by name.
local function describing(states)
  return function(names)
    local rows = {}
    for _, name in ipairs(names) do
      if states[name] then rows[#rows + 1] = { AlarmName = name, StateValue = states[name] } end
    end
    return { MetricAlarms = { rows[1] }, CompositeAlarms = { rows[2], rows[3] } }
  end
end

describe("alarms of a deployment", function()
  it("are told by their states, metric alarms and composite ones", function()
    local states = alarms.look(describing { a = "OK", b = "ALARM" }, { "a", "b", "c" })
    assert.same({ a = "OK", b = "ALARM", c = "missing" }, states)
  end)

  it("refuse by the mode, and warn in any case", function()
    local describe = describing { a = "OK", b = "INSUFFICIENT_DATA" }
    for mode, refuses in pairs { basic = false, strict = true, warn = false } do
      local found = alarms.check(describe, CONFIG, mode)
      assert.equal(refuses, found.refusal ~= nil, mode)
      assert.same({
        "the alarm b has no data (INSUFFICIENT_DATA): it guards nothing till it has",
        "there is no alarm c in CloudWatch: it guards nothing",
      }, found.warnings)
    end
    describe = describing { a = "ALARM", b = "OK", c = "ALARM" }
    local found = alarms.check(describe, CONFIG)
    assert.equal("AlarmsNotReady", found.refusal.code)
    assert.same({ a = "ALARM", b = "OK", c = "ALARM" }, found.refusal.alarms)
    assert.truthy(found.refusal.message:find "alarm a is in ALARM: .-; the alarm c is in ALARM")
    assert.is_nil(alarms.check(describe, CONFIG, "warn").refusal)
    found = alarms.check(describing { b = "ALARM", c = "OK" }, CONFIG)
    assert.equal("the alarm b is in ALARM: it rolls the deployment back at once; there is no alarm "
      .. 'a in CloudWatch: it guards nothing; alarm_check = "warn" deploys all the same',
      found.refusal.message)
  end)

  it("are not looked at where there are none, or nobody wishes it", function()
    local function describe() error "looked" end
    assert.same({}, alarms.check(describe, nil).warnings)
    assert.same({}, alarms.check(describe, deployment.canary { size = 1 }).warnings)
    assert.same({}, alarms.check(describe, CONFIG, false).warnings)
    assert.same({}, alarms.check(nil, CONFIG).warnings)
  end)

  it("are a warning where the look brings nothing, with the permission that it takes", function()
    local function check(err)
      return alarms.check(function() return errors.fail(err) end, CONFIG, "strict")
    end
    local found = check { kind = "service", code = "AccessDenied", message = "no", status = 403 }
    assert.is_nil(found.refusal)
    assert.same({ "the states of the alarms are not known, which takes the permission "
      .. "cloudwatch:DescribeAlarms: AccessDenied: no" }, found.warnings)
    found = check { kind = "timeout", code = "OperationTimeout", message = "no answer" }
    assert.same({ "the states of the alarms are not known: OperationTimeout: no answer" },
      found.warnings)
  end)
end)

describe("deploy", function()
  local CANARY = deployment.canary { size = "25%", bake = 60, alarms = { "churn-5xx" } }

  local function deploy(churn, more)
    local request = { EndpointName = "churn", EndpointConfigName = "v2", DeploymentConfig = CANARY }
    for name, value in pairs(more or {}) do request[name] = value end
    return churn.client:deploy(request)
  end

  it("changes nothing while an alarm is in ALARM", function()
    local churn = churns.new()
    churn.sim:set_alarm("churn-5xx", "ALARM")
    local count = #churn.sim:requests()
    local result, message, err = deploy(churn, { on_plan = function() error "planned" end })
    assert.is_nil(result)
    assert.equal("AlarmsNotReady", err.code)
    assert.equal("service", err.kind)
    assert.truthy(message:find('is in ALARM.*alarm_check = "warn"'), message)
    for _, name in ipairs(churn:operations(count)) do assert.truthy(name:find "^Describe", name) end
    assert.equal("rolled_back", assert(deploy(churn, { alarm_check = "warn" })).outcome)
    assert.equal("rolled_back", assert(deploy(churn, { alarm_check = false })).outcome)
  end)

  it("warns of an alarm that does not exist, in the result too", function()
    local churn = churns.new()
    local told
    local config = deployment.canary { size = "25%", bake = 60, alarms = { "churn-5x" } }
    local result = assert(deploy(churn, { DeploymentConfig = config, on_plan = function(preview)
      told = preview
    end }))
    assert.equal("deployed", result.outcome)
    assert.same({ ["churn-5x"] = "missing" }, told.alarms)
    assert.same({ "there is no alarm churn-5x in CloudWatch: it guards nothing" }, told.warnings)
    assert.same(told.warnings, result.warnings)
    local _, _, err = deploy(churn, { EndpointConfigName = "v3", DeploymentConfig = config,
      alarm_check = "strict" })
    assert.equal("AlarmsNotReady", err.code)
  end)

  it("goes on where CloudWatch may not be asked", function()
    local churn = churns.new()
    churn:forbid_alarms(403)
    local result = assert(deploy(churn))
    assert.equal("deployed", result.outcome)
    assert.truthy(result.warnings[1]:find("cloudwatch:DescribeAlarms", 1, true))
  end)

  it("does not ask where nothing is changed, created, or guarded by the alarms", function()
    local churn = churns.new()
    local count = #churn.sim:requests()
    assert(deploy(churn, { EndpointConfigName = "v1" }))
    assert(churn.client:deploy { EndpointName = "other", EndpointConfigName = "v1",
      DeploymentConfig = CANARY })
    assert(churn.client:deploy { EndpointName = "churn", EndpointConfigName = "v2" })
    for _, name in ipairs(churn:operations(count)) do assert.not_equal("DescribeAlarms", name) end
  end)

  it("looks at the alarms of the last deployment that are retained", function()
    local churn = churns.new()
    assert.equal("deployed", assert(deploy(churn)).outcome)
    churn.sim:set_alarm("churn-5xx", "ALARM")
    local _, _, err = churn.client:deploy { EndpointName = "churn", EndpointConfigName = "v3",
      RetainDeploymentConfig = true }
    assert.equal("AlarmsNotReady", err.code)
  end)

  it("asks with the client's hooks, keys and region, in a task too", function()
    local churn = churns.new { region = "eu-west-1" }
    local seen = {}
    local client = assert(sagemaker.new { transport = churn.sim,
      hooks = { on_call = function(call)
        seen[call.operation] = call
      end } })
    sagemaker.run(function()
      assert(client:deploy { EndpointName = "churn", EndpointConfigName = "v2",
        DeploymentConfig = CANARY })
    end)
    assert.equal("cloudwatch", seen.DescribeAlarms.service)
    assert.equal("ok", seen.DescribeAlarms.outcome)
    assert.truthy(seen.DescribeAlarms.host:find("monitoring.eu-west-1", 1, true))
  end)

  it("throws for an alarm_check that it does not know", function()
    local churn = churns.new()
    for _, mode in ipairs { "never", true, 1 } do
      assert.has_error(function() deploy(churn, { alarm_check = mode }) end,
        'deploy: option alarm_check must be "basic", "strict", "warn" or false')
    end
    local _, message = deploy(churn, { alarm_chek = "warn" })
    assert.truthy(message:find("did you mean alarm_check", 1, true), message)
  end)
end)

describe("the URL of CloudWatch", function()
  local describer = require("sagemaker.client.alarms").describer

  -- The options with which a client of these settings asks.
  local function asked(endpoint_url, opts, env)
    local got
    describer {
      settings = { endpoint_url = endpoint_url, hooks = false, keyring = { credentials = {} },
        io = { getenv = function(name) return (env or {})[name] end } },
      provider_io = { call = function(_, _, _, _, options)
        got = options
        return {}
      end },
    }({ "a" }, opts)
    return got
  end

  it("is that of a simulator, but not SageMaker's at AWS", function()
    assert.is_nil(asked(nil).endpoint_url)
    for url, shared in pairs {
      ["http://127.0.0.1:4580"] = true, ["http://localhost:4580/x"] = true,
      ["https://simulator.example"] = true, ["http://[::1]:4580"] = true,
      ["https://vpce-1.api.sagemaker.eu-west-1.vpce.amazonaws.com"] = false,
      ["https://api.sagemaker.cn-north-1.amazonaws.com.cn"] = false,
      ["https://api.sagemaker.us-iso-east-1.c2s.ic.gov"] = false,
      ["https://API.SageMaker.eu-west-1.API.AWS:443"] = false,
    } do
      assert.equal(shared and url or nil, asked(url).endpoint_url)
      assert.equal(shared and url or nil, asked(nil, { endpoint_url = url }).endpoint_url)
    end
    assert.is_nil(asked("http://127.0.0.1:4580", nil,
      { AWS_ENDPOINT_URL_CLOUDWATCH = "http://127.0.0.1:4599" }).endpoint_url)
  end)

  it("is asked for ten seconds at most, unless a time is given", function()
    assert.same({ operation = 10 }, asked(nil).timeouts)
    assert.same({ operation = 10 }, asked(nil, { timeouts = { read = 60 } }).timeouts)
    assert.same({ operation = 3 }, asked(nil, { timeouts = { operation = 3 } }).timeouts)
  end)

  it("is nobody's without a signature", function()
    local output, _, err = describer { settings = {}, provider_io = false } { "a" }
    assert.is_nil(output)
    assert.equal("credentials", err.kind)
  end)
end)
