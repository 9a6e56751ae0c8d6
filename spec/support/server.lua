--- Local servers for specs, on free ports of 127.0.0.1, each in its own folder below the system's
-- temporary one, ended by process id:
--
--   server.nginx{ locations = [[...]] }   Debian's nginx with its Lua module, HTTP and HTTPS
--   server.bad{ "read", "send:HTTP/1.1 …" } a server that misbehaves (csrc/test/badserver.c)
--   server.certificates()                 a CA of our own and certificates good and bad
--
-- What a forgotten server leaves behind ends by itself after some minutes.

local support = require "support"
local system = require "system"

local M = {}

local MODULES = "/usr/lib/nginx/modules/"
local LIFETIME = 600

--- Output and success of a shell command. A sanitizer that is preloaded into this Lua is not
--- handed on.
---@param command string
---@return string output stdout and stderr
---@return boolean ok
function M.shell(command)
  local pipe = assert(io.popen("unset LD_PRELOAD; { " .. command .. "\n} 2>&1; echo \"=$?\""))
  local text = pipe:read("*a")
  pipe:close()
  local output, status = text:match("^(.*)=(%d+)%s*$")
  return output, status == "0"
end

local function run(command)
  local output, ok = M.shell(command)
  if not ok then error(("%s\nfailed: %s"):format(command, output), 0) end
  return output
end

local read, write = support.read, support.write

--- A new private folder.
---@return string path
function M.folder()
  return (run("mktemp -d"):gsub("%s+$", ""))
end

--- Waits until `ready` says yes, at most `seconds`.
---@param seconds number
---@param ready fun(): any
---@return any what `ready` said last
function M.wait_for(seconds, ready)
  local last = system.gettime() + seconds
  local answer = ready()
  while not answer and system.gettime() < last do
    system.sleep(0.005)
    answer = ready()
  end
  return answer
end

--- Whether a process is there; a dead one that nobody has waited for is not.
---@param pid integer
---@return boolean
function M.alive(pid)
  local stat = read(("/proc/%d/stat"):format(pid))
  return stat ~= nil and stat:match("%) (%a)") ~= "Z"
end

--- Output of Lua code in a process of its own, which may use a processor for so many seconds: for
--- what would never end if it were wrong.
---@param seconds integer
---@param code string
---@return string output stdout and stderr; "Killed" at its end if it took more
function M.bounded(seconds, code)
  local dir = M.folder()
  write(dir .. "/code.lua", code)
  local line = "ulimit -t %d; LUA_PATH='%s' LUA_CPATH='%s' LD_PRELOAD='%s' %s %s/code.lua"
  local output = M.shell(line:format(seconds, package.path, package.cpath,
    os.getenv "LD_PRELOAD" or "", os.getenv "SAGEMAKER_LUA" or "lua5.4", dir))
  run("rm -rf " .. dir)
  return output
end

--- Starts a command in the background, its output in a file.
---@param command string
---@param output string
---@return integer pid
function M.spawn(command, output)
  local line = ("exec timeout %d %s >%s 2>&1 </dev/null & echo $!"):format(LIFETIME, command,
    output)
  return tonumber((run(line)))
end

--- Ends a process.
---@param pid integer
function M.stop(pid)
  M.shell(("kill %d"):format(pid))
  if not M.wait_for(5, function() return not M.alive(pid) end) then
    -- Its child first: one that is left to itself would live on.
    M.shell(("kill -9 $(cat /proc/%d/task/%d/children) %d"):format(pid, pid, pid))
  end
  -- A `timeout` that is ended before it knows its child leaves that behind, in its group.
  M.shell(("kill -- -%d"):format(pid))
end

local stop = M.stop

--- A word as the shell reads it.
---@param word string
---@return string
function M.quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local quote = M.quote

--- Removes a folder and all in it.
---@param folder string
function M.remove(folder)
  run("rm -rf " .. quote(folder))
end

local remove = M.remove

--- A port that nobody uses, below the range from which the system serves outgoing connections.
---@return integer
function M.free_port()
  local taken = {}
  for _, path in ipairs{ "/proc/net/tcp", "/proc/net/tcp6" } do
    for port in (read(path) or ""):gmatch(":%s%x+:(%x%x%x%x)%s") do
      taken[tonumber(port, 16)] = true
    end
  end
  local random = assert(io.open("/dev/urandom", "rb"))
  local port
  repeat
    local a, b = random:read(2):byte(1, 2)
    port = 20000 + (a * 256 + b) % 12000
  until not taken[port]
  random:close()
  return port
