--- What a call took, for the hook `on_call`: told once a call, whatever became of it.
--
-- A call without that hook has no meter, and reads no clock. A call that answers a stream is told
-- when the stream ends: read to its end, failed, closed, or (at the latest) collected.
--
-- The hook only looks on: what it throws is told to the client's logger, else to stderr, and the
-- call's outcome stays what it is. An error that cancels the task in which it runs goes through.

local errors = require "sagemaker.error"

local M = {}

-- Where tables have no finalizers (5.1, LuaJIT), a userdata has one.
local newproxy = rawget(_G, "newproxy")

---@class sagemaker.Metrics
---@field service string "sagemaker", "sagemaker-runtime"
---@field operation string the AWS name
---@field outcome "ok"|sagemaker.ErrorKind|"thrown" thrown: another hook has thrown
---@field code? string of the error; "StreamClosed" with the outcome "ok" where a stream was closed
---   before its end
---@field status? integer of the last answer
---@field attempts integer requests sent; 0: the call failed before
---@field duration number seconds from the call to its end, waits between attempts included
---@field bytes_sent integer of bodies, all attempts together
---@field bytes_received integer of bodies, all attempts together
---@field first_byte? number of a stream: seconds from the call to the first bytes of its body
---@field timings? sagemaker.Timings of the last attempt, from transports that tell them
---@field reused? boolean the last attempt went over a connection that had been used before
---@field host? string where the last attempt went

---@class sagemaker.Meter
local methods = {}
methods.__index = methods

local function read_clock(self)
  local transport = self.transport
  if transport then return transport:clock() end
  return self.io.clock()
end

--- A request is about to be sent.
---@param request sagemaker.Request
function methods:sends(request)
  local metrics = self.metrics
  metrics.attempts = metrics.attempts + 1
  metrics.bytes_sent = metrics.bytes_sent + #request.body
  metrics.host = request.host
  metrics.status, metrics.timings, metrics.reused = nil, nil, nil
end

--- An answer has come; the body of a stream is counted as it is read.
---@param response sagemaker.Response
---@param is_stream boolean|nil
function methods:receives(response, is_stream)
  local metrics = self.metrics
  local status = response.status
  metrics.status, metrics.timings, metrics.reused = status, response.timings, response.reused
  if response.body and not (is_stream and status >= 200 and status < 300) then
    metrics.bytes_received = metrics.bytes_received + #response.body
  end
end

--- Bytes of a stream have come.
---@param bytes string
function methods:takes(bytes)
  local metrics = self.metrics
  if not metrics.first_byte then metrics.first_byte = read_clock(self) - self.started end
  metrics.bytes_received = metrics.bytes_received + #bytes
end

local function tell(self, hook, metrics)
  local ok, thrown = pcall(hook, metrics)
  if ok then return end
  if errors.is(thrown) and thrown.kind == "cancelled" then error(thrown, 0) end
  local text = ("%s: the hook on_call has thrown: %s"):format(metrics.operation, tostring(thrown))
  if self.log then return self.log("error", text) end
  io.stderr:write("sagemaker: ", text, "\n")
end

--- The call is over.
---@param err sagemaker.Error|nil
function methods:ends(err)
  local metrics, hook = self.metrics, self.hook
  if not hook then return end
  self.hook = false
  metrics.duration = read_clock(self) - self.started
  if err then
    metrics.code = err.code
    if err.code ~= "StreamClosed" then metrics.outcome = err.kind end
  end
  tell(self, hook, metrics)
end

--- What was thrown in the call, as `ends` takes it: a task is cancelled by an error of ours, the
--- rest are hooks'.
---@param thrown any
---@return sagemaker.Error|table
function M.error_of(thrown)
  return errors.is(thrown) and thrown or { kind = "thrown", code = "Thrown" }
end

--- Where no pcall may be around what waits (PUC 5.1): what is thrown in the call ends it when the
--- guard is collected, which the caller keeps until the call has come back; then it says so.
---@return userdata|nil guard nil where nothing has a finalizer
function methods:guard()
  if not newproxy then return nil end
  local scheduler = package.loaded["sagemaker.task.scheduler"]
  local task = scheduler and scheduler.current
  self.is_away = true
  local proxy = newproxy(true)
  getmetatable(proxy).__gc = function()
    if not self.is_away then return end
    local cancelled = task and task.cancelled
    pcall(self.ends, self, M.error_of(cancelled and errors.new { kind = "cancelled",
      code = "TaskCancelled", message = "the task was cancelled" }))
  end
  return proxy
end

--- The call has come back, in whatever way.
function methods:back()
  self.is_away = false
end

--- The meter of a call.
---@param hook fun(metrics: sagemaker.Metrics)
---@param service string
---@param operation table
---@param io sagemaker.Env
---@param transport sagemaker.Transport|false|nil whose clock counts, or else that of `io`
---@param log? function|false is told what the hook throws
---@return sagemaker.Meter
function M.new(hook, service, operation, io, transport, log)
  local self = setmetatable({
    hook = hook,
    io = io,
    log = log or false,
    metrics = { service = service, operation = operation.name, outcome = "ok", attempts = 0,
      duration = 0, bytes_sent = 0, bytes_received = 0 },
    started = 0,
    transport = transport or false,
  }, methods)
  self.started = read_clock(self)
  return self
end

return M
