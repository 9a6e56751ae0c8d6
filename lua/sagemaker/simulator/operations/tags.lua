--- AddTags, ListTags, DeleteTags, on every kind of resource.

local refusal = require "sagemaker.simulator.refusal"
local stores = require "sagemaker.simulator.store"

local M = {}

local function resource(account, arn)
  local record = account.store:by_arn(arn)
  if record and record.machine then record = account:live(record.kind, record.name) end
  if record then return record end
  return refusal.missing("resource", arn)
end

function M.AddTags(account, input)
  local record, refused = resource(account, input.ResourceArn)
  if not record then return nil, refused end
  local tags
  tags, refused = stores.tagged(record.tags, input.Tags)
  if not tags then return nil, refused end
  record.tags = tags
  return { Tags = tags }
end

--- A resource has at most 50 tags and a page at least 50: there is one page.
function M.ListTags(account, input)
  local record, refused = resource(account, input.ResourceArn)
  if not record then return nil, refused end
  if input.NextToken then
    return refusal.validation("The NextToken is not valid for this request.")
  end
  return { Tags = record.tags }
end

function M.DeleteTags(account, input)
  local record, refused = resource(account, input.ResourceArn)
  if not record then return nil, refused end
  record.tags = stores.untagged(record.tags, input.TagKeys)
  return {}
end

return M
