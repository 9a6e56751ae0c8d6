--- Counts calls in a shared dictionary, for all workers together, and tells them to Prometheus.
--- https://prometheus.io/docs/instrumenting/exposition_formats/
---
---     metrics = nginx.metrics{ dict = "metrics" }                       -- init_by_lua
---     runtime = sagemaker.runtime{ hooks = metrics:hooks() }
---     location = /metrics { content_by_lua_block { metrics:serve() } }
---     log_by_lua_block { metrics:proxied{ operation = "InvokeEndpoint" } } -- where sign was used
--
-- | metric | labels | |
-- |---|---|---|
-- | sagemaker_calls_total | service, operation, outcome, code | calls that have ended |
-- | sagemaker_attempts_total | service, operation | requests sent for them |
-- | sagemaker_call_seconds | service, operation | histogram: from the call to its end |
-- | sagemaker_first_byte_seconds | service, operation | histogram: until an answer began |
-- | sagemaker_sent_bytes_total | service, operation | bodies of requests |
-- | sagemaker_received_bytes_total | service, operation | bodies of answers |
-- | sagemaker_connections_total | service, reused | connections used by last attempts |
-- | sagemaker_connect_seconds | service | summary: new connections, name and TCP |
-- | sagemaker_tls_seconds | service | summary: new connections, TLS after that |
--
-- outcome is "ok" or the kind of the error; code is its code, "" for ok. For proxied requests the
-- outcome is "ok" below status 400, "service" above, "gateway" where no model answered; the code is
-- the status, and bytes are those of the whole messages.

local M = {}

---@class sagemaker.nginx.MetricsOptions
---@field dict? string a lua_shared_dict, best of its own; default "sagemaker"
---@field buckets? number[] seconds, ascending; default 0.005 to 60
---@field max_series? integer different label sets for calls, beyond which codes are counted as
--- "other"; default 1000

---@class sagemaker.nginx.Metrics
local methods = {}
local metatable = { __index = methods, __name = "sagemaker.nginx.metrics" }

local BUCKETS = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60 }

local METRICS = {
  { "sagemaker_calls_total", "counter", "Calls that have ended." },
  { "sagemaker_attempts_total", "counter", "Requests sent for calls." },
  { "sagemaker_call_seconds", "histogram", "Seconds from a call to its end." },
  { "sagemaker_first_byte_seconds", "histogram", "Seconds until the answer began." },
  { "sagemaker_sent_bytes_total", "counter", "Bytes of the bodies of requests." },
  { "sagemaker_received_bytes_total", "counter", "Bytes of the bodies of answers." },
  { "sagemaker_connections_total", "counter", "Connections used by last attempts." },
  { "sagemaker_connect_seconds", "summary", "Seconds to connect, of new connections." },
  { "sagemaker_tls_seconds", "summary", "Seconds of TLS handshakes, of new connections." },
}

-- Keys in the dictionary: this mark, the metric, its labels as they are written, and what it is of
-- the metric ("" for a counter), parted by what no label holds.
local MARK, PART = "metric\1", "\1"

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function escape(value)
  return (tostring(value):gsub('[\\"\n]', ESCAPES):gsub("%c", " "))
end

local function label(name, value)
  return ('%s="%s"'):format(name, escape(value))
end

local function key_of(metric, labels, part)
  return MARK .. metric .. PART .. labels .. PART .. (part or "")
end

