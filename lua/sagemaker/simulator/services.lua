--- The services that one simulator plays, and which of them a request is for.
--
-- They share a port, as they share a transport: a request says by its path, its X-Amz-Target, its
-- form or the scope of its signature whom it means. A row of `M.all` holds the operations of one
-- service; a protocol turns a request into parameters, and outputs and refusals into answers.

local core = require "sagemaker.core"
local openai = require "sagemaker.simulator.openai"
local operations = require "sagemaker.simulator.operations"
local query = require "sagemaker.simulator.wire.query"
local rpc = require "sagemaker.simulator.wire.rpc"
local runtime = require "sagemaker.simulator.operations.runtime"

local M = {}

---@class sagemaker.simulator.service
---@field id string the name of the model
---@field service userdata core.service(id)
---@field signing_name string
---@field prefix string|nil what X-Amz-Target starts with
---@field handlers table<string, sagemaker.simulator.handler>
---@field invalid string|nil code of what violates the model; ValidationException unless told
---@field max_body integer|nil longest body that is taken
---@field xmlns string|nil of its answers in XML

---@class sagemaker.simulator.protocol
---@field operation fun(row: table, request: table): string|nil the name, without decoding
---@field decode fun(row: table, request: table): string|nil, any, string|nil, integer|nil operation
--- and parameters; or nil, code, message, status
---@field signed (fun(request: table): table|nil, table|nil)|nil the request whose signature counts
---@field encode fun(row: table, name: string, output: table, id: string): table {status, headers,
--- body}; `id` is the request's
---@field refuse fun(row: table, refused: sagemaker.simulator.refusal, id: string): table
---@field keeps boolean|nil its answers may be kept and given again

local function row_of(id, handlers, more)
  local service = core.service(id)
  local info = service:info()
  local row = {
    id = id, service = service, signing_name = info.signing_name, prefix = info.target_prefix,
    handlers = handlers,
  }
  for name, value in pairs(more or {}) do row[name] = value end
  return row
end

local function group(name)
  return require("sagemaker.simulator.operations." .. name)
end

-- An invocation carries 6 MiB at most, and its mistakes are called ValidationError.
local RUNTIME = { invalid = "ValidationError", max_body = 6 * 1024 * 1024 }

--- The services by the names of their models.
---@type table<string, sagemaker.simulator.service>
M.all = {
  cloudwatch = row_of("cloudwatch", group "alarm", {
    invalid = "ValidationError", xmlns = "http://monitoring.amazonaws.com/doc/2010-08-01/",
  }),
  sagemaker = row_of("sagemaker", operations.handlers),
  ["sagemaker-runtime"] = row_of("sagemaker-runtime", runtime, RUNTIME),
  sts = row_of("sts", group "caller", {
    invalid = "ValidationError", xmlns = "https://sts.amazonaws.com/doc/2011-06-15/",
  }),
}

local chat = row_of("sagemaker-runtime", openai.handlers, RUNTIME)

local by_prefix, by_signing_name = {}, {}
for _, row in pairs(M.all) do
  if row.prefix then by_prefix[row.prefix] = row end
  if row.xmlns then by_signing_name[row.signing_name] = row end
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

--- The names of the services, sorted.
---@return string[]
function M.names()
  return sorted_keys(M.all)
end

--- The operations of a service that are played, sorted.
---@param id string
---@return string[]
function M.played(id)
  return sorted_keys(M.all[id].handlers)
end

--- All services as one, for those who look for the name of an operation.
M.catalogue = {}

---@param name string
---@return table|nil as service:operation()
function M.catalogue:operation(name)
  for _, id in ipairs(self.names()) do
    local operation = M.all[id].service:operation(name)
    if operation then return operation end
  end
  return nil
end

---@param name string
---@return string|nil
function M.catalogue:suggest(name)
  for _, id in ipairs(self.names()) do
    local nearest = M.all[id].service:suggest(name)
    if nearest then return nearest end
  end
  return nil
end

M.catalogue.names = M.names

-- What X-Amz-Target names: whose it is, and which operation.
local function target_of(request)
  local target = request.headers["x-amz-target"]
  if not target then return nil end
  return target:match("^([%w_]+)%.([%w_]+)$")
end

-- AWS JSON and REST JSON, as the core speaks them.
local json = { keeps = true }

-- The last segment of a path of the runtime.
local INVOCATIONS = {
  invocations = "InvokeEndpoint", ["async-invocations"] = "InvokeEndpointAsync",
  ["invocations-response-stream"] = "InvokeEndpointWithResponseStream",
}

function json.operation(row, request)
  if row.prefix then return (select(2, target_of(request))) end
  return INVOCATIONS[request.path:match("^/endpoints/[^/]+/([^/]+)$")]
end

function json.decode(row, request)
  if row.prefix and (request.method ~= "POST" or request.path ~= "/") then
    return nil, "UnknownOperationException",
      ("Operations are sent to / with POST, not to %s with %s."):format(request.path,
        request.method), 404
  end
  local name, input, message = core.decode_input(row.service, request)
  if name then return name, input end
  local unknown = input == "UnknownOperationException" and not row.prefix
  return nil, input, message, unknown and 404 or nil
end

function json.encode(row, name, output)
  return core.encode_output(row.service, name, output)
end

function json.refuse(row, refused)
  local answer = core.encode_error(row.service, refused.code, refused.message, refused.status,
    refused.fields)
  if row.xmlns then
    answer.headers["x-amzn-query-error"] = ("%s;%s"):format(query.code(row, refused.code),
      answer.status < 500 and "Sender" or "Receiver")
  end
  return answer
end

-- The runtime speaks REST JSON; the answer of a stream has a head, and frames for a body: those
-- come from `stream`, so that a host can send each when it is there.
local rest = setmetatable({ keeps = false }, { __index = json })

function rest.encode(row, name, output)
  local frames = output.Body
  if type(frames) ~= "table" then return json.encode(row, name, output) end
  output.Body = nil
  local answer = json.encode(row, name, output)
  answer.headers["Content-Type"] = "application/vnd.amazon.eventstream"
  answer.body, answer.stream = nil, frames
  return answer
end

openai.refuse = json.refuse

-- The service of a form: the one that its signature is for, or that has the operation.
local function by_form(request)
  local action = query.action(request)
  if not action then return nil end
  local scope = (request.headers.authorization or ""):match("/([^/]+)/aws4_request")
    or request.query:match("%%2F([^%%]+)%%2Faws4_request")
  if by_signing_name[scope] then return by_signing_name[scope] end
  for _, row in pairs(by_signing_name) do
    local operation = row.service:operation(action)
    if operation and operation.name == action then return row end
  end
  return M.all.sts
end

--- Whom a request is for, and how it speaks. What nobody else is meant by is for SageMaker.
---@param request table with lower-case names of headers
---@return sagemaker.simulator.service
---@return sagemaker.simulator.protocol
function M.route(request)
  local prefix = target_of(request)
  if prefix then return by_prefix[prefix] or M.all.sagemaker, json end
  local path = request.path
  if openai.matches(path) then return chat, openai end
  if path:find("^/endpoints/") then return M.all["sagemaker-runtime"], rest end
  local named = rpc.target(path)
  if named and by_prefix[named] then return by_prefix[named], rpc end
  local row = path == "/" and by_form(request)
  if row then return row, query end
  return M.all.sagemaker, json
end

--- The operation a request names, as far as it can be seen without decoding it.
---@param request table with lower-case names of headers
---@return string|nil
function M.operation(request)
  local row, protocol = M.route(request)
  return protocol.operation(row, request)
end

return M
