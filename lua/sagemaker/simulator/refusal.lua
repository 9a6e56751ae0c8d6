--- What the service refuses, as values: {code, message, status}. Handlers answer `nil, refusal`.
--
-- Codes and messages are those that users of the service see; see the guide in
-- examples/simulator for what is documented, what is reported and what is chosen here.

local M = {}

---@class sagemaker.simulator.refusal
---@field code string
---@field message string
---@field status integer

---@param code string
---@param message string
---@param status? integer 400 unless told
---@return nil
---@return sagemaker.simulator.refusal
function M.new(code, message, status)
  return nil, { code = code, message = message, status = status or 400 }
end

---@param format string
---@param ... any
---@return nil
---@return sagemaker.simulator.refusal
function M.validation(format, ...)
  return M.new("ValidationException", select("#", ...) > 0 and format:format(...) or format)
end

--- What is not played is told, and not passed over: a test of it would pass for nothing.
---@param what string "the member X of Y"
---@return nil
---@return sagemaker.simulator.refusal
function M.unplayed(what)
  return M.new("NotSimulated", ("The simulator does not play %s."):format(what))
end

---@param what string "endpoint", "endpoint configuration", "model"
---@param arn string
---@return nil
---@return sagemaker.simulator.refusal
function M.missing(what, arn)
  return M.validation('Could not find %s "%s".', what, arn)
end

---@param what string
---@param arn string
---@return nil
---@return sagemaker.simulator.refusal
function M.exists(what, arn)
  return M.validation('Cannot create already existing %s "%s".', what, arn)
end

---@param what string "Endpoints"
---@param limit integer
---@return nil
---@return sagemaker.simulator.refusal
function M.limit(what, limit)
  return M.new("ResourceLimitExceeded", ("The account-level service limit 'Total %s' is %d, with "
    .. "current utilization of %d and a request delta of 1. Request an increase of the quota.")
    :format(what:lower(), limit, limit))
end

return M
