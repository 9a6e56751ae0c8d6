--- `sagemaker watch` on deployments that somebody else started.

local churns = require "support.churn"
local cjson = require "cjson"
local deployment = require("sagemaker").deployment
local terminal = require "support.terminal"

local CANARY = deployment.canary { size = "25%", bake = 300, alarms = { "churn-5xx" } }

-- A deployment of v2 that has been under way for so long.
local function under_way(seconds, config)
  local churn = churns.new()
  assert(churn.client:update_endpoint { EndpointName = "churn", EndpointConfigName = "v2",
    DeploymentConfig = config or CANARY })
  churn.sim:advance(seconds)
  return churn
end

describe("watch", function()
  it("follows what is under way to its end", function()
    local result = under_way(400):run "watch churn"
    assert.equal(0, result.code)
    assert.truthy(result.out:find("Updating, baking 1/2", 1, true), result.out)
    assert.truthy(result.out:find("deployed: churn runs v2", 1, true), result.out)
  end)

  it("takes the endpoint as an option too, as deploy does", function()
    local result = under_way(400):run "watch --endpoint-name churn"
    assert.equal(0, result.code, result.err)
    assert.truthy(result.out:find("deployed: churn runs v2", 1, true), result.out)
    assert.equal(252, under_way(400):run("watch").code)
  end)

  it("tells a roll-back from a success", function()
    local churn = under_way(400)
    churn.sim:at(60, function(sim) sim:set_alarm("churn-5xx", "ALARM") end)
    local result = churn:run "watch churn"
    assert.equal(10, result.code)
    assert.truthy(result.out:find("RollingBack", 1, true), result.out)
  end)

  it("knows a roll-back that it has not seen, by the name that was asked for", function()
    local churn = under_way(400)
    churn.sim:set_alarm("churn-5xx", "ALARM")
    churn.sim:advance(600)
    local result = churn:run "watch churn --endpoint-config-name v2"
    assert.equal(10, result.code)
    assert.truthy(result.out:find("not v2", 1, true), result.out)
  end)

  it("says what it waits for while something else runs", function()
    local churn = churns.new()
    local result = churn:run "watch churn --endpoint-config-name v2"
    assert.truthy(result.out:find("churn  InService with v1, waiting for v2; traffic", 1, true),
      result.out)
    assert.is_nil(churn:run("watch churn --endpoint-config-name V1").out:find("waiting", 1, true))
  end)

  it("says that a name is empty", function()
    for _, words in ipairs { { "watch", "" }, { "watch", "x", "--endpoint-config-name", "" } } do
      local result = churns.new():run(words)
      assert.equal(252, result.code)
      assert.truthy(result.err:find("is empty", 1, true), result.err)
    end
  end)

  it("claims no more than it knows where nothing is under way", function()
    local result = churns.new():run "watch churn"
    assert.equal(0, result.code)
    assert.truthy(result.out:find("whether that was asked for is not known", 1, true), result.out)
    assert.truthy(result.out:find("churn is in service", 1, true), result.out)
  end)

  it("ends with 13 when time is over", function()
    assert.equal(13, under_way(10):run("watch churn --timeout 2m").code)
  end)

  it("fails where there is no such endpoint", function()
    local result = churns.new():run "watch nobody"
    assert.equal(254, result.code)
    assert.truthy(result.err:find("Could not find endpoint", 1, true), result.err)
  end)

  it("goes on when its output cannot be written, and says so at its end", function()
    local function full()
      return { write = function() return true end,
        flush = function(self)
          self.flushed = (self.flushed or 0) + 1
          if self.flushed == 1 then return nil, "No space left on device" end
          return true -- the bytes that were lost are not in the buffer any more
        end }
    end
    local told = "sagemaker: cannot write the output: No space left on device\n"
    local result = under_way(400):run("watch churn", { stdout = full() })
    assert.same({ 255, told }, { result.code, result.err })
    local churn = under_way(400)
    churn.sim:at(60, function(sim) sim:set_alarm("churn-5xx", "ALARM") end)
    result = churn:run("watch churn", { stdout = full() })
    assert.same({ 10, told }, { result.code, result.err })
  end)

  it("tells JSON", function()
    local result = under_way(400):run "watch churn --output json"
    local last
    for line in result.out:gmatch("[^\n]+") do last = cjson.decode(line) end
    assert.equal("result", last.event)
    assert.equal("deployed", last.outcome)
    assert.equal("v2", last.config)
  end)

  it("draws the plan that DescribeEndpoint tells", function()
    local churn = under_way(450, deployment.linear { step = "25%", bake = 100,
      alarms = { "churn-5xx" } })
    local frames = {}
    churn:run("watch churn --color off", { tty = true, columns = 70, stdout = {
      text = "",
      write = function(self, bytes)
        frames[#frames + 1] = bytes
        return self
      end,
      flush = function(self) return self end,
    } })
    assert.truthy(frames[1]:find("churn: v1 -> v2", 1, true), frames[1])
    assert.truthy(frames[1]:find("shift 4/4   100 %", 1, true), frames[1])
    assert.truthy(frames[1]:find("* shift 1/4", 1, true), frames[1])
    -- It has been under way for 450 seconds, of which the second bake has taken 50.
    assert.truthy(frames[1]:find("7:3", 1, true), frames[1])
    assert.truthy(frames[1]:find("0:5%d / 1:40"), frames[1])
  end)

  it("tells lines where it begins in the background", function()
    local result = under_way(450):run("watch churn", { tty = true, behind = true,
      env = { TERM = "xterm" } })
    assert.is_nil(result.out:find("\27[", 1, true), result.out)
    assert.truthy(result.out:find("Updating, baking 1/2; traffic", 1, true), result.out)
  end)

  it("draws nothing while others have the terminal, and then below what they wrote", function()
    local churn, screen, is_ours, was_stopped = under_way(450), terminal.new(80), true, false
    local world = { tty = true, columns = 80, env = { TERM = "xterm" }, stdout = screen,
      take = function() return is_ours end,
      continued = function()
        local was = was_stopped
        was_stopped = false
        return was
      end }
    local seen = {}
    churn.sim:at(20, function() is_ours = false end)
    churn.sim:at(40, function()
      seen[1] = #screen:lines()
      screen:write "others\n"
      is_ours = true
    end)
    churn.sim:at(60, function()
      seen[2] = #screen:lines()
      screen:write "a shell\n"
      was_stopped = true
    end)
    churn.sim:at(80, function() seen[3] = screen:lines() end)
    churn:run("watch churn", world)
    assert.equal(2 * seen[1] + 1, seen[2])
    assert.equal(3 * seen[1] + 2, #seen[3])
    assert.same({ "others", "a shell" }, { seen[3][seen[1] + 1], seen[3][2 * seen[1] + 2] })
  end)

  it("draws for the terminal as it is now, and leaves nothing of an older picture", function()
    local churn = under_way(450, deployment.linear { step = "25%", bake = 100,
      alarms = { "churn-5xx" } })
    local screen = terminal.new(90)
    screen:write "before\n"
    local seen, columns, rows = {}, 90, 30
    for i, size in ipairs { { 40, 30 }, { 25, 30 }, { 18, 30 }, { 70, 30 }, { 70, 6 } } do
      churn.sim:at(20 * i, function()
        columns, rows = size[1], size[2]
        screen:resize(columns)
      end)
      churn.sim:at(20 * i + 5, function() seen[i] = screen:lines() end)
    end
    screen.wraps = true -- below 20 columns
    churn:run("watch churn", { tty = true, env = { TERM = "xterm" }, stdout = screen,
      size = function() return columns, rows end })
    for i, lines in ipairs(seen) do
      local text = table.concat(lines, "\n")
      local _, headers = text:gsub("churn: v1", "")
      assert.equal(1, headers, i .. ":\n" .. text)
      assert.equal("before", lines[1])
    end
    assert.equal(5, #seen)
    assert.equal(1 + 5, #seen[5])
  end)
end)
