--- The simulator as a transport: the wire between a client and the service, with its own time and
-- everything that can go wrong on the way.

local errors = require "sagemaker.error"
local exchange = require "sagemaker.simulator.exchange"
local knobs = require "sagemaker.simulator.knobs"
local readers = require "sagemaker.simulator.reader"

local M = {}

-- The knobs by which an answer does not arrive, and what its caller learns.
local LOSSES = {
  drop = "The answer was lost on the way.",
  reset = "The connection was reset before the answer came.",
  truncate = "The answer ended before its time.",
}

local function lost(kind, code, message, sent, retryable)
  return errors.fail {
    kind = kind, code = code, message = message, sent = sent, retryable = retryable,
  }
end

-- How long the caller waits for an answer, and which of its limits that is.
local function patience(sim, request, deadline)
  local read = request.timeouts and request.timeouts.read
  local left = deadline and deadline - sim:clock()
  if left and (not read or left <= read) then return left, "AttemptTimeout" end
  return read, "ReadTimeout"
end

local function given_up(limit, code)
  local message = ("No answer within %g seconds."):format(limit)
  return lost("timeout", code, message, true, true)
end

-- Nobody will read the rest of a stream.
local function give_up(response)
  local stream = response.stream
  if stream and stream.close then stream.close() end
end

-- What would pass between the parts of a stream that comes as one body passes before it. False when
-- the caller does not wait that long for one of them.
local function pass_pauses(sim, count, limit, pause_of)
  for _ = 2, count do
    local pause = pause_of()
    sim:sleep(limit and math.min(limit, pause) or pause)
    if limit and pause > limit then return false end
  end
  return true
end

-- The knobs that strike an answer, as a set.
local function losses_of(sim, name, case)
  local lost_by = {}
  for knob in pairs(LOSSES) do
    if sim.knobs[knob] and knobs.strikes(sim.knobs, knob, { name }, case) then
      lost_by[knob] = true
    end
  end
  return lost_by
end

-- A stream as a reader.
local function read(sim, response, request, pause_of, is_cut)
  response.reader, response.stream = readers.new(response.stream, {
    limit = request.timeouts and request.timeouts.read, pause = pause_of, is_cut = is_cut,
    sleep = function(seconds) sim:sleep(seconds) end,
  }), nil
  return response
end

-- What reaches a caller who waits `limit` seconds of what was answered.
local function deliver(sim, request, response, case, limit)
  local name = case.operation
  local pause_of = sim.knobs.stream_pause and function()
    return knobs.seconds(sim.knobs.stream_pause, name, case)
  end or nil
  if pause_of and response.pieces
    and not pass_pauses(sim, response.pieces, limit, pause_of) then
    return given_up(limit, "ReadTimeout")
  end
  local lost_by = losses_of(sim, name, case)
  local is_cut = lost_by.truncate and response.stream ~= nil
  if is_cut then lost_by.truncate = nil end
  local loss = next(lost_by)
  if loss then
    give_up(response)
    return lost("transport", "ConnectionReset", LOSSES[loss], true, true)
  end
  if response.stream then return read(sim, response, request, pause_of, is_cut) end
  return response
end

--- Sends a request. A caller who asks for a stream gets it part by part, others get it as one body,
--- and what would pass between the parts passes before it. Latency passes on the simulator's clock;
--- a caller who waits for less than that gets a timeout, though the request has been processed.
---@param sim sagemaker.Simulator
---@param request table {method, url, host, path, query, headers, body, timeouts, stream}
---@param deadline number|nil on the simulator's clock
---@return table|nil response {status, headers, body | reader}
---@return string|nil message
---@return sagemaker.Error|nil err kind "transport" or "timeout"
function M.send(sim, request, deadline)
  local limit, code = patience(sim, request, deadline)
  if limit and limit <= 0 then
    return lost("timeout", code, "The deadline has passed.", false, true)
  end
  local name = exchange.operation(request) or ""
  local case = { operation = name, random = sim.random }
  if sim.knobs.unreachable and knobs.strikes(sim.knobs, "unreachable", { name }, case) then
    return lost("transport", "ConnectionRefused", "The simulator is unreachable.", false, true)
  end
  local given = request.stream and setmetatable({ streams = true }, { __index = request })
  local response = exchange.handle(sim, given or request)
  local latency = knobs.seconds(sim.knobs.latency, name, case)
  if limit and latency > limit then
    give_up(response)
    sim:sleep(limit)
    return given_up(limit, code)
  end
  if latency > 0 then sim:sleep(latency) end
  return deliver(sim, request, response, case, limit)
end

return M
