local caller = require "simulator.caller"
local knobs = require "sagemaker.simulator.knobs"
local simulator = require "sagemaker.simulator"

describe("knobs by chance", function()
  it("strike as often as they say, and the same for the same seed", function()
    local function struck(seed)
      local sim = simulator.new { seed = seed, throttle = { chance = 0.2, names = "ListModels" } }
      local call, marks = caller.new(sim), {}
      for i = 1, 500 do marks[i] = call("ListModels", {}) and "." or "x" end
      assert.is_table(call("ListEndpoints", {}))
      return table.concat(marks)
    end
    local marks = struck(1)
    local count = select(2, marks:gsub("x", ""))
    assert.is_true(count > 60 and count < 145, count) -- 100, four and a half deviations around
    assert.equal(marks, struck(1))
    assert.not_equal(marks, struck(2))
  end)

  it("may be told as none and as always", function()
    local case = { random = function() return 0.999999 end }
    assert.is_true(knobs.applies({ chance = 1 }, { "a" }, case))
    assert.is_false(knobs.applies({ chance = 0 }, { "a" }, { random = function() return 0 end }))
    assert.is_false(knobs.applies({ chance = 1, names = { "b" } }, { "a" }, case))
  end)

  it("must be possible", function()
    for knob, values in pairs {
      throttle = { { chance = 2 }, { chance = -0.1 }, { chance = "x" },
        { chance = 0.5, names = "Nothing" }, { rate = "x", burst = 1 }, { rate = 1, burst = "x" },
        { rate = -1 } },
      latency = { { distribution = "normal" }, { distribution = "uniform", min = 2, max = 1 },
        { distribution = "exponential" }, { distribution = "lognormal", median = 0, p99 = 1 },
        { distribution = "lognormal", median = 2, p99 = 1 }, -1 },
      clock_skew = { "x", 0 / 0, math.huge, {} },
    } do
      for _, value in ipairs(values) do
        assert.has_error(function() simulator.new { [knob] = value } end)
      end
    end
  end)
end)

describe("latency", function()
  it("is a number, one for each operation, or what a function says of a call", function()
    local case = { operation = "ListModels" }
    assert.equal(2, knobs.seconds(2, "ListModels", case))
    assert.equal(3, knobs.seconds({ ListModels = 3 }, "ListModels", case))
    assert.equal(0, knobs.seconds({ ListModels = 3 }, "ListEndpoints", case))
    assert.equal(0, knobs.seconds(nil, "ListModels", case))
    local function by_name(asked) return asked.operation == "ListModels" and 4 or nil end
    assert.equal(4, knobs.seconds(by_name, "ListModels", case))
    assert.equal(0, knobs.seconds(by_name, "ListEndpoints", { operation = "ListEndpoints" }))
    assert.equal(4, knobs.seconds({ ListModels = by_name }, "ListModels", case))
  end)
end)

describe("latency by distribution", function()
  local function draws(value)
    local sim, sum, list = simulator.new { seed = 3 }, 0, {}
    for i = 1, 4000 do
      list[i] = knobs.seconds(value, "ListModels", { random = sim.random })
      sum = sum + list[i]
    end
    table.sort(list)
    return list, sum / #list
  end

  it("is uniform, exponential or log-normal", function()
    local list, mean = draws { distribution = "uniform", min = 1, max = 3 }
    assert.is_true(list[1] >= 1 and list[#list] <= 3)
    assert.near(2, mean, 0.05)
    list, mean = draws { distribution = "exponential", mean = 0.5 }
    assert.is_true(list[1] >= 0)
    assert.near(0.5, mean, 0.04)
    list = draws { distribution = "lognormal", median = 0.02, p99 = 0.5 }
    assert.near(0.02, list[2000], 0.002)
    assert.near(0.5, list[3960], 0.15)
  end)
end)

describe("losses of the wire", function()
  it("come to a client in process as connections that end", function()
    for _, knob in ipairs { "drop", "reset", "truncate" } do
      local sim = simulator.new { [knob] = 1 }
      local call = caller.new(sim)
      local output, code = call("ListModels", {})
      assert.is_nil(output)
      assert.equal("ConnectionReset", code)
      assert.is_table(call("ListModels", {}))
      assert.equal(2, #sim:requests())
    end
  end)

  it("a clock that is off and tokens that have expired are refused", function()
    local sim = simulator.new { clock_skew = 600 }
    local call = caller.new(sim)
    assert.equal("InvalidSignatureException", (select(2, call("ListModels", {}))))
    sim:clock_skew(false)
    sim:expire(1)
    assert.equal("ExpiredTokenException", (select(2, call("ListModels", {}))))
    assert.is_table(call("ListModels", {}))
  end)
end)
