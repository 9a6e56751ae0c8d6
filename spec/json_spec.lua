-- JSON as the codec reads and writes it, by way of a document: a value without a shape. The files
-- are those of JSONTestSuite (https://github.com/nst/JSONTestSuite); the C test test_json runs them
-- on the reader alone.

local cjson = require "cjson"
local core = require "sagemaker.core"
local support = require "support"

local service = core.load_service {
  metadata = { protocol = "rest-json", serviceId = "Json", endpointPrefix = "json" },
  operations = {
    Echo = {
      http = { method = "POST", requestUri = "/" },
      input = { shape = "Envelope" },
      output = { shape = "Envelope" },
    },
  },
  shapes = {
    Envelope = { type = "structure", members = { Value = { shape = "Any" } }, payload = "Value" },
    Any = { type = "structure", members = {}, document = true },
  },
}

-- The value of a text, or nil and a message.
local function read(text)
  local output, message = core.decode(service, "Echo", 200, {}, text)
  if not output then return nil, message end
  return output.Value
end

local function write(value)
  local request, errors = core.encode(service, "Echo", { Value = value }, "basic")
  if not request then return nil, errors end
  return request.body
end

-- The files of a folder whose names begin with `kind`.
local function files(folder, kind)
  local dir = support.conformance()
  if not dir then return {} end
  local all = {}
  dir = dir .. "/json/" .. folder
  local pipe = assert(io.popen(("ls '%s'"):format(dir)))
  for name in pipe:lines() do
    if name:match("^" .. kind .. ".*%.json$") then
      all[#all + 1] = { name = name, text = support.read(dir .. "/" .. name) }
    end
  end
  pipe:close()
  return all
end

local function each(folder, kind, check)
  local all = files(folder, kind)
  if #all == 0 then return pending("the conformance vectors are not at hand") end
  local ran, skipped = 0, {}
  for _, file in ipairs(all) do
    local reason = check(file.name, file.text)
    if reason then
      skipped[#skipped + 1] = { id = file.name, reason = reason }
    else
      ran = ran + 1
    end
  end
  support.tally(folder .. " " .. kind, ran, skipped)
end

describe("JSON", function()
  it("is accepted where it must be, with the values that it has, and written again", function()
    each("test_parsing", "y_", function(name, text)
      local value, message = read(text)
      assert.is_nil(message, name)
      assert.same(cjson.decode("[" .. text .. "]")[1], value, name)
      assert.same(value, read(assert(write(value))), name)
    end)
  end)

  it("is refused where it must be, with the place", function()
    each("test_parsing", "n_", function(name, text)
      if not text:find("%S") then return "an empty payload is an absent member" end
      local value, message = read(text)
      assert.is_nil(value, name)
      assert.matches("byte", message, name)
    end)
  end)

  it("gives a value or a message where both are right", function()
    for _, folder in ipairs { "test_parsing", "test_transform" } do
      each(folder, folder == "test_parsing" and "i_" or "", function(name, text)
        local value, message = read(text)
        assert.is_true(value ~= nil or type(message) == "string", name)
      end)
    end
  end)

  it("is refused at every place where it is cut off", function()
    local text = '{"a":[1,-2.5e+10,true,false,null,"\\ud834\\udd1e ä"],"b":{"c":""}}'
    assert.is_table(read(text))
    for n = 1, #text - 1 do
      local value, message = read(text:sub(1, n))
      assert.is_nil(value, n)
      assert.is_string(message)
    end
  end)

  it("keeps integers, and rounds other numbers correctly", function()
    assert.equal(9007199254740991, read("9007199254740991"))
    assert.equal(0.1, read("0.1"))
    assert.equal(1e22, read("1e22"))
    assert.equal(1 / 0, read("1e400"))
    assert.equal(0, read("1e-400"))
    assert.equal(1, read("0." .. ("9"):rep(1000)))
    local subtype = rawget(math, "type")
    if subtype then
      assert.equal("integer", subtype(read("9223372036854775807")))
      assert.equal("integer", subtype(read("-9223372036854775808")))
      assert.equal("float", subtype(read("9223372036854775808")))
      assert.equal("float", subtype(read("1.0")))
    end
  end)

  it("replaces a surrogate without its partner", function()
    assert.equal("\239\191\189", read('"\\ud834"'))
    assert.equal("\239\191\189A", read('"\\udd1e\\u0041"'))
    assert.equal("\240\157\132\158", read('"\\ud834\\udd1e"'))
  end)

  it("is written with the shortest numbers and the necessary escapes only", function()
    for text, value in pairs { ["0.1"] = 0.1, ["1e+22"] = 1e22, ["-2.5"] = -2.5, ["12"] = 12,
      ['"a/b\\"\\\\\\n\\u0001ä"'] = 'a/b"\\\n\1ä', ["true"] = true } do
      assert.equal(text, write(value))
    end
  end)

  it("takes no invalid UTF-8, in neither direction", function()
    for _, bad in ipairs { "\255", "\192\128", "\237\160\128", "\244\144\128\128" } do
      local value, message = read('"' .. bad .. '"')
      assert.is_nil(value)
      assert.matches("UTF%-8", message)
      assert.is_nil((write(bad)))
    end
  end)

  it("stops at its depth, without a crash", function()
    for _, n in ipairs { 1000, 100000 } do
      for _, open in ipairs { "[", '{"a":' } do
        local value, message = read(open:rep(n))
        assert.is_nil(value)
        assert.is_string(message)
      end
    end
  end)
end)

describe("sagemaker.json", function()
  local json = require "sagemaker.json"
  local null = require "sagemaker.null"

  it("reads any value", function()
    for text, expected in pairs { ["1"] = 1, ['"é"'] = "é", ["true"] = true, ["false"] = false,
      ["null"] = null, [" [1, {}] "] = { 1, {} }, ['{"a":null}'] = { a = null },
      ["9007199254740992"] = 2 ^ 53 } do
      local value, message = json.decode(text)
      assert.same(expected, value, message)
    end
    assert.equal("12", tostring(json.decode "12"))
  end)

  it("says what is no JSON", function()
    for text, expected in pairs { [""] = "the text is empty", ["  "] = "the text is empty",
      ["{"] = "the text ends too early at byte 2", ["{}\0"] = "nothing more was expected at byte 3",
      ["nul"] = "at byte", ["\255"] = "at byte" } do
      local value, message = json.decode(text)
      assert.is_nil(value)
      assert.matches("^not valid JSON: ", message)
      assert.matches(expected, message, 1, true)
    end
  end)

  it("writes what it has read", function()
    for _, text in ipairs { "[]", "{}", '[1,2.5,null,[],{"a":[]}]', '"é\\u0000"', "true", "null",
      "-0.1", "12345678901234" } do
      assert.equal(text, json.encode((json.decode(text))))
    end
  end)

  it("says where a value is none of JSON", function()
    local loop = {}
    loop.loop = loop
    for expected, value in pairs { ["value: JSON cannot hold this value"] = print,
      ["value.a[1]: JSON cannot hold this value"] = { a = { 1, print } },
      ["value: expected a list"] = { 1, a = 2 }, ["nested too deeply"] = loop,
      ["UTF-8"] = { "\255" } } do
      local text, message = json.encode(value)
      assert.is_nil(text)
      assert.matches(expected, message, 1, true)
    end
    assert.matches("^100%% of it%.f: ", select(2, json.encode({ f = print }, "100% of it")))
  end)
end)
