--- CreateInferenceComponent, DescribeInferenceComponent, ListInferenceComponents,
-- UpdateInferenceComponent, UpdateInferenceComponentRuntimeConfig, DeleteInferenceComponent.

local components = require "sagemaker.simulator.component"
local guardrails = require "sagemaker.simulator.guardrails"
local lifecycle = require "sagemaker.simulator.lifecycle"
local listing = require "sagemaker.simulator.listing"
local refusal = require "sagemaker.simulator.refusal"

local M = {}

local KIND = "inference-component"

local LISTING = {
  operation = "ListInferenceComponents",
  modified = function(record) return record.machine.modified end,
  status = function(record) return components.status(record.machine) end,
  filters = {
    EndpointNameEquals = function(record, name)
      return record.endpoint:lower() == name:lower()
    end,
    VariantNameEquals = function(record, name) return record.variant == name end,
  },
}

-- Why one specification cannot be, or nil.
local function bad_specification(specification)
  local container = specification.Container
  if specification.BaseInferenceComponentName then
    if specification.ModelName or specification.ComputeResourceRequirements then
      return "An adapter inference component must not specify ModelName or "
        .. "ComputeResourceRequirements: it uses those of its base."
    elseif not container or not container.ArtifactUrl then
      return "An adapter inference component must specify Container.ArtifactUrl."
    end
    return nil
  end
  if (specification.ModelName ~= nil) == (container ~= nil) then
    return "A specification must have one of ModelName and Container."
  elseif container and not container.Image then
    return "Container.Image must be specified."
  elseif not specification.ComputeResourceRequirements then
    return "ComputeResourceRequirements must be specified."
  end
  return nil
end

local function bad_list(specifications)
  local seen = {}
  for _, specification in ipairs(specifications) do
    local type = specification.InstanceType
    if not type then return "Each of Specifications must have an InstanceType." end
    if seen[type] then return ("Specifications has InstanceType %s twice."):format(type) end
    if specification.BaseInferenceComponentName then
      return "Adapters must be specified in Specification, not in Specifications."
    end
    seen[type] = true
  end
  return nil
end

-- Why an input's specifications cannot be, as a refusal; or true.
local function check_specifications(account, input)
  if (input.Specification ~= nil) == (input.Specifications ~= nil) then
    return refusal.validation("One of Specification and Specifications must be specified.")
  end
  local bad = input.Specifications and bad_list(input.Specifications)
  if bad then return refusal.validation(bad) end
  for _, specification in ipairs(components.specifications(input)) do
    bad = bad_specification(specification)
    if bad then return refusal.validation(bad) end
    if specification.ModelName then
      local model, refused = account:need("model", specification.ModelName, true)
      if not model then return nil, refused end
    end
  end
  return true
end

