local static = require "sagemaker.credentials.static"

describe("sagemaker.credentials.static", function()
  it("answers the same value each time", function()
    local provider = assert(static.new { access_key_id = "AKID", secret_access_key = "SECRET" })
    assert.equal(provider:get(), provider:get())
    assert.equal("credentials …AKID (options)", tostring(provider))
  end)
end)
