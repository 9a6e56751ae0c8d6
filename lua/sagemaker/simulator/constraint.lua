--- Validation errors in the service's words.
--
-- "1 validation error detected: Value 'x' at 'productionVariants.1.member.instanceType' failed to
-- satisfy constraint: Member must satisfy enum value set: [...]": paths are lower camel case, list
-- positions count from 1, and all errors stand in one message.

local refusal = require "sagemaker.simulator.refusal"

local M = {}

-- So much of a value is repeated in a message.
local SHOWN = 1000

-- The keys of "A.B[0].C": "A", "B", 1, "C" (list positions count from 1 here).
local function keys_of(path)
  local keys = {}
  for name, index in path:gmatch("([^.%[%]]*)%[?(%d*)%]?%.?") do
    if name ~= "" then keys[#keys + 1] = name end
    if index ~= "" then keys[#keys + 1] = tonumber(index) + 1 end
  end
  return keys
end

-- The value at a path, and the shape that the model gives it.
local function look_up(service, shape, value, keys)
  for _, key in ipairs(keys) do
    if type(value) == "table" then value = value[key] else value = nil end
    local info = shape and service:shape(shape)
    local inner = info and info.value
    if info and info.type == "structure" then
      inner = nil
      for _, member in ipairs(info.members) do
        if member.name == key then inner = member.shape end
      end
    end
    shape = inner
  end
  return value, shape and service:shape(shape)
end

local function lower_camel(keys)
  local parts = {}
  for _, key in ipairs(keys) do
    if type(key) == "number" then
      parts[#parts + 1] = ("%d.member"):format(key)
    else
      parts[#parts + 1] = key:sub(1, 1):lower() .. key:sub(2)
    end
  end
  return table.concat(parts, ".")
end

local function show(value)
  if value == nil then return "null" end
  local text
  if type(value) == "table" then
    local items = {}
    for i, item in ipairs(value) do items[i] = type(item) == "table" and "{}" or tostring(item) end
    text = "[" .. table.concat(items, ", ") .. "]"
    if #value == 0 and next(value) ~= nil then text = "{}" end
  elseif type(value) == "number" then
    text = ("%.14g"):format(value)
  else
    text = tostring(value)
  end
  return "'" .. text:sub(1, SHOWN) .. "'"
end

local RELATION = { min = "greater than or equal to", max = "less than or equal to" }

local function bound(code, info)
  local noun = (info.type == "string" or info.type == "list" or info.type == "map"
    or info.type == "blob") and "length" or "value"
  return ("Member must have %s %s %.14g"):format(noun, RELATION[code], info[code])
end

local function demand(problem, info)
  local code = problem.code
  if code == "required" then return "Member must not be null" end
  if code == "enum" and info then
    return ("Member must satisfy enum value set: [%s]"):format(table.concat(info.enum, ", "))
  elseif code == "pattern" and info then
    return "Member must satisfy regular expression pattern: " .. info.pattern
  elseif RELATION[code] and info and info[code] then
    return bound(code, info)
  end
  return "Member is not valid: " .. problem.message
end

local function sentence(service, input_shape, params, problem)
  local keys = keys_of(problem.path)
  if problem.code == "required" and problem.member and keys[#keys] ~= problem.member then
    keys[#keys + 1] = problem.member
  end
  local value, info = look_up(service, input_shape, params, keys)
  if problem.code == "required" then value = nil end
  return ("Value %s at '%s' failed to satisfy constraint: %s"):format(show(value),
    lower_camel(keys), demand(problem, info))
end

--- The refusal for what core.validate found; nil when nothing is left that the service minds (it
-- ignores members it does not know).
---@param service userdata
---@param input_shape string
---@param params table
---@param problems table[] from core.validate
---@return sagemaker.simulator.refusal|nil
function M.refusal(service, input_shape, params, problems)
  local lines = {}
  for _, problem in ipairs(problems) do
    if problem.code ~= "unknown" then
      lines[#lines + 1] = sentence(service, input_shape, params, problem)
    end
  end
  if #lines == 0 then return nil end
  local _, refused = refusal.validation(("%d validation error%s detected: %s"):format(#lines,
    #lines > 1 and "s" or "", table.concat(lines, "; ")))
  return refused
end

return M
