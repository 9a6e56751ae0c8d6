--- Credentials of somebody who has signed in with `aws login`.
--- https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html
--
-- A cache file, which the AWS CLI writes, holds keys for a quarter of an hour and what renews them:
-- a refresh token that only the owner of a private key can use. Each renewal carries a proof of it
-- (DPoP, RFC 9449).

local document = require "sagemaker.credentials.document"
local profiles = require "sagemaker.profiles"

local M = {}

local Login = {}
Login.__index = Login
Login.__name = "sagemaker.credentials.login"
Login.name = "login"

-- Keys that end sooner are renewed.
local THRESHOLD = 5 * 60
local AGAIN = "; run `aws login`"
local NAMES = { id = "accessKeyId", secret = "secretAccessKey", token = "sessionToken",
  expiration = "expiresAt", account = "accountId" }

local function path_of(io, session)
  local dir = io.getenv("AWS_LOGIN_CACHE_DIRECTORY")
  if not dir or dir == "" then dir = "~/.aws/login/cache" end
  dir = dir:gsub("%$([%a_][%w_]*)", io.getenv):gsub("%${([%a_][%w_]*)}", io.getenv)
  return ("%s/%s.json"):format(profiles.expand(io, dir), require("sagemaker.core").sha256(session))
end

-- The cached token; one renewed here that could not be written counts where it lasts longer.
local function load(self, io, path)
  local token, message = document.read(io, path)
  if not token then
    return nil, message or ("there is no login session in %s%s"):format(path, AGAIN)
  end
  local missing = document.missing(token, { "clientId", "dpopKey", "refreshToken" })
  if type(token.accessToken) ~= "table" then
    missing = "accessToken" .. (missing and ", " .. missing or "")
  end
  if missing then return nil, ("%s has no %s%s"):format(path, missing, AGAIN) end
  local expires_at = document.time(token.accessToken.expiresAt)
  if not expires_at then return nil, ("%s has no expiresAt%s"):format(path, AGAIN) end
  local kept = self.kept
  if kept and kept.path == path and kept.expires_at > expires_at then
    return kept.token, nil, kept.expires_at
  end
  return token, nil, expires_at
end

local function base64url(bytes)
  return (require("sagemaker.core").text.base64(bytes):gsub("[+/=]",
    { ["+"] = "-", ["/"] = "_", ["="] = "" }))
end

-- The proof that a request comes from the owner of the key: a signed JSON Web Token.
local function proof(io, pem, jwk, url)
  local header = ('{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","x":"%s","y":"%s",'
    .. '"crv":"P-256"}}'):format(jwk.x, jwk.y)
  local payload = ('{"htm":"POST","htu":"%s","iat":%.0f,"jti":"%s"}'):format(url,
    math.floor(io.now()), io.uuid())
  local text = base64url(header) .. "." .. base64url(payload)
  return text .. "." .. base64url((assert(require("sagemaker.core").es256(pem, text))))
end

-- A hook that puts a new proof into each attempt.
local function hooks_with_proof(io, pem, jwk)
  return {
    before_send = function(request)
      request.headers.DPoP = proof(io, pem, jwk, request.url)
    end,
  }
end

local REFUSALS = {
  INSUFFICIENT_PERMISSIONS = "the service refused to renew the login for lack of permissions",
  TOKEN_EXPIRED = "the login session has expired" .. AGAIN,
  USER_CREDENTIALS_CHANGED = "the user's credentials have changed" .. AGAIN,
}

-- Asks for new keys. The third value says that the old ones should not be used either.
local function request(io, token)
  local jwk, message = require("sagemaker.core").ec_jwk(token.dpopKey)
  if not jwk then return nil, "dpopKey: " .. message end
  local output, err
  output, message, err = io.call("signin", "CreateOAuth2Token", {
    tokenInput = {
      clientId = token.clientId,
      grantType = "refresh_token",
      refreshToken = token.refreshToken,
    },
  }, nil, { hooks = hooks_with_proof(io, token.dpopKey, jwk) })
  if not output then
    local refusal = err and err.raw and REFUSALS[err.raw.error]
    if refusal then return nil, refusal, true end
    return nil, document.scrub(message, token.refreshToken, token.accessToken.secretAccessKey,
      token.accessToken.sessionToken)
  end
  local found = output.tokenOutput
  if type(found) ~= "table" or type(found.accessToken) ~= "table"
    or type(found.expiresIn) ~= "number" or not document.text(found, "refreshToken") then
    return nil, "the answer of the sign-in service holds no token"
  end
  return found
end

local function renew(self, io, path, token)
  local found, message, refused = request(io, token)
  if not found then return nil, message, refused end
  local expires_at = math.floor(io.now()) + found.expiresIn
  local keys, fresh = found.accessToken, {}
  for key, value in pairs(token) do fresh[key] = value end
  fresh.accessToken = {
    accessKeyId = keys.accessKeyId,
    accountId = token.accessToken.accountId,
    expiresAt = require("sagemaker.core").time.format(expires_at, "iso8601"),
    secretAccessKey = keys.secretAccessKey,
    sessionToken = keys.sessionToken,
  }
  fresh.refreshToken = found.refreshToken
  self.kept = { expires_at = expires_at, path = path, token = fresh }
  local ok
  ok, message = document.write(io, path, fresh)
  local logger = io.settings and io.settings.logger
  if not ok and logger then
    logger("warn", "the renewed login was not written: " .. tostring(message))
  end
  return fresh
end

--- Takes the keys of the sign-in, renewed where they end soon.
---@param io sagemaker.ProviderIo
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken true where the profile names a login that gives no keys
function Login:get(io)
  local view, message = profiles.load(io)
  if not view then return nil, message, true end
  local session = document.text(view.profiles[self.profile] or {}, "login_session")
  if not session then return nil, ("profile %s has no login_session"):format(self.profile) end
  local path = path_of(io, session)
  local token, expires_at
  token, message, expires_at = load(self, io, path)
  if not token then return nil, message, true end
  local left = expires_at - io.now()
  if left <= THRESHOLD then
    local fresh, reason, refused = renew(self, io, path, token)
    if not fresh and (refused or left <= 0) then return nil, reason, true end
    token = fresh or token
  end
  local credentials
  credentials, message = document.credentials(token.accessToken, NAMES, self.name)
  if not credentials then return nil, ("%s %s"):format(path, message), true end
  return credentials
end

--- A provider that takes the keys of `aws login`.
---@param options? {profile?: string}
---@return sagemaker.CredentialProvider
function M.new(options)
  return setmetatable({ kept = false, profile = options and options.profile or "default" }, Login)
end

return M
