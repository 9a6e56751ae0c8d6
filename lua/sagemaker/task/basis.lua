--- What a task is, whoever runs it: the scheduler, or nginx. It ends with a `status` and `results`;
-- `is_watched` says that somebody waits for it, who is told of a failure.

local errors = require "sagemaker.error"

local M = {}

local unpack = table.unpack or unpack -- luacheck: ignore

--- A class of tasks, without ways to wait for one and to cancel it.
---@return table
function M.class()
  local Task = { __name = "sagemaker.task" }
  Task.__index = Task
  function Task:__tostring()
    return ("sagemaker.task (%s)"):format(self.status or "under way")
  end
  return Task
end

---@return {n: integer} values
function M.pack(...)
  return { n = select("#", ...), ... }
end

--- Throws what is no function at whoever gave it.
function M.check_function(fn, level)
  if type(fn) ~= "function" then error("a task is a function, not a " .. type(fn), level + 1) end
end

--- Throws what is no list of functions and tasks at whoever gave it.
function M.check_list(list, Task, level)
  if type(list) ~= "table" then error("all takes a list of functions", level + 1) end
  for _, entry in ipairs(list) do
    if getmetatable(entry) ~= Task then M.check_function(entry, level + 1) end
  end
end

--- Throws what is no limit of time at whoever gave it.
function M.check_seconds(seconds, level)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then
    error("timeout takes a number of seconds of at least 0", level + 1)
  end
end

--- The error that a cancelled task ends with.
---@return sagemaker.Error
function M.cancellation(task)
  return errors.new { kind = "cancelled", code = "TaskCancelled",
    message = "the task was cancelled", retryable = false, task = task }
end

--- What a task that has ended tells those who wait for it.
---@return boolean ok
---@return any ... its results, or the error
function M.outcome(task)
  local results = task.results
  return task.status == "done", unpack(results, 1, results.n)
end

--- What `timeout` answers for a task that has ended, or was cancelled because its time was over.
---@param was_late boolean
---@return any ... its results (it raises the task's error); or nil, message, err
function M.in_time(task, seconds, was_late)
  if task.status == "done" then return unpack(task.results, 1, task.results.n) end
  if task.status == "failed" or not was_late then error(task.results[1], 0) end
  return errors.fail { kind = "timeout", code = "TaskTimeout", retryable = false,
    message = ("not done within %g s"):format(seconds) }
end

--- Raises the error of the first of these tasks that nobody has waited for.
---@param failures table[] tasks
function M.raise_unwatched(failures)
  for _, task in ipairs(failures) do
    if not task.is_watched then error(task.results[1], 0) end
  end
end

return M
