-- What botocore retries, waits for and pays, and when other SDKs believe that a clock is wrong.
local clients = require "sagemaker.client"
local retry = require "sagemaker.retry"
local stub = require "sagemaker.transport.stub"
local support = require "support"

local cjson = require "cjson"
local core = require "sagemaker.core"

local SERVICES = {
  ["sagemaker"] = { name = "sagemaker", id = "SageMaker" },
  ["sagemaker-runtime"] = { name = "sagemaker-runtime", id = "SageMaker Runtime" },
}

local START = 1768480496 -- 2026-01-15T12:34:56Z, the clock of the golden rows

local function optional(value)
  if value == cjson.null then return nil end
  return value
end

-- {"$bytes": base64} is a string here.
local function plain(value)
  if type(value) ~= "table" then return value end
  if value["$bytes"] then return core.text.unbase64(value["$bytes"]) end
  local out = {}
  for key, item in pairs(value) do out[key] = plain(item) end
  return out
end

-- The failures of a golden script as a transport reports them.
local FAILURES = {
  connect_timeout = { kind = "timeout", code = "ConnectTimeout" },
  read_timeout = { kind = "timeout", code = "ReadTimeout" },
  connection_refused = { kind = "transport", code = "ConnectionRefused" },
  connection_closed = { kind = "transport", code = "ConnectionReset" },
  incomplete_read = { kind = "transport", code = "TruncatedResponse" },
  ssl = { kind = "transport", code = "TLSError" },
}

local function answer_of(step)
  local failure = FAILURES[optional(step.network_error)]
  if failure then
    return { kind = failure.kind, code = failure.code, delay = step.latency }
  end
  return { status = step.status, headers = step.headers, body = step.body, delay = step.latency }
end

local function headers_of(request)
  local headers = {}
  for name, value in pairs(request.headers) do headers[name:lower()] = value end
  return headers
end

local function near(expected, actual, id)
  assert.is_true(math.abs(expected - actual) < 1e-6,
    ("%s: expected %s, not %s"):format(id, expected, actual))
end

-- We sign a request when it may go, botocore before it waits for its turn.
local function signed_at(row, request)
  if row.mode ~= "adaptive" then return request.x_amz_date end
  return core.time.format(math.floor(START + request.t + 1e-6), "amz")
end

