--- Where a request goes: the host of a region, in every partition, with FIPS, dual stack or both,
-- or a URL that the caller names, as the rule sets of the service models say.
--- https://docs.aws.amazon.com/general/latest/gr/sagemaker.html

local errors = require "sagemaker.error"

local M = {}

---@class sagemaker.ResolvedEndpoint
---@field scheme "https"|"http"
---@field host string with ":port" where it is not the scheme's own
---@field path string prefix of every path, "" or "/…"
---@field origin string scheme, host and port as given, "https://h.example:8080"
---@field signing_region string
---@field signing_name string

local function fail(code, message)
  return errors.fail { kind = "config", code = code, message = message, retryable = false }
end

-- "SSO OIDC" to the rule set of sagemaker.model.endpoint_rules.sso_oidc, or nil.
local function rules_of(service_id)
  local name = service_id:lower():gsub("[^%w]", "_")
  local ok, rules = pcall(require, "sagemaker.model.endpoint_rules." .. name)
  return ok and rules or nil
end

-- What a partition offers a region: name, dnsSuffix, dualStackDnsSuffix, supportsFIPS …
local function partition_of(region)
  return require("sagemaker.rules").partition(require "sagemaker.model.partitions", region,
    require("sagemaker.core").match_pattern)
end

local DEFAULT_PORTS = { http = "80", https = "443" }

-- "[2001:db8::1]:8080", "localhost:8080", "host" to host and port; nil when it is neither.
local function split_authority(authority)
  local host, port = authority:match("^(%[[%x:.]+%]):?(%d*)$")
  if not host then
    host, port = authority:match("^([%w%-_.]+):?(%d*)$")
  end
  if not host or (port == "" and authority:sub(-1) == ":") then return nil end
  if port ~= "" and (#port > 5 or tonumber(port) > 65535 or tonumber(port) == 0) then return nil end
  return host, port
end

-- A refused URL for a message, without what stands before an "@": it may be a password, and one
-- with "/", "?" or "#" in it ends a URL's host early.
local function shown(url)
  return ("%q"):format((url:gsub("^.*@", "…@")))
end

--- Splits an endpoint URL: http or https, a host, perhaps a port and a path prefix, nothing else.
---@param url string
---@return {scheme: string, host: string, origin: string, path: string}|nil parts
---@return string|nil message
---@return sagemaker.Error|nil err kind "config", code "InvalidEndpoint"
function M.parse_url(url)
  local scheme, authority, path = url:match("^(%a+)://([^/?#]*)([^?#%s%c]*)$")
  scheme = scheme and scheme:lower()
  if not DEFAULT_PORTS[scheme or ""] then
    return fail("InvalidEndpoint", "the endpoint URL must look like https://host[:port][/path], "
      .. "without query, fragment or user name: " .. shown(url))
  end
  local host, port = split_authority(authority)
  if not host then
    return fail("InvalidEndpoint", "the host of the endpoint URL is not a host name or address "
      .. "with an optional port: " .. shown(url))
  end
  if port ~= "" and port ~= DEFAULT_PORTS[scheme] then host = host .. ":" .. port end
  if path == "/" then path = "" end
  return { scheme = scheme, host = host, origin = scheme .. "://" .. authority, path = path }
end

-- The first way of signing that the rules name and this client knows.
local function signing_of(properties)
  for _, scheme in ipairs(properties.authSchemes or {}) do
    if scheme.name == "sigv4" then return scheme end
  end
  return {}
end

--- Resolves the endpoint of a service by its rule set.
---@param service {id: string, signing_name: string} as service:info() answers
---@param options table region, use_fips, use_dualstack, endpoint_url, as sagemaker.Options;
---   sts_regional_endpoints: "legacy" for the global endpoint of STS
---@return sagemaker.ResolvedEndpoint|nil endpoint
---@return string|nil message
---@return sagemaker.Error|nil err kind "config"
function M.resolve(service, options)
  local rules = rules_of(service.id)
  if not rules then
    return fail("InvalidEndpoint", "no endpoint rules are known for the service " .. service.id)
  end
  local found, message = require("sagemaker.rules").evaluate(rules, {
    Endpoint = options.endpoint_url,
    Region = options.region,
    UseDualStack = options.use_dualstack,
    UseFIPS = options.use_fips,
    UseGlobalEndpoint = options.sts_regional_endpoints == "legacy",
  }, partition_of)
  if not found then
    local has_place = options.region or options.endpoint_url
    return fail(has_place and "InvalidEndpoint" or "NoRegion", message)
  end
  local parts, err
  parts, message, err = M.parse_url(found.url)
  if not parts then return nil, message, err end
  local signing = signing_of(found.properties)
  parts.signing_region = signing.signingRegion or options.region
  parts.signing_name = signing.signingName or service.signing_name
  return parts
end

--- The path of a request below the endpoint's prefix.
---@param endpoint sagemaker.ResolvedEndpoint
---@param path string begins with "/"
---@return string
function M.join(endpoint, path)
  local prefix = endpoint.path
  if prefix == "" then return path end
  if path == "/" then return prefix end
  if prefix:sub(-1) == "/" then prefix = prefix:sub(1, -2) end
  return prefix .. path
end

return M
