--- Values as text and tables show them: the words that the AWS CLI, a Python program, prints.

local document = require "sagemaker.cli.document"

local M = {}

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\" }

local function quoted(text)
  local quote = text:find("'", 1, true) and not text:find('"', 1, true) and '"' or "'"
  text = text:gsub("[%z\1-\31\\\127]", function(c)
    return ESCAPES[c] or ("\\x%02x"):format(c:byte())
  end)
  if quote == "'" then text = text:gsub("'", "\\'") end
  return quote .. text .. quote
end

-- A value inside a list or an object that stands where a scalar is expected.
local function nested(value)
  local kind, parts = document.kind(value), {}
  if kind == "string" then return quoted(value) end
  if kind == "list" then
    for i = 1, #value do parts[i] = nested(value[i]) end
    return "[" .. table.concat(parts, ", ") .. "]"
  elseif kind == "object" then
    for i, key in ipairs(document.keys(value)) do
      parts[i] = quoted(key) .. ": " .. nested(value[key])
    end
    return "{" .. table.concat(parts, ", ") .. "}"
  end
  return M.text(value)
end

--- The text of a value: None, True, False, 12, 0.5, or the string itself.
---@param value any
---@return string
function M.text(value)
  local kind = document.kind(value)
  if kind == "string" then return value end
  if kind == "number" then return document.number_text(value) end
  if kind == "boolean" then return value and "True" or "False" end
  if kind == "null" then return "None" end
  return nested(value)
end

return M
