--- Whether JSON is what a shape of the model says: no member that it does not know, no value of
-- another type, all that is required there.

local M = {}

local TYPES = {
  string = "string", integer = "number", long = "number", float = "number", double = "number",
  timestamp = "number", boolean = "boolean", blob = "string",
}

local check

local function check_structure(service, shape, value, path, problems)
  local known = {}
  for _, member in ipairs(shape.members) do
    known[member.wire] = true
    local child = value[member.wire]
    if child ~= nil then
      check(service, member.shape, child, path .. "." .. member.name, problems)
    elseif member.required then
      problems[#problems + 1] = path .. "." .. member.name .. " is missing"
    end
  end
  for name in pairs(value) do
    if not known[name] then problems[#problems + 1] = path .. "." .. name .. " is unknown" end
  end
end

check = function(service, name, value, path, problems)
  local shape = service:shape(name)
  local wanted = TYPES[shape.type] or "table"
  if type(value) ~= wanted then
    problems[#problems + 1] = ("%s is a %s"):format(path, type(value))
  elseif shape.type == "structure" then
    check_structure(service, shape, value, path, problems)
  elseif shape.type == "list" then
    for i, item in ipairs(value) do
      check(service, shape.value, item, ("%s[%d]"):format(path, i), problems)
    end
  elseif shape.type == "map" then
    for key, item in pairs(value) do
      check(service, shape.value, item, path .. "." .. key, problems)
    end
  end
end

--- What is wrong with a decoded body, in words; an empty list when nothing is.
---@param service userdata
---@param shape string
---@param value any
---@return string[]
function M.problems(service, shape, value)
  local problems = {}
  check(service, shape, value, shape, problems)
  return problems
end

return M
