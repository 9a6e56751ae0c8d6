--- `sagemaker wait <waiter>`: polls until a resource is in a state, as AWS defines it. Prints
-- nothing.

local args = require "sagemaker.cli.args"
local errors = require "sagemaker.error"
local failure = require "sagemaker.cli.failure"
local options_of = require "sagemaker.cli.options"

local M = {}

--- The names of all waiters, as they are written: "endpoint-in-service".
---@return string[]
function M.names()
  local names = {}
  for name in pairs(require "sagemaker.model.waiters") do
    names[#names + 1] = (name:gsub("_", "-"))
  end
  table.sort(names)
  return names
end

--- Runs a waiter.
---@param ctx sagemaker.cli.Context
---@param name string|nil
---@param words string[] what follows the name
---@return integer exit code
function M.run(ctx, name, words)
  local names = M.names()
  if not name then
    failure.usage("wait for what? One of " .. table.concat(names, ", "))
  end
  local row = require("sagemaker.model.waiters")[(name:gsub("-", "_"))]
  if not row or name:find("_", 1, true) then
    local hint = errors.hint(name, names)
    failure.usage(("unknown waiter %q%s"):format(name,
      hint ~= "" and hint or "; there are " .. table.concat(names, ", ")))
  end
  local service = require("sagemaker.core").service "sagemaker"
  local operation = service:operation(row.operation)
  local rows = options_of.of(service, operation)
  ctx.service, ctx.operation = service, operation
  local what = "wait " .. name
  ctx.options = args.parse(words, rows, nil, what)
  local params = require("sagemaker.cli.operation").params(ctx, rows, nil, what)
  collectgarbage "restart"
  ctx.farewell = "Interrupted: what was waited for goes on. The same command waits on."
  ctx.world.heed()
  local output, _, err = ctx:client():wait((name:gsub("-", "_")), params)
  if not output then failure.raise(err) end
  return failure.OK
end

return M
