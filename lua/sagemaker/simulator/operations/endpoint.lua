--- CreateEndpoint, DescribeEndpoint, ListEndpoints, UpdateEndpoint,
-- UpdateEndpointWeightsAndCapacities, DeleteEndpoint.

local components = require "sagemaker.simulator.component"
local fleet = require "sagemaker.simulator.fleet"
local guardrails = require "sagemaker.simulator.guardrails"
local lifecycle = require "sagemaker.simulator.lifecycle"
local listing = require "sagemaker.simulator.listing"
local refusal = require "sagemaker.simulator.refusal"
local view = require "sagemaker.simulator.view"

local M = {}

local LISTING = {
  operation = "ListEndpoints",
  modified = function(record) return record.machine.modified end,
  status = function(record) return record.machine.status end,
}

-- The fleet of a configuration, with its models; or what is missing.
local function blueprint_of(account, config_name)
  local record, refused = account:need("endpoint-config", config_name, true)
  if not record then return nil, refused end
  for _, list in ipairs { "ProductionVariants", "ShadowProductionVariants" } do
    for _, spec in ipairs(record.input[list] or {}) do
      for _, name in ipairs(fleet.models(spec)) do
        local model, missing = account:need("model", name)
        if not model then return nil, missing end
      end
    end
  end
  return fleet.blueprint(record, function(name)
    return account.store:find("model", name)
  end, account:now())
end

function M.CreateEndpoint(account, input)
  local before = account:endpoint(input.EndpointName)
  if before then return refusal.exists("endpoint", before.arn) end
  local blueprint, refused = blueprint_of(account, input.EndpointConfigName)
  if not blueprint then return nil, refused end
  local bad = guardrails.check(input.DeploymentConfig, blueprint.variants)
  if bad then return refusal.validation(bad) end
  local record
  record, refused = account:add("endpoint", input.EndpointName, { Tags = input.Tags })
  if not record then return nil, refused end
  record.machine = lifecycle.new(record.name)
  account:started(record)
  lifecycle.create(record.machine, blueprint, input.DeploymentConfig, account:now(), account.world)
  return { EndpointArn = record.arn }
end

-- What is handed out where the answer is kept already.
local KEPT = {}

--- The answer is kept beside the record as long as nothing has changed.
function M.DescribeEndpoint(account, input, case)
  local record, refused = account:need_endpoint(input.EndpointName)
  if not record then return nil, refused end
  local machine = record.machine
  if not case.keeps then return view.describe(machine, record.arn) end
  if record.described ~= machine.version then
    record.described, record.view = machine.version, nil
  end
  return record.view and KEPT or view.describe(machine, record.arn), nil, record
end

function M.ListEndpoints(account, input)
  local page, token =
    listing.page(account:visible("endpoint"), input, LISTING, account.secret)
  if not page then return nil, token end
  local rows = {}
  for i, record in ipairs(page) do rows[i] = view.row(record.machine, record.arn) end
  return { Endpoints = rows, NextToken = token }
end

-- An endpoint on which the operation can be done now.
local function need_idle(account, name, operation)
  local record, refused = account:need_endpoint(name)
  if not record then return nil, refused end
  local busy = lifecycle.busy(record.machine, operation)
  if busy == "in-progress" then
    return refusal.validation('Cannot update in-progress endpoint "%s".', record.arn)
  elseif busy then
    return refusal.validation('Cannot update endpoint "%s" in status %s: it can only be deleted.',
      record.arn, record.machine.status)
  end
  return record
end

-- Why the new fleet cannot follow the current one with this DeploymentConfig, or nil.
local function bad_update(record, blueprint, config, account)
  local current = record.machine.current
  if components.hosts(current) ~= components.hosts(blueprint)
      and components.of(account, record)[1] then
    return ('The endpoint "%s" has inference components, so its production variants must not '
      .. "specify a ModelName."):format(record.arn)
  end
  return guardrails.check_names(current.variants, blueprint.variants)
    or guardrails.check(config, blueprint.variants, current.variants)
