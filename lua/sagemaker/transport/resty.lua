--- The transport inside nginx: cosockets of the Lua module, which let the worker go on with other
-- requests while this one waits.
--
-- HTTP/1.1, connections kept in pools of the worker, one for each place with its proxy and its
-- rules for TLS. What curl's transport promises holds here: the same codes of failures, the same
-- rule for kept connections that died (sent again, on a new one, only when nothing of an answer had
-- come and within a second), nothing else repeated. A connection is given back only after a whole
-- answer.
--
-- What nginx decides, not the options: who is trusted (`lua_ssl_trusted_certificate`), who is asked
-- for names (`resolver`, after the hosts file, which is read once a worker) and for how long
-- (`resolver_timeout`).

local connections = require "sagemaker.transport.resty.connection"
local errors = require "sagemaker.error"
local http1 = require "sagemaker.transport.http1"
local proxies = require "sagemaker.transport.proxy"

local M = {}

---@class sagemaker.RestyOptions
---@field tls? sagemaker.TlsOptions ca_file and ca_path are refused: nginx cannot change whom it
--- trusts from one connection to the next
---@field proxy? string|false|sagemaker.Proxies as for curl's transport; none by default
---@field max_response_bytes? integer largest body accepted, default 64 MiB; not for streams
---@field max_header_bytes? integer largest head accepted, default 64 KiB
---@field timeouts? {connect?: number, read?: number} seconds, for requests that bring none; default
--- 10 and 60
---@field keepalive? {idle?: number, size?: integer} how many seconds an unused connection is kept
--- (default 50) and how many of one place in a worker (default 64)
---@field logger? fun(level: string, message: string)|false is told when nothing is verified;
--- without it nginx's error log is
---@field timings? boolean true: answers tell how long each step took; `resolve` stays 0, because
--- nginx looks names up while it connects
---@field io? sagemaker.Env

local CONNECT, READ = 10, 60
local MAX_BODY, MAX_HEAD = 64 * 1024 * 1024, 64 * 1024
local IDLE, SIZE = 50, 64
local STALE = 1 -- second

-- Where nginx lets Lua wait.
local WAITS = { access = true, content = true, preread = true, rewrite = true,
  server_rewrite = true, ssl_cert = true, ssl_client_hello = true, ssl_session_fetch = true,
  timer = true }

local methods = {}
local metatable = { __index = methods, __name = "sagemaker.transport.resty" }

function metatable.__tostring()
  return metatable.__name
end

local function phase_problem(ngx)
  return ("nginx cannot wait in the phase '%s', so nothing can be sent there: do it in the access "
    .. "or content phase, or in a timer (ngx.timer.at)"):format(ngx.get_phase())
end

local function config_error(code, message)
  return errors.fail { kind = "config", code = code, message = message, sent = false,
    retryable = false }
end

-- {{ Failures

local TIMEOUTS = { ConnectTimeout = true, ReadTimeout = true, AttemptTimeout = true }
local CONFIG = { NoResolver = true, ProxyUnavailable = true }
local RETRYABLE = { AttemptTimeout = true, ConnectFailed = true, ConnectTimeout = true,
  ConnectionRefused = true, ConnectionReset = true, EmptyReply = true, HostNotFound = true,
  NetworkUnreachable = true, ProxyError = true, ReadTimeout = true, TruncatedResponse = true }

-- The error of an exchange; `exchange` knows how far it had come.
local function failure(exchange, code, text, retryable)
  local request = exchange.request
  local host = request.host or exchange.route.authority
  if not text:find((host:gsub(":%d+$", "")), 1, true) then text = ("%s (%s)"):format(text, host) end
  if retryable == nil then retryable = RETRYABLE[code] or false end
  return errors.fail {
    kind = TIMEOUTS[code] and "timeout" or CONFIG[code] and "config" or "transport",
    code = code,
    message = text,
    sent = exchange.sent,
    received = exchange.received or code == "TruncatedResponse",
    retryable = retryable,
  }
end

local function milliseconds(seconds)
  return math.ceil(seconds * 1000 - 1e-6)
end

-- Which limit has passed: the deadline of the attempt, or the one of the step.
local function timed_out(exchange, step)
  if exchange.deadline and exchange.clock() >= exchange.deadline - 0.002 then
    return "AttemptTimeout", ("no answer within %d ms")
      :format(milliseconds(exchange.deadline - exchange.start))
  end
  if step == "connect" then
    return "ConnectTimeout", ("not connected within %d ms"):format(milliseconds(exchange.connect))
  end
  return "ReadTimeout", ("no byte %s for %d ms"):format(exchange.received and "more" or "came",
    milliseconds(exchange.read))
end

-- What the reason of a source means.
local function broken(exchange, reason)
  if reason == "timeout" then return timed_out(exchange, "read") end
  if exchange.received then return "TruncatedResponse", "the answer broke off: " .. reason end
  if reason == "closed" then
    return "EmptyReply", "the connection was closed without an answer"
  end
  return "ConnectionReset", "the connection broke before an answer came: " .. reason
end

-- }}

