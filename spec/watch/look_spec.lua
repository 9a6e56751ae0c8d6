local errors = require "sagemaker.error"
local task = require "sagemaker.task"
local watch = require "sagemaker.watch"
local watched = require "support.watched"

local transport = { clock = function() return 0 end, sleep = function(_, s) task.sleep(s) end }

-- A watch whose calls wait by `wait` before they bring an answer.
local function watch_with(wait)
  return watch.new {
    call = function(_, params) return wait(params.EndpointName) or watched.OLD end,
    random = function() return 0 end, transport = transport,
  }
end

describe("looks in coroutines", function()
  it("hand on what a transport yields, and what it is answered", function()
    local answers = {}
    local own = watch_with(function(name)
      local answer = { coroutine.yield("wait", name) }
      answers[#answers + 1] = answer
    end)
    local one, two = own:in_service_coroutine("one"), own:in_service_coroutine("two")
    assert.same({ true, "wait", "one" }, { coroutine.resume(one) })
    assert.same({ true, "wait", "two" }, { coroutine.resume(two) })
    local ok, event = coroutine.resume(one, 1, nil, 3)
    assert.is_true(ok)
    assert.equal("InService", event.status)
    ok, event = coroutine.resume(two, "x")
    assert.is_true(ok)
    assert.equal("InService", event.status)
    assert.same({ { 1, nil, 3 }, { "x" } }, answers)
  end)

  it("go on after one that has thrown", function()
    local broken = true
    local own = watch_with(function()
      if broken then error("broken", 0) end
    end)
    assert.same({ false, "broken" }, { coroutine.resume(own:in_service_coroutine("one")) })
    broken = false
    assert.is_true((coroutine.resume(own:in_service_coroutine("two"))))
  end)

  it("may begin inside one another", function()
    local own, inner
    own = watch_with(function(name)
      if name == "outer" then
        local _, event = coroutine.resume(own:in_service_coroutine("inner"))
        inner = event.status
      end
    end)
    local ok, event = coroutine.resume(own:in_service_coroutine("outer"))
    assert.is_true(ok)
    assert.equal("InService", event.status)
    assert.equal("InService", inner)
  end)
end)

describe("looks in tasks", function()
  it("are few at a time, and all come to their end", function()
    local under_way, most, seen = 0, 0, {}
    local own = watch_with(function()
      under_way = under_way + 1
      most = math.max(most, under_way)
      task.sleep(0.001)
      under_way = under_way - 1
    end)
    task.run(function()
      for i = 1, 100 do
        task.spawn(function() seen[i] = own:watch_endpoint("e" .. i):next().status end)
      end
    end)
    assert.equal(100, #seen)
    assert.is_true(most > 1 and most <= 16)
  end)

  it("leave their place when the task is cancelled or the look fails", function()
    local fate = "wait"
    local own = watch_with(function()
      if fate == "wait" then task.sleep(1e6) end
      if fate == "fail" then error(errors.new { kind = "thrown", code = "X", message = "x" }, 0) end
    end)
    task.run(function()
      local tasks = {}
      for i = 1, 40 do
        tasks[i] = task.spawn(function() return own:watch_endpoint("e"):next() end)
      end
      task.sleep(0)
      for _, each in ipairs(tasks) do assert.is_true(each:cancel()) end
      for _, each in ipairs(tasks) do assert.is_false((each:wait())) end
      fate = "fail"
      for i = 1, 40 do
        tasks[i] = task.spawn(function() return own:watch_endpoint("e"):next() end)
      end
      for _, each in ipairs(tasks) do
        local ok, err = each:wait()
        assert.is_false(ok)
        assert.equal("X", err.code)
      end
      fate = "answer"
      assert.equal("InService", own:watch_endpoint("e"):next().status)
    end)
  end)
end)
