--- The body of a stream in process, part by part: `reader` of the transport contract. What passes
-- between two parts passes on the simulator's clock, when somebody waits for the second one.

local errors = require "sagemaker.error"

local M = {}

-- See sagemaker.Reader.
local Reader = { __name = "sagemaker.simulator.reader" }
Reader.__index = Reader

local function give_up(self)
  if self._stream.close then self._stream.close() end
end

local function fail(self, kind, code, message)
  give_up(self)
  self._failure = errors.new { kind = kind, code = code, message = message, sent = true,
    received = true, retryable = code ~= "StreamClosed" }
  return nil, tostring(self._failure), self._failure
end

-- Lets the time before a part pass; false when the caller does not wait that long.
local function pause(self)
  local seconds, limit = self._pause and self._pause() or 0, self._limit
  if seconds <= 0 then return true end
  self._sleep(limit and math.min(limit, seconds) or seconds)
  return not limit or seconds <= limit
end

-- The next bytes as the service sends them; nil at the end, or where an answer is cut.
local function next_part(self)
  if self._is_cut and self._has_begun then return nil end
  local bytes
  repeat bytes = self._stream.next() until bytes ~= ""
  if not bytes or not self._is_cut then return bytes end
  bytes = bytes:sub(1, math.floor(#bytes / 2))
  return bytes ~= "" and bytes or nil
end

-- The end, if it is one.
local function finish(self)
  if self._is_cut or self._stream.failed and self._stream.failed() then
    return fail(self, "transport", "ConnectionReset", "The answer ended before its time.")
  end
  self._has_ended = true
  return nil
end

local function failure_of(self)
  return nil, tostring(self._failure), self._failure
end

--- The next bytes.
---@return string|nil bytes never empty; nil at the end
---@return string|nil message
---@return sagemaker.Error|nil err
function Reader:read()
  if self._failure then return failure_of(self) end
  if self._has_ended then return nil end
  local bytes = next_part(self)
  local came_in_time = not bytes or not self._has_begun or pause(self)
  self._has_begun = true
  if self._failure then return failure_of(self) end -- it was closed meanwhile
  if not came_in_time then
    return fail(self, "timeout", "ReadTimeout", ("No byte more within %g seconds."):format(
      self._limit))
  end
  if bytes then return bytes end
  return finish(self)
end

--- Stops reading, at any time and as often as one likes.
function Reader:close()
  if self._failure or self._has_ended then return end
  fail(self, "transport", "StreamClosed", "The stream was closed before its end.")
end

Reader.__close = Reader.close

---@class sagemaker.simulator.reading
---@field limit number|nil seconds that a caller waits for the next part
---@field pause (fun(): number)|nil seconds that pass before each part but the first
---@field sleep fun(seconds: number)
---@field is_cut boolean|nil the stream ends in the middle of its first part

--- A reader.
---@param stream table {next, close, failed}, see Simulator:handle
---@param opts sagemaker.simulator.reading
---@return sagemaker.Reader
function M.new(stream, opts)
  return setmetatable({ _stream = stream, _limit = opts.limit, _pause = opts.pause,
    _sleep = opts.sleep, _is_cut = opts.is_cut or false, _has_begun = false, _has_ended = false,
    _failure = false }, Reader)
end

return M
