-- What a plan says will happen is what the simulator plays.

local caller = require "simulator.caller"
local deployment = require "sagemaker.deployment"
local readings = require "sagemaker.watch.reading"
local simulator = require "sagemaker.simulator"

-- Every kind of deployment, with sizes in percent and in instances.
local function configs(instances)
  local list = {
    ["all at once"] = deployment.all_at_once { bake = 120, termination_wait = 60 },
    ["all at once, no wait"] = deployment.all_at_once {},
    ["canary 25 %"] = deployment.canary { size = "25%", bake = 600, termination_wait = 600,
      timeout = 1800 },
    ["linear 33 %"] = deployment.linear { step = "33%", bake = 60, termination_wait = 30 },
    ["linear 10 %"] = deployment.linear { step = "10%", bake = 60 },
    ["rolling 50 %"] = deployment.rolling { batch = "50%", bake = 90 },
    ["rolling 5 %"] = deployment.rolling { batch = "5%", bake = 30 },
  }
  if instances >= 4 then
    list["canary 1"] = deployment.canary { size = 1, bake = 10 }
    list["linear 1"] = deployment.linear { step = math.ceil(instances / 10), bake = 10 }
    list["rolling 1"] = deployment.rolling { batch = math.ceil(instances / 4), bake = 10 }
  end
  return list
end

describe("a deployment on the simulator agrees with its plan", function()
  -- Compares each row of the plan that lasts with what DescribeEndpoint says in its middle.
  local function compare(config, instances)
    local sim = simulator.new()
    local call = caller.new(sim)
    caller.prepare(call)
    for _, name in ipairs { "v1", "v2" } do
      assert(call("CreateEndpointConfig", caller.config(name, instances)))
    end
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "v1" }))
    sim:advance(1000)
    local plan = assert(deployment.plan(config, instances))
    local began = sim:now()
    assert(call("UpdateEndpoint",
      { EndpointName = "e", EndpointConfigName = "v2", DeploymentConfig = config }))
    local rows = 0
    for _, row in ipairs(plan.steps) do
      if row.duration > 0 then
        rows = rows + 1
        sim:advance(began + row.time + row.duration / 2 - sim:now())
        local reading = readings.read(assert(call("DescribeEndpoint", { EndpointName = "e" })))
        local stage = reading.stage == "Updating" and "Creating" or reading.stage
        assert.same({ "Updating", row.stage, row.traffic.new },
          { reading.status, stage, reading.share })
        assert.same({ row.instances.old, row.instances.new }, { reading.old, reading.new })
      end
    end
    assert.is_true(rows > 0)
    sim:advance(began + plan.duration - sim:now() - 0.5)
    local output = assert(call("DescribeEndpoint", { EndpointName = "e" }))
    assert.equal("Updating", output.EndpointStatus)
    sim:advance(0.5)
    output = assert(call("DescribeEndpoint", { EndpointName = "e" }))
    assert.same({ "InService", "v2" }, { output.EndpointStatus, output.EndpointConfigName })
  end

  for _, instances in ipairs { 1, 2, 3, 4, 7, 10, 20 } do
    for name, config in pairs(configs(instances)) do
      it(("%s of %d"):format(name, instances), function() compare(config, instances) end)
    end
  end
end)
