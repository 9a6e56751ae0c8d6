local adaptive = require "sagemaker.retry.adaptive"
local sagemaker = require "sagemaker"
local stub = require "sagemaker.transport.stub"

local OK = { delay = 0.1, body = "{}" }
local THROTTLED = { status = 400, delay = 0.1,
  body = '{"__type":"ThrottlingException","message":"slow down"}' }

local function client_of(script, options)
  local transport = stub.new(script)
  local all = {
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "s" },
    io = { getenv = function() end, random = function() return 0 end },
    region = "eu-west-1",
    retry = { mode = "adaptive" },
    transport = transport,
  }
  for name, value in pairs(options or {}) do all[name] = value end
  return assert(sagemaker.new(all)), transport
end

local function total(list)
  local sum = 0
  for _, value in ipairs(list) do sum = sum + value end
  return sum
end

describe("sagemaker.retry.adaptive", function()
  it("holds nothing back until something is throttled", function()
    local client, transport = client_of(function() return OK end)
    for _ = 1, 50 do assert(client:describe_endpoint { EndpointName = "e" }) end
    assert.same({}, transport.sleeps)
    assert.is_false(client.state.limiters[transport].enabled)
  end)

  it("sends no faster than a service allows, which throttles above 5 a second", function()
    local taken = {}
    local client, transport = client_of(function(_, _, transport)
      local now, recent = transport:clock(), 0
      for _, at in ipairs(taken) do
        if at > now - 1 then recent = recent + 1 end
      end
      if recent >= 5 then return THROTTLED end
      taken[#taken + 1] = now
      return OK
    end, { retry = { mode = "adaptive", max_attempts = 10 } })
    client.state.quota = { available = 1e9, capacity = 1e9 }
    for _ = 1, 200 do assert(client:describe_endpoint { EndpointName = "e" }) end
    -- Standard mode without jitter would have had one throttled answer for each that was not.
    assert.is_true(#transport.requests < 280, tostring(#transport.requests))
    assert.is_true(total(transport.sleeps) > 10)
    assert.is_true(transport:clock() < 80, tostring(transport:clock()))
  end)

  it("ends before the deadline when the turn would come after it", function()
    local client, transport = client_of({ THROTTLED, THROTTLED, THROTTLED }, {
      timeouts = { operation = 1 },
    })
    local output, message, err = client:describe_endpoint { EndpointName = "e" }
    assert.is_nil(output)
    assert.equal("OperationTimeout", err.code)
    assert.equal("timeout", err.kind)
    assert.is_false(err.retryable)
    assert.is_false(err.sent)
    assert.equal("ThrottlingException", err.cause.code)
    assert.equal(#transport.requests, err.attempts)
    assert.matches("the rate limiter holds the request back for [%d.]+ s more", message)
    assert.matches("slow down", message)
    assert.is_true(transport:clock() < 1)
    -- The next call finds the same limiter.
    output, message, err = client:describe_endpoint({ EndpointName = "e" },
      { timeouts = { operation = 0.01 } })
    assert.is_nil(output)
    assert.equal(0, err.attempts)
    assert.is_nil(err.cause)
    assert.is_nil(message:find("attempt before", 1, true))
  end)

  it("is shared by the calls of a client, and asked only in its mode", function()
    local client, transport = client_of { THROTTLED, OK, OK, OK }
    assert(client:describe_endpoint { EndpointName = "e" })
    local limiter = client.state.limiters[transport]
    assert.is_true(limiter.enabled)
    local before = #transport.sleeps
    assert(client:describe_endpoint({ EndpointName = "e" }, { retry = { mode = "standard" } }))
    assert.equal(before, #transport.sleeps)
    assert(client:describe_endpoint { EndpointName = "e" })
    assert.equal(before + 1, #transport.sleeps)
    assert.equal(limiter, client.state.limiters[transport])
    local other = stub.new { OK }
    assert(client:describe_endpoint({ EndpointName = "e" }, { transport = other }))
    assert.same({}, other.sleeps)
  end)

  it("works on the simulator, in its time", function()
    local sim = sagemaker.simulator.new()
    local client = assert(sagemaker.new { transport = sim, retry = { mode = "adaptive" },
      io = { getenv = function() end } })
    sim:throttle(2)
    local start = sim:clock()
    assert(client:list_endpoints())
    assert.is_true(sim:clock() - start >= 2)
    assert.is_true(client.state.limiters[sim].enabled)
  end)

  it("signs a request when it goes, not when it begins to wait", function()
    local client, transport = client_of { THROTTLED, OK }
    assert(client:describe_endpoint { EndpointName = "e" })
    local second = transport.requests[2]
    assert.is_true(second.at > 1)
    local core = require "sagemaker.core"
    assert.equal(core.time.format(math.floor(1768478400 + second.at), "amz"),
      second.headers["X-Amz-Date"])
  end)

  it("stands a clock that steps back", function()
    local bucket = adaptive.bucket(10, 100)
    assert.equal(0, adaptive.try(bucket, 1, 101))
    local left = bucket.capacity
    assert.equal(0, adaptive.try(bucket, 1, 50))
    assert.equal(left - 1, bucket.capacity)
    assert.equal(0, adaptive.try(bucket, 1, 51))
  end)

  it("never waits for ever, however slow the service is", function()
    local limiter = adaptive.limiter(0)
    for _ = 1, 1000 do adaptive.learn(limiter, true, 0) end
    assert.equal(0.5, limiter.bucket.rate)
    assert.is_true(adaptive.try(limiter.bucket, 1, 0) <= 2)
  end)
end)
