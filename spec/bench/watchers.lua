--- What 1,000 watchers cost in memory, against one local server whose deployments never end: as
-- coroutines that a host resumes (in_service_coroutine), and in tasks that wait side by side
-- (watch_endpoint(…):next()). The process's resident memory, before and at its most; each kind in a
-- process of its own.
--
--   lua5.4 spec/bench/watchers.lua [watchers]
--
-- Goal: at most 6 MB in all (stretch: 3 MB).

package.path = "lua/?.lua;lua/?/init.lua;spec/?.lua;spec/?/init.lua;" .. package.path

local yardstick = require "bench.yardstick"

local GOAL = 6

local COMMON = [[
local sagemaker = require "sagemaker"
local core = require "sagemaker.core"
local url, n = %q, %d
local client = assert(sagemaker.new{ region = "eu-west-1", endpoint_url = url,
  credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = ("x"):rep(40) } })
local function status(name)
  for line in io.lines "/proc/self/status" do
    local kb = line:match(name .. ":%%s*(%%d+)")
    if kb then return tonumber(kb) end
  end
end
local function settle()
  collectgarbage()
  collectgarbage()
end
-- One of everything first, so that what any program has is not counted.
assert(client:describe_endpoint{ EndpointName = "e" })
local first = assert(client:in_service_coroutine("e", { timeout = 1e6 }))
assert(coroutine.resume(first))
require "sagemaker.task"
settle()
local before = status "VmRSS"
local lua_before = collectgarbage "count"
]]

local KINDS = {
  { name = "in_service_coroutine", code = [[
local threads = {}
for i = 1, n do
  threads[i] = assert(client:in_service_coroutine("endpoint-" .. i, { timeout = 1e6 }))
end
for round = 1, 3 do
  for i = 1, n do
    local ok, event, delay = coroutine.resume(threads[i])
    assert(ok, event)
    assert(event.status == "Updating" and delay)
  end
end
settle()
print(before, status "VmHWM", status "VmRSS", collectgarbage "count" - lua_before)
]] },
  { name = "watch_endpoint in tasks", code = [[
local seen, fns = 0, {}
local loop = sagemaker.task.loop()
for i = 1, n do
  sagemaker.task.spawn(function()
    local watch = assert(client:watch_endpoint("endpoint-" .. i, { timeout = 1e6, delay = 0.2,
      max_delay = 30 }))
    assert(assert(watch:next()).status == "Updating")
    seen = seen + 1
    watch:next() -- which never comes
  end)
end
local last = core.clock() + 60
while seen < n do
  assert(core.clock() < last)
  loop:step(1)
end
local stop = core.clock() + 2 -- a few looks of each
while core.clock() < stop do loop:step(0.1) end
settle()
print(before, status "VmHWM", status "VmRSS", collectgarbage "count" - lua_before)
os.exit(0)
]] },
}

local function measure(kind, url, n)
  local script = os.tmpname()
  local f = assert(io.open(script, "w"))
  f:write(COMMON:format(url, n), kind.code)
  f:close()
  local process = io.popen(("LUA_PATH='%s' LUA_CPATH='%s' exec %s %s"):format(package.path,
    package.cpath, arg[-1] or "lua", script))
  local output = process:read("*a")
  process:close()
  os.remove(script)
  local before, most, now, lua = output:match("^(%d+)%s+(%d+)%s+(%d+)%s+([%d.]+)")
  assert(before, output)
  print(("%-24s %5.2f MB at most, %5.2f MB in the end, %5.2f MB of it Lua's  (goal %d MB)"):format(
    kind.name, (most - before) / 1024, (now - before) / 1024, lua / 1024, GOAL))
end

if not yardstick.available() then os.exit(0) end
local nginx, dir = yardstick.server()
local done, message = pcall(function()
  for _, kind in ipairs(KINDS) do measure(kind, nginx:url("/"), tonumber(arg[1]) or 1000) end
end)
nginx:stop()
yardstick.clean(dir)
if not done then error(message, 0) end
