-- Tasks: how they begin, end, and are waited for. Specs in spec/task tell how they are cancelled
-- and how they wait, and of the loop of a host.
local diary = require("support.diary").new
local sagemaker = require "sagemaker"
local task = require "sagemaker.task"
local values = require("support").values

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

describe("task.timeout", function()
  it("of a task that was cancelled before its time raises that", function()
    local ok, err = pcall(task.timeout, 60, function()
      task.current():cancel()
      task.sleep(1)
    end)
    assert.is_false(ok)
    assert.equal("TaskCancelled", err.code)
  end)

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
