-- Invocations through a deployment: a canary whose container fails rolls itself back, and nobody
-- but the canary's share of callers ever notices.
--
--     lua examples/simulator/invocations.lua
--
-- Everything happens in the simulator: no AWS account, no network, no waiting.

local sagemaker = require "sagemaker"

local sim = sagemaker.simulator.new()
local client = assert(sagemaker.new { transport = sim })
local runtime = assert(sagemaker.runtime { transport = sim })

-- Two models. What they answer is a function; a URL in the model's environment
-- (SAGEMAKER_SIMULATOR_URL) would be called instead, and without either an echo answers.
for _, name in ipairs { "good", "bad" } do
  assert(client:create_model { ModelName = name,
    ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
    PrimaryContainer = { Image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:" .. name } })
  assert(client:create_endpoint_config { EndpointConfigName = name, ProductionVariants = { {
    VariantName = "AllTraffic", ModelName = name, InstanceType = "ml.m5.large",
    InitialInstanceCount = 4, InitialVariantWeight = 1 } } })
end
sim:container("good", function(request)
  return { headers = { ["Content-Type"] = "text/plain" }, body = "score of " .. request.body }
end)
sim:container("bad", function(request)
  if request.path == "/ping" then return "" end -- healthy, as far as SageMaker can see
  return { status = 500, body = "cannot load the weights" }
end)

assert(client:create_endpoint { EndpointName = "churn", EndpointConfigName = "good" })
sim:advance(300)

local answer = assert(runtime:invoke_endpoint { EndpointName = "churn", Body = "1,2,3" })
print(("%s says: %s"):format(answer.InvokedProductionVariant, answer.Body))

-- An alarm on what the simulator itself measures, evaluated each minute of its time.
sim:put_alarm { AlarmName = "churn-5xx", Namespace = "AWS/SageMaker",
  MetricName = "Invocation5XXErrors", Statistic = "Sum", Period = 60, EvaluationPeriods = 1,
  Threshold = 2, ComparisonOperator = "GreaterThanOrEqualToThreshold",
  TreatMissingData = "notBreaching", Dimensions = {
    { Name = "EndpointName", Value = "churn" }, { Name = "VariantName", Value = "AllTraffic" } } }

assert(client:update_endpoint { EndpointName = "churn", EndpointConfigName = "bad",
  DeploymentConfig = sagemaker.deployment.canary { size = "25%", bake = 600,
    alarms = { "churn-5xx" } } })

-- Ten invocations a minute while the deployment runs; the state tells what is under way.
local failures, status = 0, nil
for minute = 1, 15 do
  for _ = 1, 10 do
    local good, _, err = runtime:invoke_endpoint { EndpointName = "churn", Body = "4,5,6" }
    if not good then
      failures = failures + 1
      assert(err.code == "ModelError" and err.fields.OriginalStatusCode == 500)
    end
  end
  local now = sim:state().endpoints[1]
  local line = ("%-11s new fleet: %g %%"):format(now.status, now.traffic.new)
  if line ~= status then print(("minute %2d: %s"):format(minute, line)) end
  status = line
  sim:advance(60)
end

local after = assert(client:describe_endpoint { EndpointName = "churn" })
print(("%d of 150 invocations failed; %s on %s: %s"):format(failures, after.EndpointStatus,
  after.EndpointConfigName, after.FailureReason))
