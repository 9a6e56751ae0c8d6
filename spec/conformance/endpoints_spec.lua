-- The endpoint test suites of the services that this client talks to.
local cjson = require "cjson"
local endpoint = require "sagemaker.endpoint"
local support = require "support"

local SERVICES = {
  ["sagemaker"] = "api.sagemaker",
  ["sagemaker-runtime"] = "runtime.sagemaker",
}

local function run(case, prefix)
  local params = type(case.params) == "table" and case.params or {}
  local service = { endpoint_prefix = prefix, signing_name = "sagemaker" }
  local resolved, _, err = endpoint.resolve(service,
    { region = params.Region, use_fips = params.UseFIPS, use_dualstack = params.UseDualStack,
      endpoint_url = params.Endpoint })
  if case.expect.error then
    assert.is_nil(resolved)
    assert.equal(case.expect.error, err.message)
  else
    assert(resolved, tostring(err))
    assert.equal(case.expect.endpoint.url, resolved.origin .. resolved.path)
  end
end

describe("conformance: endpoints", function()
  local dir = support.conformance()
  if not dir then
    pending("the vectors are not at hand")
    return
  end
  for service, prefix in pairs(SERVICES) do
    it("of " .. service, function()
      local text = support.read(("%s/endpoints/services/%s/endpoint-tests-1.json")
        :format(dir, service))
      local cases = cjson.decode(text).testCases
      for _, case in ipairs(cases) do run(case, prefix) end
      support.tally("endpoints " .. service, #cases, {})
    end)
  end
end)
