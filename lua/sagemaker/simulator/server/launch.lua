--- Starts the simulator as a server of its own: an nginx in the foreground, with a configuration
-- that is written into a private folder and goes away with it.
--
-- `run` is what a command calls. nginx itself calls `start`, `began` and `ended`.

local configuration = require "sagemaker.simulator.server.configuration"
local environment = require "sagemaker.env"
local find = require "sagemaker.simulator.server.find"
local json = require "sagemaker.simulator.json"
local servers = require "sagemaker.simulator.server"

local M = {}

--- Where it listens unless told otherwise.
M.HOST, M.PORT = "127.0.0.1", 4580

---@class sagemaker.simulator.launch.options besides these, what the server takes
---@field host? string an address to listen on; 127.0.0.1
---@field port? integer 0 picks a free one; without one 4580, or a free one when that is taken
---@field tls? string "CERT:KEY", files in PEM form
---@field log? string a file for requests and errors, "-" for the terminal
---@field nginx? string the program

-- How far memory may grow before it is collected, in percent: most of it lives long here.
local PAUSE = 110

-- How hard the collector works then, in percent of what is allocated meanwhile.
local SPEED = 1000

local OWN = { host = true, port = true, tls = true, log = true, nginx = true }

local BANNER = [[
The simulator answers at ${url} (account ${account}, ${region}).

  export AWS_ENDPOINT_URL=${url}
  export AWS_ACCESS_KEY_ID=${key} AWS_SECRET_ACCESS_KEY=${secret}
  export AWS_REGION=${region} AWS_DEFAULT_REGION=${region}${more}

Older clients take the address as an option: aws --endpoint-url ${url} sagemaker list-endpoints
${time}
Look at it: ${url}/_simulator/
Ctrl-C ends it.${keeps}
]]

local function time_line(server)
  local factor = server.sim.time.factor
  if factor == 1 then return "Time runs as it does." end
  if factor then return ("Time runs %g times as fast as it does."):format(factor) end
  local step = server.sim.step
  if step and step > 0 then
    return ("Time moves by %g seconds with every DescribeEndpoint."):format(step)
  end
  return "Time stands still until it is moved: POST /_simulator/advance {\"seconds\": 60}"
end

--- What is said when it answers.
---@param server sagemaker.simulator.Server
---@param url string
---@param tls? {certificate: string, key: string}
---@return string
function M.banner(server, url, tls)
  local sim = server.sim
  local keys = sim.defaults.credentials
  local state = server.options.state
  local own = keys.access_key_id == "test" and keys.secret_access_key == "test"
  return (BANNER:gsub("%${(%w+)}", {
    url = url, account = sim.account_id, region = sim.region, time = time_line(server),
    key = own and "test" or "…", secret = own and "test" or "…",
    more = tls and "\n  export AWS_CA_BUNDLE=" .. tls.certificate or "",
    keeps = state and (" What happens is kept in %s."):format(state) or "",
  }))
end

-- A port that can be listened on; without a wish the usual one, or any.
local function port_of(opts, host)
  local process = require("sagemaker.core").process
  local port, message = process.port(host, opts.port or M.PORT)
  if port or opts.port == 0 then return port, message end
  local free = process.port(host, 0)
  if opts.port == nil then return free, message end
  return nil, free and message .. "; port 0 picks a free one" or message
end

-- What is wrong with the options that are the launcher's own and need no look at the disk; nil when
-- nothing is.
local function own_problem(opts)
  local port, host = opts.port, opts.host
  if port ~= nil and not (type(port) == "number" and port % 1 == 0 and port >= 0
    and port <= 65535) then
    return ("port must be a whole number from 0 to 65535, not %s"):format(tostring(port))
  elseif host ~= nil and (type(host) ~= "string" or not host:find "^[%w.:_%%-]+$") then
    return ("host must be an address or a name, not %q"):format(tostring(host))
  elseif opts.nginx == "" then
    return "nginx must be a program, and is empty"
  end
end

local function tls_of(text, io)
  if not text then return nil end
  local certificate, key = text:match("^(.+):(.+)$")
  if not certificate then return nil, "tls must be CERT:KEY, two files" end
  for _, path in ipairs { certificate, key } do
    local file, message = io.open(path, "rb")
    if not file then return nil, "tls: " .. tostring(message) end
    file:close()
  end
  return { certificate = find.absolute(certificate, io), key = find.absolute(key, io) }
end

-- Whether a file can be written; tried now, because nginx says so late, and in words of its own.
local function writable(name, path, io)
  local file, message = io.open(path, "ab")
  if not file then return nil, name .. ": " .. tostring(message) end
  file:close()
  return true
end

-- The same of the state file. It is written beside its place first, which is tried here.
local function can_keep(path, io)
  if not path then return true end
  local beside = path .. ".new"
  local ok, message = writable("state", beside, io)
  if not ok then return nil, message end
  os.remove(beside)
  return true
end

