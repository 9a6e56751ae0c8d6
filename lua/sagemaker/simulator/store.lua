--- What the account owns: models, endpoint configurations, endpoints and inference components, with
-- their tags.
--
-- Names are unique per kind, whatever their case; the case they were created with is kept, and the
-- ARN carries them in lower case.

local refusal = require "sagemaker.simulator.refusal"

local M = {}

local Store = { __name = "sagemaker.simulator.store" }
Store.__index = Store

-- The most tags a resource may have.
local TAGS = 50

---@class sagemaker.simulator.record
---@field kind string "model", "endpoint-config", "endpoint" or "inference-component"
---@field name string
---@field arn string
---@field created number seconds since the epoch
---@field sequence integer grows with each record
---@field tags {Key: string, Value: string}[]
---@field visible_at number|nil when other operations begin to see it
---@field view string|nil what DescribeEndpoint said of it
---@field described integer|nil the version of the machine that it said this of

---@class sagemaker.simulator.store
---@field kinds table<string, {by_name: table<string, sagemaker.simulator.record>, count: integer}>

--- How the messages call a kind.
M.WORDS = {
  model = "model", ["endpoint-config"] = "endpoint configuration", endpoint = "endpoint",
  ["inference-component"] = "inference component",
}

---@param opts {account_id: string, region: string, partition: string}
---@return sagemaker.simulator.store
function M.new(opts)
  local kinds = {}
  for kind in pairs(M.WORDS) do kinds[kind] = { by_name = {}, count = 0 } end
  return setmetatable({
    prefix = ("arn:%s:sagemaker:%s:%s:"):format(opts.partition, opts.region, opts.account_id),
    kinds = kinds, sequence = 0, account_id = opts.account_id, partition = opts.partition,
  }, Store)
end

---@param kind string
---@param name string
---@return string
function Store:arn(kind, name)
  return self.prefix .. kind .. "/" .. name:lower()
end

---@param kind string
---@param name string
---@return sagemaker.simulator.record|nil
function Store:find(kind, name)
  return self.kinds[kind].by_name[name:lower()]
end

---@param kind string
---@return integer
function Store:count(kind)
  return self.kinds[kind].count
end

--- Adds a record; the caller knows that the name is free.
---@param kind string
---@param name string
---@param now number
---@param fields table what else the record holds
---@return sagemaker.simulator.record
function Store:insert(kind, name, now, fields)
  self.sequence = self.sequence + 1
  fields.kind, fields.name, fields.arn = kind, name, self:arn(kind, name)
  fields.created, fields.sequence = now, self.sequence
  fields.tags = fields.tags or {}
  self:put(fields)
  return fields
end

--- Puts a whole record on its shelf, where its name is free.
---@param record sagemaker.simulator.record
function Store:put(record)
  local shelf = self.kinds[record.kind]
  shelf.by_name[record.name:lower()] = record
  shelf.count = shelf.count + 1
end

---@param record sagemaker.simulator.record
function Store:remove(record)
  local shelf = self.kinds[record.kind]
  if shelf.by_name[record.name:lower()] == record then
    shelf.by_name[record.name:lower()] = nil
    shelf.count = shelf.count - 1
  end
end

--- The records of a kind, in no particular order.
---@param kind string
---@return sagemaker.simulator.record[]
function Store:all(kind)
  local rows = {}
  for _, record in pairs(self.kinds[kind].by_name) do rows[#rows + 1] = record end
  return rows
end

--- The record an ARN names, or nil.
---@param arn string
---@return sagemaker.simulator.record|nil
function Store:by_arn(arn)
  if arn:sub(1, #self.prefix) ~= self.prefix then return nil end
  local kind, name = arn:sub(#self.prefix + 1):match("^([%w-]+)/(.+)$")
  return kind and self.kinds[kind] and self:find(kind, name)
end

-- Why these tags cannot be given, or nil.
local function bad_tags(tags)
  local seen = {}
  for _, tag in ipairs(tags) do
    if tag.Key:lower():sub(1, 4) == "aws:" then
      return ("Tag keys that start with aws: are reserved: '%s'."):format(tag.Key)
    elseif seen[tag.Key] then
      return ("Duplicate tag key '%s'."):format(tag.Key)
    end
    seen[tag.Key] = true
  end
  return nil
end

--- The tags a resource has after these are added; a key that is there gets the new value.
---@param before {Key: string, Value: string}[]
---@param added {Key: string, Value: string}[]|nil
---@return {Key: string, Value: string}[]|nil tags
---@return sagemaker.simulator.refusal|nil
function M.tagged(before, added)
  local bad = bad_tags(added or {})
  if bad then return refusal.validation(bad) end
  local tags, index = {}, {}
  for i, tag in ipairs(before) do tags[i], index[tag.Key] = tag, i end
  for _, tag in ipairs(added or {}) do
    local at = index[tag.Key] or #tags + 1
    tags[at] = { Key = tag.Key, Value = tag.Value }
  end
  if #tags > TAGS then
    return refusal.new("ResourceLimitExceeded",
      ("A resource may have %d tags, and this one would have %d."):format(TAGS, #tags))
  end
  return tags
end

--- The tags that remain when these keys are taken away.
---@param before {Key: string, Value: string}[]
---@param keys string[]
---@return {Key: string, Value: string}[]
function M.untagged(before, keys)
  local gone, tags = {}, {}
  for _, key in ipairs(keys) do gone[key] = true end
  for _, tag in ipairs(before) do
    if not gone[tag.Key] then tags[#tags + 1] = tag end
  end
  return tags
end

return M
