--- Whether a failed attempt is worth another one, and how long to wait before it.
--- https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
--
-- A mode is a row of a table: which errors it retries, how it backs off, what a retry costs from
-- the quota. The quota is a token bucket that all calls of a client share: when the service is in
-- trouble, retries of many calls must not add to it. The adaptive mode also waits before sending
-- (sagemaker.retry.adaptive). Only `wait_turn` waits here; nothing sends.

local M = {}

---@class sagemaker.RetryMode
---@field max_attempts integer including the first
---@field max_delay number seconds
---@field codes table<string, "transient"|"throttling"> error codes worth a retry
---@field statuses table<integer, "transient"|"throttling"> HTTP statuses worth a retry
---@field code_status? integer codes count only together with this status
---@field final? table<string, true> codes of transport failures that are not worth one
---@field capacity? integer size of the quota; without it retries cost nothing
---@field costs table<string, integer> by reason
---@field scales table<string, number> seconds before the first retry at most, by reason
---@field retry_after? boolean the service may say how long to wait (x-amz-retry-after)
---@field limited? boolean requests wait for their turn

local function set(value, names)
  local out = {}
  for _, name in ipairs(names) do out[name] = value end
  return out
end

local function merge(...)
  local out = {}
  for i = 1, select("#", ...) do
    for key, value in pairs((select(i, ...))) do out[key] = value end
  end
  return out
end

local standard = {
  max_attempts = 3,
  max_delay = 20,
  codes = merge(
    set("throttling", {
      "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException",
      "PriorRequestNotComplete", "ProvisionedThroughputExceededException",
      "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown",
      "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
      "TransactionInProgressException",
    }),
    set("transient", { "IDPCommunicationError", "RequestTimeout", "RequestTimeoutException" })
  ),
  statuses = set("transient", { 500, 502, 503, 504 }),
  capacity = 500,
  costs = { throttling = 5, transient = 5, timeout = 10 },
  scales = { throttling = 1, transient = 1, timeout = 1 },
}

--- The modes by their names.
---@type table<string, sagemaker.RetryMode>
M.modes = {
  standard = standard,
  adaptive = merge(standard, { limited = true }),
  -- What botocore and AWS CLI v1 do unless told otherwise.
  legacy = {
    max_attempts = 5,
    max_delay = 2 ^ 31,
    codes = merge(
      set("throttling", {
        "ProvisionedThroughputExceededException", "RequestThrottledException",
        "ThrottledException", "Throttling", "ThrottlingException",
      }),
      set("transient", { "IDPCommunicationError" })
    ),
    code_status = 400,
    final = set(true, { "TruncatedResponse" }),
    statuses = merge(set("transient", { 500, 502, 503, 504 }), set("throttling", { 429, 509 })),
    costs = { throttling = 0, transient = 0, timeout = 0 },
    scales = { throttling = 1, transient = 1, timeout = 1 },
  },
}

-- What AWS's revision of 2026 changes: retries of what was not throttled come sooner and cost more.
local REVISION = {
  costs = { throttling = 5, transient = 14, timeout = 14 },
  scales = { throttling = 1, transient = 0.05, timeout = 0.05 },
  retry_after = true,
}

--- The modes where AWS_NEW_RETRIES_2026 is true.
---@type table<string, sagemaker.RetryMode>
M.revised = {
  standard = merge(M.modes.standard, REVISION),
  adaptive = merge(M.modes.adaptive, REVISION),
  legacy = M.modes.legacy,
}

--- Why an error is worth a retry, or nil when it is not.
---@param mode sagemaker.RetryMode
---@param err sagemaker.Error
---@param modelled? "transient"|"throttling" what the service's model says about this error's code
---@return "transient"|"throttling"|"timeout"|nil reason
function M.classify(mode, err, modelled)
  local kind = err.kind
  if kind == "timeout" or kind == "transport" then
    if err.retryable == false or mode.final and mode.final[err.code] then return nil end
    return kind == "timeout" and "timeout" or "transient"
  end
  if kind ~= "service" then return nil end
  local by_code = mode.codes[err.code]
  if by_code and (not mode.code_status or mode.code_status == err.status) then return by_code end
  return modelled or mode.statuses[err.status]