end

--- Whether the servers can run here.
---@return boolean ok
---@return string|nil reason
function M.available()
  if not read(MODULES .. "ngx_http_lua_module.so") then
    return false, "nginx with its Lua module is not installed"
  end
  local _, openssl = M.shell("command -v openssl")
  if not openssl then return false, "the openssl command is not installed" end
  return true
end

--- Whether this machine has the address ::1.
---@return boolean
function M.has_ipv6()
  local text = read("/proc/net/if_inet6") or ""
  return text:find("00000000000000000000000000000001", 1, true) ~= nil
end

-- Certificates ----------------------------------------------------------------------------------

local CERTIFICATES = [[
set -e
cd %s
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
for ca in ca other; do
  openssl req -x509 $key -keyout $ca.key -out $ca.pem -days 2 -subj "/CN=$ca of the specs"
done
leaf () {
  printf 'subjectAltName=%%s\n' "$2" >$1.ext
  openssl req $key -keyout $1.key -out $1.csr -subj "/CN=$1"
  openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -extfile $1.ext -days $3 -out $1.pem
}
leaf good DNS:localhost,IP:127.0.0.1,IP:::1 1
leaf wrong_host DNS:elsewhere.example 1
leaf expired DNS:localhost,IP:127.0.0.1 -1
mkdir hashed
cp ca.pem hashed/$(openssl x509 -hash -noout -in ca.pem).0
]]

--- Makes a CA ("ca.pem"; also as a hashed directory "hashed"), another one ("other.pem"), and
--- certificates "good" (localhost, 127.0.0.1, ::1), "wrong_host" and "expired", all of the first.
---@return {dir: string, remove: fun()}
function M.certificates()
  local dir = M.folder()
  run(CERTIFICATES:format(quote(dir)))
  return { dir = dir, remove = function() remove(dir) end }
end

-- nginx -----------------------------------------------------------------------------------------

local CONF = [[
load_module $modules/ndk_http_module.so;
load_module $modules/ngx_http_lua_module.so;
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log $dir/error.log info;
events { worker_connections $connections; }
http {
  access_log off;
  client_body_buffer_size 1m;
  client_max_body_size 16m;
  client_body_temp_path $dir/t1;
  proxy_temp_path $dir/t2;
  fastcgi_temp_path $dir/t3;
  uwsgi_temp_path $dir/t4;
  scgi_temp_path $dir/t5;
  keepalive_requests 1000000;
  keepalive_timeout 60s;
  lua_shared_dict state 1m;
  ssl_session_cache shared:specs:1m;
  $http
  $servers
}
]]

local SERVER = [[
  server {
    $listen
    $locations
  }
]]

local function fill(template, values)
  return (template:gsub("%$(%l+)", values))
end

-- One server block for HTTP, one per certificate for HTTPS.
local function servers_of(opts, dir)
  local ports, blocks = {}, {}
  local function add(name, listen)
    ports[name] = M.free_port()
    blocks[#blocks + 1] = SERVER:gsub("%$(%l+)", {
      listen = fill(listen, { port = tostring(ports[name]), dir = dir, name = name }),
      locations = opts.locations,
    })
  end
  add("http", opts.ipv6 and "listen 127.0.0.1:$port; listen [::1]:$port;" or
    "listen 127.0.0.1:$port;")
  for _, name in ipairs(opts.tls or {}) do
    add(name, ("listen 127.0.0.1:$port ssl; ssl_certificate %s/$name.pem; " ..
      "ssl_certificate_key %s/$name.key;"):format(opts.certificates, opts.certificates))
  end
  return table.concat(blocks), ports
end

---@class spec.Nginx
---@field ports table<string, integer> "http", and one per certificate
---@field dir string
---@field pid integer
---@field url fun(self, path: string, name?: string): string
---@field log fun(self): string the error log
---@field stop fun(self)
local Nginx = {}
Nginx.__index = Nginx

function Nginx:url(path, name)
  name = name or "http"
  local scheme = name == "http" and "http" or "https"
  return ("%s://127.0.0.1:%d%s"):format(scheme, self.ports[name], path)
end

function Nginx:log()
  return read(self.dir .. "/error.log") or ""
end

function Nginx:stop()
  if self.is_stopped then return end
  self.is_stopped = true
  stop(self.pid)
  remove(self.dir)
