--- Starts Debian's nginx with its Lua module for specs: a master and workers in a private folder,
-- on free ports of 127.0.0.1, ended by process id.
--
--   local nginx = require "support.nginx"
--   local one = nginx.start{ locations = [[ location /x { … } ]] }
--   one:url("/x")            one:get("/x")            one:lua[[ return 1 + 1 ]]
--   one:stop()
--
-- nginx has a Lua of its own (LuaJIT) whichever runs the specs, so its specs run once: see
-- `available`. The module path is that of the Lua that runs the specs.

local cjson = require "cjson"
local lfs = require "lfs"
local curl = require "sagemaker.transport.curl"
local server = require "support.server"
local support = require "support"

local M = {}

local MODULES = "/usr/lib/nginx/modules"

--- Whether specs of nginx can and should run here.
---@return boolean ok
---@return string|nil reason
function M.available()
  local ok, reason = server.available()
  if not ok then return false, reason end
  if not rawget(_G, "jit") then
    return false, "nginx has a Lua of its own, LuaJIT: its specs run with luajit, once"
  end
  return true
end

-- `@name@` words of a configuration: @dir@, @modules@, @workers@; each other one is a free port.
local TEMPLATE = [[
load_module @modules@/ndk_http_module.so;
load_module @modules@/ngx_http_lua_module.so;
worker_processes @workers@;
error_log @dir@/error.log info;
$main
events { worker_connections 4096; }
http {
  access_log off;
  client_body_buffer_size 1m;
  client_max_body_size 64m;
  keepalive_requests 1000000;
  lua_shared_dict sagemaker 2m;
  $http
  server {
    listen 127.0.0.1:@http@ backlog=4096 $listen;
    $locations
    location = /_lua {
      client_body_buffer_size 64m;
      content_by_lua_block {
        ngx.req.read_body()
        local cjson = require "cjson"
        local run, problem = loadstring(ngx.req.get_body_data(), "=spec")
        local out = { pcall(run or error, not run and problem or nil) }
        for i = 1, 4 do
          if type(out[i]) == "function" or type(out[i]) == "userdata" and out[i] ~= cjson.null then
            out[i] = tostring(out[i])
          end
          if out[i] == nil then out[i] = cjson.null end
        end
        ngx.say(cjson.encode(out))
      }
    }
  }
}
]]

-- What any configuration gets inside its http block: nothing is written outside the folder.
local PLACES = [[
  client_body_temp_path @dir@/t1;
  proxy_temp_path @dir@/t2;
  fastcgi_temp_path @dir@/t3;
  uwsgi_temp_path @dir@/t4;
  scgi_temp_path @dir@/t5;
]]

local read, write = support.read, support.write

