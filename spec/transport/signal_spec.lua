-- Signals that come while a program waits for an answer.

local server = require "support.server"
local support = require "support"

-- The state of a process as the system tells it: "S" for one that waits, "T" for one that is held.
local function state_of(pid)
  return (support.read(("/proc/%s/stat"):format(pid)) or ""):match("%) (%a)")
end

local function wait_for(what, ready)
  return assert(server.wait_for(20, ready), "not within 20 seconds: " .. what)
end

local function wait_for_state(pid, state)
  wait_for("state " .. state, function() return state_of(pid) == state end)
end

-- Runs a program in this very Lua, and calls `disturb` with its process when it waits for answers:
-- `slow` has read so many requests, and the process does nothing. Answers what it printed.
local function run(program, slow, requests, disturb)
  local dir = server.folder()
  local script, output = dir .. "/script.lua", dir .. "/output"
  support.write(script, [[
io.write(io.open("/proc/self/stat"):read("*l"):match("^%d+"), "\n")
io.flush()
]] .. program)
  local lua = server.shell("readlink /proc/$PPID/exe"):match("%S+")
  local pid
  local spawned = server.spawn(("env LUA_PATH=%s LUA_CPATH=%s LD_PRELOAD=%s %s %s"):format(
    server.quote(package.path), server.quote(package.cpath),
    server.quote(os.getenv "LD_PRELOAD" or ""), lua, script), output)
  local before = slow:requests()
  local ok, message = pcall(function()
    pid = wait_for("a process", function()
      return (support.read(output) or ""):match("^(%d+)\n")
    end)
    wait_for("requests", function() return slow:requests() - before >= requests end)
    wait_for_state(pid, "S")
    disturb(pid)
    wait_for("the end", function() return not server.alive(spawned) end)
  end)
  if server.alive(spawned) then server.stop(spawned) end
  local printed = support.read(output)
  server.remove(dir)
  if not ok then error(message .. "\n" .. tostring(printed), 0) end
  return (printed:gsub("^%d+\n", ""))
end

local function signal(name, pid)
  server.shell(("kill -%s %s"):format(name, pid))
end

local function interrupt(pid)
  signal("INT", pid)
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
    slow = server.bad{ "read", "meet:2", OK, "next", "meet:2" }
    good = server.bad{ "read", OK }
  end)

  teardown(function()
    for _, one in ipairs{ hanging, slow, good } do one:stop() end
    server.clean()
  end)

  it("stops waiting at Ctrl-C and stays usable", function()
    local output = run(PROGRAM:format(hanging:url(), good:url()), hanging, 1, interrupt)
    assert.truthy(output:match("^false%s+[^\n]*interrupted!\nok\n"), output)
  end)

  it("ends tasks at Ctrl-C, and whatever they wait for", function()
    local output = run(TASKS:format(hanging:url(), good:url()), hanging, 3, interrupt)
    assert.truthy(output:match("^false%s+[^\n]*interrupted!\n" ..
      "cancelled%scancelled%scancelled\nok\n"), output)
  end)

  it("goes on waiting after a signal that concerns nobody", function()
    local output = run(PROGRAM:format(slow:url(), good:url()), slow, 1, function(pid)
      signal("STOP", pid)
      wait_for_state(pid, "T")
      signal("CONT", pid)
      wait_for_state(pid, "S")
      server.shell("curl -s " .. slow:url()) -- the one whom the first answer waits for
    end)
    assert.truthy(output:match("^true%s+table[^\n]*\nok\n"), output)
  end)
end)
