--- Tasks in a controller of cqueues (Debian: lua-cqueues). The server that answers lives in the
-- same thread: would a call block, nothing would ever come.
--
--     lua examples/many-calls/with_cqueues.lua

package.path = package.path .. ";" .. (arg[0]:match "^(.*/)" or "./") .. "?.lua"

local cqueues = require "cqueues"
local socket = require "cqueues.socket"
local sagemaker = require "sagemaker"
local service = require "service"

local unpack = table.unpack or unpack -- luacheck: ignore

-- What cqueues is to wait for: the descriptors of `loop`, and its time.
local function wishes(loop)
  local list = {}
  for i, row in ipairs((loop:fds())) do
    list[i] = { pollfd = row.fd, events = (row.read and "r" or "") .. (row.write and "w" or "") }
  end
  list[#list + 1] = loop:timeout()
  return list
end

-- Drives `loop` from a coroutine of cqueues for as long as it has tasks.
local function drive(loop)
  while loop:step() > 0 do
    local list = wishes(loop)
    cqueues.poll(unpack(list))
    -- cqueues remembers descriptors, and libcurl may close one at any time.
    for _, wish in ipairs(list) do
      if type(wish) == "table" then cqueues.cancel(wish.pollfd) end
    end
  end
end

local controller = cqueues.new()
local server = socket.listen { host = "127.0.0.1", port = 0 }
server:listen()
local _, _, port = server:localname()

-- Answers whatever comes over a connection. Without generic `for`: PUC 5.1 cannot yield from it.
local function serve(connection)
  connection:setmode("b", "bf") -- bytes as they are; written at once
  local length, line = nil, connection:read "*l"
  while line do
    length = tonumber(line:match "^Content%-Length: (%d+)") or length
    if line == "\r" and length then
      connection:read(length)
      connection:write(service.ANSWER)
    end
    line = connection:read "*l"
  end
  connection:close()
end

controller:wrap(function()
  local connection = server:accept()
  while connection do
    controller:wrap(serve, connection)
    connection = server:accept()
  end
end)

local client = service.client(port)
local is_done = false
controller:wrap(function()
  service.start(client, 4, function() print "all done" end)
  drive(sagemaker.task.loop())
  is_done = true
end)
while not is_done do assert(controller:step()) end
