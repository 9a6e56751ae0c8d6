-- The gateways of examples/nginx, in front of a model server that verifies every signature.
local cjson = require "cjson"
local nginx = require "support.nginx"
local server = require "support.server"

local MODEL = [[
  location / { content_by_lua_block { require("nginx.model_server").serve() } } ]]

describe("nginx.sign", function()
  local available, reason = nginx.available()
  if not available then
    pending(reason)
    return
  end

  local model, gateway
  local crew = nginx.crew()

  setup(function()
    model = nginx.start{ locations = MODEL }
    gateway = nginx.start{ conf = nginx.example("examples/nginx/gateway.conf", model.ports.http) }
  end)
  after_each(crew.stop)
  teardown(function()
    gateway:stop()
    model:stop()
    server.clean()
  end)

  local function post(path, body, headers)
    return assert(gateway:get(path, { body = body, method = "POST", headers = headers }))
  end

  -- What the model says that it got.
  local function got(...)
    local response = post(...)
    assert.equal(200, response.status, response.body)
    return cjson.decode(response.body), response
  end

  it("signs what nginx then proxies", function()
    local seen, response = got("/models/churn", "1,2,3", { ["Content-Type"] = "text/csv" })
    assert.same({ "churn", 5, "text/csv", "/endpoints/churn/invocations" },
      { seen.endpoint, seen.length, seen.headers["content-type"], seen.path })
    assert.truthy(seen.signed:find("content-type", 1, true))
    assert.equal("blue", response.headers["x-Amzn-Invoked-Production-Variant"])
    assert.equal(0, got("/models/churn", "").length)
  end)

  it("takes away what a client must not bring along, and signs what SageMaker reads", function()
    local seen = got("/models/churn", "x", {
      Authorization = "Bearer of the gateway", Cookie = "session=1", ["X-AMZ-Date"] = "yesterday",
      ["X-Amz-Security-Token"] = "theirs", ["x-amz-content-sha256"] = "0", ["X-Amz-Target"] = "y",
      ["amz-sdk-request"] = "attempt=9", Connection = "keep-alive, X-Hop, Host", ["X-Hop"] = "1",
      ["Proxy-Authorization"] = "Basic x", Trailer = "X", TE = "trailers",
      ["X-Amzn-SageMaker-Target-Variant"] = "green", ["X-Other"] = "kept",
    })
    for _, name in ipairs{ "cookie", "x-amz-security-token", "x-amz-content-sha256",
      "x-amz-target", "amz-sdk-request", "x-hop", "proxy-authorization", "trailer", "te",
      "connection" } do
      assert.is_nil(seen.headers[name], name)
    end
    assert.truthy(seen.headers.authorization:find("^AWS4%-HMAC%-SHA256 Credential=AKIDEXAMPLE/"))
    assert.same({ "green", "kept" },
      { seen.headers["x-amzn-sagemaker-target-variant"], seen.headers["x-other"] })
    assert.truthy(seen.signed:find("x-amzn-sagemaker-target-variant", 1, true))
    local many = { ["X-Amz-Late"] = "1" } -- behind more headers than are looked at by default
    for i = 1, 150 do many["X-" .. i] = "v" end
    assert.is_nil(got("/models/churn", "x", many).headers["x-amz-late"])
  end)

  it("hashes a body that nginx has put into a file", function()
    local body = ("0123456789abcdef"):rep(200000) .. "end"
    local seen = got("/models/churn", body)
    assert.equal(#body, seen.length)
    assert.equal(require("sagemaker.core").sha256(body), seen.sha256)
  end)

  it("refuses what is no invocation, and lets no name lead elsewhere", function()
    for _, name in ipairs{ "a.b", "a%3Fb", "-a", ("a"):rep(64), "a%20b", "a%25b" } do
      local response = post("/models/" .. name, "x")
      assert.same({ 404, "NoSuchEndpoint" },
        { response.status, cjson.decode(response.body).code }, name)
    end
    for _, name in ipairs{ "%2e%2e", "a%2Fb", "a%2F..%2Fb%2F" } do -- other locations, if any
      assert.equal(404, post("/models/" .. name, "x").status, name)
    end
    local response = assert(gateway:get("/models/churn"))
    assert.same({ 405, "POST" }, { response.status, response.headers.Allow })
  end)

  it("lets no path lead out of the OpenAI-compatible interface", function()
    local other = crew.start{ http = ([[ init_by_lua_block {
      runtime = assert(require("sagemaker").runtime{ region = "eu-west-1", endpoint_url = %q,
        credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" } }) } ]])
      :format(model:url("")), locations = ([[ location / {
        set $sagemaker_host ""; set $sagemaker_uri "";
        access_by_lua_block { require("sagemaker.nginx").sign{ client = runtime,
          endpoint = "chat", openai = ngx.var.http_x_path } }
        proxy_pass http://127.0.0.1:%d$sagemaker_uri; proxy_set_header Host $sagemaker_host;
      } ]]):format(model.ports.http) }
    local function status(path)
      return other:get("/", { body = "{}", headers = { ["X-Path"] = path } }).status
    end
    assert.equal(200, status("/v1/chat/completions"))
    assert.equal(200, status("/v1/models/a.b_c"))
    for _, path in ipairs{ "/../../other/invocations", "/v1/..", "/v1/./x", "//v1", "v1",
      "/v1/%2e%2e/x", "/v1?x=y", "/v1/a b" } do
      assert.equal(404, status(path), path)
    end
  end)

  it("hands the model's own errors on", function()
    local response = post("/models/failing", "x")
    assert.same({ 424, "ModelError" }, { response.status, response.headers["x-amzn-errortype"] })
    assert.equal(503, post("/models/busy", "x").status)
  end)

  it("counts what was proxied, beside the calls of the library", function()
    assert.equal("churn", cjson.decode(post("/score", "1,2").body).endpoint)
    local text
    assert.truthy(server.wait_for(5, function() -- the log phase comes after the answer
      text = gateway:get("/metrics").body
      return text:find('outcome="service",code="503"} 1', 1, true)
    end))
    assert.truthy(text:find('sagemaker_calls_total{service="sagemaker-runtime",' ..
      'operation="InvokeEndpoint",outcome="service",code="424"} 1\n', 1, true))
    assert.truthy(text:find('# TYPE sagemaker_call_seconds histogram\n', 1, true))
  end)

  it("passes server-sent events on as they come", function()
    local openai = crew.start{ conf = nginx.example("examples/nginx/openai.conf",
      model.ports.http) }
    local url = openai:url("/v1/chat/completions")
    local out = server.shell(("curl -sN -d '{\"stream\": true}' -H 'Authorization: Bearer " ..
      "let-me-in' %s | while IFS= read -r line; do echo \"$line\"; case $line in data:*) " ..
      "curl -s %s;; esac; done"):format(url, model:url("/seen")))
    local events = {}
    for event in out:gmatch("data: ([^\n]+)") do events[#events + 1] = event end
    assert.same({ '{"n":1}', '{"n":2}', '{"n":3}', "[DONE]" }, events)
    local response = openai:get("/v1/chat/completions", { body = "{}",
      headers = { Authorization = "Bearer wrong" } })
    assert.equal(401, response.status)
    response = openai:get("/v1/models", { headers = { Authorization = "Bearer let-me-in" } })
    assert.equal("/endpoints/chat/openai/v1/models", cjson.decode(response.body).path)
  end)

  it("waits for keys without holding the worker up", function()
    local other = crew.start{ http = ([[
      init_by_lua_block {
        fetched = 0
        runtime = assert(require("sagemaker").runtime{
          region = "eu-west-1", endpoint_url = %q, transport = "resty",
          credentials = function(io)
            fetched = fetched + 1
            -- The keys come once the worker has served somebody else.
            for _ = 1, 1000 do
              if ngx.shared.sagemaker:get("served") then break end
              io.sleep(0.01)
            end
            return { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret",
              expires_at = io.now() + 3600 }
          end })
      } ]]):format(model:url("")), locations = ([[
      set $sagemaker_host ""; set $sagemaker_uri "";
      location /sign { access_by_lua_block {
        require("sagemaker.nginx").sign{ client = runtime, endpoint = "x" } }
        proxy_pass http://127.0.0.1:%d$sagemaker_uri; proxy_set_header Host $sagemaker_host; }
      location /quick { content_by_lua_block {
        ngx.print(fetched, " fetched, ",
          ngx.shared.sagemaker:get("served") and "late " or "at once ")
        ngx.shared.sagemaker:set("served", true) } } ]]):format(model.ports.http) }
    local url = other:url("/sign")
    local out = server.shell(("for i in 1 2 3 4 5 6 7 8; do " ..
      "curl -s -o /dev/null -w '%%{http_code} ' -d x %s & done; sleep 0.1; " ..
      "curl -s %s; wait"):format(url, other:url("/quick")))
    assert.truthy(out:find("1 fetched, at once", 1, true), out)
    assert.equal(8, select(2, out:gsub("200 ", "")), out)
    assert.equal(1, other:lua("return fetched"))
  end)

  it("keeps its reasons from clients", function()
    local other = crew.start{ http = [[
      init_by_lua_block {
        local sagemaker = require "sagemaker"
        keyless = assert(sagemaker.runtime{
          region = "eu-west-1", endpoint_url = "http://127.0.0.1:1",
          credentials = function() return nil, "the vault at vault.internal is sealed" end })
      } ]], locations = [[
      set $sagemaker_host ""; set $sagemaker_uri "";
      location /a { access_by_lua_block { require("sagemaker.nginx").sign{ client = keyless,
        endpoint = "x" } } return 200 signed; }
      location /b { access_by_lua_block { require("sagemaker.nginx").sign{ client = keyless,
        endpoint = "x", openai = "/v1/x" } } proxy_pass http://127.0.0.1:1; }
      location /c { access_by_lua_block { require("sagemaker.nginx").sign{ client = keyless,
        path = "/x", on_error = function(status, err) ngx.status = 418 ngx.say(err.code) end } }
        proxy_pass http://127.0.0.1:1; }
      location /d { access_by_lua_block { require("sagemaker.nginx").sign{ client = keyless,
        path = "/x", on_error = function() end } } proxy_pass http://127.0.0.1:1; }
      location /e { content_by_lua_block { require("sagemaker.nginx").sign{ client = keyless } } }
      location /f { access_by_lua_block { require("sagemaker.nginx").sign{} } } ]] }
    local response = other:get("/b", { body = "x" })
    assert.same({ 503, "application/json" },
      { response.status, response.headers["Content-Type"] })
    assert.equal("the gateway has no access to the model at the moment",
      cjson.decode(response.body).error.message)
    assert.truthy(other:log():find("the vault at vault.internal is sealed", 1, true))
    response = other:get("/c", { body = "x" })
    assert.same({ 418, "InvalidCredentials\n" }, { response.status, response.body })
    assert.equal(503, other:get("/d", { body = "x" }).status)
    assert.equal(500, other:get("/e").status)
    assert.truthy(other:log():find("sign belongs into the access phase", 1, true))
    assert.equal(500, other:get("/f").status)
    assert.truthy(other:log():find("needs a client", 1, true))
  end)
end)