-- Plays one call of a row and compares what was sent, when, and how it ended.
local function play(row, call, client, transport)
  local first, first_sleep = #transport.requests, #transport.sleeps
  local output, _, err = client:call(row.operation, plain(row.params))
  local sent = #transport.requests - first
  assert.equal(#call.requests, sent, row.id)
  for i, expected in ipairs(call.requests) do
    local request = transport.requests[first + i]
    local headers = headers_of(request)
    near(expected.t, request.at, row.id)
    assert.equal(expected.amz_sdk_request, headers["amz-sdk-request"], row.id)
    assert.equal(signed_at(row, expected), headers["x-amz-date"], row.id)
    assert.equal(headers_of(transport.requests[first + 1])["amz-sdk-invocation-id"],
      headers["amz-sdk-invocation-id"])
  end
  -- A pause of no length is not slept; what rounding leaves of one is none.
  local expected, slept = {}, {}
  for _, seconds in ipairs(call.sleeps) do
    if seconds > 1e-6 then expected[#expected + 1] = seconds end
  end
  for i = first_sleep + 1, #transport.sleeps do
    if transport.sleeps[i] > 1e-6 then slept[#slept + 1] = transport.sleeps[i] end
  end
  assert.equal(#expected, #slept, row.id)
  for i, seconds in ipairs(expected) do near(seconds, slept[i], row.id) end
  assert.equal(call.outcome.ok, output ~= nil, row.id)
  if err then
    assert.equal(sent, err.attempts, row.id)
    assert.equal(row.operation, err.operation, row.id)
    if call.outcome.code then assert.equal(call.outcome.code, err.code, row.id) end
  end
end

local function run(row)
  local answers = {}
  for _, call in ipairs(row.calls) do
    for i = 1, #call.requests do answers[#answers + 1] = answer_of(call.script[i]) end
  end
  local transport = stub.new(answers, { now = START })
  local client = assert(clients.new({
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "s" },
    io = {
      getenv = function() end,
      random = function() return row.jitter end,
    },
    region = "us-west-2",
    retry = { mode = row.mode, max_attempts = optional(row.total_max_attempts) },
    transport = transport,
  }, SERVICES[row.service]))
  for _, call in ipairs(row.calls) do play(row, call, client, transport) end
end

describe("conformance: retry", function()
  local dir = support.conformance()
  if not dir then
    pending("the vectors are not at hand")
    return
  end

  it("golden rows", function()
    local rows, skipped, ran = support.rows("golden/retry.jsonl"), {}, 0
    for _, row in ipairs(rows) do
      local unknown
      for _, call in ipairs(row.calls) do
        for _, step in ipairs(call.script) do
          local network = optional(step.network_error)
          if network and not FAILURES[network] then unknown = network end
        end
      end
      if unknown then
        skipped[#skipped + 1] = { id = row.id, reason = unknown .. " is no failure of a transport" }
      elseif not retry.modes[row.mode] then
        skipped[#skipped + 1] = { id = row.id, reason = "there is no retry mode " .. row.mode }
      else
        run(row)
        ran = ran + 1
      end
    end
    support.tally("golden/retry", ran, skipped)
  end)

  it("classification of the standard mode", function()
    local tables = cjson.decode(support.read(dir
      .. "/retries/botocore/standard-classification.json"))
    local skipped, ran = {}, 0
    local shapes = tables.SERVICE_DESCRIPTION_WITH_RETRIES.shapes
    -- What a service model says about an error code.
    local function modelled(code)
      for name, shape in pairs(shapes) do
        if shape.retryable and code == (shape.error and shape.error.code or name) then
          return shape.retryable.throttling and "throttling" or "transient"
        end
      end
    end
    for name, rows in pairs(tables) do
      if name:find("^RETRYABLE_") then
        for _, row in ipairs(rows) do
          local status, what, expected = optional(row[1]), optional(row[2]), row[3]
          status = status and math.floor(status)
          local err = type(what) == "table" and { kind = "transport", code = what.exception }
            or { kind = "service", code = what, status = status }
          local reason = retry.classify(retry.modes.standard, err,
            type(what) == "string" and modelled(what) or nil)
          -- A row says what one checker answers; "no" there may be "yes" in another one.
          if expected then
            assert.is_not_nil(reason, ("%s %s %s"):format(name, status or "-", tostring(what)))
            ran = ran + 1
          elseif reason then
            skipped[#skipped + 1] = { id = ("%s %s %s"):format(name, status or "-",
              tostring(what)), reason = "a row for one checker alone; another one accepts it" }
          else
            ran = ran + 1
          end
        end
      end
    end
    support.tally("retries/standard-classification", ran, skipped)
  end)

  -- Plays the answers of a case: one call after the other, each until it is over.
  local function play_case(case, modes, skipped)
    local given, mode = case.given, {}
    for key, value in pairs(modes.standard) do mode[key] = value end
    mode.max_delay = given.max_backoff_time or mode.max_delay
    local state = { quota = retry.quota(given.initial_retry_tokens), skew = 0 }
    local call
    for _, step in ipairs(case.responses) do
      call = call or { attempt = 1, mode = mode, transport = stub.new {}, skew = 0,
        max_attempts = given.max_attempts or mode.max_attempts }
      local response, expected = step.response, step.expected
      local outcome, delay
      if response.status_code == 200 then
        outcome = "success"
        retry.refund(state.quota, call.cost)
        call = nil
      else
        local err = { kind = "service", code = response.error_code or "x",
          status = response.status_code }
        call.retry_after = response.headers and response.headers["x-amz-retry-after"]
        delay = retry.delay(state, call, err, function() return given.exponential_base end)
        outcome = ({ quota = "retry_quota_exceeded", attempts = "max_attempts_exceeded",
          final = "non_retryable_error" })[err.gave_up] or "retry_request"
        call.attempt = call.attempt + 1
        if not delay then call = nil end
      end
      assert.equal(expected.outcome, outcome, case.name)
      if expected.retry_quota then
        assert.equal(expected.retry_quota, state.quota.available, case.name)
      end
      if outcome ~= "retry_request" and expected.delay then
        skipped[#skipped + 1] = { id = case.name .. ", its delay",
          reason = "a wait after the last attempt is for long polls; no operation of ours is one" }
      elseif expected.delay then
        near(expected.delay, delay, case.name)
      end
    end
  end

  for name, modes in pairs { ["standard-v2.0"] = retry.modes,
    ["standard-v2.1-2026"] = retry.revised } do
    it("quota and delays: " .. name, function()
      local suite = cjson.decode(support.read(("%s/retries/smithy-kotlin/%s.json"):format(dir,
        name)))
      local ran, skipped = 0, {}
      for _, cases in pairs(suite) do
        for _, case in ipairs(type(cases) == "table" and cases or {}) do
          play_case(case, modes, skipped)
          ran = ran + 1
        end
      end
      support.tally("retries/" .. name, ran, skipped)
    end)
  end

  it("clock skew", function()
    local suite = cjson.decode(support.read(dir .. "/retries/smithy-kotlin/clock-skew.json"))
    for _, case in ipairs(suite.cases) do
      local server = core.time.parse(case.server or case.server_date_header)
      local client = core.time.parse(case.client or case.client_header)
      local skew = retry.skew(case.code, server, client)
      assert.equal(case.skewed, skew ~= nil, case.name)
      if case.skew_seconds and skew then assert.equal(case.skew_seconds, skew, case.name) end
    end
    support.tally("retries/clock-skew", #suite.cases, {})
  end)
end)
