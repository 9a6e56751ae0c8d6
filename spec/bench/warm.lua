--- CPU time of a warm call, beside the limit: the same request, built beforehand, over plain
-- libcurl (warm_limit.c). Against one local server, in interleaved rounds; medians.
--
--   lua5.4 spec/bench/warm.lua [calls per round] [rounds]
--
-- Rows: the transport alone (goal 1.1 times the limit); a whole runtime:invoke_endpoint, whose
-- answer is a string, and a whole client:describe_endpoint, whose answer becomes a table of 16
-- variants (goal 1.35).

package.path = "lua/?.lua;lua/?/init.lua;spec/?.lua;spec/?/init.lua;" .. package.path

local system = require "system"
local yardstick = require "bench.yardstick"

local calls, rounds = tonumber(arg[1]) or 2000, tonumber(arg[2]) or 7

local function limit_round(dir, url)
  local output = yardstick.run(dir, "warm_limit", { url, tostring(calls) })
  local us, _, status = output:match("^([%d.]+) (%d+) (%d+)")
  assert(status == "200", output)
  return tonumber(us)
end

-- Microseconds of CPU of one call of `call`.
local function measure(call)
  for _ = 1, 20 do call() end
  local start = os.clock()
  for _ = 1, calls do call() end
  return (os.clock() - start) / calls * 1e6
end

local function transport_call(url)
  local transport = require("sagemaker.transport.curl").new{
    io = { clock = system.monotime, now = system.gettime },
  }
  local request = { method = "POST", url = url, host = "127.0.0.1", headers = yardstick.HEADERS,
    body = yardstick.BODY, timeouts = { connect = 10, read = 60 } }
  return function()
    assert(assert(transport:send(request, system.monotime() + 60)).status == 200)
  end
end

-- nil where only the curl library was built.
local function client_call(url)
  if not pcall(require, "sagemaker.core") then return nil end
  local client = assert(require("sagemaker").new(yardstick.settings(url)))
  return function()
    assert(client:describe_endpoint{ EndpointName = "churn" })
  end
end

local function runtime_call(url)
  if not pcall(require, "sagemaker.core") then return nil end
  local runtime = assert(require("sagemaker").runtime(yardstick.settings(url)))
  return function()
    assert(runtime:invoke_endpoint{ EndpointName = "churn", Body = yardstick.BODY })
  end
end

local function report(name, values, limit, goal)
  local us = yardstick.median(values)
  print(("%-28s %8.2f us  %5.2f x the limit  (goal %.2f)"):format(name, us, us / limit, goal))
end

local function run(dir, url)
  local rows = {
    { name = "transport:send", goal = 1.1, call = transport_call(url), values = {} },
    { name = "runtime:invoke_endpoint", goal = 1.35, call = runtime_call(url), values = {} },
    { name = "client:describe_endpoint", goal = 1.35, call = client_call(url), values = {} },
  }
  local limits = {}
  for _ = 1, rounds do
    limits[#limits + 1] = limit_round(dir, url)
    for _, row in ipairs(rows) do
      if row.call then row.values[#row.values + 1] = measure(row.call) end
    end
  end
  local limit = yardstick.median(limits)
  print(("%-28s %8.2f us  (CPU per call, %d calls in each of %d rounds)"):format(
    "limit: libcurl, prebuilt", limit, calls, rounds))
  for _, row in ipairs(rows) do
    if row.call then
      report(row.name, row.values, limit, row.goal)
    else
      print(("%-28s not measured: sagemaker.core was not built"):format(row.name))
    end
  end
end

if not yardstick.available() then os.exit(0) end
local nginx, dir = yardstick.server()
local done, message = pcall(function()
  yardstick.build(dir, "warm_limit")
  run(dir, nginx:url("/"))
end)
nginx:stop()
yardstick.clean(dir)
if not done then error(message, 0) end
