--- `sagemaker deploy`: brings an endpoint to a configuration and tells how that ended.

local lazy = require "sagemaker.lazy"
local follows = lazy "sagemaker.cli.follow"
local guard = require "sagemaker.cli.guard"
local outcomes = require "sagemaker.cli.outcome"
local requests = require "sagemaker.cli.request"

local M = {
  name = "deploy",
  summary = require("sagemaker.cli.commands").deploy,
}

M.description = {
  "Looks at the endpoint and its configurations, checks every documented rule of deployments, "
    .. "names all problems at once, looks at the alarms, creates or updates the endpoint, and "
    .. "watches until it is over. "
    .. "Nothing is sent when the endpoint runs the configuration already.",
  "On a terminal the progress is drawn; otherwise there is one line for each change. With "
    .. "`--output json` there is one JSON object a line: `plan`, `moved`, `no_answer`, and last "
    .. "`result`, `error` or `interrupted`. `--output text` gives lines on a terminal too, "
    .. "`--output off` only the exit status.",
  "With `--dry-run` it shows the plan, as `plan` does, and changes nothing. Ctrl-C and "
    .. "SIGTERM end the command; the deployment goes on.",
}

local OWN = {
  { name = "wait", kind = "flag", summary = "Queue behind a deployment that is under way." },
  { name = "replace-failed", kind = "flag",
    summary = "Delete an endpoint that is Failed, and create it anew." },
  { name = "force", kind = "flag",
    summary = "Update although the endpoint runs this configuration already." },
}

local function required(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = setmetatable({ required = true }, { __index = row })
  end
  return list
end

M.options = requests.join(required(requests.NAMES), guard.OPTIONS, requests.ALARM_CHECK,
  requests.CONFIG, requests.RETAIN, requests.TAGS, OWN, requests.PACE)

M.exits = { { 0, "deployed, or nothing to change" } }
for _, row in ipairs(outcomes.MEANINGS) do
  local status = outcomes.STATUS[row[1]]
  if status > 0 then M.exits[#M.exits + 1] = { status, ("%s: %s"):format(row[1], row[2]) } end
end
M.exits[#M.exits + 1] = { 130, "Ctrl-C; the deployment goes on" }
M.exits[#M.exits + 1] = { 143, "SIGTERM; the deployment goes on" }
M.exits[#M.exits + 1] = { 252, "a broken rule or a wrong option; nothing was sent" }
M.exits[#M.exits + 1] = { 253, "no region, no credentials" }
M.exits[#M.exits + 1] = { 254, "refused by the service, another deployment is under way, "
  .. "or an alarm is in ALARM" }

M.examples = {
  { "sagemaker deploy --endpoint-name churn --endpoint-config-name churn-v2 \\\n"
    .. "        --canary 10% --bake 5m --alarms churn-5xx", "A canary that an alarm rolls back:" },
}

--- Runs the command.
---@param ctx sagemaker.cli.Context
---@return integer exit status
function M.run(ctx)
  local options, request = ctx.options, requests.of(ctx, M.options)
  request.replace_failed, request.force = options.replace_failed, options.force
  if ctx.globals.dry_run then return require("sagemaker.cli.commands.plan").show(ctx, request) end
  local follow = follows.new(ctx, { name = request.EndpointName, to = request.EndpointConfigName })
  local report = follow.report
  follow.is_ours = true
  request.wait = options.wait
  for _, key in ipairs { "timeout", "delay", "max_delay" } do
    request[key] = requests.time(ctx, key)
  end
  request.on_plan = function(preview) report:plan(preview, request) end
  request.on_event = function(event) report:event(event) end
  return follows.run(follow, function() return follow.watch:deploy(request) end, true)
end

return M
