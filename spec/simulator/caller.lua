--- The least that can talk to a simulator: encode, sign, send, decode. Specs of the simulator stand
-- on it and not on the client, which lives above the simulator.

local core = require "sagemaker.core"
local outputs = require "support.outputs"

local M = {}

local services = {
  cloudwatch = core.service "cloudwatch", sagemaker = core.service "sagemaker",
  ["sagemaker-runtime"] = core.service "sagemaker-runtime",
}

--- A function `call(operation, params)` that checks the output against the model and answers it, or
-- nil, code, message, response.
---@param sim table
---@param opts table|nil credentials, region, service, model ("sagemaker-runtime", "cloudwatch"),
--- mode (of core.encode), at (signing time), change (a function that may spoil the signed
--- request), timeouts, deadline
function M.new(sim, opts)
  opts = opts or {}
  local service = services[opts.model or "sagemaker"]
  local credentials = opts.credentials or sim.defaults.credentials
  local signer = core.signer {
    access_key_id = credentials.access_key_id,
    secret_access_key = credentials.secret_access_key, session_token = credentials.session_token,
    region = opts.region or sim.defaults.region, service = opts.service or "sagemaker",
  }
  return function(operation, params)
    local request = assert(core.encode(service, operation, params, opts.mode or false))
    request.host = "api.sagemaker.us-east-1.amazonaws.com"
    request.url = "https://" .. request.host .. request.path
    request.headers.Host = request.host
    request.timeouts = opts.timeouts
    signer:sign(request, opts.at or sim:now())
    if opts.change then opts.change(request) end
    local response, message, err = sim:send(request, opts.deadline)
    if not response then return nil, err.code, message, err end
    if response.status < 300 then
      local output = assert(core.decode(service, operation, response.status, response.headers,
        response.body))
      if service:operation(operation).stream_output then return output, response end
      return outputs.assert(service, operation, output), response
    end
    local failure =
      core.decode_error(service, operation, response.status, response.headers, response.body)
    return nil, failure.code, failure.message, response
  end
end

M.IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1"

--- A model and endpoint configurations that use it.
---@param call function
---@param ... string names of endpoint configurations; `name = count` pairs are not needed
function M.prepare(call, ...)
  assert(call("CreateModel", {
    ModelName = "model", PrimaryContainer = { Image = M.IMAGE },
    ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
  }))
  for _, name in ipairs { ... } do assert(call("CreateEndpointConfig", M.config(name, 3))) end
end

--- The input of CreateEndpointConfig for one variant on `count` instances.
---@param name string
---@param count integer
---@return table
function M.config(name, count)
  return {
    EndpointConfigName = name,
    ProductionVariants = { {
      VariantName = "AllTraffic", ModelName = "model", InstanceType = "ml.m5.large",
      InitialInstanceCount = count, InitialVariantWeight = 1,
    } },
  }
end

return M
