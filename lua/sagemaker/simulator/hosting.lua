--- The containers behind endpoints: what they are, whether they are healthy, and how they answer.
--
-- A model's container is a function (`sim:container(model, fn)`), a URL (its environment variable
-- SAGEMAKER_SIMULATOR_URL) or, where there is neither, an echo that says who answered. A function
-- gets {method, path, headers, body, at, endpoint, config, variant, fleet, model}; it answers a
-- body, or {status, headers, body, parts, seconds}. A URL is called by `invoke(request)`, which is
-- given or is the curl transport; nothing else here does I/O.
--
-- Whoever can hand an answer on while it comes asks for a stream: then it may have `next`, which
-- gives part by part, instead of a body (simulator/parts.lua).

local parts = require "sagemaker.simulator.parts"

local M = {}

local Hosting = { __name = "sagemaker.simulator.hosting" }
Hosting.__index = Hosting

--- The variable that holds the URL of a container.
M.VARIABLE = "SAGEMAKER_SIMULATOR_URL"

-- How long a container may take, in seconds.
local PING, ANSWER = 2, 60

-- How often a container is asked whether it is healthy, in seconds of the simulator's time.
local AGAIN = 10

-- The longest value of a header that an invocation carries.
local HEADER = 1024

---@class sagemaker.simulator.container
---@field name string of the model, or of the component that brings its own container
---@field host string|nil ContainerHostname
---@field url string|nil
---@field multi boolean|nil a multi-model container

---@class sagemaker.simulator.hosting
---@field functions table<string, function> by model, in lower case
---@field health table<string, boolean> by model: what was told about it
---@field dice integer the state of the random numbers that route
---@field later fun(fn: fun()) does what no answer waits for: at once, unless a host sets another

--- The containers of a model, as fleets keep them; one that says nothing of itself where a model
-- names none.
---@param name string of the model
---@param input table of CreateModel, or {Containers = …}
---@return sagemaker.simulator.container[]
function M.containers(name, input)
  local rows = {}
  local containers = input.Containers or { input.PrimaryContainer }
  if not containers[1] then return { { name = name } } end
  for i, container in ipairs(containers) do
    rows[i] = {
      name = name, host = container.ContainerHostname,
      url = (container.Environment or {})[M.VARIABLE], multi = container.Mode == "MultiModel",
    }
  end
  return rows
end

-- The curl transport as `invoke`, loaded by the first call.
local function curl_invoke()
  local transport
  return function(request)
    transport = transport or require("sagemaker.transport.curl").new()
    local response, message = transport:send(request)
    if not response then return nil, message end
    return response
  end
end

---@param opts {invoke: function|nil, ping: boolean|nil, seed: integer, clock: fun(): number}
---@return sagemaker.simulator.hosting
function M.new(opts)
  return setmetatable({
    functions = {}, health = {}, dice = (opts.seed * 7919 + 12345) % 2147483646 + 1,
    invoke = opts.invoke or curl_invoke(), clock = opts.clock,
    later = function(fn) fn() end,
    pings = opts.ping == nil and opts.invoke == nil or opts.ping == true,
  }, Hosting)
end

--- A random number in [0, 1) that follows from the seed.
---@return fun(): number
function Hosting:random()
  return function()
    self.dice = self.dice * 48271 % 2147483647
    return (self.dice - 1) / 2147483646
  end
end

-- The headers that can be handed on, by lower-case name: no control characters, and no longer than
-- the model lets them be.
local function headers_of(headers)
  local values = {}
  for name, value in pairs(headers or {}) do
    if type(name) == "string" and type(value) == "string" and #value <= HEADER
        and not value:find("[%z\1-\31\127-\255]") then
      values[name:lower()] = value
    end
  end
  return values
end

local function failed(text)
  return { status = 500, headers = {}, body = text }
end

-- Whether these are parts: a list of strings, or a function that gives one after the other.
local function is_parts(list)
  if type(list) ~= "table" then return list == nil or type(list) == "function" end
  for _, item in ipairs(list) do
    if type(item) ~= "string" then return false end
  end
  return true
end

-- Why a table is no answer of a container, or nil.
local function bad_answer(answer)
  local status, seconds = answer.status or 200, answer.seconds or 0
  if type(status) ~= "number" or status % 1 ~= 0 or status < 100 or status > 599 then
    return "a status that is none"
  elseif type(answer.body or "") ~= "string" then
    return "a body that is no string"
  elseif type(answer.headers or {}) ~= "table" then
    return "headers that are no table"
  elseif not is_parts(answer.parts) then
    return "parts that are neither a list of strings nor a function"
  elseif type(answer.stream_error or {}) ~= "table" then
    return "a stream_error that is no table"
  elseif type(seconds) ~= "number" or not (seconds >= 0 and seconds < math.huge) then
    return "seconds that are no time"
  end
  return nil
