local errors = require "sagemaker.error"
local retry = require "sagemaker.retry"

local standard, legacy = retry.modes.standard, retry.modes.legacy

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
  end)

  it("backs off by a random share of a growing time, up to 20 seconds", function()
    local function at(x)
      return function() return x end
    end
    assert.equal(1, retry.backoff(standard, 1, at(1)))
    assert.equal(4, retry.backoff(standard, 3, at(1)))
    assert.equal(2, retry.backoff(standard, 3, at(0.5)))
    assert.equal(0, retry.backoff(standard, 3, at(0)))
    assert.equal(20, retry.backoff(standard, 9, at(1)))
    assert.equal(20, retry.backoff(standard, 5000, at(0.9)))
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
end)
