--- A client: parameters in, an answer or an error out.
--
-- The pipeline is `perform` below: encode once, then sign, send and decode for every attempt (see
-- sagemaker.client.attempt) until one succeeds or another is not worth it.

local config = require "sagemaker.config"
local env = require "sagemaker.env"
local can_guard = require "sagemaker.guard"
local lazy = require "sagemaker.lazy"

local M = {}

local agent = lazy "sagemaker.agent"
local attempt = lazy "sagemaker.client.attempt"
local answer = lazy "sagemaker.answer"
local check = lazy "sagemaker.check"
local core = lazy "sagemaker.core"
local endpoints = lazy "sagemaker.endpoint"
local flows = lazy "sagemaker.client.flows"
local inputs = lazy "sagemaker.client.inputs"
local logger = lazy "sagemaker.logger"
local meters = lazy "sagemaker.client.meter"
local retry = lazy "sagemaker.retry"
local signing = lazy "sagemaker.signing"

---@class sagemaker.Operation one of the model, as service:operation answers it, or one made by hand
---@field name string
---@field encode? fun(params: table): sagemaker.Request|nil, string|nil, sagemaker.Error|nil instead
---   of the encoder: {method, path, query, headers, body}
---@field authorize? fun(request: sagemaker.Request, signer: userdata, epoch: number) instead of the
---   signature
---@field decode? fun(response: sagemaker.Response): any|nil, sagemaker.Error|nil instead of the
---   decoder; of a stream, the members of its head
---@field decoder? false|function what decodes its answers where the transport has them
---@field is_plain? boolean the stream has no frames
---@field stream_output? boolean the answer is a stream
---@field token? string the member that is an idempotency token
---@field unsigned? boolean

---@class sagemaker.Client
---@field region string
---@field state sagemaker.RetryState what its calls share, and other clients may too
---@field transport sagemaker.Transport made at its first use
local methods = {}

-- The methods of sagemaker.client.flows.
local FLOWS = { deploy = true, each = true, in_service_coroutine = true, pages = true, wait = true,
  wait_until_in_service = true, watch_endpoint = true }

setmetatable(methods, { __index = function(self, name)
  if not FLOWS[name] then return nil end
  local method = flows[name]
  self[name] = method
  return method
end })

-- Gives a request its host and URL.
local function address(client, settings, request)
  local endpoint = settings.route.endpoint
  if not endpoint then
    local message, err
    endpoint, message, err = endpoints.resolve(client.info, settings)
    if not endpoint then return nil, message, err end
    endpoint.root = endpoint.origin .. "/"
    settings.route.endpoint = endpoint
  end
  local host, origin, path, query = endpoint.host, endpoint.origin, request.path, request.query
  if path == "/" and query == "" and endpoint.path == "" and not request.host_prefix then
    request.host, request.url = host, endpoint.root
    return request
  end
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

-- Encodes parameters by the operation's own means or by its shapes.
local function encode(client, settings, operation, params)
  if operation.encode then return operation.encode(params) end
  local token, opts = operation.token, nil
  if token and rawget(params, token) == nil then opts = { token = settings.io.uuid() } end
  local request, problems = core.encode(client.service, operation.name, params,
    settings.validation, opts)
  if not request then return answer.invalid(operation.name, problems) end
  return request
end

-- Encodes and addresses a request, and gives it the headers that all its attempts share.
local function prepare(client, settings, operation, params)
  local request, message, err = encode(client, settings, operation, params)
  if not request then return nil, message, err end
  local headers = request.headers
  headers["User-Agent"] = settings.user_agent or inputs.user_agent(client.settings)
  headers["amz-sdk-invocation-id"] = settings.io.uuid()
  headers["amz-sdk-request"] = "attempt=1"
  if client.in_lambda then headers["X-Amzn-Trace-Id"] = agent.trace(settings.io.getenv) end
  request.timeouts = settings.timeouts
  return address(client, settings, request)
end

