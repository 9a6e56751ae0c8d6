--- What became of a deployment: a state machine that is fed one look at a time.
--
-- A rolled-back update ends InService on the old configuration, and polls can miss every status on
-- the way. So a watcher compares what was asked for with what runs, and believes that the old
-- configuration is the end only when this deployment was seen, or LastModifiedTime has moved, or
-- two minutes have passed without a sign of it. It never sleeps and is no coroutine: the iterator,
-- the coroutine and `deploy` all drive it with `poll`.

local crowds = require "sagemaker.watch.crowd"
local fleets = require "sagemaker.deployment.fleet"
local plans = require "sagemaker.deployment.plan"
local pollers = require "sagemaker.watch.poller"
local readings = require "sagemaker.watch.reading"
local rules = require "sagemaker.deployment.rules"

local M = {}

-- Seconds that an accepted deployment may stay invisible.
local INVISIBLE = 120

-- Seconds that an endpoint may be "not found" after an accepted create.
local CREATED = 60

-- Seconds before a deadline that are worth a pause: a clock may not move by less than it can tell.
local SHORTEST = 0.5

-- Seconds for new instances to come, added to what a deployment may take by its own timeout.
local PROVISIONING = 3600

-- The longest MaximumExecutionTimeoutInSeconds, for a deployment that names none and whose steps
-- are not known.
local LONGEST = 28800

---@alias sagemaker.watch.Outcome
---| "deployed"        the configuration that was asked for is in service
---| "in_service"      an endpoint is in service; what was asked for is not known
---| "rolled_back"     the old configuration is in service again
---| "rollback_failed" UpdateRollbackFailed: a mix of both is in service
---| "failed"          the endpoint is Failed, or another deployment took over
---| "deleted"         the endpoint is gone
---| "timed_out"       nothing of this by the deadline

---@class sagemaker.watch.Event
---@field status? string EndpointStatus; nil before the first successful look
---@field stage? string VariantStatus of the new fleet, or "TerminationWait"
---@field step? integer traffic shifts so far, one under way included
---@field steps? integer traffic shifts in all, when they are known
---@field traffic {old: number, new: number} percent
---@field instances {old: integer, new: integer} the old fleet's that run, the new one's that serve
---@field elapsed integer seconds since the first look
---@field failure_reason? string also one that was shown earlier and has vanished since
---@field endpoint? table the DescribeEndpoint output; nil when this look brought none
---@field outcome? sagemaker.watch.Outcome only in the last event
---@field moved boolean whether this differs from the event before
---@field poll_error? string "Code: message" of a look that brought nothing and will be repeated
---@field history? table[] last event: {elapsed, status, stage, step, traffic} of each that moved
---@field warnings? string[] last event

-- Thousands may wait at once, so one is a single table, which is a poller too, and has no more
-- fields than it needs: what is the same for many is in its class.
---@class sagemaker.watch.Watcher: sagemaker.watch.Poller
---@field wish? string EndpointConfigName that was asked for
local Watcher = { elapsed = 0, failures = 0, n_new = 0, n_old = 0, share = 0 }
local inherited = { __index = Watcher }

---@class sagemaker.watch.Options
---@field EndpointConfigName? string what was asked for; else what the first look shows
---@field DeploymentConfig? table of this deployment, when it is known
---@field before? table DescribeEndpoint output from before the change
---@field timeout? number seconds; else from the deployment's own timeout
---@field provisioning? number seconds for new instances beyond that timeout (default 3600)
---@field delay? number seconds between the first looks (default 2)
---@field max_delay? number seconds between looks at most (default 30)

-- The class of the watchers that have a context and options in common; it lives as long as they do.
-- The watchers of a context are one crowd.
local function class_of(context, opts)
  local classes = context.classes
  if not classes then
    classes = setmetatable({}, { __mode = "v" })
    context.classes, context.crowd = classes, crowds.new()
  end
  local key = ("%s|%s|%s|%s"):format(tostring(opts.delay), tostring(opts.max_delay),
    tostring(opts.provisioning), tostring(opts.timeout))
  local class = classes[key]
  if not class then
    class = setmetatable({ __name = "sagemaker.watch.watcher", context = context,
      first = opts.delay, longest = opts.max_delay, provisioning = opts.provisioning,
      timeout = opts.timeout }, inherited)
    class.__index, classes[key] = class, class
  end
  return class
