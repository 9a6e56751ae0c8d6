--- An endpoint "churn" in a simulator of its own, and the command on it, in virtual time.

local command = require "support.command"
local sagemaker = require "sagemaker"

local M = {}

local Churn = {}
Churn.__index = Churn

-- The same command line waits for the same time.
local function steady()
  return 0.5
end

--- A simulator with the configurations v1, v2 and v3 of four instances each.
---@param opts? table of simulator.new, and `variants`; `absent`: the endpoint is not created
---@return table churn sim, client
function M.new(opts)
  opts = opts or {}
  local settings = {}
  for name, value in pairs(opts) do
    if name ~= "variants" and name ~= "absent" then settings[name] = value end
  end
  local sim = sagemaker.simulator.new(settings)
  sim:set_alarm("churn-5xx", "OK")
  local client = assert(sagemaker.new { transport = sim, io = { random = steady } })
  assert(client:create_model { ModelName = "m",
    ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
    PrimaryContainer = { Image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/m:1" } })
  for i = 1, 3 do
    assert(client:create_endpoint_config { EndpointConfigName = "v" .. i,
      ProductionVariants = opts.variants or { { VariantName = "main", ModelName = "m",
        InstanceType = "ml.m5.large", InitialInstanceCount = 4 } } })
  end
  if not opts.absent then
    assert(client:deploy { EndpointName = "churn", EndpointConfigName = "v1" })
  end
  return setmetatable({ sim = sim, client = client }, Churn)
end

--- Runs the command.
---@param argv string[]|string words, or a text that is parted at blanks
---@param opts? table as for support.command
---@return table result code, out, err
function Churn:run(argv, opts)
  if type(argv) == "string" then
    local words = {}
    for word in argv:gmatch("%S+") do words[#words + 1] = word end
    argv = words
  end
  local own = { transport = self.sim, env = {} }
  for name, value in pairs(opts or {}) do own[name] = value end
  return command.run(argv, own)
end

--- Lets CloudWatch refuse whoever asks for alarms.
---@param status integer of its answers
function Churn:forbid_alarms(status)
  local send = self.sim.send
  function self.sim.send(sim, request, deadline)
    if not request.host:find("monitoring", 1, true) then return send(sim, request, deadline) end
    return { status = status, headers = {}, body = '{"__type": "AccessDeniedException"}' }
  end
end

--- The operations that the simulator was asked for since `count` requests.
---@param count integer
---@return string[]
function Churn:operations(count)
  local names = {}
  local requests = self.sim:requests()
  for i = count + 1, #requests do names[#names + 1] = requests[i].operation end
  return names
end

return M