-- Waits before the next attempt and announces it in the request; false when none follows.
local function again(client, settings, operation, request, call, err, response)
  call.careful = settings.careful
  call.mode = retry.mode(client.state, settings.retry_mode, settings.io.getenv)
  call.max_attempts = settings.max_attempts or call.mode.max_attempts
  local date = answer.date(response)
  call.date, call.failure = date, err
  call.retry_after = response and answer.header(response.headers, "x-amz-retry-after")
  local delay = retry.delay(client.state, call, err, settings.io.random)
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
local function perform(client, settings, operation, params, meter)
  local request, message, err = prepare(client, settings, operation, params)
  if not request then return nil, message, err end
  local transport = settings.transport
  if not transport then
    transport, message, err = inputs.transport(client, settings)
    if not transport then return nil, message, err end
  end
  if operation.stream_output then request.stream = true end
  local limit = settings.timeouts.operation
  local call = { attempt = 1, sent = 0, skew = 0, transport = transport }
  if limit then call.deadline = transport:clock() + limit end
  if meter then call.meter = meter end
  while true do
    local output, failure, response = attempt.try(client, settings, operation, request, call)
    if output then
      local quota = client.state.quota
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

-- The pipeline with a meter, which tells the hook on_call how it went. A stream tells its own end.
local function measure(client, settings, operation, params)
  local meter = meters.new(settings.hooks.on_call, client.name, operation, settings.io,
    (inputs.transport(client, settings)), settings.logger)
  local ok, output, message, err
  if can_guard() then
    ok, output, message, err = pcall(perform, client, settings, operation, params, meter)
  else
    local guard = meter:guard() -- luacheck: ignore 211
    ok, output, message, err = true, perform(client, settings, operation, params, meter)
    meter:back()
  end
  if not ok then
    meter:ends(meters.error_of(output))
    error(output, 0)
  elseif not output then
    meter:ends(err)
    return nil, message, err
  end
  if not operation.stream_output then meter:ends() end
  return output
end

-- A call that has no settings: the hook on_call is told that, too.
local function refuse(client, operation, opts, message, err)
  local known = client.settings
  local hooks = opts and opts.hooks or known.hooks
  if hooks and hooks.on_call then
    meters.new(hooks.on_call, client.name, operation, known.io, known.transport, known.logger)
      :ends(err)
  end
  return nil, message, err
end

--- A call, for who brings an operation of its own. Throws at `level` for wrong options.
---@param client sagemaker.Client
---@param operation sagemaker.Operation
---@param params table
---@param opts sagemaker.CallOptions|nil
---@param level integer 1 for the caller of this function, 2 for its caller, …
---@return any|nil output
---@return string|nil message
---@return sagemaker.Error|nil err
function M.perform(client, operation, params, opts, level)
  local settings = client.settings
  if opts ~= nil or not settings.is_complete then
    local message, err
    settings, message, err = inputs.settings(client, opts, level + 1)
    if not settings then return refuse(client, operation, opts, message, err) end
  end
  local hooks = settings.hooks
  if hooks and hooks.on_call then return measure(client, settings, operation, params) end
  return perform(client, settings, operation, params)
end

local FOREIGN = { name = "a request of one's own" }

--- Gives a request its host and URL and signs it, for who sends it by other means.
---@param client sagemaker.Client
---@param request table {method, path, query, headers, body}, or payload_hash instead of the body;
---   gets host, url and the headers of the signature
---@return table|nil request
---@return string|nil message
---@return sagemaker.Error|nil err
function M.sign(client, request)
  local settings, message, err = inputs.settings(client, nil, 1)
  if not settings then return nil, message, err end
  request, message, err = address(client, settings, request)
  if not request then return nil, message, err end
  -- Whoever fetches keys, or waits for them, does it in the transport's world.
  local transport, ok
  transport, message, err = inputs.transport(client, settings)
  if not transport then return nil, message, err end
  ok, message, err = attempt.sign(client, settings, FOREIGN, request,
    { skew = 0, transport = transport })
  if not ok then return nil, message, err end
  return request
