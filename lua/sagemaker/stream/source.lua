--- Where the bytes of a stream come from: functions that give the next ones, and what is in the
-- frames of an event stream.

local errors = require "sagemaker.error"

local M = {}

---@alias sagemaker.StreamSource fun(): string|nil, string|nil, sagemaker.Error|nil the next bytes;
--- nil at the end; or nil, message, err

---@class sagemaker.StreamAbout what errors say of the operation and the answer
---@field name? string of the operation
---@field request_id? string
---@field attempts? integer

-- The three values for what a decoder says.
local function broken(message, fault, about)
  local err = { kind = "protocol", code = "BrokenStream", message = message,
    operation = about.name, attempts = about.attempts, request_id = about.request_id,
    received = true, retryable = false, sent = true }
  if fault then
    err.kind, err.code, err.message = "service", fault.code, fault.message
    err.fields, err.raw = fault.fields, fault.raw
  end
  return errors.fail(err)
end

--- What is in the events of an operation's answer: the bytes of its payload parts.
---@param source sagemaker.StreamSource bytes of the answer's body
---@param decoder userdata from core.eventstream_decoder
---@param about? sagemaker.StreamAbout
---@return sagemaker.StreamSource
function M.payloads(source, decoder, about)
  about = about or {}
  return function()
    while true do
      local event, message, fault = decoder:next()
      if message then return broken(message, fault, about) end
      local part = event and event.PayloadPart
      if part then return part.Bytes or "" end
      if not event then
        local bytes, why, err = source()
        if why then return nil, why, err end
        if not bytes then
          event, message, fault = decoder:finish()
          if not event then return broken(message, fault, about) end
          return nil
        end
        decoder:feed(bytes)
      end
    end
  end
end

--- The bytes of a body that came whole.
---@param body string
---@return sagemaker.StreamSource
function M.whole_body(body)
  return function()
    local bytes = body
    body = nil
    return bytes
  end
end

--- The bytes of a body as a transport's reader gives them.
---@param reader table
---@param about sagemaker.StreamAbout
---@return sagemaker.StreamSource
function M.body_of(reader, about)
  return function()
    local bytes, message, err = reader:read()
    if not message then return bytes end
    err = err or errors.new { kind = "transport", code = "StreamBroken", message = message,
      sent = true, received = true, retryable = false }
    err.operation, err.attempts = about.name, about.attempts
    err.request_id = err.request_id or about.request_id
    return nil, tostring(err), err
  end
end

--- What another source gives, with a meter that counts it.
---@param source sagemaker.StreamSource
---@param meter sagemaker.Meter
---@return sagemaker.StreamSource
function M.metered(source, meter)
  return function()
    local bytes, message, err = source()
    if bytes then meter:takes(bytes) end
    return bytes, message, err
  end
end

return M
