local curl = require "sagemaker.transport.curl"
local sagemaker = require "sagemaker"
local server = require "support.server"
local system = require "system"
local cjson = require "cjson"

local env = { now = system.gettime, clock = system.monotime, sleep = system.sleep }

-- Answers as the service does: an endpoint is in service at the third look.
local SERVICE = [[
location / {
  content_by_lua_block {
    local state, cjson = ngx.shared.state, require "cjson"
    local function answer(status, content)
      ngx.status = status
      ngx.header["Content-Type"] = "application/x-amz-json-1.1"
      ngx.header["x-amzn-RequestId"] = "00000000-0000-4000-8000-000000000000"
      ngx.header["X-Connection"] = ngx.var.connection
      ngx.header["X-Protocol"] = ngx.var.server_protocol .. " " .. (ngx.var.ssl_protocol or "-")
      ngx.header["X-Session"] = ngx.var.ssl_session_reused or "-"
      ngx.header["X-Scope"] =
        (ngx.var.http_authorization or ""):match("/(%w[%w-]+/%w+/aws4_request)") or "-"
      ngx.print(cjson.encode(content))
    end
    state:incr("requests", 1, 0)
    ngx.req.read_body()
    local input = cjson.decode(ngx.req.get_body_data() or "{}")
    local operation = (ngx.var.http_x_amz_target or ""):match("^SageMaker%.(%w+)$")
    if operation == "CreateEndpoint" then
      state:set(input.EndpointName, 0)
      return answer(200, { EndpointArn = "arn:aws:sagemaker:eu-west-1:1:endpoint/" ..
        input.EndpointName })
    end
    local looks = operation == "DescribeEndpoint" and state:incr(input.EndpointName, 1)
    if looks then
      return answer(200, { EndpointName = input.EndpointName,
        EndpointStatus = looks < 3 and "Creating" or "InService" })
    end
    answer(400, { __type = "ValidationException", message = "Could not find endpoint" })
  }
}
location = /requests { content_by_lua_block { ngx.print(ngx.shared.state:get("requests") or 0) } }
location = /busy { return 503 "<html>busy</html>"; default_type text/html; }
location = /empty { return 200 ""; }
location = /drop { content_by_lua_block { ngx.sleep(0.1) ngx.exit(444) } }
location = /line { return 200 "$request $http_proxy_authorization"; }
location = /stall {
  content_by_lua_block { ngx.print(("x"):rep(300000)) ngx.flush(true) ngx.sleep(60) }
}
location = /slow { content_by_lua_block { ngx.sleep(3) ngx.print("late") } }
location = /echo {
  content_by_lua_block {
    ngx.req.read_body()
    ngx.print(ngx.req.get_body_data() or "")
  }
}
]]

-- The same server as a forward proxy for plain http.
local PROXY = [[
location / {
  proxy_pass http://$http_host$request_uri;
  proxy_http_version 1.1;
  add_header X-Proxy yes;
}
]]