-- The endpoint that is to carry a component, and the name of the variant; or nil, refusal.
local function place(account, input)
  local endpoint, refused = account:need_endpoint(input.EndpointName)
  if not endpoint then return nil, refused end
  local m = endpoint.machine
  if not components.hosts(m.current) and m.current then
    return refusal.validation("Inference Components are not supported in this Endpoint. Please "
      .. "make sure this endpoint can deploy inference components.")
  elseif m.status ~= "InService" then
    return refusal.validation('Endpoint "%s" must be InService, it is %s.', endpoint.arn, m.status)
  end
  local variants, wanted = m.current.variants, input.VariantName
  if not wanted and #variants == 1 then return endpoint, variants[1].name end
  for _, variant in ipairs(variants) do
    if variant.name == wanted then return endpoint, wanted end
  end
  if not wanted then
    return refusal.validation("VariantName must be specified: the endpoint has %d variants.",
      #variants)
  end
  return refusal.validation("The endpoint has no variant '%s'.", wanted)
end

-- The component that an adapter stands on; or nil, refusal.
local function base_of(account, input)
  local base, refused =
    account:need_live(KIND, input.Specification.BaseInferenceComponentName)
  if not base then return nil, refused end
  if base.endpoint:lower() ~= input.EndpointName:lower() then
    return refusal.validation('The base inference component "%s" is not on endpoint %s.', base.arn,
      input.EndpointName)
  elseif base.base then
    return refusal.validation('"%s" is an adapter itself.', base.arn)
  elseif base.machine.status ~= "InService" then
    return refusal.validation('The base inference component "%s" must be InService, it is %s.',
      base.arn, components.status(base.machine))
  elseif input.RuntimeConfig then
    return refusal.validation("An adapter inference component must not specify RuntimeConfig.")
  end
  return base
end

-- Copies for each instance that has a component: how many there are of an adapter is its base's.
local function copies_of(input)
  return input.RuntimeConfig and input.RuntimeConfig.CopyCount or 1
end

local function blueprint_of(account, name, input, copies)
  return components.blueprint(name, input, copies, account:now(), function(model)
    return account.store:find("model", model)
  end)
end

function M.CreateInferenceComponent(account, input)
  local before = account:live(KIND, input.InferenceComponentName)
  if before then return refusal.exists("inference component", before.arn) end
  local good, refused = check_specifications(account, input)
  if not good then return nil, refused end
  local endpoint, variant = place(account, input)
  if not endpoint then return nil, variant end
  local base
  if input.Specification and input.Specification.BaseInferenceComponentName then
    base, refused = base_of(account, input)
    if not base then return nil, refused end
  end
  local record
  record, refused = account:add(KIND, input.InferenceComponentName, { Tags = input.Tags })
  if not record then return nil, refused end
  record.endpoint, record.variant = endpoint.name, base and base.variant or variant
  record.base = base and base.name
  record.machine = lifecycle.new(record.name)
  record.machine.endpoint = endpoint.name
  account:started(record)
  local now = account:now()
  local blueprint = blueprint_of(account, record.name, input, copies_of(input))
  lifecycle.create(record.machine, blueprint, nil, now, account.world)
  return { InferenceComponentArn = record.arn }
end

function M.DescribeInferenceComponent(account, input)
  local record, refused = account:need_live(KIND, input.InferenceComponentName)
  if not record then return nil, refused end
  return components.describe(account, record)
end

function M.ListInferenceComponents(account, input)
  local page, token = listing.page(account:visible(KIND), input, LISTING, account.secret)
  if not page then return nil, token end
  local rows = {}
  for i, record in ipairs(page) do rows[i] = components.row(account, record) end
  return { InferenceComponents = rows, NextToken = token }
end

-- A component on which the operation can be done now.
local function need_idle(account, name, operation)
  local record, refused = account:need_live(KIND, name)
  if not record then return nil, refused end
  local busy = lifecycle.busy(record.machine, operation)
  if busy == "in-progress" then
    return refusal.validation('Cannot update in-progress inference component "%s": it is in status '
      .. "%s_IN_PROGRESS.", record.arn,
      ({ Creating = "CREATE", Deleting = "DELETE" })[record.machine.status] or "UPDATE")
  elseif busy then
    return refusal.validation('Cannot update inference component "%s" in status Failed: it can '
      .. "only be deleted.", record.arn)
  end
  return record
end

local function scale(account, record, copies)
  account:started(record)
  lifecycle.scale(record.machine, { [record.name] = { desired = copies } }, account:now(),
    account.world)
  return { InferenceComponentArn = record.arn }
end

-- Why a component cannot change like this, or nil.
local function bad_update(record, input)
  local specification = input.Specification
  local base = specification and specification.BaseInferenceComponentName
  if base and (not record.base or base:lower() ~= record.base:lower()) then
    return "BaseInferenceComponentName cannot be changed."
  elseif record.base and specification and not base then
    return "An adapter inference component must keep its BaseInferenceComponentName."
  elseif record.base and input.RuntimeConfig then
    return "An adapter inference component must not specify RuntimeConfig."
  end
  return nil
end

-- A new specification, with the copies that are wanted from now on.
local function deploy(account, record, input)
  local good, refused = check_specifications(account, input)
  if not good then return nil, refused end
  local now, config = account:now(), input.DeploymentConfig
  local copies = input.RuntimeConfig and input.RuntimeConfig.CopyCount
    or record.machine.current.variants[1].desired
  local blueprint = blueprint_of(account, record.name, input, copies)
  local bad = guardrails.check(config, blueprint.variants)
  if bad then return refusal.validation(bad) end
  account:started(record)
  lifecycle.update(record.machine, blueprint, config, now, account.world)
  return { InferenceComponentArn = record.arn }
end

function M.UpdateInferenceComponent(account, input)
  local record, refused = need_idle(account, input.InferenceComponentName, "update")
  if not record then return nil, refused end
  local bad = bad_update(record, input)
  if bad then return refusal.validation(bad) end
  if input.Specification or input.Specifications then return deploy(account, record, input) end
  if input.DeploymentConfig then
    return refusal.validation("DeploymentConfig needs a Specification to deploy.")
  elseif not input.RuntimeConfig then
    return refusal.validation("There is nothing to update: specify Specification, Specifications "
      .. "or RuntimeConfig.")
  end
  return scale(account, record, input.RuntimeConfig.CopyCount)
end

function M.UpdateInferenceComponentRuntimeConfig(account, input)
  local record, refused = need_idle(account, input.InferenceComponentName, "scale")
  if not record then return nil, refused end
  if record.base then
    return refusal.validation("The copies of an adapter inference component are those of its base.")
  end
  return scale(account, record, input.DesiredRuntimeConfig.CopyCount)
end

function M.DeleteInferenceComponent(account, input)
  local record, refused = need_idle(account, input.InferenceComponentName, "delete")
  if not record then return nil, refused end
  for _, other in ipairs(account:visible(KIND, true)) do
    if other.base == record.name then
      return refusal.validation('Cannot delete inference component "%s" while it is the base of '
        .. '"%s".', record.arn, other.arn)
    end
  end
  account:started(record)
  lifecycle.delete(record.machine, account:now(), account.world)
  return {}
end

return M
