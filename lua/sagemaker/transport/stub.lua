--- A transport with answers written down beforehand, for specs: it records what it was asked and
-- has a clock of its own, which moves only when somebody sleeps or an answer takes time.

local errors = require "sagemaker.error"

local M = {}

---@class sagemaker.StubAnswer
---@field status? integer default 200
---@field headers? table<string, string>
---@field body? string default ""
---@field parts? (string|sagemaker.StubAnswer)[] a body in these pieces, from a reader where the
--- request asks for a stream; a table with `code` is a failure as below
---@field code? string makes it a failure: the err has this code, and kind ("transport" by default),
--- message, sent, received, retryable as given here
---@field delay? number seconds of virtual time until the answer comes; past the deadline the answer
--- is the failure AttemptTimeout

---@alias sagemaker.StubScript
---| (sagemaker.StubAnswer|function)[]
---| fun(request: sagemaker.Request, deadline: number?, stub: sagemaker.Stub): sagemaker.StubAnswer

---@class sagemaker.Stub: sagemaker.Transport
---@field requests table[] what was sent: copies, each with `deadline` and `at`, the time of `clock`
---@field readers table[] those that were handed out, each with `reads`, and `closed` (how often)
---@field sleeps number[] how long somebody slept, one entry each time

local methods = {}
local metatable = { __index = methods, __name = "sagemaker.transport.stub" }

local function copy(value)
  if type(value) ~= "table" then return value end
  local result = {}
  for k, v in pairs(value) do result[k] = copy(v) end
  return result
end

local function failure(answer)
  local fields = copy(answer)
  fields.kind = fields.kind or "transport"
  fields.message = fields.message or "as the script says"
  fields.delay = nil
  return errors.fail(fields)
end

-- Lets the delay of an answer pass; false when the deadline comes first.
local function pass(self, delay, deadline)
  local arrival = self._clock + delay
  if deadline and arrival > deadline then
    self._clock = math.max(self._clock, deadline)
    return false
  end
  self._clock = arrival
  return true
end

local function next_answer(self)
  local script = self._script
  if type(script) == "function" then return script end
  local n = #self.requests
  local answer = script[n]
  if answer == nil then
    error(("stub: request %d came, but the script has %d answers"):format(n, #script), 0)
  end
  return answer
end

local Reader = {}
Reader.__index = Reader

function Reader:read()
  if self.closed > 0 then
    return errors.fail { kind = "transport", code = "ReaderClosed", message = "it was closed",
      sent = true, received = true, retryable = false }
  end
  self.reads = self.reads + 1
  local part = self._parts[self.reads]
  if type(part) ~= "table" then return part end
  local fields = copy(part)
  fields.received, fields.sent = true, true
  return failure(fields)
end

function Reader:close()
  self.closed = self.closed + 1
end

-- The body of an answer in pieces: one string, or where the request asks for it a reader.
local function deliver(self, request, response, answer)
  local status = response.status
  if request.stream and status >= 200 and status < 300 then
    local reader = setmetatable({ closed = 0, reads = 0, _parts = answer.parts }, Reader)
    self.readers[#self.readers + 1] = reader
    response.reader, response.body = reader, nil
  else
    response.body = table.concat(answer.parts)
  end
  return response
end

--- Records the request and answers it from the script.
---@param request sagemaker.Request
---@param deadline? number
---@return sagemaker.Response|nil
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:send(request, deadline)
  local record = copy(request)
  record.deadline, record.at = deadline, self._clock
  self.requests[#self.requests + 1] = record
  local answer = next_answer(self)
  if type(answer) == "function" then answer = answer(record, deadline, self) end
  if not pass(self, answer.delay or 0, deadline) then
    return errors.fail{ kind = "timeout", code = "AttemptTimeout", sent = true, retryable = true,
      received = false, message = "no answer before the deadline" }
  end
  if answer.code then return failure(answer) end
  local response = {
    status = answer.status or 200,
    headers = copy(answer.headers or {}),
    body = answer.body or "",
  }
  if answer.parts then return deliver(self, request, response, answer) end
  return response
end

--- Moves the virtual clock.
---@param seconds number
function methods:sleep(seconds)
  self.sleeps[#self.sleeps + 1] = seconds
  self._clock = self._clock + math.max(0, seconds)
end

--- Virtual wall time.
---@return number
function methods:now()
  return self._epoch + self._clock
end

--- Virtual monotonic time; starts at 0.
---@return number
function methods:clock()
  return self._clock
end

--- Makes a stub.
---@param script sagemaker.StubScript one answer per request in order, each a table or a function as
--- below, or one function for all; a request beyond the list throws
---@param opts? {now?: number, defaults?: table} wall time at the start (default
--- 2026-01-15T12:00:00Z), defaults for the client
---@return sagemaker.Stub
function M.new(script, opts)
  opts = opts or {}
  return setmetatable({
    readers = {},
    requests = {},
    sleeps = {},
    defaults = opts.defaults,
    _script = script,
    _clock = 0,
    _epoch = opts.now or 1768478400,
  }, metatable)
end

return M