-- {{ The answer

-- Why nothing more is read where another thread has closed the stream meanwhile.
local CLOSED = "given up"

-- An exchange is the source of bytes that http1 reads. Each wait ends at the read timeout, and at
-- the deadline if that comes first.
local Exchange = {}
Exchange.__index = Exchange

function Exchange:fill()
  local sock, deadline = self.sock, self.deadline
  if not sock then return nil, CLOSED end
  if deadline then
    local left = deadline - self.clock()
    if left <= 0 then return nil, "timeout" end
    if left < self.read or self.is_short then
      self.is_short = true
      local read = milliseconds(math.min(left, self.read))
      sock:settimeouts(read, read, read)
    end
  end
  local bytes, reason = sock:receiveany(65536)
  if not self.sock then -- nginx lets nobody close what another thread waits for
    sock:close()
    return nil, CLOSED
  end
  if not bytes then return nil, reason end
  self.buffer, self.at = bytes, 1
  return true
end

-- Gives a connection back after a whole answer, or up.
local function release(exchange, keep)
  local sock, route = exchange.sock, exchange.route
  exchange.sock = false
  if not sock then return end
  if keep and exchange.whole and not exchange.last and not http1.has_rest(exchange) then
    if sock:setkeepalive(route.idle, route.size) then return end
  end
  sock:close()
end

local function timings_of(exchange)
  local start = exchange.start
  local function since(time)
    return time and time - start or 0
  end
  return { resolve = 0, connect = since(exchange.connected), tls = since(exchange.secured),
    first_byte = since(exchange.first_byte), total = exchange.clock() - start }
end

local Reader = {}
Reader.__index = Reader
Reader.__name = "sagemaker.transport.resty.reader"

--- The next bytes.
---@return string|nil bytes never empty; nil at the end
---@return string|nil message
---@return sagemaker.Error|nil err
function Reader:read()
  local exchange = self.exchange
  if self.failure then return nil, tostring(self.failure), self.failure end
  if not exchange.sock then return nil end
  local bytes, code, text = self.body:next()
  if bytes then
    if self.body.done then release(exchange, self.keep) end
    return bytes
  end
  if self.body.done then
    release(exchange, self.keep)
    return nil
  end
  if self.failure then return nil, tostring(self.failure), self.failure end
  if not code then code, text = broken(exchange, text) end
  release(exchange, false)
  local message
  text, message, self.failure = failure(exchange, code, text)
  return text, message, self.failure
end

--- Gives the connection up, or back when the body was read to its end. Where another thread waits
--- in `read` it is closed when that wait ends; nothing more is handed out.
function Reader:close()
  if not self.exchange.sock then return end
  self.failure = errors.new { kind = "transport", code = "StreamClosed", sent = true,
    received = true, retryable = false, message = "the stream was closed before its end" }
  release(self.exchange, false)
end

-- An answer of 2xx to who wants to read it by itself.
local function streamed(exchange, head, response)
  local body = http1.body(exchange, head)
  if exchange.timings then response.timings = timings_of(exchange) end
  if body.done then
    release(exchange, head.keep)
    response.body = ""
    return response
  end
  if exchange.is_short then
    local read = milliseconds(exchange.read)
    exchange.sock:settimeouts(read, read, read)
  end
  exchange.deadline = nil -- it held up to the head
  response.reader = setmetatable({ body = body, exchange = exchange, failure = false,
    keep = head.keep }, Reader)
  return response
end

-- Reads the answer; or nil and how it failed.
local function answer(exchange)
  local request = exchange.request
  local head, code, text = http1.head(exchange, request.method, exchange.max_head)
  if not head then return nil, code, text end
  if exchange.timings then exchange.first_byte = exchange.clock() end
  local status = head.status
  local response = { status = status, headers = head.headers, reused = exchange.reused,
    body = nil, timings = nil }
  if request.stream and status >= 200 and status < 300 then
    return streamed(exchange, head, response)
  end
  response.body, code, text = http1.read_all(exchange, head, exchange.max_body)
  if not response.body then return nil, code, text end
  release(exchange, head.keep)
  if exchange.timings then response.timings = timings_of(exchange) end
  return response
end

-- }}

