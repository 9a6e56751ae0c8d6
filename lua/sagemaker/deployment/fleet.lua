--- The instances behind an endpoint, as rules and plans need them.

local M = {}

---@class sagemaker.deployment.Variant
---@field name? string
---@field instances? integer nil when it is not known
---@field serverless? boolean it has no instances

---@class sagemaker.deployment.Fleet
---@field variants sagemaker.deployment.Variant[] the new fleet
---@field old? integer|sagemaker.deployment.Fleet the fleet in service, when it differs

---@class sagemaker.deployment.KnownFleet
---@field variants sagemaker.deployment.Variant[]
---@field old? sagemaker.deployment.KnownFleet

local FIELDS = { variants = true, old = true }

local function is_count(value)
  return type(value) == "number" and value % 1 == 0 and value >= 0 and value < 2 ^ 31
end

local function check_variant(variant, i)
  local where = ("fleet.variants[%d]"):format(i)
  if type(variant) ~= "table" then error(where .. " must be a table", 0) end
  if variant.name ~= nil and type(variant.name) ~= "string" then
    error(where .. ".name must be a string", 0)
  end
  if variant.instances ~= nil and (not is_count(variant.instances) or variant.instances < 1) then
    error(where .. ".instances must be a whole number of at least 1", 0)
  end
  return { name = variant.name, instances = variant.instances, serverless = variant.serverless }
end

--- The one form that rules and plans read. Throws on anything that is no fleet.
---@param fleet integer|sagemaker.deployment.Fleet|nil a number of instances, or the variants
---@return sagemaker.deployment.KnownFleet|nil nil when nothing is known
function M.normalize(fleet)
  if fleet == nil then return nil end
  if type(fleet) == "number" then
    if not is_count(fleet) or fleet < 1 then
      error("fleet must be a whole number of instances, at least 1", 0)
    end
    return { variants = { { instances = fleet } } }
  end
  if type(fleet) ~= "table" or type(fleet.variants) ~= "table" or #fleet.variants == 0 then
    error("fleet must be a number of instances or {variants = {{name =, instances =}, ...}}", 0)
  end
  for name in pairs(fleet) do
    if not FIELDS[name] then error(("fleet has no field %s"):format(tostring(name)), 0) end
  end
  local known = { variants = {}, old = M.normalize(fleet.old) }
  for i, variant in ipairs(fleet.variants) do known.variants[i] = check_variant(variant, i) end
  return known
end

--- Whether any variant of the new or the old fleet is serverless, and how many variants the larger
-- of the two has.
---@param fleet sagemaker.deployment.KnownFleet
---@return boolean serverless
---@return integer variants
function M.traits(fleet)
  local serverless, most = false, 0
  for _, side in ipairs{ fleet, fleet.old } do
    most = math.max(most, #side.variants)
    for _, variant in ipairs(side.variants) do serverless = serverless or variant.serverless end
  end
  return serverless and true or false, most
end

--- The instances of all variants, or nil when one is not known.
---@param fleet sagemaker.deployment.KnownFleet
---@return integer|nil
function M.instances(fleet)
  local sum = 0
  for _, variant in ipairs(fleet.variants) do
    if not variant.instances then return nil end
    sum = sum + variant.instances
  end
  return sum
end

-- What an entry of DescribeEndpoint or DescribeEndpointConfig says of its variant.
local function variant_of(row, described)
  local scaling = row.ManagedInstanceScaling
  local count = row.InitialInstanceCount
  if described then count = row.DesiredInstanceCount or row.CurrentInstanceCount end
  if count == nil and scaling then count = scaling.MinInstanceCount end
  local serverless = row.ServerlessConfig or row.CurrentServerlessConfig
    or row.DesiredServerlessConfig
  if serverless or count == 0 then count = nil end
  return { name = row.VariantName, instances = count, serverless = serverless ~= nil }
end

--- The fleet that an endpoint configuration asks for, or that an endpoint has.
---@param rows table[]|nil ProductionVariants of DescribeEndpointConfig or DescribeEndpoint
---@param described? boolean true for those of DescribeEndpoint
---@return sagemaker.deployment.KnownFleet|nil nil when there is no variant
function M.of(rows, described)
  if type(rows) ~= "table" or #rows == 0 then return nil end
  local fleet = { variants = {} }
  for i, row in ipairs(rows) do fleet.variants[i] = variant_of(row, described) end
  return fleet
end

return M
