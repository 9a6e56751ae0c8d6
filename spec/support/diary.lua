--- Notes what happens in which order; time is that of a simulator, so that waiting takes none.

local sagemaker = require "sagemaker"

local M = {}

---@return table sim whose `sleep` takes virtual time
---@return fun(text: string) note
---@return string[] lines "seconds text", as noted
function M.new()
  local sim, lines = sagemaker.simulator.new(), {}
  local function note(text)
    lines[#lines + 1] = ("%g %s"):format(sim:clock(), text)
  end
  return sim, note, lines
end

return M
