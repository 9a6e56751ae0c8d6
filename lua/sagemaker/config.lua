--- The settings of a client, from several layers, the first that has a value winning: options,
-- what the transport suggests (the simulator brings a region and test keys), environment variables,
-- and built-in defaults. https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
--
-- A wrong option (unknown name, wrong type) throws: it is a mistake in the program. A value that
-- cannot be used (a region that is no host label, AWS_MAX_ATTEMPTS=many) is an error of kind
-- "config".

local errors = require "sagemaker.error"

local M = {}

---@class sagemaker.Options every field is optional
---@field region? string for example "eu-west-1"
---@field profile? string reserved; a profile is refused until the shared files are read
---@field credentials? table|sagemaker.CredentialProvider|fun(): table?, string?
---   keys (access_key_id, secret_access_key, session_token), a provider, or a function for keys
---@field endpoint_url? string a URL instead of AWS's own host; may carry a port and a path prefix
---@field use_fips? boolean
---@field use_dualstack? boolean
---@field transport? sagemaker.Transport default: libcurl, loaded at the first call
---@field retry? {mode?: "standard"|"legacy", max_attempts?: integer} attempts count the first one
---@field timeouts? {connect?: number, read?: number, attempt?: number, operation?: number} seconds;
---   connect and read 60 by default; attempt: one request; operation: all attempts and waits
---@field validation? "basic"|"strict"|false
---@field tls? {ca_file?: string, ca_path?: string, verify?: boolean}
---@field proxy? string|false|{http?: string, https?: string, no_proxy?: string} default: what
---   http_proxy, https_proxy and no_proxy say; false: none
---@field max_response_bytes? integer a longer answer is an error
---@field user_agent_extra? string
---@field logger? fun(level: "debug"|"info"|"warn", text: string) never sees a secret
---@field hooks? sagemaker.Hooks
---@field io? table<string, function> replaces functions of sagemaker.Env

---@class sagemaker.Hooks what a hook throws reaches the caller
---@field before_sign? fun(request: table, operation: string)
---@field before_send? fun(request: table, operation: string)
---@field after_response? fun(response: table, operation: string)
---@field on_retry? fun(err: sagemaker.Error, delay: number, operation: string)

-- Checks of option values: nil when fine, else what was expected.

local function of_type(wanted)
  return function(value)
    if type(value) ~= wanted then return "a " .. wanted end
  end
end

local function positive(value)
  if type(value) ~= "number" or value - value ~= 0 or value <= 0 then
    return "a number above 0"
  end
end

local function count(value)
  if type(value) ~= "number" or value % 1 ~= 0 or value < 1 then
    return "a whole number of at least 1"
  end
end

local function one_of(values)
  local names = {}
  for i, value in ipairs(values) do
    names[i] = type(value) == "string" and ('"%s"'):format(value) or tostring(value)
  end
  local expected = "one of " .. table.concat(names, ", ")
  return function(value)
    for _, allowed in ipairs(values) do
      if value == allowed then return nil end
    end
    return expected
  end
end

local check_fields -- forward

local function fields(of)
  return function(value, name, level)
    if type(value) ~= "table" then return "a table" end
    check_fields(of, value, name .. ".", level + 1)
  end
end

local function headerable(value)
  if type(value) ~= "string" or value:find("[%c\127-\255]") then
    return "a string of printable ASCII characters"
  end
end

local function proxy(value, name, level)
  if value == false or type(value) == "string" then return nil end
  if type(value) ~= "table" then return "a URL, false, or a table" end
  local of_string = of_type "string"
  check_fields({ http = of_string, https = of_string, no_proxy = of_string }, value, name .. ".",
    level + 1)
end

local function transport(value)
  if type(value) ~= "table" and type(value) ~= "userdata" or not value.send then
    return "a transport (a value with the methods send, sleep, now and clock)"
  end
end

local function credentials(value)
  if type(value) ~= "table" and type(value) ~= "function" then
    return "a table of keys, a provider, or a function"
  end
end

local modes = { "standard", "legacy" }

local CALL_OPTIONS = {
  credentials = credentials,
  endpoint_url = of_type "string",
  hooks = fields {
    after_response = of_type "function",
    before_send = of_type "function",
    before_sign = of_type "function",
    on_retry = of_type "function",
  },
  logger = of_type "function",
  region = of_type "string",
  retry = fields { mode = one_of(modes), max_attempts = count },
  timeouts = fields {
    attempt = positive,
    connect = positive,
    operation = positive,
    read = positive,
  },
  transport = transport,
  use_dualstack = of_type "boolean",
  use_fips = of_type "boolean",
  user_agent_extra = headerable,
  validation = one_of { "basic", "strict", false },
}

local OPTIONS = {
  io = of_type "table",
  max_response_bytes = count,
  profile = of_type "string",
  proxy = proxy,
  tls = fields {
    ca_file = of_type "string",
    ca_path = of_type "string",
    verify = of_type "boolean",
  },
}
for name, check in pairs(CALL_OPTIONS) do OPTIONS[name] = check end

