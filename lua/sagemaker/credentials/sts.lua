--- What the providers that ask STS for keys have in common.
--- https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html

local value = require "sagemaker.credentials.value"

local M = {}

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
  local output, message = io.call("sts", operation, params, credentials)
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
