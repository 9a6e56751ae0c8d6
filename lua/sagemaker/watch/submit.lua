--- Sends a create or an update once, and finds out what became of it when the answer was lost.
--
-- SageMaker's configuration store is eventually consistent, and neither operation has an
-- idempotency token: a second try after a lost answer is refused as "already existing" or
-- "in-progress" although the first was accepted. So a doubtful failure is compared with what
-- DescribeEndpoint shows before anything is reported.

local pollers = require "sagemaker.watch.poller"
local readings = require "sagemaker.watch.reading"

local M = {}

-- Seconds for which a configuration that exists may be "not found".
local INVISIBLE_CONFIG = 60

-- Seconds after which an operation that left no trace was not accepted.
local TRACELESS = 30

-- Whether the service may have accepted the operation although it failed here.
local function is_doubtful(err)
  if err.kind == "validation" or err.kind == "credentials" or err.kind == "config" then
    return false
  end
  local was_repeated = type(err.attempts) == "number" and err.attempts > 1
  if err.kind == "transport" or err.kind == "timeout" then
    return was_repeated or err.sent ~= false
  end
  return was_repeated or err.kind == "protocol" or (err.status or 0) >= 500
end

-- Adds to what a failure says.
local function explain(err, text)
  err.message = ("%s (%s)"):format(tostring(err.message), text)
  return nil, tostring(err), err
end

-- Whether "Could not find endpoint configuration" means the one that runs, because it was deleted:
-- no waiting brings it back.
local function names_old_config(err, operation)
  local old = operation.old_config
  if not old or readings.same(old, operation.params.EndpointConfigName) then return false end
  local text = tostring(err.service_message or err.message):lower()
  return text:find("/" .. old:lower() .. '"', 1, true) ~= nil
end

-- What a look after a lost create shows: ours, another's, or nothing.
local function judge_create(reading, operation)
  local wish = operation.params.EndpointConfigName
  local before = operation.before
  if before and reading.created == before.created then return nil end
  if readings.same(reading.pending or reading.config, wish) then return "accepted" end
  return "foreign"
end

local function judge_update(reading, operation)
  local wish, before = operation.params.EndpointConfigName, operation.before
  if reading.pending then
    return readings.same(reading.pending, wish) and "accepted" or "foreign"
  end
  local moved = reading.modified and before.modified and reading.modified > before.modified
  if moved then return "accepted" end
  if readings.same(reading.config, wish) and not readings.same(before.config, wish) then
    return "accepted"
  end
  return nil
end

-- Looks until the operation has left a trace, or long enough.
local function reconcile(context, operation, call_opts)
  local poller = pollers.new(context, operation.params.EndpointName,
    { delay = 1, max_delay = 5 }, call_opts)
  local judge = operation.name == "CreateEndpoint" and judge_create or judge_update
  local deadline = context.clock() + TRACELESS
  while true do
    local output, problem = poller:look()
    if output then
      local verdict = judge(readings.read(output), operation)
      if verdict then return verdict, output end
    elseif problem == "error" then
      return "unknown"
    end
    if context.clock() >= deadline then return output and "absent" or problem end
    context.sleep(poller:delay())
  end
end

local DELETED = "the endpoint's current configuration %s was deleted; without it SageMaker updates "
  .. "nothing, create it again"
local UNKNOWN = "whether it was accepted is not known: DescribeEndpoint could not be asked"
local LOST = "the answer to %s was lost; DescribeEndpoint shows that it was accepted"

-- A doubtful failure: what DescribeEndpoint says decides.
local function settle(context, operation, failure, call_opts)
  local verdict, output = reconcile(context, operation, call_opts)
  if verdict == "accepted" then
    operation.warnings[#operation.warnings + 1] = LOST:format(operation.name)
    return output
  end
  local err = failure[2]
  if verdict == "foreign" then err.in_progress = output end
  if verdict == "unknown" or verdict == "wait" then
    err.in_doubt = true
    return explain(err, UNKNOWN)
  end
  return nil, failure[1], err
end

---@class sagemaker.watch.Operation
---@field name "CreateEndpoint"|"UpdateEndpoint"
---@field params table
---@field before? sagemaker.watch.Reading the endpoint before
---@field old_config? string its EndpointConfigName
---@field warnings string[] to be added to

--- Sends an operation. Waits out that a configuration is not visible yet, for up to 60 s.
---@param context table call, clock, sleep, random
---@param operation sagemaker.watch.Operation
---@param call_opts? table
---@return table|nil output of the operation, or of the DescribeEndpoint that showed its acceptance
---@return string? message
---@return sagemaker.Error? err `in_progress` holds the DescribeEndpoint output of a deployment in
--- the way; `in_doubt` is true when nobody could say whether the operation was accepted
function M.run(context, operation, call_opts)
  local deadline = context.clock() + INVISIBLE_CONFIG
  local pause = 1
  while true do
    local output, message, err = context.call(operation.name, operation.params, call_opts)
    if output then return output end
    if not pollers.is_missing_config(err) then
      if is_doubtful(err) then return settle(context, operation, { message, err }, call_opts) end
      return nil, message, err
    elseif names_old_config(err, operation) then
      return explain(err, DELETED:format(operation.old_config))
    end
    local left = deadline - context.clock()
    if left <= 0 then return nil, message, err end
    context.sleep(math.max(0.5, math.min(pause, left)))
    pause = math.min(pause * 2, 8)
  end
end

return M