local function names_of(of)
  local names = {}
  for name in pairs(of) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- Throws at `level`, counted from here, for an unknown name or a value of the wrong kind.
function check_fields(of, given, prefix, level)
  for name, value in pairs(given) do
    local check = of[name]
    if not check then
      error(("unknown option %s%s%s"):format(prefix, tostring(name),
        errors.hint(name, names_of(of))), level)
    end
    local expected = check(value, prefix .. name, level + 1)
    if expected then
      error(("option %s%s must be %s, not %s"):format(prefix, name, expected,
        type(value) == "string" and name ~= "credentials" and ("%q"):format(value)
        or type(value)), level)
    end
  end
end

-- What an environment variable's text means: a value, or nil and what was expected.

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

local function mode(value)
  local expected = one_of(modes)(value)
  if expected then return nil, expected end
  return value
end

-- One row a setting: the variables that hold it, in order, and how their text is read. %s stands
-- for the service's name.
local VARIABLES = {
  app_id = { read = text, "AWS_SDK_UA_APP_ID" },
  ca_file = { read = text, "AWS_CA_BUNDLE" },
  endpoint_url = { read = text, "AWS_ENDPOINT_URL_%s", "AWS_ENDPOINT_URL" },
  ignore_endpoint_urls = { read = boolean, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" },
  max_attempts = { read = attempts, "AWS_MAX_ATTEMPTS" },
  region = { read = text, "AWS_REGION", "AWS_DEFAULT_REGION" },
  retry_mode = { read = mode, "AWS_RETRY_MODE" },
  use_dualstack = { read = boolean, "AWS_USE_DUALSTACK_ENDPOINT" },
  use_fips = { read = boolean, "AWS_USE_FIPS_ENDPOINT" },
}

local Layers = {}
Layers.__index = Layers

-- The value of a setting in the environment; an empty variable counts as unset.
function Layers:environment(name)
  local row = VARIABLES[name]
  for i = 1, #row do
    local variable = row[i]:format(self.service)
    local value = self.io.getenv(variable)
    if value and value ~= "" then
      local parsed, expected = row.read(value)
      if parsed == nil then
        self.problem = self.problem
          or ("%s must be %s, not %q"):format(variable, expected, value)
      end
      return parsed, variable
    end
  end
  return nil
end

-- The first layer that has the setting: `option`, the transport's wish, the environment, `default`.
function Layers:pick(name, option, default)
  if option ~= nil then
    self.sources[name] = "option"
    return option
  end
  local wish = self.wishes[name]
  if wish ~= nil then
    self.sources[name] = "transport"
    return wish
  end
  local value, variable = self:environment(name)
  if value ~= nil then
    self.sources[name] = variable
    return value
  end
  return default
end

-- The proxies of the environment. Lower case first, as curl and Python do; HTTP_PROXY is not
-- believed inside a CGI program, where a client's "Proxy:" header sets it (https://httpoxy.org).
local function environment_proxy(getenv)
  local function first(name, upper)
    local value = getenv(name)
    if (value == nil or value == "") and upper then value = getenv(upper) end
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

local function fail(code, message)
  return errors.fail { kind = "config", code = code, message = message, retryable = false }
end

--- Sets region (and FIPS where the region's name says so) in `settings`.
---@param settings table
---@param region string
---@param source string what the message calls it
---@return true|nil ok
---@return string|nil message
---@return sagemaker.Error|nil err
function M.set_region(settings, region, source)
  local plain, is_fips = normalize_region(region)
  if not M.is_region(plain) then
    local message = ("the region %q (%s) is not a host label"):format(region, source)
    return fail("InvalidRegion", message)
  end
  settings.region = plain
  if is_fips then settings.use_fips = true end
  return true
end

local function read_settings(options, layers)
  local retry, tls, timeouts = options.retry or {}, options.tls or {}, options.timeouts or {}
  local defaults = layers.defaults
  local settings = {
    app_id = layers:environment("app_id"),
    credentials = layers:pick_credentials(options.credentials),
    endpoint_url = options.endpoint_url,
    hooks = options.hooks or false,
    io = layers.io,
    logger = options.logger or false,
    max_attempts = layers:pick("max_attempts", retry.max_attempts),
    max_response_bytes = options.max_response_bytes,
    proxy = layers:proxy(options.proxy),
    retry_mode = layers:pick("retry_mode", retry.mode, "standard"),
    sources = layers.sources,
    timeouts = {
      attempt = timeouts.attempt,
      connect = timeouts.connect or 60,
      operation = timeouts.operation,
      read = timeouts.read or defaults.read_timeout or 60,
    },
    tls = {
      ca_file = tls.ca_file or (not tls.ca_path and layers:pick("ca_file")) or nil,
      ca_path = tls.ca_path,
      verify = tls.verify ~= false,
    },
    transport = options.transport or false,
    use_dualstack = layers:pick("use_dualstack", options.use_dualstack, false),
    use_fips = layers:pick("use_fips", options.use_fips, false),
    user_agent_extra = options.user_agent_extra,
    validation = options.validation == nil and "basic" or options.validation,
  }
  if not settings.endpoint_url and not layers:pick("ignore_endpoint_urls", nil, false) then
    settings.endpoint_url = layers:environment("endpoint_url")
  end
  return settings
end

function Layers:pick_credentials(option)
  return option or self.wishes.credentials or false
end

function Layers:proxy(option)
  if option ~= nil then return option end
  return environment_proxy(self.io.getenv)
end

-- A URL from the environment beats FIPS and dual stack, as in AWS's own clients. A program that
-- asks for both at once contradicts itself.
local function settle_endpoint(settings, options)
  if not settings.endpoint_url then return true end
  for _, name in ipairs { "use_fips", "use_dualstack" } do
    if options.endpoint_url and options[name] then
      return fail("InvalidEndpoint",
        ("the options endpoint_url and %s exclude each other"):format(name))
    end
    settings[name] = false
  end
  return true
end

--- The settings of a client. Throws at `level` for wrong options.
---@param options sagemaker.Options|nil
---@param io sagemaker.Env
---@param service {id: string, read_timeout?: number} id as in the model, "SageMaker Runtime"
---@param level? integer where a wrong option is reported, as with error(); default: the caller
---@return table|nil settings
---@return string|nil message
---@return sagemaker.Error|nil err kind "config"
function M.new(options, io, service, level)
  options = options or {}
  check_fields(OPTIONS, options, "", (level or 2) + 1)
  if options.profile then
    return fail("NotSupported", "profiles of the shared configuration files are not read yet")
  end
  local layers = setmetatable({
    defaults = service,
    io = io,
    service = service.id:upper():gsub("[ -]", "_"),
    sources = {},
    wishes = options.transport and options.transport.defaults or {},
  }, Layers)
  local settings = read_settings(options, layers)
  local region = layers:pick("region", options.region ~= "" and options.region or nil)
  if layers.problem then return fail("InvalidSetting", layers.problem) end
  if not region then
    return fail("NoRegion", "no region: give the option region, or set AWS_REGION")
  end
  local ok, message, err = M.set_region(settings, region, layers.sources.region)
  if not ok then return nil, message, err end
  ok, message, err = settle_endpoint(settings, options)
  if not ok then return nil, message, err end
  return settings
end

--- Throws at `level` for a wrong option of a single call. How connections are made (tls, proxy, io,
-- max_response_bytes) belongs to the client: those throw too.
---@param options table
---@param extra? table<string, true> further names that the called method knows
---@param level? integer
function M.check_call(options, extra, level)
  if type(options) ~= "table" then
    error("the options of a call must be a table, not " .. type(options), level or 2)
  end
  if extra then
    local rest = {}
    for name, value in pairs(options) do
      if not extra[name] then rest[name] = value end
    end
    options = rest
  end
  check_fields(CALL_OPTIONS, options, "", (level or 2) + 1)
end

--- The User-Agent header: this library, the Lua it runs on, and what the settings add.
---@param settings table
---@param version string of this library
---@return string
function M.user_agent(settings, version)
  local jit = rawget(_G, "jit")
  local parts = {
    "sagemaker-lua/" .. version,
    jit and "luajit/" .. jit.version:match("[%d.]+") or "lua/" .. _VERSION:match("[%d.]+"),
  }
  if settings.app_id then
    parts[#parts + 1] = "app/" .. settings.app_id:gsub("[^%w!#$%%&'*+%-.^_`|~]", "-"):sub(1, 50)
  end
  parts[#parts + 1] = settings.user_agent_extra
  return table.concat(parts, " ")
end

local OVERRIDES = { "endpoint_url", "hooks", "logger", "transport", "use_dualstack", "use_fips",
  "user_agent_extra", "validation" }

--- The settings of a single call: `settings` seen through `options`, which check_call has seen.
---@param settings table
---@param options table
---@return table|nil settings that inherit from the client's
---@return string|nil message
---@return sagemaker.Error|nil err
function M.override(settings, options)
  local derived = setmetatable({}, { __index = settings })
  for _, name in ipairs(OVERRIDES) do
    if options[name] ~= nil then derived[name] = options[name] end
  end
  if options.retry then
    derived.retry_mode = options.retry.mode
    derived.max_attempts = options.retry.max_attempts
  end
  if options.timeouts then
    derived.timeouts = setmetatable({}, { __index = settings.timeouts })
    for name, seconds in pairs(options.timeouts) do derived.timeouts[name] = seconds end
  end
  if options.region then
    local ok, message, err = M.set_region(derived, options.region, "option")
    if not ok then return nil, message, err end
  end
  return derived
end

return M
