-- sagemaker.curl while Lua gets in between: finalizers and metamethods that use what is in use.
local curl = require "sagemaker.curl"
local server = require "support.server"

local env = require("sagemaker.env").new()

local OPTIONS = { connect_timeout = 5, read_timeout = 5 }
local OK = "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nA: b\\r\\nC: d\\r\\n\\r\\nok"
local STREAM = "send:HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\n"

-- Something whose finalizer is this function; made far up the stack, so that nothing of it stays
-- where the stack is in use.
local function leave(finalizer, levels)
  if levels > 0 then
    leave(finalizer, levels - 1)
  elseif newproxy then -- luacheck: ignore
    getmetatable(newproxy(true)).__gc = finalizer -- luacheck: ignore
  else
    setmetatable({}, { __gc = finalizer })
  end
end

-- Calls fn with the arguments; the first time that memory is asked for in there all of a
-- collector's cycle runs, and in it the finalizer.
local function disturbed(finalizer, fn, ...)
  collectgarbage()
  collectgarbage "stop"
  local inside, ran = false, false
  leave(function()
    if inside then
      ran = true
      finalizer()
    end
  end, 30)
  local before
  if _VERSION == "Lua 5.4" then
    collectgarbage("incremental", 0, 0, 100)
  else
    before = collectgarbage("setstepmul", _VERSION == "Lua 5.1" and 0 or 1000000000)
  end
  inside = true
  collectgarbage "restart"
  local a, b = fn(...)
  inside = false
  if before then
    collectgarbage("setstepmul", before)
  else
    collectgarbage("incremental", 0, 0, 13)
  end
  assert.is_true(ran)
  return a, b
end

