--- The simulator as a transport: the wire between a client and the service, with its own time and
-- everything that can go wrong on the way.

local errors = require "sagemaker.error"
local exchange = require "sagemaker.simulator.exchange"
local knobs = require "sagemaker.simulator.knobs"

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

--- Sends a request. The parts of a stream come as one body, and what would pass between them passes
-- before it. Latency passes on the simulator's clock; a caller who waits for less than that
-- gets a timeout, though the request has been processed.
---@param sim sagemaker.Simulator
---@param request table {method, url, host, path, query, headers, body, timeouts}
---@param deadline number|nil on the simulator's clock
---@return table|nil response {status, headers, body}
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
  local response = exchange.handle(sim, request)
  local latency = knobs.seconds(sim.knobs.latency, name, case)
  if limit and latency > limit then
    sim:sleep(limit)
    return given_up(limit, code)
  end
  if latency > 0 then sim:sleep(latency) end
  for _ = 2, sim.knobs.stream_pause and response.pieces or 0 do
    local pause = knobs.seconds(sim.knobs.stream_pause, name, case)
    if limit and pause > limit then
      sim:sleep(limit)
      return given_up(limit, "ReadTimeout")
    end
    sim:sleep(pause)
  end
  for knob, message in pairs(LOSSES) do
    if sim.knobs[knob] and knobs.strikes(sim.knobs, knob, { name }, case) then
      return lost("transport", "ConnectionReset", message, true, true)
    end
  end
  return response
end

return M
