local chain = require "support.chain"
local web_identity = require "sagemaker.credentials.web_identity"

local function io_of(row)
  local io = chain.world(row).io
  io.calls, io.region = {}, "eu-west-1"
  function io.call(_, operation, params, credentials)
    io.calls[#io.calls + 1] = { operation = operation, params = params, by = credentials }
    return { Credentials = { AccessKeyId = "AK", SecretAccessKey = "S", SessionToken = "T",
      Expiration = io.now() + 3600 } }
  end
  return io
end

local CONFIG = "[profile w]\nrole_arn = arn:P\nrole_session_name = p\n"
  .. "web_identity_token_file = ~/token\n"

describe("sagemaker.credentials.web_identity", function()
  it("uses role and token file of the profile, without a signature", function()
    local io = io_of { files = { [".aws/config"] = CONFIG, token = "a.b.c" } }
    local keys = assert(web_identity.new { profile = "w" }:get(io))
    assert.same({ { operation = "AssumeRoleWithWebIdentity", params = { RoleArn = "arn:P",
      RoleSessionName = "p", WebIdentityToken = "a.b.c" } } }, io.calls)
    assert.equal("assume-role-with-web-identity", keys.source)
    assert.is_nil(keys.account_id)
  end)

  it("prefers the environment, unless the program names the profile", function()
    local row = { env = { AWS_ROLE_ARN = "arn:E", AWS_WEB_IDENTITY_TOKEN_FILE = "/etc/token",
      AWS_ROLE_SESSION_NAME = "e" },
      files = { [".aws/config"] = CONFIG, token = "mine", ["/etc/token"] = "pod's" } }
    local io = io_of(row)
    assert(web_identity.new { profile = "w" }:get(io))
    assert.same({ RoleArn = "arn:E", RoleSessionName = "e", WebIdentityToken = "pod's" },
      io.calls[1].params)
    io = io_of(row)
    assert(web_identity.new { profile = "w", no_environment = true }:get(io))
    assert.same({ RoleArn = "arn:P", RoleSessionName = "p", WebIdentityToken = "mine" },
      io.calls[1].params)
  end)

  it("reads the token anew each time", function()
    local world = chain.world { files = { [".aws/config"] = CONFIG, token = "one" } }
    local tokens = {}
    world.io.call = function(_, _, params)
      tokens[#tokens + 1] = params.WebIdentityToken
      return nil, "ExpiredTokenException: too old", {}
    end
    local provider = web_identity.new { profile = "w" }
    local keys, reason, broken = provider:get(world.io)
    assert.is_nil(keys)
    assert.equal("AssumeRoleWithWebIdentity of arn:P: ExpiredTokenException: too old", reason)
    assert.is_true(broken)
    world.files[chain.HOME .. "/token"] = "two"
    provider:get(world.io)
    assert.same({ "one", "two" }, tokens)
  end)

  it("says why it does not apply, or what is broken", function()
    local function reason_of(row)
      local keys, reason, broken = web_identity.new { profile = "w" }:get(io_of(row))
      assert.is_nil(keys)
      return { reason, broken }
    end
    assert.same({ "no web_identity_token_file" }, reason_of {})
    assert.same({ "there is a web identity token file, but neither role_arn nor AWS_ROLE_ARN",
      true }, reason_of { env = { AWS_WEB_IDENTITY_TOKEN_FILE = "/t" } })
    assert.same({ "the token file ~/token does not exist", true },
      reason_of { files = { [".aws/config"] = CONFIG } })
    assert.same({ "the token file ~/token is empty", true },
      reason_of { files = { [".aws/config"] = CONFIG, token = "" } })
    assert.same({ "/home/u/token is longer than 20000 bytes", true },
      reason_of { files = { [".aws/config"] = CONFIG, token = ("x"):rep(20001) } })
  end)
end)
