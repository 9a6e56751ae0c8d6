--- Many calls in flight to a backend that takes 20 ms, beside the limit: the same requests, built
-- beforehand, over plain curl multi (many_limit.c). Each row is a process of its own, as the limit
-- is one; interleaved rounds against one local server; medians.
--
--   lua5.4 spec/bench/many.lua [calls per round] [rounds] [in flight]
--
-- Goals: at least 0.9 times the calls a second, at most 1.4 times the CPU of a call. Rows: the
-- transport alone; a whole runtime:invoke_endpoint, whose answer is a string; and a whole
-- client:describe_endpoint, whose answer becomes a table of 16 variants.

package.path = "lua/?.lua;lua/?/init.lua;spec/?.lua;spec/?/init.lua;" .. package.path

local calls_of = require "bench.calls"
local core = require "sagemaker.core"
local sagemaker = require "sagemaker"
local server = require "support.server"
local yardstick = require "bench.yardstick"

local calls, rounds = tonumber(arg[1]) or 12800, tonumber(arg[2]) or 7
local in_flight = tonumber(arg[3]) or 64

-- So many tasks, each making its part of the calls in a row: CPU of a call, calls a second, as
-- the limit prints them.
local function measure(call)
  local function worker()
    for _ = 1, calls / in_flight do call() end
  end
  local workers = {}
  for i = 1, in_flight do workers[i] = worker end
  local cpu, wall = os.clock(), core.clock()
  for _, row in ipairs(sagemaker.all(workers)) do assert(row[1], row[2]) end
  print(("%.2f %.0f 0"):format((os.clock() - cpu) / calls * 1e6, calls / (core.clock() - wall)))
end

if arg[4] then
  measure(calls_of[arg[4]](arg[5], in_flight))
  os.exit(0)
end

local function round_of(row, dir, url)
  local output
  if row.call then
    output = server.shell(("%s spec/bench/many.lua %d 1 %d %s %s"):format(arg[-1], calls, in_flight,
      row.call, url))
  else
    output = yardstick.run(dir, "many_limit", { url, tostring(calls), tostring(in_flight) })
  end
  local us, rate, bad = output:match("^([%d.]+) (%d+) (%d+)")
  assert(bad == "0", output)
  return tonumber(us), tonumber(rate)
end

local function run(dir, url)
  local rows = {
    { name = "limit: curl multi, prebuilt" },
    { name = "transport:send in tasks", call = "transport" },
    { name = "runtime in tasks", call = "runtime" },
    { name = "client in tasks", call = "client" },
  }
  for _, row in ipairs(rows) do row.cpu, row.rate = {}, {} end
  for round = 1, rounds do
    for _, row in ipairs(rows) do row.cpu[round], row.rate[round] = round_of(row, dir, url) end
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
