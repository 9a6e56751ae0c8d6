--- Where a client's keys come from: what the program gives, else a chain of providers.
--
-- A provider is a table with `get(self, io)`, which answers credentials, or nil and the reason why
-- it does not apply. A third value, true, says that it would apply but is broken (half of the keys
-- are set): then the chain stops, because other keys than those meant must not be used quietly.

local profiles = require "sagemaker.profiles"

local M = {}

---@class sagemaker.CredentialProvider
---@field name string what messages call it
---@field get fun(self: table, io: sagemaker.Env): sagemaker.Credentials?, string?, boolean?

local Chain = {}
Chain.__index = Chain
Chain.__name = "sagemaker.credentials.chain"
Chain.name = "chain"

--- The first credentials that a provider has. Who had some is asked first the next time: new keys
-- come from where the old ones came from.
---@param io sagemaker.Env
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason what each provider said
---@return boolean|nil broken
function Chain:get(io)
  if self.found then
    local credentials, reason, broken = self.found:get(io)
    if credentials then return credentials end
    if broken then return nil, ("%s: %s"):format(self.found.name or "provider", reason), true end
  end
  local reasons = {}
  for i, provider in ipairs(self.providers) do
    local credentials, reason, broken = provider:get(io)
    if credentials then
      self.found = provider
      return credentials
    end
    reasons[i] = ("%s: %s"):format(provider.name or "provider", reason or "no reason given")
    if broken then return nil, reasons[i], true end
  end
  return nil, table.concat(reasons, "; ")
end

--- A provider that asks others in order.
---@param providers sagemaker.CredentialProvider[]
---@return sagemaker.CredentialProvider
function M.chain(providers)
  return setmetatable({ found = false, providers = providers }, Chain)
end

-- A provider that is loaded when it is first asked.
local function lazy(module, make, options)
  return {
    name = module,
    get = function(self, io)
      local provider = self.provider
      if not provider then
        provider = require("sagemaker.credentials." .. module)[make](options)
        self.provider, self.name = provider, provider.name
      end
      return provider:get(io)
    end,
  }
end

-- A profile that somebody named must be there.
local Named = { name = "profile" }
Named.__index = Named
Named.__name = "sagemaker.credentials.named"

function Named:get(io)
  local view, message = profiles.load(io)
  if not view then return nil, message, true end
  if not view.profiles[self.profile] then
    return nil, ("there is no profile %q (%s) in %s or %s"):format(self.profile, self.source,
      view.config_path, view.credentials_path), true
  end
  return nil, "it exists"
end

-- What a profile can hold besides a role, in botocore's order.
local function in_profile(options)
  return {
    lazy("web_identity", "new", options),
    lazy("sso", "new", options),
    lazy("profile", "shared", options),
    lazy("login", "new", options),
    lazy("process", "new", options),
    lazy("profile", "config", options),
  }
end

local function of_profile(options)
  return M.chain(in_profile(options))
end

-- The providers for a profile: `source` is "option", the name of a variable, or nil when nobody
-- named one. A profile that the program names beats keys in the environment.
local function providers_of(name, source, prompt)
  local is_option = source == "option"
  local options = { no_environment = is_option, profile = name, prompt = prompt }
  local list = {}
  if not is_option then list[1] = require("sagemaker.credentials.environment").new() end
  if source then
    list[#list + 1] = setmetatable({ profile = name, source = source }, Named)
  end
  list[#list + 1] = lazy("assume_role", "new", { of_profile = of_profile, profile = name,
    prompt = prompt })
  for _, provider in ipairs(in_profile(options)) do list[#list + 1] = provider end
  list[#list + 1] = lazy("container", "new", options)
  list[#list + 1] = lazy("imds", "new", options)
  return list
end

--- The providers that `default` asks, in their order, for one who wants to know what each says.
---@param io sagemaker.Env
---@param settings {profile?: string, profile_source?: string, mfa_prompt?: function}
---@return sagemaker.CredentialProvider[]
function M.providers(io, settings)
  local name, source = settings.profile, settings.profile_source
  if not name then name, source = profiles.name(io) end
  return providers_of(name, source, settings.mfa_prompt)
end

local Default = {}
Default.__index = Default
Default.__name = "sagemaker.credentials.default"
Default.name = "default"

function Default:get(io)
  local chain = self.chain
  if not chain then
    local name, source = self.profile, self.source
    if not name then name, source = profiles.name(io) end
    chain = M.chain(providers_of(name, source, self.prompt))
    self.chain = chain
  end
  return chain:get(io)
end

--- What is tried when a program gives no credentials, in botocore's order: environment, the role of
-- the profile, web identity, SSO, credentials file, `aws login`, process, configuration file,
-- container, instance metadata.
---@param settings? table profile, profile_source, mfa_prompt
---@return sagemaker.CredentialProvider
function M.default(settings)
  settings = settings or {}
  local provider, shared = setmetatable({
    chain = false,
    profile = settings.profile,
    prompt = settings.mfa_prompt,
    source = settings.profile_source,
  }, Default), settings.shared
  if shared then provider = shared:provider(provider, "profile", settings.profile) end
  return require("sagemaker.credentials.cache").new(provider)
end

--- The provider that a `credentials` option means: keys, a function, a provider.
---@param option table|function|false|nil
---@param settings? table as for `default`
---@return sagemaker.CredentialProvider|nil provider
---@return string|nil reason
function M.from(option, settings)
  if not option then return M.default(settings) end
  if type(option) == "function" then
    local provider = require("sagemaker.credentials.callback").new(option)
    local shared = settings and settings.shared
    if shared then provider = shared:provider(provider, "function") end
    return require("sagemaker.credentials.cache").new(provider)
  end
  if type(option.get) == "function" then return option end
  return require("sagemaker.credentials.static").new(option)
end

return M
