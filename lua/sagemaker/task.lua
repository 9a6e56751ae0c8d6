--- Many calls at once, in one thread: tasks are coroutines that wait side by side.
--
--     local rows = sagemaker.all {
--       function() return assert(client:wait_until_in_service("churn")) end,
--       function() return assert(client:wait_until_in_service("fraud")) end,
--     }
--
-- In a task a client of the default transport lets others run while it waits: for answers, between
-- retries and looks, and for the parts of a stream. Nothing else changes.
--
-- A call in a coroutine of one's own (coroutine.wrap), or below a function that a coroutine cannot
-- yield from (on PUC 5.1 pcall, a metamethod, and the iterator of a generic `for`), works too:
-- other tasks go on meanwhile. Yet whoever waits so goes on only when those have what they wait
-- for that began to wait so after it.

local basis = require "sagemaker.task.basis"
local errors = require "sagemaker.error"
local scheduler = require "sagemaker.task.scheduler"

local M = {}

local unpack = table.unpack or unpack -- luacheck: ignore
local pack = basis.pack

---@class sagemaker.task
---@field on_failure? fun(err: any, task: sagemaker.Task) told of tasks that fail outside of `run`
--- while nobody waits for them; else stderr is

---@class sagemaker.Task
---@field status? "done"|"failed"|"cancelled" nil while it goes on
local Task = basis.class()

local NONE = { n = 0 } -- arguments