end

local function try_nginx(opts)
  local dir = M.folder()
  local servers, ports = servers_of(opts, dir)
  local values = { connections = tostring(opts.connections or 256), dir = dir, modules = MODULES,
    http = opts.http or "", servers = servers }
  write(dir .. "/nginx.conf", (CONF:gsub("%$(%l+)", values)))
  local command = ("nginx -p %s -c %s/nginx.conf -e %s/error.log"):format(dir, dir, dir)
  local pid = M.spawn(command, dir .. "/output")
  local up = M.wait_for(10, function()
    if not M.alive(pid) then return "dead" end
    return (read(dir .. "/nginx.pid") or ""):match("%d") -- the file is there before its contents
  end)
  if up and up ~= "dead" then
    return setmetatable({ ports = ports, dir = dir, pid = pid }, Nginx)
  end
  stop(pid)
  local reason = (read(dir .. "/output") or "") .. (read(dir .. "/error.log") or "")
  remove(dir)
  return nil, reason
end

--- Starts nginx. `locations` is configuration for inside each server block; Lua code goes into
--- content_by_lua_block. A dictionary ngx.shared.state is there. Dollar words of the template are
--- replaced in one pass, so nginx's own variables in `locations` stay.
---@param opts table locations: string; http?: string, configuration outside the server blocks;
--- tls?: string[], names of certificates in the folder certificates?; ipv6?: boolean, listen on
--- ::1; connections?: integer, at once, default 256
---@return spec.Nginx
function M.nginx(opts)
  local nginx, reason
  for _ = 1, 3 do -- somebody else may take a port first
    nginx, reason = try_nginx(opts)
    if nginx or not reason:find("Address already in use", 1, true) then break end
  end
  return nginx or error("nginx did not start: " .. tostring(reason), 0)
end

-- The misbehaving one ---------------------------------------------------------------------------

local program

-- The one that was built, or one built now.
local function bad_program()
  local built = os.getenv("SAGEMAKER_BADSERVER")
  if built and built ~= "" then return built end
  if not program then
    program = M.folder() .. "/badserver"
    run(("cc -std=c99 -O1 -pthread -o %s csrc/test/badserver.c"):format(program))
  end
  return program
end

---@class spec.Bad
---@field port integer
---@field pid integer
---@field url fun(self, path?: string): string
---@field output fun(self): string what it printed: see csrc/test/badserver.c
---@field requests fun(self): integer how many requests it has read
---@field stop fun(self)
local Bad = {}
Bad.__index = Bad

function Bad:url(path)
  return ("http://127.0.0.1:%d%s"):format(self.port, path or "/")
end

function Bad:output()
  return read(self.dir .. "/output") or ""
end

--- How many requests it has read.
---@return integer
function Bad:requests()
  return (select(2, self:output():gsub("request %d+ bytes", "")))
end

function Bad:stop()
  if self.is_stopped then return end
  self.is_stopped = true
  stop(self.pid)
  remove(self.dir)
end

--- Starts a server that goes through these steps.
---@param steps string[] see csrc/test/badserver.c
---@return spec.Bad
function M.bad(steps)
  local words, dir = { bad_program() }, M.folder()
  for _, step in ipairs(steps) do words[#words + 1] = quote(step) end
  local pid = M.spawn(table.concat(words, " "), dir .. "/output")
  local port = M.wait_for(5, function()
    return (read(dir .. "/output") or ""):match("^port (%d+)\n")
  end)
  if not port then error("badserver did not start: " .. (read(dir .. "/output") or ""), 0) end
  return setmetatable({ port = tonumber(port), dir = dir, pid = pid }, Bad)
end

--- The servers of one test, for a `describe`:
---
---     local crew = server.crew()
---     after_each(crew.stop)
---@return {add: (fun(one: table): table), bad: (fun(steps: string[]): spec.Bad), stop: fun()}
function M.crew()
  local crew, list = {}, {}

  -- Has `stop` end this one too.
  function crew.add(one)
    list[#list + 1] = one
    return one
  end

  function crew.bad(steps)
    return crew.add(M.bad(steps))
  end

  function crew.stop()
    local all = list
    list = {}
    for _, one in ipairs(all) do one:stop() end
  end

  return crew
end

--- Removes what was built for these servers.
function M.clean()
  if program then remove((program:gsub("/badserver$", ""))) end
  program = nil
end

return M
