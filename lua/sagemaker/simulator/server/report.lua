--- What the control API shows of a simulator: plain tables for JSON. Reads, never changes.

local json = require "sagemaker.simulator.json"
local knobs = require "sagemaker.simulator.knobs"
local lifecycle = require "sagemaker.simulator.lifecycle"
local metrics = require "sagemaker.simulator.metrics"
local stages = require "sagemaker.simulator.stages"

local M = {}

-- So much of an endpoint's past is in the list of all endpoints.
local RECENT = 50

-- How often a variant was invoked in the hour up to the end of this minute.
local function invocations_of(sim, machine, variant)
  local to = (math.floor(sim:now() / metrics.BUCKET) + 1) * metrics.BUCKET
  return sim.account.metrics:statistic(machine.name, variant.name, "Invocations", "Sum",
    to - 3600, to) or 0
end

local function variants_of(sim, machine)
  local rows = json.array {}
  local fleet = machine.current or machine.deployment and machine.deployment.blueprint
  for i, variant in ipairs(fleet and fleet.variants or {}) do
    rows[i] = {
      name = variant.name, weight = variant.weight, desired_weight = variant.desired_weight,
      count = variant.count, desired = variant.desired, serverless = variant.serverless ~= nil,
      invocations = invocations_of(sim, machine, variant),
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
  local rows, history = json.array {}, machine.history
  for i = math.max(1, #history - limit + 1), #history do
    local row = history[i]
    rows[#rows + 1] = {
      at = row.at, status = row.status, stage = row.stage, step = row.step,
      share = percent(row.share),
    }
  end
  return rows
end

local function endpoint_row(sim, record, limit)
  local machine = record.machine
  local current, blueprint = machine.current, (machine.deployment or {}).blueprint
  return {
    name = record.name, arn = record.arn, status = machine.status,
    config = current and current.name, pending_config = blueprint and blueprint.name,
    created = machine.created, modified = machine.modified,
    failure_reason = machine.failure_reason, traffic = traffic_of(machine),
    stage = stage_of(machine), deployment = deployment_of(machine),
    variants = variants_of(sim, machine), history = history_of(machine, limit),
  }
end

--- One endpoint with all of its history, or nil.
---@param sim sagemaker.Simulator
---@param name string
---@return table|nil
function M.endpoint(sim, name)
  local record = sim.account:endpoint(name)
  return record and endpoint_row(sim, record, math.huge)
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

local function model_row(_, record)
  return { name = record.name, created = record.created }
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
      updated = alarm.updated, defined = alarm.name ~= nil }
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

local function clock_of(server)
  local factor = server.sim.time.factor
  return {
    kind = factor and "real" or "virtual", factor = factor, step = server.sim.step,
    start = server.sim.time.start,
  }
end

--- Everything that a person looks at.
---@param server sagemaker.simulator.Server
---@return table
function M.state(server)
  local sim = server.sim
  sim.account:settle()
  return {
    now = sim:now(), clock = clock_of(server), account_id = sim.account_id, region = sim.region,
    process = server.process, started = server.started, requests_total = sim.log.count,
    endpoints = rows_of(sim, "endpoint", endpoint_row), alarms = alarms_of(sim),
    configs = rows_of(sim, "endpoint-config", config_row),
    models = rows_of(sim, "model", model_row), knobs = M.knobs(sim), faults = knobs.names(),
    requests = json.array(sim:requests()),
  }
end

return M
