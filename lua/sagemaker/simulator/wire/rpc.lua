--- The service's side of Smithy RPC v2 with CBOR, which newer clients speak to CloudWatch.
-- https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html

local cbor = require "sagemaker.simulator.wire.cbor"
local query = require "sagemaker.simulator.wire.query"

local M = {}

--- The service and operation that a path names.
---@param path string
---@return string|nil service
---@return string|nil operation
function M.target(path)
  return path:match("^/service/([%w_.]+)/operation/([%w_]+)$")
end

function M.operation(_, request)
  return (select(2, M.target(request.path)))
end

function M.decode(row, request)
  local name = M.operation(row, request)
  local operation = row.service:operation(name)
  if not operation or operation.name ~= name or request.method ~= "POST" then
    return nil, "UnknownOperationException", "The request names no operation of this service.", 404
  end
  if request.body == "" then return name, {} end
  local input, message = cbor.decode(request.body)
  if type(input) ~= "table" then
    return nil, "SerializationException", "The body is not valid: " .. (message or "it is no map")
  end
  return name, input
end

-- The value with its lists and times marked as such.
local function marked(service, shape_name, value)
  local shape = service:shape(shape_name)
  local copy = {}
  if shape.type == "structure" then
    for _, member in ipairs(shape.members) do
      local child = value[member.name]
      if child ~= nil then copy[member.name] = marked(service, member.shape, child) end
    end
    return copy
  elseif shape.type == "list" then
    for i, item in ipairs(value) do copy[i] = marked(service, shape.value, item) end
    return cbor.list(copy)
  elseif shape.type == "timestamp" then
    return cbor.time(value)
  end
  return value
end

local function answer(status, body)
  return {
    status = status, body = cbor.encode(body),
    headers = { ["Content-Type"] = "application/cbor", ["smithy-protocol"] = "rpc-v2-cbor" },
  }
end

function M.encode(row, name, output)
  local shape = row.service:operation(name).output
  return answer(200, shape and marked(row.service, shape, output) or {})
end

function M.refuse(row, refused)
  local made = answer(refused.status, { __type = refused.code, message = refused.message })
  made.headers["x-amzn-query-error"] = ("%s;%s"):format(query.code(row, refused.code),
    refused.status < 500 and "Sender" or "Receiver")
  return made
end

return M
