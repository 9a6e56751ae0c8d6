--- `sagemaker doctor`: which configuration and credentials are found, why, and what is wrong.
-- Secrets are never told.

local failure = require "sagemaker.cli.failure"

local M = {
  name = "doctor",
  summary = require("sagemaker.cli.commands").doctor,
}

M.description = {
  "Tells the versions, the shared files, every setting with its source and the other places where "
    .. "it was looked for, and what each provider of credentials says. Of an access key only the "
    .. "last four characters are shown, of a secret nothing.",
  "Nothing is sent and no program is run unless `--online` is given. Then one ListEndpoints tells "
    .. "whether the service takes the credentials, and how far the clocks are apart.",
}

M.options = {
  { name = "online", kind = "flag",
    summary = "Ask for credentials where that needs a service, and ask SageMaker." },
}

M.exits = { { 0, "nothing is wrong" }, { 253, "something is: it is told, and what to do" } }

M.examples = { { "sagemaker doctor --profile staging --online",
  "Why does a profile not work?" } }

-- Adds what is wrong, once.
local function add(findings, message)
  for _, finding in ipairs(findings) do
    if finding.message == message then return end
  end
  findings[#findings + 1] = { severity = "error", message = message }
end

-- The client, or why there is none. Without a region the rest is found out for another one.
local function client_of(ctx, findings)
  local fine, client = pcall(ctx.client, ctx)
  if fine then return client end
  local err = client
  if type(err) ~= "table" then error(err, 0) end
  add(findings, failure.text(err))
  if err.code ~= "NoRegion" then return nil, err end
  local globals = ctx.globals
  ctx.globals = setmetatable({ region = "us-east-1" }, { __index = globals })
  fine, client = pcall(ctx.client, ctx)
  ctx.globals = globals
  if not fine then return nil, err end
  client.settings.region, client.settings.sources.region = nil, nil
  return client, err
end

local function versions()
  local core = require "sagemaker.core"
  local function of(name, version)
    local loaded, library = pcall(require, name)
    return loaded and version(library)
      or "cannot be loaded: " .. tostring(library):match("^[^\n]*")
  end
  local jit = rawget(_G, "jit")
  return {
    sagemaker = core.version,
    lua = jit and ("%s, %s"):format(_VERSION, jit.version) or _VERSION,
    openssl = of("sagemaker.crypto", function(crypto) return crypto.openssl end),
    libcurl = of("sagemaker.curl", function(curl) return curl.version() end),
  }
end

-- Where requests go.
local function endpoint_of(client, findings)
  if not client.settings.region and not client.settings.endpoint_url then return nil end
  local endpoint, _, err = require("sagemaker.endpoint").resolve(client.info, client.settings)
  if endpoint then return endpoint.origin .. endpoint.path end
  findings[#findings + 1] = { severity = "error", message = err.message }
  return nil
end

local function complete(client, findings)
  local settings = client.settings
  if settings.region then
    local fine, _, err = require("sagemaker.config").complete(settings)
    if fine then return true end
    add(findings, err.message)
    return false
  end
  return settings.is_complete
end

local function io_of(client, ctx)
  if not client then return require("sagemaker.env").new(ctx.world.io) end
  local signing = require "sagemaker.signing"
  return signing.provider_io(client, require("sagemaker.client").new, function()
    return client.transport
  end)
end

local function add_keys(report, ctx, client, io)
  if ctx.globals.sign_request == false then
    report.credentials = { rows = {}, state = "unsigned" }
    return
  end
  local profiles = require "sagemaker.profiles"
  local name, source = profiles.name(io, ctx.globals.profile)
  local settings = client.settings
  settings = { profile = settings.profile or name,
    profile_source = settings.profile_source or source }
  local keys = require "sagemaker.cli.doctor.keys"
  report.credentials = keys.ask(io, settings, ctx.options.online or false)
  keys.judge(report.credentials, io, settings, report.findings)
end

--- Finds everything out.
---@param ctx sagemaker.cli.Context
---@return table report versions, files, profile, settings, endpoint, proxies, credentials, online,
--- findings
function M.examine(ctx)
  local findings = {}
  local report = { findings = findings, versions = versions(), settings = {}, proxies = {} }
  local client = client_of(ctx, findings)
  local io = io_of(client, ctx)
  local settings = require "sagemaker.cli.doctor.settings"
  local view, message
  report.files, view, message = settings.files(io)
  if message then add(findings, message) end
  local name, source = require("sagemaker.profiles").name(io, ctx.globals.profile)
  report.profile = { name = name, source = source == "option" and "--profile" or source,
    found = view ~= nil and view.profiles[name] ~= nil }
  if not client then
    settings.judge_files(report.files, view, findings)
    return report
  end
  local is_complete = complete(client, findings)
  report.settings = settings.rows(client.settings, ctx.globals,
    view and view.profiles[name] or {})
  report.proxies = settings.proxies(client.settings.proxy)
  settings.judge(client.settings, findings)
  report.endpoint = is_complete and endpoint_of(client, findings) or nil
  add_keys(report, ctx, client, io)
  settings.judge_files(report.files, view, findings)
  if ctx.options.online and report.endpoint then
    local online = require "sagemaker.cli.doctor.online"
    report.online = online.ask(client)
    online.judge(report.online, findings)
  end
  return report
end

--- Runs the command.
---@param ctx sagemaker.cli.Context
---@return integer exit status
function M.run(ctx)
  local report = M.examine(ctx)
  local view = require "sagemaker.cli.view.doctor"
  if ctx.globals.output or ctx.globals.query then
    ctx:print(view.value(report), "Doctor")
  else
    local style = require("sagemaker.cli.view.style").of(ctx.world, "stdout", ctx.globals.color)
    ctx:out(table.concat(view.lines(report, style), "\n") .. "\n")
  end
  for _, finding in ipairs(report.findings) do
    if finding.severity == "error" then return failure.CONFIG end
  end
  return failure.OK
end

return M
