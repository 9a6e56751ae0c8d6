--- What the control API shows of a simulator: plain tables for JSON. Reads, never changes.

local json = require "sagemaker.simulator.json"
local knobs = require "sagemaker.simulator.knobs"
local lifecycle = require "sagemaker.simulator.lifecycle"

local M = {}

-- So much of an endpoint's past is in the list of all endpoints.
local RECENT = 50

local function variants_of(machine)
  local rows = json.array {}
  for i, variant in ipairs(machine.current and machine.current.variants or {}) do
    rows[i] = {
      name = variant.name, weight = variant.weight, desired_weight = variant.desired_weight,
      instances = variant.count, desired_instances = variant.desired,
      serverless = variant.serverless ~= nil,
    }
  end
  return rows
end

-- The stages of a plan, as far ahead as they are known.
local function stages_of(plan)
  local rows = json.array {}
  for i, stage in ipairs(plan) do
    rows[i] = { kind = stage.kind, seconds = stage.seconds, step = stage.step, green = stage.green }
  end
  return rows
end

local function deployment_of(machine)
  local d = machine.deployment
  if not d then return nil end
  local row = {
    started = d.started, since = d.since, ends = machine.due, deadline = d.deadline,
    stage = d.stage and d.stage.kind, step = d.stage and d.stage.step,
    share = lifecycle.share(machine), config = d.blueprint and d.blueprint.name,
  }
  if d.plan then
    row.policy, row.steps, row.alarms = d.plan.policy, d.plan.steps, json.array(d.plan.alarms)
    row.plan = stages_of(d.plan)
  end
  return row
end

local function history_of(machine, limit)
  local rows, history = json.array {}, machine.history
  for i = math.max(1, #history - limit + 1), #history do rows[#rows + 1] = history[i] end
  return rows
end

local function endpoint_row(record, limit)
  local machine = record.machine
  return {
    name = record.name, arn = record.arn, status = machine.status,
    config = machine.current and machine.current.name or machine.wanted, created = machine.created,
    modified = machine.modified, failure_reason = machine.failure_reason,
    variants = variants_of(machine), deployment = deployment_of(machine),
    history = history_of(machine, limit),
  }
end

--- One endpoint with all of its history, or nil.
---@param sim sagemaker.Simulator
---@param name string
---@return table|nil
function M.endpoint(sim, name)
  local record = sim.account:endpoint(name)
  return record and endpoint_row(record, math.huge)
end

local function endpoints_of(sim)
  local records, rows = sim.account:visible("endpoint", true), json.array {}
  table.sort(records, function(a, b) return a.sequence < b.sequence end)
  for i, record in ipairs(records) do rows[i] = endpoint_row(record, RECENT) end
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
  for i, name in ipairs(names) do rows[i] = { name = name, state = states[name] or "OK" } end
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
    endpoints = endpoints_of(sim), alarms = alarms_of(sim), knobs = M.knobs(sim),
    requests = json.array(sim:requests()),
    models = sim.account.store:count("model"),
    endpoint_configs = sim.account.store:count("endpoint-config"),
  }
end

return M
