--- The OpenAI-compatible paths of an endpoint: /endpoints/NAME/openai/v1/… No operation of the
-- service's model describes them; what they share with InvokeEndpoint (the endpoint's name, the
-- header members, both ways) is read from that operation's shapes.
--- https://docs.aws.amazon.com/sagemaker/latest/dg/realtime-endpoints-openai-compatible.html

local answers = require "sagemaker.answer"
local clients = require "sagemaker.client"
local core = require "sagemaker.core"
local errors = require "sagemaker.error"
local inputs = require "sagemaker.client.inputs"
local json = require "sagemaker.json"
local streams = require "sagemaker.stream"

local M = {}

local NAME, MODEL = "OpenAI", "InvokeEndpoint"

---@class sagemaker.OpenAiOptions: sagemaker.CallOptions and the members that InvokeEndpoint has in
--- headers: TargetVariant, SessionId, CustomAttributes …
---@field InferenceComponentName? string goes into the path
---@field auth? "sigv4"|"bearer" how a request proves whose it is: signed as all others (default),
--- or by a token made of a signature, which AWS's guide describes for these paths
---@field method? "GET"|"POST"|"DELETE" default: POST with a body, GET without
---@field raw? boolean answer what InvokeEndpoint does, {Body, ContentType, …}
---@field stream? boolean answer a stream; also where the body is a table with stream = true

-- {{ The request

local METHODS = { DELETE = true, GET = true, POST = true }

-- The options of this function: its own, and the members that InvokeEndpoint has in headers.
local known
local function options_of_model(service)
  if not known then
    known = { auth = true, method = true, raw = true, stream = true }
    for _, member in ipairs(service:shape(service:operation(MODEL).input).members) do
      if member.location == "header" then known[member.name] = "member" end
    end
  end
  return known
end

local function check_flag(own, name, level)
  local value = own[name]
  if value ~= nil and type(value) ~= "boolean" then
    error(("option %s must be true or false, not %s"):format(name, type(value)), level)
  end
end

local function check_arguments(endpoint, path, body, own, level)
  if type(endpoint) ~= "string" then
    error("the endpoint must be a string, not " .. type(endpoint), level)
  end
  if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
    error('the path must be a string that begins with "/", as "/v1/chat/completions"', level)
  end
  if body ~= nil and type(body) ~= "string" and type(body) ~= "table" then
    error("the body must be a string or a table, not " .. type(body), level)
  end
  if own.method ~= nil and not METHODS[own.method] then
    error('option method must be "GET", "POST" or "DELETE"', level)
  end
  if own.auth ~= nil and own.auth ~= "sigv4" and own.auth ~= "bearer" then
    error('option auth must be "sigv4" or "bearer"', level)
  end
  check_flag(own, "raw", level + 1)
  check_flag(own, "stream", level + 1)
end

local function encode_byte(byte)
  return ("%%%02X"):format(byte:byte())
end

local function encode_percent(digits)
  return #digits < 2 and "%25" .. digits or nil
end

-- Path and query as they can be sent: what may not stand in them is encoded, what is encoded stays.
local function split_path(text)
  local path, query = text:gsub("%%(%x?%x?)", encode_percent):match("^([^?]*)%??(.*)$")
  path = path:gsub("[^%w%-._~!$&'()*+,;=:@/%%]", encode_byte)
  return path, (query:gsub("[^%w%-._~!$&'()*+,;=:@/?%%]", encode_byte))
end

-- A path that would lead out of the endpoint's.
local function is_astray(path)
  for segment in path:gmatch("[^/]+") do
    local plain = segment:gsub("%%2[eE]", ".")
    if plain == "." or plain == ".." then return true end
  end
  return false
end

local function invalid(problem)
  return answers.invalid(NAME, { problem })
end

-- The text of a body. One that asks for a stream by an option says so to the model, too.
local function text_of(body, is_stream)
  if type(body) ~= "table" then return body or "" end
  if is_stream and body.stream == nil then
    local whole = {}
    for key, value in pairs(body) do whole[key] = value end
    whole.stream = true
    body = whole
  end
  return json.encode(body, "body")
end

-- What the encoder is told: the members of InvokeEndpoint that stand in headers, but for the
-- inference component, which this path names.
local function params_of(endpoint, body, own, is_stream)
  local params = { Accept = is_stream and "text/event-stream" or "application/json", Body = "",
    ContentType = body and "application/json", EndpointName = endpoint }
  for name, kind in pairs(known) do
    if kind == "member" and own[name] ~= nil then params[name] = own[name] end
  end
  return params
end

-- The request {method, path, query, headers, body}, or nil, message, err.
local function request_of(service, endpoint, path, body, own, is_stream)
  local params = params_of(endpoint, body, own, is_stream)
  local request, problems = core.encode(service, MODEL, params, "strict")
  if not request then return answers.invalid(NAME, problems) end
  local text, message = text_of(body, is_stream)
  if not text then
    return invalid { path = "body", code = "InvalidBody",
      message = message }
  end
  local tail, query = split_path(path)
  if is_astray(tail) then
    return invalid { path = "path", code = "InvalidPath",
      message = ('path: %q leads out of the endpoint by "." or ".."'):format(path) }
  end
  local base = request.path:gsub("/invocations$", "")
  if params.InferenceComponentName then
    base = base .. "/inference-components/" .. params.InferenceComponentName
    request.headers["X-Amzn-SageMaker-Inference-Component"] = nil
  end
  if not body then request.headers["Content-Type"] = nil end
  request.method = own.method or (body and "POST" or "GET")
  request.path, request.query, request.body = base .. "/openai" .. tail, query, text
  return request
end

-- }}

