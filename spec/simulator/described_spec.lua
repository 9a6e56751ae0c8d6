-- What is put in comes out again: every member of CreateModel and CreateEndpointConfig.

local caller = require "simulator.caller"
local core = require "sagemaker.core"
local simulator = require "sagemaker.simulator"

local service = core.service "sagemaker"

local ROLE = "arn:aws:iam::123456789012:role/sagemaker"
local VPC = { SecurityGroupIds = { "sg-1" }, Subnets = { "subnet-1", "subnet-2" } }
local KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"

local function variant(name, more)
  local row = { VariantName = name, ModelName = "model", InstanceType = "ml.m5.large",
    InitialInstanceCount = 2, InitialVariantWeight = 0.5 }
  for member, value in pairs(more or {}) do row[member] = value or nil end
  return row
end

local FULL = {
  ProductionVariants = { variant("Main", {
    CoreDumpConfig = { DestinationS3Uri = "s3://b/dumps", KmsKeyId = KEY }, VolumeSizeInGB = 64,
    ModelDataDownloadTimeoutInSeconds = 600, ContainerStartupHealthCheckTimeoutInSeconds = 90,
    EnableSSMAccess = true, RoutingConfig = { RoutingStrategy = "LEAST_OUTSTANDING_REQUESTS" },
    ManagedInstanceScaling = { Status = "ENABLED", MinInstanceCount = 1, MaxInstanceCount = 4 },
    InferenceAmiVersion = "al2-ami-sagemaker-inference-gpu-2",
  }) },
  ShadowProductionVariants = { variant "Shadow" },
  DataCaptureConfig = { EnableCapture = true, InitialSamplingPercentage = 30,
    DestinationS3Uri = "s3://b/capture", KmsKeyId = KEY,
    CaptureOptions = { { CaptureMode = "Input" }, { CaptureMode = "Output" } },
    CaptureContentTypeHeader = { CsvContentTypes = { "text/csv" } } },
  KmsKeyId = KEY,
  ExplainerConfig = { ClarifyExplainerConfig = { EnableExplanations = "true", ShapConfig = {
    NumberOfSamples = 50,
    ShapBaselineConfig = { ShapBaseline = "1,2", MimeType = "text/csv" } } } },
  ExecutionRoleArn = ROLE, VpcConfig = VPC, EnableNetworkIsolation = true,
  MetricsConfig = { EnableEnhancedMetrics = true },
}

local ASYNC = {
  ClientConfig = { MaxConcurrentInvocationsPerInstance = 4 },
  OutputConfig = { S3OutputPath = "s3://b/out", S3FailurePath = "s3://b/failed", KmsKeyId = KEY,
    NotificationConfig = { SuccessTopic = "arn:aws:sns:us-east-1:123456789012:good",
      IncludeInferenceResponseIn = { "SUCCESS_NOTIFICATION_TOPIC" } } },
}

