-- Every allocation of the libraries may be refused: nothing crashes, nothing leaks, and what comes
-- is Lua's own error.

local core = require "sagemaker.core"
local server = require "support.server"

local function shell(command)
  local pipe = io.popen("( " .. command .. " ) 2>&1; echo \" $?\"")
  local text = pipe:read("*a")
  pipe:close()
  return text:match("^(.*) (%d+)%s*$")
end

-- A Lua whose allocator can be told to refuse, or nil and why there is none.
local function build_host()
  local lua = "lua" .. _VERSION:match("%d%.%d") -- as pkg-config calls it
  local flags, status = shell("pkg-config --cflags --libs " .. lua)
  if status ~= "0" then return nil, "no headers of " .. lua end
  local host = os.tmpname()
  local output
  output, status = shell(("cc -std=c99 -Wl,-E -o %s csrc/test/failing_host.c %s"):format(host,
    flags:gsub("%s+", " ")))
  if status ~= "0" then return nil, "the host cannot be built: " .. output end
  return host
end

describe("when any allocation is refused", function()
  if rawget(_G, "jit") then return end -- LuaJIT has an allocator of its own

  local host, reason
  setup(function() host, reason = build_host() end)
  teardown(function() if host then os.remove(host) end end)

  local function survives(script, ...)
    local output, status = shell(("%s spec/support/%s.lua '%s'"):format(host, script,
      table.concat({ package.cpath, ... }, "' '")))
    io.write(output)
    assert.equal("0", status, output)
  end

  it("the core survives", function()
    assert.is_string(core.version)
    if not host then return pending(reason) end
    survives "allocation"
  end)

  it("requests over libcurl survive", function()
    if not host then return pending(reason) end
    local one = server.bad { "read", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok",
      "again" }
    local ok, message = pcall(survives, "allocation_curl", one:url())
    one:stop()
    server.clean()
    if not ok then error(message, 0) end
  end)
end)
