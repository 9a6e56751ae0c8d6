local cache = require "sagemaker.credentials.cache"

-- A world with a clock, and a provider that answers from a list.
local function world(answers)
  local w = { now = 1000, gets = 0, slept = 0 }
  w.io = {
    now = function() return w.now end,
    sleep = function(seconds)
      w.now, w.slept = w.now + seconds, w.slept + seconds
      if w.on_sleep then w.on_sleep() end
    end,
  }
  w.provider = { get = function()
    w.gets = w.gets + 1
    local answer = answers[w.gets] or answers[#answers]
    if type(answer) == "function" then answer = answer() end
    if type(answer) == "string" then return nil, answer end
    return { access_key_id = "K" .. w.gets, source = "test",
      expires_at = answer and w.now + answer or nil }
  end }
  w.cache = cache.new(w.provider)
  w.get = function() return w.cache:get(w.io) end
  return w
end

describe("sagemaker.credentials.cache", function()
  it("keeps keys without an expiry", function()
    local w = world { false }
    assert.equal(w.get(), w.get())
    w.now = 1e12
    w.get()
    assert.equal(1, w.gets)
  end)

  it("refreshes shortly before the expiry", function()
    local w = world { 3600, 3600 }
    assert.equal("K1", w.get().access_key_id)
    w.now = w.now + 3600 - 901
    assert.equal("K1", w.get().access_key_id)
    w.now = w.now + 2
    assert.equal("K2", w.get().access_key_id)
  end)

  it("does not refresh keys that live shortly at each call", function()
    local w = world { 900, 900 }
    assert.equal("K1", w.get().access_key_id)
    assert.equal("K1", w.get().access_key_id)
    w.now = w.now + 900 - 226
    assert.equal("K1", w.get().access_key_id)
    w.now = w.now + 2
    assert.equal("K2", w.get().access_key_id)
  end)

  it("goes on with valid keys when a refresh fails, and tries again after a pause", function()
    local w = world { 3600, "down", "down", 3600 }
    w.get()
    w.now = w.now + 3600 - 800
    assert.equal("K1", w.get().access_key_id)
    assert.equal("K1", w.get().access_key_id)
    assert.equal(2, w.gets)
    w.now = w.now + 61
    assert.equal("K1", w.get().access_key_id)
    assert.equal(3, w.gets)
    w.now = w.now + 61
    assert.equal("K4", w.get().access_key_id)
  end)

  it("uses keys to their last second when the refresh fails, and fails after it", function()
    local w = world { 3600, "down" }
    w.get()
    w.now = w.now + 3599
    assert.equal("K1", w.get().access_key_id)
    w.now = w.now + 2
    local keys, reason = w.get()
    assert.is_nil(keys)
    assert.equal("down", reason)
  end)

  it("asks again when the provider wants that, and goes on with the old keys if need be", function()
    local w = world { 1020, "down", 7200 }
    w.get().refresh_at = w.now + 120
    w.now = w.now + 119
    w.get()
    assert.equal(1, w.gets)
    w.now = w.now + 1
    assert.equal("K1", w.get().access_key_id)
    assert.equal("K1", w.get().access_key_id)
    assert.equal(2, w.gets)
    w.now = w.now + 61
    assert.equal("K3", w.get().access_key_id)
    assert.equal("K3", w.get().access_key_id)
    assert.equal(3, w.gets)
  end)

  it("refuses keys that come expired", function()
    local w = world { -5 }
    local keys, reason, broken = w.get()
    assert.is_nil(keys)
    assert.equal("the credentials (test) have expired", reason)
    assert.is_true(broken)
  end)

  it("refreshes once at a time; others go on with valid keys", function()
    local inner
    local w
    w = world { 3600, function()
      inner = w.get()
      return 3600
    end }
    w.get()
    w.now = w.now + 3600 - 800
    assert.equal("K2", w.get().access_key_id)
    assert.equal("K1", inner.access_key_id)
    assert.equal(2, w.gets)
  end)

  it("lets others go on until ten minutes before the expiry, and no longer", function()
    for seconds, others in pairs { [610] = "K1", [590] = "K2" } do
      local w
      w = world { 7200, function()
        coroutine.yield()
        return 7200
      end }
      w.get()
      w.now = w.now + 7200 - seconds
      local first = coroutine.create(function() return w.get() end)
      assert(coroutine.resume(first))
      w.on_sleep = function()
        if coroutine.status(first) ~= "dead" then coroutine.resume(first) end
      end
      assert.equal(others, w.get().access_key_id)
    end
  end)

  it("makes others wait when the keys are no good any more", function()
    local w
    w = world { function()
      coroutine.yield()
      return 3600
    end }
    local first = coroutine.create(function() return w.get() end)
    assert(coroutine.resume(first))
    assert.equal("suspended", coroutine.status(first))
    w.on_sleep = function()
      if coroutine.status(first) ~= "dead" then coroutine.resume(first) end
    end
    assert.equal("K1", w.get().access_key_id)
    assert.equal(1, w.gets)
    assert.is_true(w.slept > 0)
  end)

  it("does not wait for ever", function()
    local w, inner, reason
    w = world { function()
      inner, reason = w.get()
      return 3600
    end }
    assert.equal("K1", w.get().access_key_id)
    assert.is_nil(inner)
    assert.equal("a refresh that another caller began does not end", reason)
    assert.is_true(w.slept >= 59 and w.slept <= 61)
  end)

  -- The io of a caller who has until then.
  local function within(w, deadline)
    return setmetatable({ within = function()
      return setmetatable({ is_late = function() return w.now >= deadline end }, { __index = w.io })
    end }, { __index = w.io })
  end

  it("waits no longer for others than a caller has time", function()
    local w, inner, reason
    w = world { function()
      inner, reason = w.cache:get(within(w, 1002), 1002)
      return 3600
    end }
    assert.equal("K1", w.get().access_key_id)
    assert.is_nil(inner)
    assert.equal("no time is left to wait for another caller's refresh", reason)
    assert.is_true(w.slept >= 2 and w.slept < 2.1)
  end)

  it("refreshes for who has time when a caller who had none could not", function()
    local w
    w = world { function()
      coroutine.yield()
      w.now = w.now + 5
      return "too late"
    end, 3600 }
    local reason
    local first = coroutine.create(function()
      local _
      _, reason = w.cache:get(within(w, 1002), 1002)
    end)
    assert(coroutine.resume(first))
    w.on_sleep = function() coroutine.resume(first) end
    assert.equal("K2", w.get().access_key_id)
    assert.equal("too late", reason)
    assert.equal(2, w.gets)
  end)

  it("lets the cancellation of a task through, and recovers", function()
    local cancelled = require("sagemaker.error").new { kind = "cancelled", code = "TaskCancelled",
      message = "the task was cancelled" }
    local w = world { function() error(cancelled, 0) end, 3600 }
    local ok, thrown = pcall(w.get)
    assert.is_false(ok)
    assert.equal(cancelled, thrown)
    assert.equal("K2", w.get().access_key_id)
  end)

  it("does not wait for a refresh that goes on only after who would wait", function()
    -- In tasks whose calls are made in coroutines of their own nobody can yield to the scheduler.
    local task = require "sagemaker.task"
    local sim = require("sagemaker.simulator").new()
    local io = { now = function() return sim:now() end,
      sleep = function(seconds) sim:sleep(seconds) end }
    local gets = 0
    local kept = cache.new { get = function()
      gets = gets + 1
      sim:sleep(1)
      return { access_key_id = "K", source = "test", expires_at = sim:now() + 3600 }
    end }
    local start = sim:now()
    local function use()
      return coroutine.wrap(function() return assert(kept:get(io)).access_key_id end)()
    end
    for _, row in ipairs(task.all { use, use, use }) do
      assert.same({ true, "K" }, { row[1], row[2] })
    end
    assert.is_true(sim:now() - start < 10)
    assert.is_true(gets <= 3)
    use()
    assert.is_true(gets <= 3)
  end)

  it("recovers from a provider that throws", function()
    local w = world { function() error("boom", 0) end, 3600 }
    local keys, reason, broken = w.get()
    assert.is_nil(keys)
    assert.equal("boom", reason)
    assert.is_true(broken)
    assert.equal("K2", w.get().access_key_id)
  end)

  it("does not wait for a coroutine that has died", function()
    local w = world { function()
      coroutine.yield()
      error("boom", 0)
    end, 3600 }
    local first = coroutine.create(function() return assert(w.get()) end)
    assert(coroutine.resume(first))
    assert.is_false((coroutine.resume(first)))
    assert.equal("K2", w.get().access_key_id)
    assert.equal(0, w.slept)
  end)

  it("refreshes once for a thousand coroutines", function()
    local w = world { function()
      for _ = 1, 5 do coroutine.yield() end
      return 3600
    end }
    w.io.sleep = function() coroutine.yield() end
    local waiting, got = {}, {}
    for i = 1, 1000 do
      waiting[i] = coroutine.create(function() got[i] = w.get() end)
    end
    local rounds = 0
    repeat
      rounds = rounds + 1
      w.now = w.now + 0.05
      local again = {}
      for _, thread in ipairs(waiting) do
        assert(coroutine.resume(thread))
        if coroutine.status(thread) ~= "dead" then again[#again + 1] = thread end
      end
      waiting = again
    until #waiting == 0
    assert.equal(1, w.gets)
    assert.is_true(rounds < 10)
    for i = 1, 1000 do assert.equal("K1", got[i].access_key_id) end
  end)
end)
