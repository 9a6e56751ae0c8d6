--- What it costs to decode a DescribeEndpoint answer of 4 KB by its shape, beside lua-cjson, which
-- decodes the same bytes without a shape.
--
--   lua5.4 spec/bench/decode.lua [rounds]
--
-- Goals (ratios to cjson.decode): at most 0.45 (stretch 0.30).

package.path = "spec/?.lua;" .. package.path

local cjson = require "cjson"
local compare = require "bench.compare"
local core = require "sagemaker.core"

local rounds = tonumber(arg and arg[1]) or 15
local PER_ROUND = 1000

local service = core.service("sagemaker")

local REGISTRY = "763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-inference"

local function variant(n, status)
  return {
    VariantName = "variant-" .. n,
    DeployedImages = { {
      SpecifiedImage = REGISTRY .. ":2.3.0-gpu-py311",
      ResolvedImage = REGISTRY .. "@sha256:" .. ("0123456789abcdef"):rep(4),
      ResolutionTime = 1635195149.22,
    } },
    CurrentWeight = 1.0,
    DesiredWeight = 0.5,
    CurrentInstanceCount = 3,
    DesiredInstanceCount = 4,
    VariantStatus = { { Status = status, StatusMessage = "", StartTime = 1635195149.2 } },
  }
end

local output = {
  EndpointName = "churn-prediction-production",
  EndpointArn = "arn:aws:sagemaker:us-west-2:111122223333:endpoint/churn-prediction-production",
  EndpointConfigName = "churn-prediction-2026-01-14",
  ProductionVariants = { variant(1, "Baking"), variant(2, "Baking"), variant(3, "Baking") },
  EndpointStatus = "Updating",
  CreationTime = 1635195148.181,
  LastModifiedTime = 1635195348.181,
  LastDeploymentConfig = {
    BlueGreenUpdatePolicy = {
      TrafficRoutingConfiguration = { Type = "CANARY", WaitIntervalInSeconds = 600,
        CanarySize = { Type = "CAPACITY_PERCENT", Value = 10 } },
      TerminationWaitInSeconds = 600,
      MaximumExecutionTimeoutInSeconds = 3600,
    },
    AutoRollbackConfiguration = { Alarms = { { AlarmName = "churn-5xx" } } },
  },
  PendingDeploymentSummary = {
    EndpointConfigName = "churn-prediction-2026-01-15",
    ProductionVariants = { variant(1, "Creating"), variant(2, "Creating"), variant(3, "Creating") },
    StartTime = 1635195348.181,
  },
}
local body = core.encode_output(service, "DescribeEndpoint", output).body

local SUBJECTS = {
  { "cjson.decode", function() return cjson.decode(body) end },
  { "core.decode", function()
    return core.decode(service, "DescribeEndpoint", 200, nil, body)
  end, 0.45 },
}

compare.run(("a DescribeEndpoint answer of %d bytes"):format(#body), SUBJECTS, rounds, PER_ROUND)
