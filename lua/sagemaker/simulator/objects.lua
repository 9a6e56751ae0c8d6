--- What asynchronous invocations read and write, by s3:// location. The oldest go when there are
-- too many: this is no store, only the place where a test looks.

local M = {}

local Objects = { __name = "sagemaker.simulator.objects" }
Objects.__index = Objects

-- So many objects are kept.
local KEPT = 1000

---@class sagemaker.simulator.objects
---@field bodies table<string, string>
---@field order string[]

---@return sagemaker.simulator.objects
function M.new()
  return setmetatable({ bodies = {}, order = {} }, Objects)
end

---@param location string
---@param body string
function Objects:put(location, body)
  if not self.bodies[location] then
    self.order[#self.order + 1] = location
    if #self.order > KEPT then self.bodies[table.remove(self.order, 1)] = nil end
  end
  self.bodies[location] = body
end

---@param location string|nil
---@return string|nil
function Objects:get(location)
  return location and self.bodies[location]
end

return M
