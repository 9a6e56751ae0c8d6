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

local library = {}

local function is_host_label(text, allow_subdomains)
  if type(text) ~= "string" then return false end
  if allow_subdomains then
    if text == "" then return false end
    for label in (text .. "."):gmatch("([^.]*)%.") do
      if not is_host_label(label, false) then return false end
    end
    return true
  end
  return #text >= 1 and #text <= 63 and text:find("^%w[%w%-]*$") ~= nil
end

local function is_ipv4(host)
  local count = 0
  for octet in (host .. "."):gmatch("([^.]*)%.") do
    if not octet:find("^%d%d?%d?$") or tonumber(octet) > 255 then return false end
    count = count + 1
  end
  return count == 4
end

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

library.isValidHostLabel = is_host_label

--- aws.getAttr and getAttr: a path of keys and indices, "a.b[1]" or "[0]".
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

library.substring = function(text, first, last, reverse)
  if text == NONE or first >= last or #text < last or text:find("[\128-\255]") then return NONE end
  if reverse then return text:sub(#text - last + 1, #text - first) end
  return text:sub(first + 1, last)
end

library.uriEncode = function(text)
  return (text:gsub("[^%w%-_.~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

library.split = function(text, delimiter, limit)
  local parts, at = {}, 1
  while limit == 0 or #parts < limit - 1 do
    local first, last = text:find(delimiter, at, true)
    if not first then break end
    parts[#parts + 1] = text:sub(at, first - 1)
    at = last + 1
  end
  parts[#parts + 1] = text:sub(at)
  return parts
end

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

library.parseURL = function(text)
  local scheme, authority, path = text:match("^(https?)://([^/?#]+)([^?#]*)$")
  if not scheme or authority:find("@", 1, true) then return NONE end
  local host = authority:match("^(%[[%x:.]+%])") or authority:match("^([^:]+)")
  if not host then return NONE end
  local port = authority:sub(#host + 1)
  if port ~= "" and not port:find("^:%d+$") then return NONE end
  local normalized = path
  if normalized:sub(-1) ~= "/" then normalized = normalized .. "/" end
  return {
    scheme = scheme,
    authority = authority,
    path = path,
    normalizedPath = normalized,
    isIp = host:sub(1, 1) == "[" or is_ipv4(host),
  }
end

library["aws.parseArn"] = function(text)
  local partition, service, region, account, resource =
    text:match("^arn:([^:]*):([^:]*):([^:]*):([^:]*):(.*)$")
  if not partition or partition == "" or service == "" or resource == "" then return NONE end
  local parts = {}
  for part in (resource .. ":"):gmatch("([^:/]*)[:/]") do parts[#parts + 1] = part end
  return {
    partition = partition,
    service = service,
    region = region,
    accountId = account,
    resourceId = parts,
  }
end

library["aws.isVirtualHostableS3Bucket"] = function(bucket, allow_subdomains)
  if #bucket < 3 or #bucket > 63 or bucket:find("%u") then return false end
  if is_ipv4(bucket) or not is_host_label(bucket, allow_subdomains) then return false end
  for label in (bucket .. "."):gmatch("([^.]*)%.") do
    if label:sub(1, 1) == "-" or label:sub(-1) == "-" then return false end
  end
  return true
end

local Evaluation = {}
Evaluation.__index = Evaluation

-- "a {Region} {PartitionResult#dnsSuffix} {{literal}}"
function Evaluation:template(text)
  if not text:find("[{}]") then return text end
  local out = text:gsub("{{", "\1"):gsub("}}", "\2"):gsub("{([^{}]*)}", function(reference)
    local name, path = reference:match("^([^#]*)#(.*)$")
    local value = self.scope[name or reference]
    if value == nil then value = NONE end
    if path then value = library.getAttr(value, path) end
    return tostring(value == NONE and "" or value)
  end)
  return (out:gsub("\1", "{"):gsub("\2", "}"))
end

function Evaluation:call(node)
  local argv, n = {}, #node.argv
  for i = 1, n do
    local value = self:value(node.argv[i])
    if value == NONE and node.fn ~= "isSet" and node.fn ~= "not" and node.fn ~= "coalesce"
      and node.fn ~= "ite" then
      return NONE
    end
    argv[i] = value
  end
  if node.fn == "aws.partition" then return self.partition(argv[1]) or NONE end
  local fn = library[node.fn]
  if not fn then error(("endpoint rules: unknown function %q"):format(tostring(node.fn)), 0) end
  return fn(unpack(argv, 1, n))
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
      if rule.type == "error" then return nil, self:value(rule.error) end
      if rule.type == "tree" then return self:rules(rule.rules) end
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

M.is_host_label = is_host_label

return M
