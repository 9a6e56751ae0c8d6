-- Several workers, and what they share; the deployment webhook of examples/nginx.
local cjson = require "cjson"
local nginx = require "support.nginx"
local server = require "support.server"
local support = require "support"

describe("nginx workers", function()
  local available, reason = nginx.available()
  if not available then
    pending(reason)
    return
  end

  local crew = nginx.crew()
  local start = crew.start

  after_each(crew.stop)

  -- The bodies of so many answers to requests that are under way together.
  local function crowd(one, path, n)
    local urls = {}
    for i = 1, n do urls[i] = one:url(path) end
    local out = server.shell(("for u in %s; do curl -s $u & done; wait"):format(
      table.concat(urls, " ")))
    local bodies = {}
    for line in out:gmatch("[^\n]+") do bodies[#bodies + 1] = line end
    assert.equal(n, #bodies, out)
    return bodies
  end

  local function distinct(list)
    local seen, n = {}, 0
    for _, value in ipairs(list) do
      if not seen[value] then seen[value], n = true, n + 1 end
    end
    return n
  end

  it("fetch keys once for all of them, anew after a reload, and count every call", function()
    local model = start{ locations = [[ location / {
      content_by_lua_block { require("nginx.model_server").serve() } } ]] }
    local one = start{ workers = 4, listen = "reuseport", http = ([[
      lua_shared_dict metrics 1m;
      init_by_lua_block {
        local nginx = require "sagemaker.nginx"
        metrics = nginx.metrics{ dict = "metrics" }
        runtime = assert(require("sagemaker").runtime{ region = "eu-west-1", endpoint_url = %q,
          shared = nginx.shared{ name = "gateway" }, hooks = metrics:hooks(),
          credentials = function(io)
            ngx.shared.sagemaker:incr("fetched", 1, 0)
            io.sleep(0.2) -- as a service would take
            return { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret",
              expires_at = io.now() + 3600 }
          end })
      } ]]):format(model:url("")), locations = [[
      location /call { content_by_lua_block {
        local answer, message = runtime:invoke_endpoint{ EndpointName = "churn", Body = "x" }
        ngx.say(answer and ngx.worker.pid() or message)
      } }
      location /metrics { content_by_lua_block { metrics:serve() } } ]] }
    local pids = crowd(one, "/call", 40)
    assert.is_true(distinct(pids) > 1)
    for _, pid in ipairs(pids) do assert.truthy(tonumber(pid), pid) end
    local function fetched() return one:lua("return ngx.shared.sagemaker:get('fetched')") end
    assert.equal(1, fetched())
    crowd(one, "/call", 20)
    assert.equal(1, fetched())
    assert.truthy(one:get("/metrics").body:find('outcome="ok",code=""} 60\n', 1, true))
    one:reload()
    crowd(one, "/call", 20)
    assert.equal(2, fetched())
    assert.is_nil(one:log():find("secret", 1, true))
  end)

  it("share the looks of many watchers at an endpoint", function()
    local plane = start{ http = [[ init_by_lua_block {
      sim = require("sagemaker").simulator.new{ region = "eu-west-1", wall = os.time,
        credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" } }
      local client = assert(require("sagemaker").new{ transport = sim })
      assert(client:create_model{ ModelName = "m",
        ExecutionRoleArn = "arn:aws:iam::123456789012:role/r",
        PrimaryContainer = { Image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/m:1" } })
      assert(client:create_endpoint_config{ EndpointConfigName = "c", ProductionVariants = { {
        VariantName = "v", ModelName = "m", InstanceType = "ml.m5.large",
        InitialInstanceCount = 1 } } })
      assert(client:create_endpoint{ EndpointName = "churn", EndpointConfigName = "c" })
      looks = 0
    } ]], locations = [[ location / { content_by_lua_block {
      ngx.req.read_body()
      looks = looks + 1
      if looks == 5 then sim:advance(3600) end
      ngx.sleep(0.01)
      local answer = sim:handle{ method = "POST", path = "/", headers = ngx.req.get_headers(0),
        host = ngx.var.http_host, body = ngx.req.get_body_data() }
      ngx.status = answer.status
      ngx.print(answer.body)
    } } location /looks { content_by_lua_block { ngx.say(looks) } } ]] }
    local one = start{ workers = 4, listen = "reuseport", http = ([[ init_by_lua_block {
      client = assert(require("sagemaker").new{ region = "eu-west-1", endpoint_url = %q,
        shared = require("sagemaker.nginx").shared(),
        credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" } })
    } ]]):format(plane:url("")), locations = [[ location /watch { content_by_lua_block {
      local event, message = client:wait_until_in_service("churn", { EndpointConfigName = "c",
        delay = 0.3, max_delay = 0.3 })
      ngx.say(event and event.outcome or message)
    } } ]] }
    local outcomes = crowd(one, "/watch", 30)
    for _, outcome in ipairs(outcomes) do assert.equal("deployed", outcome) end
    local looks = tonumber(plane:get("/looks").body)
    -- Thirty watchers by themselves look 150 times and more.
    assert.is_true(looks <= 15, looks)
  end)

  it("carry a deployment out for a webhook", function()
    local plane = start{ conf = nginx.example("examples/nginx/model.conf") }
    local conf, n = nginx.example("examples/nginx/webhook.conf", plane.ports.http)
      :gsub("delay = 2,", "delay = 0.01, max_delay = 0.01,")
    assert.equal(1, n)
    local one = start{ conf = conf }
    local function post(body, key)
      return one:get("/deployments", { body = body, headers = { ["X-Key"] = key } })
    end
    local wish = '{"endpoint": "churn", "config": "churn-v1"}'
    assert.equal(403, post(wish, "guess").status)
    assert.equal(400, post("[]", "release-me").status)
    assert.equal(404, one:get("/deployments/churn").status)
    local function release(config)
      local response = post(cjson.encode{ endpoint = "churn", config = config }, "release-me")
      assert.same({ 202, "/deployments/churn" }, { response.status, response.headers.Location })
      local progress
      assert.truthy(server.wait_for(10, function()
        progress = cjson.decode(one:get("/deployments/churn").body)
        return progress.outcome
      end), one:log())
      return progress
    end
    local first = release("churn-v1")
    assert.same({ "deployed", "InService" }, { first.outcome, first.status })
    local second = release("churn-v2")
    assert.same({ "deployed", "churn-v2" }, { second.outcome, second.config })
    assert.truthy(server.wait_for(10, function()
      second = cjson.decode(one:get("/deployments/churn").body)
      return second.warnings
    end), one:log())
    -- The alarms were asked for by way of nginx's sockets.
    assert.same({ "there is no alarm churn-5xx in CloudWatch: it guards nothing" }, second.warnings)
    local third = release("missing")
    assert.equal("error", third.outcome)
    assert.truthy(third.message:find("missing", 1, true))
  end)

  it("lose no request when nginx reloads under load", function()
    local model = start{ http = "init_by_lua_block { answered = 0 }", locations = [[
      location / { content_by_lua_block {
        answered = answered + 1
        require("nginx.model_server").serve()
      } }
      location /answered { content_by_lua_block { ngx.print(answered) } } ]] }
    local conf = nginx.example("examples/nginx/gateway.conf", model.ports.http)
    local one = start{ conf = (conf:gsub("worker_processes auto", "worker_processes 2")) }
    local script = one.dir .. "/post.lua"
    support.write(script, 'wrk.method = "POST"\nwrk.body = "1,2,3"\n')
    local out = one.dir .. "/wrk"
    -- A new connection for each request: on a kept one a request may cross its closing.
    local pid = server.spawn(("wrk -t1 -c8 -d60 -H 'Connection: close' -s %s %s"):format(script,
      one:url("/models/churn")), out)
    local function answer(n)
      local least = tonumber(model:get("/answered").body) + n
      assert.truthy(server.wait_for(20, function()
        return tonumber(model:get("/answered").body) >= least
      end))
    end
    for _ = 1, 3 do
      answer(20)
      one:reload()
    end
    answer(20)
    server.shell(("kill -INT %d"):format(pid)) -- wrk ends and tells what it saw
    assert.truthy(server.wait_for(20, function() return not server.alive(pid) end))
    local text = support.read(out)
    assert.is_true(tonumber(text:match("(%d+) requests in")) >= 70, text)
    assert.is_nil(text:find("Non-2xx", 1, true), text)
    assert.is_nil(text:find("Socket errors", 1, true), text)
  end)
end)
