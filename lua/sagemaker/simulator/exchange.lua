--- One request, one answer: the service's side of the pipeline, with no socket in sight.
--
-- signature -> decode with the input shape -> faults -> validate -> run -> encode with the output
-- shape. Whatever a request holds, there is an answer; only what a knob's own function throws gets
-- through to the caller.

local constraint = require "sagemaker.simulator.constraint"
local core = require "sagemaker.core"
local knobs = require "sagemaker.simulator.knobs"
local operations = require "sagemaker.simulator.operations"
local refusal = require "sagemaker.simulator.refusal"

local M = {}

-- So many requests are remembered.
local LOG = 200

--- The operation a request names, as far as its headers tell; nil when they do not.
---@param request table
---@return string|nil
function M.operation(request)
  for name, value in pairs(request.headers or {}) do
    if name:lower() == "x-amz-target" then return value:match("%.([%w_]+)$") end
  end
  return nil
end

-- A token bucket on the simulator's clock, for throttle = {rate =, burst =}.
local function exceeds(sim, limit)
  local now, bucket = sim:now(), sim.bucket
  local burst = limit.burst or math.max(1, limit.rate)
  if bucket.limit ~= limit then bucket.limit, bucket.tokens, bucket.at = limit, burst, now end
  bucket.tokens = math.min(burst, bucket.tokens + (now - bucket.at) * limit.rate)
  bucket.at = now
  if bucket.tokens < 1 then return true end
  bucket.tokens = bucket.tokens - 1
  return false
end

-- What is refused before the operation is looked at.
local function check_faults(sim, name)
  local throttle = sim.knobs.throttle
  local case = { operation = name }
  local throttled
  if type(throttle) == "table" and throttle.rate then
    throttled = exceeds(sim, throttle)
  else
    throttled = throttle and knobs.strikes(sim.knobs, "throttle", { name }, case)
  end
  if throttled then return refusal.new("ThrottlingException", "Rate exceeded") end
  local denied = sim.knobs.deny and knobs.strikes(sim.knobs, "deny", { name }, case)
  if not denied then return true end
  local text = "User: arn:%s:iam::%s:user/test is not authorized to perform: sagemaker:%s because "
    .. "no identity-based policy allows the sagemaker:%s action"
  return refusal.new("AccessDeniedException",
    text:format(sim.partition, sim.account_id, name, name), 403)
end

local function check_input(sim, name, input)
  local good, problems = core.validate(sim.service, name, input, "strict")
  if good then return true end
  local shape = sim.service:operation(name).input
  local refused = constraint.refusal(sim.service, shape, input, problems)
  if refused then return nil, refused end
  return true
end

-- The operation's name, its output and whether that may be kept; or name, nil, refusal.
local function run(sim, request)
  if sim.verifier then
    local good, refused = sim.verifier:check(request, sim.wall())
    if not good then return M.operation(request), nil, refused end
  end
  local name, input, message = core.decode_input(sim.service, request)
  if not name then return M.operation(request), refusal.new(input, message) end
  local good, refused = check_faults(sim, name)
  if not good then return name, nil, refused end
  local handler = operations.handlers[name]
  if not handler then
    return name, refusal.new("NotSimulated", ("The simulator does not play %s."):format(name))
  end
  good, refused = check_input(sim, name, input)
  if not good then return name, nil, refused end
  return name, handler(sim.account, input)
end

local function encode(sim, name, output, refused)
  if not output then
    return core.encode_error(sim.service, refused.code, refused.message, refused.status)
  end
  local known = sim.encoded[output]
  if known then return known end
  local answer = core.encode_output(sim.service, name, output)
  if name == "DescribeEndpoint" then sim.encoded[output] = answer end
  return answer
end

local function date_of(sim)
  local now = math.floor(sim.wall())
  if sim.dated ~= now then
    sim.dated, sim.date = now, core.time.format(now, "rfc7231")
  end
  return sim.date
end

local function remember(sim, entry)
  local log = sim.log
  log.count = log.count + 1
  log[(log.count - 1) % LOG + 1] = entry
end

--- The latest requests, oldest first: {at, operation, status, code, request_id}.
---@param sim sagemaker.Simulator
---@return table[]
function M.requests(sim)
  local log, rows = sim.log, {}
  for i = math.max(1, log.count - LOG + 1), log.count do
    rows[#rows + 1] = log[(i - 1) % LOG + 1]
  end
  return rows
end

--- Answers a request.
---@param sim sagemaker.Simulator
---@param request table {method, path, query, headers, body, host}
---@return {status: integer, headers: table<string, string>, body: string}
function M.handle(sim, request)
  local name, output, refused = run(sim, request)
  local answer = encode(sim, name, output, refused)
  local id = sim.new_id()
  local headers = {}
  for header, value in pairs(answer.headers) do headers[header] = value end
  headers["x-amzn-RequestId"], headers.Date = id, date_of(sim)
  headers["Content-Length"] = ("%d"):format(#answer.body)
  remember(sim, {
    at = sim:now(), operation = name, status = answer.status, code = refused and refused.code,
    request_id = id,
  })
  return { status = answer.status, headers = headers, body = answer.body }
end

return M
