--- Connections of nginx's cosockets: where a URL leads, straight or by way of a proxy, and a
-- connection to there, kept or new, with TLS where it belongs.

local hosts = require "sagemaker.transport.resty.hosts"
local http1 = require "sagemaker.transport.http1"
local proxies = require "sagemaker.transport.proxy"

local M = {}

---@class sagemaker.resty.Route
---@field authority string for the Host header: without the port that the scheme has anyway
---@field absolute boolean the request names the whole URL, for a proxy
---@field extra? string header lines for the proxy
---@field host string whom to connect to, as the socket takes it
---@field idle integer milliseconds
---@field is_name boolean the host must be looked up
---@field options table for `connect`
---@field port integer
---@field proxied boolean
---@field secure boolean TLS
---@field server_name string whose certificate it must be
---@field size integer
---@field tunnel? string "host:port" for CONNECT

-- {{ Routes

local PORTS = { http = 80, https = 443 }
local MANY = 256 -- routes that a transport remembers
local FRESH = 30 -- seconds that a name counts as looked up

local function split(authority, scheme)
  local host, port = authority:match("^(%[[%x:.]+%]):?(%d*)$")
  if not host then
    host, port = authority:match("^([^:%[%]]+):?(%d*)$")
  end
  if not host then return nil, "the host of the URL is none" end
  port = port == "" and PORTS[scheme] or tonumber(port)
  if port < 1 or port > 65535 then return nil, "the port of the URL is none" end
  return host, port
end

--- The parts of a URL. Throws where it is no string.
---@param url string
---@return "http"|"https"|nil scheme
---@return string authority or what is wrong
---@return string|nil target the path with its query
function M.split_url(url)
  if type(url) ~= "string" then error("request.url must be a string, not " .. type(url), 0) end
  local scheme, authority, target = url:match("^(https?)://([^/?#]+)([^#]*)$")
  if not scheme then
    scheme, authority, target = url:match("^([hH][tT][tT][pP][sS]?)://([^/?#]+)([^#]*)$")
  end
  if not scheme then
    return nil, url:find("^[hH][tT][tT][pP][sS]?://")
      and "the URL has no host, or a fragment" or "the URL is neither http nor https"
  end
  if url:find("[^\33-\126]") then
    return nil, "the URL holds a character that must be percent-encoded"
  end
  if authority:find("@", 1, true) then return nil, "the URL may not hold a user name" end
  if target:byte(1) ~= 47 then target = "/" .. target end
  return scheme:lower(), authority, target
end

-- The hosts file as this worker has read it.
local function known_hosts(transport)
  local found = M.hosts
  if not found then
    found = hosts.read(transport._io.open)
    M.hosts = found
  end
  return found
end

local function authorization(user)
  if not user then return nil end
  return ("Proxy-Authorization: Basic %s\r\n"):format(rawget(_G, "ngx").encode_base64(user))
end

-- What a proxy changes about a route.
local function by_proxy(route, url, scheme, host, port)
  local proxy, message = proxies.parse(url)
  if not proxy then return nil, message end
  route.proxied = true
  route.host, route.port = proxy.host, proxy.port
  if scheme == "https" then
    if proxy.scheme == "https" then
      return nil, "nginx cannot speak TLS inside TLS: an https:// proxy cannot lead to https URLs"
    end
    route.tunnel, route.extra = ("%s:%d"):format(host, port), nil
    route.tunnel_extra = authorization(proxy.user)
  else
    route.absolute, route.extra = true, authorization(proxy.user)
    route.secure = proxy.scheme == "https"
    route.server_name = proxy.host
  end
  return route, proxy.user and require("sagemaker.core").sha256(proxy.user):sub(1, 16) or ""
end

local function make(transport, scheme, authority, direct)
  local host, port = split(authority, scheme)
  if not host then return nil, port end
  local plain = port == PORTS[scheme] and host or authority
  local route = { absolute = false, authority = plain, host = host, idle = transport._idle,
    port = port, proxied = false, secure = scheme == "https", server_name = host,
    size = transport._size }
  local url, mark = not direct and transport._proxies[scheme], ""
  if url and url ~= "" then
    local made
    made, mark = by_proxy(route, url, scheme, host, port)
    if not made then return nil, mark, "ProxyUnavailable" end
  end
  local name = route.host:lower()
  if not name:find("^%[") and not proxies.is_address(name) then
    local known = known_hosts(transport)[name]
    route.is_name, route.host = known == nil, known or name
  end
  route.options = { pool_size = route.size, pool = ("sagemaker %s %s %s:%d %s %s %d"):format(scheme,
    authority, route.host, route.port, mark, tostring(transport._verify), transport._generation) }
  return route
end

--- Where a request goes.
---@param transport table
---@param scheme "http"|"https"
---@param authority string of the URL
---@param request sagemaker.Request
---@return sagemaker.resty.Route|nil
---@return string|nil problem
---@return string|nil code where it is one of the configuration
function M.route(transport, scheme, authority, request)
  local routes = transport._routes
  local key = request.direct and "direct " .. authority or authority
  local of_scheme = routes[scheme]
  if not of_scheme then
    of_scheme = {}
    routes[scheme], routes.count = of_scheme, routes.count or 0
  end
  local route = of_scheme[key]
  if route then return route end
  local problem, code
  local direct = request.direct or proxies.is_direct(transport._proxies.no_proxy, request.url)
  route, problem, code = make(transport, scheme, authority, direct)
  if not route then return nil, problem, code end
  if routes.count >= MANY then
    transport._routes = {}
  else
    of_scheme[key], routes.count = route, routes.count + 1
  end
  return route
end

-- }}

