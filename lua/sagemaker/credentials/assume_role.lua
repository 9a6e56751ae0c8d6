--- Keys for a role that a profile names, asked for with the keys of another profile or source.
--- https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html

local cache = require "sagemaker.credentials.cache"
local profile = require "sagemaker.credentials.profile"
local profiles = require "sagemaker.profiles"
local sts = require "sagemaker.credentials.sts"

local M = {}

local AssumeRole = {}
AssumeRole.__index = AssumeRole
AssumeRole.__name = "sagemaker.credentials.assume_role"
AssumeRole.name = "assume-role"

local SOURCES = {
  ec2instancemetadata = "sagemaker.credentials.imds",
  ecscontainer = "sagemaker.credentials.container",
  environment = "sagemaker.credentials.environment",
}

-- A profile with a token file as well is one for web identity.
local function names_role(properties)
  return profile.text(properties, "role_arn") and not properties.web_identity_token_file
end

local function has_keys(properties)
  return properties.aws_access_key_id ~= nil or properties.aws_secret_access_key ~= nil
end

local function broken(format, ...)
  return nil, format:format(...), true
end

-- Credentials that somebody else provides, for the name in credential_source.
local function from_source(self, name)
  local module = SOURCES[name:lower()]
  if not module then
    return broken("profile %q: credential_source %q is none of Environment, Ec2InstanceMetadata, "
      .. "EcsContainer", self.profile, name)
  end
  return require(module).new { profile = self.profile }
end

-- Names of visited profiles, for the message about a loop.
local function trail(visited, last)
  local names = {}
  for i, name in ipairs(visited) do names[i] = name end
  names[#names + 1] = last
  return table.concat(names, " -> ")
end

local function is_visited(visited, name)
  for _, seen in ipairs(visited) do
    if seen == name then return true end
  end
  return false
end

-- The provider of a source profile. A profile may name itself where it has keys.
local function from_profile(self, view, name)
  local properties = view.profiles[name]
  if not properties then
    return broken("the source_profile %q of profile %q does not exist", name, self.profile)
  end
  if is_visited(self.visited, name) and (name ~= self.profile or not has_keys(properties)) then
    return broken("the profiles lead in a circle: %s", trail(self.visited, name))
  end
  if has_keys(properties) or not names_role(properties) then
    return self.of_profile { profile = name, prompt = self.prompt, no_environment = true }
  end
  return M.new { of_profile = self.of_profile, profile = name, prompt = self.prompt,
    visited = self.visited }
end

-- The provider of the keys that the role is asked for with, kept in a cache of its own.
local function source_of(self, view, properties)
  if self.source then return self.source end
  local source_profile = profile.text(properties, "source_profile")
  local credential_source = profile.text(properties, "credential_source")
  if source_profile and credential_source then
    return broken("profile %q has both source_profile and credential_source", self.profile)
  end
  local provider, reason
  if source_profile then
    provider, reason = from_profile(self, view, source_profile)
  elseif credential_source then
    provider, reason = from_source(self, credential_source)
  else
    return broken("profile %q has role_arn, but neither source_profile nor credential_source",
      self.profile)
  end
  if not provider then return nil, reason, true end
  self.source = cache.new(provider)
  return self.source
end

local function code_of(self, serial)
  if not self.prompt then
    return broken("profile %q needs a code of the MFA device %s: give the option mfa_prompt",
      self.profile, serial)
  end
  local ok, code = pcall(self.prompt, serial)
  if not ok then return broken("mfa_prompt failed: %s", tostring(code)) end
  if type(code) ~= "string" or code == "" then return broken("mfa_prompt gave no code") end
  return code
end

local function params_of(self, io, properties)
  local params = {
    RoleArn = profile.text(properties, "role_arn"),
    RoleSessionName = profile.text(properties, "role_session_name") or sts.session_name(self, io),
    ExternalId = profile.text(properties, "external_id"),
    SerialNumber = profile.text(properties, "mfa_serial"),
  }
  local duration = profile.text(properties, "duration_seconds")
  if duration then
    if not duration:find("^%d+$") or #duration > 9 then
      return broken("profile %q: duration_seconds is %q, not a whole number", self.profile,
        duration)
    end
    params.DurationSeconds = tonumber(duration)
  end
  return params
end

local function assume(self, io, properties, keys)
  local params, reason = params_of(self, io, properties)
  if not params then return nil, reason, true end
  if params.SerialNumber then
    params.TokenCode, reason = code_of(self, params.SerialNumber)
    if not params.TokenCode then return nil, reason, true end
  end
  return sts.assume(io, "AssumeRole", params, keys, self.name)
end

--- Assumes the role of the profile.
---@param io sagemaker.ProviderIo
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken
function AssumeRole:get(io)
  local view, message = profiles.load(io)
  if not view then return nil, message, true end
  local properties = view.profiles[self.profile] or {}
  if not names_role(properties) then
    return nil, ("profile %q has no role_arn"):format(self.profile)
  end
  local source, reason = source_of(self, view, properties)
  if not source then return nil, reason, true end
  local keys
  keys, reason = source:get(io)
  if not keys then
    return broken("no credentials to assume the role of profile %q with: %s", self.profile,
      tostring(reason))
  end
  return assume(self, io, properties, keys)
end

--- A provider for the role of a profile.
---@param options table profile; prompt, a function that gets the serial number of an MFA device and
---   answers its code; of_profile, a function that gets options and answers the provider of a
---   profile without a role; visited, the profiles on the way here
---@return sagemaker.CredentialProvider
function M.new(options)
  local visited = {}
  for i, name in ipairs(options.visited or {}) do visited[i] = name end
  visited[#visited + 1] = options.profile
  return setmetatable({
    of_profile = options.of_profile,
    profile = options.profile,
    prompt = options.prompt,
    source = false,
    visited = visited,
  }, AssumeRole)
end

return M
