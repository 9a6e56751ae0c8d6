local crowds = require "sagemaker.watch.crowd"

describe("a crowd of watchers", function()
  -- How often the collector is stepped by looks at these times.
  local function steps(crowd, n, seconds_between, start)
    local count = 0
    local collect = collectgarbage
    _G.collectgarbage = function(what, size) -- luacheck: ignore
      assert.same({ "step", 960 }, { what, size })
      count = count + 1
    end
    local ok, problem = pcall(function()
      for i = 0, n - 1 do crowd:looked((start or 0) + i * seconds_between) end
    end)
    _G.collectgarbage = collect -- luacheck: ignore
    assert(ok, problem)
    return count
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
end)
