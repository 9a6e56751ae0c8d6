--- The looks of watchers that wait in coroutines: of a host, or of tasks.
--
-- A look calls so deep that a coroutine gets kilobytes of stack for it, and keeps them while it
-- waits for the next. So a watcher's own coroutine lets another one look, a looker, which many
-- share.

local gates = require "sagemaker.transport.gate"
local scheduler = require "sagemaker.task.scheduler"

local M = {}

local create, resume, running = coroutine.create, coroutine.resume, coroutine.running
local yield = coroutine.yield

-- So many tasks look at once, which is more than the service lets pass for long; the others wait
-- before they have a looker, and a connection. Who has waited for so many seconds looks anyway:
-- those before may ask somebody who does not answer.
local PLACES, PATIENCE = 16, 10

local LOOKED = {} -- what a looker yields when the look is over, and not a transport in it

local gate = gates.new(PLACES)
local idle = { n = 0 } -- lookers
local late = setmetatable({}, { __mode = "k" }) -- lookers of tasks that have no place
local job -- the watcher whose look begins

local function begin()
  local watcher = job
  job = nil
  return watcher
end

-- Nothing here holds a watcher, or what it saw, between two looks.
local function run()
  while true do yield(LOOKED, begin():poll()) end
end

local function looker_for(watcher)
  job = watcher
  local n = idle.n
  if n == 0 then return create(run) end
  local looker = idle[n]
  idle[n], idle.n = nil, n - 1
  return looker
end

-- A look in a task is over.
local function leave(task, looker)
  task.looker = nil
  if not late[looker] then return gate:leave() end
  late[looker] = nil
end

-- What a looker answered to being resumed. What a transport yields goes to the host, and what he
-- answers to it.
local function heed(looker, ok, what, ...)
  if ok and what ~= LOOKED then return heed(looker, resume(looker, yield(what, ...))) end
  local task = scheduler.current
  if task and task.looker == looker then leave(task, looker) end
  if not ok then error(what, 0) end
  if idle.n < PLACES then
    idle.n = idle.n + 1
    idle[idle.n] = looker
  end
  return ...
end

-- Waits for a place among those who look; false when none came.
local function enter()
  local entered, why, err, waiter = gate:enter(PATIENCE)
  if not entered and why ~= "time" then scheduler.check(waiter, why, err) end
  return entered
end

--- Lets a watcher look, as watcher:poll() does, for a coroutine of a host.
---@param watcher sagemaker.watch.Watcher
---@return sagemaker.watch.Event|nil event
---@return number|string delay
---@return sagemaker.Error|nil err
function M.look(watcher)
  if rawget(_G, "ngx") then return watcher:poll() end -- where a coroutine belongs to a request
  local looker = looker_for(watcher)
  return heed(looker, resume(looker))
end

--- Lets a watcher look, as watcher:poll() does, for whoever asks. In a task others look meanwhile.
---@param watcher sagemaker.watch.Watcher
---@return sagemaker.watch.Event|nil event
---@return number|string delay
---@return sagemaker.Error|nil err
function M.look_here(watcher)
  local task = scheduler.current
  if not task or task.co ~= running() then return watcher:poll() end
  local entered = gate:try() or enter()
  local looker = looker_for(watcher)
  task.looker = looker
  if not entered then late[looker] = true end
  return heed(looker, resume(looker))
end

return M
