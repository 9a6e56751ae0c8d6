--- Many made-up deployments, looked at at random moments: a roll-back is never called a
-- success, nor a success a roll-back.

local watched = require "support.watched"

local describe_endpoint = watched.describe

-- The generator of Park and Miller: the same deployments on every Lua.
local function generator(seed)
  local state = seed
  return function(n)
    state = state * 16807 % 2147483647
    return n and state % n + 1 or state / 2147483647
  end
end

-- What DescribeEndpoint shows at a moment, for a deployment accepted at time 0.
local function look_at(case, time)
  time = time - case.lag
  local stale = case.stale and "of last week" or nil
  if time < 0 then return describe_endpoint{ config = "v1", reason = stale } end
  local reason = case.shows_reason and "of today" or nil
  if time < case.turn then
    return describe_endpoint{ status = "Updating", config = "v1", modified = 1000.5,
      pending = not case.bare and "v2" or nil, stage = time < case.turn / 2 and "Creating"
        or "Baking", on = time < case.turn / 2 and 0 or 1 }
  elseif case.deployed then
    return describe_endpoint{ config = "v2", modified = 1000 + case.turn }
  elseif time < case.turn + case.back then
    return describe_endpoint{ status = case.says_rolling and "RollingBack" or "Updating",
      config = "v1", modified = 1000 + case.turn, reason = reason,
      pending = not case.bare and "v2" or nil, stage = "Deleting" }
  end
  return describe_endpoint{ config = "v1", modified = 1000 + case.turn + case.back,
    reason = not case.hides_reason and reason or nil }
end

local function make(random)
  return {
    lag = random(3) == 1 and random(110) or 0,
    turn = random(3) == 1 and random(10) or random(4000),
    back = random(3) == 1 and random(5) or random(300),
    deployed = random(2) == 1,
    bare = random(8) == 1, -- no PendingDeploymentSummary
    says_rolling = random(2) == 1,
    shows_reason = random(3) > 1,
    hides_reason = random(3) == 1,
    stale = random(3) == 1,
    starts = random(2) == 1 and 0 or random(5000), -- when the watcher comes
    gaps = random(3) == 1, -- polls that fail or are late
  }
end

local function watch(case, opts, random)
  local world
  world = watched.new{ DescribeEndpoint = function(_, _, w)
    if case.gaps and random(3) == 1 then
      w.time = w.time + random(200)
      return random(2) == 1 and watched.throttled or watched.lost()
    end
    return look_at(case, w.time)
  end }
  world.time = case.starts
  local event = world.follow(opts)
  -- what is true at the end
  local truth = case.deployed and "deployed" or "rolled_back"
  return event, truth, world
end

local function describe_case(case)
  local parts = {}
  for key, value in pairs(case) do parts[#parts + 1] = key .. "=" .. tostring(value) end
  table.sort(parts)
  return table.concat(parts, " ")
end

local CASES = 1200

describe("random deployments", function()
  it("end as they end when it is known what was asked for", function()
    local random = generator(42)
    for _ = 1, CASES do
      local case = make(random)
      local event, truth = watch(case, { EndpointConfigName = "v2", timeout = 1e5 },
        random)
      assert.equal(truth, event.outcome, describe_case(case))
      if event.outcome == "deployed" then
        assert.equal("v2", event.endpoint.EndpointConfigName)
        assert.is_nil(event.failure_reason, describe_case(case))
      end
    end
  end)

  it("end as they end, at once, when the state before is known too", function()
    local random = generator(4711)
    local before = look_at({ lag = 1, stale = true }, 0)
    for _ = 1, CASES do
      local case = make(random)
      case.stale = true
      local event, truth, world = watch(case, { EndpointConfigName = "v2", before = before,
        timeout = 1e5 },
        random)
      assert.equal(truth, event.outcome, describe_case(case))
      assert.is_true(event.failure_reason ~= "of last week", describe_case(case))
      local over = case.lag + case.turn + (case.deployed and 0 or case.back)
      if not case.gaps and case.starts >= over then
        assert.equal(1, world.count.DescribeEndpoint, describe_case(case))
      end
    end
  end)

  it("claim nothing wrong when nothing is known", function()
    local random = generator(7)
    local seen = {}
    for _ = 1, CASES do
      local case = make(random)
      local event, truth = watch(case, { timeout = 1e5 }, random)
      assert.is_true(event.outcome == truth or event.outcome == "in_service", describe_case(case))
      seen[event.outcome] = (seen[event.outcome] or 0) + 1
    end
    assert.is_true(seen.deployed > 150 and seen.rolled_back > 150 and seen.in_service > 150)
  end)
end)
