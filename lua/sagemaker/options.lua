--- The options of a client and of its calls: what they are called and what they may be. A wrong one
-- (unknown name, wrong type) is a mistake in the program, so it throws.

local errors = require "sagemaker.error"

local M = {}

---@class sagemaker.CallOptions what a client and each of its calls can be told; a call's own win
---@field region? string for example "eu-west-1"
---@field credentials? table|sagemaker.CredentialProvider|fun(): table?, string?
---   keys (access_key_id, secret_access_key, session_token), a provider, or a function for keys
---@field unsigned? boolean send no signature and look for no credentials; default false
---@field endpoint_url? string a URL instead of AWS's own host; may carry a port and a path prefix
---@field use_fips? boolean
---@field use_dualstack? boolean
---@field transport? sagemaker.Transport|"curl"|"resty" by name for clients only; default: libcurl,
---   loaded at the first call, and inside nginx its own sockets
---@field retry? {mode?: "standard"|"adaptive"|"legacy", max_attempts?: integer} attempts count the
---   first one; "adaptive" also holds requests back where the service throttles
---@field timeouts? {connect?: number, read?: number, attempt?: number, operation?: number} seconds;
---   connect and read 60 by default (connect: as defaults_mode says); attempt: one request;
---   operation: all attempts, waits and the search for keys (a credential_process is not cut short)
---@field validation? "basic"|"strict"|false
---@field user_agent_extra? string
---@field logger? fun(level: "debug"|"info"|"warn", text: string) never sees a secret
---@field hooks? sagemaker.Hooks

---@class sagemaker.Options: sagemaker.CallOptions every field is optional
---@field profile? string of ~/.aws/config and ~/.aws/credentials
---@field ignore_configured_endpoint_urls? boolean those of the environment and the shared files
---@field defaults_mode? "legacy"|"standard"|"in-region"|"cross-region"|"mobile"|"auto"
---@field app_id? string a name for the User-Agent header, at most 50 characters of it are sent
---@field mfa_prompt? fun(serial: string): string? asks for the code of an MFA device
---@field tls? {ca_file?: string, ca_path?: string, verify?: boolean}
---@field proxy? string|false|{http?: string, https?: string, no_proxy?: string} default: what
---   http_proxy, https_proxy and no_proxy say; false: none
---@field shared? sagemaker.nginx.Shared inside nginx: what the clients of all workers share
---@field max_connections_per_host? integer requests of tasks under way at once, default 64; the
---   others wait their turn
---@field max_response_bytes? integer a longer answer is an error
---@field io? table<string, function> replaces functions of sagemaker.Env

---@class sagemaker.Hooks what a hook throws reaches the caller
---@field before_sign? fun(request: table, operation: string)
---@field before_send? fun(request: table, operation: string)
---@field after_response? fun(response: table, operation: string)
---@field on_retry? fun(err: sagemaker.Error, delay: number, operation: string)
---@field on_call? fun(metrics: sagemaker.Metrics) once a call, when it is over; calls that ask for
---   credentials do not count. In a coroutine of PUC 5.1, calls that throw are not told

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

--- A check that a value is one of these.
---@param values any[]
---@return fun(value: any): string|nil what was expected
function M.one_of(values)
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

local one_of = M.one_of
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

-- What `sagemaker.transport` can be asked for by name.
local TRANSPORTS = { "curl", "resty" }

local function transport_or_name(value)
  if type(value) == "string" then return M.one_of(TRANSPORTS)(value) end
  return transport(value)
end

local function credentials(value)
  if type(value) ~= "table" and type(value) ~= "function" then
    return "a table of keys, a provider, or a function"
  end
end

--- The values of retry.mode and defaults_mode.
M.RETRY_MODES = { "standard", "adaptive", "legacy" }
M.DEFAULTS_MODES = { "legacy", "standard", "in-region", "cross-region", "mobile", "auto" }

local CALL_OPTIONS = {
  credentials = credentials,
  endpoint_url = of_type "string",
  hooks = fields {
    after_response = of_type "function",
    before_send = of_type "function",
    before_sign = of_type "function",
    on_call = of_type "function",
    on_retry = of_type "function",
  },
  logger = of_type "function",
  region = of_type "string",
  retry = fields { mode = one_of(M.RETRY_MODES), max_attempts = count },
  timeouts = fields {
    attempt = positive,
    connect = positive,
    operation = positive,
    read = positive,
  },
  transport = transport,
  unsigned = of_type "boolean",
  use_dualstack = of_type "boolean",
  use_fips = of_type "boolean",
  user_agent_extra = headerable,
  validation = one_of { "basic", "strict", false },
}

--- The options of a call, with their checks.
M.CALL_OPTIONS = CALL_OPTIONS

local OPTIONS = {
  app_id = of_type "string",
  defaults_mode = one_of(M.DEFAULTS_MODES),
  ignore_configured_endpoint_urls = of_type "boolean",
  io = of_type "table",
  max_connections_per_host = count,
  max_response_bytes = count,
  mfa_prompt = of_type "function",
  profile = of_type "string",
  proxy = proxy,
  shared = function(value)
    if type(value) ~= "table" or not value.state then return "what sagemaker.nginx.shared makes" end
  end,
  tls = fields {
    ca_file = of_type "string",
    ca_path = of_type "string",
    verify = of_type "boolean",
  },
}
for name, check in pairs(CALL_OPTIONS) do OPTIONS[name] = check end
OPTIONS.transport = transport_or_name

local function names_of(of)
  local names = {}
  for name in pairs(of) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- What was given instead: a string or a number where that tells more than its type.
local function show(name, value, expected)
  if type(value) == "string" and name ~= "credentials" then return ("%q"):format(value) end
  if type(value) == "number" and expected:find("number", 1, true) then
    return ("%.14g"):format(value)
  end
  return type(value)
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
        show(name, value, expected)), level)
    end
  end
end

--- Throws at `level` for a wrong option of a client.
---@param options table
---@param level? integer as with error(); default: the caller
function M.check(options, level)
  check_fields(OPTIONS, options, "", (level or 2) + 1)
end

--- Throws at `level` for a wrong option of a single call. How connections are made (tls, proxy, io,
-- limits of sizes and connections) belongs to the client: those throw too.
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

return M
