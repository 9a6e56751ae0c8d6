--- Invocations: a client of the service "SageMaker Runtime".
---
---     local runtime = assert(sagemaker.runtime{ region = "eu-west-1" })
---     local answer = assert(runtime:invoke_endpoint{ EndpointName = "churn",
---       ContentType = "text/csv", Body = "1,2,3" })
---     print(answer.Body, answer.InvokedProductionVariant)
--
-- The operations are `invoke_endpoint`, `invoke_endpoint_async` and
-- `invoke_endpoint_with_response_stream`, with the options and the pipeline of every client. What
-- differs: an answer may take 70 s (a model may take 60), and a request is not sent again once the
-- service may have begun with it, because an invocation takes time and money and may have effects.
--
-- `invoke_endpoint_with_response_stream` answers a sagemaker.Stream as soon as the head of the
-- answer is there; the members of the answer are fields of it (`stream.InvokedProductionVariant`),
-- and so is `Body`, the stream itself. It is read as it comes: deadlines count up to the head,
-- `timeouts.read` limits each wait for bytes after it, and `max_response_bytes` does not count here
-- (one event may have 16 MiB). A transport that hands out only whole answers, as the simulator in
-- this process does, gives all parts at once.
--
-- `openai` calls an endpoint's OpenAI-compatible paths, which no operation describes.
--
-- A ModelError has in `err.fields` what the container said: OriginalStatusCode, OriginalMessage,
-- LogStreamArn.

local clients = require "sagemaker.client"

local M = {}

---@class sagemaker.Runtime
---@field region string
---@field transport sagemaker.Transport made at its first use
local methods = {}

--- Calls an OpenAI-compatible path of an endpoint.
---
---     local answer = assert(runtime:openai("chat", "/v1/chat/completions", {
---       messages = { { role = "user", content = "Hello" } } }))
---
--- With `stream = true`, in the body or in the options, it answers a sagemaker.Stream, to be read
--- with `stream:sse()`.
---@param endpoint string EndpointName
---@param path string "/v1/chat/completions", "/v1/models"
---@param body? string|table a table is written as JSON; nil for GET
---@param opts? sagemaker.OpenAiOptions
---@return table|sagemaker.Stream|nil answer the decoded body, or a stream
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:openai(endpoint, path, body, opts)
  if type(self) ~= "table" or not rawget(self, "settings") then
    error("call it with a colon: runtime:openai(endpoint, path, body)", 2)
  end
  local openai = require "sagemaker.runtime.openai"
  local answer, message, err = openai.call(self, endpoint, path, body, opts, 3)
  return answer, message, err
end

-- careful: after a timeout (unless no connection was made in time) and after any byte of an answer,
-- which may be an error of the service, nothing is sent again. What never reached the service is,
-- by the retry mode. A program that gives the option `retry`, to the client or to a call, takes the
-- risk upon itself and gets the retries of the control plane. Only a request that was refused for
-- its date, before any model saw it, goes again with the clock corrected.
local SERVICE = { name = "sagemaker-runtime", id = "SageMaker Runtime", read_timeout = 70,
  careful = true, methods = methods }

--- Makes a client for invocations. Nothing is sent or written.
---@param options? sagemaker.Options
---@param level? integer where a wrong option is reported, as with error(); default: the caller
---@return sagemaker.Runtime|nil runtime
---@return string|nil message
---@return sagemaker.Error|nil err kind "config"
function M.new(options, level)
  local runtime, message, err = clients.new(options, SERVICE, (level or 2) + 1)
  return runtime, message, err
end

return M
