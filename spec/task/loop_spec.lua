-- The loop in which tasks run, driven by a host.
local diary = require("support.diary").new
local task = require "sagemaker.task"

describe("task.loop", function()
  it("lets a host drive tasks, and says when", function()
    local loop, done = task.loop(), false
    assert.is_nil(loop:timeout())
    task.spawn(function()
      task.sleep(0.01)
      done = true
    end)
    assert.equal(0, loop:timeout())
    assert.equal(1, loop:step())
    assert.is_true(loop:timeout() > 0 and loop:timeout() <= 0.01)
    local steps = 0
    while loop:step(loop:timeout() or 0) > 0 do steps = steps + 1 end
    assert.is_true(done)
    assert.is_true(steps < 20)
    assert.is_nil(loop:timeout())
  end)

  it("tells a host of tasks that fail", function()
    local heard = {}
    task.on_failure = function(err, one) heard[1], heard[2] = err, one.status end
    task.spawn(function() error("alone", 0) end)
    assert.equal(0, task.loop():step())
    task.on_failure = nil
    assert.same({ "alone", "failed" }, heard)
  end)

  it("keeps what a host's on_failure throws from other tasks", function()
    local told = {}
    local stderr = io.stderr
    task.on_failure = function() error("on_failure itself", 0) end
    io.stderr = { -- luacheck: ignore
      write = function(_, ...) told[#told + 1] = table.concat { ... } end }
    local ok, value = pcall(task.run, function()
      task.sleep(0)
      return "fine"
    end, task.spawn(function() error("alone", 0) end))
    io.stderr, task.on_failure = stderr, nil -- luacheck: ignore
    assert.same({ true, "fine" }, { ok, value })
    assert.same({ "sagemaker: on_failure has thrown: on_failure itself\n",
      "sagemaker: a task has failed: alone\n" }, told)
  end)

  it("is not for tasks", function()
    local ok, err = pcall(task.run, function() task.loop():step() end)
    assert.is_false(ok)
    assert.truthy(err:find("a task cannot step the loop that runs it", 1, true))
  end)

  it("may be used by somebody who blocks, too", function()
    local sim, note, lines = diary()
    local one = task.spawn(function() sim:sleep(2) note "task" return "r" end)
    assert.same({ true, "r" }, { one:wait() })
    assert.same({ "2 task" }, lines)
  end)
end)
