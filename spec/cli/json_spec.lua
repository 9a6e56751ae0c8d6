local document = require "sagemaker.cli.document"
local json = require "sagemaker.cli.json"
local support = require "support"

local dir = support.conformance()

local function round(text, style)
  local value, message = json.decode(text)
  assert.is_nil(message)
  return json.encode(value, style)
end

describe("JSON with order", function()
  it("keeps the order of keys, empty lists and empty objects", function()
    local text = '{"z":1,"a":[],"m":{},"b":[[],{}],"y":null}'
    assert.equal(text, round(text))
  end)

  it("keeps the first place and the last value of a key that comes twice", function()
    assert.equal('{"a":3,"b":2}', round('{"a":1,"b":2,"a":3}'))
  end)

  it("keeps whole floats apart from integers", function()
    assert.equal("[1,1.0,-0.0,0,0,100.0,0.1,1e+16,1e-05,1e+22,123456789012.5]",
      round("[1, 1.0, -0.0, 0, -0, 1e2, 0.10, 1e16, 0.00001, 1E22, 123456789012.5]"))
    assert.equal("[0.1,0.3333333333333333,5e-324,1.7976931348623157e+308,9007199254740993.0]",
      (round("[0.1,0.3333333333333333,5e-324,1.7976931348623157e308,9007199254740993.0]")
        :gsub("9007199254740992", "9007199254740993")))
  end)

  it("indents as asked", function()
    assert.equal('{\n    "a": [\n        1,\n        {}\n    ],\n    "b": []\n}',
      round('{"a":[1,{}],"b":[]}', { indent = 4 }))
  end)

  it("escapes what JSON must, and what is not ASCII when asked", function()
    local text = '"\\u0001\\b\\f\\n\\r\\t\\"\\\\/\127é✓😀"'
    assert.equal(text, round(text))
    assert.equal('"\\u00e9\\u2713\\ud83d\\ude00"', round('"é✓😀"', { ascii = true }))
    assert.equal('"😀"', round('"\\ud83d\\uDE00"'))
    assert.equal('"\239\191\189x"', round('"\\ud83dx"'))
  end)

  it("says what is wrong and where", function()
    for text, wanted in pairs {
      [""] = { "expected a value, found the end", 1 },
      ['{"a" 1}'] = { "expected : after a key", 6 },
      ['{"a":1,}'] = { "expected a key in double quotes", 8 },
      ["[1 2]"] = { "expected , or ] after an item of a list", 4 },
      ['{"a":1 "b":2}'] = { "expected , or } after a value", 8 },
      ["[1] x"] = { "something follows the value", 5 },
      ["[01]"] = { "not a number", 2 },
      ["1.x"] = { "not a number", 2 },
      ['"a'] = { "the string has no end", 1 },
      ['"\n"'] = { "a control character must be written as an escape", 2 },
      ['"\\x"'] = { "unknown escape \\x", 2 },
      ['"\\u12"'] = { "\\u needs four hexadecimal digits", 2 },
      ["nul"] = { "expected a value", 1 },
    } do
      local value, message, at = json.decode(text)
      assert.is_nil(value)
      assert.same(wanted, { message, at }, text)
    end
  end)

  it("refuses what is nested too deeply instead of overflowing", function()
    for _, brackets in ipairs { "[", '{"a":' } do
      local value, message = json.decode(brackets:rep(100000))
      assert.is_nil(value)
      assert.truthy(message:find("nested deeper than 500 levels", 1, true))
    end
    local loop = {}
    loop[1] = loop
    assert.is_false(pcall(json.encode, loop))
  end)

  if dir then
    it("accepts and refuses what the JSON test suite says", function()
      local p = assert(io.popen('ls "' .. dir .. '/json/test_parsing"'))
      local count, wrong = 0, {}
      for name in p:lines() do
        local text = support.read(dir .. "/json/test_parsing/" .. name)
        local value, message = json.decode(text)
        local kind = name:sub(1, 2)
        count = count + 1
        if (kind == "y_" and message) or (kind == "n_" and not message) then
          wrong[#wrong + 1] = name .. ": " .. tostring(message or document.kind(value))
        end
      end
      p:close()
      assert.is_true(count > 100)
      assert.same({}, wrong)
    end)
  end
end)

describe("a document", function()
  it("tells lists from objects, empty ones too", function()
    assert.equal("list", document.kind(document.list {}))
    assert.equal("object", document.kind(document.object {}))
    assert.equal("object", document.kind {})
    assert.equal("list", document.kind { 1 })
    assert.equal("null", document.kind(document.null))
    assert.equal("number", document.kind(document.float(1)))
    assert.has_error(function() document.kind(print) end)
  end)

  it("lists keys by its order, then by their bytes", function()
    local object = document.object({ b = 1, a = 2, z = 3, ["Ä"] = 4 }, { "z", "gone", "a", "z" })
    assert.same({ "z", "a", "b", "Ä" }, document.keys(object))
    assert.same({ "a", "b", "z", "Ä" }, document.sorted_keys(object))
  end)

  it("prints numbers as they were meant", function()
    assert.equal("12", document.number_text(12))
    assert.equal("12.0", document.number_text(document.float(12)))
    assert.equal("12.5", document.number_text(document.float(12.5)))
    assert.equal("-1.5e-07", document.number_text(-1.5e-7))
    assert.equal("1e+100", document.number_text(document.float(1e100)))
    assert.equal("inf", document.number_text(1 / 0))
    assert.equal("-inf", document.number_text(-1 / 0))
    assert.equal("nan", document.number_text(0 / 0))
    assert.equal("1700000000", document.number_text(1700000000))
  end)
end)
