-- Settings as botocore finds them in options, environment and the shared files, and the tables of
-- configured endpoint URLs.
local cjson = require "cjson"
local clients = require "sagemaker.client"
local config = require "sagemaker.config"
local env = require "sagemaker.env"
local files = require "support.files"
local support = require "support"

local SERVICES = {
  ["sagemaker"] = { name = "sagemaker", id = "SageMaker" },
  ["sagemaker-runtime"] = { name = "sagemaker-runtime", id = "SageMaker Runtime" },
}

local function optional(value)
  if value == cjson.null then return nil end
  return value
end

-- The reasons why a row is not expected to hold, each by a rule.

local function empty_variable(row)
  for name, value in pairs(row.env) do
    if value == "" then return ("%s is empty, which counts as unset (chosen)"):format(name) end
  end
end

local function byte_order_mark(row)
  local text = optional(row.config)
  if text and text:find("^\239\187\191") then return "a byte order mark is passed over (chosen)" end
end

-- The SDKs' file format merges sections of one name; botocore's parser refuses them.
local function repeated_section(row)
  local seen = {}
  for header in (optional(row.config) or ""):gmatch("%[([^%]\n]+)%]") do
    if seen[header] then return "repeated sections merge, as the file format says" end
    seen[header] = true
  end
end

local function reason_to_skip(row)
  return empty_variable(row) or byte_order_mark(row) or repeated_section(row)
end

local function options_of(row)
  local args = row.client_args
  local wanted = args.config or {}
  local retries = wanted.retries or {}
  local io = files.user(row.env, optional(row.config), optional(row.credentials))
  io.now = os.time
  return {
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "s" },
    endpoint_url = args.endpoint_url,
    io = io,
    profile = optional(row.profile),
    region = args.region_name,
    retry = next(retries) and { mode = retries.mode, max_attempts = retries.total_max_attempts }
      or nil,
  }
end

-- A call that a row's request_url belongs to.
local CALLS = {
  ["sagemaker"] = { "ListEndpoints", {} },
  ["sagemaker-runtime"] = { "InvokeEndpoint", { EndpointName = "e", Body = "" } },
}

local function check_result(row, settings, request)
  local expected = row.result
  assert.equal(expected.region, settings.region, row.id)
  -- botocore's URL of a bare host has no path; a request's has.
  assert.equal(expected.request_url:gsub("^(https?://[^/]+)$", "%1/"), request.url, row.id)
  -- boto3 hands its own connect_timeout to every client, so that a mode of defaults has no effect
  -- on it there; here it has.
  if not settings.defaults_mode then
    assert.equal(expected.connect_timeout, settings.timeouts.connect, row.id)
  end
  assert.equal(expected.read_timeout, settings.timeouts.read, row.id)
  assert.equal(optional(expected.ca_bundle), settings.tls.ca_file, row.id)
  assert.equal(optional(expected.user_agent_appid), settings.app_id, row.id)
  assert.equal(expected.retries.total_max_attempts, settings.max_attempts, row.id)
  -- "legacy" is botocore's default; ours is "standard".
  local mode = expected.retries.mode
  if mode == "legacy" and not settings.sources.retry_mode then mode = "standard" end
  assert.equal(mode, settings.retry_mode, row.id)
  -- A custom URL switches both off here; there they stay on without effect.
  if not settings.endpoint_url then
    assert.equal(optional(expected.use_fips) or false, settings.use_fips, row.id)
    assert.equal(optional(expected.use_dualstack) or false, settings.use_dualstack, row.id)
  end
end

-- What the classes of errors are here.
local CODES = {
  ConfigParseError = "InvalidConfigFile",
  InvalidDefaultsMode = "InvalidSetting",
  InvalidMaxRetryAttemptsError = "InvalidSetting",
  InvalidRegionError = "InvalidRegion",
  InvalidRetryModeError = "InvalidSetting",
  NoRegionError = "NoRegion",
  ProfileNotFound = "ProfileNotFound",
}

local function check(row)
  local client, _, err = clients.new(options_of(row), SERVICES[row.service])
  local request
  if client then
    local call = CALLS[row.service]
    request, _, err = client:request(call[1], call[2])
  end
  if row.error then
    assert.is_nil(request, row.id)
    assert.equal("config", err.kind, row.id)
    local code = CODES[row.error.cls]
    if code then assert.equal(code, err.code, row.id) end
    return
  end
  assert(request, row.id .. ": " .. tostring(err))
  check_result(row, client.settings, request)
end

-- The tables of configured endpoint URLs speak of S3 and DynamoDB; here these are the control plane
-- and the runtime.
local PARTS = {
  s3 = { name = "sagemaker", id = "SageMaker", section = "sagemaker",
    variable = "AWS_ENDPOINT_URL_SAGEMAKER" },
  dynamodb = { name = "sagemaker-runtime", id = "SageMaker Runtime",
    section = "sagemaker_runtime", variable = "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME" },
}

-- The suite's profiles and services as the text of a configuration file.
local function file_of(suite)
  local lines = {}
  local function line(format, ...)
    lines[#lines + 1] = format:format(...)
  end
  for name, properties in pairs(suite.profiles) do
    line(name == "default" and "[default]" or "[profile %s]", name)
    for key, value in pairs(properties) do line("%s = %s", key, value) end
  end
  for name, services in pairs(suite.services) do
    line("[services %s]", name)
    for service, properties in pairs(services) do
      line("%s =", PARTS[service].section)
      for key, value in pairs(properties) do line("  %s = %s", key, value) end
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

local function variables_of(environment)
  local variables = {}
  for name, value in pairs(environment) do
    local service = name:match("^AWS_ENDPOINT_URL_(.+)$")
    variables[service and PARTS[service:lower()].variable or name] = value
  end
  return variables
end

local function truth(value)
  if value == nil then return nil end
  return tostring(value) == "true"
end

local function check_url(suite, text, case)
  local part, wanted = PARTS[case.service], suite.client_configs[case.client_config]
  local io = env.new(files.user(variables_of(suite.environments[case.environment]), text))
  local settings = assert(config.new({
    endpoint_url = wanted.endpoint_url,
    ignore_configured_endpoint_urls = truth(wanted.ignore_configured_endpoint_urls),
    profile = case.profile,
  }, io, part))
  assert(config.complete(settings))
  local expected = case.output.endpointUrl
  -- AWS's own host of a service stands for "none configured".
  if expected:find("%.amazonaws%.com$") then expected = nil end
  assert.equal(expected, settings.endpoint_url, case.name)
end

describe("conformance: configuration", function()
  if not support.conformance() then
    pending("the vectors are not at hand")
    return
  end

  it("settings", function()
    local ran, skipped = 0, {}
    for _, row in ipairs(support.rows("golden/config.jsonl")) do
      local reason = reason_to_skip(row)
      if reason then
        skipped[#skipped + 1] = { id = row.id, reason = reason }
      else
        check(row)
        ran = ran + 1
      end
    end
    support.tally("golden/config.jsonl", ran, skipped)
  end)

  for _, folder in ipairs { "configured_endpoint_urls", "configured_endpoint_urls-awscli" } do
    it(folder, function()
      local path = ("%s/endpoints/%s/profile-tests.json"):format(support.conformance(), folder)
      local count = 0
      for _, suite in ipairs(cjson.decode(support.read(path)).testSuites) do
        local text = file_of(suite)
        for _, case in ipairs(suite.endpointUrlTests) do
          check_url(suite, text, case)
          count = count + 1
        end
      end
      support.tally(folder, count, {})
    end)
  end
end)
