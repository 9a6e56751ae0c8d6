--- Resolves the credentials of a vector: {env, files, profile, http or exchanges}, in a world of
-- its own. Files live in memory below the home folder "/home/u", the clock stands at
-- 2026-01-15T12:34:56Z, HTTP answers come from the row.

local support = require "support"
local stub = require "sagemaker.transport.stub"

local M = {}

M.HOME = "/home/u"
M.NOW = 1768480496

-- "<HOME>" in every string of a value.
local function at_home(value)
  if type(value) == "string" then return (value:gsub("<HOME>", M.HOME)) end
  if type(value) ~= "table" then return value end
  local out = {}
  for k, v in pairs(value) do out[at_home(k)] = at_home(v) end
  return out
end

-- A file for reading: just what the providers use.
local function reader(text)
  local at, file = 1, {}
  function file.read(_, what)
    if type(what) == "string" and what:find("a") then
      local rest = text:sub(at)
      at = #text + 1
      return rest
    end
    if at > #text then return nil end
    local bytes = text:sub(at, at + what - 1)
    at = at + #bytes
    return bytes
  end
  function file.lines()
    return (text:sub(at) .. "\n"):gmatch("([^\n]*)\n")
  end
  function file.close() return true end
  return file
end

local function writer(files, written, path)
  local parts, file = {}, {}
  function file.write(_, ...)
    for i = 1, select("#", ...) do parts[#parts + 1] = tostring((select(i, ...))) end
    return file
  end
  function file.close()
    files[path] = table.concat(parts)
    written[path] = files[path]
    return true
  end
  return file
end

-- Runs a command with the files that it names at hand for as long as it runs.
local function command(files, text)
  local names = {}
  for path, bytes in pairs(files) do
    local from, to = text:find(path, 1, true)
    if from then
      local name = os.tmpname()
      names[#names + 1] = name
      local file = assert(io.open(name, "wb"))
      file:write(bytes)
      file:close()
      text = text:sub(1, from - 1) .. name .. text:sub(to + 1)
    end
  end
  local pipe = assert(io.popen(text, "r"))
  return {
    read = function(_, what) return pipe:read(what) end,
    close = function()
      for _, name in ipairs(names) do os.remove(name) end
      return pipe:close()
    end,
  }
end

---@class spec.World
---@field io table injected functions
---@field files table<string, string> by absolute path
---@field written table<string, string>

--- The injected functions of a row.
---@param row table
---@return spec.World
function M.world(row)
  local files, written, env = {}, {}, at_home(row.env or {})
  if env.HOME == nil then env.HOME = M.HOME end
  for path, text in pairs(at_home(row.files or {})) do
    if path:sub(1, 1) ~= "/" then path = M.HOME .. "/" .. path end
    files[path] = text
  end
  local io = {
    clock = function() return 0 end,
    getenv = function(name) return env[name] end,
    now = function() return M.NOW end,
    random = function() return 0 end,
    sleep = function() end,
  }
  function io.open(path, mode)
    if (mode or "r"):find("w", 1, true) then return writer(files, written, path) end
    if not files[path] then return nil, path .. ": No such file or directory", 2 end
    return reader(files[path])
  end
  function io.popen(text)
    return command(files, text)
  end
  return { io = io, files = files, written = written, env = env }
end

-- A row without its JSON nulls.
local function plain(row)
  local out = {}
  for key, value in pairs(row) do
    if value ~= support.null then out[key] = value end
  end
  return out
end

--- A client in the row's world, over a transport that plays `script`.
---@param row table
---@param script table[]|function as for the stub
---@param now? number default M.NOW
---@return table|nil client
---@return table|string world or message
---@return table|nil err
function M.client(row, script, now)
  row = plain(row)
  local world = M.world(row)
  world.transport = stub.new(script, { now = now or M.NOW })
  local options = { io = world.io, transport = world.transport, profile = row.profile }
  local new = require("sagemaker.client").new
  local client, message, err = new(options)
  if not client and err.code == "NoRegion" then -- as when a program has a region for each call
    options.region = "us-east-1"
    client, message, err = new(options)
  end
  if not client then return nil, message, err end
  local ok
  ok, message, err = require("sagemaker.config").complete(client.settings)
  if not ok then return nil, message, err end
  if options.region then client.settings.region = nil end
  return client, world
end

--- The credentials that a client finds: {access_key_id, secret_access_key, …} | nil, message, err.
function M.credentials(client)
  local io = client.provider_io or require("sagemaker.signing").provider_io(client,
    require("sagemaker.client").new, function(_, settings) return settings.transport end)
  client.provider_io = io
  return require("sagemaker.signing").credentials(client.settings, io)
end

--- Answers in the order of a list of {status, body, headers}; one too many fails like a host that
-- is not there. `unexpected` of the result counts those.
---@param answers table[]
---@return function script for the stub
---@return {used: integer, unexpected: integer} count
function M.script(answers)
  local count = { used = 0, unexpected = 0 }
  return function()
    local answer = answers[count.used + 1]
    if not answer then
      count.unexpected = count.unexpected + 1
      return { code = "ConnectionRefused", message = "no more answers in the row", sent = false }
    end
    count.used = count.used + 1
    if answer.network_error then
      return { code = "ConnectTimeout", kind = "timeout", message = "no route", sent = false }
    end
    return { status = answer.status, body = answer.body, headers = answer.headers,
      delay = answer.latency }
  end, count
end

return M
