--- What requests say of who sends them: the User-Agent header, and inside AWS Lambda the trace that
-- they belong to.

local M = {}

--- The User-Agent header: this library, the Lua it runs on, and what the settings add.
---@param settings table
---@param version string of this library
---@return string
function M.user_agent(settings, version)
  local jit = rawget(_G, "jit")
  local parts = {
    "sagemaker-lua/" .. version,
    jit and "luajit/" .. jit.version:match("[%d.]+") or "lua/" .. _VERSION:match("[%d.]+"),
  }
  if settings.app_id then
    parts[#parts + 1] = "app/" .. settings.app_id:gsub("[^%w!#$%%&'*+%-.^_`|~]", "-"):sub(1, 50)
  end
  parts[#parts + 1] = settings.user_agent_extra
  return table.concat(parts, " ")
end

--- The X-Amzn-Trace-Id header of a request: Lambda stops functions that call each other for ever by
-- it. Nil outside of Lambda.
--- https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
---@param getenv fun(name: string): string|nil
---@return string|nil
function M.trace(getenv)
  local name, trace = getenv "AWS_LAMBDA_FUNCTION_NAME", getenv "_X_AMZN_TRACE_ID"
  if not name or name == "" or not trace or trace == "" then return nil end
  return (trace:gsub("[^\32-\126]", function(c) return ("%%%02X"):format(c:byte()) end))
end

return M
