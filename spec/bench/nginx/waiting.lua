--- Measures whether calls that wait hold other requests up: see nginx.sh.
--
-- A location that makes no call is asked over and over, in turns while nothing else goes on and
-- while 64 calls wait on a model that takes a second. The medians of its times are compared.

local nginx = require "support.nginx"
local server = require "support.server"

local ROUNDS, WAITING = tonumber(arg[1]) or 7, 64

local model = nginx.start{ locations = [[ location / { content_by_lua_block {
  ngx.req.read_body() ngx.sleep(1) ngx.print("{}") } } ]] }
local one = nginx.start{ http = ([[ init_by_lua_block {
  runtime = assert(require("sagemaker").runtime{ region = "eu-west-1", endpoint_url = %q,
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" } })
} ]]):format(model:url("")), locations = [[
  location = /quick { content_by_lua_block { ngx.say("quick") } }
  location = /slow { content_by_lua_block {
    ngx.print(assert(runtime:invoke_endpoint{ EndpointName = "slow", Body = "x" }).Body) } }
]] }

-- The median time of the quick location, in microseconds, over half a second.
local function quick()
  local out = server.shell("wrk -t1 -c1 -d1 --latency " .. one:url("/quick"))
  assert(not out:find("Non-2xx", 1, true), out)
  local value, unit = out:match("50%%%s+([%d.]+)(%a+)")
  return assert(tonumber(value), out) * (unit == "us" and 1 or unit == "ms" and 1000 or 1e6)
end

local function median(values)
  table.sort(values)
  return values[math.ceil(#values / 2)]
end

local ok, problem = pcall(function()
  quick()
  local alone, beside = {}, {}
  for round = 1, ROUNDS do
    alone[round] = quick()
    local pid = server.spawn(("wrk -t1 -c%d -d2 --timeout 5 %s"):format(WAITING,
      one:url("/slow")), one.dir .. "/slow")
    server.shell("sleep 0.3")
    beside[round] = quick()
    server.wait_for(10, function() return not server.alive(pid) end)
  end
  print(("alone %.0f us, while %d calls wait %.0f us: ratio %.3f (must 1.2)"):format(
    median(alone), WAITING, median(beside), median(beside) / median(alone)))
end)
one:stop()
model:stop()
if not ok then error(problem, 0) end
