local alarms = require "sagemaker.simulator.alarms"
local caller = require "simulator.caller"
local cbor = require "sagemaker.simulator.wire.cbor"
local core = require "sagemaker.core"
local simulator = require "sagemaker.simulator"

local service = core.service "cloudwatch"

-- Signs a request for CloudWatch and hands it in.
local function ask(sim, request)
  request.headers.host = "monitoring.us-east-1.amazonaws.com"
  core.signer { access_key_id = "test", secret_access_key = "test", region = "us-east-1",
    service = "monitoring" }:sign(request, sim:now())
  return sim:handle(request)
end

-- One function call(operation, params) for each protocol that CloudWatch speaks; answers the output
-- or nil, code, message.
local protocols = {}

function protocols.json(sim)
  return function(operation, params)
    local response = ask(sim, assert(core.encode(service, operation, params, false)))
    assert.equal("application/x-amz-json-1.0", response.headers["Content-Type"])
    if response.status == 200 then
      return assert(core.decode(service, operation, 200, response.headers, response.body))
    end
    local failure =
      core.decode_error(service, operation, response.status, response.headers, response.body)
    return nil, failure.code, failure.message, response
  end
end

-- The form of the client's own encoder, for which the model is given another protocol.
local function as_query(model_service)
  local shapes = {}
  for _, name in ipairs(model_service:shapes()) do
    local shape = model_service:shape(name)
    local entry = { type = shape.type, enum = shape.enum, exception = shape.exception,
      error = shape.code and { code = shape.code, httpStatusCode = shape.status } }
    if shape.type == "structure" then
      entry.members = {}
      for _, member in ipairs(shape.members) do
        entry.members[member.name] = { shape = member.shape }
      end
    elseif shape.type == "list" then
      entry.member = { shape = shape.value }
    end
    shapes[name] = entry
  end
  local operations = {}
  for _, name in ipairs(model_service:operations()) do
    local operation = model_service:operation(name)
    operations[name] = { name = name, http = { method = "POST", requestUri = "/" },
      input = { shape = operation.input }, output = operation.output and
        { shape = operation.output, resultWrapper = name .. "Result" } }
  end
  return core.load_service { metadata = { protocol = "query", apiVersion = "2010-08-01",
    endpointPrefix = "monitoring", serviceId = "CloudWatch" }, operations = operations,
    shapes = shapes }
end

function protocols.query(sim)
  local query = as_query(service)
  return function(operation, params)
    local response = ask(sim, assert(core.encode(query, operation, params, false)))
    assert.equal("text/xml", response.headers["Content-Type"])
    assert.matches(response.headers["x-amzn-RequestId"], response.body, 1, true)
    if response.status == 200 then
      return assert(core.decode(query, operation, 200, response.headers, response.body))
    end
    local failure =
      core.decode_error(query, operation, response.status, response.headers, response.body)
    return nil, failure.code, failure.message, response
  end
end

