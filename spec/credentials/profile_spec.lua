local chain = require "support.chain"
local profile = require "sagemaker.credentials.profile"

local function io_of(files)
  return chain.world { files = files }.io
end

describe("sagemaker.credentials.profile", function()
  it("finds keys in the credentials file and in the configuration file", function()
    local io = io_of {
      [".aws/config"] = "[profile p]\naws_access_key_id = A\naws_secret_access_key = SECRET\n",
      [".aws/credentials"] = "[p]\naws_access_key_id = B\naws_secret_access_key = SECRET\n"
        .. "aws_session_token = T\naws_account_id = 123456789012\n",
    }
    local keys = profile.config { profile = "p" }:get(io)
    assert.equal("A", keys.access_key_id)
    assert.equal("config-file", keys.source)
    keys = profile.shared { profile = "p" }:get(io)
    assert.equal("B", keys.access_key_id)
    assert.equal("T", keys.session_token)
    assert.equal("123456789012", keys.account_id)
    assert.equal("shared-credentials-file", keys.source)
    assert.is_nil(keys.expires_at)
  end)

  it("takes the older name of the token first, as botocore does", function()
    local io = io_of { [".aws/credentials"] = "[p]\naws_access_key_id = B\n"
      .. "aws_secret_access_key = S\naws_session_token = new\naws_security_token = old\n" }
    assert.equal("old", profile.shared { profile = "p" }:get(io).session_token)
  end)

  it("says which file has no such profile, or no keys in it", function()
    local io = io_of { [".aws/credentials"] = "[p]\nregion = x\n" }
    local keys, reason, broken = profile.shared { profile = "q" }:get(io)
    assert.is_nil(keys)
    assert.equal('/home/u/.aws/credentials has no profile "q"', reason)
    assert.is_nil(broken)
    keys, reason, broken = profile.shared { profile = "p" }:get(io)
    assert.is_nil(keys)
    assert.equal('profile "p" of /home/u/.aws/credentials: no aws_access_key_id', reason)
    assert.is_nil(broken)
  end)

  it("is broken where half of the keys, or the file, is", function()
    local io = io_of { [".aws/credentials"] = "[p]\naws_access_key_id = HIDDEN\n" }
    local keys, reason, broken = profile.shared { profile = "p" }:get(io)
    assert.is_nil(keys)
    assert.equal('profile "p" of /home/u/.aws/credentials: aws_access_key_id without '
      .. "aws_secret_access_key", reason)
    assert.is_true(broken)
    keys, reason, broken = profile.shared { profile = "p" }:get(io_of { [".aws/config"] = "x\n" })
    assert.is_nil(keys)
    assert.matches("^/home/u/.aws/config, line 1: ", reason)
    assert.is_true(broken)
  end)
end)
