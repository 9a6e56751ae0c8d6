--- What it costs to validate and encode CreateEndpoint with 25 members, beside lua-cjson, which
-- encodes the same table without looking at it.
--
--   lua5.4 spec/bench/encode.lua [rounds]
--
-- Goals (ratios to cjson.encode): basic at most 0.9 (stretch 0.6), strict at most 1.5.

local cjson = require "cjson"
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

local function microseconds(f)
  local start = os.clock()
  for _ = 1, PER_ROUND do f() end
  return (os.clock() - start) / PER_ROUND * 1e6
end

local function median(list)
  table.sort(list)
  return list[math.ceil(#list / 2)]
end

local times = {}
for i, subject in ipairs(SUBJECTS) do
  assert(subject[2]())
  times[i] = {}
end
for round = 1, rounds do
  for i, subject in ipairs(SUBJECTS) do times[i][round] = microseconds(subject[2]) end
end

print(("%s, CreateEndpoint with 25 members, %d bytes"):format(rawget(_G, "jit") and "LuaJIT"
  or _VERSION, #core.encode(service, "CreateEndpoint", params).body))
local unit = median(times[1])
for i, subject in ipairs(SUBJECTS) do
  local time = median(times[i])
  print(("  %-22s %7.2f us  %5.2f x%s"):format(subject[1], time, time / unit,
    subject[3] and ("  (must be at most %.2f)"):format(subject[3]) or ""))
end
