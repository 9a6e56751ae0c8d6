--- The shared files `~/.aws/config` and `~/.aws/credentials` of a user: found, read and parsed once
-- for each table of injected functions (so once a client), and seen as one set of profiles.
--- https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html

local M = {}

---@class sagemaker.Profiles
---@field config {profiles: table, sso_sessions: table, services: table} the configuration file
---@field credentials {profiles: table} the credentials file
---@field profiles table<string, table> both: properties of the credentials file win
---@field sso_sessions table<string, table>
---@field services table<string, table>
---@field config_path string
---@field credentials_path string
---@field notes string[] files that are there but not for this user: passed over

-- A file of configuration is never this long.
local MAX_BYTES = 16 * 1024 * 1024
local CHUNK = 65536

-- Under this key of its own, a table of injected functions keeps what was read through it. Tables
-- that inherit from that one see it too.
local KEY = {}

local function variable(io, name)
  local value = io.getenv(name)
  return value ~= "" and value or nil
end

--- The user's home folder, or nil.
---@param io sagemaker.Env
---@return string|nil
function M.home(io)
  local home = variable(io, "HOME") or variable(io, "USERPROFILE")
  if home then return home end
  local drive, path = variable(io, "HOMEDRIVE"), variable(io, "HOMEPATH")
  return drive and path and drive .. path or nil
end

--- A path with its leading "~" replaced by the home folder.
---@param io sagemaker.Env
---@param path string
---@return string
function M.expand(io, path)
  if path ~= "~" and not path:find("^~[/\\]") then return path end
  local home = M.home(io)
  return home and home .. path:sub(2) or path
end

--- Where the two files are.
---@param io sagemaker.Env
---@return string config
---@return string credentials
function M.paths(io)
  return M.expand(io, variable(io, "AWS_CONFIG_FILE") or "~/.aws/config"),
    M.expand(io, variable(io, "AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials")
end

--- Which profile is meant: the option, AWS_DEFAULT_PROFILE or AWS_PROFILE (in botocore's order),
-- else "default".
---@param io sagemaker.Env
---@param option? string
---@return string name
---@return string|nil source "option" or the name of the variable; nil when nobody named one
function M.name(io, option)
  if option then return option, "option" end
  for _, name in ipairs { "AWS_DEFAULT_PROFILE", "AWS_PROFILE" } do
    local value = variable(io, name)
    if value then return value, name end
  end
  return "default", nil
end

-- What a failed open says about a file that is not there, in C's own words (ENOENT, ENOTDIR).
local function is_absent(message, code)
  return code == 2 or code == 20
    or code == nil and (message == nil or message:find("No such file", 1, true) ~= nil)
end

-- EACCES, EPERM.
local function is_forbidden(message, code)
  return code == 13 or code == 1
    or code == nil and message ~= nil and message:find("Permission denied", 1, true) ~= nil
end

-- Up to `max` bytes of a file, and one more where it is longer.
local function read_all(file, max)
  local chunks, size = {}, 0
  repeat
    local wanted = math.min(CHUNK, max + 1 - size)
    local chunk, message = file:read(wanted)
    if not chunk and message then return nil, message end
    chunks[#chunks + 1] = chunk
    size = size + #(chunk or "")
  until not chunk or #chunk < wanted or size > max
  return table.concat(chunks)
end

--- The bytes of a file that may be missing.
---@param io sagemaker.Env
---@param path string
---@param max? integer bytes; default 16 MiB
---@return string|nil bytes
---@return string|nil message what went wrong; nil where there simply is no such file
---@return boolean|nil is_forbidden true where this user may not read it
function M.read(io, path, max)
  max = max or MAX_BYTES
  local file, message, code = io.open(path, "rb")
  if not file then
    if is_absent(message, code) then return nil end
    return nil, tostring(message), is_forbidden(message, code)
  end
  local bytes
  bytes, message = read_all(file, max)
  file:close()
  if not bytes then return nil, ("%s: %s"):format(path, message) end
  if #bytes > max then return nil, ("%s is longer than %d bytes"):format(path, max) end
  return bytes
end

-- A file in its usual place that this user may not read counts as missing, with a note: a service
-- that gave up its rights still has the HOME of root. One that a variable names must be readable.
local function parse(io, path, named_by, notes)
  local bytes, message, forbidden = M.read(io, path)
  if message then
    if variable(io, named_by) then return nil, ("%s: %s"):format(named_by, message) end
    if not forbidden then return nil, message end
    notes[#notes + 1] = message
  end
  return require("sagemaker.ini").parse(bytes or "", path, named_by ~= "AWS_CONFIG_FILE")
end

local function merge(config, credentials)
  local merged = {}
  for _, profiles in ipairs { config, credentials } do
    for name, properties in pairs(profiles) do
      local profile = merged[name] or {}
      merged[name] = profile
      for key, value in pairs(properties) do profile[key] = value end
    end
  end
  return merged
end

local function read(io)
  local config_path, credentials_path = M.paths(io)
  local notes = {}
  local config, message = parse(io, config_path, "AWS_CONFIG_FILE", notes)
  if not config then return nil, message end
  local credentials
  credentials, message = parse(io, credentials_path, "AWS_SHARED_CREDENTIALS_FILE", notes)
  if not credentials then return nil, message end
  return {
    config = config,
    config_path = config_path,
    credentials = credentials,
    credentials_path = credentials_path,
    notes = notes,
    profiles = merge(config.profiles, credentials.profiles),
    services = config.services,
    sso_sessions = config.sso_sessions,
  }
end

--- Both files, parsed. A file that does not exist is an empty one; one that cannot be read or
-- parsed is an error. What was found out is kept in `io`: the answer is the same table each time.
---@param io sagemaker.Env
---@return sagemaker.Profiles|nil
---@return string|nil message with the path, and the line that is malformed
function M.load(io)
  local known = io[KEY]
  if not known then
    local view, message = read(io)
    known = { view = view, message = message }
    rawset(io, KEY, known)
  end
  return known.view, known.message
end

return M
