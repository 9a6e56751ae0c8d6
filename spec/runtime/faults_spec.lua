-- Invocations over sockets that go wrong, blocking and in tasks: the error says what happened, the
-- connection is not used again, and nothing is left behind.

local core = require "sagemaker.core"
local sagemaker = require "sagemaker"
local descriptors = require "support.descriptors"
local server = require "support.server"
local task = require "sagemaker.task"

local function frame(kind, name, payload)
  return core.eventstream_encode({ { name = ":message-type", value = kind },
    { name = ":" .. kind .. "-type", value = name } }, payload)
end

-- Bytes as a step of badserver writes them.
local function escaped(bytes)
  return (bytes:gsub(".", function(c) return ("\\x%02x"):format(c:byte()) end))
end

local PART = frame("event", "PayloadPart", "abc")
local WRONG = PART:sub(1, -2) .. string.char((PART:byte(-1) + 1) % 256)
local FAULT = frame("exception", "ModelStreamError", '{"Message":"boom","ErrorCode":"X"}')

-- The head of a stream of which `length` bytes are to come.
local function head(length)
  return ("send:HTTP/1.1 200 OK\\r\\nContent-Type: application/vnd.amazon.eventstream\\r\\n"
    .. "Content-Length: %d\\r\\n\\r\\n"):format(length)
end

local function answer(status, body, headers)
  return ("send:HTTP/1.1 %d X\\r\\nContent-Length: %d\\r\\n%s\\r\\n%s"):format(status, #body,
    headers or "", body)
end

local GOOD = head(#PART) .. escaped(PART)
local LONG = head(10 * #PART) .. escaped(PART)

-- What goes wrong: the steps of the server after the request; parts that come before the error; and
-- of the error kind, code, sent, received, and status.
local FAULTS = {
  ["a reset in the stream"] = { { LONG, "wait:20", "reset" }, "abc",
    { kind = "transport", code = "TruncatedResponse", sent = true, received = true } },
  ["an early end"] = { { LONG }, "abc",
    { kind = "transport", code = "TruncatedResponse", sent = true, received = true } },
  ["a half-closed connection"] = { { LONG, "half", "hang" }, "abc",
    { kind = "transport", code = "TruncatedResponse", sent = true, received = true } },
  ["an end within a frame"] = { { head(2 * #PART - 4) .. escaped(PART .. PART:sub(1, -5)) }, "abc",
    { kind = "protocol", code = "BrokenStream" } },
  ["a stall"] = { { LONG, "hang" }, "abc",
    { kind = "timeout", code = "ReadTimeout", sent = true, received = true } },
  ["a wrong checksum"] = { { head(10 * #PART) .. escaped(PART .. WRONG), "hang" }, "abc",
    { kind = "protocol", code = "BrokenStream", received = true } },
  ["an exception in the stream"] = { { head(10 * #PART) .. escaped(PART .. FAULT), "hang" }, "abc",
    { kind = "service", code = "ModelStreamError", message = "boom" } },
  ["a head that does not come"] = { { "hang" }, false,
    { kind = "timeout", code = "ReadTimeout", sent = true, received = false } },
  ["a head that comes slowly"] = { { "drip:30:HTTP/1.1 200 OK\\r\\nX-A: " .. ("a"):rep(90) },
    false, { kind = "timeout", code = "AttemptTimeout", sent = true } },
  ["424"] = { { answer(424, '{"OriginalStatusCode":500,"OriginalMessage":"sad","Message":"m"}',
    "x-amzn-ErrorType: ModelError\\r\\n"), "hang" }, false,
    { kind = "service", code = "ModelError", status = 424, attempts = 1 } },
  ["503"] = { { answer(503, '{"Message":"m"}',
    "x-amzn-ErrorType: ServiceUnavailable\\r\\n"), "hang" }, false,
    { kind = "service", code = "ServiceUnavailable", status = 503, attempts = 1 } },
}

-- After an answer that came whole the connection is as good as new.
local KEPT = { ["424"] = true, ["503"] = true }

local PLACES = {
  ["blocking"] = function(fn, ...) return fn(...) end,
  ["in a task"] = task.run,
}

for place, run in pairs(PLACES) do
  describe("an invocation, " .. place .. ", that meets", function()
    local crew = server.crew()
    local bad = crew.bad

    after_each(crew.stop)
    teardown(server.clean)

    local function runtime_of(url)
      return assert(sagemaker.runtime {
        credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "HIDDENSECRET" },
        endpoint_url = url, region = "eu-west-1",
        io = { getenv = function() end, random = function() return 0 end },
        timeouts = { connect = 1, read = 0.15, attempt = 0.6 },
      })
    end

    -- The parts of a stream until it ends or fails; false when there was none.
    local function invoke(runtime)
      local stream, message, err = runtime:invoke_endpoint_with_response_stream {
        EndpointName = "churn", Body = "1" }
      if not stream then return false, message, err end
      local text = ""
      while true do
        local part
        part, message, err = stream:read()
        if not part then break end
        text = text .. part
      end
      stream:close()
      return text, message, err
    end

    for name, case in pairs(FAULTS) do
      it(name, function()
        run(function()
          local steps = { "read" }
          for _, step in ipairs(case[1]) do steps[#steps + 1] = step end
          if KEPT[name] then steps[#steps] = "read" steps[#steps + 1] = GOOD end
          for _, step in ipairs { "next", "read", GOOD } do steps[#steps + 1] = step end
          local one = bad(steps)
          local runtime = runtime_of(one:url())
          local text, message, err = invoke(runtime)
          assert.equal(case[2], text)
          assert.equal(tostring(err), message)
          for field, value in pairs(case[3]) do
            assert.equal(value, err[field], field .. " of " .. message)
          end
          assert.is_nil(message:find("HIDDENSECRET", 1, true))
          -- It was sent once, and what comes next is not disturbed.
          assert.equal(1, one:requests())
          assert.equal("abc", (invoke(runtime)))
        end)
      end)
    end

    it("faults again and again leaves no descriptor and no memory behind", function()
      run(function()
        local list = {}
        for _, name in ipairs { "a reset in the stream", "an early end", "a wrong checksum",
          "an exception in the stream", "424" } do
          local steps = { "read" }
          for _, step in ipairs(FAULTS[name][1]) do steps[#steps + 1] = step end
          list[#list + 1] = runtime_of(bad(steps):url())
        end
        local function round(n)
          for _ = 1, n do
            for _, runtime in ipairs(list) do invoke(runtime) end
          end
          collectgarbage()
          collectgarbage()
        end
        round(3)
        local fds, kb = descriptors(), collectgarbage "count"
        round(20)
        assert.is_true(descriptors() <= fds, "descriptors")
        assert.is_true(collectgarbage "count" - kb < 200, "memory")
      end)
    end)
  end)
end
