--- Everything a person looks at while something is deployed, as plain tables: `sim:state()`, and
-- what the control API and its page show. Reads, never changes. Times are seconds since the epoch
-- on the simulator's clock, shares and traffic are in percent; what does not apply is absent.

local components = require "sagemaker.simulator.component"
local histories = require "sagemaker.simulator.history"
local hosting = require "sagemaker.simulator.hosting"
local json = require "sagemaker.simulator.json"
local knobs = require "sagemaker.simulator.knobs"
local lifecycle = require "sagemaker.simulator.lifecycle"
local metrics = require "sagemaker.simulator.metrics"
local stages = require "sagemaker.simulator.stages"

local M = {}

-- So much of an endpoint's past is in the list of all endpoints.
local RECENT = 50

---@class sagemaker.simulator.state.endpoint also of an inference component
---@field name string
---@field arn string
---@field endpoint string|nil whose component it is
---@field status string
---@field config string|nil what serves
---@field pending_config string|nil what a deployment brings
---@field created number
---@field modified number
---@field failure_reason string|nil
---@field traffic {old: number, new: number} of the fleets of a deployment, in percent
---@field stage {kind: string, step: integer, steps: integer, since: number, ends: number}|nil what
--- is under way: provision, activate, bake, wait, remove, rollback, scale
---@field deployment sagemaker.simulator.state.deployment|nil
---@field variants sagemaker.simulator.state.variant[]
---@field shadows sagemaker.simulator.state.variant[]
---@field history {at: number, status: string, stage: string|nil, step: integer|nil,
--- share: number}[] oldest first, the latest 50

---@class sagemaker.simulator.state.deployment
---@field kind string CREATE, SCALE, ALL_AT_ONCE, CANARY, LINEAR or ROLLING
---@field started number
---@field deadline number|nil of MaximumExecutionTimeoutInSeconds
---@field config string|nil what is deployed
---@field alarms string[]
---@field stages {kind: string, step: integer, starts: number, ends: number, share: number}[]|nil
--- the plan; share is the new fleet's while the stage lasts

---@class sagemaker.simulator.state.variant
---@field name string
---@field model string|nil
---@field weight number
---@field desired_weight number
---@field count integer instances, or copies of a component
---@field desired integer
---@field serverless boolean
---@field invocations integer in the latest hour

---@class sagemaker.simulator.state
---@field now number
---@field clock {kind: "virtual"|"real", factor: number|nil, step: number|nil, start: number}
---@field account_id string
---@field region string
---@field endpoints sagemaker.simulator.state.endpoint[] oldest first
---@field components sagemaker.simulator.state.endpoint[]
---@field configs {name: string, created: number, variants: table[]}[]
---@field models {name: string, created: number, url: string|nil, healthy: boolean|nil}[]
---@field alarms {name: string, state: string, reason: string|nil, updated: number|nil,
--- defined: boolean, actions: {at: number, state: string, action: string, carried_out: false}[]}[]
--- those that are known, and those that a deployment names
---@field requests {at: number, operation: string, status: integer, code: string|nil,
--- request_id: string}[] the latest 200
---@field requests_total integer
---@field knobs table<string, any> those that are on
---@field faults string[] the names of all knobs

-- How often a variant was invoked in the hour up to the end of this minute.
local function invocations_of(sim, endpoint, variant)
  local to = (math.floor(sim:now() / metrics.BUCKET) + 1) * metrics.BUCKET
  return sim.account.metrics:statistic(endpoint, variant, "Invocations", "Sum", to - 3600,
    to) or 0
end

-- The variants of the fleet that serves, or that is to serve first. Copies of a component are
-- counted, its invocations are those of the variant it lies on.
local function variants_of(sim, record, list)
  local rows, machine = json.array {}, record.machine
  local fleet = machine.current or machine.deployment and machine.deployment.blueprint
  for i, variant in ipairs(fleet and fleet[list] or {}) do
    rows[i] = {
      name = variant.name, model = variant.spec.ModelName, weight = variant.weight,
      desired_weight = variant.desired_weight, count = variant.count, desired = variant.desired,
      serverless = variant.serverless ~= nil,
      invocations = invocations_of(sim, record.endpoint or record.name,
        record.variant or variant.name),
    }
  end
  return rows
end

local function percent(share)
  return math.floor(share * 1000 + 0.5) / 10
end

-- The part of the new fleet's capacity that serves after `green` steps, in percent.
local function planned_share(d, green)
  local active, total = 0, 0
  for _, variant in ipairs(d.blueprint.variants) do
    active = active + stages.active(d.plan, variant, green)
    total = total + stages.capacity(variant)
  end
  return total > 0 and percent(active / total) or green > 0 and 100 or 0
end

-- The stages of a plan with their times: as planned up to the present one, from its end onwards.
local function stages_of(d)
  local rows, at = json.array {}, d.started
  for i, stage in ipairs(d.plan) do
    local starts, ends = at, at + stage.seconds
    if i == d.index then starts, ends = d.since, math.max(d.since, d.ends) end
    rows[i] = {
      kind = stage.kind, step = stage.step, starts = starts, ends = ends,
      share = planned_share(d, stage.green),
    }
    at = ends
  end
  return rows
end

