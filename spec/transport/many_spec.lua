-- Many requests at once, in tasks over one loop of libcurl.
local curl = require "sagemaker.transport.curl"
local descriptors = require "support.descriptors"
local server = require "support.server"
local task = require "sagemaker.task"

local env = require("sagemaker.env").new()

local OK = "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"

local function get(url, timeouts)
  return { method = "GET", url = url, headers = {}, body = "", timeouts = timeouts }
end

describe("transport.curl in tasks", function()
  local crew, transport = server.crew(), nil
  local bad = crew.bad

  before_each(function() transport = curl.new{ io = env } end)
  after_each(function()
    transport:close()
    crew.stop()
  end)
  teardown(server.clean)

  -- Descriptors that a transport has open once it was used, without any connection.
  local function opened()
    transport:send(get("http://127.0.0.1:1/"))
    return descriptors()
  end

  -- Runs a function so many times at once; its results, one row each.
  local function times(n, fn)
    local fns = {}
    for i = 1, n do fns[i] = function() return fn(i) end end
    return task.all(fns)
  end

  it("lets calls wait side by side", function()
    local one = bad{ "read", "meet:30", OK } -- none is answered before all are there
    local rows = times(30, function() return assert(transport:send(get(one:url()))).body end)
    for i = 1, 30 do assert.same({ true, "ok" }, { rows[i][1], rows[i][2] }) end
  end)

  it("keeps few connections and uses them again", function()
    transport = curl.new{ io = env, max_connections_per_host = 4 }
    local one = bad{ "read", "wait:5", OK, "again" }
    local before, fresh = opened(), 0
    local rows = times(40, function() return assert(transport:send(get(one:url()))).reused end)
    for i = 1, 40 do
      assert.is_true(rows[i][1], tostring(rows[i][2]))
      if not rows[i][2] then fresh = fresh + 1 end
    end
    assert.equal(4, fresh)
    local now = descriptors()
    assert.is_true(now <= before + 4, ("%d after %d"):format(now, before))
    assert.equal(40, one:requests())
  end)

  it("lets requests go in the order in which they came", function()
    transport = curl.new{ io = env, max_connections_per_host = 1 }
    local one = bad{ "read", OK, "again" }
    local order = {}
    times(20, function(i)
      assert(transport:send(get(one:url())))
      order[#order + 1] = i
    end)
    for i = 1, 20 do assert.equal(i, order[i]) end
  end)

  it("says so when no connection is free in time", function()
    transport = curl.new{ io = env, max_connections_per_host = 1 }
    local one = bad{ "read", "hang", "next", "read", OK }
    local rows = times(2, function(i)
      local response, _, err = transport:send(get(one:url()), env.clock() + 0.25 - i * 0.1)
      return response or err
    end)
    assert.same({ "AttemptTimeout", "AttemptTimeout" }, { rows[1][2].code, rows[2][2].code })
    assert.truthy(rows[2][2].message:find("no connection was free in time", 1, true))
    assert.same({ true, false }, { rows[1][2].sent, rows[2][2].sent })
    assert.equal("ok", task.run(function()
      return assert(transport:send(get(one:url()))).body
    end))
  end)

  it("keeps failures and limits to their own tasks", function()
    local hanging, dead = bad{ "read", "hang" }, "http://127.0.0.1:1/"
    local one = bad{ "read", OK, "again" }
    local rows = times(30, function(i)
      local url = i % 3 == 0 and hanging:url() or i % 3 == 1 and dead or one:url()
      local response, _, err = transport:send(get(url, { read = 0.05 + i / 1000 }))
      return response and response.body or err.code
    end)
    for i = 1, 30 do
      local expected = i % 3 == 0 and "ReadTimeout" or i % 3 == 1 and "ConnectionRefused" or "ok"
      assert.equal(expected, rows[i][2])
    end
  end)

  it("throws wrong requests at who made them, and leaves no place taken", function()
    transport = curl.new{ io = env, max_connections_per_host = 1 }
    local one = bad{ "read", OK, "again" }
    local rows = times(4, function(i)
      if i % 2 == 0 then return assert(transport:send(get(one:url()))).body end
      return transport:send{ url = one:url(), body = {} }
    end)
    assert.same({ false, true, false, true }, { rows[1][1], rows[2][1], rows[3][1], rows[4][1] })
    assert.truthy(tostring(rows[1][2]):find("request.body must be a string, not table", 1, true))
  end)

  it("gives up what a cancelled task waits for, and its connection", function()
    local one = bad{ "read", "hang" }
    local before = opened()
    for _, n in ipairs{ 1, 20 } do
      task.run(function()
        local tasks = {}
        for i = 1, n do
          tasks[i] = task.spawn(function() return transport:send(get(one:url())) end)
        end
        while one:requests() < n do task.sleep(0.005) end
        for i = 1, n do tasks[i]:cancel() end
        for i = 1, n do
          local ok, err = tasks[i]:wait()
          assert.same({ false, "TaskCancelled" }, { ok, err.code })
        end
      end)
      one:stop()
      assert.is_true(descriptors() <= before)
      one = bad{ "read", "hang" }
    end
  end)

  it("gives up a place in the queue, too", function()
    transport = curl.new{ io = env, max_connections_per_host = 1 }
    -- The first is not answered before somebody else has come.
    local one = bad{ "read", "meet:2", OK, "read", OK, "read", OK, "next", "meet:2" }
    task.run(function()
      local tasks = {}
      for i = 1, 5 do
        tasks[i] = task.spawn(function() return assert(transport:send(get(one:url()))).body end)
      end
      while one:requests() < 1 do task.sleep(0.005) end
      tasks[2]:cancel()
      tasks[4]:cancel()
      local other = curl.new{ io = env }
      other:send(get(one:url()))
      other:close()
      for _, i in ipairs{ 1, 3, 5 } do assert.same({ true, "ok" }, { tasks[i]:wait() }) end
      assert.same({ "cancelled", "cancelled" }, { tasks[2].status, tasks[4].status })
    end)
    assert.equal(3, one:requests())
  end)

  it("does not let those wait for a place who keep the one that has it from going on", function()
    transport = curl.new{ io = env, max_connections_per_host = 1 }
    local one = bad{ "read", "wait:10", OK, "again" }
    local function send()
      return assert(transport:send(get(one:url()), env.clock() + 20)).body
    end
    local fns = {}
    for i = 1, 40 do
      -- Who is in a coroutine of his own cannot yield to the scheduler.
      fns[i] = i % 3 > 0 and function() return coroutine.wrap(function() return send() end)() end
        or send
    end
    for i, row in ipairs(task.all(fns)) do assert.same({ i, true, "ok" }, { i, row[1], row[2] }) end
    for _, gate in pairs(transport._gates) do assert.equal(0, gate.taken) end
  end)

  it("serves those who wait for a place when it is closed", function()
    transport = curl.new{ io = env, max_connections_per_host = 1 }
    local one = bad{ "read", "hang", "next", "read", OK, "again" }
    local function send() return transport:send(get(one:url())) end
    local rows = task.all{ send, send, send, function()
      while one:requests() < 1 do task.sleep(0.005) end
      transport:close()
    end }
    assert.equal("TransportClosed", rows[1][4].code)
    for i = 2, 3 do assert.same({ true, "ok" }, { rows[i][1], rows[i][2].body }) end
  end)

  it("ends requests under way when it is closed", function()
    local one = bad{ "read", "hang" }
    local _, _, err = task.run(function()
      task.spawn(function()
        while one:requests() < 1 do task.sleep(0.005) end
        transport:close()
      end)
      return transport:send(get(one:url()))
    end)
    assert.same({ "transport", "TransportClosed", false }, { err.kind, err.code, err.retryable })
  end)

  it("does not let a task that computes starve the sockets of others", function()
    local one = bad{ "read", OK, "again" }
    local done = false
    local turns = 0
    task.run(function()
      task.spawn(function()
        for _ = 1, 5 do assert(transport:send(get(one:url()))) end
        done = true
      end)
      local last = env.clock() + 5
      while not done and env.clock() < last do
        turns = turns + 1
        coroutine.yield()
      end
    end)
    assert.is_true(done)
    assert.is_true(turns > 5)
  end)

  it("serves the body of a request that the caller forgets", function()
    local one = bad{ "read", OK, "again" }
    local rows = times(8, function(i)
      local request = get(one:url())
      request.method, request.body = "POST", (string.char(96 + i)):rep(200000)
      local co = task.current()
      task.spawn(function()
        for _ = 1, 5 do
          request.body, request.headers, request.url = nil, nil, nil
          collectgarbage()
          task.sleep(0)
        end
        return co
      end)
      return assert(transport:send(request)).status
    end)
    for i = 1, 8 do assert.same({ true, 200 }, { rows[i][1], rows[i][2] }) end
    local output = one:output()
    for i = 1, 8 do assert.truthy(output:find((string.char(96 + i)):rep(200000), 1, true)) end
  end)

  it("names its descriptors to a host with a loop of its own", function()
    local one = bad{ "read", "wait:20", OK }
    local loop, body = task.loop(), nil
    task.spawn(function() body = assert(transport:send(get(one:url()))).body end)
    local seen, generation = {}, nil
    while loop:step(loop:timeout() or 1) > 0 do
      local fds, now = loop:fds()
      for _, row in ipairs(fds) do
        assert.is_true(row.fd > 2 and (row.read or row.write))
        seen[row.fd] = true
      end
      if generation then assert.is_true(now >= generation) end
      generation = now
    end
    assert.equal("ok", body)
    assert.truthy(next(seen))
    assert.same({}, (loop:fds()))
  end)

  it("names no descriptor of a stream that is held back: there is nothing to be told of", function()
    for last, size in pairs{ hang = 0, reset = 20000000 } do
      local one = bad{ "await", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 1000000\\r\\n\\r\\n",
        "repeat:10000:0123456789", last }
      local loop = require("sagemaker.curl").loop()
      local agent = loop:agent{ connect_timeout = 20, read_timeout = 20 }
      local stream = agent:perform({ method = "POST", url = one:url(), stream = true,
        body = ("x"):rep(size) }).stream
      assert.is_true(server.wait_for(20, function()
        loop:step(0.01)
        return #loop:fds() == 0
      end))
      assert.is_true(#stream:take() <= 65536)
      loop:close()
      assert.same({}, (loop:fds()))
    end
  end)

  -- Streams of three parts, of which none goes out before that many ask for it.
  local function streams(n)
    local meet = "meet:" .. n
    return bad{ "read", "send:HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n",
      "send:1\\r\\na\\r\\n", meet, "send:1\\r\\nb\\r\\n", meet, "send:1\\r\\nc\\r\\n",
      "send:0\\r\\n\\r\\n", "again" }
  end

  local function open(one)
    local request = get(one:url())
    request.stream = true
    return assert(transport:send(request)).reader
  end

  it("reads many streams side by side", function()
    local one = streams(80) -- more than there are places: these count until the head has come
    local rows = times(80, function()
      local reader, parts = open(one), {}
      repeat
        local bytes, message = reader:read()
        parts[#parts + 1] = bytes or message
      until not bytes
      return table.concat(parts)
    end)
    for i = 1, 80 do assert.same({ true, "abc" }, { rows[i][1], rows[i][2] }) end
  end)

  it("reads streams side by side in the iterators of a for, which cannot yield on 5.1", function()
    local one = streams(8)
    local rows = times(8, function()
      local reader, text = open(one), ""
      for bytes in function() return reader:read() end do text = text .. bytes end
      return text
    end)
    for i = 1, 8 do assert.same({ true, "abc" }, { rows[i][1], rows[i][2] }) end
  end)

  it("wakes nobody else when a reader is closed that waited once", function()
    local one = bad{ "read", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\n", "wait:20",
      "send:abc" }
    local other = bad{ "read", "meet:2", OK, "next", "meet:2" }
    task.run(function()
      local reader = open(one)
      repeat local bytes = reader:read() until not bytes
      local waits = task.spawn(function() return assert(transport:send(get(other:url()))).body end)
      while other:requests() < 1 do task.sleep(0.005) end
      reader:close()
      coroutine.yield()
      local last = task.spawn(function() return transport:send(get(other:url())) end)
      assert.same({ true, "ok" }, { waits:wait() })
      last:cancel()
    end)
  end)

  it("tells a second reader of a stream that it is taken, and wakes who waits when it is closed",
    function()
      local one = bad{ "read", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\n", "hang" }
      task.run(function()
        local request = get(one:url())
        request.stream = true
        local reader = assert(transport:send(request)).reader
        local first = task.spawn(function() return reader:read() end)
        coroutine.yield()
        local ok, err = task.spawn(function() return reader:read() end):wait()
        assert.is_false(ok)
        assert.truthy(tostring(err):find("another task waits for this already", 1, true))
        reader:close()
        local _, bytes, _, failure = first:wait()
        assert.same({ nil, "StreamClosed" }, { bytes, failure.code })
      end)
    end)
end)
