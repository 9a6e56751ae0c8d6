--- A plan for a person: what it will do in a table, and in a picture.

local chart = require "sagemaker.cli.view.chart"
local plans = require "sagemaker.deployment.plan"
local text = require "sagemaker.cli.view.text"
local watched = require "sagemaker.watch.alarms"

local M = {}

local WORDS = {
  Creating = "provision new instances",
  ActivatingTraffic = "turn traffic on",
  TerminationWait = "keep the old instances",
  Deleting = "remove old instances",
  InService = "in service",
}

-- The same for narrow terminals.
local SHORT = {
  Creating = "provision", ActivatingTraffic = "activate", Baking = "shift",
  TerminationWait = "keep", Deleting = "remove", InService = "done",
}

-- What a step of a plan does, in words.
local function label(step, is_narrow)
  if is_narrow then return SHORT[step.stage] or step.stage end
  if step.stage == "Baking" and step.duration > 0 then return "shift traffic, bake" end
  if step.stage == "Baking" then return "shift traffic" end
  return WORDS[step.stage] or step.stage
end

local function size_text(size)
  if size.Type == "CAPACITY_PERCENT" then return ("%d %%"):format(size.Value) end
  return size.Value == 1 and "1 instance" or ("%d instances"):format(size.Value)
end

--- A DeploymentConfig in a few words.
---@param config table|nil
---@return string
function M.summary(config)
  if not config then return "all at once, without alarms" end
  local rolling = config.RollingUpdatePolicy
  if rolling then return "rolling, batches of " .. size_text(rolling.MaximumBatchSize) end
  local routing = config.BlueGreenUpdatePolicy.TrafficRoutingConfiguration
  if routing.Type == "CANARY" then return "canary of " .. size_text(routing.CanarySize) end
  if routing.Type ~= "LINEAR" then return "all at once" end
  return "linear, steps of " .. size_text(routing.LinearStepSize)
end

--- The names of the alarms of a DeploymentConfig.
---@type fun(config: table|nil): string[]
M.alarms = watched.names

local function percent(share)
  return ("%.4g %%"):format(share)
end

-- The width that a table with everything needs, one with short labels, one that numbers the shifts.
local FULL, SHORTER, SHORTEST = 72, 50, 34

-- The rows of the table, and which columns are aligned to the right.
local function rows_of(plan, columns)
  local rows, right = {}, { true, true, false, true, true, true, true, true }
  local has_instances = plan.steps[1].instances ~= nil and columns >= SHORTER
  local is_narrow = columns < FULL
  local function add(cells)
    if not has_instances then cells[7], cells[8] = nil, nil end
    if columns < SHORTER then cells[5] = table.remove(cells) end
    if is_narrow then table.remove(cells, 2) end
    if columns < SHORTEST then
      table.remove(cells, 3)
      cells[3] = cells[3]:gsub(" %%$", "%%")
    end
    rows[#rows + 1] = cells
  end
  add{ "time", "takes", "what", "shift", "old", "new", "old", "new" }
  for _, step in ipairs(plan.steps) do
    local instances = step.instances or {}
    add{
      plans.clock(step.time), step.duration > 0 and plans.clock(step.duration) or "",
      label(step, is_narrow), step.step > 0 and ("%d/%d"):format(step.step, step.steps) or "",
      percent(step.traffic.old), percent(step.traffic.new),
      tostring(instances.old), tostring(instances.new),
    }
  end
  if is_narrow then table.remove(right, 2) end
  if columns < SHORTEST then table.remove(right, 3) end
  return rows, right, has_instances
end

--- The steps as a table.
---@param plan sagemaker.deployment.Plan
---@param style sagemaker.cli.Style
---@return string[] lines
function M.table(plan, style)
  local rows, right, has_instances = rows_of(plan, style.columns)
  local is_tight = style.columns < SHORTEST
  local lines = text.columns(rows, right, is_tight and "" or "  ", is_tight and " " or nil)
  -- Two columns are called old, and two new: a line above says of what.
  local at = lines[1]:find("old", 1, true) or lines[1]:find("new", 1, true)
  local above = (" "):rep(math.max(0, at - 5)) .. "traffic"
  if has_instances then
    local next_at = lines[1]:find("old", at + 1, true)
    above = above .. (" "):rep(math.max(2, next_at - 1 - #above)) .. "instances"
  end
  lines[1] = style:paint("bold", lines[1])
  table.insert(lines, 1, style:paint("bold", above))
  return lines
end

local function sentence(plan)
  local parts = { ("at worst %s, of which %s are an estimate of provisioning"):format(
    plans.clock(plan.duration), plans.clock(plan.provisioning)) }
  if plan.timeout then
    parts[#parts + 1] = ("rolled back when it takes %s"):format(plans.clock(plan.timeout))
  end
  if plan.peak then
    parts[#parts + 1] = plan.peak == 1 and "1 instance at once"
      or ("up to %d instances at once"):format(plan.peak)
  end
  return table.concat(parts, "; ")
end

--- Warnings, one paragraph each.
---@param warnings string[]
---@param style sagemaker.cli.Style
---@return string[] lines
function M.warnings(warnings, style)
  local lines = {}
  for _, warning in ipairs(warnings) do
    local indent = style.columns < SHORTEST and "  " or "         "
    local wrapped = text.wrap(text.clean(warning), style.columns, indent, "warning: ")
    wrapped[1] = style:paint("warn", "warning:") .. wrapped[1]:sub(9)
    for _, line in ipairs(wrapped) do lines[#lines + 1] = line end
  end
  return lines
end

---@class sagemaker.cli.PlanView
---@field title string
---@field plan? sagemaker.deployment.Plan
---@field config? table DeploymentConfig
---@field notes? string[] what else there is to say
---@field warnings string[]

--- All of it: title, table, picture, sum and warnings.
---@param view sagemaker.cli.PlanView
---@param style sagemaker.cli.Style
---@return string[] lines
function M.lines(view, style)
  local lines = {}
  local function add(more)
    for _, line in ipairs(more) do lines[#lines + 1] = line end
  end
  for _, line in ipairs(text.wrap(view.title, style.columns)) do
    add{ style:paint("bold", line) }
  end
  for _, note in ipairs(view.notes or {}) do add(text.wrap(note, style.columns)) end
  if view.plan then
    local alarms = M.alarms(view.config)
    if #alarms > 0 then
      add(text.wrap("watching " .. table.concat(alarms, ", "), style.columns, "  ", ""))
    end
    add{ "" }
    add(M.table(view.plan, style))
    local picture = chart.lines(view.plan, style)
    if #picture > 0 then add{ "" } end
    add(picture)
    add{ "" }
    add(text.wrap(sentence(view.plan), style.columns))
  end
  add(M.warnings(view.warnings, style))
  return lines
end

return M
