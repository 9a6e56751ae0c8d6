--- Credentials in environment variables.
--- https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html

local value = require "sagemaker.credentials.value"

local M = {}

local Environment = {}
Environment.__index = Environment
Environment.__name = "sagemaker.credentials.environment"
Environment.name = "environment"

--- Reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN (or its old name
-- AWS_SECURITY_TOKEN, which wins as in AWS's own clients), AWS_CREDENTIAL_EXPIRATION,
-- AWS_ACCOUNT_ID. An empty variable counts as unset.
---@param io sagemaker.Env
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken true where the keys are there but cannot be used
function Environment:get(io)
  local function read(name)
    local text = io.getenv(name)
    return text ~= "" and text or nil
  end
  local id, secret = read("AWS_ACCESS_KEY_ID"), read("AWS_SECRET_ACCESS_KEY")
  if not id then
    return nil, secret and "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not"
      or "AWS_ACCESS_KEY_ID is not set"
  end
  if not secret then
    return nil, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not", true
  end
  local expiration, expires_at = read("AWS_CREDENTIAL_EXPIRATION"), nil
  if expiration then
    expires_at = require("sagemaker.core").time.parse(expiration)
    if not expires_at then return nil, "AWS_CREDENTIAL_EXPIRATION is not a time", true end
  end
  local credentials, reason = value.new({
    access_key_id = id,
    secret_access_key = secret,
    session_token = read("AWS_SECURITY_TOKEN") or read("AWS_SESSION_TOKEN"),
    expires_at = expires_at,
    account_id = read("AWS_ACCOUNT_ID"),
  }, self.name)
  return credentials, reason, reason and true
end

--- A provider that looks at the environment.
---@return sagemaker.CredentialProvider
function M.new()
  return setmetatable({}, Environment)
end

return M
