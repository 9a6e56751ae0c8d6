--- Streams over HTTP, blocking and in tasks: what comes is there when it comes, and what goes wrong
-- on the way is told.

local core = require "sagemaker.core"
local sagemaker = require "sagemaker"
local script = require "support.scripted"
local server = require "support.server"
local task = require "sagemaker.task"

-- A model that stops in the middle of its answer until it is told to go on (/go?NAME), and one
-- that breaks off there. What it sends is the request's body: base64 of the two halves.
local MODEL = [[
  location ~ ^/endpoints/(gated|cut)[^/]*/ {
    content_by_lua_block {
      ngx.req.read_body()
      local name = ngx.var.uri:match("^/endpoints/([^/]+)/")
      local first, second = ngx.req.get_body_data():match("^{?\"?([^.\"]+)[.]([^\"]*)")
      ngx.header["x-Amzn-Invoked-Production-Variant"] = "blue"
      if name:find("cut", 1, true) then ngx.header["Content-Length"] = 10000 end
      ngx.print(ngx.decode_base64(first))
      ngx.flush(true)
      if name:find("cut", 1, true) then return ngx.exit(444) end
      for _ = 1, 500 do
        if ngx.shared.state:get(name) then break end
        ngx.sleep(0.01)
      end
      ngx.print(ngx.decode_base64(second))
    }
  }
  location = /go { content_by_lua_block { ngx.shared.state:set(ngx.var.query_string, true) } }
]]

local function frame(payload)
  return core.eventstream_encode({ { name = ":message-type", value = "event" },
    { name = ":event-type", value = "PayloadPart" } }, payload)
end

local FIRST, SECOND = "data: Grü", "ße\n\ndata: zwei\n\n"

local PLACES = {
  ["blocking"] = function(fn) return fn() end,
  ["in a task"] = function(fn) return task.run(fn) end,
}

-- Both kinds of streams: how one is opened, and the bytes of a text in it.
local KINDS = {
  ["an event stream"] = {
    bytes = frame,
    open = function(runtime, name, body, opts)
      return runtime:invoke_endpoint_with_response_stream({ EndpointName = name, Body = body },
        opts)
    end,
  },
  ["an OpenAI stream"] = {
    bytes = function(text) return text end,
    open = function(runtime, name, body, opts)
      local all = { stream = true }
      for key, value in pairs(opts or {}) do all[key] = value end
      return runtime:openai(name, "/v1/chat/completions", body, all)
    end,
  },
}

describe("streams over HTTP", function()
  if not server.available() then
    pending("nginx is not installed")
    return
  end
  local nginx, runtime, calls

  setup(function() nginx = server.nginx { locations = MODEL } end)
  teardown(function() if nginx then nginx:stop() end end)

  before_each(function()
    local list = {} -- of this test alone, whatever the collector finds later
    calls = list
    runtime = assert(sagemaker.runtime { credentials = script.KEYS, endpoint_url = nginx:url "",
      io = { getenv = function() end }, region = "eu-west-1",
      hooks = { on_call = function(metrics) list[#list + 1] = metrics end } })
  end)
  after_each(function()
    collectgarbage "restart"
    runtime.transport:close()
  end)

  local function go(name)
    assert.equal(200, assert(runtime.transport:send { method = "GET", headers = {}, body = "",
      url = nginx:url("/go?" .. name) }).status)
  end

  local n = 0
  local function fresh(prefix)
    n = n + 1
    return prefix .. n
  end

  for kind, row in pairs(KINDS) do
    local BODY = core.text.base64(row.bytes(FIRST)) .. "." .. core.text.base64(row.bytes(SECOND))

    for place, run in pairs(PLACES) do
      it(("%s, %s, is read while it comes"):format(kind, place), function()
        run(function()
          local name = fresh "gated"
          local stream = assert(row.open(runtime, name, BODY))
          assert.equal("blue", stream.InvokedProductionVariant)
          assert.equal(FIRST, stream:read())
          go(name)
          assert.equal("ße", stream:lines():next())
          local events = stream:sse()
          assert.equal("zwei", events:next().data)
          assert.is_nil(events:next())
        end)
        assert.equal("ok", calls[1].outcome)
        assert.equal(#row.bytes(FIRST) + #row.bytes(SECOND), calls[1].bytes_received)
        assert.is_true(calls[1].first_byte > 0 and calls[1].first_byte <= calls[1].duration)
      end)

      it(("%s, %s, fails when nothing comes, and when it is cut"):format(kind, place), function()
        run(function()
          local stream = assert(row.open(runtime, fresh "gated", BODY,
            { timeouts = { read = 0.4 } }))
          assert.equal(FIRST, stream:read())
          local bytes, message, err = stream:read()
          assert.is_nil(bytes)
          assert.equal("ReadTimeout", err.code, message)
          assert.equal("timeout", err.kind)
          assert.equal(1, err.attempts)
          stream = assert(row.open(runtime, fresh "cut", BODY))
          assert.equal(FIRST, stream:read())
          bytes, message, err = stream:read()
          assert.is_nil(bytes)
          assert.equal("transport", err.kind, message)
        end)
        assert.equal(2, #calls)
        assert.equal("ReadTimeout", calls[1].code)
        assert.equal("transport", calls[2].outcome)
      end)

      it(("%s, %s, can be left at any time"):format(kind, place), function()
        run(function()
          local stream = assert(row.open(runtime, fresh "gated", BODY))
          assert.equal(FIRST, stream:read())
          stream:close()
          assert.equal("StreamClosed", select(3, stream:read()).code)
          local name = fresh "gated"
          go(name)
          local list = {}
          for event in assert(row.open(runtime, name, BODY)):sse() do
            list[#list + 1] = event.data
          end
          assert.same({ "Grüße", "zwei" }, list)
        end)
        assert.equal("StreamClosed", calls[1].code)
        assert.equal("ok", calls[1].outcome)
      end)
    end

    it(kind .. " is given up with its task", function()
      local function descriptors()
        local pipe, count = io.popen "ls /proc/$PPID/fd", 0
        for _ in pipe:lines() do count = count + 1 end
        pipe:close()
        return count
      end
      task.run(function()
        collectgarbage "stop"
        local before
        for i = 1, 5 do
          local _, _, err = task.timeout(0.05, function()
            local stream = assert(row.open(runtime, fresh "gated", BODY))
            assert(stream:read() == FIRST)
            return stream:read()
          end)
          assert.equal("TaskTimeout", err.code)
          before = before or descriptors()
          assert.is_true(descriptors() <= before + 1, i) -- one may be on its way out
        end
      end)
      collectgarbage "restart"
      -- PUC 5.1 cannot catch what ends a reader that waits: it tells when the stream is collected.
      collectgarbage()
      collectgarbage()
      assert.equal(5, #calls)
      for i = 1, 5 do
        assert.same({ "cancelled", "TaskCancelled" }, { calls[i].outcome, calls[i].code })
      end
    end)

    it(kind .. " waits beside others", function()
      local names, fns, order = {}, {}, {}
      for i = 1, 8 do
        names[i] = fresh "gated"
        fns[i] = function()
          local stream = assert(row.open(runtime, names[i], BODY))
          assert(stream:read() == FIRST)
          order[#order + 1] = "first"
          while #order < 8 do task.sleep(0.001) end
          go(names[i])
          local rest = {}
          for text in stream:text() do rest[#rest + 1] = text end
          return table.concat(rest)
        end
      end
      for _, result in ipairs(task.all(fns)) do
        assert.same({ true, SECOND }, { result[1], result[2] })
      end
    end)
  end
end)
