--- One table for all that are alike: the plan, the DeploymentConfig, the containers of a thousand
-- endpoints are the same, nobody changes them, and each copy would cost a kilobyte.

local graph = require "sagemaker.simulator.graph"

-- By their text, as long as somebody has them.
local known = setmetatable({}, { __mode = "v" })

--- The table that stands for all that are like this one. Nobody may change it, or what is in it.
-- Where keys come in another order tables are shared less; unlike ones never are.
---@generic T: table|nil
---@param value T a plain tree of strings, numbers and booleans
---@return T
return function(value)
  if value == nil then return nil end
  local text = graph.encode(value)
  local same = known[text]
  if not same then
    known[text], same = value, value
  end
  return same
end
