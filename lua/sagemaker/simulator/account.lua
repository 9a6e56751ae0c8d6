--- One account in one region: what it owns, its alarms, and the world its endpoints live in.
-- Operations work on it; it knows no HTTP, no signatures and no faults on the way.

local alarms = require "sagemaker.simulator.alarms"
local fleet = require "sagemaker.simulator.fleet"
local knobs = require "sagemaker.simulator.knobs"
local lifecycle = require "sagemaker.simulator.lifecycle"
local metrics = require "sagemaker.simulator.metrics"
local objects = require "sagemaker.simulator.objects"
local refusal = require "sagemaker.simulator.refusal"
local stores = require "sagemaker.simulator.store"

local M = {}

local Account = { __name = "sagemaker.simulator.account" }
Account.__index = Account

--- How long things take, in seconds, unless told otherwise.
M.SECONDS = {
  provisioning = 300, -- a fleet, or each batch of a rolling deployment
  activation = 0, -- turning on traffic for a step
  removal = 0, -- of an old fleet or batch
  rollback = 30, -- of a blue/green deployment, or of a re-scale
  scaling = 60, -- new weights and capacities
  deleting = 30,
  health_check = 300, -- until an unhealthy container is given up
  loading = 0, -- of a target model, or of a serverless variant's resources, once asked for
}

-- The option that limits how many there may be of a kind.
local LIMITS = {
  endpoint = "endpoints", ["endpoint-config"] = "endpoint_configs",
  ["inference-component"] = "inference_components", model = "models",
}

--- The names of these limits.
---@return table<string, true>
function M.limits()
  local names = {}
  for _, name in pairs(LIMITS) do names[name] = true end
  return names
end

-- Kinds of resources that live: something happens to them by itself.
local LIVE = { endpoint = true, ["inference-component"] = true }

local CAPACITY = "Unable to provision requested ML compute capacity due to "
  .. "InsufficientInstanceCapacity error. Please retry using a different ML instance type or after "
  .. "some time."
local PING = "The primary container for production variant %s did not pass the ping health check. "
  .. "Please check CloudWatch logs for this endpoint."
local PLACE = "Unable to place the copies of inference component %s: the instances of the endpoint "
  .. "do not have the required compute resources."
local COPY_PING = "The container of inference component %s did not pass the ping health check. "
  .. "Please check CloudWatch logs for this endpoint."

---@class sagemaker.simulator.account
---@field store sagemaker.simulator.store
---@field world sagemaker.simulator.world
---@field secret string seals NextToken
---@field alarms table<string, string>
---@field metrics sagemaker.simulator.metrics
---@field id string
---@field region string
---@field partition string
---@field objects sagemaker.simulator.objects
---@field hosting sagemaker.simulator.hosting
---@field moving table<table, true> records on which something is due

-- The container that is waited for the longest.
local function patience(blueprint, seconds)
  local longest
  for _, variant in ipairs(blueprint.variants) do
    local own = variant.spec.ContainerStartupHealthCheckTimeoutInSeconds
    if own then longest = math.max(longest or 0, own) end
  end
  return longest or seconds.health_check
end

-- The knob of each failure, and what it does to endpoints and to inference components, in words.
local FAILURES = {
  provisioning = { "fail_provisioning", CAPACITY, PLACE },
  health = { "unhealthy", PING, COPY_PING },
  rollback = { "rollback_fails", "The roll-back failed.", "The roll-back failed." },
}

local function new_world(self)
  local world = { seconds = self.seconds }
  function world.alarm(name)
    return self.alarms[name] or "OK"
  end
  function world.fails(kind, machine, blueprint, at)
    local knob, text = FAILURES[kind][1], FAILURES[kind][2]
    local case = { endpoint = machine.name, endpoint_config = blueprint.name }
    if machine.endpoint then
      text = FAILURES[kind][3]
      case = { endpoint = machine.endpoint, inference_component = machine.name }
    end
    local reason =
      knobs.applies(self.knobs[knob], fleet.names(blueprint, machine.name), case)
    local name, look_again = blueprint.variants[1].name, nil
    if not reason and kind == "health" then
      name, look_again = self.hosting:sick(blueprint, at)
      reason = name ~= nil
    end
    if not reason then return nil end
    if reason == true then reason = text:format(name) end
    return reason, patience(blueprint, self.seconds), look_again
  end
  function world.reason(machine, reason)
    local hidden = self.knobs.hide_failure_reason
    local case = { endpoint = machine.name, reason = reason }
    return not knobs.applies(hidden, { machine.name }, case) and reason or nil
  end
  return world
end

---@param opts table account_id, region, partition, clock, hosting, knobs, seconds, limits, secret
---@return sagemaker.simulator.account
function M.new(opts)
  local self = setmetatable({
    store = stores.new(opts), clock = opts.clock, knobs = opts.knobs, limits = opts.limits or {},
    id = opts.account_id, region = opts.region, partition = opts.partition,
    hosting = opts.hosting, objects = objects.new(), secret = opts.secret, alarms = {},
    moving = {}, seconds = {}, metrics = metrics.new(),
  }, Account)
  for name, seconds in pairs(M.SECONDS) do self.seconds[name] = opts.seconds[name] or seconds end
  self.world = new_world(self)
  self.watch = alarms.new {
    account = self, prefix = ("arn:%s:cloudwatch:%s:%s:alarm:"):format(opts.partition, opts.region,
      opts.account_id),
  }
  return self
end

---@return number seconds since the epoch
function Account:now()
  return self.clock:now()
end

