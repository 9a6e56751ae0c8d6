--- What goes wrong on demand. A knob is off (nil or false), or it is one of
--
--   true            always
--   "name"          for the endpoint, configuration, model or operation of that name
--   {"a", "b"}      for any of these names
--   function        asked each time with a table that describes the case; a string is the reason
--
-- and knobs on requests (throttle, drop, unreachable, deny) may also be a number: the next n.

local errors = require "sagemaker.error"

local M = {}

-- Which values each knob takes.
local KINDS = {
  fail_provisioning = "names", unhealthy = "names", rollback_fails = "names",
  hide_failure_reason = "names",
  deny = "counted", drop = "counted", unreachable = "counted", throttle = "rate",
  latency = "seconds", visible_after = "seconds",
}

--- The names of all knobs, sorted.
---@return string[]
function M.names()
  local names = {}
  for name in pairs(KINDS) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function is_seconds(value)
  return type(value) == "number" and value >= 0 and value < math.huge
end

-- Kinds of resources that visible_after tells apart.
local RESOURCES = { "endpoint", "endpoint_config", "inference_component", "model" }

-- Throws when a knob names an operation, or a kind of resource, that does not exist: it would never
-- strike, and a test of what happens then would pass for nothing.
local function check_name(knob, name, service)
  local known, nearest = false
  if knob == "visible_after" then
    for _, resource in ipairs(RESOURCES) do known = known or name == resource end
    nearest = errors.nearest(name, RESOURCES)
  else
    local operation = service:operation(name)
    known = operation ~= nil and operation.name == name
    nearest = operation and operation.name or service:suggest(name)
  end
  if known then return end
  error(("%s: unknown name %s%s"):format(knob, name,
    nearest and (" (did you mean %s?)"):format(nearest) or ""), 5)
end

local function check_seconds(name, value, service)
  local good = is_seconds(value) or type(value) == "function"
  if type(value) == "table" then
    good = true
    for key, seconds in pairs(value) do
      good = good and type(key) == "string" and is_seconds(seconds)
      if good then check_name(name, key, service) end
    end
  end
  if not good then
    error(("%s must be seconds, a table of name = seconds, or a function"):format(name), 4)
  end
end

local function check_names(name, value, kind, service)
  local is = type(value)
  if is == "number" and (kind == "counted" or kind == "rate") and value >= 0 then return end
  if is == "table" and kind == "rate" and value.rate then
    if is_seconds(value.rate) and (value.burst == nil or is_seconds(value.burst)) then return end
  elseif is == "boolean" or is == "function" then
    return
  elseif is == "table" or is == "string" then
    local good = true
    for _, entry in pairs(is == "table" and value or { value }) do
      good = good and type(entry) == "string"
      if good and kind ~= "names" then check_name(name, entry, service) end
    end
    if good then return end
  end
  error(("%s cannot be %s"):format(name, tostring(value)), 4)
end

--- Throws when a knob cannot have this value: a caller's mistake.
---@param name string
---@param value any
---@param service userdata whose operations the knobs on requests name
function M.check(name, value, service)
  local kind = KINDS[name]
  if value == nil or value == false then return end
  if kind == "seconds" then
    check_seconds(name, value, service)
  else
    check_names(name, value, kind, service)
  end
end

local function named(list, names)
  for _, name in ipairs(names) do
    for _, wanted in ipairs(list) do
      if name == wanted then return true end
    end
  end
  return false
end

--- Whether a knob means this case: true, a reason, or false.
---@param value any the knob
---@param names string[] what the case is called
---@param case table what a function is given
---@return boolean|string
function M.applies(value, names, case)
  if value == nil or value == false then return false end
  if value == true then return true end
  if type(value) == "string" then return named({ value }, names) end
  if type(value) == "table" then return named(value, names) end
  return value(case) or false
end

--- The same for knobs that may count: `knobs[name]` falls by one with each case.
---@param knobs table<string, any>
---@param name string
---@param names string[]
---@param case table
---@return boolean|string
function M.strikes(knobs, name, names, case)
  local value = knobs[name]
  if type(value) ~= "number" then return M.applies(value, names, case) end
  if value <= 0 then return false end
  knobs[name] = value > 1 and value - 1 or nil
  return true
end

--- The seconds of a knob such as latency.
---@param value any
---@param name string
---@param case table
---@return number
function M.seconds(value, name, case)
  if not value then return 0 end
  if type(value) == "table" then value = value[name] or 0 end
  if type(value) == "function" then value = value(case) or 0 end
  return value
end

return M
