--- The answer of a model that comes in parts, and readers that make something whole of them.
---
---     for line in stream:lines() do … end        -- whatever the boundaries of the parts
---     for event in stream:sse() do … end         -- {event = "message", data = "…"}
---     for value in stream:json_lines() do … end
---     for text in stream:text() do … end         -- as it comes, never half a character
---     for bytes in stream:parts() do … end       -- as they come, cut anywhere
--
-- A stream reads from a function, one part at a time, and only when somebody asks: who reads slowly
-- holds the sender back. All readers of a stream take from the same place, so one may go on where
-- another has stopped. Nothing but the line or the event that is being read is kept, and its size
-- has a limit.
--
-- A stream that comes from a service holds a connection until it has been read to its end, has
-- failed, or is closed. While somebody waits for bytes and none come for `timeouts.read` seconds,
-- it fails; how long it lasts in all, and how much comes, has no limit.

local can_guard = require "sagemaker.guard"
local core = require("sagemaker.lazy") "sagemaker.core"
local errors = require "sagemaker.error"
local sources = require "sagemaker.stream.source"

local M = {}

---@class sagemaker.Stream
---@field output? table the members of the answer that came before the stream
local methods = {}
local Stream = { __name = "sagemaker.stream" }

-- The members of the answer are fields of the stream, which is their Body itself.
function Stream:__index(key)
  local method = methods[key]
  if method ~= nil then return method end
  local output = rawget(self, "output")
  return output and output[key]
end

---@class sagemaker.StreamOptions
---@field close? fun(err?: sagemaker.Error) gives up what the stream is read from; called once: with
--- nothing at the end of the stream, with the failure, or with StreamClosed when the reader left
---@field max_bytes? integer the longest line, and the largest event; default 16 MiB
---@field output? table

---@class sagemaker.StreamReader
---@field next fun(self): any|nil, string|nil, sagemaker.Error|nil the next one; nil at the end; or
--- nil, message, err
---@operator call:any for generic `for`: raises the err table on failure

---@class sagemaker.StreamEvent
---@field data string lines joined by newlines
---@field event string its type; "message" where it names none
---@field id? string the last id that the stream has named
---@field retry? integer milliseconds, where it was named since the event before

local MAX_BYTES = 16 * 1024 * 1024
local MAX_REST = 65536 -- bytes behind the event that ends a stream of events
local MANY = 512 -- parts of a line that are joined at a time
local BOM = "\239\187\191"

