--- Answers for requests that never reach the simulator: what nginx refuses, and faults of our own.

local json = require "sagemaker.simulator.json"

local M = {}

-- The code and message for each status.
local REASONS = {
  [400] = { "BadRequestException", "The request is not valid HTTP." },
  [403] = { "AccessDeniedException", "Access is denied." },
  [404] = { "UnknownOperationException", "There is nothing at this path." },
  [405] = { "UnknownOperationException", "There is no operation with this method." },
  [408] = { "RequestTimeoutException", "The request did not arrive in time." },
  [411] = { "MissingContentLength", "The request must say its length." },
  [413] = { "RequestEntityTooLargeException", "The request is too large." },
  [414] = { "RequestEntityTooLargeException", "The path of the request is too long." },
  [431] = { "RequestEntityTooLargeException", "The headers of the request are too large." },
  [500] = { "InternalFailure", "The simulator has a fault; see its log." },
  [501] = { "UnknownOperationException", "The request cannot be understood." },
  [503] = { "ServiceUnavailable", "The simulator cannot answer now." },
}

-- Statuses that nginx has and HTTP has not.
local NGINX = { [494] = 431, [495] = 400, [496] = 400, [497] = 400 }

--- The answer for a status, in AWS's form.
---@param status integer
---@return {status: integer, headers: table<string, string>, body: string}
function M.answer(status)
  status = NGINX[status] or status
  local reason = REASONS[status] or REASONS[status < 500 and 400 or 500]
  return {
    status = status,
    headers = { ["Content-Type"] = "application/x-amz-json-1.1",
      ["x-amzn-ErrorType"] = reason[1] },
    body = json.encode { __type = reason[1], message = reason[2] },
  }
end

return M
