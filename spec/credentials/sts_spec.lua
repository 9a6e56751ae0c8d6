local chain = require "support.chain"
local sts = require "sagemaker.credentials.sts"

local ANSWER = "<R><AssumeRoleResult><Credentials><AccessKeyId>AK</AccessKeyId><SecretAccessKey>S"
  .. "</SecretAccessKey><SessionToken>T</SessionToken><Expiration>2026-01-15T14:34:56Z"
  .. "</Expiration></Credentials></AssumeRoleResult></R>"

-- URL and signing region of the request for a role.
local function asked(env, config)
  env.AWS_PROFILE = "a"
  local client, world = chain.client({ env = env, files = {
    [".aws/config"] = "[profile a]\nrole_arn = arn:aws:iam::1:role/R\nsource_profile = a\n"
      .. "aws_access_key_id = AKB\naws_secret_access_key = S\n" .. (config or ""),
  } }, { { body = ANSWER } })
  assert(client, world)
  assert(chain.credentials(client))
  local request = world.transport.requests[1]
  return request.url, request.headers.Authorization:match("Credential=%w+/%d+/([^/]+)/sts/")
end

describe("sagemaker.credentials.sts", function()
  for what, case in pairs {
    ["in its region"] = { { AWS_REGION = "us-west-2" }, nil, "https://sts.us-west-2.amazonaws.com/",
      "us-west-2" },
    ["in China"] = { { AWS_REGION = "cn-north-1" }, nil,
      "https://sts.cn-north-1.amazonaws.com.cn/", "cn-north-1" },
    ["in the region of the profile"] = { {}, "region = eu-west-1\n",
      "https://sts.eu-west-1.amazonaws.com/", "eu-west-1" },
    ["globally by the environment"] = { { AWS_REGION = "us-west-2",
      AWS_STS_REGIONAL_ENDPOINTS = "legacy" }, nil, "https://sts.amazonaws.com/", "us-east-1" },
    ["globally by the profile"] = { { AWS_REGION = "us-west-2" },
      "sts_regional_endpoints = legacy\n", "https://sts.amazonaws.com/", "us-east-1" },
    ["in a region that never was global"] = { { AWS_REGION = "eu-south-1",
      AWS_STS_REGIONAL_ENDPOINTS = "legacy" }, nil, "https://sts.eu-south-1.amazonaws.com/",
      "eu-south-1" },
    ["regionally where the environment says so"] = { { AWS_REGION = "us-west-2",
      AWS_STS_REGIONAL_ENDPOINTS = "regional" }, "sts_regional_endpoints = legacy\n",
      "https://sts.us-west-2.amazonaws.com/", "us-west-2" },
    ["with FIPS"] = { { AWS_REGION = "us-west-2", AWS_USE_FIPS_ENDPOINT = "true" }, nil,
      "https://sts-fips.us-west-2.amazonaws.com/", "us-west-2" },
    ["on dual stack"] = { { AWS_REGION = "us-west-2", AWS_USE_DUALSTACK_ENDPOINT = "true" }, nil,
      "https://sts.us-west-2.api.aws/", "us-west-2" },
    ["at a URL of its own"] = { { AWS_REGION = "us-west-2",
      AWS_ENDPOINT_URL_STS = "http://localhost:1234/sts" }, nil, "http://localhost:1234/sts",
      "us-west-2" },
  } do
    it("is asked " .. what, function()
      local url, region = asked(case[1], case[2])
      assert.equal(case[3], url)
      assert.equal(case[4], region)
    end)
  end

  it("is not believed without keys", function()
    local io = { call = function() return {} end }
    local keys, reason, broken = sts.assume(io, "AssumeRole", { RoleArn = "r" }, {}, "x")
    assert.is_nil(keys)
    assert.equal("AssumeRole: the answer has no credentials", reason)
    assert.is_true(broken)
    io.call = function() return { Credentials = { AccessKeyId = "A" } } end
    keys, reason, broken = sts.assume(io, "AssumeRole", { RoleArn = "r" }, {}, "x")
    assert.is_nil(keys)
    assert.equal("secret_access_key is missing", reason)
    assert.is_true(broken)
  end)

  it("keeps the name of a session", function()
    local provider = {}
    assert.equal("sagemaker-lua-session-7", sts.session_name(provider,
      { now = function() return 7.9 end }))
    assert.equal("sagemaker-lua-session-7", sts.session_name(provider,
      { now = function() return 9 end }))
  end)
end)
