--- One attempt of a call: what is done again when it has failed and another one is worth it.

local errors = require "sagemaker.error"
local lazy = require "sagemaker.lazy"

local answer = lazy "sagemaker.answer"
local logger = lazy "sagemaker.logger"
local retry = lazy "sagemaker.retry"
local signing = lazy "sagemaker.signing"
local streams = lazy "sagemaker.stream"

local M = {}

--- Signs a request by the clock of `call`, whose deadline also ends the search for keys.
---@param client sagemaker.Client
---@param settings table
---@param operation sagemaker.Operation
---@param request sagemaker.Request
---@param call table {deadline, transport}; gets skew
---@return boolean|nil ok
---@return string|nil message
---@return sagemaker.Error|nil err
function M.sign(client, settings, operation, request, call)
  local hooks = settings.hooks
  if hooks and hooks.before_sign then hooks.before_sign(request, operation.name) end
  if operation.unsigned or settings.unsigned then return true end
  local transport = call.transport
  local deadline = transport == client.settings.transport and call.deadline or nil
  local signer, message, err = signing.signer(settings, client.provider_io, deadline)
  if not signer then return nil, message, err end
  call.skew = client.state.skew
  local now = (transport and transport:now() or settings.io.now()) + call.skew
  if operation.authorize then
    operation.authorize(request, signer, now)
  else
    signer:sign(request, now)
  end
  return true
end

-- Sends a signed request; the deadline is the attempt's own or the operation's, whichever is first.
local function send(settings, transport, request, deadline, decoder)
  local limit, own = deadline, settings.timeouts.attempt
  if own then
    own = transport:clock() + own
    if not limit or own < limit then limit = own end
  end
  local response, message, err = transport:send(request, limit, decoder)
  if not response and err.code == "AttemptTimeout" and limit == deadline then
    err.code, err.retryable = "OperationTimeout", false
    message = tostring(err)
  end
  return response, message, err
end

-- Waits until the rate limiter lets the request go; an error when that is after the deadline.
local function take_turn(client, call)
  local ok, lacking = retry.wait_turn(client.state, call)
  if ok then return nil end
  local before = call.failure
  return errors.new { kind = "timeout", code = "OperationTimeout", retryable = false, sent = false,
    cause = before, message = ("the rate limiter holds the request back for %.3f s more, past the "
    .. "time for the operation%s"):format(lacking,
      before and "; the attempt before failed: " .. tostring(before) or "") }
end

-- Tells who listens that an answer has come, at least its head.
local function announce(settings, operation, response)
  local hooks, log = settings.hooks, settings.logger
  if log then logger.response(log, operation.name, response) end
  if hooks and hooks.after_response then hooks.after_response(response, operation.name) end
end

-- Decodes an answer by the operation's own means or by its shapes.
local function decode(client, operation, response)
  if operation.decode then return operation.decode(response) end
  return answer.decode(client.service, operation.name, response)
end

-- The answer to a request that asked for a stream: its head is decoded, its body still comes.
local function open_stream(client, settings, operation, response, call)
  local reader, hooks = response.reader, settings.hooks
  if reader and (settings.logger or hooks and hooks.after_response) then
    local ok, thrown = pcall(announce, settings, operation, response)
    if not ok then
      reader:close()
      error(thrown, 0)
    end
  else
    announce(settings, operation, response)
  end
  local output, err = decode(client, operation, response)
  if output then return streams.of(client.service, operation, response, output, call) end
  if reader then reader:close() end
  return nil, err
end

-- Sends a signed request and decodes the answer.
local function exchange(client, settings, operation, request, call)
  local hooks, log, meter = settings.hooks, settings.logger, call.meter
  if hooks and hooks.before_send then hooks.before_send(request, operation.name) end
  if log then logger.request(log, operation.name, request, call.attempt) end
  call.sent = call.sent + 1
  if meter then meter:sends(request) end
  local response, _, err = send(settings, call.transport, request, call.deadline,
    call.decoder)
  if not response then return nil, err end
  if response.output then return response.output end
  if meter then meter:receives(response, request.stream) end
  local output
  if request.stream then
    output, err = open_stream(client, settings, operation, response, call)
  else
    announce(settings, operation, response)
    output, err = decode(client, operation, response)
  end
  return output, err, response
end

--- What decodes an answer where the transport has it, for calls whose answers nobody else sees.
---@param client sagemaker.Client
---@param settings table
---@param operation sagemaker.Operation
---@param meter sagemaker.Meter|nil
---@return function|nil
function M.decoder(client, settings, operation, meter)
  if meter or settings.hooks or settings.logger or operation.decode or operation.stream_output then
    return nil
  end
  local decoder = operation.decoder
  if decoder == nil then
    decoder = answer.decoder(client.service, operation.name)
    operation.decoder = decoder
  end
  return decoder or nil
end

--- One attempt: waits for its turn, signs, sends, decodes.
---@param client sagemaker.Client
---@param settings table
---@param operation sagemaker.Operation
---@param request sagemaker.Request
---@param call sagemaker.Attempts
---@return any|nil output
---@return sagemaker.Error|nil err
---@return sagemaker.Response|nil response where one has come
function M.try(client, settings, operation, request, call)
  local is_limited = settings.retry_mode == "adaptive"
  local late = is_limited and take_turn(client, call)
  if late then return nil, late end
  call.skew = client.state.skew
  local ok, _, refused = M.sign(client, settings, operation, request, call)
  if not ok then return nil, refused end
  local output, err, response = exchange(client, settings, operation, request, call)
  if is_limited then retry.learn(call, err) end
  return output, err, response
end

return M
