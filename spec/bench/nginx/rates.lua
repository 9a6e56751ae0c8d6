--- Measures what this library costs inside one nginx worker: see nginx.sh.
--
-- A backend (another nginx) answers after 1 ms. wrk asks a worker for it by four ways, the ways
-- taking turns, and the medians are compared:
--
--   proxy      plain proxy_pass               sign       sign, then proxy_pass
--   socket     a bare cosocket request        call       runtime:invoke_endpoint
--   transport  the transport alone, unsigned

local nginx = require "support.nginx"
local server = require "support.server"

local ROUNDS = tonumber(arg[1]) or 5
local SECONDS = tonumber(arg[2]) or 2
local CONNECTIONS = { 16, 64 }

local WAYS = { "proxy", "sign", "socket", "transport", "call" }
local BODY = ("0.25,"):rep(40) .. "1"

local BACKEND = [[
  location / {
    content_by_lua_block {
      ngx.req.read_body()
      ngx.sleep(0.001)
      ngx.header["Content-Type"] = "application/json"
      ngx.header["x-Amzn-Invoked-Production-Variant"] = "blue"
      ngx.header["x-amzn-RequestId"] = "3e2a4f6e-3d2c-4c58-9f1c-8d3b0f6f1f0a"
      ngx.header["Content-Length"] = 45
      ngx.print('{"predictions": [0.123456789, 0.987654321]}\r\n')
    }
  }
]]

local HTTP = [[
  upstream backend { server 127.0.0.1:$port; keepalive 256; }
  lua_socket_log_errors off;
  init_by_lua_block {
    runtime = assert(require("sagemaker").runtime{
      region = "eu-west-1", endpoint_url = "http://127.0.0.1:$port",
      credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" } })
    nginx = require "sagemaker.nginx"
  }
]]

local LOCATIONS = [[
  location = /proxy {
    proxy_pass http://backend/endpoints/churn/invocations;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
  }
  location = /sign {
    set $sagemaker_host ""; set $sagemaker_uri "";
    access_by_lua_block { nginx.sign{ client = runtime, endpoint = "churn" } }
    proxy_pass http://backend$sagemaker_uri;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $sagemaker_host;
  }
  location = /socket {
    content_by_lua_block {
      ngx.req.read_body()
      local body = ngx.req.get_body_data()
      local sock = ngx.socket.tcp()
      sock:settimeouts(5000, 5000, 5000)
      assert(sock:connect("127.0.0.1", $port, { pool_size = 256 }))
      assert(sock:send("POST /endpoints/churn/invocations HTTP/1.1\r\nHost: 127.0.0.1:$port\r\n" ..
        "Content-Type: text/csv\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body))
      local status, length = assert(sock:receive()), 0
      while true do
        local line = assert(sock:receive())
        if line == "" then break end
        length = tonumber(line:match("^Content%-Length: (%d+)$")) or length
      end
      local answer = assert(sock:receive(length))
      assert(sock:setkeepalive(50000, 256))
      ngx.print(answer)
    }
  }
  location = /transport {
    content_by_lua_block {
      ngx.req.read_body()
      local answer = assert(runtime.transport:send{ method = "POST", headers = {
        ["Content-Type"] = "text/csv" }, url = "http://127.0.0.1:$port/endpoints/churn/invocations",
        body = ngx.req.get_body_data() })
      ngx.print(answer.body)
    }
  }
  location = /call {
    content_by_lua_block {
      ngx.req.read_body()
      local answer = assert(runtime:invoke_endpoint{ EndpointName = "churn",
        ContentType = "text/csv", Body = ngx.req.get_body_data() })
      ngx.print(answer.Body)
    }
  }
]]

local function median(values)
  table.sort(values)
  return values[math.ceil(#values / 2)]
end

local function measure(one, script, way, connections)
  local out = server.shell(("wrk -t1 -c%d -d%d -s %s %s"):format(connections, SECONDS, script,
    one:url("/" .. way)))
  assert(not out:find("Non-2xx", 1, true), out)
  return assert(tonumber(out:match("Requests/sec:%s*([%d.]+)")), out)
end

-- Seconds of CPU that a worker has used.
local function cpu(one)
  local f = assert(io.open(("/proc/%d/stat"):format(one:workers()[1])))
  local user, system = f:read("*a"):match("%) %S+ " .. ("%S+ "):rep(10) .. "(%d+) (%d+)")
  f:close()
  return (tonumber(user) + tonumber(system)) / 100
end

local backend = nginx.start{ locations = BACKEND, workers = 2 }
local port = tostring(backend.ports.http)
local one = nginx.start{ http = HTTP:gsub("%$port", port),
  locations = LOCATIONS:gsub("%$port", port) }
local script = one.dir .. "/post.lua"
local f = assert(io.open(script, "wb"))
f:write(('wrk.method = "POST"\nwrk.headers["Content-Type"] = "text/csv"\nwrk.body = %q\n')
  :format(BODY))
f:close()

local ok, problem = pcall(function()
  for _, connections in ipairs(CONNECTIONS) do
    local rates, costs = {}, {}
    for _, way in ipairs(WAYS) do rates[way], costs[way] = {}, {} end
    for round = 1, ROUNDS do
      for _, way in ipairs(WAYS) do
        local before = cpu(one)
        local rate = measure(one, script, way, connections)
        rates[way][round] = rate
        costs[way][round] = (cpu(one) - before) / (rate * SECONDS) * 1e6
      end
    end
    print(("%d connections"):format(connections))
    for _, way in ipairs(WAYS) do
      rates[way], costs[way] = median(rates[way]), median(costs[way])
      print(("  %-10s %8.0f requests/s  %6.1f us CPU each"):format(way, rates[way], costs[way]))
    end
    print(("  sign / proxy %.3f (must 0.9)   call / socket %.3f (must 0.8)"):format(
      rates.sign / rates.proxy, rates.call / rates.socket))
  end
end)
one:stop()
backend:stop()
if not ok then error(problem, 0) end
