--- JSON documents that hold credentials: what processes and metadata services answer, what cache
-- files keep. They are read without trust, and no message repeats what they hold.

local M = {}

-- No such document is longer.
M.MAX_BYTES = 64 * 1024

local function without_nulls(value, null)
  if type(value) ~= "table" then return value end
  for key, inner in pairs(value) do
    if inner == null then value[key] = nil else without_nulls(inner, null) end
  end
  return value
end

--- Reads a JSON object. Members that are null are left out.
---@param text string
---@return table|nil document
---@return string|nil message fit to follow "the answer": "is not JSON"
function M.decode(text)
  if #text > M.MAX_BYTES then return nil, ("is longer than %d bytes"):format(M.MAX_BYTES) end
  local cjson = require "cjson"
  local ok, document = pcall(cjson.decode, text)
  -- cjson stops at a NUL as if the text ended there.
  if not ok or text:find("\0", 1, true) then return nil, "is not JSON" end
  if type(document) ~= "table" or text:find("^%s*%[") then return nil, "is not a JSON object" end
  return without_nulls(document, cjson.null)
end

--- A member that is a text and not empty.
---@param document table
---@param name string
---@return string|nil
function M.text(document, name)
  local value = document[name]
  return type(value) == "string" and value ~= "" and value or nil
end

--- The names of the members that are no text.
---@param document table
---@param names string[]
---@return string|nil "a, b", nil when all are there
function M.missing(document, names)
  local missing = {}
  for _, name in ipairs(names) do
    if not M.text(document, name) then missing[#missing + 1] = name end
  end
  return missing[1] and table.concat(missing, ", ") or nil
end

--- A point in time as such documents have it: ISO 8601, also with the "UTC" of old SSO caches.
---@param text any
---@return number|nil epoch seconds
function M.time(text)
  if type(text) ~= "string" then return nil end
  return (require("sagemaker.core").time.parse((text:gsub("UTC$", "Z"))))
end

--- Four members, and an expiry where there is one, as credentials.
---@param document table
---@param names {id: string, secret: string, token: string, expiration: string, account?: string}
---@param source string
---@return sagemaker.Credentials|nil
---@return string|nil message
function M.credentials(document, names, source)
  local missing = M.missing(document, { names.id, names.secret })
  if missing then return nil, "has no " .. missing end
  local expiration, expires_at = document[names.expiration], nil
  if expiration ~= nil then
    expires_at = M.time(expiration)
    if not expires_at then return nil, ("has an %s that is not a time"):format(names.expiration) end
  end
  local credentials, reason = require("sagemaker.credentials.value").new({
    access_key_id = document[names.id],
    secret_access_key = document[names.secret],
    session_token = M.text(document, names.token),
    expires_at = expires_at,
    account_id = names.account and M.text(document, names.account),
  }, source)
  if not credentials then return nil, "cannot be used: " .. reason end
  return credentials
end

--- A message of somebody else without the secrets that were told to them.
---@param message any
---@param ... string|nil the secrets
---@return string
function M.scrub(message, ...)
  local text = tostring(message)
  for i = 1, select("#", ...) do
    local secret = select(i, ...)
    if type(secret) == "string" and secret ~= "" then
      local from, to = text:find(secret, 1, true)
      while from do
        text = text:sub(1, from - 1) .. "…" .. text:sub(to + 1)
        from, to = text:find(secret, from + 3, true)
      end
    end
  end
  return text
end

--- The document in a cache file.
---@param io sagemaker.Env
---@param path string
---@return table|nil document
---@return string|nil message nil where there is no such file
function M.read(io, path)
  local bytes, message = require("sagemaker.profiles").read(io, path, M.MAX_BYTES)
  if not bytes then return nil, message end
  local document
  document, message = M.decode(bytes)
  if not document then return nil, ("%s %s"):format(path, message) end
  return document
end

--- Replaces a cache file.
---@param io sagemaker.Env
---@param path string
---@param document table
---@return boolean|nil ok
---@return string|nil message
function M.write(io, path, document)
  return io.replace(path, require("cjson").encode(document))
end

return M
