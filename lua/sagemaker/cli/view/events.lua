--- Deployments as JSON, for programs. Members always come in the same order; absent ones are left
-- out.

local core = require "sagemaker.core"
local document = require "sagemaker.cli.document"
local json = require "sagemaker.cli.json"

local M = {}

-- The order of members, whichever object they are in.
local ORDER = { "event", "name", "state", "time", "endpoint", "outcome", "exit_code", "changed",
  "action", "from", "config", "policy", "code", "message", "path", "elapsed", "duration", "waits",
  "provisioning", "timeout", "peak", "status", "stage", "step", "traffic", "instances", "old",
  "new", "failure_reason", "queued", "busy", "refused", "alarms", "alarm_states",
  "errors", "steps", "history", "warnings" }

-- Tables that are lists even when they are empty.
local LISTS = { alarms = true, errors = true, history = true, steps = true, warnings = true }

--- A value whose members come in the order of this module: copied, and marked as objects and lists.
---@param value any tables, strings, numbers, booleans
---@param name? string what it is called
---@return any
function M.ordered(value, name)
  if type(value) == "number" and value % 1 == 0 then return math.floor(value) end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do copy[key] = M.ordered(item, key) end
  if value[1] ~= nil or (next(value) == nil and LISTS[name]) then return document.list(copy) end
  return document.object(copy, ORDER)
end

--- A value as JSON in one line.
---@param value any
---@return string
function M.encode(value)
  return json.encode(M.ordered(value))
end

--- A time as in the other answers.
---@param now number seconds since the epoch
---@return string
function M.time(now)
  return core.time.format(math.floor(now), "iso8601")
end

--- What happened, without the DescribeEndpoint output.
---@param event sagemaker.watch.Event
---@return table
function M.of(event)
  return {
    status = event.status, stage = event.stage, step = event.step, steps = event.steps,
    traffic = event.traffic, instances = event.instances, elapsed = event.elapsed,
    failure_reason = event.failure_reason, queued = event.queued,
  }
end

--- A plan as plain tables.
---@param plan sagemaker.deployment.Plan
---@return table
function M.plan(plan)
  return {
    policy = plan.policy, duration = plan.duration, waits = plan.waits,
    provisioning = plan.provisioning, timeout = plan.timeout, peak = plan.peak, steps = plan.steps,
  }
end

return M
