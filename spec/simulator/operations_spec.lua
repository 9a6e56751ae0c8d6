local caller = require "simulator.caller"
local simulator = require "sagemaker.simulator"

local ARN = "arn:aws:sagemaker:us-east-1:123456789012:"

local CANARY = {
  BlueGreenUpdatePolicy = {
    TrafficRoutingConfiguration = {
      Type = "CANARY", WaitIntervalInSeconds = 600,
      CanarySize = { Type = "CAPACITY_PERCENT", Value = 30 },
    },
    TerminationWaitInSeconds = 600, MaximumExecutionTimeoutInSeconds = 1800,
  },
  AutoRollbackConfiguration = { Alarms = { { AlarmName = "errors" } } },
}

describe("the simulator's operations", function()
  local sim, call

  local function setup(opts)
    sim = simulator.new(opts)
    call = caller.new(sim)
    caller.prepare(call, "v1", "v2")
  end

  local function in_service()
    assert(call("CreateEndpoint", { EndpointName = "Churn", EndpointConfigName = "v1" }))
    sim:advance(300)
  end

  local function describe_endpoint()
    return assert(call("DescribeEndpoint", { EndpointName = "churn" }))
  end

  local function refused(code, message, operation, input)
    local output, got, text, response = call(operation, input)
    assert.is_nil(output)
    assert.equal(message, text)
    assert.equal(code, got)
    return response
  end

  before_each(function() setup() end)

  it("creates, describes and deletes a model", function()
    local model = assert(call("DescribeModel", { ModelName = "MODEL" }))
    assert.equal("model", model.ModelName)
    assert.equal(ARN .. "model/model", model.ModelArn)
    assert.equal(caller.IMAGE, model.PrimaryContainer.Image)
    assert.equal(sim:now(), model.CreationTime)
    assert(call("DeleteModel", { ModelName = "model" }))
    refused("ValidationException", 'Could not find model "' .. ARN .. 'model/model".',
      "DescribeModel", { ModelName = "model" })
    refused("ValidationException", 'Could not find model "' .. ARN .. 'model/model".',
      "DeleteModel", { ModelName = "model" })
  end)

  it("gives an endpoint configuration back as it came", function()
    local config = assert(call("DescribeEndpointConfig", { EndpointConfigName = "v1" }))
    assert.same(caller.config("v1", 3).ProductionVariants, config.ProductionVariants)
    assert.equal(ARN .. "endpoint-config/v1", config.EndpointConfigArn)
    assert(call("DeleteEndpointConfig", { EndpointConfigName = "v1" }))
    refused("ValidationException",
      'Could not find endpoint configuration "' .. ARN .. 'endpoint-config/v1".',
      "DescribeEndpointConfig", { EndpointConfigName = "v1" })
  end)

  it("plays a canary from UpdateEndpoint to InService", function()
    in_service()
    local before = describe_endpoint()
    assert.equal("InService", before.EndpointStatus)
    assert.equal("Churn", before.EndpointName)
    assert.equal(ARN .. "endpoint/churn", before.EndpointArn)
    assert(call("UpdateEndpoint",
      { EndpointName = "churn", EndpointConfigName = "v2", DeploymentConfig = CANARY }))
    local during = describe_endpoint()
    assert.equal("Updating", during.EndpointStatus)
    assert.equal("v1", during.EndpointConfigName)
    assert.equal("v2", during.PendingDeploymentSummary.EndpointConfigName)
    assert.same(CANARY, during.LastDeploymentConfig)
    sim:advance(300 + 600)
    during = describe_endpoint().PendingDeploymentSummary.ProductionVariants[1]
    assert.equal("Baking", during.VariantStatus[1].Status)
    assert.equal(3, during.CurrentInstanceCount)
    sim:advance(600 + 599)
    assert.equal("Updating", describe_endpoint().EndpointStatus)
    sim:advance(1)
    local after = describe_endpoint()
    assert.equal("InService", after.EndpointStatus)
    assert.equal("v2", after.EndpointConfigName)
    assert.is_nil(after.PendingDeploymentSummary)
    assert.equal(sim:now(), after.LastModifiedTime)
    assert.equal(caller.IMAGE, after.ProductionVariants[1].DeployedImages[1].SpecifiedImage)
  end)

  it("rolls back when the alarm trips, and says so until the next update", function()
    in_service()
    assert(call("UpdateEndpoint",
      { EndpointName = "churn", EndpointConfigName = "v2", DeploymentConfig = CANARY }))
    sim:at(400, function(s) s:set_alarm("errors", "ALARM") end)
    sim:advance(8 * 3600)
    local after = describe_endpoint()
    assert.equal("InService", after.EndpointStatus)
    assert.equal("v1", after.EndpointConfigName)
    assert.matches("errors", after.FailureReason)
    sim:set_alarm("errors", "OK")
    assert(call("UpdateEndpoint", { EndpointName = "churn", EndpointConfigName = "v2" }))
    assert.is_nil(describe_endpoint().FailureReason)
    assert.is_nil(describe_endpoint().LastDeploymentConfig)
  end)

  it("refuses what exists already, whatever the case", function()
    in_service()
    refused("ValidationException",
      'Cannot create already existing endpoint "' .. ARN .. 'endpoint/churn".',
      "CreateEndpoint", { EndpointName = "CHURN", EndpointConfigName = "v1" })
    refused("ValidationException",
      'Cannot create already existing endpoint configuration "' .. ARN .. 'endpoint-config/v1".',
      "CreateEndpointConfig", caller.config("V1", 2))
    refused("ValidationException",
      'Cannot create already existing model "' .. ARN .. 'model/model".', "CreateModel",
      { ModelName = "Model", PrimaryContainer = { Image = "x" } })
  end)

  it("refuses what is missing", function()
    local config = 'Could not find endpoint configuration "' .. ARN .. 'endpoint-config/none".'
    local endpoint = 'Could not find endpoint "' .. ARN .. 'endpoint/none".'
    local code = "ValidationException"
    refused(code, config, "CreateEndpoint", { EndpointName = "a", EndpointConfigName = "None" })
    refused(code, config, "DeleteEndpointConfig", { EndpointConfigName = "none" })
    refused(code, endpoint, "DescribeEndpoint", { EndpointName = "none" })
    refused(code, endpoint, "DeleteEndpoint", { EndpointName = "none" })
    refused(code, endpoint, "UpdateEndpoint", { EndpointName = "none", EndpointConfigName = "v1" })
    refused(code, endpoint, "UpdateEndpointWeightsAndCapacities",
      { EndpointName = "none", DesiredWeightsAndCapacities = { { VariantName = "v" } } })
    in_service()
    refused(code, config, "UpdateEndpoint", { EndpointName = "churn", EndpointConfigName = "none" })
    local wanting = caller.config("v3", 1)
    wanting.ProductionVariants[1].ModelName = "none"
    refused(code, 'Could not find model "' .. ARN .. 'model/none".', "CreateEndpointConfig",
      wanting)
  end)

  it("refuses an update when the current configuration was deleted", function()
    in_service()
    assert(call("DeleteEndpointConfig", { EndpointConfigName = "v1" }))
    refused("ValidationException",
      'Could not find endpoint configuration "' .. ARN .. 'endpoint-config/v1".',
      "UpdateEndpoint", { EndpointName = "churn", EndpointConfigName = "v2" })
  end)

  it("refuses changes while something is under way, in every such status", function()
    local message = 'Cannot update in-progress endpoint "' .. ARN .. 'endpoint/churn".'
    local function all_refused(status)
      assert.equal(status, describe_endpoint().EndpointStatus)
      local code = "ValidationException"
      refused(code, message, "UpdateEndpoint",
        { EndpointName = "churn", EndpointConfigName = "v2" })
      refused(code, message, "DeleteEndpoint", { EndpointName = "churn" })
      refused(code, message, "UpdateEndpointWeightsAndCapacities", { EndpointName = "churn",
        DesiredWeightsAndCapacities = { { VariantName = "AllTraffic", DesiredWeight = 2 } } })
    end
    assert(call("CreateEndpoint", { EndpointName = "Churn", EndpointConfigName = "v1" }))
    all_refused("Creating")
    sim:advance(300)
    sim:system_update("churn", 60)
    all_refused("SystemUpdating")
    sim:advance(60)
    assert(call("UpdateEndpoint",
      { EndpointName = "churn", EndpointConfigName = "v2", DeploymentConfig = CANARY }))
    all_refused("Updating")
    sim:advance(310)
    sim:set_alarm("errors", "ALARM")
    all_refused("RollingBack")
    sim:advance(30)
    assert(call("DeleteEndpoint", { EndpointName = "churn" }))
    all_refused("Deleting")
    sim:advance(30)
    assert.is_nil((call("DescribeEndpoint", { EndpointName = "churn" })))
  end)

  it("lets a failed endpoint only be deleted, and its name be used again", function()
    sim:fail_provisioning(true)
    in_service()
    local failed = describe_endpoint()
    assert.equal("Failed", failed.EndpointStatus)
    assert.matches("InsufficientInstanceCapacity", failed.FailureReason)
    local output, code = call("UpdateEndpoint",
      { EndpointName = "churn", EndpointConfigName = "v2" })
    assert.same({ nil, "ValidationException" }, { output, code })
    assert(call("DeleteEndpoint", { EndpointName = "churn" }))
    sim:advance(30)
    sim:fail_provisioning(false)
    in_service()
    assert.equal("InService", describe_endpoint().EndpointStatus)
  end)

  it("changes weights and capacities", function()
    in_service()
    assert(call("UpdateEndpointWeightsAndCapacities", { EndpointName = "churn",
      DesiredWeightsAndCapacities = {
        { VariantName = "AllTraffic", DesiredWeight = 0.5, DesiredInstanceCount = 4 } } }))
    local row = describe_endpoint().ProductionVariants[1]
    assert.same({ 1, 0.5, 3, 4 }, { row.CurrentWeight, row.DesiredWeight,
      row.CurrentInstanceCount, row.DesiredInstanceCount })
    sim:advance(60)
    row = describe_endpoint().ProductionVariants[1]
    assert.same({ 0.5, 0.5, 4, 4 }, { row.CurrentWeight, row.DesiredWeight,
      row.CurrentInstanceCount, row.DesiredInstanceCount })
    refused("ValidationException", "The endpoint has no variant 'other'.",
      "UpdateEndpointWeightsAndCapacities",
      { EndpointName = "churn", DesiredWeightsAndCapacities = { { VariantName = "other" } } })
  end)

  it("retains variant properties and the deployment configuration when asked", function()
    in_service()
    assert(call("UpdateEndpointWeightsAndCapacities", { EndpointName = "churn",
      DesiredWeightsAndCapacities = {
        { VariantName = "AllTraffic", DesiredWeight = 0.5, DesiredInstanceCount = 5 } } }))
    sim:advance(60)
    assert(call("UpdateEndpoint", { EndpointName = "churn", EndpointConfigName = "v2",
      RetainAllVariantProperties = true, DeploymentConfig = CANARY,
      ExcludeRetainedVariantProperties = { { VariantPropertyType = "DesiredWeight" } } }))
    sim:advance(3600)
    local row = describe_endpoint().ProductionVariants[1]
    assert.same({ 1, 5 }, { row.CurrentWeight, row.CurrentInstanceCount })
    assert(call("UpdateEndpoint", { EndpointName = "churn", EndpointConfigName = "v1",
      RetainDeploymentConfig = true }))
    assert.same(CANARY, describe_endpoint().LastDeploymentConfig)
    sim:advance(400)
    row = describe_endpoint().PendingDeploymentSummary.ProductionVariants[1]
    assert.equal("Baking", row.VariantStatus[1].Status)
    assert.equal(3, row.DesiredInstanceCount)
  end)

  it("enforces the documented rules of deployments", function()
    in_service()
    local function update(config, name)
      local output, code, message = call("UpdateEndpoint",
        { EndpointName = "churn", EndpointConfigName = name or "v2", DeploymentConfig = config })
      assert.is_nil(output)
      assert.equal("ValidationException", code)
      return message
    end
    local function blue_green(fields, wait, timeout)
      fields.WaitIntervalInSeconds = fields.WaitIntervalInSeconds or 0
      return { BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = fields,
        TerminationWaitInSeconds = wait, MaximumExecutionTimeoutInSeconds = timeout } }
    end
    local function percent(value) return { Type = "CAPACITY_PERCENT", Value = value } end
    local rolling = { MaximumBatchSize = percent(50), WaitIntervalInSeconds = 0 }
    assert.matches("Only one", update { RollingUpdatePolicy = rolling,
      BlueGreenUpdatePolicy = CANARY.BlueGreenUpdatePolicy })
    assert.matches("CanarySize must be specified", update(blue_green { Type = "CANARY" }))
    assert.matches("must not be specified",
      update(blue_green { Type = "ALL_AT_ONCE", CanarySize = percent(10) }))
    assert.matches("between 0%% and 50%%",
      update(blue_green { Type = "CANARY", CanarySize = percent(51) }))
    assert.matches("between 0%% and 50%%", update(blue_green {
      Type = "CANARY", CanarySize = { Type = "INSTANCE_COUNT", Value = 2 } }))
    assert.matches("between 10%% and 50%%",
      update(blue_green { Type = "LINEAR", LinearStepSize = percent(9) }))
    assert.matches("between 5%% and 50%%", update { RollingUpdatePolicy =
      { MaximumBatchSize = percent(4), WaitIntervalInSeconds = 0 } })
    assert.matches("MaximumExecutionTimeoutInSeconds", update(blue_green(
      { Type = "CANARY", CanarySize = percent(10), WaitIntervalInSeconds = 600 }, 600, 1200)))
    local renamed = caller.config("v3", 3)
    renamed.ProductionVariants[1].VariantName = "Other"
    assert(call("CreateEndpointConfig", renamed))
    assert.matches("same variant names", update(nil, "v3"))
    local twice = caller.config("two", 3)
    twice.ProductionVariants[2] = { VariantName = "B", ModelName = "model",
      InstanceType = "ml.m5.large", InitialInstanceCount = 1 }
    assert(call("CreateEndpointConfig", twice))
    assert.equal("InService", describe_endpoint().EndpointStatus)
    local output, _, message = call("CreateEndpoint", { EndpointName = "two",
      EndpointConfigName = "two", DeploymentConfig = { RollingUpdatePolicy = rolling } })
    assert.is_nil(output)
    assert.matches("more than one variant", message)
  end)

  it("enforces what a configuration and a model need", function()
    local function message(operation, input)
      local output, code, text = call(operation, input)
      assert.is_nil(output)
      assert.equal("ValidationException", code)
      return text
    end
    assert.matches("Only one", message("CreateModel", { ModelName = "m",
      PrimaryContainer = { Image = "a" }, Containers = { { Image = "b" } } }))
    assert.matches("Image or ModelPackageName",
      message("CreateModel", { ModelName = "m", PrimaryContainer = {} }))
    local config = caller.config("v4", 1)
    config.ProductionVariants[2] = config.ProductionVariants[1]
    assert.matches("unique", message("CreateEndpointConfig", config))
    config.ProductionVariants = { { VariantName = "a", ModelName = "model" } }
    assert.matches("InstanceType", message("CreateEndpointConfig", config))
  end)

  it("plays serverless variants and shadow variants", function()
    local serverless = { MemorySizeInMB = 2048, MaxConcurrency = 5 }
    assert(call("CreateEndpointConfig", { EndpointConfigName = "s1", ProductionVariants = {
      { VariantName = "a", ModelName = "model", ServerlessConfig = serverless } } }))
    assert(call("CreateEndpoint", { EndpointName = "s", EndpointConfigName = "s1" }))
    sim:advance(300)
    local row = assert(call("DescribeEndpoint", { EndpointName = "s" })).ProductionVariants[1]
    assert.same(serverless, row.CurrentServerlessConfig)
    assert.equal(0, row.CurrentInstanceCount)
    assert(call("UpdateEndpointWeightsAndCapacities", { EndpointName = "s",
      DesiredWeightsAndCapacities = {
        { VariantName = "a", ServerlessUpdateConfig = { MaxConcurrency = 9 } } } }))
    sim:advance(60)
    row = assert(call("DescribeEndpoint", { EndpointName = "s" })).ProductionVariants[1]
    assert.same({ MemorySizeInMB = 2048, MaxConcurrency = 9 }, row.CurrentServerlessConfig)
    local config = caller.config("shadowed", 2)
    config.ShadowProductionVariants = { { VariantName = "Shadow", ModelName = "model",
      InstanceType = "ml.m5.large", InitialInstanceCount = 1 } }
    assert(call("CreateEndpointConfig", config))
    assert(call("CreateEndpoint", { EndpointName = "t", EndpointConfigName = "shadowed" }))
    sim:advance(300)
    row = assert(call("DescribeEndpoint", { EndpointName = "t" })).ShadowProductionVariants[1]
    assert.same({ "Shadow", 1 }, { row.VariantName, row.CurrentInstanceCount })
  end)

  it("keeps tags on every kind of resource", function()
    local arn = assert(call("CreateEndpoint", { EndpointName = "Churn",
      EndpointConfigName = "v1", Tags = { { Key = "team", Value = "growth" } } })).EndpointArn
    for _, resource in ipairs { arn, ARN .. "model/model", ARN .. "endpoint-config/v1" } do
      assert(call("AddTags", { ResourceArn = resource,
        Tags = { { Key = "team", Value = "x" }, { Key = "b", Value = "" } } }))
      assert.same({ { Key = "team", Value = "x" }, { Key = "b", Value = "" } },
        assert(call("ListTags", { ResourceArn = resource })).Tags)
      assert(call("DeleteTags", { ResourceArn = resource, TagKeys = { "team", "other" } }))
      assert.same({ { Key = "b", Value = "" } },
        assert(call("ListTags", { ResourceArn = resource })).Tags)
    end
    refused("ValidationException", 'Could not find resource "' .. ARN .. 'model/none".',
      "ListTags", { ResourceArn = ARN .. "model/none" })
    local _, code = call("AddTags",
      { ResourceArn = arn, Tags = { { Key = "a", Value = "1" }, { Key = "a", Value = "2" } } })
    assert.equal("ValidationException", code)
    _, code = call("AddTags", { ResourceArn = arn, Tags = { { Key = "aws:x", Value = "1" } } })
    assert.equal("ValidationException", code)
    local many = {}
    for i = 1, 50 do many[i] = { Key = "k" .. i, Value = "v" } end
    _, code = call("AddTags", { ResourceArn = arn, Tags = many })
    assert.equal("ResourceLimitExceeded", code)
  end)

  it("stops at the limits of the account", function()
    setup { limits = { endpoints = 1, models = 1, endpoint_configs = 2 } }
    in_service()
    local response = select(4, call("CreateEndpoint",
      { EndpointName = "b", EndpointConfigName = "v1" }))
    assert.equal(400, response.status)
    for operation, input in pairs {
      CreateEndpoint = { EndpointName = "b", EndpointConfigName = "v1" },
      CreateModel = { ModelName = "b", PrimaryContainer = { Image = "x" } },
      CreateEndpointConfig = caller.config("v3", 1),
    } do
      local output, code = call(operation, input)
      assert.same({ nil, "ResourceLimitExceeded" }, { output, code })
    end
  end)

  it("says what it plays, and refuses the rest by name", function()
    local played = {}
    for _, name in ipairs(simulator.operations()) do played[name] = true end
    assert.is_true(played.UpdateEndpointWeightsAndCapacities)
    assert.is_nil(played.CreateTrainingJob)
    local response = refused("NotSimulated", "The simulator does not play ListTrainingJobs.",
      "ListTrainingJobs", {})
    assert.equal(400, response.status)
  end)
end)
