--- Three endpoints are deployed at the same time, from one script and in one thread. Runs on the
-- simulator, where the hour that they take passes at once.
--
--     lua examples/many-calls/deployments.lua

local sagemaker = require "sagemaker"

local sim = sagemaker.simulator.new()
local client = assert(sagemaker.new { transport = sim })
local names = { "churn-ap", "churn-eu", "churn-us" }

assert(client:create_model { ModelName = "churn",
  ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker" })
for _, config in ipairs { "churn-v1", "churn-v2" } do
  assert(client:create_endpoint_config { EndpointConfigName = config, ProductionVariants = { {
    VariantName = "main", ModelName = "churn", InstanceType = "ml.m5.large",
    InitialInstanceCount = 4 } } })
end

-- Deploys one endpoint; the others are deployed meanwhile.
local function deploy(name, config)
  return assert(client:deploy { EndpointName = name, EndpointConfigName = config,
    DeploymentConfig = sagemaker.deployment.canary { size = "25%", bake = 600 } })
end

-- One row for each, in order; nobody's failure hides another's.
local function deploy_all(config)
  local jobs = {}
  for i, name in ipairs(names) do
    jobs[i] = function() return deploy(name, config) end
  end
  for i, row in ipairs(sagemaker.all(jobs)) do
    local ok, result = row[1], row[2]
    print(names[i], config, ok and result.outcome or "error: " .. tostring(result),
      ok and ("after %d s"):format(result.elapsed) or "")
  end
  print(("all of them in %.0f s"):format(sim:clock()))
end

deploy_all "churn-v1"
sim:fail_provisioning "churn-us" -- whose new instances do not come
deploy_all "churn-v2"