describe("sagemaker.curl", function()
  local crew, loop, agent = server.crew(), nil, nil

  local function bad(steps)
    return crew.bad(steps):url()
  end

  before_each(function()
    loop = curl.loop()
    agent = loop:agent(OPTIONS)
  end)
  after_each(function()
    loop:close()
    crew.stop()
  end)
  teardown(server.clean)

  local function reported()
    while not loop:step(1) do end
    return loop:next()
  end

  -- Lets time pass without a look at the loop.
  local function be_busy(seconds)
    local last = env.clock() + seconds
    while env.clock() < last do end
  end

  it("bears a request whose metamethod closes the agent and cancels it", function()
    local request = setmetatable({ url = "http://127.0.0.1:1/" }, { __index = function(_, key)
      if key == "headers" then
        agent:close()
        loop:cancel(1)
        return { A = "b" }
      end
    end })
    local ok, message = pcall(agent.perform, agent, request, 5)
    assert.is_false(ok)
    assert.equal("the agent is closed", message)
  end)

  it("does not send a request that its metamethod cancels", function()
    local request = setmetatable({ url = "http://127.0.0.1:1/" }, { __index = function(_, key)
      if key == "headers" then loop:cancel(1) end
    end })
    local ok, message = pcall(agent.start, agent, request, 5)
    assert.is_false(ok)
    assert.equal("the request was cancelled", message)
    assert.equal(0, agent:count())
  end)

  it("hands out an answer whose transfer a finalizer gives up meanwhile", function()
    local url = bad{ "read", OK, "again" }
    agent:start({ url = url }, 5)
    local number, twice = reported(), nil
    local response = disturbed(function()
      twice = pcall(loop.finish, loop, number, agent)
      agent:close()
      loop:cancel(number)
    end, loop.finish, loop, number, agent)
    assert.same({ "ok", "b", "d" }, { response.body, response.headers.A, response.headers.C })
    assert.is_false(twice)
    assert.equal(0, agent:count())
  end)

  it("keeps the body of a request that a finalizer starts meanwhile", function()
    local one = crew.bad{ "read", OK, "again" }
    agent:start({ url = one:url() }, 5)
    local number, other = reported(), nil
    disturbed(function()
      loop:cancel(number)
      other = agent:start({ method = "POST", url = one:url(), body = ("body "):rep(20000) }, 5)
    end, loop.finish, loop, number, agent)
    collectgarbage()
    for i = 1, 20 do assert.is_string((i .. "!"):rep(50000)) end -- where the body was
    assert.equal(other, reported())
    assert.equal("ok", loop:finish(other, agent).body)
    assert.truthy(one:output():find(("body "):rep(20000), 1, true))
  end)

  if _VERSION ~= "Lua 5.2" then -- there no step begins with the first memory asked for
    it("hands out bytes of a stream that a finalizer closes meanwhile", function()
      local text = ("x"):rep(4000)
      local stream = agent:perform({ stream = true, url = bad{ "read",
        "send:HTTP/1.1 200 OK\\r\\nContent-Length: 5000\\r\\n\\r\\n", "wait:30", "send:" .. text,
        "hang" } }, 5).stream
      if not stream:take() then stream:wait() end
      local bytes = disturbed(function()
        agent:close()
        stream:close()
      end, stream.take, stream)
      assert.is_true(#bytes > 0 and text:sub(1, #bytes) == bytes)
      assert.equal("StreamClosed", (select(2, stream:take())))
      assert.equal(0, agent:count())
    end)

    it("loses nothing of a stream of which more comes while a finalizer waits", function()
      local text, more = ("x"):rep(4000), ("y"):rep(60000)
      local stream = agent:perform({ stream = true, url = bad{ "read",
        "send:HTTP/1.1 200 OK\\r\\nContent-Length: 64000\\r\\n\\r\\n", "wait:30", "send:" .. text,
        "wait:100", "send:" .. more } }, 5).stream
      if not stream:take() then stream:wait() end
      local other = bad{ "read", "wait:300", OK }
      local parts = { (disturbed(function()
        assert(agent:perform({ url = other }, 5))
      end, stream.take, stream)) }
      while true do
        local bytes, code = stream:take()
        if bytes then
          parts[#parts + 1] = bytes
        elseif bytes == nil then
          assert.is_nil(code)
          break
        else
          stream:wait()
        end
      end
      assert.is_true(table.concat(parts) == text .. more)
    end)
  end

  it("says of a list of descriptors that it is old when sockets were closed meanwhile", function()
    local other = loop:agent(OPTIONS)
    local url = bad{ "read", "hang" }
    for _ = 1, 4 do
      agent:start({ url = url }, 5)
      other:start({ url = url }, 5)
    end
    while #loop:fds() < 8 do loop:step(0) end
    local _, generation = disturbed(function() other:close() end, loop.fds, loop)
    local rows = loop:fds(generation)
    assert.equal(4, rows and #rows)
  end)

  it("lets go of the body of a stream that was refused", function()
    local url = bad{ "read", "send:HTTP/1.1 400 No\\r\\nContent-Length: 2\\r\\n\\r\\nok" }
    collectgarbage()
    local before = collectgarbage "count"
    local response = agent:perform({ method = "POST", url = url, stream = true,
      body = ("x"):rep(1000000) }, 5)
    assert.equal(400, response.status)
    collectgarbage()
    collectgarbage()
    assert.is_true(collectgarbage "count" - before < 500)
  end)

  it("keeps the limit of an answer behind a stream, which has another", function()
    agent = loop:agent{ max_response_bytes = 100 }
    local url = bad{ "read", "send:HTTP/1.1 200 OK\\r\\nContent-Length: 4000\\r\\n\\r\\n"
      .. ("x"):rep(4000) }
    local other = bad{ "read", "send:HTTP/1.1 200 OK\\r\\n\\r\\n" .. ("x"):rep(3000), "wait:30",
      "send:" .. ("x"):rep(3000) }
    local stream, bytes = agent:perform({ url = url, stream = true }, 5).stream, 0
    while bytes < 4000 do
      local more = stream:take()
      if more then bytes = bytes + #more else stream:wait() end
    end
    assert.is_nil(stream:take())
    local response, code = agent:perform({ url = other }, 5)
    assert.is_nil(response)
    assert.equal("ResponseTooLarge", code)
  end)

  it("looks for an answer before it gives up a request", function()
    local url = bad{ "read", OK, "again" }
    assert.equal("ok", agent:perform({ url = url }, 5).body)
    local request = { url = url, timeouts = { read = 0.3 } }
    agent:start(request, 5)
    loop:step(0)
    be_busy(0.7)
    local number = reported()
    assert.equal("ok", (loop:finish(number, agent) or {}).body)
  end)

  it("names the limit that has passed, though libcurl notices it first", function()
    local url = bad{ "full" }
    for seconds, code in pairs { [0.05] = "AttemptTimeout", [9] = "ConnectTimeout" } do
      agent:start({ url = url, timeouts = { connect = 0.06 } }, seconds)
      loop:step(0)
      be_busy(0.12)
      assert.equal(code, (select(2, loop:finish(reported(), agent))))
    end
  end)

  it("does not count the time in which bytes of a stream wait to be read", function()
    local url = bad{ "read", STREAM, "wait:30", "send:ab", "wait:500", "send:cd" }
    local stream = agent:perform({ url = url, stream = true, timeouts = { read = 0.3 } }, 5).stream
    local text = stream:take() or ""
    local last = env.clock() + 0.7
    while env.clock() < last do loop:step(0.01) end
    while true do
      local bytes, code = stream:take()
      if bytes then
        text = text .. bytes
      elseif bytes == nil then
        assert.is_nil(code)
        break
      else
        stream:wait()
      end
    end
    assert.equal("abcd", text)
  end)

  it("keeps its finalizers from being called while a request is at work", function()
    local stream = agent:perform({ url = bad{ "read", STREAM }, stream = true }, 5).stream
    for _, one in ipairs{ loop, agent, stream } do
      assert.is_string(getmetatable(one))
    end
  end)

  it("closes its agents with itself, and ends what they have under way", function()
    local url, other = bad{ "read", "hang" }, loop:agent(OPTIONS)
    local number = agent:start({ url = url }, 5)
    loop:close()
    assert.equal(number, reported())
    local response, code = loop:finish(number, agent)
    assert.same({ nil, "TransportClosed" }, { response, code })
    assert.equal(0, agent:count())
    for _, one in ipairs{ agent, other } do
      local ok, message = pcall(one.start, one, { url = url }, 5)
      assert.same({ false, "the agent is closed" }, { ok, message })
    end
  end)

  if _VERSION == "Lua 5.4" then
    it("closes an agent at the end of its block, also in the middle of a request", function()
      local block = assert(load("local agent <close> = ..."))
      local request = setmetatable({ url = "http://127.0.0.1:1/" }, { __index = function(_, key)
        if key == "headers" then block(agent) end
      end })
      local ok, message = pcall(agent.perform, agent, request, 5)
      assert.is_false(ok)
      assert.equal("the agent is closed", message)
    end)
  end
end)
