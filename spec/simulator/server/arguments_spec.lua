local arguments = require "sagemaker.simulator.server.arguments"
local knobs = require "sagemaker.simulator.knobs"

describe("the launcher's options", function()
  local function options(...)
    local values, message = arguments.parse { ... }
    if not values then return nil, message end
    return arguments.options(values)
  end

  it("become what the launcher takes", function()
    assert.same({}, options())
    assert.same({ port = 0, speed = 0.5, verify = false, log = "-", host = "::1",
      provisioning_seconds = 10, limits = { endpoints = 2 }, seed = 7, save_seconds = 0.2 },
      options("--port", "0", "--speed=0.5", "--no-verify", "--log", "-", "--host", "::1",
        "--provisioning-seconds", "10", "--limits", '{"endpoints":2}', "--seed=7",
        "--save-seconds", ".2"))
    assert.same({ clock = "virtual", step = 30, state = "a b", tls = "c:k",
      credentials = "KEY:SECRET" }, options("--clock", "virtual", "--step", "30", "--state=a b",
        "--tls", "c:k", "--credentials", "KEY:SECRET"))
  end)

  it("turn knobs: words, lists, numbers, JSON", function()
    assert.same({ unhealthy = "v3", drop = { chance = 0.1 }, throttle = 3, unreachable = true,
      fail_provisioning = { "a", "b" }, latency = { DescribeEndpoint = 2 }, clock_skew = -60 },
      options("--unhealthy", "v3", "--drop", '{"chance":0.1}', "--throttle", "3",
        "--unreachable", "true", "--fail-provisioning", "a,b", "--latency",
        '{"DescribeEndpoint":2}', "--clock-skew=-60"))
  end)

  it("say what is wrong", function()
    local function message(...)
      return (select(2, options(...)))
    end
    assert.equal("unknown option --spped (did you mean --speed?)", message("--spped", "1"))
    assert.equal("unknown option x", message "x")
    assert.equal("--speed needs a value", message "--speed")
    assert.equal('--speed must be a number, not "fast"', message("--speed", "fast"))
    assert.equal("--port must be a whole number", message("--port", "http"))
    assert.equal('--limits: invalid JSON at character 2: {', message("--limits", "{"))
    assert.equal('--drop: invalid JSON at character 4: [1', message("--drop", "[1"))
    assert.equal('--drop: invalid JSON: {}, {}', message("--drop", "{}, {}"))
  end)

  it("are in the guide", function()
    local file = assert(io.open("examples/simulator/SERVER.md", "rb"))
    local guide = file:read "*a"
    file:close()
    for _, row in ipairs(arguments.rows()) do
      assert.truthy(guide:find("--" .. row.name, 1, true), row.name)
    end
  end)

  it("have a row and a summary for each knob", function()
    local rows = {}
    for _, row in ipairs(arguments.rows()) do
      assert.is_nil(rows[row.name])
      rows[row.name] = row
      assert.is_string(row.summary)
      assert.is_nil(row.summary:find("See the guide", 1, true), row.name)
    end
    for _, name in ipairs(knobs.names()) do assert.is_table(rows[name:gsub("_", "-")], name) end
  end)
end)
