--- `sagemaker simulate`: what is wrong with a command line is told before anything starts. Servers
-- that run are in spec/simulator/server.

local command = require "support.command"
local server = require "support.server"

describe("simulate", function()
  teardown(server.clean)

  local function refused(code, text, ...)
    local result = command.run { "simulate", ... }
    assert.equal(code, result.code, result.err)
    assert.truthy(result.err:find(text, 1, true), result.err)
  end

  it("refuses options that cannot be", function()
    refused(252, "did you mean --speed", "--spede", "2")
    refused(252, "speed must be a number above 0", "--speed", "0")
    refused(252, '--speed must be a number, not "fast"', "--speed", "fast")
    refused(252, 'step needs clock = "virtual"', "--step", "5")
    refused(252, "credentials must be KEY:SECRET", "--credentials", "key")
    refused(252, "throttle: unknown name Fly", "--throttle", "Fly")
    refused(252, "one of virtual", "--clock", "real")
    refused(252, "examples/simulator: ", "--state", "examples/simulator")
    refused(252, '--host must be an address or a name, not ""', "--host", "")
    refused(252, "--nginx must be a program, and is empty", "--nginx", "")
    refused(252, '--latency must be seconds, JSON like {"DescribeEndpoint": 2}, or a distribution',
      "--latency", "slow")
    refused(252, "--throttle cannot be such JSON", "--throttle", '{"rate": "x"}')
    refused(252, "README.md: this is not a whole snapshot of the simulator: Expected value",
      "--state", "README.md")
  end)

  it("refuses ports that there are not", function()
    for _, port in ipairs { "99999", "65536", "-1", "99999999999999999999" } do
      refused(252, "sagemaker: --port must be a whole number from 0 to 65535, not ",
        "--port=" .. port)
    end
    for _, port in ipairs { "1.5", "http", "", "0x50", "1e3" } do
      refused(252, ('--port must be a whole number, not "%s"'):format(port), "--port", port)
    end
  end)

  it("says that a port is taken, and what can be done", function()
    local taken = server.bad { "hang" }
    finally(function() taken:stop() end)
    refused(255, ("127.0.0.1 port %d: Address already in use; --port 0 picks a free one\n"):format(
      taken.port), "--port", tostring(taken.port))
  end)

  it("says what is not there", function()
    refused(255, "there is no /nowhere/nginx", "--nginx", "/nowhere/nginx")
    refused(255, "tls must be CERT:KEY", "--tls", "cert")
  end)
end)
