--- `sagemaker plan`: what a deployment would do, before anything is sent.

local lazy = require "sagemaker.lazy"
local deployment = require "sagemaker.deployment"
local deploys = lazy "sagemaker.watch.deploy"
local events = lazy "sagemaker.cli.view.events"
local failure = require "sagemaker.cli.failure"
local fleets = lazy "sagemaker.deployment.fleet"
local guard = require "sagemaker.cli.guard"
local reports = lazy "sagemaker.cli.report"
local requests = require "sagemaker.cli.request"
local styles = require "sagemaker.cli.view.style"
local views = require "sagemaker.cli.view.plan"

local M = {
  name = "plan",
  summary = require("sagemaker.cli.commands").plan,
}

M.description = {
  "With `--endpoint-name` and `--endpoint-config-name` the plan is that of `deploy`, checked "
    .. "against the fleets as they are, and the alarms. Only Describe operations are called.",
  "With `--instances` nothing is called at all: the plan is that of a fleet of this size. Without "
    .. "it the plan holds shares of the traffic only.",
  "Durations are the worst case: every bake and wait in full. How long new instances take to come "
    .. "is an estimate; `--provisioning` replaces it.",
}

local OWN = {
  { name = "instances", kind = "list", value = "N",
    summary = "Instances of the fleet: 10, or by variants a=3 b=5." },
  { name = "old-instances", kind = "list", value = "N",
    summary = "Those of the old fleet where it differs." },
  { name = "provisioning", value = "TIME",
    summary = "How long new instances take to come. Default: 5m." },
  { name = "activation", value = "TIME",
    summary = "How long it takes to turn traffic on. Default: 0." },
  { name = "removal", value = "TIME",
    summary = "How long it takes to remove instances. Default: 0." },
}

M.options = requests.join(requests.NAMES, OWN, guard.OPTIONS, requests.ALARM_CHECK,
  requests.CONFIG, requests.RETAIN)

M.exits = {
  { 0, "the plan can be carried out" },
  { 252, "it breaks a rule: all problems are told" },
  { 254, "the service refused: no such configuration" },
}

M.examples = {
  { "sagemaker plan --instances 10 --linear 20% --bake 10m --alarms churn-5xx",
    "Linear steps on ten instances:" },
  { "sagemaker plan --endpoint-name churn --endpoint-config-name churn-v2 --canary 10%",
    "A canary on the endpoint as it is:" },
}

-- More instances than anybody has.
local MOST = 1e6

local function is_count(digits)
  local count = digits and tonumber(digits)
  return count ~= nil and count >= 1 and count <= MOST
end

-- A number of instances, or those of variants.
local function fleet_of(words, name)
  if not words then return nil end
  if #words == 0 then failure.usage(("--%s needs a number, or VARIANT=NUMBER"):format(name)) end
  if #words == 1 and is_count(words[1]:match("^%d+$")) then return tonumber(words[1]) end
  local variants = {}
  for i, word in ipairs(words) do
    local variant, count = word:match("^([%w%-]+)=(%d+)$")
    if not is_count(count) then
      failure.usage(("--%s: %q is neither a number of instances nor VARIANT=NUMBER"):format(name,
        word))
    end
    variants[i] = { name = variant, instances = tonumber(count) }
  end
  return { variants = variants }
end

local function times_of(ctx)
  local times = {}
  for _, name in ipairs{ "provisioning", "activation", "removal" } do
    times[name] = requests.time(ctx, name)
  end
  return times
end

-- The fleet of an endpoint or of a configuration, when only one of them is named.
local function described_fleet(ctx, request)
  local client = ctx:client()
  local output, err, _
  if request.EndpointConfigName then
    output, _, err = client:call("DescribeEndpointConfig",
      { EndpointConfigName = request.EndpointConfigName })
  else
    output, _, err = client:call("DescribeEndpoint", { EndpointName = request.EndpointName })
  end
  if not output then failure.raise(err) end
  local fleet = fleets.of(output.ProductionVariants, request.EndpointName ~= nil)
  return fleet, request.EndpointConfigName or request.EndpointName
end

