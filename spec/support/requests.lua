--- Requests that specs of the transport over libcurl send, and how they fail.

local assert = require "luassert"
local clock = require("system").monotime

local M = {}

--- A GET without a body.
---@param url string
---@param timeouts? {connect?: number, read?: number} seconds
---@return sagemaker.Request
function M.get(url, timeouts)
  return { method = "GET", url = url, headers = {}, body = "", timeouts = timeouts }
end

--- The failure of a request, and how many seconds it took.
---@param transport sagemaker.Transport
---@param request sagemaker.Request
---@param seconds? number for the attempt
---@return sagemaker.Error
---@return number
function M.failure(transport, request, seconds)
  local start = clock()
  local response, message, err = transport:send(request, seconds and start + seconds)
  local elapsed = clock() - start
  assert.is_nil(response)
  assert.equal(tostring(err), message)
  return err, elapsed
end

return M