end

--- A watcher. Nothing is asked before the first poll.
---@param context {call: function, clock: (fun(): number), random?: fun(): number}
---@param name string EndpointName
---@param opts sagemaker.watch.Options also: created, the create was accepted just now
---@param call_opts? table for each DescribeEndpoint
---@return sagemaker.watch.Watcher
function M.new(context, name, opts, call_opts)
  local wish = opts.EndpointConfigName
  local self = pollers.begin(setmetatable({ call_opts = call_opts, created = opts.created,
    name = name, named = wish ~= nil or nil, wish = wish }, class_of(context, opts)))
  if opts.before then
    self.has_before = true
    self:set_baseline(readings.read(opts.before))
  end
  if self.created then self.old = nil end
  if opts.DeploymentConfig then
    self.config = opts.DeploymentConfig
    self:set_deadline(self.config, nil)
  end
  return self
end

function Watcher:warn(text, ...)
  self.warnings = self.warnings or {}
  self.warnings[#self.warnings + 1] = text:format(...)
end

-- What the endpoint was like before this deployment: later readings are compared with it.
function Watcher:set_baseline(reading)
  self.old = reading.config
  self.base_modified = reading.modified
  self.base_created = self.created and reading.created or nil
  self.base_reason = reading.reason
end

local UNDER_WAY = { Updating = true, RollingBack = true }

function Watcher:first_look(reading)
  self.looked = true
  local creating = reading.status == "Creating"
  if not self.wish then
    self.wish = reading.pending or (creating and reading.config) or nil
    self.blind = self.wish == nil or nil
  end
  if self.has_before then return end
  self:set_baseline(reading)
  if creating or self.created then self.old = nil end
  if creating or UNDER_WAY[reading.status] then self.base_reason = nil end
end

-- Seconds the deployment may take and its steps, from its own configuration; `rows` are the
-- variants of the new fleet, nil when they are not known yet.
function Watcher:set_deadline(config, rows)
  if self.created then return end
  if config and #rules.check(config) > 0 then
    self.allowed = LONGEST
    return
  end
  local fleet = fleets.of(rows, true)
  local policy = config and (config.RollingUpdatePolicy or config.BlueGreenUpdatePolicy)
  self.allowed = policy and policy.MaximumExecutionTimeoutInSeconds
    or plans.duration(config, fleet) or LONGEST
  if rows and plans.is_computable(config, fleet) then self.shares = plans.shares(config, fleet) end
end

function Watcher:deadline()
  return self.timeout or (self.allowed or 0) + (self.provisioning or PROVISIONING)
end

-- Whether what is under way is another deployment than the one that is watched.
local function is_foreign(self, reading)
  return not self.blind and reading.pending ~= nil and not readings.same(reading.pending, self.wish)
end

-- Another deployment is under way, or has just ended: the comparison starts afresh after it.
function Watcher:observe_foreign(reading)
  self.foreign = UNDER_WAY[reading.status] or reading.pending ~= nil
  self.base_modified, self.base_reason = reading.modified, reading.reason
end

function Watcher:observe_reason(reading)
  if not reading.reason then
    self.cleared = true
  elseif reading.reason ~= self.base_reason or self.cleared or self.moved then
    self.reason = reading.reason
  end
end

-- Takes notice of what a reading proves: that this deployment exists, that it was rolled back.
function Watcher:observe(reading, output)
  if is_foreign(self, reading) or (self.foreign and not reading.pending) then
    return self:observe_foreign(reading)
  end
  self.foreign = nil
  if UNDER_WAY[reading.status] or reading.pending then self.seen = true end
  if reading.status == "RollingBack" then self.rolled = true end
  if self.blind and reading.pending then self.suspect = reading.pending end
  if reading.modified and self.base_modified and reading.modified > self.base_modified then
    self.moved = true
  end
  self:observe_reason(reading)
  if reading.pending and not self.shares then
    self:set_deadline(self.config or output.LastDeploymentConfig,
      output.PendingDeploymentSummary.ProductionVariants)
  end
end

-- Whether an endpoint at rest may still be at rest because the deployment is not visible yet.
function Watcher:may_be_early()
  if self.seen or self.moved then return false end
  self.rest_since = self.rest_since or self.elapsed
  return self.elapsed - self.rest_since < INVISIBLE
end

function Watcher:judge_blind(reading)
  if self.has_before and self:may_be_early() then return nil end
  if self.rolled or self.reason then return "rolled_back" end
  if self.suspect and readings.same(reading.config, self.old)
      and not readings.same(self.suspect, self.old) then
    return "rolled_back"
  end
  self:warn("%s is in service with %s; whether that was asked for is not known", self.name,
    reading.config or "an unnamed configuration")
  return "in_service"
end

-- The configuration that was asked for runs.
function Watcher:judge_wish()
  if not readings.same(self.wish, self.old) then return "deployed" end
  if self.has_before and self:may_be_early() then return nil end
  if self.rolled or self.reason then return "rolled_back" end
  return "deployed"
end

-- Another configuration runs than the one that was asked for.
function Watcher:judge_other(reading)
  if self:may_be_early() then return nil end
  if not readings.same(reading.config, self.old) then
    self:warn("%s runs %s, not %s: another deployment took over", self.name, reading.config,
      self.wish)
    return "failed"
  end
  if not self.seen and not self.moved then
    self:warn("no deployment of %s was seen in %d seconds; %s runs %s", self.wish, INVISIBLE,
      self.name, reading.config)
  end
  return "rolled_back"
end

function Watcher:judge_in_service(reading)
  if self.blind then return self:judge_blind(reading) end
  if not reading.config then
    if self:may_be_early() then return nil end
    self:warn("DescribeEndpoint does not say which configuration %s runs", self.name)
    return "in_service"
  end
  if readings.same(reading.config, self.wish) then return self:judge_wish() end
  return self:judge_other(reading)
end

local judges = {}

function judges.InService(self, reading)
  if reading.pending then return nil end
  return self:judge_in_service(reading)
end

function judges.UpdateRollbackFailed(self)
  if not self.blind and self:may_be_early() then return nil end
  return "rollback_failed"
end

function judges.Failed()
  return "failed"
end

-- Our configuration is already the old one of the next deployment.
local function is_overtaken(self, reading)
  return UNDER_WAY[reading.status] and self.foreign and readings.same(reading.config, self.wish)
    and not readings.same(self.wish, self.old)
end

function Watcher:judge(reading)
  if is_overtaken(self, reading) then
    self:warn("%s was deployed; a deployment of %s has begun since", self.wish, reading.pending)
    return "deployed"
  end
  local judge = judges[reading.status]
  local outcome = judge and judge(self, reading)
  if not judge then self.rest_since = nil end
  if outcome == nil and self.elapsed >= self:deadline() then outcome = "timed_out" end
  return outcome
end

-- Traffic and instances as an event shows them.
local function fleets_of(self, reading, outcome)
  if reading.pending then return reading.share, reading.old, reading.new end
  local is_new = self.created or outcome == "deployed"
    or (self.old == nil and reading.status == "Creating")
  if not is_new then return 0, reading.old, 0 end
  return reading.status == "InService" and 100 or 0, 0, reading.old
end

function Watcher:step_of(share, stage)
  local shares = self.shares
  if not shares then return nil end
  local step = 0
  while shares[step + 1] and shares[step + 1] <= share + 0.05 do step = step + 1 end
  if stage == "ActivatingTraffic" and shares[step + 1] then step = step + 1 end
  return step
end

-- The class has the zeros.
function Watcher:set_fleets(share, old, new)
  self.share = share ~= 0 and share or nil
  self.n_old = old ~= 0 and old or nil
  self.n_new = new ~= 0 and new or nil
end

-- What the watcher keeps of a reading for events of looks that bring none.
function Watcher:keep(reading, outcome)
  self.status, self.stage = reading.status, reading.stage
  local share, old, new = fleets_of(self, reading, outcome)
  self:set_fleets(share, old, new)
  self.step = self:step_of(share, reading.stage)
end

function Watcher:event(outcome, output)
  local share = self.share
  local is_first = self.created or (self.looked and self.old == nil)
  return {
    status = self.status,
    stage = self.stage,
    step = self.step,
    steps = self.shares and #self.shares,
    traffic = is_first and { old = 0, new = share } or plans.traffic(share, 100),
    instances = { old = self.n_old, new = self.n_new },
    elapsed = math.floor(self.elapsed + 0.5),
    failure_reason = self.reason,
    endpoint = output,
    outcome = outcome,
    moved = false,
  }
end

local function key_of(event)
  return ("%s|%s|%s|%s|%s|%s|%s|%s"):format(tostring(event.status), tostring(event.stage),
    tostring(event.step), event.traffic.new, event.instances.old, event.instances.new,
    tostring(event.failure_reason), tostring(event.outcome))
end

-- A row of the history.
local ROW = "%d\1%s\1%s\1%s\1%s\2"
local ROW_PATTERN = ROW:gsub("%%[ds]", "([^\1\2]*)")

function Watcher:record(event)
  if not self.looked and not event.outcome then return end
  local key = key_of(event)
  event.moved = key ~= self.key
  if not event.moved then return end
  self.key = key
  self.history = (self.history or "") .. ROW:format(event.elapsed, event.status or "",
    event.stage or "", tostring(event.step or ""), tostring(event.traffic.new))
end

-- The history as rows; until it is asked for it is one string, and most watchers have the same.
function Watcher:rows()
  local rows = {}
  for elapsed, status, stage, step, traffic in (self.history or ""):gmatch(ROW_PATTERN) do
    rows[#rows + 1] = {
      elapsed = tonumber(elapsed), status = status ~= "" and status or nil,
      stage = stage ~= "" and stage or nil, step = tonumber(step), traffic = tonumber(traffic),
    }
  end
  return rows
end

-- The last event, or one more and when to look again.
function Watcher:finish(event)
  self:record(event)
  if not event.outcome then
    local delay = pollers.delay(self, event.moved)
    local left = self:deadline() - self.elapsed
    if left < delay then delay = math.max(left, SHORTEST) end
    return event, delay
  end
  self.done = true
  event.history, event.warnings = self:rows(), self.warnings or {}
  return event, 0
end

function Watcher:fail(err)
  self.done = true
  return nil, tostring(err), err
end

-- A look that brought nothing of use: the last known state again, until it is too late.
function Watcher:without_look(err)
  if self.elapsed < self:deadline() then
    local event, delay = self:finish(self:event(nil, nil))
    event.poll_error = tostring(err)
    return event, delay
  end
  if not self.looked and type(err) == "table" then return self:fail(err) end
  self:warn("the last look failed: %s", tostring(err))
  return self:finish(self:event("timed_out", nil))
end

function Watcher:gone(err)
  if self.created and self.elapsed < CREATED then return self:without_look(err) end
  if not self.looked and not self.has_before then return self:fail(err) end
  self.stage = nil
  self:set_fleets(0, 0, 0)
  return self:finish(self:event("deleted", nil))
end

-- After a delete and a create, a look may still show the endpoint that is gone.
function Watcher:is_ghost(reading)
  return self.created and self.has_before and reading.created == self.base_created
    and self.elapsed < CREATED
end

function Watcher:tick()
  local now = self.context.clock()
  self.started = self.started or now
  self.elapsed = math.max(self.elapsed, now - self.started)
end

--- Looks once.
---@return sagemaker.watch.Event|nil event the state as of now; the last one has an outcome
---@return number|string delay seconds until the next poll should be made, 0 after the last; message
---@return sagemaker.Error|nil err
function Watcher:poll()
  self:tick()
  local output, problem, err = pollers.look(self)
  self:tick()
  if problem == "gone" then return self:gone(err) end
  if problem == "error" then return self:fail(err) end
  if not output then return self:without_look(err) end
  local reading = readings.read(output)
  if self:is_ghost(reading) then return self:without_look("the deleted endpoint is still shown") end
  if not self.looked then self:first_look(reading) end
  self:observe(reading, output)
  local outcome = self:judge(reading)
  if outcome and outcome ~= "deployed" and outcome ~= "in_service" then
    self.reason = self.reason or reading.reason
  end
  self:keep(reading, outcome)
  self.context.crowd:looked(self.context.clock())
  return self:finish(self:event(outcome, output))
end

return M
