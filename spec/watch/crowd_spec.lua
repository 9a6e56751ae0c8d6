local crowds = require "sagemaker.watch.crowd"

describe("a crowd of watchers", function()
  local collect = collectgarbage
  local done

  -- A collector of a Lua that tells whether it runs, or of one that does not (`running` is nil).
  -- `memory(n)` is what the n-th question for it is answered.
  local function collector(running, memory)
    local asked = 0
    done = {}
    _G.collectgarbage = function(what, size) -- luacheck: ignore
      if what == "isrunning" then
        if running == nil then error("bad argument #1 to '?' (invalid option 'isrunning')", 2) end
        return running
      elseif what == "count" then
        asked = asked + 1
        return memory(asked)
      end
      done[#done + 1] = { what, size }
      return size == 960 and #done % 3 == 0
    end
  end

  after_each(function() _G.collectgarbage = collect end) -- luacheck: ignore

  -- How often the collector is stepped by looks at these times.
  local function steps(crowd, n, seconds_between, start)
    collector(true)
    for i = 0, n - 1 do crowd:looked((start or 0) + i * seconds_between) end
    for _, call in ipairs(done) do assert.same({ "step", 960 }, call) end
    return #done
  end

  it("steps the collector once for many looks", function()
    assert.equal(0, steps(crowds.new(), 15, 0))
    assert.equal(1, steps(crowds.new(), 16, 0))
    assert.equal(62, steps(crowds.new(), 1000, 0.1))
  end)

  it("leaves the collector alone where few watch, or the clock goes back", function()
    assert.equal(0, steps(crowds.new(), 1000, 2))
    assert.equal(0, steps(crowds.new(), 1000, -1))
  end)

  it("is one of several", function()
    local one, other = crowds.new(), crowds.new()
    assert.equal(0, steps(one, 15, 0))
    assert.equal(0, steps(other, 15, 0))
    assert.equal(1, steps(one, 1, 0))
  end)

  it("leaves a collector alone that is stopped", function()
    local crowd = crowds.new()
    collector(false)
    for i = 1, 1000 do crowd:looked(i / 10) end
    assert.same({}, done)
    assert.equal(1, steps(crowd, 16, 0, 100))
  end)

  it("steps one that does not tell only right after it was seen at work", function()
    local crowd = crowds.new()
    collector(nil, function(n) return 1000 + n end)
    for i = 1, 1000 do crowd:looked(i / 10) end
    assert.same({}, done)
    collector(nil, function(n) return n % 10 == 0 and 900 or 1000 end)
    for i = 1001, 1400 do crowd:looked(i / 10) end
    assert.is_true(#done > 10)
    local again = 0
    for _, call in ipairs(done) do
      assert.equal("step", call[1])
      if call[2] == 1 then again = again + 1 end -- begins the next round where one has ended
    end
    assert.is_true(again > 0)
  end)

  it("is none for one that does not tell when the looks become few", function()
    local crowd = crowds.new()
    collector(nil, function() return 1000 end)
    for i = 1, 20 do crowd:looked(i / 10) end
    collector(nil, function() return 0 end)
    crowd:looked(100)
    assert.same({}, done)
  end)

  it("does not start a collector that its host has stopped", function()
    local waste, crowd
    collect "collect"
    collect "stop"
    local ok, message = pcall(function()
      crowd = crowds.new()
      local before = collect "count"
      for i = 1, 400 do
        for n = 1, 20 do waste = { n, i } end
        crowd:looked(i / 100)
      end
      for n = 1, 20000 do waste = { n } end -- more than a collector that runs would leave
      assert.is_true(collect "count" - before > 20000 * 40 / 1024)
      assert(waste)
    end)
    collect "restart"
    assert(ok, message)
  end)
end)
