local credentials = require "sagemaker.credentials"
local env = require "sagemaker.env"

local function io_of(variables)
  return env.new { getenv = function(name) return (variables or {})[name] end,
    now = function() return 1000 end,
    open = function(path) return nil, path .. ": No such file or directory", 2 end }
end

describe("sagemaker.credentials", function()
  it("takes keys, functions and providers", function()
    local keys = { access_key_id = "AKID", secret_access_key = "SECRET" }
    assert.equal("AKID", credentials.from(keys):get(io_of()).access_key_id)
    assert.equal("AKID", credentials.from(function() return keys end):get(io_of()).access_key_id)
    local provider = { get = function() return keys end }
    assert.equal(provider, credentials.from(provider))
    local none, reason = credentials.from { access_key_id = "AKID" }
    assert.is_nil(none)
    assert.equal("secret_access_key is missing", reason)
  end)

  it("asks the environment when nothing is given", function()
    local provider = credentials.from(nil)
    local found = provider:get(io_of { AWS_ACCESS_KEY_ID = "AKID",
      AWS_SECRET_ACCESS_KEY = "SECRET" })
    assert.equal("environment", found.source)
  end)

  it("says why each provider of the chain did not apply", function()
    local chain = credentials.chain {
      { name = "one", get = function() return nil, "no file" end },
      { name = "two", get = function() return nil, "no role" end },
    }
    local found, reason, broken = chain:get(io_of())
    assert.is_nil(found)
    assert.equal("one: no file; two: no role", reason)
    assert.is_nil(broken)
  end)

  it("stops at a provider that is broken", function()
    local chain = credentials.chain {
      { name = "one", get = function() return nil, "half of the keys", true end },
      { name = "two", get = function() error("must not be asked") end },
    }
    local found, reason, broken = chain:get(io_of())
    assert.is_nil(found)
    assert.equal("one: half of the keys", reason)
    assert.is_true(broken)
  end)

  it("asks the provider first that had keys the last time", function()
    local answers = { one = nil, two = { "first" } }
    local chain = credentials.chain {
      { name = "one", get = function() return answers.one, "none" end },
      { name = "two", get = function() return answers.two, "gone", answers.broken end },
    }
    assert.equal(answers.two, chain:get(io_of()))
    answers.one = { "other" }
    assert.equal(answers.two, chain:get(io_of()))
    answers.two, answers.broken = nil, true
    local found, reason, broken = chain:get(io_of())
    assert.is_nil(found)
    assert.equal("two: gone", reason)
    assert.is_true(broken)
    answers.broken = nil
    assert.equal(answers.one, chain:get(io_of()))
  end)

  it("refuses a profile that somebody named and that is nowhere", function()
    local provider = credentials.default { profile = "nope", profile_source = "AWS_PROFILE" }
    local found, reason, broken = provider:get(io_of { HOME = "/h" })
    assert.is_nil(found)
    assert.equal('profile: there is no profile "nope" (AWS_PROFILE) in /h/.aws/config or '
      .. "/h/.aws/credentials", reason)
    assert.is_true(broken)
  end)
end)
