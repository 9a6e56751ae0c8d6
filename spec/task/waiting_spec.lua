-- How tasks wait: in real time, in virtual time, and where they cannot yield to the scheduler.
local core = require "sagemaker.core"
local diary = require("support.diary").new
local sagemaker = require "sagemaker"
local scheduler = require "sagemaker.task.scheduler"
local task = require "sagemaker.task"
local values = require("support").values

local unpack = table.unpack or unpack -- luacheck: ignore

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
