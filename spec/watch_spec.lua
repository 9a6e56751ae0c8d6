local errors = require "sagemaker.error"
local watched = require "support.watched"

local describe_endpoint = watched.describe
local refusal = watched.refusal
local OLD, NEW = watched.OLD, watched.NEW
local BAKING = watched.BAKING
local BACK = watched.BACK
local WISH = watched.WISH

describe("watch_endpoint", function()
  it("raises the err table in a for loop, and is no coroutine", function()
    local denied = refusal("no", { code = "AccessDeniedException" })
    local world = watched.new{ BAKING, denied }
    local seen, main = 0, coroutine.running()
    local ok, err = pcall(function()
      for _ in world.watch:watch_endpoint("churn", WISH) do
        seen = seen + 1
        assert.equal(main, (coroutine.running()))
      end
    end)
    assert.is_false(ok)
    assert.equal(denied, err)
    assert.equal(1, seen)
  end)

  it("ends after the outcome, and stays ended", function()
    local world = watched.new{ NEW }
    local iterator = world.watch:watch_endpoint("churn", WISH)
    assert.equal("deployed", iterator().outcome)
    assert.is_nil(iterator())
    assert.is_nil(iterator:next())
    assert.equal(1, world.count.DescribeEndpoint)
  end)

  it("sends nothing before it is asked, and hands on the options of calls", function()
    local world = watched.new{ NEW }
    local iterator = world.watch:watch_endpoint("churn", WISH, { region = "x" })
    assert.same({}, world.calls)
    iterator()
    assert.same({ region = "x" }, world.opts)
    assert.same({ EndpointName = "churn" }, world.params.DescribeEndpoint)
  end)

  it("throws on a misuse", function()
    local watch = watched.new{ NEW }.watch
    assert.error_matches(function() watch:watch_endpoint() end, "name must be a string")
    assert.error_matches(function() watch:watch_endpoint("") end, "name must be a string")
    assert.error_matches(function() watch:watch_endpoint("churn", "v2") end, "table")
    assert.error_matches(function() watch:watch_endpoint("churn", { EndpointConfigNam = "x" }) end,
      "did you mean EndpointConfigName")
    assert.error_matches(function() watch:watch_endpoint("churn", { timeout = -1 }) end, "timeout")
    assert.error_matches(function() watch:watch_endpoint("churn", { delay = "1" }) end, "delay")
  end)
end)

