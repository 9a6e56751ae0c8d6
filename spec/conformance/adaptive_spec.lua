-- The numbers of the adaptive mode's rate limiter, as botocore and other SDKs compute them.
local adaptive = require "sagemaker.retry.adaptive"
local stub = require "sagemaker.transport.stub"
local support = require "support"

local cjson = require "cjson"

local function near(expected, actual, id)
  assert.is_true(math.abs(expected - actual) < 1e-5,
    ("%s: expected %s, not %s"):format(id, expected, actual))
end

local players = {}

function players.CubicCalculator(row)
  local cubic = adaptive.cubic(row.starting_max_rate, row.start_time)
  local rate
  for _, step in ipairs(row.steps) do
    rate = step.event == "throttle" and adaptive.throttled(cubic, rate, step.t)
      or adaptive.succeeded(cubic, step.t)
    near(step.rate, rate, row.id)
    for _, name in ipairs { "w_max", "k", "last_fail" } do near(step[name], cubic[name], row.id) end
  end
end

function players.RateClocker(row)
  local clocker = adaptive.clocker(row.created_at)
  for _, step in ipairs(row.steps) do
    near(step.measured, adaptive.record(clocker, step.t), row.id)
  end
end

-- What the steps of a bucket do.
local ops = {}

function ops.at(_, transport, time)
  transport:sleep(time - transport:clock())
  return cjson.null
end

function ops.rate(bucket, transport, rate)
  adaptive.set_rate(bucket, rate, transport:clock())
  return cjson.null
end

ops["try"] = function(bucket, transport, amount)
  return adaptive.try(bucket, amount, transport:clock()) == 0
end

function ops.acquire(bucket, transport, amount)
  return (adaptive.take(bucket, amount, transport))
end

function players.TokenBucket(row)
  local transport = stub.new {}
  local bucket = adaptive.bucket(row.max_rate, transport:clock())
  for _, step in ipairs(row.steps) do
    local before = #transport.sleeps
    assert.equal(step.result, ops[step.op](bucket, transport, step.arg), row.id)
    near(step.t, transport:clock(), row.id)
    near(step.capacity, bucket.capacity, row.id)
    near(step.max_capacity, bucket.max_capacity, row.id)
    near(step.max_rate, bucket.rate, row.id)
    if step.op ~= "at" then
      assert.equal(#step.slept, #transport.sleeps - before, row.id)
      for i, seconds in ipairs(step.slept) do
        near(seconds, transport.sleeps[before + i], row.id)
      end
    end
  end
end

function players.ClientRateLimiter(row)
  local limiter = adaptive.limiter(row.start_time)
  for _, step in ipairs(row.steps) do
    adaptive.learn(limiter, step.event == "throttle", step.t)
    near(step.measured, limiter.clocker.measured, row.id)
    near(step.bucket_rate, limiter.bucket.rate, row.id)
    assert.equal(step.enabled, limiter.enabled, row.id)
  end
end

describe("conformance: adaptive", function()
  local dir = support.conformance()
  if not dir then
    pending("the vectors are not at hand")
    return
  end

  -- Whether a row asks for constants other than those that every SDK has.
  local function unusual(row)
    for name, value in pairs { beta = 0.7, scale_constant = 0.4, min_rate = 0.5 } do
      if row[name] and row[name] ~= value then return name .. " is a constant of ours" end
    end
    return not players[row.component] and "there is no " .. row.component or nil
  end

  it("golden rows", function()
    local skipped, ran = {}, 0
    for _, row in ipairs(support.rows("golden/adaptive.jsonl")) do
      local reason = unusual(row)
      if reason then
        skipped[#skipped + 1] = { id = row.id, reason = reason }
      else
        players[row.component](row)
        ran = ran + 1
      end
    end
    support.tally("golden/adaptive", ran, skipped)
  end)

  it("cases of other SDKs", function()
    local suite = cjson.decode(support.read(dir .. "/retries/smithy-kotlin/adaptive-cubic.json"))
    local ran = 0
    for _, test in ipairs(suite.adaptiveRetryCubicTestCases) do
      local given, rate = test.given, nil
      local cubic = adaptive.cubic(given.last_max_rate, given.last_throttle_time)
      for _, case in ipairs(test.cases) do
        rate = case.response == "throttle" and adaptive.throttled(cubic, rate, case.timestamp)
          or adaptive.succeeded(cubic, case.timestamp)
        near(case.calculated_rate, rate, test.name)
      end
      ran = ran + 1
    end
    for _, test in ipairs(suite.adaptiveRetryE2eTestCases) do
      local limiter = adaptive.limiter(0)
      for _, case in ipairs(test.cases) do
        adaptive.learn(limiter, case.response == "throttle", case.timestamp)
        near(case.measured_tx_rate, limiter.clocker.measured, test.name)
        near(case.new_token_bucket_rate, limiter.bucket.rate, test.name)
      end
      ran = ran + 1
    end
    support.tally("retries/adaptive-cubic", ran, {})
  end)
end)
