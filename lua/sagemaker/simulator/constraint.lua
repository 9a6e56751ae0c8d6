--- Validation errors in the service's words.
--
-- "1 validation error detected: Value 'x' at 'productionVariants.1.member.instanceType' failed to
-- satisfy constraint: Member must satisfy enum value set: [...]": paths are lower camel case, list
-- positions count from 1, and all errors stand in one message.

local refusal = require "sagemaker.simulator.refusal"

local M = {}

-- So much of a value is repeated in a message.
local SHOWN = 1000

-- A place in the input: how the service calls it, what stands there, which shape that has, and
-- which part of a map is meant ("keys" or "value").
---@class sagemaker.simulator.place
---@field names string[]
---@field value any
---@field shape table|nil from service:shape()
---@field map string|nil

-- One step into a structure, list or map along "A.B[0].C"; the rest of the path.
local function step(service, place, path)
  local shape, value = place.shape, place.value
  local name, index, rest
  if shape.type == "list" then
    index, rest = path:match("^%[(%d+)%](.*)$")
    if not index then return nil end
    place.names[#place.names + 1] = ("%d.member"):format(index + 1)
    place.shape = service:shape(shape.value)
    place.value = type(value) == "table" and value[index + 1] or nil
    return rest
  elseif shape.type ~= "structure" then
    return nil
  end
  name, rest = path:match("^%.?([%w_]+)(.*)$")
  place.shape = nil
  for _, member in ipairs(shape.members) do
    if member.name == name then place.shape = service:shape(member.shape) end
  end
  if not place.shape then return nil end
  place.names[#place.names + 1] = name:sub(1, 1):lower() .. name:sub(2)
  place.value = type(value) == "table" and value[name] or nil
  return rest
end

local function find(service, shape, params, path)
  local place = { names = {}, value = params, shape = service:shape(shape) }
  local rest = path
  while rest and rest ~= "" do
    if place.shape.type == "map" then
      place.map = rest:find(" (key: ", 1, true) == 1 and "keys" or "value"
      return place
    end
    rest = step(service, place, rest)
  end
  return place
end

local function show_table(value)
  local items = {}
  for i, item in ipairs(value) do items[i] = type(item) == "table" and "{}" or tostring(item) end
  if #items == 0 then
    for key, item in pairs(value) do items[#items + 1] = ("%s=%s"):format(key, tostring(item)) end
    table.sort(items)
    if #items > 0 then return "{" .. table.concat(items, ", ") .. "}" end
  end
  return "[" .. table.concat(items, ", ") .. "]"
end

local function show(value, shape)
  if value == nil then return "null" end
  local text = tostring(value)
  if shape and shape.sensitive then
    text = "***"
  elseif type(value) == "table" then
    text = show_table(value)
  elseif type(value) == "number" then
    text = ("%.14g"):format(value)
  end
  return "'" .. text:sub(1, SHOWN) .. "'"
end

-- What each code of core.validate demands of a member.
local DEMANDS = {
  required = function()
    return "Member must not be null"
  end,
  min = function(problem)
    return ("Member must have value greater than or equal to %.14g"):format(problem.limit)
  end,
  max = function(problem)
    return ("Member must have value less than or equal to %.14g"):format(problem.limit)
  end,
  min_length = function(problem)
    return ("Member must have length greater than or equal to %.14g"):format(problem.limit)
  end,
  max_length = function(problem)
    return ("Member must have length less than or equal to %.14g"):format(problem.limit)
  end,
  enum = function(_, shape)
    return ("Member must satisfy enum value set: [%s]"):format(table.concat(shape.enum, ", "))
  end,
  pattern = function(problem)
    return "Member must satisfy regular expression pattern: " .. problem.pattern
  end,
}

local function sentence(service, input_shape, params, problem)
  local path = problem.path
  if problem.code == "required" then
    path = path == "" and problem.member or path .. "." .. problem.member
  end
  local place = find(service, input_shape, params, path)
  local shape = problem.shape and service:shape(problem.shape)
  local demand = DEMANDS[problem.code]
  local text = demand and demand(problem, shape) or "Member is not valid: " .. problem.message
  if place.map then
    text = ("Map %s must satisfy constraint: [%s]"):format(place.map, text)
  end
  return ("Value %s at '%s' failed to satisfy constraint: %s"):format(
    show(place.value, place.shape), table.concat(place.names, "."), text)
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
  local _, refused = refusal.new("ValidationException", ("%d validation error%s detected: %s")
    :format(#lines, #lines > 1 and "s" or "", table.concat(lines, "; ")))
  return refused
end

return M
