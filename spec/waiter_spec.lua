local errors = require "sagemaker.error"
local stub = require "sagemaker.transport.stub"
local waiter = require "sagemaker.waiter"

local CONFIG = {
  name = "ThingReady",
  operation = "DescribeThing",
  delay = 10,
  max_attempts = 4,
  acceptors = {
    { matcher = "path", argument = "Status", expected = "Ready", state = "success" },
    { matcher = "path", argument = "Status", expected = "Broken", state = "failure" },
    { matcher = "error", expected = "Throttled", state = "retry" },
    { matcher = "error", expected = "Gone", state = "failure" },
  },
}

-- Runs the waiter over answers: a status, an output, or an err table.
local function run(answers, opts)
  local transport, asked = stub.new {}, {}
  local function call(operation, params, call_opts)
    asked[#asked + 1] = { operation, params, call_opts }
    local answer = answers[#asked] or answers[#answers]
    if type(answer) == "table" and answer.Status then return answer end
    if type(answer) == "table" then
      local err = errors.new(answer)
      return nil, tostring(err), err
    end
    return { Status = answer }
  end
  local params = { ThingName = "t" }
  local output, message, err = waiter.run(CONFIG, call, transport, params, opts, { region = "x" })
  return output, message, err, transport.sleeps, asked
end

describe("sagemaker.waiter", function()
  it("polls with the model's delay until success", function()
    local output, _, _, sleeps, asked = run { "Pending", "Pending", "Ready" }
    assert.same({ Status = "Ready" }, output)
    assert.same({ 10, 10 }, sleeps)
    assert.same({ "DescribeThing", { ThingName = "t" }, { region = "x" } }, asked[1])
  end)

  it("fails where the model says so, with what led to it", function()
    local output, message, err = run { "Broken" }
    assert.is_nil(output)
    assert.equal("WaiterFailed: ThingReady: Waiter encountered a terminal failure state: "
      .. 'For expression "Status" we matched expected path: "Broken"', message)
    assert.equal("service", err.kind)
    assert.same({ Status = "Broken" }, err.output)
    local _, _, gone = run { { kind = "service", code = "Gone", message = "m", status = 400 } }
    assert.equal("WaiterFailed", gone.code)
    assert.equal("Gone", gone.cause.code)
    assert.equal(400, gone.status)
  end)

  it("says in its message what the service has said", function()
    local _, message = run { { kind = "service", code = "Gone", message = "No thing t." } }
    assert.equal("WaiterFailed: ThingReady: Waiter encountered a terminal failure state: "
      .. "Matched expected service error code: Gone: No thing t.", message)
    local _, text, err = run { { Status = "Broken", FailureReason = "It fell." } }
    assert.truthy(text:find('"Broken": It fell.', 1, true))
    assert.is_nil(err.reason:find("It fell", 1, true))
  end)

  it("hands back an error that no acceptor expects", function()
    local _, message, err = run { "Pending", { kind = "service", code = "Denied", message = "m" } }
    assert.equal("Denied: m", message)
    assert.equal("ThingReady", err.waiter)
    _, message, err = run { { kind = "transport", code = "Refused", message = "m" } }
    assert.equal("Refused: m", message)
    assert.equal("transport", err.kind)
  end)

  it("gives up after max_attempts", function()
    local _, message, err, sleeps = run({ "Pending" })
    assert.equal("WaiterTimedOut: ThingReady: Max attempts exceeded", message)
    assert.equal("timeout", err.kind)
    assert.equal(3, #sleeps)
    _, message = run { { kind = "service", code = "Throttled", message = "m" } }
    assert.matches("Previously accepted state: Matched expected service error code: Throttled",
      message, 1, true)
    local _, _, _, one = run({ "Pending" }, { max_attempts = 2, delay = 1 })
    assert.same({ 1 }, one)
  end)

  it("never exceeds its timeout", function()
    local _, _, err, sleeps = run({ "Pending" }, { timeout = 25 })
    assert.equal("WaiterTimedOut", err.code)
    assert.same({ 10, 10, 5 }, sleeps)
  end)

  it("throws for wrong options", function()
    for _, opts in ipairs { { delay = "x" }, { max_attempts = -1 }, { timeout = 0 / 0 } } do
      assert.error_matches(function() run({ "Ready" }, opts) end, "must be a number")
    end
  end)

  it("finds waiters by both names", function()
    local rows = require "sagemaker.model.waiters"
    assert.equal("EndpointInService", waiter.find(rows, "endpoint_in_service").name)
    assert.equal("EndpointInService", waiter.find(rows, "EndpointInService").name)
    assert.error_matches(function() waiter.find(rows, "endpoint_inservice") end,
      "did you mean endpoint_in_service?", 1, true)
  end)
end)
