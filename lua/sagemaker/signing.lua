--- Signs the requests of a client: keys from its provider, a signer kept as long as they last.

local core = require "sagemaker.core"
local errors = require "sagemaker.error"

local M = {}

local function fail(code, message, settings)
  return errors.fail { kind = "credentials", code = code, message = message, retryable = false,
    sent = false, profile = settings.profile_source and settings.profile or nil }
end

--- What the providers of a client see; see sagemaker.credentials.io.
---@param client sagemaker.Client
---@param spawn? function makes a client for the services that credentials come from
---@param transport_of? function the transport of a client
---@return sagemaker.ProviderIo
function M.provider_io(client, spawn, transport_of)
  return require("sagemaker.credentials.io").new(client, spawn, transport_of)
end

local function provider_of(keyring, settings)
  local provider, reason = require("sagemaker.credentials").from(keyring.credentials, settings)
  if not provider then
    return fail("InvalidCredentials", "the credentials given cannot be used: " .. reason,
      settings)
  end
  keyring.provider = provider
  return provider
end

--- The keys of this moment.
---@param settings table its keyring keeps the provider
---@param io sagemaker.ProviderIo as from provider_io
---@param deadline? number in the clock of the client's transport
---@return sagemaker.Credentials|nil keys
---@return string|nil message
---@return sagemaker.Error|nil err kind "credentials"
function M.credentials(settings, io, deadline)
  local keyring = settings.keyring
  local provider = keyring.provider
  if not provider then
    local message, err
    provider, message, err = provider_of(keyring, settings)
    if not provider then return nil, message, err end
  end
  local keys, reason, broken = provider:get(io, deadline)
  if keys then return keys end
  return fail(broken and "InvalidCredentials" or "NoCredentials",
    "no usable credentials: " .. tostring(reason), settings)
end

local function is_same(a, b)
  return a.access_key_id == b.access_key_id and a.secret_access_key == b.secret_access_key
    and a.session_token == b.session_token
end

--- The signer for the keys of this moment; a new one only when they are others.
---@param settings table its keyring keeps the provider, its route the signer
---@param io sagemaker.ProviderIo as from provider_io
---@param deadline? number in the clock of the client's transport
---@return userdata|nil signer
---@return string|nil message
---@return sagemaker.Error|nil err kind "credentials"
function M.signer(settings, io, deadline)
  local keys, message, err = M.credentials(settings, io, deadline)
  if not keys then return nil, message, err end
  local route = settings.route
  local known = route.keys
  if known == keys or known and is_same(known, keys) then return route.signer end
  route.signer = core.signer {
    access_key_id = keys.access_key_id,
    secret_access_key = keys.secret_access_key,
    session_token = keys.session_token,
    region = route.endpoint.signing_region,
    service = route.endpoint.signing_name,
  }
  route.keys = keys
  return route.signer
end

return M
