--- A client: parameters in, an answer or an error out.
--
-- The pipeline is `perform` below: encode once, then sign, send and decode for every attempt until
-- one succeeds or another is not worth it.

local config = require "sagemaker.config"
local env = require "sagemaker.env"
local errors = require "sagemaker.error"
local check_call = require("sagemaker.options").check_call

local M = {}

---@class sagemaker.Client
---@field region string
---@field transport sagemaker.Transport made at its first use
local methods = {}

local EMPTY = {}

-- Modules that only a call needs, loaded when one does: libcrypto alone would be half of the time
-- and most of the memory that making a client takes.
local function lazy(name)
  return setmetatable({}, { __index = function(self, key)
    local module = require(name)
    for field, value in pairs(module) do rawset(self, field, value) end
    return module[key]
  end })
end

local agent = lazy "sagemaker.agent"
local answer = lazy "sagemaker.answer"
local check = lazy "sagemaker.check"
local core = lazy "sagemaker.core"
local endpoints = lazy "sagemaker.endpoint"
local logger = lazy "sagemaker.logger"
local retry = lazy "sagemaker.retry"
local signing = lazy "sagemaker.signing"

-- The transport of a call; libcurl's, made at its first use, when nobody gave one.
local function transport_of(client, settings)
  local transport, message, err = settings.transport, nil, nil
  if not transport then
    local ok
    ok, message, err = config.complete(client.settings)
    if not ok then return nil, message, err end
    transport, message, err = require("sagemaker.transport").choose(nil, client.settings)
    client.settings.transport = transport or false
  end
  return transport, message, err
end

-- Gives a request its host and URL.
local function address(client, settings, request)
  local endpoint = settings.route.endpoint
  if not endpoint then
    local message, err
    endpoint, message, err = endpoints.resolve(client.info, settings)
    if not endpoint then return nil, message, err end
    settings.route.endpoint = endpoint
  end
  local host, origin, path, query = endpoint.host, endpoint.origin, request.path, request.query
  if request.host_prefix and not settings.endpoint_url then
    host = request.host_prefix .. host
    origin = endpoint.scheme .. "://" .. host
  end
  if endpoint.path ~= "" then
    path = endpoints.join(endpoint, path)
    request.path = path
  end
  request.host = host
  request.url = query == "" and origin .. path or origin .. path .. "?" .. query
  return request
end

local function agent_of(settings)
  settings.user_agent = agent.user_agent(settings, core.version, core.platform)
  return settings.user_agent
end

-- Encodes and addresses a request, and gives it the headers that all its attempts share.
local function prepare(client, settings, operation, params)
  local token, opts = operation.token, nil
  if token and rawget(params, token) == nil then opts = { token = settings.io.uuid() } end
  local request, problems = core.encode(client.service, operation.name, params,
    settings.validation, opts)
  if not request then return answer.invalid(operation.name, problems) end
  local headers = request.headers
  headers["User-Agent"] = settings.user_agent or agent_of(client.settings)
  headers["amz-sdk-invocation-id"] = settings.io.uuid()
  headers["amz-sdk-request"] = "attempt=1"
  if client.in_lambda then headers["X-Amzn-Trace-Id"] = agent.trace(settings.io.getenv) end
  request.timeouts = settings.timeouts
  return address(client, settings, request)
end

-- Signs a request by the clock of `call`, whose deadline also ends the search for keys.
local function sign(client, settings, operation, request, call)
  local hooks = settings.hooks
  if hooks and hooks.before_sign then hooks.before_sign(request, operation.name) end
  if operation.unsigned or settings.unsigned then return true end
  local io = client.provider_io
  if not io then
    io = signing.provider_io(client, M.new, transport_of)
    client.provider_io = io
  end
  local transport = call.transport
  local deadline = transport == client.settings.transport and call.deadline or nil
  local signer, message, err = signing.signer(settings, io, deadline)
  if not signer then return nil, message, err end
  call.skew = client.skew
  signer:sign(request, (transport and transport:now() or settings.io.now()) + call.skew)
  return true
end

-- Sends a signed request; the deadline is the attempt's own or the operation's, whichever is first.
local function send(settings, transport, request, deadline)
  local limit, own = deadline, settings.timeouts.attempt
  if own then
    own = transport:clock() + own
    if not limit or own < limit then limit = own end
  end
  local response, message, err = transport:send(request, limit)
  if not response and err.code == "AttemptTimeout" and limit == deadline then
    err.code, err.retryable = "OperationTimeout", false
    message = tostring(err)
  end
  return response, message, err
end

-- Waits until the rate limiter lets the request go; an error when that is after the deadline.
local function take_turn(client, call)
  local ok, lacking = retry.wait_turn(client, call)
  if ok then return nil end
  local before = call.failure
  return errors.new { kind = "timeout", code = "OperationTimeout", retryable = false, sent = false,
    cause = before, message = ("the rate limiter holds the request back for %.3f s more, past the "
    .. "time for the operation%s"):format(lacking,
      before and "; the attempt before failed: " .. tostring(before) or "") }
