--- One request, one answer: the service's side of the pipeline, with no socket in sight.
--
-- signature -> decode with the input shape -> faults -> validate -> run -> encode with the output
-- shape. Whatever a request holds, there is an answer; only what a knob's own function throws gets
-- through to the caller.

local constraint = require "sagemaker.simulator.constraint"
local core = require "sagemaker.core"
local knobs = require "sagemaker.simulator.knobs"
local refusal = require "sagemaker.simulator.refusal"
local services = require "sagemaker.simulator.services"

local M = {}

-- So many requests are remembered.
local LOG = 200

local function text_of(value, otherwise)
  return type(value) == "string" and value or otherwise
end

-- A header's value as text; of a repeated header all values, as a signature counts them. Nil for
-- what no header can be.
local function value_of(value)
  if type(value) == "table" then
    local good, text = pcall(table.concat, value, ",")
    return good and text or nil
  end
  return type(value) == "number" and tostring(value) or text_of(value)
end

-- Header values by lower-case name, without what no header can be.
local function headers_of(headers)
  local values = {}
  for name, value in pairs(type(headers) == "table" and headers or values) do
    if type(name) == "string" then values[name:lower()] = value_of(value) end
  end
  return values
end

-- The request as the rest of the simulator sees it, whatever a host makes of a wire.
local function request_of(given)
  if given.is_plain then return given end -- a host of ours has seen to all this
  return {
    method = text_of(given.method, "POST"), path = text_of(given.path, "/"),
    query = text_of(given.query, ""), body = text_of(given.body, ""),
    host = text_of(given.host), headers = headers_of(given.headers),
    streams = given.streams == true or nil,
  }
end

--- The operation a request names, as far as it tells without being decoded; nil when it does not.
---@param request table
---@return string|nil
function M.operation(request)
  return services.operation(request_of(request))
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
local function check_faults(sim, row, name)
  local throttle = sim.knobs.throttle
  local case = { operation = name, random = sim.random }
  if sim.knobs.expire and knobs.strikes(sim.knobs, "expire", { name }, case) then
    return refusal.new("ExpiredTokenException",
      "The security token included in the request is expired", 403)
  end
  local throttled
  if type(throttle) == "table" and throttle.rate then
    throttled = exceeds(sim, throttle)
  else
    throttled = throttle and knobs.strikes(sim.knobs, "throttle", { name }, case)
  end
  if throttled then return refusal.new("ThrottlingException", "Rate exceeded") end
  local denied = sim.knobs.deny and knobs.strikes(sim.knobs, "deny", { name }, case)
  if not denied then return true end
  local text = "User: arn:%s:iam::%s:user/test is not authorized to perform: %s:%s because "
    .. "no identity-based policy allows the %s:%s action"
  local whose = row.iam or row.signing_name
  return refusal.new("AccessDeniedException",
    text:format(sim.partition, sim.account_id, whose, name, whose, name), 403)
end

local function check_input(row, name, input)
  local good, problems = core.validate(row.service, name, input, "strict")
  if good then return true end
  local shape = row.service:operation(name).input
  local refused = constraint.refusal(row.service, shape, input, problems)
  if not refused then return true end
  refused.code = row.invalid or refused.code
  return nil, refused
end

local function check_signature(sim, row, protocol, request)
  local signed, refused = request, nil
  if protocol.signed then signed, refused = protocol.signed(request) end
  if not signed then return nil, refused end
  return sim.verifier:check(signed, sim.wall(), row.signing_name)
end

-- The operation's name, its output, nil and where the answer may be kept; or name, nil, refusal.
local function run(sim, row, protocol, request)
  if sim.verifier then
    local good, refused = check_signature(sim, row, protocol, request)
    if not good then return protocol.operation(row, request), nil, refused end
  end
  if row.max_body and #request.body > row.max_body then
    return protocol.operation(row, request), refusal.new("RequestEntityTooLargeException",
      ("HTTP content length exceeded %d bytes."):format(row.max_body), 413)
  end
  local name, input, message, status = protocol.decode(row, request)
  if not name then return protocol.operation(row, request), refusal.new(input, message, status) end
  local good, refused = check_faults(sim, row, name)
  if not good then return name, nil, refused end
  local handler = row.handlers[name]
  if not handler then
    return name, refusal.unplayed(name)
  end
  good, refused = check_input(row, name, input)
  if not good then return name, nil, refused end
  if sim.step and name == "DescribeEndpoint" then sim:advance(sim.step) end
  return name, handler(sim.account, input,
    { sim = sim, request = request, operation = name, keeps = protocol.keeps })
end

-- What a caller wrote may be in a message, also bytes that no JSON can hold.
local function refuse(row, protocol, refused, id)
  if refused.message:find("[\128-\255]") then
    refused.message = refused.message:gsub("[\128-\255]", "?")
  end
  return protocol.refuse(row, refused, id)
end

-- An operation may hand out a slot beside its output: the body is kept in its `view`, as long as
-- the operation leaves it there. The body alone, because of a thousand endpoints there are a
-- thousand; the headers are the same for all.
local function encode(sim, row, protocol, name, output, id, slot)
  if slot and slot.view then
    return { status = 200, headers = sim.kept_headers, body = slot.view }
  end
  local answer = protocol.encode(row, name, output, id)
  if slot then slot.view, sim.kept_headers = answer.body, answer.headers end
  return answer
end

-- A stream as a body, for hosts that send whole answers.
local function gather(answer)
  local pieces = {}
  for piece in answer.stream.next do pieces[#pieces + 1] = piece end
  answer.body, answer.stream, answer.pieces = table.concat(pieces), nil, #pieces
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
---@param given table {method, path, query, headers, body, host, streams}
---@return table response {status, headers, body, operation, code}; where the request says that its
--- host can send `streams`, `stream` {next, close, failed} may stand for the body: next() gives the
--- next bytes, nil at the end, of which failed() says whether it came too early. `pieces`: so many
--- were put together otherwise
function M.handle(sim, given)
  local request = request_of(given)
  local row, protocol = services.route(request)
  local name, output, refused, slot = run(sim, row, protocol, request)
  local id = sim.new_id()
  local answer = output and encode(sim, row, protocol, name, output, id, slot)
    or refuse(row, protocol, refused, id)
  if answer.stream and not request.streams then gather(answer) end
  local headers = {}
  for header, value in pairs(answer.headers) do headers[header] = value end
  headers["x-amzn-RequestId"], headers.Date = id, date_of(sim)
  if answer.body then headers["Content-Length"] = ("%d"):format(#answer.body) end
  remember(sim, {
    at = sim:now(), operation = name, status = answer.status, code = refused and refused.code,
    request_id = id,
  })
  return {
    status = answer.status, headers = headers, body = answer.body, stream = answer.stream,
    operation = name, code = refused and refused.code, pieces = answer.pieces,
  }
end

return M
