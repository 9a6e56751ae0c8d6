--- CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig.

local fleet = require "sagemaker.simulator.fleet"
local listing = require "sagemaker.simulator.listing"
local refusal = require "sagemaker.simulator.refusal"

local M = {}

local LISTING = { operation = "ListEndpointConfigs" }

local KIND = "endpoint-config"

-- Members of the input that DescribeEndpointConfig gives back as they came.
local KEPT = {
  "ProductionVariants", "DataCaptureConfig", "KmsKeyId", "AsyncInferenceConfig",
  "ExplainerConfig", "ShadowProductionVariants", "ExecutionRoleArn", "VpcConfig",
  "EnableNetworkIsolation", "MetricsConfig",
}

-- A serverless variant's memory comes in whole gigabytes.
local MEMORY_STEP = 1024

local function bad_serverless(variant)
  local config = variant.ServerlessConfig
  local provisioned = config.ProvisionedConcurrency
  if variant.InstanceType or variant.InitialInstanceCount or variant.InstancePools then
    return "ServerlessConfig cannot be combined with InstanceType, InstancePools or "
      .. "InitialInstanceCount."
  elseif config.MemorySizeInMB % MEMORY_STEP ~= 0 then
    return ("MemorySizeInMB must be a multiple of %d, not %d."):format(MEMORY_STEP,
      config.MemorySizeInMB)
  elseif provisioned and provisioned > config.MaxConcurrency then
    return "ProvisionedConcurrency must not be larger than MaxConcurrency."
  elseif not variant.ModelName then
    return "A serverless variant needs a ModelName."
  end
  return nil
end

local function bad_pools(variant)
  local types, priorities = {}, {}
  for _, pool in ipairs(variant.InstancePools or {}) do
    if types[pool.InstanceType] then
      return ("InstancePools has InstanceType %s twice."):format(pool.InstanceType)
    elseif priorities[pool.Priority] then
      return ("InstancePools has Priority %d twice."):format(pool.Priority)
    elseif pool.ModelNameOverride and not variant.ModelName then
      return "ModelNameOverride needs a ModelName that it takes the place of."
    end
    types[pool.InstanceType], priorities[pool.Priority] = true, true
  end
  return nil
end

local function bad_variant(variant)
  local scaling = variant.ManagedInstanceScaling
  if variant.ServerlessConfig then return bad_serverless(variant) end
  if not variant.InstanceType and not variant.InstancePools then
    return "InstanceType, InstancePools or ServerlessConfig must be specified."
  elseif variant.InstanceType and variant.InstancePools then
    return "Only one of InstanceType and InstancePools can be specified."
  elseif scaling and (scaling.MinInstanceCount or 0) > (scaling.MaxInstanceCount or math.huge) then
    return "MinInstanceCount must not be larger than MaxInstanceCount."
  end
  return bad_pools(variant)
end

-- Why the variants cannot be; missing models are told with their ARN.
local function check_variants(account, variants, names)
  for _, variant in ipairs(variants or {}) do
    local bad = bad_variant(variant)
    local name = variant.VariantName
    if names[name] then bad = "Variant names must be unique." end
    if bad then return refusal.validation("Production variant '%s': %s", name, bad) end
    names[name] = true
    for _, model_name in ipairs(fleet.models(variant)) do
      local model, refused = account:need("model", model_name, true)
      if not model then return nil, refused end
    end
  end
  return true
end

local function any(variants, member)
  for _, variant in ipairs(variants) do
    if variant[member] then return true end
  end
  return false
end

-- Shadow variants stand beside one variant, and both run on instances.
local function bad_shadows(variants, shadows)
  if not shadows then return nil end
  if #variants > 1 or #shadows > 1 then
    return "With ShadowProductionVariants there can be one production variant and one shadow "
      .. "variant."
  elseif any(variants, "ServerlessConfig") or any(shadows, "ServerlessConfig") then
    return "Shadow variants are not supported for serverless endpoints."
  end
  return nil
end

-- Either all variants have a model, or none has one and inference components bring them.
local function bad_models(input)
  local with, without = 0, 0
  for _, variant in ipairs(input.ProductionVariants) do
    if variant.ModelName then with = with + 1 else without = without + 1 end
  end
  if without == 0 then return nil end
  if with > 0 then
    return "Either all production variants or none must specify a ModelName."
  elseif not input.ExecutionRoleArn then
    return "ExecutionRoleArn must be specified when production variants have no ModelName."
  elseif input.ShadowProductionVariants then
    return "Shadow variants are not supported for endpoints that host inference components."
  end
  return nil
end

local function bad_config(input)
  local variants = input.ProductionVariants
  if input.AsyncInferenceConfig and any(variants, "ServerlessConfig") then
    return "AsyncInferenceConfig is not supported for serverless endpoints."
  elseif input.AsyncInferenceConfig and input.ShadowProductionVariants then
    return "Shadow variants are not supported for asynchronous endpoints."
  end
  return bad_shadows(variants, input.ShadowProductionVariants) or bad_models(input)
end

function M.CreateEndpointConfig(account, input)
  local before = account.store:find(KIND, input.EndpointConfigName)
  if before then return refusal.exists("endpoint configuration", before.arn) end
  local bad = bad_config(input)
  if bad then return refusal.validation(bad) end
  local names = {}
  local sound, refused = check_variants(account, input.ProductionVariants, names)
  if sound then sound, refused = check_variants(account, input.ShadowProductionVariants, names) end
  if not sound then return nil, refused end
  local record
  record, refused = account:add(KIND, input.EndpointConfigName, input)
  if not record then return nil, refused end
  return { EndpointConfigArn = record.arn }
end

-- The variants as they came, with the weight that one has when it has none.
local function weighted(variants)
  if not variants then return nil end
  local rows = {}
  for i, variant in ipairs(variants) do
    rows[i] = {}
    for member, value in pairs(variant) do rows[i][member] = value end
    rows[i].InitialVariantWeight = variant.InitialVariantWeight or 1
  end
  return rows
end

function M.DescribeEndpointConfig(account, input)
  local record, refused = account:need(KIND, input.EndpointConfigName)
  if not record then return nil, refused end
  local out = {
    EndpointConfigName = record.name, EndpointConfigArn = record.arn,
    CreationTime = record.created,
  }
  for _, member in ipairs(KEPT) do out[member] = record.input[member] end
  out.ProductionVariants = weighted(record.input.ProductionVariants)
  out.ShadowProductionVariants = weighted(record.input.ShadowProductionVariants)
  out.EnableNetworkIsolation = record.input.EnableNetworkIsolation or false
  return out
end

function M.ListEndpointConfigs(account, input)
  local page, token = listing.page(account:visible(KIND), input, LISTING, account.secret)
  if not page then return nil, token end
  local rows = {}
  for i, record in ipairs(page) do
    rows[i] = { EndpointConfigName = record.name, EndpointConfigArn = record.arn,
      CreationTime = record.created }
  end
  return { EndpointConfigs = rows, NextToken = token }
end

--- Goes even while an endpoint uses it; that endpoint's later updates are refused.
function M.DeleteEndpointConfig(account, input)
  local record, refused = account:need(KIND, input.EndpointConfigName)
  if not record then return nil, refused end
  account.store:remove(record)
  return {}
end

return M
