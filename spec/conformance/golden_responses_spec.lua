--- Answers and errors as AWS's own client reads them.

local codec = require "support.codec"
local core = require "sagemaker.core"
local support = require "support"

-- What a value of a shape looks like in a vector.
local LOOKS = { string = "string", blob = "string", boolean = "boolean", integer = "number",
  long = "number", float = "number", double = "number", list = "table", map = "table",
  structure = "table" }

local function is_scalar_tag(value)
  return value["$timestamp"] or value["$bytes"] or value["$float"]
end

-- True when a value that the reference passes on as it came is not of the type of its shape. We
-- refuse such an answer: "false" as a string would be true in Lua.
local function is_mistyped(service, name, value)
  local shape = service:shape(name)
  local look = LOOKS[shape.type]
  if value == support.null or not look then return false end
  if type(value) == "table" and is_scalar_tag(value) then return false end
  if type(value) == "string" and look == "number" then return not value:find("^-?[IN][na][fN]") end
  if type(value) ~= look then return true end
  if shape.type == "integer" or shape.type == "long" then return value % 1 ~= 0 end
  if look ~= "table" then return false end
  for key, item in pairs(value) do
    local target = shape.value
    for _, member in ipairs(shape.members or {}) do
      if member.name == key then target = member.shape end
    end
    if target and is_mistyped(service, target, item) then return true end
  end
  return false
end

-- Bare NaN and Infinity, which some JSON readers take.
local function has_bare_nan(body)
  return body:find('[:,%[]%s*%-?NaN') or body:find('[:,%[]%s*%-?Infinity')
end

-- True when the body of a success is none: the reference turns it into an empty output.
local function is_unreadable(service, body)
  return service:info().protocol == "json" and body:find("%S")
    and (type(codec.json(body)) ~= "table" or has_bare_nan(body))
end

local function run_output(service, row, body)
  local got, message = core.decode(service, row.operation, row.status, row.headers, body)
  local output = service:operation(row.operation).output
  local refused = row.crash or is_unreadable(service, body)
    or output and type(row.parsed) == "table" and is_mistyped(service, output, row.parsed)
  if refused then
    if got then return "was accepted" end
    assert(type(message) == "string" and #message > 0)
    return nil
  end
  if not got then return message end
  return codec.difference(codec.untag(row.parsed), got, "parsed")
end

local function bare(code)
  return code and code:match("^[^:]*"):match("[^#]*$") or ""
end

-- The code that the reference does not look for: "__type, then the header, then code".
local function code_of(row, body)
  local raw = codec.json(body)
  if type(raw) ~= "table" then raw = {} end
  for _, text in ipairs { raw.__type or "", codec.header(row.headers, "x-amzn-errortype") or "",
    raw.code or "", raw.Code or "" } do
    if type(text) == "string" and bare(text) ~= "" then return bare(text) end
  end
  return ("%d"):format(row.status)
end

local function run_error(service, row, body)
  local got = core.decode_error(service, row.operation, row.status, row.headers, body)
  if row.crash then -- the reference fails; any clear error is right
    assert(type(got.code) == "string" and type(got.message) == "string")
    return nil
  end
  local code = row.error.code
  if code == "" or code == ("%d"):format(row.status) then code = code_of(row, body) end
  if got.code ~= code then return ("code: expected %s, got %s"):format(code, got.code) end
  local message = row.error.message
  if type(message) == "table" then
    local found = codec.difference(message, codec.json(got.message), "message")
    if found then return found end
  elseif got.message ~= (message == support.null and "" or message) then
    return ("message: expected %s, got %s"):format(tostring(message), got.message)
  end
  local extra = row.error.error_extra or {}
  return codec.difference(codec.untag(row.error.fields or {}), got.fields or {}, "fields")
    or codec.difference(extra.QueryErrorCode, got.query_error_code, "query_error_code")
    or codec.difference(extra.Type, got.type, "type")
end

local function run(row)
  local service = codec.named_service(row.service)
  local body = codec.untag(row.body)
  if row.error == support.null then row.error = nil end
  if row.status >= 300 then return run_error(service, row, body) end
  return run_output(service, row, body)
end

describe("golden answers", function()
  for _, file in ipairs { "golden/responses.jsonl", "golden/responses_auto.jsonl" } do
    local rows = support.rows(file)
    if #rows == 0 then
      pending(file .. ": the vectors are not at hand")
    else
      it("equals " .. file, function()
        assert.equal("", codec.run(file, rows, run))
      end)
    end
  end
end)
