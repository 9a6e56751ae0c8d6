-- Many clients at once while much goes wrong: nothing acknowledged is lost, no status follows one
-- that it cannot follow. spec/bench/simulator.sh does the same for a minute.

local server = require "support.server"
local simulate = require "support.simulate"

describe("a server of many clients", function()
  local ok, reason = simulate.available()
  if not ok then
    pending("starts nginx: " .. reason)
    return
  end

  local FAULTS = '{"drop":{"chance":0.05},"truncate":{"chance":0.03},"reset":{"chance":0.03},'
    .. '"throttle":{"chance":0.05},"expire":{"chance":0.02},'
    .. '"latency":{"distribution":"lognormal","median":0.003,"p99":0.05}}'

  it("loses no update and knows no wrong status", function()
    local running = assert(simulate.start { speed = 600, provisioning_seconds = 30 })
    finally(function() running:stop() end)
    local lua = os.getenv "SAGEMAKER_LUA" or "lua"
    local log = running.dir .. "/crowd.jsonl"
    local said, good = server.shell(("%s spec/support/crowd.lua %s 64 2 %s '%s'"):format(lua,
      running.url, log, FAULTS))
    assert.is_true(good, said)
    said, good = server.shell(("%s spec/support/crowd_check.lua %s %s"):format(lua, running.url,
      log))
    assert.is_true(good, said)
    assert.matches("^%d+ calls, %d+ looks, [1-9]%d+ updates acknowledged, [1-9]%d* without", said)
    assert.is_nil(running:output():find("[error]", 1, true), running:output())
  end)
end)
