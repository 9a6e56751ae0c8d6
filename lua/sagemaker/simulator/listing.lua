--- List operations: filters, order, pages.
--
-- A page continues after the last row that was seen, by its sort key, not by its position: what is
-- created or deleted between two pages neither repeats nor hides other rows. NextToken is opaque to
-- callers; it carries that key, sealed against changes and against use with another question.

local core = require "sagemaker.core"
local refusal = require "sagemaker.simulator.refusal"

local M = {}

-- Rows in a page when MaxResults does not say.
local PAGE = 10

---@class sagemaker.simulator.listing what one List operation lists
---@field operation string
---@field modified (fun(record: table): number)|nil for LastModifiedTimeBefore, …After
---@field status (fun(record: table): string)|nil for StatusEquals and SortBy = "Status"
---@field filters table<string, fun(record: table, value: string): boolean>|nil further filters

-- Every filter that an input may carry, in the order in which the token's seal names them.
local FILTERS = {
  "NameContains", "CreationTimeBefore", "CreationTimeAfter", "LastModifiedTimeBefore",
  "LastModifiedTimeAfter", "StatusEquals", "EndpointNameEquals", "VariantNameEquals",
}

local function matches(record, input, listing)
  local text = input.NameContains
  if text and not record.name:lower():find(text:lower(), 1, true) then return false end
  local before, after = input.CreationTimeBefore, input.CreationTimeAfter
  if before and record.created >= before or after and record.created < after then return false end
  before, after = input.LastModifiedTimeBefore, input.LastModifiedTimeAfter
  if before and listing.modified(record) >= before then return false end
  if after and listing.modified(record) < after then return false end
  if input.StatusEquals and listing.status(record) ~= input.StatusEquals then return false end
  for name, filter in pairs(listing.filters or {}) do
    if input[name] and not filter(record, input[name]) then return false end
  end
  return true
end

-- What rows are ordered by: a key and, where keys are equal, the order of creation.
local function key_of(record, by, listing)
  if by == "Name" then return record.name:lower() end
  if by == "Status" then return listing.status(record) end
  return record.created
end

local function question(input, listing, by, descending)
  local parts = { listing.operation, by, descending and "d" or "a" }
  for _, name in ipairs(FILTERS) do parts[#parts + 1] = tostring(input[name]) end
  return table.concat(parts, "\n")
end

local function seal(asked, secret, place)
  return core.sha256(secret .. "\n" .. asked .. "\n" .. place):sub(1, 32)
end

local function token_of(row, asked, secret)
  local key = type(row.key) == "number" and ("n%.17g"):format(row.key) or "s" .. row.key
  local place = ("%d %s"):format(row.record.sequence, key)
  return core.text.base64(seal(asked, secret, place) .. place)
end

-- {key, sequence} of the last row seen, or nil when the token is not one of ours.
local function place_of(token, asked, secret)
  local bytes = core.text.unbase64(token)
  local place = bytes and bytes:sub(33)
  if not place or bytes:sub(1, 32) ~= seal(asked, secret, place) then return nil end
  local sequence, kind, key = place:match("^(%d+) ([ns])(.*)$")
  return { sequence = tonumber(sequence), key = kind == "n" and tonumber(key) or key }
end

local function comparison(descending)
  local function less(a, b)
    if a.key ~= b.key then return a.key < b.key end
    return a.sequence < b.sequence
  end
  if not descending then return less end
  return function(a, b)
    return less(b, a)
  end
end

--- One page.
---@param records sagemaker.simulator.record[]
---@param input table the decoded input of the List operation
---@param listing sagemaker.simulator.listing
---@param secret string what seals tokens
---@return sagemaker.simulator.record[]|nil page
---@return string|sagemaker.simulator.refusal|nil next_token or why not
function M.page(records, input, listing, secret)
  local by = input.SortBy or "CreationTime"
  local before = comparison((input.SortOrder or "Descending") == "Descending")
  local asked = question(input, listing, by, input.SortOrder ~= "Ascending")
  local start
  if input.NextToken then
    start = place_of(input.NextToken, asked, secret)
    if not start then return refusal.validation("The NextToken is not valid for this request.") end
  end
  local rows = {}
  for _, record in ipairs(records) do
    if matches(record, input, listing) then
      local row =
        { record = record, key = key_of(record, by, listing), sequence = record.sequence }
      if not start or before(start, row) then rows[#rows + 1] = row end
    end
  end
  table.sort(rows, before)
  local page, size = {}, input.MaxResults or PAGE
  for i = 1, math.min(size, #rows) do page[i] = rows[i].record end
  if #rows > size then return page, token_of(rows[size], asked, secret) end
  return page, nil
end

return M
