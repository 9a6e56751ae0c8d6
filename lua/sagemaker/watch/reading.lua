--- What a DescribeEndpoint output says, in a few values.
--
-- While a deployment runs, EndpointConfigName and ProductionVariants are the old fleet's, and
-- PendingDeploymentSummary is the new one's; CurrentInstanceCount there counts the instances that
-- take traffic. https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html

local plans = require "sagemaker.deployment.plan"

local M = {}

---@class sagemaker.watch.Reading
---@field status string
---@field config? string EndpointConfigName
---@field pending? string EndpointConfigName of the deployment under way
---@field reason? string FailureReason, nil when empty
---@field modified? number
---@field created? number
---@field stage? string VariantStatus, or "TerminationWait"
---@field share number percent of the traffic that the new fleet takes
---@field old integer instances of the fleet in service
---@field new integer instances of the new fleet that take traffic

-- The stages from early to late; of several variants the earliest counts.
local ORDER = { Creating = 1, ActivatingTraffic = 2, Baking = 3, Updating = 4, Deleting = 5 }

local function list_of(value)
  return type(value) == "table" and value or {}
end

local function count(variants, member)
  local sum = 0
  for _, variant in ipairs(list_of(variants)) do sum = sum + (tonumber(variant[member]) or 0) end
  return sum
end

-- Status and message of the variant that is least far.
local function stage_of(variants)
  local stage, message
  for _, variant in ipairs(list_of(variants)) do
    for _, row in ipairs(list_of(variant.VariantStatus)) do
      if not stage or (ORDER[row.Status] or 6) < (ORDER[stage] or 6) then
        stage, message = row.Status, row.StatusMessage
      end
    end
  end
  return stage, message
end

-- A serverless variant has no instances to count, but the message of its status may tell.
local function share_from(message)
  local part, whole = tostring(message or ""):match("on (%d+) of (%d+) instance")
  if not part or tonumber(whole) == 0 then return nil end
  return plans.traffic(tonumber(part), tonumber(whole)).new
end

local function share_of(output, reading, message)
  local all = count(output.PendingDeploymentSummary.ProductionVariants, "DesiredInstanceCount")
  if all == 0 then return share_from(message) or 0 end
  local rolling = type(output.LastDeploymentConfig) == "table"
    and output.LastDeploymentConfig.RollingUpdatePolicy
  if reading.stage == "Creating" and not rolling then return 0 end
  return plans.traffic(reading.new, all).new
end

--- Reads an output.
---@param output table of DescribeEndpoint
---@return sagemaker.watch.Reading
function M.read(output)
  local pending = type(output.PendingDeploymentSummary) == "table"
    and output.PendingDeploymentSummary or nil
  local reason = output.FailureReason
  if type(reason) ~= "string" or not reason:find("%S") then reason = nil end
  local reading = {
    status = output.EndpointStatus,
    config = output.EndpointConfigName,
    pending = pending and pending.EndpointConfigName,
    reason = reason,
    modified = tonumber(output.LastModifiedTime),
    created = tonumber(output.CreationTime),
    share = 0,
    old = count(output.ProductionVariants, "CurrentInstanceCount"),
    new = 0,
  }
  if not pending then
    reading.stage = stage_of(output.ProductionVariants)
    return reading
  end
  local message
  reading.new = count(pending.ProductionVariants, "CurrentInstanceCount")
  reading.stage, message = stage_of(pending.ProductionVariants)
  reading.share = share_of(output, reading, message)
  if reading.stage == "Baking" and reading.share >= 100
      and tostring(message):find("TerminationWaitInSeconds", 1, true) then
    reading.stage = "TerminationWait"
  end
  return reading
end

--- Whether two names are one: case does not count in SageMaker's names.
---@param a string|nil
---@param b string|nil
---@return boolean
function M.same(a, b)
  return a ~= nil and b ~= nil and (a == b or a:lower() == b:lower())
end

return M