-- {{ Bytes

-- Closes the source; what was read stays.
local function release(self, err)
  local close = self._close
  self._close = false
  if close then close(err) end
end

local function fail(self, err)
  self._failure = err
  self._buffer, self._at = "", 1
  release(self, err)
  return nil, tostring(err), err
end

local function protocol(self, code, message)
  return fail(self, errors.new { kind = "protocol", code = code, message = message, sent = true,
    received = true, retryable = false })
end

-- What the source gives. What it throws (the task of the reader is cancelled) ends the stream;
-- where that cannot be caught (PUC 5.1), `close` finds a task that is away for good.
local function ask(self)
  if not self._close then return self._read() end
  if not can_guard() then
    local scheduler = package.loaded["sagemaker.task.scheduler"]
    self._away = scheduler and scheduler.current
    local bytes, message, err = self._read()
    self._away = nil
    return bytes, message, err
  end
  local ok, bytes, message, err = pcall(self._read)
  if ok then return bytes, message, err end
  fail(self, errors.is(bytes) and bytes or errors.new { kind = "thrown", code = "Thrown",
    message = tostring(bytes), retryable = false })
  error(bytes, 0)
end

-- The next part from the source.
local function fetch(self)
  local err = self._failure
  if err then return nil, tostring(err), err end
  if self._ended then return nil end
  local bytes, message
  bytes, message, err = ask(self)
  if bytes then return bytes end
  if message then
    return fail(self, err or errors.new { kind = "transport", code = "StreamBroken",
      message = message, sent = true, received = true, retryable = false })
  end
  self._ended = true
  release(self)
  return nil
end

-- Makes sure that something unread is in the buffer: true; nil at the end; or nil, message, err.
local function fill(self)
  while true do
    if self._after_cr and self._at <= #self._buffer then
      self._after_cr = false
      if self._buffer:byte(self._at) == 10 then self._at = self._at + 1 end
    end
    if self._at <= #self._buffer then return true end
    local bytes, message, err = fetch(self)
    if not bytes then return nil, message, err end
    self._buffer, self._at = bytes, 1
  end
end

-- Whatever was fetched and not read, else the next part.
local function next_part(self)
  if self._at > #self._buffer and not self._after_cr then return fetch(self) end
  local ok, message, err = fill(self)
  if not ok then return nil, message, err end
  local bytes = self._at == 1 and self._buffer or self._buffer:sub(self._at)
  self._buffer, self._at = "", 1
  return bytes
end

-- A line that comes in pieces; they are joined MANY at a time, so that tiny ones cost little.
local function keep(line, piece)
  local n = line.n + 1
  line.n, line[n] = n, piece
  if n == MANY then
    line.joined[#line.joined + 1] = table.concat(line, "", 1, n)
    line.n = 0
  end
end

local function whole(line)
  return table.concat(line.joined) .. table.concat(line, "", 1, line.n)
end

-- The next line without its end, which `ends` finds: "\n", or "[\r\n]" where CR and CRLF end one
-- too. The last line may have no end.
local function next_line(self, ends)
  local line, size = nil, 0
  while true do
    local ok, message, err = fill(self)
    if message then return nil, message, err end
    if not ok then return line and whole(line) end
    local buffer, at = self._buffer, self._at
    local stop = buffer:find(ends, at)
    size = size + (stop or #buffer + 1) - at
    if size > self._max then
      return protocol(self, "LineTooLong",
        ("a line of the stream is longer than %d bytes"):format(self._max))
    end
    local piece = buffer:sub(at, (stop or 0) - 1)
    if stop then
      self._at, self._after_cr = stop + 1, buffer:byte(stop) == 13
      if not line then return piece end
    end
    line = line or { n = 0, joined = {} }
    keep(line, piece)
    if stop then return whole(line) end
    self._buffer, self._at = "", 1
  end
end

-- }}

-- {{ Readers

local Reader = { __name = "sagemaker.stream_reader", __index = {} }

function Reader.__index:next()
  return self._step(self._stream, self)
end

function Reader:__call()
  local value, _, err = self._step(self._stream, self)
  if err then error(err, 0) end
  return value
end

local function reader_of(stream, step)
  return setmetatable({ _stream = stream, _step = step }, Reader)
end

--- The parts as they come, their bytes cut wherever the sender has cut them.
---@return sagemaker.StreamReader of strings, which may be empty
function methods:parts()
  return reader_of(self, next_part)
end

--- The next part.
---@return string|nil bytes nil at the end
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:read()
  return next_part(self)
end

-- The length of `bytes` without a UTF-8 character that they only begin. What is no UTF-8 counts as
-- whole.
local function whole_characters(bytes)
  local size = #bytes
  for back = 1, math.min(3, size) do
    local byte = bytes:byte(size - back + 1)
    if byte < 0x80 then return size end
    if byte >= 0xC0 then
      if byte > 0xF4 then return size end
      local length = byte >= 0xF0 and 4 or byte >= 0xE0 and 3 or 2
      return length > back and size - back or size
    end
  end
  return size
end

local function step_text(self)
  local held = ""
  while true do
    local bytes, message, err
    if held == "" then
      bytes, message, err = next_part(self)
    else
      bytes, message, err = fetch(self)
    end
    if message then return nil, message, err end
    if not bytes then return held ~= "" and held or nil end
    bytes = held .. bytes
    local stop = whole_characters(bytes)
    if stop > 0 then
      if stop == #bytes then return bytes end
      self._buffer, self._at = bytes, stop + 1
      return bytes:sub(1, stop)
    end
    held = bytes
  end
end

--- The text as it comes, in pieces that never cut a UTF-8 character: what a terminal or a browser
--- can show at once. Bytes that are no UTF-8 are given as they are.
---@return sagemaker.StreamReader of strings, never empty
function methods:text()
  return reader_of(self, step_text)
end

local function step_line(self)
  local line, message, err = next_line(self, "\n")
  if line and line:byte(-1) == 13 then line = line:sub(1, -2) end
  return line, message, err
end

--- Lines, without their ends (LF or CRLF). The last one may lack its end.
---@return sagemaker.StreamReader of strings
function methods:lines()
  return reader_of(self, step_line)
end

local function step_json(self, state)
  while true do
    local line, message, err = step_line(self)
    if line == nil then return nil, message, err end
    state.count = (state.count or 0) + 1
    if state.count == 1 and line:sub(1, 3) == BOM then line = line:sub(4) end
    if line:find("%S") then
      local value, why = require("sagemaker.json").decode(line)
      if value ~= nil then return value end
      return protocol(self, "InvalidJSON",
        ("line %d of the stream is %s"):format(state.count, why))
    end
  end
end

--- One JSON value a line; blank lines are skipped. null is `sagemaker.null`.
---@return sagemaker.StreamReader of values
function methods:json_lines()
  return reader_of(self, step_json)
end

-- }}

-- {{ Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html

local FIELDS = {
  data = function(state, value)
    state.data[#state.data + 1] = value
    state.size = state.size + #value + 1
  end,
  event = function(state, value) state.event = value end,
  id = function(state, value)
    if not value:find("\0", 1, true) then state.id = value end
  end,
  retry = function(state, value)
    if value:find("^%d+$") then state.retry = tonumber(value) end
  end,
}

-- The event whose lines were read; nil when it has no data.
local function dispatch(state)
  local lines, event = state.data, nil
  if lines[1] then
    event = { data = table.concat(lines, "\n"), event = state.event ~= "" and state.event
      or "message", id = state.id, retry = state.retry }
    state.data, state.size, state.retry = {}, 0, nil
  end
  state.event = ""
  return event
end

local function take(state, line)
  if state.is_fresh and line:sub(1, 3) == BOM then line = line:sub(4) end
  state.is_fresh = false
  local name, value = line:match("^([^:]*):? ?(.*)$")
  local field = FIELDS[name]
  if field then field(state, value) end
end

-- Reads on to the end of the stream, so that its connection can serve again; what comes is dropped,
-- and no more than a little of it waited for.
local function run_out(self)
  local size = 0
  repeat
    local bytes, message, err = next_part(self)
    if not bytes then return nil, message, err end
    size = size + #bytes
  until size > MAX_REST
  self._ended = true
  release(self)
  return nil
end

local function step_event(self, state)
  while not state.is_done do
    local line, message, err = next_line(self, "[\r\n]")
    if message then return nil, message, err end
    if line and line ~= "" and not (state.is_fresh and line == BOM) then
      take(state, line)
      if state.size > self._max then
        return protocol(self, "EventTooLarge",
          ("an event of the stream is larger than %d bytes"):format(self._max))
      end
    else
      state.is_fresh, state.is_done = false, line == nil
      local event = dispatch(state)
      if event and event.data == state.last then
        state.is_done = true
        event = nil
      end
      if event then return event end
    end
  end
  return run_out(self)
end

--- Server-sent events. `[DONE]`, with which OpenAI's form of a stream ends, is not given, nor what
--- comes after it up to the end of the stream.
-- An event that the end of the stream cuts short of its blank line is given, where a browser would
-- drop it: the frames have told that nothing is missing.
---@param opts? {last: string|false} the data that ends the stream; default "[DONE]"
---@return sagemaker.StreamReader of sagemaker.StreamEvent
function methods:sse(opts)
  local events = reader_of(self, step_event)
  events.data, events.size, events.event = {}, 0, ""
  events.is_fresh, events.is_done = true, false
  events.last = "[DONE]"
  if opts and opts.last ~= nil then events.last = opts.last end
  return events
end

-- }}

--- Stops reading, at any time and as often as one likes. What is asked for afterwards is an error,
-- unless the stream had come to its end.
function methods:close()
  if not self._ended and not self._failure then
    local away = self._away
    self._failure = away and away.cancelled and errors.new { kind = "cancelled",
      code = "TaskCancelled", message = "the task was cancelled", retryable = false }
      or errors.new { kind = "transport", code = "StreamClosed", sent = true,
        received = true, retryable = false, message = "the stream was closed before its end" }
    self._buffer, self._at = "", 1
  end
  release(self, self._failure or nil)
end

Stream.__close = methods.close

-- One that nobody closed; what a hook throws there has nobody to reach.
function Stream:__gc()
  pcall(methods.close, self)
end

-- Where tables have no finalizers (5.1, LuaJIT), a userdata has one for the stream that holds it.
local newproxy = rawget(_G, "newproxy")

local function guard(stream)
  local proxy = newproxy(true)
  getmetatable(proxy).__gc = function() pcall(methods.close, stream) end
  return proxy
end

--- A stream.
---@param read fun(): string|nil, string|nil, sagemaker.Error|nil the next part; nil at the end; or
--- nil, message, err
---@param opts? sagemaker.StreamOptions
---@return sagemaker.Stream
function M.new(read, opts)
  opts = opts or {}
  local stream = setmetatable({
    output = opts.output,
    _after_cr = false, -- the last line ended with a CR: a LF that follows belongs to it
    _at = 1,
    _buffer = "",
    _close = opts.close or false,
    _ended = false,
    _failure = false,
    _max = opts.max_bytes or MAX_BYTES,
    _read = read,
  }, Stream)
  if opts.close and newproxy then stream._guard = guard(stream) end
  return stream
end

--- The stream of an answer.
---@param service userdata
---@param operation sagemaker.Operation
---@param response sagemaker.Response with a reader, or with a body that came whole
---@param output table its decoded members; gets the stream as Body
---@param call? {sent: integer, meter?: sagemaker.Meter, log?: function|false} how often the request
--- was sent, for errors; who is told what is read and of the end; who is told a failure
---@return sagemaker.Stream
function M.of(service, operation, response, output, call)
  call = call or {}
  local reader, meter, log = response.reader, call.meter, call.log
  local about = { attempts = call.sent, name = operation.name,
    request_id = require("sagemaker.answer").request_id(response.headers) }
  local source = reader and sources.body_of(reader, about) or sources.whole_body(response.body)
  if meter then source = sources.metered(source, meter) end
  if not operation.is_plain then
    source = sources.payloads(source, core.eventstream_decoder(service, operation.name), about)
  end
  local close = (reader or meter or log) and function(err)
    if reader then reader:close() end
    if log and err and err.code ~= "StreamClosed" then
      require("sagemaker.logger").failure(log, operation.name, err)
    end
    if meter then meter:ends(err) end
  end
  local stream = M.new(source, { close = close, output = output })
  output.Body = stream
  return stream
end

return M
