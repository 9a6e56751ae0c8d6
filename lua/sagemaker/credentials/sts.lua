--- What the providers that ask STS for keys have in common.
--- https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html

local value = require "sagemaker.credentials.value"

local M = {}

-- Regions whose requests went to the global endpoint before there were regional ones.
-- https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html
local LEGACY = {}
for region in ([[ap-northeast-1 ap-south-1 ap-southeast-1 ap-southeast-2 aws-global ca-central-1
  eu-central-1 eu-north-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1
  us-west-2]]):gmatch("%S+") do
  LEGACY[region] = true
end

local GLOBAL = { endpoint_url = "https://sts.amazonaws.com", region = "us-east-1" }

local function is_legacy(io)
  local settings = io.settings or {}
  local choice = settings.sts_regional_endpoints or io.getenv("AWS_STS_REGIONAL_ENDPOINTS")
  return choice == "legacy"
end

-- A client without a region, or one that wants the old ways, uses the global endpoint.
local function options_of(io)
  local settings, region = io.settings or {}, io.region
  if settings.use_fips or settings.use_dualstack then return nil end
  if io.getenv("AWS_ENDPOINT_URL_STS") or io.getenv("AWS_ENDPOINT_URL") then return nil end
  if not region or LEGACY[region] and is_legacy(io) then return GLOBAL end
  return nil
end

--- The name of a session that nobody named: when the provider first asked.
---@param provider table keeps it
---@param io sagemaker.Env
---@return string
function M.session_name(provider, io)
  if not provider.session then
    provider.session = ("sagemaker-lua-session-%.0f"):format(math.floor(io.now()))
  end
  return provider.session
end

-- The account in arn:aws:sts::111122223333:assumed-role/…
local function account_of(user)
  return user and user.Arn and user.Arn:match("^arn:[^:]*:[^:]*:[^:]*:(%d+):") or nil
end

--- Asks STS for the keys of a role.
---@param io sagemaker.ProviderIo
---@param operation "AssumeRole"|"AssumeRoleWithWebIdentity"
---@param params table
---@param credentials table|nil who asks
---@param source string
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken
function M.assume(io, operation, params, credentials, source)
  local output, message = io.call("sts", operation, params, credentials, options_of(io))
  if not output then
    return nil, ("%s of %s: %s"):format(operation, params.RoleArn, message), true
  end
  local keys = output.Credentials
  if not keys then return nil, operation .. ": the answer has no credentials", true end
  local found, reason = value.new({
    access_key_id = keys.AccessKeyId,
    secret_access_key = keys.SecretAccessKey,
    session_token = keys.SessionToken,
    expires_at = keys.Expiration,
    account_id = account_of(output.AssumedRoleUser),
  }, source)
  return found, reason, reason and true
end

return M
