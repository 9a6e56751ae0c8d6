--- The rate limiter of the adaptive retry mode: it finds out how fast a service lets this client
-- send, by what it throttles, and holds requests back to that rate.
--- https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
--
-- Four parts, each a plain table: a clocker measures how fast requests go out, a cubic curve (as in
-- TCP CUBIC, RFC 9438) says how fast they may, a bucket of tokens makes them wait, and a limiter
-- joins the three. Until something was throttled it only measures. All times are those of one
-- monotonic clock.

local M = {}

local floor, max, min = math.floor, math.max, math.min

-- The curve ---------------------------------------------------------------------------------------

local BETA, SCALE = 0.7, 0.4

-- Seconds until the curve is back at the rate that was too fast.
local function recovery(rate)
  return (rate * (1 - BETA) / SCALE) ^ (1 / 3)
end

---@class sagemaker.retry.Cubic
---@field w_max number requests a second when something was throttled last
---@field k number seconds from there until the curve allows that rate again
---@field last_fail number when that was

---@param rate number
---@param now number
---@return sagemaker.retry.Cubic
function M.cubic(rate, now)
  return { w_max = rate, k = recovery(rate), last_fail = now }
end

--- The rate that the curve allows after a request that was not throttled.
---@param cubic sagemaker.retry.Cubic
---@param now number
---@return number rate requests a second
function M.succeeded(cubic, now)
  return SCALE * (now - cubic.last_fail - cubic.k) ^ 3 + cubic.w_max
end

--- Starts the curve anew: a request was throttled.
---@param cubic sagemaker.retry.Cubic
---@param rate number requests a second, at which that happened
---@param now number
---@return number rate the lower one to go on with
function M.throttled(cubic, rate, now)
  cubic.w_max, cubic.k, cubic.last_fail = rate, recovery(rate), now
  return rate * BETA
end

-- The clocker -------------------------------------------------------------------------------------

local SMOOTHING, SLICES = 0.8, 2 -- slices of half a second

---@class sagemaker.retry.Clocker
---@field measured number requests a second, smoothed
---@field count integer requests since `slice`
---@field slice number when the current slice began

---@param now number
---@return sagemaker.retry.Clocker
function M.clocker(now)
  return { measured = 0, count = 0, slice = floor(now) }
end

--- Counts a request.
---@param clocker sagemaker.retry.Clocker
---@param now number
---@return number measured requests a second
function M.record(clocker, now)
  local slice = floor(now * SLICES) / SLICES
  clocker.count = clocker.count + 1
  if slice > clocker.slice then
    local rate = clocker.count / (slice - clocker.slice)
    clocker.measured = rate * SMOOTHING + clocker.measured * (1 - SMOOTHING)
    clocker.count, clocker.slice = 0, slice
  end
  return clocker.measured
end

-- The bucket --------------------------------------------------------------------------------------

local MIN_RATE = 0.5

---@class sagemaker.retry.Bucket
---@field capacity number tokens that are there
---@field max_capacity number
---@field rate number tokens a second
---@field filled number when it was filled last

local function fill(bucket, now)
  local passed = now - bucket.filled
  if passed > 0 then
    bucket.capacity = min(bucket.max_capacity, bucket.capacity + passed * bucket.rate)
  end
  bucket.filled = now
end

--- Gives a bucket another rate; what has come in until now came at the old one.
---@param bucket sagemaker.retry.Bucket
---@param rate number
---@param now number
function M.set_rate(bucket, rate, now)
  fill(bucket, now)
  bucket.rate = max(rate, MIN_RATE)
  bucket.max_capacity = max(rate, 1)
  bucket.capacity = min(bucket.capacity, bucket.max_capacity)
end

---@param rate number
---@param now number
---@return sagemaker.retry.Bucket
function M.bucket(rate, now)
  local bucket = { capacity = 0, filled = now, rate = 0, max_capacity = 0 }
  M.set_rate(bucket, rate, now)
  return bucket
end

--- Takes tokens if there are enough.
---@param bucket sagemaker.retry.Bucket
---@param amount number at most its capacity
---@param now number
---@return number wait 0 when they were taken, else seconds until there will be enough
function M.try(bucket, amount, now)
  fill(bucket, now)
  local lacking = amount - bucket.capacity
  if lacking > 0 then return lacking / bucket.rate end
  bucket.capacity = -lacking
  return 0
end

-- A shorter wait is an error of rounding.
local NOTHING = 1e-9

--- Takes tokens, waiting for them. Others may take them and change the rate meanwhile.
---@param bucket sagemaker.retry.Bucket
---@param amount number
---@param transport sagemaker.Transport whose clock runs and who waits
---@param deadline? number in its clock; a wait that would reach it is not begun
---@return boolean taken
---@return number|nil wait seconds that were still lacking at the deadline
function M.take(bucket, amount, transport, deadline)
  while true do
    local now = transport:clock()
    local wait = M.try(bucket, amount, now)
    if wait == 0 then return true end
    if wait < NOTHING then
      bucket.capacity = 0
      return true
    end
    if deadline and now + wait >= deadline then return false, wait end
    transport:sleep(wait)
  end
end

-- The limiter -------------------------------------------------------------------------------------

---@class sagemaker.retry.Limiter
---@field bucket sagemaker.retry.Bucket
---@field clocker sagemaker.retry.Clocker
---@field cubic sagemaker.retry.Cubic
---@field enabled boolean something has been throttled

---@param now number
---@return sagemaker.retry.Limiter
function M.limiter(now)
  return { bucket = M.bucket(1, now), clocker = M.clocker(now), cubic = M.cubic(0, now),
    enabled = false }
end

--- Takes the turn of a request, waiting for it.
---@param limiter sagemaker.retry.Limiter
---@param transport sagemaker.Transport
---@param deadline? number
---@return boolean taken
---@return number|nil wait as with `take`
function M.acquire(limiter, transport, deadline)
  if not limiter.enabled then return true end
  return M.take(limiter.bucket, 1, transport, deadline)
end

--- Learns from what came of a request; no answer counts as not throttled.
---@param limiter sagemaker.retry.Limiter
---@param is_throttled boolean
---@param now number
function M.learn(limiter, is_throttled, now)
  local bucket, measured = limiter.bucket, M.record(limiter.clocker, now)
  local allowed
  if is_throttled then
    local rate = limiter.enabled and min(measured, bucket.rate) or measured
    allowed = M.throttled(limiter.cubic, rate, now)
    limiter.enabled = true
  else
    allowed = M.succeeded(limiter.cubic, now)
  end
  M.set_rate(bucket, min(allowed, 2 * measured), now)
end

return M
