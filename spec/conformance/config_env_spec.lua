-- Settings and credentials as botocore finds them, where options and the environment are all there
-- is.
local clients = require "sagemaker.client"
local credentials = require "sagemaker.credentials"
local env = require "sagemaker.env"
local support = require "support"

local cjson = require "cjson"

local SERVICES = {
  ["sagemaker"] = { name = "sagemaker", id = "SageMaker" },
  ["sagemaker-runtime"] = { name = "sagemaker-runtime", id = "SageMaker Runtime" },
}

local function optional(value)
  if value == cjson.null then return nil end
  return value
end

-- The variables that botocore reads and this client does not (yet).
local UNREAD = { AWS_PROFILE = true, AWS_DEFAULT_PROFILE = true, AWS_CONFIG_FILE = true,
  AWS_SHARED_CREDENTIALS_FILE = true, AWS_DEFAULTS_MODE = true,
  AWS_WEB_IDENTITY_TOKEN_FILE = true, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = true,
  AWS_CONTAINER_CREDENTIALS_FULL_URI = true }

local function unread(variables)
  for name in pairs(variables) do
    if UNREAD[name] then return name end
  end
end

-- The region that a configuration file gives and nothing else: such a file stands in the rows for
-- the option region.
local function file_region(text)
  text = optional(text)
  return text and text:match("^%[default%]\nregion = ([%w%-]+)\n$")
end

local function is_empty(text)
  return optional(text) == nil or text == ""
end

-- Why a row cannot be run, or nil.
local function reason_to_skip(row)
  if optional(row.profile) then return "names a profile" end
  if not is_empty(row.config) and not file_region(row.config) then
    return "has a configuration file"
  end
  if not is_empty(row.credentials) then return "has a credentials file" end
  local variable = unread(row.env)
  if variable then return "sets " .. variable end
  local retries = (row.client_args.config or {}).retries
  if row.env.AWS_RETRY_MODE == "adaptive" or retries and retries.mode == "adaptive" then
    return "the retry mode adaptive is not offered yet"
  end
  -- An empty variable counts as unset here; botocore takes "" as a region and fails on it.
  if row.env.AWS_DEFAULT_REGION == "" or row.env.AWS_MAX_ATTEMPTS == "" then
    return "an empty variable counts as unset (chosen)"
  end
end

local function options_of(row)
  local args = row.client_args
  local config = args.config or {}
  local retries = config.retries or {}
  return {
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "s" },
    endpoint_url = args.endpoint_url,
    io = { getenv = function(name) return row.env[name] end, now = os.time },
    region = args.region_name or (not row.env.AWS_DEFAULT_REGION and not row.env.AWS_REGION
      and file_region(row.config) or nil),
    retry = next(retries) and { mode = retries.mode, max_attempts = retries.total_max_attempts
      or nil } or nil,
  }
end

-- A call that a row's request_url belongs to.
local CALLS = {
  ["sagemaker"] = { "ListEndpoints", {} },
  ["sagemaker-runtime"] = { "InvokeEndpoint", { EndpointName = "e", Body = "" } },
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
    return
  end
  assert(client, row.id .. ": " .. tostring(err))
  assert(request, row.id .. ": " .. tostring(err))
  local expected, settings = row.result, client.settings
  assert.equal(expected.region, settings.region, row.id)
  -- botocore's URL of a bare host has no path; a request's has.
  assert.equal(expected.request_url:gsub("^(https?://[^/]+)$", "%1/"), request.url, row.id)
  assert.equal(expected.connect_timeout, settings.timeouts.connect, row.id)
  assert.equal(expected.read_timeout, settings.timeouts.read, row.id)
  assert.equal(optional(expected.ca_bundle), settings.tls.ca_file, row.id)
  assert.equal(optional(expected.user_agent_appid), settings.app_id, row.id)
  assert.equal(expected.retries.total_max_attempts, settings.max_attempts, row.id)
  if row.env.AWS_RETRY_MODE then
    assert.equal(expected.retries.mode, settings.retry_mode, row.id)
  end
end

-- A credentials row that needs nothing but the environment.
local function needs_more(row)
  if optional(row.profile) then return "names a profile" end
  for _, text in pairs(row.files or {}) do
    if text ~= "" then return "reads files" end
  end
  if #row.http > 0 or #row.requests > 0 then return "asks over HTTP" end
  local variable = unread(row.env)
  if variable then return "sets " .. variable end
end

local function check_credentials(row)
  local io = env.new { getenv = function(name) return row.env[name] end,
    now = function() return 1768480496 end }
  local keys, reason, broken = credentials.from(nil):get(io)
  local expected = optional(row.result)
  if row.error then
    assert.is_nil(keys, row.id)
    assert.is_true(broken, row.id)
    return
  end
  if not expected then
    assert.is_nil(keys, row.id)
    assert.is_string(reason, row.id)
    return
  end
  assert(keys, row.id .. ": " .. tostring(reason))
  assert.equal(expected.access_key, keys.access_key_id, row.id)
  assert.equal(expected.secret_key, keys.secret_access_key, row.id)
  assert.equal(optional(expected.token), keys.session_token, row.id)
  assert.equal(optional(expected.account_id), keys.account_id, row.id)
  local expiry = optional(expected.expiry)
  assert.equal(expiry and expiry["$timestamp"], keys.expires_at, row.id)
end

describe("conformance: configuration from the environment", function()
  if not support.conformance() then
    pending("the vectors are not at hand")
    return
  end

  local function run(name, why_not, test)
    local skipped, ran = {}, 0
    for _, row in ipairs(support.rows(name)) do
      local reason = why_not(row)
      if reason then
        skipped[#skipped + 1] = { id = row.id, reason = reason }
      else
        test(row)
        ran = ran + 1
      end
    end
    support.tally(name, ran, skipped)
  end

  it("settings", function()
    run("golden/config.jsonl", reason_to_skip, check)
  end)

  it("credentials", function()
    run("golden/credentials.jsonl", needs_more, check_credentials)
  end)
end)
