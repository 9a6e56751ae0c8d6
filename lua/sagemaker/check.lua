--- Strict validation of parameters without sending them: what the service model says (types, enum
-- values, limits, patterns), and for deployments what AWS's documentation says besides.

local answer = require "sagemaker.answer"
local core = require "sagemaker.core"

local M = {}

-- The operations whose DeploymentConfig has rules beyond its shapes.
local DEPLOYING = { CreateEndpoint = true, UpdateEndpoint = true }

local function index(params, name)
  return params[name]
end

-- Adds what the rules of deployments find.
local function add_rules(problems, config)
  local ok, _, err = require("sagemaker.deployment").check(config)
  if not ok then require("sagemaker.deployment.rules").merge(problems, err.errors) end
end

--- Checks against the model only.
---@param service userdata
---@param operation string the AWS name
---@param params table
---@return boolean|nil ok true
---@return string|nil message
---@return sagemaker.Error|nil err kind "validation"
function M.shapes(service, operation, params)
  local ok, problems = core.validate(service, operation, params, "strict")
  if ok then return true end
  return answer.invalid(operation, problems)
end

--- Checks against the model and the rules of deployments.
---@param service userdata
---@param operation string the AWS name
---@param params table
---@return boolean|nil ok true
---@return string|nil message
---@return sagemaker.Error|nil err kind "validation"
function M.parameters(service, operation, params)
  local ok, problems = core.validate(service, operation, params, "strict")
  problems = not ok and problems or {}
  if DEPLOYING[operation] then
    local readable, config = pcall(index, params, "DeploymentConfig")
    if readable and config ~= nil then add_rules(problems, config) end
  end
  if #problems == 0 then return true end
  return answer.invalid(operation, problems)
end

return M