-- {{ Sending

-- Sends the bytes and reads the answer. A server may answer, and close, before it has read all:
-- what has come is looked at although sending failed.
local function talk(exchange, head)
  local sock, body = exchange.sock, exchange.request.body
  exchange.at, exchange.buffer, exchange.received = 1, "", false
  exchange.sent, exchange.whole = true, true
  local begun = exchange.reused and (exchange.start_of_connect or exchange.start)
  local ok, reason = sock:send(body ~= "" and body and { head, body } or head)
  if not ok then
    exchange.whole = false
    if reason == "timeout" then return nil, timed_out(exchange, "read") end
  end
  local response, code, text = answer(exchange)
  if response then return response end
  if not code then
    if not ok and text == "closed" then text = reason end
    if text ~= "timeout" and begun and not exchange.received
      and exchange.clock() - begun <= STALE then
      exchange.is_stale = true
    end
    code, text = broken(exchange, text)
  end
  return nil, code, text
end

-- One connection, kept or new; with `fresh` no kept one, each of which is then closed.
local function open(exchange, fresh)
  local code, text, retryable
  repeat
    exchange.sock, code, text, retryable = connections.open(exchange)
    if not exchange.sock then
      if code == "timeout" then code, text = timed_out(exchange, "connect") end
      return nil, code, text, retryable
    end
    local again = fresh and exchange.reused
    if again then exchange.sock:close() end
  until not again
  return true
end

local function perform(exchange, head)
  local ok, code, text, retryable = open(exchange, false)
  if not ok then return failure(exchange, code, text, retryable) end
  local response
  response, code, text = talk(exchange, head)
  if response then return response end
  release(exchange, false)
  if exchange.is_stale then
    exchange.sent = false
    ok, code, text, retryable = open(exchange, true)
    exchange.sent = true -- perhaps, by the connection that died
    if not ok then return failure(exchange, code, text, retryable) end
    response, code, text = talk(exchange, head)
    if response then return response end
    release(exchange, false)
  end
  return failure(exchange, code, text)
end

-- The parts of a URL, kept for the one that was asked for last: it often comes again.
local function parts_of(self, url)
  local last = self._last
  if last.url == url then return last.scheme, last.authority, last.target end
  local scheme, authority, target = connections.split_url(url)
  if scheme then
    last.url, last.scheme, last.authority, last.target = url, scheme, authority, target
  end
  return scheme, authority, target
end

local function invalid_request(problem)
  return errors.fail { kind = "transport", code = "InvalidRequest", message = problem, sent = false,
    received = false, retryable = false }
end

local function seconds_of(timeouts, name, fallback)
  local value = timeouts and timeouts[name]
  if value == nil then return fallback end
  if type(value) ~= "number" or value ~= value or value <= 0 then
    error(("timeout '%s' must be a number of seconds above zero"):format(name), 0)
  end
  return math.min(value, 2000000) -- milliseconds of nginx have 31 bits
end

local function check_types(request)
  local body, headers = request.body, request.headers
  if body ~= nil and type(body) ~= "string" then
    error("request.body must be a string, not " .. type(body), 0)
  end
  if headers ~= nil and type(headers) ~= "table" then
    error("request.headers must be a table, not " .. type(headers), 0)
  end
end

--- Sends a request and waits for the answer, other requests of the worker going on meanwhile.
---@param request sagemaker.Request
---@param deadline? number a time of `clock`
---@return sagemaker.Response|nil
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:send(request, deadline)
  local ngx = rawget(_G, "ngx")
  if not WAITS[ngx.get_phase()] then return config_error("WrongPhase", phase_problem(ngx)) end
  check_types(request)
  local scheme, authority, target = parts_of(self, request.url)
  if not scheme then return invalid_request(authority) end
  local route, problem, code = connections.route(self, scheme, authority, request)
  if not route then
    if code then return config_error(code, problem) end
    return invalid_request(problem)
  end
  if route.absolute then target = ("http://%s%s"):format(authority, target) end
  local head, why = http1.request(request.method or "GET", target, route.authority,
    request.headers, request.body and #request.body or 0, route.extra)
  if not head then return invalid_request(why) end
  local timeouts, clock = request.timeouts, self._io.clock
  local exchange = setmetatable({
    at = 1,
    buffer = "",
    clock = clock,
    connect = seconds_of(timeouts, "connect", self._connect),
    deadline = deadline,
    is_short = false,
    last = why, -- no other request may follow
    max_body = self._max_response_bytes,
    max_head = self._max_header_bytes,
    ngx = ngx,
    received = false,
    reused = false,
    read = seconds_of(timeouts, "read", self._read),
    request = request,
    route = route,
    sent = false,
    sock = false,
    start = clock(),
    start_of_connect = false,
    timings = self._timings,
    transport = self,
    whole = true,
  }, Exchange)
  if deadline and deadline <= exchange.start then
    return failure(exchange, "AttemptTimeout", "no time was left to send the request")
  end
  return perform(exchange, head)
end

-- }}

--- Waits, other requests of the worker going on meanwhile.
---@param seconds number
function methods.sleep(_, seconds)
  if seconds <= 0 then return end
  local ngx = rawget(_G, "ngx")
  if not WAITS[ngx.get_phase()] then error(phase_problem(ngx), 2) end
  ngx.sleep(seconds)
end

--- Wall time in seconds since the epoch: the system's, not the one that nginx has noted for this
-- turn of its loop.
---@return number
function methods:now()
  return self._io.now()
end

--- Monotonic time in seconds.
---@return number
function methods:clock()
  return self._io.clock()
end

--- Forgets all kept connections: nginx closes them when they have been unused long enough. The next
--- request opens new ones.
function methods:close()
  self._routes, self._generation = {}, self._generation + 1
end

local function check_options(opts)
  local tls, proxy = opts.tls or {}, opts.proxy
  if tls.verify ~= nil and type(tls.verify) ~= "boolean" then
    error(("tls.verify must be true or false, not a %s"):format(type(tls.verify)), 0)
  end
  if type(proxy) == "table" then
    for _, name in ipairs { "http", "https", "no_proxy" } do
      local value = proxy[name]
      if value ~= nil and type(value) ~= "string" then
        error(("proxy.%s must be a string, not a %s"):format(name, type(value)), 0)
      end
    end
  elseif proxy ~= nil and proxy ~= false and type(proxy) ~= "string" then
    error(("opts.proxy must be a string, not a %s"):format(type(proxy)), 0)
  end
end

-- Certificates of one's own. What a program names is refused, because it would not be trusted; what
-- the environment or a profile names for everybody is passed over, and said.
local function check_trust(tls, sources, ngx)
  local name = tls.ca_file and "ca_file" or tls.ca_path and "ca_path"
  if not name then return true end
  local source = sources and sources[name]
  if source and source ~= "option" then
    ngx.log(ngx.NOTICE, "sagemaker: ", source, " does not count inside nginx, which trusts what ",
      "its directive lua_ssl_trusted_certificate names")
    return true
  end
  return config_error("CertificateStoreError", ("nginx cannot trust %s (tls.%s): certificates to "
    .. "trust are named by its directive lua_ssl_trusted_certificate"):format(tls[name], name))
end

--- Makes the transport. No network, no file is touched.
---@param opts? sagemaker.RestyOptions
---@return sagemaker.Transport|nil
---@return string|nil message
---@return sagemaker.Error|nil err kind "config"
function M.new(opts)
  opts = opts or {}
  check_options(opts)
  local ngx = rawget(_G, "ngx")
  if type(ngx) ~= "table" or not ngx.socket then
    return config_error("InvalidTransport", "the transport 'resty' works inside nginx only")
  end
  local tls, timeouts, keepalive = opts.tls or {}, opts.timeouts or {}, opts.keepalive or {}
  local ok, message, err = check_trust(tls, opts.sources, ngx)
  if not ok then return nil, message, err end
  return setmetatable({
    _connect = seconds_of(timeouts, "connect", CONNECT),
    _generation = 0,
    _idle = milliseconds(keepalive.idle or IDLE),
    _io = opts.io or require("sagemaker.env").new(),
    _last = {},
    _logger = opts.logger,
    _max_header_bytes = opts.max_header_bytes or MAX_HEAD,
    _max_response_bytes = opts.max_response_bytes or MAX_BODY,
    _proxies = proxies.of(opts.proxy),
    _read = seconds_of(timeouts, "read", READ),
    _routes = {},
    _size = keepalive.size or SIZE,
    _timings = opts.timings,
    _verify = tls.verify ~= false,
  }, metatable)
end

return M