end

-- Sends a signed request and decodes the answer.
local function exchange(client, settings, operation, request, call)
  local hooks, log = settings.hooks, settings.logger
  if hooks and hooks.before_send then hooks.before_send(request, operation.name) end
  if log then logger.request(log, operation.name, request, call.attempt) end
  call.sent = call.sent + 1
  local response, _, err = send(settings, call.transport, request, call.deadline)
  if not response then return nil, err end
  if log then logger.response(log, operation.name, response) end
  if hooks and hooks.after_response then hooks.after_response(response, operation.name) end
  local output
  output, err = answer.decode(client.service, operation.name, response)
  if output and operation.stream_output then
    output = require("sagemaker.stream").of(client.service, operation.name, response, output)
  end
  return output, err, response
end

-- One attempt: wait for its turn, sign, send, decode.
local function try(client, settings, operation, request, call)
  local is_limited = settings.retry_mode == "adaptive"
  local late = is_limited and take_turn(client, call)
  if late then return nil, late end
  call.skew = client.skew
  local ok, _, refused = sign(client, settings, operation, request, call)
  if not ok then return nil, refused end
  local output, err, response = exchange(client, settings, operation, request, call)
  if is_limited then retry.learn(call, err) end
  return output, err, response
end

-- Waits before the next attempt and announces it in the request; false when none follows.
local function again(client, settings, operation, request, call, err, response)
  call.mode = retry.mode(client, settings.retry_mode, settings.io.getenv)
  call.max_attempts = settings.max_attempts or call.mode.max_attempts
  local date = answer.date(response)
  call.date, call.failure = date, err
  call.retry_after = response and answer.header(response.headers, "x-amz-retry-after")
  local delay = retry.delay(client, call, err, settings.io.random)
  local log, hooks = settings.logger, settings.hooks
  if not delay then
    if log then logger.failure(log, operation.name, err) end
    return false
  end
  if log then logger.retry(log, operation.name, err, call.attempt, delay) end
  if hooks and hooks.on_retry then hooks.on_retry(err, delay, operation.name) end
  if delay > 0 then call.transport:sleep(delay) end
  call.attempt = call.attempt + 1
  local ttl = date and ("ttl=%s; "):format(core.time.format(date + settings.timeouts.read, "amz"))
  request.headers["amz-sdk-request"] =
    ("%sattempt=%d; max=%d"):format(ttl or "", call.attempt, call.max_attempts)
  return true
end

-- The pipeline.
local function perform(client, settings, operation, params)
  local request, message, err = prepare(client, settings, operation, params)
  if not request then return nil, message, err end
  local transport
  transport, message, err = transport_of(client, settings)
  if not transport then return nil, message, err end
  local limit = settings.timeouts.operation
  local call = { attempt = 1, careful = settings.careful, sent = 0, skew = 0,
    transport = transport, deadline = limit and transport:clock() + limit or nil }
  while true do
    local output, failure, response = try(client, settings, operation, request, call)
    if output then
      local quota = client.quota
      if quota.available < quota.capacity then retry.refund(quota, call.cost) end
      return output
    end
    failure.operation = operation.name
    failure.attempts = call.sent
    if not again(client, settings, operation, request, call, failure, response) then
      return nil, tostring(failure), failure
    end
  end
end

-- The operation of a name, or an error at `level`.
local function operation_of(client, name, level)
  local operation = type(name) == "string" and client.service:operation(name)
  if operation then return operation end
  local nearest = type(name) == "string" and client.service:suggest(name)
  error(("unknown operation %s%s"):format(tostring(name),
    nearest and (" (did you mean %s?)"):format(nearest) or ""), level + 1)
end

local function params_of(params, level)
  if params == nil then return EMPTY end
  if type(params) ~= "table" then
    error("parameters must be a table, not " .. type(params), level + 1)
  end
  return params
end

-- The settings of a call: the client's, or those seen through its own options.
local function settings_for(client, opts, level)
  local settings = client.settings
  if opts ~= nil then check_call(opts, nil, level + 2) end
  if not settings.is_complete then
    local ok, message, err = config.complete(settings)
    if not ok then return nil, message, err end
  end
  if opts == nil or next(opts) == nil then return settings end
  local message, err
  settings, message, err = config.override(settings, opts)
  if not settings then return nil, message, err end
  if opts.credentials then settings.keyring = { credentials = opts.credentials } end
  if opts.credentials or opts.region or opts.endpoint_url or opts.use_fips ~= nil
    or opts.use_dualstack ~= nil then
    settings.route = {}
  end
  if opts.user_agent_extra or opts.endpoint_url or opts.retry then agent_of(settings) end
  return settings
