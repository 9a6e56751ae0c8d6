--- What `sagemaker doctor` finds out about the configuration: files, profile, and each setting with
-- where it comes from and where else it was looked for.

local config = require "sagemaker.config"
local profiles = require "sagemaker.profiles"

local M = {}

---@class sagemaker.cli.Finding
---@field severity "error"|"warning"
---@field message string what is wrong, and what to do

--- A URL without the password that it may hold.
---@param url string
---@return string
function M.redact(url)
  return (url:gsub("^(%a[%w+.-]*://)[^/@]*@", "%1...@"):gsub("^[^/@]*@", "...@"))
end

-- The settings that are shown, what they are called, and the option of the command line for each.
local SHOWN = {
  { "region", "region", "region" },
  { "endpoint_url", "endpoint URL", "endpoint_url" },
  { "retry_mode", "retry mode" },
  { "max_attempts", "attempts" },
  { "defaults_mode", "defaults mode" },
  { "ca_file", "CA bundle", "ca_bundle" },
  { "use_fips", "FIPS" },
  { "use_dualstack", "dual stack" },
  { "app_id", "application" },
}

local function show(value)
  local text = tostring(value)
  return text:find("://", 1, true) and M.redact(text) or text
end

-- A variable or a property, set or not.
local function tried(source, value)
  if value == "" then value = nil end
  return { source = source, value = value ~= nil and show(value) or nil }
end

-- Every place where a setting may stand, in the order in which they win.
local function places(io, globals, name, option, properties, profile)
  local rows, of = {}, config.SETTINGS[name]
  if option then rows[1] = tried("--" .. option:gsub("_", "-"), globals[option]) end
  for _, variable in ipairs(of) do
    variable = variable:format("SAGEMAKER")
    rows[#rows + 1] = tried(variable, io.getenv(variable))
  end
  local value = properties[of.property]
  rows[#rows + 1] = tried(("%s of the profile %s"):format(of.property, profile),
    type(value) == "string" and value or nil)
  return rows
end

local function value_of(settings, name)
  if name == "ca_file" then return settings.tls.ca_file end
  return settings[name]
end

--- The settings of a client with their sources.
---@param settings table complete ones of sagemaker.config
---@param globals table<string, any> options of the command line
---@param properties table<string, any> of the profile
---@return {name: string, label: string, value?: string, source?: string, tried: table[]}[]
function M.rows(settings, globals, properties)
  local rows = {}
  for i, row in ipairs(SHOWN) do
    local name, option = row[1], row[3]
    local value, source = value_of(settings, name), settings.sources[name]
    if source == "option" then source = option and "--" .. option:gsub("_", "-") or nil end
    rows[i] = {
      name = name, label = row[2], value = value ~= nil and show(value) or nil,
      source = source or (value ~= nil and "default" or nil),
      tried = places(settings.io, globals, name, option, properties, settings.profile or "default"),
    }
  end
  return rows
end

local function file_row(io, path, variable, count)
  local bytes, problem = profiles.read(io, path)
  return { path = path, found = bytes ~= nil, profiles = bytes and count or nil,
    named_by = (io.getenv(variable) or "") ~= "" and variable or nil, problem = problem }
end

local function count(names)
  local n = 0
  for _ in pairs(names) do n = n + 1 end
  return n
end

--- The shared files.
---@param io sagemaker.Env
---@return {path: string, found: boolean, profiles?: integer, named_by?: string}[] files
---@return sagemaker.Profiles|nil view
---@return string|nil message why they cannot be read
function M.files(io)
  local config_path, credentials_path = profiles.paths(io)
  local view, message = profiles.load(io)
  return {
    file_row(io, config_path, "AWS_CONFIG_FILE", view and count(view.config.profiles)),
    file_row(io, credentials_path, "AWS_SHARED_CREDENTIALS_FILE",
      view and count(view.credentials.profiles)),
  }, view, message
end

--- Files that are passed over, though they are there, and those that somebody named and are not.
---@param files table[] as `files` gives them
---@param view sagemaker.Profiles|nil
---@param findings sagemaker.cli.Finding[] grows
function M.judge_files(files, view, findings)
  local is_bad = false
  for _, finding in ipairs(findings) do is_bad = is_bad or finding.severity == "error" end
  for _, note in ipairs(view and view.notes or {}) do
    findings[#findings + 1] = { severity = is_bad and "error" or "warning",
      message = note .. ": it is passed over, as if it were not there" }
  end
  for _, file in ipairs(files) do
    if file.named_by and not file.found and not file.problem then
      findings[#findings + 1] = { severity = "warning",
        message = ("%s names %s, which is not there"):format(file.named_by, file.path) }
    end
  end
end

--- The proxies that requests go by.
---@param proxy string|false|table of the settings
---@return table<string, string>
function M.proxies(proxy)
  if not proxy then return {} end
  if type(proxy) == "string" then return { all = M.redact(proxy) } end
  return { http = proxy.http and M.redact(proxy.http), https = proxy.https
    and M.redact(proxy.https), no_proxy = proxy.no_proxy }
end

-- Whether plain HTTP stays on this machine.
local function is_local(url)
  local host = url:match("^%a+://%[?([%w.:]+)")
  return host == "localhost" or host == "::1" or tostring(host):find("^127%.") ~= nil
    or tostring(host):find("^localhost:") ~= nil
end

--- What is doubtful about the settings.
---@param settings table
---@param findings sagemaker.cli.Finding[] grows
function M.judge(settings, findings)
  local function warn(text, ...)
    findings[#findings + 1] = { severity = "warning", message = text:format(...) }
  end
  local getenv = settings.io.getenv
  local first, second = getenv "AWS_REGION", getenv "AWS_DEFAULT_REGION"
  if first and second and first ~= "" and second ~= "" and first ~= second then
    warn("AWS_REGION is %s and AWS_DEFAULT_REGION is %s: this command takes the first, the AWS CLI "
      .. "the second", first, second)
  end
  local url = settings.endpoint_url
  if url and url:find("^http://") and not is_local(url) then
    warn("the endpoint URL %s is not encrypted", M.redact(url))
  end
  if settings.tls.verify == false then
    warn("certificates are not verified: anybody can answer, and read what is sent")
  end
  local source = settings.sources.ignore_endpoint_urls
  if settings.ignore_endpoint_urls and source ~= "option" then
    warn("configured endpoint URLs are ignored: %s", tostring(source))
  end
end

return M
