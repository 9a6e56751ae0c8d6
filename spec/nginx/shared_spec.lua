-- State shared through a dictionary: here with one that behaves like nginx's; in nginx itself by
-- spec/nginx/workers_spec.lua.
local retry = require "sagemaker.retry"
local shared_of = require "sagemaker.nginx.shared"

local function new_dict(clock)
  local values, ends = {}, {}
  local function live(key)
    if ends[key] and clock.now >= ends[key] then values[key], ends[key] = nil, nil end
    return values[key]
  end
  local dict = {}
  function dict.get(_, key) return live(key) end
  function dict.set(_, key, value, seconds)
    values[key], ends[key] = value, seconds and seconds > 0 and clock.now + seconds or nil
    return true
  end
  function dict.add(self, key, value, seconds)
    if live(key) ~= nil then return false, "exists" end
    return self:set(key, value, seconds)
  end
  function dict.delete(_, key) values[key] = nil end
  function dict.incr(_, key, value, init)
    local now = live(key) or init
    if not now then return nil, "not found" end
    values[key] = now + value
    return values[key]
  end
  return dict
end

describe("nginx.shared", function()
  local clock, dict, logged

  -- A world as a provider sees it; sleeping moves the clock, and lets `on_sleep` act.
  local function new_io(on_sleep)
    return { now = function() return clock.now end, sleep = function(seconds)
      clock.now = clock.now + seconds
      if on_sleep then on_sleep() end
    end }
  end

  local function new(opts)
    return shared_of.new(opts)
  end

  -- A provider that answers keys for an hour, or what `answer` says.
  local function new_inner(answer)
    local inner = { calls = 0, name = "inner" }
    function inner:get(io)
      self.calls = self.calls + 1
      if answer then return answer(self, io) end
      return { access_key_id = "AKID" .. self.calls, secret_access_key = "s", source = "inner",
        expires_at = clock.now + 3600 }
    end
    return inner
  end

  before_each(function()
    clock, logged = { now = 1e9 }, {}
    dict = new_dict(clock)
    rawset(_G, "ngx", { WARN = 1, get_phase = function() return "init" end,
      log = function(_, ...) logged[#logged + 1] = table.concat({ ... }) end,
      shared = { sagemaker = dict } })
  end)
  after_each(function() rawset(_G, "ngx", nil) end)

  it("keeps the clock offset and the retry quota of a service for all", function()
    local settings = { region = "eu-west-1" }
    local one, other = new():state("sagemaker", settings), new():state("sagemaker", settings)
    local third = new():state("sagemaker", { region = "us-east-1" })
    assert.same({ 0, 500, 500 }, { one.skew, one.quota.available, one.quota.capacity })
    one.skew = 300
    assert.same({ 300, 0 }, { other.skew, third.skew })
    local mode = retry.modes.standard
    assert.equal(5, retry.acquire(mode, one.quota, "transient", 1, 3))
    assert.equal(10, retry.acquire(mode, other.quota, "timeout", 1, 3))
    assert.same({ 485, 485, 500 },
      { one.quota.available, other.quota.available, third.quota.available })
    retry.refund(other.quota, 10)
    retry.refund(one.quota)
    assert.equal(496, other.quota.available)
    for _ = 1, 10 do retry.refund(one.quota, 5) end
    assert.equal(500, other.quota.available)
    one.limiters = "a worker's own"
    assert.is_false(other.limiters)
  end)

  it("fetches keys once for all, and again before they end", function()
    local shared, inner = new(), new_inner()
    local one, other = shared:provider(inner, "profile", "p"),
      shared:provider(inner, "profile", "p")
    local io = new_io()
    assert.equal("AKID1", one:get(io).access_key_id)
    local keys = other:get(io)
    assert.same({ "AKID1", "s", 1e9 + 3600, 1 },
      { keys.access_key_id, keys.secret_access_key, keys.expires_at, inner.calls })
    assert.is_nil(tostring(keys):find("AKID1", 1, true))
    assert.equal("AKID2", shared:provider(inner, "profile", "q"):get(io).access_key_id)
    clock.now = 1e9 + 2699
    assert.equal("AKID1", other:get(io).access_key_id)
    clock.now = 1e9 + 2701
    assert.equal("AKID3", other:get(io).access_key_id)
    assert.equal("AKID3", one:get(io).access_key_id)
    assert.equal(3, inner.calls)
  end)

  it("lets others go on with good keys while one refreshes", function()
    local shared, io, other, other_saw = new(), new_io(), nil, nil
    local inner = new_inner(function(self)
      if self.calls == 2 then other_saw = other:get(io).access_key_id end
      return { access_key_id = "AKID" .. self.calls, secret_access_key = "s", source = "x",
        expires_at = clock.now + 3600 }
    end)
    local one = shared:provider(inner, "profile")
    other = shared:provider(inner, "profile")
    one:get(io)
    clock.now = clock.now + 3000
    assert.equal("AKID2", one:get(io).access_key_id)
    assert.same({ "AKID1", 2 }, { other_saw, inner.calls })
  end)

  it("waits for another's refresh where there are no keys, and hears how it failed", function()
    local shared, inner = new(), new_inner()
    local provider = shared:provider(inner, "profile")
    dict:add(provider.lock, "another worker", 30)
    local steps = 0
    local keys = provider:get(new_io(function()
      steps = steps + 1
      if steps == 3 then
        dict:set(provider.key, '{"access_key_id":"A","secret_access_key":"B","source":"x",' ..
          '"expires_at":1e10,"renew_at":1e10}')
      end
    end))
    assert.same({ "A", 0, 3 }, { keys.access_key_id, inner.calls, steps })

    provider = shared:provider(inner, "profile", "other")
    dict:add(provider.lock, "another worker", 30)
    local answer, reason, broken = provider:get(new_io(function()
      dict:set(provider.failed, "the role is gone", 1)
    end))
    assert.same({ 0, "the role is gone", true }, { inner.calls, reason, broken })
    assert.is_nil(answer)
  end)

  it("takes over from one that died, and gives up when time is up", function()
    local provider = new():provider(new_inner(), "profile")
    dict:add(provider.lock, "a worker that died", 30)
    assert.equal("AKID1", provider:get(new_io()).access_key_id)
    assert.is_true(clock.now - 1e9 >= 30 and clock.now - 1e9 < 31)

    provider = new():provider(new_inner(), "profile", "late")
    dict:add(provider.lock, "another worker", 30)
    local io = new_io()
    io.is_late = function() return clock.now > 1e9 + 31 end
    local keys, reason = provider:get(io)
    assert.is_nil(keys)
    assert.truthy(reason:find("no time is left", 1, true))
  end)

  it("gives its mark back when a provider throws", function()
    local provider = new():provider(new_inner(function() error("boom", 0) end), "profile")
    assert.has_error(function() provider:get(new_io()) end, "boom")
    assert.is_nil(dict:get(provider.lock))
  end)

  it("leaves keys without an expiry to each worker", function()
    local inner = new_inner(function()
      return { access_key_id = "A", secret_access_key = "B", source = "environment" }
    end)
    local shared = new()
    shared:provider(inner, "profile"):get(new_io())
    shared:provider(inner, "profile"):get(new_io())
    assert.equal(2, inner.calls)
  end)

  it("shares keys of a function only under a name, and none over a reload", function()
    local inner = new_inner()
    assert.equal(inner, new():provider(inner, "function"))
    local shared = new{ name = "vault" }
    shared:provider(inner, "function"):get(new_io())
    shared:provider(inner, "function"):get(new_io())
    assert.equal(1, inner.calls)
    new{ name = "vault" }:provider(inner, "function"):get(new_io()) -- of another load
    assert.equal(2, inner.calls)
  end)

  it("shares looks at an endpoint, never one from before", function()
    local calls = 0
    local transport = { clock = function() return clock.now end,
      sleep = function(_, seconds) clock.now = clock.now + seconds end }
    local function ask()
      calls = calls + 1
      return { EndpointStatus = "Updating", n = calls }
    end
    local polls = new():polls({ region = "r" }, transport)
    local other = new():polls({ region = "r" }, transport)
    local output, err, seen = polls:look("churn", clock.now, ask)
    assert.same({ 1, 1e9 }, { output.n, seen })
    assert.is_nil(err)
    clock.now = clock.now + 2
    output, err, seen = polls:look("churn", seen, ask)
    assert.same({ 2, 1e9 + 2 }, { output.n, seen })
    assert.is_nil(err)
    clock.now = clock.now + 1
    assert.equal(2, other:look("churn", 1e9 + 1, ask).n)   -- asked after what it knew
    assert.equal(3, other:look("churn", clock.now, ask).n) -- but not after this
    output, err = polls:look("gone", clock.now, function() return nil, "m", { code = "E" } end)
    assert.is_nil(output)
    assert.equal("E", err.code)
    dict:add("lock poll  r churn", "another worker", 30)
    assert.equal(4, polls:look("churn", clock.now, ask).n)
  end)

  it("without a dictionary is each worker's own, and says so", function()
    rawget(_G, "ngx").shared = {}
    local shared, inner = new{ dict = "mine" }, new_inner()
    assert.truthy(logged[1]:find("there is no lua_shared_dict mine", 1, true))
    assert.equal(inner, shared:provider(inner, "profile"))
    assert.is_nil(shared:polls({}, {}))
    assert.same({ available = 500, capacity = 500 }, shared:state("x", {}).quota)
    rawset(_G, "ngx", nil)
    assert.equal(0, new():state("x", {}).skew)
  end)

  it("is an option of clients", function()
    local sagemaker = require "sagemaker"
    local client = assert(sagemaker.new{ region = "eu-west-1", shared = new() })
    client.state.skew = 5
    assert.equal(5, assert(sagemaker.new{ region = "eu-west-1", shared = new() }).state.skew)
    assert.has_error(function() sagemaker.new{ shared = {} } end,
      "option shared must be what sagemaker.nginx.shared makes, not table")
  end)
end)
