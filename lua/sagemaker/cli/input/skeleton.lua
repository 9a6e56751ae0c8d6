--- Examples of inputs and outputs, made from their shapes: the same each time, and valid: enum
-- values that there are, texts that fit their patterns, numbers within their limits, and never two
-- members of which only one may be given.

local document = require "sagemaker.cli.document"
local samples = require "sagemaker.cli.input.samples"

local M = {}

-- Members of which only one alternative may be given, by the API's documentation (the model knows
-- unions only). The first alternative stays.
local EXCLUSIVE = {
  AlgorithmSpecification = { { "TrainingImage", "AlgorithmName" } },
  ContainerDefinition = { { "Image", "ModelPackageName" }, { "ModelDataUrl", "ModelDataSource" } },
  CreateHyperParameterTuningJobRequest = { { "TrainingJobDefinition", "TrainingJobDefinitions" } },
  CreateModelInput = { { "PrimaryContainer", "Containers" } },
  DataSource = { { "S3DataSource", "FileSystemDataSource", "DatasetSource" } },
  DeploymentConfig = { { "BlueGreenUpdatePolicy", "RollingUpdatePolicy" } },
  InferenceComponentSpecification = { { "ModelName", "Container" } },
  MonitoringInput = { { "EndpointInput", "BatchTransformInput" } },
  MonitoringScheduleConfig = { { "MonitoringJobDefinition", "MonitoringJobDefinitionName" } },
  ProcessingInput = { { "S3Input", "DatasetDefinition" } },
  ProcessingOutput = { { "S3Output", "FeatureStoreOutput" } },
  ProductionVariant = { { "InstanceType", "ServerlessConfig", "InstancePools" } },
  -- ALL_AT_ONCE, the first of the types, takes no size
  TrafficRoutingConfig = { { "Type", "CanarySize", "LinearStepSize" } },
}

local function dropped_of(shape)
  local dropped = {}
  for _, group in ipairs(EXCLUSIVE[shape.name] or {}) do
    for i = 2, #group do dropped[group[i]] = true end
  end
  return dropped
end

local build -- forward

local function structure(state, shape)
  local fields, order, dropped = {}, {}, dropped_of(shape)
  for _, member in ipairs(shape.members) do
    if not dropped[member.name] then
      local item = build(state, member.shape, member.name)
      if item ~= nil then
        fields[member.name] = item
        order[#order + 1] = member.name
        if shape.union then break end
      end
    end
  end
  return document.object(fields, order)
end

local function list(state, shape)
  local items = {}
  for i = 1, math.max(1, shape.min or 0) do items[i] = build(state, shape.value, shape.value) end
  if items[1] == nil and (shape.min or 0) > 0 then return nil end
  return document.list(items)
end

local function map(state, shape)
  local fields = {}
  local item = build(state, shape.value, shape.value)
  if item ~= nil then fields[samples.text(state.service:shape(shape.key), "KeyName")] = item end
  return document.object(fields)
end

local function number(shape)
  local least = shape.min or 0
  if shape.max and shape.max < least then least = shape.max end
  return least
end

local SCALARS = {
  blob = function() return "Ynl0ZXM=" end, -- "bytes" in base64
  boolean = function() return true end,
  document = function() return document.object {} end,
  double = function(shape) return document.float(number(shape)) end,
  float = function(shape) return document.float(number(shape)) end,
  integer = number,
  long = number,
  string = samples.text,
  timestamp = function() return "1970-01-01T00:00:00Z" end,
}

-- An example of a shape; nil where it would go on for ever.
function build(state, shape_name, member_name)
  if state.stack[shape_name] then return nil end
  local shape = state.service:shape(shape_name)
  local scalar = SCALARS[shape.type]
  if scalar then return scalar(shape, member_name) end
  state.stack[shape_name] = true
  local made
  if shape.type == "structure" then
    made = structure(state, shape)
  elseif shape.type == "list" then
    made = list(state, shape)
  else
    made = map(state, shape)
  end
  state.stack[shape_name] = nil
  return made
end

local function example(service, shape_name)
  if not shape_name then return document.object {} end
  return build({ service = service, stack = {} }, shape_name, shape_name)
end

--- An example of an operation's input.
---@param service userdata
---@param operation table
---@return table object see sagemaker.cli.document
function M.input(service, operation)
  return example(service, operation.input)
end

--- An example of an operation's output, without bytes that go into a file.
---@param service userdata
---@param operation table
---@return table object
function M.output(service, operation)
  local made = example(service, operation.output)
  if require("sagemaker.cli.options").has_body(service, operation) then made.Body = nil end
  return made
end

return M
