--- What a deployment is doing, and how it ended: iterator, coroutine, waiting, and deploying.
--
-- The model's own `endpoint_in_service` waiter calls a rolled-back update a success; everything
-- here compares what was asked for with what runs. See watch/watcher.lua for how.

local errors = require "sagemaker.error"
local deploys = require "sagemaker.watch.deploy"
local looks = require "sagemaker.watch.look"
local watchers = require "sagemaker.watch.watcher"

local M = {}

---@class sagemaker.watch.Watch
local Watch = {}
Watch.__index = Watch
Watch.__name = "sagemaker.watch"

---@class sagemaker.watch.Context what the client hands in
---@field call fun(op: string, params: table, opts?: table): table?, string?, sagemaker.Error?
---@field check fun(op: string, params: table): true?, string?, sagemaker.Error? strict validation
---@field describe_alarms? sagemaker.watch.DescribeAlarms for the alarms of a deployment
---@field polls? table looks at endpoints that many processes share: sagemaker.nginx.shared
---@field random? fun(): number in [0, 1)
---@field transport sagemaker.Transport whose clock and sleep are used

--- The four entry points, for one client.
---@param context sagemaker.watch.Context
---@return sagemaker.watch.Watch
function M.new(context)
  local transport = context.transport
  return setmetatable({
    call = context.call,
    check = context.check,
    clock = function() return transport:clock() end,
    describe_alarms = context.describe_alarms,
    polls = context.polls,
    random = context.random,
    sleep = function(seconds) return transport:sleep(seconds) end,
  }, Watch)
end

local OPTIONS = {
  EndpointConfigName = "string", DeploymentConfig = "table", before = "table",
  delay = "number", max_delay = "number", on_event = "function", provisioning = "number",
  timeout = "number",
}

