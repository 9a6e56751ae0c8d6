--- Signs the requests of a client: keys from its provider, a signer kept as long as they last.

local core = require "sagemaker.core"
local errors = require "sagemaker.error"

local M = {}

local function fail(code, message)
  return errors.fail { kind = "credentials", code = code, message = message, retryable = false,
    sent = false }
end

--- What providers see: the injected functions, with time and waiting of the transport's world.
---@param io sagemaker.Env
---@param transport fun(): sagemaker.Transport
---@return sagemaker.Env
function M.provider_io(io, transport)
  local own = setmetatable({}, { __index = io })
  own.now = function()
    return transport():now()
  end
  own.sleep = function(seconds)
    return transport():sleep(seconds)
  end
  return own
end

local function provider_of(settings)
  local provider = settings.provider
  if not provider then
    local reason
    provider, reason = require("sagemaker.credentials").from(settings.credentials)
    if not provider then
      return fail("InvalidCredentials", "the credentials given cannot be used: " .. reason)
    end
    settings.provider = provider
  end
  return provider
end

local function is_same(a, b)
  return a == b or (a.access_key_id == b.access_key_id
    and a.secret_access_key == b.secret_access_key and a.session_token == b.session_token)
end

--- The signer for the keys of this moment; a new one only when they are others.
---@param settings table keeps provider, signer and signer_keys
---@param io sagemaker.Env as from provider_io
---@return userdata|nil signer
---@return string|nil message
---@return sagemaker.Error|nil err kind "credentials"
function M.signer(settings, io)
  local provider, message, err = provider_of(settings)
  if not provider then return nil, message, err end
  local keys, reason, broken = provider:get(io)
  if not keys then
    return fail(broken and "InvalidCredentials" or "NoCredentials",
      "no usable credentials: " .. tostring(reason))
  end
  local known = settings.signer_keys
  if known and is_same(known, keys) then return settings.signer end
  settings.signer = core.signer {
    access_key_id = keys.access_key_id,
    secret_access_key = keys.secret_access_key,
    session_token = keys.session_token,
    region = settings.endpoint.signing_region,
    service = settings.endpoint.signing_name,
  }
  settings.signer_keys = keys
  return settings.signer
end

return M
