--- Whether an answer is what the model says it is: required members, names, types, ranges, lengths,
-- enums and patterns, at every depth. The library checks none of that in answers (a newer service
-- may say more than the model knows), so specs of the simulator do it here.

local core = require "sagemaker.core"

local M = {}

local check

local function length(shape, n, path, problems)
  if shape.min and n < shape.min or shape.max and n > shape.max then
    problems[#problems + 1] = ("%s: %d is not in %s … %s"):format(path, n, tostring(shape.min),
      tostring(shape.max))
  end
end

local checks = {}

function checks.structure(service, shape, value, path, problems)
  local known = {}
  for _, member in ipairs(shape.members) do
    known[member.name] = true
    local at, held = path .. "." .. member.name, value[member.name]
    if held ~= nil then
      check(service, service:shape(member.shape), held, at, problems)
    elseif member.required then
      problems[#problems + 1] = at .. " is missing"
    end
  end
  for name in pairs(value) do
    if not known[name] then problems[#problems + 1] = path .. " has no member " .. name end
  end
end

function checks.list(service, shape, value, path, problems)
  length(shape, #value, path, problems)
  for i, item in ipairs(value) do
    check(service, service:shape(shape.value), item, ("%s[%d]"):format(path, i), problems)
  end
end

function checks.map(service, shape, value, path, problems)
  for key, item in pairs(value) do
    check(service, service:shape(shape.key), key, path .. " key", problems)
    check(service, service:shape(shape.value), item, path .. "." .. key, problems)
  end
end

function checks.string(_, shape, value, path, problems)
  length(shape, #value, path, problems)
  local listed = not shape.enum
  for _, known in ipairs(shape.enum or {}) do listed = listed or known == value end
  if not listed then problems[#problems + 1] = ("%s: %s is not in the enum"):format(path, value) end
  if shape.pattern and not core.match_pattern(shape.pattern, value) then
    problems[#problems + 1] = ("%s: %s does not match %s"):format(path, value, shape.pattern)
  end
end

for _, name in ipairs { "integer", "long", "float", "double" } do
  checks[name] = function(_, shape, value, path, problems) length(shape, value, path, problems) end
end

local LUA_TYPES = {
  structure = "table", list = "table", map = "table", string = "string", blob = "string",
  boolean = "boolean", timestamp = "number", integer = "number", long = "number",
  float = "number", double = "number",
}

function check(service, shape, value, path, problems)
  local wanted = LUA_TYPES[shape.type]
  if wanted and type(value) ~= wanted then
    problems[#problems + 1] = ("%s is a %s, not a %s"):format(path, type(value), shape.type)
  elseif checks[shape.type] then
    checks[shape.type](service, shape, value, path, problems)
  end
end

--- What is wrong with the output of an operation.
---@param service userdata from core.service
---@param operation string
---@param output table
---@return string[] problems empty when nothing is
function M.problems(service, operation, output)
  local shape, problems = service:operation(operation).output, {}
  if shape then check(service, service:shape(shape), output, operation, problems) end
  return problems
end

--- Raises when something is wrong.
---@param service userdata
---@param operation string
---@param output table
---@return table output
function M.assert(service, operation, output)
  local problems = M.problems(service, operation, output)
  if problems[1] then error(table.concat(problems, "\n"), 2) end
  return output
end

return M