local function size_text(fleet)
  if fleet == 1 then return "1 instance" end
  if type(fleet) == "number" then return ("%d instances"):format(fleet) end
  local parts = {}
  for i, variant in ipairs(fleet.variants) do
    local count = variant.instances and ("%d"):format(variant.instances) or "serverless"
    parts[i] = ("%s of %s"):format(count, variant.name or "?")
  end
  return table.concat(parts, ", ")
end

-- The plan of a fleet of which nothing runs.
local function imagine(ctx, request)
  local fleet, source = fleet_of(ctx.options.instances, "instances"), nil
  local old = fleet_of(ctx.options.old_instances, "old-instances")
  if old and not fleet then failure.usage("--old-instances needs --instances") end
  if old then
    fleet = type(fleet) == "number" and { variants = { { instances = fleet } } } or fleet
    fleet.old = old
  end
  if not fleet and (request.EndpointConfigName or request.EndpointName) then
    fleet, source = described_fleet(ctx, request)
  end
  local config = request.DeploymentConfig
  local plan, _, err = deployment.plan(config, fleet, times_of(ctx))
  if not plan then failure.raise(guard.reword(err, ctx.options)) end
  local title = views.summary(config)
  if fleet then title = ("%s, on %s"):format(title, size_text(fleet)) end
  if source then title = ("%s (%s)"):format(title, source) end
  return { title = title, action = "update", plan = plan, config = config,
    warnings = plan.warnings, notes = {} }
end

-- The plan of `deploy`.
local function preview_of(ctx, request)
  if ctx.options.instances or ctx.options.old_instances then
    failure.usage("--instances goes without --endpoint-name and --endpoint-config-name: their "
      .. "fleets are known")
  end
  local client = ctx:client()
  local preview, _, err = deploys.preview({
    call = function(...) return client:call(...) end,
    check = function(...) return client:check(...) end,
    describe_alarms = require("sagemaker.client.alarms").describer(client),
  }, request)
  if not preview then failure.raise(guard.reword(err, ctx.options)) end
  local glyphs = styles.of(ctx.world, "stdout", ctx.globals.color).glyphs
  local view = { title = reports.title(preview, request, glyphs), action = preview.action,
    config = preview.config, warnings = preview.warnings, notes = {}, busy = preview.busy,
    from = preview.endpoint and preview.endpoint.EndpointConfigName }
  if preview.busy then
    view.notes[1] = preview.busy .. ": `sagemaker deploy` would refuse, or wait with --wait"
  elseif preview.action == "create" then
    view.notes[1] = "a new endpoint: the fleet is provisioned, and takes all traffic at once"
  end
  if preview.refusal then
    view.notes[#view.notes + 1] = "`sagemaker deploy` would refuse, because of the alarms; "
      .. "--alarm-check warn goes on"
    view.refused = preview.refusal.message:gsub("; alarm_check = .*", "")
  end
  view.states = preview.alarms
  view.plan = preview.plan
  if view.plan and next(times_of(ctx)) then
    view.plan = assert(deployment.plan(preview.config, preview.fleet, times_of(ctx)))
  end
  return view
end

-- The plan as a value to print.
local function value_of(view, request)
  local plan = view.plan and events.plan(view.plan) or {}
  plan.action, plan.endpoint, plan.from = view.action, request.EndpointName, view.from
  plan.config, plan.busy = request.EndpointConfigName, view.busy
  plan.alarms, plan.alarm_states = views.alarms(view.config), view.states
  plan.refused, plan.warnings = view.refused, view.warnings
  return events.ordered(plan)
end

--- Shows what `deploy` would do for a request. Only looks.
---@param ctx sagemaker.cli.Context
---@param request table of sagemaker.cli.request
---@return integer exit status
function M.show(ctx, request)
  local is_real = request.EndpointName and request.EndpointConfigName
  local view = is_real and preview_of(ctx, request) or imagine(ctx, request)
  if ctx.globals.output or ctx.globals.query then
    ctx:print(value_of(view, request), "Plan")
  else
    local style = styles.of(ctx.world, "stdout", ctx.globals.color)
    ctx:out(table.concat(views.lines(view, style), "\n") .. "\n")
  end
  return failure.OK
end

--- Runs the command.
---@param ctx sagemaker.cli.Context
---@return integer exit status
function M.run(ctx)
  return M.show(ctx, requests.of(ctx, M.options))
end

return M
