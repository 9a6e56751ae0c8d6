--- The simulator as a server of its own, for specs: started by its launcher on a free port, ended
-- by its process id.
--
--   local running = simulate.start { clock = "virtual" }
--   running.url, running:post("/_simulator/advance", { seconds = 60 }), running:stop()

local cjson = require "cjson"
local json = require "sagemaker.simulator.json"
local server = require "support.server"

local M = {}

---@class spec.Simulate
---@field url string
---@field port integer
---@field pid integer of the launcher
---@field dir string
local Running = {}
Running.__index = Running

--- Whether servers are started in this run: nginx always runs LuaJIT, so once is enough.
---@return boolean ok
---@return string|nil reason
function M.available()
  local ok, reason = server.available()
  if not ok then return false, reason end
  if not rawget(_G, "jit") and os.getenv "SAGEMAKER_SERVER_SPECS" ~= "all" then
    return false, "nginx runs LuaJIT: servers are tested in the run of LuaJIT"
  end
  return true
end

-- The rest of a line that starts a launcher with these options.
local function command_of(opts, dir)
  local path = dir .. "/run.lua"
  local file = assert(io.open(path, "wb"))
  file:write(([[
    local launch = require "sagemaker.simulator.server.launch"
    local status, message = launch.run(require("cjson").decode(%q))
    if not status then io.stderr:write("simulate: ", message, "\n") end
    os.exit(status or 1)
  ]]):format(json.encode(opts)))
  file:close()
  return (os.getenv "SAGEMAKER_LUA" or "lua") .. " " .. path
end

function Running:output()
  local file = io.open(self.dir .. "/output", "rb")
  if not file then return "" end
  local text = file:read("*a")
  file:close()
  return text
end

--- Starts it. Without a port in the options a free one is taken.
---@param opts? table of simulator/server/launch.lua
---@param dir? string a folder of the caller's, kept after `stop`
---@return spec.Simulate|nil
---@return string|nil message what it said when it did not start
function M.start(opts, dir)
  opts = opts or {}
  opts.port = opts.port or 0
  local self = setmetatable({ dir = dir or server.folder(), owns = dir == nil }, Running)
  local previous = os.getenv "TMPDIR"
  local command = ("env TMPDIR=%s %s"):format(previous or self.dir, command_of(opts, self.dir))
  os.remove(self.dir .. "/output") -- of a server before
  self.pid = server.spawn(command, self.dir .. "/output")
  server.wait_for(20, function()
    self.url = self:output():match("answers at (%S+)")
    return self.url or not server.alive(self.pid)
  end)
  if not self.url then
    local said = self:output()
    self:stop()
    return nil, said
  end
  self.port = tonumber(self.url:match(":(%d+)$"))
  return self
end

--- Output of a shell command that finds the server and its keys in the environment.
---@param command string
---@return string output
---@return boolean ok
function Running:shell(command)
  return server.shell(("unset AWS_PROFILE AWS_SESSION_TOKEN AWS_CONFIG_FILE; export HOME=%s "
    .. "AWS_ENDPOINT_URL=%s AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_PAGER= "
    .. "AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true; %s")
    :format(self.dir, self.url, command))
end

--- What simulator/caller.lua talks to, over HTTP.
---@return table
function Running:remote()
  local transport = require("sagemaker.transport.curl").new()
  return {
    defaults = { region = "us-east-1",
      credentials = { access_key_id = "test", secret_access_key = "test" } },
    now = function() return os.time() end,
    send = function(_, request)
      request.url = self.url .. request.path
      return transport:send(request)
    end,
  }
end

-- One request with curl: status and body.
local function curl(self, arguments, path)
  local text = server.shell(("curl -sS -m 20 -w '\\n%%{http_code}' %s '%s%s'"):format(arguments,
    self.url, path))
  local body, status = text:match("^(.*)\n(%d+)%s*$")
  return tonumber(status), body or text
end

--- GET: the status, and the body as it is and decoded.
---@param path string
---@return integer|nil status
---@return any data
---@return string body
function Running:get(path)
  local status, body = curl(self, "", path)
  local ok, data = pcall(cjson.decode, body)
  return status, ok and data or nil, body
end

--- POST of JSON, to the control API.
---@param path string
---@param data table
---@return integer|nil status
---@return any data
function Running:post(path, data)
  local file = assert(io.open(self.dir .. "/post.json", "wb"))
  file:write(json.encode(data))
  file:close()
  local status, body = curl(self, ("-X POST --data-binary @%s/post.json"):format(self.dir), path)
  local ok, answer = pcall(cjson.decode, body)
  return status, ok and answer or nil
end

--- Ends it, and waits until it has ended.
---@param signal? string "TERM"
---@return boolean ended
function Running:stop(signal)
  server.shell(("kill -%s %d"):format(signal or "TERM", self.pid))
  local ended = server.wait_for(10, function() return not server.alive(self.pid) end)
  if not ended then server.shell(("kill -9 %d"):format(self.pid)) end
  if self.owns then server.shell("rm -rf '" .. self.dir .. "'") end
  return ended
end

return M
