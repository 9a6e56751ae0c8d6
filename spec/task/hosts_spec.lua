-- Tasks in the event loops of other libraries: the examples, run by this very Lua.
local server = require "support.server"

local function run(name)
  return server.shell(([[lua=$(readlink /proc/$PPID/exe)
LUA_PATH='%s' LUA_CPATH='%s' LD_PRELOAD='%s' timeout 60 "$lua" examples/many-calls/%s.lua]])
    :format(package.path, package.cpath, os.getenv "LD_PRELOAD" or "", name))
end

for example, library in pairs { with_luv = "luv", with_cqueues = "cqueues" } do
  describe("tasks in the loop of " .. library, function()
    if not pcall(require, library) then
      pending("not run: " .. library .. " is not installed for this Lua")
      return
    end

    it("go on side by side with the server that answers them, and end", function()
      local output, ok = run(example)
      assert.is_true(ok, output)
      local _, calls = output:gsub("task %d, call %d: churn is InService\n", "")
      assert.equal(8, calls, output)
      assert.truthy(output:find("all done\n$"), output)
      -- The first calls of all tasks come before the second of any.
      local first, last = output:find("call 2", 1, true), nil
      for at in output:gmatch("()call 1") do last = at end
      assert.is_true(last < first, output)
    end)
  end)
end

describe("deployments side by side", function()
  it("tell who was rolled back", function()
    local output, ok = run "deployments"
    assert.is_true(ok, output)
    assert.truthy(output:find("churn-us\tchurn-v2\trolled_back", 1, true), output)
    assert.truthy(output:find("churn-eu\tchurn-v2\tdeployed", 1, true), output)
  end)
end)
