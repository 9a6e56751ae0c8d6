local sagemaker = require "sagemaker"

describe("sagemaker", function()
  it("has what the design promises", function()
    assert.is_function(sagemaker.new)
    assert.equal("userdata", type(sagemaker.null))
    assert.equal(require("cjson").null, sagemaker.null)
    assert.is_function(sagemaker.deployment.canary)
    assert.is_function(sagemaker.simulator.new)
    assert.matches("^%d+%.%d+%.%d+", sagemaker._VERSION)
    assert.is_nil(sagemaker.nothing)
  end)

  it("loads only what a client needs before its first call", function()
    local kept = {}
    for name, module in pairs(package.loaded) do
      if name:find("^sagemaker") and name ~= "sagemaker.core" and name ~= "sagemaker.curl" then
        kept[name] = module
      end
    end
    for name in pairs(kept) do package.loaded[name] = nil end
    assert(require("sagemaker").new { region = "eu-west-1" })
    local loaded = {}
    for name in pairs(package.loaded) do
      if name:find("^sagemaker%.") then loaded[#loaded + 1] = name end
    end
    for name in pairs(package.loaded) do
      if name:find("^sagemaker") and name ~= "sagemaker.core" and name ~= "sagemaker.curl" then
        package.loaded[name] = nil
      end
    end
    for name, module in pairs(kept) do package.loaded[name] = module end
    local allowed = { ["sagemaker.client"] = true, ["sagemaker.config"] = true,
      ["sagemaker.core"] = true, ["sagemaker.curl"] = true, ["sagemaker.env"] = true,
      ["sagemaker.error"] = true, ["sagemaker.guard"] = true, ["sagemaker.lazy"] = true,
      ["sagemaker.options"] = true }
    for _, name in ipairs(loaded) do assert.is_true(allowed[name], name) end
  end)

  it("is called with a dot", function()
    local ok, message = pcall(function() sagemaker:new {} end)
    assert.is_false(ok)
    assert.matches("init_spec.lua:%d+: call it with a dot", message)
  end)

  it("answers a configuration error as three values", function()
    local client, message, err = sagemaker.new { io = { getenv = function() end } }
    assert.is_nil(client)
    assert.matches("^NoRegion: no region: give the option region, set AWS_REGION, or put", message)
    assert.equal("config", err.kind)
  end)

  it("runs on the simulator with no option but the transport", function()
    local client = assert(sagemaker.new { transport = sagemaker.simulator.new(),
      io = { getenv = function() end } })
    local list, message = client:list_endpoints {}
    assert(list, message)
    assert.same({}, list.Endpoints)
  end)
end)