end

function M.UpdateEndpoint(account, input)
  local record, refused = need_idle(account, input.EndpointName, "update")
  if not record then return nil, refused end
  local machine = record.machine
  local current
  current, refused = account:need("endpoint-config", machine.current.name)
  if not current then return nil, refused end
  local blueprint
  blueprint, refused = blueprint_of(account, input.EndpointConfigName)
  if not blueprint then return nil, refused end
  fleet.retain(blueprint, machine.current, input)
  local config = input.DeploymentConfig
  if not config and input.RetainDeploymentConfig then config = machine.last_deployment_config end
  local bad = bad_update(record, blueprint, config, account)
  if bad then return refusal.validation(bad) end
  account:started(record)
  lifecycle.update(machine, blueprint, config, account:now(), account.world)
  return { EndpointArn = record.arn }
end

local function bad_change(variant, change, name)
  if not variant then return ("The endpoint has no variant '%s'."):format(name) end
  local managed = variant.spec.ManagedInstanceScaling
  if change.DesiredInstanceCount and managed and managed.Status == "ENABLED" then
    return ("DesiredInstanceCount cannot be set for the variant '%s': its instances are managed "
      .. "by ManagedInstanceScaling."):format(name)
  elseif change.DesiredWeight and not variant.spec.ModelName then
    return ("DesiredWeight is not supported for the variant '%s': it hosts inference components.")
      :format(name)
  end
  if variant.serverless and change.DesiredInstanceCount then
    return ("DesiredInstanceCount is not supported for the serverless variant '%s'."):format(name)
  elseif not variant.serverless and change.ServerlessUpdateConfig then
    return ("ServerlessUpdateConfig is not supported for the variant '%s'."):format(name)
  end
  return nil
end

local function bad_serverless(config)
  local provisioned = config and config.ProvisionedConcurrency
  return provisioned and provisioned > config.MaxConcurrency
    and "ProvisionedConcurrency must not be larger than MaxConcurrency." or nil
end

local function with(config, changes)
  if not changes then return nil end
  local copy = {}
  for k, v in pairs(config) do copy[k] = v end
  for k, v in pairs(changes) do copy[k] = v end
  return copy
end

function M.UpdateEndpointWeightsAndCapacities(account, input)
  local record, refused = need_idle(account, input.EndpointName, "scale")
  if not record then return nil, refused end
  local variants, wanted = {}, {}
  local current = record.machine.current
  for _, variant in ipairs(current.variants) do variants[variant.name] = variant end
  for _, variant in ipairs(current.shadows) do variants[variant.name] = variant end
  for _, change in ipairs(input.DesiredWeightsAndCapacities) do
    local name = change.VariantName
    local variant = variants[name]
    local bad = bad_change(variant, change, name)
    if wanted[name] then bad = ("The variant '%s' is named twice."):format(name) end
    local serverless = not bad and with(variant.serverless, change.ServerlessUpdateConfig) or nil
    bad = bad or bad_serverless(serverless)
    if bad then return refusal.validation(bad) end
    wanted[name] = {
      desired = change.DesiredInstanceCount, weight = change.DesiredWeight,
      serverless = serverless,
    }
  end
  account:started(record)
  lifecycle.scale(record.machine, wanted, account:now(), account.world)
  return { EndpointArn = record.arn }
end

function M.DeleteEndpoint(account, input)
  local record, refused = need_idle(account, input.EndpointName, "delete")
  if not record then return nil, refused end
  if components.of(account, record)[1] then
    return refusal.validation('Cannot delete endpoint "%s" while it has inference components. '
      .. "Delete all its inference components first.", record.arn)
  end
  account:started(record)
  lifecycle.delete(record.machine, account:now(), account.world)
  return {}
end

return M
