--- sagemaker.task inside nginx: the same functions on nginx's own light threads. Requests run side
--- by side there already, in one loop that belongs to nginx, so tasks belong to the request that
--- started them, and end with it.
--
-- What differs: `cancel` works from where a task was started, and ends it without raising an error
-- in it (its connections are closed all the same); there is no `loop`.

local basis = require "sagemaker.task.basis"

local M = {}

local unpack = table.unpack or unpack -- luacheck: ignore
local pack = basis.pack

local Task = basis.class()

local WAITS = { access = true, content = true, rewrite = true, server_rewrite = true,
  timer = true }
local LONG = 86400 -- seconds

-- The task that a coroutine is, and the scope that its tasks belong to.
local tasks, scopes = setmetatable({}, { __mode = "k" }), setmetatable({}, { __mode = "k" })

local function nginx(level)
  local ngx = rawget(_G, "ngx")
  local phase = ngx.get_phase()
  if WAITS[phase] then return ngx end
  error(("nginx cannot wait in the phase '%s': use tasks in the access or content phase, or in a "
    .. "timer (ngx.timer.at)"):format(phase), level + 1)
end

local function leave_failure(task)
  local scope = task.scope
  if scope then
    scope.failures[#scope.failures + 1] = task
    return
  end
  local ngx = rawget(_G, "ngx")
  ngx.log(ngx.ERR, "sagemaker: a task has failed: ", tostring(task.results[1]))
end

local function ended(task, status, results)
  task.status, task.results = status, results
  if task.scope then task.scope.members[task] = nil end
  for _, semaphore in ipairs(task.waiters) do semaphore:post(1) end
  if status == "failed" and not task.is_watched then leave_failure(task) end
end

local function start(scope, fn, ...)
  basis.check_function(fn, 3)
  local ngx, args = nginx(3), pack(...)
  local task = setmetatable({ scope = scope, waiters = {} }, Task)
  if scope then scope.members[task] = true end
  task.thread = ngx.thread.spawn(function()
    local co = coroutine.running()
    tasks[co], scopes[co] = task, scope
    local results = pack(pcall(fn, unpack(args, 1, args.n)))
    if results[1] then
      ended(task, "done", pack(unpack(results, 2, results.n)))
    else
      ended(task, "failed", { n = 1, results[2] })
    end
  end)
  return task
end

-- Waits for the end of a task; false when it has not come within so many seconds.
local function wait_for(task, seconds)
  if task.status then return true end
  if tasks[coroutine.running()] == task then error("a task cannot wait for itself", 3) end
  local semaphore = require("ngx.semaphore").new()
  task.waiters[#task.waiters + 1] = semaphore
  repeat
    local ok = semaphore:wait(seconds or LONG)
  until ok or seconds or task.status
  return task.status ~= nil
end

--- Waits until a task has ended.
---@return boolean ok false when it has failed or was cancelled
---@return any ... its results, or the error
function Task:wait()
  self.is_watched = true
  wait_for(self)
  return basis.outcome(self)
end

--- Ends a task. Only who started it can.
---@return boolean cancelled false when it had ended
function Task:cancel()
  if self.status then return false end
  local ok, reason = rawget(_G, "ngx").thread.kill(self.thread)
  if self.status then return false end
  if not ok then error("the task cannot be cancelled from here: " .. tostring(reason), 2) end
  ended(self, "cancelled", { n = 1, basis.cancellation(self) })
  return true
end

--- Starts a task, which begins at once and goes on while others wait.
---@param fn function
---@param ... any its arguments
---@return sagemaker.Task
function M.spawn(fn, ...)
  return start(scopes[coroutine.running()], fn, ...)
end

--- The task that runs now.
---@return sagemaker.Task|nil
function M.current()
  return tasks[coroutine.running()]
end

--- Runs a function, and waits for all tasks started in it.
---@param fn function
---@param ... any its arguments
---@return any ... its results; raises its error
function M.run(fn, ...)
  nginx(2)
  local co, scope = coroutine.running(), { failures = {}, members = {} }
  local outer = scopes[co]
  scopes[co] = scope
  local results = pack(pcall(fn, ...))
  scopes[co] = outer
  local task = next(scope.members)
  while task do
    if not results[1] and pcall(task.cancel, task) then
      scope.members[task] = nil
    else
      wait_for(task)
    end
    task = next(scope.members)
  end
  if not results[1] then error(results[2], 0) end
  basis.raise_unwatched(scope.failures)
  return unpack(results, 2, results.n)
end

--- Runs functions side by side and waits for all of them.
---@param list (function|sagemaker.Task)[]
---@return table[] rows in the same order: {true, results…} or {false, error}, and `n`
function M.all(list)
  basis.check_list(list, Task, 2)
  local scope, started, rows = scopes[coroutine.running()], {}, {}
  for i, entry in ipairs(list) do
    local task = getmetatable(entry) == Task and entry or start(scope, entry)
    started[i], task.is_watched = task, true
  end
  for i, task in ipairs(started) do
    wait_for(task)
    rows[i] = pack(basis.outcome(task))
  end
  return rows
end

--- Runs a function in a task of its own for at most so many seconds, then cancels it.
---@param seconds number
---@param fn function
---@param ... any its arguments
---@return any ... its results (it raises the function's error); or nil, message, err
function M.timeout(seconds, fn, ...)
  basis.check_seconds(seconds, 2)
  local task = start(scopes[coroutine.running()], fn, ...)
  task.is_watched = true
  local is_late = not wait_for(task, seconds)
  if is_late then task:cancel() end
  return basis.in_time(task, seconds, is_late)
end

--- Waits; others go on.
---@param seconds number
function M.sleep(seconds)
  nginx(2).sleep(math.max(0, seconds))
end

--- There is none.
function M.loop()
  error("inside nginx the loop is nginx's own", 2)
end

return M
