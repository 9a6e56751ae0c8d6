--- Invokes a model: whole answers, streams of tokens, the OpenAI-compatible path, what goes wrong,
-- and what it took.
--
--   lua examples/invoke/invoke.lua                 against the simulator, without an account
--   lua examples/invoke/invoke.lua ENDPOINT BODY   against yours, with your region and credentials
--
-- Run it from the top of the project, as examples/quickstart.sh runs its example.

local sagemaker = require "sagemaker"
local cjson = require "cjson"

local endpoint, body = ...
if endpoint then
  local runtime = assert(sagemaker.runtime())
  local answer = assert(runtime:invoke_endpoint { EndpointName = endpoint, Body = body or "",
    ContentType = os.getenv "CONTENT_TYPE" or "text/csv" })
  io.write(answer.Body)
  return
end

-- {{ Models made up here, and a simulator that serves each of them behind an endpoint

-- Pieces whose boundaries have nothing to do with those of lines, events or characters.
local function pieces(text)
  local parts = {}
  for at = 1, #text, 10 do parts[#parts + 1] = text:sub(at, at + 9) end
  return parts
end

local TOKENS = 'data: {"token":"Bon"}\n\ndata: {"token":"jour"}\n\ndata: {"token":" 😀"}\n\n'
  .. "data: [DONE]\n\n"

local MODELS = {
  churn = function()
    return { body = "0.12\n", headers = { ["Content-Type"] = "text/csv" } }
  end,
  chat = function(request)
    if request.body:find('"stream":true', 1, true) then
      return { parts = pieces(TOKENS), headers = { ["Content-Type"] = "text/event-stream" } }
    end
    return { body = '{"choices":[{"message":{"role":"assistant","content":"Bonjour"}}]}',
      headers = { ["Content-Type"] = "application/json" } }
  end,
  lines = function() return { parts = pieces '{"n":1}\n{"n":2}\n{"n":3}' } end,
  fragile = function()
    return { parts = { "so far, so good\n" },
      stream_error = { code = "E1", message = "out of memory" } }
  end,
  -- Healthy, else there was no endpoint of it.
  broken = function(request)
    if request.path == "/ping" then return {} end
    return { status = 500, body = "KeyError: age" }
  end,
}

local function serve()
  local sim = sagemaker.simulator.new()
  local client = assert(sagemaker.new { transport = sim })
  for name, model in pairs(MODELS) do
    assert(client:create_model { ModelName = name,
      ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker" })
    sim:container(name, model)
    assert(client:create_endpoint_config { EndpointConfigName = name, ProductionVariants = { {
      VariantName = "blue", ModelName = name, InstanceType = "ml.m5.large",
      InitialInstanceCount = 1 } } })
    assert(assert(client:deploy { EndpointName = name, EndpointConfigName = name }).outcome
      == "deployed")
  end
  return sim
end

-- }}

local sim, calls = serve(), {}
local runtime = assert(sagemaker.runtime { transport = sim, hooks = {
  on_call = function(metrics) calls[#calls + 1] = metrics end } })

local answer = assert(runtime:invoke_endpoint { EndpointName = "churn", ContentType = "text/csv",
  Body = "34,2,0.7" })
io.write("answer of ", answer.InvokedProductionVariant, ": ", answer.Body)

local stream = assert(runtime:invoke_endpoint_with_response_stream { EndpointName = "chat",
  ContentType = "application/json", Body = '{"inputs":"hello","stream":true}' })
io.write "tokens: "
for event in stream:sse() do
  io.write(cjson.decode(event.data).token)
end
io.write "\n"

stream = assert(runtime:invoke_endpoint_with_response_stream { EndpointName = "lines", Body = "" })
local sum = 0
for value in stream:json_lines() do sum = sum + value.n end
print("sum of the lines: " .. ("%d"):format(sum))

-- The OpenAI-compatible path of an endpoint: tables in and out, or a stream.
local question = { messages = { { role = "user", content = "Say hello in French." } } }
local reply = assert(runtime:openai("chat", "/v1/chat/completions", question))
print("assistant: " .. reply.choices[1].message.content)
stream = assert(runtime:openai("chat", "/v1/chat/completions", question, { stream = true }))
local events = 0
for _ in stream:sse() do events = events + 1 end
print("events of the same as a stream: " .. events)

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
assert(not answer and message)
print(err.code .. "; it said: " .. err.fields.OriginalMessage)

-- A model may have begun: nothing is sent again, unless the program asks for it.
sim:latency(71)
answer, message, err = runtime:invoke_endpoint { EndpointName = "churn", Body = "" }
assert(not answer)
print(("%s (sent %d time)"):format(message, err.attempts))
answer, message, err = runtime:invoke_endpoint({ EndpointName = "churn", Body = "" },
  { retry = { max_attempts = 2 } })
assert(not answer)
print(("%s (sent %d times)"):format(message, err.attempts))

-- What the hook was told, once a call.
print "call                             outcome   attempts  bytes in"
for _, metrics in ipairs(calls) do
  print(("%-32s %-9s %8d %9d"):format(metrics.operation, metrics.outcome, metrics.attempts,
    metrics.bytes_received))
end
