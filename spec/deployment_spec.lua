local deployment = require "sagemaker.deployment"
local errors = require "sagemaker.error"

local ROUTING = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration"

local function throws(fn, options, ...)
  local ok, message = pcall(fn, options)
  assert.is_false(ok)
  for _, part in ipairs{ ... } do
    assert.truthy(tostring(message):find(part, 1, true), ("%q lacks %q"):format(message, part))
  end
end

-- The paths of all problems, sorted, or {} when the configuration is sound.
local function paths(config, fleet)
  local ok, message, err = deployment.check(config, fleet)
  if ok then
    assert.is_true(ok)
    return {}
  end
  assert.equal("validation", err.kind)
  assert.is_true(errors.is(err))
  assert.equal(message, tostring(err))
  local list = {}
  for i, problem in ipairs(err.errors) do
    list[i] = problem.path
    assert.truthy(problem.message:find(problem.path, 1, true) == 1)
    assert.is_string(problem.code)
  end
  table.sort(list)
  return list
end

-- A configuration with a routing, in AWS spelling.
local function blue_green(routing, more)
  local policy = { TrafficRoutingConfiguration = routing }
  for key, value in pairs(more or {}) do policy[key] = value end
  return { BlueGreenUpdatePolicy = policy,
    AutoRollbackConfiguration = { Alarms = { { AlarmName = "a" } } } }
end

local function percent(value) return { Type = "CAPACITY_PERCENT", Value = value } end
local function instances(value) return { Type = "INSTANCE_COUNT", Value = value } end
local function canary(size)
  return blue_green{ Type = "CANARY", WaitIntervalInSeconds = 60, CanarySize = size }
end
local function linear(size)
  return blue_green{ Type = "LINEAR", WaitIntervalInSeconds = 60, LinearStepSize = size }
end
local function rolling(size, rollback)
  return { RollingUpdatePolicy = { MaximumBatchSize = size, WaitIntervalInSeconds = 60,
    RollbackMaximumBatchSize = rollback } }
end

describe("deployment builders", function()
  it("build a canary in AWS's spelling", function()
    assert.same({
      BlueGreenUpdatePolicy = {
        TrafficRoutingConfiguration = {
          Type = "CANARY", WaitIntervalInSeconds = 300,
          CanarySize = { Type = "CAPACITY_PERCENT", Value = 10 },
        },
        TerminationWaitInSeconds = 120, MaximumExecutionTimeoutInSeconds = 1800,
      },
      AutoRollbackConfiguration = { Alarms = { { AlarmName = "a" }, { AlarmName = "b" } } },
    }, deployment.canary{ size = "10%", bake = 300, alarms = { "a", { AlarmName = "b" } },
      termination_wait = 120, timeout = 1800 })
  end)

  it("build linear, all at once and rolling ones", function()
    assert.same(linear(instances(2)).BlueGreenUpdatePolicy,
      deployment.linear{ step = 2, bake = 60 }.BlueGreenUpdatePolicy)
    assert.same(deployment.linear{ step = "20%" }, deployment.linear{ size = " 20 % " })
    assert.same({ BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = {
      Type = "ALL_AT_ONCE", WaitIntervalInSeconds = 0 } } }, deployment.all_at_once())
    assert.same(rolling(percent(25), instances(3)),
      deployment.rolling{ batch = "25%", bake = 60, rollback_batch = 3 })
    assert.same(deployment.rolling{ batch = 2 }, deployment.rolling{ size = 2 })
  end)

  it("let bake be 0 where the API requires a wait", function()
    local config = deployment.canary{ size = 1 }
    assert.equal(0, config.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.WaitIntervalInSeconds)
    assert.equal(0, deployment.rolling{ batch = 1 }.RollingUpdatePolicy.WaitIntervalInSeconds)
  end)

  it("do not keep the caller's tables", function()
    local alarm = { AlarmName = "a" }
    local config = deployment.canary{ size = 1, alarms = { alarm } }
    assert.not_equal(alarm, config.AutoRollbackConfiguration.Alarms[1])
  end)

  it("throw on unknown options, and name the nearest", function()
    throws(deployment.canary, { siz = "10%" }, "canary", "siz", "did you mean size?")
    throws(deployment.canary, { size = 1, step = 1 }, "step")
    throws(deployment.all_at_once, { size = 1 }, "size")
    throws(deployment.rolling, { batch = 1, termination_wait = 5 }, "termination_wait")
    throws(deployment.linear, { step = 1, [1] = "x" }, "option 1")
    throws(deployment.canary, nil, "table of options")
    throws(deployment.all_at_once, "x", "table of options")
  end)

  it("throw on a size that is missing, named twice or none", function()
    throws(deployment.canary, {}, "option size", "missing")
    throws(deployment.linear, {}, "option step", "missing")
    throws(deployment.rolling, {}, "option batch", "missing")
    throws(deployment.linear, { step = 1, size = 1 }, "step", "give one")
    for _, size in ipairs{ "10", "x%", "12.5%", "-1%", 0, -1, 1.5, 0 / 0, 1 / 0, true, {} } do
      throws(deployment.canary, { size = size }, "option size")
    end
  end)

  it("throw on broken rules, naming the option and the rule", function()
    throws(deployment.canary, { size = "51%" }, "option size", "51 %", "at most 50 %")
    throws(deployment.linear, { step = "9%" }, "option step", "10 to 50 %")
    throws(deployment.linear, { step = "51%" }, "option step")
    throws(deployment.rolling, { batch = "4%" }, "option batch", "5 to 50 %")
    throws(deployment.rolling, { batch = "5%", rollback_batch = "101%" }, "rollback_batch")
    throws(deployment.canary, { size = 1, bake = 3601 }, "option bake", "at most 3600")
    throws(deployment.canary, { size = 1, bake = -1 }, "option bake")
    throws(deployment.canary, { size = 1, bake = 1.5 }, "option bake", "whole number")
    throws(deployment.canary, { size = 1, bake = "60" }, "option bake")
    throws(deployment.canary, { size = 1, bake = false }, "option bake")
    throws(deployment.canary, { size = 1, termination_wait = 3601 }, "option termination_wait")
    throws(deployment.canary, { size = 1, timeout = 599 }, "option timeout", "at least 600")
    throws(deployment.canary, { size = 1, timeout = 28801 }, "option timeout")
    throws(deployment.canary, { size = 1, bake = 600, termination_wait = 600, timeout = 1200 },
      "option timeout", "larger than")
    throws(deployment.rolling, { batch = 1, bake = 600, timeout = 600 }, "option timeout")
  end)

  it("throw on alarms that are no list of 1 to 10 names", function()
    local eleven = {}
    for i = 1, 11 do eleven[i] = "a" .. i end
    for _, alarms in ipairs{ "a", 1, {}, eleven, { 5 }, { "" }, { "  " }, { {} }, { name = "a" },
      { { AlarmName = "a", Extra = 1 } }, { { AlarmName = 5 } }, { ("x"):rep(256) },
      { [1] = "a", [3] = "b" }, { [2] = "b" }, { [0] = "a" } } do
      throws(deployment.canary, { size = 1, alarms = alarms }, "option alarms")
    end
  end)

  it("report the caller's line", function()
    local ok, message = pcall(function() return deployment.canary{ size = "60%" } .x end)
    assert.is_false(ok)
    assert.truthy(message:find("deployment_spec.lua", 1, true))
  end)
