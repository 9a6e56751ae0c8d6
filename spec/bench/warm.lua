--- CPU time of a warm call, beside the limit: the same request, built beforehand, over plain
-- libcurl (warm_limit.c). Against one local server, in interleaved rounds; medians.
--
--   lua5.4 spec/bench/warm.lua [calls per round] [rounds]
--
-- Rows: the transport alone (goal 1.1 times the limit), and the whole pipeline of
-- client:describe_endpoint (goal 1.35).

package.path = "lua/?.lua;lua/?/init.lua;spec/?.lua;spec/?/init.lua;" .. package.path

local server = require "support.server"
local system = require "system"

local calls, rounds = tonumber(arg[1]) or 2000, tonumber(arg[2]) or 7

-- A DescribeEndpoint answer of 4 KB.
local function answer()
  local variants = {}
  for i = 1, 16 do
    variants[i] = ('{"VariantName":"variant-%d","CurrentWeight":1.0,"DesiredWeight":1.0,' ..
      '"CurrentInstanceCount":3,"DesiredInstanceCount":3,"DeployedImages":[{"SpecifiedImage":' ..
      '"763104351884.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1.7-%d","ResolutionTime":' ..
      '1768478400.123}]}'):format(i, i)
  end
  return '{"EndpointName":"churn","EndpointArn":"arn:aws:sagemaker:eu-west-1:123456789012:' ..
    'endpoint/churn","EndpointConfigName":"churn-v2","EndpointStatus":"InService",' ..
    '"CreationTime":1768478400.123,"LastModifiedTime":1768478400.456,"ProductionVariants":[' ..
    table.concat(variants, ",") .. "]}"
end

local LOCATIONS = [[
location / {
  default_type application/x-amz-json-1.1;
  add_header x-amzn-RequestId 5f1ca1b4-3b1c-4a62-9d6e-0123456789ab;
  add_header Strict-Transport-Security "max-age=47304000; includeSubDomains";
  add_header X-Content-Type-Options nosniff;
  content_by_lua_block {
    ngx.header["Content-Length"] = #ANSWER
    ngx.print(ANSWER)
  }
}
]]

local HEADERS = {
  ["Authorization"] = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260115/eu-west-1/sagemaker/" ..
    "aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" ..
    ("0123456789abcdef"):rep(4),
  ["Content-Type"] = "application/x-amz-json-1.1",
  ["User-Agent"] = "sagemaker-lua/0.1.0 md/Lua#5.4 os/linux",
  ["X-Amz-Date"] = "20260115T120000Z",
  ["X-Amz-Target"] = "SageMaker.DescribeEndpoint",
  ["amz-sdk-invocation-id"] = "5f1ca1b4-3b1c-4a62-9d6e-0123456789ab",
  ["amz-sdk-request"] = "attempt=1; max=3",
}
local BODY = '{"EndpointName":"churn"}'

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function build_limit(dir)
  local compile = "cc -O2 -o %s/limit spec/bench/warm_limit.c -lcurl"
  local output, ok = server.shell(compile:format(dir))
  assert(ok, output)
end

local function limit_round(dir, url)
  local words = { dir .. "/limit", url, tostring(calls), BODY }
  for name, value in pairs(HEADERS) do words[#words + 1] = name .. ": " .. value end
  for i, word in ipairs(words) do words[i] = quote(word) end
  words[#words + 1] = "Accept:"
  local output = server.shell(table.concat(words, " "))
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
  local request = { method = "POST", url = url, host = "127.0.0.1", headers = HEADERS,
    body = BODY, timeouts = { connect = 10, read = 60 } }
  return function()
    assert(assert(transport:send(request, system.monotime() + 60)).status == 200)
  end
end

-- nil where only the curl library was built.
local function client_call(url)
  if not pcall(require, "sagemaker.core") then return nil end
  local sagemaker = require "sagemaker"
  local client = assert(sagemaker.new{
    region = "eu-west-1",
    endpoint_url = url,
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = ("x"):rep(40) },
  })
  return function()
    assert(client:describe_endpoint{ EndpointName = "churn" })
  end
end

local function median(list)
  table.sort(list)
  return list[math.floor(#list / 2) + 1]
end

local function report(name, values, limit, goal)
  local us = median(values)
  print(("%-28s %8.2f us  %5.2f x the limit  (goal %.2f)"):format(name, us, us / limit, goal))
end

local function run(dir, url)
  local rows = {
    { name = "transport:send", goal = 1.1, call = transport_call(url), values = {} },
    { name = "client:describe_endpoint", goal = 1.35, call = client_call(url), values = {} },
  }
  local limits = {}
  for _ = 1, rounds do
    limits[#limits + 1] = limit_round(dir, url)
    for _, row in ipairs(rows) do
      if row.call then row.values[#row.values + 1] = measure(row.call) end
    end
  end
  local limit = median(limits)
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

local ok, reason = server.available()
if not ok then
  print("warm call: not measured: " .. reason)
  os.exit(0)
end
local dir = server.folder()
local f = assert(io.open(dir .. "/answer.lua", "w"))
f:write("ANSWER = [=[", answer(), "]=]\n")
f:close()
local nginx = server.nginx{
  locations = LOCATIONS,
  http = ("init_by_lua_file %s/answer.lua;"):format(dir),
}
local done, message = pcall(function()
  build_limit(dir)
  run(dir, nginx:url("/"))
end)
nginx:stop()
server.shell("rm -rf " .. dir)
if not done then error(message, 0) end
