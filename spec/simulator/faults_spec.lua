local caller = require "simulator.caller"
local simulator = require "sagemaker.simulator"

describe("the simulator's faults", function()
  local sim, call

  local function setup(opts)
    sim = simulator.new(opts)
    call = caller.new(sim)
    caller.prepare(call, "v1", "v2")
  end

  local function status(name)
    local output, code = call("DescribeEndpoint", { EndpointName = name or "churn" })
    return output and output.EndpointStatus or code
  end

  local function create(name, config)
    return call("CreateEndpoint",
      { EndpointName = name or "churn", EndpointConfigName = config or "v1" })
  end

  before_each(function() setup() end)

  it("fails provisioning for a name, a list of names, or as a function says", function()
    for _, knob in ipairs { true, "v1", "model", "churn", { "x", "churn" },
        function(case) return case.endpoint_config == "v1" end } do
      setup { fail_provisioning = knob }
      assert(create())
      sim:advance(300)
      assert.equal("Failed", status())
    end
    for _, knob in ipairs { "v2", { "x" }, false, function() return nil end } do
      setup { fail_provisioning = knob }
      assert(create())
      sim:advance(300)
      assert.equal("InService", status())
    end
  end)

  it("gives the reason that a function answers", function()
    sim:fail_provisioning(function() return "no racks left" end)
    assert(create())
    sim:advance(300)
    assert.equal("no racks left",
      assert(call("DescribeEndpoint", { EndpointName = "churn" })).FailureReason)
  end)

  it("waits for an unhealthy container as long as its variant says", function()
    local config = caller.config("patient", 1)
    config.ProductionVariants[1].ContainerStartupHealthCheckTimeoutInSeconds = 900
    assert(call("CreateEndpointConfig", config))
    sim:unhealthy("patient")
    assert(create("churn", "patient"))
    sim:advance(300 + 899)
    assert.equal("Creating", status())
    sim:advance(1)
    assert.equal("Failed", status())
    assert.matches("ping health check",
      assert(call("DescribeEndpoint", { EndpointName = "churn" })).FailureReason)
  end)

  it("fails roll-backs", function()
    assert(create())
    sim:advance(300)
    sim:unhealthy("v2")
    sim:rollback_fails(true)
    assert(call("UpdateEndpoint", { EndpointName = "churn", EndpointConfigName = "v2" }))
    sim:advance(3600)
    assert.equal("UpdateRollbackFailed", status())
  end)

  it("hides the reason of a failure", function()
    assert(create())
    sim:advance(300)
    sim:unhealthy("v2")
    sim:hide_failure_reason(true)
    assert(call("UpdateEndpoint", { EndpointName = "churn", EndpointConfigName = "v2" }))
    sim:advance(3600)
    local output = assert(call("DescribeEndpoint", { EndpointName = "churn" }))
    assert.equal("v1", output.EndpointConfigName)
    assert.is_nil(output.FailureReason)
  end)

  it("changes what happens from now on, not what happened before", function()
    assert(create())
    sim:advance(300)
    sim:fail_provisioning(true)
    assert.equal("InService", status())
  end)

  it("throttles the next requests, an operation, or a rate", function()
    sim:throttle(2)
    local _, code, message, response = call("ListModels", {})
    assert.same({ "ThrottlingException", "Rate exceeded", 400 }, { code, message, response.status })
    assert.is_nil((call("ListModels", {})))
    assert.is_table((call("ListModels", {})))
    sim:throttle("ListModels")
    assert.is_nil((call("ListModels", {})))
    assert.is_table((call("ListEndpoints", {})))
    sim:throttle { rate = 2, burst = 3 }
    local passed = 0
    for _ = 1, 10 do
      if call("ListModels", {}) then passed = passed + 1 end
    end
    assert.equal(3, passed)
    sim:advance(1)
    for _ = 1, 10 do
      if call("ListModels", {}) then passed = passed + 1 end
    end
    assert.equal(5, passed)
  end)

  it("denies access", function()
    sim:deny { "CreateEndpoint" }
    local _, code, message, response = create()
    assert.same({ "AccessDeniedException", 403 }, { code, response.status })
    assert.matches("sagemaker:CreateEndpoint", message)
    assert.is_table((call("ListModels", {})))
  end)

  it("shows new resources to other operations only after a while", function()
    setup()
    sim:visible_after { endpoint_config = 20, endpoint = 10 }
    assert(call("CreateEndpointConfig", caller.config("v3", 1)))
    assert.is_table((call("DescribeEndpointConfig", { EndpointConfigName = "v3" })))
    local _, _, message = create("churn", "v3")
    assert.matches("Could not find endpoint configuration", message)
    sim:advance(20)
    assert(create("churn", "v3"))
    assert.equal("ValidationException", status())
    local output
    output, _, message = create("churn", "v3")
    assert.is_nil(output)
    assert.matches("already existing", message)
    assert.equal(0, #assert(call("ListEndpoints", {})).Endpoints)
    sim:advance(10)
    assert.equal("Creating", status())
    assert.equal(1, #assert(call("ListEndpoints", {})).Endpoints)
  end)

  it("takes time to answer", function()
    sim:latency(2)
    local before = sim:now()
    assert(create())
    assert.equal(before + 2, sim:now())
    sim:latency { DescribeEndpoint = 7 }
    assert.is_table((call("ListModels", {})))
    assert.equal(before + 2, sim:now())
    status()
    assert.equal(before + 9, sim:now())
  end)

  it("times out for callers who wait for less, though the request was processed", function()
    sim:latency(30)
    local hasty = caller.new(sim, { timeouts = { read = 5 } })
    local before = sim:clock()
    local output, code, _, err = hasty("CreateEndpoint",
      { EndpointName = "churn", EndpointConfigName = "v1" })
    assert.is_nil(output)
    assert.equal("ReadTimeout", code)
    assert.same({ "timeout", true }, { err.kind, err.sent })
    assert.equal(before + 5, sim:clock())
    sim:latency(false)
    assert.equal("Creating", status())
    sim:latency(30)
    local bounded = caller.new(sim, { timeouts = { read = 60 }, deadline = sim:clock() + 3 })
    output, code = bounded("ListModels", {})
    assert.same({ nil, "AttemptTimeout", before + 8 }, { output, code, sim:clock() })
    local late = caller.new(sim, { deadline = sim:clock() })
    output, code, _, err = late("ListModels", {})
    assert.same({ nil, "AttemptTimeout", false }, { output, code, err.sent })
  end)

  it("loses the answers of requests that were processed", function()
    sim:drop(1)
    local output, code, _, err = create()
    assert.same({ nil, "ConnectionReset" }, { output, code })
    assert.same({ "transport", true, true }, { err.kind, err.sent, err.retryable })
    assert.equal("Creating", status())
  end)

  it("is unreachable", function()
    sim:unreachable("CreateEndpoint")
    local output, code, _, err = create()
    assert.same({ nil, "ConnectionRefused", false }, { output, code, err.sent })
    sim:unreachable(false)
    assert.equal("ValidationException", status())
  end)

  it("refuses knobs and options that cannot be, as the caller's mistake", function()
    assert.has_error(function() sim:throttle(-1) end)
    assert.has_error(function() sim:latency("slow") end)
    assert.has_error(function() sim:fail_provisioning(3) end)
    assert.has_error(function() sim:visible_after { endpoint = -1 } end)
    assert.has_error(function() sim:set_alarm("a", "alarm") end)
    assert.has_error(function() sim:advance(-1) end)
    assert.has_error(function() sim:advance(0 / 0) end)
    assert.has_error(function() sim:system_update("none", 5) end)
    assert.has_error(function() simulator.new { clock = "real" } end)
    assert.has_error(function() simulator.new { clock = { factor = 0 } } end)
    local ok, message = pcall(simulator.new, { provisoning_seconds = 5 })
    assert.is_false(ok)
    assert.matches("provisioning_seconds", message)
  end)

  it("refuses a name that a knob would never meet", function()
    for misuse, hint in pairs {
      [function() sim:throttle("describe_endpoint") end] = "DescribeEndpoint",
      [function() sim:drop { "UpdateEndpoint", "CreateEndpont" } end] = "CreateEndpoint",
      [function() sim:latency { DescribeEndpont = 7 } end] = "DescribeEndpoint",
      [function() sim:visible_after { endpoint_configs = 7 } end] = "endpoint_config",
      [function() simulator.new { deny = "ListModel" } end] = "ListModels",
    } do
      local ok, message = pcall(misuse)
      assert.is_false(ok)
      assert.matches("did you mean " .. hint .. "?", message, 1, true)
    end
    sim:unhealthy("any name will do")
  end)

  it("refuses options of a wrong type, so that no keys but its own are ever used", function()
    for name, values in pairs {
      account_id = { 5 }, region = { 5, "" }, credentials = { "x", {}, { {} } }, seed = { "x" },
      start = { "x", 0 / 0, math.huge }, verify = { "no" }, wall = { 5 }, io = { 5 },
      limits = { 5, { endpoint = 1 }, { endpoints = "x" } }, clock = { { factor = math.huge } },
    } do
      for _, value in ipairs(values) do
        local ok, message = pcall(simulator.new, { [name] = value })
        assert.is_false(ok, name)
        assert.matches(name .. " must be ", message, 1, true)
      end
    end
    assert.has_error(function() simulator.new("x") end)
  end)

  it("does not sleep forever", function()
    for _, seconds in ipairs { math.huge, 0 / 0, "1" } do
      assert.has_error(function() sim:sleep(seconds) end)
    end
    sim:sleep(-1)
    assert.equal(0, sim:clock())
  end)
end)
