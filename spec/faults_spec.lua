-- Whole calls, over sockets, against servers that fail in every way a network knows: how each ends,
-- after how many attempts, and not before its time. What a call lasts at most is not looked at, as
-- a machine may be busy: the pauses that it asks for are.
local sagemaker = require "sagemaker"
local server = require "support.server"

local core = require "sagemaker.core"

local PARAMS = { EndpointName = "e" }
local GOOD = [[{"EndpointName":"e","EndpointStatus":"InService"}]]

-- An answer as badserver's steps write it; the connection ends after it unless it is kept.
local function answer(status, body, headers, kept)
  return ("send:HTTP/1.1 %d X\\r\\nContent-Length: %d\\r\\n%s%s\\r\\n%s"):format(status, #body,
    kept and "" or "Connection: close\\r\\n", headers or "", (body:gsub("\\", "\\\\")))
end

local function failure(status, code)
  return answer(status, ('{"__type":"%s","message":"m"}'):format(code))
end

-- One list of steps a connection, as server.bad takes them; the last serves all further ones.
local function steps_of(...)
  local out = {}
  for i = 1, select("#", ...) do
    if i > 1 then out[#out + 1] = "next" end
    for _, step in ipairs((select(i, ...))) do out[#out + 1] = step end
  end
  return out
end

describe("faults", function()
  local available, reason = server.available()
  if not available then
    pending("not run: " .. reason)
    return
  end

  teardown(function() server.clean() end)

  local pauses -- seconds that calls wait between attempts, in all

  before_each(function() pauses = 0 end)

  local function sleep(seconds) pauses = pauses + seconds end

  local function client_of(url, options)
    local all = {
      credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "HIDDENSECRET" },
      endpoint_url = url,
      io = { getenv = function() end, random = function() return 0 end, sleep = sleep },
      region = "eu-west-1",
      timeouts = { connect = 1, read = 1, operation = 3 },
    }
    for name, value in pairs(options or {}) do all[name] = value end
    return assert(sagemaker.new(all))
  end

  -- Output or err of a call, and the seconds that it took.
  local function timed(client, opts)
    local start = core.clock()
    local output, message, err = client:describe_endpoint(PARAMS, opts)
    local seconds = core.clock() - start
    if not output then
      assert.equal(tostring(err), message)
      assert.equal("DescribeEndpoint", err.operation)
      assert.is_nil(message:find("HIDDENSECRET", 1, true))
    end
    return output, err, seconds
  end

  -- One call against a server with these steps.
  local function call(steps, options)
    local bad = server.bad(steps)
    local output, err, seconds = timed(client_of(bad:url(), options))
    local said = bad:output()
    bad:stop()
    return output, err, seconds, said
  end

  -- Compares an err with what is expected of it.
  local function is(expected, err, what)
    for name, value in pairs(expected) do
      assert.equal(value, err[name], ("%s: %s of %s"):format(what or "", name, tostring(err)))
    end
  end

  -- How a connection can break.
  local HEAD = "send:HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\n{"
  local BREAKS = {
    ["closed before the answer"] = { { "read" }, "EmptyReply" },
    ["reset at once"] = { { "await", "reset" }, "ConnectionReset" },
    ["reset before the answer"] = { { "read", "reset" }, "ConnectionReset" },
    ["reset in the head of the answer"] = { { "read", "send:HTTP/1.1 200 OK\\r\\nA", "wait:20",
      "reset" }, "TruncatedResponse" },
    ["closed in the answer"] = { { "read", HEAD }, "TruncatedResponse" },
    ["reset in the answer"] = { { "read", HEAD, "wait:20", "reset" }, "TruncatedResponse" },
  }

  for name, case in pairs(BREAKS) do
    it("a connection " .. name .. " is tried again, three times in all", function()
      local output, err = call(case[1])
      assert.is_nil(output)
      is({ kind = "transport", code = case[2], retryable = true, attempts = 3, sent = true,
        gave_up = "attempts" }, err)
      assert.equal(0, pauses)
      output = call(steps_of(case[1], case[1], { "read", answer(200, GOOD) }))
      assert.equal("InService", output.EndpointStatus)
    end)
  end

  it("a connection reset after the answer changes nothing, nor does it for the next call",
    function()
      local bad = server.bad(steps_of({ "read", answer(200, GOOD, "", true), "wait:30", "reset" },
        { "read", answer(200, GOOD) }))
      local client = client_of(bad:url(), { retry = { max_attempts = 1 } })
      local first = timed(client)
      core.sleep(0.06)
      local second = timed(client)
      bad:stop()
      assert.equal("InService", first.EndpointStatus)
      assert.equal("InService", second.EndpointStatus)
    end)

  it("a closed port refuses, three times", function()
    -- Nobody listens there, and no other program gets it as a port of its own.
    local _, err = timed(client_of "http://127.0.0.1:1")
    is({ kind = "transport", code = "ConnectionRefused", retryable = true, attempts = 3,
      sent = false }, err)
    assert.equal(0, pauses)
  end)

  it("a host behind a silent firewall is a timeout", function()
    local _, err, seconds = call({ "full" }, { timeouts = { connect = 0.1, operation = 3 } })
    is({ kind = "timeout", code = "ConnectTimeout", retryable = true, attempts = 3,
      sent = false }, err)
    assert.is_true(seconds >= 0.29)
  end)

  describe("an answer with the status", function()
    -- status, code, and attempts in standard and in legacy mode
    local ANSWERS = {
      { 500, "InternalFailure", 3, 5 }, { 502, "X", 3, 5 }, { 503, "X", 3, 5 }, { 504, "X", 3, 5 },
      { 429, "X", 1, 5 }, { 429, "TooManyRequestsException", 3, 5 }, { 509, "X", 1, 5 },
      { 501, "X", 1, 1 }, { 400, "ValidationException", 1, 1 }, { 403, "AccessDenied", 1, 1 },
      { 400, "ThrottlingException", 3, 5 }, { 400, "Throttling", 3, 5 },
      { 400, "ThrottledException", 3, 5 }, { 400, "RequestLimitExceeded", 3, 1 },
      { 400, "SlowDown", 3, 1 }, { 400, "RequestTimeout", 3, 1 },
      { 400, "LimitExceededException", 3, 1 },
    }
    for _, row in ipairs(ANSWERS) do
      local status, code = row[1], row[2]
      it(("%d and the code %s"):format(status, code), function()
        local bad = server.bad { "read", failure(status, code) }
        local client = client_of(bad:url())
        local _, standard = timed(client)
        local _, legacy = timed(client, { retry = { mode = "legacy" } })
        bad:stop()
        is({ kind = "service", code = code, status = status, message = "m",
          retryable = row[3] > 1, attempts = row[3] }, standard, "standard")
        is({ retryable = row[4] > 1, attempts = row[4] }, legacy, "legacy")
      end)
    end
  end)

  it("an error page of a gateway is no JSON and yet an error of its status", function()
    local page = { "read", answer(502, "<html>Bad</html>", "Content-Type: text/html\\r\\n") }
    local _, err = call(page)
    is({ kind = "service", code = "502", status = 502, retryable = true, attempts = 3 }, err)
    local output = call(steps_of(page, { "read", answer(200, GOOD) }))
    assert.equal("InService", output.EndpointStatus)
  end)

  it("an answer that cannot be read is final: the work is done", function()
    local _, err = call { "read", answer(200, '{"EndpointName":') }
    is({ kind = "protocol", code = "UnreadableResponse", status = 200, retryable = false,
      attempts = 1 }, err)
  end)

  it("an answer that is too long is final", function()
    local _, err = call({ "read", answer(200, (" "):rep(2000) .. GOOD) },
      { max_response_bytes = 1000 })
    is({ kind = "transport", code = "ResponseTooLarge", retryable = false, attempts = 1 }, err)
  end)

  describe("a server that is slow", function()
    -- Whoever waits longer than he was told gets an answer.
    local SLOW = {
      ["to say anything"] = { "read", "wait:5000", answer(200, GOOD) },
      ["in the head"] = { "read", "send:HTTP/1.1 200 OK\\r\\nX-A: ", "wait:5000",
        "send:b\\r\\nContent-Length: 2\\r\\n\\r\\n{}" },
      ["in the body"] = { "read", HEAD, "wait:5000", "send:}" .. (" "):rep(98) },
    }
    for name, steps in pairs(SLOW) do
      it(name .. " is a timeout, tried again", function()
        local _, err, seconds = call(steps, { timeouts = { read = 0.1, operation = 3 } })
        is({ kind = "timeout", code = "ReadTimeout", retryable = true, attempts = 3, sent = true },
          err)
        assert.is_true(seconds >= 0.29)
      end)
    end

    local DRIPS = {
      ["with its head"] = { "read", "drip:20:HTTP/1.1 200 OK\\r\\nX-A: " .. ("a"):rep(400) },
      ["with its body"] = { "read", HEAD, "drip:20:" .. ("a"):rep(400) },
    }
    for name, steps in pairs(DRIPS) do
      it(name .. " never stalls, but ends with the attempt", function()
        local _, err, seconds = call(steps, { timeouts = { read = 1, attempt = 0.1 } })
        is({ kind = "timeout", code = "AttemptTimeout", retryable = true, attempts = 3 }, err)
        assert.is_true(seconds >= 0.29)
      end)

      it(name .. " ends with the operation, however many attempts are left", function()
        -- The attempt that runs when the time is over has time of its own left.
        local refused = { "read", answer(503, "{}") }
        local _, err, seconds = call(steps_of(refused, refused, steps), {
          retry = { max_attempts = 50 }, timeouts = { read = 1, attempt = 60, operation = 0.5 } })
        is({ kind = "timeout", code = "OperationTimeout", retryable = false, attempts = 3 }, err)
        assert.is_true(seconds >= 0.49)
      end)
    end
  end)

  it("no backoff goes past the operation's deadline", function()
    local _, err = call({ "read", failure(503, "X") }, {
      io = { getenv = function() end, random = function() return 0.999 end, sleep = sleep },
      timeouts = { operation = 0.5 },
    })
    is({ kind = "service", code = "X", retryable = true, attempts = 1, gave_up = "deadline" }, err)
    assert.equal(0, pauses)
  end)

  it("credentials that do not come end the operation in time", function()
    local bad = server.bad { "read", "hang" }
    local URLS = { AWS_CONTAINER_CREDENTIALS_FULL_URI = bad:url() .. "/keys",
      AWS_EC2_METADATA_SERVICE_ENDPOINT = bad:url() }
    for name, url in pairs(URLS) do
      local client = assert(sagemaker.new { endpoint_url = bad:url(), region = "eu-west-1",
        io = { getenv = function(asked) return asked == name and url or nil end },
        timeouts = { connect = 1, read = 1, operation = 0.3 } })
      local _, err, seconds = timed(client)
      is({ kind = "credentials", attempts = 0, retryable = false }, err, name)
      assert.is_true(seconds >= 0.29, name)
      assert.truthy(err.message:find("AttemptTimeout", 1, true), err.message) -- no ReadTimeout
    end
    bad:stop()
  end)

  it("the adaptive mode does not hold back past the operation's deadline", function()
    local _, err = call({ "read", failure(400, "ThrottlingException") },
      { retry = { mode = "adaptive" }, timeouts = { operation = 0.5 } })
    is({ kind = "timeout", code = "OperationTimeout", retryable = false, attempts = 1 }, err)
    assert.equal("ThrottlingException", err.cause.code)
    assert.equal(0, pauses)
  end)

  describe("a clock that is wrong by an hour", function()
    local function dates(said)
      local out = {}
      for date in said:gmatch("X%-Amz%-Date: (%w+)") do
        out[#out + 1] = math.floor((core.time.parse(date) - core.now()) / 60 + 0.5)
      end
      return out
    end

    for _, minutes in ipairs { 60, -60 } do
      it(("(%+d minutes) is set right once, for all later calls too"):format(minutes), function()
        local date = ("Date: %s\\r\\n"):format(core.time.format(math.floor(core.now())
          + minutes * 60, "rfc7231"))
        local refusal = answer(403, '{"__type":"InvalidSignatureException","message":"m"}', date)
        local fine = answer(200, GOOD, date)
        local bad = server.bad(steps_of({ "read", refusal }, { "read", fine }, { "read", fine },
          { "read", refusal }))
        local client = client_of(bad:url())
        for _ = 1, 2 do assert.equal("InService", timed(client).EndpointStatus) end
        -- A wrong key stays one.
        local _, err = timed(client)
        local said = bad:output()
        bad:stop()
        is({ kind = "service", code = "InvalidSignatureException", retryable = false,
          attempts = 1 }, err)
        assert.same({ 0, minutes, minutes, minutes }, dates(said))
        assert.equal(500, client.state.quota.available)
      end)
    end

    it("is not blamed for an error that says nothing of it", function()
      local date = ("Date: %s\\r\\n"):format(core.time.format(math.floor(core.now()) + 3600,
        "rfc7231"))
      local _, err, _, said = call { "read", answer(403, '{"__type":"AccessDenied"}', date) }
      is({ code = "AccessDenied", retryable = false, attempts = 1 }, err)
      assert.same({ 0 }, dates(said))
    end)
  end)

  describe("TLS", function()
    local certificates, nginx

    setup(function()
      certificates = server.certificates()
      nginx = server.nginx {
        locations = [[location / { return 200 '{"EndpointStatus":"InService"}'; }]],
        tls = { "good", "wrong_host", "expired" },
        certificates = certificates.dir,
      }
    end)

    teardown(function()
      if nginx then nginx:stop() end
      if certificates then certificates.remove() end
    end)

    local CASES = {
      ["a CA that nobody knows"] = { "good", "other.pem", "CertificateError" },
      ["a certificate of another host"] = { "wrong_host", "ca.pem", "HostNameMismatch" },
      ["an expired certificate"] = { "expired", "ca.pem", "CertificateError" },
    }
    for name, case in pairs(CASES) do
      it("with " .. name .. " is refused once, nothing sent", function()
        local client = client_of(nginx:url("", case[1]),
          { tls = { ca_file = certificates.dir .. "/" .. case[2] } })
        local _, err = timed(client)
        is({ kind = "transport", code = case[3], retryable = false, attempts = 1, sent = false,
          gave_up = "final" }, err)
      end)
    end

    it("with everything right works", function()
      local client = client_of(nginx:url("", "good"),
        { tls = { ca_file = certificates.dir .. "/ca.pem" } })
      assert.equal("InService", timed(client).EndpointStatus)
    end)
  end)
end)
