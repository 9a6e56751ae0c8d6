local errors = require "sagemaker.error"
local watched = require "support.watched"

local refusal = watched.refusal
local outcome = watched.outcome
local has = watched.has
local OLD, NEW = watched.OLD, watched.NEW
local BAKING = watched.BAKING
local BACK = watched.BACK
local WISH = watched.WISH

describe("polls", function()
  it("start fast and back off to 30 s", function()
    local world = watched.new{ OLD, BAKING, BAKING, BAKING, BAKING, BAKING, BAKING, BAKING, BAKING,
      BAKING, BAKING, BAKING, NEW }
    world.follow(WISH)
    local sleeps = world.sleeps
    assert.equal(12, #sleeps)
    assert.is_true(sleeps[1] <= 2)
    for i = 4, #sleeps do assert.is_true(sleeps[i] >= sleeps[i - 1]) end
    assert.is_true(sleeps[#sleeps] > 25 and sleeps[#sleeps] <= 30)
  end)

  it("take their first and longest delay from the caller", function()
    local world = watched.new{ BAKING, BAKING, BAKING, NEW }
    world.follow{ EndpointConfigName = "v2", delay = 8, max_delay = 8 }
    for _, seconds in ipairs(world.sleeps) do assert.equal(7, seconds) end
  end)

  it("wait out throttling, ever longer, without end but the deadline", function()
    local script = {}
    for i = 1, 20 do script[i] = watched.throttled end
    script[21] = NEW
    local got, event, events, world = outcome(script,
      { EndpointConfigName = "v2", timeout = 1e5 })
    assert.equal("deployed", got)
    assert.equal(1, #events)
    assert.same({}, event.warnings)
    assert.is_true(world.sleeps[1] >= 10)
    assert.is_true(world.sleeps[2] > world.sleeps[1])
    assert.is_true(world.sleeps[20] <= 180)
  end)

  it("go on after a throttled one with what was known", function()
    local got, _, events = outcome({ BAKING, watched.throttled, watched.throttled, BACK }, WISH)
    assert.equal("rolled_back", got)
    assert.equal(2, #events)
  end)

  it("bear answers that do not come, ten in a row", function()
    local down = refusal("boom", { code = "InternalFailure", status = 500 })
    local garbled = errors.new{ kind = "protocol", code = "InvalidAnswer", message = "no JSON" }
    local slow = errors.new{ kind = "timeout", code = "OperationTimeout", message = "slow",
      retryable = false }
    assert.equal("deployed", (outcome({ watched.lost(), down, garbled, slow, BAKING, slow, NEW },
      WISH)))
    local world = watched.new{ BAKING, watched.lost() }
    local iterator = world.watch:watch_endpoint("churn", WISH)
    assert.is_truthy(iterator:next())
    local event, message, err = iterator:next()
    assert.is_nil(event)
    assert.equal("ConnectionReset", err.code)
    assert.equal(tostring(err), message)
    assert.equal(11, world.count.DescribeEndpoint)
  end)

  it("end with an error that will not pass", function()
    for _, err in ipairs{ refusal("no", { code = "AccessDeniedException" }),
      errors.new{ kind = "credentials", code = "NoCredentials", message = "none" },
      errors.new{ kind = "transport", code = "CertificateError", message = "x", retryable = false },
      refusal("Token expired", { code = "ExpiredTokenException" }) } do
      local world = watched.new{ BAKING, err }
      local ok, raised = pcall(world.follow, WISH)
      assert.is_false(ok)
      assert.equal(err, raised)
      assert.equal(2, world.count.DescribeEndpoint)
    end
  end)

  it("end when there is no such endpoint", function()
    local world = watched.new{ watched.missing }
    local event, message, err = world.watch:watch_endpoint("churn", WISH):next()
    assert.is_nil(event)
    assert.truthy(message:find("Could not find endpoint", 1, true))
    assert.equal("ValidationException", err.code)
  end)

  it("are timed out when the last ones fail", function()
    local event = watched.new{ BAKING, watched.throttled }.follow{ EndpointConfigName = "v2",
      timeout = 60 }
    assert.equal("timed_out", event.outcome)
    assert.is_true(has(event.warnings, "Rate exceeded"))
    local world = watched.new{ watched.throttled }
    local none, _, err = world.watch:watch_endpoint("churn", { timeout = 60 }):next()
    assert.is_nil(none)
    assert.equal("ThrottlingException", err.code)
  end)
end)
