--- A service for the specs of watching and deploying: answers written down beforehand, a clock
-- that moves only when somebody sleeps.

local deployment = require "sagemaker.deployment"
local errors = require "sagemaker.error"
local watch = require "sagemaker.watch"

local M = {}

M.ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/churn"

--- An error of the service.
function M.refusal(message, fields)
  local err = { kind = "service", code = "ValidationException", message = message, status = 400,
    attempts = 1 }
  for key, value in pairs(fields or {}) do err[key] = value end
  return errors.new(err)
end

--- The service's own words.
M.missing = M.refusal(('Could not find endpoint "%s".'):format(M.ARN))
M.throttled = M.refusal("Rate exceeded", { code = "ThrottlingException" })

function M.missing_config(name)
  return M.refusal(('Could not find endpoint configuration "%s".')
    :format(M.ARN:gsub("endpoint/churn", "endpoint-config/" .. name)))
end

function M.in_progress(attempts)
  return M.refusal(('Cannot update in-progress endpoint "%s".'):format(M.ARN),
    { attempts = attempts })
end

function M.existing(attempts)
  return M.refusal(('Cannot create already existing endpoint "%s".'):format(M.ARN),
    { attempts = attempts })
end

--- No answer came.
function M.lost(fields)
  local err = { kind = "transport", code = "ConnectionReset", message = "no answer", sent = true,
    retryable = true, attempts = 3 }
  for key, value in pairs(fields or {}) do err[key] = value end
  return errors.new(err)
end

local function variants(all, current, stage)
  return { {
    VariantName = "main", CurrentWeight = 1, DesiredWeight = 1, CurrentInstanceCount = current,
    DesiredInstanceCount = all, VariantStatus = stage and { { Status = stage } } or nil,
  } }
end

--- A DescribeEndpoint output: status, config, pending, modified, reason, created; on (instances of
-- the new fleet that serve) of `all` (4), stage; last (LastDeploymentConfig).
function M.describe(of)
  local all = of.all or 4
  return {
    EndpointName = "churn", EndpointArn = M.ARN, EndpointStatus = of.status or "InService",
    EndpointConfigName = of.config, CreationTime = of.created or 1000,
    LastModifiedTime = of.modified or 1000, FailureReason = of.reason,
    LastDeploymentConfig = of.last,
    ProductionVariants = of.variants or variants(all, of.old or all),
    PendingDeploymentSummary = of.pending and {
      EndpointConfigName = of.pending, StartTime = of.modified,
      ProductionVariants = variants(all, of.on or 0, of.stage),
    } or nil,
  }
end

--- A DescribeEndpointConfig output.
function M.config(name, of)
  of = of or {}
  return {
    EndpointConfigName = name, CreationTime = 900,
    ProductionVariants = of.variants or { {
      VariantName = of.variant or "main", ModelName = "m", InitialInstanceCount = of.all or 4,
      InstanceType = of.type or "ml.m5.large", ServerlessConfig = of.serverless,
    } },
  }
end

-- The n-th answer of a list (the last one again and again), or what a function says.
local function answer(script, n, params, world)
  if type(script) == "function" then return script(params, n, world) end
  if script == nil then return nil end
  return script[math.min(n, #script)]
end

--- A world: `scripts` by operation, each a list or a function(params, n, world) of outputs and
-- errors; `check` as the client's. DescribeEndpoint may be the list part of `scripts` itself.
function M.new(scripts)
  local world = { time = 0, calls = {}, count = {}, sleeps = {}, params = {} }
  if #scripts > 0 then scripts.DescribeEndpoint = scripts end

  local function call(op, params, opts)
    world.calls[#world.calls + 1] = op
    local n = (world.count[op] or 0) + 1
    world.count[op], world.params[op], world.opts = n, params, opts
    world.time = world.time + (scripts.latency or 0)
    local got = answer(scripts[op], n, params, world)
    if got == nil then error("no answer is written down for " .. op, 0) end
    if errors.is(got) then return nil, tostring(got), got end
    return got
  end

  local transport = {}
  function transport.clock() return world.time end
  function transport.sleep(_, seconds)
    assert(type(seconds) == "number" and seconds >= 0)
    world.sleeps[#world.sleeps + 1] = seconds
    world.time = world.time + seconds
  end

  world.call = call
  world.watch = watch.new{
    call = call, transport = transport, random = function() return 0.5 end,
    check = scripts.check or function() return true end,
  }

  --- Drives an iterator to its end: all events, the last one.
  function world.follow(opts)
    local events = {}
    for event in world.watch:watch_endpoint("churn", opts) do events[#events + 1] = event end
    return events[#events], events
  end

  return world
end

-- Looks at an endpoint that goes from v1 to v2, and on the way there.
M.OLD = M.describe{ config = "v1" }
M.NEW = M.describe{ config = "v2", modified = 1500 }
M.BACK = M.describe{ config = "v1", modified = 1400, reason = "Alarm x is in ALARM." }
M.CREATING = M.describe{ config = "v2", status = "Creating", created = 2000, modified = 2000 }
M.CREATED = M.describe{ config = "v2", created = 2000, modified = 2100 }
M.WISH = { EndpointConfigName = "v2" }
M.CANARY = deployment.canary{ size = "25%", bake = 300, alarms = { "a" } }

function M.updating(of)
  of.config, of.pending = of.config or "v1", of.pending or "v2"
  of.status, of.modified = of.status or "Updating", of.modified or 1100
  return M.describe(of)
end

M.PROVISIONING = M.updating{ stage = "Creating" }
M.BAKING = M.updating{ stage = "Baking", on = 1 }

--- How a watch of a script ends: the outcome, the last event, all events, the world.
function M.outcome(script, opts)
  local world = M.new(script)
  local event, events = world.follow(opts)
  return event.outcome, event, events, world
end

--- Whether an entry of a list of strings contains a text.
function M.has(list, text)
  for _, entry in ipairs(list) do
    if entry:find(text, 1, true) then return true end
  end
  return false
end

--- A service that keeps one endpoint: `before` until CreateEndpoint or UpdateEndpoint is accepted,
-- then `after`, one a look; `more` are scripts in place of these.
function M.service(before, after, more)
  local scripts = {
    DescribeEndpoint = function(_, _, world)
      if not world.accepted then return before or M.missing end
      world.looks = (world.looks or 0) + 1
      return after[math.min(world.looks, #after)]
    end,
    DescribeEndpointConfig = function(params) return M.config(params.EndpointConfigName) end,
    CreateEndpoint = function(_, _, world)
      world.accepted = true
      return { EndpointArn = M.ARN }
    end,
    AddTags = function() return { Tags = {} } end,
  }
  scripts.UpdateEndpoint = scripts.CreateEndpoint
  for name, script in pairs(more or {}) do scripts[name] = script end
  return M.new(scripts)
end

--- The parameters of a deploy to v2.
function M.request(more)
  local params = { EndpointName = "churn", EndpointConfigName = "v2" }
  for key, value in pairs(more or {}) do params[key] = value end
  return params
end

--- How often an operation was called.
function M.count(world, op)
  return world.count[op] or 0
end

--- Nothing was changed in the service.
function M.untouched(world)
  for _, op in ipairs(world.calls) do assert(op:find("^Describe"), op) end
end

return M