end

--- Calls an operation.
---@param name string "CreateEndpoint" or "create_endpoint"
---@param params? table spelled as AWS spells it; never changed
---@param opts? sagemaker.CallOptions for this call instead of the client's
---@return table|nil output
---@return string|nil message "Code: message"
---@return sagemaker.Error|nil err
function methods:call(name, params, opts)
  local operation = operation_of(self, name, 2)
  params = params_of(params, 2)
  local settings, message, err = settings_for(self, opts, 2)
  if not settings then return nil, message, err end
  return perform(self, settings, operation, params)
end

--- Validates parameters strictly: required, unknown, types, enum values, limits, patterns, and for
--- deployments the documented rules. Nothing is sent.
---@param name string an operation
---@param params? table
---@return boolean|nil ok true
---@return string|nil message
---@return sagemaker.Error|nil err kind "validation", `errors` lists every problem
function methods:check(name, params)
  local operation = operation_of(self, name, 2)
  return check.parameters(self.service, operation.name, params_of(params, 2))
end

--- The signed request of a call. Nothing is sent.
---@param name string an operation
---@param params? table
---@param opts? sagemaker.CallOptions as for `call`
---@return table|nil request {method, url, host, path, query, headers, body}
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:request(name, params, opts)
  local operation = operation_of(self, name, 2)
  params = params_of(params, 2)
  local settings, message, err = settings_for(self, opts, 2)
  if not settings then return nil, message, err end
  local request
  request, message, err = prepare(self, settings, operation, params)
  if not request then return nil, message, err end
  local ok
  ok, message, err = sign(self, settings, operation, request, { transport = settings.transport })
  if not ok then return nil, message, err end
  request.timeouts = nil
  return request
end

-- Parts `opts` into those that a method knows itself and those of its calls.
local function split(opts, own, level)
  if opts == nil then return EMPTY, nil end
  check_call(opts, own, level + 2)
  local rest
  for name, value in pairs(opts) do
    if not own[name] then
      rest = rest or {}
      rest[name] = value
    end
  end
  return opts, rest
end

local PAGE_OPTIONS = { max_items = true, page_size = true, starting_token = true }
local WAIT_OPTIONS = { delay = true, max_attempts = true, timeout = true }

local function pages_of(client, name, params, opts, level)
  local operation = operation_of(client, name, level + 1)
  local row = require("sagemaker.model.paginators")[operation.name]
  if not row then error(operation.name .. " has no pages", level + 1) end
  local own, rest = split(opts, PAGE_OPTIONS, level + 1)
  local pages = require("sagemaker.paginator").pages(row, operation.name, client.caller,
    params_of(params, level + 1), own, rest)
  return pages
end

--- An iterator over the pages of a list. `for page in client:pages(…)` raises the err table on
--- failure; the iterator's `:next()` answers page, or nil, message, err.
---@param name string an operation that has pages
---@param params? table
---@param opts? sagemaker.PageOptions and options of each call
---@return sagemaker.Pages
function methods:pages(name, params, opts)
  local pages = pages_of(self, name, params, opts, 2)
  return pages
end

--- An iterator over the items of the pages of a list, as `pages` otherwise.
---@param name string an operation that has pages
---@param params? table
---@param opts? sagemaker.PageOptions and options of each call
---@return sagemaker.Items
function methods:each(name, params, opts)
  local pages = pages_of(self, name, params, opts, 2)
  return require("sagemaker.paginator").items(pages)
end

--- Waits for a state, with a waiter of AWS's model. For deployments use `wait_until_in_service`.
---@param name string "endpoint_in_service" or "EndpointInService"
---@param params table of the operation that the waiter polls
---@param opts? sagemaker.WaitOptions and options of each call
---@return table|nil output
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:wait(name, params, opts)
  local waiter = require "sagemaker.waiter"
  local row = waiter.find(require "sagemaker.model.waiters", name)
  local own, rest = split(opts, WAIT_OPTIONS, 2)
  params = params_of(params, 2)
  local transport, message, err = transport_of(self, self.settings)
  if not transport then return nil, message, err end
  local output
  output, message, err = waiter.run(row, self.caller, transport, params, own, rest)
  return output, message, err
end

-- The watch of a client, made when it is first needed.
local function watch_of(client)
  local watch = client.watch
  if watch then return watch end
  local transport, message, err = transport_of(client, client.settings)
  if not transport then return nil, message, err end
  client.watch = require("sagemaker.watch").new {
    call = client.caller,
    check = function(name, params)
      return check.shapes(client.service, name, params)
    end,
    random = client.settings.io.random,
    transport = transport,
  }
  return client.watch
end

