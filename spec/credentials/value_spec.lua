local value = require "sagemaker.credentials.value"

describe("sagemaker.credentials.value", function()
  it("shows no secret when it is printed", function()
    local keys = assert(value.new({ access_key_id = "AKIDEXAMPLE", secret_access_key = "SECRET",
      session_token = "TOKEN" }, "options"))
    local text = tostring(keys)
    assert.equal("credentials …MPLE (options)", text)
    assert.is_nil(text:find("SECRET"))
    assert.is_nil(text:find("TOKEN"))
  end)

  it("says what is wrong, without the keys", function()
    for expected, keys in pairs {
      ["access_key_id is missing"] = {},
      ["secret_access_key is missing"] = { access_key_id = "HIDDEN" },
      ["secret_access_key is empty"] = { access_key_id = "a", secret_access_key = "" },
      ["secret_access_key must be a string, not number"] =
        { access_key_id = "a", secret_access_key = 17 },
      ["session_token holds a control character"] =
        { access_key_id = "a", secret_access_key = "b", session_token = "HIDDEN\n" },
      ["expires_at must be a number of epoch seconds, not string"] =
        { access_key_id = "a", secret_access_key = "b", expires_at = "HIDDEN" },
    } do
      local made, reason = value.new(keys, "x")
      assert.is_nil(made)
      assert.equal(expected, reason)
    end
  end)

  -- Keys that were copied with a blank ended in an error thrown by the signer.
  it("refuses, with words, what the signer cannot take, and nothing else", function()
    local core = require "sagemaker.core"
    for _, name in ipairs { "access_key_id", "secret_access_key", "session_token" } do
      for byte = 0, 255 do
        local keys = { access_key_id = "a", secret_access_key = "b", session_token = "c" }
        keys[name] = "x" .. string.char(byte) .. "y"
        local made, reason = value.new(keys, "x")
        keys.region, keys.service = "eu-west-1", "sagemaker"
        local fits = pcall(core.signer, keys)
        assert.equal(fits, made ~= nil, ("%s with byte %d"):format(name, byte))
        if not made then assert.truthy(reason:find(name .. " holds a", 1, true), reason) end
      end
    end
    local _, reason = value.new({ access_key_id = "AKIDEXAMPLE ", secret_access_key = "b" }, "x")
    assert.equal("access_key_id holds a blank", reason)
  end)

  it("is a copy", function()
    local keys = { access_key_id = "a", secret_access_key = "b", session_token = "" }
    local made = value.new(keys, "x")
    assert.is_nil(getmetatable(keys))
    assert.is_nil(made.session_token)
    assert.equal("", keys.session_token)
  end)
end)
