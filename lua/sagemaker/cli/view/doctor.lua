--- What `sagemaker doctor` found, for a person and for a program.

local text = require "sagemaker.cli.view.text"

local M = {}

-- The column where what is told begins, and where it does below its label, where there is no room
-- beside it.
local COLUMN, BELOW = 20, 4
local WIDE = 44

local function add(lines, style, label, words)
  local column = style.columns < WIDE and BELOW or COLUMN
  local head = "  " .. text.pad(label, COLUMN - 2)
  if text.width(head) > column then
    lines[#lines + 1] = head:match "^.*%S"
    head = (" "):rep(column)
  end
  for _, line in ipairs(text.wrap(words, style.columns, (" "):rep(column), head)) do
    lines[#lines + 1] = line
  end
end

local function file_words(file)
  local words = file.path
  if file.problem then -- it may begin with the path, as the C library's do
    return file.problem:sub(1, #words) == words and file.problem
      or ("%s: %s"):format(words, file.problem)
  end
  if not file.found then return words .. ": not there" end
  words = ("%s: %d profile%s"):format(words, file.profiles or 0, file.profiles == 1 and "" or "s")
  return file.named_by and ("%s (%s)"):format(words, file.named_by) or words
end

-- "eu-west-1, from AWS_REGION; also set: AWS_DEFAULT_REGION = us-east-1".
local function setting_words(row)
  local others, is_passed = {}, row.source == nil
  for _, place in ipairs(row.tried) do
    local is_source = place.source == row.source
      or row.source ~= nil and row.source:find(place.source, 1, true) == 1
    if is_source then
      is_passed = true
    elseif place.value and is_passed then
      others[#others + 1] = ("%s = %s"):format(place.source, place.value)
    end
  end
  local words = row.value and ("%s, from %s"):format(row.value, row.source) or "not set"
  if not row.value then
    local looked = {}
    for i, place in ipairs(row.tried) do looked[i] = place.source end
    words = words .. "; looked at " .. table.concat(looked, ", ")
  elseif others[1] then
    words = words .. "; not used: " .. table.concat(others, ", ")
  end
  return words
end

local STATES = { found = "these are used", no = "no", broken = "cannot be used",
  not_asked = "not asked", not_reached = "not asked any more" }
local COLOURS = { found = "good", broken = "bad", not_asked = "warn" }

local function add_credentials(lines, style, report)
  local found = report.credentials
  if not found then return end
  lines[#lines + 1] = style:paint("bold", "Credentials")
  if found.state == "unsigned" then
    add(lines, style, "none", "--no-sign-request: nothing is signed")
    return
  end
  for _, row in ipairs(found.rows) do
    if row.state ~= "not_reached" then
      local words = STATES[row.state]
      if row.reason then words = ("%s: %s"):format(words, text.clean(row.reason)) end
      local from = #lines + 1
      add(lines, style, row.provider, words)
      if COLOURS[row.state] then
        for i = from, #lines do lines[i] = style:paint(COLOURS[row.state], lines[i]) end
      end
    end
  end
  local keys = found.keys
  if not keys then return end
  add(lines, style, "access key", keys.access_key_id
    .. (keys.account_id and (" of account " .. keys.account_id) or "")
    .. (keys.expires_at and (", valid until " .. keys.expires_at) or ""))
end

local function add_online(lines, style, online)
  if not online then return end
  lines[#lines + 1] = style:paint("bold", "Online")
  local words = online.ok and "answered" or ("%s: %s"):format(tostring(online.code),
    text.clean(online.message))
  if online.seconds then
    words = (online.ok and "%s after %.3f s" or "%s (after %.3f s)"):format(words, online.seconds)
  end
  add(lines, style, "ListEndpoints", words)
  if online.skew then
    add(lines, style, "clock", online.skew == 0 and "right" or ("%d s %s"):format(
      math.abs(online.skew), online.skew > 0 and "fast" or "slow"))
  end
end

local function add_findings(lines, style, findings)
  lines[#lines + 1] = ""
  if #findings == 0 then
    lines[#lines + 1] = style:paint("good", "Nothing is wrong.")
    return
  end
  for _, finding in ipairs(findings) do
    local is_error = finding.severity == "error"
    local head = is_error and "problem: " or "warning: "
    local indent = style.columns < WIDE and "  " or (" "):rep(#head)
    local wrapped = text.wrap(text.clean(finding.message), style.columns, indent, head)
    wrapped[1] = style:paint(is_error and "bad" or "warn", wrapped[1]:sub(1, #head - 1))
      .. wrapped[1]:sub(#head)
    for _, line in ipairs(wrapped) do lines[#lines + 1] = line end
  end
end

--- The report for a person.
---@param report table of commands.doctor
---@param style sagemaker.cli.Style
---@return string[] lines
function M.lines(report, style)
  local lines = { style:paint("bold", "Versions") }
  add(lines, style, "sagemaker", report.versions.sagemaker)
  add(lines, style, "Lua", report.versions.lua)
  add(lines, style, "OpenSSL", report.versions.openssl or "?")
  add(lines, style, "libcurl", report.versions.libcurl)
  lines[#lines + 1] = style:paint("bold", "Configuration")
  for i, file in ipairs(report.files) do
    add(lines, style, i == 1 and "config file" or "credentials file", file_words(file))
  end
  local profile = report.profile
  add(lines, style, "profile", ("%s, %s%s"):format(profile.name,
    profile.source and "from " .. profile.source or "because nobody named one",
    profile.found and "" or "; there is none of this name"))
  for _, row in ipairs(report.settings) do
    local is_worth = row.value ~= nil and (row.source ~= "default" or row.name == "retry_mode")
      or row.name == "region"
    if is_worth then add(lines, style, row.label, setting_words(row)) end
  end
  if report.endpoint then add(lines, style, "requests go to", report.endpoint) end
  for _, name in ipairs{ "http", "https", "all", "no_proxy" } do
    local url = report.proxies[name]
    local label = name == "no_proxy" and "no proxy for" or name .. " proxy"
    if url then add(lines, style, label, url) end
  end
  add_credentials(lines, style, report)
  add_online(lines, style, report.online)
  add_findings(lines, style, report.findings)
  return lines
end

local ORDERS = {
  report = { "versions", "files", "profile", "settings", "endpoint", "proxies", "credentials",
    "online", "findings" },
  rows = { "provider", "name", "path", "state", "severity", "message", "source", "value", "reason",
    "tried", "ok", "code", "host", "seconds", "skew", "keys", "rows" },
}
local LISTS = { files = true, findings = true, rows = true, settings = true, tried = true }

local function ordered(value, name)
  if type(value) ~= "table" then return value end
  local document, copy = require "sagemaker.cli.document", {}
  for key, item in pairs(value) do
    if key ~= "label" then copy[key] = ordered(item, key) end
  end
  if value[1] ~= nil or LISTS[name] then return document.list(copy) end
  return document.object(copy, name == "report" and ORDERS.report or ORDERS.rows)
end

--- The report for a program.
---@param report table
---@return table
function M.value(report)
  return ordered(report, "report")
end

return M
