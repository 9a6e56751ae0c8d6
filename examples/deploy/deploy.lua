--- A release as a program: look at the plan, deploy under guard, act on the outcome. Runs on the
-- simulator; against AWS leave out `transport`, everything else stays.
--
--     lua examples/deploy/deploy.lua

local sagemaker = require "sagemaker"

local deployment = sagemaker.deployment
local sim = sagemaker.simulator.new()
local client = assert(sagemaker.new{ transport = sim })

-- What a pipeline has made before: models, and an endpoint configuration for each release.
sim:set_alarm("churn-5xx", "OK")
assert(client:create_model{
  ModelName = "churn", ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
  PrimaryContainer = { Image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1" },
})
for _, name in ipairs{ "churn-v1", "churn-v2", "churn-v3" } do
  assert(client:create_endpoint_config{
    EndpointConfigName = name,
    ProductionVariants = { {
      VariantName = "main", ModelName = "churn", InstanceType = "ml.m5.large",
      InitialInstanceCount = 10,
    } },
  })
end

-- A tenth of the traffic for ten minutes, then all of it for ten more; the old fleet stays five
-- minutes longer. An alarm in any of the twenty minutes sends everything back.
local guarded = deployment.canary{
  size = "10%", bake = 600, termination_wait = 300, timeout = 3600, alarms = { "churn-5xx" },
}

local function release(config)
  print(("\n-- %s --"):format(config))
  local result = assert(client:deploy{
    EndpointName = "churn", EndpointConfigName = config, DeploymentConfig = guarded,
    Tags = { { Key = "release", Value = config } },
    on_event = function(event) print(deployment.line(event)) end,
  })
  for _, warning in ipairs(result.warnings) do print("warning: " .. warning) end
  local runs = result.endpoint and result.endpoint.EndpointConfigName
  print(("%s after %d s, the endpoint runs %s"):format(result.outcome, result.elapsed, runs))
  if result.failure_reason then print("because: " .. result.failure_reason) end
  return result
end

print("What an update of ten instances will do:\n")
print(assert(deployment.plan(guarded, 10)))

local first = release("churn-v1")
local second = release("churn-v2")
local again = release("churn-v2")

-- The third release is bad: its alarm goes off while the canary bakes.
sim:at(500, function() sim:set_alarm("churn-5xx", "ALARM") end)
local third = release("churn-v3")

-- A mistake is found before anything is sent, all mistakes at once.
print("\n-- mistakes --")
local _, message = client:deploy{
  EndpointName = "churn", EndpointConfigName = "churn-v3",
  DeploymentConfig = {
    BlueGreenUpdatePolicy = {
      TrafficRoutingConfiguration = {
        Type = "CANARY", WaitIntervalInSeconds = 7200,
        CanarySize = { Type = "CAPACITY_PERCENT", Value = 80 },
      },
    },
  },
}
print(message)

-- A script's exit status should tell a roll-back from a success; this one tells whether the four
-- releases ended as they should.
local fine = first.outcome == "deployed" and second.outcome == "deployed"
  and again.changed == false and third.outcome == "rolled_back"
if not fine then os.exit(1) end