describe("transport.curl over nginx", function()
  local available, reason = server.available()
  if not available then
    pending("not run: " .. reason)
    return
  end

  local certificates, nginx, ca

  setup(function()
    certificates = server.certificates()
    ca = certificates.dir .. "/ca.pem"
    nginx = server.nginx{
      locations = SERVICE,
      tls = { "good", "wrong_host", "expired" },
      certificates = certificates.dir,
      ipv6 = true,
    }
  end)

  teardown(function()
    if nginx then nginx:stop() end
    if certificates then certificates.remove() end
    server.clean()
  end)

  local function new(opts)
    opts = opts or {}
    opts.io = env
    opts.tls = opts.tls or { ca_file = ca }
    return curl.new(opts)
  end

  local function operation(transport, name, input, where, headers)
    local request = {
      method = "POST",
      url = nginx:url("/", where or "good"),
      headers = headers or {},
      body = cjson.encode(input),
    }
    request.headers["Content-Type"] = "application/x-amz-json-1.1"
    request.headers["X-Amz-Target"] = "SageMaker." .. name
    local response = assert(transport:send(request))
    return cjson.decode(response.body), response
  end

  local function get(url, opts)
    return new(opts):send{ method = "GET", url = url, headers = {} }
  end

  for _, where in ipairs{ "http", "good" } do
    it(("creates an endpoint and sees it in service (%s)"):format(where), function()
      local transport = new()
      local name = { EndpointName = "churn-" .. where }
      local created = operation(transport, "CreateEndpoint", name, where)
      assert.equal("arn:aws:sagemaker:eu-west-1:1:endpoint/churn-" .. where, created.EndpointArn)
      local seen, connections = {}, {}
      repeat
        local described, response = operation(transport, "DescribeEndpoint", name, where)
        assert.equal(200, response.status)
        assert.is_true(response.reused)
        seen[#seen + 1] = described.EndpointStatus
        connections[response.headers["X-Connection"]] = true
      until described.EndpointStatus ~= "Creating"
      assert.same({ "Creating", "Creating", "InService" }, seen)
      local first = next(connections)
      assert.is_nil(next(connections, first))
      local nobody = { EndpointName = "nobody" }
      local missing, response = operation(transport, "DescribeEndpoint", nobody, where)
      assert.equal(400, response.status)
      assert.equal("ValidationException", missing.__type)
    end)
  end

  for _, where in ipairs{ "http", "good" } do
    it(("carries a client that creates, describes and waits (%s)"):format(where), function()
      local answers = {}
      local client = assert(sagemaker.new{
        credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" },
        endpoint_url = nginx:url("", where), region = "eu-west-1", tls = { ca_file = ca },
        hooks = { after_response = function(response) answers[#answers + 1] = response end },
      })
      local name = { EndpointName = "client-" .. where }
      assert(client:create_endpoint{ EndpointName = name.EndpointName,
        EndpointConfigName = "churn-v1" })
      assert.equal("Creating", assert(client:describe_endpoint(name)).EndpointStatus)
      local described = assert(client:wait("endpoint_in_service", name, { delay = 0.01 }))
      assert.equal("InService", described.EndpointStatus)
      assert.equal(4, #answers)
      for i, response in ipairs(answers) do
        assert.equal(i > 1, response.reused)
        assert.equal("eu-west-1/sagemaker/aws4_request", response.headers["X-Scope"])
      end
      local _, _, err = client:describe_endpoint{ EndpointName = "nobody" }
      assert.same({ "service", "ValidationException", 1 }, { err.kind, err.code, err.attempts })
    end)
  end

  it("takes a scheme in capitals", function()
    assert.equal(200, assert(get((nginx:url("/empty", "good"):gsub("^https", "HTTPS")))).status)
  end)

  it("speaks HTTP/1.1 over TLS 1.2 or later", function()
    local transport = new{ timings = true }
    local _, response = operation(transport, "CreateEndpoint", { EndpointName = "a" })
    assert.truthy(response.headers["X-Protocol"]:match("^HTTP/1%.1 TLSv1%.[23]$"))
    assert.is_true(response.timings.tls >= response.timings.connect)
    assert.is_true(response.timings.tls > 0)
  end)

  it("resumes the TLS session on a new connection", function()
    local transport, sessions = new(), {}
    for i = 1, 2 do
      local _, response = operation(transport, "CreateEndpoint", { EndpointName = "a" }, "good",
        { Connection = "close" })
      assert.is_false(response.reused)
      sessions[i] = response.headers["X-Session"]
    end
    assert.same({ ".", "r" }, sessions)
  end)

  it("reaches an IPv6 literal", function()
    local response, message = get(("http://[::1]:%d/empty"):format(nginx.ports.http))
    if not response then return pending("no IPv6 here: " .. message) end
    assert.equal(200, response.status)
  end)

  describe("refuses", function()
    local function refused(where, tls)
      local before = assert(get(nginx:url("/requests"))).body
      local response, message, err = get(nginx:url("/", where), { tls = tls })
      assert.is_nil(response)
      assert.equal(tostring(err), message)
      assert.equal("transport", err.kind)
      assert.is_false(err.sent)
      assert.is_false(err.retryable)
      assert.equal(before, assert(get(nginx:url("/requests"))).body)
      return err
    end

    it("a certificate of another CA", function()
      local err = refused("good", { ca_file = certificates.dir .. "/other.pem" })
      assert.equal("CertificateError", err.code)
    end)

    it("a certificate of a CA that the system does not know", function()
      assert.equal("CertificateError", refused("good", {}).code)
    end)

    it("a certificate of another host", function()
      local err = refused("wrong_host")
      assert.equal("HostNameMismatch", err.code)
      assert.truthy(err.message:find("127.0.0.1", 1, true))
    end)

    it("an expired certificate", function()
      local err = refused("expired")
      assert.equal("CertificateError", err.code)
      assert.truthy(err.message:find("expired", 1, true))
    end)

    it("a ca_file that cannot be read", function()
      local err = refused("good", { ca_file = certificates.dir .. "/absent.pem" })
      assert.equal("CertificateStoreError", err.code)
    end)

    it("a server that does not speak TLS", function()
      local url = nginx:url("/"):gsub("^http:", "https:")
      local response, _, err = get(url)
      assert.is_nil(response)
      assert.same({ "TlsError", false, false }, { err.code, err.sent, err.retryable })
    end)
  end)

  it("trusts a directory with hash links, given or the system's", function()
    local response = assert(get(nginx:url("/empty", "good"),
      { tls = { ca_path = certificates.dir .. "/hashed" } }))
    assert.equal(200, response.status)
    local directory = require("sagemaker.curl").ca_directory()
    assert.is_true(directory == nil or directory:sub(1, 1) == "/")
  end)

  it("is loud, once, when told to verify nothing", function()
    local said = {}
    local transport = new{
      tls = { verify = false },
      logger = function(level, message) said[#said + 1] = level .. ": " .. message end,
    }
    for _, where in ipairs{ "expired", "wrong_host", "expired" } do
      local request = { method = "GET", url = nginx:url("/empty", where), headers = {} }
      assert.equal(200, assert(transport:send(request)).status)
    end
    assert.same({
      "warn: TLS certificates are not verified (tls.verify = false): anybody can answer",
    }, said)
  end)

  it("passes on a 503 in HTML and an empty 200", function()
    local response = assert(get(nginx:url("/busy", "good")))
    assert.equal(503, response.status)
    assert.equal("<html>busy</html>", response.body)
    response = assert(get(nginx:url("/empty", "good")))
    assert.equal(200, response.status)
    assert.equal("", response.body)
  end)

  it("carries large bodies of any bytes both ways", function()
    local bytes = {}
    for i = 0, 255 do bytes[#bytes + 1] = string.char(i) end
    local body = table.concat(bytes):rep(4000)
    local response = assert(new():send{ method = "POST", url = nginx:url("/echo", "good"),
      headers = {}, body = body })
    assert.is_true(response.body == body)
  end)

  it("hands large bodies on as they are read, whoever is slow", function()
    local transport, body = new(), ("0123456789abcdef"):rep(60000)
    local request = { method = "POST", url = nginx:url("/echo", "good"), headers = {}, body = body,
      stream = true }
    for _, pause in ipairs{ 0, 0.002 } do
      local reader, parts = assert(transport:send(request)).reader, {}
      repeat
        local bytes = reader:read()
        parts[#parts + 1] = bytes
        if bytes then
          assert.is_true(#bytes <= 65536)
          if pause > 0 then env.sleep(pause) end
        end
      until not bytes
      assert.is_true(table.concat(parts) == body)
    end
    assert.is_true(assert(transport:send{ method = "GET", url = nginx:url("/empty", "good"),
      headers = {} }).reused)
  end)

  it("is at rest when all that came over TLS was read", function()
    local loop = require("sagemaker.curl").loop()
    local agent = loop:agent{ ca_file = ca, connect_timeout = 20, read_timeout = 20 }
    agent:start({ url = nginx:url("/stall", "good") }, 30)
    assert.is_true(server.wait_for(20, function()
      loop:step(0.05)
      return not loop:step(0.05) and #loop:fds() == 1 and loop:timeout() > 1
    end))
    loop:close()
  end)

  it("waits for an answer over TLS as long as it is told", function()
    local request = { method = "GET", url = nginx:url("/slow", "good"), headers = {},
      timeouts = { read = 0.3 } }
    local start = env.clock()
    local _, _, err = new():send(request)
    local elapsed = env.clock() - start
    assert.same({ "ReadTimeout", "timeout", true }, { err.code, err.kind, err.sent })
    assert.is_true(elapsed >= 0.295)
  end)

  it("goes through a proxy", function()
    local proxy = server.nginx{ locations = PROXY }
    local url = ("http://127.0.0.1:%d"):format(proxy.ports.http)
    local response = assert(get(nginx:url("/empty"), { proxy = url }))
    local direct = assert(get(nginx:url("/empty"),
      { proxy = { http = url, no_proxy = "localhost,127.0.0.1" } }))
    proxy:stop()
    assert.equal("yes", response.headers["X-Proxy"])
    assert.is_nil(direct.headers["X-Proxy"])
  end)

  it("goes through a proxy that is reached over TLS", function()
    local proxy = server.nginx{ locations = PROXY, tls = { "good" },
      certificates = certificates.dir }
    local transport = new{ proxy = proxy:url("", "good") }
    local reused = {}
    for i = 1, 2 do
      local response = assert(transport:send{ method = "GET", url = nginx:url("/empty"),
        headers = {} })
      assert.equal("yes", response.headers["X-Proxy"])
      reused[i] = response.reused
    end
    -- TLS may hold back what the socket has given already: also of what the service sends plainly.
    local body, parts = ("0123456789abcdef"):rep(60000), {}
    local echo = { method = "POST", url = nginx:url("/echo"), headers = {}, body = body }
    assert.is_true(assert(transport:send(echo)).body == body)
    echo.stream = true
    local reader = assert(transport:send(echo)).reader
    repeat
      local bytes, message = reader:read()
      assert.is_nil(message)
      parts[#parts + 1] = bytes
      env.sleep(0.001)
    until not bytes
    assert.is_true(table.concat(parts) == body)
    local err = select(3, get(nginx:url("/empty"), { tls = {}, proxy = proxy:url("", "good") }))
    proxy:stop()
    assert.same({ false, true }, reused)
    assert.is_false(err.sent)
  end)

  it("goes through a tunnel, and keeps it", function()
    local proxy = server.bad{ "tunnel" }
    local transport = new{ proxy = proxy:url("") }
    local _, first = operation(transport, "CreateEndpoint", { EndpointName = "a" })
    local _, second = operation(transport, "CreateEndpoint", { EndpointName = "a" })
    local output = proxy:output()
    proxy:stop()
    assert.truthy(output:find("tunnel CONNECT 127.0.0.1:" .. nginx.ports.good, 1, true))
    assert.is_nil(first.headers["X-Proxy"])
    assert.is_false(first.reused)
    assert.is_true(second.reused)
  end)

  it("says to the service behind a tunnel nothing of the proxy", function()
    local proxy = server.bad{ "tunnel" }
    local response = assert(get(nginx:url("/line", "good"),
      { proxy = ("http://user:hush@127.0.0.1:%d"):format(proxy.port) }))
    proxy:stop()
    assert.equal("GET /line HTTP/1.1 ", response.body)
  end)

  it("says of a connection that stands in for a dead one what became of it", function()
    local function outcome(steps, timeouts, seconds)
      local list = { "tunnel", "next", "read" }
      for _, step in ipairs(steps) do list[#list + 1] = step end
      local proxy = server.bad(list)
      local transport = new{ proxy = proxy:url("") }
      local request = { method = "GET", url = nginx:url("/empty", "good"), headers = {},
        timeouts = timeouts }
      assert(transport:send(request))
      request.url = nginx:url("/drop", "good")
      local start = env.clock()
      local _, _, err = transport:send(request, seconds and start + seconds)
      local elapsed = env.clock() - start
      proxy:stop()
      return { err.code, err.sent, err.received, err.retryable }, elapsed
    end
    local rows, elapsed = outcome({ "hang" }, { connect = 0.6, read = 0.5 })
    assert.same({ "ConnectTimeout", true, false, true }, rows)
    assert.is_true(elapsed >= 0.695, tostring(elapsed))
    assert.same({ "ConnectTimeout", true, false, true },
      outcome({ "hang" }, { connect = 0.1, read = 20 }))
    assert.same({ "AttemptTimeout", true, false, true }, outcome({ "hang" }, nil, 0.2))
    assert.same({ "ProxyError", true, false, true }, outcome({ "reset" }))
    assert.same({ "ProxyError", true, false, false },
      outcome{ "send:HTTP/1.1 407 Who?\\r\\nContent-Length: 0\\r\\n\\r\\n" })
  end)

  it("reports a proxy whose tunnel breaks", function()
    local proxy = server.bad{ "read", "reset" }
    local _, _, err = get(nginx:url("/", "good"), { proxy = proxy:url("") })
    proxy:stop()
    assert.same({ "ProxyError", false, true }, { err.code, err.sent, err.retryable })
  end)

  it("tells a broken handshake from one that cannot work", function()
    for _, steps in ipairs{ { "await", "reset" }, { "await" }, { "await", "half", "hang" } } do
      local bad = server.bad(steps)
      local _, _, err = get(("https://127.0.0.1:%d/"):format(bad.port))
      bad:stop()
      assert.same({ "ConnectionReset", false, true }, { err.code, err.sent, err.retryable })
    end
    local bad = server.bad{ "await", "send:HTTP/1.1 400 Bad\\r\\n\\r\\n" }
    local _, _, err = get(("https://127.0.0.1:%d/"):format(bad.port))
    bad:stop()
    assert.same({ "TlsError", false, false }, { err.code, err.sent, err.retryable })
  end)
end)
