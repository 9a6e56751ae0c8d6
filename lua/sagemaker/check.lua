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

-- What a problem is about, whether its path names the member or only its parent.
local function subject(problem)
  local path, member = problem.path or "", problem.member
  if not member or path == member or path:sub(-#member - 1) == "." .. member then return path end
  return path == "" and member or path .. "." .. member
end

-- Adds what the rules of deployments find, except about members that have a problem already.
local function add_rules(problems, config)
  local ok, _, err = require("sagemaker.deployment").check(config)
  if ok then return end
  local known = {}
  for _, problem in ipairs(problems) do known[subject(problem)] = true end
  for _, problem in ipairs(err.errors) do
    if not known[subject(problem)] then problems[#problems + 1] = problem end
  end
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
