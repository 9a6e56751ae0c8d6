--- Whether a failed attempt is worth another one, and how long to wait before it.
--- https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
--
-- A mode is a row of a table: which errors it retries, how it backs off, what a retry costs from
-- the quota. The quota is a token bucket that all calls of a client share: when the service is in
-- trouble, retries of many calls must not add to it. Nothing here waits or sends.

local M = {}

---@class sagemaker.RetryMode
---@field max_attempts integer including the first
---@field max_delay number seconds
---@field codes table<string, "transient"|"throttling"> error codes worth a retry
---@field statuses table<integer, "transient"|"throttling"> HTTP statuses worth a retry
---@field code_status? integer codes count only together with this status
---@field capacity? integer size of the quota; without it retries cost nothing
---@field costs table<string, integer> by reason

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

---@type table<string, sagemaker.RetryMode>
M.modes = {
  standard = {
    max_attempts = 3,
    max_delay = 20,
    codes = merge(
      set("throttling", {
        "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException",
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling",
        "ThrottlingException", "TooManyRequestsException", "TransactionInProgressException",
      }),
      set("transient", {
        "PriorRequestNotComplete", "RequestTimeout", "RequestTimeoutException",
      })
    ),
    statuses = set("transient", { 500, 502, 503, 504 }),
    capacity = 500,
    costs = { throttling = 5, transient = 5, timeout = 10 },
  },
  -- What botocore and AWS CLI v1 do unless told otherwise.
  legacy = {
    max_attempts = 5,
    max_delay = math.huge,
    codes = set("throttling", {
      "ProvisionedThroughputExceededException", "RequestThrottledException",
      "ThrottledException", "Throttling", "ThrottlingException",
    }),
    code_status = 400,
    statuses = merge(set("transient", { 500, 502, 503, 504 }), set("throttling", { 429, 509 })),
    costs = { throttling = 0, transient = 0, timeout = 0 },
  },
}

--- Why an error is worth a retry, or nil when it is not.
---@param mode sagemaker.RetryMode
---@param err sagemaker.Error
---@param modelled? "transient"|"throttling" what the service's model says about this error's code
---@return "transient"|"throttling"|"timeout"|nil reason
function M.classify(mode, err, modelled)
  local kind = err.kind
  if kind == "timeout" or kind == "transport" then
    if err.retryable == false then return nil end
    return kind == "timeout" and "timeout" or "transient"
  end
  if kind ~= "service" then return nil end
  local by_code = mode.codes[err.code]
  if by_code and (not mode.code_status or mode.code_status == err.status) then return by_code end
  return mode.statuses[err.status] or modelled
end

--- Seconds before the n-th retry: a random share of 2^(n-1), never more than the mode's longest.
---@param mode sagemaker.RetryMode
---@param n integer 1 for the first retry
---@param random fun(): number in [0, 1)
---@return number seconds
function M.backoff(mode, n, random)
  return math.min(random() * 2 ^ (n - 1), mode.max_delay)
end

---@class sagemaker.Quota the tokens that are left, shared by the calls of a client
---@field available integer
---@field capacity integer

--- A full quota.
---@param capacity? integer
---@return sagemaker.Quota
function M.quota(capacity)
  capacity = capacity or M.modes.standard.capacity
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
---@param client number epoch seconds that the request was signed with
---@return number|nil seconds to add to our clock; nil when the clock was not the problem
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

---@class sagemaker.Attempts one call
---@field mode sagemaker.RetryMode
---@field max_attempts integer
---@field attempt integer the one that failed
---@field transport sagemaker.Transport
---@field deadline? number in the transport's clock
---@field corrected? boolean the clock was set right in this call
---@field cost? integer what its last retry took from the quota

-- Sets the clock right when the error shows that it was wrong; once a call.
local function correct(state, call, err, date)
  if err.kind ~= "service" or call.corrected or call.attempt >= call.max_attempts then
    return false
  end
  local skew = M.skew(err.code, date, call.transport:now() + state.skew)
  if not skew then return false end
  state.skew, call.corrected = state.skew + skew, true
  return true
end

--- Seconds to wait before another attempt; nil when none follows, and `err.gave_up` says why: it is
--- "final", or "attempts", "quota" or "deadline" (a wait never goes past it) came first. An attempt
--- after a corrected clock follows at once and costs nothing.
---@param state sagemaker.RetryState
---@param call sagemaker.Attempts
---@param err sagemaker.Error gets `retryable`
---@param date number|nil when the service answered, by its own clock
---@param random fun(): number
---@return number|nil seconds
function M.delay(state, call, err, date, random)
  if correct(state, call, err, date) then
    err.retryable = true
    return 0
  end
  local mode, attempt, delay = call.mode, call.attempt, nil
  local reason = M.classify(mode, err)
  err.retryable = reason ~= nil
  if reason and attempt < call.max_attempts then
    delay = M.backoff(mode, attempt, random)
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
