local core = require "sagemaker.core"

describe("core.hasher", function()
  it("hashes what comes in pieces as if it had come at once", function()
    local text = ("The quick brown fox jumps over the lazy dog\0"):rep(100)
    local hasher = core.hasher()
    for _, size in ipairs{ 1, 7, 63, 64, 65, 1000, #text, #text + 1 } do
      for at = 1, #text, size do
        assert.equal(hasher, hasher:update(text:sub(at, at + size - 1)))
      end
      assert.equal(core.sha256(text), hasher:digest())
    end
    assert.equal(core.sha256(""), hasher:digest())
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      core.hasher():update(""):digest())
  end)

  it("wants bytes", function()
    local hasher = core.hasher()
    assert.has_error(function() hasher:update() end)
    assert.has_error(function() hasher:update(1) end)
    assert.has_error(function() hasher.update("x", "y") end)
  end)

  it("that was closed says so", function()
    local hasher = core.hasher()
    local close = debug.getmetatable(hasher).__gc
    close(hasher)
    close(hasher)
    assert.has_error(function() hasher:update("x") end)
  end)
end)
