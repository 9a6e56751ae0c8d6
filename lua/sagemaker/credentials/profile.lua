--- Keys that stand in a profile of the shared files.
--- https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html

local profiles = require "sagemaker.profiles"
local value = require "sagemaker.credentials.value"

local M = {}

local Profile = {}
Profile.__index = Profile
Profile.__name = "sagemaker.credentials.profile"

--- The text of a property; nil where it is absent or has nested properties.
---@param properties table<string, string|table>
---@param name string
---@return string|nil
function M.text(properties, name)
  local found = properties[name]
  return type(found) == "string" and found ~= "" and found or nil
end

--- The keys in a set of properties.
---@param properties table<string, string|table>
---@param source string
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken true where only half of the keys are there
function M.keys(properties, source)
  local id = M.text(properties, "aws_access_key_id")
  local secret = M.text(properties, "aws_secret_access_key")
  if not id then return nil, "no aws_access_key_id" end
  if not secret then return nil, "aws_access_key_id without aws_secret_access_key", true end
  local credentials, reason = value.new({
    access_key_id = id,
    secret_access_key = secret,
    session_token = M.text(properties, "aws_security_token")
      or M.text(properties, "aws_session_token"),
    account_id = M.text(properties, "aws_account_id"),
  }, source)
  return credentials, reason, reason and true
end

--- The keys of the profile in this provider's file.
---@param io sagemaker.Env
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken
function Profile:get(io)
  local view, message = profiles.load(io)
  if not view then return nil, message, true end
  local path = view[self.file .. "_path"]
  local properties = view[self.file].profiles[self.profile]
  if not properties then return nil, ("%s has no profile %q"):format(path, self.profile) end
  local credentials, reason, broken = M.keys(properties, self.name)
  if credentials then return credentials end
  return nil, ("profile %q of %s: %s"):format(self.profile, path, reason), broken
end

--- A provider of the keys in the credentials file.
---@param options {profile: string}
---@return sagemaker.CredentialProvider
function M.shared(options)
  return setmetatable({ file = "credentials", name = "shared-credentials-file",
    profile = options.profile }, Profile)
end

--- A provider of the keys in the configuration file.
---@param options {profile: string}
---@return sagemaker.CredentialProvider
function M.config(options)
  return setmetatable({ file = "config", name = "config-file", profile = options.profile }, Profile)
end

return M
