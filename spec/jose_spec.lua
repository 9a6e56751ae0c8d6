local core = require "sagemaker.core"

local KEY = [[
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+PNauWi/ihtwHHbq
1tgc8Vgpwx0qQlNSN38y+z0igWehRANCAAR2Ntw6BXJ1v8jb9XjzKZJ+gL5f/3Jq
IqiH2PUGKWxoFwNlcNB83FivEXEzlTbuCQK5OezOYb3gbvHuzKkB0nDX
-----END PRIVATE KEY-----]]

describe("core.ec_jwk", function()
  it("gives the public part of a key", function()
    assert.same({
      kty = "EC",
      crv = "P-256",
      x = "djbcOgVydb_I2_V48ymSfoC-X_9yaiKoh9j1BilsaBc",
      y = "A2Vw0HzcWK8RcTOVNu4JArk57M5hveBu8e7MqQHScNc",
    }, core.ec_jwk(KEY))
    assert.same(core.ec_jwk(KEY), core.ec_jwk(KEY:gsub("\n", "\r\n")))
  end)
end)

describe("core.es256", function()
  it("signs, each time anew", function()
    local one, two = core.es256(KEY, "message"), core.es256(KEY, "message")
    assert.equal(64, #one)
    assert.equal(64, #two)
    assert.not_equal(one, two)
  end)

  it("says what is wrong with a key, and nothing of what it holds", function()
    for key, message in pairs {
      [""] = "there is no readable private key in the PEM text",
      ["hush"] = "there is no readable private key in the PEM text",
      [KEY:sub(1, 120)] = "there is no readable private key in the PEM text",
      [("hush"):rep(5000)] = "the private key is too long",
    } do
      assert.same({ nil, message }, { core.es256(key, "x") })
      assert.same({ nil, message }, { core.ec_jwk(key) })
    end
  end)

  it("takes strings only", function()
    assert.has_error(function() core.es256(nil, "x") end)
    assert.has_error(function() core.es256(KEY) end)
    assert.has_error(function() core.ec_jwk({}) end)
  end)
end)
