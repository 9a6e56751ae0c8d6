--- JMESPath, the whole language, over documents (`sagemaker.cli.document`).
-- https://jmespath.org/specification.html
--
-- local search = assert(jmespath.compile "Endpoints[?EndpointStatus=='InService'].EndpointName")
-- local names = search(page)
--
-- As in the AWS CLI, strings may be ordered with < and > too (timestamps are strings there), and
-- text between backticks that is no JSON is a string.

local M = {}

---@class sagemaker.cli.jmespath.Error
---@field kind "syntax"|"invalid-type"|"invalid-value"|"invalid-arity"|"unknown-function"
---@field message string without the position
---@field at integer|nil byte of the expression, from 1

-- "…, at character 5 of a.b[": characters, not bytes, because a person counts.
local function describe(err, expression)
  if not err.at then return err.message end
  local before = expression:sub(1, err.at - 1)
  local _, characters = before:gsub("[^\128-\191]", "")
  return ("%s, at character %d of %s"):format(err.message, characters + 1, expression)
end

local function failed(err, expression)
  if type(err) ~= "table" or not err.kind then error(err, 0) end
  return nil, describe(err, expression), err
end

--- Compiles an expression. Wrong syntax, unknown functions and wrong numbers of arguments are told
--- here; wrong types when the function runs.
---@param expression string
---@return (fun(value: any): any, string|nil, sagemaker.cli.jmespath.Error|nil)|nil search takes a
---   document and answers one, `null` where nothing is found; or nil, message, err
---@return string|nil message
---@return sagemaker.cli.jmespath.Error|nil err
function M.compile(expression)
  local parser = require "sagemaker.cli.jmespath.parser"
  local interpreter = require "sagemaker.cli.jmespath.interpreter"
  local ok, evaluate = pcall(function()
    return interpreter.compile(parser.parse(expression))
  end)
  if not ok then return failed(evaluate, expression) end
  return function(value)
    local done, result = pcall(evaluate, value)
    if not done then return failed(result, expression) end
    return result
  end
end

return M