end)

describe("deployment.check", function()
  it("passes the examples of AWS's guardrails chapter", function()
    -- canary: 30 % of the fleet, 600 s each, timeout 1800
    assert.same({}, paths(blue_green({ Type = "CANARY", WaitIntervalInSeconds = 600,
      CanarySize = percent(30) },
      { TerminationWaitInSeconds = 600, MaximumExecutionTimeoutInSeconds = 1800 })))
    -- linear
    assert.same({}, paths(blue_green({ Type = "LINEAR", WaitIntervalInSeconds = 300,
      LinearStepSize = percent(20) },
      { TerminationWaitInSeconds = 300, MaximumExecutionTimeoutInSeconds = 3600 })))
    -- all at once, without WaitIntervalInSeconds as the chapter has it
    assert.same({}, paths(blue_green({ Type = "ALL_AT_ONCE" },
      { TerminationWaitInSeconds = 600, MaximumExecutionTimeoutInSeconds = 1800 })))
    -- canary of one instance out of three
    assert.same({}, paths(canary(instances(1)), 3))
  end)

  it("wants exactly one policy", function()
    local both = canary(percent(10))
    both.RollingUpdatePolicy = rolling(percent(10)).RollingUpdatePolicy
    assert.same({ "DeploymentConfig" }, paths(both))
    assert.same({ "DeploymentConfig" }, paths{})
    assert.same({ "DeploymentConfig" },
      paths{ AutoRollbackConfiguration = { Alarms = { { AlarmName = "a" } } } })
  end)

  it("wants the size that belongs to the type, and no other", function()
    assert.same({ ROUTING .. ".CanarySize" },
      paths(blue_green{ Type = "CANARY", WaitIntervalInSeconds = 0 }))
    assert.same({ ROUTING .. ".LinearStepSize" },
      paths(blue_green{ Type = "LINEAR", WaitIntervalInSeconds = 0 }))
    for _, name in ipairs{ "CanarySize", "LinearStepSize" } do
      assert.same({ ROUTING .. "." .. name }, paths(blue_green{ Type = "ALL_AT_ONCE",
        WaitIntervalInSeconds = 0, [name] = percent(10) }))
    end
    assert.same({ ROUTING .. ".LinearStepSize" }, paths(blue_green{ Type = "CANARY",
      WaitIntervalInSeconds = 0, CanarySize = percent(10), LinearStepSize = percent(10) }))
    assert.same({ ROUTING .. ".WaitIntervalInSeconds" },
      paths(blue_green{ Type = "CANARY", CanarySize = percent(10) }))
  end)

  it("knows the limits of percentages", function()
    local rows = { { canary, 1, 50 }, { linear, 10, 50 }, { rolling, 5, 50 } }
    for _, row in ipairs(rows) do
      local make, least, most = row[1], row[2], row[3]
      assert.same({}, paths(make(percent(least))))
      assert.same({}, paths(make(percent(most))))
      assert.equal(1, #paths(make(percent(least - 1))))
      assert.equal(1, #paths(make(percent(most + 1))))
    end
    assert.same({}, paths(rolling(percent(50), percent(100))))
    assert.equal(1, #paths(rolling(percent(50), percent(101))))
  end)

  it("checks numbers of instances against every variant of a known fleet", function()
    -- make, instances, fleet, sound
    local rows = {
      { canary, 5, 10, true }, { canary, 6, 10, false }, { canary, 1, 1, false },
      { canary, 1, 2, true }, { canary, 1, 3, true }, { canary, 2, 3, false },
      { linear, 1, 10, true }, { linear, 1, 11, false }, { linear, 5, 10, true },
      { linear, 6, 10, false }, { linear, 1, 1, false },
      { rolling, 1, 20, true }, { rolling, 1, 21, false }, { rolling, 10, 20, true },
      { rolling, 11, 20, false },
    }
    for _, row in ipairs(rows) do
      local found = paths(row[1](instances(row[2])), row[3])
      assert.equal(row[4] and 0 or 1, #found, ("%d of %d"):format(row[2], row[3]))
    end
    assert.same({}, paths(canary(instances(500))))
    local fleet = { variants = { { name = "a", instances = 10 }, { name = "b", instances = 2 } } }
    local _, message = deployment.check(canary(instances(3)), fleet)
    assert.truthy(message:find("3 of the 2 instances of b", 1, true))
    assert.truthy(message:find("1 fits", 1, true))
    assert.same({}, paths(rolling(percent(50), instances(4)), 4))
    assert.equal(1, #paths(rolling(percent(50), instances(5)), 4))
    assert.same({}, paths(canary(instances(3)), { variants = { { name = "unknown" } } }))
  end)

  it("refuses rolling for serverless and for several variants", function()
    local config = rolling(percent(20))
    assert.same({}, paths(config, { variants = { { name = "a", instances = 5 } } }))
    local many = { variants = { { name = "a", instances = 5 }, { name = "b", instances = 5 } } }
    assert.same({ "DeploymentConfig.RollingUpdatePolicy" }, paths(config, many))
    assert.same({ "DeploymentConfig.RollingUpdatePolicy" },
      paths(config, { variants = { { name = "a", serverless = true } } }))
    assert.same({ "DeploymentConfig.RollingUpdatePolicy" },
      paths(config, { variants = { { name = "a", instances = 5 } }, old = many }))
  end)

  it("finds all problems at once, with AWS's paths", function()
    local config = {
      BlueGreenUpdatePolicy = {
        TrafficRoutingConfiguration = { Type = "canary", WaitIntervalInSeconds = 4000,
          CanarySiz = percent(10) },
        TerminationWaitInSeconds = -1,
      },
      AutoRollbackConfiguration = { Alarms = { { AlarmName = "a" }, { Name = "b" } } },
    }
    assert.same({
      "DeploymentConfig.AutoRollbackConfiguration.Alarms[1].AlarmName",
      "DeploymentConfig.AutoRollbackConfiguration.Alarms[1].Name",
      "DeploymentConfig.BlueGreenUpdatePolicy.TerminationWaitInSeconds",
      ROUTING .. ".CanarySiz", ROUTING .. ".Type", ROUTING .. ".WaitIntervalInSeconds",
    }, paths(config))
    local _, _, err = deployment.check(config)
    local by_path = {}
    for _, problem in ipairs(err.errors) do by_path[problem.path] = problem end
    assert.equal("CanarySize", by_path[ROUTING .. ".CanarySiz"].suggestion)
    assert.equal("CANARY", by_path[ROUTING .. ".Type"].suggestion)
    assert.equal(err.errors[1].path, err.path)
  end)

  it("names the values of an enum, and the nearest only where one is near", function()
    local function message_of(kind)
      return select(2, deployment.check{ BlueGreenUpdatePolicy = {
        TrafficRoutingConfiguration = { Type = kind, WaitIntervalInSeconds = 0 } } })
    end
    local LIST = 'Type: is "%s", but must be one of ALL_AT_ONCE, CANARY, LINEAR'
    assert.matches(LIST:format("canary") .. " (did you mean CANARY?)", message_of "canary", 1, true)
    local message = message_of "something else"
    assert.matches(LIST:format("something else"), message, 1, true)
    assert.is_nil(message:find("did you mean", 1, true))
  end)

  it("tells once of a mistake that breaks the model's shape and a rule", function()
    local rules = require "sagemaker.deployment.rules"
    local problems = { { path = "A", member = "B" }, { path = "A.C", member = "C" }, { path = "",
      member = "D" } }
    rules.merge(problems, { { path = "A.B" }, { path = "A.C" }, { path = "D" },
      { path = "A.B.C" }, { path = "A", member = "C" }, { path = "A" } })
    local paths_left = {}
    for i, problem in ipairs(problems) do paths_left[i] = problem.path end
    assert.same({ "A", "A.C", "", "A.B.C", "A" }, paths_left)
  end)

  it("says by a code what is wrong with the number of alarms", function()
    for count, code in pairs{ [0] = "min", [11] = "max" } do
      local alarms = {}
      for i = 1, count do alarms[i] = { AlarmName = "a" .. i } end
      local _, message, err = deployment.check{ BlueGreenUpdatePolicy = {
        TrafficRoutingConfiguration = { Type = "ALL_AT_ONCE", WaitIntervalInSeconds = 0 } },
        AutoRollbackConfiguration = { Alarms = alarms } }
      assert.same({ 1, code }, { #err.errors, err.errors[1].code })
      assert.truthy(message:find(("has %d entries, but takes 1 to 10"):format(count), 1, true))
    end
  end)

  it("compares the timeout with the waits", function()
    local function with(timeout, wait, termination)
      return blue_green({ Type = "ALL_AT_ONCE", WaitIntervalInSeconds = wait },
        { TerminationWaitInSeconds = termination, MaximumExecutionTimeoutInSeconds = timeout })
    end
    assert.same({}, paths(with(601, 300, 300)))
    assert.same({ "DeploymentConfig.BlueGreenUpdatePolicy.MaximumExecutionTimeoutInSeconds" },
      paths(with(600, 300, 300)))
    assert.same({}, paths(with(601, 600, nil)))
    assert.equal(1, #paths(with(600, 600, nil)))
  end)

  it("survives anything", function()
    local cyclic = {}
    cyclic.BlueGreenUpdatePolicy = cyclic
    cyclic.TrafficRoutingConfiguration = cyclic
    local deep = {}
    for _ = 1, 10000 do deep = { RollingUpdatePolicy = deep } end
    local wicked = setmetatable({}, { __index = function() error("no") end })
    local many = {}
    for i = 1, 5000 do many["k" .. i] = i end
    local list = canary(percent(10))
    list.AutoRollbackConfiguration.Alarms = { [1] = { AlarmName = "a" }, [3] = "x", y = 1 }
    for _, config in ipairs{ cyclic, deep, wicked, many, list, "x", 5, true, print,
      { BlueGreenUpdatePolicy = 5 }, { BlueGreenUpdatePolicy = {} }, { RollingUpdatePolicy = "x" },
      blue_green("x"), canary("10%"), canary{ Type = 5, Value = "x" }, canary(percent(0 / 0)),
      canary(percent(1 / 0)), canary(percent(2 ^ 60)), canary(instances(1.5)),
      { RollingUpdatePolicy = {}, AutoRollbackConfiguration = { Alarms = "x" } },
      { [1] = "x" }, { [{}] = 1 }, { ["\0\255"] = 1 } } do
      local ok, message, err = deployment.check(config, 3)
      assert.is_nil(ok)
      assert.is_string(message)
      assert.equal("validation", err.kind)
      assert.is_true(#err.errors >= 1 and #err.errors <= 100)
    end
    assert.is_nil((deployment.check(nil)))
  end)

  it("changes nothing in what it is given", function()
    local config = canary(percent(99))
    local copy = canary(percent(99))
    deployment.check(config, { variants = { { name = "a", instances = 3 } } })
    assert.same(copy, config)
  end)

  it("throws on a fleet that is none", function()
    for _, fleet in ipairs{ 0, -1, 1.5, "3", {}, { variants = {} }, { variants = { 1 } },
      { variants = { { instances = 0 } } }, { variants = { { name = 5 } } },
      { variants = { {} }, extra = 1 } } do
      assert.has_error(function() deployment.check(canary(percent(10)), fleet) end)
    end
  end)
end)