-- Everything that nginx needs, looked for; nil and what is missing.
local function site_of(opts, io)
  local site = { host = opts.host or M.HOST, error_log = "stderr" }
  local nginx, ok, message
  site.port, message = port_of(opts, site.host)
  if not site.port then return nil, message end
  site.tls, message = tls_of(opts.tls, io)
  if message then return nil, message end
  nginx, message = find.nginx(opts.nginx, io)
  if not nginx then return nil, message end
  site.nginx = find.absolute(nginx, io)
  site.modules, message = find.modules(nginx, io)
  if message then return nil, message end
  site.lua_path, message = find.lua_path(package.path, io)
  if message then return nil, message end
  site.lua_cpath, message = find.lua_cpath(package.cpath, io)
  if message then return nil, message end
  if opts.log == "-" then
    site.log = "/dev/stdout"
  elseif opts.log then
    site.log = find.absolute(opts.log, io)
    site.error_log = site.log
    ok, message = writable("log", site.log, io)
    if not ok then return nil, message end
  end
  ok, message = can_keep(opts.state, io)
  if not ok then return nil, message end
  return site
end

local function url_of(site)
  local host = site.host
  if host == "0.0.0.0" or host == "::" then host = "localhost" end
  if host:find(":", 1, true) then host = "[" .. host .. "]" end
  return ("%s://%s:%d"):format(site.tls and "https" or "http", host, site.port)
end

local function clear(folder)
  for _, name in ipairs(configuration.LEFT) do os.remove(folder .. "/" .. name) end
  os.remove(folder)
end

-- Writes what nginx reads; the folder is nobody else's.
local function write_files(site, options, banner, io)
  local place = find.absolute(io.getenv "TMPDIR" or "/tmp", io) .. "/sagemaker-"
  local folder, message = require("sagemaker.core").process.folder(place)
  if not folder then return nil, message end
  site.folder, site.options = folder, folder .. "/options.json"
  local ok
  ok, message = io.replace(site.options, json.encode { options = options, banner = banner })
  if ok then ok, message = io.replace(folder .. "/nginx.conf", configuration.text(site)) end
  if ok then return folder end
  clear(folder)
  return nil, message
end

local function server_options(opts, io)
  local given = {}
  for name, value in pairs(opts) do
    if not OWN[name] then given[name] = value end
  end
  if given.state then given.state = find.absolute(given.state, io) end
  given.log_requests, given.resets = opts.log ~= nil or nil, true
  return given
end

-- Runs nginx in a folder that is there as long as it runs. LuaJIT looks for modules in the current
-- folder, and finds nobody's in this one.
local function serve(site, options, banner, io)
  local folder, message = write_files(site, options, banner, io)
  if not folder then return nil, message end
  local status
  status, message = require("sagemaker.core").process.run {
    folder = folder, site.nginx, "-p", folder, "-c", folder .. "/nginx.conf",
    "-g", "", -- what a distribution adds to its own configuration is not for this one
  }
  clear(folder)
  return status, message
end

--- What is wrong with the options, or with the state file; nil when nothing is.
---@param opts sagemaker.simulator.launch.options
---@param io? table
---@return string|nil message
function M.problem(opts, io)
  local problem = own_problem(opts)
  if problem then return problem end
  local _, message = servers.new(server_options(opts, environment.new(io)))
  return message
end

--- A command line without the command: `lua -e 'require(…).main(arg)' --port 0`.
---@param words string[]
---@return integer status
function M.main(words)
  local arguments = require "sagemaker.simulator.server.arguments"
  local values, options, status
  local message
  values, message = arguments.parse(words)
  if values then options, message = arguments.options(values) end
  if options then status, message = M.run(options) end
  if message then io.stderr:write("simulate: ", message, "\n") end
  return status or 255
end

--- Runs the server until it is told to end (SIGTERM, SIGINT).
---@param opts? sagemaker.simulator.launch.options
---@param io? table functions of sagemaker.env that replace the real ones
---@return integer|nil status 0 when it ended as it was told to
---@return string|nil message why it did not start
function M.run(opts, io)
  opts, io = opts or {}, environment.new(io)
  local problem = own_problem(opts)
  if problem then return nil, problem end
  local options = server_options(opts, io)
  local server, message = servers.new(options) -- so that mistakes are told before nginx starts
  if not server then return nil, message end
  local site
  site, message = site_of(opts, io)
  if not site then return nil, message end
  local process = require("sagemaker.core").process
  process.hold() -- so that no signal comes between the folder and the nginx that it is for
  local ok, status
  ok, status, message = pcall(serve, site, options, M.banner(server, url_of(site), site.tls), io)
  process.release()
  if not ok then error(status, 0) end
  return status, message
end

local banner, folder

--- nginx's init_by_lua: makes the server from the options that `run` has written. They go at once:
-- keys are among them.
---@param path string
function M.start(path)
  local file = assert(io.open(path, "rb"))
  local data = require("cjson").decode(file:read("*a"))
  file:close()
  os.remove(path)
  banner, folder = data.banner, path:match("^(.*)/[^/]*$")
  collectgarbage("setpause", PAUSE) -- of this nginx, which is nobody else's
  collectgarbage("setstepmul", SPEED)
  servers.start(data.options)
  collectgarbage() -- what a state file was read into
end

--- nginx's init_worker_by_lua: it answers from now on.
function M.began()
  servers.work()
  io.stdout:write(banner)
  io.stdout:flush()
end

--- nginx's exit_worker_by_lua: saves the state, and leaves nothing but what nginx itself removes. A
-- launcher that was killed cannot do it.
function M.ended()
  servers.stop()
  for _, name in ipairs(configuration.LEFT) do
    if name ~= configuration.PID then os.remove(folder .. "/" .. name) end
  end
end

return M
