local clocks = require "sagemaker.simulator.clock"

describe("the simulator's clock", function()
  it("jumps, and runs what is due at its own time, in order", function()
    local clock = clocks.new("virtual", 1000)
    local seen = {}
    local function see(name)
      return function() seen[#seen + 1] = name .. clock:now() end
    end
    clock:at(1020, see "b")
    clock:at(1010, see "a")
    clock:at(1020, see "c")
    clock:at(2000, see "never")
    clock:sleep(1000 - 1)
    assert.same({ "a1010", "b1020", "c1020" }, seen)
    assert.equal(1999, clock:now())
  end)

  it("lets what is due set more, and move the clock itself", function()
    local clock = clocks.new("virtual", 0)
    local seen = {}
    clock:at(5, function()
      clock:at(7, function() seen[#seen + 1] = clock:now() end)
      clock:advance(10)
      seen[#seen + 1] = clock:now()
    end)
    clock:advance(6)
    assert.same({ 7, 15 }, seen)
    assert.equal(15, clock:now())
  end)

  it("runs real time times a factor, from an injected clock", function()
    local time, slept = 50, 0
    local io = {
      now = function() return 1e9 end, clock = function() return time end,
      sleep = function(seconds) time, slept = time + seconds, slept + seconds end,
    }
    local clock = clocks.new({ factor = 60 }, nil, io)
    assert.equal(1e9, clock:now())
    time = time + 2
    assert.equal(1e9 + 120, clock:now())
    local at
    clock:at(1e9 + 150, function() at = clock:now() end)
    clock:sleep(60)
    assert.equal(1, slept)
    assert.equal(1e9 + 180, clock:now())
    assert.equal(1e9 + 150, at)
    clock:advance(1000)
    assert.equal(1e9 + 1180, clock:now())
  end)

  it("passes on what a callback throws, and goes on", function()
    local clock = clocks.new("virtual", 0)
    clock:at(1, function() error("oops", 0) end)
    assert.has_error(function() clock:advance(5) end, "oops")
    clock:advance(5)
    assert.equal(6, clock:now())
  end)
end)
