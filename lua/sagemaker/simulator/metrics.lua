--- What endpoints have measured, as CloudWatch keeps it: values by metric, endpoint and variant,
-- in buckets of a minute of the simulator's time, and for three hours in buckets of ten seconds.
--
-- A bucket keeps count, sum, least and greatest value, and up to so many values themselves for
-- percentiles. What is older than the longest alarm can look back is forgotten. How long each
-- resolution is kept:
-- https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html

local M = {}

local Metrics = { __name = "sagemaker.simulator.metrics" }
Metrics.__index = Metrics

--- The length of a bucket in seconds, and of one for alarms with periods below a minute.
M.BUCKET, M.FINE = 60, 10

-- So many values of a bucket are kept for percentiles: the rest replace them at random places.
local SAMPLES = { [M.BUCKET] = 1000, [M.FINE] = 200 }

-- How long buckets are kept: an alarm looks back a day at most, and one period beyond.
local KEPT = { [M.BUCKET] = 2 * 86400, [M.FINE] = 3 * 3600 }

---@class sagemaker.simulator.metrics
---@field series table<string, table<integer, {buckets: table<integer, table>, oldest: integer}>> by
--- what is measured, and the length of the buckets

---@param random? fun(): number in [0, 1)
---@return sagemaker.simulator.metrics
function M.new(random)
  return setmetatable({ series = {}, random = random or math.random }, Metrics)
end

local function key_of(endpoint, variant, metric)
  return metric .. "\n" .. endpoint:lower() .. "\n" .. (variant or "")
end

-- The limit moves on in steps, so that not every new bucket looks at all others.
local function forget(series, length, now)
  local limit = math.floor((now - KEPT[length]) / length)
  if series.oldest + 10 > limit then return end
  for index in pairs(series.buckets) do
    if index < limit then series.buckets[index] = nil end
  end
  series.oldest = limit
end

local function bucket_of(series, length, at)
  local index = math.floor(at / length)
  local bucket = series.buckets[index]
  if not bucket then
    bucket = { count = 0, sum = 0, values = {} }
    series.buckets[index] = bucket
    forget(series, length, at)
  end
  return bucket
end

local function add(bucket, value, samples, random)
  bucket.count, bucket.sum = bucket.count + 1, bucket.sum + value
  bucket.least = math.min(bucket.least or value, value)
  bucket.greatest = math.max(bucket.greatest or value, value)
  local place = bucket.count
  if place > samples then place = math.floor(random() * bucket.count) + 1 end
  if place <= samples then bucket.values[place] = value end
end

--- Records a value: 1 for each invocation or error and 0 for each request without one, microseconds
-- for ModelLatency.
---@param endpoint string
---@param variant string
---@param metric string "Invocations", "Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency"
---@param value number
---@param at number seconds since the epoch, on the simulator's clock
function Metrics:record(endpoint, variant, metric, value, at)
  local key = key_of(endpoint, variant, metric)
  local series = self.series[key]
  if not series then
    series = {}
    for length in pairs(KEPT) do
      series[length] = { buckets = {}, oldest = math.floor(at / length) }
    end
    self.series[key] = series
  end
  for length, one in pairs(series) do
    add(bucket_of(one, length, at), value, SAMPLES[length], self.random)
  end
end

-- The buckets from `from` up to `to`, put together; nil when there is none.
local function joined(series, from, to)
  local sum
  local length = (from % M.BUCKET == 0 and to % M.BUCKET == 0) and M.BUCKET or M.FINE
  for index = math.floor(from / length), math.ceil(to / length) - 1 do
    local bucket = series[length].buckets[index]
    if bucket then
      sum = sum or { count = 0, sum = 0, values = {} }
      sum.count, sum.sum = sum.count + bucket.count, sum.sum + bucket.sum
      sum.least = math.min(sum.least or bucket.least, bucket.least)
      sum.greatest = math.max(sum.greatest or bucket.greatest, bucket.greatest)
      for _, value in ipairs(bucket.values) do sum.values[#sum.values + 1] = value end
    end
  end
  return sum
end

-- The value below which so many percent of the values lie, interpolated between two of them.
local function percentile(values, percent)
  table.sort(values)
  local place = 1 + (#values - 1) * percent / 100
  local below = math.floor(place)
  local low, high = values[below], values[math.min(#values, below + 1)]
  return low + (high - low) * (place - below)
end

local STATISTICS = {
  SampleCount = function(data) return data.count end,
  Sum = function(data) return data.sum end,
  Average = function(data) return data.sum / data.count end,
  Minimum = function(data) return data.least end,
  Maximum = function(data) return data.greatest end,
}

--- Whether a statistic is one that can be asked for: those above, or p0 to p100.
---@param statistic string
---@return boolean
function M.is_statistic(statistic)
  if STATISTICS[statistic] then return true end
  local percent = tonumber(statistic:match("^p(%d+%.?%d*)$"))
  return percent ~= nil and percent <= 100
end

--- The value of a statistic over the time from `from` to `to`, both multiples of a minute or, in
-- the latest three hours, of ten seconds; nil when nothing was measured.
---@param endpoint string
---@param variant string|nil
---@param metric string
---@param statistic string
---@param from number
---@param to number
---@return number|nil
function Metrics:statistic(endpoint, variant, metric, statistic, from, to)
  local series = self.series[key_of(endpoint, variant, metric)]
  local data = series and joined(series, from, to)
  if not data then return nil end
  local read = STATISTICS[statistic]
  if read then return read(data) end
  return percentile(data.values, tonumber(statistic:sub(2)))
end

--- Whether anything was ever measured of this.
---@param endpoint string
---@param variant string|nil
---@param metric string
---@return boolean
function Metrics:measured(endpoint, variant, metric)
  return self.series[key_of(endpoint, variant, metric)] ~= nil
end

--- Everything that is kept, as a plain table.
---@return table
function Metrics:save()
  local rows = {}
  for key, series in pairs(self.series) do
    local row = {}
    for length, one in pairs(series) do
      local buckets = {}
      for index, bucket in pairs(one.buckets) do buckets[("%d"):format(index)] = bucket end
      row[("%d"):format(length)] = { oldest = one.oldest, buckets = buckets }
    end
    rows[key] = row
  end
  return rows
end

--- Takes back what `save` gave.
---@param rows table
function Metrics:load(rows)
  self.series = {}
  for key, row in pairs(rows) do
    local series = {}
    for length, one in pairs(row) do
      local buckets = {}
      for index, bucket in pairs(one.buckets) do buckets[tonumber(index)] = bucket end
      series[tonumber(length)] = { oldest = one.oldest, buckets = buckets }
    end
    self.series[key] = series
  end
end

return M
