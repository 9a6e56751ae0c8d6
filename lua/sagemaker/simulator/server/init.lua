--- The simulator behind HTTP. In an nginx of one's own, one line does it:
--
--   location / { content_by_lua_block {
--     require("sagemaker.simulator.server").content { speed = 60 }
--   } }
--
-- The state lives in one Lua state: the nginx must have one worker. This file knows no nginx: it
-- decides what a request gets; front.lua reads and writes it, launch.lua starts an nginx.

local control = require "sagemaker.simulator.server.control"
local core = require "sagemaker.core"
local environment = require "sagemaker.env"
local exchange = require "sagemaker.simulator.exchange"
local knobs = require "sagemaker.simulator.knobs"
local refused = require "sagemaker.simulator.server.refused"
local simulator = require "sagemaker.simulator"
local states = require "sagemaker.simulator.state"

local M = {}

local Server = { __name = "sagemaker.simulator.server" }
Server.__index = Server

--- How much faster than real time runs unless told otherwise.
M.SPEED = 60

-- How long a container may take to say how it is.
local PING = 2

---@class sagemaker.simulator.Server
---@field sim sagemaker.Simulator
---@field options sagemaker.simulator.server.options
---@field log fun(message: string) where the server says what went wrong inside
---@field invoke fun(request: table): table|nil, string|nil calls containers that are URLs

---@class sagemaker.simulator.server.options besides these, the options of simulator.new
---@field speed? number how much faster than real time; 60
---@field clock? "virtual" time moves by `step` and by the control API only
---@field step? number virtual time: seconds that pass with every DescribeEndpoint
---@field state? string a file that keeps the state
---@field save_seconds? number between two snapshots; 5
---@field resets? boolean nginx has a location @sagemaker_reset, which resets a connection
---@field log_requests? boolean tell nginx's variables $sagemaker_operation and $sagemaker_code
---@field credentials? string|table "KEY:SECRET", or as simulator.new takes them

local OWN = {
  speed = true, clock = true, state = true, save_seconds = true, credentials = true,
  log_requests = true, resets = true,
}

local function credentials_of(value)
  if type(value) ~= "string" then return value end
  local key, secret = value:match("^([^:]+):(.+)$")
  if not key then error("credentials must be KEY:SECRET", 0) end
  return { access_key_id = key, secret_access_key = secret }
end

local function is_positive(value)
  return type(value) == "number" and value > 0 and value < math.huge
end

-- What simulator.new takes, made of the options of a server. Throws when they cannot be.
local function simulator_options(self)
  local opts, io = self.options, self.io
  local given = { wall = io.now, io = { now = io.now, clock = io.clock } }
  function given.invoke(request) return self.invoke(request) end
  for name, value in pairs(opts) do
    if not OWN[name] then given[name] = value end
  end
  if opts.clock ~= nil and opts.clock ~= "virtual" then error('clock can only be "virtual"', 0) end
  if opts.clock and opts.speed then error("speed and clock exclude each other", 0) end
  if opts.step and not opts.clock then error('step needs clock = "virtual"', 0) end
  for _, name in ipairs { "speed", "save_seconds" } do
    if opts[name] ~= nil and not is_positive(opts[name]) then
      error(name .. " must be a number above 0", 0)
    end
  end
  given.clock = opts.clock or { factor = opts.speed or M.SPEED }
  given.credentials = credentials_of(opts.credentials)
  return given
end

-- The bytes of the state file; nil when there are none yet, as in a file that `mktemp` has made.
local function read_state(path, io)
  local file, message, code = io.open(path, "rb")
  if not file then
    if code == 2 then return nil end
    error(message, 0)
  end
  local text, failure = file:read("*a")
  file:close()
  if not text then error(("%s: %s"):format(path, tostring(failure)), 0) end
  return text ~= "" and text or nil
end

-- What tells a state from another one: its text without what passes by itself.
local function essence_of(text, from)
  return core.sha256(text:sub(from))
end

local function restore(self)
  local path = self.options.state
  local text = path and read_state(path, self.io)
  if not text then return end
  local ok, message = self.sim:restore(text)
  if not ok then error(("%s: %s"):format(path, message), 0) end
  self.saved, self.kept = self:mark(), essence_of(states.snapshot(self.sim))
end

--- A server, with the state of its file when there is one.
---@param opts? sagemaker.simulator.server.options
---@param io? table functions of sagemaker.env that replace the real ones
---@return sagemaker.simulator.Server|nil
---@return string|nil message why it cannot be: an option, or the state file
function M.new(opts, io)
  local ok, made = pcall(function()
    local self = setmetatable({
      options = opts or {}, io = environment.new(io), changes = 0, turn = 0, written = 0,
      log = function() end,
      invoke = function() return nil, "containers are called inside nginx only" end,
    }, Server)
    self.sim = simulator.new(simulator_options(self))
    restore(self)
    return self
  end)
  if ok then return made end
  -- A place in this project helps nobody; compiled code names its module, not its file.
  return nil, (tostring(made):gsub("^%S+%.lua:%d+: ", ""):gsub("^sagemaker[%w_.]*:%d+: ", ""))