--- A value as Lua source, for `lua`.
---@param value any
---@return string
function M.literal(value)
  if type(value) == "string" then return (("%q"):format(value):gsub("\r", "\\r")) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for k, v in pairs(value) do
    parts[#parts + 1] = ("[%s] = %s"):format(M.literal(k), M.literal(v))
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

---@class spec.NginxProcess
---@field dir string
---@field ports table<string, integer>
---@field master integer
local Nginx = {}
Nginx.__index = Nginx

--- The URL of a path.
---@param path string
---@param name? string of the port, default "http"
function Nginx:url(path, name)
  return ("http://127.0.0.1:%d%s"):format(self.ports[name or "http"], path)
end

--- One request, and its answer.
---@param path string
---@param opts? {method?: string, headers?: table, body?: string, port?: string, seconds?: number}
---@return sagemaker.Response|nil
function Nginx:get(path, opts)
  opts = opts or {}
  self.transport = self.transport or curl.new()
  return self.transport:send{ url = self:url(path, opts.port), headers = opts.headers or {},
    method = opts.method or (opts.body and "POST") or "GET", body = opts.body or "",
    timeouts = { connect = 5, read = opts.seconds or 20 } }
end

--- Runs Lua in the content phase of nginx and answers what it returns (up to three values that JSON
--- knows). Each `%s` or `%q` is filled in. An error there is one here.
function Nginx:lua(code, ...)
  if select("#", ...) > 0 then code = code:format(...) end
  local response = assert(self:get("/_lua", { body = code }))
  if response.status ~= 200 then
    error(("HTTP %d\n%s"):format(response.status, self:log()), 2)
  end
  local out = cjson.decode(response.body)
  for i = 1, 4 do
    if out[i] == cjson.null then out[i] = nil end
  end
  if not out[1] then error(out[2], 2) end
  return out[2], out[3], out[4]
end

local SEND = [[
  local resty = require "sagemaker.transport.resty"
  local transport = assert(resty.new(%s))
  local out = {}
  for i, request in ipairs(%s) do
    local start, seconds = transport:clock(), request.seconds
    request.headers, request.body = request.headers or {}, request.body or ""
    local response, message, err = transport:send(request, seconds and start + seconds)
    if response and response.reader then
      local parts = {}
      repeat
        local bytes, problem, failure = response.reader:read()
        parts[#parts + 1] = bytes
        if problem then message, err = problem, failure end
        if request.stop then response.reader:close() response.reader:close() break end
      until not bytes
      response.reader, response.body, response.streamed = nil, table.concat(parts), true
    end
    out[i] = { response = response or false, err = err and { code = err.code,
      kind = err.kind, sent = err.sent,
      received = err.received, retryable = err.retryable, message = err.message },
      message = message, seconds = transport:clock() - start }
    if err and tostring(err) ~= message then error("message and err differ") end
  end
  return out
]]

--- Sends requests by the cosocket transport inside nginx, one after another on one transport.
---@param requests table[] as sagemaker.Request; also seconds: the deadline, stop: closes a stream
--- after its first part
---@param opts? table of the transport
---@return {response: table|false, err: table?, message: string?, seconds: number}[] a streamed
--- answer has `streamed` and what could be read of its body
function Nginx:send(requests, opts)
  return self:lua(SEND, M.literal(opts or {}), M.literal(requests))
end

--- The error log.
---@return string
function Nginx:log()
  return read(self.dir .. "/error.log") or ""
end

--- The process ids of the workers.
---@return integer[]
function Nginx:workers()
  local pids = {}
  local children = read(("/proc/%d/task/%d/children"):format(self.master, self.master)) or ""
  for pid in children:gmatch("%d+") do pids[#pids + 1] = tonumber(pid) end
  return pids
end

--- Bytes of memory of a worker.
---@param pid? integer
---@return integer
function Nginx:memory(pid)
  local status = read(("/proc/%d/status"):format(pid or self:workers()[1])) or ""
  return tonumber(status:match("VmRSS:%s*(%d+)")) * 1024
end

--- Open files and sockets of a worker.
---@param pid? integer
---@return integer
function Nginx:descriptors(pid)
  local out = server.shell(("ls /proc/%d/fd | wc -l"):format(pid or self:workers()[1]))
  return tonumber(out:match("%d+"))
end

--- Makes nginx read its configuration again; returns when new workers are there.
function Nginx:reload()
  local old = {}
  for _, pid in ipairs(self:workers()) do old[pid] = true end
  assert(select(2, server.shell(("kill -HUP %d"):format(self.master))))
  assert(server.wait_for(10, function()
    for _, pid in ipairs(self:workers()) do
      if not old[pid] then return true end
    end
  end), "no new worker")
end

--- Ends it.
function Nginx:stop()
  if self.transport then self.transport:close() end
  if self.stopped then return end
  self.stopped = true
  local workers = self:workers()
  server.stop(self.master)
  for _, pid in ipairs(workers) do
    if server.alive(pid) then server.stop(pid) end
  end
  server.wait_for(5, function() return not server.alive(self.pid) end)
  server.remove(self.dir)
end

-- Fills the words in: a port for each name that is no other word.
local function fill(text, values)
  local ports = {}
  text = text:gsub("@([%w_]+)@", function(name)
    if values[name] then return values[name] end
    ports[name] = ports[name] or server.free_port()
    return tostring(ports[name])
  end)
  return text, ports
end

local function try(conf, opts)
  local dir = server.folder()
  local text, ports = fill(conf, { dir = dir, modules = MODULES,
    workers = tostring(opts.workers or 1) })
  write(dir .. "/nginx.conf", text)
  local user = server.shell("id -u"):match("%d+") == "0" and "user root; " or ""
  -- The modules of the specs too, for what runs inside.
  local path = ("LUA_PATH='%s;%s/spec/?.lua;'"):format(package.path, lfs.currentdir())
  local command = ("%s nginx -p %s -c %s/nginx.conf -e %s/error.log -g '%sdaemon off; pid %s/pid;'")
    :format("env " .. path .. " " .. (opts.env or ""), dir, dir, dir, user, dir)
  local pid = server.spawn(command, dir .. "/output")
  local up = server.wait_for(10, function()
    if not server.alive(pid) then return "dead" end
    local master = (read(dir .. "/pid") or ""):match("%d+")
    if not master then return nil end
    local one = setmetatable({ dir = dir, master = tonumber(master), pid = pid, ports = ports },
      Nginx)
    return one:workers()[1] and one
  end)
  if type(up) == "table" then return up end
  server.stop(pid)
  local reason = (read(dir .. "/output") or "") .. (read(dir .. "/error.log") or "")
  server.remove(dir)
  return nil, reason
end

--- The configuration of an example, with other ports and what the specs need besides: it is started
-- as it is written otherwise.
---@param path string
---@param model? integer the port of its model server
---@return string
function M.example(path, model)
  local text = assert(read(path), path)
  local n
  text, n = text:gsub("\n    listen [%d.:]+;", "\n    listen 127.0.0.1:@http@;")
  assert(n == 1, "one server in " .. path)
  if model then
    text, n = text:gsub("127%.0%.0%.1:9000", "127.0.0.1:" .. model)
    assert(n > 0, "no model server in " .. path)
  end
  -- These two belong to how nginx is started, and the folder is the specs' own.
  return (text:gsub("\nerror_log stderr;", "\nerror_log @dir@/error.log info;")
    :gsub("\npid [^\n]*", ""))
end

--- Starts nginx.
---@param opts {conf?: string, main?: string, http?: string, locations?: string, workers?: integer,
--- listen?: string,
--- env?: string} a whole configuration, or parts for one; env: "NAME=value …" for the master
---@return spec.NginxProcess
function M.start(opts)
  local conf = opts.conf or TEMPLATE:gsub("%$(%l+)", function(name) return opts[name] or "" end)
  conf = conf:gsub("\nhttp {\n", function(line) return line .. PLACES end)
  local one, reason
  for _ = 1, 3 do -- somebody else may take a port first
    one, reason = try(conf, opts)
    if one or not reason:find("Address already in use", 1, true) then break end
  end
  return one or error("nginx did not start: " .. tostring(reason), 0)
end

--- The servers of one test, as server.crew, with nginx too: `start`.
function M.crew()
  local crew = server.crew()
  function crew.start(opts)
    return crew.add(M.start(opts))
  end
  return crew
end

return M
