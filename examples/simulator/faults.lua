--- What a program meets when things go wrong, one fault after the other, on the simulator.
-- Run it from the top of the project, as examples/quickstart.sh runs its example.

local sagemaker = require "sagemaker"

local sim = sagemaker.simulator.new { seed = 7 }
local client = assert(sagemaker.new { transport = sim })

local function tell(what, text)
  print(("%-44s %s"):format(what, text))
end

assert(client:create_model {
  ModelName = "model", ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
  PrimaryContainer = { Image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1" },
})
for i = 1, 4 do
  assert(client:create_endpoint_config {
    EndpointConfigName = "v" .. i,
    ProductionVariants = { { VariantName = "AllTraffic", ModelName = "model",
      InstanceType = "ml.m5.large", InitialInstanceCount = 2 } },
  })
end

local function deploy(config, deployment)
  return assert(client:deploy {
    EndpointName = "churn", EndpointConfigName = config, DeploymentConfig = deployment,
  })
end

-- The next two requests are throttled; the client tries again.
sim:throttle(2)
tell("create, throttled twice", deploy("v1").outcome)

-- For a minute, answers of UpdateEndpoint get lost; the client looks what became of its update.
sim:drop("UpdateEndpoint")
sim:at(60, function() sim:drop(false) end)
tell("update, its answer lost", deploy("v2").outcome)

-- The new containers do not answer /ping.
sim:unhealthy("v3")
local result = deploy("v3")
tell("update to containers that are not healthy", result.outcome)
tell("", result.failure_reason)

-- No instances to be had, and the way back fails too.
sim:fail_provisioning("v4")
sim:rollback_fails(true)
tell("update without capacity, nor a way back", deploy("v4").outcome)

-- The next update repairs it.
sim:fail_provisioning(false)
sim:rollback_fails(false)
tell("the same once there is capacity", deploy("v4").outcome)

print()
for _, event in ipairs(sim:history("churn")) do
  print(("%9.1f s  %-20s  %s"):format(event.at - sim.time.start, event.status, event.stage or ""))
end
