--- `deploy`: an endpoint from whatever it is to the configuration that is asked for, in one call.
--
-- Look, check every rule against the real fleet, create or update, watch, say how it ended. A
-- broken rule ends it before anything is sent, so it never becomes a deployment without guard.

local alarms = require "sagemaker.watch.alarms"
local errors = require "sagemaker.error"
local pollers = require "sagemaker.watch.poller"
local preflight = require "sagemaker.watch.preflight"
local readings = require "sagemaker.watch.reading"
local submit = require "sagemaker.watch.submit"
local watchers = require "sagemaker.watch.watcher"

local M = {}

-- Deployments of others that one `deploy` queues behind.
local QUEUE = 50

---@class sagemaker.watch.Result : sagemaker.watch.Event
---@field changed boolean false when the endpoint ran the configuration already
---@field action "create"|"update"|"none"
---@field plan? sagemaker.deployment.Plan of an update
---@field history table[] {elapsed, status, stage, step, traffic} of each event
---@field warnings string[]

--- Drives a watcher to its end.
---@param context table sleep
---@param watcher sagemaker.watch.Watcher
---@param on_event? fun(event: sagemaker.watch.Event)
---@param complete? fun(event: sagemaker.watch.Event) adds to the last event before it is handed out
---@return sagemaker.watch.Event|nil event the last one
---@return string? message
---@return sagemaker.Error? err
function M.follow(context, watcher, on_event, complete)
  while true do
    local event, delay, err = watcher:poll()
    if not event then return nil, delay, err end
    if event.outcome and complete then complete(event) end
    if on_event and (event.moved or event.outcome) then on_event(event) end
    if event.outcome then return event end
    context.sleep(delay)
  end
end

local function refuse(code, text, ...)
  return errors.fail{ kind = "service", code = code, message = text:format(...),
    operation = "deploy", retryable = false }
end

local function watch_options(request, more)
  more.timeout, more.delay, more.max_delay = request.timeout, request.delay, request.max_delay
  more.provisioning = request.provisioning or more.provisioning
  return more
end

-- Waits until a deployment of somebody else has ended, however it ends. Its events are passed on
-- without the outcome, which is not ours.
local function queue(context, request, call_opts)
  local watcher = watchers.new(context, request.EndpointName, watch_options(request, {}), call_opts)
  local on_event = request.on_event and function(event)
    local outcome = event.outcome
    event.queued, event.outcome = true, nil
    request.on_event(event)
    event.outcome = outcome
  end
  local event, message, err = M.follow(context, watcher, on_event)
  if not event then
    if pollers.is_missing_endpoint(err) then return true end
    return nil, message, err
  end
  if event.outcome ~= "timed_out" then return true end
  return errors.fail{ kind = "timeout", code = "DeploymentTimedOut", result = event,
    message = ("the deployment before ours did not end in time: %s is %s"):format(
      request.EndpointName, tostring(event.status)), operation = "deploy", retryable = false }
end

-- The endpoint once nothing is under way, or false when there is none.
local function look(context, request, call_opts)
  for _ = 1, QUEUE do
    local current, message, err = preflight.endpoint(context.call, request.EndpointName, call_opts)
    if current == nil then return nil, message, err end
    local busy = preflight.busy(current)
    if not busy then return current end
    if not request.wait then
      return refuse("DeploymentInProgress", "%s; wait = true queues behind it", busy)
    end
    local idle
    idle, message, err = queue(context, request, call_opts)
    if not idle then return nil, message, err end
  end
  return refuse("DeploymentInProgress", "endpoint %s: too many deployments before ours",
    request.EndpointName)
end

local DELETING = 1800

-- Deletes a Failed endpoint and waits until it is gone.
local function remove(context, request, call_opts)
  local params = { EndpointName = request.EndpointName }
  local done, message, err = context.call("DeleteEndpoint", params, call_opts)
  if not done and pollers.is_missing_endpoint(err) then return true end
  if not done and not (err.kind == "transport" or err.kind == "timeout") then
    return nil, message, err
  end
  local poller = pollers.new(context, request.EndpointName, request, call_opts)
  local started = context.clock()
  while context.clock() - started < DELETING do
    local output, problem, failure = poller:look()
    if problem == "gone" then return true end
    if problem == "error" then return nil, tostring(failure), failure end
    local is_idle = output and output.EndpointStatus ~= "Deleting"
    if not done and is_idle and context.clock() - started > 30 then return nil, message, err end
    context.sleep(poller:delay())
  end
  return errors.fail{ kind = "timeout", code = "DeploymentTimedOut", operation = "DeleteEndpoint",
    message = ("the Failed endpoint %s was not gone after %d s"):format(request.EndpointName,
      DELETING), retryable = false }
