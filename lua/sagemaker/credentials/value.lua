--- Credentials as a value: a table of keys that does not show them when it is printed.

local M = {}

---@class sagemaker.Credentials
---@field access_key_id string
---@field secret_access_key string
---@field session_token? string
---@field expires_at? number epoch seconds
---@field account_id? string
---@field refresh_at? number epoch seconds: when to ask for newer ones, if not near the expiry
---@field source string where they come from, "environment"

local Credentials = {}
Credentials.__index = Credentials
Credentials.__name = "sagemaker.credentials"

function Credentials.__tostring(self)
  return ("credentials …%s (%s)"):format(self.access_key_id:sub(-4), self.source)
end

local FIELDS = { "access_key_id", "secret_access_key", "session_token", "account_id" }

-- What cannot be signed with: the characters of a request's headers, and what parts the scope.
local function odd(name, value)
  if value:find("%c") then return name .. " holds a control character" end
  if value:find("[\128-\255]") then return name .. " holds a character beyond ASCII" end
  if name == "account_id" then return nil end
  if value:find(" ", 1, true) then return name .. " holds a blank" end
  return name == "access_key_id" and value:find("/", 1, true) and name .. " holds a /" or nil
end

-- What is wrong with a set of keys, without a word of what they hold.
local function complaint(keys)
  for i, name in ipairs(FIELDS) do
    local value = keys[name]
    if value == nil and i <= 2 then return name .. " is missing" end
    if value ~= nil and type(value) ~= "string" then
      return ("%s must be a string, not %s"):format(name, type(value))
    end
    if value == "" and i <= 2 then return name .. " is empty" end
    local reason = value and odd(name, value)
    if reason then return reason end
  end
  local expires_at = keys.expires_at
  if expires_at ~= nil and type(expires_at) ~= "number" then
    return ("expires_at must be a number of epoch seconds, not %s"):format(type(expires_at))
  end
  return nil
end

--- Checks keys and makes a value of their own from them; the caller's table is left alone.
---@param keys table
---@param source string
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason why the keys cannot be used; holds no secret
function M.new(keys, source)
  local reason = complaint(keys)
  if reason then return nil, reason end
  return setmetatable({
    access_key_id = keys.access_key_id,
    secret_access_key = keys.secret_access_key,
    session_token = keys.session_token ~= "" and keys.session_token or nil,
    expires_at = keys.expires_at,
    account_id = keys.account_id,
    source = keys.source or source,
  }, Credentials)
end

return M
