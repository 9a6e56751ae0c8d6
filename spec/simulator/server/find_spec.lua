-- Where the parts of an nginx are that serves the simulator.

local find = require "sagemaker.simulator.server.find"
local server = require "support.server"

describe("what is looked for", function()
  local here = server.shell("pwd"):gsub("%s+$", "")

  -- This machine, with a PWD that another process has left in the environment.
  local world = { open = io.open, popen = io.popen, getenv = function(name)
    return name == "PWD" and "/elsewhere" or os.getenv(name)
  end }

  it("is found from any other folder as well", function()
    assert.equal("/a/b", find.absolute("/a/b", world))
    assert.equal(here .. "/a/b", find.absolute("a/b", world))
    assert.equal(("%s/lua/?.lua;%s/lua/?/init.lua;;"):format(here, here),
      find.lua_path("nowhere/?.lua;lua/?.lua;;", world))
  end)
end)