end

local function failed(current)
  local reason = current.FailureReason
  return refuse("EndpointFailed", "endpoint %s is Failed%s: it can only be deleted; "
    .. "replace_failed = true deletes it and creates it anew", current.EndpointName,
    reason and (" (" .. reason .. ")") or "")
end

-- Tags of an endpoint that exists: UpdateEndpoint takes none. The deployment goes on without them.
local function tag(context, request, current, warnings, call_opts)
  if not request.Tags or #request.Tags == 0 then return end
  local params = { ResourceArn = current.EndpointArn, Tags = request.Tags }
  local done, message = context.call("AddTags", params, call_opts)
  if done then return end
  warnings[#warnings + 1] = "the tags could not be added: " .. tostring(message)
end

local function finish(event, preparation, action)
  local warnings = {}
  for _, warning in ipairs(preparation.warnings) do warnings[#warnings + 1] = warning end
  for _, warning in ipairs(event.warnings or {}) do warnings[#warnings + 1] = warning end
  event.warnings, event.history = warnings, event.history or {}
  event.action, event.changed, event.plan = action, action ~= "none", preparation.plan
  return event
end

-- The endpoint runs what is asked for.
local function unchanged(context, request, current, preparation, call_opts)
  tag(context, request, current, preparation.warnings, call_opts)
  preparation.plan = nil
  local reading = readings.read(current)
  local event = finish({
    status = reading.status, traffic = { old = 0, new = 100 },
    instances = { old = 0, new = reading.old }, elapsed = 0, endpoint = current,
    outcome = "deployed", moved = false,
  }, preparation, "none")
  if request.on_event then request.on_event(event) end
  return event
end

local function follow(context, request, preparation, opts, call_opts)
  watch_options(request, opts)
  opts.EndpointConfigName = request.EndpointConfigName
  local watcher = watchers.new(context, request.EndpointName, opts, call_opts)
  return M.follow(context, watcher, request.on_event, function(event)
    finish(event, preparation, opts.created and "create" or "update")
  end)
end

local function create(context, request, before, preparation, call_opts)
  local operation = {
    name = "CreateEndpoint", params = preflight.create_params(request),
    before = before and readings.read(before), warnings = preparation.warnings,
  }
  local output, message, err = submit.run(context, operation, call_opts)
  if not output then return nil, message, err end
  return follow(context, request, preparation, {
    before = before, created = true, provisioning = preparation.provisioning,
  }, call_opts)
end

local function update(context, request, current, preparation, call_opts)
  local operation = {
    name = "UpdateEndpoint", params = preflight.update_params(request),
    before = readings.read(current), old_config = current.EndpointConfigName,
    warnings = preparation.warnings,
  }
  local output, message, err = submit.run(context, operation, call_opts)
  if not output then return nil, message, err end
  tag(context, request, current, preparation.warnings, call_opts)
  return follow(context, request, preparation, {
    before = current, DeploymentConfig = preparation.config,
    provisioning = preparation.provisioning,
  }, call_opts)
end

-- What is to be done with an endpoint.
local function action_of(request, live)
  if not live then return "create" end
  local is_same = live.EndpointStatus == "InService" and not request.force
    and readings.same(live.EndpointConfigName, request.EndpointConfigName)
  return is_same and "none" or "update"
end

-- The alarms that will guard an update, whose warnings join the others. Why it should not begin.
local function look_at_alarms(context, request, live, preparation, call_opts)
  if action_of(request, live) ~= "update" then return nil end
  local found = alarms.check(context.describe_alarms, preparation.config, request.alarm_check,
    call_opts)
  for _, warning in ipairs(found.warnings) do
    preparation.warnings[#preparation.warnings + 1] = warning
  end
  preparation.alarms = found.states
  return found.refusal
end

-- What is going to happen, as `on_plan` and `preview` tell it. The warnings are a copy.
local function preview_of(request, current, live, preparation)
  local action, warnings = action_of(request, live), {}
  for i, warning in ipairs(preparation.warnings) do warnings[i] = warning end
  return {
    action = action, alarms = preparation.alarms, config = preparation.config,
    endpoint = current or nil,
    fleet = preparation.fleet,
    plan = action == "update" and preparation.plan or nil, warnings = warnings,
  }
end

-- One round: look, check, do. The fourth value says that another deployment was faster and `wait`
-- asks to queue behind it.
local function attempt(context, request, call_opts)
  local current, message, err = look(context, request, call_opts)
  if current == nil then return nil, message, err end
  local is_failed = current and current.EndpointStatus == "Failed"
  if is_failed and not request.replace_failed then return failed(current) end
  local live = not is_failed and current
  local preparation
  preparation, message, err = preflight.prepare(context.call, request, live, call_opts)
  if not preparation then return nil, message, err end
  local refusal = look_at_alarms(context, request, live, preparation, call_opts)
  if refusal then return nil, tostring(refusal), refusal end
  if request.on_plan then request.on_plan(preview_of(request, current, live, preparation)) end
  if action_of(request, live) == "none" then
    return unchanged(context, request, live, preparation, call_opts)
  end
  if is_failed then
    local gone
    gone, message, err = remove(context, request, call_opts)
    if not gone then return nil, message, err end
  end
  local result
  if live then
    result, message, err = update(context, request, live, preparation, call_opts)
  else
    result, message, err = create(context, request, current, preparation, call_opts)
  end
  if result then return result end
  local is_overtaken = err.in_progress or pollers.is_in_progress(err) or pollers.is_existing(err)
  return nil, message, err, is_overtaken
end

-- Somebody's deployment started between our look and our request.
local function overtaken(context, request, message, err, call_opts)
  local current = err.in_progress
    or preflight.endpoint(context.call, request.EndpointName, call_opts)
  local busy = current and preflight.busy(current)
  if not busy then return nil, message, err end
  return errors.fail{ kind = "service", code = "DeploymentInProgress", cause = err,
    message = busy .. "; wait = true queues behind it", operation = "deploy", retryable = false }
end

--- Checks, creates or updates, watches.
---@param context table call, check, clock, describe_alarms, sleep, random
---@param given sagemaker.watch.DeployRequest
---@param call_opts? table
---@return sagemaker.watch.Result|nil
---@return string? message
---@return sagemaker.Error? err
function M.run(context, given, call_opts)
  local request, message, err = preflight.parameters(context.check, given)
  if not request then return nil, message, err end
  for _ = 1, QUEUE do
    local result, is_overtaken
    result, message, err, is_overtaken = attempt(context, request, call_opts)
    if result then return result end
    if not is_overtaken then return nil, message, err end
    if not request.wait then return overtaken(context, request, message, err, call_opts) end
    context.sleep(request.delay or 2)
  end
  return nil, message, err
end

---@class sagemaker.watch.Preview what `deploy` is going to do
---@field action "create"|"update"|"none"
---@field alarms? sagemaker.watch.AlarmStates of an update, by name
---@field busy? string why nothing can be started now
---@field config? table the DeploymentConfig that governs the update
---@field endpoint? table output of DescribeEndpoint; nil when there is no such endpoint
---@field fleet? sagemaker.deployment.KnownFleet of an update, with the old one
---@field plan? sagemaker.deployment.Plan of an update
---@field refusal? sagemaker.Error why `deploy` would not begin: the alarms
---@field warnings string[]

--- What `run` would do with the endpoint as it is now. Only looks.
---@param context table call, check, describe_alarms
---@param given sagemaker.watch.DeployRequest
---@param call_opts? table
---@return sagemaker.watch.Preview|nil
---@return string? message
---@return sagemaker.Error? err
function M.preview(context, given, call_opts)
  local request, message, err = preflight.parameters(context.check, given)
  if not request then return nil, message, err end
  local current, live, preparation
  current, message, err = preflight.endpoint(context.call, request.EndpointName, call_opts)
  if current == nil then return nil, message, err end
  live = current and current.EndpointStatus ~= "Failed" and current
  if current and not live and not request.replace_failed then return failed(current) end
  preparation, message, err = preflight.prepare(context.call, request, live, call_opts)
  if not preparation then return nil, message, err end
  local refusal = look_at_alarms(context, request, live, preparation, call_opts)
  local preview = preview_of(request, current, live, preparation)
  preview.refusal = refusal
  preview.busy = preflight.busy(current)
  return preview
end

return M
