--- HTTP/1.1 as bytes: the head of a request to write, the answer to read from any source of bytes.
--- https://www.rfc-editor.org/rfc/rfc9112
--
-- A source is a table with `buffer` (a string), `at` (where its unread part begins) and the method
-- `fill`, called when all is read: it puts more bytes there and answers true, or nil and a reason:
-- "closed" where the other side has ended, anything else as it likes. Here nothing knows sockets.
--
-- The plain case of both is done in C (csrc/sm_http.h), which answers nil for what is not plain:
-- that is done here. So all that can be said about a head is said here.
--
-- Failures are `nil, code, text`, with the codes of csrc/lcurl_error.c; a reason of the source is
-- handed on as `nil, nil, reason`.

local core = require "sagemaker.core"

local byte, find, lower, match, sub = string.byte, string.find, string.lower, string.match,
  string.sub
local concat = table.concat

local M = {}

---@class sagemaker.http1.Source
---@field buffer string
---@field at integer
---@field fill fun(self): true|nil, string|nil

---@class sagemaker.http1.Head
---@field status integer
---@field headers table<string, string> names as received; repeated headers joined with ", "
---@field keep boolean the connection may be used again once the body is read
---@field length integer|false of the body
---@field chunked boolean
---@field to_end boolean the body ends with the connection

M.request = require("sagemaker.transport.http1.request").request

local MAX_LINES = 256
local MAX_CHUNK_LINE = 4096
local MANY = 512 -- pieces of a body that are joined at a time

