--- A re-scale in three moments: what is wanted is shown at once, what is comes to it at the end, or
-- what was wanted before is wanted again.

local M = {}

---@class sagemaker.simulator.change
---@field list "variants"|"shadows"
---@field index integer which of them
---@field desired integer what was wanted before
---@field desired_weight number
---@field desired_serverless table|nil

local function begin(list, index, variant, wanted)
  local change = {
    list = list, index = index, desired = variant.desired,
    desired_weight = variant.desired_weight, desired_serverless = variant.desired_serverless,
  }
  variant.desired = wanted.desired or variant.desired
  variant.desired_weight = wanted.weight or variant.desired_weight
  variant.desired_serverless = wanted.serverless or variant.desired_serverless
  return change
end

--- Wants something else of a fleet.
---@param blueprint sagemaker.simulator.blueprint changed in place
---@param wanted table<string, table> by variant name: {desired, weight, serverless}
---@return sagemaker.simulator.change[] changes
---@return boolean grows whether new instances are needed
function M.begin(blueprint, wanted)
  local changes, grows = {}, false
  for _, list in ipairs { "variants", "shadows" } do
    for i, variant in ipairs(blueprint[list]) do
      local change = wanted[variant.name]
      if change then
        grows = grows or (change.desired or 0) > variant.count
        changes[#changes + 1] = begin(list, i, variant, change)
      end
    end
  end
  return changes, grows
end

--- What was wanted is there.
---@param blueprint sagemaker.simulator.blueprint
---@param changes sagemaker.simulator.change[]
function M.finish(blueprint, changes)
  for _, change in ipairs(changes) do
    local variant = blueprint[change.list][change.index]
    variant.count, variant.weight = variant.desired, variant.desired_weight
    variant.serverless = variant.desired_serverless
  end
end

--- What was wanted before is wanted again.
---@param blueprint sagemaker.simulator.blueprint
---@param changes sagemaker.simulator.change[]
function M.undo(blueprint, changes)
  for _, change in ipairs(changes) do
    local variant = blueprint[change.list][change.index]
    variant.desired, variant.desired_weight = change.desired, change.desired_weight
    variant.desired_serverless = change.desired_serverless
  end
end

return M
