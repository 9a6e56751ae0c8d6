--- How requests reach a service: the contract of every transport, and the choice of one.
--
-- A transport sends one request and hands back the answer. It never retries, signs, parses or
-- follows redirects. Waiting and the clocks live here too, because retries and waiters must wait in
-- the transport's own world: the simulator's hours take milliseconds.

local errors = require "sagemaker.error"

local M = {}

---@class sagemaker.Request what goes in; the transport changes nothing in it
---@field method string
---@field url string absolute, percent-encoded; path and query are sent exactly as they stand here
---@field headers table<string, string> sent with names and values as given
---@field body string "" for none
---@field timeouts? {connect?: number, read?: number} seconds: until connected (name, TCP, proxy,
--- TLS); without a byte moving once connected
---@field host? string for messages
---@field direct? boolean never by way of a proxy: for addresses of this machine
---@field stream? boolean an answer of 2xx may come with `reader` instead of `body`, as soon as its
--- head is known

---@class sagemaker.Response what comes out
---@field status integer
---@field headers? table<string, string> names as received; repeated headers joined with ", "
---@field body? string the bytes as received, "" for none; always there unless the status is 2xx and
--- the request asked for a stream, or came with `decode`
---@field output? any what `decode` has answered, in place of headers and body
---@field reader? sagemaker.Reader instead of `body`
---@field timings? sagemaker.Timings
---@field reused? boolean the connection had been used before

---@class sagemaker.Timings seconds from the start to the end of a step; 0: the step was not needed
---@field resolve number
---@field connect number
---@field tls number
---@field first_byte number
---@field total number

--- A body that is read while it comes. `read` waits for the next bytes: a string that is never
--- empty, nil at the end, or nil, message, err when the body breaks off. What is kept in memory has
--- a limit: when it is reached the sender is held back until somebody reads. `deadline` ends
--- with the head of an answer; from then on only `timeouts.read` counts, for who waits in `read`:
--- no byte for so long is the failure "ReadTimeout" (sent and received). `close` may come at any
--- time, and again; it gives the connection up, unless the body was read to its end. A reader that
--- is collected closes itself.
---@class sagemaker.Reader
---@field read fun(self): string|nil, string|nil, sagemaker.Error|nil
---@field close fun(self)

--- Failures are `nil, "Code: message", err` with kind "transport" or "timeout". `err.sent` is false
--- when the service surely saw nothing of the request, `err.received` true when a part of an answer
--- came, `err.retryable` true when another attempt could end differently.
---
--- Who wants nothing of an answer but what it says hands in `decode`. To it a transport may give an
--- answer of 2xx that is no stream, with its status, and have what it answers as `output`, if that
--- is not nil. It must not wait. The answer is the body as a string; or a userdata for core.decode,
--- lent until it returns, which has the headers, too.
---@class sagemaker.Transport
---@field send fun(self, request: sagemaker.Request, deadline?: number, decode?: function):
--- sagemaker.Response|nil, string|nil, sagemaker.Error|nil `deadline` is a time of `clock`
---@field sleep fun(self, seconds: number) waits; not at all for zero or less
---@field now fun(self): number wall time in seconds since the epoch, for signing and dates
---@field clock fun(self): number monotonic time in seconds, for deadlines
---@field close? fun(self) gives connections back; the transport may be used again
---@field defaults? {region?: string, credentials?: table} what a client takes unless it is told
--- otherwise

local METHODS = { "send", "sleep", "now", "clock" }

--- Whether a value fulfils the contract as far as can be seen from outside.
---@param transport any
---@return boolean ok
---@return string|nil message what is missing
function M.check(transport)
  local kind = type(transport)
  if kind ~= "table" and kind ~= "userdata" then
    return false, ("a transport is an object with methods, not a %s"):format(kind)
  end
  for _, name in ipairs(METHODS) do
    if type(transport[name]) ~= "function" then
      return false, ("the transport has no method '%s'"):format(name)
    end
  end
  return true
end

-- Inside nginx nothing may block a worker, and libcurl could bring a second OpenSSL.
local function default_name()
  local ngx = rawget(_G, "ngx")
  if type(ngx) == "table" and ngx.get_phase then return "resty" end
  return "curl"
end

--- The transport of a client: the one it was given, or the one that fits where it runs.
---@param transport? sagemaker.Transport|string an object, or a name: "curl"
---@param opts? table options of the transport chosen, see its module
---@return sagemaker.Transport|nil
---@return string|nil message
---@return sagemaker.Error|nil err
function M.choose(transport, opts)
  if transport ~= nil and type(transport) ~= "string" then
    local ok, message = M.check(transport)
    if ok then return transport end
    return errors.fail{ kind = "config", code = "InvalidTransport", message = message }
  end
  local name = transport or default_name()
  local found, module = pcall(require, "sagemaker.transport." .. name)
  if found and type(module) == "table" and module.new then return module.new(opts) end
  return errors.fail{
    kind = "config",
    code = "InvalidTransport",
    message = ("there is no transport '%s' here"):format(name),
    cause = not found and module or nil,
  }
end

return M
