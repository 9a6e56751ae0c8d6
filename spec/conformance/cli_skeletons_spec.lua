-- Skeletons: each is valid by the model, the same each time, and has the members that the AWS CLI's
-- have, except where those may not be given together or would go on for ever.

local cjson = require "cjson"
local check = require "sagemaker.check"
local core = require "sagemaker.core"
local command = require "support.command"
local document = require "sagemaker.cli.document"
local skeleton = require "sagemaker.cli.input.skeleton"
local support = require "support"

-- Members that ours leave out, with the reason.
local EXCLUSIVE = {
  AlgorithmName = "TrainingImage is given", BatchTransformInput = "EndpointInput is given",
  CanarySize = "the type is ALL_AT_ONCE", LinearStepSize = "the type is ALL_AT_ONCE",
  Container = "ModelName is given", Containers = "PrimaryContainer is given",
  DatasetDefinition = "S3Input is given", DatasetSource = "S3DataSource is given",
  FeatureStoreOutput = "S3Output is given", FileSystemDataSource = "S3DataSource is given",
  InstancePools = "InstanceType is given", ModelDataSource = "ModelDataUrl is given",
  ModelPackageName = "Image is given", MonitoringJobDefinitionName = "a definition is given",
  RollingUpdatePolicy = "BlueGreenUpdatePolicy is given",
  ServerlessConfig = "InstanceType is given", TrainingJobDefinitions = "one definition is given",
}

-- Members that the older model of the examples has not.
local NEWER = { ContainerMetricsConfig = true, HomeEfsFileSystemCreation = true,
  IncludedData = true, MlflowConfig = true, SequenceLength = true, TrainingPlanArns = true }

local function count(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end

-- Compares members of a golden example with ours; notes what ours lacks.
local function compare(service, shape_name, wanted, got, path, lacking)
  local shape = service:shape(shape_name)
  if shape.type == "list" and type(wanted) == "table" and wanted[1] ~= nil then
    if got and got[1] == nil then lacking[#lacking + 1] = path return end
    compare(service, shape.value, wanted[1], got[1], path .. "[]", lacking)
  elseif shape.type == "map" and type(wanted) == "table" then
    local _, item = next(wanted)
    local _, own = next(got)
    if item ~= nil then compare(service, shape.value, item, own, path .. "{}", lacking) end
  elseif shape.type == "structure" then
    for name in pairs(got) do
      assert.truthy(wanted[name] ~= nil or NEWER[name], path .. "." .. name)
    end
    if shape.union then
      assert.equal(1, count(got), path)
    end
    for _, member in ipairs(shape.members) do
      local name = member.name
      if wanted[name] ~= nil and got[name] == nil then
        local why = shape.union and "union" or EXCLUSIVE[name]
        lacking[#lacking + 1] = path .. "." .. name .. ": " .. (why or "recursion")
        if not why then assert.truthy(path:find("Search", 1, true), path .. "." .. name) end
      elseif wanted[name] ~= nil then
        compare(service, member.shape, wanted[name], got[name], path .. "." .. name, lacking)
      end
    end
  end
end

describe("skeletons", function()
  for _, service_name in ipairs { "sagemaker", "sagemaker-runtime" } do
    local service = core.service(service_name)
    it("of inputs are valid: " .. service_name, function()
      for _, name in ipairs(service:operations()) do
        local example = document.unbox(skeleton.input(service, service:operation(name)))
        local ok, message = check.parameters(service, name, example)
        assert.truthy(ok, name .. ": " .. tostring(message))
      end
    end)

    it("of outputs are valid: " .. service_name, function()
      for _, name in ipairs(service:operations()) do
        local operation = service:operation(name)
        if operation.output and not operation.stream_output then
          local example = document.unbox(skeleton.output(service, operation))
          local response = core.encode_output(service, name, example)
          assert.truthy(response, name)
        end
      end
    end)
  end

  it("are the same each time", function()
    local argv = { "create-endpoint-config", "--generate-cli-skeleton" }
    local first = command.run(argv)
    assert.equal(0, first.code)
    assert.equal(first.out, command.run(argv).out)
  end)

  it("can be given back as they are", function()
    local made = command.run { "create-endpoint", "--generate-cli-skeleton", "input" }
    local result = command.run { "create-endpoint", "--cli-input-json", made.out, "--strict",
      "--dry-run" }
    assert.equal("", result.err)
    assert.equal(0, result.code)
    assert.same(cjson.decode(made.out), cjson.decode(result.out).body)
  end)

  it("of outputs are printed as answers are", function()
    local result = command.run { "list-endpoints", "--generate-cli-skeleton", "output", "--query",
      "Endpoints[].EndpointStatus" }
    assert.equal(0, result.code)
    assert.same({ "OutOfService" }, cjson.decode(result.out))
  end)

  local dir = support.conformance()
  it("have the members of the AWS CLI's", function()
    if not dir then pending("the conformance vectors are not at hand") return end
    local golden = cjson.decode(support.read(dir .. "/golden/skeletons.json"))
    local service, lacking = core.service "sagemaker", {}
    local ran = 0
    for name, text in pairs(golden) do
      local operation = service:operation((name:gsub("-", "_")))
      if operation and operation.input then
        ran = ran + 1
        compare(service, operation.input, cjson.decode(text), skeleton.input(service, operation),
          operation.name, lacking)
      end
    end
    support.tally("skeletons.json", ran, {})
    io.write(("    %d members are left out by rule\n"):format(#lacking))
  end)
end)
