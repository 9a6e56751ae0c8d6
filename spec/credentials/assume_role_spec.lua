local assume_role = require "sagemaker.credentials.assume_role"
local chain = require "support.chain"
local profile = require "sagemaker.credentials.profile"

local KEYS = "aws_access_key_id = AKB\naws_secret_access_key = HIDDEN\n"

-- The injected functions of a row, with an STS that records its calls and gives AK1, AK2 …
local function io_of(config, env)
  local io = chain.world { files = { [".aws/config"] = config }, env = env }.io
  io.calls, io.region = {}, "eu-west-1"
  function io.call(service, operation, params, credentials, opts)
    local n = #io.calls + 1
    io.calls[n] = { service = service, operation = operation, params = params,
      by = credentials and credentials.access_key_id, opts = opts }
    if io.failure then return nil, io.failure, {} end
    return { Credentials = { AccessKeyId = "AK" .. n, SecretAccessKey = "S", SessionToken = "T",
      Expiration = io.now() + (io.lifetime or 3600) },
      AssumedRoleUser = { Arn = "arn:aws-cn:sts::111122223333:assumed-role/R/s" } }
  end
  return io
end

local function provider_of(name, prompt)
  return assume_role.new { profile = name, prompt = prompt, of_profile = profile.config }
end

describe("sagemaker.credentials.assume_role", function()
  it("asks for the role with the keys of the source profile", function()
    local io = io_of("[profile a]\nrole_arn = arn:R\nsource_profile = b\nexternal_id = x\n"
      .. "duration_seconds = 900\nrole_session_name = s\n[profile b]\n" .. KEYS)
    local keys = assert(provider_of("a"):get(io))
    assert.same({ service = "sts", operation = "AssumeRole", by = "AKB", params = {
      RoleArn = "arn:R", ExternalId = "x", DurationSeconds = 900, RoleSessionName = "s" } },
      io.calls[1])
    assert.equal("AK1", keys.access_key_id)
    assert.equal("111122223333", keys.account_id)
    assert.equal("assume-role", keys.source)
    assert.equal(chain.NOW + 3600, keys.expires_at)
  end)

  it("keeps the keys in between, and the name of the session", function()
    local io = io_of("[profile a]\nrole_arn = arn:A\nsource_profile = b\n"
      .. "[profile b]\nrole_arn = arn:B\nsource_profile = c\n[profile c]\n" .. KEYS)
    local provider = provider_of("a")
    assert.equal("AK2", provider:get(io).access_key_id)
    local name = io.calls[2].params.RoleSessionName
    assert.equal(("sagemaker-lua-session-%d"):format(chain.NOW), name)
    io.now = function() return chain.NOW + 60 end
    assert.equal("AK3", provider:get(io).access_key_id)
    assert.equal(3, #io.calls)
    assert.equal("arn:A", io.calls[3].params.RoleArn)
    assert.equal("AK1", io.calls[3].by)
    assert.equal(name, io.calls[3].params.RoleSessionName)
    io.now = function() return chain.NOW + 3500 end
    assert.equal("AK5", provider:get(io).access_key_id)
    assert.equal("arn:B", io.calls[4].params.RoleArn)
  end)

  it("takes keys of the environment where the profile says so", function()
    local io = io_of("[default]\nrole_arn = arn:R\ncredential_source = Environment\n",
      { AWS_ACCESS_KEY_ID = "AKE", AWS_SECRET_ACCESS_KEY = "S" })
    assert.truthy(provider_of("default"):get(io))
    assert.equal("AKE", io.calls[1].by)
  end)

  it("asks for the code of an MFA device each time", function()
    local io = io_of("[profile a]\nrole_arn = arn:R\nsource_profile = a\nmfa_serial = arn:mfa\n"
      .. KEYS)
    local asked = {}
    local provider = provider_of("a", function(serial)
      asked[#asked + 1] = serial
      return "12345" .. #asked
    end)
    assert.truthy(provider:get(io))
    assert.truthy(provider:get(io))
    assert.same({ "arn:mfa", "arn:mfa" }, asked)
    assert.equal("arn:mfa", io.calls[1].params.SerialNumber)
    assert.equal("123451", io.calls[1].params.TokenCode)
    assert.equal("123452", io.calls[2].params.TokenCode)
  end)

  it("does not apply to profiles without a role, nor to those for web identity", function()
    for _, text in ipairs { "", "[default]\nregion = x\n",
      "[default]\nrole_arn = r\nweb_identity_token_file = f\nsource_profile = b\n" } do
      local keys, reason, broken = provider_of("default"):get(io_of(text))
      assert.is_nil(keys)
      assert.equal('profile "default" has no role_arn', reason)
      assert.is_nil(broken)
    end
  end)

  for what, case in pairs {
    ["without a source"] = { "role_arn = r\n",
      'profile "a" has role_arn, but neither source_profile nor credential_source' },
    ["with two sources"] = { "role_arn = r\nsource_profile = b\ncredential_source = Environment\n",
      'profile "a" has both source_profile and credential_source' },
    ["with a source that is unknown"] = { "role_arn = r\ncredential_source = Moon\n",
      'profile "a": credential_source "Moon" is none of Environment, Ec2InstanceMetadata, '
        .. "EcsContainer" },
    ["with a source profile that is not there"] = { "role_arn = r\nsource_profile = z\n",
      'the source_profile "z" of profile "a" does not exist' },
    ["with a source profile without keys"] = { "role_arn = r\nsource_profile = b\n",
      'no credentials to assume the role of profile "a" with: profile "b" of '
        .. "/home/u/.aws/config: no aws_access_key_id" },
    ["in a circle"] = { "role_arn = r\nsource_profile = c\n",
      'no credentials to assume the role of profile "a" with: the profiles lead in a circle: '
        .. "a -> c -> a" },
    ["of itself, without keys"] = { "role_arn = r\nsource_profile = a\n",
      "the profiles lead in a circle: a -> a" },
    ["for an MFA device without a prompt"] = { "role_arn = r\nsource_profile = a\n"
      .. "mfa_serial = m\n" .. KEYS,
      'profile "a" needs a code of the MFA device m: give the option mfa_prompt' },
    ["with an odd duration"] = { "role_arn = r\nsource_profile = a\nduration_seconds = 1h\n"
      .. KEYS, 'profile "a": duration_seconds is "1h", not a whole number' },
  } do
    it("is broken for a profile " .. what, function()
      local io = io_of("[profile a]\n" .. case[1] .. "[profile b]\nregion = x\n"
        .. "[profile c]\nrole_arn = r\nsource_profile = a\n")
      local keys, reason, broken = provider_of("a"):get(io)
      assert.is_nil(keys)
      assert.equal(case[2], reason)
      assert.is_true(broken)
      assert.equal(0, #io.calls)
    end)
  end

  it("tells what the prompt did wrong", function()
    local text = "[profile a]\nrole_arn = r\nsource_profile = a\nmfa_serial = m\n" .. KEYS
    for message, prompt in pairs {
      ["mfa_prompt gave no code"] = function() return nil end,
      ["mfa_prompt failed: oops"] = function() error("oops", 0) end,
    } do
      local keys, reason, broken = provider_of("a", prompt):get(io_of(text))
      assert.is_nil(keys)
      assert.equal(message, reason)
      assert.is_true(broken)
    end
  end)

  it("passes on what STS says, without the keys", function()
    local io = io_of("[profile a]\nrole_arn = arn:R\nsource_profile = a\n" .. KEYS)
    io.failure = "AccessDenied: not authorized"
    local keys, reason, broken = provider_of("a"):get(io)
    assert.is_nil(keys)
    assert.equal("AssumeRole of arn:R: AccessDenied: not authorized", reason)
    assert.is_true(broken)
  end)
end)
