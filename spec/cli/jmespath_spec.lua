local document = require "sagemaker.cli.document"
local jmespath = require "sagemaker.cli.jmespath"
local json = require "sagemaker.cli.json"
local shapes = require "support.shapes"

local function search(expression, given)
  local value = assert(json.decode(given or "null"))
  return json.encode(assert(assert(jmespath.compile(expression))(value)))
end

-- The kind and the message of an expression that fails, when it is compiled or when it runs.
local function failure(expression, given)
  local find, message, err = jmespath.compile(expression)
  if find then
    local result
    result, message, err = find(assert(json.decode(given or "{}")))
    assert.is_nil(result)
  end
  assert.equal("string", type(message))
  return err.kind, message
end

describe("JMESPath", function()
  it("keeps the order in which keys were written", function()
    assert.equal('{"z":1,"a":2}', search("{z: a, a: z}", '{"a":1,"z":2}'))
    assert.equal('["z","a"]', search("keys(@)", '{"z":1,"a":2}'))
    assert.equal("[1,2]", search("values(@)", '{"z":1,"a":2}'))
    assert.equal("[1,2]", search("*", '{"z":1,"a":2}'))
    assert.equal('{"z":3,"a":2,"n":4}', search("merge(@, `{\"z\":3,\"n\":4}`)", '{"z":1,"a":2}'))
  end)

  it("keeps empty lists and empty objects apart", function()
    assert.equal("[[],{}]", search("[a, b]", '{"a":[],"b":{}}'))
    assert.equal('["array","object"]', search("[type(a), type(b)]", '{"a":[],"b":{}}'))
    assert.equal("[]", search("a[]", '{"a":[]}'))
    assert.equal("null", search("b[]", '{"b":{}}'))
  end)

  it("keeps integers and floats apart", function()
    assert.equal("[1,1.0]", search("[a, b]", '{"a":1,"b":1.0}'))
    assert.equal("true", search("a == b", '{"a":1,"b":1.0}'))
    assert.equal("3.0", search("sum(@)", "[1, 2.0]"))
    assert.equal("3", search("sum(@)", "[1, 2]"))
    assert.equal("2.0", search("avg(@)", "[1, 3]"))
    assert.equal("[2,1,1.0]", search("[ceil(@), floor(@), abs(`-1.0`)]", "1.5"))
    assert.equal("[5,5.0,null,null,null,-3]", search("[to_number('5'), to_number('5.0'), "
      .. "to_number('0x10'), to_number('inf'), to_number('1.2.3'), to_number(' -3 ')]", "1"))
    assert.equal('"{\\"a\\":1.0,\\"b\\":[\\"\\\\u00e9\\"]}"',
      search("to_string(@)", '{"a":1.0,"b":["é"]}'))
    assert.equal("[1.0,2]", search("sort(@)", "[2,1.0]"))
  end)

  it("counts and reverses characters, not bytes", function()
    assert.equal("3", search("length(@)", '"é✓😀"'))
    assert.equal('"😀✓é"', search("reverse(@)", '"é✓😀"'))
    assert.equal('["a","z","é","✓","😀"]', search("sort(@)", '["😀","z","✓","a","é"]'))
  end)

  it("orders strings too, because timestamps are strings", function()
    assert.equal('["2026-02-01"]', search("[?@ > '2026-01-15']", '["2026-01-01","2026-02-01"]'))
    assert.equal("null", search("a < b", '{"a":1,"b":"2"}'))
  end)

  it("sorts stably", function()
    assert.equal('["c","a","d","b"]', search("sort_by(@, &k)[].n",
      '[{"k":2,"n":"a"},{"k":3,"n":"b"},{"k":1,"n":"c"},{"k":2,"n":"d"}]'))
    assert.equal('"a"', search("max_by(@, &k).n", '[{"k":2,"n":"a"},{"k":2,"n":"b"}]'))
    assert.equal('"a"', search("min_by(@, &k).n", '[{"k":2,"n":"a"},{"k":2,"n":"b"}]'))
  end)

  it("reads names and literals of every form", function()
    assert.equal('["a b","ключ"]', search('["a b", "\\u043a\\u043b\\u044e\\u0447"]',
      '{"a b":"a b","ключ":"ключ"}'))
    assert.equal([==["it's \\n"]==], search([==['it\'s \n']==], "1"))
    assert.equal('["InService","a`b"]', search("[`InService`, `\"a\\`b\"`]", "1"))
  end)

  it("works on plain tables of Lua", function()
    local find = assert(jmespath.compile "Endpoints[?Status=='InService'].Name | [0]")
    assert.equal("b", find { Endpoints = { { Name = "a", Status = "Failed" },
      { Name = "b", Status = "InService" } } })
    assert.equal(document.null, find {})
  end)

  it("says what is wrong and where", function()
    for expression, wanted in pairs {
      [""] = "the expression is empty, at character 1 of ",
      ["a."] = "expected a name, *, [ or { after the dot, found the end, at character 3 of a.",
      ["a[b]"] = "expected a number, : or * in the brackets, found b, at character 3 of a[b]",
      ["a = b"] = "a single =; equality is ==, at character 3 of a = b",
      ["'é' #"] = "unexpected character #, at character 5 of 'é' #",
      ["✓"] = "unexpected character ✓, at character 1 of ✓",
      ["\255"] = "unexpected byte 0xFF, at character 1 of \255",
      ["`\"`"] = "a literal that JSON cannot read: the string has no end, at character 1 of `\"`",
      ["'abc"] = "nothing closes the ', at character 1 of 'abc",
      ["a b"] = "unexpected b, at character 3 of a b",
      ["abs(a b)"] = "expected , or ), found b, at character 7 of abs(a b)",
      ["abs(a,)"] = "unexpected ), at character 7 of abs(a,)",
      ["{a: b c: d}"] = "expected , or }, found c, at character 7 of {a: b c: d}",
      ["{'a': b}"] = "expected a name for a value, found a literal, at character 2 of {'a': b}",
      ["&a"] = "unexpected &, at character 1 of &a",
      ["(a)(b)"] = "only a plain name can be called as a function, at character 4 of (a)(b)",
      ["a[1:2:3:4]"] = "a slice is [start:stop:step], found :, at character 8 of a[1:2:3:4]",
    } do
      local kind, message = failure(expression)
      assert.equal("syntax", kind, expression)
      assert.equal(wanted, message)
    end
  end)

  it("tells the kinds of errors apart", function()
    for expression, wanted in pairs {
      ["no_such(@)"] = { "unknown-function",
        "there is no function no_such(), at character 1 of no_such(@)" },
      ["abs()"] = { "invalid-arity", "abs() takes 1 argument, not 0, at character 1 of abs()" },
      ["[0].join(a)"] = { "invalid-arity",
        "join() takes 2 arguments, not 1, at character 5 of [0].join(a)" },
      ["not_null()"] = { "invalid-arity",
        "not_null() takes at least 1 argument, not 0, at character 1 of not_null()" },
      ["@[::0]"] = { "invalid-value", "the step of a slice is 0, at character 6 of @[::0]" },
      ["abs('1')"] = { "invalid-type",
        "abs() takes a value of type number, not a value of type string" },
      ["sum(`[1,\"2\"]`)"] = { "invalid-type", "sum() takes a list of numbers, not this list" },
      ["sort(`[1,\"2\"]`)"] = { "invalid-type",
        "sort() takes a list of only numbers or only strings, not this list" },
      ["sort_by(`[]`, @)"] = { "invalid-type",
        "sort_by() takes an expression (&…) as argument 2, not a value of type object" },
      ["map(&a, `1`)"] = { "invalid-type",
        "map() takes a value of type array as argument 2, not a value of type number" },
      ["to_string(&a)"] = { "invalid-type", "to_string() takes a value, not a value of type "
        .. "expression" },
      ["sort_by(`[{\"a\":1},{\"a\":\"b\"}]`, &a)"] = { "invalid-type",
        "the expression of sort_by() must give a number for every item, not string" },
      ["max_by(`[{}]`, &a)"] = { "invalid-type",
        "the expression of max_by() must give a number or a string for every item, not null" },
    } do
      assert.same(wanted, { failure(expression) }, expression)
    end
  end)

  it("refuses what is nested too deeply instead of overflowing", function()
    for _, text in ipairs { ("("):rep(100000), ("["):rep(100000), ("!"):rep(100000) .. "a",
      "a" .. (".a"):rep(100000), "a" .. ("[0]"):rep(100000), ("a|"):rep(100000) .. "a",
      ("a||"):rep(100000) .. "a", ("{a:"):rep(100000), ("abs("):rep(100000),
      ("a[?"):rep(100000), "a" .. ("[]"):rep(100000), "a" .. (".*"):rep(100000),
      "not_null(" .. ("a,"):rep(10000) .. "a)" } do
      assert.equal("syntax", (failure(text)))
    end
    local deep = ('{"a":'):rep(301) .. "1" .. ("}"):rep(301)
    assert.equal("1", search("a" .. (".a"):rep(300), deep))
    assert.equal("10001", search("length([" .. ("a,"):rep(10000) .. "a])", "{}"))
  end)

  local rounds = os.getenv "SAGEMAKER_TORTURE" and 1000 or 20000

  it(("answers or refuses, whatever the expression: %d random ones"):format(rounds), function()
    local pieces = { "a", "b", ".", "*", "[", "]", "[]", "[?", "{", "}", ":", ",", "(", ")", "@",
      "&", "|", "||", "&&", "!", "==", "<", ">=", "0", "-1", "'x'", "`1`", '"q"', "`[]`", "length",
      "map", "sort_by", "not_null", "to_string", " ", "`{\"a\": null}`", "é", "\\", "\0" }
    local kinds = { syntax = true, ["invalid-type"] = true, ["invalid-arity"] = true,
      ["unknown-function"] = true, ["invalid-value"] = true }
    local random, given = shapes.random(7), json.decode '{"a":[{"b":1},[2],"c"],"b":{"a":"x"}}'
    local compiled = 0
    for _ = 1, rounds do
      local parts = {}
      for i = 1, 1 + random(9) do parts[i] = pieces[1 + random(#pieces)] end
      local find, message, err = jmespath.compile(table.concat(parts))
      if find then
        compiled = compiled + 1
        local result
        result, message, err = find(given)
        assert(result ~= nil or kinds[err.kind], message)
        if result ~= nil then json.encode(result) end
      else
        assert(type(message) == "string" and kinds[err.kind], message)
      end
    end
    assert.is_true(compiled > rounds / 40)
  end)
end)
