local callback = require "sagemaker.credentials.callback"

describe("sagemaker.credentials.callback", function()
  it("answers what the function answers", function()
    local seen
    local provider = callback.new(function(io)
      seen = io
      return { access_key_id = "AKID", secret_access_key = "SECRET", expires_at = 17 }
    end)
    local io = {}
    local keys = assert(provider:get(io))
    assert.equal("AKID", keys.access_key_id)
    assert.equal(17, keys.expires_at)
    assert.equal("function", keys.source)
    assert.equal(io, seen)
  end)

  it("lets the cancellation of a task through", function()
    local cancelled = require("sagemaker.error").new { kind = "cancelled", code = "TaskCancelled" }
    local ok, thrown = pcall(function()
      callback.new(function() error(cancelled, 0) end):get({})
    end)
    assert.is_false(ok)
    assert.equal(cancelled, thrown)
  end)

  it("turns every failure into a reason", function()
    for expected, fn in pairs {
      ["the function answered nothing"] = function() end,
      ["the function answered nothing: vault is sealed"] =
        function() return nil, "vault is sealed" end,
      ["the function answered a string, not a table of keys"] = function() return "AKID" end,
      ["secret_access_key is missing"] = function() return { access_key_id = "A" } end,
      ["the function failed: boom"] = function() error("boom", 0) end,
    } do
      local keys, reason, broken = callback.new(fn):get({})
      assert.is_nil(keys)
      assert.equal(expected, reason)
      assert.is_true(broken)
    end
  end)
end)
