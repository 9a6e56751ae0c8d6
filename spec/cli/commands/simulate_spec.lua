--- `sagemaker simulate`: what is wrong with a command line is told before anything starts. Servers
-- that run are in spec/simulator/server.

local command = require "support.command"

describe("simulate", function()
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
  end)

  it("says what is not there", function()
    refused(255, "there is no /nowhere/nginx", "--nginx", "/nowhere/nginx")
    refused(255, "tls must be CERT:KEY", "--tls", "cert")
  end)
end)
