--- Waits until a resource is in a state: the waiters of the service model, played as AWS defines
-- them. https://smithy.io/2.0/additional-specs/waiters.html
--
-- `endpoint_in_service` calls an endpoint whose update was rolled back "in service", because AWS's
-- own waiter does; `client:wait_until_in_service` does not.

local errors = require "sagemaker.error"
local path = require "sagemaker.path"

local M = {}

---@class sagemaker.WaiterConfig a row of sagemaker.model.waiters
---@field name string "EndpointInService"
---@field operation string
---@field delay number seconds between polls
---@field max_attempts integer polls
---@field acceptors sagemaker.Acceptor[] the first that matches decides

---@class sagemaker.Acceptor
---@field matcher "path"|"pathAll"|"pathAny"|"error"|"status"
---@field argument? string a JMESPath expression over the output
---@field expected any
---@field state "success"|"failure"|"retry"

---@class sagemaker.WaitOptions
---@field delay? number seconds between polls
---@field max_attempts? integer polls
---@field timeout? number seconds in all; the last wait is cut short so that it is never exceeded

local compiled = setmetatable({}, { __mode = "k" })

-- What the acceptor's path leads to, in an output.
local function find(acceptor, output)
  local get = compiled[acceptor]
  if not get then
    local message
    get, message = path.compile(acceptor.argument)
    if not get then error("waiter acceptor: " .. message, 0) end
    compiled[acceptor] = get
  end
  if output == nil then return nil end
  return get(output)
end

local function each_is(list, expected, wants_all)
  if type(list) ~= "table" or #list == 0 then return false end
  for _, value in ipairs(list) do
    if (value == expected) ~= wants_all then return not wants_all end
  end
  return wants_all
end

local MATCHERS = {
  path = function(acceptor, output)
    return find(acceptor, output) == acceptor.expected
  end,
  pathAll = function(acceptor, output)
    return each_is(find(acceptor, output), acceptor.expected, true)
  end,
  pathAny = function(acceptor, output)
    return each_is(find(acceptor, output), acceptor.expected, false)
  end,
  error = function(acceptor, _, err)
    local expected = acceptor.expected
    if type(expected) == "boolean" then return (err ~= nil) == expected end
    return err ~= nil and err.code == expected
  end,
  status = function(acceptor, _, _, status)
    return status == acceptor.expected
  end,
}

-- What a match means, in the words of AWS's own clients.
local REASONS = {
  path = 'For expression "%s" we matched expected path: "%s"',
  pathAll = 'For expression "%s" all members matched expected path: "%s"',
  pathAny = 'For expression "%s" we matched expected path: "%s" at least once',
}

local function reason_of(acceptor)
  local form = REASONS[acceptor.matcher]
  if form then return form:format(acceptor.argument, tostring(acceptor.expected)) end
  if acceptor.matcher == "status" then
    return ("Matched expected HTTP status code: %d"):format(acceptor.expected)
  end
  return "Matched expected service error code: " .. tostring(acceptor.expected)
end

--- Whether an acceptor matches an answer.
---@param acceptor sagemaker.Acceptor
---@param output table|nil nil when the service answered with an error
---@param err sagemaker.Error|nil of kind "service"
---@param status integer|nil HTTP status
---@return boolean
function M.matches(acceptor, output, err, status)
  local matcher = MATCHERS[acceptor.matcher]
  if not matcher then error("unknown waiter matcher " .. tostring(acceptor.matcher), 0) end
  return matcher(acceptor, output, err, status)
end

local function decide(config, output, err, status)
  for _, acceptor in ipairs(config.acceptors) do
    if M.matches(acceptor, output, err, status) then return acceptor end
  end
  return nil
end

-- `why` is what the service has said about it.
local function fail(config, kind, code, reason, fields, why)
  fields.kind, fields.code = kind, code
  fields.why = type(why) == "string" and why ~= "" and why or nil
  fields.message = ("%s: %s%s"):format(config.name, reason,
    fields.why and ": " .. fields.why or "")
  fields.operation, fields.waiter, fields.reason = config.operation, config.name, reason
  fields.retryable = kind == "timeout"
  return errors.fail(fields)
end

local function give_up(config, seen, last)
  local reason = "Max attempts exceeded"
  if seen then reason = reason .. ". Previously accepted state: " .. reason_of(seen) end
  return fail(config, "timeout", "WaiterTimedOut", reason, { output = last })
end

local function check_options(opts)
  for _, name in ipairs { "delay", "max_attempts", "timeout" } do
    local value = opts[name]
    if value ~= nil and (type(value) ~= "number" or value ~= value or value < 0) then
      error(("option %s must be a number of at least 0"):format(name), 4)
    end
  end
end

--- Polls until an acceptor says success or failure.
---@param config sagemaker.WaiterConfig
---@param call fun(operation: string, params: table, opts?: table): table?, string?, table?
---@param transport sagemaker.Transport whose clock and sleep are used
---@param params table the operation's parameters
---@param opts? sagemaker.WaitOptions
---@param call_opts? table options of each call
---@return table|nil output the answer that decided; {} where an error did
---@return string|nil message
---@return sagemaker.Error|nil err "WaiterFailed" (kind "service"; `output` or `cause` holds the
---   answer), "WaiterTimedOut" (kind "timeout"), or the error of a call that no acceptor expected
function M.run(config, call, transport, params, opts, call_opts)
  opts = opts or {}
  check_options(opts)
  local delay, max_attempts = opts.delay or config.delay, opts.max_attempts or config.max_attempts
  local deadline = opts.timeout and transport:clock() + opts.timeout
  local polls, seen = 0, nil
  while true do
    local output, message, err, status = call(config.operation, params, call_opts)
    polls = polls + 1
    if not output and err.kind ~= "service" then return nil, message, err end
    status = status or (err and err.status) or 200
    local acceptor = decide(config, output, err, status)
    if acceptor then
      seen = acceptor
      if acceptor.state == "success" then return output or {} end
      if acceptor.state == "failure" then
        local reason = "Waiter encountered a terminal failure state: " .. reason_of(acceptor)
        return fail(config, "service", "WaiterFailed", reason,
          { output = output, cause = err, status = err and err.status },
          err and err.message or output and output.FailureReason)
      end
    elseif err then
      err.waiter, err.reason = config.name,
        ("An error occurred (%s): %s"):format(err.code, err.service_message or err.message)
      return nil, message, err
    end
    if polls >= max_attempts then return give_up(config, seen, output) end
    local pause = delay
    if deadline then
      local left = deadline - transport:clock()
      if left <= 0 then return give_up(config, seen, output) end
      if left < pause then pause = left end
    end
    transport:sleep(pause)
  end
end

--- The waiter that a program means: "endpoint_in_service" or "EndpointInService".
---@param rows table<string, sagemaker.WaiterConfig>
---@param name string
---@return sagemaker.WaiterConfig config
function M.find(rows, name)
  local row = rows[name]
  if row then return row end
  local names = {}
  for key, candidate in pairs(rows) do
    if candidate.name == name then return candidate end
    names[#names + 1] = key
  end
  table.sort(names)
  error(("unknown waiter %s%s"):format(tostring(name), errors.hint(name, names)), 3)
end

return M
