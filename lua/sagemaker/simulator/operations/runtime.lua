--- InvokeEndpoint, InvokeEndpointAsync, InvokeEndpointWithResponseStream.

local core = require "sagemaker.core"
local invocations = require "sagemaker.simulator.invocation"
local parts = require "sagemaker.simulator.parts"
local refusal = require "sagemaker.simulator.refusal"

local M = {}

-- How long a session lasts that the container did not open itself.
local SESSION = 3600

-- How long a container may take for an asynchronous invocation that does not say, in seconds.
local ASYNC = 900

local NEW_SESSION = "NEW_SESSION"

-- How a stream ends of which its container only says that it ends badly.
local CODE, NO_END =
  "ModelInvocationTimeExceeded", "The container ended its stream with an error."

local function is_async(account, name)
  local record = account:live("endpoint", name)
  local current = record and record.machine.current
  return current and current.config and current.config.AsyncInferenceConfig
end

-- Endpoints for asynchronous inference know no other invocations.
local function check_synchronous(account, name)
  if not is_async(account, name) then return true end
  return refusal.new("ValidationError", ("Endpoint %s is an asynchronous inference endpoint: it "
    .. "can only be invoked with InvokeEndpointAsync."):format(name))
end

local function invoke(account, input, more)
  local good, refused = check_synchronous(account, input.EndpointName)
  if not good then return nil, refused end
  return invocations.invoke(account, input, more)
end

-- A session of a container that leaves sessions to the simulator.
local function new_session(account, case)
  return ("%s; Expires=%s"):format(case.sim.new_id(),
    core.time.format(math.floor(account:now()) + SESSION, "iso8601"))
end

function M.InvokeEndpoint(account, input, case)
  local answer, refused = invoke(account, input, { case = case })
  if not answer then return nil, refused end
  local headers = answer.headers
  local session = headers["x-amzn-sagemaker-new-session-id"]
  if not session and answer.echo and input.SessionId == NEW_SESSION then
    session = new_session(account, case)
  end
  return {
    Body = answer.body, ContentType = headers["content-type"],
    InvokedProductionVariant = answer.invocation.variant,
    CustomAttributes = headers["x-amzn-sagemaker-custom-attributes"],
    NewSessionId = session, ClosedSessionId = headers["x-amzn-sagemaker-closed-session-id"],
  }
end

local function part_frame(bytes)
  return core.eventstream_encode({
    { name = ":event-type", value = "PayloadPart" },
    { name = ":content-type", value = "application/octet-stream" },
    { name = ":message-type", value = "event" },
  }, bytes)
end

-- The last frame of a stream that a container did not end well.
local function error_frame(failed)
  local text = (failed.message or NO_END):gsub("[\128-\255]", "?")
  local body = core.encode_error(core.service "sagemaker-runtime", "ModelStreamError", text, 400,
    { ErrorCode = failed.code or CODE }).body
  return core.eventstream_encode({
    { name = ":exception-type", value = "ModelStreamError" },
    { name = ":content-type", value = "application/json" },
    { name = ":message-type", value = "exception" },
  }, body)
end

-- The frames of an answer, one after the other.
local function frames_of(answer)
  local each, ended = parts.each(answer), false
  return function()
    if ended then return nil end
    local bytes = each()
    if bytes then return part_frame(bytes) end
    ended = true
    return answer.stream_error and error_frame(answer.stream_error) or nil
  end
end

--- Body is what the frames come from; simulator/services.lua joins or streams them.
function M.InvokeEndpointWithResponseStream(account, input, case)
  local answer, refused = invoke(account, input, { streams = case.request.streams == true })
  if not answer then return nil, refused end
  return {
    Body = { next = frames_of(answer), close = answer.close },
    ContentType = answer.headers["content-type"],
    InvokedProductionVariant = answer.invocation.variant,
    CustomAttributes = answer.headers["x-amzn-sagemaker-custom-attributes"],
  }
end

local function location(root, extension, name)
  return root and root:gsub("/+$", "") .. "/" .. (extension and extension .. "/" or "") .. name
end

-- What an asynchronous invocation does, and where it leaves what came of it.
local function run_later(account, input, out)
  local answer, refused = invocations.invoke(account, input,
    { patience = input.InvocationTimeoutSeconds or ASYNC })
  if answer and out.OutputLocation then
    account.objects:put(out.OutputLocation, answer.body)
  elseif refused and out.FailureLocation then
    account.objects:put(out.FailureLocation, refused.message)
  end
end

--- The container runs at once, or where the host lets it when the caller has an answer already;
-- what it says lies where OutputLocation says, or FailureLocation says why there is none:
-- `sim:object(location)`. An input that nobody has put anywhere is an empty body, and the container
-- is told its location. Nothing waits here, so nothing outlives its RequestTTLSeconds.
function M.InvokeEndpointAsync(account, input, case)
  local config = is_async(account, input.EndpointName)
  local route, refused = invocations.route(account, input)
  if not route then return nil, refused end
  if not config then
    return refusal.new("ValidationError", ("Endpoint %s is not an asynchronous inference "
      .. "endpoint: invoke it with InvokeEndpoint."):format(input.EndpointName))
  end
  local body = input.Body ~= "" and input.Body or nil -- on the wire, no body is an empty one
  if (input.InputLocation ~= nil) == (body ~= nil) then
    return refusal.new("ValidationError", "One of InputLocation and Body must be given.")
  end
  local id = case.sim.new_id()
  local output = config.OutputConfig
  local extension, name = input.S3OutputPathExtension, input.Filename or id
  local out = {
    InferenceId = input.InferenceId or id,
    OutputLocation = location(output.S3OutputPath, extension, name .. ".out"),
    FailureLocation = location(output.S3FailurePath, extension, name .. "-error.out"),
  }
  local sent = setmetatable({ Body = body or account.objects:get(input.InputLocation) or "" },
    { __index = input })
  account.hosting.later(function() run_later(account, sent, out) end)
  return out
end

return M
