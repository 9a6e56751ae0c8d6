local env = require "sagemaker.env"

describe("sagemaker.env", function()
  it("lets overrides win and keeps the rest", function()
    local io = env.new { now = function() return 17 end }
    assert.equal(17, io.now())
    assert.equal(os.getenv, io.getenv)
    assert.equal("function", type(io.clock))
  end)

  it("throws for a function it does not know", function()
    assert.has_error(function() env.new { slep = print } end,
      "unknown function io.slep (did you mean sleep?)")
  end)

  it("makes UUIDs that follow from an injected random", function()
    local value = 0
    local io = env.new { random = function()
      value = (value + 0.37) % 1
      return value
    end }
    local first = io.uuid()
    assert.matches("^%x+%-%x+%-4%x%x%x%-[89ab]%x%x%x%-%x+$", first)
    assert.equal(36, #first)
    assert.not_equal(first, io.uuid())
    value = 0
    assert.equal(first, io.uuid())
    assert.matches("^00000000%-0000%-4000%-8000%-000000000000$",
      env.new({ random = function() return 0 end }).uuid())
    assert.equal(36, #env.new({ random = function() return 1 end }).uuid())
  end)

  it("draws numbers in [0, 1) and UUIDs from the core", function()
    local io, seen = env.new(), {}
    for _ = 1, 200 do
      local x = io.random()
      assert.is_true(x >= 0 and x < 1)
      local id = io.uuid()
      assert.matches("^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x+$", id)
      assert.equal(36, #id)
      assert.is_nil(seen[id])
      seen[id] = true
    end
  end)

  it("knows the time", function()
    local io = env.new()
    local first, now, last = os.time(), io.now(), os.time()
    assert.is_true(first <= now and now < last + 1.1)
    assert.is_true(io.clock() <= io.clock())
  end)
end)
