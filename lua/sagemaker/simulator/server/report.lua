--- What the control API shows: the state of the simulator, and of the process that plays it.

local overview = require "sagemaker.simulator.overview"

local M = {}

M.endpoint, M.knobs = overview.endpoint, overview.knobs

--- Everything that a person looks at.
---@param server sagemaker.simulator.Server
---@return sagemaker.simulator.state
function M.state(server)
  local state = overview.state(server.sim)
  state.process, state.started = server.process, server.started
  return state
end

return M
