local imds = require "sagemaker.credentials.imds"
local provider = require "support.provider"

local function keys_until(expiration)
  return { body = ([[{"Code": "Success", "AccessKeyId": "AK", "SecretAccessKey": "hush-secret",
    "Token": "hush-token", "Expiration": "%s", "AccountId": "111122223333"}]]):format(expiration) }
end

local TOKEN, ROLE = { body = "hush-session" }, { body = "my-role" }
local KEYS = keys_until "2026-01-15T18:34:56Z"
local TOKEN_URL = "http://169.254.169.254/latest/api/token"
local ROLE_URL = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"

local function get(env, answers, files)
  local world = provider.world { env = env, answers = answers, files = files }
  local keys, reason, broken = imds.new { profile = "default" }:get(world.io)
  return keys, reason, broken, world
end

local function urls(world)
  local list = {}
  for i, request in ipairs(world.requests) do list[i] = request.method .. " " .. request.url end
  return list
end

describe("sagemaker.credentials.imds", function()
  it("asks with a session token, off any proxy and within a second", function()
    local keys, _, _, world = get({}, { TOKEN, ROLE, KEYS })
    assert.equal("AK", keys.access_key_id)
    assert.equal("hush-token", keys.session_token)
    assert.equal(1768502096, keys.expires_at)
    assert.equal("iam-role", keys.source)
    assert.is_nil(keys.account_id) -- as in botocore
    assert.same({ "PUT " .. TOKEN_URL, "GET " .. ROLE_URL, "GET " .. ROLE_URL .. "my-role" },
      urls(world))
    assert.equal("21600", world.requests[1].headers["x-aws-ec2-metadata-token-ttl-seconds"])
    for i, request in ipairs(world.requests) do
      assert.equal(i > 1 and "hush-session" or nil, request.headers["x-aws-ec2-metadata-token"])
      assert.is_true(request.direct)
      assert.same({ attempt = 5, connect = 1, read = 1 }, request.timeouts)
    end
  end)

  it("does not apply where it is switched off", function()
    for _, value in ipairs { "true", "TRUE", "True" } do
      local keys, reason, broken, world = get { AWS_EC2_METADATA_DISABLED = value }
      assert.is_nil(keys)
      assert.equal("switched off by AWS_EC2_METADATA_DISABLED", reason)
      assert.is_nil(broken)
      assert.same({}, world.requests)
    end
    assert.truthy((get({ AWS_EC2_METADATA_DISABLED = "yes" }, { TOKEN, ROLE, KEYS })))
  end)

  it("goes on without a token where the service gives none", function()
    for _, first in ipairs { { status = 403 }, { status = 404 }, { status = 405 }, { status = 500 },
      { code = "ConnectTimeout" }, { code = "ReadTimeout" }, { body = "" }, { body = "a\r\nb" } } do
      local keys, _, _, world = get({}, { first, ROLE, KEYS })
      assert.truthy(keys)
      assert.is_nil(world.requests[2].headers["x-aws-ec2-metadata-token"])
    end
  end)

  it("stops at a refused token, and without one where IMDSv1 is switched off", function()
    local _, reason, _, world = get({}, { { status = 400 } })
    assert.equal("IMDS refused to give a token (HTTP status 400)", reason)
    assert.equal(1, #world.requests)
    local files = { [".aws/config"] = "[default]\nec2_metadata_v1_disabled = True\n" }
    for _, case in ipairs { { { AWS_EC2_METADATA_V1_DISABLED = "true" } }, { {}, files } } do
      _, reason, _, world = get(case[1], { { status = 404 } }, case[2])
      assert.equal("IMDS gave no token, and IMDSv1 is switched off", reason)
      assert.equal(1, #world.requests)
    end
    assert.truthy((get({ AWS_EC2_METADATA_V1_DISABLED = "false" }, { { status = 404 }, ROLE, KEYS },
      files)))
  end)

  it("takes the endpoint from the environment, else from the profile", function()
    local config = { [".aws/config"] = "[default]\nec2_metadata_service_endpoint = http://a:1/\n"
      .. "ec2_metadata_service_endpoint_mode = ipv6\n" }
    local _, _, _, world = get({}, { TOKEN, ROLE, KEYS }, config)
    assert.equal("http://a:1/latest/api/token", world.requests[1].url)
    _, _, _, world = get({ AWS_EC2_METADATA_SERVICE_ENDPOINT = "http://b" }, { TOKEN, ROLE, KEYS },
      config)
    assert.equal("http://b/latest/api/token", world.requests[1].url)
    _, _, _, world = get({ AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE = "IPv6" }, { TOKEN, ROLE, KEYS })
    assert.equal("http://[fd00:ec2::254]/latest/api/token", world.requests[1].url)
    for mode, url in pairs { [""] = "http://[fd00:ec2::254]/latest/api/token", IPv4 = TOKEN_URL } do
      _, _, _, world = get({ AWS_IMDS_USE_IPV6 = "true",
        AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE = mode }, { TOKEN, ROLE, KEYS })
      assert.equal(url, world.requests[1].url)
    end
  end)

  it("names a setting that cannot be used", function()
    for name, value in pairs { AWS_EC2_METADATA_SERVICE_ENDPOINT = "not a url",
      AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE = "IPv9", AWS_METADATA_SERVICE_TIMEOUT = "soon",
      AWS_METADATA_SERVICE_NUM_ATTEMPTS = "-1" } do
      local keys, reason, broken, world = get { [name] = value }
      assert.is_nil(keys)
      assert.truthy(reason:find(name, 1, true), reason)
      assert.is_true(broken)
      assert.same({}, world.requests)
    end
  end)

  it("tries as often, and waits as long, as it is told", function()
    local keys, _, _, world = get({ AWS_METADATA_SERVICE_NUM_ATTEMPTS = "3",
      AWS_METADATA_SERVICE_TIMEOUT = "0.5" },
      { { code = "ConnectionReset" }, TOKEN, { status = 429 }, { body = "" }, ROLE,
        { status = 500 }, { body = "{" }, KEYS })
    assert.truthy(keys)
    assert.equal(8, #world.requests)
    assert.same({ attempt = 2.5, connect = 0.5, read = 0.5 }, world.requests[1].timeouts)
    keys = get({}, { TOKEN, ROLE, { status = 500 } })
    assert.is_nil(keys)
  end)

  it("says what IMDS said without its words", function()
    for reason, answers in pairs {
      ["IMDS has no keys for the role: AssumeRoleUnauthorizedAccess"] =
        { TOKEN, ROLE, { body = '{"Code": "AssumeRoleUnauthorizedAccess", "Message": "hush"}' } },
      ["the answer of IMDS is not JSON"] = { TOKEN, ROLE, { body = "hush" } },
      ["the answer of IMDS has no Token, Expiration"] =
        { TOKEN, ROLE, { body = '{"AccessKeyId": "hush", "SecretAccessKey": "hush"}' } },
      ["the answer of IMDS has an Expiration that is not a time"] = { TOKEN, ROLE,
        keys_until "hush" },
      ["IMDS answered no name of a role"] = { TOKEN, { body = "../hush role" } },
      ["IMDS answered HTTP status 404"] = { TOKEN, { status = 404, body = "hush" } },
      ["ConnectionReset: it said …"] =
        { TOKEN, { code = "ConnectionReset", message = "it said hush-session" } },
    } do
      local keys, found, broken = get({}, answers)
      assert.is_nil(keys)
      assert.equal(reason, found)
      assert.is_nil(broken)
    end
  end)

  it("extends keys that end soon, with jitter", function()
    local answers = { TOKEN, ROLE, keys_until "2026-01-15T10:00:00Z" }
    for random, seconds in pairs { [0] = 1020, [0.5] = 1260, [0.999999] = 1500 } do
      local world = provider.world { answers = answers, random = function() return random end }
      local keys = imds.new():get(world.io)
      assert.equal(world.now + seconds, keys.expires_at)
      assert.equal(world.now + seconds - 900, keys.refresh_at)
    end
  end)

  it("goes on with the keys it knows while IMDS is down, not when the role is gone", function()
    local world = provider.world { answers = { TOKEN, ROLE, keys_until "2026-01-15T12:40:00Z",
      { code = "ConnectTimeout" }, { code = "ConnectTimeout" }, TOKEN, { status = 503 },
      TOKEN, { status = 404 } } }
    local one = imds.new()
    assert.truthy(one:get(world.io))
    for _ = 1, 2 do
      world.now = world.now + 3600
      local keys = one:get(world.io)
      assert.equal("AK", keys.access_key_id)
      assert.equal(world.now + 1020, keys.expires_at)
      assert.falsy(tostring(keys):find("hush", 1, true))
    end
    assert.is_nil((one:get(world.io)))
    local never = provider.world { answers = { TOKEN, { status = 503 } } }
    assert.is_nil((imds.new():get(never.io)))
  end)
end)
