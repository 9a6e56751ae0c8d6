--- What `deploy` and `watch` share: a watch of the library that reports what its calls bring and
-- wakes up to draw, and an end that says what Ctrl-C and SIGTERM leave behind.

local alarms = require "sagemaker.cli.alarms"
local failure = require "sagemaker.cli.failure"
local guard = require "sagemaker.cli.guard"
local outcomes = require "sagemaker.cli.outcome"
local reports = require "sagemaker.cli.report"
local watches = require "sagemaker.watch"

local M = {}

---@class sagemaker.cli.Follow
---@field report sagemaker.cli.Report
---@field watch sagemaker.watch.Watch
---@field has_sent boolean something was asked to be changed

-- Sleeps in parts, so that a picture keeps moving.
local function sleeper(transport, report)
  if report.mode ~= "live" then
    return function(_, seconds) transport:sleep(seconds) end
  end
  return function(_, seconds)
    while seconds > 0 do
      local part = math.min(seconds, reports.TICK)
      transport:sleep(part)
      seconds = seconds - part
      report:tick()
    end
  end
end

-- Failures that mean that nobody answered, and may pass.
local SILENT = { protocol = true, timeout = true, transport = true }

local CHANGING = { CreateEndpoint = true, UpdateEndpoint = true, DeleteEndpoint = true }

-- The client's calls, seen: what changes something, and looks that bring nothing.
local function caller(self, client)
  return function(operation, params, opts)
    if CHANGING[operation] then self.has_sent = true end
    local output, message, err = client:call(operation, params, opts)
    if operation == "DescribeEndpoint" then
      self.report:miss(not output and SILENT[err.kind] and message or nil)
      if output then self.report:look_at_alarms() end
    end
    return output, message, err
  end
end

--- A follow.
---@param ctx sagemaker.cli.Context
---@param of {name: string, to?: string}
---@return sagemaker.cli.Follow
function M.new(ctx, of)
  local client = ctx:client()
  local transport = client.transport
  if not transport then
    -- The client says why when it is asked for something.
    local _, _, err = client:call("DescribeEndpoint", { EndpointName = of.name })
    failure.raise(err)
  end
  local self = { has_sent = false }
  self.report = reports.new(ctx, of, function() return transport:now() end)
  local describe = require("sagemaker.client.alarms").describer(client)
  self.report.alarms = alarms.new(describe, function() return transport:clock() end)
  self.watch = watches.new {
    call = caller(self, client),
    check = function(operation, params) return client:check(operation, params) end,
    describe_alarms = describe,
    random = client.settings and client.settings.io.random,
    transport = {
      clock = function() return transport:clock() end,
      sleep = sleeper(transport, self.report),
    },
  }
  return self
end

-- A thrown string that is no Ctrl-C is a mistake of ours: say where.
local function trace(thrown)
  if type(thrown) ~= "string" or failure.is_interrupt(thrown) then return thrown end
  return debug.traceback(thrown, 2)
end

-- How to go on watching.
local function again(self)
  local progress = self.report.progress
  local to = progress.to
  return ("To follow it: sagemaker watch %s%s"):format(progress.name,
    to and " --endpoint-config-name " .. to or "")
end

-- What goes on without us.
local function farewell(self)
  if self.is_ours and not self.has_sent then return "Interrupted. Nothing was changed." end
  if not self.has_sent and not self.report.progress.event then
    return "Interrupted before anything was seen. " .. again(self)
  end
  return "Interrupted, but the deployment goes on. " .. again(self)
end

-- A failure in the words of the command line.
local function reword(err)
  err.message = tostring(err.message):gsub("wait = true", "--wait")
    :gsub("replace_failed = true", "--replace-failed")
    :gsub('alarm_check = "warn"', "--alarm-check warn")
  return err
end

local function fail(self, err)
  guard.reword(reword(err), self.report.ctx.options)
  local status = err.code == "DeploymentTimedOut" and outcomes.STATUS.timed_out
    or failure.code_of(err)
  self.report:failed(err, status)
  if status == outcomes.STATUS.timed_out then
    self.report.ctx:note(failure.text(err))
    return status
  elseif SILENT[err.kind] and self.report.progress.event then
    self.report.ctx:note("Nobody has answered for a while; the deployment goes on. " .. again(self))
  end
  failure.raise(err)
end

--- Runs `work`, which answers as the library does, reports the end, and answers the exit status.
---@param self sagemaker.cli.Follow
---@param work fun(): sagemaker.watch.Event|nil, string?, sagemaker.Error?
---@param is_named boolean a configuration was asked for by name
---@return integer exit status
function M.run(self, work, is_named)
  local world = self.report.ctx.world
  world.heed()
  local fine, result, _, err = xpcall(work, trace)
  if not fine and failure.is_interrupt(result) then
    local status = failure.interrupted(world)
    self.report:interrupted(farewell(self), status)
    return status
  elseif not fine then
    self.report:failed({ code = "Failed", message = tostring(result):match("[^\n]*") },
      failure.OTHER)
    error(result, 0)
  elseif not result then
    return fail(self, err)
  end
  local status = outcomes.status(result.outcome, is_named)
  self.report:result(result, status)
  return status
end

return M
