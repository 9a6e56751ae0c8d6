--- What the world can do wrong, as a value. Every function that can fail answers
-- `nil, "Code: message", err`; the string comes second because PUC 5.1's assert refuses a table.

local M = {}

---@alias sagemaker.ErrorKind
---| "validation"  the parameters do not fit the operation; nothing was sent
---| "config"      the client cannot work with this configuration
---| "credentials" no usable credentials
---| "transport"   no answer: connection, TLS, size limits
---| "timeout"     no answer in time
---| "service"     the service answered with an error
---| "protocol"    the service answered something unreadable
---| "cancelled"   raised in a task that was cancelled, where it waits

---@class sagemaker.Error
---@field kind sagemaker.ErrorKind
---@field code string a word to compare with, for example "ValidationException"
---@field message string one sentence for a person
---@field operation? string the AWS name of the operation
---@field status? integer the HTTP status
---@field request_id? string
---@field attempts? integer how often the request was sent
---@field retryable? boolean
---@field gave_up? "final"|"attempts"|"quota"|"deadline"|"careful" why it was not sent again
---@field sent? boolean transport, timeout: false when the service surely saw nothing
---@field path? string validation: where, "ProductionVariants[0].ModelName"
---@field errors? table[] validation: every problem, each with path, code and message
---@field cause? any what led to it
---@field profile? string credentials: the profile that was named
---@field why? string waiters: what the service has said about the failure
---@field raw? table service: the decoded body of the answer
---@field fields? table service: the members of the exception, as the model has them
---@field received? boolean true when a part of an answer came

local Error = {}
Error.__index = Error
Error.__name = "sagemaker.error"

function Error.__tostring(err)
  local code, message = tostring(err.code), err.message
  if message == nil or message == "" then return code end
  return code .. ": " .. tostring(message)
end

--- Makes `fields` itself an error value.
---@param fields table at least kind, code and message
---@return sagemaker.Error err
function M.new(fields)
  return setmetatable(fields, Error)
end

--- The three values of a failure.
---@param fields table at least kind, code and message
---@return nil
---@return string message "Code: message"
---@return sagemaker.Error err
function M.fail(fields)
  local err = setmetatable(fields, Error)
  return nil, Error.__tostring(err), err
end

--- Whether a value is one of our errors.
---@param value any
---@return boolean
function M.is(value)
  return type(value) == "table" and getmetatable(value) == Error
end

-- Edits between two words: insertions, deletions, substitutions, neighbours exchanged.
local function distance(a, b)
  local before, previous = nil, {}
  for j = 0, #b do previous[j] = j end
  for i = 1, #a do
    local row, byte = { [0] = i }, a:byte(i)
    for j = 1, #b do
      local substituted = previous[j - 1] + (byte == b:byte(j) and 0 or 1)
      row[j] = math.min(substituted, previous[j] + 1, row[j - 1] + 1)
      if before and j > 1 and byte == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
    before, previous = previous, row
  end
  return previous[#b]
end

--- The candidate that was probably meant, or nil when none is near. A third of the letters may
-- differ, case does not count.
---@param name any
---@param candidates string[]
---@return string|nil
function M.nearest(name, candidates)
  if type(name) ~= "string" or #name > 100 then return nil end
  local best, least = nil, math.max(1, math.floor(#name / 3)) + 1
  for _, candidate in ipairs(candidates) do
    local edits = distance(name:lower(), candidate:lower())
    if edits < least or (edits == least and best and candidate < best) then
      best, least = candidate, edits
    end
  end
  return best
end

--- " (did you mean x?)", or "" when nothing is near.
---@param name any
---@param candidates string[]
---@return string
function M.hint(name, candidates)
  local nearest = M.nearest(name, candidates)
  return nearest and (" (did you mean %s?)"):format(nearest) or ""
end

return M
