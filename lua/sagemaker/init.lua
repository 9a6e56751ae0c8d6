--- Amazon SageMaker for Lua: deploy models safely, call them fast.
---
---     local sagemaker = require "sagemaker"
---     local client = assert(sagemaker.new{ region = "eu-west-1" })
---     assert(client:deploy{ EndpointName = "churn", EndpointConfigName = "churn-v2" })

---@class sagemaker
---@field deployment table builders, rules and plan of deployments
---@field null lightuserdata the explicit JSON null
---@field simulator table a local SageMaker
---@field task sagemaker.task many calls at once
---@field _VERSION string
local M = {}

--- A client for the control plane. Nothing is sent and no file is written.
---@param options? sagemaker.Options every one is optional
---@return sagemaker.Client|nil client
---@return string|nil message
---@return sagemaker.Error|nil err kind "config"
function M.new(options)
  if options == M then error("call it with a dot: sagemaker.new{…}", 2) end
  local client, message, err = require("sagemaker.client").new(options, nil, 3)
  return client, message, err
end

--- A client for invocations. Nothing is sent and no file is written.
---@param options? sagemaker.Options every one is optional
---@return sagemaker.Runtime|nil runtime
---@return string|nil message
---@return sagemaker.Error|nil err kind "config"
function M.runtime(options)
  if options == M then error("call it with a dot: sagemaker.runtime{…}", 2) end
  local runtime, message, err = require("sagemaker.runtime").new(options, 3)
  return runtime, message, err
end

--- Runs a function as a task, in which calls wait side by side with those of other tasks. See
--- sagemaker.task.
---@param fn function
---@param ... any its arguments
---@return any ... its results; raises its error
function M.run(fn, ...)
  return M.task.run(fn, ...)
end

--- Runs functions side by side and waits for all of them.
---@param list function[]
---@return table[] rows in the same order: {true, results…} or {false, error}
function M.all(list)
  return M.task.all(list)
end

-- The rest is loaded when it is first asked for.
local LAZY = {
  deployment = "sagemaker.deployment",
  null = "sagemaker.null",
  simulator = "sagemaker.simulator",
  task = "sagemaker.task",
}

return setmetatable(M, { __index = function(self, name)
  local value
  if name == "_VERSION" then
    value = require("sagemaker.core").version
  elseif name == "task" and type(rawget(_G, "ngx")) == "table" then
    value = require "sagemaker.nginx.task" -- nginx has a loop and threads of its own
  elseif LAZY[name] then
    value = require(LAZY[name])
  end
  rawset(self, name, value)
  return value
end })
