--- HTTP/1.1 for transports that have sockets of their own (RFC 9112). Requests are written and
-- answers read in C (core.http_request, core.http_reader); here is where the bytes come from.
--
-- A source of bytes is a table with `buffer` (a string), `at` (where its unread part begins) and
-- the method `fill`, called when all is read: it puts more bytes there and answers true, or nil and
-- a reason: "closed" where the other side has ended, anything else as it likes. Nothing here knows
-- sockets.
--
-- Failures are `nil, code, text`, with the codes of csrc/lcurl_error.c; a reason of the source is
-- handed on as `nil, nil, reason`.

local core = require "sagemaker.core"

local M = {}

---@class sagemaker.http1.Source
---@field buffer string
---@field at integer
---@field fill fun(self): true|nil, string|nil
---@field received? boolean set once something of an answer has come

---@class sagemaker.http1.Head
---@field status integer
---@field headers table<string, string> names as received; repeated headers joined with ", "
---@field keep boolean the connection may be used again once the body is read
---@field length integer|false of the body; false where the answer does not tell
---@field reader userdata what reads on

--- The head of a request, with Host and Content-Length.
---@param method string
---@param target string the path with its query, or a whole URL for a proxy
---@param host string what Host says unless the headers do
---@param headers table<string, string>|nil
---@param length integer of the body
---@param extra? string further lines, each with its end
---@return string|nil head
---@return string|boolean why the request cannot be sent; else whether no other one may follow it on
--- its connection
function M.request(method, target, host, headers, length, extra)
  return core.http_request(method, target, host, headers, length, extra)
end

-- Readers that wait for an answer; one that is left in the middle of one is left to the collector.
local idle, n_idle = {}, 0
local MOST_IDLE = 64

local function take()
  if n_idle == 0 then return core.http_reader() end
  local reader = idle[n_idle]
  idle[n_idle], n_idle = nil, n_idle - 1
  return reader
end

local function give_back(reader)
  if n_idle == MOST_IDLE then return end
  n_idle = n_idle + 1
  idle[n_idle] = reader
end

-- More bytes where all are read; or nil and a reason.
local function more(source)
  if source.at <= #source.buffer then return true end
  return source:fill()
end

--- Reads the head of an answer; interim answers (1xx) are passed over. Sets `source.received` once
--- something has come.
---@param source sagemaker.http1.Source
---@param method string of the request
---@param limit integer bytes
---@return sagemaker.http1.Head|nil
---@return string|nil code
---@return string|nil text or the reason of the source
function M.head(source, method, limit)
  local reader = take()
  reader:begin(limit, method == "HEAD")
  while true do
    local ok, reason = more(source)
    if not ok then
      if reason == "closed" and source.received then
        return nil, "TruncatedResponse", "the answer broke off in its head"
      end
      return nil, nil, reason
    end
    local at, code, text = reader:feed(source.buffer, source.at)
    local status, headers, keep, length = reader:head()
    if status ~= false then source.received = true end
    if not at then return nil, code, text end
    source.at = at
    if status then
      return { status = status, headers = headers, keep = keep, length = length, reader = reader }
    end
  end
end

local function cut(reason)
  if reason ~= "closed" then return nil, nil, reason end
  return nil, "TruncatedResponse", "the connection was closed before the end of the answer"
end

local Body = {}
Body.__index = Body

local function end_body(self)
  self.done = true
  give_back(self.reader)
  self.reader = nil
end

--- A body to read piece by piece.
---@param source sagemaker.http1.Source
---@param head sagemaker.http1.Head
---@return table body with the method `next`, and `done` once it was read to its end
function M.body(source, head)
  local self = setmetatable({ done = false, reader = head.reader, source = source }, Body)
  if head.reader:is_done() then end_body(self) end
  return self
end

--- The next bytes of the body; nil at its end, when `done` is set.
---@return string|nil bytes never empty
---@return string|nil code
---@return string|nil text or the reason of the source
function Body:next()
  local source = self.source
  while not self.done do
    local reader = self.reader
    local ok, reason = more(source)
    if ok then
      local at, piece, text = reader:feed(source.buffer, source.at)
      if not at then return nil, piece, text end
      source.at = at
      if reader:is_done() then end_body(self) end
      if piece then return piece end
    else
      if reason ~= "closed" or not reader:finish() then return cut(reason) end
      end_body(self)
    end
  end
  return nil
end

--- The whole body.
---@param source sagemaker.http1.Source
---@param head sagemaker.http1.Head
---@param max integer bytes
---@return string|nil body
---@return string|nil code
---@return string|nil text
function M.read_all(source, head, max)
  local reader = head.reader
  while true do
    local at, body, text = reader:read(source.buffer, source.at, max)
    if not at then return nil, body, text end
    source.at = at
    if not body then
      local ok, reason = source:fill()
      if not ok then
        body = reader:finish() -- forgets what there is of the body
        if not body or reason ~= "closed" then return cut(reason) end
      end
    end
    if body then
      give_back(reader)
      return body
    end
  end
end

--- Whether bytes have come that belong to no answer.
---@param source sagemaker.http1.Source
---@return boolean
function M.has_rest(source)
  return source.at <= #source.buffer
end

return M
