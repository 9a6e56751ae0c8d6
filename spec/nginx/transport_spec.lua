-- The cosocket transport inside nginx, against servers good and bad.
local nginx = require "support.nginx"
local server = require "support.server"

local OK = "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
local HEAD = "send:HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n\\r\\n"

describe("transport.resty", function()
  local available, reason = nginx.available()
  if not available then
    pending(reason)
    return
  end

  local one
  local crew = nginx.crew()
  local bad = crew.bad

  -- The outcomes of several requests.
  local function send(requests, opts)
    return one:send(requests, opts)
  end

  local function send_one(request, opts)
    local row = send({ request }, opts)[1]
    return row.response, row.err, row.seconds
  end

  local function answer(request, opts)
    local response, err = send_one(request, opts)
    return response or error(err.code .. ": " .. err.message, 2)
  end

  local function failure(request, opts)
    local response, err, seconds = send_one(request, opts)
    assert.is_false(response)
    return err, seconds
  end

  local function get(url, timeouts)
    return { method = "GET", url = url, timeouts = timeouts }
  end

  -- How much longer it took depends on how busy the machine is.
  local function took(elapsed, seconds)
    assert.is_true(elapsed > seconds - 0.005, ("%.3f s, not %.3f"):format(elapsed, seconds))
  end

  setup(function()
    one = nginx.start{}
  end)
  after_each(crew.stop)
  teardown(function()
    one:stop()
    server.clean()
  end)

  describe("request", function()
    it("goes out as it is given, nothing added but Host and Content-Length", function()
      local other = bad{ "read", OK }
      local body = "{\"a\":\0\r\n\255}"
      assert.equal("ok", answer{ method = "POST", url = other:url("/a/../b%20c//?x=%2F"),
        body = body, headers = { ["x-ODD-Case"] = "v", Empty = "", N = 7 } }.body)
      local head, sent = other:output():match("\nrequest %d+ bytes\n(.-\r\n\r\n)(.*)\n$")
      assert.equal(body, sent)
      local lines = {}
      for line in head:gmatch("(.-)\r\n") do lines[#lines + 1] = line end
      assert.equal("POST /a/../b%20c//?x=%2F HTTP/1.1", table.remove(lines, 1))
      lines[#lines] = nil
      table.sort(lines)
      assert.same({ "Content-Length: " .. #body, "Empty:", "Host: 127.0.0.1:" .. other.port,
        "N: 7", "x-ODD-Case: v" }, lines)
    end)

    it("with a line break or a NUL where none may be is not sent", function()
      local url = "http://127.0.0.1:1/"
      local requests = {
        { url = url .. "\r\nX: y" }, { url = url .. " " }, { url = url .. "\0" },
        { url = url .. "#top" }, { url = "ftp://127.0.0.1/" }, { url = "http://" },
        { url = url, headers = { ["X\r\nY"] = "z" } }, { url = url, headers = { X = "a\nb" } },
        { url = url, headers = { X = "a\0b" } }, { url = url, headers = { ["X Y"] = "z" } },
        { url = url, method = "GET / HTTP/1.1\r\nX: y" }, { url = "http://127.0.0.1:0/" },
        { url = "http://127.0.0.1:65536/" }, { url = "http://[::1/" },
        { url = url, headers = { ["content-length"] = "3" }, body = "ab" },
        { url = url, headers = { ["Transfer-Encoding"] = "chunked" } },
        { url = "http://user:secret@127.0.0.1:1/" },
      }
      for i, row in ipairs(send(requests)) do
        assert.is_false(row.response, i)
        assert.same({ "InvalidRequest", "transport", false, false },
          { row.err.code, row.err.kind, row.err.sent, row.err.retryable })
        assert.is_nil(row.message:find("secret", 1, true))
      end
    end)

    it("sends a large body whole", function()
      local other = bad{ "read", OK }
      local body = ("0123456789abcdef"):rep(40000)
      answer{ method = "POST", url = other:url(), body = body }
      assert.truthy(other:output():find(body, 1, true))
    end)

    it("of a wrong type throws", function()
      for _, request in ipairs{ { body = {} }, { headers = "x" }, { headers = { X = {} } },
        { timeouts = { read = -1 } }, { timeouts = { read = "1" } }, { url = 1 } } do
        request.url = request.url or "http://127.0.0.1:1/"
        assert.has_error(function()
          one:lua("return assert(require('sagemaker.transport.resty').new()):send(" ..
            nginx.literal(request) .. ")")
        end)
      end
    end)
  end)

  describe("answer", function()
    local function text(steps, opts)
      return answer(get(bad{ "read", "send:" .. steps }:url()), opts)
    end

    it("keeps names, joins repeated headers, hides interim answers and trailers", function()
      local response = text("HTTP/1.1 103 Early Hints\\r\\nLink: x\\r\\n\\r\\n" ..
        "HTTP/1.1 503 Busy\\r\\nX-One: 1\\r\\nx-one: 2\\r\\nTransfer-Encoding: chunked\\r\\n" ..
        "\\r\\n3\\r\\nabc\\r\\n0\\r\\nX-Trailer: t\\r\\n\\r\\n")
      assert.same({ ["X-One"] = "1, 2", ["Transfer-Encoding"] = "chunked" }, response.headers)
      assert.same({ 503, "abc" }, { response.status, response.body })
      assert.equal("until the end", text("HTTP/1.1 200 OK\\r\\n\\r\\nuntil the end").body)
    end)

    it("says how long each step took, if asked", function()
      assert.is_nil(text("HTTP/1.1 204 None\\r\\n\\r\\n").timings)
      local timings = text("HTTP/1.1 204 None\\r\\n\\r\\n", { timings = true }).timings
      assert.is_true(timings.connect > 0 and timings.connect <= timings.first_byte)
      assert.is_true(timings.first_byte <= timings.total)
      assert.same({ 0, 0 }, { timings.tls, timings.resolve })
      local request = get(bad{ "read", "send:HTTP/1.1 204 None\\r\\n\\r\\n" }:url())
      request.stream = true
      assert.is_table(answer(request, { timings = true }).timings)
    end)

    it("is limited in size, announced or not, and in its headers", function()
      local limits = { max_response_bytes = 1000, max_header_bytes = 2000 }
      local status = "send:HTTP/1.1 200 OK\\r\\n"
      for _, steps in ipairs{
        { "read", status .. "Content-Length: 1001\\r\\n\\r\\n", "hang" },
        { "read", status .. "\\r\\n", "repeat:1001:x", "hang" },
        { "read", status, "repeat:300:A: b\\r\\n", "hang" },
        { "read", status .. "A: ", "repeat:200000:x", "hang" },
      } do
        local err = failure(get(bad(steps):url()), limits)
        assert.same({ "ResponseTooLarge", true, false }, { err.code, err.sent, err.retryable })
      end
    end)

    it("that breaks off or is not HTTP is an error that says so", function()
      local function outcome(steps)
        local err = failure(get(bad(steps):url()))
        return { err.code, err.received, err.retryable, err.sent }
      end
      assert.same({ "EmptyReply", false, true, true }, outcome{ "read" })
      assert.same({ "ConnectionReset", false, true, true }, outcome{ "read", "reset" })
      assert.same({ "TruncatedResponse", true, true, true },
        outcome{ "read", "send:HTTP/1.1 200 OK\\r\\nContent-Len" })
      assert.same({ "TruncatedResponse", true, true, true }, outcome{ "read", HEAD, "reset" })
      assert.same({ "TruncatedResponse", true, true, true }, outcome{ "read", HEAD .. "abc" })
      assert.same({ "TruncatedResponse", true, true, true },
        outcome{ "read", HEAD .. "abc", "half", "hang" })
      assert.same({ "InvalidResponse", false, false, true },
        outcome{ "read", "send:SSH-2.0-OpenSSH_9.2\\r\\n", "hang" })
      assert.same({ "InvalidResponse", true, false, true }, outcome{ "read",
        "send:HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n", "hang" })
    end)

    it("that comes before all of the request was read is an answer", function()
      local other = bad{ "await", "send:HTTP/1.1 413 Large\\r\\nConnection: close\\r\\n" ..
        "Content-Length: 2\\r\\n\\r\\nno", "half", "hang" }
      assert.equal(413, answer{ method = "POST", url = other:url(),
        body = ("x"):rep(8 * 1024 * 1024) }.status)
    end)
  end)

  describe("stream", function()
    local CHUNKED = "send:HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"

    local function stream(steps, more)
      local request = get(bad(steps):url(), { connect = 5, read = 0.5 })
      request.stream = true
      for k, v in pairs(more or {}) do request[k] = v end
      return send_one(request)
    end

    it("is read as it comes, and its connection kept", function()
      local other = bad{ "read", CHUNKED .. "3\\r\\nabc\\r\\n", "wait:30",
        "send:2\\r\\nde\\r\\n0\\r\\n\\r\\n", "again" }
      local request = get(other:url())
      request.stream = true
      local rows = send{ request, request }
      for i = 1, 2 do
        assert.same({ "abcde", true, i == 2 },
          { rows[i].response.body, rows[i].response.streamed, rows[i].response.reused })
        assert.is_nil(rows[i].err)
      end
    end)

    it("is one for 2xx only", function()
      local response = stream{ "read",
        "send:HTTP/1.1 424 X\\r\\nContent-Length: 3\\r\\n\\r\\nabc" }
      assert.same({ 424, "abc" }, { response.status, response.body })
      assert.is_nil(response.streamed)
      assert.equal("", stream({ "read", "send:HTTP/1.1 204 X\\r\\n\\r\\n" }).body)
    end)

    it("that breaks, stalls or is garbled is an error, never a quiet end", function()
      local function outcome(steps, more)
        local response, err, seconds = stream(steps, more)
        return { response.body, err.code, err.kind, err.sent, err.received }, seconds
      end
      assert.same({ "abc", "TruncatedResponse", "transport", true, true },
        outcome{ "read", CHUNKED .. "3\\r\\nabc\\r\\n" })
      assert.same({ "abc", "TruncatedResponse", "transport", true, true },
        outcome{ "read", CHUNKED .. "3\\r\\nabc\\r\\n", "wait:50", "reset" })
      assert.same({ "abc", "TruncatedResponse", "transport", true, true },
        outcome{ "read", HEAD .. "abc", "half", "hang" })
      assert.same({ "abc", "InvalidResponse", "transport", true, true },
        outcome{ "read", CHUNKED .. "3\\r\\nabc\\r\\nzz\\r\\n", "hang" })
      local stalled, seconds = outcome{ "read", CHUNKED .. "3\\r\\nabc\\r\\n",
        "wait:5000", "send:0\\r\\n\\r\\n" }
      assert.same({ "abc", "ReadTimeout", "timeout", true, true }, stalled)
      took(seconds, 0.5)
    end)

    it("goes on after the deadline, which held for its head", function()
      local steps = { "read", CHUNKED .. "3\\r\\nabc\\r\\n", "wait:400",
        "send:1\\r\\nd\\r\\n0\\r\\n\\r\\n" }
      local response, err = stream(steps, { seconds = 0.2 })
      assert.is_nil(err)
      assert.equal("abcd", response.body)
      response, err = stream({ "read", "wait:1000" }, { seconds = 0.2 })
      assert.is_false(response)
      assert.equal("AttemptTimeout", err.code)
    end)

    it("that is closed early gives its connection up", function()
      local other = bad{ "read", CHUNKED .. "3\\r\\nabc\\r\\n", "hang" }
      local request = get(other:url())
      request.stream, request.stop = true, true
      local rows = send{ request, request }
      assert.same({ "abc", false }, { rows[1].response.body, rows[2].response.reused })
    end)

    it("may be closed by another thread while one waits for more", function()
      local steps = { "wait:20", "send:5\\r\\n", "wait:20", "send:defgh\\r\\n" }
      for _, head in ipairs{ CHUNKED .. "3\\r\\nabc\\r\\n", HEAD .. "abc",
        "send:HTTP/1.1 200 OK\\r\\n\\r\\nabc" } do
        local other = bad{ "read", head, steps[1], steps[2], steps[3], steps[4], "hang" }
        local got = one:lua([[
          local transport = assert(require("sagemaker.transport.resty").new{})
          local reader = assert(transport:send{ method = "GET", url = %q, stream = true }).reader
          local first, got = reader:read(), {}
          local thread = ngx.thread.spawn(function()
            for i = 1, 2 do got[i] = { pcall(reader.read, reader) } end
          end)
          reader:close()
          reader:close()
          ngx.thread.wait(thread)
          return { first, got[1][1], got[1][2] == nil, got[1][4].code, got[2][4].code }
        ]], other:url())
        assert.same({ "abc", true, true, "StreamClosed", "StreamClosed" }, got)
      end
    end)
  end)

  describe("time limit", function()
    it("ends connecting, reading, and the whole attempt", function()
      local function check(code, seconds, steps, timeouts, limit)
        local other = bad(steps)
        local request = get(other:url(), timeouts)
        request.seconds = limit
        local err, elapsed = failure(request)
        assert.same({ code, "timeout", true }, { err.code, err.kind, err.retryable })
        took(elapsed, seconds)
        return err
      end
      assert.is_false(check("ConnectTimeout", 0.3, { "full" }, { connect = 0.3 }).sent)
      assert.is_false(check("AttemptTimeout", 0.25, { "full" }, { connect = 5 }, 0.25).sent)
      local err = check("ReadTimeout", 0.3, { "read", "wait:5000", OK }, { read = 0.3 })
      assert.same({ true, false }, { err.sent, err.received })
      err = check("ReadTimeout", 0.3, { "read", HEAD .. "abc", "wait:5000", "send:defghij" },
        { read = 0.3 })
      assert.same({ true, true }, { err.sent, err.received })
      check("AttemptTimeout", 0.35, { "read",
        "drip:20:HTTP/1.1 200 OK\\r\\nContent-Length: 20\\r\\n\\r\\nand so" }, { read = 5 }, 0.35)
      check("AttemptTimeout", 0.35, { "read", "wait:5000", OK }, { read = 10 }, 0.35)
      assert.is_false(check("AttemptTimeout", 0, { "read", OK }, nil, -1).sent)
    end)

    it("ends a TLS handshake that gets no answer", function()
      local err, elapsed = failure(get(("https://localhost:%d/"):format(bad{ "hang" }.port),
        { connect = 0.3 }))
      assert.same({ "ConnectTimeout", false }, { err.code, err.sent })
      took(elapsed, 0.3)
    end)

    it("for reading starts anew with every byte", function()
      local other = bad{ "read", "drip:20:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" }
      local response, _, seconds = send_one(get(other:url(), { read = 0.4 }))
      assert.equal("ok", response.body)
      assert.is_true(seconds > 0.5)
    end)

    it("holds for a name that nobody answers", function()
      local silent = bad{ "hang" } -- TCP only: whoever asks it by UDP hears nothing
      local other = crew.start{ http = ("resolver 127.0.0.1:%d; resolver_timeout 20s;")
        :format(silent.port) }
      local row = other:send({ get("http://slow.example/", { connect = 0.3 }) })[1]
      assert.same({ "ConnectTimeout", false }, { row.err.code, row.err.sent })
      took(row.seconds, 0.3)
    end)
  end)

  describe("name", function()
    it("needs a resolver, unless this machine knows it", function()
      local err = failure(get("http://does-not-exist.invalid/"))
      assert.same({ "NoResolver", "config", false, false },
        { err.code, err.kind, err.sent, err.retryable })
      assert.truthy(err.message:find("directive resolver", 1, true))
      local other = bad{ "read", OK }
      assert.equal("ok", answer(get(("http://localhost:%d/"):format(other.port))).body)
      assert.truthy(other:output():find("Host: localhost:" .. other.port, 1, true))
      err = failure(get("http://127.0.0.1:1/"))
      assert.same({ "ConnectionRefused", false, true }, { err.code, err.sent, err.retryable })
    end)
  end)

  it("asks nginx's resolver for names", function()
    local folder = server.folder()
    local pid = server.spawn("python3 spec/support/dns.py", folder .. "/output")
    local port = server.wait_for(10, function()
      local f = io.open(folder .. "/output")
      local text = f and f:read("*a") or ""
      if f then f:close() end
      return text:match("^port (%d+)\n") or not server.alive(pid) and "none"
    end)
    if port == "none" then
      server.remove(folder)
      return pending("python3 is not installed")
    end
    local other = nginx.start{ http = ("resolver 127.0.0.1:%s ipv6=off;"):format(port),
      locations = [[ location / { return 200 $host; } ]] }
    local ok, problem = pcall(function()
      local url = ("http://model.example:%d/"):format(other.ports.http)
      local rows = other:send{ get(url), get(url), get("http://nobody.invalid/") }
      assert.same({ "model.example", false, "model.example", true },
        { rows[1].response.body, rows[1].response.reused, rows[2].response.body,
          rows[2].response.reused })
      assert.same({ "HostNotFound", "transport", false, true }, { rows[3].err.code,
        rows[3].err.kind, rows[3].err.sent, rows[3].err.retryable })
    end)
    other:stop()
    server.stop(pid)
    server.remove(folder)
    assert(ok, problem)
  end)

  describe("kept connection", function()
    it("is used again, by its own place only", function()
      local other = bad{ "read", OK, "again" }
      local url = other:url()
      local rows = send{ get(url), get(url), get(url), get(("http://localhost:%d/")
        :format(other.port)) }
      assert.same({ false, true, true, false },
        { rows[1].response.reused, rows[2].response.reused, rows[3].response.reused,
          rows[4].response.reused })
    end)

    it("that the server closed is replaced without a word", function()
      local other = bad{ "read", OK }
      for _, row in ipairs(send{ get(other:url()), get(other:url()) }) do
        assert.is_false(row.response.reused)
      end
    end)

    it("that dies under a request is replaced when nothing had come", function()
      local other = bad{ "read", OK, "read", "reset", "next", "read", OK }
      local request = { method = "POST", url = other:url(), body = "again" }
      local rows = send{ request, request }
      assert.same({ false, "ok" }, { rows[2].response.reused, rows[2].response.body })
      assert.equal(3, other:requests())
    end)

    it("that dies after a part of the answer, or at work, is not", function()
      local other = bad{ "read", OK, "read", "send:HTTP/1.1 200 OK\\r\\n", "reset" }
      local rows = send{ get(other:url()), get(other:url()) }
      assert.same({ "TruncatedResponse", true }, { rows[2].err.code, rows[2].err.sent })
      other = bad{ "read", OK, "read", "wait:1200", "reset", "next", "read", OK }
      rows = send{ get(other:url()), get(other:url()) }
      assert.same({ "ConnectionReset", true, true },
        { rows[2].err.code, rows[2].err.sent, rows[2].err.retryable })
      assert.equal(2, other:requests())
    end)

    it("is not kept after a failure, or with bytes that belong to no answer", function()
      local other = bad{ "read", OK .. "extra", "again" }
      local rows = send{ get(other:url()), get(other:url()) }
      assert.same({ false, false }, { rows[1].response.reused, rows[2].response.reused })
      other = bad{ "read", HEAD .. "abc", "wait:300", "send:defghij", "read", OK, "again" }
      rows = send{ get(other:url(), { read = 0.1 }), get(other:url()) }
      assert.equal("ReadTimeout", rows[1].err.code)
      assert.is_false(rows[2].response and rows[2].response.reused or false)
    end)
  end)

  describe("phase", function()
    it("in which nginx cannot wait is an error that names it and the way out", function()
      local other = bad{ "read", OK, "again" }
      local call = ([[
        local t = assert(require("sagemaker.transport").choose())
        local response, message, err = t:send{ method = "GET", url = "%s", headers = {}, body = "" }
        local text = response and "answered " .. response.body or err.kind .. " " .. message
        ngx.shared.sagemaker:set(ngx.get_phase(), text)
      ]]):format(other:url())
      local blocks = { "location /phases {", "set_by_lua_block $x { " .. call .. " return '' }",
        "content_by_lua_block { " .. call .. " ngx.timer.at(0, function() " .. call ..
          " end) ngx.say('ok') }" }
      for _, phase in ipairs{ "rewrite", "access", "header_filter", "body_filter", "log" } do
        blocks[#blocks + 1] = phase .. "_by_lua_block {" .. call .. "}"
      end
      blocks[#blocks + 1] = "}"
      local third = crew.start{ locations = table.concat(blocks, "\n"),
        http = "init_by_lua_block { local call = function() " .. call .. " end call() } " ..
          "init_worker_by_lua_block {" .. call .. "}" }
      third:get("/phases")
      local function said(phase)
        return third:lua("return ngx.shared.sagemaker:get(%q)", phase)
      end
      for _, phase in ipairs{ "set", "header_filter", "body_filter", "log", "init",
        "init_worker" } do
        local text = said(phase) or "nothing"
        assert.truthy(text:find("config WrongPhase: ", 1, true), phase .. ": " .. text)
        assert.truthy(text:find("'" .. phase .. "'", 1, true))
        assert.truthy(text:find("ngx.timer.at", 1, true))
      end
      for _, phase in ipairs{ "rewrite", "access", "content", "timer" } do
        assert.truthy(server.wait_for(5, function() return said(phase) == "answered ok" end),
          phase)
      end
    end)
  end)

  it("brings no library of its own for TLS or HTTP into nginx", function()
    answer(get(bad{ "read", OK }:url()))
    local maps = assert(io.open(("/proc/%d/maps"):format(one:workers()[1])))
    local text = maps:read("*a")
    maps:close()
    assert.truthy(text:find("sagemaker/core.so", 1, true))
    assert.is_nil(text:find("curl", 1, true))
    for _, library in ipairs{ "libssl", "libcrypto" } do
      local files = {}
      for path in text:gmatch("(/%S*" .. library .. "%.so[%d.]*)") do files[path] = true end
      local path = next(files)
      assert.truthy(path)
      assert.is_nil(next(files, path))
    end
  end)

  it("leaves nothing behind, good or bad", function()
    local good = bad{ "read", OK, "again" }
    local cut, stall = bad{ "read", HEAD .. "abc" }, bad{ "read", "hang" }
    local round = ([[
      local t = assert(require("sagemaker.transport.resty").new{ timeouts = { read = 0.01 } })
      local urls = { %q, %q, %q }
      for i = 1, %%d do
        for _, url in ipairs(urls) do
          for _, stream in ipairs{ true, false } do
            local r = t:send{ method = "GET", url = url, headers = {}, body = "", stream = stream }
            if r and r.reader then r.reader:read() end
          end
        end
      end
      t = nil
      collectgarbage() collectgarbage()
      return 1 ]]):format(good:url(), cut:url(), stall:url())
    one:lua(round:format(50))
    local fds, bytes = one:descriptors(), one:memory()
    one:lua(round:format(300))
    assert.is_true(one:descriptors() <= fds + 1)
    assert.is_true(one:memory() - bytes < 1024 * 1024, one:memory() - bytes)
  end)
end)
