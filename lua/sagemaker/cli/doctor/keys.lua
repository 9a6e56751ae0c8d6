--- What `sagemaker doctor` finds out about credentials: each provider is asked as in a call, in the
-- same order, but without the network, without running programs and without writing, unless that
-- was asked for.

local core = require "sagemaker.core"
local credentials = require "sagemaker.credentials"
local errors = require "sagemaker.error"

local M = {}

local OFFLINE = "it would ask a service, or run a program; --online does that"

-- The io of a provider that only looks. `touched` is called when it wants more.
local function looking(io, touched)
  local function refuse()
    touched()
    return errors.fail { kind = "config", code = "Offline", message = OFFLINE, retryable = false,
      sent = false }
  end
  local own = setmetatable({
    call = refuse,
    send = refuse,
    popen = function()
      touched()
      return nil, OFFLINE
    end,
    replace = function() return nil, "not written by doctor" end,
    sleep = function() end,
  }, { __index = io })
  own.within = function() return own end
  return own
end

--- An access key id of which only the end is told, and of a short one nothing.
---@param id string
---@return string
function M.redact(id)
  if #id < 8 then return ("*"):rep(#id) end
  return ("*"):rep(#id - 4) .. id:sub(-4)
end

local function describe(keys)
  local expires_at = keys.expires_at and math.floor(keys.expires_at)
  return {
    access_key_id = M.redact(keys.access_key_id), account_id = keys.account_id,
    has_session_token = keys.session_token ~= nil and true or nil, source = keys.source,
    expires_at = expires_at and core.time.format(expires_at, "iso8601") or nil,
  }
end

-- What a provider says: the state of its row, and the keys.
local function ask(provider, io, is_online)
  local touched = false
  if not is_online then
    io = looking(io, function() touched = true end)
  end
  local fine, keys, reason, is_broken = pcall(provider.get, provider, io)
  if not fine then return "broken", nil, tostring(keys) end
  if keys then return "found", keys end
  if touched then return "not_asked", nil, OFFLINE end
  return is_broken and "broken" or "no", nil, reason
end

---@class sagemaker.cli.KeysReport
---@field rows {provider: string, state: "found"|"no"|"broken"|"not_asked"|"not_reached",
---   reason?: string}[]
---@field keys? table redacted
---@field state "found"|"no"|"broken"|"not_asked"
---@field reason? string

--- Asks the providers in order.
---@param io sagemaker.ProviderIo
---@param settings table profile, profile_source
---@param is_online boolean
---@return sagemaker.cli.KeysReport
function M.ask(io, settings, is_online)
  local report = { rows = {}, state = "no" }
  local is_over = false
  for i, provider in ipairs(credentials.providers(io, settings)) do
    local row = { state = "not_reached" }
    if not is_over then
      local keys
      row.state, keys, row.reason = ask(provider, io, is_online)
      if keys then report.keys, report.expires_at = describe(keys), keys.expires_at end
      if row.state ~= "no" then
        is_over = true
        report.state, report.reason = row.state, row.reason
      end
    end
    row.provider = provider.name
    report.rows[i] = row
  end
  return report
end

--- What is wrong with the credentials.
---@param report sagemaker.cli.KeysReport
---@param io sagemaker.Env
---@param settings table
---@param findings sagemaker.cli.Finding[] grows
function M.judge(report, io, settings, findings)
  local function add(severity, text, ...)
    findings[#findings + 1] = { severity = severity, message = text:format(...) }
  end
  for _, finding in ipairs(findings) do -- the files, which were told of already
    if finding.message == report.reason then return end
  end
  if report.state == "broken" then
    add("error", "the credentials cannot be used: %s", tostring(report.reason))
  elseif report.state == "no" then
    add("error", "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
      .. "run `aws configure` or `aws sso login`")
  end
  local keys = report.keys
  if not keys then return end
  if report.expires_at and report.expires_at <= io.now() then
    add("error", "the credentials have expired at %s", keys.expires_at)
  end
  local named = settings.profile_source
  if keys.source == "environment" and named and named ~= "option" then
    add("warning", "%s names the profile %s, but the keys in the environment come first", named,
      settings.profile)
  end
end

return M
