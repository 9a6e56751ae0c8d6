--- Many deployments watched by a program with a loop of its own: each coroutine makes one poll when
-- it is resumed and says when it wants to be resumed again. Runs on the simulator.
--
--     lua examples/deploy/own_loop.lua

local sagemaker = require "sagemaker"

local sim = sagemaker.simulator.new()
local client = assert(sagemaker.new{ transport = sim })
local regions = { "eu", "us", "ap" }

assert(client:create_model{
  ModelName = "churn", ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
  PrimaryContainer = { Image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1" },
})
for _, name in ipairs{ "churn-v1", "churn-v2" } do
  assert(client:create_endpoint_config{
    EndpointConfigName = name,
    ProductionVariants = { {
      VariantName = "main", ModelName = "churn", InstanceType = "ml.m5.large",
      InitialInstanceCount = 4,
    } },
  })
end
for _, region in ipairs(regions) do
  local name = "churn-" .. region
  assert(client:create_endpoint{ EndpointName = name, EndpointConfigName = "churn-v1" })
  assert(client:wait_until_in_service(name, { EndpointConfigName = "churn-v1" }))
end

-- Three updates at once; one of them will not get its instances.
sim:fail_provisioning("churn-us")
local watches = {}
for i, region in ipairs(regions) do
  local name = "churn-" .. region
  local before = assert(client:describe_endpoint{ EndpointName = name })
  assert(client:update_endpoint{ EndpointName = name, EndpointConfigName = "churn-v2" })
  watches[i] = {
    name = name, due = sim:clock(),
    thread = client:in_service_coroutine(name,
      { EndpointConfigName = "churn-v2", before = before }),
  }
end

-- The program's own loop: it may do anything else between two polls.
local outcomes, left = {}, #watches
while left > 0 do
  local following = math.huge
  for _, watch in ipairs(watches) do
    if watch.due and watch.due <= sim:clock() then
      local ok, event, delay = coroutine.resume(watch.thread)
      if not ok then error(event, 0) end
      if event.moved then
        print(("%-10s %s"):format(watch.name, sagemaker.deployment.line(event)))
      end
      watch.due = sim:clock() + delay
      if event.outcome then
        outcomes[watch.name], watch.due, left = event.outcome, nil, left - 1
      end
    end
    following = math.min(following, watch.due or math.huge)
  end
  if left > 0 then sim:advance(math.max(0.1, following - sim:clock())) end
end

local fine = outcomes["churn-eu"] == "deployed" and outcomes["churn-us"] == "rolled_back"
  and outcomes["churn-ap"] == "deployed"
if not fine then os.exit(1) end