-- {{ The life of a task

-- Tasks that belong together: those that one `run` waits for.
local function new_scope()
  return { count = 0, failures = {}, main = false, members = {}, waiter = false }
end

-- For tasks that a host starts outside of `run` and drives with a loop.
local root = new_scope()

local function is_cancellation(err, task)
  return errors.is(err) and err.code == "TaskCancelled" and err.task == task
end

-- Nobody waits for a task that has failed: `run` raises its error in the end. Where there is no
-- `run`, it is shown.
local function leave_failure(task)
  local scope = task.scope
  if scope ~= root then
    scope.failures[#scope.failures + 1] = task
    return
  end
  local err, hook = task.results[1], M.on_failure
  if hook then
    -- What it throws would end the wait of whoever drives the tasks now.
    local ok, thrown = pcall(hook, err, task)
    if ok then return end
    io.stderr:write("sagemaker: on_failure has thrown: ", tostring(thrown), "\n")
  end
  io.stderr:write("sagemaker: a task has failed: ", tostring(err), "\n")
end

local function cancel_all(scope)
  local list = {}
  for task in pairs(scope.members) do list[#list + 1] = task end
  for _, task in ipairs(list) do task:cancel() end
end

local function ended(task, status, results)
  task.status, task.results, task.co, task.args = status, results, nil, nil
  local scope, waiters = task.scope, task.waiters
  scope.count, scope.members[task] = scope.count - 1, nil
  task.waiters = nil
  if waiters then
    for waiter in pairs(waiters) do scheduler.wake(waiter, "ready") end
  end
  if status == "failed" and not task.is_watched then leave_failure(task) end
  if scope.main == task and status ~= "done" then cancel_all(scope) end
  if scope.waiter and scope.count == 0 then scheduler.wake(scope.waiter, "ready") end
end

-- What the coroutine of a task answered to being resumed. One that yields by itself lets the others
-- run; when it was cancelled it goes no further, though no error can be raised there.
local function finish(task, ok, ...)
  if ok then
    if task.mode == "yield" then return end -- it waits
    if coroutine.status(task.co) == "dead" then return ended(task, "done", pack(...)) end
    if not task.cancelled then return scheduler.push(task) end
    local close = rawget(coroutine, "close")
    if close then close(task.co) end
    return ended(task, "cancelled", { n = 1, basis.cancellation(task) })
  end
  local err = ...
  ended(task, is_cancellation(err, task) and "cancelled" or "failed", { n = 1, err })
end

Task.finish = finish -- for the scheduler

-- PUC 5.1 makes coroutines of Lua functions only.
local function coroutine_of(fn)
  local ok, co = pcall(coroutine.create, fn)
  if ok then return co end
  return coroutine.create(function(...) return fn(...) end)
end

local function start(scope, fn, ...)
  local task = setmetatable({ args = select("#", ...) > 0 and pack(...) or NONE,
    co = coroutine_of(fn), scope = scope }, Task)
  scope.count, scope.members[task] = scope.count + 1, true
  scheduler.push(task)
  return task
end

--- Ends a task where it waits: an error is raised there, which runs through all that it has begun,
--- and what it waited for is given up. Nothing happens when it has ended.
---@return boolean cancelled false when it had ended
function Task:cancel()
  if self.status then return false end
  self.cancelled = true
  if self.args then -- it has not begun
    ended(self, "cancelled", { n = 1, basis.cancellation(self) })
  else
    scheduler.wake(self, "cancelled")
  end
  return true
end

-- Waits for the end of a task: "ready", or what ended the wait.
local function wait_for(task, seconds)
  if task.status then return "ready" end
  local waiter = scheduler.waiter()
  if waiter == task then error("a task cannot wait for itself", 3) end
  task.waiters = task.waiters or {}
  task.waiters[waiter] = true
  local why, err = scheduler.suspend_for(waiter, seconds, true)
  if task.waiters then task.waiters[waiter] = nil end
  return why, err, waiter
end

--- Waits until a task has ended.
---@return boolean ok false when it has failed or was cancelled
---@return any ... its results, or the error
function Task:wait()
  self.is_watched = true
  local why, err, waiter = wait_for(self)
  if why ~= "ready" then scheduler.check(waiter, why, err) end
  return basis.outcome(self)
end

-- }}

-- {{ Starting

--- Starts a task, which runs when the one that runs now waits. The `run` that it is started in does
--- not end before it, and raises its error if nobody has waited for it.
---@param fn function
---@param ... any its arguments
---@return sagemaker.Task
function M.spawn(fn, ...)
  basis.check_function(fn, 2)
  local current = scheduler.current
  return start(current and current.scope or root, fn, ...)
end

--- The task that runs now.
---@return sagemaker.Task|nil
function M.current()
  return scheduler.current
end

-- Waits until all tasks of a scope have ended.
local function join(scope)
  local waiter = scheduler.waiter()
  local why, err = "ready", nil
  while scope.count > 0 and why == "ready" do
    scope.waiter = waiter
    why, err = scheduler.suspend(waiter, true)
    scope.waiter = false
  end
  return why, err, waiter
end

-- The wait for a scope was ended from outside: so are its tasks. They have some turns to tidy up.
local function abandon(scope, why)
  cancel_all(scope)
  local turns = 0
  while why == "thrown" and scope.count > 0 and turns < 100 do
    scheduler.turn(0, true)
    turns = turns + 1
  end
end

--- Runs a function as a task and waits for it, and for all tasks started in it. Other tasks of this
--- Lua go on too. If the function fails, the tasks that it has started are cancelled; if one of
--- those fails that nobody waits for, the others go on and `run` raises the error in the end.
---@param fn function
---@param ... any its arguments
---@return any ... its results; raises its error
function M.run(fn, ...)
  basis.check_function(fn, 2)
  local scope = new_scope()
  local main = start(scope, fn, ...)
  scope.main, main.is_watched = main, true
  local why, err, waiter = join(scope)
  if why ~= "ready" then
    abandon(scope, why)
    scheduler.check(waiter, why, err)
  end
  local results = main.results
  if main.status ~= "done" then error(results[1], 0) end
  basis.raise_unwatched(scope.failures)
  return unpack(results, 1, results.n)
end

local function cancel_list(tasks)
  for _, task in ipairs(tasks) do task:cancel() end
end

--- Runs functions side by side and waits for all of them.
---@param list (function|sagemaker.Task)[]
---@return table[] rows in the same order: {true, results…} or {false, error}, and `n`, the number
--- of values
function M.all(list)
  basis.check_list(list, Task, 2)
  local current = scheduler.current
  if not current then return M.run(M.all, list) end
  local tasks, own, rows = {}, {}, {}
  for i, entry in ipairs(list) do
    local task = entry
    if getmetatable(entry) ~= Task then
      task = start(current.scope, entry)
      own[#own + 1] = task
    end
    tasks[i], task.is_watched = task, true
  end
  for i, task in ipairs(tasks) do
    local why, err, waiter = wait_for(task)
    if why ~= "ready" then
      cancel_list(own)
      scheduler.check(waiter, why, err)
    end
    rows[i] = pack(basis.outcome(task))
  end
  return rows
end

--- Runs a function in a task of its own for at most so many seconds, then cancels it.
---@param seconds number
---@param fn function
---@param ... any its arguments
---@return any ... its results (it raises the function's error); or nil, message, err of kind
--- "timeout" and code "TaskTimeout"
function M.timeout(seconds, fn, ...)
  basis.check_seconds(seconds, 2)
  basis.check_function(fn, 2)
  local current = scheduler.current
  if not current then return M.run(M.timeout, seconds, fn, ...) end
  local task = start(current.scope, fn, ...)
  task.is_watched = true
  local why, err, waiter = wait_for(task, seconds)
  local is_late = why == "time"
  if is_late then
    task:cancel()
    why, err, waiter = wait_for(task)
  end
  if why ~= "ready" then
    task:cancel()
    scheduler.check(waiter, why, err)
  end
  return basis.in_time(task, seconds, is_late)
end

--- Waits; other tasks go on.
---@param seconds number
function M.sleep(seconds)
  if type(seconds) ~= "number" then error("sleep takes a number of seconds", 2) end
  scheduler.sleep(seconds)
end

-- }}

-- {{ In the loop of a host

---@class sagemaker.Loop
local Loop = { __name = "sagemaker.loop" }
Loop.__index = Loop

--- The descriptors to watch, and for what. A descriptor may be closed, and come back for another
--- connection, in any step: it has another `id` then.
---@param known? integer the generation that the caller knows
---@return {fd: integer, id: integer, read: boolean, write: boolean}[]|nil fds nil when it still is
---   `known`
---@return integer generation another number when the list has changed
function Loop.fds(_, known)
  local poller = scheduler.poller
  if poller then return poller:fds(known) end
  if known == 0 then return nil, 0 end
  return {}, 0
end

--- When to step though no descriptor is ready.
---@return number|nil seconds nil: not before a descriptor is
function Loop.timeout()
  return scheduler.timeout()
end

--- Lets tasks go on: those that can, and those whose descriptors or times are ready.
---@param seconds? number how long to wait for something to do; default 0
---@return integer tasks how many are under way that were started outside of `run`
function Loop.step(_, seconds)
  if scheduler.current then error("a task cannot step the loop that runs it", 2) end
  scheduler.turn(seconds or 0, true)
  return root.count
end

--- The loop in which the tasks run, for hosts with one of their own: watch `fds`, and call `step`
--- when one is ready or `timeout` has passed.
---@return sagemaker.Loop
function M.loop()
  return setmetatable({}, Loop)
end

-- }}

return M
