--- What goes wrong on demand. A knob is off (nil or false), or it is one of
--
--   true            always
--   "name"          for the endpoint, configuration, model or operation of that name
--   {"a", "b"}      for any of these names
--   function        asked each time with a table that describes the case; a string is the reason
--
-- and knobs on requests (throttle, drop, deny and others) may also be a number, the next n, or a
-- chance: { chance = 0.05, names = {"a", "b"} }, for those operations or all; not_ready is one of
-- these that goes by the names of endpoints and models.
--
-- Seconds may be a number, a table by name, a function, or a distribution:
--
--   { distribution = "uniform", min = 0.01, max = 0.2 }
--   { distribution = "exponential", mean = 0.05 }
--   { distribution = "lognormal", median = 0.04, p99 = 0.5 }

local errors = require "sagemaker.error"

local M = {}

-- Which values each knob takes.
local KINDS = {
  fail_provisioning = "names", unhealthy = "names", rollback_fails = "names",
  hide_failure_reason = "names",
  deny = "counted", drop = "counted", unreachable = "counted", throttle = "rate",
  not_ready = "counted names", expire = "counted", reset = "counted", truncate = "counted",
  latency = "seconds", stream_pause = "seconds", visible_after = "seconds", clock_skew = "offset",
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

-- The value of the standard normal distribution that 99 % are below.
local NORMAL_P99 = 2.3263478740408408

-- What each distribution is made of, and a value of it.
local DISTRIBUTIONS = {
  uniform = {
    needs = { "min", "max" },
    draw = function(d, random) return d.min + (d.max - d.min) * random() end,
  },
  exponential = {
    needs = { "mean" },
    draw = function(d, random) return -d.mean * math.log(1 - random()) end,
  },
  lognormal = { -- two uniform numbers make a normal one (Box and Muller)
    needs = { "median", "p99" },
    draw = function(d, random)
      local normal = math.sqrt(-2 * math.log(1 - random())) * math.cos(2 * math.pi * random())
      return d.median * math.exp(normal * math.log(d.p99 / d.median) / NORMAL_P99)
    end,
  },
}

-- Whether a table is a distribution that can be drawn from.
local function is_distribution(value)
  local kind = DISTRIBUTIONS[value.distribution]
  if not kind then return false end
  for _, field in ipairs(kind.needs) do
    if not is_seconds(value[field]) then return false end
  end
  if value.distribution == "uniform" then return value.min <= value.max end
  return value.distribution ~= "lognormal" or value.median > 0 and value.p99 >= value.median
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
  if type(value) == "table" and value.distribution then
    good = is_distribution(value)
  elseif type(value) == "table" then
    good = true
    for key, seconds in pairs(value) do
      good = good and type(key) == "string" and is_seconds(seconds)
      if good then check_name(name, key, service) end
    end
  end
  if not good then
    error(("%s must be seconds, a table of name = seconds, a distribution, or a function")
      :format(name), 4)
  end
end

-- Whether a knob's names are those of operations.
local function means_operations(kind)
  return not kind:find("names", 1, true)
end

-- Whether a knob may be a number of cases, or a chance.
local function counts(kind)
  return kind ~= "names"
end

-- { chance =, names = }
local function check_chance(name, value, kind, service)
  local chance = value.chance
  if type(chance) ~= "number" or not (chance >= 0 and chance <= 1) then
    error(("%s: chance must be a number from 0 to 1"):format(name), 5)
  end
  local names = value.names or {}
  for _, entry in ipairs(type(names) == "table" and names or { names }) do
    if means_operations(kind) then check_name(name, tostring(entry), service) end
  end
end

local function check_names(name, value, kind, service)
  local is = type(value)
  if is == "table" and value.chance ~= nil and counts(kind) then
    return check_chance(name, value, kind, service)
  end
  if is == "number" and counts(kind) and value >= 0 then return end
  if is == "table" and kind == "rate" and value.rate then
    if is_seconds(value.rate) and (value.burst == nil or is_seconds(value.burst)) then return end
  elseif is == "boolean" or is == "function" then
    return
  elseif is == "table" or is == "string" then
    local good = true
    for _, entry in pairs(is == "table" and value or { value }) do
      good = good and type(entry) == "string"
      if good and means_operations(kind) then check_name(name, entry, service) end
    end
    if good then return end
  end
  error(("%s cannot be %s"):format(name, is == "table" and "such a table" or tostring(value)), 4)
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
  elseif kind == "offset" then
    if type(value) ~= "number" or value ~= value or math.abs(value) == math.huge then
      error(("%s must be a number of seconds"):format(name), 3)
    end
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
  if type(value) == "table" and value.chance then
    local meant = value.names
    if type(meant) == "string" then meant = { meant } end
    return (not meant or named(meant, names)) and (case.random or math.random)() < value.chance
  end
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
  if type(value) == "table" and value.distribution then
    return DISTRIBUTIONS[value.distribution].draw(value, case.random or math.random)
  end
  if type(value) == "table" then value = value[name] or 0 end
  if type(value) == "function" then value = value(case) or 0 end
  return value
end

return M