--- Adds a resource with the tags of its input, where the account's limits allow.
---@param kind string
---@param name string
---@param input table
---@return sagemaker.simulator.record|nil
---@return sagemaker.simulator.refusal|nil
function Account:add(kind, name, input)
  local limit = self.limits[LIMITS[kind]]
  if limit then
    local count = LIVE[kind] and #self:visible(kind, true) or self.store:count(kind)
    if count >= limit then return refusal.limit(stores.WORDS[kind] .. "s", limit) end
  end
  local tags, refused = stores.tagged({}, input.Tags)
  if not tags then return nil, refused end
  local now = self:now()
  local word = kind:gsub("%-", "_")
  local lag = knobs.seconds(self.knobs.visible_after, word, { kind = word, name = name })
  local fields = { tags = tags, visible_at = lag > 0 and now + lag or nil }
  if not LIVE[kind] then fields.input = input end
  return self.store:insert(kind, name, now, fields)
end

local function hidden(record, now)
  return record.visible_at ~= nil and now < record.visible_at
end

--- Whether operations see a resource by now.
---@param record sagemaker.simulator.record
---@return boolean
function Account:shown(record)
  return not hidden(record, self:now())
end

--- A resource by name. With `elsewhere`, as other operations see it: not before it is visible to
-- them (eventual consistency).
---@param kind string
---@param name string
---@param elsewhere boolean|nil
---@return sagemaker.simulator.record|nil
---@return sagemaker.simulator.refusal|nil
function Account:need(kind, name, elsewhere)
  local record = self.store:find(kind, name)
  if record and not (elsewhere and hidden(record, self:now())) then return record end
  return refusal.missing(stores.WORDS[kind], self.store:arn(kind, name))
end

-- Brings what lives up to now; nil when it has gone meanwhile.
local function current(self, record, now)
  local machine = record.machine
  if machine.due then lifecycle.advance(machine, now, self.world) end
  if not machine.gone then return record end
  self.store:remove(record)
  self.moving[record] = nil
  return nil
end

--- An endpoint or an inference component by name, as it is now.
---@param kind "endpoint"|"inference-component"
---@param name string
---@return sagemaker.simulator.record|nil
function Account:live(kind, name)
  local record = self.store:find(kind, name)
  return record and current(self, record, self:now())
end

--- The same for an operation that cannot do without it.
---@param kind "endpoint"|"inference-component"
---@param name string
---@return sagemaker.simulator.record|nil
---@return sagemaker.simulator.refusal|nil
function Account:need_live(kind, name)
  local record = self:live(kind, name)
  if record and not hidden(record, self:now()) then return record end
  return refusal.missing(stores.WORDS[kind], self.store:arn(kind, name))
end

--- An endpoint by name, as it is now.
---@param name string
---@return sagemaker.simulator.record|nil
function Account:endpoint(name)
  return self:live("endpoint", name)
end

--- The same for an operation that cannot do without it.
---@param name string
---@return sagemaker.simulator.record|nil
---@return sagemaker.simulator.refusal|nil
function Account:need_endpoint(name)
  return self:need_live("endpoint", name)
end

--- All resources of a kind that List operations see.
---@param kind string
---@param all boolean|nil also those that are not visible yet
---@return sagemaker.simulator.record[]
function Account:visible(kind, all)
  local now, rows = self:now(), {}
  for _, record in ipairs(self.store:all(kind)) do
    local here = record
    if record.machine then here = current(self, record, now) end
    if here and (all or not hidden(record, now)) then rows[#rows + 1] = record end
  end
  return rows
end

--- Takes a record back that an earlier simulator had.
---@param record sagemaker.simulator.record
function Account:bring_back(record)
  self.store:put(record)
  if record.machine and record.machine.due then self.moving[record] = true end
end

--- Something is under way on an endpoint or an inference component from now on.
---@param record sagemaker.simulator.record
function Account:started(record)
  self.moving[record] = true
end

--- Plays everything up to now, before what it looks at changes.
function Account:settle()
  local now = self:now()
  for record in pairs(self.moving) do
    current(self, record, now)
    if not record.machine.due then self.moving[record] = nil end
  end
end

--- The containers of a model are healthy from now on, or are not; nil: their own /ping tells again.
-- Fleets that wait for them go on.
---@param model string
---@param healthy boolean|nil
function Account:set_health(model, healthy)
  local known = self.hosting.health
  if known[model:lower()] == healthy then return end
  self:settle()
  known[model:lower()] = healthy
  local now = self:now()
  for record in pairs(self.moving) do
    lifecycle.health_changed(record.machine, now, self.world)
  end
end

--- The containers with a URL of all fleets that serve or are to serve.
---@return {model: string, url: string, healthy: boolean|nil}[]
function Account:containers()
  local rows, seen = {}, {}
  local function add(container)
    local key = container.url and container.name .. "\n" .. container.url
    if not key or seen[key] then return end
    seen[key] = true
    rows[#rows + 1] = { model = container.name, url = container.url,
      healthy = self.hosting.health[container.name:lower()] }
  end
  for kind in pairs(LIVE) do
    for _, record in ipairs(self:visible(kind, true)) do
      fleet.each_container(record.machine, add)
    end
  end
  table.sort(rows, function(a, b)
    if a.model ~= b.model then return a.model < b.model end
    return a.url < b.url
  end)
  return rows
end

--- Sets the state of a CloudWatch alarm. Deployments that bake and name it roll back now.
---@param name string
---@param state "OK"|"ALARM"|"INSUFFICIENT_DATA"
---@param reason? string
---@param data? string JSON
function Account:set_alarm(name, state, reason, data)
  local before = self.alarms[name]
  if before ~= state then self:settle() end
  self.alarms[name] = state
  self.watch:changed(name, state, reason, data)
  if before == state then return end
  local now = self:now()
  for record in pairs(self.moving) do
    lifecycle.alarm_changed(record.machine, now, self.world)
  end
end

return M
