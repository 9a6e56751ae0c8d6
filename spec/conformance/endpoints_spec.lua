-- The endpoint test suites: of the services that this client talks to, through sagemaker.endpoint;
-- of their siblings and of the rules language itself, through sagemaker.rules.
local cjson = require "cjson"
local core = require "sagemaker.core"
local endpoint = require "sagemaker.endpoint"
local partitions = require "sagemaker.model.partitions"
local rules = require "sagemaker.rules"
local support = require "support"

local dir = support.conformance()
local FOLDER = dir and dir .. "/endpoints/"

-- The services of this client: folder of the vectors to what service:info() tells.
local SERVICES = {
  ["sagemaker"] = { id = "SageMaker", signing_name = "sagemaker" },
  ["sagemaker-runtime"] = { id = "SageMaker Runtime", signing_name = "sagemaker" },
  ["signin"] = { id = "Signin", signing_name = "signin" },
  ["sso"] = { id = "SSO", signing_name = "awsssoportal" },
  ["sso-oidc"] = { id = "SSO OIDC", signing_name = "sso-oauth" },
  ["sts"] = { id = "STS", signing_name = "sts" },
}

-- Entries of a folder, sorted; none where it is not there.
local function entries(path)
  local list = {}
  local pipe = io.popen(("ls '%s' 2>/dev/null"):format(path))
  for name in pipe:lines() do list[#list + 1] = name end
  pipe:close()
  return list
end

local function decode(path)
  local text = support.read(path)
  return text and cjson.decode(text)
end

-- The rule set that another engine's vectors have under this name.
local function elsewhere(file)
  for _, engine in ipairs(entries(FOLDER)) do
    local set = decode(("%s%s/valid-rules/%s"):format(FOLDER, engine, file))
    if set then return set end
  end
end

-- What a case says, without JSON's null.
local function params_of(case)
  local params = {}
  for name, value in pairs(type(case.params) == "table" and case.params or {}) do
    if value ~= cjson.null then params[name] = value end
  end
  return params
end

local function name_of(file, i, case)
  return ("%s[%d] %s"):format(file, i, case.documentation or "")
end

-- The parameters of a case, each with the option of this client that gives it.
local OPTIONS = { Endpoint = "endpoint_url", Region = "region", UseDualStack = "use_dualstack",
  UseFIPS = "use_fips", UseGlobalEndpoint = "sts_regional_endpoints" }

local function check_service(service, name, case)
  local options = {}
  for parameter, value in pairs(params_of(case)) do
    options[assert(OPTIONS[parameter], parameter)] = value
  end
  options.sts_regional_endpoints = options.sts_regional_endpoints and "legacy" or "regional"
  local resolved, _, err = endpoint.resolve(service, options)
  if case.expect.error then
    assert.is_nil(resolved, name)
    assert.equal(case.expect.error, err.message, name)
    return
  end
  local expected = case.expect.endpoint
  assert(resolved, name .. ": " .. tostring(err))
  assert.equal(expected.url, resolved.origin .. resolved.path, name)
  local scheme = ((expected.properties or {}).authSchemes or {})[1] or {}
  assert.equal(scheme.signingName or service.signing_name, resolved.signing_name, name)
  assert.equal(scheme.signingRegion or options.region, resolved.signing_region, name)
end

local function check_rules(set, of, name, case)
  local found, message = rules.evaluate(set, params_of(case), function(region)
    return rules.partition(of, region, core.match_pattern)
  end)
  if case.expect.error then
    assert.is_nil(found, name)
    assert.equal(case.expect.error, message, name)
    return
  end
  local expected = case.expect.endpoint
  assert(found, name .. ": " .. tostring(message))
  assert.equal(expected.url, found.url, name)
  assert.same(expected.properties or {}, found.properties, name)
  assert.same(expected.headers or {}, found.headers, name)
end

describe("conformance: endpoints", function()
  if not dir then
    pending("the vectors are not at hand")
    return
  end

  for _, folder in ipairs(entries(FOLDER .. "services")) do
    it("of " .. folder, function()
      local path = FOLDER .. "services/" .. folder
      local set = decode(path .. "/endpoint-rule-set-1.json")
      local cases = decode(path .. "/endpoint-tests-1.json").testCases
      for i, case in ipairs(cases) do
        local name = name_of(folder, i, case)
        if SERVICES[folder] then check_service(SERVICES[folder], name, case) end
        check_rules(set, partitions, name, case)
      end
      support.tally("endpoints " .. folder, #cases, {})
    end)
  end

  for _, engine in ipairs(entries(FOLDER)) do
    if engine:find("^engine%-") then
      it("by the " .. engine:gsub("%-", " ", 1), function()
        local path = FOLDER .. engine
        local own = decode(path .. "/partitions.json")
        local ran, skipped = 0, {}
        for _, file in ipairs(entries(path .. "/test-cases")) do
          local set = decode(path .. "/valid-rules/" .. file) or elsewhere(file)
          for i, case in ipairs(decode(path .. "/test-cases/" .. file).testCases) do
            local name = name_of(file, i, case)
            if not set then
              skipped[#skipped + 1] = { id = name, reason = "has no rule set" }
            else
              check_rules(set, own and own.partitions or partitions, name, case)
              ran = ran + 1
            end
          end
        end
        -- A decision diagram instead of a tree of rules: no service of this client has one.
        for _, file in ipairs(entries(path .. "/bdd")) do
          skipped[#skipped + 1] = { id = "bdd/" .. file,
            reason = "a decision diagram (rule sets with nodes); comes without cases" }
        end
        support.tally("endpoints " .. engine, ran, skipped)
      end)
    end
  end
end)
