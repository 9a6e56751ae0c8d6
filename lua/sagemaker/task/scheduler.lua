--- Who runs, and who waits for what. One scheduler a Lua state; transports wait by it when they are
-- called in a task, and `sagemaker.task` makes and drives the tasks.
--
-- A waiter is a table: the task itself, or an empty one where no task is running. Its `mode` says
-- how it waits: "yield" (its coroutine has yielded, and is put in the ready list when it is woken)
-- or "step": it cannot yield to here, because it runs in a coroutine of somebody else, or below a
-- function that forbids it (on PUC 5.1 pcall, metamethods and the iterator of a `for`). Then it
-- drives the scheduler itself until it is woken, while other tasks go on. A task's `looker` is a
-- coroutine that it runs and that hands on what is yielded in it.

local timers = require "sagemaker.task.timers"

local M = {
  current = nil,  -- the task whose turn it is
  poller = nil,   -- the loop of sagemaker.curl, once there is one
  n_waiting = 0,  -- who waits for something of the poller
}

-- Waiters that drive the scheduler may do so inside one another; deeper than this they go on
-- without running other tasks, and who waits for another task fails.
local MAX_DEPTH = 10
-- Ready tasks run for so many seconds before the sockets are looked at again.
local TURN = 0.002
-- No stay in poll or sleep is longer, so that a pending signal gets its chance.
local BREATH = 1

local waiting = {}           -- number of a transfer -> who waits for it
local sleepers = timers.new() -- by the real clock
local clocks = {}            -- virtual clock -> timers
local ready = { first = 1, last = 0 }
local depth = 0

local resume, running, yield = coroutine.resume, coroutine.running, coroutine.yield
local unpack = table.unpack or unpack -- luacheck: ignore

local core_clock

--- Monotonic time in seconds.
---@return number
local function clock()
  if not core_clock then core_clock = require("sagemaker.core").clock end
  return core_clock()
end
M.clock = clock

-- Yields if that is possible: true once the coroutine was resumed, false when it is not. Is given
-- the function that yields, so that pcall will do and the stack of who waits stays small.
local try_yield
if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
  try_yield = function()
    try_yield = require("sagemaker.core").try_yield
    return try_yield()
  end
else
  try_yield = pcall
end

--- Puts a task in the ready list.
function M.push(task)
  local last = ready.last + 1
  ready.last, ready[last] = last, task
end

--- Wakes a waiter; one that does not wait, or was woken already, stays as it is.
---@param waiter table
---@param why any what `suspend` answers
function M.wake(waiter, why)
  local mode = waiter.mode
  if not mode then return end
  waiter.mode, waiter.why = nil, why
  if mode == "yield" then M.push(waiter) end
end

--- What the code that runs now waits with.
---@return table waiter
function M.waiter()
  return M.current or {}
end

--- Whether whoever waits now must wait by the scheduler.
---@return boolean
function M.is_active()
  return M.current ~= nil or depth > 0
end

