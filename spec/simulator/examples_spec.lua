-- The examples do what their guides say.

local read = require("support").read

local function run(path)
  local printed, status = {}, nil
  local env = setmetatable({
    print = function(text) printed[#printed + 1] = text or "" end,
    os = { clock = os.clock, getenv = function() return nil end,
      exit = function(code) status = code end },
  }, { __index = _G })
  local chunk
  if setfenv then -- luacheck: ignore 113
    chunk = setfenv(assert(loadfile(path)), env) -- luacheck: ignore 113
  else
    chunk = assert(loadfile(path, "t", env)) -- luacheck: ignore 131
  end
  chunk()
  return table.concat(printed, "\n"), status
end

describe("the example", function()
  it("operations prints the page that says what is played", function()
    local printed = run "examples/simulator/operations.lua" .. "\n"
    assert.is_true(read "examples/simulator/OPERATIONS.md" == printed,
      "write it anew: lua examples/simulator/operations.lua > examples/simulator/OPERATIONS.md")
  end)

  it("quickstart shows a create, a canary and a roll-back", function()
    local text, status = run "examples/quickstart/quickstart.lua"
    assert.equal(0, status)
    assert.matches("Outcome: deployed after %d:%d%d:%d%d; the endpoint runs churn%-v1", text)
    assert.matches("Outcome: deployed after %d:%d%d:%d%d; the endpoint runs churn%-v2", text)
    assert.matches("Outcome: rolled_back after %d:%d%d:%d%d; the endpoint runs churn%-v2", text)
    assert.matches("baking, step 1 of 2        ########%-+ +25 +75\n", text)
    local widths = {}
    for line in text:gmatch("  %d:%d%d:%d%d  %u[^\n]+") do widths[#line] = true end
    assert.is_nil(next(widths, next(widths)), "the columns are aligned")
  end)

  it("invocations lets a bad container roll itself back", function()
    local text = run "examples/simulator/invocations.lua"
    assert.matches("AllTraffic says: score of 1,2,3", text)
    assert.matches("minute +6: Updating +new fleet: 25 %%", text)
    assert.matches("InService +new fleet: 0 %%", text)
    assert.matches("InService on good: Alarm churn%-5xx is in state ALARM%.$", text)
  end)

  it("faults meets what it announces", function()
    local text = run "examples/simulator/faults.lua"
    assert.matches("create, throttled twice +deployed", text)
    assert.matches("update, its answer lost +deployed", text)
    assert.matches("not healthy +rolled_back", text)
    assert.matches("nor a way back +rollback_failed", text)
    assert.matches("once there is capacity +deployed", text)
  end)
end)
