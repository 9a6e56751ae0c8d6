--- The parameters of a deployment on the command line: those of the API, read as the API's own
-- commands read them, and the options that say how it is guarded.

local lazy = require "sagemaker.lazy"
local core = require "sagemaker.core"
local failure = require "sagemaker.cli.failure"
local guard = lazy "sagemaker.cli.guard"

local M = {}

--- Rows of options that are members of UpdateEndpoint and CreateEndpoint.
M.NAMES = {
  { name = "endpoint-name", key = "EndpointName", value = "NAME", summary = "The endpoint." },
  { name = "endpoint-config-name", key = "EndpointConfigName", value = "NAME",
    summary = "The configuration that it shall run." },
}
M.CONFIG = { name = "deployment-config", key = "DeploymentConfig", value = "CONFIG",
  summary = "How it is guarded, as update-endpoint takes it: JSON, shorthand or file://PATH." }
M.RETAIN = {
  { name = "retain-deployment-config", key = "RetainDeploymentConfig", kind = "flag",
    summary = "Guard it as the last deployment was." },
  { name = "retain-all-variant-properties", key = "RetainAllVariantProperties", kind = "flag",
    summary = "Keep the weights and instance counts that the variants have now." },
  { name = "exclude-retained-variant-properties", key = "ExcludeRetainedVariantProperties",
    kind = "list", value = "PROPERTY",
    summary = "But not these: VariantPropertyType=DesiredInstanceCount." },
}
M.TAGS = { name = "tags", key = "Tags", kind = "list", value = "TAG",
  summary = "Tags of the endpoint: Key=team,Value=growth." }

M.ALARM_CHECK = { name = "alarm-check", value = "MODE",
  choices = { "basic", "strict", "warn", "off" }, summary = "Refuse while an alarm is in ALARM "
    .. "(basic, the default); also when one does not exist or has no data (strict); warn only "
    .. "(warn); do not ask CloudWatch (off)." }

--- Options of what watches.
M.PACE = {
  { name = "timeout", value = "TIME", summary = "How long to watch. Default: the deployment's own "
    .. "timeout and an hour for new instances." },
  { name = "delay", value = "TIME", summary = "Time between the first looks. Default: 2s." },
  { name = "max-delay", value = "TIME",
    summary = "Time between looks when nothing happens. Default: 30s." },
}

--- One list of several.
---@param ... table rows, or a single row
---@return table[] rows
function M.join(...)
  local rows = {}
  for i = 1, select("#", ...) do
    local part = select(i, ...)
    if part.name then part = { part } end
    for _, row in ipairs(part) do rows[#rows + 1] = row end
  end
  return rows
end

-- The members of both operations by their names.
local function members_of(service)
  local members = {}
  for _, operation in ipairs{ "CreateEndpoint", "UpdateEndpoint" } do
    for _, member in ipairs(service:shape(service:operation(operation).input).members) do
      members[member.name] = member
    end
  end
  return members
end

-- The members of the API among the options. What reads them is loaded only where there are any.
local function read(ctx, rows)
  local given = {}
  for _, row in ipairs(rows) do
    if row.key and ctx.options[row.key] ~= nil then given[#given + 1] = row end
  end
  if #given == 0 then return {} end
  local service = core.service("sagemaker")
  local members, typed = members_of(service), {}
  for i, row in ipairs(given) do
    typed[i] = setmetatable({ member = members[row.key] }, { __index = row })
  end
  ctx.service, ctx.operation = service, service:operation("UpdateEndpoint")
  return require("sagemaker.cli.input.params").of(ctx, typed, ctx.options)
end

--- What is asked for, as `deploy` of the library takes it. Ends the command where options
-- contradict each other.
---@param ctx sagemaker.cli.Context
---@param rows table[] of the command
---@return table request members of the API only
function M.of(ctx, rows)
  local request = read(ctx, rows)
  local config, message = guard.config(ctx.options)
  if message then failure.usage(message) end
  if config and request.DeploymentConfig then
    failure.usage("--deployment-config and " .. guard.given(ctx.options) .. " exclude each other")
  end
  request.DeploymentConfig = request.DeploymentConfig or config
  local mode = ctx.options.alarm_check
  if mode == "off" then mode = false end
  request.alarm_check = mode
  return request
end

--- Seconds of an option that is a time, or nil.
---@param ctx sagemaker.cli.Context
---@param key string
---@return number|nil
function M.time(ctx, key)
  local given = ctx.options[key]
  if not given then return nil end
  local seconds, message = guard.time(key, given)
  if not seconds then failure.usage(message) end
  return seconds
end

return M
