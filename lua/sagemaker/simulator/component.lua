--- Inference components: what they are made of, and what DescribeInferenceComponent shows of them.
--
-- A component lives in the same machine as an endpoint: its copies are the fleet, a new
-- specification is a deployment, a new number of copies a re-scale. Its endpoint brings instances
-- and no models:
-- https://docs.aws.amazon.com/sagemaker/latest/dg/realtime-endpoints-deploy-models.html

local fleet = require "sagemaker.simulator.fleet"
local hosting = require "sagemaker.simulator.hosting"

local M = {}

local KIND = "inference-component"

-- InferenceComponentStatus knows fewer words than EndpointStatus.
local STATUS = { RollingBack = "Updating", UpdateRollbackFailed = "Failed" }

--- Whether a fleet waits for inference components: its variants bring no model.
---@param blueprint sagemaker.simulator.blueprint|nil
---@return boolean
function M.hosts(blueprint)
  return blueprint ~= nil and blueprint.variants[1].spec.ModelName == nil
end

--- The inference components of an endpoint, also those that nobody sees yet.
---@param account sagemaker.simulator.account
---@param endpoint sagemaker.simulator.record
---@return sagemaker.simulator.record[]
function M.of(account, endpoint)
  local rows = {}
  for _, record in ipairs(account:visible(KIND, true)) do
    if record.endpoint == endpoint.name then rows[#rows + 1] = record end
  end
  return rows
end

--- The specifications of an input: a list, also where it gives one.
---@param input table with Specification or Specifications
---@return table[]
function M.specifications(input)
  return input.Specifications or { input.Specification }
end

--- The copies that an input brings into service.
---@param name string of the component
---@param input table with Specification or Specifications
---@param copies integer
---@param now number
---@param find fun(model_name: string): sagemaker.simulator.record|nil
---@return sagemaker.simulator.blueprint
function M.blueprint(name, input, copies, now, find)
  local models, images, containers, patience = {}, {}, nil, nil
  for i, specification in ipairs(M.specifications(input)) do
    local startup, container = specification.StartupParameters, specification.Container
    local model = specification.ModelName and find(specification.ModelName)
    containers = containers or model and hosting.containers(model.name, model.input)
      or container and hosting.containers(name, { PrimaryContainer = container })
    models[#models + 1] = specification.ModelName
    images[i] = container and container.Image and fleet.image(container.Image, now) or false
    patience = startup and startup.ContainerStartupHealthCheckTimeoutInSeconds or patience
  end
  return {
    name = name, models = models, images = images, shadows = {},
    config = { Specification = input.Specification, Specifications = input.Specifications },
    variants = { {
      name = name, weight = 1, desired_weight = 1, count = copies, desired = copies, images = {},
      containers = containers,
      spec = {
        ModelName = models[1], ContainerStartupHealthCheckTimeoutInSeconds = patience,
      },
    } },
  }
end

--- The InferenceComponentStatus.
---@param m sagemaker.simulator.machine
---@return string
function M.status(m)
  return STATUS[m.status] or m.status
end

local function summary(specification, image)
  local row = {}
  for member, value in pairs(specification) do row[member] = value end
  local container = specification.Container
  row.Container = container and {
    DeployedImage = image or nil, ArtifactUrl = container.ArtifactUrl,
    Environment = container.Environment,
    ContainerMetricsConfig = container.ContainerMetricsConfig,
  }
  return row
end

-- The type of the instances that the copies stand on, where there is one.
local function instance_type(account, record)
  local endpoint = account:live("endpoint", record.endpoint)
  local current = endpoint and endpoint.machine.current
  for _, variant in ipairs(current and current.variants or {}) do
    local pools = variant.spec.InstancePools
    if variant.name == record.variant then
      return variant.spec.InstanceType or pools and pools[1].InstanceType
    end
  end
  return nil
end

local function runtime_config(account, record, blueprint)
  if record.base then return nil end
  local copies, m = blueprint.variants[1], record.machine
  local count = m.current and copies.count or 0
  local type = instance_type(account, record)
  return {
    DesiredCopyCount = copies.desired, CurrentCopyCount = count,
    PlacementStatus = type and { { InstanceType = type, CurrentCopyCount = count } },
  }
end

--- The output of DescribeInferenceComponent.
---@param account sagemaker.simulator.account
---@param record sagemaker.simulator.record
---@return table
function M.describe(account, record)
  local m = record.machine
  local blueprint = m.current or m.deployment and m.deployment.blueprint or m.failed
  local config, specifications = blueprint.config, nil
  for i, specification in ipairs(config.Specifications or {}) do
    specifications = specifications or {}
    specifications[i] = summary(specification, blueprint.images[i])
  end
  return {
    InferenceComponentName = record.name, InferenceComponentArn = record.arn,
    EndpointName = record.endpoint, EndpointArn = account.store:arn("endpoint", record.endpoint),
    VariantName = record.variant, FailureReason = m.failure_reason,
    Specification = config.Specification and summary(config.Specification, blueprint.images[1]),
    Specifications = specifications,
    RuntimeConfig = runtime_config(account, record, blueprint),
    CreationTime = m.created, LastModifiedTime = m.modified,
    InferenceComponentStatus = M.status(m), LastDeploymentConfig = m.last_deployment_config,
  }
end

--- A row of ListInferenceComponents.
---@param account sagemaker.simulator.account
---@param record sagemaker.simulator.record
---@return table
function M.row(account, record)
  local m = record.machine
  return {
    InferenceComponentName = record.name, InferenceComponentArn = record.arn,
    EndpointName = record.endpoint, EndpointArn = account.store:arn("endpoint", record.endpoint),
    VariantName = record.variant, InferenceComponentStatus = M.status(m),
    CreationTime = m.created, LastModifiedTime = m.modified,
  }
end

return M
