--- Credentials of an EC2 instance's role, from the instance metadata service (IMDS).
--- https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html
--
-- With a session token (IMDSv2); without one where the service gives none, unless that is switched
-- off. Two requests name the role and fetch its keys. When the service has nothing newer than keys
-- that are about to expire, or cannot be reached, the keys known are used for longer: they go on
-- working, and a fleet of instances that all ask again at once would not help the service.

local document = require "sagemaker.credentials.document"
local profiles = require "sagemaker.profiles"

local M = {}

local Imds = {}
Imds.__index = Imds
Imds.__name = "sagemaker.credentials.imds"
Imds.name = "iam-role"

local IPV4, IPV6 = "http://169.254.169.254/", "http://[fd00:ec2::254]/"
local TOKEN_PATH = "latest/api/token"
local ROLE_PATH = "latest/meta-data/iam/security-credentials/"
local TOKEN_SECONDS = "21600"
-- An answer that trickles is given up after so many times the timeout.
local TRICKLE = 5
-- Keys that end sooner than this (and 2 to 10 minutes more) are extended by that much.
local WINDOW, JITTER_LEAST, JITTER_MOST = 15 * 60, 2 * 60, 10 * 60
local NAMES = { id = "AccessKeyId", secret = "SecretAccessKey", token = "Token",
  expiration = "Expiration" }

-- A setting: the variable, else the property of the profile; "" is none.
local function setting(io, profile, name, property)
  local value = io.getenv(name)
  if value and value ~= "" then return value, name end
  value = profile[property]
  if type(value) == "string" and value ~= "" then return value, property end
  return nil
end

local function number_setting(io, profile, name, property, fallback)
  local text, from = setting(io, profile, name, property)
  if not text then return fallback end
  local number = tonumber(text)
  if not number or not (number > 0 and number < 1e6) then
    return nil, ("%s must be a number above 0"):format(from)
  end
  return number
end

local function is_true(text)
  return text ~= nil and text:lower() == "true"
end

