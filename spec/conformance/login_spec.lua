-- credentials/{botocore,smithy-rs}/login-provider-test-cases.json: keys of `aws login`, through the
-- client's own pipeline.

local chain = require "support.chain"
local cjson = require "cjson"
local core = require "sagemaker.core"
local support = require "support"

local CACHE = ".aws/login/cache/"
-- When these cases play, unless what they expect says otherwise.
local NOW = core.time.parse "2025-11-19T00:00:00Z"

local function cases_of(origin)
  local dir = support.conformance()
  if not dir then return {} end
  return cjson.decode((assert(support.read(
    ("%s/credentials/%s/login-provider-test-cases.json"):format(dir, origin)))))
end

local function answers_of(case)
  local answers = {}
  for i, call in ipairs(case.mockApiCalls or {}) do
    local response = call.response
    answers[i] = {
      status = call.responseCode or 200,
      body = response and cjson.encode(response.tokenOutput or response) or "{}",
    }
  end
  return answers
end

-- New keys last from now on for as long as the service says.
local function now_of(case)
  local call = (case.mockApiCalls or {})[1]
  local output = call and call.response and call.response.tokenOutput
  for _, outcome in ipairs(case.outcomes) do
    if output and outcome.expiresAt then
      return core.time.parse(outcome.expiresAt) - output.expiresIn
    end
  end
  return NOW
end

local function profile_of(case)
  return case.profile or case.configContents:match("%[profile ([^%]]+)%]")
end

local function check_requests(case, sent)
  assert.equal(#(case.mockApiCalls or {}), #sent)
  for i, call in ipairs(case.mockApiCalls or {}) do
    local request = sent[i]
    assert.equal("POST", request.method)
    assert.truthy(request.url:find("^https://[%w.-]+/v1/token$"), request.url)
    assert.same(call.request.tokenInput, cjson.decode(request.body))
    assert.truthy(request.headers.DPoP:find("^[%w_-]+%.[%w_-]+%.[%w_-]+$"))
    assert.is_nil(request.headers.Authorization)
  end
end

-- The files that an outcome expects, wherever it keeps them.
local function check_files(outcome, world)
  for name, expected in pairs(outcome) do
    if type(expected) == "table" and name:find("%.json$") then
      assert.same(expected, cjson.decode(world.files[chain.HOME .. "/" .. CACHE .. name]))
    elseif type(expected) == "table" then
      check_files(expected, world)
    end
  end
end

local CHECKS = {
  credentials = function(outcome, world, keys, message)
    assert.truthy(keys, message)
    assert.equal(outcome.accessKeyId, keys.access_key_id)
    assert.equal(outcome.secretAccessKey, keys.secret_access_key)
    assert.equal(outcome.sessionToken, keys.session_token)
    assert.equal(outcome.accountId, keys.account_id)
    assert.equal(core.time.parse(outcome.expiresAt), keys.expires_at)
    assert.equal("login", keys.source)
    return world
  end,
  cacheContents = check_files,
  error = function(_, world, keys, message)
    assert.is_nil(keys)
    for _, text in pairs(world.files) do
      for _, name in ipairs { "secretAccessKey", "sessionToken", "refreshToken" } do
        local secret = text:match('"' .. name .. '":"([^"]+)"')
        assert.falsy(secret and message:find(secret, 1, true), "a secret in the message")
      end
    end
  end,
}

local function run(case)
  local files = { [".aws/config"] = case.configContents }
  for name, document in pairs(case.cacheContents) do
    files[CACHE .. name] = cjson.encode(document)
  end
  -- An answer in error may be retried; the cases name one.
  local client, world = assert(chain.client({ files = files, profile = profile_of(case),
    env = { AWS_EC2_METADATA_DISABLED = "true", AWS_MAX_ATTEMPTS = "1" } },
    chain.script(answers_of(case)), now_of(case)))
  local keys, message = chain.credentials(client)
  check_requests(case, world.transport.requests)
  for _, outcome in ipairs(case.outcomes) do
    CHECKS[outcome.result](outcome, world, keys, message)
  end
end

for _, origin in ipairs { "botocore", "smithy-rs" } do
  describe("login cases of " .. origin, function()
    local cases, ran, skipped = cases_of(origin), 0, {}
    if #cases == 0 then
      pending("the conformance vectors are not at hand")
      return
    end
    for _, case in ipairs(cases) do
      local unknown
      for _, outcome in ipairs(case.outcomes) do
        if not CHECKS[outcome.result] then unknown = outcome.result end
      end
      if unknown then
        skipped[#skipped + 1] = { id = case.documentation,
          reason = "nothing here knows the outcome " .. tostring(unknown) }
      else
        it(case.documentation, function()
          ran = ran + 1
          run(case)
        end)
      end
    end
    teardown(function() support.tally("login " .. origin, ran, skipped) end)
  end)
end
