--- A local SageMaker: signed requests in, the whole life of an endpoint out.
--
-- `simulator.new()` is a transport for `sagemaker.new{ transport = … }`: its clock is virtual, so
-- what waits for an eight-hour deployment waits for milliseconds. See examples/simulator for what
-- is played and what is chosen where AWS documents nothing.

local accounts = require "sagemaker.simulator.account"
local clocks = require "sagemaker.simulator.clock"
local core = require "sagemaker.core"
local environment = require "sagemaker.env"
local errors = require "sagemaker.error"
local exchange = require "sagemaker.simulator.exchange"
local histories = require "sagemaker.simulator.history"
local hosting = require "sagemaker.simulator.hosting"
local knobs = require "sagemaker.simulator.knobs"
local lifecycle = require "sagemaker.simulator.lifecycle"
local overview = require "sagemaker.simulator.overview"
local services = require "sagemaker.simulator.services"
local signature = require "sagemaker.simulator.signature"
local snapshots = require "sagemaker.simulator.state"
local transport = require "sagemaker.simulator.transport"

local M = {}

---@class sagemaker.Simulator
---@field defaults {region: string, credentials: table} what a client uses when told nothing else
---@field account sagemaker.simulator.account
---@field knobs table<string, any>
local Simulator = { __name = "sagemaker.simulator" }
Simulator.__index = Simulator

---@class sagemaker.simulator.options
---@field clock? "virtual"|{factor: number} virtual time (default), or real time times a factor
---@field start? number seconds since the epoch at which time begins; 2026-01-15T12:00:00Z for
--- virtual time, now for real time
---@field account_id? string "123456789012"
---@field region? string "us-east-1"
---@field partition? string follows from the region
---@field credentials? table one {access_key_id, secret_access_key, session_token, expires_at} or a
--- list of them; the first is what clients use by default. test / test
---@field step? number virtual time: seconds that pass with every DescribeEndpoint
---@field verify? boolean false: any signature will do
---@field seed? integer request ids and the seal of NextToken follow from it
---@field limits? table<string, integer> endpoints, endpoint_configs, inference_components, models
---@field wall? fun(): number the time that signatures are checked against and Date headers tell;
--- the simulator's own unless told otherwise
---@field io? table clock, now and sleep for a real-time clock, as in sagemaker.env
---@field invoke? fun(request: table): table|nil, string|nil calls containers that are URLs: gets
--- {method, url, host, headers, body, timeouts} and answers {status, headers, body}; curl does
--- unless told otherwise
---@field ping? boolean whether `invoke` also asks their /ping when a deployment needs to know; with
--- an `invoke` of one's own it does not, and `sim:health` tells
---@field provisioning_seconds? number 300: a fleet, or each batch of a rolling deployment
---@field activation_seconds? number 0: turning on traffic for a step
---@field removal_seconds? number 0: of an old fleet or batch
---@field rollback_seconds? number 30
---@field scaling_seconds? number 60: new weights and capacities
---@field deleting_seconds? number 30
---@field health_check_seconds? number 300: until an unhealthy container is given up
---@field loading_seconds? number 0: a target model, or a serverless variant's resources, once asked
--- for; until then InvokeEndpoint is refused with ModelNotReadyException
---@field fail_provisioning? any knobs: see simulator/knobs.lua for the forms they take
---@field unhealthy? any
---@field rollback_fails? any
---@field hide_failure_reason? any
---@field not_ready? any
---@field throttle? any also {rate =, burst =} requests a second
---@field expire? any
---@field deny? any
---@field drop? any
---@field reset? any
---@field truncate? any
---@field unreachable? any
---@field clock_skew? number seconds that `wall` is off
---@field latency? number|table|fun(case: table): number seconds
---@field stream_pause? number|table|fun(case: table): number seconds between two parts of a stream;
--- where answers come whole, these pass before it
---@field visible_after? number|table|fun(case: table): number seconds

