--- Parameters that AWS's own client refuses before it sends anything: the same kinds of problems at
-- the same places.

local codec = require "support.codec"
local core = require "sagemaker.core"
local support = require "support"

local KINDS = {
  ["missing required field"] = "required",
  ["unknown field"] = "unknown",
  ["invalid type"] = "type",
  ["invalid range"] = "min",
  ["invalid length"] = "min_length",
  ["empty input"] = "union",
  ["more than one input"] = "union",
}

-- Turns the text key of a map into the number that it was, and says where the map is.
local function number_key(params, path, key)
  local at = params
  for name in path:gmatch("[^.%[%]]+") do at = at[tonumber(name) and tonumber(name) + 1 or name] end
  at[tonumber(key)], at[key] = at[key], nil
end

-- The shape of the value at "A.B[0].C" of the operation's input.
local function shape_at(service, operation, path)
  local shape = service:shape(service:operation(operation).input)
  for name in path:gmatch("[^.]+") do
    local member, indices = name:match("^([^%[]*)(.*)$")
    for _, m in ipairs(shape.members or {}) do
      if m.name == member then shape = service:shape(m.shape) break end
    end
    for _ in indices:gmatch("%[") do shape = service:shape(shape.value) end
  end
  return shape
end

-- True when the model at hand does not ask for the member any more.
local function is_optional(service, operation, e)
  local shape = shape_at(service, operation, (e.path:gsub("^%.", "")))
  for _, member in ipairs(shape.members or {}) do
    if member.name == e.info.required_name then return not member.required end
  end
  return false
end

-- One expected problem as "code path member"; nil and a reason when Lua cannot express it.
local function expectation(e, params)
  local info, path = e.info, e.path:gsub("^%.", "")
  local param = info.param
  local types = table.concat(info.valid_types or {}, " ")
  if e.kind == "invalid type" then
    if type(param) == "table" and param["$bytes"] then
      return nil, "Lua has one type of strings"
    elseif type(param) == "table" and next(param) == nil and types:find("dict") then
      return nil, "an empty list and an empty map are the same in Lua"
    elseif type(param) == "number" and param % 1 == 0 and types:find("int") then
      return nil, "10.0 and 10 are the same where Lua has no integers, so both are taken"
    end
    local map, key = path:match("^(.*) %(key: (%-?%d+)%)$")
    if map and type(param) == "number" then
      number_key(params, map, key)
      path = map -- such a table could as well be a list: the map as a whole is refused
    end
  end
  local code = assert(KINDS[e.kind], "unknown kind " .. e.kind)
  return ("%s %s %s"):format(code, path, info.required_name or info.unknown_param or "-")
end

local function sorted(list)
  table.sort(list)
  return table.concat(list, "\n")
end

local function run(row)
  local service, params = codec.named_service(row.service), codec.untag(row.params)
  local expected, got = {}, {}
  for _, e in ipairs(row.errors or {}) do
    if is_optional(service, row.operation, e) then
      return nil, "the model at hand no longer requires " .. e.info.required_name
    end
    local text, reason = expectation(e, params)
    if not text then return nil, reason end
    expected[#expected + 1] = text
  end
  local ok, errors = core.validate(service, row.operation, params, "basic")
  if ok then return "was accepted" end
  if core.encode(service, row.operation, params, "basic") then return "was encoded" end
  if not row.errors then return nil end -- the reference takes it by accident, as the note says
  for i, e in ipairs(errors) do
    got[i] = ("%s %s %s"):format(e.code, e.path, e.member or "-")
    assert(#e.message > 0 and not e.message:find("\n"))
  end
  if sorted(expected) == sorted(got) then return nil end
  return ("expected\n%s\ngot\n%s"):format(sorted(expected), sorted(got))
end

describe("refused parameters", function()
  local rows = support.rows("golden/invalid.jsonl")
  if #rows == 0 then
    pending("golden/invalid.jsonl: the vectors are not at hand")
    return
  end
  it("are refused for the same reasons", function()
    assert.equal("", codec.run("golden/invalid.jsonl", rows, run))
  end)
end)
