--- Credentials of a role for somebody who has signed in with `aws sso login` (IAM Identity Center).
--- https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
--
-- A profile names an account and a role, and where to sign in: itself, or in an `sso-session`
-- section. The token of the sign-in is in a cache file, which the AWS CLI writes. Tokens of a
-- session are renewed here when they end soon.

local document = require "sagemaker.credentials.document"
local profiles = require "sagemaker.profiles"

local M = {}

local Sso = {}
Sso.__index = Sso
Sso.__name = "sagemaker.credentials.sso"
Sso.name = "sso"

local REQUIRED = { "sso_role_name", "sso_account_id", "sso_start_url", "sso_region" }
local RENEWAL = { "refreshToken", "clientId", "clientSecret", "registrationExpiresAt" }
-- A token that ends sooner is renewed.
local WINDOW = 15 * 60
local AGAIN = "; run `aws sso login`"
local NAMES = { id = "accessKeyId", secret = "secretAccessKey", token = "sessionToken",
  expiration = "expiration" }

-- The properties of the profile and of the session that it names, which must not disagree.
local function with_session(view, profile)
  local name = document.text(profile, "sso_session")
  if not name then return profile end
  local session = view.sso_sessions[name]
  if not session then return nil, ("there is no section [sso-session %s]"):format(name) end
  local both = {}
  for key, value in pairs(profile) do both[key] = value end
  for key, value in pairs(session) do
    if profile[key] ~= nil and profile[key] ~= value then
      return nil, ("%s differs between the profile and the section [sso-session %s]"):format(key,
        name)
    end
    both[key] = value
  end
  return both
end

-- What the profile says about signing in; nil and a reason, and whether that is a mistake.
local function settings_of(io, name)
  local view, message = profiles.load(io)
  if not view then return nil, message, true end
  local profile = view.profiles[name] or {}
  if not document.text(profile, "sso_role_name") and not document.text(profile, "sso_account_id")
  then
    return nil, ("profile %s has neither sso_account_id nor sso_role_name"):format(name)
  end
  local settings
  settings, message = with_session(view, profile)
  if not settings then return nil, ("profile %s: %s"):format(name, message), true end
  local missing = document.missing(settings, REQUIRED)
  if missing then return nil, ("profile %s has no %s"):format(name, missing), true end
  return settings
end

local function warn(io, message)
  local logger = io.settings and io.settings.logger
  if logger then logger("warn", message) end
end

-- The cached token; one renewed here that could not be written counts where it lasts longer.
local function load(self, io, path)
  local token, message = document.read(io, path)
  if not token then
    return nil, message or ("there is no token in %s%s"):format(path, AGAIN)
  end
  local expires_at = document.time(token.expiresAt)
  if not document.text(token, "accessToken") or not expires_at then
    return nil, ("%s holds no token that can be used%s"):format(path, AGAIN)
  end
  local kept = self.kept
  if kept and kept.path == path and kept.expires_at > expires_at then
    return kept.token, nil, kept.expires_at
  end
  return token, nil, expires_at
end

-- A new token for one that can be renewed.
local function request(io, settings, token)
  local missing = document.missing(token, RENEWAL)
  if missing then return nil, "it has no " .. missing end
  local registration = document.time(token.registrationExpiresAt)
  if not registration or registration <= io.now() then
    return nil, "its registration has expired"
  end
  local output, message = io.call("sso-oidc", "CreateToken", {
    grantType = "refresh_token",
    clientId = token.clientId,
    clientSecret = token.clientSecret,
    refreshToken = token.refreshToken,
  }, nil, { region = settings.sso_region })
  if not output then
    return nil, document.scrub(message, token.accessToken, token.refreshToken, token.clientSecret)
  end
  if not document.text(output, "accessToken") or type(output.expiresIn) ~= "number" then
    return nil, "the answer of SSO OIDC holds no token"
  end
  return output
end

local function renew(self, io, settings, path, token)
  local output, message = request(io, settings, token)
  if not output then return nil, message end
  local fresh = {}
  for key, value in pairs(token) do fresh[key] = value end
  local expires_at = math.floor(io.now()) + output.expiresIn
  fresh.startUrl, fresh.region = settings.sso_start_url, settings.sso_region
  fresh.accessToken = output.accessToken
  fresh.refreshToken = document.text(output, "refreshToken")
  fresh.expiresAt = require("sagemaker.core").time.format(expires_at, "iso8601")
  self.kept = { expires_at = expires_at, path = path, token = fresh }
  local ok
  ok, message = document.write(io, path, fresh)
  if not ok then warn(io, "the renewed SSO token was not written: " .. tostring(message)) end
  return fresh, nil, expires_at
end

-- A token that is good for now.
local function token_of(self, io, settings)
  local session = document.text(settings, "sso_session")
  local key = require("sagemaker.core").sha1(session or settings.sso_start_url)
  local path = profiles.expand(io, ("~/.aws/sso/cache/%s.json"):format(key))
  local token, message, expires_at = load(self, io, path)
  if not token then return nil, message end
  local left, why = expires_at - io.now(), ""
  if session and left < WINDOW then
    local fresh, reason, until_then = renew(self, io, settings, path, token)
    if fresh then
      token, left = fresh, until_then - io.now()
    else
      why = (" and was not renewed (%s)"):format(reason)
    end
  end
  if left <= 0 then return nil, ("the SSO token has expired%s%s"):format(why, AGAIN) end
  return token
end

local function keys_of(self, output, settings)
  local found = output.roleCredentials
  if type(found) ~= "table" then return nil, "the answer of SSO holds no keys" end
  local milliseconds = found.expiration
  local keys = {}
  for key, value in pairs(found) do keys[key] = value end
  keys.expiration = nil
  local credentials, message = document.credentials(keys, NAMES, self.name)
  if not credentials then return nil, "the answer of SSO " .. message end
  credentials.account_id = settings.sso_account_id
  credentials.expires_at = type(milliseconds) == "number" and math.floor(milliseconds / 1000) or nil
  return credentials
end

--- Fetches keys for the role of the profile.
---@param io sagemaker.ProviderIo
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken true where the profile means SSO but there are no keys
function Sso:get(io)
  local settings, reason, broken = settings_of(io, self.profile)
  if not settings then return nil, reason, broken end
  local token
  token, reason = token_of(self, io, settings)
  if not token then return nil, reason, true end
  local output, message, err = io.call("sso", "GetRoleCredentials", {
    accessToken = token.accessToken,
    accountId = settings.sso_account_id,
    roleName = settings.sso_role_name,
  }, nil, { region = settings.sso_region })
  if not output then
    if err and (err.code == "UnauthorizedException" or err.status == 401) then
      return nil, "the SSO session has expired or is invalid" .. AGAIN, true
    end
    return nil, document.scrub(message, token.accessToken), true
  end
  local credentials
  credentials, reason = keys_of(self, output, settings)
  return credentials, reason, reason and true
end

--- A provider that exchanges the token of a sign-in for the keys of a role.
---@param options? {profile?: string}
---@return sagemaker.CredentialProvider
function M.new(options)
  return setmetatable({ kept = false, profile = options and options.profile or "default" }, Sso)
end

return M
