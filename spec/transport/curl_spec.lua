local curl = require "sagemaker.transport.curl"
local requests = require "support.requests"
local server = require "support.server"
local system = require "system"

local env = { now = system.gettime, clock = system.monotime, sleep = system.sleep }

local function new(opts)
  opts = opts or {}
  opts.io = env
  return curl.new(opts)
end

-- Ended not before it should; how much later depends on how busy the machine is.
local function took(elapsed, seconds)
  assert.is_true(elapsed > seconds - 0.005, ("%.3f s, not %.3f"):format(elapsed, seconds))
end

local get, failure = requests.get, requests.failure

local OK = "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"

describe("transport.curl", function()
  local crew = server.crew()
  local bad = crew.bad

  after_each(crew.stop)
  teardown(server.clean)

  it("loads no library and touches no network before the first request", function()
    local loaded = package.loaded["sagemaker.curl"]
    package.loaded["sagemaker.curl"] = nil
    local transport = new{ proxy = "http://nowhere.invalid:1" }
    assert.is_nil(package.loaded["sagemaker.curl"])
    transport:close()
    package.loaded["sagemaker.curl"] = loaded
  end)

  it("starts no part of libcurl that HTTP does not need", function()
    -- Where libcurl has LDAP, starting that part loads all plugins of SASL.
    local program = [[require "sagemaker.curl"
      for line in io.lines "/proc/self/maps" do io.write(line:match "%S*$", "\n") end]]
    local output, ok = server.shell(("LD_PRELOAD='%s' %s -e '%s'"):format(
      os.getenv "LD_PRELOAD" or "", os.getenv "SAGEMAKER_LUA" or "lua5.4", program))
    assert.is_true(ok, output)
    assert.truthy(output:find("libcurl", 1, true), output)
    assert.falsy(output:find("/sasl2/", 1, true), output)
  end)

  it("refuses options of the wrong type", function()
    assert.has_error(function() new{ proxy = 7 } end, "opts.proxy must be a string, not a number")
    assert.has_error(function() new{ tls = { ca_file = true } } end,
      "tls.ca_file must be a string, not a boolean")
    assert.has_error(function() new{ tls = { verify = "no" } } end,
      "tls.verify must be true or false, not a string")
  end)

  describe("request", function()
    it("goes out as it is given, nothing added but Host and Content-Length", function()
      local one = bad{ "read", OK }
      local body = "{\"a\":\0\r\n\255}"
      local response = assert(new():send{
        method = "POST",
        url = one:url("/a/../b%20c//?x=%2F"),
        headers = { ["x-ODD-Case"] = "v", Empty = "", ["X-Amz-Target"] = "S.Op", N = 7 },
        body = body,
      })
      assert.equal("ok", response.body)
      local head, sent = one:output():match("\nrequest %d+ bytes\n(.-\r\n\r\n)(.*)\n$")
      assert.equal(body, sent)
      local lines = {}
      for line in head:gmatch("(.-)\r\n") do lines[#lines + 1] = line end
      assert.equal("POST /a/../b%20c//?x=%2F HTTP/1.1", table.remove(lines, 1))
      lines[#lines] = nil -- the empty line
      table.sort(lines)
      assert.same({
        "Content-Length: " .. #body, "Empty:", "Host: 127.0.0.1:" .. one.port, "N: 7",
        "X-Amz-Target: S.Op", "x-ODD-Case: v",
      }, lines)
    end)

    it("has every method, with an empty body where the method wants one", function()
      local one = bad{ "read", OK, "again" }
      local transport = new()
      local function sent(method, body)
        local before = #one:output()
        assert(transport:send{ method = method, url = one:url(), headers = {}, body = body })
        return one:output():sub(before + 1):match("^request %d+ bytes\n(.*)\n$")
      end
      local rest = " / HTTP/1.1\r\nHost: 127.0.0.1:" .. one.port .. "\r\n"
      assert.equal("GET" .. rest .. "\r\n", sent("GET", ""))
      assert.equal("POST" .. rest .. "Content-Length: 0\r\n\r\n", sent("POST", ""))
      assert.equal("PUT" .. rest .. "Content-Length: 3\r\n\r\nabc", sent("PUT", "abc"))
      assert.equal("DELETE" .. rest .. "\r\n", sent("DELETE"))
      assert.equal("PATCH" .. rest .. "Content-Length: 0\r\n\r\n", sent("PATCH", ""))
      assert.equal("GET" .. rest .. "\r\n", sent("GET"))
    end)

    it("sends a large body whole, without asking first", function()
      local one = bad{ "read", OK }
      local body = ("0123456789abcdef"):rep(40000)
      assert(new():send{ method = "POST", url = one:url(), headers = {}, body = body })
      local output = one:output()
      assert.truthy(output:find(body, 1, true))
      assert.is_nil(output:find("Expect", 1, true))
    end)

    it("with a line break or a NUL where none may be is not sent", function()
      local transport = new()
      local url = "http://127.0.0.1:1/"
      for _, request in ipairs{
        { url = url .. "\r\nX: y" }, { url = url .. " " }, { url = url .. "\0" },
        { url = url .. "#top" }, { url = "ftp://127.0.0.1/" }, { url = "file:///etc/passwd" },
        { url = url, headers = { ["X\r\nY"] = "z" } }, { url = url, headers = { X = "a\nb" } },
        { url = url, headers = { X = "a\0b" } }, { url = url, headers = { ["X Y"] = "z" } },
        { url = url, headers = { [""] = "z" } }, { url = url, method = "GET / HTTP/1.1\r\nX: y" },
        { url = url, headers = { ["content-length"] = "3" }, body = "ab" },
        { url = url, headers = { ["Transfer-Encoding"] = "chunked" } },
        { url = url, headers = { X = ("x"):rep(300000) } },
        { url = "http://user:secret@127.0.0.1:1/" },
      } do
        local err = failure(transport, request)
        assert.equal("InvalidRequest", err.code)
        assert.equal("transport", err.kind)
        assert.is_false(err.sent)
        assert.is_false(err.retryable)
        assert.is_nil(tostring(err):find("secret", 1, true))
      end
    end)

    it("of a wrong type throws", function()
      local transport = new()
      local url = "http://127.0.0.1:1/"
      assert.has_error(function() transport:send{ url = url, body = {} } end)
      assert.has_error(function() transport:send{ url = url, headers = "x" } end)
      assert.has_error(function() transport:send{ url = url, headers = { X = {} } } end)
      assert.has_error(function() transport:send{ url = url, timeouts = { read = -1 } } end)
      assert.has_error(function() transport:send{ url = url, timeouts = { read = 0 / 0 } } end)
      assert.equal("ConnectionRefused", failure(transport, get(url)).code)
    end)
  end)

  describe("answer", function()
    local function answer(text, opts)
      return new(opts):send(get(bad{ "read", "send:" .. text }:url()))
    end

    it("keeps names, joins repeated headers, unfolds folded ones", function()
      local response = assert(answer("HTTP/1.1 200 OK\\r\\nX-One: 1\\r\\nx-one:  2 \\r\\n" ..
        "Fold: a\\r\\n  b\\r\\nEmpty:\\r\\nContent-Length: 0\\r\\n\\r\\n"))
      assert.same({ ["X-One"] = "1, 2", Fold = "a b", Empty = "", ["Content-Length"] = "0" },
        response.headers)
      assert.equal("", response.body)
      assert.equal(200, response.status)
    end)

    it("shows neither interim answers nor trailers", function()
      local response = assert(answer("HTTP/1.1 103 Early Hints\\r\\nLink: x\\r\\n\\r\\n" ..
        "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n" ..
        "3\\r\\nabc\\r\\n0\\r\\nX-Trailer: t\\r\\n\\r\\n"))
      assert.same({ ["Transfer-Encoding"] = "chunked" }, response.headers)
      assert.equal("abc", response.body)
    end)

    it("of any status and content passes through", function()
      local html = "<html>\\0</html>"
      local response = assert(answer("HTTP/1.1 503 Busy\\r\\nContent-Type: text/html\\r\\n" ..
        "Content-Length: 14\\r\\n\\r\\n" .. html))
      assert.equal(503, response.status)
      assert.equal("<html>\0</html>", response.body)
      response = assert(answer("HTTP/1.1 302 Found\\r\\nLocation: http://127.0.0.1:1/\\r\\n" ..
        "Content-Length: 0\\r\\n\\r\\n"))
      assert.equal(302, response.status)
      response = assert(answer("HTTP/1.1 200 OK\\r\\nContent-Encoding: gzip\\r\\n" ..
        "Content-Length: 3\\r\\n\\r\\nabc"))
      assert.equal("abc", response.body)
      response = assert(answer("HTTP/1.1 200 OK\\r\\n\\r\\nuntil the end"))
      assert.equal("until the end", response.body)
    end)

    it("says how long each step took, if asked", function()
      local text = "HTTP/1.1 204 None\\r\\n\\r\\n"
      assert.is_nil(assert(answer(text)).timings)
      local timings = assert(answer(text, { timings = true })).timings
      assert.is_true(timings.resolve <= timings.connect)
      assert.is_true(timings.connect <= timings.first_byte)
      assert.is_true(timings.first_byte <= timings.total)
      assert.equal(0, timings.tls)
      local one = bad{ "read", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\no",
        "wait:50", "send:k" }
      timings = assert(new{ timings = true }:send(get(one:url()))).timings
      assert.is_true(timings.total - timings.first_byte > 0.045)
    end)

    local LIMITS = { max_response_bytes = 1000, max_header_bytes = 2000 }

    it("is limited in size, announced or not", function()
      local body = ("x"):rep(1000)
      assert.equal(1000, #assert(answer("HTTP/1.1 200 OK\\r\\nContent-Length: 1000\\r\\n\\r\\n" ..
        body, LIMITS)).body)
      local length = "Content-Length: %s\\r\\n"
      for _, head in ipairs{ length:format("1001"), "", length:format("99999999999") } do
        local one = bad{ "read", "send:HTTP/1.1 200 OK\\r\\n" .. head .. "\\r\\n",
          "repeat:1001:x" }
        local err = failure(new(LIMITS), get(one:url()))
        assert.equal("ResponseTooLarge", err.code)
        assert.is_true(err.sent and err.received and not err.retryable)
        assert.truthy(err.message:find("over 1000 bytes", 1, true))
      end
      -- What is announced need not come.
      local one = bad{ "read", "send:HTTP/1.1 200 OK\\r\\n" .. length:format("1001") .. "\\r\\n",
        "hang" }
      assert.equal("ResponseTooLarge", failure(new(LIMITS), get(one:url())).code)
    end)

    it("is limited in the size and number of its headers", function()
      local status = "send:HTTP/1.1 200 OK\\r\\n"
      for _, steps in ipairs{
        { "read", status, "repeat:300:A: b\\r\\n", "hang" },
        { "read", status, "repeat:30:" .. ("a"):rep(100) .. ": b\\r\\n", "hang" },
        { "read", status .. "A: ", "repeat:200000:x", "hang" },
        { "read", status .. "A: b\\r\\n", "repeat:200: folded line\\r\\n", "hang" },
      } do
        local err = failure(new(LIMITS), get(bad(steps):url()))
        assert.equal("ResponseTooLarge", err.code)
      end
    end)

    local function outcome(steps)
      local err = failure(new(), get(bad(steps):url()))
      return err.code, err.received, err.retryable, err.sent
    end

    it("that breaks off is an error that says so", function()
      local head = "send:HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n"
      assert.same({ "EmptyReply", false, true, true }, { outcome{ "read" } })
      assert.same({ "ConnectionReset", false, true, true }, { outcome{ "read", "reset" } })
      assert.same({ "TruncatedResponse", true, true, true }, { outcome{ "read", head } })
      assert.same({ "TruncatedResponse", true, true, true },
        { outcome{ "read", head .. "\\r\\n", "reset" } })
      assert.same({ "TruncatedResponse", true, true, true },
        { outcome{ "read", head .. "\\r\\nabc" } })
      assert.same({ "TruncatedResponse", true, true, true },
        { outcome{ "read", head .. "\\r\\nabc", "half", "hang" } })
      assert.same({ "TruncatedResponse", true, true, true }, { outcome{ "read",
        "send:HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n5\\r\\nab" } })
    end)

    it("that comes before the request is all sent is read, and ends the connection", function()
      local one = bad{ "await",
        "send:HTTP/1.1 413 Too much\\r\\nContent-Length: 2\\r\\n\\r\\nno", "wait:60000" }
      local transport = new()
      for _ = 1, 2 do
        local response = assert(transport:send{ method = "POST", url = one:url(), headers = {},
          body = ("x"):rep(20000000) })
        assert.same({ 413, "no", false }, { response.status, response.body, response.reused })
      end
    end)

    it("that breaks off in its head is no empty answer", function()
      local status = "send:HTTP/1.1 200 OK\\r\\n"
      for _, head in ipairs { status, status .. "Content-Ty", status .. "Content-Type: a/b\\r\\n",
        "send:HTTP/1.1 100 Continue\\r\\n\\r\\n" } do
        assert.same({ "TruncatedResponse", true, true, true },
          { outcome { "read", head, "half", "hang" } })
        assert.same({ "TruncatedResponse", true, true, true }, { outcome { "read", head } })
        local request = get(bad{ "read", head }:url())
        request.stream = true
        local err = failure(new(), request)
        assert.same({ "TruncatedResponse", true, true },
          { err.code, err.received, err.sent })
      end
    end)

    it("that is not HTTP is an error that says so", function()
      assert.same({ "InvalidResponse", false, false, true },
        { outcome{ "read", "send:SSH-2.0-OpenSSH_9.2\\r\\n" } })
      assert.same({ "InvalidResponse", true, false, true }, { outcome{ "read",
        "send:HTTP/1.1 200 OK\\r\\nA: \\0\\r\\n\\r\\n" } })
      assert.same({ "InvalidResponse", true, false, true }, { outcome{ "read",
        "send:HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n" } })
    end)
  end)

  describe("time limit", function()
    it("ends connecting", function()
      local one = bad{ "full" }
      local err, elapsed = failure(new(), get(one:url(), { connect = 0.3 }))
      assert.same({ "ConnectTimeout", "timeout", false, true },
        { err.code, err.kind, err.sent, err.retryable })
      took(elapsed, 0.3)
    end)

    it("ends a TLS handshake that gets no answer", function()
      local one = bad{ "hang" }
      local url = ("https://127.0.0.1:%d/"):format(one.port)
      local err, elapsed = failure(new(), get(url, { connect = 0.3 }))
      assert.same({ "ConnectTimeout", false }, { err.code, err.sent })
      took(elapsed, 0.3)
    end)

    it("ends waiting for the first byte", function()
      local one = bad{ "read", "wait:5000", OK } -- which whoever waits too long gets
      local err, elapsed = failure(new(), get(one:url(), { read = 0.3 }))
      assert.same({ "ReadTimeout", "timeout", true, false },
        { err.code, err.kind, err.sent, err.received })
      took(elapsed, 0.3)
    end)

    it("ends waiting for the rest", function()
      local one = bad{ "read", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n\\r\\nabc",
        "wait:5000", "send:defghij" }
      local err, elapsed = failure(new(), get(one:url(), { read = 0.3 }))
      assert.same({ "ReadTimeout", true, true }, { err.code, err.sent, err.received })
      took(elapsed, 0.3)
    end)

    it("ends sending when the other side takes no more", function()
      local one = bad{ "await", "wait:5000" }
      local request = get(one:url(), { read = 0.3 })
      request.method, request.body = "POST", ("x"):rep(20000000)
      local err, elapsed = failure(new(), request)
      assert.same({ "ReadTimeout", "timeout", true, false },
        { err.code, err.kind, err.sent, err.received })
      took(elapsed, 0.3)
    end)

    it("for reading starts anew with every byte", function()
      local one = bad{ "read", "drip:20:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" }
      local response = assert(new{ timings = true }:send(get(one:url(), { read = 0.4 })))
      assert.equal("ok", response.body)
      assert.is_true(response.timings.total > 0.5)
    end)

    it("of the whole attempt ends a slow drip", function()
      local one = bad{ "read", "drip:20:HTTP/1.1 200 OK\\r\\nContent-Length: 20\\r\\n\\r\\nand so" }
      local err, elapsed = failure(new(), get(one:url(), { read = 5 }), 0.35)
      assert.same({ "AttemptTimeout", "timeout", true }, { err.code, err.kind, err.retryable })
      took(elapsed, 0.35)
    end)

    it("of the whole attempt counts before the connection too", function()
      local err, elapsed = failure(new(), get(bad{ "full" }:url(), { connect = 5 }), 0.25)
      assert.same({ "AttemptTimeout", false }, { err.code, err.sent })
      took(elapsed, 0.25)
    end)

    it("that has passed already sends nothing", function()
      local one = bad{ "read", OK }
      local err, elapsed = failure(new(), get(one:url()), -1)
      assert.same({ "AttemptTimeout", "timeout", false }, { err.code, err.kind, err.sent })
      took(elapsed, 0)
      assert.is_nil(one:output():find("request", 1, true))
    end)

    it("leaves the transport usable", function()
      local one = bad{ "read", "hang", "next", "read", OK }
      local transport = new()
      assert.equal("ReadTimeout", failure(transport, get(one:url(), { read = 0.05 })).code)
      local response = assert(transport:send(get(one:url(), { read = 5 })))
      assert.equal("ok", response.body)
      assert.is_false(response.reused)
    end)
  end)

  describe("name", function()
    it("that does not exist is told apart from a closed port", function()
      local err = failure(new(), get("http://does-not-exist.invalid/"))
      assert.same({ "HostNotFound", false, true }, { err.code, err.sent, err.retryable })
      err = failure(new(), get("http://127.0.0.1:1/"))
      assert.same({ "ConnectionRefused", false, true }, { err.code, err.sent, err.retryable })
    end)
  end)

  describe("resources", function()
    local function descriptors()
      collectgarbage()
      collectgarbage()
      local pipe, n = io.popen("ls /proc/$PPID/fd"), 0
      for _ in pipe:lines() do n = n + 1 end
      pipe:close()
      return n
    end

    local function resident()
      local f = assert(io.open("/proc/self/statm"))
      local pages = f:read("*a"):match("^%d+ (%d+)")
      f:close()
      return tonumber(pages) * 4096
    end

    it("do not grow over a thousand calls, good and bad", function()
      local one = bad{ "read", OK, "again" }
      local broken = bad{ "read", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\n" }
      local transport = new()
      local function round(n)
        for _ = 1, n do
          for _ = 1, 9 do assert(transport:send(get(one:url()))) end
          transport:send(get(broken:url()))
        end
        collectgarbage()
        collectgarbage()
      end
      -- Right after a round a connection may still be on its way out: the least of a few counts.
      local function least()
        local fds = math.huge
        for _ = 1, 5 do
          round(1)
          fds = math.min(fds, descriptors())
        end
        return fds
      end
      round(10)
      local fds, bytes = least(), resident()
      round(100)
      assert.is_true(least() <= fds)
      if not (os.getenv("LD_PRELOAD") or ""):find("asan", 1, true) then -- which keeps freed memory
        assert.is_true(resident() - bytes < 1024 * 1024)
      end
      transport:close()
      assert.is_true(descriptors() < fds)
    end)

    it("are given back by close, and by the collector", function()
      local one = bad{ "read", OK, "again" }
      local before = descriptors()
      local function use(again)
        local transport = new()
        assert(transport:send(get(one:url())))
        if again then
          transport:close()
          assert(transport:send(get(one:url())))
        end
      end
      for i = 1, 20 do use(i % 2 == 0) end
      -- The last one may still be in a dead slot of the stack.
      assert.is_true(descriptors() < before + 8)
    end)
  end)
end)
