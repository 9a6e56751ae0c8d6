local caller = require "simulator.caller"
local simulator = require "sagemaker.simulator"

local ARN = "arn:aws:sagemaker:us-east-1:123456789012:"

local SPECIFICATION = {
  ModelName = "model",
  ComputeResourceRequirements = { MinMemoryRequiredInMb = 1024, NumberOfCpuCoresRequired = 1 },
  StartupParameters = { ContainerStartupHealthCheckTimeoutInSeconds = 120 },
}

local NEXT = {
  Container = { Image = caller.IMAGE, ArtifactUrl = "s3://bucket/model.tar.gz",
    Environment = { MODE = "fast" } },
  ComputeResourceRequirements = { MinMemoryRequiredInMb = 2048 },
}

local function rolling(batch, wait, alarm)
  return {
    RollingUpdatePolicy = { MaximumBatchSize = { Type = "COPY_COUNT", Value = batch },
      WaitIntervalInSeconds = wait },
    AutoRollbackConfiguration = alarm and { Alarms = { { AlarmName = alarm } } },
  }
end

describe("inference components", function()
  local sim, call

  local function refused(message, operation, input, code)
    local output, got, text = call(operation, input)
    assert.is_nil(output)
    assert.equal(message, text)
    assert.equal(code or "ValidationException", got)
  end

  local function bare(name)
    return {
      EndpointConfigName = name, ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
      ProductionVariants = { { VariantName = "AllTraffic", InstanceType = "ml.g5.xlarge",
        InitialInstanceCount = 2 } },
    }
  end

  local function input(more)
    local params = { InferenceComponentName = "Llama", EndpointName = "host",
      VariantName = "AllTraffic", Specification = SPECIFICATION, RuntimeConfig = { CopyCount = 4 } }
    for member, value in pairs(more or {}) do params[member] = value or nil end
    return params
  end

  local function describe_component(name)
    return assert(call("DescribeInferenceComponent", { InferenceComponentName = name or "llama" }))
  end

  local function setup(opts)
    sim = simulator.new(opts)
    call = caller.new(sim)
    caller.prepare(call, "with-models")
    assert(call("CreateEndpointConfig", bare "bare"))
    assert(call("CreateEndpoint", { EndpointName = "Host", EndpointConfigName = "bare" }))
    sim:advance(300)
  end

  local function in_service()
    assert(call("CreateInferenceComponent", input()))
    sim:advance(300)
  end

  before_each(function() setup() end)

  it("come into service with their copies", function()
    local out = assert(call("CreateInferenceComponent", input()))
    assert.equal(ARN .. "inference-component/llama", out.InferenceComponentArn)
    local before = describe_component()
    assert.equal("Creating", before.InferenceComponentStatus)
    assert.same({ DesiredCopyCount = 4, CurrentCopyCount = 0,
      PlacementStatus = { { InstanceType = "ml.g5.xlarge", CurrentCopyCount = 0 } } },
      before.RuntimeConfig)
    sim:advance(300)
    local after = describe_component "LLAMA"
    assert.equal("InService", after.InferenceComponentStatus)
    assert.equal("Llama", after.InferenceComponentName)
    assert.equal("Host", after.EndpointName)
    assert.equal(ARN .. "endpoint/host", after.EndpointArn)
    assert.equal("AllTraffic", after.VariantName)
    assert.equal(4, after.RuntimeConfig.CurrentCopyCount)
    assert.same(SPECIFICATION, after.Specification)
    assert.equal(sim:now(), after.LastModifiedTime)
    assert.equal(sim:now() - 300, after.CreationTime)
  end)

  it("take the only variant when none is named, and one copy", function()
    assert(call("CreateInferenceComponent", input { VariantName = false, RuntimeConfig = false }))
    local out = describe_component()
    assert.equal("AllTraffic", out.VariantName)
    assert.equal(1, out.RuntimeConfig.DesiredCopyCount)
  end)

  it("show the image of a container, not what was asked for", function()
    assert(call("CreateInferenceComponent", input { Specification = NEXT }))
    local container = describe_component().Specification.Container
    assert.equal(caller.IMAGE, container.DeployedImage.SpecifiedImage)
    assert.equal("s3://bucket/model.tar.gz", container.ArtifactUrl)
    assert.same({ MODE = "fast" }, container.Environment)
  end)

  it("have a specification for each type of instances", function()
    local specifications = {
      { InstanceType = "ml.g5.xlarge", ModelName = "model",
        ComputeResourceRequirements = { MinMemoryRequiredInMb = 1024 } },
      { InstanceType = "ml.g6.xlarge", Container = { Image = caller.IMAGE },
        ComputeResourceRequirements = { MinMemoryRequiredInMb = 1024 } },
    }
    assert(call("CreateInferenceComponent",
      input { Specification = false, Specifications = specifications }))
    local out = describe_component()
    assert.is_nil(out.Specification)
    assert.equal("model", out.Specifications[1].ModelName)
    assert.equal(caller.IMAGE, out.Specifications[2].Container.DeployedImage.SpecifiedImage)
    refused("One of Specification and Specifications must be specified.",
      "CreateInferenceComponent", input { InferenceComponentName = "b",
        Specifications = specifications })
    specifications[2].InstanceType = "ml.g5.xlarge"
    refused("Specifications has InstanceType ml.g5.xlarge twice.", "CreateInferenceComponent",
      input { InferenceComponentName = "b", Specification = false,
        Specifications = specifications })
  end)

  it("are refused where they cannot be", function()
    in_service()
    local other = { InferenceComponentName = "other" }
    local function with(more)
      for member, value in pairs(other) do
        if more[member] == nil then more[member] = value end
      end
      return input(more)
    end
    local create = "CreateInferenceComponent"
    refused('Cannot create already existing inference component "' .. ARN
      .. 'inference-component/llama".', create, input { InferenceComponentName = "LLAMA" })
    refused('Could not find endpoint "' .. ARN .. 'endpoint/none".', create,
      with { EndpointName = "none" })
    refused("The endpoint has no variant 'Blue'.", create, with { VariantName = "Blue" })
    refused('Could not find model "' .. ARN .. 'model/none".', create, with { Specification = {
      ModelName = "none", ComputeResourceRequirements = { MinMemoryRequiredInMb = 128 } } })
    refused("A specification must have one of ModelName and Container.", create,
      with { Specification = { ComputeResourceRequirements = { MinMemoryRequiredInMb = 128 } } })
    refused("ComputeResourceRequirements must be specified.", create,
      with { Specification = { ModelName = "model" } })
    refused("One of Specification and Specifications must be specified.", create,
      with { Specification = false })
    assert(call("CreateEndpoint", { EndpointName = "plain", EndpointConfigName = "with-models" }))
    sim:advance(300)
    refused("Inference Components are not supported in this Endpoint. Please make sure this "
      .. "endpoint can deploy inference components.", create, with { EndpointName = "plain" })
    assert(call("CreateEndpoint", { EndpointName = "young", EndpointConfigName = "bare" }))
    refused('Endpoint "' .. ARN .. 'endpoint/young" must be InService, it is Creating.', create,
      with { EndpointName = "young" })
    refused('Could not find inference component "' .. ARN .. 'inference-component/none".',
      "DescribeInferenceComponent", { InferenceComponentName = "none" })
  end)

  it("keep their endpoint", function()
    in_service()
    refused('Cannot delete endpoint "' .. ARN .. 'endpoint/host" while it has inference '
      .. "components. Delete all its inference components first.", "DeleteEndpoint",
      { EndpointName = "host" })
    refused('The endpoint "' .. ARN .. 'endpoint/host" has inference components, so its production '
      .. "variants must not specify a ModelName.", "UpdateEndpoint",
      { EndpointName = "host", EndpointConfigName = "with-models" })
    refused("DesiredWeight is not supported for the variant 'AllTraffic': it hosts inference "
      .. "components.", "UpdateEndpointWeightsAndCapacities", { EndpointName = "host",
        DesiredWeightsAndCapacities = { { VariantName = "AllTraffic", DesiredWeight = 2 } } })
    assert(call("DeleteInferenceComponent", { InferenceComponentName = "llama" }))
    assert.equal("Deleting", describe_component().InferenceComponentStatus)
    refused('Cannot update in-progress inference component "' .. ARN .. 'inference-component/llama"'
      .. ": it is in status DELETE_IN_PROGRESS.", "DeleteInferenceComponent",
      { InferenceComponentName = "llama" })
    sim:advance(30)
    refused('Could not find inference component "' .. ARN .. 'inference-component/llama".',
      "DeleteInferenceComponent", { InferenceComponentName = "llama" })
    assert(call("DeleteEndpoint", { EndpointName = "host" }))
  end)

  it("change the number of their copies", function()
    in_service()
    assert(call("UpdateInferenceComponentRuntimeConfig",
      { InferenceComponentName = "llama", DesiredRuntimeConfig = { CopyCount = 6 } }))
    local during = describe_component()
    assert.equal("Updating", during.InferenceComponentStatus)
    assert.equal(6, during.RuntimeConfig.DesiredCopyCount)
    assert.equal(4, during.RuntimeConfig.CurrentCopyCount)
    refused('Cannot update in-progress inference component "' .. ARN .. 'inference-component/llama"'
      .. ": it is in status UPDATE_IN_PROGRESS.", "UpdateInferenceComponentRuntimeConfig",
      { InferenceComponentName = "llama", DesiredRuntimeConfig = { CopyCount = 1 } })
    sim:advance(60)
    assert.equal(6, describe_component().RuntimeConfig.CurrentCopyCount)
    assert(call("UpdateInferenceComponent",
      { InferenceComponentName = "llama", RuntimeConfig = { CopyCount = 0 } }))
    sim:advance(60)
    local after = describe_component()
    assert.equal("InService", after.InferenceComponentStatus)
    assert.equal(0, after.RuntimeConfig.CurrentCopyCount)
    refused("There is nothing to update: specify Specification, Specifications or RuntimeConfig.",
      "UpdateInferenceComponent", { InferenceComponentName = "llama" })
  end)

  it("go over to a new specification batch by batch", function()
    in_service()
    local config = rolling(1, 60, "errors")
    assert(call("UpdateInferenceComponent", { InferenceComponentName = "llama",
      Specification = NEXT, DeploymentConfig = config }))
    local during = describe_component()
    assert.equal("Updating", during.InferenceComponentStatus)
    assert.same(config, during.LastDeploymentConfig)
    assert.equal("model", during.Specification.ModelName)
    local shares = {}
    for step = 1, 4 do
      sim:advance(300)
      shares[step] = sim:history("llama", "inference-component")
      shares[step] = shares[step][#shares[step]].share
      sim:advance(60)
    end
    assert.same({ 0.25, 0.5, 0.75, 1 }, shares)
    local after = describe_component()
    assert.equal("InService", after.InferenceComponentStatus)
    assert.is_nil(after.Specification.ModelName)
    assert.equal(caller.IMAGE, after.Specification.Container.DeployedImage.SpecifiedImage)
    assert.equal(4, after.RuntimeConfig.CurrentCopyCount)
  end)

  it("roll back when an alarm trips while a batch bakes", function()
    in_service()
    assert(call("UpdateInferenceComponent", { InferenceComponentName = "llama",
      Specification = NEXT, DeploymentConfig = rolling(2, 600, "errors") }))
    sim:advance(300 + 100)
    sim:set_alarm("errors", "ALARM")
    local during = describe_component()
    assert.equal("Updating", during.InferenceComponentStatus)
    assert.equal("Alarm errors is in state ALARM.", during.FailureReason)
    sim:advance(600)
    local after = describe_component()
    assert.equal("InService", after.InferenceComponentStatus)
    assert.equal("model", after.Specification.ModelName)
    assert.equal("Alarm errors is in state ALARM.", after.FailureReason)
    assert.equal(4, after.RuntimeConfig.CurrentCopyCount)
  end)

  it("go on after a snapshot, at every moment of a rolling update", function()
    in_service()
    assert(call("CreateInferenceComponent", { InferenceComponentName = "lora",
      EndpointName = "host", Specification = { BaseInferenceComponentName = "llama",
        Container = { ArtifactUrl = "s3://bucket/lora" } } }))
    assert(call("UpdateInferenceComponent", { InferenceComponentName = "llama",
      Specification = NEXT, DeploymentConfig = rolling(1, 60, "errors") }))
    local others = {}
    local function same_in(other)
      local ask = caller.new(other)
      for _, name in ipairs { "llama", "lora" } do
        local asked = { InferenceComponentName = name }
        assert.same(describe_component(name), ask("DescribeInferenceComponent", asked))
      end
      assert.same(sim:history("llama", "inference-component"),
        other:history("llama", "inference-component"))
    end
    for _, seconds in ipairs { 0, 299, 2, 100, 300 } do
      sim:advance(seconds)
      local other = simulator.new()
      assert(other:restore(sim:snapshot()))
      same_in(other)
      others[#others + 1] = other
    end
    sim:advance(2000)
    assert.equal("InService", describe_component().InferenceComponentStatus)
    assert.is_nil(describe_component().Specification.ModelName)
    for _, other in ipairs(others) do
      other:advance(sim:now() - other:now())
      same_in(other)
    end
  end)

  it("refuse a deployment that breaks the rules of batches", function()
    in_service()
    refused("MaximumBatchSize must be between 5% and 50% of the capacity of the variant.",
      "UpdateInferenceComponent", { InferenceComponentName = "llama", Specification = NEXT,
        DeploymentConfig = rolling(3, 60) })
    refused("DeploymentConfig needs a Specification to deploy.", "UpdateInferenceComponent",
      { InferenceComponentName = "llama", DeploymentConfig = rolling(1, 60) })
  end)

  it("fail when no container of theirs comes up, and can then only be deleted", function()
    setup { unhealthy = "model" }
    assert(call("CreateInferenceComponent", input()))
    sim:advance(300 + 119)
    assert.equal("Creating", describe_component().InferenceComponentStatus)
    sim:advance(1)
    local out = describe_component()
    assert.equal("Failed", out.InferenceComponentStatus)
    assert.equal("The container of inference component Llama did not pass the ping health check. "
      .. "Please check CloudWatch logs for this endpoint.", out.FailureReason)
    assert.equal("model", out.Specification.ModelName)
    assert.equal(0, out.RuntimeConfig.CurrentCopyCount)
    refused('Cannot update inference component "' .. ARN .. 'inference-component/llama" in status '
      .. "Failed: it can only be deleted.", "UpdateInferenceComponent",
      { InferenceComponentName = "llama", Specification = NEXT })
    assert(call("DeleteInferenceComponent", { InferenceComponentName = "llama" }))
  end)

  it("carry adapters", function()
    in_service()
    local adapter = { InferenceComponentName = "lora", EndpointName = "host", Specification = {
      BaseInferenceComponentName = "llama", Container = { ArtifactUrl = "s3://bucket/lora.tar.gz" },
    } }
    adapter.RuntimeConfig = { CopyCount = 1 }
    refused("An adapter inference component must not specify RuntimeConfig.",
      "CreateInferenceComponent", adapter)
    adapter.RuntimeConfig = nil
    assert(call("CreateInferenceComponent", adapter))
    sim:advance(300)
    local out = describe_component "lora"
    assert.equal("InService", out.InferenceComponentStatus)
    assert.equal("llama", out.Specification.BaseInferenceComponentName)
    assert.is_nil(out.RuntimeConfig)
    refused('Cannot delete inference component "' .. ARN .. 'inference-component/llama" while it '
      .. 'is the base of "' .. ARN .. 'inference-component/lora".', "DeleteInferenceComponent",
      { InferenceComponentName = "llama" })
    refused("The copies of an adapter inference component are those of its base.",
      "UpdateInferenceComponentRuntimeConfig",
      { InferenceComponentName = "lora", DesiredRuntimeConfig = { CopyCount = 2 } })
    adapter.Specification.BaseInferenceComponentName = "lora"
    adapter.InferenceComponentName = "lora-2"
    refused('"' .. ARN .. 'inference-component/lora" is an adapter itself.',
      "CreateInferenceComponent", adapter)
  end)

  it("are listed by endpoint, variant, status and name, in pages", function()
    assert(call("CreateEndpoint", { EndpointName = "host-2", EndpointConfigName = "bare" }))
    sim:advance(300)
    for i = 1, 5 do
      assert(call("CreateInferenceComponent", input { InferenceComponentName = "one-" .. i }))
      sim:advance(1)
    end
    assert(call("CreateInferenceComponent",
      input { InferenceComponentName = "two-1", EndpointName = "host-2" }))
    local function names(params)
      local all, pages = {}, 0
      repeat
        local page = assert(call("ListInferenceComponents", params))
        for _, row in ipairs(page.InferenceComponents) do
          all[#all + 1] = row.InferenceComponentName
        end
        params.NextToken, pages = page.NextToken, pages + 1
      until not page.NextToken
      return all, pages
    end
    assert.same({ "two-1", "one-5", "one-4", "one-3", "one-2", "one-1" }, names {})
    local all, pages = names { EndpointNameEquals = "HOST", SortBy = "Name",
      SortOrder = "Ascending", MaxResults = 2 }
    assert.same({ "one-1", "one-2", "one-3", "one-4", "one-5" }, all)
    assert.equal(3, pages)
    assert.same({}, (names { VariantNameEquals = "Other" }))
    assert.same({ "two-1" }, (names { NameContains = "TWO", StatusEquals = "Creating" }))
    assert.same({}, (names { StatusEquals = "InService" }))
    local page = assert(call("ListInferenceComponents", { MaxResults = 1 }))
    refused("The NextToken is not valid for this request.", "ListInferenceComponents",
      { MaxResults = 1, EndpointNameEquals = "host", NextToken = page.NextToken })
  end)

  it("have tags, limits and take their time to be seen", function()
    setup { limits = { inference_components = 1 }, visible_after = { inference_component = 10 } }
    assert(call("CreateInferenceComponent", input { Tags = { { Key = "team", Value = "a" } } }))
    refused('Could not find inference component "' .. ARN .. 'inference-component/llama".',
      "DescribeInferenceComponent", { InferenceComponentName = "llama" })
    sim:advance(10)
    assert.same({ { Key = "team", Value = "a" } }, assert(call("ListTags",
      { ResourceArn = ARN .. "inference-component/llama" })).Tags)
    refused("The account-level service limit 'Total inference components' is 1, with current "
      .. "utilization of 1 and a request delta of 1. Request an increase of the quota.",
      "CreateInferenceComponent", input { InferenceComponentName = "b" }, "ResourceLimitExceeded")
  end)

  it("need a configuration without models, and with a role", function()
    refused("ExecutionRoleArn must be specified when production variants have no ModelName.",
      "CreateEndpointConfig",
      { EndpointConfigName = "c", ProductionVariants = bare("c").ProductionVariants })
    local mixed = bare "mixed"
    mixed.ProductionVariants[2] = caller.config("c", 1).ProductionVariants[1]
    mixed.ProductionVariants[2].VariantName = "Other"
    refused("Either all production variants or none must specify a ModelName.",
      "CreateEndpointConfig", mixed)
  end)
end)
