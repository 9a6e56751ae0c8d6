local share = require "sagemaker.simulator.share"

describe("tables that are alike", function()
  local function plan(seconds)
    return { policy = "CANARY", alarms = {}, { kind = "bake", seconds = seconds } }
  end

  it("are one table, with all that is in them", function()
    local first = share(plan(60))
    assert.equal(first, share(plan(60)))
    assert.same(plan(60), first)
    assert.is_nil(share(nil))
  end)

  it("are told apart by fields, items and types", function()
    local first = share(plan(60))
    assert.are_not.equal(first, share(plan(61)))
    local other = plan(60)
    other.policy = "LINEAR"
    assert.are_not.equal(first, share(other))
    assert.are_not.equal(share { "1" }, share { 1 })
  end)

  it("are forgotten when nobody has them", function()
    local kept = setmetatable({ share(plan(7)) }, { __mode = "v" })
    collectgarbage()
    collectgarbage()
    assert.is_nil(kept[1])
  end)
end)
