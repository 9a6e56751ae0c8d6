--- CPU time of a warm call, beside the limit: the same request, built beforehand, over plain
-- libcurl (warm_limit.c). Each row is a process of its own, as the limit is one; interleaved rounds
-- against one local server; medians.
--
--   lua5.4 spec/bench/warm.lua [calls per round] [rounds]
--
-- Rows: the transport alone (goal 1.1 times the limit); a whole runtime:invoke_endpoint, whose
-- answer is a string, and a whole client:describe_endpoint, whose answer becomes a table of 16
-- variants (goal 1.35).

package.path = "lua/?.lua;lua/?/init.lua;spec/?.lua;spec/?/init.lua;" .. package.path

local calls_of = require "bench.calls"
local server = require "support.server"
local yardstick = require "bench.yardstick"

local calls, rounds = tonumber(arg[1]) or 4000, tonumber(arg[2]) or 7

-- Microseconds of CPU of one call and the last status, as the limit prints them.
local function measure(call)
  for _ = 1, 20 do call() end
  local start = os.clock()
  for _ = 1, calls do call() end
  print(("%.2f 0 200"):format((os.clock() - start) / calls * 1e6))
end

if arg[3] then
  measure(calls_of[arg[3]](arg[4]))
  os.exit(0)
end

local function round_of(row, dir, url)
  local output
  if row.call then
    output = server.shell(("%s spec/bench/warm.lua %d 1 %s %s"):format(arg[-1], calls, row.call,
      url))
  else
    output = yardstick.run(dir, "warm_limit", { url, tostring(calls) })
  end
  local us, _, status = output:match("^([%d.]+) (%d+) (%d+)")
  assert(status == "200", output)
  return tonumber(us)
end

local function run(dir, url)
  local rows = {
    { name = "limit: libcurl, prebuilt", goal = 1 },
    { name = "transport:send", goal = 1.1, call = "transport" },
    { name = "runtime:invoke_endpoint", goal = 1.35, call = "runtime" },
    { name = "client:describe_endpoint", goal = 1.35, call = "client" },
  }
  for _, row in ipairs(rows) do row.values = {} end
  for round = 1, rounds do
    for _, row in ipairs(rows) do row.values[round] = round_of(row, dir, url) end
  end
  local limit = yardstick.median(rows[1].values)
  print(("CPU of a call, %d calls in each of %d rounds"):format(calls, rounds))
  for _, row in ipairs(rows) do
    local us = yardstick.median(row.values)
    print(("%-28s %8.2f us  %5.2f x the limit  (goal %.2f)"):format(row.name, us, us / limit,
      row.goal))
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
