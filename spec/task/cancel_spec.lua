-- Tasks that are cancelled.
local diary = require("support.diary").new
local task = require "sagemaker.task"

describe("cancel", function()
  it("raises where the task waits, and what it has begun unwinds", function()
    local sim, note, lines = diary()
    local ok, err = task.run(function()
      local one = task.spawn(function()
        local _, raised = pcall(sim.sleep, sim, 100)
        note(raised.code)
        _, raised = pcall(sim.sleep, sim, 100) -- it cannot wait any more
        note(raised.code)
        error(raised, 0)
      end)
      sim:sleep(1)
      assert.is_true(one:cancel())
      return one:wait()
    end)
    assert.is_false(ok)
    assert.same({ "cancelled", "TaskCancelled" }, { err.kind, err.code })
    assert.same({ "1 TaskCancelled", "1 TaskCancelled" }, lines)
  end)

  it("of a task that has not begun keeps it from beginning, of one that has ended does nothing",
    function()
      local begun = false
      task.run(function()
        local one = task.spawn(function() begun = true end)
        assert.is_true(one:cancel())
        assert.is_false(one:cancel())
        assert.equal("cancelled", one.status)
        local two = task.spawn(function() return 2 end)
        two:wait()
        assert.is_false(two:cancel())
        assert.same({ true, 2 }, { two:wait() })
      end)
      assert.is_false(begun)
    end)

  it("ends a task that has caught it and goes on by itself", function()
    local sim = diary()
    local ok, result = task.run(function()
      local one = task.spawn(function()
        pcall(sim.sleep, sim, 100)
        return "went on"
      end)
      sim:sleep(1)
      one:cancel()
      return one:wait()
    end)
    assert.same({ true, "went on" }, { ok, result })
  end)

  it("ends a task that lets others run and never waits", function()
    local turns = 0
    local function spin()
      while true do
        turns = turns + 1
        coroutine.yield()
      end
    end
    local value, _, err = task.timeout(0.01, spin)
    assert.same({ nil, "TaskTimeout" }, { value, err.code })
    local last = turns
    task.run(function()
      local one = task.spawn(spin)
      task.sleep(0)
      one:cancel()
      local ok, why = one:wait()
      assert.same({ false, "TaskCancelled", "cancelled" }, { ok, why.code, one.status })
    end)
    assert.is_true(turns > last and turns < last + 10)
  end)

  it("reaches the tasks of an `all` and of a `run` that is waited for", function()
    for _, name in ipairs { "all", "run" } do
      local sim = diary()
      local seen = {}
      local function sleeper()
        seen[#seen + 1] = task.current()
        sim:sleep(100)
      end
      task.run(function()
        local one = task.spawn(function()
          if name == "all" then return task.all { sleeper, sleeper } end
          return task.run(function()
            task.spawn(sleeper)
            sleeper()
          end)
        end)
        sim:sleep(1)
        one:cancel()
        one:wait()
        assert.equal("cancelled", one.status)
      end)
      assert.equal(2, #seen)
      for _, child in ipairs(seen) do assert.equal("cancelled", child.status) end
      assert.equal(1, sim:clock())
    end
  end)
end)
