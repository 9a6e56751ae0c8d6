--- JSON itself, through a shape that takes any value.

local codec = require "support.codec"
local core = require "sagemaker.core"
local support = require "support"

local dir = support.conformance()

-- The names of the files of a folder; `ls` is everywhere where the specs run.
local function files(folder)
  local names = {}
  local p = assert(io.popen('ls "' .. folder .. '"'))
  for name in p:lines() do names[#names + 1] = name end
  p:close()
  return names
end

local service = codec.root_service("rest-json", "output", "Out", {
  Out = { type = "structure", payload = "value", members = { value = { shape = "Any" } } },
  Any = { type = "structure", document = true, members = {} },
})

local function decode(text)
  local got, message = core.decode(service, "Op", 200, {}, text)
  if not got then return nil, message end
  return got.value, nil, true
end

-- cjson is no judge of what JSON is, but reads what is.
local function same_as_cjson(text, value)
  if text:find("[eE]") or text:find("\\u0000") then return nil end
  return codec.difference(codec.json(text), value)
end

local function run(case)
  local value, message, ok = decode(case.text)
  local kind = case.id:sub(1, 2)
  if not ok then assert(type(message) == "string" and #message > 0) end
  if kind == "y_" then
    if not ok then return message end
    return same_as_cjson(case.text, value)
  elseif kind == "n_" and ok and case.text:find("%S") then -- nothing at all is an empty payload
    return "was accepted"
  end
  return nil
end

local function cases(folder)
  local list = {}
  for _, name in ipairs(files(folder)) do
    list[#list + 1] = { id = name, text = support.read(folder .. "/" .. name) }
  end
  return list
end

describe("JSON", function()
  for _, folder in ipairs { "test_parsing", "test_transform" } do
    if not dir then
      pending("json/" .. folder .. ": the vectors are not at hand")
    else
      it("passes " .. folder, function()
        assert.equal("", codec.run("json/" .. folder, cases(dir .. "/json/" .. folder), run))
      end)
    end
  end
end)
