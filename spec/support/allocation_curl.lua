-- As allocation.lua, for sagemaker.curl: requests, many at once, streams, while any allocation of
-- Lua's is refused (libcurl has its own). Its arguments are the package.cpath and the URL of a
-- server that answers "ok" and keeps its connections.

local cpath, url = ...
package.cpath = cpath

local core = require "sagemaker.core"
local curl = require "sagemaker.curl"
local refuse = refuse -- luacheck: ignore

local MOST = 2000

local OPTIONS = { connect_timeout = 5, read_timeout = 5,
  timings = true }

local shared = curl.loop()
local kept = shared:agent(OPTIONS)

-- The server serves as a proxy, too.
local PROXIED = { connect_timeout = 5, proxy = url:gsub("^http://", "http://user:pass@"),
  read_timeout = 5 }

local BODY = ("x"):rep(3000)
local LARGE = ("x"):rep(30000)

local service = core.service("sagemaker")

local function request(stream)
  return { method = "POST", url = url, body = BODY, headers = { A = "b", C = "d" },
    stream = stream, timeouts = { read = 5 } }
end

-- What came, or Lua's own error for want of memory.
local function need(value, code, text)
  if value then return value end
  if code == "OutOfMemory" then error("not enough memory", 0) end
  error(("%s: %s"):format(code, text), 0)
end

local function read(stream)
  local text = ""
  while true do
    local bytes, code, message = stream:take()
    if bytes then
      text = text .. bytes
    elseif bytes == false then
      stream:wait()
    else
      if code then need(nil, code, message) end
      return text
    end
  end
end

-- Starts some requests, drives the loop, and finishes those that have not failed.
local function many(loop, agent, stream)
  local left = {}
  for _ = 1, 3 do left[need(agent:start(request(stream), 5))] = true end
  while next(left) do
    loop:step(1)
    loop:fds()
    local number = loop:next()
    while number do
      left[number] = nil
      local response = need(loop:finish(number, agent))
      assert((response.body or read(response.stream)) == "ok")
      number = loop:next()
    end
  end
end

local CASES = {
  ["a loop and an agent"] = function()
    local loop = curl.loop()
    local agent = loop:agent(OPTIONS)
    assert(need(agent:perform(request(), 5)).body == "ok")
    loop:close()
  end,
  ["a request through a proxy"] = function()
    local loop = curl.loop()
    local agent = loop:agent(PROXIED)
    local sent = { method = "PUT", url = "http://service.invalid", body = LARGE,
      headers = { Host = "other.invalid" } }
    assert(need(agent:perform(sent, 5)).body == "ok")
    loop:close()
  end,
  ["one request"] = function()
    assert(need(kept:perform(request(), 5)).body == "ok")
  end,
  ["an answer that is decoded where it is"] = function()
    local output = need(kept:perform(request(), 5, function(bytes)
      return { core.decode(service, "DescribeEndpoint", 200, nil, bytes) }
    end)).output
    assert(output[2] == "not valid JSON: a value was expected at byte 1")
  end,
  ["a stream"] = function()
    local response = need(kept:perform(request(true), 5))
    assert(read(response.stream) == "ok")
  end,
  ["a stream that nobody reads"] = function()
    need(kept:perform(request(true), 5)).stream:close()
  end,
  ["many requests"] = function()
    local loop = curl.loop()
    many(loop, loop:agent(OPTIONS))
  end,
  ["many streams"] = function()
    local loop = curl.loop()
    many(loop, loop:agent(OPTIONS), true)
  end,
  ["requests that are cancelled"] = function()
    local loop = curl.loop()
    local agent = loop:agent(OPTIONS)
    for _ = 1, 3 do loop:cancel(need(agent:start(request(), 5))) end
    agent:start(request(), 5)
    agent:close()
  end,
  ["a request that cannot be sent"] = function()
    local _, code = kept:perform({ url = "http://127.0.0.1:1/" }, 5)
    if code ~= "ConnectionRefused" then need(nil, code) end
  end,
}

-- PUC 5.1 forgets finalizers that run out of memory; there the collector rests meanwhile.
local rests = _VERSION == "Lua 5.1"

local function try(name, case)
  for n = 0, MOST do
    if rests then collectgarbage "stop" end
    local ok, message = refuse(n, case)
    if rests then collectgarbage "restart" end
    if ok then return n end
    if not tostring(message):find("not enough memory", 1, true) then
      error(("%s, after %d allocations: %s"):format(name, n, tostring(message)), 0)
    end
    if n % 16 == 0 then collectgarbage() end
  end
  error(name .. " does not get through", 0)
end

for name, case in pairs(CASES) do
  io.write(("    %s: refused %d times\n"):format(name, try(name, case)))
  collectgarbage()
  case()
end
