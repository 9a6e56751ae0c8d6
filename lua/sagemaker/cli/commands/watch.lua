--- `sagemaker watch`: follows a deployment that somebody started, and tells how it ended.

local lazy = require "sagemaker.lazy"
local deploy = require "sagemaker.cli.commands.deploy"
local failure = require "sagemaker.cli.failure"
local follows = lazy "sagemaker.cli.follow"
local requests = require "sagemaker.cli.request"

local M = {
  name = "watch",
  summary = require("sagemaker.cli.commands").watch,
}

M.description = {
  "Compares what was asked for with what runs: the waiters of AWS call a roll-back "
    .. "a success. What was asked for is what the first look shows to be under way, unless "
    .. "`--endpoint-config-name` names it. Where nothing is under way and nothing was named, the "
    .. "outcome is `in_service`, which claims no more than that.",
  "The progress is told as by `deploy`, and the exit status is the same.",
}

M.arguments = { { name = "endpoint-name", value = "NAME", required = true,
  summary = "The endpoint." } }

M.options = requests.join({
  { name = "endpoint-name", value = "NAME", summary = "Instead of NAME, as for `deploy`." },
  { name = "endpoint-config-name", value = "NAME",
    summary = "The configuration that was asked for." },
}, requests.PACE)

M.exits = { { 0, "deployed, or in service where nothing was named" } }
for _, row in ipairs(deploy.exits) do
  if row[1] >= 10 and row[1] < 252 then M.exits[#M.exits + 1] = row end
end
M.exits[#M.exits + 1] = { 254, "refused by the service: there is no such endpoint" }

M.examples = { { "sagemaker watch churn --endpoint-config-name churn-v2",
  "Was it deployed, or rolled back?" } }

--- Runs the command.
---@param ctx sagemaker.cli.Context
---@return integer exit status
function M.run(ctx)
  local options = ctx.options
  local name, wish = options.endpoint_name, options.endpoint_config_name
  if name == "" then failure.usage "watch: the name of the endpoint is empty" end
  if wish == "" then failure.usage "--endpoint-config-name is empty" end
  local follow = follows.new(ctx, { name = name, to = wish })
  local opts = { EndpointConfigName = wish }
  for _, key in ipairs { "timeout", "delay", "max_delay" } do
    opts[key] = requests.time(ctx, key)
  end
  return follows.run(follow, function()
    local iterator = follow.watch:watch_endpoint(name, opts)
    local last
    while true do
      local event, message, err = iterator:next()
      if err then return nil, message, err end
      if not event then return last end
      follow.report:event(event)
      last = event
    end
  end, wish ~= nil)
end

return M
