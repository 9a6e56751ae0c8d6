-- Streamed answers, blocking and in tasks.
local curl = require "sagemaker.transport.curl"
local descriptors = require "support.descriptors"
local server = require "support.server"
local task = require "sagemaker.task"

local env = require("sagemaker.env").new()

local HEAD = "send:HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n"
local CHUNKED = "send:HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
local OK = HEAD:format(2) .. "ok"

-- What the specs below run in: nothing, and a task.
local PLACES = {
  ["blocking"] = function(fn, ...) return fn(...) end,
  ["in a task"] = task.run,
}

local function get(url, timeouts)
  return { method = "GET", url = url, headers = {}, body = "", stream = true, timeouts = timeouts }
end

-- All bytes of a reader, how many reads that took, and the failure.
local function read_all(reader)
  local parts = {}
  while true do
    local bytes, message, err = reader:read()
    if not bytes then return table.concat(parts), #parts, message, err end
    assert.is_true(#bytes > 0)
    parts[#parts + 1] = bytes
  end
end

for place, run in pairs(PLACES) do
  describe("a streamed answer, " .. place .. ",", function()
    local crew, transport = server.crew(), nil
    local bad = crew.bad

    before_each(function() transport = curl.new{ io = env } end)
    after_each(function()
      transport:close()
      crew.stop()
    end)
    teardown(server.clean)

    local function open(steps, timeouts)
      return assert(transport:send(get(bad(steps):url(), timeouts)))
    end

    it("comes with its head, then in parts, and leaves its connection for the next", function()
      run(function()
        local one = bad{ "read", CHUNKED, "send:3\\r\\nabc\\r\\n", "wait:30",
          "send:2\\r\\nde\\r\\n0\\r\\n\\r\\n", "again" }
        local first = assert(transport:send(get(one:url())))
        assert.same({ 200, nil }, { first.status, first.body })
        assert.equal("abc", first.reader:read())
        assert.equal("de", first.reader:read())
        for _ = 1, 3 do assert.is_nil(first.reader:read()) end
        first.reader:close()
        assert.is_nil(first.reader:read())
        local second = assert(transport:send(get(one:url())))
        assert.is_true(second.reused)
        assert.equal("abcde", (read_all(second.reader)))
      end)
    end)

    it("may be empty, or there at once", function()
      run(function()
        assert.is_nil(open{ "read", HEAD:format(0) }.reader:read())
        assert.equal("ok", open{ "read", OK }.reader:read())
      end)
    end)

    it("has a body as always when it is an error", function()
      run(function()
        local response = open{ "read", "send:HTTP/1.1 424 X\\r\\nContent-Length: 3\\r\\n\\r\\nabc" }
        assert.same({ 424, "abc", nil }, { response.status, response.body, response.reader })
      end)
    end)

    it("is held back when nobody reads", function()
      run(function()
        local one = bad{ "read", HEAD:format(64 * 1024 * 1024), "repeat:64:" .. ("x"):rep(60000) ..
          "", "repeat:1024:" .. ("y"):rep(61440 + 352), "hang" }
        collectgarbage()
        local response = assert(transport:send(get(one:url())))
        assert.is_true(#assert(response.reader:read()) <= 80 * 1024)
        env.sleep(0.1)
        local largest = 0
        for _ = 1, 20 do largest = math.max(largest, #assert(response.reader:read())) end
        assert.is_true(largest <= 80 * 1024, tostring(largest))
        response.reader:close()
      end)
    end)

    it("is held in no more than 64 KiB, whatever came first", function()
      run(function()
        local other = bad{ "read", "wait:100", OK }
        local response = open{ "read", HEAD:format(1000003), "send:abc", "wait:20",
          "repeat:100000:0123456789", "hang" }
        assert(transport:send{ method = "GET", url = other:url(), headers = {} })
        local bytes = assert(response.reader:read())
        assert.is_true(#bytes <= 65536, tostring(#bytes))
        response.reader:close()
      end)
    end)

    it("goes on once it was held back, also when nothing is there at that moment", function()
      run(function()
        local other = bad{ "read", "wait:50", OK }
        local response = open{ "read", HEAD:format(100003), "repeat:10000:0123456789", "wait:150",
          "send:end" }
        assert(transport:send{ method = "GET", url = other:url(), headers = {} })
        local bytes, _, message = read_all(response.reader)
        assert.is_nil(message)
        assert.same({ 100003, "end" }, { #bytes, bytes:sub(-3) })
      end)
    end)

    it("is read to its end, although the connection broke under the request meanwhile", function()
      run(function()
        local other = bad{ "read", "wait:100", OK }
        local request = get(bad{ "await", HEAD:format(100000), "repeat:10000:0123456789", "wait:50",
          "reset" }:url())
        request.method, request.body = "POST", ("x"):rep(20000000)
        local response = assert(transport:send(request))
        assert(transport:send{ method = "GET", url = other:url(), headers = {} })
        local bytes, _, message = read_all(response.reader)
        assert.is_nil(message)
        assert.equal(100000, #bytes)
      end)
    end)

    it("is whole however slowly it is read", function()
      run(function()
        local response = open{ "read", HEAD:format(4000000), "repeat:400000:0123456789" }
        local n = 0
        for i = 1, math.huge do
          local bytes, message = response.reader:read()
          if not bytes then
            assert.is_nil(message)
            break
          end
          assert.equal(("%d"):format(n % 10), bytes:sub(1, 1))
          n = n + #bytes
          if i % 8 == 0 then env.sleep(0.001) end
        end
        assert.equal(4000000, n)
      end)
    end)

    local BROKEN = {
      ["a reset"] = { { HEAD:format(10) .. "abc", "wait:30", "reset" }, "TruncatedResponse" },
      ["an early end"] = { { HEAD:format(10) .. "abc" }, "TruncatedResponse" },
      ["a half-closed connection"] = { { HEAD:format(10) .. "abc", "half", "hang" },
        "TruncatedResponse" },
      ["a chunk that breaks off"] = { { CHUNKED .. "5\\r\\nabc" }, "TruncatedResponse" },
      ["no last chunk"] = { { CHUNKED .. "3\\r\\nabc\\r\\n" }, "TruncatedResponse" },
      ["a bad chunk"] = { { CHUNKED .. "3\\r\\nabc\\r\\nzz\\r\\n", "hang" }, "InvalidResponse" },
    }
    for name, case in pairs(BROKEN) do
      it("that ends with " .. name .. " gives its bytes, then an error; the connection is gone",
        function()
          run(function()
            local steps = { "read" }
            for _, step in ipairs(case[1]) do steps[#steps + 1] = step end
            for _, step in ipairs{ "next", "read", OK } do steps[#steps + 1] = step end
            local one = bad(steps)
            local response = assert(transport:send(get(one:url())))
            local bytes, _, message, err = read_all(response.reader)
            assert.equal("abc", bytes)
            assert.equal(tostring(err), message)
            assert.same({ "transport", case[2], true, true },
              { err.kind, err.code, err.sent, err.received })
            local _, again = response.reader:read()
            assert.equal(message, again)
            assert.is_false(assert(transport:send(get(one:url()))).reused)
          end)
        end)
    end

    it("that stalls is an error, and not sooner than was asked for", function()
      run(function()
        local response = open({ "read", HEAD:format(6) .. "abc", "wait:5000", "send:def" },
          { read = 0.1 })
        local start = env.clock()
        local bytes, _, _, err = read_all(response.reader)
        local elapsed = env.clock() - start
        assert.equal("abc", bytes)
        assert.same({ "timeout", "ReadTimeout", true, true },
          { err.kind, err.code, err.sent, err.received })
        assert.is_true(elapsed >= 0.095, tostring(elapsed))
      end)
    end)

    it("does not stall while nobody reads, nor ends with the attempt", function()
      run(function()
        local one = bad{ "read", HEAD:format(6) .. "abc", "wait:150", "send:def" }
        local response = assert(transport:send(get(one:url(), { read = 0.1 }), env.clock() + 0.05))
        env.sleep(0.12)
        assert.equal("abc", response.reader:read())
        assert.equal("def", response.reader:read())
        assert.is_nil(response.reader:read())
      end)
    end)

    it("whose head does not come ends as any other", function()
      run(function()
        local response, _, err = transport:send(get(bad{ "read", "wait:5000", OK }:url(),
          { read = 0.05 }))
        assert.is_nil(response)
        assert.same({ "ReadTimeout", false }, { err.code, err.received })
        local one = bad{ "read", "drip:20:HTTP/1.1 200 OK\\r\\nX-Slow: abcdefgh" }
        response, _, err = transport:send(get(one:url(), { read = 1 }), env.clock() + 0.1)
        assert.is_nil(response)
        assert.equal("AttemptTimeout", err.code)
      end)
    end)

    it("lets other requests go by", function()
      run(function()
        local other = bad{ "read", OK, "again" }
        local response = open{ "read", HEAD:format(4) .. "ab", "wait:20", "send:cd" }
        local request = get(other:url())
        request.stream = nil
        for _ = 1, 5 do assert.equal("ok", assert(transport:send(request)).body) end
        assert.equal("abcd", (read_all(response.reader)))
      end)
    end)

    it("is closed at any time: its connection too, and then it says so", function()
      run(function()
        local one = bad{ "read", HEAD:format(10) .. "abc", "hang", "next", "read", OK }
        local response = assert(transport:send(get(one:url())))
        assert.equal("abc", response.reader:read())
        local before = descriptors()
        response.reader:close()
        response.reader:close()
        assert.is_true(descriptors() < before)
        local bytes, message, err = response.reader:read()
        assert.same({ nil, "StreamClosed" }, { bytes, err.code })
        assert.equal(tostring(err), message)
        assert.is_false(assert(transport:send(get(one:url()))).reused)
      end)
    end)

    it("is closed by the collector", function()
      run(function()
        local one = bad{ "read", HEAD:format(10) .. "abc", "hang" }
        local before = descriptors()
        local function use()
          assert.equal("abc", assert(transport:send(get(one:url()))).reader:read())
        end
        for _ = 1, 20 do use() end
        assert.is_true(descriptors() < before + 5)
      end)
    end)

    it("ends with an error when its transport is closed", function()
      run(function()
        local response = open{ "read", HEAD:format(10) .. "abc", "hang" }
        transport:close()
        local bytes, _, _, err = read_all(response.reader)
        assert.is_true(bytes == "abc" or bytes == "")
        assert.equal("TransportClosed", err.code)
      end)
    end)
  end)
end
