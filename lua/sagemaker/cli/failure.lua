--- What goes wrong in a command: thrown as an error value, caught in sagemaker.cli, which prints it
-- and ends with its exit code.

local errors = require "sagemaker.error"

local M = {}

--- Exit codes, as in version 2 of the AWS CLI.
M.OK, M.INTERRUPTED, M.USAGE, M.CONFIG, M.SERVICE, M.OTHER = 0, 130, 252, 253, 254, 255

local CODES = { usage = M.USAGE, validation = M.USAGE, config = M.CONFIG, credentials = M.CONFIG,
  service = M.SERVICE }

--- Ends the command: the command line is wrong. `message` is one or two lines that say what to do.
---@param message string
function M.usage(message)
  error(errors.new { kind = "usage", code = "Usage", message = message }, 0)
end

--- Ends the command for another reason (exit code 255).
---@param message string
function M.other(message)
  error(errors.new { kind = "other", code = "Failed", message = message }, 0)
end

--- Ends the command with an error of the library.
---@param err sagemaker.Error
function M.raise(err)
  error(err, 0)
end

--- The exit code for an error.
---@param err sagemaker.Error
---@return integer
function M.code_of(err)
  if err.code == "WaiterFailed" then return M.OTHER end
  return CODES[err.kind] or M.OTHER
end

-- "reached max retries: 2" where there were several attempts.
local function service_text(err)
  local retried = (err.attempts or 1) > 1
    and (" (reached max retries: %d)"):format(err.attempts - 1) or ""
  return ("An error occurred (%s) when calling the %s operation%s: %s"):format(tostring(err.code),
    tostring(err.operation), retried, tostring(err.message))
end

local TEXTS = {
  service = function(err)
    if err.waiter then return ("Waiter %s failed: %s"):format(err.waiter, err.reason) end
    return service_text(err)
  end,
  timeout = function(err)
    if err.waiter then return ("Waiter %s failed: %s"):format(err.waiter, err.reason) end
    return tostring(err.message)
  end,
  validation = function(err)
    local lines = { "Parameter validation failed:" }
    for _, problem in ipairs(err.errors or {}) do lines[#lines + 1] = problem.message end
    if #lines == 1 then lines[2] = tostring(err.message) end
    return table.concat(lines, "\n")
  end,
}

local function config_text(err)
  if err.code ~= "NoRegion" then return err.message end
  return (err.message:gsub("^no region: give the option region",
    "You must specify a region: give --region"))
end
TEXTS.config = config_text

function TEXTS.credentials(err)
  if err.code ~= "NoCredentials" then return err.message end
  return "Unable to locate credentials. " .. err.message
end

--- An error in words, for stderr.
---@param err sagemaker.Error
---@return string
function M.text(err)
  local text = TEXTS[err.kind]
  return text and text(err) or tostring(err.message)
end

return M
