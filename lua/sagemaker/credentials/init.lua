--- Where a client's keys come from: what the program gives, else a chain of providers.
--
-- A provider is a table with `get(self, io)`, which answers credentials, or nil and the reason why
-- it does not apply. A third value, true, says that it would apply but is broken (half of the keys
-- are set): then the chain stops, because other keys than those meant must not be used quietly.

local M = {}

---@class sagemaker.CredentialProvider
---@field name string what messages call it
---@field get fun(self: table, io: sagemaker.Env): sagemaker.Credentials?, string?, boolean?

local Chain = {}
Chain.__index = Chain
Chain.__name = "sagemaker.credentials.chain"
Chain.name = "chain"

--- The first credentials that a provider has.
---@param io sagemaker.Env
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason what each provider said
---@return boolean|nil broken
function Chain:get(io)
  local reasons = {}
  for i, provider in ipairs(self.providers) do
    local credentials, reason, broken = provider:get(io)
    if credentials then return credentials end
    reasons[i] = ("%s: %s"):format(provider.name or "provider", reason or "no reason given")
    if broken then return nil, reasons[i], true end
  end
  return nil, table.concat(reasons, "; ")
end

--- A provider that asks others in order.
---@param providers sagemaker.CredentialProvider[]
---@return sagemaker.CredentialProvider
function M.chain(providers)
  return setmetatable({ providers = providers }, Chain)
end

--- What is tried when a program gives no credentials.
---@return sagemaker.CredentialProvider
function M.default()
  local cache = require "sagemaker.credentials.cache"
  return cache.new(M.chain { require("sagemaker.credentials.environment").new() })
end

--- The provider that a `credentials` option means: keys, a function, a provider.
---@param option table|function|false|nil
---@return sagemaker.CredentialProvider|nil provider
---@return string|nil reason
function M.from(option)
  if not option then return M.default() end
  if type(option) == "function" then
    local callback = require "sagemaker.credentials.callback"
    return require("sagemaker.credentials.cache").new(callback.new(option))
  end
  if type(option.get) == "function" then return option end
  return require("sagemaker.credentials.static").new(option)
end

return M
