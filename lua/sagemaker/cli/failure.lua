--- What goes wrong in a command: thrown as an error value, caught in sagemaker.cli, which prints it
-- and ends with its exit code.

local errors = require "sagemaker.error"

local M = {}

--- Exit codes, as in version 2 of the AWS CLI; those of signals are 128 and the signal's number.
M.OK, M.INTERRUPTED, M.TERMINATED = 0, 130, 143
M.USAGE, M.CONFIG, M.SERVICE, M.OTHER = 252, 253, 254, 255

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

--- Whether what was thrown is what Ctrl-C, or SIGTERM where it is heeded, makes of a script.
---@param thrown any
---@return boolean
function M.is_interrupt(thrown)
  return type(thrown) == "string" and thrown:find("interrupted!", 1, true) ~= nil
end

--- Whether what was thrown says that memory is used up: by Lua, or by the core, which adds where.
---@param thrown any
---@return boolean
function M.is_out_of_memory(thrown)
  if type(thrown) ~= "string" then return false end
  local message = thrown:match "^(.-)\nstack traceback:" or thrown
  return message:find "not enough memory$" ~= nil
end

--- The exit code after an interrupt.
---@param world sagemaker.cli.World
---@return integer
function M.interrupted(world)
  return world.terminated() and M.TERMINATED or M.INTERRUPTED
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

-- What `deploy` itself refuses was never a call.
local OURS = { AlarmsNotReady = true, DeploymentInProgress = true, EndpointFailed = true }

-- "reached max retries: 2" where there were several attempts.
local function service_text(err)
  local retried = (err.attempts or 1) > 1
    and (" (reached max retries: %d)"):format(err.attempts - 1) or ""
  return ("An error occurred (%s) when calling the %s operation%s: %s"):format(tostring(err.code),
    tostring(err.operation), retried, tostring(err.message))
end

-- As the AWS CLI has it, and on a line of its own what the service has said.
local function waiter_text(err)
  local text = ("Waiter %s failed: %s"):format(err.waiter, err.reason)
  return err.why and text .. "\n" .. err.why or text
end

local TEXTS = {}

function TEXTS.service(err)
  if err.waiter then return waiter_text(err) end
  if OURS[err.code] and err.operation == "deploy" then
    return ("Not deployed (%s): %s"):format(err.code, err.message)
  end
  return service_text(err)
end

-- The address that was spoken to, as the AWS CLI puts it.
local function at_url(url)
  return url and (' on endpoint URL: "%s"'):format(url) or ""
end

function TEXTS.timeout(err, url)
  if err.waiter then return waiter_text(err) end
  if err.code == "ConnectTimeout" then return "Connect timeout" .. at_url(url) end
  if err.code == "ReadTimeout" then return "Read timeout" .. at_url(url) end
  return err.message
end

function TEXTS.transport(err, url)
  if err.code == "ProxyError" then
    return ("The proxy does not pass the request on (HTTPS_PROXY, HTTP_PROXY and NO_PROXY say "
      .. "which is used%s): %s"):format(url and ', here for "' .. url .. '"' or "", err.message)
  end
  if not url then return err.message end
  if err.sent ~= false then
    return ('No whole answer came from the endpoint URL: "%s": %s'):format(url, err.message)
  end
  return ('Could not connect to the endpoint URL: "%s": %s'):format(url, err.message)
end

--- A problem of a parameter in the words of JSON: the library speaks of Lua's tables.
---@param message string
---@return string
function M.worded(message)
  return (message:gsub("(: expected) a table of members(, got )", "%1 an object%2", 1)
    :gsub("(: expected) a table with string keys(, got )", "%1 an object%2", 1))
end

function TEXTS.validation(err)
  local lines = { "Parameter validation failed:" }
  for _, problem in ipairs(err.errors or {}) do lines[#lines + 1] = M.worded(problem.message) end
  if #lines == 1 then lines[2] = M.worded(tostring(err.message)) end
  return table.concat(lines, "\n")
end

local OPTIONS = { InvalidRegion = "(--region)", ProfileNotFound = "(--profile)" }

function TEXTS.config(err)
  local message = err.message
  if OPTIONS[err.code] then return (message:gsub("%(option%)", OPTIONS[err.code])) end
  if err.code ~= "NoRegion" then return message end
  return (message:gsub("^no region: give the option region",
    "You must specify a region: give --region"))
end

-- What each place said belongs to `doctor`; half of a pair of keys, and a profile without keys, say
-- themselves what to do.
function TEXTS.credentials(err)
  local found = err.message:match("^no usable credentials: (.*)$")
  if not found then return err.message end
  if err.code == "InvalidCredentials" then return "The credentials cannot be used: " .. found end
  local half = found:match("^environment: (AWS_SECRET_ACCESS_KEY is set[^;]*)")
  local what = half or err.profile and ("the profile %s holds none"):format(err.profile)
    or "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --profile"
  return ("Unable to locate credentials: %s.\n`sagemaker doctor` tells where they were looked for.")
    :format(what)
end

--- An error in words, for stderr.
---@param err sagemaker.Error
---@param url? string what was called
---@return string
function M.text(err, url)
  local text = TEXTS[err.kind]
  return tostring(text and text(err, url) or err.message)
end

return M