end

-- More than this is added to a backoff for no service.
local MAX_RETRY_AFTER = 5

-- Milliseconds of an x-amz-retry-after header in seconds; nil when it is none or makes no sense.
local function retry_after(text)
  local digits = text and text:match("^%s*%+?(%d+)%s*$")
  return digits and #digits <= 15 and tonumber(digits) / 1000 or nil
end

--- Seconds before the n-th retry: a random share of a time that doubles, up to the mode's longest;
--- where the mode allows it, the service may ask for more.
---@param mode sagemaker.RetryMode
---@param n integer 1 for the first retry
---@param random fun(): number in [0, 1)
---@param reason "transient"|"throttling"|"timeout" from classify
---@param after? string the answer's x-amz-retry-after header, milliseconds
---@return number seconds
function M.backoff(mode, n, random, reason, after)
  local delay = random() * math.min(mode.scales[reason] * 2 ^ (n - 1), mode.max_delay)
  local asked = mode.retry_after and retry_after(after)
  if not asked then return delay end
  return math.max(delay, math.min(asked, delay + MAX_RETRY_AFTER))
end

---@class sagemaker.Quota the tokens that are left, shared by the calls of a client
---@field available integer
---@field capacity integer

--- A full quota.
---@param capacity? integer
---@return sagemaker.Quota
function M.quota(capacity)
  capacity = capacity or standard.capacity
  return { available = capacity, capacity = capacity }
end

--- Decides about a failed attempt, and takes from the quota what a retry costs.
---@param mode sagemaker.RetryMode
---@param quota sagemaker.Quota
---@param reason "transient"|"throttling"|"timeout"|nil from classify
---@param attempt integer the attempt that failed, 1 for the first
---@param max_attempts integer
---@return integer|nil cost to hand to `refund` when a later attempt succeeds; nil: no retry
---@return "final"|"attempts"|"quota"|nil why there is none
function M.acquire(mode, quota, reason, attempt, max_attempts)
  if not reason then return nil, "final" end
  if attempt >= max_attempts then return nil, "attempts" end
  if not mode.capacity then return 0 end
  local cost = mode.costs[reason]
  if cost > quota.available then return nil, "quota" end
  quota.available = quota.available - cost
  return cost
end

--- A call succeeded: gives back what its last retry took, or one token for a call without retries.
---@param quota sagemaker.Quota
---@param cost integer|nil
function M.refund(quota, cost)
  local available = quota.available + (cost or 1)
  if available > quota.capacity then available = quota.capacity end
  quota.available = available
end

-- Errors that say "your clock is wrong", and those that may mean it.
local SKEWED = set(true, { "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture" })
local MAYBE_SKEWED = set(true, { "InvalidSignatureException", "SignatureDoesNotMatch",
  "AuthFailure" })
local SKEW_THRESHOLD = 240

--- How far the service's clock is ahead of ours, when an error tells that this was the problem.
---@param code string the service error's code
---@param server number|nil epoch seconds of the answer's Date header
---@param client number epoch seconds by the clock that the request was signed with
---@return number|nil seconds to add to that clock; nil when it was not the problem
function M.skew(code, server, client)
  if not server then return nil end
  local skew = server - client
  if SKEWED[code] then return skew end
  if MAYBE_SKEWED[code] and math.abs(skew) >= SKEW_THRESHOLD then return skew end
  return nil
end

---@class sagemaker.RetryState what the calls of a client share
---@field quota sagemaker.Quota
---@field skew number seconds that the service's clock is ahead of ours
---@field modes table<string, sagemaker.RetryMode>|false
---@field limiters table<sagemaker.Transport, sagemaker.retry.Limiter>|false one for each
---   transport, which has clock and service of its own

