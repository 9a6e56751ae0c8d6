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
  if operation.unsigned or settings.unsigned then
    call.skew = client.state.skew
    return true
  end
  local transport, deadline = call.transport, call.deadline
  if deadline and transport ~= client.settings.transport then deadline = nil end
  local signer, message, err = signing.signer(settings, client.provider_io, deadline)
  if not signer then return nil, message, err end
  local skew = client.state.skew -- as it is now: keys may have been waited for
  call.skew = skew
  local now = (transport and transport:now() or settings.io.now()) + skew
  if operation.authorize then
    operation.authorize(request, signer, now)
  else
    signer:sign(request, now)
  end
  return true
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

-- What decodes an answer where the transport has it, for calls whose answers nobody else sees.
local function decoder_of(client, operation)
  local decoder = not operation.decode and not operation.stream_output
    and answer.decoder(client.service, operation.name)
  operation.decoder = decoder
  return decoder
end

-- The same for an answer whose body still comes: what a hook throws does not leave it open.
local function announce_stream(settings, operation, response)
  local reader = response.reader
  if not reader then return announce(settings, operation, response) end
  local ok, thrown = pcall(announce, settings, operation, response)
  if ok then return end
  reader:close()
  error(thrown, 0)
end

-- The answer to a request that asked for a stream, whose head was decoded.
local function open_stream(client, settings, operation, response, output, call)
  if output then
    call.log = settings.logger
    return streams.of(client.service, operation, response, output, call)
  end
  if response.reader then response.reader:close() end
end

-- Sends a signed request and decodes the answer. The deadline is the attempt's own or the
-- operation's, whichever is first.
local function exchange(client, settings, operation, request, call)
  local hooks, log, meter, limit = settings.hooks, settings.logger, call.meter, call.deadline
  local decoder, own = operation.decoder, settings.timeouts.attempt
  if decoder == nil then decoder = decoder_of(client, operation) end
  if hooks and hooks.before_send then hooks.before_send(request, operation.name) end
  if log then logger.request(log, operation.name, request, call.attempt) end
  call.sent = call.sent + 1
  if meter then meter:sends(request) end
  if own then
    own = call.transport:clock() + own
    if not limit or own < limit then limit = own end
  end
  if hooks or log or meter then decoder = nil end
  local response, _, err = call.transport:send(request, limit, decoder or nil)
  if not response then
    if err.code == "AttemptTimeout" and limit == call.deadline then
      err.code, err.retryable = "OperationTimeout", false
    end
    return nil, err
  end
  local output = response.output
  if output then return output end
  if meter then meter:receives(response, request.stream) end
  local is_stream = request.stream
  if hooks or log then
    local tell = is_stream and announce_stream or announce
    tell(settings, operation, response)
  end
  if operation.decode then
    output, err = operation.decode(response)
  else
    output, err = answer.decode(client.service, operation.name, response)
  end
  if is_stream then output = open_stream(client, settings, operation, response, output, call) end
  return output, err, response
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
  local ok, _, refused = M.sign(client, settings, operation, request, call)
  if not ok then return nil, refused end
  if not is_limited then return exchange(client, settings, operation, request, call) end
  local output, err, response = exchange(client, settings, operation, request, call)
  retry.learn(call, err)
  return output, err, response
end

return M
