--- A create, a canary that succeeds, and a canary that an alarm rolls back, on the simulator.
-- Prints a timeline of each; exits with 0 only when all three ended as they should.
--
-- Run it with `sh examples/quickstart.sh`, or where the library is installed, with `lua`.

local sagemaker = require "sagemaker"

local ENDPOINT, ALARM = "churn", "churn-5xx"
local MINUTE = 60

-- A SageMaker of our own, with a clock that jumps as far as anybody waits. Against AWS, `transport`
-- is left out, and everything else stays as it is.
local sim = sagemaker.simulator.new()
sim:set_alarm(ALARM, "OK")
local client = assert(sagemaker.new { transport = sim })

local BAR = 30
local is_utf8 = false
for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
  local value = os.getenv(name)
  if value and value ~= "" then
    is_utf8 = value:upper():find("UTF%-?8") ~= nil
    break
  end
end
local NEW, OLD, NONE = "#", "-", "."
if is_utf8 then NEW, OLD, NONE = "█", "░", "·" end

-- 1:05:00
local function clock(seconds)
  local s = math.floor(seconds + 0.5)
  return ("%d:%02d:%02d"):format(math.floor(s / 3600), math.floor(s / 60) % 60, s % 60)
end

-- Who gets the requests: the new fleet from the left, the old one on the right.
local function bar(traffic)
  local new = math.floor(BAR * traffic.new / 100 + 0.5)
  local old = math.floor(BAR * traffic.old / 100 + 0.5)
  old = math.min(old, BAR - new)
  return NEW:rep(new) .. NONE:rep(BAR - new - old) .. OLD:rep(old)
end

local STAGES = {
  Creating = "starting the new fleet", ActivatingTraffic = "turning on traffic",
  Baking = "baking, alarm watched", TerminationWait = "waiting to remove the old",
  Deleting = "removing a fleet",
}

local function stage_of(event)
  if event.status == "RollingBack" then return "back to the old fleet" end
  if event.status == "Creating" then return "starting the fleet" end
  if event.outcome then return event.outcome:gsub("_", " ") end
  local text = STAGES[event.stage] or ""
  if event.stage == "Baking" and event.step and event.steps then
    text = ("baking, step %d of %d"):format(event.step, event.steps)
  end
  return text
end

local function row(time, status, stage, traffic)
  print(("  %s  %-11s  %-25s  %s  %5g  %5g"):format(time, status, stage, bar(traffic),
    traffic.new, traffic.old))
end

local function headline(number, text)
  print(("\n%d. %s\n"):format(number, text))
  print(("  %-7s  %-11s  %-25s  %-" .. BAR .. "s  %5s  %5s"):format("time", "status", "stage",
    "who serves", "new %", "old %"))
end

-- Deploys, and prints a line whenever something has moved.
local function deploy(request)
  local began = sim:now()
  request.EndpointName = ENDPOINT
  request.delay, request.max_delay = 5, 5 -- virtual time: looking often costs nothing
  request.on_event = function(event)
    row(clock(sim:now() - began), event.status, stage_of(event), event.traffic)
  end
  local result = assert(client:deploy(request))
  local runs = result.endpoint.EndpointConfigName
  print(("\n  Outcome: %s after %s; the endpoint runs %s."):format(result.outcome,
    clock(result.elapsed), runs))
  if result.failure_reason then print("  Reason:  " .. result.failure_reason) end
  for _, warning in ipairs(result.warnings) do print("  Note:    " .. warning) end
  return result.outcome
end

local function prepare(config, image)
  local model = config .. "-model"
  assert(client:create_model {
    ModelName = model, ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
    PrimaryContainer = { Image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/" .. image },
  })
  assert(client:create_endpoint_config {
    EndpointConfigName = config,
    ProductionVariants = { {
      VariantName = "AllTraffic", ModelName = model, InstanceType = "ml.m5.large",
      InitialInstanceCount = 4,
    } },
  })
end

local function canary()
  return sagemaker.deployment.canary {
    size = "25%", bake = 10 * MINUTE, termination_wait = 5 * MINUTE, alarms = { ALARM },
  }
end

print("Amazon SageMaker for Lua: three deployments on the built-in simulator.")
print(("Legend: %s the new fleet serves, %s the old fleet serves, %s nobody yet."):format(
  NEW:rep(3), OLD:rep(3), NONE:rep(3)))

local started = os.clock()
for i = 1, 3 do prepare("churn-v" .. i, "churn:" .. i) end

headline(1, "Create the endpoint with churn-v1, on 4 instances")
local first = deploy { EndpointConfigName = "churn-v1" }

headline(2, "Update to churn-v2 as a canary: 25 % of the traffic for ten minutes, then all")
local second = deploy { EndpointConfigName = "churn-v2", DeploymentConfig = canary() }

headline(3, "Update to churn-v3, a bad model: the alarm " .. ALARM .. " goes off while it bakes")
sim:at(9 * MINUTE, function()
  sim:set_alarm(ALARM, "ALARM")
  print(("  %s  %-11s  %s is in state ALARM"):format(clock(9 * MINUTE), "(alarm)", ALARM))
end)
local third = deploy { EndpointConfigName = "churn-v3", DeploymentConfig = canary() }

print(("\n%s of endpoint time in %.2f seconds of processor time."):format(clock(sim:clock()),
  os.clock() - started))

local good = first == "deployed" and second == "deployed" and third == "rolled_back"
print(good and "All three ended as they should: deployed, deployed, rolled back."
  or ("Not as it should be: %s, %s, %s."):format(first, second, third))
os.exit(good and 0 or 1)