local OPTIONS = {
  "clock", "start", "account_id", "region", "partition", "credentials", "verify", "seed", "limits",
  "wall", "io", "step", "invoke", "ping",
}
for name in pairs(accounts.SECONDS) do OPTIONS[#OPTIONS + 1] = name .. "_seconds" end
for _, name in ipairs(knobs.names()) do OPTIONS[#OPTIONS + 1] = name end

local function is_seconds(value)
  return type(value) == "number" and value >= 0 and value < math.huge
end

local function is_word(value)
  return type(value) == "string" and value ~= ""
end

local function is_keys(value)
  return type(value) == "table" and is_word(value.access_key_id)
    and is_word(value.secret_access_key)
end

local function is_identities(value)
  if type(value) ~= "table" then return false end
  if value.access_key_id ~= nil then return is_keys(value) end
  for _, keys in ipairs(value) do
    if not is_keys(keys) then return false end
  end
  return value[1] ~= nil
end

local LIMITS = accounts.limits()

local function is_limits(value)
  if type(value) ~= "table" then return false end
  for name, limit in pairs(value) do
    if not LIMITS[name] or not is_seconds(limit) then return false end
  end
  return true
end

local function is_clock(value)
  if value == "virtual" then return true end
  local factor = type(value) == "table" and value.factor
  return type(factor) == "number" and factor > 0 and factor < math.huge
end

-- The year 9999 is the last that signatures and dates can tell.
local function is_start(value)
  return is_seconds(value) and value < 253402300800
end

local function is_of(name)
  return function(value)
    return type(value) == name
  end
end

-- What the options must be, in words.
local KINDS = {
  account_id = { is_word, "a string" },
  invoke = { is_of "function", "a function" },
  ping = { is_of "boolean", "true or false" },
  clock = { is_clock, '"virtual" or { factor = n }' },
  credentials = { is_identities, "{ access_key_id =, secret_access_key = } or a list of them" },
  io = { is_of "table", "a table of functions" },
  limits = { is_limits, "a table of endpoints, endpoint_configs, inference_components and models = "
    .. "a number" },
  partition = { is_word, "a string" },
  region = { is_word, "a string" },
  seed = { is_seconds, "a number of at least 0" },
  start = { is_start, "seconds since the epoch" },
  step = { is_seconds, "a number of at least 0" },
  verify = { is_of "boolean", "true or false" },
  wall = { is_of "function", "a function" },
}
for name in pairs(accounts.SECONDS) do
  KINDS[name .. "_seconds"] = { is_seconds, "a number of at least 0" }
end

local function check_options(opts)
  if type(opts) ~= "table" then
    error("simulator.new takes a table of options, not a " .. type(opts), 3)
  end
  local known = {}
  for _, name in ipairs(OPTIONS) do known[name] = true end
  for name, value in pairs(opts) do
    if not known[name] then
      error(("simulator.new has no option %s%s"):format(tostring(name),
        errors.hint(tostring(name), OPTIONS)), 3)
    end
    local kind = KINDS[name]
    if kind and not kind[1](value) then error(("%s must be %s"):format(name, kind[2]), 3) end
  end
end

local function partition_of(region)
  if region:find("^cn%-") then return "aws-cn" end
  if region:find("^us%-gov%-") then return "aws-us-gov" end
  return "aws"
end

-- Identifiers that look random and follow from the seed (the generator of Park and Miller).
local function id_maker(seeds)
  local function word()
    seeds.ids = seeds.ids * 48271 % 2147483647
    return math.floor(seeds.ids / 32768)
  end
  return function()
    return ("%04x%04x-%04x-4%03x-%04x-%04x%04x%04x"):format(word(), word(), word(), word() % 4096,
      32768 + word() % 16384, word(), word(), word())
  end
end

-- Numbers in [0, 1) that follow from the seed, for chances and distributions.
local function random_maker(seeds)
  return function()
    seeds.random = seeds.random * 48271 % 2147483647
    return (seeds.random - 1) / 2147483646
  end
end

local function identities_of(credentials)
  if not credentials then
    return { { access_key_id = "test", secret_access_key = "test" } }
  elseif credentials.access_key_id then
    return { credentials }
  end
  return credentials
end

local function build(opts)
  local region = opts.region or "us-east-1"
  local identities = identities_of(opts.credentials)
  local seed = math.floor(opts.seed or 1)
  local seeds = { ids = seed % 2147483646 + 1, random = (seed + 48271) % 2147483646 + 1 }
  local self = setmetatable({
    account_id = opts.account_id or "123456789012", region = region,
    partition = opts.partition or partition_of(region),
    knobs = {}, bucket = {}, log = { count = 0 },
    service = core.service("sagemaker"), seeds = seeds, new_id = id_maker(seeds),
    random = random_maker(seeds), step = opts.step,
    defaults = { region = region, credentials = identities[1] },
    time = clocks.new(opts.clock or "virtual", opts.start, environment.new(opts.io)),
  }, Simulator)
  if opts.verify ~= false then
    self.verifier = signature.new(identities, region)
  end
  local wall = opts.wall or function()
    return self.time:now()
  end
  self.wall = function()
    return wall() + (self.knobs.clock_skew or 0)
  end
  return self
end

--- A SageMaker of one's own. Throws when an option is unknown or cannot be.
---@param opts? sagemaker.simulator.options
---@return sagemaker.Simulator
function M.new(opts)
  opts = opts or {}
  check_options(opts)
  local self = build(opts)
  for _, name in ipairs(knobs.names()) do
    knobs.check(name, opts[name], services.catalogue)
    self.knobs[name] = opts[name]
  end
  local seconds = {}
  for name in pairs(accounts.SECONDS) do seconds[name] = opts[name .. "_seconds"] end
  self.hosting = hosting.new {
    invoke = opts.invoke, ping = opts.ping, seed = opts.seed or 1,
    clock = environment.new(opts.io).clock,
  }
  self.account = accounts.new {
    hosting = self.hosting,
    account_id = self.account_id, region = self.region, partition = self.partition,
    clock = self.time, knobs = self.knobs, seconds = seconds, limits = opts.limits,
    secret = ("seed %s"):format(tostring(opts.seed or 1)),
  }
  return self
end

--- The services that are played, by the names of their models, sorted.
---@return string[]
function M.services()
  return services.names()
end
Simulator.services = M.services

--- The operations of a service that are played, sorted. All others answer NotSimulated.
---@param service? string "sagemaker" unless told
---@return string[]
function M.operations(service)
  service = service or "sagemaker"
  if not services.all[service] then
    error(("the simulator plays no service %s"):format(tostring(service)), 2)
  end
  return services.played(service)
end

--- The same.
---@param service? string
---@return string[]
function Simulator.operations(_, service)
  return M.operations(service)
end

function Simulator:__tostring()
  return ("sagemaker.simulator (account %s, %s, %d endpoints)"):format(self.account_id,
    self.region, self.account.store:count("endpoint"))
end

--- Transport: sends a request and brings the answer. See simulator/transport.lua.
Simulator.send = transport.send

--- Answers a request, without clock or faults of a wire: the core for any server. With `streams`, a
-- response stream comes as `stream` {next, close, failed} instead of a body: next() waits for bytes
-- and gives them, nil at the end, of which failed() says whether it came too early; close() gives
-- the rest up. failed and close may not be there.
---@param request table {method, path, query, headers, body, host, streams}
---@return {status: integer, headers: table<string, string>, body: string|nil, stream: table|nil}
function Simulator:handle(request)
  if type(request) ~= "table" then error("handle takes a request, a table", 2) end
  return exchange.handle(self, request)
end

--- Transport: wall time, seconds since the epoch.
---@return number
function Simulator:now()
  return self.time:now()
end

--- Transport: seconds since the simulator began.
---@return number
function Simulator:clock()
  return self.time:now() - self.time.start
end

--- Transport: virtual time jumps, real time passes as much faster as the clock's factor says.
---@param seconds number nothing happens below 0
function Simulator:sleep(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds == math.huge then
    error("sleep takes a number of seconds", 2)
  end
  self.time:sleep(seconds)
end

--- The whole state as text, for `restore`. See simulator/state.lua.
---@param pause? fun() called now and then, for hosts that others wait for meanwhile
---@return string
function Simulator:snapshot(pause)
  return (snapshots.snapshot(self, pause))
end

--- Brings a new simulator to the state of a snapshot.
---@param text string
---@return true|nil
---@return string|nil message
function Simulator:restore(text)
  if type(text) ~= "string" then error("restore takes the text of a snapshot", 2) end
  return snapshots.restore(self, text)
end

--- Moves time on; everything that falls into it happens at its own moment.
---@param seconds number at least 0
function Simulator:advance(seconds)
  if not is_seconds(seconds) then
    error("advance takes a number of seconds of at least 0", 2)
  end
  self.time:advance(seconds)
end

--- Runs `fn(simulator)` in so many seconds of the simulator's time.
---@param seconds number
---@param fn fun(sim: sagemaker.Simulator)
function Simulator:at(seconds, fn)
  if not is_seconds(seconds) or type(fn) ~= "function" then
    error("at takes a number of seconds of at least 0 and a function", 2)
  end
  self.time:at(self:now() + seconds, function()
    fn(self)
  end)
end

local STATES = { OK = true, ALARM = true, INSUFFICIENT_DATA = true }

--- Sets a CloudWatch alarm. Deployments that bake and name it roll back at this moment.
---@param name string
---@param state "OK"|"ALARM"|"INSUFFICIENT_DATA"
function Simulator:set_alarm(name, state)
  if type(name) ~= "string" or not STATES[state] then
    error("set_alarm takes a name and OK, ALARM or INSUFFICIENT_DATA", 2)
  end
  self.account:set_alarm(name, state)
end

--- Defines a CloudWatch alarm, as PutMetricAlarm does. One on the simulator's own metrics is
-- evaluated every minute of its time, or every period below one. Throws when the definition cannot
-- be.
---@param definition table the input of PutMetricAlarm
function Simulator:put_alarm(definition)
  if type(definition) ~= "table" then error("put_alarm takes the input of PutMetricAlarm", 2) end
  local cloudwatch, copy = services.all.cloudwatch, {}
  for member, value in pairs(definition) do copy[member] = value end
  local good, problems = core.validate(cloudwatch.service, "PutMetricAlarm", copy, "strict")
  if not good then
    error(("put_alarm: %s %s"):format(problems[1].path, problems[1].message), 2)
  end
  local output, refused = cloudwatch.handlers.PutMetricAlarm(self.account, copy)
  if not output then error("put_alarm: " .. refused.message, 2) end
end

--- The service updates an endpoint by itself for so many seconds (status SystemUpdating).
---@param name string
---@param seconds number
function Simulator:system_update(name, seconds)
  if type(name) ~= "string" or not is_seconds(seconds) then
    error("system_update takes the name of an endpoint and a number of seconds of at least 0", 2)
  end
  local record = self.account:endpoint(name)
  if not record or record.machine.status ~= "InService" then
    error(("system_update needs an endpoint in service, %s is not"):format(tostring(name)), 2)
  end
  self.account:started(record)
  lifecycle.system_update(record.machine, seconds, self:now(), self.account.world)
end

--- What has happened to an endpoint: {at, status, stage, step, share}, oldest first. share is the
-- part of the traffic, 0 to 1, that the new fleet of a running deployment gets.
---@param name string
---@param kind? "endpoint"|"inference-component" "endpoint" unless told
---@return sagemaker.simulator.moment[] empty when there is none
function Simulator:history(name, kind)
  if type(name) ~= "string" then error("history takes the name of an endpoint", 2) end
  kind = kind or "endpoint"
  if kind ~= "endpoint" and kind ~= "inference-component" then
    error("history knows endpoint and inference-component", 2)
  end
  local record = self.account:live(kind, name)
  return record and histories.rows(record.machine.history) or {}
end

--- Everything a person looks at, as plain tables: clock, endpoints with what is under way on them
-- and what has been, components, configurations, models, alarms, requests, knobs.
---@return sagemaker.simulator.state
function Simulator:state()
  return overview.state(self)
end

--- The latest 200 requests: {at, operation, status, code, request_id}, oldest first.
---@return table[]
function Simulator:requests()
  return exchange.requests(self)
end

--- Answers invocations of a model with a function, from now on; nil takes it away again.
---@param model string or the inference component that brings its own container
---@param fn fun(request: table): any|nil gets {method, path, headers, body, at, endpoint, config,
--- variant, fleet, model}; answers a body, or {status, headers, body, parts, seconds,
--- stream_error}. It is healthy when GET /ping is answered by anything but another status than 200
--- or an error
function Simulator:container(model, fn)
  if type(model) ~= "string" or fn ~= nil and type(fn) ~= "function" then
    error("container takes the name of a model and a function", 2)
  end
  self.account:settle()
  self.hosting.functions[model:lower()] = fn
end

--- Tells whether the containers of a model are healthy; nil: their /ping tells again.
---@param model string
---@param healthy boolean|nil
function Simulator:health(model, healthy)
  if type(model) ~= "string" or healthy ~= nil and type(healthy) ~= "boolean" then
    error("health takes the name of a model and true, false or nil", 2)
  end
  self.account:set_health(model, healthy)
end

--- The containers that are URLs and that some fleet has, or is to have.
---@return {model: string, url: string, healthy: boolean|nil}[]
function Simulator:containers()
  return self.account:containers()
end

--- What lies at a location: the output of an asynchronous invocation.
---@param location string s3://…
---@return string|nil
function Simulator:object(location)
  return self.account.objects:get(location)
end

--- Puts something there: the input of one.
---@param location string
---@param body string
function Simulator:put_object(location, body)
  if type(location) ~= "string" or type(body) ~= "string" then
    error("put_object takes a location and a body", 2)
  end
  self.account.objects:put(location, body)
end

-- One method a knob: sim:throttle(3), sim:unhealthy("model-b"), sim:drop(false).
for _, name in ipairs(knobs.names()) do
  Simulator[name] = function(self, value)
    knobs.check(name, value, services.catalogue)
    self.account:settle()
    self.knobs[name] = value
  end
end

return M