-- {{ Turns

-- Lets a task run until it waits or ends.
local function slice(task)
  local outer = M.current
  M.current = task
  local finish, args = task.finish, task.args
  if args then
    task.args = nil
    finish(task, resume(task.co, unpack(args, 1, args.n)))
  else
    finish(task, resume(task.co, true)) -- what try_yield answers
  end
  M.current = outer
end

-- Tasks that become ready meanwhile have their turn the next time. A task may drive the scheduler
-- itself, and so run those that are behind it.
local function run_ready()
  local last, stop = ready.last, M.n_waiting > 0 and clock() + TURN
  while ready.first <= last do
    local first = ready.first
    local task = ready[first]
    if not task then break end
    ready[first], ready.first = nil, first + 1
    if not task.status then slice(task) end
    if stop and clock() >= stop then return end
  end
  if ready.first > ready.last then ready.first, ready.last = 1, 0 end
end

-- Wakes those whose time has come.
local function wake_due(queue, now)
  local first = queue:first()
  while first and first.at <= now do
    queue:remove(first)
    M.wake(first, "time")
    first = queue:first()
  end
end

local function wake_sleepers()
  if sleepers.n > 0 then wake_due(sleepers, clock()) end
  if next(clocks) == nil then return end
  for virtual, queue in pairs(clocks) do
    wake_due(queue, virtual:now())
  end
end

-- Nobody can go on before virtual time does: it jumps to where the first one wakes.
local function jump()
  local list = {}
  for virtual, queue in pairs(clocks) do
    if queue.n > 0 then list[#list + 1] = virtual else clocks[virtual] = nil end
  end
  for _, virtual in ipairs(list) do -- which may run functions that wait in their turn
    local first = clocks[virtual]:first()
    if first then virtual:advance(math.max(0, first.at - virtual:now())) end
  end
  if list[1] then wake_sleepers() end
  return list[1] ~= nil
end

-- Lets the poller work for so long, at most, and wakes whom it names.
local function poll(seconds)
  local poller = M.poller
  if not poller then
    if seconds > 0 then require("sagemaker.core").sleep(seconds) end
    return
  end
  poller:step(seconds)
  local number = poller:next()
  while number do
    local waiter = waiting[number]
    if waiter then M.wake(waiter, "ready") end
    number = poller:next()
  end
end

-- Seconds until somebody who sleeps wakes.
local function until_sleeper()
  local first = sleepers:first()
  return first and math.max(0, first.at - clock()) or math.huge
end

--- One turn: ready tasks, sockets, those who sleep. Waits for at most `limit` seconds, and not at
--- all for who can go on. Without `run` no task gets its turn.
---@param limit number
---@param run boolean
---@param waiter? table whoever drives; when he is woken the turn ends
---@return boolean anything false when nobody can ever go on
function M.turn(limit, run, waiter)
  if run then run_ready() end
  if waiter and not waiter.mode then return true end
  local can_go = run and ready.first <= ready.last
  if M.n_waiting > 0 then
    poll(can_go and 0 or math.min(limit, until_sleeper(), BREATH))
  elseif not can_go then
    if jump() then return true end
    local seconds = until_sleeper()
    if seconds == math.huge and limit == math.huge then return false end
    if math.min(seconds, limit) > 0 then poll(math.min(limit, seconds, BREATH)) end
  end
  wake_sleepers()
  return true
end

--- Seconds until a turn has something to do, 0 when it has now, nil when only a socket or somebody
--- outside can tell.
---@return number|nil
function M.timeout()
  if ready.first <= ready.last then return 0 end
  local seconds = until_sleeper()
  if M.n_waiting == 0 then
    for _, queue in pairs(clocks) do
      if queue.n > 0 then return 0 end
    end
  end
  local own = M.poller and M.poller:timeout()
  if own and own < seconds then seconds = own end
  return seconds < math.huge and seconds or nil
end

-- }}

-- {{ Waiting

local function drive(waiter, needs_tasks)
  local run = depth <= MAX_DEPTH
  if not run and needs_tasks then
    error(("tasks wait for one another inside %d coroutines of their own, one below the other; let "
      .. "them wait in the tasks themselves"):format(MAX_DEPTH), 0)
  end
  while waiter.mode do
    if not M.turn(math.huge, run, waiter) then
      error("nobody can go on: every task waits for another one", 0)
    end
  end
end

--- Waits until somebody wakes the waiter of the code that runs now.
---@param waiter table as `waiter` has given it; whoever shall wake it knows it by now
---@param needs_tasks? boolean only another task can wake it
---@param only_yields? boolean "stuck" at once where it cannot yield
---@return any why "ready", "time", "cancelled", or what else `wake` was given; "thrown" when an
--- error came instead: the caller tidies up and gives both to `check`
---@return any err
function M.suspend(waiter, needs_tasks, only_yields)
  if waiter.cancelled then return "cancelled" end
  local co = running()
  if co and (co == waiter.co or co == waiter.looker) then
    waiter.mode = "yield"
    if try_yield(yield) then return waiter.why end
  end
  if only_yields then
    waiter.mode = nil
    return "stuck"
  end
  waiter.mode = "step"
  local current = M.current
  depth, M.current = depth + 1, nil
  local ok, err = pcall(drive, waiter, needs_tasks)
  depth = depth - 1
  M.current, waiter.mode = current, nil
  if not ok then return "thrown", err end
  return waiter.why
end

--- Raises what ended a wait, unless that is what was waited for.
function M.check(waiter, why, err)
  if why == "thrown" then error(err, 0) end
  if why == "cancelled" then
    error(require("sagemaker.task.basis").cancellation(waiter), 0)
  end
end

--- Waits until the poller names a transfer.
---@param number integer
---@return any why "ready", else as `suspend`
---@return any err
---@return table|nil waiter for `check`
function M.await(number)
  local waiter = M.current or {}
  if waiting[number] then return "thrown", "another task waits for this already" end
  waiting[number] = waiter
  M.n_waiting = M.n_waiting + 1
  local why, err = M.suspend(waiter)
  waiting[number] = nil
  M.n_waiting = M.n_waiting - 1
  return why, err, waiter
end

--- Lets who waits for a transfer look at it.
---@param number integer
function M.notify(number)
  local waiter = waiting[number]
  if waiter then M.wake(waiter, "ready") end
end

--- Waits to be woken, for at most so many seconds.
---@param waiter table
---@param seconds? number
---@param needs_tasks? boolean
---@param only_yields? boolean as for `suspend`
---@return any why "time" when nobody woke it
---@return any err
function M.suspend_for(waiter, seconds, needs_tasks, only_yields)
  if not seconds then return M.suspend(waiter, needs_tasks, only_yields) end
  sleepers:add(waiter, clock() + seconds)
  local why, err = M.suspend(waiter, needs_tasks, only_yields)
  sleepers:remove(waiter)
  return why, err
end

--- Waits in real time.
---@param seconds number
function M.sleep(seconds)
  local waiter = M.waiter()
  sleepers:add(waiter, clock() + math.max(0, seconds))
  local why, err = M.suspend(waiter)
  sleepers:remove(waiter)
  if why ~= "time" then M.check(waiter, why, err) end
end

--- Waits on a clock that moves only when nobody else can go on.
---@param virtual {now: fun(self): number, advance: fun(self, seconds: number)}
---@param at number a time of that clock
function M.sleep_on(virtual, at)
  local queue = clocks[virtual]
  if not queue then
    queue = timers.new()
    clocks[virtual] = queue
  end
  local waiter = M.waiter()
  queue:add(waiter, at)
  local why, err = M.suspend(waiter)
  queue:remove(waiter)
  M.check(waiter, why, err)
end

-- }}

-- What LuaJIT compiles may leave in a stack what is no longer needed, and who waits long would keep
-- it: an answer, for each task that waits for the next.
local jit = rawget(_G, "jit")
if jit then
  for _, wait in ipairs { M.await, M.sleep, M.suspend, M.suspend_for } do
    jit.off(wait)
  end
end

return M
