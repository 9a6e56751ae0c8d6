local metrics_of = require "sagemaker.nginx.metrics"

-- As much of a dictionary of nginx as counting needs; `room` keys fit.
local function new_dict(room)
  local values, count = {}, 0
  return {
    get = function(_, key) return values[key] end,
    get_keys = function(_, max)
      assert(max == 0)
      local keys = {}
      for key in pairs(values) do keys[#keys + 1] = key end
      return keys
    end,
    incr = function(_, key, value, init)
      if not values[key] then count = count + 1 end
      if room and count > room then return nil, "no memory" end
      values[key] = (values[key] or init) + value
      return values[key], nil, false
    end,
    set = function(_, key, value) values[key] = value end,
  }
end

describe("nginx.metrics", function()
  local logged

  local function new(opts, room)
    logged = {}
    rawset(_G, "ngx", { WARN = 1, var = {}, shared = { metrics = new_dict(room) },
      log = function(_, ...) logged[#logged + 1] = table.concat({ ... }) end })
    opts = opts or {}
    opts.dict = "metrics"
    return metrics_of.new(opts)
  end

  after_each(function() rawset(_G, "ngx", nil) end)

  local function call(fields)
    local metrics = { service = "sagemaker-runtime", operation = "InvokeEndpoint", outcome = "ok",
      attempts = 1, duration = 0.25, bytes_sent = 10, bytes_received = 20, status = 200,
      reused = false, timings = { resolve = 0, connect = 0.001, tls = 0.003, first_byte = 0.2,
        total = 0.25 } }
    for name, value in pairs(fields or {}) do metrics[name] = value end
    return metrics
  end

  it("tells what was counted in Prometheus' format", function()
    local metrics = new{ buckets = { 0.1, 1 } }
    local seen
    local hooks = metrics:hooks{ on_call = function(m) seen = m end, on_retry = print }
    hooks.on_call(call())
    assert.equal("ok", seen.outcome)
    assert.equal(print, hooks.on_retry)
    metrics:count(call{ duration = 5, reused = true, attempts = 3 })
    metrics:count(call{ outcome = "timeout", code = "ReadTimeout", duration = 0.1, attempts = 2 })
    local labels = 'service="sagemaker-runtime",operation="InvokeEndpoint"'
    local expected = {}
    for line in ([[
# HELP sagemaker_calls_total Calls that have ended.
# TYPE sagemaker_calls_total counter
sagemaker_calls_total{@,outcome="ok",code=""} 2
sagemaker_calls_total{@,outcome="timeout",code="ReadTimeout"} 1
# HELP sagemaker_attempts_total Requests sent for calls.
# TYPE sagemaker_attempts_total counter
sagemaker_attempts_total{@} 6
# HELP sagemaker_call_seconds Seconds from a call to its end.
# TYPE sagemaker_call_seconds histogram
sagemaker_call_seconds_bucket{@,le="0.1"} 1
sagemaker_call_seconds_bucket{@,le="1"} 2
sagemaker_call_seconds_bucket{@,le="+Inf"} 3
sagemaker_call_seconds_sum{@} 5.35
sagemaker_call_seconds_count{@} 3
# HELP sagemaker_first_byte_seconds Seconds until the answer began.
# TYPE sagemaker_first_byte_seconds histogram
sagemaker_first_byte_seconds_bucket{@,le="0.1"} 0
sagemaker_first_byte_seconds_bucket{@,le="1"} 3
sagemaker_first_byte_seconds_bucket{@,le="+Inf"} 3
sagemaker_first_byte_seconds_sum{@} 0.6
sagemaker_first_byte_seconds_count{@} 3
# HELP sagemaker_sent_bytes_total Bytes of the bodies of requests.
# TYPE sagemaker_sent_bytes_total counter
sagemaker_sent_bytes_total{@} 30
# HELP sagemaker_received_bytes_total Bytes of the bodies of answers.
# TYPE sagemaker_received_bytes_total counter
sagemaker_received_bytes_total{@} 60
# HELP sagemaker_connections_total Connections used by last attempts.
# TYPE sagemaker_connections_total counter
sagemaker_connections_total{service="sagemaker-runtime",reused="false"} 2
sagemaker_connections_total{service="sagemaker-runtime",reused="true"} 1
# HELP sagemaker_connect_seconds Seconds to connect, of new connections.
# TYPE sagemaker_connect_seconds summary
sagemaker_connect_seconds_sum{service="sagemaker-runtime"} 0.002
sagemaker_connect_seconds_count{service="sagemaker-runtime"} 2
# HELP sagemaker_tls_seconds Seconds of TLS handshakes, of new connections.
# TYPE sagemaker_tls_seconds summary
sagemaker_tls_seconds_sum{service="sagemaker-runtime"} 0.004
sagemaker_tls_seconds_count{service="sagemaker-runtime"} 2
]]):gsub("@", labels):gmatch("([^\n]*)\n") do expected[#expected + 1] = line end
    local lines = {}
    for line in metrics:text():gmatch("([^\n]*)\n") do lines[#lines + 1] = line end
    assert.same(expected, lines)
  end)

  it("counts a call that failed before anything was sent", function()
    local metrics = new()
    metrics:count{ service = "sagemaker", operation = "CreateEndpoint", outcome = "validation",
      code = "ParamValidation", attempts = 0, duration = 0, bytes_sent = 0, bytes_received = 0 }
    local text = metrics:text()
    assert.truthy(text:find('outcome="validation",code="ParamValidation"} 1\n', 1, true))
    assert.is_nil(text:find("attempts", 1, true))
    assert.is_nil(text:find("connections", 1, true))
  end)

  it("escapes labels, and leaves other keys of the dictionary alone", function()
    local metrics = new()
    rawget(_G, "ngx").shared.metrics:set("keys of somebody", "x")
    metrics:count(call{ code = 'a"b\\c\nd\1e\127', outcome = "service" })
    local text = metrics:text()
    assert.truthy(text:find([[code="a\"b\\c\nd e "} 1]] .. "\n", 1, true), text)
    assert.is_nil(text:find("somebody", 1, true))
  end)

  it("has a limit for codes, which services make up", function()
    local metrics = new{ max_series = 5 }
    for i = 1, 20 do metrics:count(call{ outcome = "service", code = "E" .. i }) end
    local _, n = metrics:text():gsub("sagemaker_calls_total{", "")
    assert.equal(6, n)
    assert.truthy(metrics:text():find('code="other"} 15\n', 1, true))
  end)

  it("says once that its dictionary is too small", function()
    local metrics = new(nil, 3)
    for _ = 1, 3 do metrics:count(call()) end
    assert.equal(1, #logged)
    assert.truthy(logged[1]:find("lua_shared_dict metrics is too small", 1, true))
  end)

  it("counts what nginx proxied from its variables", function()
    local metrics = new{ buckets = { 0.1, 1 } }
    local function proxied(var)
      rawget(_G, "ngx").var = var
      metrics:proxied{ operation = "InvokeEndpoint" }
    end
    proxied{ upstream_status = "200", upstream_response_time = "0.250", upstream_bytes_sent = "5",
      upstream_header_time = "0.100", upstream_bytes_received = "7", status = "200" }
    proxied{ upstream_status = "502, 429", upstream_response_time = "0.500, 1.000",
      upstream_bytes_sent = "5, 5", upstream_header_time = "-, 0.100",
      upstream_bytes_received = "0, 9", status = "429" }
    proxied{ status = "503", request_time = "0.010" }
    local text = metrics:text()
    for _, line in ipairs{ 'outcome="ok",code=""} 1', 'outcome="service",code="429"} 1',
      'outcome="gateway",code="503"} 1', 'operation="InvokeEndpoint"} 3',
      'sagemaker_call_seconds_sum{service="sagemaker-runtime",operation="InvokeEndpoint"} 1.76',
      'sagemaker_sent_bytes_total{service="sagemaker-runtime",operation="InvokeEndpoint"} 15' } do
      assert.truthy(text:find(line .. "\n", 1, true), line)
    end
  end)

  it("wants a dictionary, and buckets that rise", function()
    new()
    assert.has_error(function() metrics_of.new{ dict = "none" } end)
    assert.has_error(function() new{ buckets = { 1, 1 } } end)
    rawset(_G, "ngx", nil)
    assert.has_error(function() metrics_of.new() end)
  end)
end)