local function base_url(io, profile)
  local mode, mode_from = setting(io, profile, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "ec2_metadata_service_endpoint_mode")
  local lower = mode and mode:lower()
  if mode and lower ~= "ipv4" and lower ~= "ipv6" then
    return nil, ("%s must be IPv4 or IPv6"):format(mode_from)
  end
  local url, from = setting(io, profile, "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "ec2_metadata_service_endpoint")
  if not url then
    local ipv6 = lower == "ipv6"
      or not mode and is_true((setting(io, profile, "AWS_IMDS_USE_IPV6", "imds_use_ipv6")))
    return ipv6 and IPV6 or IPV4
  end
  local parts, message = require("sagemaker.core").uri.split(url)
  if not parts then return nil, ("%s: %s"):format(from, message) end
  return url:sub(-1) == "/" and url or url .. "/"
end

-- How to ask, from the environment and the profile.
local function configure(io, name)
  local view, message = profiles.load(io)
  if not view then return nil, message end
  local profile, found = view.profiles[name] or {}, {}
  found.url, message = base_url(io, profile)
  if not found.url then return nil, message end
  found.timeout, message = number_setting(io, profile, "AWS_METADATA_SERVICE_TIMEOUT",
    "metadata_service_timeout", 1)
  if not found.timeout then return nil, message end
  found.attempts, message = number_setting(io, profile, "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
    "metadata_service_num_attempts", 1)
  if not found.attempts then return nil, message end
  found.v1_disabled = is_true(setting(io, profile, "AWS_EC2_METADATA_V1_DISABLED",
    "ec2_metadata_v1_disabled"))
  return found
end

local function send(io, config, method, path, headers)
  local settings = io.settings
  headers["User-Agent"] = settings and settings.user_agent or nil
  return io.send {
    method = method,
    url = config.url .. path,
    headers = headers,
    timeouts = { attempt = TRICKLE * config.timeout, connect = config.timeout,
      read = config.timeout },
    direct = true,
  }
end

-- A session token; nil to go on without; nil and a reason when that would be of no use.
local function session_token(io, config)
  for _ = 1, config.attempts do
    local response, _, err = send(io, config, "PUT", TOKEN_PATH,
      { ["x-aws-ec2-metadata-token-ttl-seconds"] = TOKEN_SECONDS, ["Content-Length"] = "0" })
    if not response then
      if err and err.code == "ReadTimeout" then return nil end
    elseif response.status == 200 then
      local token = response.body
      if token == "" or #token > 4096 or token:find("[%c\127]") then return nil end
      return token
    elseif response.status == 400 then
      return nil, "IMDS refused to give a token (HTTP status 400)"
    elseif response.status == 403 or response.status == 404 or response.status == 405 then
      return nil
    end
  end
  return nil
end

-- The body of a document that `accept` understands. The last value says that it was the service
-- that failed, not this instance that has no role.
local function fetch(io, config, path, token, accept)
  local reason, down
  for _ = 1, config.attempts do
    local response, message = send(io, config, "GET", path,
      { ["x-aws-ec2-metadata-token"] = token })
    if not response then
      reason, down = document.scrub(message, token), true
    elseif response.status ~= 200 then
      reason, down = ("IMDS answered HTTP status %d"):format(response.status),
        response.status >= 500
    else
      local value
      value, reason = accept(response.body)
      if value then return value end
      down = false
    end
  end
  return nil, reason, down
end

local function accept_role(body)
  local role = body:match("^%s*([%w+=,.@_-]+)%s*$")
  if role then return role end
  return nil, body == "" and "IMDS answered nothing" or "IMDS answered no name of a role"
end

local function accept_keys(body)
  local answer, message = document.decode(body)
  if not answer then return nil, "the answer of IMDS " .. message end
  return answer
end

-- Keys that are about to expire last a little longer; newer ones are asked for after the jitter.
local function extend(io, credentials)
  local jitter = JITTER_LEAST + math.floor(io.random() * (JITTER_MOST - JITTER_LEAST + 1))
  local now, seconds = math.floor(io.now()), WINDOW + jitter
  if now >= credentials.expires_at - seconds then
    credentials.expires_at, credentials.refresh_at = now + seconds, now + jitter
  end
  return credentials
end

local function keys_of(io, answer, source)
  local missing = document.missing(answer, { "AccessKeyId", "SecretAccessKey", "Token",
    "Expiration" })
  if missing then
    local code = document.text(answer, "Code")
    if code and code ~= "Success" and #code <= 64 and code:find("^%w+$") then
      return nil, ("IMDS has no keys for the role: %s"):format(code)
    end
    return nil, "the answer of IMDS has no " .. missing
  end
  local credentials, reason = document.credentials(answer, NAMES, source)
  if not credentials then return nil, "the answer of IMDS " .. reason end
  return extend(io, credentials)
end

local function ask(io, config, source)
  local token, reason = session_token(io, config)
  if reason then return nil, reason end
  if not token and config.v1_disabled then
    return nil, "IMDS gave no token, and IMDSv1 is switched off"
  end
  local role, answer, down
  role, reason, down = fetch(io, config, ROLE_PATH, token, accept_role)
  if not role then return nil, reason, down end
  answer, reason, down = fetch(io, config, ROLE_PATH .. role, token, accept_keys)
  if not answer then return nil, reason, down end
  return keys_of(io, answer, source)
end

-- The keys given out last, for longer.
local function again(self, io)
  local known = {}
  for key, value in pairs(self.known) do known[key] = value end
  return extend(io, setmetatable(known, getmetatable(self.known)))
end

--- Asks the metadata service.
---@param io sagemaker.ProviderIo
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken true where the settings cannot be used
function Imds:get(io)
  if is_true(io.getenv("AWS_EC2_METADATA_DISABLED")) then
    return nil, "switched off by AWS_EC2_METADATA_DISABLED"
  end
  local config, reason = configure(io, self.profile)
  if not config then return nil, reason, true end
  local credentials, down
  credentials, reason, down = ask(io, config, self.name)
  if credentials then
    self.known = credentials
    return credentials
  end
  if down and self.known then return again(self, io) end
  return nil, reason
end

--- A provider that asks the instance metadata service.
---@param options? {profile?: string}
---@return sagemaker.CredentialProvider
function M.new(options)
  return setmetatable({ known = false, profile = options and options.profile or "default" }, Imds)
end

return M
