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

  it("is a copy", function()
    local keys = { access_key_id = "a", secret_access_key = "b", session_token = "" }
    local made = value.new(keys, "x")
    assert.is_nil(getmetatable(keys))
    assert.is_nil(made.session_token)
    assert.equal("", keys.session_token)
  end)
end)
