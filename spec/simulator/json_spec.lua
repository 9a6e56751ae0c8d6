local codec = require "sagemaker.json"
local json = require "sagemaker.simulator.json"

describe("JSON of snapshots and of the control API", function()
  it("is what the codec of requests reads, and keeps its marks", function()
    for _, value in ipairs { "", "a\"\\\n\t\1\127é", 0, -1, 0.1, 1e300, 1700000000.123, true,
      false } do
      assert.same(value, (codec.decode(json.encode(value))))
    end
    local value = { list = json.array {}, object = {}, deep = { { 1, 2 }, { x = json.array {} } } }
    local text = json.encode(value)
    assert.equal('{"deep":[[1,2],{"x":[]}],"list":[],"object":{}}', text)
    assert.equal(text, json.encode(assert(codec.decode(text))))
    assert.equal("[]", (codec.encode(json.array {})))
  end)

  it("has its keys in order, and null for what it cannot hold", function()
    assert.equal('{"a":null,"b":null,"c":null,"z":1}',
      json.encode { z = 1, c = 0 / 0, b = math.huge, a = print })
  end)
end)