end

--- Calls an operation.
---@param name string "CreateEndpoint" or "create_endpoint"
---@param params? table spelled as AWS spells it; never changed
---@param opts? sagemaker.CallOptions for this call instead of the client's
---@return table|nil output
---@return string|nil message "Code: message"
---@return sagemaker.Error|nil err
function methods:call(name, params, opts)
  local operation = inputs.operation(self, name, 2)
  params = inputs.params(params, 2)
  local output, message, err = M.perform(self, operation, params, opts, 2)
  return output, message, err
end

--- Validates parameters strictly: required, unknown, types, enum values, limits, patterns, and for
--- deployments the documented rules. Nothing is sent.
---@param name string an operation
---@param params? table
---@return boolean|nil ok true
---@return string|nil message
---@return sagemaker.Error|nil err kind "validation", `errors` lists every problem
function methods:check(name, params)
  local operation = inputs.operation(self, name, 2)
  return check.parameters(self.service, operation.name, inputs.params(params, 2))
end

--- The signed request of a call. Nothing is sent.
---@param name string an operation
---@param params? table
---@param opts? sagemaker.CallOptions as for `call`
---@return table|nil request {method, url, host, path, query, headers, body}
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:request(name, params, opts)
  local operation = inputs.operation(self, name, 2)
  params = inputs.params(params, 2)
  local settings, message, err = inputs.settings(self, opts, 2)
  if not settings then return nil, message, err end
  local request
  request, message, err = prepare(self, settings, operation, params)
  if not request then return nil, message, err end
  local ok
  ok, message, err = attempt.sign(self, settings, operation, request,
    { transport = settings.transport })
  if not ok then return nil, message, err end
  request.timeouts = nil
  return request
end

local Client = { __name = "sagemaker.client" }

function Client:__tostring()
  return ("sagemaker.client (%s, %s)"):format(self.name, self.region)
end

-- One table of methods a service; operations get theirs when they are first asked for.
local classes = {}

local function class_of(service)
  local class = classes[service.name]
  if not class then
    local own = service.methods
    class = setmetatable({}, { __index = own and setmetatable(own, { __index = methods })
      or methods })
    classes[service.name] = class
  end
  return class
end

local function operation_method(operation)
  return function(client, params, opts)
    if getmetatable(client) ~= Client then
      error(("call it with a colon: client:%s{…}"):format(operation.snake), 2)
    end
    if type(params) ~= "table" then params = inputs.params(params, 2) end
    local output, message, err = M.perform(client, operation, params, opts, 2)
    return output, message, err
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
  provider_io = function(client)
    client.provider_io = signing.provider_io(client, M.new, inputs.transport)
    return client.provider_io
  end,
  service = function(client)
    client.service = core.service(client.name)
    return client.service
  end,
  transport = function(client)
    return (inputs.transport(client, client.settings))
  end,
}

function Client:__index(key)
  local class = rawget(self, "class")
  local method = class[key]
  if method then
    self[key] = method -- so that it is found at once
    return method
  end
  local make = FIELDS[key]
  if make then return make(self) end
  if type(key) ~= "string" or key:find("^_") then return nil end
  method = operation_method(inputs.operation(self, key, 2))
  class[key] = method
  return method
end

local CONTROL_PLANE = { name = "sagemaker", id = "SageMaker" }

--- Makes a client. Nothing is sent or written. The environment is read, and the shared files where
-- they must tell the region or the profile is named; else the first call reads them.
---@param options? sagemaker.Options
---@param of? {name: string, id: string, read_timeout?: number, careful?: boolean, methods?: table}
---   a service of the core, its id in the model, and methods besides its operations; default: the
---   control plane
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
    class = class_of(of),
    name = of.name,
    options = options or {},
    region = settings.region,
    settings = settings,
    state = settings.shared and settings.shared:state(of.name, settings) or { limiters = false,
      modes = false, quota = { available = 500, capacity = 500 }, skew = 0 },
    watch = false,
  }, Client)
  return client
end

return M
