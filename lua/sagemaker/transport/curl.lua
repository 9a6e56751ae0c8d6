--- The transport over libcurl, connections kept for the next request. A call blocks; in a task (see
-- sagemaker.task) it waits and lets other tasks go on.
--
-- libcurl is loaded at the first request. HTTP/1.1; TLS 1.2 or later, certificate and host name
-- verified. A kept connection that the service has closed meanwhile is noticed, and the request
-- sent again on a new one, only when no byte of an answer had come and the connection broke within
-- a second of the request; all other repeating is left to the caller.

local errors = require "sagemaker.error"
local gates = require "sagemaker.transport.gate"
local proxy_of = require "sagemaker.transport.proxy"
local scheduler = require "sagemaker.task.scheduler"

local M = {}

--- Codes of failures and what they mean: csrc/lcurl_error.c.
---@class sagemaker.CurlOptions
---@field tls? sagemaker.TlsOptions
---@field proxy? string|false|sagemaker.Proxies one URL for all, or one per scheme; none by default:
--- the environment is the business of the configuration
---@field max_connections_per_host? integer requests of tasks that may be under way at once to one
--- host, default 64; the others wait their turn. A stream whose head has come does not count. So
--- many connections are kept for later
---@field max_response_bytes? integer largest body accepted, default 64 MiB; a stream has no limit
---@field max_header_bytes? integer largest head accepted, default 64 KiB
---@field timeouts? {connect?: number, read?: number} seconds, for requests that bring none; default
--- 10 and 60
---@field logger? fun(level: string, message: string)|false is told when nothing is verified;
--- without it stderr is
---@field timings? boolean true: answers tell how long each step took
---@field io? sagemaker.Env

---@class sagemaker.TlsOptions
---@field ca_file? string PEM file with the only certificates to trust
---@field ca_path? string directory of such certificates with hash links (openssl rehash)
---@field verify? boolean false: anybody may answer; for experiments, and loud

---@class sagemaker.Proxies
---@field http? string URL of the proxy for http requests: http://, https:// or socks5h://
---@field https? string URL of the proxy for https requests
---@field no_proxy? string what to reach directly, separated by commas: hosts with all below them,
--- with or without a port, networks (10.0.0.0/8); "*" for everything

local TIMEOUTS = { ConnectTimeout = true, ReadTimeout = true, AttemptTimeout = true }
local CONNECT, READ = 10, 60
local CONNECTIONS = 64
local COLON = 58 -- as in http:

local methods = {}
local metatable = { __index = methods, __name = "sagemaker.transport.curl" }

function metatable.__tostring()
  return metatable.__name
end

local function warn(self, message)
  if self._logger then
    self._logger("warn", message)
  else
    io.stderr:write("sagemaker: ", message, "\n")
  end
end

-- One loop for all transports of this Lua, so that tasks of all of them wait together.
local function loop_of()
  local loop = scheduler.poller
  if not loop then
    local loaded, library = pcall(require, "sagemaker.curl")
    if not loaded then return nil, "the library sagemaker.curl cannot be loaded: " .. library end
    loop = library.loop()
    scheduler.poller = loop
  end
  return loop
end

-- The agent for a scheme: http and https may go through different proxies, `direct` through none.
local function open(self, scheme, direct)
  local key = direct and scheme .. " direct" or scheme
  if self._agents[key] then return self._agents[key], key end
  local loop, missing = loop_of()
  if not loop then return nil, missing end
  local proxies, tls = self._proxies, self._tls
  local made, agent = pcall(loop.agent, loop, {
    ca_file = tls.ca_file,
    ca_path = tls.ca_path,
    connect_timeout = self._timeouts.connect or CONNECT,
    max_connections = self._places,
    max_header_bytes = self._max_header_bytes,
    max_response_bytes = self._max_response_bytes,
    proxy = not direct and proxies[scheme] or nil,
    read_timeout = self._timeouts.read or READ,
    timings = self._timings,
    verify = tls.verify,
  })
  if not made then return nil, tostring(agent) end
  if tls.verify == false and not self._warned then
    self._warned = true
    warn(self, "TLS certificates are not verified (tls.verify = false): anybody can answer")
  end
  self._agents[key] = agent
  return agent, key
end

local function fail(request, code, text, sent, received, retryable)
  local host = request.host or (request.url:match("^%a+://([^/?]*)") or ""):match("[^@]*$")
  if host and not text:find((host:gsub(":%d+$", "")), 1, true) then
    text = ("%s (%s)"):format(text, host)
  end
  return errors.fail{
    kind = TIMEOUTS[code] and "timeout" or "transport",
    code = code,
    message = text,
    sent = sent,
    received = received,
    retryable = retryable,
  }
end

local function gate_of(self, url)
  local host = url:match("^[^/]*//[^/?]*")
  local gate = self._gates[host]
  if not gate then
    gate = gates.new(self._places)
    self._gates[host] = gate
  end
  self._last_url, self._last_gate = url, gate
  return gate
end

