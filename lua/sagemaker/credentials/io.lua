--- What credential providers see of the world: the injected functions of their client, and calls
-- through its own pipeline and transport. So a provider never requires the client.

local errors = require "sagemaker.error"

local M = {}

---@class sagemaker.ProviderIo: sagemaker.Env
---@field region string|nil the client's
---@field settings table the client's
---@field call fun(service: string, operation: string, params: table, credentials: table|nil,
---   opts: sagemaker.Options|nil): table|nil, string|nil, sagemaker.Error|nil
---   calls an operation of "sts", "sso", "sso-oidc" or "signin"; without credentials unsigned
---@field send fun(request: table): table|nil, string|nil, sagemaker.Error|nil
---   one HTTP request {method, url, headers, body, timeouts, direct}, neither signed nor sent
---   again; timeouts.attempt limits all of it, direct keeps it off any proxy
---@field within fun(deadline: number): sagemaker.ProviderIo the same until a time of the
---   transport's clock: calls and requests end by then, and nothing sleeps longer
---@field is_late? fun(): boolean whether that time is over

-- Options of the client that its sub-clients share, besides its transport. Its own endpoint_url is
-- for its own service, and its hooks are not to see the tokens that credentials are asked for with.
local SHARED = { "app_id", "defaults_mode", "ignore_configured_endpoint_urls", "io", "logger",
  "profile", "retry", "timeouts", "use_dualstack", "use_fips", "user_agent_extra" }

-- Who has no region is served by the global endpoint of STS.
local FALLBACK_REGION = "aws-global"

local function options_of(client, transport)
  local options = { transport = transport, region = client.settings.region or FALLBACK_REGION }
  for _, name in ipairs(SHARED) do options[name] = client.options[name] end
  return options
end

-- Keys of a provider are refused by the client of the credentials' own service: it would ask the
-- chain again, which asks this service.
local function needs_keys(service, operation)
  local info = require("sagemaker.core").service(service):operation(operation)
  return info and not info.unsigned
end

-- What a service is told that nobody else may see, were it to repeat it in an error.
local SECRET = { accessToken = true, clientSecret = true, refreshToken = true, TokenCode = true,
  WebIdentityToken = true }

local function add_secrets(found, params)
  for name, value in pairs(params) do
    if type(value) == "table" then
      add_secrets(found, value)
    elseif SECRET[name] then
      found[#found + 1] = value
    end
  end
  return found
end

-- The hooks of a call, and one that takes its secrets out of an error before anybody reads it.
local function with_scrub(hooks, secrets)
  local scrub = require("sagemaker.credentials.document").scrub
  local all = { after_response = function(response)
    if response.status < 300 or not response.body then return end
    for _, secret in ipairs(secrets) do response.body = scrub(response.body, secret) end
  end }
  for name, hook in pairs(hooks or {}) do all[name] = hook end
  return all
end

local function caller(client, spawn, transport_of)
  local subs = {}
  return function(service, operation, params, credentials, opts)
    local sub = subs[service]
    if not sub then
      local transport, message, err = transport_of(client, client.settings)
      if not transport then return nil, message, err end
      local id = require("sagemaker.core").service(service):info().id
      sub, message, err = spawn(options_of(client, transport), { name = service, id = id })
      if not sub then return nil, message, err end
      subs[service] = sub
    end
    if not credentials and needs_keys(service, operation) then
      error(operation .. " needs credentials", 2)
    end
    local own = { credentials = credentials }
    for name, value in pairs(opts or {}) do own[name] = value end
    local secrets = add_secrets({}, params)
    if secrets[1] then own.hooks = with_scrub(own.hooks, secrets) end
    return sub:call(operation, params, own)
  end
end

-- Fills in what a transport wants to know besides the URL.
local function complete(request, defaults)
  local parts, message = require("sagemaker.core").uri.split(request.url)
  if not parts then return nil, message end
  return {
    method = request.method or "GET",
    url = request.url,
    host = parts.authority,
    path = parts.path ~= "" and parts.path or "/",
    query = parts.query or "",
    headers = request.headers or {},
    body = request.body or "",
    timeouts = request.timeouts or defaults,
    direct = request.direct,
  }
end

local function sender(client, transport_of)
  return function(request, deadline)
    local transport, message, err = transport_of(client, client.settings)
    if not transport then return nil, message, err end
    local whole
    whole, message = complete(request, client.settings.timeouts)
    if not whole then
      return errors.fail { kind = "config", code = "InvalidEndpoint", message = message,
        retryable = false, sent = false }
    end
    local limit = whole.timeouts and whole.timeouts.attempt
    limit = limit and transport:clock() + limit
    if not limit or deadline and deadline < limit then limit = deadline end
    return transport:send(whole, limit)
  end
end

-- The same functions with an end. Who has a deadline has a transport, whose clock it is in.
local function limited(io, transport, deadline)
  local function left()
    return deadline - transport:clock()
  end
  return setmetatable({
    call = function(service, operation, params, credentials, opts)
      local own, seconds = {}, left()
      if seconds <= 0 then
        return errors.fail { kind = "timeout", code = "OperationTimeout", sent = false,
          retryable = false, message = "no time was left to ask for credentials" }
      end
      for name, value in pairs(opts or {}) do own[name] = value end
      local limit = (io.settings.timeouts or {}).operation
      own.timeouts = { operation = limit and math.min(limit, seconds) or seconds }
      return io.call(service, operation, params, credentials, own)
    end,
    is_late = function()
      return left() <= 0
    end,
    send = function(request)
      return io.send(request, deadline)
    end,
    sleep = function(seconds)
      seconds = math.min(seconds, left())
      if seconds > 0 then return io.sleep(seconds) end
    end,
  }, { __index = io })
end

--- What the providers of a client see. Time and waiting are those of its transport's world, where
-- it has one.
---@param client sagemaker.Client
---@param spawn? fun(options: table, of: table): table|nil, string|nil, table|nil makes a client
---@param transport_of? fun(client: table, settings: table): table|nil, string|nil, table|nil
---@return sagemaker.ProviderIo
function M.new(client, spawn, transport_of)
  local settings = client.settings
  local io = setmetatable({}, { __index = settings.io })
  io.region, io.settings = settings.region, settings
  io.now = function()
    local transport = settings.transport
    return transport and transport:now() or settings.io.now()
  end
  io.sleep = function(seconds)
    local transport = settings.transport
    if transport then return transport:sleep(seconds) end
    return settings.io.sleep(seconds)
  end
  if spawn then
    io.call = caller(client, spawn, transport_of)
    io.send = sender(client, transport_of)
    io.within = function(deadline)
      return limited(io, settings.transport, deadline)
    end
  end
  return io
end

return M
