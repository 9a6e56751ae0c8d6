local env = require "sagemaker.env"
local environment = require "sagemaker.credentials.environment"

local function get(variables)
  return environment.new():get(env.new { getenv = function(name) return variables[name] end })
end

describe("sagemaker.credentials.environment", function()
  it("reads keys, token, expiry and account", function()
    local keys = assert(get { AWS_ACCESS_KEY_ID = "AKID", AWS_SECRET_ACCESS_KEY = "SECRET",
      AWS_SESSION_TOKEN = "T", AWS_CREDENTIAL_EXPIRATION = "2026-01-15T14:00:00Z",
      AWS_ACCOUNT_ID = "111122223333" })
    assert.equal("AKID", keys.access_key_id)
    assert.equal("SECRET", keys.secret_access_key)
    assert.equal("T", keys.session_token)
    assert.equal(1768485600, keys.expires_at)
    assert.equal("111122223333", keys.account_id)
    assert.equal("environment", keys.source)
  end)

  it("does not apply without an access key, and is broken without a secret", function()
    local keys, reason, broken = get {}
    assert.is_nil(keys)
    assert.equal("AWS_ACCESS_KEY_ID is not set", reason)
    assert.is_nil(broken)
    keys, reason, broken = get { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "S" }
    assert.is_nil(keys)
    assert.equal("AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not", reason)
    assert.is_nil(broken)
    keys, reason, broken = get { AWS_ACCESS_KEY_ID = "HIDDEN" }
    assert.is_nil(keys)
    assert.equal("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not", reason)
    assert.is_true(broken)
  end)

  it("is broken with an expiry that is no time", function()
    local _, reason, broken = get { AWS_ACCESS_KEY_ID = "A", AWS_SECRET_ACCESS_KEY = "S",
      AWS_CREDENTIAL_EXPIRATION = "soon" }
    assert.equal("AWS_CREDENTIAL_EXPIRATION is not a time", reason)
    assert.is_true(broken)
  end)
end)
