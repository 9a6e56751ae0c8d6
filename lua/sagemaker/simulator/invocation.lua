--- One invocation, from the name of an endpoint to the answer of a container: where it goes, what
-- the container is told, what is measured, and the copies that shadow variants get.

local components = require "sagemaker.simulator.component"
local knobs = require "sagemaker.simulator.knobs"
local refusal = require "sagemaker.simulator.refusal"
local routing = require "sagemaker.simulator.routing"

local M = {}

-- So much of what a container said is repeated in an error.
local SAID = 2000

local TIMED_OUT = "Your invocation timed out while waiting for a response from container %s. "
  .. "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and "
  .. "try again."

-- A container that takes longer is given up, unless the invocation says otherwise.
M.PATIENCE = 60

---@class sagemaker.simulator.invocation
---@field endpoint sagemaker.simulator.record
---@field component sagemaker.simulator.record|nil that answers
---@field route sagemaker.simulator.route
---@field containers sagemaker.simulator.container[] one after the other
---@field variant string InvokedProductionVariant

local function refuse(format, ...)
  return refusal.new("ValidationError", format:format(...))
end

local function find_endpoint(account, name)
  local record = account:live("endpoint", name)
  if record and account:shown(record) and routing.serves(record.machine) then return record end
  return refuse("Endpoint %s of account %s not found.", name, account.id)
end

-- The component that answers; nil, refusal where the endpoint has no such one. An adapter's base
-- does its work.
local function find_component(account, endpoint, name)
  local hosts = components.hosts(endpoint.machine.current)
  if not name and not hosts then return nil end
  if not name then
    return refuse("Inference Component Name header is required for endpoints to which you plan to "
      .. "deploy inference components. Please include Inference Component Name header or consider "
      .. "using SageMaker models.")
  elseif not hosts then
    return refuse("Inference Component Name header is not allowed for endpoints to which you dont "
      .. "plan to deploy inference components. Please remove the Inference Component Name header "
      .. "and try again.")
  end
  local record = account:live("inference-component", name)
  local here = record and account:shown(record) and record.endpoint == endpoint.name
  if not here or not routing.serves(record.machine) then
    return refuse("Inference Component %s of account %s not found.", name, account.id)
  end
  if record.base then return account:live("inference-component", record.base) or record end
  return record
end

-- Which of the containers of a model are called: those of a pipeline all, of others one.
local function choose_containers(variant, input)
  local containers, host = variant.containers or {}, input.TargetContainerHostname
  if not variant.direct then
    if host then
      return refuse("TargetContainerHostname can only be used with a model whose containers are "
        .. "invoked directly.")
    end
    return containers
  elseif not host then
    return refuse("TargetContainerHostname is required: the containers of the model are invoked "
      .. "directly.")
  end
  for _, container in ipairs(containers) do
    if container.host == host then return { container } end
  end
  return refuse("The model has no container with the hostname %s.", host)
end

local function check_model(containers, target)
  local multi = containers[1] and containers[1].multi
  if target and not multi then
    return refuse "TargetModel can only be used with a multi-model endpoint."
  elseif multi and not target then
    return refuse "TargetModel is required for a multi-model endpoint."
  end
  return true
end

--- Finds out where an invocation goes.
---@param account sagemaker.simulator.account
---@param input table of InvokeEndpoint
---@return sagemaker.simulator.invocation|nil
---@return sagemaker.simulator.refusal|nil
function M.route(account, input)
  local endpoint, refused = find_endpoint(account, input.EndpointName)
  if not endpoint then return nil, refused end
  local component
  component, refused = find_component(account, endpoint, input.InferenceComponentName)
  if refused then return nil, refused end
  local target = not component and input.TargetVariant or nil
  local machine = (component or endpoint).machine
  local route = routing.choose(machine, account.hosting:random(), target)
  if not route and component then
    return refuse("Inference Component has no capacity to process this request. "
      .. "ApplicationAutoScaling may be in-progress (if configured) or try to increase the "
      .. "capacity by invoking UpdateInferenceComponentRuntimeConfig API.")
  elseif not route and target then
    return refuse("Variant %s of endpoint %s not found.", target, endpoint.name)
  elseif not route then
    return refuse("Endpoint %s has no instances that could serve the request.", endpoint.name)
  end
  local containers, good
  containers, refused = choose_containers(route.variant, input)
  if containers then good, refused = check_model(containers, input.TargetModel) end
  if not good then return nil, refused end
  return {
    endpoint = endpoint, component = component, route = route, containers = containers,
    variant = component and component.variant or route.variant.name,
  }
end

-- What has to be loaded before an invocation can be served, in words; nil when nothing has.
local function loads(invocation, input)
  local variant, containers = invocation.route.variant, invocation.containers
  if containers[1] and containers[1].multi then return "model " .. input.TargetModel end
  return variant.serverless and "variant " .. variant.name or nil
end

-- Whether that is there by now. The first who asks sets it going.
local function is_loaded(account, invocation, what)
  local seconds, record = account.seconds.loading, invocation.endpoint
  if not what or seconds <= 0 then return true end
  local key, now = invocation.route.blueprint.name .. " " .. what, account:now()
  local ready = record.ready or {}
  record.ready = ready
  ready[key] = ready[key] or now + seconds
  return now >= ready[key]
end

