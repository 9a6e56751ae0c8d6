-- Many clients at once against a server, in one process: each in a coroutine of the scheduler, each
-- with endpoints of its own and one that all share. Run by spec/simulator/server/crowd_spec.lua and
-- by spec/bench/simulator.sh:
--
--   lua spec/support/crowd.lua URL CLIENTS SECONDS LOG
--
-- LOG gets a line of JSON for each call: {"client", "operation", "endpoint", "config", "sent",
-- "got", "status"|"code"|"kind"}; the last line counts.

local cjson = require "cjson"
local core = require "sagemaker.core"
local sagemaker = require "sagemaker"

local url, clients, seconds, path = arg[1], tonumber(arg[2]), tonumber(arg[3]), arg[4]
local log = assert(io.open(path, "wb"))
local ends = core.clock() + seconds
local calls = 0

-- On a connection that was used before, curl sends again what got no answer, and the crowd could
-- not know how often its request was processed: every request gets a connection of its own.
local curl = require("sagemaker.transport.curl").new()
local transport = {}

function transport.send(_, request, deadline)
  request.headers.Connection = "close"
  return curl:send(request, deadline)
end
for _, name in ipairs { "sleep", "now", "clock" } do
  transport[name] = function(_, ...) return curl[name](curl, ...) end
end

local function client_of()
  return assert(sagemaker.new {
    endpoint_url = url, transport = transport, region = "us-east-1", retry = { max_attempts = 1 },
    credentials = { access_key_id = "test", secret_access_key = "test" },
    timeouts = { connect = 5, read = 5, attempt = 5, operation = 6 },
  })
end

-- One call, written down whether it went well or not.
local function call(id, client, operation, params)
  local sent = core.clock()
  local output, _, err = client:call(operation, params)
  calls = calls + 1
  log:write(cjson.encode {
    client = id, operation = operation, endpoint = params.EndpointName, config =
      params.EndpointConfigName, sent = sent, got = core.clock(), ok = output ~= nil,
    status = output and output.EndpointStatus, running = output and output.EndpointConfigName,
    code = err and err.code, kind = err and err.kind,
  }, "\n")
  return output, err
end

-- The same until it is done: an answer that was lost says nothing.
local function until_done(id, client, operation, params)
  repeat
    local output, err = call(id, client, operation, params)
  until output or err.message:find("already existing", 1, true)
end

local function config(name)
  return { EndpointConfigName = name, ProductionVariants = { { VariantName = "v",
    ModelName = "model", InstanceType = "ml.m5.large", InitialInstanceCount = 2 } } }
end

local POLICIES = {
  { BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = { Type = "CANARY",
    WaitIntervalInSeconds = 60, CanarySize = { Type = "CAPACITY_PERCENT", Value = 50 } } } },
  { BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = { Type = "ALL_AT_ONCE",
    WaitIntervalInSeconds = 30 } } },
  { RollingUpdatePolicy = { MaximumBatchSize = { Type = "INSTANCE_COUNT", Value = 1 },
    WaitIntervalInSeconds = 10 } },
}

-- What one client does until the time is over: it updates, describes, and tags.
local function live(id)
  local client = client_of()
  local own, turn = ("own-%03d"):format(id), 0
  for i = 1, 3 do until_done(id, client, "CreateEndpointConfig", config(own .. "-" .. i)) end
  until_done(id, client, "CreateEndpoint",
    { EndpointName = own, EndpointConfigName = own .. "-1" })
  while core.clock() < ends do
    turn = turn + 1
    for _, name in ipairs { own, "shared" } do
      call(id, client, "DescribeEndpoint", { EndpointName = name })
      local wanted = name == own and ("%s-%d"):format(own, turn % 3 + 1)
        or ("shared-%d"):format(turn % 3 + 1)
      call(id, client, "UpdateEndpoint", { EndpointName = name, EndpointConfigName = wanted,
        DeploymentConfig = POLICIES[(id + turn) % #POLICIES + 1] })
    end
    call(id, client, "AddTags", { ResourceArn =
      "arn:aws:sagemaker:us-east-1:123456789012:endpoint/" .. own,
      Tags = { { Key = "turn", Value = tostring(turn) } } })
  end
end

sagemaker.run(function()
  local client = client_of()
  assert(client:create_model { ModelName = "model", PrimaryContainer = { Image = "x" },
    ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker" })
  for i = 1, 3 do assert(client:create_endpoint_config(config("shared-" .. i))) end
  assert(client:create_endpoint { EndpointName = "shared", EndpointConfigName = "shared-1" })
  local knobs = io.popen(("curl -sS -X POST -d '%s' %s/_simulator/knobs"):format(arg[5] or "{}",
    url))
  knobs:read "*a"
  knobs:close()
  local lives = {}
  for id = 1, clients do lives[id] = function() return live(id) end end
  for _, row in ipairs(sagemaker.all(lives)) do
    if not row[1] then io.stderr:write(tostring(row[2]), "\n") end
  end
end)

log:write(cjson.encode { calls = calls }, "\n")
log:close()
print(calls)
