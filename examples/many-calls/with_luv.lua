--- Tasks in the event loop of libuv (Debian: lua-luv). The server that answers lives in the same
-- thread and the same loop: would a call block, nothing would ever come.
--
--     lua examples/many-calls/with_luv.lua

package.path = package.path .. ";" .. (arg[0]:match "^(.*/)" or "./") .. "?.lua"

local uv = require "luv"
local sagemaker = require "sagemaker"
local service = require "service"

-- {{ The bridge between the two loops

-- Drives `loop` from libuv: whenever a descriptor is ready or its time has come it is stepped, and
-- what it wants to be told of is brought up to date. Returns that function, to be called whenever
-- tasks were started elsewhere, and one that ends it.
local function attach(loop)
  local timer, polls, generation = uv.new_timer(), {}, nil
  local step

  -- A descriptor that was closed may come back for another connection, with another id: the handle
  -- of the old one goes first.
  local function follow(fds)
    local wanted = {}
    for _, row in ipairs(fds) do wanted[row.id] = row end
    for id, handle in pairs(polls) do
      if not wanted[id] then
        handle:close()
        polls[id] = nil
      end
    end
    for id, row in pairs(wanted) do
      polls[id] = polls[id] or uv.new_poll(row.fd)
      polls[id]:start((row.read and "r" or "") .. (row.write and "w" or ""), step)
    end
  end

  local function watch()
    local fds, now = loop:fds(generation) -- nil when nothing has changed
    generation = now
    if fds then follow(fds) end
    local seconds = loop:timeout()
    if seconds then
      timer:start(math.ceil(seconds * 1000), 0, step)
    else
      timer:stop()
    end
  end

  step = function()
    loop:step()
    watch()
  end
  return step, function()
    timer:close()
    for _, handle in pairs(polls) do handle:close() end
  end
end

-- }}

local server = uv.new_tcp()
server:bind("127.0.0.1", 0)
server:listen(64, function()
  local connection, bytes = uv.new_tcp(), ""
  server:accept(connection)
  connection:read_start(function(_, chunk)
    if not chunk then return connection:close() end
    bytes = bytes .. chunk
    if bytes:find("\r\n\r\n.*}$") then -- a head, and a body of JSON
      bytes = ""
      connection:write(service.ANSWER)
    end
  end)
end)

local client = service.client(server:getsockname().port)
local ticks = uv.new_timer()
local step, detach = attach(sagemaker.task.loop())

service.start(client, 4, function()
  print "all done"
  detach()
  ticks:close()
  server:close()
  client.transport:close()
end)
ticks:start(0, 1, function() end) -- whatever else the program does
step()
uv.run()
