--- The endpoint rules language: parameters in, an endpoint (URL, properties, headers) or an error
-- out.
--
-- Evaluates rule sets of version 1.x as the service models carry them; the language is described in
-- https://smithy.io/2.0/additional-specs/rules-engine/specification.html and
-- https://smithy.io/2.0/aws/rules-engine/library-functions.html. A rule set is a plain table, which
-- is never changed, and an evaluation keeps nothing.

local unpack = unpack or table.unpack -- luacheck: ignore 113 143

local M = {}

local NONE = {} -- a value that is not set; nil would cut argument lists short

-- What every rule set uses. Functions that are not here come from sagemaker.rules.functions, when
-- one is first called; those see no NONE and answer nil for it.
local library = {}

-- The functions that are called although an argument is not set.
local TAKES_NONE = { coalesce = true, isSet = true, ite = true, ["not"] = true }

library.isSet = function(value)
  return value ~= NONE
end

library["not"] = function(value)
  return value == NONE or value == false
end

library.booleanEquals = function(a, b)
  return a == b
end

library.stringEquals = library.booleanEquals

library.coalesce = function(...)
  for i = 1, select("#", ...) do
    local value = (select(i, ...))
    if value ~= NONE then return value end
  end
  return NONE
end

library.ite = function(condition, yes, no)
  if condition == true then return yes end
  return no
end

-- A path of keys and indices, "a.b[1]" or "[0]".
library.getAttr = function(value, path)
  for key, index in path:gmatch("([^.%[%]]*)%[?(%-?%d*)%]?") do
    if key ~= "" then
      if type(value) ~= "table" then return NONE end
      value = value[key]
    end
    if index ~= "" and value ~= nil then
      if type(value) ~= "table" then return NONE end
      local i = tonumber(index)
      value = value[i < 0 and #value + 1 + i or i + 1]
    end
    if value == nil then return NONE end
  end
  return value
end

local function function_of(name)
  local fn = library[name] or require("sagemaker.rules.functions")[name]
  if not fn then error(("endpoint rules: unknown function %q"):format(tostring(name)), 0) end
  return fn
end

local Evaluation = {}
Evaluation.__index = Evaluation

-- The text of "Region" or "PartitionResult#dnsSuffix".
function Evaluation:reference(text)
  local name, path = text:match("^([^#]*)#(.*)$")
  local value = self.scope[name or text]
  if value == nil then value = NONE end
  if path and value ~= NONE then value = library.getAttr(value, path) end
  return value == NONE and "" or tostring(value)
end

-- "a {Region} {PartitionResult#dnsSuffix} {{literal}}"
function Evaluation:template(text)
  local brace = text:find("[{}]")
  if not brace then return text end
  local parts, at = {}, 1
  while brace do
    parts[#parts + 1] = text:sub(at, brace - 1)
    local char = text:sub(brace, brace)
    local is_double = text:sub(brace + 1, brace + 1) == char
    local close = char == "{" and text:find("}", brace, true)
    if is_double or not close then
      parts[#parts + 1] = char
      at = brace + (is_double and 2 or 1)
    else
      parts[#parts + 1] = self:reference(text:sub(brace + 1, close - 1))
      at = close + 1
    end
    brace = text:find("[{}]", at)
  end
  parts[#parts + 1] = text:sub(at)
  return table.concat(parts)
end

function Evaluation:call(node)
  local argv, n = {}, #node.argv
  for i = 1, n do
    local value = self:value(node.argv[i])
    if value == NONE and not TAKES_NONE[node.fn] then return NONE end
    argv[i] = value
  end
  if node.fn == "aws.partition" then return self.partition(argv[1]) or NONE end
  local value = function_of(node.fn)(unpack(argv, 1, n))
  if value == nil then return NONE end
  return value
end

-- A literal, a template, a reference, a call, or a table of these.
function Evaluation:value(node)
  if type(node) == "string" then return self:template(node) end
  if type(node) ~= "table" then return node end
  if node.ref then
    local value = self.scope[node.ref]
    if value == nil then return NONE end
    return value
  end
  if node.fn then return self:call(node) end
  local out = {}
  for key, item in pairs(node) do
    local value = self:value(item)
    if value ~= NONE then out[key] = value end
  end
  return out
end

-- True when all conditions hold; what they assign is in scope afterwards.
function Evaluation:holds(conditions)
  for _, condition in ipairs(conditions or {}) do
    local value = self:call(condition)
    if value == NONE or value == false then return false end
    if condition.assign then self.scope[condition.assign] = value end
  end
  return true
end

function Evaluation:rules(rules)
  for _, rule in ipairs(rules) do
    local outer = self.scope
    self.scope = setmetatable({}, { __index = outer })
    if self:holds(rule.conditions) then
      if rule.error then return nil, self:value(rule.error) end
      if rule.rules then return self:rules(rule.rules) end
      return {
        url = self:value(rule.endpoint.url),
        properties = self:value(rule.endpoint.properties or {}),
        headers = self:value(rule.endpoint.headers or {}),
      }
    end
    self.scope = outer
  end
  return nil, "no rule matched the endpoint parameters"
end

--- Evaluates a rule set.
---@param ruleset table the decoded rule set ("parameters", "rules")
---@param params table<string, any> values by parameter name, for example {Region = "eu-west-1"}
---@param partition fun(region: string): table|nil what aws.partition answers
---@return {url: string, properties: table, headers: table}|nil endpoint
---@return string|nil message why there is none: the rule set's own words
function M.evaluate(ruleset, params, partition)
  local scope = {}
  for name, parameter in pairs(ruleset.parameters) do
    local value = params[name]
    if value == nil then value = parameter.default end
    if value == nil and parameter.required then
      return nil, ("the endpoint parameter %s is required"):format(name)
    end
    scope[name] = value
  end
  return setmetatable({ scope = scope, partition = partition }, Evaluation):rules(ruleset.rules)
end

--- aws.partition over a table of partitions: the partition that lists the region, else the first
--- whose pattern fits it, else the first one ("aws").
---@param partitions {id: string, regions: table, regionRegex: string, outputs: table}[]
---@param region string
---@param match fun(pattern: string, text: string): boolean|nil full match of a regular expression
---@return table outputs name, dnsSuffix, dualStackDnsSuffix, supportsFIPS, supportsDualStack …
function M.partition(partitions, region, match)
  local found, override
  for _, partition in ipairs(partitions) do
    if partition.regions[region] then
      found, override = partition, partition.regions[region]
      break
    end
  end
  if not found then
    for _, partition in ipairs(partitions) do
      if match(partition.regionRegex, region) then
        found = partition
        break
      end
    end
  end
  found = found or partitions[1]
  local outputs = {}
  for key, value in pairs(found.outputs) do outputs[key] = value end
  for key, value in pairs(override or {}) do
    if key ~= "description" then outputs[key] = value end
  end
  outputs.name = outputs.name or found.id
  return outputs
end

return M
