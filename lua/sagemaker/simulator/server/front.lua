--- Between nginx and the server: reads requests, writes answers, runs the timers. All that waits
-- here waits without holding up the worker, but for the file that a snapshot is written to.

local ngx = ngx
local refused = require "sagemaker.simulator.server.refused"

local M = {}

-- Seconds between two snapshots unless told otherwise.
local SAVE = 5

-- The shortest time that nginx can wait without asking for more than it can do.
local MOMENT = 0.001

-- The bytes of the body, whether nginx has them in memory or in a file; nil when they are lost.
local function body_of()
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  if body then return body end
  local path = ngx.req.get_body_file()
  if not path then return "" end
  local file = io.open(path, "rb")
  if not file then return nil end
  body = file:read("*a")
  file:close()
  return body
end

-- Header values by lower-case name, and nothing that answers for names that are not there.
local function headers_of()
  local headers = setmetatable(ngx.req.get_headers(0), nil)
  for name, value in pairs(headers) do
    if type(value) ~= "string" then
      headers[name] = type(value) == "table" and table.concat(value, ",") or ""
    end
  end
  return headers
end

local function target_of()
  local target = ngx.var.request_uri
  if target == "/" then return "/", "" end
  local path, query = target:match("^([^?]*)%??(.*)$")
  return path:match("^%a[%w+.-]*://[^/]*(/.*)$") or path, query
end

local function request_of()
  local path, query = target_of()
  return {
    method = ngx.req.get_method(), path = path, query = query, headers = headers_of(),
    body = body_of(), is_plain = true, streams = true,
  }
end

local function write_head(response)
  local header = ngx.header
  ngx.status = response.status
  for name, value in pairs(response.headers) do header[name] = value end
  if response.body and not response.headers["Content-Length"] then
    header["Content-Length"] = #response.body
  end
end

local function send(response)
  write_head(response)
  ngx.print(response.body)
  return ngx.exit(ngx.HTTP_OK)
end

-- Nobody will read what is still to come.
local function give_up(response)
  local stream = response and response.stream
  if stream and stream.close then stream.close() end
end

-- An answer that ends in the middle; a stream in the middle of its first part.
local function send_half(response)
  local bytes = response.body or response.stream.next() or ""
  write_head(response)
  ngx.print(bytes:sub(1, math.floor(#bytes / 2)))
  ngx.flush(true)
  give_up(response)
  return ngx.exit(ngx.ERROR)
end

-- Each part is on its way before the next one is waited for.
local function send_stream(response, pause)
  local stream, first = response.stream, true
  write_head(response)
  ngx.send_headers()
  ngx.flush(true)
  for bytes in stream.next do
    if pause and not first then ngx.sleep(pause()) end
    first = false
    if not ngx.print(bytes) or not ngx.flush(true) then -- nobody is there any more
      give_up(response)
      return ngx.exit(ngx.ERROR)
    end
  end
  if stream.failed and stream.failed() then return ngx.exit(ngx.ERROR) end
  return ngx.exit(ngx.HTTP_OK)
end

local function deliver(server, delivery)
  if delivery.delay >= MOMENT then ngx.sleep(delivery.delay) end
  local response, loss = delivery.response, delivery.loss
  if loss and loss ~= "truncate" then give_up(response) end
  if not response or loss == "drop" or loss == "reset" and not server.options.resets then
    return ngx.exit(444)
  elseif loss == "reset" then
    return ngx.exec("@sagemaker_reset")
  elseif loss == "truncate" then
    return send_half(response)
  elseif response.stream then
    return send_stream(response, delivery.pause)
  end
  return send(response)
end

-- Tells the log of nginx what the request was.
local function note(response)
  if not response then return end
  ngx.var.sagemaker_operation = response.operation or "-"
  ngx.var.sagemaker_code = response.code or "-"
end

-- Calls containers without holding up the worker.
local function invoker()
  local transport
  return function(request)
    transport = transport or require("sagemaker.transport.resty").new()
    local response, message = transport:send(request)
    if not response then return nil, message end
    return response
  end
end

-- Does what no request waits for; at once where nginx has too much of that to do already.
local function later_of(server)
  return function(fn)
    local taken = ngx.timer.at(0, function(premature)
      if premature then return end
      fn()
      server.changes = server.changes + 1
    end)
    if not taken then fn() end
  end
end

local function server_of(servers, opts)
  local server = servers.start(opts)
  if not server.process then
    server.process, server.started = ngx.worker.pid(), ngx.now()
    server.workers = ngx.worker.count()
    server.log = function(message) ngx.log(ngx.ERR, message) end
    server.invoke = invoker()
    server.sim.hosting.later = later_of(server)
  end
  return server
end

local function save(server)
  local ok, message = server:save(function() ngx.sleep(MOMENT) end)
  if not ok then server.log("the state could not be saved: " .. tostring(message)) end
end

-- Runs `fn` every so many seconds, never twice at once, whatever it throws.
local function every(seconds, server, fn)
  local busy = false
  ngx.timer.every(seconds, function(premature)
    if premature or busy then return end
    busy = true
    local ok, failure = pcall(fn, server)
    busy = false
    if not ok then server.log(tostring(failure)) end
  end)
end

-- Saves now and then, and keeps endpoints moving while nobody asks.
local function watch(server)
  if server.watched then return end
  server.watched = true
  every(1, server, server.tick)
  every(1, server, server.ping)
  every(server.options.save_seconds or SAVE, server, save)
end

-- The requests of this phase of nginx; the phases are methods of simulator/server/init.lua.

--- content_by_lua: answers a request.
---@param servers table simulator/server/init.lua
---@param opts? sagemaker.simulator.server.options
function M.content(servers, opts)
  local server = server_of(servers, opts)
  if server.workers > 1 then
    ngx.log(ngx.ERR, "the simulator keeps its state in one worker: set worker_processes to 1")
    return send(refused.answer(503))
  end
  watch(server)
  local request = request_of()
  if not request.body then return send(refused.answer(500)) end
  if request.path:find("^/_simulator") then
    request.address = ngx.var.remote_addr
    return send(server:control(request))
  end
  local delivery = server:answer(request)
  if server.options.log_requests then note(delivery.response) end
  return deliver(server, delivery)
end

--- content_by_lua for error_page: what nginx refuses gets an answer as AWS gives it.
function M.refuse()
  return send(refused.answer(ngx.status))
end

--- init_worker_by_lua: keeps time moving before the first request comes.
---@param servers table
---@param opts? sagemaker.simulator.server.options
function M.work(servers, opts)
  watch(server_of(servers, opts))
end

--- exit_worker_by_lua: saves what has happened.
---@param servers table
function M.stop(servers)
  local server = server_of(servers)
  local ok, message = server:save(nil, true)
  if not ok then server.log("the state could not be saved: " .. tostring(message)) end
end

return M
