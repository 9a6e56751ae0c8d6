--- Keys for a role that is assumed with a web identity token, as a Kubernetes pod has one.
--- https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html

local profile = require "sagemaker.credentials.profile"
local profiles = require "sagemaker.profiles"
local sts = require "sagemaker.credentials.sts"

local M = {}

local WebIdentity = {}
WebIdentity.__index = WebIdentity
WebIdentity.__name = "sagemaker.credentials.web_identity"
WebIdentity.name = "assume-role-with-web-identity"

-- STS takes no longer token.
local MAX_TOKEN = 20000

local VARIABLES = {
  role_arn = "AWS_ROLE_ARN",
  role_session_name = "AWS_ROLE_SESSION_NAME",
  web_identity_token_file = "AWS_WEB_IDENTITY_TOKEN_FILE",
}

-- A setting: the environment's, unless this provider is not to look there, else the profile's.
local function setting(self, io, properties, name)
  local found = not self.no_environment and io.getenv(VARIABLES[name]) or nil
  if found and found ~= "" then return found end
  return profile.text(properties, name)
end

local function token_of(io, path)
  local token, message = profiles.read(io, profiles.expand(io, path), MAX_TOKEN)
  if not token then return nil, message or ("the token file %s does not exist"):format(path) end
  if token == "" then return nil, ("the token file %s is empty"):format(path) end
  return token
end

--- Assumes the role with the token that the file holds at this moment.
---@param io sagemaker.ProviderIo
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken
function WebIdentity:get(io)
  local view, message = profiles.load(io)
  if not view then return nil, message, true end
  local properties = view.profiles[self.profile] or {}
  local path = setting(self, io, properties, "web_identity_token_file")
  if not path then return nil, "no web_identity_token_file" end
  local role = setting(self, io, properties, "role_arn")
  if not role then
    return nil, "there is a web identity token file, but neither role_arn nor AWS_ROLE_ARN", true
  end
  local token
  token, message = token_of(io, path)
  if not token then return nil, message, true end
  return sts.assume(io, "AssumeRoleWithWebIdentity", {
    RoleArn = role,
    RoleSessionName = setting(self, io, properties, "role_session_name")
      or sts.session_name(self, io),
    WebIdentityToken = token,
  }, nil, self.name)
end

--- A provider for a profile and the environment.
---@param options {profile: string, no_environment: boolean|nil} no_environment: the profile only
---@return sagemaker.CredentialProvider
function M.new(options)
  return setmetatable({ no_environment = options.no_environment, profile = options.profile },
    WebIdentity)
end

return M
