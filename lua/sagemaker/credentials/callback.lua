--- Credentials from a function of the program.

local errors = require "sagemaker.error"
local value = require "sagemaker.credentials.value"

local M = {}

local Callback = {}
Callback.__index = Callback
Callback.__name = "sagemaker.credentials.callback"
Callback.name = "function"

--- Calls the function. What it throws becomes the reason, unless its task was cancelled.
---@param io sagemaker.Env handed to the function
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken true: a function was given, so nothing else is tried
function Callback:get(io)
  local ok, keys, reason = pcall(self.fn, io)
  if not ok and errors.is(keys) and keys.kind == "cancelled" then error(keys, 0) end
  if not ok then return nil, "the function failed: " .. tostring(keys), true end
  if keys == nil or keys == false then
    reason = reason and ": " .. tostring(reason) or ""
    return nil, "the function answered nothing" .. reason, true
  end
  if type(keys) ~= "table" then
    return nil, "the function answered a " .. type(keys) .. ", not a table of keys", true
  end
  local credentials
  credentials, reason = value.new(keys, self.name)
  return credentials, reason, reason and true
end

--- A provider that calls `fn`.
---@param fn fun(io: sagemaker.Env): table|nil, string|nil keys (expires_at in epoch seconds), or
---   nil and why there are none
---@return sagemaker.CredentialProvider
function M.new(fn)
  return setmetatable({ fn = fn }, Callback)
end

return M
