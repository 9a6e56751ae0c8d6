-- What every transport must do alike: blocking, in a task, and inside nginx.
local curl = require "sagemaker.transport.curl"
local nginx = require "support.nginx"
local sagemaker = require "sagemaker"
local server = require "support.server"
local task = require "sagemaker.task"

local function post(url, body, headers)
  return { method = "POST", url = url, headers = headers or {}, body = body,
    timeouts = { connect = 5, read = 5 } }
end

-- Ways to send a request; each answers response or false, and err.
local WAYS = {}

function WAYS.blocking()
  local transport = curl.new()
  return function(request)
    local response, _, err = transport:send(request)
    return response or false, err
  end, function() transport:close() end
end

WAYS["in a task"] = function()
  local send, stop = WAYS.blocking()
  return function(request) return task.run(send, request) end, stop
end

WAYS["inside nginx"] = nginx.available() and function()
  local one = nginx.start{}
  return function(request)
    local row = one:send({ request })[1]
    return row.response, row.err
  end, function() one:stop() end
end or nil

for way, begin in pairs(WAYS) do
  describe("a request " .. way, function()
    local crew, send, stop = server.crew(), nil, nil

    setup(function() send, stop = begin() end)
    after_each(crew.stop)
    teardown(function()
      stop()
      server.clean()
    end)

    describe("with an Expect of the caller's own", function()
      local EXPECT = { Expect = "100-continue" }
      local BODY = ("b"):rep(100000)

      it("is sent whole, and what comes before the answer is passed over", function()
        local one = crew.bad{ "await", "send:HTTP/1.1 100 Continue\\r\\n\\r\\n", "read",
          "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok", "again" }
        for i = 1, 2 do
          local response = send(post(one:url(), BODY, EXPECT))
          assert.same({ 200, "ok" }, { response.status, response.body })
          local _, said = one:output():gsub("\nExpect: 100%-continue\r\n", "")
          assert.same({ i, i }, { said, one:requests() })
        end
        assert.truthy(one:output():find("\r\n\r\n" .. BODY, 1, true))
      end)

      it("gets the refusal of a server that wants no body", function()
        local one = crew.bad{ "await",
          "send:HTTP/1.1 417 No\\r\\nConnection: close\\r\\nContent-Length: 2\\r\\n\\r\\nno",
          "hang" }
        local response = send(post(one:url(), BODY, EXPECT))
        assert.same({ 417, "no" }, { response.status, response.body })
      end)
    end)

    it("to a URL with a user name is refused, and shows no password", function()
      local one = crew.bad{ "read", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n",
        "again" }
      local place = ("127.0.0.1:%d"):format(one.port)
      for _, scheme in ipairs{ "http", "https" } do
        local response, err = send(post(scheme .. "://user:word@" .. place .. "/", ""))
        assert.is_false(response)
        assert.equal("InvalidRequest", err.code)
        assert.matches("the URL may not hold a user name", err.message, 1, true)
        assert.is_nil(err.message:find("word", 1, true))
      end
      assert.equal(200, send(post("http://" .. place .. "/a@b?c@d", "")).status)
      assert.equal(200, send(post("http://" .. place .. "?c@d", "")).status)
    end)

    it("is the last one on its connection when it says so", function()
      local one = crew.bad{ "read", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok",
        "again" }
      local reused = {}
      for i, headers in ipairs{ {}, { connection = "Close" }, {}, {} } do
        reused[i] = send(post(one:url(), "x", headers)).reused
      end
      assert.same({ false, true, false, true }, reused)
    end)

    it("that says that its connection is to be closed has it closed", function()
      local one = crew.bad{ "read", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok",
        "again" }
      for _, row in ipairs{ { "keep-alive", false }, { "Keep-Alive , Close", true },
        { "close", false }, { "disclose", false }, { "", true } } do
        local response = send(post(one:url(), "x", { Connection = row[1] }))
        assert.same({ "ok", row[2] }, { response.body, response.reused }, row[1])
      end
    end)

    it("to an IPv6 address goes there, and names it in Host", function()
      if not server.has_ipv6() then
        pending("this machine has no ::1")
        return
      end
      local one = crew.add(server.nginx{ ipv6 = true,
        locations = 'location / { return 200 "$http_host $server_addr $request_uri"; }' })
      local host = ("[::1]:%d"):format(one.ports.http)
      local response = send(post(("http://%s/a?b=c"):format(host), "x"))
      assert.equal(host .. " ::1 /a?b=c", response.body)
    end)
  end)
end

describe("a client with an IPv6 address as its endpoint", function()
  it("signs for it", function()
    local sim = sagemaker.simulator.new()
    local client = assert(sagemaker.new{ transport = sim, region = "us-east-1",
      endpoint_url = "http://[::1]:4580", credentials = { access_key_id = "test",
        secret_access_key = "test" } })
    assert.same({}, assert(client:list_endpoints()).Endpoints)
    assert.equal("[::1]:4580", assert(client:request("ListEndpoints")).host)
  end)
end)