-- InvokeEndpoint is the one that has an exception for this; others wait, as far as anybody tells.
local function check_ready(account, invocation, input, case)
  local what = loads(invocation, input)
  local names = { invocation.endpoint.name, input.TargetModel }
  for _, container in ipairs(invocation.containers) do names[#names + 1] = container.name end
  local strikes = account.knobs.not_ready and knobs.strikes(account.knobs, "not_ready", names,
    { operation = "InvokeEndpoint", endpoint = names[1], random = case.sim.random })
  if not strikes and is_loaded(account, invocation, what) then return true end
  return refusal.new("ModelNotReadyException", ("The %s of endpoint %s is not ready to serve "
    .. "requests yet. Wait and try your request again."):format(what or "model", names[1]), 429)
end

-- Header of the container's request and the member of the input that it carries.
local PASSED = {
  ["Content-Type"] = "ContentType", Accept = "Accept",
  ["X-Amzn-SageMaker-Custom-Attributes"] = "CustomAttributes",
  ["X-Amzn-SageMaker-Target-Model"] = "TargetModel",
  ["X-Amzn-SageMaker-Inference-Id"] = "InferenceId",
  ["X-Amzn-SageMaker-Session-Id"] = "SessionId",
  ["X-Amzn-SageMaker-Enable-Explanations"] = "EnableExplanations",
  ["X-Amzn-SageMaker-InputLocation"] = "InputLocation",
  ["X-Amzn-SageMaker-Inference-Component"] = "InferenceComponentName",
}

local function request_of(invocation, container, input, more, at)
  local headers = {}
  for header, member in pairs(PASSED) do headers[header] = input[member] end
  return {
    method = more.method or "POST", path = more.path or "/invocations", headers = headers,
    body = input.Body or "", at = at, endpoint = invocation.endpoint.name,
    config = invocation.route.blueprint.name,
    variant = invocation.variant, fleet = invocation.route.fleet, model = container.name,
  }
end

-- One container after the other; what one answers is what the next one gets.
local function run(account, invocation, input, more)
  local answer, seconds, last = nil, 0, nil
  local request = { Body = input.Body, ContentType = input.ContentType }
  setmetatable(request, { __index = input })
  local containers = invocation.containers
  if not containers[1] then containers = { { name = invocation.endpoint.name } } end
  for i, container in ipairs(containers) do
    last = container
    local streams -- what others say goes to the next one
    if i == #containers then streams = more.streams end
    answer = account.hosting:call(container,
      request_of(invocation, container, request, more, account:now()), streams, more.patience)
    seconds = seconds + (answer.seconds or 0)
    if answer.status < 200 or answer.status > 299 then break end
    request.Body = answer.body
    request.ContentType = answer.headers["content-type"] or request.ContentType
  end
  answer.seconds = seconds
  if seconds > (more.patience or M.PATIENCE) then
    if answer.close then answer.close() end
    answer.status, answer.body = 0, TIMED_OUT:format(last.host or "primary")
  end
  return answer, last.host or "primary"
end

local function measure(account, invocation, answer)
  local metrics, at = account.metrics, account:now()
  local bad = answer.status
  local function record(metric, value)
    metrics:record(invocation.endpoint.name, invocation.variant, metric, value, at)
  end
  record("Invocations", 1)
  record("Invocation4XXErrors", bad >= 400 and bad < 500 and 1 or 0)
  record("Invocation5XXErrors", (bad >= 500 or bad < 200) and 1 or 0)
  record("ModelLatency", math.floor(answer.seconds * 1e6 + 0.5))
  record("OverheadLatency", 0)
end

-- Shadow variants get the same; nobody hears what they say, and where the host lets it be done
-- later, nobody waits for it.
local function shadow(account, invocation, input, more)
  if invocation.component then return end
  local route = invocation.route
  for _, variant in ipairs(routing.shadows(route, account.hosting:random())) do
    local copy = {
      endpoint = invocation.endpoint, variant = variant.name, containers = variant.containers or {},
      route = { blueprint = route.blueprint, fleet = route.fleet, variant = variant },
    }
    local way = { method = more.method, path = more.path }
    account.hosting.later(function() measure(account, copy, (run(account, copy, input, way))) end)
  end
end

-- A text of bytes that a JSON message can hold.
local function said(body)
  return (body:sub(1, SAID):gsub("[%z\1-\8\11\12\14-\31\127-\255]", "?"))
end

local function model_error(account, invocation, answer, host)
  local name, region = invocation.endpoint.name, account.region
  local message = ('Received %s error (%d) from %s with message "%s". See https://%s.console.aws.'
    .. "amazon.com/cloudwatch/home?region=%s#logEventViewer:group=/aws/sagemaker/Endpoints/%s in "
    .. "account %s for more information."):format(
      answer.status >= 400 and answer.status < 500 and "client" or "server", answer.status, host,
      said(answer.body), region, region, name, account.id)
  local _, refused = refusal.new("ModelError", message, 424)
  refused.fields = {
    OriginalStatusCode = answer.status, OriginalMessage = said(answer.body),
    LogStreamArn = ("arn:%s:logs:%s:%s:log-group:/aws/sagemaker/Endpoints/%s"):format(
      account.partition, region, account.id, name),
  }
  return nil, refused
end

--- Invokes an endpoint.
---@param account sagemaker.simulator.account
---@param input table of InvokeEndpoint
---@param more table|nil {method, path} other than POST /invocations; {streams, patience} as for
--- Hosting:call;
--- `case`, where a model that is not ready is an exception
---@return sagemaker.simulator.answer|nil and `invocation`
---@return sagemaker.simulator.refusal|nil
function M.invoke(account, input, more)
  local invocation, refused = M.route(account, input)
  if not invocation then return nil, refused end
  more = more or {}
  if more.case then
    local ready
    ready, refused = check_ready(account, invocation, input, more.case)
    if not ready then return nil, refused end
  end
  local answer, host = run(account, invocation, input, more)
  measure(account, invocation, answer)
  shadow(account, invocation, input, more)
  if answer.status < 200 or answer.status > 299 then
    return model_error(account, invocation, answer, host)
  end
  answer.invocation = invocation
  return answer
end

return M
