local transport = require "sagemaker.transport"
local stub = require "sagemaker.transport.stub"

describe("transport", function()
  it("takes an object that fulfils the contract", function()
    local one = stub.new{}
    assert.equal(one, transport.choose(one))
  end)

  it("says what an object lacks", function()
    local chosen, message, err = transport.choose{ send = print, sleep = print, now = print }
    assert.is_nil(chosen)
    assert.equal("InvalidTransport: the transport has no method 'clock'", message)
    assert.equal("config", err.kind)
    assert.equal("InvalidTransport: a transport is an object with methods, not a number",
      (select(2, transport.choose(7))))
  end)

  it("takes libcurl, by name or because nothing else was said, without loading it", function()
    local loaded = package.loaded["sagemaker.curl"]
    package.loaded["sagemaker.curl"] = nil
    for _, name in ipairs{ false, "curl" } do
      local chosen = assert(transport.choose(name or nil, { io = {} }))
      assert.equal("sagemaker.transport.curl", tostring(chosen))
      assert.is_true(transport.check(chosen))
    end
    assert.is_nil(package.loaded["sagemaker.curl"])
    package.loaded["sagemaker.curl"] = loaded
  end)

  it("never takes libcurl inside nginx", function()
    rawset(_G, "ngx", { get_phase = function() return "content" end })
    local chosen, message = transport.choose(nil, { io = {} })
    rawset(_G, "ngx", nil)
    if chosen then
      assert.equal("sagemaker.transport.resty", tostring(chosen))
    else
      assert.equal("InvalidTransport: the transport 'resty' works inside nginx only", message)
    end
  end)

  it("knows no other names", function()
    local _, message = transport.choose("pigeon")
    assert.equal("InvalidTransport: there is no transport 'pigeon' here", message)
  end)
end)
