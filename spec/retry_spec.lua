local errors = require "sagemaker.error"
local retry = require "sagemaker.retry"
local stub = require "sagemaker.transport.stub"

local standard, legacy = retry.modes.standard, retry.modes.legacy
local revised = retry.revised.standard

local function service(code, status)
  return errors.new { kind = "service", code = code, status = status, message = "m" }
end

describe("sagemaker.retry", function()
  it("classifies by code, status and kind", function()
    assert.equal("throttling", retry.classify(standard, service("ThrottlingException", 400)))
    assert.equal("transient", retry.classify(standard, service("Whatever", 503)))
    assert.is_nil(retry.classify(standard, service("ValidationException", 400)))
    assert.equal("throttling",
      retry.classify(standard, service("Modelled", 400), "throttling"))
    assert.equal("timeout", retry.classify(standard, { kind = "timeout", code = "ReadTimeout" }))
    assert.equal("transient",
      retry.classify(standard, { kind = "transport", code = "ConnectionReset" }))
    for _, kind in ipairs { "timeout", "transport" } do
      assert.is_nil(retry.classify(standard, { kind = kind, code = "X", retryable = false }))
    end
    for _, kind in ipairs { "protocol", "config", "credentials", "validation" } do
      assert.is_nil(retry.classify(standard, { kind = kind, code = "X" }))
    end
  end)

  it("counts a code in legacy mode only with its status", function()
    assert.equal("throttling", retry.classify(legacy, service("Throttling", 400)))
    assert.is_nil(retry.classify(legacy, service("Throttling", 401)))
    assert.equal("throttling", retry.classify(legacy, service("X", 429)))
    assert.is_nil(retry.classify(legacy, { kind = "transport", code = "TruncatedResponse" }))
    assert.equal("transient",
      retry.classify(legacy, { kind = "transport", code = "ConnectionReset" }))
  end)

  it("backs off by a random share of a growing time, up to 20 seconds", function()
    local function wait(mode, n, x, reason)
      return retry.backoff(mode, n, function() return x end, reason or "transient")
    end
    assert.equal(1, wait(standard, 1, 1))
    assert.equal(4, wait(standard, 3, 1))
    assert.equal(2, wait(standard, 3, 0.5))
    assert.equal(0, wait(standard, 3, 0))
    assert.equal(20, wait(standard, 9, 1))
    assert.equal(10, wait(standard, 5000, 0.5))
    assert.equal(128, wait(legacy, 8, 1))
    assert.equal(0, wait(legacy, 5000, 0))
    assert.equal(0.2, wait(revised, 3, 1))
    assert.equal(4, wait(revised, 3, 1, "throttling"))
    assert.equal(0.1, wait(revised, 2, 1, "timeout"))
  end)

  it("waits as long as the revised mode's service asks, within reason", function()
    local function wait(mode, after)
      return retry.backoff(mode, 1, function() return 1 end, "throttling", after)
    end
    assert.equal(1.5, wait(revised, "1500"))
    assert.equal(1.5, wait(revised, " +1500 "))
    assert.equal(1, wait(revised, "0"))
    assert.equal(6, wait(revised, "999999999999999"))
    for _, nonsense in ipairs { "", "-1500", "1.5", "1e3", "soon", ("9"):rep(400), "0x10" } do
      assert.equal(1, wait(revised, nonsense))
    end
    assert.equal(1, wait(standard, "1500"))
  end)

  it("takes the revision of 2026 where the environment says so", function()
    local function mode_of(value)
      local asked, state = 0, { modes = false }
      local function getenv(name)
        assert.equal("AWS_NEW_RETRIES_2026", name)
        asked = asked + 1
        return value
      end
      local mode = retry.mode(state, "adaptive", getenv)
      retry.mode(state, "standard", getenv)
      assert.equal(1, asked)
      assert.is_true(mode.limited)
      return mode
    end
    assert.equal(retry.modes.adaptive, mode_of(nil))
    for _, no in ipairs { "", "false", "1", "yes" } do
      assert.equal(retry.modes.adaptive, mode_of(no))
    end
    assert.equal(retry.revised.adaptive, mode_of "true")
    assert.equal(retry.revised.adaptive, mode_of "True")
  end)

  it("takes from the quota and gives back", function()
    local quota = retry.quota(20)
    assert.equal(5, retry.acquire(standard, quota, "transient", 1, 3))
    assert.equal(10, retry.acquire(standard, quota, "timeout", 1, 3))
    assert.equal(5, quota.available)
    assert.same({ nil, "quota" }, { retry.acquire(standard, quota, "timeout", 1, 3) })
    retry.refund(quota, 10)
    assert.equal(15, quota.available)
    retry.refund(quota)
    assert.equal(16, quota.available)
    retry.refund(quota, 10)
    assert.equal(20, quota.available)
    assert.equal(14, retry.acquire(revised, quota, "timeout", 1, 3))
    assert.equal(5, retry.acquire(revised, quota, "throttling", 1, 3))
    assert.equal(1, quota.available)
  end)

  it("ends after the last attempt and for errors that stay", function()
    local quota = retry.quota()
    assert.same({ nil, "attempts" }, { retry.acquire(standard, quota, "transient", 3, 3) })
    assert.same({ nil, "final" }, { retry.acquire(standard, quota, nil, 1, 3) })
    assert.equal(500, quota.available)
    assert.equal(0, retry.acquire(legacy, quota, "transient", 4, 5))
  end)

  it("sees a wrong clock", function()
    assert.equal(0, retry.skew("RequestTimeTooSkewed", 1000, 1000))
    assert.equal(300, retry.skew("InvalidSignatureException", 1300, 1000))
    assert.equal(-300, retry.skew("SignatureDoesNotMatch", 700, 1000))
    assert.is_nil(retry.skew("InvalidSignatureException", 1100, 1000))
    assert.is_nil(retry.skew("RequestTimeTooSkewed", nil, 1000))
    assert.is_nil(retry.skew("ValidationException", 9000, 1000))
  end)

  describe("after an error that shows a wrong clock", function()
    local function state_of(skew)
      return { quota = retry.quota(), skew = skew or 0 }
    end

    local function call_of(fields)
      local call = { attempt = 1, max_attempts = 3, mode = standard, skew = 0,
        transport = stub.new({}, { now = 1000 }) }
      for name, value in pairs(fields) do call[name] = value end
      return call
    end

    local function zero() return 0 end

    it("tries again at once, once a call, at no cost", function()
      local state, call = state_of(), call_of { date = 4600 }
      local err = service("InvalidSignatureException", 403)
      assert.equal(0, retry.delay(state, call, err, zero))
      assert.is_true(err.retryable)
      assert.equal(3600, state.skew)
      assert.equal(500, state.quota.available)
      call.attempt, call.skew = 2, 3600
      assert.is_nil(retry.delay(state, call, err, zero))
      assert.is_false(err.retryable)
      assert.equal("final", err.gave_up)
    end)

    it("keeps what it has learnt for later calls when no attempt is left", function()
      local state, call = state_of(), call_of { attempt = 3, date = 400 }
      assert.is_nil(retry.delay(state, call, service("RequestExpired", 403), zero))
      assert.equal(-600, state.skew)
    end)

    it("looks at the clock that the attempt was signed with", function()
      -- Another call has corrected it meanwhile.
      local state, call = state_of(3600), call_of { date = 4600, skew = 0 }
      assert.equal(0, retry.delay(state, call, service("SignatureDoesNotMatch", 403), zero))
      assert.equal(3600, state.skew)
    end)

    it("changes nothing without a date", function()
      local state = state_of(5)
      assert.is_nil(retry.delay(state, call_of {}, service("RequestExpired", 403), zero))
      assert.equal(5, state.skew)
    end)
  end)
end)
