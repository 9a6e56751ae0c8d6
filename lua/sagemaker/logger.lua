--- What a client tells its logger, one line at a time. Secrets and bodies never appear: of a body
-- only its length, of a header that proves identity only its name.

local M = {}

local SECRET = {
  ["authorization"] = true,
  ["cookie"] = true,
  ["dpop"] = true,
  ["proxy-authorization"] = true,
  ["set-cookie"] = true,
  ["x-amz-security-token"] = true,
  ["x-amz-sso_bearer_token"] = true,
  ["x-aws-ec2-metadata-token"] = true,
}

--- A header's value as it may be shown.
---@param name string
---@param value string
---@return string
function M.redact(name, value)
  return SECRET[name:lower()] and "<redacted>" or tostring(value)
end

local function headers_text(headers)
  local lines = {}
  for name, value in pairs(headers) do
    lines[#lines + 1] = ("%s: %s"):format(name, M.redact(name, value))
  end
  table.sort(lines)
  return table.concat(lines, ", ")
end

--- A request is about to be sent.
---@param log fun(level: string, text: string)
---@param operation string
---@param request table
---@param attempt integer
function M.request(log, operation, request, attempt)
  log("debug", ("%s: attempt %d: %s %s, %d bytes; %s"):format(operation, attempt, request.method,
    request.url, #(request.body or ""), headers_text(request.headers)))
end

--- An answer has come; of a stream, its head.
---@param log fun(level: string, text: string)
---@param operation string
---@param response table
function M.response(log, operation, response)
  local size = response.reader and "a stream" or ("%d bytes"):format(#(response.body or ""))
  log("debug", ("%s: HTTP %d, %s; %s"):format(operation, response.status, size,
    headers_text(response.headers)))
end

--- An attempt failed and another one follows.
---@param log fun(level: string, text: string)
---@param operation string
---@param err sagemaker.Error
---@param attempt integer the one that failed
---@param delay number seconds
function M.retry(log, operation, err, attempt, delay)
  log("info", ("%s: attempt %d failed (%s), next one in %.3f s"):format(operation, attempt,
    tostring(err), delay))
end

--- A call failed for good.
---@param log fun(level: string, text: string)
---@param operation string
---@param err sagemaker.Error
function M.failure(log, operation, err)
  log("warn", ("%s: %s"):format(operation, tostring(err)))
end

return M
