--- The states of CloudWatch alarms, asked for with a client's own keys and transport, so that they
-- come from a simulator where the client's answers do, and let other tasks go on.

local errors = require "sagemaker.error"

local M = {}

-- Seconds: a network without a way to CloudWatch must not hold a deployment up.
local PATIENCE = 10

local OWN_URL = "AWS_ENDPOINT_URL_CLOUDWATCH"

-- Hosts of AWS serve one service each. Whoever is given instead (a simulator) serves all.
local function is_aws(host)
  for _, partition in ipairs(require "sagemaker.model.partitions") do
    for _, field in ipairs { "dnsSuffix", "dualStackDnsSuffix" } do
      local ending = "." .. partition.outputs[field]
      if host:sub(-#ending) == ending then return true end
    end
  end
  return false
end

-- The URL of CloudWatch where that of SageMaker was given.
local function url_of(settings, opts)
  local url = opts.endpoint_url or settings.endpoint_url
  local host = url and url:match "^%w+://([^/:?]*)"
  if not host or (settings.io.getenv(OWN_URL) or "") ~= "" then return nil end
  return not is_aws(host:lower()) and url or nil
end

--- A function that describes alarms for a client.
---@param client sagemaker.Client
---@return sagemaker.watch.DescribeAlarms
function M.describer(client)
  return function(names, call_opts)
    local settings, io, opts = client.settings, client.provider_io, {}
    if not io then
      return errors.fail { kind = "credentials", code = "NoCredentials", sent = false,
        message = "without signed requests nobody is told of alarms", retryable = false }
    end
    for name, value in pairs(call_opts or {}) do opts[name] = value end
    opts.endpoint_url = url_of(settings, opts)
    opts.hooks = opts.hooks or settings.hooks or nil
    opts.timeouts = opts.timeouts and opts.timeouts.operation and opts.timeouts
      or { operation = PATIENCE }
    local keyring = settings.keyring
    return io.call("cloudwatch", "DescribeAlarms",
      { AlarmNames = names, AlarmTypes = { "MetricAlarm", "CompositeAlarm" } },
      opts.credentials or keyring.provider or keyring.credentials, opts)
  end
end

return M
