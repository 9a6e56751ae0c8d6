local signing = require "sagemaker.signing"

local ENDPOINT = { signing_region = "eu-west-1", signing_name = "sagemaker" }

local function settings_of(credentials)
  return { io = { now = function() return 5 end }, keyring = { credentials = credentials },
    route = { endpoint = ENDPOINT }, transport = false }
end

describe("sagemaker.signing", function()
  it("keeps the signer while the keys are the same", function()
    local id = "A"
    local settings = settings_of({ get = function()
      return { access_key_id = id, secret_access_key = "s" }
    end })
    local first = assert(signing.signer(settings, settings.io))
    assert.equal(first, signing.signer(settings, settings.io))
    id = "B"
    assert.not_equal(first, signing.signer(settings, settings.io))
  end)

  it("shows the transport's time to providers, and the real one before there is any", function()
    local settings = settings_of(nil)
    local slept
    local io = signing.provider_io { settings = settings }
    assert.equal(5, io.now())
    settings.transport = { now = function() return 7 end,
      sleep = function(_, seconds) slept = seconds end }
    assert.equal(7, io.now())
    io.sleep(3)
    assert.equal(3, slept)
  end)

  it("tells missing keys from broken ones", function()
    for code, provider in pairs {
      NoCredentials = { get = function() return nil, "why" end },
      InvalidCredentials = { get = function() return nil, "why", true end },
    } do
      local settings = settings_of(provider)
      local signer, message, err = signing.signer(settings, settings.io)
      assert.is_nil(signer)
      assert.equal(code .. ": no usable credentials: why", message)
      assert.equal("credentials", err.kind)
    end
  end)

  it("names the profile that holds no keys, where one was asked for", function()
    local settings = settings_of { get = function() return nil, "why" end }
    settings.profile = "default"
    assert.is_nil(select(3, signing.signer(settings, settings.io)).profile)
    settings.profile, settings.profile_source = "prod", "option"
    assert.equal("prod", select(3, signing.signer(settings, settings.io)).profile)
  end)
end)