-- {{ Reading the head

local function invalid(text)
  return nil, "InvalidResponse", text
end

local function broken_off()
  return nil, "TruncatedResponse", "the answer broke off in its head"
end

-- The next line without its end. `room` is how many bytes the head may still take.
local function line_of(source, room, limit)
  local start = source.at
  local from = start
  while true do
    local buffer = source.buffer
    local stop = find(buffer, "\n", from, true)
    if (stop or #buffer) - start + 1 > room then
      return nil, "ResponseTooLarge", ("header of the answer is over %d bytes"):format(limit)
    end
    if stop then
      source.at = stop + 1
      if stop > start and byte(buffer, stop - 1) == 13 then stop = stop - 1 end
      return sub(buffer, start, stop - 1), stop - start + 2
    end
    local unread = sub(buffer, start)
    source.at = #buffer + 1
    local ok, reason = source:fill()
    if not ok then
      source.buffer, source.at = unread, 1
      if reason == "closed" and unread ~= "" then return broken_off() end
      return nil, nil, reason
    end
    source.buffer = unread .. sub(source.buffer, source.at)
    source.at, start, from = 1, 1, #unread + 1
  end
end

-- A value without the blanks around it.
local function trim(line, first)
  local last = #line
  while last >= first do
    local c = byte(line, last)
    if c ~= 32 and c ~= 9 then break end
    last = last - 1
  end
  while first <= last do
    local c = byte(line, first)
    if c ~= 32 and c ~= 9 then break end
    first = first + 1
  end
  return sub(line, first, last)
end

-- The name under which a header came first, in whatever case.
local function first_name(headers, order, count, name)
  if headers[name] then return name end
  local size = #name
  for i = 1, count do
    local other = order[i]
    if #other == size and lower(other) == lower(name) then return other end
  end
  return nil
end

-- Adds a field; a repeated one is joined to the first. Answers its name there and the count.
local function add_field(headers, order, count, name, value)
  local first = first_name(headers, order, count, name)
  if first then
    headers[first] = headers[first] .. ", " .. value
    return first, count
  end
  headers[name], order[count + 1] = value, name
  return name, count + 1
end

-- Header lines up to the empty one. Answers the headers, their names in order and how many.
local function fields(source, room, limit)
  local headers, order, count, last, lines = {}, {}, 0, nil, 0
  while true do
    local line, size, reason = line_of(source, room, limit)
    if not line then return nil, size, reason end
    if line == "" then return headers, order, count, room - size end
    room, lines = room - size, lines + 1
    if lines > MAX_LINES then
      return nil, "ResponseTooLarge", ("more than %d header lines in the answer"):format(MAX_LINES)
    end
    if find(line, "[%z\r]") then return invalid "a header of the answer holds a NUL or a CR" end
    local c = byte(line, 1)
    if c == 32 or c == 9 then
      if lines == 1 then return invalid "the answer begins with a folded header" end
      if last then headers[last] = headers[last] .. " " .. trim(line, 1) end
    else
      last = nil -- a line without a colon is left out, with what is folded below it
      local colon = find(line, ":", 1, true)
      if colon then
        last, count = add_field(headers, order, count, sub(line, 1, colon - 1),
          trim(line, colon + 1))
      end
    end
  end
end

-- The announced length: digits, or the same ones several times over.
local function length_of(value)
  local length
  if #value <= 15 and find(value, "^%d+$") then return tonumber(value) end
  for part in (value .. ","):gmatch("[ \t]*([^,]-)[ \t]*,") do
    if not find(part, "^%d+$") or length and length ~= part then return nil end
    length = part
  end
  if not length or #length > 15 then return nil end
  return tonumber(length)
end

local function has_no_body(method, status)
  return method == "HEAD" or status == 204 or status == 304
end

-- How the body is delimited: RFC 9112, section 6.3.
local function frame(head, method, length, coding)
  local status = head.status
  if has_no_body(method, status) then
    head.length = 0
  elseif coding then
    coding = lower(coding)
    if coding ~= "chunked" then
      return invalid(("the answer has an unknown transfer coding: %q"):format(sub(coding, 1, 40)))
    end
    head.chunked = true
    if length then head.keep = false end -- the two contradict each other
  elseif length then
    head.length = length_of(length)
    if not head.length then return invalid "the Content-Length of the answer is no number" end
  else
    head.to_end, head.keep = true, false
  end
  return head
end

local function status_of(line)
  local minor, status = match(line, "^HTTP/1%.(%d) (%d%d%d)$")
  if not minor then minor, status = match(line, "^HTTP/1%.(%d) (%d%d%d) ") end
  return tonumber(status), minor
end

-- What came first cannot be the beginning of an answer: said at once, not when a line has ended.
local function is_foreign(source)
  local buffer, at = source.buffer, source.at
  local n = math.min(#buffer - at + 1, 5)
  return sub(buffer, at, at + n - 1) ~= sub("HTTP/", 1, n)
end

-- The status line, or its failure.
local function first_line(source, room, limit)
  if source.at > #source.buffer then
    local ok, reason = source:fill()
    if not ok then return nil, nil, reason end
  end
  if is_foreign(source) then return invalid "the answer is not HTTP" end
  local line, size, reason = line_of(source, room, limit)
  if not line then return nil, size, reason end
  source.received = true
  local status, minor = status_of(line)
  if not status then return invalid "the answer is not HTTP" end
  return status, minor, size
end

-- What the few headers that concern us say.
local function framed(head, method, order, count, minor)
  local headers, length, coding, connection = head.headers, nil, nil, nil
  for i = 1, count do
    local name = order[i]
    local size = #name
    if size == 14 or size == 17 or size == 10 then
      local plain = lower(name)
      if plain == "content-length" then
        length = headers[name]
      elseif plain == "transfer-encoding" then
        coding = headers[name]
      elseif plain == "connection" then
        connection = lower(headers[name])
      end
    end
  end
  if minor == "0" then
    head.keep = connection ~= nil and find(connection, "keep-alive", 1, true) ~= nil
  else
    head.keep = not connection or find(connection, "close", 1, true) == nil
  end
  return frame(head, method, length, coding)
end

-- The head of a plain answer that is all there.
local function plain_head(source, method, limit)
  local at = source.at
  local status, headers, next_at, keep, length, chunked = core.http_head(source.buffer, at)
  if not status or next_at - at > limit then return nil end
  source.at, source.received = next_at, true
  if has_no_body(method, status) then
    length, chunked = 0, false
  end
  local to_end = not length and not chunked
  return { status = status, headers = headers, keep = keep and not to_end, length = length,
    chunked = chunked, to_end = to_end }
end

--- Reads the head of an answer; interim answers (1xx) are passed over. Sets `source.received` once
--- a line has come.
---@param source sagemaker.http1.Source
---@param method string of the request
---@param limit integer bytes
---@return sagemaker.http1.Head|nil
---@return string|nil code
---@return string|nil text or the reason of the source
function M.head(source, method, limit)
  if source.at > #source.buffer then
    local ok, reason = source:fill()
    if not ok then return nil, nil, reason end
  end
  local plain = plain_head(source, method, limit)
  if plain then return plain end
  local room = limit
  while true do
    local status, minor, size = first_line(source, room, limit)
    if not status then
      if size == "closed" and source.received then return broken_off() end
      return nil, minor, size
    end
    local headers, order, count, left = fields(source, room - size, limit)
    if not headers then
      if count == "closed" then return broken_off() end
      return nil, order, count
    end
    room = left
    if status >= 200 then
      return framed({ status = status, headers = headers, keep = false, length = false,
        chunked = false, to_end = false }, method, order, count, minor)
    end
    if status == 101 then return invalid "the answer changes the protocol" end
    if status < 100 then return invalid "the answer has no status" end
  end
end

-- }}

-- {{ Reading the body

local Body = {}
Body.__index = Body

--- A body to read piece by piece.
---@param source sagemaker.http1.Source
---@param head sagemaker.http1.Head
---@param limit integer bytes of header lines, for trailers
---@return table body with the method `next`
function M.body(source, head, limit)
  return setmetatable({
    chunked = head.chunked,
    done = head.length == 0,
    left = head.length or (head.to_end and math.huge) or 0,
    limit = limit,
    source = source,
    state = head.chunked and "size" or "data",
    to_end = head.to_end,
  }, Body)
end

local function cut(reason)
  if reason ~= "closed" then return nil, nil, reason end
  return nil, "TruncatedResponse", "the connection was closed before the end of the answer"
end

-- At most `left` of what is there, fetching more where nothing is.
local function take(source, left)
  if source.at > #source.buffer then
    local ok, reason = source:fill(left)
    if not ok then return nil, reason end
  end
  local buffer, at = source.buffer, source.at
  local n = #buffer - at + 1
  if n <= left then
    source.at = #buffer + 1
    return at == 1 and buffer or sub(buffer, at), n
  end
  source.at = at + left
  return sub(buffer, at, at + left - 1), left
end

-- The size of the next chunk; after the last one the trailers are read.
local function open_chunk(self)
  local line, code, reason = line_of(self.source, MAX_CHUNK_LINE, MAX_CHUNK_LINE)
  if not line then
    if code == "TruncatedResponse" then return cut("closed") end
    if code then return invalid "chunked-encoding: a line is too long" end
    return cut(reason)
  end
  local digits, rest = match(line, "^(%x+)[ \t]*(.?)")
  if not digits or #digits > 13 or rest ~= "" and rest ~= ";" then
    return invalid "chunked-encoding: a chunk has no size"
  end
  self.left = tonumber(digits, 16)
  if self.left > 0 then
    self.state = "data"
    return true
  end
  local headers, order, count = fields(self.source, self.limit, self.limit)
  if not headers then
    if order == "TruncatedResponse" then return cut("closed") end
    if order then return nil, order, count end
    return cut(count)
  end
  self.done = true
  return true
end

-- The end of line behind a chunk.
local function close_chunk(self)
  local line, code, reason = line_of(self.source, 2, 2)
  if not line then
    if code == "TruncatedResponse" then return cut("closed") end
    if not code then return cut(reason) end
  end
  if line ~= "" then return invalid "chunked-encoding: a chunk is longer than its size" end
  self.state = "size"
  return true
end

--- The next bytes of the body; nil at its end, when `done` is set.
---@return string|nil bytes never empty
---@return string|nil code
---@return string|nil text or the reason of the source
function Body:next()
  while not self.done do
    if self.state == "data" then
      local bytes, n = take(self.source, self.left)
      if not bytes then
        if n == "closed" and self.to_end then
          self.done = true
          return nil
        end
        return cut(n)
      end
      self.left = self.left - n
      if self.left == 0 then
        if self.chunked then
          self.state = "end"
        else
          self.done = true
        end
      end
      return bytes
    end
    local step = self.state == "size" and open_chunk or close_chunk
    local ok, code, text = step(self)
    if not ok then return nil, code, text end
  end
  return nil
end

local function too_large(limit)
  return nil, "ResponseTooLarge", ("body of the answer is over %d bytes"):format(limit)
end

--- The whole body.
---@param source sagemaker.http1.Source
---@param head sagemaker.http1.Head
---@param max integer bytes
---@param limit integer bytes of header lines, for trailers
---@return string|nil body
---@return string|nil code
---@return string|nil text
function M.read_all(source, head, max, limit)
  local length = head.length
  if length then
    if length == 0 then return "" end
    if length > max then return too_large(max) end
    local buffer, at = source.buffer, source.at
    if #buffer - at + 1 >= length then
      source.at = at + length
      return sub(buffer, at, at + length - 1)
    end
  end
  local body, parts, n, size, joined = M.body(source, head, limit), {}, 0, 0, nil
  while true do
    local bytes, code, text = body:next()
    if not bytes then
      if text then return nil, code, text end
      if joined then return concat(joined) .. concat(parts, "", 1, n) end
      return concat(parts, "", 1, n)
    end
    size = size + #bytes
    if size > max then return too_large(max) end
    n = n + 1
    parts[n] = bytes
    if n == MANY then
      joined = joined or {}
      joined[#joined + 1] = concat(parts, "", 1, n)
      n = 0
    end
  end
end

-- }}

--- Whether bytes have come that belong to no answer.
---@param source sagemaker.http1.Source
---@return boolean
function M.has_rest(source)
  return source.at <= #source.buffer
end

return M
