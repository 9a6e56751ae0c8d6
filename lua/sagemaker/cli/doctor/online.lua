--- What `sagemaker doctor --online` asks the service: whether it answers, whether it takes the
-- credentials, and how far the clocks are apart.

local answer = require "sagemaker.answer"

local M = {}

-- Seconds by which a signature may be off; the client corrects more, at the price of a refused try.
local MOST_SKEW = 240

---@class sagemaker.cli.Online
---@field ok boolean the service answered and took the credentials
---@field host? string
---@field seconds? number until the answer
---@field skew? integer seconds by which the clock here is ahead
---@field code? string
---@field message? string

--- Lists one endpoint.
---@param client sagemaker.Client
---@return sagemaker.cli.Online
function M.ask(client)
  local result, transport = {}, client.transport
  local started
  local output, _, err = client:call("ListEndpoints", { MaxResults = 1 }, {
    hooks = {
      before_send = function(request)
        result.host, started = request.host, transport:clock()
      end,
      after_response = function(response)
        result.seconds = transport:clock() - started
        local date = answer.date(response)
        if date then result.skew = math.floor(transport:now() - date + 0.5) end
      end,
    },
    retry = { max_attempts = 1 },
  })
  result.ok = output ~= nil
  if err then result.code, result.message, result.kind = err.code, err.message, err.kind end
  return result
end

--- What is wrong with the answer.
---@param online sagemaker.cli.Online
---@param findings sagemaker.cli.Finding[] grows
function M.judge(online, findings)
  local function add(severity, text, ...)
    findings[#findings + 1] = { severity = severity, message = text:format(...) }
  end
  if not online.ok then
    add("error", "the service was asked in vain: %s: %s", tostring(online.code),
      tostring(online.message))
  end
  if online.skew and math.abs(online.skew) > MOST_SKEW then
    add("warning", "the clock here is %d seconds %s: set it, signatures are valid for minutes only",
      math.abs(online.skew), online.skew > 0 and "fast" or "slow")
  end
end

return M
