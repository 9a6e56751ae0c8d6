local errors = require "sagemaker.error"

describe("sagemaker.error", function()
  it("prints as code and message", function()
    local err = errors.new { kind = "service", code = "ValidationException", message = "no" }
    assert.equal("ValidationException: no", tostring(err))
    assert.equal("X", tostring(errors.new { code = "X", message = "" }))
    assert.equal("X", tostring(errors.new { code = "X" }))
  end)

  it("fails with three values, the string second", function()
    local value, message, err = errors.fail { kind = "config", code = "NoRegion", message = "no" }
    assert.is_nil(value)
    assert.equal("NoRegion: no", message)
    assert.equal("config", err.kind)
    assert.is_true(errors.is(err))
    assert.is_false(errors.is({}))
    assert.is_false(errors.is("NoRegion"))
  end)

  it("reads well in assert", function()
    local ok, message = pcall(function()
      assert(errors.fail { kind = "config", code = "NoRegion", message = "none" })
    end)
    assert.is_false(ok)
    assert.matches("NoRegion: none", message, 1, true)
  end)

  it("finds the nearest name", function()
    local names = { "region", "retry", "credentials", "endpoint_url" }
    assert.equal("region", errors.nearest("regoin", names))
    assert.equal("region", errors.nearest("REGION", names))
    assert.equal("abc", errors.nearest("acb", { "abc" })) -- neighbours exchanged are one edit
    assert.is_nil(errors.nearest("xyc", { "abc" }))
    assert.equal("endpoint_url", errors.nearest("endpointurl", names))
    assert.is_nil(errors.nearest("colour", names))
    assert.is_nil(errors.nearest(17, names))
    assert.is_nil(errors.nearest(("x"):rep(1000), names))
    assert.equal(" (did you mean retry?)", errors.hint("rety", names))
    assert.equal("", errors.hint("zzz", names))
  end)
end)