-- {{ Connecting

local UNREACHABLE = { "no route to host", "network is unreachable", "host is unreachable" }

local function any(text, list)
  for _, part in ipairs(list) do
    if text:find(part, 1, true) then return true end
  end
  return false
end

local function not_connected(route, reason)
  if reason == "timeout" then return "timeout" end
  if reason:find("no resolver defined", 1, true) then
    return "NoResolver", ("nginx has nobody to ask for the address of %s: its directive resolver "
      .. "names one (for example: resolver 127.0.0.53;)"):format(route.host)
  end
  if route.proxied then return "ProxyError", "no connection to the proxy: " .. reason end
  if reason:find("could not be resolved", 1, true) then return "HostNotFound", reason end
  if reason:find("failed to parse host name", 1, true) then return "InvalidRequest", reason end
  if reason:find("connection refused", 1, true) then return "ConnectionRefused", reason end
  if any(reason, UNREACHABLE) then return "NetworkUnreachable", reason end
  return "ConnectFailed", "no connection: " .. reason
end

-- connect() of a name that may have to be looked up: nginx's resolver has a time limit of its own,
-- which nothing here can set, so a timer runs beside it.
local function connect_name(exchange, sock, seconds)
  local ngx, route = exchange.ngx, exchange.route
  local now = exchange.clock()
  if route.found_at and now - route.found_at < FRESH then
    return sock:connect(route.host, route.port, route.options)
  end
  local lookup = ngx.thread.spawn(function()
    return "connect", sock:connect(route.host, route.port, route.options)
  end)
  local status = coroutine.status(lookup)
  local alarm = status ~= "zombie" and status ~= "dead"
    and ngx.thread.spawn(function() ngx.sleep(seconds) end)
  local ran, what, connected, reason
  if alarm then
    ran, what, connected, reason = ngx.thread.wait(lookup, alarm)
  else
    ran, what, connected, reason = ngx.thread.wait(lookup)
  end
  if not ran then return nil, tostring(what) end
  if what ~= "connect" then
    ngx.thread.kill(lookup)
    return nil, "timeout"
  end
  if alarm then ngx.thread.kill(alarm) end
  if connected then route.found_at = now end
  return connected, reason
end

-- }}