local function names_of(map)
  local list = {}
  for name in pairs(map) do list[#list + 1] = name end
  table.sort(list)
  return list
end

-- A wrong option is a mistake in the program: it throws, at the line that called the client's
-- method, which hands over with a tail call.
local function check_options(name, opts)
  if type(name) ~= "string" or name == "" then
    error(("the endpoint's name must be a string, not %s"):format(
      name == "" and "an empty one" or type(name)), 4)
  end
  if opts ~= nil and type(opts) ~= "table" then error("the options must be a table", 4) end
  for key, value in pairs(opts or {}) do
    local kind = OPTIONS[key]
    if not kind then
      error(("unknown option %s%s"):format(tostring(key),
        errors.hint(key, names_of(OPTIONS))), 4)
    end
    if type(value) ~= kind or (kind == "number" and (value ~= value or value < 0)) then
      error(("option %s must be a %s%s"):format(key, kind,
        kind == "number" and " of seconds, at least 0" or ""), 4)
    end
  end
  return opts or {}
end

local function watcher_of(self, name, opts, call_opts)
  opts = check_options(name, opts)
  return watchers.new(self, name, opts, call_opts), opts
end

---@class sagemaker.watch.Iterator
local Iterator = {}
Iterator.__index = Iterator
Iterator.__name = "sagemaker.watch.iterator"

--- The next event that differs from the one before; waits for it.
---@return sagemaker.watch.Event|nil event nil after the last one, which has an outcome
---@return string? message
---@return sagemaker.Error? err
function Iterator:next()
  local watcher = self.watcher
  while not watcher.done do
    if self.delay then watcher.context.sleep(self.delay) end
    local event, delay, err = looks.look_here(watcher)
    if not event then return nil, delay, err end
    self.delay = delay
    if event.moved or event.outcome then return event end
  end
  return nil
end

-- As in the scheduler: compiled, it would leave an answer in the stack while it waits.
local jit = rawget(_G, "jit")
if jit then jit.off(Iterator.next) end

--- The same for a generic `for`, which can only end or raise.
function Iterator:__call()
  local event, _, err = self:next()
  if err then error(err, 0) end
  return event
end

--- An iterator over what happens to an endpoint: an event each time the deployment moves, the last
-- one with the outcome. A generic `for` raises the error of a call that failed for good;
-- `iterator:next()` returns `nil, message, err`.
---@param name string EndpointName
---@param opts? sagemaker.watch.Options
---@param call_opts? table for each DescribeEndpoint
---@return sagemaker.watch.Iterator|fun(): sagemaker.watch.Event|nil
function Watch:watch_endpoint(name, opts, call_opts)
  local watcher = watcher_of(self, name, opts, call_opts)
  return setmetatable({ watcher = watcher }, Iterator)
end

local brought, pause -- event and delay of the look that is just over

-- Lets a watcher look: whether it will look again.
local function look(watcher)
  local err
  brought, pause, err = looks.look(watcher)
  if err then error(err, 0) end
  return not watcher.done
end

local function take()
  local event = brought
  brought = nil
  return event, pause
end

--- A coroutine for hosts with a loop of their own. Each resume makes one poll and never sleeps: it
-- yields the state as an event (`event.moved` tells whether it differs from the one before) and the
-- seconds until the next resume should come. It ends by returning the last event, which has an
-- outcome, and 0. A call that failed for good raises its err table: `resume` gives false and err.
---@param name string EndpointName
---@param opts? sagemaker.watch.Options
---@param call_opts? table for each DescribeEndpoint
---@return thread
function Watch:in_service_coroutine(name, opts, call_opts)
  local watcher = watcher_of(self, name, opts, call_opts)
  return coroutine.create(function()
    -- Between two resumes nothing here holds an event, with its DescribeEndpoint output.
    while look(watcher) do coroutine.yield(take()) end
    return take()
  end)
end

local CODES = {
  rolled_back = "DeploymentRolledBack",
  rollback_failed = "RollbackFailed",
  failed = "DeploymentFailed",
  deleted = "EndpointDeleted",
  timed_out = "DeploymentTimedOut",
  in_service = "DeploymentUnconfirmed",
}

local TEXTS = {
  rolled_back = "%s was rolled back%s",
  rollback_failed = "%s could not be rolled back and serves a mix of both configurations%s",
  failed = "%s has failed%s",
  deleted = "%s was deleted%s",
  timed_out = "%s was not in service in time%s",
  in_service = "%s is in service, but with which configuration is not known%s",
}

-- An outcome that is no success, as the three values of a failure.
local function fail(name, wish, event)
  local outcome = event.outcome
  local text = TEXTS[outcome]:format(name, wish and (", asked for " .. wish) or "")
  local why = event.failure_reason or event.warnings[#event.warnings]
  return errors.fail{
    kind = outcome == "timed_out" and "timeout" or "service",
    code = CODES[outcome],
    message = why and ("%s: %s"):format(text, why) or text,
    operation = "DescribeEndpoint",
    result = event,
    retryable = false,
  }
end

--- Waits until the endpoint runs the configuration that was asked for: `opts.EndpointConfigName`,
-- or what the first look shows to be under way. Where that look shows nothing, being in service is
-- all that is waited for; the result's outcome is then "in_service" and its warnings say so.
---@param name string EndpointName
---@param opts? sagemaker.watch.Options also `on_event`, called with each event
---@param call_opts? table for each DescribeEndpoint
---@return sagemaker.watch.Event|nil result the last event, with history and warnings
---@return string? message
---@return sagemaker.Error? err code "DeploymentRolledBack", "RollbackFailed", "DeploymentFailed",
--- "EndpointDeleted", "DeploymentTimedOut" or "DeploymentUnconfirmed"; err.result is the last event
function Watch:wait_until_in_service(name, opts, call_opts)
  local watcher
  watcher, opts = watcher_of(self, name, opts, call_opts)
  local event, message, err = deploys.follow(self, watcher, opts.on_event)
  if not event then return nil, message, err end
  if event.outcome == "deployed" or (event.outcome == "in_service" and not watcher.named) then
    return event
  end
  return fail(name, watcher.wish, event)
end

--- Brings an endpoint to a configuration: checks, creates or updates, watches. See
-- watch/deploy.lua for the parameters.
---@param request sagemaker.watch.DeployRequest
---@param call_opts? table for each call
---@return sagemaker.watch.Result|nil result also for a roll-back: look at its outcome
---@return string? message
---@return sagemaker.Error? err
function Watch:deploy(request, call_opts)
  return deploys.run(self, request, call_opts)
end

return M
