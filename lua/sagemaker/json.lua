--- JSON without a shape, by the codec that writes requests and reads answers: exact whole numbers,
-- errors that say where. Null is `sagemaker.null`; an empty list, which Lua cannot tell from an
-- empty object, has a metatable with __jsontype = "array", read and to be written.

local core = require "sagemaker.core"

local M = {}

local service -- with one operation, whose body may be anything

local function service_of()
  service = service or core.load_service {
    metadata = { protocol = "rest-json", serviceId = "JSON" },
    shapes = {
      Any = { type = "structure", document = true, members = {} },
      Body = { type = "structure", payload = "value", members = { value = { shape = "Any" } } },
    },
    operations = { Json = { input = { shape = "Body" }, output = { shape = "Body" },
      http = { method = "POST", requestUri = "/" } } },
  }
  return service
end

--- Writes a value.
---@param value any
---@param name? string what the value is called in messages; default "value"
---@return string|nil text
---@return string|nil message "body.messages[0]: JSON cannot hold this value"
function M.encode(value, name)
  local request, problems = core.encode(service_of(), "Json", { value = value })
  if request then return request.body end
  local message = problems[1].message
  if name then message = message:gsub("^value", (name:gsub("%%", "%%%%"))) end
  return nil, message
end

--- Reads a text.
---@param text string
---@return any|nil value
---@return string|nil message
function M.decode(text)
  local output, message = core.decode(service_of(), "Json", 200, {}, text)
  if not output then return nil, message end
  if output.value == nil then return nil, "not valid JSON: the text is empty" end
  return output.value
end

return M