-- {{ Counting

local function add(self, key, value)
  local _, message, forcible = self.dict:incr(key, value, 0)
  if (message or forcible) and not self.is_full then
    self.is_full = true
    local ngx = rawget(_G, "ngx")
    ngx.log(ngx.WARN, "sagemaker: the lua_shared_dict ", self.name, " is too small for the metrics",
      message and ": " or "; some are lost", message or "")
  end
end

-- The keys of a service and operation, made once a worker.
local function keys_of(self, service, operation)
  local of_service = self.keys[service]
  if not of_service then
    of_service = {}
    self.keys[service] = of_service
  end
  local keys = of_service[operation]
  if keys then return keys end
  local labels = label("service", service) .. "," .. label("operation", operation)
  local of_service_only = label("service", service)
  keys = {
    labels = labels, calls = {}, call_seconds = {}, first_byte = {},
    attempts = key_of("sagemaker_attempts_total", labels),
    call_sum = key_of("sagemaker_call_seconds", labels, "sum"),
    connect_count = key_of("sagemaker_connect_seconds", of_service_only, "count"),
    connect_sum = key_of("sagemaker_connect_seconds", of_service_only, "sum"),
    first_sum = key_of("sagemaker_first_byte_seconds", labels, "sum"),
    new = key_of("sagemaker_connections_total", of_service_only .. ',reused="false"'),
    received = key_of("sagemaker_received_bytes_total", labels),
    reused = key_of("sagemaker_connections_total", of_service_only .. ',reused="true"'),
    sent = key_of("sagemaker_sent_bytes_total", labels),
    tls_count = key_of("sagemaker_tls_seconds", of_service_only, "count"),
    tls_sum = key_of("sagemaker_tls_seconds", of_service_only, "sum"),
  }
  for i = 1, #self.buckets + 1 do
    keys.call_seconds[i] = key_of("sagemaker_call_seconds", labels, "le" .. i)
    keys.first_byte[i] = key_of("sagemaker_first_byte_seconds", labels, "le" .. i)
  end
  of_service[operation] = keys
  return keys
end

-- The key of a way in which calls ended. Codes come from services, so there may be any number.
local function call_key(self, keys, outcome, code)
  local of_outcome = keys.calls[outcome]
  if not of_outcome then
    of_outcome = {}
    keys.calls[outcome] = of_outcome
  end
  local key = of_outcome[code]
  if key then return key end
  if self.series >= self.max_series and code ~= "other" then
    return call_key(self, keys, outcome, "other")
  end
  self.series = self.series + 1
  key = key_of("sagemaker_calls_total", keys.labels .. "," .. label("outcome", outcome) .. ","
    .. label("code", code))
  of_outcome[code] = key
  return key
end

local function observe(self, keys, sum_key, seconds)
  local buckets, i = self.buckets, 1
  while buckets[i] and seconds > buckets[i] do i = i + 1 end
  add(self, keys[i], 1)
  add(self, sum_key, seconds)
end

local function count_connection(self, keys, metrics)
  if metrics.reused == nil then return end
  add(self, metrics.reused and keys.reused or keys.new, 1)
  local timings = metrics.timings
  if metrics.reused or not timings then return end
  add(self, keys.connect_count, 1)
  add(self, keys.connect_sum, timings.connect)
  if timings.tls > 0 then
    add(self, keys.tls_count, 1)
    add(self, keys.tls_sum, math.max(0, timings.tls - timings.connect))
  end
end

--- Counts a call, as the hook on_call tells it.
---@param metrics sagemaker.Metrics
function methods:count(metrics)
  local keys = keys_of(self, metrics.service, metrics.operation)
  add(self, call_key(self, keys, metrics.outcome, metrics.code or ""), 1)
  if metrics.attempts > 0 then add(self, keys.attempts, metrics.attempts) end
  observe(self, keys.call_seconds, keys.call_sum, metrics.duration)
  local first = metrics.first_byte or metrics.timings and metrics.timings.first_byte
  if first and first > 0 then observe(self, keys.first_byte, keys.first_sum, first) end
  if metrics.bytes_sent > 0 then add(self, keys.sent, metrics.bytes_sent) end
  if metrics.bytes_received > 0 then add(self, keys.received, metrics.bytes_received) end
  count_connection(self, keys, metrics)
end

--- The hooks of a client that is counted here, with others if there are any.
---@param others? sagemaker.Hooks
---@return sagemaker.Hooks
function methods:hooks(others)
  local hooks = {}
  for name, hook in pairs(others or {}) do hooks[name] = hook end
  local before = hooks.on_call
  hooks.on_call = function(metrics)
    self:count(metrics)
    if before then before(metrics) end
  end
  return hooks
end

-- nginx writes a list where it has asked several servers: "0.001, 0.002 : 0.5", "-" for none.
local function sum(text)
  local total, n
  for number in (text or ""):gmatch("[%d.]+") do
    total, n = (total or 0) + (tonumber(number) or 0), (n or 0) + 1
  end
  return total, n or 0
end

--- Counts a request that was signed for proxy_pass, in the log phase.
---@param opts? {operation?: string, service?: string} default "InvokeEndpoint" of
--- "sagemaker-runtime"
function methods:proxied(opts)
  opts = opts or {}
  local var = rawget(_G, "ngx").var
  local status = tonumber((var.upstream_status or ""):match("(%d+)%s*$"))
  local seconds, attempts = sum(var.upstream_response_time)
  local outcome = not status and "gateway" or status < 400 and "ok" or "service"
  self:count {
    service = opts.service or "sagemaker-runtime", operation = opts.operation or "InvokeEndpoint",
    outcome = outcome, code = outcome ~= "ok" and tostring(status or var.status) or nil,
    attempts = attempts, duration = seconds or tonumber(var.request_time) or 0,
    first_byte = sum(var.upstream_header_time),
    bytes_sent = sum(var.upstream_bytes_sent) or 0,
    bytes_received = sum(var.upstream_bytes_received) or 0,
  }
end

-- }}

