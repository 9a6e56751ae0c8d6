-- Response streams of the server: each part reaches the caller while the container still has others
-- to send. The container here waits for a gate that callers open when they have read the first.

local caller = require "simulator.caller"
local sagemaker = require "sagemaker"
local server = require "support.server"
local simulate = require "support.simulate"

local ROLE = "arn:aws:iam::123456789012:role/sagemaker"

local CONTAINER = [[
location ~ /ping { return 200 ""; }
location = /open { content_by_lua_block { ngx.shared.state:set("open", true) ngx.say("open") } }
location = /closed { content_by_lua_block { ngx.say(ngx.shared.state:get("gone") or "") } }
location ~ ^/(?<kind>gated|events|broken|endless)/(invocations|v1/chat/completions)$ {
  content_by_lua_block {
    local kind = ngx.var.kind
    if kind == "events" then ngx.header["Content-Type"] = "text/event-stream" end
    local first, second = "first ", "second"
    if kind == "events" then first, second = "data: 1\n\n", "data: [DONE]\n\n" end
    ngx.print(first)
    ngx.flush(true)
    if kind == "endless" then
      while ngx.print(("x"):rep(1000)) and ngx.flush(true) do ngx.sleep(0.001) end
      return ngx.shared.state:set("gone", "yes")
    end
    local waited = 0
    while not ngx.shared.state:get "open" and waited < 20 do
      ngx.sleep(0.005)
      waited = waited + 0.005
    end
    ngx.shared.state:delete "open"
    if kind == "broken" then
      ngx.print(second)
      ngx.flush(true)
      return ngx.exit(ngx.ERROR)
    end
    ngx.print(second)
  }
}
]]

describe("response streams of the server", function()
  local ok, reason = simulate.available()
  if not ok then
    pending("come in parts: " .. reason)
    return
  end

  local containers, running, call, runtime

  -- An endpoint "e" on a container of this kind; nil: the echo.
  local function endpoint(kind)
    assert(call("CreateModel", { ModelName = "m", ExecutionRoleArn = ROLE, PrimaryContainer = {
      Image = caller.IMAGE,
      Environment = kind and { SAGEMAKER_SIMULATOR_URL = containers:url("/" .. kind) } } }))
    assert(call("CreateEndpointConfig", { EndpointConfigName = "c", ProductionVariants = { {
      VariantName = "Main", ModelName = "m", InstanceType = "ml.m5.large",
      InitialInstanceCount = 1 } } }))
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "c" }))
    assert.equal(200, (running:post("/_simulator/advance", { seconds = 300 })))
    assert.is_true(server.wait_for(10, function()
      return assert(call("DescribeEndpoint", { EndpointName = "e" })).EndpointStatus == "InService"
    end))
  end

  before_each(function()
    containers = server.nginx { locations = CONTAINER }
    running = assert(simulate.start { clock = "virtual" })
    call = caller.new(running:remote())
    runtime = assert(sagemaker.runtime { endpoint_url = running.url, region = "us-east-1",
      credentials = { access_key_id = "test", secret_access_key = "test" },
      timeouts = { read = 30 } })
  end)

  after_each(function()
    running:stop()
    containers:stop()
  end)

  local function open()
    assert.matches("open", (server.shell("curl -sS " .. containers:url "/open")))
  end

  local function opened(name)
    return assert(runtime:invoke_endpoint_with_response_stream {
      EndpointName = "e", Body = "x", Accept = name })
  end

  it("come part by part to our client", function()
    endpoint "gated"
    local parts = opened().Body:parts()
    assert.equal("first ", assert(parts()))
    open()
    assert.equal("second", assert(parts()))
    assert.is_nil(parts())
  end)

  it("serve others while they wait", function()
    endpoint "gated"
    local body = opened().Body
    local parts = body:parts()
    parts()
    assert.is_table(call("ListEndpoints", {}).Endpoints)
    open()
    assert.equal("second", parts())
  end)

  it("end with an error where the container breaks off", function()
    endpoint "broken"
    local body = opened().Body
    assert.equal("first ", body:read())
    open()
    local part, message, err = body:read()
    if part then -- what came before the break
      assert.equal("second", part)
      part, message, err = body:read()
    end
    assert.is_nil(part)
    assert.matches("^ModelStreamError: ", message)
    assert.equal("StreamBroken", err.raw and err.raw.ErrorCode)
  end)

  it("let go of a container when their caller has gone", function()
    endpoint "endless"
    local body = opened().Body
    assert.is_string(body:read())
    body:close()
    assert.is_truthy(server.wait_for(10, function()
      return server.shell("curl -sS " .. containers:url "/closed"):find("yes", 1, true)
    end))
  end)

  it("come event by event on the OpenAI-compatible path", function()
    endpoint "events"
    local answer = assert(runtime:openai("e", "/v1/chat/completions", { stream = true }))
    local events = answer.Body:sse()
    assert.equal("1", assert(events()).data)
    open()
    assert.is_nil(events()) -- [DONE]
  end)

  it("pace the parts of the echo by a knob", function()
    endpoint()
    assert.equal(200, (running:post("/_simulator/knobs", { stream_pause = 0.01 })))
    local parts = {}
    for part in opened().Body:parts() do parts[#parts + 1] = part end
    assert.equal(6, #parts)
    assert.equal('{"endpoint":"e",', parts[1])
    local text = table.concat(parts)
    assert.equal("m", require("cjson").decode(text).model)
  end)

  it("are cut in the middle by a knob", function()
    endpoint()
    assert.equal(200, (running:post("/_simulator/knobs", { truncate = 1 })))
    local part, message, err = opened().Body:read()
    assert.is_nil(part)
    assert.is_string(message)
    assert.equal("transport", err.kind)
  end)

  -- What the others are, in processes of their own.
  local function reads(command)
    endpoint "gated"
    local said = server.shell(("export SIMULATOR_URL=%s GATE=%s AWS_ACCESS_KEY_ID=test "
      .. "AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1; %s")
      :format(running.url, containers:url "/open", command))
    assert.matches("done%s*$", said)
  end

  local known = server.shell("python3 -c \"import boto3; print(hasattr(boto3.client('sagemaker-"
    .. "runtime', region_name='us-east-1'), 'invoke_endpoint_with_response_stream'))\"")
  if known:find("True", 1, true) then
    it("come part by part to boto3", function() reads "python3 spec/clients/stream.py" end)
  else
    pending("come part by part to boto3 (none that knows them is on this machine)")
  end

  local modules = os.getenv "SAGEMAKER_NODE"
    or (server.shell "pwd":gsub("%s+$", "") .. "/build/node")
  local installed =
    io.open(modules .. "/node_modules/@aws-sdk/client-sagemaker-runtime/package.json")
  if installed then
    installed:close()
    it("come part by part to the SDK for JavaScript", function()
      reads(("NODE_MODULES=%s NODE_NO_WARNINGS=1 node spec/clients/stream.mjs"):format(modules))
    end)
  else
    pending("come part by part to the SDK for JavaScript (not on this machine)")
  end
end)
