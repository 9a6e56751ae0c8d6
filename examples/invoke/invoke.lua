--- Invokes a model: whole answers, a stream of tokens, and what goes wrong.
--
--   lua examples/invoke/invoke.lua                 against a model made up here, without an account
--   lua examples/invoke/invoke.lua ENDPOINT BODY   against yours, with your region and credentials
--
-- Run it from the top of the project, as examples/quickstart.sh runs its example.

local sagemaker = require "sagemaker"

local endpoint, body = ...

-- {{ A model made up here: a transport that answers instead of SageMaker

local function made_up()
  local core = require "sagemaker.core"

  -- A frame of a response stream.
  local function frame(kind, name, payload)
    return core.eventstream_encode({ { name = ":message-type", value = kind },
      { name = ":" .. kind .. "-type", value = name } }, payload)
  end

  -- The boundaries of the parts have nothing to do with those of the events.
  local function tokens(text)
    local frames = {}
    for at = 1, #text, 10 do
      frames[#frames + 1] = frame("event", "PayloadPart", text:sub(at, at + 9))
    end
    return table.concat(frames)
  end

  local answers = {
    ["/endpoints/churn/invocations"] = { body = "0.12\n",
      headers = { ["Content-Type"] = "text/csv", ["x-Amzn-Invoked-Production-Variant"] = "blue" } },
    ["/endpoints/chat/invocations-response-stream"] = { body = tokens(
      'data: {"token":"Bon"}\n\ndata: {"token":"jour"}\n\ndata: {"token":" 😀"}\n\n'
      .. "data: [DONE]\n\n") },
    ["/endpoints/lines/invocations-response-stream"] = { body =
      tokens '{"n":1}\n{"n":2}\n{"n":3}' },
    ["/endpoints/fragile/invocations-response-stream"] = { body = tokens "so far, so good\n"
      .. frame("exception", "ModelStreamError", '{"Message":"out of memory"}') },
    ["/endpoints/broken/invocations"] = { status = 424, headers = { ["x-amzn-ErrorType"] =
      "ModelError" }, body = '{"Message":"the model container answered 500",'
      .. '"OriginalStatusCode":500,"OriginalMessage":"KeyError: age"}' },
    ["/endpoints/slow/invocations"] = { code = "ReadTimeout", kind = "timeout", sent = true,
      message = "nothing came for 70 s" },
  }
  return require("sagemaker.transport.stub").new(function(request) return answers[request.path] end)
end

-- }}

if endpoint then
  local runtime = assert(sagemaker.runtime())
  local answer = assert(runtime:invoke_endpoint { EndpointName = endpoint, Body = body or "",
    ContentType = os.getenv "CONTENT_TYPE" or "text/csv" })
  io.write(answer.Body)
  return
end

local runtime = assert(sagemaker.runtime { transport = made_up(), region = "eu-west-1",
  credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "none" } })

local answer = assert(runtime:invoke_endpoint { EndpointName = "churn", ContentType = "text/csv",
  Body = "34,2,0.7" })
io.write("answer of ", answer.InvokedProductionVariant, ": ", answer.Body)

local stream = assert(runtime:invoke_endpoint_with_response_stream { EndpointName = "chat",
  ContentType = "application/json", Body = '{"inputs":"hello","stream":true}' })
io.write "tokens: "
for event in stream:sse() do
  io.write(event.data:match '"token":"(.-)"')
end
io.write "\n"

stream = assert(runtime:invoke_endpoint_with_response_stream { EndpointName = "lines", Body = "" })
local sum = 0
for value in stream:json_lines() do sum = sum + value.n end
print("sum of the lines: " .. ("%d"):format(sum))

-- What fails in the middle of a stream is an error, after the lines that were whole.
stream = assert(runtime:invoke_endpoint_with_response_stream { EndpointName = "fragile",
  Body = "" })
local lines = stream:lines()
local line, message, err = lines:next()
while line do
  print("line: " .. line)
  line, message, err = lines:next()
end
print("then: " .. message)
assert(err.kind == "service")

answer, message, err = runtime:invoke_endpoint { EndpointName = "broken", Body = "" }
assert(not answer)
print(message .. "; it said: " .. err.fields.OriginalMessage)

-- A model may have begun: nothing is sent again, unless the program asks for it.
answer, message, err = runtime:invoke_endpoint { EndpointName = "slow", Body = "" }
assert(not answer)
print(("%s (sent %d time)"):format(message, err.attempts))
answer, message, err = runtime:invoke_endpoint({ EndpointName = "slow", Body = "" },
  { retry = { max_attempts = 2 } })
assert(not answer)
print(("%s (sent %d times)"):format(message, err.attempts))
