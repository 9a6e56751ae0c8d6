--- A response to what the caller gets: an output, or an error.

local core = require "sagemaker.core"
local errors = require "sagemaker.error"

local M = {}

--- A header of an answer, whatever the case of its name.
---@param headers table<string, string>
---@param name string in lower case
---@return string|nil
function M.header(headers, name)
  if headers[name] then return headers[name] end
  for key, value in pairs(headers) do
    if type(key) == "string" and #key == #name and key:lower() == name then return value end
  end
  return nil
end

local REQUEST_ID = { "x-amzn-requestid", "x-amzn-request-id", "x-amz-request-id",
  "x-amz-requestid" }

--- The id that the service has given to a request.
---@param headers table<string, string>
---@return string|nil
function M.request_id(headers)
  for _, name in ipairs(REQUEST_ID) do
    local id = M.header(headers, name)
    if id then return id end
  end
  return nil
end

--- When the service says that it answered: its Date header.
---@param response table|nil
---@return number|nil epoch seconds
function M.date(response)
  local date = response and M.header(response.headers, "date")
  return date and core.time.parse(date) or nil
end

local function service_error(service, operation, response)
  local status = response.status
  local found = core.decode_error(service, operation, status, response.headers, response.body)
  local message = found.message
  if not message or message == "" then
    message = ("HTTP status %d without a message"):format(status)
  end
  return errors.new { kind = "service", code = found.code, message = message, status = status,
    request_id = M.request_id(response.headers) or found.request_id, raw = found.raw,
    body = found.body, fields = found.fields, sent = true, received = true }
end

-- Whether an output without members comes of no body where the operation always answers something:
-- what a proxy says for a service that is not there, not what the service says.
local function is_hollow(service, operation, body)
  if body and body:find("%S") then return false end
  if service:info().protocol ~= "json" then return false end
  local shape = service:operation(operation).output
  for _, member in ipairs(shape and service:shape(shape).members or {}) do
    if member.required then return true end
  end
  return false
end

--- Decodes an answer. One of 2xx that cannot be read is an error of kind "protocol": the service
--- has done its work, so the request is not sent again.
---@param service userdata
---@param operation string
---@param response table
---@return table|nil output
---@return sagemaker.Error|nil err
function M.decode(service, operation, response)
  local status = response.status
  if status < 200 or status >= 300 then return nil, service_error(service, operation, response) end
  local output, message = core.decode(service, operation, status, response.headers, response.body)
  if output and next(output) == nil and is_hollow(service, operation, response.body) then
    output, message = nil, "its body is empty"
  end
  if output then return output end
  return nil, errors.new { kind = "protocol", code = "UnreadableResponse", status = status,
    message = ("the answer with HTTP status %d cannot be read: %s"):format(status, message),
    request_id = M.request_id(response.headers), retryable = false, sent = true }
end

--- What decodes a successful answer where the transport has it: the `decode` of `send`. It answers
--- nil where more must be known: `M.decode` has the last word then.
---@param service userdata
---@param operation string
---@return false|fun(answer: string|userdata, status?: integer): table|nil decoder false: none can
function M.decoder(service, operation)
  local protocol, decode = service:info().protocol, core.decode
  if protocol == "json" then
    return function(answer)
      local output = decode(service, operation, 200, nil, answer)
      return output and next(output) ~= nil and output or nil
    end
  elseif protocol == "rest-json" then
    return function(answer, status)
      if type(answer) == "string" then return nil end -- a body without its head
      return (decode(service, operation, status, answer, answer))
    end
  end
  return false
end

--- The three values for parameters that do not fit.
---@param operation string
---@param problems table[] as core.encode answers them
---@return nil
---@return string message all problems
---@return sagemaker.Error err
function M.invalid(operation, problems)
  local lines = {}
  for i, problem in ipairs(problems) do lines[i] = problem.message end
  local message = lines[1]
  if #lines > 1 then
    message = ("%d problems with the parameters of %s:\n  %s"):format(#lines, operation,
      table.concat(lines, "\n  "))
  end
  return errors.fail { kind = "validation", code = "ParamValidation", message = message,
    operation = operation, path = problems[1].path, errors = problems, attempts = 0,
    retryable = false, sent = false }
end

return M
