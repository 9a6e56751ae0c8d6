local cjson = require "cjson"
local graph = require "sagemaker.simulator.graph"
local json = require "sagemaker.simulator.json"

describe("graphs of tables", function()
  local function again(value, skip)
    return graph.decode(cjson.decode(graph.encode(value, skip)))
  end

  it("come back as they were", function()
    local value = {
      text = 'a "quoted"\n\0\127\195\188', yes = true, no = false, number = -1.5,
      time = 1768478400.123456, list = { 1, "two", { three = 3 }, {} }, empty = {},
      mixed = { 1, 2, name = "x" }, ["#"] = "hash", ["."] = "dot", [""] = "nothing",
    }
    assert.same(value, again(value))
  end)

  it("keep what is shared shared, and circles", function()
    local shared = { count = 1 }
    local value = { a = shared, b = { shared, shared } }
    value.self = value
    local copy = again(value)
    assert.equal(copy.a, copy.b[1])
    assert.equal(copy.a, copy.b[2])
    assert.equal(copy, copy.self)
    copy.a.count = 2
    assert.equal(2, copy.b[2].count)
  end)

  it("leave out functions and what is skipped", function()
    assert.same({ a = 1 }, again({ a = 1, f = print, view = {}, [true] = 1 }, { view = true }))
    assert.same({ 1 }, again { 1, nil, 3 })
  end)

  it("are refused when they are none", function()
    for _, text in ipairs { "[]", "[1]", '[{".a":[2]}]', '[{"#":[[9]]}]' } do
      assert.has_error(function() graph.decode(cjson.decode(text)) end)
    end
  end)
end)

describe("JSON without a shape", function()
  it("tells lists from objects", function()
    assert.equal('{"a":[],"b":{},"c":[1,2]}',
      json.encode { a = json.array {}, b = {}, c = { 1, 2 } })
  end)

  it("writes numbers with the digits they need", function()
    for text, value in pairs {
      ["0"] = 0, ["-1"] = -1, ["0.1"] = 0.1, ["1768478400.1234560"] = 1768478400.123456,
      ["null"] = 0 / 0, ["9007199254740991"] = 2 ^ 53 - 1,
    } do
      local said = json.number(value)
      if text == "null" then
        assert.equal(text, said)
      else
        assert.equal(tonumber(text), tonumber(said))
      end
    end
    assert.equal("1e+300", json.number(1e300))
    assert.equal("null", json.number(-math.huge))
  end)

  it("escapes what JSON does not take as it is", function()
    assert.equal('"\\u0000\\u001f\\u007f\\"\\\\\\n\\t/"', json.string '\0\31\127"\\\n\t/')
    assert.is_nil(json.encode { f = print }:find "function")
  end)
end)
