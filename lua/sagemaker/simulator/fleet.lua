--- From a stored endpoint configuration to the fleet that a deployment brings into service.

local core = require "sagemaker.core"
local hosting = require "sagemaker.simulator.hosting"
local share = require "sagemaker.simulator.share"

local M = {}

--- An image as DeployedImage shows it.
---@param image string
---@param now number
---@return table
function M.image(image, now)
  local repository = image:gsub("@sha256:%x+$", ""):gsub(":[%w._-]+$", "")
  return {
    SpecifiedImage = image, ResolutionTime = now,
    ResolvedImage = repository .. "@sha256:" .. core.sha256(image),
  }
end

-- The images of a model's containers.
local function images_of(model)
  local rows = {}
  local input = model and model.input
  local containers = input and (input.Containers or { input.PrimaryContainer }) or {}
  for _, container in ipairs(containers) do rows[#rows + 1] = container.Image end
  return share(rows)
end

--- The images of a variant as DeployedImages shows them.
---@param variant sagemaker.simulator.variant
---@return table[]
function M.deployed(variant)
  local rows = {}
  for i, image in ipairs(variant.images) do rows[i] = M.image(image, variant.resolved) end
  return rows
end

--- Whether invocations of a model name one of its containers.
---@param input table of CreateModel
---@return boolean
function M.is_direct(input)
  return (input.InferenceExecutionConfig or {}).Mode == "Direct"
end

-- Of shadow variants most configurations have none.
local NONE = {}

local function variant_of(spec, model, now)
  local serverless = spec.ServerlessConfig
  local scaling = spec.ManagedInstanceScaling
  local count = spec.InitialInstanceCount or scaling and scaling.MinInstanceCount or 1
  if serverless then count = 0 end
  local weight = spec.InitialVariantWeight or 1
  return {
    name = spec.VariantName, spec = spec, images = images_of(model), resolved = now,
    containers = model and share(hosting.containers(model.name, model.input)),
    direct = model and M.is_direct(model.input),
    weight = weight, desired_weight = weight, count = count, desired = count,
    serverless = serverless, desired_serverless = serverless,
  }
end

--- The instance pool that a variant's instances come from: that of the first priority, because the
-- simulator runs out of none.
---@param spec table a ProductionVariant
---@return table|nil
function M.pool(spec)
  local first
  for _, pool in ipairs(spec.InstancePools or {}) do
    if not first or pool.Priority < first.Priority then first = pool end
  end
  return first
end

--- The models that a variant names: first the one that it runs.
---@param spec table a ProductionVariant
---@return string[]
function M.models(spec)
  local pool = M.pool(spec)
  local runs = pool and pool.ModelNameOverride or spec.ModelName
  local names = { runs }
  if spec.ModelName and spec.ModelName ~= runs then names[#names + 1] = spec.ModelName end
  for _, other in ipairs(spec.InstancePools or {}) do
    local name = other.ModelNameOverride
    if name and name ~= runs then names[#names + 1] = name end
  end
  return names
end

--- The fleet of an endpoint configuration.
---@param record sagemaker.simulator.record of an endpoint configuration
---@param find fun(model_name: string): sagemaker.simulator.record|nil
---@param now number
---@return sagemaker.simulator.blueprint
function M.blueprint(record, find, now)
  local config = record.input
  local function variants_of(specs)
    if not specs or not specs[1] then return NONE end
    local rows = {}
    for i, spec in ipairs(specs) do
      local name = M.models(spec)[1]
      rows[i] = variant_of(spec, name and find(name), now)
    end
    return rows
  end
  return {
    name = record.name, config = config, capture = config.DataCaptureConfig,
    variants = variants_of(config.ProductionVariants),
    shadows = variants_of(config.ShadowProductionVariants),
  }
end

--- The names under which knobs may mean a fleet: its endpoint, configuration and models.
---@param blueprint sagemaker.simulator.blueprint
---@param endpoint string
---@return string[]
function M.names(blueprint, endpoint)
  local names = { endpoint, blueprint.name }
  for _, list in ipairs { blueprint.variants, blueprint.shadows } do
    for _, variant in ipairs(list) do names[#names + 1] = M.models(variant.spec)[1] end
  end
  for _, model in ipairs(blueprint.models or {}) do names[#names + 1] = model end
  return names
end

--- Calls `fn` with every container of the fleets of a machine.
---@param machine sagemaker.simulator.machine
---@param fn fun(container: sagemaker.simulator.container)
function M.each_container(machine, fn)
  local d = machine.deployment
  for _, blueprint in pairs { current = machine.current, pending = d and d.blueprint } do
    for _, list in ipairs { blueprint.variants, blueprint.shadows } do
      for _, variant in ipairs(list) do
        for _, container in ipairs(variant.containers or {}) do fn(container) end
      end
    end
  end
end

-- Which properties RetainAllVariantProperties keeps.
local function retained(input)
  local keep = { DesiredInstanceCount = true, DesiredWeight = true, DataCaptureConfig = true }
  for _, property in ipairs(input.ExcludeRetainedVariantProperties or {}) do
    keep[property.VariantPropertyType] = nil
  end
  return keep
end

local function retain_list(variants, current, keep)
  local old = {}
  for _, variant in ipairs(current) do old[variant.name] = variant end
  for _, variant in ipairs(variants) do
    local before = old[variant.name]
    local sized = before and not variant.serverless and not before.serverless
    if sized and keep.DesiredInstanceCount then
      variant.count, variant.desired = before.desired, before.desired
    end
    if before and keep.DesiredWeight then
      variant.weight, variant.desired_weight = before.desired_weight, before.desired_weight
    end
  end
end

--- Carries weights, capacities and data capture of the running fleet over to the new one, as
-- RetainAllVariantProperties of UpdateEndpoint asks.
---@param blueprint sagemaker.simulator.blueprint changed in place
---@param current sagemaker.simulator.blueprint
---@param input table of UpdateEndpoint
function M.retain(blueprint, current, input)
  if not input.RetainAllVariantProperties then return end
  local keep = retained(input)
  retain_list(blueprint.variants, current.variants, keep)
  retain_list(blueprint.shadows, current.shadows, keep)
  if keep.DataCaptureConfig then blueprint.capture = current.capture end
end

return M
