--- The settings of a client, from several layers, the first that has a value winning: options,
-- what the transport suggests (the simulator brings a region and test keys), environment variables,
-- the profile in the shared files, and built-in defaults.
--- https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
--
-- A client is made of the first three alone where they name a region; the files are read when
-- the first call completes the settings. A value that cannot be used (a region that is no host
-- label, AWS_MAX_ATTEMPTS=many) is an error of kind "config".

local errors = require "sagemaker.error"
local options_of = require "sagemaker.options"

local M = {}

local function fail(code, message)
  return errors.fail { kind = "config", code = code, message = message, retryable = false }
end

-- What the text of a variable or a property means: a value, or nil and what was expected.

local function text(value)
  return value
end

local function boolean(value)
  return value:lower() == "true"
end

local function attempts(value)
  local n = value:find("^%s*[+-]?%d+%s*$") and tonumber(value)
  if n and n >= 1 then return n end
  return nil, "a whole number of at least 1"
end

local function word_of(words)
  local check = options_of.one_of(words)
  return function(value)
    local expected = check(value)
    if expected then return nil, expected end
    return value
  end
end

-- One row a setting: the variables that hold it, in order, the property of a profile, and how their
-- text is read. %s stands for the service's name.
local SETTINGS = {
  app_id = { "AWS_SDK_UA_APP_ID", property = "sdk_ua_app_id", read = text },
  ca_file = { "AWS_CA_BUNDLE", property = "ca_bundle", read = text },
  defaults_mode = { "AWS_DEFAULTS_MODE", property = "defaults_mode",
    read = word_of(options_of.DEFAULTS_MODES) },
  endpoint_url = { "AWS_ENDPOINT_URL_%s", "AWS_ENDPOINT_URL", property = "endpoint_url",
    read = text },
  ignore_endpoint_urls = { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    property = "ignore_configured_endpoint_urls", read = boolean },
  max_attempts = { "AWS_MAX_ATTEMPTS", property = "max_attempts", read = attempts },
  region = { "AWS_REGION", "AWS_DEFAULT_REGION", property = "region", read = text },
  retry_mode = { "AWS_RETRY_MODE", property = "retry_mode",
    read = word_of(options_of.RETRY_MODES) },
  sts_regional_endpoints = { "AWS_STS_REGIONAL_ENDPOINTS", property = "sts_regional_endpoints",
    read = word_of { "legacy", "regional" } },
  use_dualstack = { "AWS_USE_DUALSTACK_ENDPOINT", property = "use_dualstack_endpoint",
    read = boolean },
  use_fips = { "AWS_USE_FIPS_ENDPOINT", property = "use_fips_endpoint", read = boolean },
}

local NAMES = { "app_id", "ca_file", "defaults_mode", "endpoint_url", "ignore_endpoint_urls",
  "max_attempts", "region", "retry_mode", "sts_regional_endpoints", "use_dualstack", "use_fips" }

--- Where each setting may stand: its variables, in order, with %s for the service's name, and its
-- property of a profile.
---@type table<string, {property: string, [integer]: string}>
M.SETTINGS = SETTINGS

-- The value of a text; otherwise nil and what is wrong with it.
local function read(row, value, source)
  local parsed, expected = row.read(value)
  if parsed ~= nil then return parsed end
  return nil, ("%s must be %s, not %q"):format(source, expected, value:sub(1, 60))
end

-- The value of a setting in the environment; an empty variable counts as unset.
local function from_environment(io, name, service)
  local row = SETTINGS[name]
  for i = 1, #row do
    local variable = row[i]:format(service)
    local value = io.getenv(variable)
    if value and value ~= "" then
      local parsed, problem = read(row, value, variable)
      return parsed, variable, problem
    end
  end
  return nil
end

