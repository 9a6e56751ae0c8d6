--- CreateModel, DescribeModel, ListModels, DeleteModel.

local listing = require "sagemaker.simulator.listing"
local refusal = require "sagemaker.simulator.refusal"

local M = {}

local LISTING = { operation = "ListModels" }

local function bad_containers(input)
  local containers = input.Containers
  if input.PrimaryContainer and containers then
    return "Only one of PrimaryContainer and Containers can be specified."
  end
  for _, container in ipairs(containers or { input.PrimaryContainer }) do
    if not container.Image and not container.ModelPackageName then
      return "A container must specify Image or ModelPackageName."
    end
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

function M.DescribeModel(account, input)
  local record, refused = account:need("model", input.ModelName)
  if not record then return nil, refused end
  local stored = record.input
  return {
    ModelName = record.name, ModelArn = record.arn, CreationTime = record.created,
    PrimaryContainer = stored.PrimaryContainer, Containers = stored.Containers,
    InferenceExecutionConfig = stored.InferenceExecutionConfig,
    ExecutionRoleArn = stored.ExecutionRoleArn, VpcConfig = stored.VpcConfig,
    EnableNetworkIsolation = stored.EnableNetworkIsolation or false,
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