---@class sagemaker.Attempts one call
---@field mode sagemaker.RetryMode
---@field max_attempts integer
---@field attempt integer the one that failed
---@field transport sagemaker.Transport
---@field skew number what was added to our clock for the signature of the attempt
---@field date? number epoch seconds when the service answered, by its own clock
---@field retry_after? string the answer's x-amz-retry-after header
---@field deadline? number in the transport's clock
---@field careful? boolean never send again what the service may have done
---@field corrected? boolean the clock was set right in this call
---@field cost? integer what its last retry took from the quota
---@field limiter? sagemaker.retry.Limiter

--- A mode by its name. Whether AWS's revision of 2026 applies is read once a client.
---@param state sagemaker.RetryState
---@param name "standard"|"adaptive"|"legacy"
---@param getenv fun(name: string): string|nil
---@return sagemaker.RetryMode
function M.mode(state, name, getenv)
  local modes = state.modes
  if not modes then
    local value = getenv "AWS_NEW_RETRIES_2026"
    modes = value and value:lower() == "true" and M.revised or M.modes
    state.modes = modes
  end
  return modes[name]
end

--- Waits until a request of a limited mode may go; the first throttled one makes them wait.
---@param state sagemaker.RetryState
---@param call sagemaker.Attempts gets the client's limiter
---@return boolean ok
---@return number|nil seconds that are still lacking at the deadline
function M.wait_turn(state, call)
  local adaptive, transport = require "sagemaker.retry.adaptive", call.transport
  state.limiters = state.limiters or setmetatable({}, { __mode = "k" })
  local limiter = state.limiters[transport]
  if not limiter then
    limiter = adaptive.limiter(transport:clock())
    state.limiters[transport] = limiter
  end
  call.limiter = limiter
  return adaptive.acquire(limiter, transport, call.deadline)
end

--- Tells the limiter what came of a request that was sent.
---@param call sagemaker.Attempts
---@param err sagemaker.Error|nil
function M.learn(call, err)
  local is_throttled = err ~= nil and err.kind == "service"
    and standard.codes[err.code] == "throttling"
  require("sagemaker.retry.adaptive").learn(call.limiter, is_throttled, call.transport:clock())
end

-- Sets the clock right when the error shows that it was wrong. Says whether to try again for that:
-- once a call. Other calls may have set it since the attempt was signed.
local function correct(state, call, err)
  if err.kind ~= "service" or not call.date then return false end
  local now = call.transport:now()
  if not M.skew(err.code, call.date, now + call.skew) then return false end
  state.skew = call.date - now
  if call.corrected or call.attempt >= call.max_attempts then return false end
  call.corrected = true
  return true
end

-- Whether a request that must not be done twice may go again all the same: nothing of an answer
-- was read, and no time ran out in which the service may have begun.
local function is_safe(err)
  if err.kind == "timeout" then return err.sent == false end
  return err.kind == "transport" and not err.received
end

--- Seconds to wait before another attempt; nil when none follows, and `err.gave_up` says why: it
--- is "final", or "attempts", "quota" or "deadline" (a wait never goes past it) came first, or the
--- call is "careful" and the service may have begun with it. An attempt after a corrected clock
--- follows at once and costs nothing.
---@param state sagemaker.RetryState
---@param call sagemaker.Attempts
---@param err sagemaker.Error gets `retryable`
---@param random fun(): number
---@return number|nil seconds
function M.delay(state, call, err, random)
  if correct(state, call, err) then
    err.retryable = true
    return 0
  end
  local mode, attempt, delay = call.mode, call.attempt, nil
  local reason = M.classify(mode, err)
  err.retryable = reason ~= nil
  if reason and call.careful and not is_safe(err) then
    err.gave_up = "careful"
    return nil
  end
  if reason and attempt < call.max_attempts then
    delay = M.backoff(mode, attempt, random, reason, call.retry_after)
    if call.deadline and call.transport:clock() + delay >= call.deadline then
      err.gave_up = "deadline"
      return nil
    end
  end
  local cost, why = M.acquire(mode, state.quota, reason, attempt, call.max_attempts)
  if not cost then
    err.gave_up = why
    return nil
  end
  call.cost = cost
  return delay
end

return M
