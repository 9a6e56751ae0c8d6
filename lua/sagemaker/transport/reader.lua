--- The body of an answer, read while it comes: `reader` of the transport contract, over a stream of
-- sagemaker.curl.

local errors = require "sagemaker.error"
local scheduler = require "sagemaker.task.scheduler"

local M = {}

-- See sagemaker.Reader.
local Reader = { __name = "sagemaker.transport.reader" }
Reader.__index = Reader

local function fail(self, ...)
  local _, message, err = self._fail(...)
  self._failure, self._number = err, nil
  return nil, message, err
end

-- Waits until there is something to take: other tasks go on meanwhile.
local function wait(self, number)
  if not scheduler.is_active() then return self._stream:wait() end
  self._number = number
  local why, err, waiter = scheduler.await(number)
  if why ~= "ready" then
    self:close() -- who wanted to read is gone
    scheduler.check(waiter, why, err)
  end
  self._number = nil -- another request may have it soon
end

--- The next bytes; waits for them. Nothing more is taken from the network than a bounded buffer
--- holds, so who reads slowly holds the sender back.
---@return string|nil bytes never empty; nil at the end
---@return string|nil message
---@return sagemaker.Error|nil err
function Reader:read()
  local failure = self._failure
  if failure then return nil, tostring(failure), failure end
  if self._ended then return nil end
  while true do
    local bytes, code, text, sent, received, retryable = self._stream:take()
    if bytes then return bytes end
    if bytes == nil then
      if code then return fail(self, code, text, sent, received, retryable) end
      self._ended = true
      return nil
    end
    wait(self, code)
    if self._failure then return nil, tostring(self._failure), self._failure end
  end
end

--- Stops reading, at any time and as often as one likes. The connection is closed, unless the body
--- was read to its end.
function Reader:close()
  if not self._ended and not self._failure then
    self._failure = errors.new { kind = "transport", code = "StreamClosed", sent = true,
      received = true, retryable = false, message = "the stream was closed before its end" }
  end
  local number = self._number
  self._number = nil
  self._stream:close()
  if number then scheduler.notify(number) end
end

Reader.__close = Reader.close

--- A reader. It closes itself when it is collected.
---@param stream userdata of sagemaker.curl
---@param failed fun(code: string, text: string, sent: boolean, received: boolean,
---   retryable: boolean): nil, string, sagemaker.Error
---@return sagemaker.Reader
function M.new(stream, failed)
  return setmetatable({ _ended = false, _fail = failed, _failure = false, _number = nil,
    _stream = stream }, Reader)
end

return M