-- {{ Tokens

local TOKEN_HOST = "sagemaker.amazonaws.com"
local TOKEN_SECONDS = 300 -- that a request may be on its way; AWS allows 12 hours

-- A bearer token is a signed URL for an action that nobody calls, in base64.
local function authorize(request, signer, epoch)
  local url = signer:presign({ method = "POST", path = "/", query = "Action=CallWithBearerToken",
    headers = { Host = TOKEN_HOST }, body = "" }, epoch, TOKEN_SECONDS)
  request.headers.Authorization = "Bearer sagemaker-api-key-"
    .. core.text.base64(url:gsub("^https://", "") .. "&Version=1")
end

-- }}

-- {{ The answer

-- What an error's body says in the forms that servers of models use: {error = {message, type,
-- code}}, {error = "text"}, {object = "error", message, type}, {detail = "text"}.
local function complaint_of(body)
  if type(body) ~= "table" then return nil end
  local found = body.error or body.detail
  if type(found) == "table" then return found end
  if type(found) == "string" then return { message = found } end
  if body.object == "error" then return { message = body.message, type = body.type } end
  return nil
end

-- The error of an answer. Where the service itself has not named one, the model's server has.
local function failure(service, response)
  local _, err = answers.decode(service, MODEL, response)
  if answers.header(response.headers, "x-amzn-errortype") then return err end
  local body = json.decode(response.body)
  local complaint = complaint_of(body)
  if not complaint then return err end
  local code, kind, message = complaint.code, complaint.type, complaint.message
  if type(code) == "string" and code ~= "" and not code:find("^%d+$") then
    err.code = code
  elseif type(kind) == "string" and kind ~= "" then
    err.code = kind
  end
  if type(message) == "string" and message ~= "" then err.message = message end
  err.raw = body
  return err
end

local function unreadable(response, why)
  return errors.new { kind = "protocol", code = "UnreadableResponse", status = response.status,
    message = ("the answer with HTTP status %d cannot be read: %s"):format(response.status, why),
    request_id = answers.request_id(response.headers), retryable = false, sent = true,
    received = true }
end

local function json_of(response)
  if response.status == 204 then return {} end
  local value, message = json.decode(response.body)
  if value == nil then return nil, unreadable(response, message) end
  return value
end

local function decode(service, operation, own, response)
  local status = response.status
  if status < 200 or status >= 300 then return nil, failure(service, response) end
  if own.raw and not operation.stream_output then
    return answers.decode(service, MODEL, response)
  end
  local kind = answers.header(response.headers, "content-type") or ""
  local is_stream = operation.stream_output
  if not is_stream and not kind:find("^text/event%-stream") then return json_of(response) end
  local head, message = core.decode(service, MODEL, status, response.headers, "")
  if not head then return nil, unreadable(response, message) end
  if is_stream then return head end
  return streams.of(service, operation, response, head)
end

-- }}

--- Sends a request to an OpenAI-compatible path of an endpoint, signed, and never twice (as other
--- invocations: see sagemaker.runtime). What is wrong with the arguments' types throws at `level`,
--- as with error().
---@param runtime sagemaker.Runtime
---@param endpoint string EndpointName
---@param path string "/v1/chat/completions", perhaps with a query
---@param body string|table|nil a table is written as JSON
---@param opts sagemaker.OpenAiOptions|nil
---@param level integer
---@return table|sagemaker.Stream|nil answer
---@return string|nil message
---@return sagemaker.Error|nil err its code is that of AWS's error or of the model server's
function M.call(runtime, endpoint, path, body, opts, level)
  local service = runtime.service
  local own, rest = inputs.split(opts, options_of_model(service), level)
  check_arguments(endpoint, path, body, own, level + 1)
  local is_stream = own.stream
  if is_stream == nil then is_stream = type(body) == "table" and body.stream == true end
  local operation = { name = NAME, is_plain = true, stream_output = is_stream or nil }
  if own.auth == "bearer" then operation.authorize = authorize end
  operation.encode = function()
    return request_of(service, endpoint, path, body, own, is_stream)
  end
  operation.decode = function(response)
    return decode(service, operation, own, response)
  end
  local answer, message, err = clients.perform(runtime, operation, own, rest, level)
  return answer, message, err
end

return M