-- The proxies of the environment. Lower case first, as curl and Python do, also where it is set to
-- nothing; HTTP_PROXY is not believed inside a CGI program, where a client's "Proxy:" header sets
-- it (https://httpoxy.org).
local function environment_proxy(getenv)
  local function first(name, upper)
    local value = getenv(name)
    if value == nil and upper then value = getenv(upper) end
    return value ~= "" and value or nil
  end
  return {
    http = first("http_proxy", not getenv("REQUEST_METHOD") and "HTTP_PROXY"),
    https = first("https_proxy", "HTTPS_PROXY"),
    no_proxy = first("no_proxy", "NO_PROXY"),
  }
end

--- Whether a region can stand in a host name: one label, not only digits.
---@param region string
---@return boolean
function M.is_region(region)
  return #region <= 63 and not region:find("^%d+$") and region:find("^%w[%w%-]*$") ~= nil
    and region:sub(-1) ~= "-"
end

-- "fips-us-east-1" and "us-east-1-fips" are old names for a region and the wish for FIPS.
local function normalize_region(region)
  local plain = region:match("^fips%-(.+)$") or region:match("^(.+)%-fips$")
  return plain or region, plain ~= nil
end

-- Sets region (and FIPS where the region's name says so) in `settings`.
local function set_region(settings, region, source)
  local plain, is_fips = normalize_region(region)
  if not M.is_region(plain) then
    local message = ("the region %q (%s) is not a host label"):format(region:sub(1, 80), source)
    return fail("InvalidRegion", message)
  end
  settings.region = plain
  if is_fips then settings.use_fips = true end
  return true
end

-- Puts a value of a setting to its place.
local function put(settings, name, value, source)
  settings.sources[name] = source
  if name == "ca_file" then
    if value and source ~= "option" and value:find("^~") then
      value = require("sagemaker.profiles").expand(settings.io, value)
    end
    settings.tls.ca_file = value or nil
  elseif name == "region" then
    return set_region(settings, value, source)
  else
    settings[name] = value
  end
  return true
end

-- What sagemaker.config.shared needs of this module.
local LAYER = { put = put, read = read, rows = SETTINGS }

-- What the options say of the settings that other layers know too. A URL that the program gives is
-- used whatever is configured; so are its certificates.
local function from_options(options)
  local retry, tls = options.retry or {}, options.tls or {}
  local ignore = options.ignore_configured_endpoint_urls
  if options.endpoint_url then ignore = true end
  return {
    app_id = options.app_id,
    ca_file = tls.ca_file or (tls.ca_path and false),
    defaults_mode = options.defaults_mode,
    endpoint_url = options.endpoint_url,
    ignore_endpoint_urls = ignore,
    max_attempts = retry.max_attempts,
    region = options.region ~= "" and options.region or nil,
    retry_mode = retry.mode,
    use_dualstack = options.use_dualstack,
    use_fips = options.use_fips,
  }
end

-- Options that no other layer knows.
local function fixed(options, io, wishes, service)
  local tls, timeouts, proxy = options.tls or {}, options.timeouts or {}, options.proxy
  if proxy == nil then proxy = environment_proxy(io.getenv) end
  local credentials = options.credentials or wishes.credentials or false
  return {
    careful = service.careful and not options.retry or false,
    credentials = credentials,
    hooks = options.hooks or false,
    io = io,
    is_complete = false,
    logger = options.logger or false,
    max_connections_per_host = options.max_connections_per_host,
    max_response_bytes = options.max_response_bytes,
    mfa_prompt = options.mfa_prompt,
    profile = options.profile,
    profile_source = options.profile and "option",
    proxy = proxy,
    service = service.id,
    shared = options.shared or false,
    sources = {},
    timeouts = {
      attempt = timeouts.attempt,
      connect = timeouts.connect,
      operation = timeouts.operation,
      read = timeouts.read or service.read_timeout or 60,
    },
    timings = options.hooks and options.hooks.on_call ~= nil,
    tls = { ca_path = tls.ca_path, verify = tls.verify ~= false },
    transport = type(options.transport) ~= "string" and options.transport or false,
    transport_name = type(options.transport) == "string" and options.transport or nil,
    unsigned = options.unsigned or false,
    user_agent_extra = options.user_agent_extra,
    validation = options.validation == nil and "basic" or options.validation,
  }
end

-- Takes from options, transport and environment what they have. Answers the names that are left, or
-- nil, message, err.
local function gather(settings, options, wishes)
  local given, left = from_options(options), {}
  local service = settings.service:upper():gsub("[ -]", "_")
  for _, name in ipairs(NAMES) do
    local value, source, problem = given[name], "option", nil
    if value == nil then value, source = wishes[name], "transport" end
    if value == nil then value, source, problem = from_environment(settings.io, name, service) end
    if problem then return fail("InvalidSetting", problem) end
    if value == nil then
      left[#left + 1] = name
    else
      local ok, message, err = put(settings, name, value, source)
      if not ok then return nil, message, err end
    end
  end
  return left
end

--- Reads the shared files if anything is still open, and settles the rest. Does nothing the second
-- time; what failed is tried again.
---@param settings table
---@return true|nil ok
---@return string|nil message with the file, and the line that is malformed
---@return sagemaker.Error|nil err kind "config"
function M.complete(settings)
  if settings.is_complete then return true end
  local ok, message, err = require("sagemaker.config.shared").complete(settings, LAYER)
  return ok, message, err
end

-- A program that asks for its own URL and for FIPS or dual stack contradicts itself.
local function check_endpoint(options)
  for _, name in ipairs { "use_fips", "use_dualstack" } do
    if options.endpoint_url and options[name] then
      return fail("InvalidEndpoint",
        ("the options endpoint_url and %s exclude each other"):format(name))
    end
  end
  return true
end

--- The settings of a client. Throws at `level` for wrong options.
--
-- They are complete only after `complete`, which this calls itself where the region or the profile
-- that the program names is to be found in the shared files.
---@param options sagemaker.Options|nil
---@param io sagemaker.Env
---@param service {id: string, read_timeout?: number, careful?: boolean} id as in the model,
--- "SageMaker Runtime"; careful: see sagemaker.retry, unless the program asks for retries
---@param level? integer where a wrong option is reported, as with error(); default: the caller
---@return table|nil settings
---@return string|nil message
---@return sagemaker.Error|nil err kind "config"
function M.new(options, io, service, level)
  options = options or {}
  options_of.check(options, (level or 2) + 1)
  local ok, message, err = check_endpoint(options)
  if not ok then return nil, message, err end
  local wishes = type(options.transport) ~= "string" and options.transport
    and options.transport.defaults or {}
  local settings = fixed(options, io, wishes, service)
  settings.left, message, err = gather(settings, options, wishes)
  if not settings.left then return nil, message, err end
  -- Who brings a region and keys of its own (a simulator) has nothing to do with this user's files.
  if wishes.region and wishes.credentials and not options.profile then settings.left = {} end
  if not settings.region or options.profile or #settings.left == 0 then
    ok, message, err = M.complete(settings)
    if not ok then return nil, message, err end
  end
  return settings
end

local OVERRIDES = { "endpoint_url", "hooks", "logger", "transport", "unsigned", "use_dualstack",
  "use_fips", "user_agent_extra", "validation" }

--- The settings of a single call: `settings`, complete, seen through `options`, which
-- options.check_call has seen.
---@param settings table
---@param options table
---@return table|nil settings that inherit from the client's
---@return string|nil message
---@return sagemaker.Error|nil err
function M.override(settings, options)
  local ok, message, err = check_endpoint(options)
  if not ok then return nil, message, err end
  local derived = setmetatable({}, { __index = settings })
  if options.endpoint_url then derived.use_fips, derived.use_dualstack = false, false end
  for _, name in ipairs(OVERRIDES) do
    if options[name] ~= nil then derived[name] = options[name] end
  end
  if options.retry then
    derived.careful = false
    derived.retry_mode = options.retry.mode
    derived.max_attempts = options.retry.max_attempts
  end
  if options.timeouts then
    derived.timeouts = {}
    for name, seconds in pairs(settings.timeouts) do derived.timeouts[name] = seconds end
    for name, seconds in pairs(options.timeouts) do derived.timeouts[name] = seconds end
  end
  if options.region then
    ok, message, err = set_region(derived, options.region, "option")
    if not ok then return nil, message, err end
  end
  return derived
end

return M
