--- Which fleet answers an invocation. Reads machines, never changes them.
--
-- A variant is chosen in proportion to its weight, inside it the old ("blue") or the new ("green")
-- fleet in proportion to the share that the running deployment has activated:
-- https://docs.aws.amazon.com/sagemaker/latest/dg/model-ab-testing.html

local stages = require "sagemaker.simulator.stages"

local M = {}

-- In these statuses an endpoint answers.
local SERVES = {
  InService = true, Updating = true, SystemUpdating = true, RollingBack = true,
  UpdateRollbackFailed = true,
}

---@class sagemaker.simulator.route
---@field variant sagemaker.simulator.variant
---@field blueprint sagemaker.simulator.blueprint
---@field fleet "blue"|"green"

--- Whether an endpoint or a component answers at all.
---@param m sagemaker.simulator.machine
---@return boolean
function M.serves(m)
  return SERVES[m.status] == true and m.current ~= nil
end

local function named(variants, name)
  for i, variant in ipairs(variants) do
    if variant.name == name then return variant, i end
  end
  return nil
end

-- Whether a variant has anything to answer with.
local function able(variant)
  return variant.serverless ~= nil or variant.count > 0
end

-- One of the variants, by weight; where all weights are 0 every one is as good as the other.
local function draw(variants, random)
  local total, candidates = 0, {}
  for _, variant in ipairs(variants) do
    if able(variant) then
      candidates[#candidates + 1] = variant
      total = total + variant.weight
    end
  end
  if #candidates < 2 then return candidates[1] end
  if total == 0 then return candidates[math.floor(random() * #candidates) + 1] end
  local point = random() * total
  for _, variant in ipairs(candidates) do
    point = point - variant.weight
    if point < 0 then return variant end
  end
  return candidates[#candidates]
end

-- The new fleet's share of a variant, 0 to 1, and its blueprint; 0 where there is none.
local function green_of(m, name)
  local d = m.deployment
  if not d or not d.blueprint then
    if m.mixed then return m.mixed.share, m.mixed.blueprint end
    return 0
  end
  local variant, i = named(d.blueprint.variants, name)
  if not variant then return 0 end
  local total = stages.capacity(variant)
  if total == 0 then return d.green > 0 and 1 or 0, d.blueprint end
  return d.active[i] / total, d.blueprint
end

--- Where an invocation goes; nil when there is nothing that could answer (or no such variant).
---@param m sagemaker.simulator.machine that serves
---@param random fun(): number in [0, 1)
---@param target string|nil TargetVariant
---@return sagemaker.simulator.route|nil
function M.choose(m, random, target)
  local variants = m.current.variants
  local variant
  if target then variant = named(variants, target) else variant = draw(variants, random) end
  if not variant then
    -- The old fleet may have no instances: the new one answers.
    variant = variants[1]
    if target or green_of(m, variant.name) == 0 then return nil end
  end
  local share, blueprint = green_of(m, variant.name)
  if share > 0 and random() < share then
    return { variant = named(blueprint.variants, variant.name), blueprint = blueprint,
      fleet = "green" }
  elseif not able(variant) then
    return nil
  end
  return { variant = variant, blueprint = m.current, fleet = "blue" }
end

--- The shadow variants that get a copy of an invocation: each with a chance of its weight over that
-- of the production variant.
---@param route sagemaker.simulator.route
---@param random fun(): number
---@return sagemaker.simulator.variant[]
function M.shadows(route, random)
  local rows, weight = {}, route.variant.weight
  for _, shadow in ipairs(route.blueprint.shadows) do
    local chance = weight > 0 and shadow.weight / weight or 1
    if shadow.weight > 0 and shadow.count > 0 and random() < chance then
      rows[#rows + 1] = shadow
    end
  end
  return rows
end

return M
