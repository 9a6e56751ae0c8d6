-- credentials/botocore/{imds,container}_fetcher.jsonl: botocore's two fetchers, recorded while its
-- own tests ran; smithy-rs' and aws-sdk-kotlin's cases of where they look.
--
-- The fetchers hand on what a service answers; the providers here answer credentials. Where a
-- recorded answer holds none ({"foo": "bar"}, Expiration "something"), keys are put in its place
-- and the requests compared.

local cjson = require "cjson"
local container = require "sagemaker.credentials.container"
local core = require "sagemaker.core"
local imds = require "sagemaker.credentials.imds"
local provider = require "support.provider"
local support = require "support"

local LATER = "2026-01-15T20:00:00Z"
-- The window (15 minutes) and jitter that a chain of botocore extends keys by; the fetcher's own
-- window, when it stands alone, is 10 minutes. With this random number it is 20 minutes in all.
local TWENTY_MINUTES, RANDOM = 1200, 180 / 481

local CODES = { ConnectionClosedError = "ConnectionReset", ConnectTimeoutError = "ConnectTimeout",
  EndpointConnectionError = "ConnectionRefused", ReadTimeoutError = "ReadTimeout" }

local function null(value)
  if value == support.null then return nil end
  return value
end

local function answers_of(row)
  local answers = {}
  for i, exchange in ipairs(row.exchanges) do
    local response = exchange.response
    answers[i] = response and { status = response.status, body = response.body }
      or { code = CODES[exchange.error] or exchange.error }
  end
  return answers
end

local function check_requests(row, world, names)
  assert.equal(#row.exchanges, #world.requests)
  for i, exchange in ipairs(row.exchanges) do
    local expected, request = exchange.request, world.requests[i]
    assert.equal(expected.method, request.method)
    assert.equal(expected.url, request.url)
    for _, name in ipairs(names) do
      assert.equal(expected.headers[name], request.headers[name], name)
    end
  end
end

-- Runs `run` on each row that `skip` gives no reason for.
local function suite(name, rows, skip, run)
  if #rows == 0 then
    pending("the conformance vectors are not at hand")
    return
  end
  support.suite({ it = it, teardown = teardown }, name, rows, function(row)
    return row.id or row.docs or row.name
  end, skip, run)
end

local function tests_of(name)
  local dir = support.conformance()
  if not dir then return {} end
  return cjson.decode((assert(support.read(dir .. "/credentials/" .. name)))).tests
end

describe("botocore's IMDS fetcher", function()
  local function world_of(row)
    local config, result = row.config, null(row.result) or {}
    local now, answers = nil, answers_of(row)
    for _, answer in ipairs(answers) do
      local keys = answer.body and answer.body:find("{", 1, true) and cjson.decode(answer.body)
      local expiration = keys and keys.Expiration
      if expiration and not core.time.parse(expiration) then
        answer.body = answer.body:gsub('"' .. expiration .. '"', '"' .. LATER .. '"')
      elseif expiration and expiration ~= result.expiry_time then
        now = core.time.parse(result.expiry_time) - TWENTY_MINUTES
      end
    end
    local world = provider.world { answers = answers, now = now,
      random = function() return RANDOM end, env = {
        AWS_EC2_METADATA_DISABLED = tostring(config._disabled),
        AWS_EC2_METADATA_SERVICE_ENDPOINT = config._base_url,
        AWS_EC2_METADATA_V1_DISABLED = tostring(null(config._imds_v1_disabled)),
        AWS_METADATA_SERVICE_NUM_ATTEMPTS = tostring(config._num_attempts),
        AWS_METADATA_SERVICE_TIMEOUT = tostring(config._timeout),
      } }
    world.io.settings = { user_agent = null(config._user_agent) }
    return world
  end

  suite("imds_fetcher", support.rows "credentials/botocore/imds_fetcher.jsonl", function(row)
    if row.method ~= "retrieve_iam_role_credentials" then return "keys are all that IMDS is for" end
    return nil
  end, function(row)
    local world, result = world_of(row), null(row.result) or {}
    local keys, reason, broken = imds.new():get(world.io)
    if not core.uri.split(row.config._base_url) then
      -- An IPv6 address without brackets: botocore sends something somewhere.
      assert.is_nil(keys)
      assert.is_true(broken)
      assert.same({}, world.requests)
      return
    end
    check_requests(row, world, { "User-Agent", "x-aws-ec2-metadata-token",
      "x-aws-ec2-metadata-token-ttl-seconds" })
    if not result.access_key then
      assert.is_nil(keys)
      assert.is_string(reason)
      return
    end
    assert.equal(result.access_key, keys.access_key_id)
    assert.equal(result.secret_key, keys.secret_access_key)
    assert.equal(result.token, keys.session_token)
    assert.equal(core.time.parse(result.expiry_time) or core.time.parse(LATER), keys.expires_at)
  end)
end)

describe("botocore's container fetcher", function()
  local KEYS = cjson.encode { AccessKeyId = "a", SecretAccessKey = "b", Token = "c",
    Expiration = LATER }

  suite("container_fetcher", support.rows "credentials/botocore/container_fetcher.jsonl",
    function(row)
      if next(row.args[1][2] or {}) then
        return "headers that a program hands in: the only one here is the token's"
      end
      return nil
    end, function(row)
      local answers = answers_of(row)
      if row.result then answers[#answers].body = KEYS end
      local name = row.method == "retrieve_uri" and "RELATIVE" or "FULL"
      local world = provider.world { answers = answers,
        env = { ["AWS_CONTAINER_CREDENTIALS_" .. name .. "_URI"] = row.args[1][1] } }
      local keys, reason, broken = container.new():get(world.io)
      check_requests(row, world, { "Accept", "Authorization" })
      if row.result then
        assert.equal("a", keys.access_key_id)
      else
        assert.is_nil(keys)
        assert.is_string(reason)
        assert.is_true(broken)
      end
    end)
end)

describe("smithy-rs' container cases", function()
  suite("ecs-tests", tests_of "smithy-rs/ecs-tests.json", function() return nil end, function(row)
    local world = provider.world { env = row.env, answers = { { code = "ConnectionReset" },
      { code = "ConnectionReset" }, { code = "ConnectionReset" } } }
    local keys, _, broken = container.new():get(world.io)
    assert.is_nil(keys)
    if row.result.Ok then
      assert.equal(row.result.Ok, world.requests[1].url)
    else
      assert.equal(0, #world.requests)
      assert.equal(next(row.env) ~= nil or nil, broken)
    end
  end)
end)

for name, file in pairs { kotlin = "aws-sdk-kotlin/imds_test_suite.json",
  ["smithy-rs"] = "smithy-rs/imds-config/imds-endpoint-tests.json" } do
  describe(name .. "'s IMDS endpoints", function()
    suite(name .. " imds", tests_of(file), function(row)
      if row.modeOverride or row.mode_override then
        return "a mode that a program hands in: here it is a setting"
      end
      return nil
    end, function(row)
      local env = {}
      for key, value in pairs(row.env) do env[key] = value end
      if env.AWS_CONFIG_FILE then env.AWS_CONFIG_FILE = "<HOME>/" .. env.AWS_CONFIG_FILE end
      local world = provider.world { env = env, files = row.fs, answers = { { status = 400 } } }
      local keys, _, broken = imds.new():get(world.io)
      assert.is_nil(keys)
      if row.result.Ok then
        assert.equal(row.result.Ok, world.requests[1].url)
      else
        assert.equal(0, #world.requests)
        assert.is_true(broken)
      end
    end)
  end)
end
