--- JSON with four spaces of indentation, as the AWS CLI prints it.

local json = require "sagemaker.cli.json"

local M = {}

local STYLE = { indent = 4 }

--- Prints a value.
---@param value any a document
---@param _ table
---@param out fun(text: string)
function M.write(value, _, out)
  out(json.encode(value, STYLE) .. "\n")
end

return M
