local core = require "sagemaker.core"
local sagemaker = require "sagemaker"
local scheduler = require "sagemaker.task.scheduler"
local task = require "sagemaker.task"

local unpack = table.unpack or unpack -- luacheck: ignore

-- Notes what happens in which order; time is that of a simulator, so that waiting takes none.
local function diary()
  local sim, lines = sagemaker.simulator.new(), {}
  local function note(text)
    lines[#lines + 1] = ("%g %s"):format(sim:clock(), text)
  end
  return sim, note, lines
end

local function values(row)
  return { unpack(row, 1, row.n) }
end

describe("task.run", function()
  it("takes arguments and gives results, nil too", function()
    local function back(...) return ... end
    assert.same({ 4, nil, "a", nil, "b" }, { select("#", task.run(back, nil, "a", nil, "b")),
      task.run(back, nil, "a", nil, "b") })
    assert.equal(0, select("#", task.run(function() end)))
    assert.equal(3, task.run(math.max, 1, 3, 2))
  end)

  it("raises what its function raises, as it is", function()
    local err = { code = "X" }
    local ok, raised = pcall(task.run, function() error(err) end)
    assert.is_false(ok)
    assert.equal(err, raised)
    assert.has_error(function() task.run(7) end, "a task is a function, not a number")
  end)

  it("ends with the last of the tasks that were started in it", function()
    local sim, note, lines = diary()
    task.run(function()
      task.spawn(function()
        sim:sleep(1)
        task.spawn(function()
          sim:sleep(2)
          note "grandchild"
        end)
        note "child"
      end)
      note "main"
    end)
    note "after"
    assert.same({ "0 main", "1 child", "3 grandchild", "3 after" }, lines)
  end)

  it("cancels what it has started when its function fails", function()
    local sim, note, lines = diary()
    local child
    local ok, err = pcall(task.run, function()
      child = task.spawn(function()
        sim:sleep(5)
        note "never"
      end)
      sim:sleep(1)
      error("main", 0)
    end)
    assert.same({ false, "main" }, { ok, err })
    assert.equal("cancelled", child.status)
    assert.same({}, lines)
    assert.equal(1, sim:clock())
  end)

  it("hides no failure of a task that nobody waits for, and lets the others end", function()
    local sim, note, lines = diary()
    local ok, err = pcall(task.run, function()
      task.spawn(function() error("lost", 0) end)
      task.spawn(function()
        sim:sleep(2)
        note "fine"
      end)
      return "main"
    end)
    assert.same({ false, "lost" }, { ok, err })
    assert.same({ "2 fine" }, lines)
  end)

  it("may be called in a task, and waits for its own tasks only", function()
    local sim, note, lines = diary()
    task.run(function()
      task.spawn(function()
        sim:sleep(10)
        note "outer"
      end)
      local result = task.run(function()
        task.spawn(function()
          sim:sleep(2)
          note "inner"
        end)
        return "r"
      end)
      note(result)
    end)
    assert.same({ "2 inner", "2 r", "10 outer" }, lines)
  end)

  it("says so when nobody can ever go on", function()
    local one, two
    local ok, err = pcall(task.run, function()
      one = task.spawn(function() return two:wait() end)
      two = task.spawn(function() return one:wait() end)
    end)
    assert.is_false(ok)
    assert.equal("nobody can go on: every task waits for another one", err)
    assert.same({ "cancelled", "cancelled" }, { one.status, two.status })
  end)
end)

describe("task.all", function()
  it("gives a row for each function, in order, and hides no failure behind another", function()
    local sim = diary()
    local err = {}
    local rows = sagemaker.all {
      function() sim:sleep(3) return "slow", nil, 3 end,
      function() error(err) end,
      function() return nil, "Code: text", err end,
      function() sim:sleep(1) error("late", 0) end,
      function() end,
    }
    assert.equal(5, #rows)
    assert.same({ true, "slow", nil, 3 }, values(rows[1]))
    assert.equal(4, rows[1].n)
    assert.is_false(rows[2][1])
    assert.equal(err, rows[2][2])
    assert.same({ true, nil, "Code: text", err }, values(rows[3]))
    assert.same({ false, "late" }, values(rows[4]))
    assert.same({ true }, values(rows[5]))
    assert.equal(3, sim:clock())
  end)

  it("takes tasks too, and nothing", function()
    assert.same({}, sagemaker.all {})
    local rows = task.run(function()
      return task.all { task.spawn(function() return 1 end), function() return 2 end }
    end)
    assert.same({ 1, 2 }, { rows[1][2], rows[2][2] })
    assert.has_error(function() task.all(7) end, "all takes a list of functions")
    assert.has_error(function() task.all { 7 } end, "a task is a function, not a number")
  end)

  it("runs tasks in the order of the list, turn by turn", function()
    local order = {}
    local function worker(name)
      return function()
        for _ = 1, 3 do
          order[#order + 1] = name
          coroutine.yield() -- lets the others run
        end
      end
    end
    sagemaker.all { worker "a", worker "b", worker "c" }
    assert.equal("abcabcabc", table.concat(order))
  end)
end)

describe("a task", function()
  it("can be waited for by many, before and after its end", function()
    local sim = diary()
    local rows = task.run(function()
      local one = task.spawn(function()
        sim:sleep(1)
        return "x", "y"
      end)
      local function wait() return one:wait() end
      local both = task.all { wait, wait }
      both[3] = { one:wait() }
      return both
    end)
    for i = 1, 3 do
      local row = rows[i]
      assert.same({ "x", "y" }, i < 3 and { row[3], row[4] } or { row[2], row[3] })
    end
  end)

  it("that was waited for keeps its failure to who waits", function()
    local ok, err = task.run(function()
      return task.spawn(function() error("e", 0) end):wait()
    end)
    assert.same({ false, "e" }, { ok, err })
  end)

  it("cannot wait for itself", function()
    local ok, err = task.run(function()
      local own
      own = task.spawn(function() return own:wait() end)
      return own:wait()
    end)
    assert.is_false(ok)
    assert.truthy(err:find("a task cannot wait for itself", 1, true))
  end)

  it("knows itself", function()
    assert.is_nil(task.current())
    local inner, own = task.run(function()
      local child
      child = task.spawn(function() return task.current() end)
      local _, inner = child:wait()
      return inner, child
    end)
    assert.equal(own, inner)
    assert.equal("sagemaker.task (done)", tostring(own))
  end)
end)

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

describe("task.timeout", function()
  it("gives the results, or raises the error, of who is in time", function()
    assert.same({ 1, nil, 3 }, { task.timeout(5, function(...) return ... end, 1, nil, 3) })
    local ok, err = pcall(task.timeout, 5, function() error("e", 0) end)
    assert.same({ false, "e" }, { ok, err })
    assert.has_error(function() task.timeout(-1, print) end,
      "timeout takes a number of seconds of at least 0")
  end)

  it("cancels who is not, and says so", function()
    local caught
    local result, message, err = task.timeout(0.01, function()
      local _, raised = pcall(task.sleep, 30)
      caught = raised.code
      error(raised, 0)
    end)
    assert.is_nil(result)
    assert.equal("TaskTimeout: not done within 0.01 s", message)
    assert.same({ "timeout", "TaskTimeout" }, { err.kind, err.code })
    assert.equal("TaskCancelled", caught)
  end)
end)

describe("sleep in tasks", function()
  it("overlaps, and wakes in the order of time", function()
    local order, start = {}, core.clock()
    local function sleeper(seconds)
      return function()
        task.sleep(seconds)
        order[#order + 1] = seconds
      end
    end
    sagemaker.all { sleeper(0.03), sleeper(0.01), sleeper(0), sleeper(0.02), sleeper(-1) }
    assert.same({ -1, 0, 0.01, 0.02, 0.03 }, { order[2], order[1], unpack(order, 3) })
    assert.is_true(core.clock() - start >= 0.03)
  end)

  it("is what a client's own sleep is, unless another was given to it", function()
    local env = require("sagemaker.env").new()
    local turns = 0
    task.run(function()
      task.spawn(function() turns = turns + 1 end)
      env.sleep(0.001)
      assert.equal(1, turns)
    end)
  end)
end)

describe("virtual time in tasks", function()
  it("jumps when nobody can go on, to where the first one wakes", function()
    local sim, note, lines = diary()
    local function sleeper(name, ...)
      local seconds = { ... }
      return function()
        for _, span in ipairs(seconds) do
          sim:sleep(span)
          note(name)
        end
      end
    end
    sagemaker.all { sleeper("a", 10, 20), sleeper("b", 5, 5, 5), sleeper("c", 30) }
    -- Those that wake at the same time come in any order.
    assert.same({ "5 b", "10 a", "10 b", "15 b", "30 a", "30 c" }, (function()
      table.sort(lines, function(x, y)
        local a, b = tonumber(x:match("%d+")), tonumber(y:match("%d+"))
        return a < b or (a == b and x < y)
      end)
      return lines
    end)())
  end)

  it("is each simulator's own", function()
    local one, two = sagemaker.simulator.new(), sagemaker.simulator.new()
    sagemaker.all { function() one:sleep(100) end, function() two:sleep(7) end }
    assert.same({ 100, 7 }, { one:clock(), two:clock() })
  end)

  it("that somebody else moves wakes who waits for less", function()
    local sim, note, lines = diary()
    sagemaker.all {
      function() sim:sleep(10) note "woken" end,
      function() sim:advance(50) note "advanced" end,
    }
    assert.same({ "50 advanced", "50 woken" }, lines)
  end)

  it("lets functions that are set to a time wait in their turn", function()
    local sim, note, lines = diary()
    sim:at(5, function()
      task.spawn(function() note "spawned" end)
      note "at"
    end)
    task.run(function() sim:sleep(10) note "end" end)
    assert.equal("5 at", lines[1])
    assert.equal("10 end", lines[#lines])
    assert.equal(0, task.loop():step())
  end)
end)

describe("a wait that cannot yield to the scheduler", function()
  -- Ways in which a task may wait though it cannot yield, on one Lua or another.
  local WAYS = {
    ["in a coroutine of one's own"] = function(wait)
      return coroutine.wrap(function() return wait() end)()
    end,
    ["below pcall"] = function(wait)
      local ok, result = pcall(wait)
      return ok and result
    end,
    ["below xpcall, whose handler hears of nothing"] = function(wait)
      local heard
      local ok, result = xpcall(wait, function(message) heard = message return message end)
      return ok and heard == nil and result
    end,
    ["in the iterator of a generic for"] = function(wait)
      local result
      for value in function() return result == nil and wait() or nil end do result = value end
      return result
    end,
    ["in a metamethod"] = function(wait)
      return setmetatable({}, { __index = wait }).anything
    end,
    ["in an arithmetic metamethod"] = function(wait)
      return setmetatable({}, { __add = wait }) + 1
    end,
    ["in a comparison of table.sort"] = function(wait)
      local result
      table.sort({ 1, 2 }, function() result = result or wait() return false end)
      return result
    end,
    ["in the function of string.gsub"] = function(wait)
      local result
      ;("a"):gsub("a", function() result = wait() end)
      return result
    end,
    ["in a coroutine in a coroutine, below pcall"] = function(wait)
      return coroutine.wrap(function()
        return select(2, pcall(coroutine.wrap(function() return wait() end)))
      end)()
    end,
  }

  for name, way in pairs(WAYS) do
    it(name .. " lets the others go on", function()
      local sim, note, lines = diary()
      local rows = sagemaker.all {
        function()
          local result = way(function() sim:sleep(10) return "result" end)
          note "first"
          return result
        end,
        function() sim:sleep(3) note "second" end,
      }
      assert.same({ true, "result" }, values(rows[1]))
      assert.same({ "3 second", "10 first" }, lines)
    end)

    it(name .. " is cancelled", function()
      local sim = diary()
      task.run(function()
        local one = task.spawn(way, function() sim:sleep(100) return "result" end)
        sim:sleep(1)
        one:cancel()
        local ok, result = one:wait()
        assert.is_true(not ok or result ~= "result")
        assert.equal(1, sim:clock())
      end)
    end)
  end

  it("is put in order: who began last goes on first", function()
    local sim, note, lines = diary()
    local function nested(seconds)
      return function()
        coroutine.wrap(function() sim:sleep(seconds) end)()
        note(tostring(seconds))
      end
    end
    sagemaker.all { nested(1), nested(5), nested(3) }
    assert.equal(3, #lines)
    assert.equal(5, sim:clock())
  end)

  it("may be done by many at once", function()
    local sim = diary()
    local fns = {}
    for i = 1, 300 do
      fns[i] = function()
        return coroutine.wrap(function() sim:sleep(i % 7) return i end)()
      end
    end
    local rows = sagemaker.all(fns)
    for i = 1, 300 do assert.same({ true, i }, values(rows[i])) end
  end)

  it("for another task has a limit, with a clear error", function()
    local function dig(n)
      return function()
        if n == 0 then return "bottom" end
        local below = task.spawn(dig(n - 1))
        return coroutine.wrap(function()
          local ok, result = below:wait()
          if not ok then error(result, 0) end
          return result
        end)()
      end
    end
    assert.equal("bottom", task.run(dig(8)))
    local ok, err = pcall(task.run, dig(40))
    assert.is_false(ok)
    assert.truthy(tostring(err):find("tasks wait for one another inside 10 coroutines", 1, true))
    assert.is_nil(scheduler.current)
    assert.equal("bottom", task.run(dig(8)))
  end)
end)

describe("a wrong argument", function()
  it("is an error where it was given", function()
    for _, wrong in ipairs {
      function() task.run() end, function() task.spawn(7) end, function() task.all { 7 } end,
      function() task.timeout(1) end, function() task.timeout("x", print) end,
      function() task.sleep() end,
    } do
      local ok, message = pcall(wrong)
      assert.is_false(ok)
      assert.truthy(message:find("^[^:]*task_spec%.lua:%d+: "), message)
      ok, message = pcall(task.run, wrong)
      assert.is_false(ok)
      assert.truthy(message:find("^[^:]*task_spec%.lua:%d+: "), message)
    end
  end)
end)

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
