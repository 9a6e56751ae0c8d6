-- Every allocation of the core may be refused: nothing crashes, nothing leaks, and what comes is
-- Lua's own error.

local core = require "sagemaker.core"

local function shell(command)
  local pipe = io.popen("( " .. command .. " ) 2>&1; echo \" $?\"")
  local text = pipe:read("*a")
  pipe:close()
  return text:match("^(.*) (%d+)%s*$")
end

describe("the core", function()
  if rawget(_G, "jit") then return end -- LuaJIT has an allocator of its own

  it("survives that any allocation is refused", function()
    assert.is_string(core.version)
    local lua = "lua" .. _VERSION:match("%d%.%d") -- as pkg-config calls it
    local flags, status = shell("pkg-config --cflags --libs " .. lua)
    if status ~= "0" then return pending("no headers of " .. lua) end
    local host = os.tmpname()
    local output
    output, status = shell(("cc -std=c99 -Wl,-E -o %s csrc/test/failing_host.c %s"):format(host,
      flags:gsub("%s+", " ")))
    if status ~= "0" then return pending("the host cannot be built: " .. output) end
    output, status = shell(("%s spec/support/allocation.lua '%s'"):format(host, package.cpath))
    os.remove(host)
    io.write(output)
    assert.equal("0", status, output)
  end)
end)