end

-- What a function answered, as a response; what it threw is a 500.
local function call_function(fn, request, streams)
  local ok, answer, message = pcall(fn, request)
  if not ok then return failed(tostring(answer)) end
  if answer == nil and message ~= nil then return failed(tostring(message)) end
  if type(answer) == "string" or answer == nil then answer = { body = answer } end
  local bad = type(answer) ~= "table" and "a " .. type(answer) or bad_answer(answer)
  if bad then return failed("the function of the container answered " .. bad) end
  local response = {
    status = answer.status or 200, headers = headers_of(answer.headers),
    body = answer.body, stream_error = answer.stream_error, seconds = answer.seconds,
  }
  return parts.take(response, answer.parts, streams)
end

local function call_url(self, url, request, timeout, streams)
  local host = url:match("^https?://([^/?#]+)")
  if not host then return { status = 0, headers = {}, body = "its URL is no URL: " .. url } end
  local headers = { Host = host }
  for name, value in pairs(request.headers) do headers[name] = value end
  local began = self.clock()
  local response, message = self.invoke {
    method = request.method, url = url:gsub("/+$", "") .. request.path, host = host,
    headers = headers, body = request.body, timeouts = { connect = PING, read = timeout },
    stream = streams,
  }
  local seconds = self.clock() - began
  if not response then
    return { status = 0, headers = {}, body = tostring(message), seconds = seconds }
  end
  local answer = {
    status = response.status, headers = headers_of(response.headers),
    body = response.body, seconds = seconds,
  }
  return parts.read(answer, response.reader)
end

-- Names hold nothing that JSON would have to escape.
local ECHO = '{"endpoint":"%s","config":"%s","variant":"%s","fleet":"%s","model":"%s",'
  .. '"bytes":%d}'

-- In a stream each member is a part.
local function echo(request, streams)
  local text = ECHO:format(request.endpoint, request.config, request.variant, request.fleet,
    request.model, #request.body)
  local answer = { status = 200, headers = { ["content-type"] = "application/json" }, body = text,
    echo = true }
  if streams == nil then return answer end
  local members = {}
  for member in text:gmatch("[^,]+,?") do members[#members + 1] = member end
  return parts.take(answer, members, streams)
end

--- Calls a container.
---@param container sagemaker.simulator.container
---@param request table {method, path, headers, body, at, endpoint, config, variant, fleet, model}
---@param streams boolean|nil the answer is to be a stream: true, one that may come while it is sent
---@param patience number|nil seconds that it may take; 60 unless told
---@return sagemaker.simulator.answer status 0: it could not be reached
function Hosting:call(container, request, streams, patience)
  local fn = self.functions[container.name:lower()]
  if fn then return call_function(fn, request, streams) end
  if container.url then
    return call_url(self, container.url, request, patience or ANSWER, streams)
  end
  return echo(request, streams)
end

--- Whether a container is healthy, as far as anybody knows: what was told, or what /ping says.
---@param container sagemaker.simulator.container
---@param at number the moment at which it is asked
---@return boolean
---@return boolean asked it was pinged, and may be pinged again
function Hosting:healthy(container, at)
  local told = self.health[container.name:lower()]
  if told ~= nil then return told, false end
  local ping = { method = "GET", path = "/ping", headers = {}, body = "", at = at,
    model = container.name }
  local fn = self.functions[container.name:lower()]
  if fn then return call_function(fn, ping).status == 200, true end
  if not container.url then return true, false end
  if not self.pings then return false, false end
  return call_url(self, container.url, ping, PING).status == 200, true
end

--- The first container of a fleet that is not healthy: whose it is, and when to look again.
---@param blueprint sagemaker.simulator.blueprint
---@param at number
---@return string|nil variant
---@return number|nil seconds nil when somebody tells
function Hosting:sick(blueprint, at)
  local seen = {}
  for _, list in ipairs { blueprint.variants, blueprint.shadows } do
    for _, variant in ipairs(list) do
      for _, container in ipairs(variant.containers or {}) do
        local key = container.name .. "\n" .. (container.url or "")
        local good, asked = seen[key], false
        if good == nil then good, asked = self:healthy(container, at) end
        if not good then return variant.name, asked and AGAIN or nil end
        seen[key] = true
      end
    end
  end
  return nil
end

return M