-- {{ TLS and tunnels

-- What OpenSSL's numbers for a chain mean for who runs nginx.
local UNTRUSTED = { ["2"] = true, ["18"] = true, ["19"] = true, ["20"] = true, ["21"] = true,
  ["27"] = true }

local BROKEN = { "closed", "reset", "broken pipe" }

local function not_secure(route, reason)
  -- nginx may put the number of a certificate that was refused before ahead of other reasons.
  local plain = reason:gsub("^%d+: ", "")
  if plain == "timeout" then return "timeout" end
  if plain == "handshake failed" then
    return "TlsError", ("no TLS with %s: %s"):format(route.server_name, plain)
  end
  if any(plain, BROKEN) then
    return "ConnectionReset", "the connection broke in the TLS handshake: " .. plain
  end
  if reason:find("host mismatch", 1, true) then
    local is_address = proxies.is_address((route.server_name:gsub("[%[%]]", "")))
    return "HostNameMismatch", ("the certificate is not for %s%s"):format(route.server_name,
      is_address and " (nginx compares names only, no addresses)" or "")
  end
  local number = reason:match("^(%d+):") or reason:match("%((%d+): ")
  if number then
    local advice = ""
    if UNTRUSTED[number] then
      advice = "; nginx trusts what its directive lua_ssl_trusted_certificate names (for example "
        .. "/etc/ssl/certs/ca-certificates.crt), and nobody without it"
    elseif number == "22" then
      advice = "; its directive lua_ssl_verify_depth limits the length of the chain"
    end
    return "CertificateError", ("the certificate of %s is not accepted: %s%s")
      :format(route.server_name, reason, advice)
  end
  return "TlsError", "no TLS with " .. route.server_name .. ": " .. reason
end

local function warn(transport, ngx)
  if transport._warned then return end
  transport._warned = true
  local message = "TLS certificates are not verified (tls.verify = false): anybody can answer"
  if transport._logger then return transport._logger("warn", message) end
  ngx.log(ngx.WARN, "sagemaker: ", message)
end

-- Why a handshake failed that nginx calls a success: one that ends at once (the other side being
-- quick) is reported so even where the certificate was refused. The socket is closed then, and the
-- reason is known one layer below.
local function hidden_reason(sock)
  local found, reason = pcall(function()
    local ffi, base = require "ffi", require "resty.core.base"
    local text, number = base.get_errmsg_ptr(), ffi.new("int[1]")
    ffi.C.ngx_http_lua_ffi_socket_tcp_get_sslhandshake_result(base.get_request(), sock[1],
      ffi.new("void *[1]"), text, number)
    local message = ffi.string(text[0])
    return number[0] ~= 0 and ("%d: %s"):format(number[0], message) or message
  end)
  return found and reason or "closed"
end

local function secure(exchange, sock)
  local route, verify = exchange.route, exchange.transport._verify
  if not verify then warn(exchange.transport, exchange.ngx) end
  local name = route.server_name:gsub("[%[%]]", "")
  local ok, reason = sock:sslhandshake(false, name, verify)
  if ok and not sock:getreusedtimes() then ok, reason = nil, hidden_reason(sock) end
  if not ok then return nil, not_secure(route, tostring(reason)) end
  return true
end

local Tunnel = {}
Tunnel.__index = Tunnel

function Tunnel:fill()
  local bytes, reason = self.sock:receiveany(4096)
  if not bytes then return nil, reason end
  self.buffer, self.at = bytes, 1
  return true
end

-- Asks a proxy for a tunnel to the host.
local function tunnel(exchange, sock)
  local route = exchange.route
  local head, problem = http1.request("CONNECT", route.tunnel, route.tunnel, {}, 0,
    route.tunnel_extra)
  if not head then return nil, "InvalidRequest", problem end
  local ok, reason = sock:send(head)
  if not ok then
    if reason == "timeout" then return nil, "timeout" end
    return nil, "ProxyError", "the connection to the proxy broke: " .. reason
  end
  local source = setmetatable({ at = 1, buffer = "", sock = sock }, Tunnel)
  local answer, code, text = http1.head(source, "CONNECT", exchange.max_head)
  if not answer then
    if text == "timeout" and not code then return nil, "timeout" end
    return nil, "ProxyError", "the proxy did not answer CONNECT: " .. tostring(text)
  end
  local status = answer.status
  if status >= 200 and status < 300 and not http1.has_rest(source) then return true end
  return nil, "ProxyError", ("the proxy answered CONNECT with %d"):format(status),
    status < 300 or status >= 500
end

-- Milliseconds until the connection must be there.
local function left(exchange)
  local seconds = exchange.start_of_connect + exchange.connect - exchange.clock()
  if exchange.deadline then
    seconds = math.min(seconds, exchange.deadline - exchange.clock())
  end
  return math.max(1, math.ceil(seconds * 1000 - 1e-6))
end

-- What a new connection needs before a request can go out.
local function prepare(exchange, sock)
  local route = exchange.route
  local ok, code, text, retryable
  if route.tunnel then
    local ms = left(exchange)
    sock:settimeouts(ms, ms, ms)
    ok, code, text, retryable = tunnel(exchange, sock)
    if not ok then return nil, code, text, retryable end
  end
  if route.secure then
    local ms = left(exchange)
    sock:settimeouts(ms, ms, ms)
    ok, code, text = secure(exchange, sock)
    if not ok then return nil, code, text end
    if exchange.timings then exchange.secured = exchange.clock() end
  end
  return true
end

--- A connection for an exchange, whose `reused` it sets.
---@param exchange table
---@return table|nil sock
---@return string|nil code "timeout" when time ran out
---@return string|nil text
---@return boolean|nil retryable where the code does not tell
function M.open(exchange)
  local route = exchange.route
  local sock, reason = exchange.ngx.socket.tcp()
  if not sock then return nil, "ConnectFailed", tostring(reason) end
  local now = exchange.deadline and exchange.clock() or exchange.start
  exchange.start_of_connect = now
  local connect, read = exchange.connect, exchange.read
  if exchange.deadline then
    local rest = math.max(0.001, exchange.deadline - now)
    connect, read = math.min(connect, rest), math.min(read, rest)
    exchange.is_short = read < exchange.read
  end
  local read_ms = math.ceil(read * 1000 - 1e-6)
  sock:settimeouts(math.ceil(connect * 1000 - 1e-6), read_ms, read_ms)
  local ok
  if route.is_name then
    ok, reason = connect_name(exchange, sock, connect)
  else
    ok, reason = sock:connect(route.host, route.port, route.options)
  end
  if not ok then return nil, not_connected(route, tostring(reason)) end
  exchange.reused = sock:getreusedtimes() > 0
  if exchange.timings and not exchange.reused then exchange.connected = exchange.clock() end
  if exchange.reused or not (route.secure or route.tunnel) then return sock end
  local code, text, retryable
  ok, code, text, retryable = prepare(exchange, sock)
  if not ok then
    sock:close()
    return nil, code, text, retryable
  end
  sock:settimeouts(read_ms, read_ms, read_ms)
  return sock
end

-- }}

return M
