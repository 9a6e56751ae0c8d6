--- A deployment as plain lines, one for each thing that happens, for logs: time, endpoint, what.

local core = require "sagemaker.core"
local frame = require "sagemaker.cli.view.frame"
local text = require "sagemaker.cli.view.text"

local M = {}

--- One line.
---@param now number seconds since the epoch
---@param name string EndpointName
---@param what string
---@return string
function M.line(now, name, what)
  return ("%s  %s  %s"):format(core.time.format(math.floor(now), "iso8601"), name, text.clean(what))
end

--- What an event tells.
---@param event sagemaker.watch.Event
---@param wish? string the configuration that was asked for
---@return string
function M.event(event, wish)
  local parts = { frame.state(event, wish) }
  if event.queued then parts[1] = "waiting, " .. parts[1] end
  parts[#parts + 1] = ("traffic %.4g %% old, %.4g %% new"):format(event.traffic.old,
    event.traffic.new)
  local instances = event.instances
  if instances.old + instances.new > 0 then
    parts[#parts + 1] = ("instances %d old, %d new"):format(instances.old, instances.new)
  end
  if event.failure_reason then parts[#parts + 1] = "reason: " .. event.failure_reason end
  return table.concat(parts, "; ")
end

return M
