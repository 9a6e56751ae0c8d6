--- The lower layers of the settings: the profile in the shared files, and built-in defaults. Loaded
-- when settings are completed, which is mostly at the first call.

local errors = require "sagemaker.error"

local M = {}

local function fail(code, message)
  return errors.fail { kind = "config", code = code, message = message, retryable = false }
end

-- "there is no profile …" with those that there are.
local function no_profile(view, name, source)
  local known = {}
  for other in pairs(view.profiles) do known[#known + 1] = other end
  table.sort(known)
  local hint = errors.hint(name, known)
  local rest = #known - 20
  for i = #known, 21, -1 do known[i] = nil end
  return fail("ProfileNotFound", ("there is no profile %q (%s) in %s or %s%s; %s"):format(name,
    source, view.config_path, view.credentials_path, hint,
    #known == 0 and "they have no profiles" or "known profiles: " .. table.concat(known, ", ")
    .. (rest > 0 and (" and %d more"):format(rest) or "")))
end

-- The profile as the shared files have it, and where each of its properties is.
local function profile_of(settings)
  local profiles = require "sagemaker.profiles"
  local view, message = profiles.load(settings.io)
  if not view then return fail("InvalidConfigFile", message) end
  local option = settings.profile_source == "option" and settings.profile or nil
  local name, source = profiles.name(settings.io, option)
  settings.profile, settings.profile_source = name, source
  local profile = view.profiles[name]
  if not profile and source then return no_profile(view, name, source) end
  profile = profile or {}
  local in_credentials = view.credentials.profiles[name] or {}
  local function source_of(property)
    return ("%s of the profile %q in %s"):format(property, name,
      in_credentials[property] ~= nil and view.credentials_path or view.config_path)
  end
  return { properties = profile, source_of = source_of, view = view }
end

-- The URL for a service in the section that `services = NAME` refers to, else the profile's own.
local function profile_url(settings, profile)
  local properties = profile.properties
  local section = properties.services
  if section then
    local services = type(section) == "string" and profile.view.services[section]
    if not services then
      return nil, nil, ("%s: there is no section [services %s]"):format(
        profile.source_of "services", tostring(section):sub(1, 60))
    end
    local own = services[settings.service:lower():gsub("[ -]", "_")]
    local url = type(own) == "table" and own.endpoint_url
    if url and url ~= "" then return url, ("endpoint_url of [services %s]"):format(section) end
  end
  return properties.endpoint_url, profile.source_of "endpoint_url"
end

-- The value of a setting in the profile, its source, and what is wrong with it.
local function from_profile(settings, name, profile, layer)
  local row = layer.rows[name]
  local value, source, problem = profile.properties[row.property], nil, nil
  if name == "endpoint_url" then
    value, source, problem = profile_url(settings, profile)
  end
  if problem or value == nil or value == "" then return nil, nil, problem end
  source = source or profile.source_of(row.property)
  if type(value) ~= "string" then return nil, nil, source .. " must be a text" end
  local parsed
  parsed, problem = layer.read(row, value, source)
  return parsed, source, problem
end

-- Takes from the profile what is still left.
local function fill(settings, left, layer)
  local profile, message, err = profile_of(settings)
  if not profile then return nil, message, err end
  for _, name in ipairs(left) do
    local is_url = name == "endpoint_url"
    if not (is_url and settings.ignore_endpoint_urls) and settings[name] == nil then
      local value, source, problem = from_profile(settings, name, profile, layer)
      if problem then return fail("InvalidSetting", problem) end
      if value ~= nil then
        local ok
        ok, message, err = layer.put(settings, name, value, source)
        if not ok then return nil, message, err end
      end
    end
  end
  return profile
end

-- AWS_DEFAULTS_MODE=auto: "in-region" or "cross-region" where the environment tells in which region
-- this runs, else "standard". Instance metadata is not asked: that takes longer than a good timeout
-- saves.
local function automatic(settings)
  local function variable(name)
    local value = settings.io.getenv(name)
    return value ~= "" and value or nil
  end
  local here = variable "AWS_EXECUTION_ENV" and (variable "AWS_REGION"
    or variable "AWS_DEFAULT_REGION")
  if not here then return "standard" end
  return here == settings.region and "in-region" or "cross-region"
end

-- What no layer says. libcurl's limit for a connection covers the TLS handshake too.
local function default(settings)
  local mode, timeouts = settings.defaults_mode, settings.timeouts
  if mode == "auto" then mode = automatic(settings) end
  local row = mode and mode ~= "legacy" and require("sagemaker.model.defaults_modes")[mode]
  if row then
    timeouts.connect = timeouts.connect
      or (row.connectTimeoutInMillis + row.tlsNegotiationTimeoutInMillis) / 1000
    settings.retry_mode = settings.retry_mode or row.retryMode
  end
  timeouts.connect = timeouts.connect or 60
  settings.retry_mode = settings.retry_mode or "standard"
  settings.use_dualstack = settings.use_dualstack or false
  settings.use_fips = settings.use_fips or false
  if settings.ignore_endpoint_urls and settings.sources.endpoint_url ~= "option" then
    settings.endpoint_url, settings.sources.endpoint_url = nil, nil
  end
  -- A URL beats FIPS and dual stack, as in AWS's own clients.
  if settings.endpoint_url then settings.use_fips, settings.use_dualstack = false, false end
  settings.left, settings.is_complete = nil, true
end

local function no_region(settings, profile)
  local place, notes = "", profile and profile.view.notes
  if profile then
    place = (", or put region = … into the profile %q of %s"):format(settings.profile,
      profile.view.config_path)
  end
  notes = notes and notes[1] and (" (%s)"):format(table.concat(notes, "; ")) or ""
  return fail("NoRegion", "no region: give the option region, set AWS_REGION" .. place .. notes)
end

--- Takes from the profile what `settings.left` names, and settles the rest.
---@param settings table
---@param layer {rows: table, read: function, put: function} of sagemaker.config
---@return true|nil ok
---@return string|nil message
---@return sagemaker.Error|nil err kind "config"
function M.complete(settings, layer)
  local profile
  if #settings.left > 0 then
    local message, err
    profile, message, err = fill(settings, settings.left, layer)
    if not profile then return nil, message, err end
  end
  if not settings.region then return no_region(settings, profile) end
  default(settings)
  return true
end

return M
