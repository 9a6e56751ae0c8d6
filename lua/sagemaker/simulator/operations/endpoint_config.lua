--- CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig.

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

local function bad_variant(variant)
  if variant.ServerlessConfig then
    if variant.InstanceType or variant.InitialInstanceCount then
      return "ServerlessConfig cannot be combined with InstanceType or InitialInstanceCount."
    end
  elseif not variant.InstanceType and not variant.InstancePools then
    return "InstanceType, InstancePools or ServerlessConfig must be specified."
  end
  return nil
end

-- Why the variants cannot be; missing models are told with their ARN.
local function check_variants(account, variants, names)
  for _, variant in ipairs(variants or {}) do
    local bad = bad_variant(variant)
    local name = variant.VariantName
    if names[name] then bad = "Variant names must be unique." end
    if bad then return refusal.validation("Production variant '%s': %s", name, bad) end
    names[name] = true
    if variant.ModelName then
      local model, refused = account:need("model", variant.ModelName, true)
      if not model then return nil, refused end
    end
  end
  return true
end

function M.CreateEndpointConfig(account, input)
  local before = account.store:find(KIND, input.EndpointConfigName)
  if before then return refusal.exists("endpoint configuration", before.arn) end
  local names = {}
  local sound, refused = check_variants(account, input.ProductionVariants, names)
  if sound then sound, refused = check_variants(account, input.ShadowProductionVariants, names) end
  if not sound then return nil, refused end
  local record
  record, refused = account:add(KIND, input.EndpointConfigName, input)
  if not record then return nil, refused end
  return { EndpointConfigArn = record.arn }
end

function M.DescribeEndpointConfig(account, input)
  local record, refused = account:need(KIND, input.EndpointConfigName)
  if not record then return nil, refused end
  local out = {
    EndpointConfigName = record.name, EndpointConfigArn = record.arn,
    CreationTime = record.created,
  }
  for _, member in ipairs(KEPT) do out[member] = record.input[member] end
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
