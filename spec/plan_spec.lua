local deployment = require "sagemaker.deployment"

-- {time, stage, step, new traffic, old instances, new instances} a step.
local function rows(plan)
  local list = {}
  for i, step in ipairs(plan.steps) do
    list[i] = { step.time, step.stage, step.step, step.traffic.new,
      step.instances and step.instances.old, step.instances and step.instances.new }
    assert.equal(100, step.traffic.old + step.traffic.new)
    assert.equal(plan.steps[#plan.steps].steps, step.steps)
    local following = plan.steps[i + 1]
    if following then assert.equal(following.time, step.time + step.duration) end
  end
  return list
end

local function has_warning(plan, text)
  for _, warning in ipairs(plan.warnings) do
    if warning:find(text, 1, true) then return true end
  end
  return false
end

describe("deployment.plan", function()
  it("of a canary", function()
    local plan = assert(deployment.plan(deployment.canary{ size = "10%", bake = 600,
      termination_wait = 600, alarms = { "a" } }, 10))
    assert.same({
      { 0, "Creating", 0, 0, 10, 0 },
      { 300, "Baking", 1, 10, 10, 1 },
      { 900, "Baking", 2, 100, 10, 10 },
      { 1500, "TerminationWait", 2, 100, 10, 10 },
      { 2100, "Deleting", 2, 100, 10, 10 },
      { 2100, "InService", 2, 100, 0, 10 },
    }, rows(plan))
    assert.equal("CANARY", plan.policy)
    assert.equal(2100, plan.duration)
    assert.equal(1800, plan.waits)
    assert.equal(300, plan.provisioning)
    assert.equal(20, plan.peak)
    assert.is_nil(plan.timeout)
    assert.same({}, plan.warnings)
  end)

  it("of linear steps, the last of which takes the rest", function()
    local plan = assert(deployment.plan(deployment.linear{ step = 3, bake = 60, alarms = { "a" } },
      8, { provisioning = 0 }))
    assert.same({
      { 0, "Creating", 0, 0, 8, 0 },
      { 0, "Baking", 1, 37.5, 8, 3 },
      { 60, "Baking", 2, 75, 8, 6 },
      { 120, "Baking", 3, 100, 8, 8 },
      { 180, "Deleting", 3, 100, 8, 8 },
      { 180, "InService", 3, 100, 0, 8 },
    }, rows(plan))
  end)

  it("of all at once", function()
    local plan = assert(deployment.plan(deployment.all_at_once{ alarms = { "a" }, bake = 120 }, 2))
    assert.same({
      { 0, "Creating", 0, 0, 2, 0 },
      { 300, "Baking", 1, 100, 2, 2 },
      { 420, "Deleting", 1, 100, 2, 2 },
      { 420, "InService", 1, 100, 0, 2 },
    }, rows(plan))
  end)

  it("of rolling batches", function()
    local plan = assert(deployment.plan(deployment.rolling{ batch = 2, bake = 60,
      alarms = { "a" } }, 5, { provisioning = 100 }))
    assert.same({
      { 0, "Creating", 0, 0, 5, 0 },
      { 100, "Baking", 1, 40, 5, 2 },
      { 160, "Deleting", 1, 40, 5, 2 },
      { 160, "Creating", 1, 40, 3, 2 },
      { 260, "Baking", 2, 80, 3, 4 },
      { 320, "Deleting", 2, 80, 3, 4 },
      { 320, "Creating", 2, 80, 1, 4 },
      { 420, "Baking", 3, 100, 1, 5 },
      { 480, "Deleting", 3, 100, 1, 5 },
      { 480, "InService", 3, 100, 0, 5 },
    }, rows(plan))
    assert.equal(7, plan.peak)
    assert.equal(300, plan.provisioning)
  end)

  it("of no configuration is AWS's default, with a warning", function()
    local plan = assert(deployment.plan(nil, 3))
    assert.equal("ALL_AT_ONCE", plan.policy)
    assert.is_true(has_warning(plan, "no DeploymentConfig"))
  end)

  it("takes activation and removal into account", function()
    local plan = assert(deployment.plan(deployment.canary{ size = 1, bake = 10, alarms = { "a" } },
      2, { provisioning = 100, activation = 5, removal = 7 }))
    assert.same({
      { 0, "Creating", 0, 0, 2, 0 },
      { 100, "ActivatingTraffic", 1, 0, 2, 0 },
      { 105, "Baking", 1, 50, 2, 1 },
      { 115, "ActivatingTraffic", 2, 50, 2, 1 },
      { 120, "Baking", 2, 100, 2, 2 },
      { 130, "Deleting", 2, 100, 2, 2 },
      { 137, "InService", 2, 100, 0, 2 },
    }, rows(plan))
  end)

  it("rounds a percentage up, to at least one instance", function()
    local function canary(size, fleet)
      local plan = assert(deployment.plan(deployment.canary{ size = size }, fleet))
      return plan.steps[2].instances.new
    end
    assert.equal(1, canary("1%", 3))
    assert.equal(1, canary("10%", 10))
    assert.equal(2, canary("10%", 11))
    assert.equal(4, canary("33%", 10))
    assert.equal(1, canary("50%", 1))
    assert.equal(1, canary("50%", { variants = { { name = "main", instances = 1 } } }))
    local plan = assert(deployment.plan(deployment.linear{ step = "30%" }, 10))
    assert.same({ 3, 6, 9, 10 }, { plan.steps[2].instances.new, plan.steps[3].instances.new,
      plan.steps[4].instances.new, plan.steps[5].instances.new })
    plan = assert(deployment.plan(deployment.canary{ size = "10%" }, 3))
    assert.equal(33.3, plan.steps[2].traffic.new)
    assert.equal(66.7, plan.steps[2].traffic.old)
  end)

  it("counts every variant for itself", function()
    local fleet = { variants = { { name = "a", instances = 3 }, { name = "b", instances = 5 } } }
    local plan = assert(deployment.plan(deployment.linear{ step = "30%" }, fleet))
    local new = {}
    for i = 2, 5 do new[#new + 1] = plan.steps[i].instances.new end
    assert.same({ 3, 6, 8, 8 }, new)
    assert.equal(3, plan.steps[1].steps)
  end)

  it("of an unknown fleet holds percentages only", function()
    local plan = assert(deployment.plan(deployment.linear{ step = "30%", bake = 60 }))
    local shares = {}
    for _, step in ipairs(plan.steps) do
      shares[#shares + 1] = step.traffic.new
      assert.is_nil(step.instances)
    end
    assert.same({ 0, 30, 60, 90, 100, 100, 100 }, shares)
    assert.is_nil(plan.peak)
    plan = assert(deployment.plan(deployment.canary{ size = "5%" },
      { variants = { { name = "a", serverless = true } } }))
    assert.equal(5, plan.steps[2].traffic.new)
    plan = assert(deployment.plan(deployment.rolling{ batch = "50%" }))
    assert.equal(50, plan.steps[2].traffic.new)
    local none, message, err = deployment.plan(deployment.canary{ size = 2 })
    assert.is_nil(none)
    assert.truthy(message:find("known fleet", 1, true))
    assert.equal("validation", err.kind)
  end)

  it("knows when the old fleet has another size", function()
    local plan = assert(deployment.plan(deployment.rolling{ batch = "50%" },
      { variants = { { name = "a", instances = 4 } }, old = 2 }))
    assert.same({ 2, 2, 2, 1, 1, 1, 0 }, (function()
      local list = {}
      for i, step in ipairs(plan.steps) do list[i] = step.instances.old end
      return list
    end)())
    assert.equal(6, plan.peak)
    plan = assert(deployment.plan(deployment.all_at_once(),
      { variants = { { name = "a", instances = 4 } }, old = 2 }))
    assert.equal(6, plan.peak)
    assert.same({ old = 2, new = 4 }, plan.steps[2].instances)
  end)

  it("warns: no alarms, no bake, too short a timeout, too small a fleet", function()
    local plan = assert(deployment.plan(deployment.canary{ size = "10%", bake = 60 }, 10))
    assert.is_true(has_warning(plan, "baking protects nothing"))
    plan = assert(deployment.plan(deployment.canary{ size = "10%", alarms = { "a" } }, 10))
    assert.is_true(has_warning(plan, "WaitIntervalInSeconds is 0"))
    local aws_example = deployment.canary{ size = "30%", bake = 600, termination_wait = 600,
      timeout = 1800, alarms = { "a" } }
    plan = assert(deployment.plan(aws_example, 10, { provisioning = 0 }))
    assert.is_true(has_warning(plan, "rolled back at the timeout of 1800 s"))
    plan = assert(deployment.plan(deployment.linear{ step = "20%", bake = 300,
      termination_wait = 300, timeout = 3600, alarms = { "a" } }, 10))
    assert.same({}, plan.warnings)
    plan = assert(deployment.plan(deployment.canary{ size = "10%", bake = 1, alarms = { "a" } }, 1))
    assert.is_true(has_warning(plan, "the whole fleet"))
  end)

  it("answers nil for a broken rule, and throws for a misuse", function()
    local none, message, err = deployment.plan({}, 3)
    assert.is_nil(none)
    assert.truthy(message:find("exactly one", 1, true))
    assert.equal("validation", err.kind)
    none, message, err = deployment.plan(deployment.canary{ size = 2 }, 3)
    assert.is_nil(none)
    assert.equal(tostring(err), message)
    assert.truthy(err.path:find("CanarySize", 1, true))
    assert.has_error(function() deployment.plan(nil, "x") end)
    assert.has_error(function() deployment.plan(nil, 3, { provision = 5 }) end)
    assert.has_error(function() deployment.plan(nil, 3, { provisioning = -5 }) end)
  end)

  it("prints as a timeline", function()
    local plan = assert(deployment.plan(deployment.canary{ size = "10%", bake = 600,
      timeout = 3600 }, 10))
    local text = tostring(plan)
    assert.equal(text, deployment.format(plan))
    assert.truthy(text:find("5:00  bake 10:00 +1/2 +90 %% old +10 %% new   10 old, 1 new"))
    assert.truthy(text:find("timeout at 1:00:00", 1, true))
    assert.truthy(text:find("warning: no alarms", 1, true))
    for line in text:gmatch("[^\n]+") do assert.is_nil(line:find("%s$")) end
    text = tostring(assert(deployment.plan(nil)))
    assert.truthy(text:find("shift traffic", 1, true))
  end)

  it("prints an event of a watcher the same way", function()
    local line = deployment.line{ status = "Updating", stage = "Baking", step = 1, steps = 2,
      traffic = { old = 90, new = 10 }, instances = { old = 10, new = 1 }, elapsed = 301.4 }
    assert.truthy(line:find("5:01  Updating, bake +1/2 +90 %% old +10 %% new   10 old, 1 new"))
    line = deployment.line{ status = "InService", outcome = "deployed", elapsed = 3700,
      traffic = { old = 0, new = 100 }, instances = { old = 0, new = 10 } }
    assert.truthy(line:find("1:01:40  InService: deployed", 1, true))
  end)
end)
