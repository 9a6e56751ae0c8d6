-- Connections of the blocking transport that are kept for the next request.
local curl = require "sagemaker.transport.curl"
local descriptors = require "support.descriptors"
local requests = require "support.requests"
local server = require "support.server"
local system = require "system"

local env = { now = system.gettime, clock = system.monotime, sleep = system.sleep }

local function new(opts)
  opts = opts or {}
  opts.io = env
  return curl.new(opts)
end

local get, failure = requests.get, requests.failure

local OK = "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"

describe("a kept connection of transport.curl", function()
  local crew = server.crew()
  local bad = crew.bad

  after_each(crew.stop)
  teardown(server.clean)

  it("is used again", function()
    local one = bad{ "read", OK, "again" }
    local transport = new()
    local reused = {}
    for i = 1, 3 do reused[i] = assert(transport:send(get(one:url()))).reused end
    assert.same({ false, true, true }, reused)
  end)

  it("that the server closed is replaced without a word", function()
    local one = bad{ "read", OK }
    local transport, before = new(), nil
    for _ = 1, 5 do
      local response = assert(transport:send(get(one:url())))
      assert.is_false(response.reused)
      before = before or descriptors()
    end
    assert.is_true(descriptors() <= before)
  end)

  it("is none where the answer says so, although the server leaves it open", function()
    for _, head in ipairs{
      "HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 2\\r\\n\\r\\nok",
      "HTTP/1.1 200 OK\\r\\nConnection: x, Close\\r\\nContent-Length: 2\\r\\n\\r\\nok",
      "HTTP/1.0 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok",
      "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\nContent-Length: 2\\r\\n\\r\\n"
        .. "2\\r\\nok\\r\\n0\\r\\n\\r\\n",
    } do
      local transport, one = new(), bad{ "read", "send:" .. head, "again" }
      for _ = 1, 2 do
        local response = assert(transport:send(get(one:url())))
        assert.same({ "ok", false }, { response.body, response.reused })
      end
    end
    local transport, last = new(), bad{ "read", OK, "again" }
    for _ = 1, 2 do -- nor where the request says so
      local request = get(last:url())
      request.headers = { connection = "Close" }
      assert.is_false(assert(transport:send(request)).reused)
    end
    local one = bad{ "read", "send:HTTP/1.0 200 OK\\r\\nConnection: keep-alive\\r\\n" ..
      "Content-Length: 2\\r\\n\\r\\nok", "again" }
    for i = 1, 2 do
      assert.equal(i == 2, assert(transport:send(get(one:url()))).reused)
    end
  end)

  it("is used again after answers that have no body, whatever they announce", function()
    for _, case in ipairs{ { "HEAD", "200 OK" }, { "HEAD", "404 No" }, { "GET", "304 Same" },
      { "HEAD", "204 None" } } do
      local one = bad{ "read", ("send:HTTP/1.1 %s\\r\\nContent-Length: 5\\r\\n\\r\\n")
        :format(case[2]), "again" }
      local transport, request = new(), get(one:url())
      request.method, request.timeouts = case[1], { read = 5 }
      for i = 1, 2 do
        local response = assert(transport:send(request))
        assert.same({ tonumber(case[2]:match "^%d+"), "", i == 2 },
          { response.status, response.body, response.reused })
      end
    end
  end)

  -- Whether bytes that nobody has read are in the socket of a connection to this port.
  local function has_come(port)
    for line in io.lines "/proc/net/tcp" do
      local peer, waiting = line:match("^%s*%d+: %x+:%x+ %x+:(%x+) %x+ %x+:(%x+)")
      if peer and tonumber(peer, 16) == port and tonumber(waiting, 16) > 0 then return true end
    end
    return false
  end

  it("with bytes that belong to no answer is given up", function()
    for _, rest in ipairs{ "more", "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nbad" } do
      local one, transport = bad{ "read", OK .. rest, "again" }, new()
      for _ = 1, 2 do
        local response = assert(transport:send(get(one:url())))
        assert.same({ "ok", false }, { response.body, response.reused })
      end
      -- Those that come later are noticed before the next request.
      local late = bad{ "read", OK, "wait:10", "send:" .. rest, "again" }
      for _ = 1, 2 do
        local response = assert(transport:send(get(late:url())))
        assert.same({ "ok", false }, { response.body, response.reused })
        assert.is_true(server.wait_for(20, function() return has_come(late.port) end))
      end
    end
  end)

  it("is kept for one host only", function()
    local one, other = bad{ "read", OK, "again" }, bad{ "read", OK, "again" }
    local transport = new()
    local reused = {}
    for i = 1, 4 do
      reused[i] = assert(transport:send(get((i % 2 == 1 and one or other):url()))).reused
    end
    assert.same({ false, false, true, true }, reused)
  end)

  it("is not taken for a host whose name only begins as the other one", function()
    local proxy = bad{ "read", OK, "again" }
    local transport = new{ proxy = proxy:url "" }
    for i, host in ipairs{ "a.invalid:8080", "a.invalid:80", "a.invalid", "a.invalid:8080" } do
      local response = assert(transport:send(get(("http://%s/"):format(host))))
      assert.equal(i == 4, response.reused, host)
    end
  end)

  it("is one of few: the oldest gives way", function()
    local servers = {}
    for i = 1, 3 do servers[i] = bad{ "read", OK, "again" } end
    local transport = new{ max_connections_per_host = 2 }
    local function reused(i) return assert(transport:send(get(servers[i]:url()))).reused end
    for i = 1, 3 do assert.is_false(reused(i)) end
    assert.same({ true, true, false }, { reused(3), reused(2), reused(1) })
  end)

  it("that dies under a request is replaced when nothing had come", function()
    local one = bad{ "read", OK, "read", "reset", "next", "read", OK }
    local transport = new()
    local request = { method = "POST", url = one:url(), headers = {}, body = "again" }
    assert(transport:send(request))
    assert.is_false(assert(transport:send(request)).reused)
    assert.equal(3, (one:requests()))
  end)

  it("that dies while a large body is being sent is replaced", function()
    local one = bad{ "read", OK, "await", "reset", "next", "await", OK, "wait:60000" }
    local transport = new()
    local request = { method = "POST", url = one:url(), headers = {}, body = "" }
    assert(transport:send(request))
    request.body = ("x"):rep(20000000)
    local response = assert(transport:send(request))
    assert.same({ "ok", false }, { response.body, response.reused })
  end)

  it("that dies after a part of the answer is not", function()
    local one = bad{ "read", OK, "read", "send:HTTP/1.1 200 OK\\r\\n", "reset" }
    local transport = new()
    assert(transport:send(get(one:url())))
    local err = failure(transport, get(one:url()))
    assert.same({ "TruncatedResponse", true }, { err.code, err.sent })
  end)

  it("that dies while the request is at work is not", function()
    local one = bad{ "read", OK, "read", "wait:1200", "reset", "next", "read", OK }
    local transport = new()
    assert(transport:send(get(one:url())))
    local err = failure(transport, get(one:url()))
    assert.same({ "ConnectionReset", true, true }, { err.code, err.sent, err.retryable })
    assert.equal(2, (one:requests()))
  end)
end)
