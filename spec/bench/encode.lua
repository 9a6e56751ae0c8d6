--- What it costs to validate and encode CreateEndpoint with 25 members, beside lua-cjson, which
-- encodes the same table without looking at it.
--
--   lua5.4 spec/bench/encode.lua [rounds]
--
-- Goals (ratios to cjson.encode): basic at most 0.9 (stretch 0.6), strict at most 1.5.

package.path = "spec/?.lua;" .. package.path

local cjson = require "cjson"
local compare = require "bench.compare"
local core = require "sagemaker.core"

local rounds = tonumber(arg and arg[1]) or 15
local PER_ROUND = 4000

local service = core.service("sagemaker")

local params = {
  EndpointName = "churn-prediction-production",
  EndpointConfigName = "churn-prediction-2026-01-15",
  DeploymentConfig = {
    BlueGreenUpdatePolicy = {
      TrafficRoutingConfiguration = {
        Type = "CANARY",
        WaitIntervalInSeconds = 600,
        CanarySize = { Type = "CAPACITY_PERCENT", Value = 10 },
      },
      TerminationWaitInSeconds = 600,
      MaximumExecutionTimeoutInSeconds = 3600,
    },
    AutoRollbackConfiguration = {
      Alarms = { { AlarmName = "churn-5xx" }, { AlarmName = "churn-latency-p99" } },
    },
  },
  Tags = {
    { Key = "team", Value = "growth" },
    { Key = "cost-center", Value = "4711" },
    { Key = "environment", Value = "production" },
    { Key = "model", Value = "churn" },
  },
}

-- What is timed; the first is the yardstick.
local SUBJECTS = {
  { "cjson.encode", function() return cjson.encode(params) end },
  { "core.encode, basic", function()
    return core.encode(service, "CreateEndpoint", params, "basic")
  end, 0.9 },
  { "core.encode, strict", function()
    return core.encode(service, "CreateEndpoint", params, "strict")
  end, 1.5 },
  { "core.encode, false", function()
    return core.encode(service, "CreateEndpoint", params, false)
  end },
  { "core.validate, strict", function()
    return core.validate(service, "CreateEndpoint", params, "strict")
  end },
}

compare.run(("CreateEndpoint with 25 members, %d bytes"):format(
  #core.encode(service, "CreateEndpoint", params).body), SUBJECTS, rounds, PER_ROUND)