--- Brings an endpoint to a configuration: checks everything first, creates or updates, watches.
---@param request sagemaker.watch.DeployRequest EndpointName, EndpointConfigName, DeploymentConfig …
---@param opts? sagemaker.CallOptions options of each call
---@return sagemaker.watch.Result|nil result also for a roll-back: look at its outcome
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:deploy(request, opts)
  local watch, message, err = watch_of(self)
  if not watch then return nil, message, err end
  return watch:deploy(request, opts)
end

--- Follows a deployment: an iterator over events, the last one with the outcome.
---@param name string EndpointName
---@param opts? sagemaker.watch.Options
---@param call_opts? sagemaker.CallOptions options of each call
---@return sagemaker.watch.Iterator|nil iterator
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:watch_endpoint(name, opts, call_opts)
  local watch, message, err = watch_of(self)
  if not watch then return nil, message, err end
  return watch:watch_endpoint(name, opts, call_opts)
end

--- The same as a coroutine that never sleeps: each resume makes one poll and yields event, delay.
---@param name string EndpointName
---@param opts? sagemaker.watch.Options
---@param call_opts? sagemaker.CallOptions options of each call
---@return thread|nil
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:in_service_coroutine(name, opts, call_opts)
  local watch, message, err = watch_of(self)
  if not watch then return nil, message, err end
  return watch:in_service_coroutine(name, opts, call_opts)
end

--- Waits until an endpoint runs what was asked for; a roll-back is an error.
---@param name string EndpointName
---@param opts? sagemaker.watch.Options
---@param call_opts? sagemaker.CallOptions options of each call
---@return sagemaker.watch.Event|nil result the last event, with history and warnings
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:wait_until_in_service(name, opts, call_opts)
  local watch, message, err = watch_of(self)
  if not watch then return nil, message, err end
  return watch:wait_until_in_service(name, opts, call_opts)
end

local Client = { __name = "sagemaker.client" }

function Client:__tostring()
  return ("sagemaker.client (%s, %s)"):format(self.name, self.region)
end

-- One table of methods a service; operations get theirs when they are first asked for.
local classes = {}

local function class_of(service_name)
  local class = classes[service_name]
  if not class then
    class = setmetatable({}, { __index = methods })
    classes[service_name] = class
  end
  return class
end

local function operation_method(operation)
  return function(client, params, opts)
    if getmetatable(client) ~= Client then
      error(("call it with a colon: client:%s{…}"):format(operation.snake), 2)
    end
    params = params_of(params, 2)
    local settings, message, err = settings_for(client, opts, 2)
    if not settings then return nil, message, err end
    return perform(client, settings, operation, params)
  end
end

-- Fields that are found out when they are first asked for.
local FIELDS = {
  in_lambda = function(client)
    client.in_lambda = agent.in_lambda(client.settings.io.getenv)
    return client.in_lambda
  end,
  info = function(client)
    client.info = client.service:info()
    return client.info
  end,
  service = function(client)
    client.service = core.service(client.name)
    return client.service
  end,
  transport = function(client)
    return (transport_of(client, client.settings))
  end,
}

function Client:__index(key)
  local class = rawget(self, "class")
  local method = class[key]
  if method then return method end
  local make = FIELDS[key]
  if make then return make(self) end
  if type(key) ~= "string" or key:find("^_") then return nil end
  method = operation_method(operation_of(self, key, 2))
  class[key] = method
  return method
end

local CONTROL_PLANE = { name = "sagemaker", id = "SageMaker" }

--- Makes a client. Nothing is sent or written. The environment is read, and the shared files where
-- they must tell the region or the profile is named; else the first call reads them.
---@param options? sagemaker.Options
---@param of? {name: string, id: string, read_timeout?: number, careful?: boolean} a service of the
---   core and its id in the model; default: the control plane
---@param level? integer where a wrong option is reported, as with error(); default: the caller
---@return sagemaker.Client|nil client
---@return string|nil message
---@return sagemaker.Error|nil err kind "config"
function M.new(options, of, level)
  level = level or 2
  if options ~= nil and type(options) ~= "table" then
    error("the options must be a table, not " .. type(options), level)
  end
  of = of or CONTROL_PLANE
  local settings, message, err = config.new(options, env.new(options and options.io), of, level + 1)
  if not settings then return nil, message, err end
  -- Found out at the first call and kept: whose keys, and where to and with which signer.
  settings.keyring, settings.route = { credentials = settings.credentials }, {}
  settings.user_agent = false
  local client
  client = setmetatable({
    caller = function(name, params, opts)
      return client:call(name, params, opts)
    end,
    class = class_of(of.name),
    limiters = false,
    modes = false,
    name = of.name,
    options = options or EMPTY,
    provider_io = false,
    quota = { available = 500, capacity = 500 },
    region = settings.region,
    settings = settings,
    skew = 0,
    watch = false,
  }, Client)
  return client
end

return M