describe("what the simulator describes", function()
  local sim, call

  local function refused(message, operation, input)
    local output, code, text = call(operation, input)
    assert.is_nil(output)
    assert.equal(message, text)
    assert.equal("ValidationException", code)
  end

  before_each(function()
    sim = simulator.new()
    call = caller.new(sim)
    caller.prepare(call)
  end)

  local function config(name, members)
    local input = { EndpointConfigName = name }
    for member, value in pairs(members) do input[member] = value end
    return input
  end

  local function create_config(name, members)
    assert(call("CreateEndpointConfig", config(name, members)))
    return assert(call("DescribeEndpointConfig", { EndpointConfigName = name }))
  end

  it("is every member of an endpoint configuration", function()
    local out = create_config("full", FULL)
    local async = create_config("async",
      { ProductionVariants = { variant "Main" }, AsyncInferenceConfig = ASYNC })
    assert.same(ASYNC, async.AsyncInferenceConfig)
    for _, member in ipairs(service:shape("CreateEndpointConfigInput").members) do
      local name = member.name
      if name ~= "Tags" and name ~= "EndpointConfigName" and name ~= "AsyncInferenceConfig" then
        assert.is_not_nil(FULL[name], name .. " is given by this spec")
        assert.same(FULL[name], out[name])
      end
    end
    assert.equal(sim:now(), out.CreationTime)
  end)

  it("is what the service fills in where nothing was said", function()
    local out = create_config("least", { ProductionVariants = {
      variant("Main", { InitialVariantWeight = false }) } })
    assert.equal(1, out.ProductionVariants[1].InitialVariantWeight)
    assert.is_false(out.EnableNetworkIsolation)
    for _, absent in ipairs { "ShadowProductionVariants", "DataCaptureConfig", "KmsKeyId",
      "AsyncInferenceConfig", "ExplainerConfig", "VpcConfig", "ExecutionRoleArn" } do
      assert.is_nil(out[absent])
    end
    local model = assert(call("DescribeModel", { ModelName = "model" }))
    assert.equal("SingleModel", model.PrimaryContainer.Mode)
    assert.same({}, model.PrimaryContainer.Environment)
    assert.is_false(model.EnableNetworkIsolation)
  end)

  it("is every member of a model", function()
    local container = {
      ContainerHostname = "one", Image = caller.IMAGE, Mode = "MultiModel",
      ImageConfig = { RepositoryAccessMode = "Vpc", RepositoryAuthConfig = {
        RepositoryCredentialsProviderArn = "arn:aws:lambda:us-east-1:123456789012:function:f" } },
      ModelDataUrl = "s3://b/models/", Environment = { A = "b" },
      MultiModelConfig = { ModelCacheSetting = "Disabled" },
      ModelDataSource = { S3DataSource = { S3Uri = "s3://b/m/", S3DataType = "S3Prefix",
        CompressionType = "None", ModelAccessConfig = { AcceptEula = true } } },
      AdditionalModelDataSources = { { ChannelName = "draft", S3DataSource = {
        S3Uri = "s3://b/d/", S3DataType = "S3Prefix", CompressionType = "None" } } },
    }
    local other = { ContainerHostname = "two", ModelPackageName = "package", Mode = "SingleModel",
      InferenceSpecificationName = "spec", Environment = {} }
    local input = { ModelName = "full", Containers = { container, other },
      InferenceExecutionConfig = { Mode = "Direct" }, ExecutionRoleArn = ROLE, VpcConfig = VPC,
      EnableNetworkIsolation = true }
    assert(call("CreateModel", input))
    local out = assert(call("DescribeModel", { ModelName = "full" }))
    for _, member in ipairs(service:shape("CreateModelInput").members) do
      if member.name ~= "Tags" then assert.same(input[member.name], out[member.name]) end
    end
    assert.equal(sim:now(), out.CreationTime)
  end)

  it("is the configuration of an endpoint in DescribeEndpoint", function()
    create_config("full", FULL)
    create_config("async",
      { ProductionVariants = { variant "Main" }, AsyncInferenceConfig = ASYNC })
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "full" }))
    assert(call("CreateEndpoint", { EndpointName = "a", EndpointConfigName = "async" }))
    sim:advance(300)
    local out = assert(call("DescribeEndpoint", { EndpointName = "e" }))
    assert.same(FULL.ExplainerConfig, out.ExplainerConfig)
    assert.same(FULL.MetricsConfig, out.MetricsConfig)
    assert.same({ EnableCapture = true, CaptureStatus = "Started", CurrentSamplingPercentage = 30,
      DestinationS3Uri = "s3://b/capture", KmsKeyId = KEY }, out.DataCaptureConfig)
    local main, shadow = out.ProductionVariants[1], out.ShadowProductionVariants[1]
    assert.same(FULL.ProductionVariants[1].RoutingConfig, main.RoutingConfig)
    assert.same(FULL.ProductionVariants[1].ManagedInstanceScaling, main.ManagedInstanceScaling)
    assert.equal(0.5, main.CurrentWeight)
    assert.equal("Shadow", shadow.VariantName)
    assert.equal(2, shadow.CurrentInstanceCount)
    assert.same(ASYNC,
      assert(call("DescribeEndpoint", { EndpointName = "a" })).AsyncInferenceConfig)
  end)

  it("is the shadow variant of the new fleet too, and it can be scaled", function()
    create_config("v1", { ProductionVariants = { variant "Main" } })
    create_config("v2", { ProductionVariants = { variant "Main" },
      ShadowProductionVariants = { variant "Shadow" } })
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "v1" }))
    sim:advance(300)
    assert(call("UpdateEndpoint", { EndpointName = "e", EndpointConfigName = "v2" }))
    local out = assert(call("DescribeEndpoint", { EndpointName = "e" }))
    assert.is_nil(out.ShadowProductionVariants)
    local pending = out.PendingDeploymentSummary.ShadowProductionVariants[1]
    assert.equal("Shadow", pending.VariantName)
    assert.equal(0, pending.CurrentInstanceCount)
    assert.equal(2, pending.DesiredInstanceCount)
    assert.equal("Creating", pending.VariantStatus[1].Status)
    sim:advance(300)
    assert(call("UpdateEndpointWeightsAndCapacities", { EndpointName = "e",
      DesiredWeightsAndCapacities = { { VariantName = "Shadow", DesiredWeight = 0.25,
        DesiredInstanceCount = 3 } } }))
    sim:advance(60)
    local shadow = assert(call("DescribeEndpoint",
      { EndpointName = "e" })).ShadowProductionVariants[1]
    assert.equal(0.25, shadow.CurrentWeight)
    assert.equal(3, shadow.CurrentInstanceCount)
    assert(call("UpdateEndpoint", { EndpointName = "e", EndpointConfigName = "v2",
      RetainAllVariantProperties = true }))
    sim:advance(300)
    out = assert(call("DescribeEndpoint", { EndpointName = "e" }))
    assert.equal(3, out.ShadowProductionVariants[1].CurrentInstanceCount)
    assert.equal(0.25, out.ShadowProductionVariants[1].CurrentWeight)
  end)

  it("is the pool that instances come from", function()
    local pooled = variant("Main", { InstanceType = false, InstancePools = {
      { InstanceType = "ml.g5.xlarge", Priority = 2 },
      { InstanceType = "ml.g6.xlarge", Priority = 1 } } })
    local out = create_config("pools", { ProductionVariants = { pooled } })
    assert.same(pooled, out.ProductionVariants[1])
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "pools" }))
    sim:advance(300)
    out = assert(call("DescribeEndpoint", { EndpointName = "e" }))
    assert.same({ { InstanceType = "ml.g5.xlarge", CurrentInstanceCount = 0 },
      { InstanceType = "ml.g6.xlarge", CurrentInstanceCount = 2 } },
      out.ProductionVariants[1].InstancePools)
  end)

  it("is the serverless configuration, before and after it changes", function()
    local serverless = { MemorySizeInMB = 2048, MaxConcurrency = 10, ProvisionedConcurrency = 2 }
    create_config("s", { ProductionVariants = { variant("Main", { InstanceType = false,
      InitialInstanceCount = false, ServerlessConfig = serverless }) } })
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "s" }))
    sim:advance(300)
    assert(call("UpdateEndpointWeightsAndCapacities", { EndpointName = "e",
      DesiredWeightsAndCapacities = { { VariantName = "Main",
        ServerlessUpdateConfig = { MaxConcurrency = 20 } } } }))
    local row = assert(call("DescribeEndpoint", { EndpointName = "e" })).ProductionVariants[1]
    assert.same(serverless, row.CurrentServerlessConfig)
    local wanted = { MemorySizeInMB = 2048, MaxConcurrency = 20, ProvisionedConcurrency = 2 }
    assert.same(wanted, row.DesiredServerlessConfig)
    sim:advance(60)
    row = assert(call("DescribeEndpoint", { EndpointName = "e" })).ProductionVariants[1]
    assert.same(wanted, row.CurrentServerlessConfig)
    refused("DesiredInstanceCount is not supported for the serverless variant 'Main'.",
      "UpdateEndpointWeightsAndCapacities", { EndpointName = "e", DesiredWeightsAndCapacities = {
        { VariantName = "Main", DesiredInstanceCount = 2 } } })
    refused("ProvisionedConcurrency must not be larger than MaxConcurrency.",
      "UpdateEndpointWeightsAndCapacities", { EndpointName = "e", DesiredWeightsAndCapacities = {
        { VariantName = "Main", ServerlessUpdateConfig = { MaxConcurrency = 1 } } } })
  end)

  it("is nothing that cannot be", function()
    local function refuse(message, members)
      refused(message, "CreateEndpointConfig", config("bad", members))
    end
    local function serverless(more)
      local settings = { MemorySizeInMB = 1024, MaxConcurrency = 5 }
      for member, value in pairs(more or {}) do settings[member] = value end
      return variant("S", { InstanceType = false, InitialInstanceCount = false,
        ServerlessConfig = settings })
    end
    refuse("Production variant 'S': MemorySizeInMB must be a multiple of 1024, not 1500.",
      { ProductionVariants = { serverless { MemorySizeInMB = 1500 } } })
    refuse("Production variant 'S': ProvisionedConcurrency must not be larger than "
      .. "MaxConcurrency.", { ProductionVariants = { serverless { ProvisionedConcurrency = 6 } } })
    refuse("AsyncInferenceConfig is not supported for serverless endpoints.",
      { ProductionVariants = { serverless() }, AsyncInferenceConfig = ASYNC })
    refuse("Shadow variants are not supported for serverless endpoints.",
      { ProductionVariants = { serverless() }, ShadowProductionVariants = { variant "Shadow" } })
    refuse("Shadow variants are not supported for asynchronous endpoints.",
      { ProductionVariants = { variant "Main" }, ShadowProductionVariants = { variant "Shadow" },
        AsyncInferenceConfig = ASYNC })
    refuse("With ShadowProductionVariants there can be one production variant and one shadow "
      .. "variant.", { ProductionVariants = { variant "A", variant "B" },
        ShadowProductionVariants = { variant "Shadow" } })
    refuse("Production variant 'Main': Only one of InstanceType and InstancePools can be "
      .. "specified.", { ProductionVariants = { variant("Main", { InstancePools = {
        { InstanceType = "ml.g5.xlarge", Priority = 1 } } }) } })
    refuse("Production variant 'Main': MinInstanceCount must not be larger than "
      .. "MaxInstanceCount.", { ProductionVariants = { variant("Main", {
        ManagedInstanceScaling = { MinInstanceCount = 3, MaxInstanceCount = 2 } }) } })
    refused("ContainerHostname 'a' is used twice.", "CreateModel", { ModelName = "bad",
      Containers = { { ContainerHostname = "a", Image = caller.IMAGE },
        { ContainerHostname = "a", Image = caller.IMAGE } } })
    refused("InferenceExecutionConfig with Mode Direct needs Containers.", "CreateModel",
      { ModelName = "bad", PrimaryContainer = { Image = caller.IMAGE },
        InferenceExecutionConfig = { Mode = "Direct" } })
    refused("MultiModelConfig needs a container with Mode MultiModel.", "CreateModel",
      { ModelName = "bad", PrimaryContainer = { Image = caller.IMAGE,
        MultiModelConfig = { ModelCacheSetting = "Enabled" } } })
  end)

  it("leaves the instances of a managed variant to their manager", function()
    create_config("full", FULL)
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "full" }))
    sim:advance(300)
    refused("DesiredInstanceCount cannot be set for the variant 'Main': its instances are managed "
      .. "by ManagedInstanceScaling.", "UpdateEndpointWeightsAndCapacities", { EndpointName = "e",
        DesiredWeightsAndCapacities = { { VariantName = "Main", DesiredInstanceCount = 3 } } })
  end)
end)
