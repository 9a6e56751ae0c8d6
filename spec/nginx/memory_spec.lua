-- What large bodies leave behind in a worker: nothing, however reading them ended.
local nginx = require "support.nginx"
local server = require "support.server"

local MIB = 1048576

local LOCATIONS = [[
  location = /big { content_by_lua_block {
    local part = ("b"):rep(65536)
    for i = 1, 128 do
      ngx.print(part)
      if i % 16 == 0 then ngx.flush(true) end
    end
  } }
  location = /cut { content_by_lua_block {
    local part = ("b"):rep(65536)
    for i = 1, 64 do ngx.print(part) end
    ngx.flush(true)
    ngx.exit(444)
  } }
]]

describe("memory of a worker", function()
  local available, reason = nginx.available()
  if not available then
    pending(reason)
    return
  end

  local one

  setup(function()
    one = nginx.start{ locations = LOCATIONS }
  end)
  teardown(function()
    one:stop()
    server.clean()
  end)

  -- The most that the worker has had after one of these rounds; code gets `transport` and `url`.
  local function most(rounds, path, code, finally)
    local bytes = 0
    for _ = 1, rounds do
      one:lua([[
        local transport = assert(require("sagemaker.transport.resty").new{})
        local url = %q
        ]] .. code .. (finally or ""), one:url(path))
      bytes = math.max(bytes, one:memory())
    end
    return bytes / MIB
  end

  it("is given back when many large bodies have come at once", function()
    assert.is_true(most(2, "/big", [[
      local threads = {}
      for i = 1, 20 do
        threads[i] = ngx.thread.spawn(function()
          assert(#assert(transport:send{ method = "GET", url = url }).body == 8388608)
        end)
      end
      for i = 1, 20 do ngx.thread.wait(threads[i]) end
    ]], "collectgarbage() collectgarbage()") < 80)
  end)

  it("is not held by bodies that broke off", function()
    assert.is_true(most(10, "/cut", [[
      for i = 1, 20 do
        local response, _, err = transport:send{ method = "GET", url = url }
        assert(not response and err.code == "TruncatedResponse")
      end
    ]]) < 60)
  end)

  it("is not held by bodies whose threads were killed", function()
    assert.is_true(most(10, "/big", [[
      for i = 1, 10 do
        local thread = ngx.thread.spawn(transport.send, transport, { method = "GET", url = url })
        ngx.sleep(0.004)
        ngx.thread.kill(thread)
      end
    ]]) < 60)
  end)
end)