describe("in_service_coroutine", function()
  it("makes one poll a resume and never sleeps", function()
    local world = watched.new{ OLD, BAKING, watched.throttled, BAKING, NEW }
    local co = world.watch:in_service_coroutine("churn", WISH)
    assert.equal("thread", type(co))
    assert.same({}, world.calls)
    local rows, polls = {}, 0
    repeat
      local ok, event, delay = coroutine.resume(co)
      assert.is_true(ok)
      polls = polls + 1
      assert.equal(polls, world.count.DescribeEndpoint)
      assert.is_true(delay >= 0)
      rows[#rows + 1] = { event.status, event.moved, event.poll_error and true, event.outcome }
      world.time = world.time + delay
    until coroutine.status(co) == "dead"
    assert.same({
      { "InService", true }, { "Updating", true }, { "Updating", false, true },
      { "Updating", false }, { "InService", true, nil, "deployed" },
    }, rows)
    assert.same({}, world.sleeps)
  end)

  it("raises the err table", function()
    local denied = refusal("no", { code = "AccessDeniedException" })
    local co = watched.new{ denied }.watch:in_service_coroutine("churn")
    local ok, err = coroutine.resume(co)
    assert.is_false(ok)
    assert.equal(denied, err)
  end)

  it("lets many watch at once", function()
    local world = watched.new{ DescribeEndpoint = function(_, _, w)
      return w.time < 100 and BAKING or NEW
    end }
    local waiting, ended = {}, 0
    for i = 1, 50 do waiting[i] = { world.watch:in_service_coroutine("churn", WISH), 0 } end
    while ended < 50 do
      world.time = world.time + 1
      for _, row in ipairs(waiting) do
        if coroutine.status(row[1]) ~= "dead" and world.time >= row[2] then
          local _, event, delay = coroutine.resume(row[1])
          row[2] = world.time + delay
          if event.outcome == "deployed" then ended = ended + 1 end
        end
      end
      assert.is_true(world.time < 1000)
    end
  end)

  it("lets pass what a call yields or throws while it looks", function()
    local answer, thrown = { EndpointName = "churn", EndpointStatus = "Updating",
      EndpointConfigName = "old", PendingDeploymentSummary = { EndpointConfigName = "new" } }, nil
    local client = assert(require("sagemaker").new { region = "eu-west-1",
      credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = ("x"):rep(40) },
      transport = { now = function() return 1e9 end, clock = function() return 0 end,
        sleep = function() end, send = function()
          if thrown then error(thrown, 0) end
          assert.equal("go on", coroutine.yield("waits", 7))
          return { status = 200, headers = {}, body = require("sagemaker.json").encode(answer) }
        end } })
    local one = client:in_service_coroutine("churn", { EndpointConfigName = "new" })
    local two = client:in_service_coroutine("churn", { EndpointConfigName = "new" })
    for _ = 1, 3 do
      for _, co in ipairs { one, two } do
        assert.same({ true, "waits", 7 }, { coroutine.resume(co) })
      end
      for _, co in ipairs { two, one } do
        local ok, event, delay = coroutine.resume(co, "go on")
        assert.same({ true, "Updating", "number" }, { ok, event.status, type(delay) })
      end
      collectgarbage()
    end
    thrown = { code = "Mine" }
    local ok, err = coroutine.resume(one)
    assert.same({ false, thrown }, { ok, err })
    thrown = nil
    assert.same({ true, "waits", 7 }, { coroutine.resume(two) })
    assert.equal("Updating", select(2, coroutine.resume(two, "go on")).status)
  end)
end)

describe("wait_until_in_service", function()
  it("returns the last event with history and warnings", function()
    local world = watched.new{ OLD, BAKING, NEW }
    local seen = {}
    local result = assert(world.watch:wait_until_in_service("churn", { EndpointConfigName = "v2",
      on_event = function(event) seen[#seen + 1] = event.status end }))
    assert.equal("deployed", result.outcome)
    assert.equal(3, #result.history)
    assert.same({}, result.warnings)
    assert.same({ "InService", "Updating", "InService" }, seen)
  end)

  it("is no success for anything else", function()
    local rows = {
      { { BAKING, BACK }, "DeploymentRolledBack", "Alarm x is in ALARM." },
      { { BAKING, describe_endpoint{ status = "UpdateRollbackFailed", config = "v1",
        modified = 1300 } }, "RollbackFailed", "mix" },
      { { describe_endpoint{ status = "Failed", config = "v2", reason = "no capacity" } },
        "DeploymentFailed", "no capacity" },
      { { BAKING, watched.missing }, "EndpointDeleted", "churn" },
      { { BAKING }, "DeploymentTimedOut", "v2" },
      { { BAKING, describe_endpoint{ modified = 1500 } }, "DeploymentUnconfirmed", "not known" },
    }
    for _, row in ipairs(rows) do
      local world = watched.new(row[1])
      local result, message, err = world.watch:wait_until_in_service("churn", WISH)
      assert.is_nil(result)
      assert.equal(row[2], err.code)
      assert.equal(1, (message:find(row[2] .. ": ", 1, true)))
      assert.truthy(message:find(row[3], 1, true), message)
      assert.is_table(err.result.history)
      assert.is_string(err.result.outcome)
      assert.is_true(errors.is(err))
    end
  end)

  it("is content with in service when nothing was asked for, and says so", function()
    local result = assert(watched.new{ OLD }.watch:wait_until_in_service("churn"))
    assert.equal("in_service", result.outcome)
    assert.equal(1, #result.warnings)
  end)

  it("returns the triple of a call that failed for good", function()
    local denied = refusal("no", { code = "AccessDeniedException" })
    local result, message, err =
      watched.new{ denied }.watch:wait_until_in_service("churn", WISH)
    assert.is_nil(result)
    assert.equal("AccessDeniedException: no", message)
    assert.equal(denied, err)
  end)
end)
