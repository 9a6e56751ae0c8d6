local deployment = require "sagemaker.deployment"
local watched = require "support.watched"

local describe_endpoint = watched.describe
local updating = watched.updating
local outcome = watched.outcome
local has = watched.has
local OLD, NEW = watched.OLD, watched.NEW
local CREATING = watched.PROVISIONING
local BAKING = watched.BAKING
local BACK = watched.BACK
local WISH = watched.WISH

describe("what a deployment came to", function()
  it("is deployed when what was asked for runs", function()
    local got, event, events = outcome({ OLD, CREATING, BAKING, NEW }, WISH)
    assert.equal("deployed", got)
    assert.same({ old = 0, new = 100 }, event.traffic)
    assert.same({ old = 0, new = 4 }, event.instances)
    assert.equal(NEW, event.endpoint)
    assert.same({}, event.warnings)
    local shares = {}
    for i, row in ipairs(events) do shares[i] = row.traffic.new end
    assert.same({ 0, 0, 25, 100 }, shares)
    for i = 1, #events - 1 do assert.is_nil(events[i].outcome) end
  end)

  it("is deployed although every status between was missed", function()
    assert.equal("deployed", (outcome({ OLD, NEW }, WISH)))
    assert.equal("deployed", (outcome({ NEW }, WISH)))
  end)

  it("is rolled back when the old configuration is back", function()
    local got, event = outcome({ OLD, CREATING, BAKING, updating{ status = "RollingBack" }, BACK },
      WISH)
    assert.equal("rolled_back", got)
    assert.equal("Alarm x is in ALARM.", event.failure_reason)
    assert.same({ old = 100, new = 0 }, event.traffic)
  end)

  it("is rolled back although RollingBack was never seen", function()
    assert.equal("rolled_back", (outcome({ BAKING, BACK }, WISH)))
  end)

  it("is rolled back although nothing of it was seen: LastModifiedTime has moved", function()
    local got, _, _, world = outcome({ OLD, BACK }, WISH)
    assert.equal("rolled_back", got)
    assert.is_true(world.time < 10)
    got = outcome({ BACK }, { EndpointConfigName = "v2", before = OLD })
    assert.equal("rolled_back", got)
  end)

  it("does not believe a watcher that came too early", function()
    assert.equal("deployed", (outcome({ OLD, OLD, OLD, BAKING, NEW }, WISH)))
    assert.equal("rolled_back", (outcome({ OLD, OLD, OLD, BAKING, BACK }, WISH)))
  end)

  it("waits 120 s for a sign of the deployment, then says what runs", function()
    local got, event, _, world = outcome({ OLD }, WISH)
    assert.equal("rolled_back", got)
    assert.is_true(world.time >= 120 and world.time < 160)
    assert.is_true(has(event.warnings, "no deployment of v2 was seen"))
    got, event, _, world = outcome({ BACK }, WISH)
    assert.equal("rolled_back", got)
    assert.equal("Alarm x is in ALARM.", event.failure_reason)
    assert.is_true(world.time >= 120)
    -- it comes just in time
    local late = {}
    late.DescribeEndpoint = function(_, _, w)
      return w.time < 100 and OLD or w.time < 300 and BAKING or NEW
    end
    assert.equal("deployed", (outcome(late, WISH)))
  end)

  it("is no more than in service when the watcher came too late", function()
    for _, look in ipairs{ NEW, BACK } do
      local got, event, _, world = outcome({ look })
      assert.equal("in_service", got)
      assert.equal(1, #event.warnings)
      assert.equal(0, world.time)
    end
  end)

  it("takes the wish from the first look at a pending configuration", function()
    assert.equal("deployed", (outcome{ BAKING, NEW }))
    assert.equal("rolled_back", (outcome{ BAKING, BACK }))
    assert.equal("rolled_back", (outcome{ updating{ status = "RollingBack" }, BACK }))
  end)

  it("takes the wish from an endpoint that is being created", function()
    local creating = describe_endpoint{ status = "Creating", config = "v1" }
    local got, event = outcome{ creating, OLD }
    assert.equal("deployed", got)
    assert.same({ old = 0, new = 100 }, event.traffic)
    local pending = describe_endpoint{ status = "Creating", config = "v1", pending = "v1" }
    assert.equal("deployed", (outcome{ pending, OLD }))
  end)

  it("never calls a roll-back a success, even when the first look showed nothing", function()
    local bare = describe_endpoint{ status = "Updating", config = "v1", modified = 1100 }
    assert.equal("rolled_back", (outcome{ bare, BAKING, BACK }))
    assert.equal("rolled_back", (outcome{ bare, BACK }))
    local silent = describe_endpoint{ config = "v1", modified = 1400 }
    assert.equal("rolled_back", (outcome{ bare, BAKING, silent }))
    local rolling = describe_endpoint{ status = "RollingBack", config = "v1", modified = 1200 }
    assert.equal("rolled_back", (outcome{ rolling, silent }))
    -- and claims no success that was not asked for
    assert.equal("in_service", (outcome{ bare, BAKING, NEW }))
    assert.equal("in_service", (outcome{ bare, silent }))
  end)

  it("remembers a FailureReason that has vanished", function()
    local rolling = updating{ status = "RollingBack", reason = "Alarm x is in ALARM." }
    local silent = describe_endpoint{ config = "v1", modified = 1400 }
    local got, event = outcome({ CREATING, rolling, silent }, WISH)
    assert.equal("rolled_back", got)
    assert.equal("Alarm x is in ALARM.", event.failure_reason)
  end)

  it("does not take an earlier deployment's FailureReason for its own", function()
    local stale = describe_endpoint{ config = "v1", reason = "of last week" }
    local got, event, events = outcome({ stale, CREATING, NEW }, WISH)
    assert.equal("deployed", got)
    assert.is_nil(event.failure_reason)
    assert.is_nil(events[1].failure_reason)
    local silent = describe_endpoint{ config = "v1", modified = 1400 }
    got, event = outcome({ stale, CREATING, silent }, WISH)
    assert.equal("rolled_back", got)
    assert.is_nil(event.failure_reason)
    -- but the same words again are its own
    got, event = outcome({ stale, CREATING, describe_endpoint{ config = "v1", modified = 1400,
      reason = "of last week" } }, WISH)
    assert.equal("rolled_back", got)
    assert.equal("of last week", event.failure_reason)
  end)

  it("is rollback_failed, failed, deleted", function()
    local mixed = describe_endpoint{ status = "UpdateRollbackFailed", config = "v1",
      modified = 1400, reason = "both failed" }
    local got, event = outcome({ BAKING, mixed }, WISH)
    assert.equal("rollback_failed", got)
    assert.equal("both failed", event.failure_reason)
    assert.equal("rollback_failed", (outcome{ mixed }))
    got, event = outcome({ describe_endpoint{ status = "Creating", config = "v2" },
      describe_endpoint{ status = "Failed", config = "v2", reason = "no capacity" } }, WISH)
    assert.equal("failed", got)
    assert.equal("no capacity", event.failure_reason)
    got, event = outcome({ BAKING, describe_endpoint{ status = "Deleting", config = "v1" },
      watched.missing }, WISH)
    assert.equal("deleted", got)
    assert.is_nil(event.endpoint)
  end)

  it("does not take an old UpdateRollbackFailed for its own", function()
    local mixed = describe_endpoint{ status = "UpdateRollbackFailed", config = "v1" }
    assert.equal("deployed", (outcome({ mixed, mixed, BAKING, NEW }, WISH)))
    assert.equal("rollback_failed", (outcome({ mixed }, WISH)))
  end)

  it("of a name that does not change is deployed unless a new FailureReason says otherwise",
  function()
    local same = { EndpointConfigName = "v1" }
    local busy = describe_endpoint{ status = "Updating", config = "v1", modified = 1100 }
    local settled = describe_endpoint{ config = "v1", modified = 1400 }
    assert.equal("deployed", (outcome({ busy, settled }, same)))
    assert.equal("deployed", (outcome({ OLD }, same)))
    assert.equal("rolled_back", (outcome({ busy, BACK }, same)))
    assert.equal("rolled_back", (outcome({ busy, describe_endpoint{ status = "RollingBack",
      config = "v1", modified = 1200 }, settled }, same)))
    local stale = describe_endpoint{ config = "v1", reason = "of last week" }
    assert.equal("deployed", (outcome({ stale }, same)))
    assert.equal("deployed", (outcome({ stale, busy, settled }, same)))
    -- with the state before, a look that still shows it is too early
    local with = { EndpointConfigName = "v1", before = OLD }
    local got, _, _, world = outcome({ OLD, OLD, busy, settled }, with)
    assert.equal("deployed", got)
    assert.equal(4, world.count.DescribeEndpoint)
    got, _, _, world = outcome({ OLD }, with)
    assert.equal("deployed", got)
    assert.is_true(world.time >= 120)
    assert.equal("rolled_back", (outcome({ OLD, BACK }, with)))
  end)

  it("ignores case in names", function()
    assert.equal("deployed", (outcome({ BAKING, NEW }, { EndpointConfigName = "V2" })))
  end)

  it("tells another deployment from its own", function()
    local foreign = updating{ pending = "v9", stage = "Baking", on = 1 }
    -- ours begins after it
    assert.equal("deployed", (outcome({ foreign, OLD, BAKING, NEW }, WISH)))
    -- another took over before ours was seen at its end
    local got, event = outcome({ BAKING, describe_endpoint{ config = "v9", modified = 2000 } },
      WISH)
    assert.equal("failed", got)
    assert.is_true(has(event.warnings, "another deployment took over"))
    -- ours was deployed, the next one has begun
    got, event = outcome({ BAKING, updating{ config = "v2", pending = "v9", modified = 2000 } },
      WISH)
    assert.equal("deployed", got)
    assert.is_true(has(event.warnings, "a deployment of v9 has begun since"))
    -- another's roll-back is not ours
    local running = { EndpointConfigName = "v1" }
    assert.equal("deployed", (outcome({ foreign,
      updating{ pending = "v9", status = "RollingBack", reason = "theirs" },
      describe_endpoint{ config = "v1", modified = 2000, reason = "theirs" } }, running)))
  end)

  it("leaves SystemUpdating and OutOfService pending", function()
    local system = describe_endpoint{ status = "SystemUpdating", config = "v1" }
    local out = describe_endpoint{ status = "OutOfService", config = "v1" }
    assert.equal("deployed", (outcome({ system, out, OLD, BAKING, NEW }, WISH)))
  end)

  it("does not guess when DescribeEndpoint names no configuration", function()
    local got, event = outcome({ BAKING, describe_endpoint{ modified = 1500 } }, WISH)
    assert.equal("in_service", got)
    assert.equal(1, #event.warnings)
  end)
end)

describe("the deadline of a watcher", function()
  local function stuck(of)
    local world = watched.new{ updating(of or {}) }
    local event = world.follow(WISH)
    return event, world
  end

  it("is the deployment's own timeout and time for new instances", function()
    local config = deployment.canary{ size = "10%", bake = 60, timeout = 7200, alarms = { "a" } }
    local event, world = stuck{ last = config }
    assert.equal("timed_out", event.outcome)
    assert.is_near(7200 + 3600, world.time, 1)
    assert.is_truthy(event.endpoint)
  end)

  it("follows from the steps when there is no timeout", function()
    local config = deployment.linear{ step = "10%", bake = 3600, alarms = { "a" } }
    local event, world = stuck{ last = config, all = 10 }
    assert.equal("timed_out", event.outcome)
    assert.is_near(300 + 10 * 3600 + 3600, world.time, 1)
  end)

  it("can be set", function()
    local event = watched.new{ BAKING }.follow{ EndpointConfigName = "v2", timeout = 100 }
    assert.equal("timed_out", event.outcome)
    assert.equal(100, event.elapsed)
    event = watched.new{ BAKING }.follow{ EndpointConfigName = "v2", provisioning = 50 }
    assert.equal("timed_out", event.outcome)
    assert.is_near(350, event.elapsed, 1)
  end)

  it("ends although the clock does not tell the last moments", function()
    local world = watched.new{ BAKING }
    local coarse = require("sagemaker.watch").new{
      call = world.call, random = function() return 1 / 3 end, check = function() return true end,
      transport = {
        clock = function() return math.floor(world.time * 4) / 4 end,
        sleep = function(_, seconds) world.time = world.time + seconds - seconds % 0.25 end,
      },
    }
    local _, _, err = coarse:wait_until_in_service("churn", { EndpointConfigName = "v2",
      timeout = 100.1 })
    assert.equal("DeploymentTimedOut", err.code)
    assert.is_true(world.count.DescribeEndpoint < 30)
  end)

  it("asks once more after a clock has jumped over it", function()
    local world
    world = watched.new{ DescribeEndpoint = function(_, n)
      if n == 1 then return BAKING end
      return NEW
    end }
    local iterator = world.watch:watch_endpoint("churn", WISH)
    assert.equal("Updating", iterator:next().status)
    world.time = world.time + 1e6
    assert.equal("deployed", iterator:next().outcome)
  end)

  it("is not moved by a clock that goes back", function()
    local world = watched.new{ BAKING, BAKING, NEW }
    local last = 0
    local iterator = world.watch:watch_endpoint("churn", WISH)
    for event in iterator do
      assert.is_true(event.elapsed >= last)
      last = event.elapsed
      world.time = world.time - 500
    end
  end)
end)

describe("events", function()
  local CANARY = deployment.canary{ size = "25%", bake = 60, alarms = { "a" } }

  it("tell step, steps, traffic and instances", function()
    local _, _, events = outcome({
      OLD,
      updating{ stage = "Creating", last = CANARY },
      updating{ stage = "ActivatingTraffic", last = CANARY },
      updating{ stage = "Baking", on = 1, last = CANARY },
      updating{ stage = "ActivatingTraffic", on = 1, last = CANARY },
      updating{ stage = "Baking", on = 4, last = CANARY },
      NEW,
    }, WISH)
    local rows = {}
    for i, event in ipairs(events) do
      rows[i] = { event.stage or "", event.step or -1, event.steps or -1, event.traffic.new,
        event.instances.old, event.instances.new }
    end
    assert.same({
      { "", -1, -1, 0, 4, 0 },
      { "Creating", 0, 2, 0, 4, 0 },
      { "ActivatingTraffic", 1, 2, 0, 4, 0 },
      { "Baking", 1, 2, 25, 4, 1 },
      { "ActivatingTraffic", 2, 2, 25, 4, 1 },
      { "Baking", 2, 2, 100, 4, 4 },
      { "", 2, 2, 100, 0, 4 },
    }, rows)
  end)

  it("come once for each move", function()
    local _, _, events, world = outcome({ BAKING, BAKING, BAKING, NEW, NEW }, WISH)
    assert.equal(2, #events)
    assert.equal(4, world.count.DescribeEndpoint)
  end)

  it("keep their history small", function()
    local _, event = outcome({ OLD, CREATING, BAKING, NEW }, WISH)
    assert.equal(4, #event.history)
    assert.equal("Baking", event.history[3].stage)
    assert.equal(25, event.history[3].traffic)
    for _, row in ipairs(event.history) do
      for _, value in pairs(row) do assert.not_equal("table", type(value)) end
    end
  end)

  it("do not mistake instances that are being made for ones that serve", function()
    local _, _, events = outcome({ updating{ stage = "Creating", on = 3 }, NEW }, WISH)
    assert.equal(0, events[1].traffic.new)
    local rolling = deployment.rolling{ batch = "25%", alarms = { "a" } }
    _, _, events = outcome({ updating{ stage = "Creating", on = 1, last = rolling }, NEW }, WISH)
    assert.equal(25, events[1].traffic.new)
  end)

  it("tell the wait before the old fleet goes from baking", function()
    local waiting = updating{ stage = "Baking", on = 4 }
    waiting.PendingDeploymentSummary.ProductionVariants[1].VariantStatus[1].StatusMessage =
      "Baking for 600 seconds (TerminationWaitInSeconds) with traffic enabled on 4 instances."
    local _, _, events = outcome({ waiting, NEW }, WISH)
    assert.equal("TerminationWait", events[1].stage)
  end)

  it("survive a sparse or odd DescribeEndpoint", function()
    for _, look in ipairs{
      { EndpointStatus = "Updating", EndpointConfigName = "v1" },
      { EndpointStatus = "Updating", PendingDeploymentSummary = { EndpointConfigName = "v2" } },
      { EndpointStatus = "Brand-New-Status", EndpointConfigName = "v1" },
      { EndpointStatus = "Updating", PendingDeploymentSummary = {}, LastDeploymentConfig = {},
        ProductionVariants = {} },
      { EndpointStatus = "Updating", EndpointConfigName = "v1", LastDeploymentConfig = { New = 1 },
        PendingDeploymentSummary = { EndpointConfigName = "v2", ProductionVariants = {
          { VariantName = "a", CurrentServerlessConfig = {}, CurrentInstanceCount = 0,
            DesiredInstanceCount = 0, VariantStatus = { { Status = "Baking" } } } } } },
      {},
    } do
      assert.equal("deployed", (outcome({ look, NEW }, WISH)))
    end
  end)
end)
