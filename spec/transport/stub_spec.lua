local stub = require "sagemaker.transport.stub"
local transport = require "sagemaker.transport"
local errors = require "sagemaker.error"

local function request(body)
  return { method = "POST", url = "https://example.com/", headers = { A = "b" }, body = body or "" }
end

describe("transport.stub", function()
  it("fulfils the contract", function()
    assert.is_true(transport.check(stub.new{}))
  end)

  it("answers from a list and records copies of the requests", function()
    local one = stub.new{ { body = "first" }, { status = 400, headers = { X = "y" } } }
    local sent = request("1")
    assert.same({ status = 200, headers = {}, body = "first" }, one:send(sent, 9))
    sent.headers.A = "changed"
    assert.same({ status = 400, headers = { X = "y" }, body = "" }, one:send(request("2")))
    assert.equal(2, #one.requests)
    assert.equal("1", one.requests[1].body)
    assert.equal("b", one.requests[1].headers.A)
    assert.equal(9, one.requests[1].deadline)
    assert.has_error(function() one:send(request()) end,
      "stub: request 3 came, but the script has 2 answers")
  end)

  it("answers from functions", function()
    local one = stub.new(function(r, deadline, self)
      return { body = r.body .. tostring(deadline) .. #self.requests }
    end)
    assert.equal("x51", one:send(request("x"), 5).body)
    one = stub.new{ function(r) return { body = r.method } end }
    assert.equal("POST", one:send(request()).body)
  end)

  it("fails as told", function()
    local script = { { code = "ConnectionReset", sent = true, retryable = true } }
    local response, message, err = stub.new(script):send(request())
    assert.is_nil(response)
    assert.equal("ConnectionReset: as the script says", message)
    assert.is_true(errors.is(err))
    assert.same({ "transport", true, true }, { err.kind, err.sent, err.retryable })
    assert.is_nil(getmetatable(script[1]))
  end)

  it("has a clock that only sleeping and delays move", function()
    local one = stub.new({ { delay = 2 }, { delay = 10 } }, { now = 1000 })
    assert.equal(0, one:clock())
    one:sleep(3)
    one:sleep(-1)
    assert.equal(3, one:clock())
    assert.equal(1003, one:now())
    assert.same({ 3, -1 }, one.sleeps)
    assert.truthy(one:send(request(), 6))
    assert.equal(5, one:clock())
    local response, _, err = one:send(request(), 7)
    assert.is_nil(response)
    assert.same({ "timeout", "AttemptTimeout", true }, { err.kind, err.code, err.sent })
    assert.equal(7, one:clock())
    assert.same({ 3, 5 }, { one.requests[1].at, one.requests[2].at })
  end)
end)