-- Waits for a place at the gate: the time that is left then; or nil and the values of a failure.
local function wait_turn(self, gate, left)
  local start = scheduler.clock()
  local entered, why, err, waiter = gate:enter(left)
  if entered then return left and left - (scheduler.clock() - start) or math.huge end
  if why ~= "time" then scheduler.check(waiter, why, err) end
  return nil, "AttemptTimeout", ("no connection was free in time (max_connections_per_host: %d)")
    :format(self._places), false, false, true
end

-- In a task: the values of agent:perform, while others go on.
local function perform(self, agent, request, left, decode, scheme, direct)
  local url = request.url
  local gate = url == self._last_url and self._last_gate or gate_of(self, url)
  local code, text, sent, received, retryable
  if not gate:try() then
    left, code, text, sent, received, retryable = wait_turn(self, gate, left)
    if not left then return nil, code, text, sent, received, retryable end
    agent, text = open(self, scheme, direct) -- the transport may have been closed meanwhile
    if not agent then
      gate:leave()
      return nil, "TransportError", text, false, false, false
    end
  end
  local ok, number
  ok, number, code, text, sent, received, retryable = pcall(agent.start, agent, request, left)
  if not ok or type(number) ~= "number" then -- it has ended already, perhaps with an answer
    gate:leave()
    if not ok then error(number, 0) end
    return number, code, text, sent, received, retryable
  end
  local why, err, waiter = scheduler.await(number)
  gate:leave()
  if why == "ready" then return scheduler.poller:finish(number, agent, decode) end
  scheduler.poller:cancel(number)
  return scheduler.check(waiter, why, err)
end

-- The answer of a stream, as the contract has it.
local function with_reader(request, response)
  response.reader = require("sagemaker.transport.reader").new(response.stream, function(...)
    return fail(request, ...)
  end)
  response.stream = nil
  return response
end

--- Sends a request and waits for the answer. Ctrl-C, or any signal whose handler sets a Lua hook,
--- ends the wait at once; the transport stays usable.
---@param request sagemaker.Request
---@param deadline? number a time of `clock`
---@param decode? fun(answer: userdata, status: integer): any|nil see sagemaker.Transport
---@return sagemaker.Response|nil
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:send(request, deadline, decode)
  local scheme = request.url:byte(5) == COLON and "http" or "https"
  local proxies, direct = self._proxies, request.direct
  if proxies.no_proxy and proxies[scheme] then
    direct = direct or proxy_of.is_direct(proxies.no_proxy, request.url)
  end
  local agent, key = open(self, scheme, direct)
  if not agent then
    return errors.fail{ kind = "config", code = "TransportUnavailable", message = key,
      sent = false, retryable = false }
  end
  local left = deadline and deadline - self._io.clock()
  local response, code, text, sent, received, retryable
  if scheduler.is_active() then
    response, code, text, sent, received, retryable = perform(self, agent, request, left, decode,
      scheme, direct)
  else
    response, code, text, sent, received, retryable = agent:perform(request, left,
      decode)
  end
  if response then return response.stream and with_reader(request, response) or response end
  if code == "TransportError" and self._agents[key] == agent then
    self._agents[key] = nil -- whatever it was, the next request starts afresh
    if agent:count() == 0 then agent:close() end
  end
  return fail(request, code, text, sent, received, retryable)
end

--- Waits.
---@param seconds number
function methods:sleep(seconds)
  if seconds > 0 then return self._io.sleep(seconds) end
end

--- Wall time in seconds since the epoch.
---@return number
function methods:now()
  return self._io.now()
end

--- Monotonic time in seconds.
---@return number
function methods:clock()
  return self._io.clock()
end

--- Closes all connections. Requests under way fail, streams end with an error; the next request
--- opens new connections.
function methods:close()
  local agents = self._agents
  self._agents = {}
  for _, agent in pairs(agents) do agent:close() end
end

local function check_strings(where, values, names)
  for _, name in ipairs(names) do
    local value = values[name]
    if value ~= nil and type(value) ~= "string" then
      error(("%s.%s must be a string, not a %s"):format(where, name, type(value)), 0)
    end
  end
end

local function check_options(opts)
  local proxy, verify = opts.proxy, (opts.tls or {}).verify
  check_strings("tls", opts.tls or {}, { "ca_file", "ca_path" })
  if verify ~= nil and type(verify) ~= "boolean" then
    error(("tls.verify must be true or false, not a %s"):format(type(verify)), 0)
  end
  if type(proxy) == "table" then
    check_strings("proxy", proxy, { "http", "https", "no_proxy" })
  elseif proxy ~= nil and proxy ~= false then
    check_strings("opts", opts, { "proxy" })
  end
end

--- Makes the transport. No network, no file, no library is touched.
---@param opts? sagemaker.CurlOptions
---@return sagemaker.Transport
function M.new(opts)
  opts = opts or {}
  check_options(opts)
  local env = opts.io or require("sagemaker.env").new()
  return setmetatable({
    _agents = {},
    _gates = {},
    _io = env,
    _logger = opts.logger,
    _max_header_bytes = opts.max_header_bytes,
    _max_response_bytes = opts.max_response_bytes,
    _places = opts.max_connections_per_host or CONNECTIONS,
    _proxies = proxy_of.of(opts.proxy),
    _timeouts = opts.timeouts or {},
    _timings = opts.timings,
    _tls = opts.tls or {},
  }, metatable)
end

return M
