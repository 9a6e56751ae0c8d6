-- The cosocket transport's connections: TLS, and the way by a proxy.
local nginx = require "support.nginx"
local server = require "support.server"

local OK = "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"

describe("transport.resty by", function()
  local available, reason = nginx.available()
  if not available then
    pending(reason)
    return
  end

  local one, certificates
  local crew = nginx.crew()
  local bad = crew.bad

  local function send(requests, opts)
    return one:send(requests, opts)
  end

  local function answer(request, opts)
    local row = send({ request }, opts)[1]
    return row.response or error(row.message, 2)
  end

  local function failure(request, opts)
    local row = send({ request }, opts)[1]
    assert.is_false(row.response)
    return row.err
  end

  local function get(url, timeouts)
    return { method = "GET", url = url, timeouts = timeouts }
  end

  setup(function()
    certificates = server.certificates()
    one = nginx.start{ http = ("lua_ssl_trusted_certificate %s/ca.pem; lua_ssl_verify_depth 2;")
      :format(certificates.dir) }
  end)
  after_each(crew.stop)
  teardown(function()
    one:stop()
    certificates.remove()
    server.clean()
  end)

  describe("TLS", function()
    local secure

    setup(function()
      secure = server.nginx{ tls = { "good", "wrong_host", "expired" },
        certificates = certificates.dir,
        locations = [[ location / { return 200 "$ssl_server_name"; } ]] }
    end)
    teardown(function() secure:stop() end)

    local function url(name)
      return ("https://localhost:%d/"):format(secure.ports[name])
    end

    it("verifies the certificate and its name, and names the server", function()
      local rows = send({ get(url "good"), get(url "good") }, { timings = true })
      assert.same({ "localhost", false, true },
        { rows[1].response.body, rows[1].response.reused, rows[2].response.reused })
      assert.is_true(rows[1].response.timings.tls >= rows[1].response.timings.connect)
      assert.same({ 0, 0 }, { rows[2].response.timings.tls, rows[2].response.timings.connect })
      for _ = 1, 10 do -- whether nginx has to wait for the handshake or not
        local err = failure(get(url "wrong_host"))
        assert.same({ "HostNameMismatch", "transport", false, false },
          { err.code, err.kind, err.sent, err.retryable })
        err = failure(get(url "expired"))
        assert.same({ "CertificateError", false, false, true }, { err.code, err.sent,
          err.retryable, err.message:find("10: certificate has expired", 1, true) ~= nil })
      end
      local err = failure(get(("https://127.0.0.1:%d/"):format(secure.ports.good)))
      assert.same({ "HostNameMismatch", true },
        { err.code, err.message:find("names only", 1, true) ~= nil })
    end)

    it("without certificates to trust names the directive that is lacking", function()
      local other = crew.start{}
      local row = other:send({ get(url "good") })[1]
      assert.same({ "CertificateError", "transport", false },
        { row.err.code, row.err.kind, row.err.sent })
      assert.truthy(row.err.message:find("lua_ssl_trusted_certificate", 1, true))
      row = other:send({ get(url "good") }, { tls = { verify = false } })[1]
      assert.equal(200, row.response.status)
      assert.truthy(other:log():find("TLS certificates are not verified", 1, true))
    end)

    it("takes no certificates from the program, and says where they belong", function()
      local code, message = one:lua[[
        local _, message, err = require("sagemaker.transport.resty").new{
          tls = { ca_file = "/tmp/x.pem" } }
        return err.code .. " " .. err.kind, message ]]
      assert.equal("CertificateStoreError config", code)
      assert.truthy(message:find("lua_ssl_trusted_certificate", 1, true))
    end)

    it("passes over those that the environment names for everybody, and says so", function()
      local other = crew.start{ main = "env AWS_CA_BUNDLE=/nowhere/ca.pem;" }
      assert.equal("sagemaker.transport.resty", other:lua[[
        return tostring(require("sagemaker").new{ region = "eu-west-1" }.transport) ]])
      assert.truthy(other:log():find("AWS_CA_BUNDLE does not count inside nginx", 1, true))
    end)

    it("with somebody who speaks none is an error that says so", function()
      failure(get(url "expired")) -- whose number nginx remembers
      local err = failure(get(("https://localhost:%d/"):format(secure.ports.http)))
      assert.same({ "TlsError", false, false }, { err.code, err.sent, err.retryable })
      err = failure(get(("https://localhost:%d/"):format(bad{ "await" }.port)))
      assert.same({ false, true },
        { err.sent, err.code == "ConnectionReset" or err.code == "TlsError" })
    end)

    it("goes through the tunnel of a proxy", function()
      local proxy = bad{ "tunnel" }
      local opts = { proxy = ("http://me:hush@127.0.0.1:%d"):format(proxy.port) }
      local rows = send({ get(url "good"), get(url "good") }, opts)
      assert.same({ "localhost", false, true },
        { rows[1].response.body, rows[1].response.reused, rows[2].response.reused })
      local other = bad{ "read", "send:HTTP/1.1 407 Who?\\r\\nContent-Length: 0\\r\\n\\r\\n" }
      local request = get(url "good")
      request.headers = { Authorization = "AWS4 secret" }
      local err = failure(request, { proxy = ("http://me:hush@127.0.0.1:%d"):format(other.port) })
      assert.same({ "ProxyError", false, false, "CONNECT with 407" }, { err.code, err.sent,
        err.retryable, err.message:match("CONNECT with %d+") })
      assert.truthy(other:output():find("Proxy-Authorization: Basic bWU6aHVzaA==", 1, true))
      assert.is_nil(other:output():find("secret", 1, true))
      err = failure(get(url "good"), { proxy = "https://127.0.0.1:1" })
      assert.same({ "ProxyUnavailable", "config" }, { err.code, err.kind })
    end)
  end)

  describe("proxy", function()
    it("gets the whole URL of an http request", function()
      local other = bad{ "read", OK, "again" }
      local opts = { proxy = { http = ("http://user:pass@127.0.0.1:%d"):format(other.port),
        no_proxy = "direct.invalid,10.0.0.0/8" } }
      answer(get("http://service.invalid/path?q"), opts)
      assert.truthy(other:output():find("GET http://service.invalid/path?q HTTP/1.1\r\nHost: " ..
        "service.invalid\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n", 1, true))
      assert.equal("NoResolver", failure(get("http://direct.invalid/"), opts).code)
      assert.equal("ConnectionRefused", failure(get("http://127.0.0.1:1/"),
        { proxy = { http = opts.proxy.http, no_proxy = "127.0.0.0/8" } }).code)
      local request = get("http://127.0.0.1:1/")
      request.direct = true
      assert.equal("ConnectionRefused", failure(request, opts).code)
    end)

    it("that is not there is the proxy's fault, and its password stays secret", function()
      local err = failure(get("http://service.invalid/"),
        { proxy = "http://user:hush@127.0.0.1:1" })
      assert.same({ "ProxyError", false, true }, { err.code, err.sent, err.retryable })
      assert.is_nil(err.message:find("hush", 1, true))
      err = failure(get("http://service.invalid/"), { proxy = "http://user:hu/sh@127.0.0.1:1" })
      assert.same({ "ProxyUnavailable", false }, { err.code, err.retryable })
      assert.is_nil(err.message:find("sh@", 1, true))
    end)
  end)
end)
