--- Instructions of a call in user space, counted by callgrind: the same on a busy machine as on an
-- idle one, where the CPU time of a call is half the kernel's and doubles with what else runs.
--
--   lua5.4 spec/bench/instructions.lua           all rows
--   lua5.4 spec/bench/instructions.lua parts     only what is counted without a server
--
-- Rows: plain libcurl (warm_limit.c, many_limit.c), the transport alone, runtime:invoke_endpoint,
-- the transport and nothing but core.decode behind it (the least that a client can cost which
-- answers the same tables), and client:describe_endpoint; one after another, and 64 in flight. Then
-- what a call costs beside its transport: over one that answers at once, what parts of a call are
-- made of. What starting costs goes out because two runs of different length are compared.
--
-- valgrind knows no SHA instructions: hashes count more here than they take.

package.path = "lua/?.lua;lua/?/init.lua;spec/?.lua;spec/?/init.lua;" .. package.path

local calls_of = require "bench.calls"
local server = require "support.server"
local yardstick = require "bench.yardstick"

local FEW, MANY, IN_FLIGHT = 640, 1920, 64

-- What is counted in a process of its own.

-- A transport that answers at once, with what the server says.
local function instant()
  local io = require("sagemaker.env").new()
  local response = { status = 200, body = yardstick.ANSWER, headers = yardstick.ANSWER_HEADERS }
  return {
    clock = function() return io.clock() end,
    now = function() return io.now() end,
    send = function(_, _, _, decode)
      local output = decode and decode(response.body)
      return output and { status = 200, output = output } or response
    end,
    sleep = function() end,
  }
end

local CALLS = {
  client = calls_of.client,
  describe = function(url) return calls_of.client(url, nil, instant()) end,
  encode = function()
    local core = require "sagemaker.core"
    local service = core.service "sagemaker-runtime"
    local params = { EndpointName = "churn", Body = yardstick.BODY }
    return function() assert(core.encode(service, "InvokeEndpoint", params, "basic")) end
  end,
  head = function()
    local core = require "sagemaker.core"
    local service = core.service "sagemaker-runtime"
    return function()
      assert(core.decode(service, "InvokeEndpoint", 200, yardstick.ANSWER_HEADERS,
        yardstick.ANSWER))
    end
  end,
  invoke = function(url) return calls_of.runtime(url, nil, instant()) end,
  runtime = calls_of.runtime,
  sign = function()
    local core = require "sagemaker.core"
    local keys = yardstick.settings("").credentials
    local signer = core.signer { access_key_id = keys.access_key_id,
      secret_access_key = keys.secret_access_key, region = "eu-west-1", service = "sagemaker" }
    local headers = { ["Content-Type"] = "application/octet-stream", ["User-Agent"] = "none",
      ["amz-sdk-invocation-id"] = "none", ["amz-sdk-request"] = "attempt=1",
      ["X-Amz-Date"] = "", Authorization = "" }
    local request = { method = "POST", path = "/endpoints/churn/invocations", query = "",
      host = "127.0.0.1:8080", headers = headers }
    local i = 0
    return function()
      i = i % #calls_of.BODIES + 1
      request.body = calls_of.BODIES[i]
      headers["X-Amz-Date"], headers.Authorization = nil, nil
      signer:sign(request, 1768480496)
    end
  end,
  table = function()
    local core = require "sagemaker.core"
    local service = core.service "sagemaker"
    return function()
      assert(core.decode(service, "DescribeEndpoint", 200, nil, yardstick.ANSWER))
    end
  end,
  transport = calls_of.transport,
  decoded = function(url)
    local core, send = require "sagemaker.core", calls_of.transport(url)
    local service = core.service("sagemaker")
    return function()
      local response = send()
      assert(core.decode(service, "DescribeEndpoint", 200, response.headers, response.body))
    end
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

if arg[2] then
  work(arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4]))
  os.exit(0)
end

-- Counting.

local function count(command)
  local output = server.shell("valgrind --tool=callgrind --callgrind-out-file=/dev/null "
    .. command)
  return tonumber(output:match("Collected : (%d+)")) or error(output, 0)
end

-- Instructions of one call of what `command` makes so many calls of.
local function each(command)
  return (count(command(MANY)) - count(command(FEW))) / (MANY - FEW)
end

local function lua_command(name, url, in_flight)
  return function(calls)
    return ("%s %s %s %s %d %d"):format(arg[-1], arg[0], name, url, calls, in_flight)
  end
end

local ROWS = {
  { "transport", "transport:send" },
  { "runtime", "runtime:invoke_endpoint" },
  { "decoded", "transport:send, core.decode" },
  { "client", "client:describe_endpoint" },
}

local function report(dir, url, limit_name, in_flight)
  local limit = each(function(calls)
    return yardstick.command(dir, limit_name, in_flight == 1 and { url, tostring(calls) }
      or { url, tostring(calls), tostring(in_flight) })
  end)
  print(("%-40s %8.0f"):format(in_flight == 1 and "plain libcurl" or "curl multi, 64 in flight",
    limit))
  for _, row in ipairs(ROWS) do
    local own = each(lua_command(row[1], url, in_flight))
    print(("  %-38s %8.0f  %5.2f x"):format(row[2], own, own / limit))
  end
end

local PARTS = {
  { "invoke", "runtime:invoke_endpoint" },
  { "encode", "  core.encode of its parameters" },
  { "sign", "  signer:sign" },
  { "head", "  core.decode of its answer" },
  { "describe", "client:describe_endpoint" },
  { "table", "  core.decode of its answer" },
}

local function report_parts()
  print("over a transport that answers at once")
  for _, row in ipairs(PARTS) do
    print(("  %-38s %8.0f"):format(row[2], each(lua_command(row[1],
      "http://127.0.0.1:8080", 1))))
  end
end

if not select(2, server.shell("command -v valgrind")) then
  print("not measured: there is no valgrind")
  os.exit(0)
end
report_parts()
if arg[1] == "parts" or not yardstick.available() then os.exit(0) end
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
