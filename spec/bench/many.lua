--- Many calls in flight to a backend that takes 20 ms, beside the limit: the same requests, built
-- beforehand, over plain curl multi (many_limit.c). Interleaved rounds against one local server;
-- medians.
--
--   lua5.4 spec/bench/many.lua [calls per round] [rounds] [in flight]
--
-- Goals: at least 0.9 times the calls a second, at most 1.4 times the CPU of a call. Rows: the
-- transport alone; a whole runtime:invoke_endpoint, whose answer is a string; and a whole
-- client:describe_endpoint, whose answer becomes a table of 16 variants.

package.path = "lua/?.lua;lua/?/init.lua;spec/?.lua;spec/?/init.lua;" .. package.path

local core = require "sagemaker.core"
local sagemaker = require "sagemaker"
local yardstick = require "bench.yardstick"

local calls, rounds = tonumber(arg[1]) or 6400, tonumber(arg[2]) or 5
local in_flight = tonumber(arg[3]) or 64

local function limit_round(dir, url)
  local output = yardstick.run(dir, "many_limit", { url, tostring(calls), tostring(in_flight) })
  local us, rate, bad = output:match("^([%d.]+) (%d+) (%d+)")
  assert(bad == "0", output)
  return tonumber(us), tonumber(rate)
end

-- So many tasks, each making its part of the calls in a row: CPU of a call, calls a second.
local function measure(call)
  local function worker()
    for _ = 1, calls / in_flight do call() end
  end
  local workers = {}
  for i = 1, in_flight do workers[i] = worker end
  local cpu, wall = os.clock(), core.clock()
  for _, row in ipairs(sagemaker.all(workers)) do assert(row[1], row[2]) end
  return (os.clock() - cpu) / calls * 1e6, calls / (core.clock() - wall)
end

local function transport_call(url)
  local transport = require("sagemaker.transport.curl").new{
    io = require("sagemaker.env").new(),
    max_connections_per_host = in_flight,
  }
  local request = { method = "POST", url = url, host = "127.0.0.1", headers = yardstick.HEADERS,
    body = yardstick.BODY, timeouts = { connect = 10, read = 60 } }
  return function()
    assert(assert(transport:send(request, core.clock() + 60)).status == 200)
  end
end

local function client_call(url)
  local client = assert(sagemaker.new(yardstick.settings(url, in_flight)))
  return function()
    assert(client:describe_endpoint{ EndpointName = "churn" })
  end
end

local function runtime_call(url)
  local runtime = assert(sagemaker.runtime(yardstick.settings(url, in_flight)))
  return function()
    assert(runtime:invoke_endpoint{ EndpointName = "churn", Body = yardstick.BODY })
  end
end

local function run(dir, url)
  local rows = {
    { name = "limit: curl multi, prebuilt", call = false },
    { name = "transport:send in tasks", call = transport_call(url) },
    { name = "runtime in tasks", call = runtime_call(url) },
    { name = "client in tasks", call = client_call(url) },
  }
  for _, row in ipairs(rows) do row.cpu, row.rate = {}, {} end
  for round = 0, rounds do -- the first one connects and warms up
    for _, row in ipairs(rows) do
      local cpu, rate
      if row.call then cpu, rate = measure(row.call) else cpu, rate = limit_round(dir, url) end
      if round > 0 then row.cpu[round], row.rate[round] = cpu, rate end
    end
  end
  local cpu, rate = yardstick.median(rows[1].cpu), yardstick.median(rows[1].rate)
  for _, row in ipairs(rows) do
    local own_cpu, own_rate = yardstick.median(row.cpu), yardstick.median(row.rate)
    print(("%-28s %7.2f us CPU a call %5.2f x   %6.0f calls/s %5.2f x"):format(row.name, own_cpu,
      own_cpu / cpu, own_rate, own_rate / rate))
  end
  print(("%-28s (goal: at most 1.40 x the CPU, at least 0.90 x the calls/s; %d in flight)"):format(
    "", in_flight))
end

if not yardstick.available() then os.exit(0) end
local nginx, dir = yardstick.server(0.02)
local done, message = pcall(function()
  yardstick.build(dir, "many_limit")
  run(dir, nginx:url("/"))
end)
nginx:stop()
yardstick.clean(dir)
if not done then error(message, 0) end
