--- CreateModel, DescribeModel, ListModels, DeleteModel.

local listing = require "sagemaker.simulator.listing"
local refusal = require "sagemaker.simulator.refusal"

local M = {}

local LISTING = { operation = "ListModels" }

local function bad_container(container)
  if not container.Image and not container.ModelPackageName then
    return "A container must specify Image or ModelPackageName."
  elseif container.MultiModelConfig and container.Mode ~= "MultiModel" then
    return "MultiModelConfig needs a container with Mode MultiModel."
  end
  return nil
end

local function bad_containers(input)
  local containers = input.Containers
  if input.PrimaryContainer and containers then
    return "Only one of PrimaryContainer and Containers can be specified."
  end
  local hosts = {}
  for _, container in ipairs(containers or { input.PrimaryContainer }) do
    local bad, host = bad_container(container), container.ContainerHostname
    if host and hosts[host] then bad = ("ContainerHostname '%s' is used twice."):format(host) end
    if host then hosts[host] = true end
    if bad then return bad end
  end
  local direct = (input.InferenceExecutionConfig or {}).Mode == "Direct"
  if direct and not containers then
    return "InferenceExecutionConfig with Mode Direct needs Containers."
  end
  return nil
end

function M.CreateModel(account, input)
  local before = account.store:find("model", input.ModelName)
  if before then return refusal.exists("model", before.arn) end
  local bad = bad_containers(input)
  if bad then return refusal.validation(bad) end
  local record, refused = account:add("model", input.ModelName, input)
  if not record then return nil, refused end
  return { ModelArn = record.arn }
end

-- A container as it came, with what the service fills in.
local function filled(container)
  if not container then return nil end
  local copy = {}
  for member, value in pairs(container) do copy[member] = value end
  copy.Mode = container.Mode or "SingleModel"
  copy.Environment = container.Environment or {}
  return copy
end

local function all_filled(containers)
  local rows = {}
  for i, container in ipairs(containers or {}) do rows[i] = filled(container) end
  return containers and rows
end

function M.DescribeModel(account, input)
  local record, refused = account:need("model", input.ModelName)
  if not record then return nil, refused end
  local stored = record.input
  return {
    ModelName = record.name, ModelArn = record.arn, CreationTime = record.created,
    PrimaryContainer = filled(stored.PrimaryContainer), Containers = all_filled(stored.Containers),
    InferenceExecutionConfig = stored.InferenceExecutionConfig,
    ExecutionRoleArn = stored.ExecutionRoleArn, VpcConfig = stored.VpcConfig,
    EnableNetworkIsolation = stored.EnableNetworkIsolation or false,
    -- There is no service here that could recommend anything.
    DeploymentRecommendation = { RecommendationStatus = "NOT_APPLICABLE" },
  }
end

function M.ListModels(account, input)
  local page, token = listing.page(account:visible("model"), input, LISTING, account.secret)
  if not page then return nil, token end
  local rows = {}
  for i, record in ipairs(page) do
    rows[i] =
      { ModelName = record.name, ModelArn = record.arn, CreationTime = record.created }
  end
  return { Models = rows, NextToken = token }
end

--- A model goes even while endpoints use it; they have their containers already.
function M.DeleteModel(account, input)
  local record, refused = account:need("model", input.ModelName)
  if not record then return nil, refused end
  account.store:remove(record)
  return {}
end

return M