local function kind_of(machine)
  local d = machine.deployment
  if d.changes then return "SCALE" end
  if machine.status == "Creating" then return "CREATE" end
  return d.plan.policy
end

local function deployment_of(machine)
  local d = machine.deployment
  if not d then return nil end
  return {
    kind = kind_of(machine), started = d.started, deadline = d.deadline,
    config = d.blueprint and d.blueprint.name,
    alarms = json.array(d.plan and d.plan.alarms or {}), stages = d.plan and stages_of(d),
  }
end

local function stage_of(machine)
  local d = machine.deployment
  if not d or not d.stage then return nil end
  return {
    kind = d.stage.kind, step = d.stage.step, steps = d.plan and d.plan.steps or 1,
    since = d.since, ends = machine.due,
  }
end

local function traffic_of(machine)
  local new = machine.deployment and percent(lifecycle.share(machine)) or 0
  return { old = machine.current and 100 - new or 0, new = new }
end

local function history_of(machine, limit)
  local rows = json.array(histories.rows(machine.history, limit))
  for _, row in ipairs(rows) do row.share = percent(row.share) end
  return rows
end

local function endpoint_row(sim, record, limit)
  local machine = record.machine
  local current, blueprint = machine.current, (machine.deployment or {}).blueprint
  return {
    name = record.name, arn = record.arn, endpoint = record.endpoint,
    status = record.endpoint and components.status(machine) or machine.status,
    config = current and current.name, pending_config = blueprint and blueprint.name,
    created = machine.created, modified = machine.modified,
    failure_reason = machine.failure_reason, traffic = traffic_of(machine),
    stage = stage_of(machine), deployment = deployment_of(machine),
    variants = variants_of(sim, record, "variants"),
    shadows = variants_of(sim, record, "shadows"), history = history_of(machine, limit),
  }
end

--- One endpoint with all of its history, or nil.
---@param sim sagemaker.Simulator
---@param name string
---@return sagemaker.simulator.state.endpoint|nil
function M.endpoint(sim, name)
  local record = sim.account:endpoint(name)
  return record and endpoint_row(sim, record, nil)
end

-- The records of a kind, oldest first, each as `row_of` tells it.
local function rows_of(sim, kind, row_of)
  local records, rows = sim.account:visible(kind, true), json.array {}
  table.sort(records, function(a, b) return a.sequence < b.sequence end)
  for i, record in ipairs(records) do rows[i] = row_of(sim, record, RECENT) end
  return rows
end

local function config_row(_, record)
  local variants = json.array {}
  for i, variant in ipairs(record.input and record.input.ProductionVariants or {}) do
    variants[i] = {
      name = variant.VariantName, model = variant.ModelName, instance_type = variant.InstanceType,
      count = variant.InitialInstanceCount, weight = variant.InitialVariantWeight,
    }
  end
  return { name = record.name, created = record.created, variants = variants }
end

local function model_row(sim, record)
  local container = hosting.containers(record.name, record.input)[1]
  return {
    name = record.name, created = record.created, url = container and container.url,
    healthy = sim.hosting.health[record.name:lower()],
  }
end

-- What an alarm would have let be done.
local function actions_of(alarm)
  local rows = json.array {}
  for i, entry in ipairs(alarm.actions or {}) do
    rows[i] = { at = entry.at, state = entry.state, action = entry.action, carried_out = false }
  end
  return rows
end

local function alarms_of(sim)
  local names, rows, states = {}, json.array {}, sim.account.alarms
  local known = {}
  for name in pairs(states) do known[name] = true end
  for record in pairs(sim.account.moving) do -- those a deployment names and nobody has set
    local d = record.machine and record.machine.deployment
    for _, name in ipairs(d and d.plan and d.plan.alarms or {}) do known[name] = true end
  end
  for name in pairs(known) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local alarm = sim.account.watch.by_name[name] or {}
    rows[i] = { name = name, state = states[name] or "OK", reason = alarm.reason,
      updated = alarm.updated, defined = alarm.name ~= nil, actions = actions_of(alarm) }
  end
  return rows
end

--- The knobs that are on. Functions are told as such.
---@param sim sagemaker.Simulator
---@return table
function M.knobs(sim)
  local row = {}
  for _, name in ipairs(knobs.names()) do
    local value = sim.knobs[name]
    if type(value) == "function" then value = "(a function)" end
    row[name] = value or nil
  end
  return row
end

local function clock_of(sim)
  local factor = sim.time.factor
  return {
    kind = factor and "real" or "virtual", factor = factor, step = sim.step,
    start = sim.time.start,
  }
end

--- The whole state.
---@param sim sagemaker.Simulator
---@return sagemaker.simulator.state
function M.state(sim)
  sim.account:settle()
  return {
    now = sim:now(), clock = clock_of(sim), account_id = sim.account_id, region = sim.region,
    endpoints = rows_of(sim, "endpoint", endpoint_row), alarms = alarms_of(sim),
    components = rows_of(sim, "inference-component", endpoint_row),
    configs = rows_of(sim, "endpoint-config", config_row),
    models = rows_of(sim, "model", model_row), knobs = M.knobs(sim), faults = knobs.names(),
    requests = json.array(sim:requests()), requests_total = sim.log.count,
  }
end

return M
