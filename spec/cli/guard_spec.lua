--- The options that guard a deployment, and the DeploymentConfig that they make.

local deployment = require "sagemaker.deployment"
local guard = require "sagemaker.cli.guard"

describe("guard", function()
  it("makes what the builders make", function()
    assert.same(deployment.canary { size = "10%", bake = 300, alarms = { "a", "b", "c" } },
      guard.config { canary = "10%", bake = "5m", alarms = { "a,b", "c" } })
    assert.same(deployment.linear { step = 2, bake = 90, termination_wait = 3600 },
      guard.config { linear = "2", bake = "1m30s", termination_wait = "1h" })
    assert.same(deployment.rolling { batch = "20%", rollback_batch = "50%", timeout = 1200 },
      guard.config { rolling = "20%", rollback_batch = "50%", deployment_timeout = "20m" })
    assert.same(deployment.all_at_once { bake = 0 }, guard.config { all_at_once = true })
  end)

  it("makes nothing of nothing", function()
    assert.is_nil(guard.config {})
    assert.is_nil(guard.given {})
    assert.equal("--bake", guard.given { bake = "1" })
  end)

  it("reads times", function()
    for text, seconds in pairs { ["0"] = 0, ["300"] = 300, ["1.5"] = 1.5, ["5m"] = 300,
      ["1h30m"] = 5400, ["2H"] = 7200, ["1h1m1s"] = 3661 } do
      assert.equal(seconds, guard.seconds(text))
    end
    for _, text in ipairs { "", "m", "5d", "-5", "5 m", "1m1h", "5mm", "0x10", "1e3" } do
      assert.is_nil(guard.seconds(text), text)
    end
  end)

  it("complains in the words of the command line", function()
    local function message(values)
      local config, text = guard.config(values)
      assert.is_nil(config)
      assert.is_nil(text:find("deployment.", 1, true), text)
      return text
    end
    assert.truthy(message { canary = "60%" }:find("^%-%-canary is 60 %%"))
    assert.truthy(message { canary = "0" }:find("^%-%-canary must be"))
    assert.truthy(message { linear = "10%", bake = "2h" }:find("^%-%-bake is 7200"))
    assert.truthy(message { all_at_once = true, deployment_timeout = "60" }
      :find("^%-%-deployment%-timeout is 60"))
    assert.equal("--rollback-batch does not go with --canary",
      message { canary = "10%", rollback_batch = "10%" })
    assert.truthy(message { canary = "1", alarms = {} }:find("^%-%-alarms"))
  end)
end)
