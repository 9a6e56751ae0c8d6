--- Credentials that the program gives as they are.

local value = require "sagemaker.credentials.value"

local M = {}

local Static = {}
Static.__index = Static
Static.__name = "sagemaker.credentials.static"
Static.name = "options"

--- The same credentials each time.
---@return sagemaker.Credentials
function Static:get()
  return self.credentials
end

function Static:__tostring()
  return tostring(self.credentials)
end

--- A provider of fixed keys.
---@param keys table access_key_id, secret_access_key; session_token, expires_at, account_id
---@return sagemaker.CredentialProvider|nil provider
---@return string|nil reason
function M.new(keys)
  local credentials, reason = value.new(keys, "options")
  if not credentials then return nil, reason end
  return setmetatable({ credentials = credentials }, Static)
end

return M