end

--- What tells whether something may have changed since.
---@return integer
function Server:mark()
  return self.sim.log.count + self.changes
end

--- Whether there may be something to save: requests came.
---@return boolean
function Server:is_unsaved()
  return self.options.state ~= nil and self.saved ~= self:mark()
end

-- Writes a file beside its place and moves it there. What a killed server has left of that is in
-- the way of nobody: there is one owner.
local function replace(path, text)
  local new = ".new"
  os.remove(path .. new)
  return core.replace(path, text, new)
end

--- Writes the state file, when there is one and something was changed since; requests that only
-- read change nothing, and neither does time, from which the same follows again.
---@param pause? fun() called now and then, so that others get a turn
---@param keeps_time? boolean time that runs on by itself is a reason to write
---@return boolean|nil ok
---@return string|nil message
function Server:save(pause, keeps_time)
  local must = keeps_time and self.options.state and self.sim.time.factor
  if not must and not self:is_unsaved() then return true end
  local mark, turn = self:mark(), self.turn + 1
  self.turn = turn
  local text, from = states.snapshot(self.sim, pause)
  if self.written > turn then return true end -- who began later has been faster
  local essence = essence_of(text, from)
  if must or essence ~= self.kept then
    local ok, message = replace(self.options.state, text)
    if not ok then return nil, message end
  end
  self.saved, self.written, self.kept = mark, turn, essence
  return true
end

--- What time does by itself: endpoints move on, alarms are evaluated.
function Server:tick()
  self.sim.account:settle()
end

local function ping(self, url)
  local host = url:match("^https?://([^/?#]+)")
  if not host then return false end
  local response = self.invoke {
    method = "GET", url = url:gsub("/+$", "") .. "/ping", host = host, headers = { Host = host },
    body = "", timeouts = { connect = PING, read = PING },
  }
  return response ~= nil and response.status == 200
end

--- Asks the containers that are URLs how they are.
function Server:ping()
  local asked = {}
  for _, container in ipairs(self.sim:containers()) do
    local key = container.model .. "\n" .. container.url
    if not asked[key] then
      asked[key] = true
      local healthy = ping(self, container.url)
      if healthy ~= container.healthy then self.sim:health(container.model, healthy) end
    end
  end
end

---@class sagemaker.simulator.delivery how an answer is to reach its caller
---@field response table|nil {status, headers, body}; nil: close the connection at once
---@field delay number seconds of real time
---@field pause (fun(): number)|nil seconds until the next part of a stream
---@field loss "drop"|"reset"|"truncate"|nil

local LOSSES = { "drop", "reset", "truncate" }

local function traced(failure)
  return debug.traceback(tostring(failure), 2)
end

local function answer_of(self, request)
  local ok, response = xpcall(function() return self.sim:handle(request) end, traced)
  if ok then return response end
  self.log(response)
  return refused.answer(500)
end

--- What a request gets, and what is done to it on the way.
---@param request table {method, path, query, headers, body, streams}
---@return sagemaker.simulator.delivery
function Server:answer(request)
  local sim = self.sim
  local on = sim.knobs
  if not (on.unreachable or on.latency or on.drop or on.reset or on.truncate or on.stream_pause)
  then
    return { response = answer_of(self, request), delay = 0 }
  end
  local name = exchange.operation(request) or ""
  local case = { operation = name, random = sim.random }
  if on.unreachable and knobs.strikes(on, "unreachable", { name }, case) then
    return { delay = 0 }
  end
  local delivery = { response = answer_of(self, request) }
  delivery.delay = knobs.seconds(on.latency, name, case)
  if on.stream_pause then
    function delivery.pause() return knobs.seconds(on.stream_pause, name, case) end
  end
  for _, loss in ipairs(LOSSES) do
    if on[loss] and knobs.strikes(on, loss, { name }, case) then delivery.loss = loss end
  end
  return delivery
end

--- What a request to the control API gets.
---@param request table {method, path, query, headers, body, address}
---@return table response
function Server:control(request)
  local ok, response = xpcall(function() return control.handle(self, request) end, traced)
  if ok then return response end
  self.log(response)
  return control.failure(500, "InternalFailure", "The simulator has a fault; see its log.")
end

function Server:__tostring()
  return "sagemaker.simulator.server: " .. tostring(self.sim)
end

local current

--- The server of this process: made with these options when there is none yet.
---@param opts? sagemaker.simulator.server.options
---@return sagemaker.simulator.Server
function M.start(opts)
  if current then return current end
  local made, message = M.new(opts)
  if not made then error(message, 0) end
  current = made
  return made
end

-- One method for a line of nginx's configuration each; they need nginx, and load it when called.
for _, phase in ipairs { "content", "refuse", "work", "stop" } do
  M[phase] = function(opts)
    return require("sagemaker.simulator.server.front")[phase](M, opts)
  end
end


return M