-- {{ Telling

local function number(value)
  return ("%.14g"):format(value)
end

local function line(lines, name, labels, value)
  lines[#lines + 1] = ("%s{%s} %s"):format(name, labels, number(value))
end

local function write_histogram(self, lines, name, labels, parts)
  local total, buckets = 0, self.buckets
  for i = 1, #buckets + 1 do
    total = total + (parts["le" .. i] or 0)
    local bound = buckets[i] and number(buckets[i]) or "+Inf"
    line(lines, name .. "_bucket", ('%s,le="%s"'):format(labels, bound), total)
  end
  line(lines, name .. "_sum", labels, parts.sum or 0)
  line(lines, name .. "_count", labels, total)
end

local WRITERS = {
  counter = function(_, lines, name, labels, parts)
    line(lines, name, labels, parts[""] or 0)
  end,
  histogram = write_histogram,
  summary = function(_, lines, name, labels, parts)
    line(lines, name .. "_sum", labels, parts.sum or 0)
    line(lines, name .. "_count", labels, parts.count or 0)
  end,
}

-- What the dictionary holds: metric -> labels -> part -> value.
local function gather(self)
  local found = {}
  for _, key in ipairs(self.dict:get_keys(0)) do
    if key:sub(1, #MARK) == MARK then
      local name, labels, part = key:match("^([^\1]*)\1([^\1]*)\1(.*)$", #MARK + 1)
      local value = self.dict:get(key)
      if name and value then
        found[name] = found[name] or {}
        found[name][labels] = found[name][labels] or {}
        found[name][labels][part] = value
      end
    end
  end
  return found
end

local function sorted(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

--- Everything counted so far, by all workers, in Prometheus' text format.
---@return string
function methods:text()
  local found, lines = gather(self), {}
  for _, row in ipairs(METRICS) do
    local name, kind, help = row[1], row[2], row[3]
    if found[name] then
      lines[#lines + 1] = ("# HELP %s %s"):format(name, help)
      lines[#lines + 1] = ("# TYPE %s %s"):format(name, kind)
      for _, labels in ipairs(sorted(found[name])) do
        WRITERS[kind](self, lines, name, labels, found[name][labels])
      end
    end
  end
  lines[#lines + 1] = ""
  return table.concat(lines, "\n")
end

--- Answers the request that nginx is working on with `text`.
function methods:serve()
  local ngx = rawget(_G, "ngx")
  ngx.header["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
  ngx.print(self:text())
end

-- }}

local function check_buckets(buckets)
  local last = 0
  for i, bound in ipairs(buckets) do
    if type(bound) ~= "number" or bound <= last then
      error(("metrics{ buckets = … }: number %d is not above the one before"):format(i), 4)
    end
    last = bound
  end
  return buckets
end

--- Metrics in a dictionary, for init_by_lua. Throws where there is no such dictionary.
---@param opts? sagemaker.nginx.MetricsOptions
---@return sagemaker.nginx.Metrics
function M.new(opts)
  opts = opts or {}
  local ngx, name = rawget(_G, "ngx"), opts.dict or "sagemaker"
  local dict = type(ngx) == "table" and ngx.shared and ngx.shared[name]
  if not dict then
    error(("metrics are kept in a dictionary of nginx: lua_shared_dict %s 1m;"):format(name), 3)
  end
  return setmetatable({
    buckets = check_buckets(opts.buckets or BUCKETS),
    dict = dict,
    is_full = false,
    keys = {},
    max_series = opts.max_series or 1000,
    name = name,
    series = 0,
  }, metatable)
end

return M
