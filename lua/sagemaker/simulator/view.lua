--- What DescribeEndpoint and ListEndpoints show of a machine. Reads, never changes.
--
-- Members and their meaning:
-- https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
-- While a deployment runs, EndpointConfigName and ProductionVariants are those of the old fleet,
-- PendingDeploymentSummary those of the new one; its CurrentInstanceCount counts the instances
-- that get traffic.

local fleet = require "sagemaker.simulator.fleet"

local M = {}

-- The VariantStatus of the pending fleet in each kind of stage, and what it says about it.
local PENDING = {
  provision = { "Creating", "Creating the new fleet." },
  batch = { "Updating", "Creating batch %d of %d of the new fleet." },
  activate = { "ActivatingTraffic", "Turning on traffic for step %d of %d." },
  bake = { "Baking" },
  wait = { "Baking" },
  remove = { "Updating", "Removing capacity of the old fleet." },
  rollback = { "Deleting", "Rolling back to the old fleet." },
}

local function pending_status(d, active, total)
  local kind, step, steps = d.stage.kind, d.stage.step, d.plan.steps
  local message
  if kind == "provision" and step > 1 then kind = "batch" end
  if kind == "bake" or kind == "wait" then
    local parameter = kind == "bake" and "WaitIntervalInSeconds" or "TerminationWaitInSeconds"
    message = ("Baking for %d seconds (%s) with traffic enabled on %d of %d instance(s).")
      :format(d.stage.seconds, parameter, active, total)
  else
    message = PENDING[kind][2]:format(step, steps)
  end
  return { { Status = PENDING[kind][1], StatusMessage = message, StartTime = d.since } }
end

local function pools_of(spec, count)
  if not spec.InstancePools then return nil end
  local rows, first = {}, fleet.pool(spec)
  for i, pool in ipairs(spec.InstancePools) do
    rows[i] =
      { InstanceType = pool.InstanceType, CurrentInstanceCount = pool == first and count or 0 }
  end
  return rows
end

-- What both lists of variants have in common.
local function summary(variant)
  local spec = variant.spec
  return {
    InstancePools = pools_of(spec, variant.count),
    VariantName = variant.name,
    DeployedImages = fleet.deployed(variant),
    CurrentWeight = variant.weight,
    DesiredWeight = variant.desired_weight,
    CurrentInstanceCount = variant.serverless and 0 or variant.count,
    DesiredInstanceCount = variant.serverless and 0 or variant.desired,
    CurrentServerlessConfig = variant.serverless,
    DesiredServerlessConfig = variant.desired_serverless,
    ManagedInstanceScaling = spec.ManagedInstanceScaling,
    RoutingConfig = spec.RoutingConfig,
  }
end

local function pending_variant(d, variant, active)
  local row, spec = summary(variant), variant.spec
  if not variant.serverless then row.CurrentInstanceCount = active end
  row.InstancePools = pools_of(spec, active)
  row.InstanceType, row.AcceleratorType = spec.InstanceType, spec.AcceleratorType
  row.VariantStatus = pending_status(d, active, variant.serverless and 100 or variant.desired)
  return row
end

local function pending(m)
  local d = m.deployment
  if not d or not d.blueprint then return nil end
  local variants, shadows = {}, nil
  for i, variant in ipairs(d.blueprint.variants) do
    variants[i] = pending_variant(d, variant, d.active[i])
  end
  for i, variant in ipairs(d.blueprint.shadows) do
    shadows = shadows or {}
    local kind = d.stage.kind
    local serves = kind == "bake" or kind == "wait" or kind == "remove"
    shadows[i] = pending_variant(d, variant, serves and variant.desired or 0)
  end
  return {
    EndpointConfigName = d.blueprint.name, ProductionVariants = variants,
    ShadowProductionVariants = shadows, StartTime = d.started,
  }
end

local function reservation_of(variant)
  local config = variant.spec.CapacityReservationConfig
  return config and {
    MlReservationArn = config.MlReservationArn, UsedByCurrentEndpoint = variant.count,
    CapacityReservationPreference = config.CapacityReservationPreference,
  }
end

local function running(m, variants)
  local rows = {}
  local d = m.deployment
  for i, variant in ipairs(variants) do
    rows[i] = summary(variant)
    rows[i].CapacityReservationConfig = reservation_of(variant)
    if d and d.changes then
      rows[i].VariantStatus = { { Status = "Updating", StartTime = d.started } }
    elseif d and d.stage.kind == "remove" then
      rows[i].VariantStatus = { { Status = "Deleting", StartTime = d.since } }
    end
  end
  return rows
end

local function capture_summary(config)
  if not config then return nil end
  return {
    EnableCapture = config.EnableCapture ~= false,
    CaptureStatus = config.EnableCapture == false and "Stopped" or "Started",
    CurrentSamplingPercentage = config.InitialSamplingPercentage,
    DestinationS3Uri = config.DestinationS3Uri,
    KmsKeyId = config.KmsKeyId or "",
  }
end

--- The output of DescribeEndpoint.
---@param m sagemaker.simulator.machine
---@param arn string
---@return table
function M.describe(m, arn)
  local current = m.current
  local out = {
    EndpointName = m.name, EndpointArn = arn, EndpointStatus = m.status,
    EndpointConfigName = current and current.name or m.wanted,
    FailureReason = m.failure_reason,
    CreationTime = m.created, LastModifiedTime = m.modified,
    LastDeploymentConfig = m.last_deployment_config,
    PendingDeploymentSummary = pending(m),
  }
  if current then
    out.ProductionVariants = running(m, current.variants)
    if current.shadows[1] then out.ShadowProductionVariants = running(m, current.shadows) end
    out.DataCaptureConfig = capture_summary(current.capture)
    out.AsyncInferenceConfig = current.config.AsyncInferenceConfig
    out.ExplainerConfig = current.config.ExplainerConfig
    out.MetricsConfig = current.config.MetricsConfig
  end
  return out
end

--- A row of ListEndpoints.
---@param m sagemaker.simulator.machine
---@param arn string
---@return table
function M.row(m, arn)
  return {
    EndpointName = m.name, EndpointArn = arn, EndpointStatus = m.status,
    CreationTime = m.created, LastModifiedTime = m.modified,
  }
end

return M
