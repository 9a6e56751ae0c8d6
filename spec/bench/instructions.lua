--- Instructions of a call in user space, counted by callgrind: the same on a busy machine as on an
-- idle one, where the CPU time of a call is half the kernel's and doubles with what else runs.
--
--   lua5.4 spec/bench/instructions.lua
--
-- Rows: plain libcurl (warm_limit.c, many_limit.c), the transport alone, the transport and nothing
-- but core.decode behind it (the least that a client can cost which answers the same tables), and
-- client:describe_endpoint; one after another, and 64 in flight. What starting costs goes out
-- because two runs of different length are compared.

package.path = "lua/?.lua;lua/?/init.lua;spec/?.lua;spec/?/init.lua;" .. package.path

local server = require "support.server"
local yardstick = require "bench.yardstick"

local FEW, MANY, IN_FLIGHT = 640, 1920, 64

-- What is counted in a process of its own.

local function transport_call(url)
  local core = require "sagemaker.core"
  local transport = require("sagemaker.transport.curl").new{ io = require("sagemaker.env").new() }
  local request = { method = "POST", url = url, host = "127.0.0.1", headers = yardstick.HEADERS,
    body = yardstick.BODY, timeouts = { connect = 10, read = 60 } }
  return function()
    return assert(transport:send(request, core.clock() + 60))
  end
end

local CALLS = {
  transport = transport_call,
  decoded = function(url)
    local core, send = require "sagemaker.core", transport_call(url)
    local service = core.service("sagemaker")
    return function()
      local response = send()
      assert(core.decode(service, "DescribeEndpoint", 200, response.headers, response.body))
    end
  end,
  client = function(url)
    local client = assert(require("sagemaker").new{
      region = "eu-west-1",
      endpoint_url = url,
      credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = ("x"):rep(40) },
    })
    return function() assert(client:describe_endpoint{ EndpointName = "churn" }) end
  end,
}

local function work(name, url, calls, in_flight)
  local call, workers = CALLS[name](url), {}
  local function worker()
    for _ = 1, calls / in_flight do call() end
  end
  if in_flight == 1 then return worker() end
  for i = 1, in_flight do workers[i] = worker end
  for _, row in ipairs(require("sagemaker").all(workers)) do assert(row[1], row[2]) end
end

if arg[1] then
  work(arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4]))
  os.exit(0)
end

-- Counting.

local function count(dir, command)
  local output = server.shell(("valgrind --tool=callgrind --callgrind-out-file=%s/callgrind %s")
    :format(dir, command))
  return tonumber(output:match("Collected : (%d+)")) or error(output, 0)
end

-- Instructions of one call of what `command` makes so many calls of.
local function each(dir, command)
  return (count(dir, command(MANY)) - count(dir, command(FEW))) / (MANY - FEW)
end

local function lua_command(name, url, in_flight)
  return function(calls)
    return ("%s %s %s %s %d %d"):format(arg[-1], arg[0], name, url, calls, in_flight)
  end
end

local ROWS = {
  { "transport", "transport:send" },
  { "decoded", "transport:send, core.decode" },
  { "client", "client:describe_endpoint" },
}

local function report(dir, url, limit_name, in_flight)
  local limit = each(dir, function(calls)
    return yardstick.command(dir, limit_name, in_flight == 1 and { url, tostring(calls) }
      or { url, tostring(calls), tostring(in_flight) })
  end)
  print(("%-40s %8.0f"):format(in_flight == 1 and "plain libcurl" or "curl multi, 64 in flight",
    limit))
  for _, row in ipairs(ROWS) do
    local own = each(dir, lua_command(row[1], url, in_flight))
    print(("  %-38s %8.0f  %5.2f x"):format(row[2], own, own / limit))
  end
end

if not yardstick.available() then os.exit(0) end
if not select(2, server.shell("command -v valgrind")) then
  print("not measured: there is no valgrind")
  os.exit(0)
end
local nginx, dir = yardstick.server(0)
local done, message = pcall(function()
  for _, row in ipairs { { "warm_limit", 1 }, { "many_limit", IN_FLIGHT } } do
    yardstick.build(dir, row[1])
    report(dir, nginx:url("/"), row[1], row[2])
  end
end)
nginx:stop()
yardstick.clean(dir)
if not done then error(message, 0) end
