local server = require "support.server"

-- Runs a program in this very Lua, which after `delay` seconds gets the signals.
local function run(program, signals, delay)
  local dir = server.folder()
  local script = dir .. "/script.lua"
  local f = assert(io.open(script, "w"))
  f:write(program)
  f:close()
  local kills = {}
  for _, name in ipairs(signals) do kills[#kills + 1] = ("kill -%s $$"):format(name) end
  local output = server.shell(([[
lua=$(readlink /proc/$PPID/exe)
LUA_PATH='%s' sh -c '(sleep %s; %s) & export LD_PRELOAD="$2"; exec "$0" "$1"' "$lua" %s '%s']])
    :format(package.path, delay, table.concat(kills, "; sleep 0.1; "), script,
      os.getenv("LD_PRELOAD") or ""))
  server.shell("rm -rf " .. dir)
  return output
end

local PROGRAM = [[
local curl = require "sagemaker.transport.curl"
local system = require "system"
local transport = curl.new{ io = { clock = system.monotime, now = system.gettime } }
local function get(url)
  return transport:send({ method = "GET", url = url, headers = {} }, system.monotime() + 20)
end
print(pcall(get, "%s"))
print(get("%s").body)
]]

local TASKS = [[
local task = require "sagemaker.task"
local curl = require "sagemaker.transport.curl"
local transport = curl.new{ io = require("sagemaker.env").new() }
local clock = require("sagemaker.core").clock
local tasks = {}
local function get(url)
  return transport:send({ method = "GET", url = url, headers = {} }, clock() + 20)
end
print(pcall(task.run, function()
  for i = 1, 3 do tasks[i] = task.spawn(get, "%s") end
  task.sleep(20)
end))
print(tasks[1].status, tasks[2].status, tasks[3].status)
print(task.run(get, "%s").body)
]]

local OK = "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"

describe("transport.curl", function()
  local hanging, slow, good

  setup(function()
    hanging = server.bad{ "read", "hang" }
    slow = server.bad{ "read", "wait:600", OK }
    good = server.bad{ "read", OK }
  end)

  teardown(function()
    for _, one in ipairs{ hanging, slow, good } do one:stop() end
    server.clean()
  end)

  it("stops waiting at Ctrl-C and stays usable", function()
    local output = run(PROGRAM:format(hanging:url(), good:url()), { "INT" }, 0.3)
    assert.truthy(output:match("^false%s+[^\n]*interrupted!\nok\n"), output)
  end)

  it("ends tasks at Ctrl-C, and whatever they wait for", function()
    local output = run(TASKS:format(hanging:url(), good:url()), { "INT" }, 0.3)
    assert.truthy(output:match("^false%s+[^\n]*interrupted!\n" ..
      "cancelled%scancelled%scancelled\nok\n"), output)
  end)

  it("goes on waiting after a signal that concerns nobody", function()
    local output = run(PROGRAM:format(slow:url(), good:url()), { "STOP", "CONT" }, 0.2)
    assert.truthy(output:match("^true%s+table[^\n]*\nok\n"), output)
  end)
end)
