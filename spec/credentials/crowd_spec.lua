-- Many coroutines that need credentials at once, through the client: one of them fetches, the
-- others wait in the transport's own way.

local HOST = "http://169.254.170.2/creds"

local function keys_until(seconds)
  return ([[{"AccessKeyId": "AK", "SecretAccessKey": "secret", "Token": "token",
    "Expiration": "%.0f"}]]):format(seconds)
end

-- A transport for coroutines: whoever waits for something yields.
local function transport_of(answer)
  local self = { clock_now = 0, requests = {} }
  function self.send(_, request)
    self.requests[#self.requests + 1] = request
    for _ = 1, 3 do coroutine.yield() end
    return answer(request)
  end
  function self.sleep(_, seconds)
    local deadline = self.clock_now + seconds
    while self.clock_now < deadline do coroutine.yield() end
  end
  function self.now() return 1768480496 + self.clock_now end
  function self.clock() return self.clock_now end
  return self
end

local function run(transport, threads)
  local rounds = 0
  while #threads > 0 do
    rounds = rounds + 1
    assert.is_true(rounds < 1000)
    transport.clock_now = transport.clock_now + 0.05
    local again = {}
    for _, thread in ipairs(threads) do
      assert(coroutine.resume(thread))
      if coroutine.status(thread) ~= "dead" then again[#again + 1] = thread end
    end
    threads = again
  end
end

local function client_with(transport)
  local env = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "/creds", AWS_REGION = "eu-west-1",
    AWS_MAX_ATTEMPTS = "1" }
  return assert(require("sagemaker.client").new { transport = transport, io = {
    getenv = function(name) return env[name] end,
    open = function(path) return nil, path .. ": No such file or directory", 2 end,
  } })
end

local function asked(transport)
  local n = 0
  for _, request in ipairs(transport.requests) do
    if request.url == HOST then n = n + 1 end
  end
  return n
end

local function call_together(client, n)
  local outcomes, threads = {}, {}
  for i = 1, n do
    threads[i] = coroutine.create(function()
      outcomes[i] = { client:call("ListEndpoints", {}) }
    end)
  end
  run(client.settings.transport, threads)
  return outcomes
end

describe("a thousand coroutines that need credentials", function()
  it("cause one request for them, and one more when they end", function()
    local transport
    transport = transport_of(function(request)
      if request.url ~= HOST then return { status = 200, headers = {}, body = "{}" } end
      return { status = 200, headers = {}, body = keys_until(transport.now() + 3600) }
    end)
    local client = client_with(transport)
    for _, outcome in ipairs(call_together(client, 1000)) do
      assert.same({ {} }, outcome)
    end
    assert.equal(1, asked(transport))
    assert.equal(1001, #transport.requests)
    transport.clock_now = 3600 - 300
    call_together(client, 1000)
    assert.equal(2, asked(transport))
  end)

  it("share the keys known while new ones are fetched early", function()
    local transport
    transport = transport_of(function(request)
      if request.url ~= HOST then return { status = 200, headers = {}, body = "{}" } end
      return { status = 200, headers = {}, body = keys_until(transport.now() + 3600) }
    end)
    local client = client_with(transport)
    call_together(client, 1)
    transport.clock_now = 3600 - 800
    local before = transport.clock_now
    call_together(client, 1000)
    assert.equal(2, asked(transport))
    assert.is_true(transport.clock_now - before < 1)
  end)

  it("share the failure, too", function()
    local transport
    transport = transport_of(function()
      return { status = 404, headers = {}, body = "" }
    end)
    local outcomes = call_together(client_with(transport), 100)
    for _, outcome in ipairs(outcomes) do
      assert.is_nil(outcome[1])
      assert.equal("credentials", outcome[3].kind)
      assert.truthy(outcome[2]:find("the agent answered HTTP status 404", 1, true), outcome[2])
    end
    assert.equal(3, asked(transport))
  end)
end)
