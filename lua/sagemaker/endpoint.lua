--- Where a request goes: the host of a region, in every partition, with FIPS, dual stack or both,
-- or a URL that the caller names. https://docs.aws.amazon.com/general/latest/gr/sagemaker.html

local errors = require "sagemaker.error"

local M = {}

---@class sagemaker.ResolvedEndpoint
---@field scheme "https"|"http"
---@field host string with ":port" where it is not the scheme's own
---@field path string prefix of every path, "" or "/…"
---@field origin string scheme, host and port as given, "https://h.example:8080"
---@field signing_region string
---@field signing_name string

-- FIPS hosts that do not follow the pattern <prefix>-fips.<region>.<suffix>, by partition.
local FIPS_PREFIXES = {
  ["api.sagemaker"] = {
    aws = "api-fips.sagemaker",
    ["aws-us-gov"] = "api-fips.sagemaker",
  },
  ["runtime.sagemaker"] = {
    aws = "runtime-fips.sagemaker",
    ["aws-us-gov"] = "runtime.sagemaker",
  },
}

local function fail(code, message)
  return errors.fail { kind = "config", code = code, message = message, retryable = false }
end

-- What a partition offers a region: name, dnsSuffix, dualStackDnsSuffix, supportsFIPS …
local function partition_of(region)
  local partitions = require "sagemaker.model.partitions"
  return require("sagemaker.rules").partition(partitions, region,
    require("sagemaker.core").match_pattern)
end

local function host_of(prefix, options)
  local region, partition = options.region, partition_of(options.region)
  local use_fips, use_dualstack = options.use_fips, options.use_dualstack
  local has_fips, has_dualstack = partition.supportsFIPS, partition.supportsDualStack
  if use_fips and use_dualstack then
    if not (has_fips and has_dualstack) then
      return nil, "FIPS and DualStack are enabled, but this partition does not support one or both"
    end
    return ("%s-fips.%s.%s"):format(prefix, region, partition.dualStackDnsSuffix)
  end
  if use_fips then
    if not has_fips then return nil, "FIPS is enabled but this partition does not support FIPS" end
    local special = FIPS_PREFIXES[prefix]
    return ("%s.%s.%s"):format(special and special[partition.name] or prefix .. "-fips", region,
      partition.dnsSuffix)
  end
  if use_dualstack then
    if not has_dualstack then
      return nil, "DualStack is enabled but this partition does not support DualStack"
    end
    return ("%s.%s.%s"):format(prefix, region, partition.dualStackDnsSuffix)
  end
  return ("%s.%s.%s"):format(prefix, region, partition.dnsSuffix)
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

--- Splits an endpoint URL: http or https, a host, perhaps a port and a path prefix, nothing else.
---@param url string
---@return {scheme: string, host: string, origin: string, path: string}|nil parts
---@return string|nil message
---@return sagemaker.Error|nil err kind "config", code "InvalidEndpoint"
function M.parse_url(url)
  local scheme, authority, path = url:match("^(%a+)://([^/?#]*)([^?#%s%c]*)$")
  scheme = scheme and scheme:lower()
  if not DEFAULT_PORTS[scheme or ""] then
    -- What the URL holds besides is not shown: it may be a password.
    return fail("InvalidEndpoint", "the endpoint URL must look like https://host[:port][/path], "
      .. "without query, fragment or user name: " .. ("%q"):format((url:gsub("//.*@", "//…@"))))
  end
  local host, port = split_authority(authority)
  if not host then
    return fail("InvalidEndpoint", ("the host %q of the endpoint URL is not a host name or "
      .. "address with an optional port"):format((authority:gsub(".*@", "…@"))))
  end
  if port ~= "" and port ~= DEFAULT_PORTS[scheme] then host = host .. ":" .. port end
  if path == "/" then path = "" end
  return { scheme = scheme, host = host, origin = scheme .. "://" .. authority, path = path }
end

--- Resolves the endpoint of a service.
---@param service {endpoint_prefix: string, signing_name: string} as service:info() answers
---@param options table region, use_fips, use_dualstack, endpoint_url, as sagemaker.Options
---@return sagemaker.ResolvedEndpoint|nil endpoint
---@return string|nil message
---@return sagemaker.Error|nil err kind "config"
function M.resolve(service, options)
  local parts
  if options.endpoint_url then
    if options.use_fips then
      return fail("InvalidEndpoint",
        "Invalid Configuration: FIPS and custom endpoint are not supported")
    end
    if options.use_dualstack then
      return fail("InvalidEndpoint",
        "Invalid Configuration: Dualstack and custom endpoint are not supported")
    end
    local message, err
    parts, message, err = M.parse_url(options.endpoint_url)
    if not parts then return nil, message, err end
  elseif not options.region then
    return fail("NoRegion", "Invalid Configuration: Missing Region")
  else
    local host, message = host_of(service.endpoint_prefix, options)
    if not host then return fail("InvalidEndpoint", message) end
    parts = { scheme = "https", host = host, path = "" }
  end
  parts.origin = parts.origin or "https://" .. parts.host
  parts.signing_region = options.region
  parts.signing_name = service.signing_name
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
