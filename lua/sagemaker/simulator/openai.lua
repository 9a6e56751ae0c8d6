--- The OpenAI-compatible path of the runtime: what it is sent goes to the container as it is, and
-- what the container answers comes back as it is.
--
--   /endpoints/{name}/openai/v1/…
--   /endpoints/{name}/inference-components/{component}/openai/v1/…
--
-- Requests are signed as others are, or bring a bearer token: base64 of a presigned request
-- CallWithBearerToken:
-- https://docs.aws.amazon.com/sagemaker/latest/dg/realtime-endpoints-openai-compatible.html

local core = require "sagemaker.core"
local invocations = require "sagemaker.simulator.invocation"
local parts = require "sagemaker.simulator.parts"
local refusal = require "sagemaker.simulator.refusal"

local M = {}

local NAME = "InvokeEndpoint"
local TOKEN = "^[Bb]earer%s+sagemaker%-api%-key%-([%w+/=_-]+)%s*$"

-- The endpoint, the component and the path at the container.
local function read_path(path)
  local endpoint, component, rest =
    path:match("^/endpoints/([^/]+)/inference%-components/([^/]+)/openai(/v1/.+)$")
  if endpoint then return endpoint, component, rest end
  endpoint, rest = path:match("^/endpoints/([^/]+)/openai(/v1/.+)$")
  return endpoint, nil, rest
end

--- Whether a path is one of these.
---@param path string
---@return boolean
function M.matches(path)
  return read_path(path) ~= nil
end

--- The request whose signature counts: this one, or the one in its bearer token.
---@param request table with lower-case names of headers
---@return table|nil
---@return sagemaker.simulator.refusal|nil
function M.signed(request)
  local authorization = request.headers.authorization or ""
  if not authorization:find("^[Bb]earer%s") then return request end
  local token = authorization:match(TOKEN)
  local text = token and core.text.unbase64(token)
  local host, path, query = (text or ""):match("^([^/?]+)(/?)%?(.*)$")
  if not host or not query:find("Action=CallWithBearerToken", 1, true) then
    return refusal.new("UnrecognizedClientException",
      "The bearer token included in the request is invalid.", 403)
  end
  return {
    method = "POST", path = path == "" and "/" or path, query = query:gsub("&Version=1$", ""),
    headers = { host = host }, host = host, body = "",
  }
end

--- Protocol: the operation, for knobs and logs.
---@return string
function M.operation()
  return NAME
end

--- Protocol: what goes in. Headers mean what they mean for InvokeEndpoint.
---@param row table
---@param request table
---@return string|nil operation
---@return table|string input or code
---@return string|nil message
function M.decode(row, request)
  local endpoint, component = read_path(request.path)
  local name, input, message = core.decode_input(row.service, {
    method = "POST", path = ("/endpoints/%s/invocations"):format(endpoint), query = "",
    headers = request.headers, body = request.body,
  })
  if not name then return nil, input, message end
  if component then input.InferenceComponentName = component end
  return name, input
end

-- Whether a request asks for its answer piece by piece, and somebody could hand it on like that.
local function streams(request)
  return request.streams and request.body:find('"stream"%s*:%s*true') ~= nil or nil
end

local function handler(account, input, case)
  local _, _, path = read_path(case.request.path)
  local answer, refused = invocations.invoke(account, input,
    { method = case.request.method, path = path, streams = streams(case.request), case = case })
  if not answer then return nil, refused end
  return { answer = answer }
end

--- The operation of this path.
M.handlers = { [NAME] = handler }

--- Protocol: what comes out, as the container said it, and when.
---@param row table
---@param name string
---@param output table
---@return table
function M.encode(row, name, output)
  local answer = output.answer
  local encoded = core.encode_output(row.service, name, {
    Body = answer.body or "", ContentType = answer.headers["content-type"] or "application/json",
    InvokedProductionVariant = answer.invocation.variant,
    CustomAttributes = answer.headers["x-amzn-sagemaker-custom-attributes"],
    NewSessionId = answer.headers["x-amzn-sagemaker-new-session-id"],
    ClosedSessionId = answer.headers["x-amzn-sagemaker-closed-session-id"],
  })
  encoded.status = answer.status
  if answer.next then
    encoded.body, encoded.stream = nil, {
      next = parts.each(answer), close = answer.close,
      failed = function() return answer.stream_error ~= nil end,
    }
  end
  return encoded
end

return M