local function marked(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, child in pairs(value) do copy[key] = marked(child) end
  if value[1] ~= nil then return cbor.list(copy) end
  return copy
end

function protocols.cbor(sim)
  return function(operation, params)
    local response = ask(sim, { method = "POST", query = "", body = cbor.encode(marked(params)),
      path = "/service/GraniteServiceVersion20100801/operation/" .. operation,
      headers = { ["content-type"] = "application/cbor", ["smithy-protocol"] = "rpc-v2-cbor" } })
    assert.equal("rpc-v2-cbor", response.headers["smithy-protocol"])
    local output = assert(cbor.decode(response.body))
    if response.status == 200 then return output end
    assert.equal(output.__type .. ";Sender", response.headers["x-amzn-query-error"])
    return nil, output.__type, output.message, response
  end
end

local function definition(name, more)
  local input = {
    AlarmName = name, Namespace = "AWS/SageMaker", MetricName = "Invocation5XXErrors",
    Dimensions = { { Name = "EndpointName", Value = "churn" },
      { Name = "VariantName", Value = "AllTraffic" } },
    Statistic = "Sum", Period = 60, EvaluationPeriods = 1, Threshold = 1.5,
    ComparisonOperator = "GreaterThanOrEqualToThreshold",
  }
  for key, value in pairs(more or {}) do input[key] = value or nil end
  return input
end

for protocol, make in pairs(protocols) do
  describe("CloudWatch in " .. protocol, function()
    local sim, call

    before_each(function()
      sim = simulator.new()
      call = make(sim)
    end)

    it("defines, describes, sets and deletes alarms", function()
      assert.same({}, call("PutMetricAlarm", definition("a<&>\"b", {
        AlarmActions = { "arn:aws:sns:us-east-1:1:x" }, TreatMissingData = "notBreaching",
        ActionsEnabled = true, AlarmDescription = "d\195\188rftig" })))
      sim:advance(0.5)
      assert.same({}, call("SetAlarmState",
        { AlarmName = "a<&>\"b", StateValue = "ALARM", StateReason = "a test",
          StateReasonData = '{"x":1}' }))
      local output = call("DescribeAlarms", { AlarmNames = { "a<&>\"b", "other" } })
      assert.equal(1, #output.MetricAlarms)
      local alarm = output.MetricAlarms[1]
      assert.same({
        AlarmName = "a<&>\"b", AlarmDescription = "d\195\188rftig",
        AlarmArn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a<&>\"b",
        AlarmConfigurationUpdatedTimestamp = 1768478400, ActionsEnabled = true, OKActions = {},
        AlarmActions = { "arn:aws:sns:us-east-1:1:x" }, InsufficientDataActions = {},
        StateValue = "ALARM", StateReason = "a test", StateReasonData = '{"x":1}',
        StateUpdatedTimestamp = 1768478400.5, StateTransitionedTimestamp = 1768478400.5,
        MetricName = "Invocation5XXErrors", Namespace = "AWS/SageMaker", Statistic = "Sum",
        Dimensions = { { Name = "EndpointName", Value = "churn" },
          { Name = "VariantName", Value = "AllTraffic" } }, Period = 60, EvaluationPeriods = 1,
        Threshold = 1.5, ComparisonOperator = "GreaterThanOrEqualToThreshold",
        TreatMissingData = "notBreaching",
      }, alarm)
      assert.same({}, call("DeleteAlarms", { AlarmNames = { "a<&>\"b" } }))
      assert.same({}, call("DescribeAlarms", {}).MetricAlarms)
    end)

    it("refuses what CloudWatch refuses", function()
      local function refused(code, message, operation, params)
        local output, got, text, response = call(operation, params)
        assert.is_nil(output)
        assert.equal(code, got)
        assert.matches(message, text)
        return response.status
      end
      assert.equal(404, refused("ResourceNotFound", "Unknown alarm: x", "SetAlarmState",
        { AlarmName = "x", StateValue = "OK", StateReason = "r" }))
      assert.equal(404, refused("ResourceNotFound", "x", "DeleteAlarms", { AlarmNames = { "x" } }))
      assert.equal(400, refused("ValidationError", "Member must not be null", "SetAlarmState", {}))
      refused("ValidationError", "enum value set: %[OK, ALARM, INSUFFICIENT_DATA%]",
        "SetAlarmState", { AlarmName = "x", StateValue = "RED", StateReason = "r" })
      local wrong = {
        { "Period must be", { Period = 61 } },
        { "Exactly one of Statistic", { Statistic = false } },
        { "Exactly one of Statistic", { ExtendedStatistic = "p99" } },
        { "ExtendedStatistic", { Statistic = false, ExtendedStatistic = "p101" } },
        { "TreatMissingData", { TreatMissingData = "bad" } },
        { "DatapointsToAlarm", { DatapointsToAlarm = 2 } },
        { "more than a day", { Period = 60, EvaluationPeriods = 1441 } },
        { "Threshold is required", { Threshold = false } },
        { "greater than or equal to 1", { EvaluationPeriods = 0 } },
      }
      for _, case in ipairs(wrong) do
        refused("ValidationError", case[1], "PutMetricAlarm", definition("a", case[2]))
      end
      refused("InvalidNextToken", "not valid", "DescribeAlarms", { NextToken = "x" })
      refused("ValidationError", "exclude", "DescribeAlarms",
        { AlarmNames = { "a" }, AlarmNamePrefix = "b" })
    end)

    it("pages and filters", function()
      for i = 1, 7 do assert(call("PutMetricAlarm", definition("a" .. i))) end
      sim:set_alarm("a3", "ALARM")
      sim:set_alarm("by hand", "ALARM")
      local names, token = {}, nil
      repeat
        local page = call("DescribeAlarms", { MaxRecords = 3, NextToken = token })
        for _, alarm in ipairs(page.MetricAlarms) do names[#names + 1] = alarm.AlarmName end
        token = page.NextToken
      until not token
      assert.same({ "a1", "a2", "a3", "a4", "a5", "a6", "a7", "by hand" }, names)
      local function count(input) return #call("DescribeAlarms", input).MetricAlarms end
      assert.equal(2, count { StateValue = "ALARM" })
      assert.equal(7, count { AlarmNamePrefix = "a" })
      assert.equal(0, count { AlarmTypes = { "CompositeAlarm" } })
      assert.equal(0, count { ActionPrefix = "arn:" })
    end)
  end)
end

describe("alarms", function()
  local sim, call, put

  before_each(function()
    sim = simulator.new()
    call = caller.new(sim)
    local ask_cloudwatch = protocols.json(sim)
    put = function(...) assert(ask_cloudwatch("PutMetricAlarm", definition(...))) end
  end)

  local function errors_now(n)
    sim.account.metrics:record("churn", "AllTraffic", "Invocation5XXErrors", n, sim:now())
  end

  local function state(name)
    sim:now()
    return sim.account.alarms[name]
  end

  it("judges as CloudWatch's documentation says", function()
    -- Newest last: 0 fine, X breaching, - missing; 3 of 3, then 2 of 3.
    local rows = {
      { "0-X-X", 3, "OK", "OK", "OK", "OK" }, { "0----", 3, "OK", "OK", "OK", "OK" },
      { "-----", 3, "INSUFFICIENT_DATA", nil, "ALARM", "OK" },
      { "0XX-X", 3, "ALARM", "ALARM", "ALARM", "ALARM" },
      { "--X--", 3, "ALARM", nil, "ALARM", "OK" },
      { "0-X-X", 2, "ALARM", "ALARM", "ALARM", "ALARM" },
      { "00X0X", 2, "ALARM", "ALARM", "ALARM", "ALARM" },
      { "0-X--", 2, "OK", "OK", "ALARM", "OK" }, { "----0", 2, "OK", "OK", "ALARM", "OK" },
      { "----X", 2, "ALARM", nil, "ALARM", "OK" },
    }
    for _, row in ipairs(rows) do
      local values = {}
      for mark in row[1]:reverse():gmatch("[0X]") do
        if #values < 3 then values[#values + 1] = mark == "X" and 9 or 0 end
      end
      for i, treatment in ipairs { "missing", "ignore", "breaching", "notBreaching" } do
        local judged = alarms.judge({ ComparisonOperator = "GreaterThanThreshold", Threshold = 5,
          EvaluationPeriods = 3, DatapointsToAlarm = row[2], TreatMissingData = treatment }, values)
        assert.equal(row[2 + i], judged, row[1] .. " " .. treatment)
      end
    end
  end)

  it("ring and fall silent by themselves, at full minutes", function()
    put "a"
    errors_now(1)
    sim:advance(10)
    errors_now(2)
    sim:advance(49.9)
    assert.equal("INSUFFICIENT_DATA", state "a")
    sim:advance(0.1)
    assert.equal("ALARM", state "a")
    local alarm = sim.account.watch.by_name.a
    assert.equal("Threshold Crossed: 1 out of the last 1 datapoints [3] breached the threshold "
      .. "(1.5)", alarm.reason)
    assert.equal(sim.time.start + 60, alarm.updated)
    errors_now(0)
    sim:advance(60)
    assert.equal("OK", state "a")
    sim:advance(240)
    assert.equal("INSUFFICIENT_DATA", state "a")
  end)

  it("with periods below a minute ring at the end of those", function()
    put("minute", {})
    sim:advance(5)
    put("ten", { Period = 10, EvaluationPeriods = 2, TreatMissingData = "notBreaching" })
    put("thirty", { Period = 30 })
    errors_now(2)
    sim:advance(5)
    assert.equal("OK", state "ten") -- one of two periods breaches
    errors_now(2)
    sim:advance(9.9)
    assert.equal("OK", state "ten")
    sim:advance(0.1)
    assert.equal("ALARM", state "ten")
    assert.equal(sim.time.start + 20, sim.account.watch.by_name.ten.updated)
    assert.equal("INSUFFICIENT_DATA", state "thirty")
    sim:advance(10)
    assert.equal("ALARM", state "thirty")
    assert.equal("INSUFFICIENT_DATA", state "minute")
    sim:advance(30)
    assert.equal("ALARM", state "minute")
    assert.equal(sim.time.start + 60, sim.account.watch.by_name.minute.updated)
  end)

  it("take down what they would have done, and do nothing", function()
    local topic = "arn:aws:sns:us-east-1:123456789012:page-"
    put("a", { AlarmActions = { topic .. "1", topic .. "2" }, OKActions = { topic .. "3" } })
    put("mute", { AlarmActions = { topic .. "4" } })
    sim.account.watch.by_name.mute.definition.ActionsEnabled = false
    errors_now(2)
    sim:advance(60)
    assert.equal("ALARM", state "mute")
    errors_now(0)
    sim:advance(20)
    sim:set_alarm("a", "ALARM") -- no other state, no action
    local told = protocols.json(sim)("DescribeAlarms", { AlarmNames = { "a" } }).MetricAlarms[1]
    assert.equal(sim.time.start + 80, told.StateUpdatedTimestamp)
    assert.equal(sim.time.start + 60, told.StateTransitionedTimestamp)
    sim:advance(40)
    local rows = sim:state().alarms
    local start = sim.time.start
    assert.same({
      { at = start + 60, state = "ALARM", action = topic .. "1", carried_out = false },
      { at = start + 60, state = "ALARM", action = topic .. "2", carried_out = false },
      { at = start + 120, state = "OK", action = topic .. "3", carried_out = false },
    }, rows[1].actions)
    assert.same({ "mute", {} }, { rows[2].name, rows[2].actions })
    local other = simulator.new()
    assert(other:restore(sim:snapshot()))
    assert.same(rows[1].actions, other:state().alarms[1].actions)
  end)

  it("of kinds that are not played are not passed over", function()
    local ask_json = protocols.json(sim)
    local input = { AlarmName = "q", EvaluationCriteria = { PromQLCriteria = { Query = "up" } } }
    local output, code, text = ask_json("PutMetricAlarm", input)
    assert.is_nil(output)
    assert.equal("NotSimulated", code)
    assert.equal("The simulator does not play EvaluationCriteria of PutMetricAlarm.", text)
    assert.equal("NotSimulated",
      (select(2, ask_json("DescribeAlarms", { ChildrenOfAlarmName = "x" }))))
  end)

  it("keep the state they were given while nothing is measured", function()
    put "a"
    sim:set_alarm("a", "ALARM")
    sim:advance(3600)
    assert.equal("ALARM", state "a")
    put("elsewhere", { Namespace = "AWS/EC2" })
    put("no variant", { Dimensions = { { Name = "EndpointName", Value = "churn" } } })
    errors_now(5)
    sim:advance(60)
    assert.equal("ALARM", state "a")
    assert.equal("INSUFFICIENT_DATA", state "elsewhere")
    assert.equal("INSUFFICIENT_DATA", state "no variant")
    put("quiet", { TreatMissingData = "breaching", MetricName = "Invocations",
      ComparisonOperator = "LessThanThreshold" })
    sim:advance(60)
    assert.equal("ALARM", state "quiet")
  end)

  it("watch percentiles over several periods", function()
    put("slow", { MetricName = "ModelLatency", Statistic = false, ExtendedStatistic = "p90",
      Period = 120, EvaluationPeriods = 2, DatapointsToAlarm = 2, Threshold = 100 })
    for minute = 0, 4 do
      for i = 1, 20 do
        sim.account.metrics:record("churn", "AllTraffic", "ModelLatency",
          i <= 16 and 10 or (minute < 1 and 50 or 200), sim:now())
      end
      assert.not_equal("ALARM", state "slow")
      sim:advance(60)
    end
    assert.equal("ALARM", state "slow")
  end)

  it("roll a deployment back at their own moment", function()
    caller.prepare(call, "v1", "v2")
    assert(call("CreateEndpoint", { EndpointName = "churn", EndpointConfigName = "v1" }))
    sim:advance(300)
    put("churn-5xx", { TreatMissingData = "notBreaching" })
    assert(call("UpdateEndpoint", { EndpointName = "churn", EndpointConfigName = "v2",
      DeploymentConfig = {
        BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = { Type = "ALL_AT_ONCE",
          WaitIntervalInSeconds = 600 } },
        AutoRollbackConfiguration = { Alarms = { { AlarmName = "churn-5xx" } } },
      } }))
    sim:at(450, function() errors_now(7) end)
    sim:advance(3600)
    local history = sim:history "churn"
    local rolled
    for _, event in ipairs(history) do
      if event.status == "RollingBack" then rolled = event.at end
    end
    assert.equal(sim.time.start + 780, rolled) -- the minute after the errors, at 750
    assert.equal("Alarm churn-5xx is in state ALARM.",
      call("DescribeEndpoint", { EndpointName = "churn" }).FailureReason)
  end)

  it("outlive a restart, and go on being evaluated", function()
    put "a"
    errors_now(5)
    local other = simulator.new()
    assert(other:restore(sim:snapshot()))
    other:advance(60)
    assert.equal("ALARM", other.account.alarms.a)
    assert.same(sim.account.watch.by_name.a.definition, other.account.watch.by_name.a.definition)
  end)
end)

describe("STS", function()
  it("tells who is calling", function()
    local sim = simulator.new()
    local sts = core.service "sts"
    local request = assert(core.encode(sts, "GetCallerIdentity", {}, false))
    request.headers.host = "sts.amazonaws.com"
    core.signer { access_key_id = "test", secret_access_key = "test", region = "us-east-1",
      service = "sts" }:sign(request, sim:now())
    local response = sim:handle(request)
    assert.equal(200, response.status)
    assert.same({ Account = "123456789012", Arn = "arn:aws:iam::123456789012:user/test",
      UserId = "AIDASIMULATOR00000000" },
      core.decode(sts, "GetCallerIdentity", 200, response.headers, response.body))
  end)

  it("answers forms that are none of its operations in XML", function()
    local sim = simulator.new { verify = false }
    local function said(body)
      return sim:handle({ method = "POST", path = "/", headers = {}, body = body }).body
    end
    assert.matches("<Code>InvalidAction</Code><Message>Could not find operation Fly<",
      said "Action=Fly")
    assert.matches("<Code>NotSimulated</Code>", said "Action=AssumeRole&Version=2011-06-15")
    assert.matches("<Code>MalformedQueryString</Code>", said "Action=DescribeAlarms&a=%zz")
    assert.matches("<Code>MalformedInput</Code>", said "Action=DescribeAlarms&MaxRecords=many")
    assert.matches("<Code>MalformedInput</Code>",
      said "Action=DescribeAlarms&AlarmNamePrefix=%ff")
    assert.matches("<DescribeAlarmsResult>", said "Action=DescribeAlarms&AlarmNames=")
  end)
end)
