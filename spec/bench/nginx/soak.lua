--- Shows that signed calls leave an nginx worker's memory flat: see nginx.sh.
--
--   soak.lua [calls]   default 100000; both by the library's call and by sign-and-proxy

local nginx = require "support.nginx"
local server = require "support.server"

local CALLS = tonumber(arg[1]) or 100000
local STEPS = 5

local BACKEND = [[ location / { return 200 '{"predictions": [0.123456789, 0.987654321]}'; } ]]

local HTTP = [[
  upstream backend { server 127.0.0.1:$port; keepalive 64; }
  lua_shared_dict metrics 1m;
  init_by_lua_block {
    nginx = require "sagemaker.nginx"
    metrics = nginx.metrics{ dict = "metrics" }
    runtime = assert(require("sagemaker").runtime{ hooks = metrics:hooks(),
      shared = nginx.shared(), region = "eu-west-1", endpoint_url = "http://127.0.0.1:$port",
      credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" } })
  }
]]

local LOCATIONS = [[
  location = /sign {
    set $sagemaker_host ""; set $sagemaker_uri "";
    access_by_lua_block { nginx.sign{ client = runtime, endpoint = "churn" } }
    log_by_lua_block { metrics:proxied() }
    proxy_pass http://backend$sagemaker_uri;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $sagemaker_host;
  }
  location = /call {
    content_by_lua_block {
      ngx.req.read_body()
      local answer = assert(runtime:invoke_endpoint{ EndpointName = "churn",
        ContentType = "text/csv", Body = ngx.req.get_body_data() })
      ngx.print(answer.Body)
    }
  }
  location = /calls { content_by_lua_block {
    collectgarbage() collectgarbage() ngx.say(metrics:text()) } }
]]

local backend = nginx.start{ locations = BACKEND }
local port = tostring(backend.ports.http)
local one = nginx.start{ http = HTTP:gsub("%$port", port),
  locations = LOCATIONS:gsub("%$port", port) }
local script = one.dir .. "/post.lua"
local f = assert(io.open(script, "wb"))
f:write('wrk.method = "POST"\nwrk.headers["Content-Type"] = "text/csv"\nwrk.body = "0.25,0.5"\n')
f:close()

-- Calls that have been counted, and the worker's memory after a collection.
local function look(operation)
  local text, calls = one:get("/calls").body, 0
  for n in text:gmatch("sagemaker_calls_total{[^\n]-" .. operation .. "[^\n]-} (%d+)") do
    calls = calls + tonumber(n)
  end
  return calls, one:memory()
end

local ok, problem = pcall(function()
  for _, way in ipairs{ "call", "sign" } do
    local start, done, first, last = look("InvokeEndpoint"), 0, nil, nil
    for step = 0, STEPS do
      repeat
        local out = server.shell(("wrk -t1 -c16 -d1 -s %s %s"):format(script, one:url("/" .. way)))
        assert(not out:find("Non-2xx", 1, true), out)
        done = look("InvokeEndpoint") - start
      until done >= CALLS * step / STEPS
      local _, bytes = look("InvokeEndpoint")
      if step > 0 then -- before, the worker was warming up
        first, last = first or bytes, bytes
        print(("%-5s %8d calls   %7.0f KB   %d descriptors"):format(way, done, bytes / 1024,
          one:descriptors()))
      end
    end
    local grown = (last - first) / 1024
    print(("%-5s memory grew by %.0f KB over the last %d %% of %d calls"):format(way, grown,
      100 - 100 / STEPS, done))
    assert(grown < 1024, "the worker's memory is not flat")
  end
end)
one:stop()
backend:stop()
if not ok then error(problem, 0) end
