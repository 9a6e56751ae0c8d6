--- A deployment on a terminal: what is drawn while it runs, at several widths.

local churns = require "support.churn"
local deployment = require("sagemaker").deployment
local frames = require "sagemaker.cli.view.frame"
local progresses = require "sagemaker.cli.view.progress"
local styles = require "sagemaker.cli.view.style"
local terminal = require "support.terminal"

local CANARY = deployment.canary { size = "25%", bake = 300, termination_wait = 120,
  alarms = { "churn-5xx" } }

-- The frames of a deployment, each as it is so many seconds after its event.
local function drawn(config, style, opts)
  opts = opts or {}
  local churn, list = churns.new(opts.sim), {}
  if opts.prepare then opts.prepare(churn.sim) end
  local progress = progresses.new { name = "churn" }
  local result = assert(churn.client:deploy { EndpointName = "churn", EndpointConfigName = "v2",
    DeploymentConfig = config, delay = 1, max_delay = 1, on_event = function(event)
      progress:see(event, churn.sim:now())
      local now = math.floor(churn.sim:now()) + (opts.after or 60)
      list[#list + 1] = table.concat(frames.lines(progress, style, now), "\n")
    end })
  return list, result
end

describe("a frame", function()
  it("shows what is under way, bars, traffic, instances, alarms", function()
    local list = drawn(CANARY, styles.new { columns = 80 })
    assert.equal([[
churn: v1 -> v2
Updating, baking 1/2                                  5:59, at most 11:01 left
* provision          #########################################  5:00
> shift 1/2    25 %  ########.................................  0:59 / 5:00
  shift 2/2   100 %  .........................................  5:00
  keep old           .........................................  2:00
traffic    old   75 % ..............................##########   25 % new
instances  old 4, new 1
alarms     churn-5xx]], list[2])
  end)

  it("is drawn finely where the terminal can", function()
    local list = drawn(CANARY, styles.new { columns = 60, unicode = true })
    assert.equal([[
churn: v1 → v2
Updating, baking 1/2               5:59, at most 11:01 left
✓ provision          █████████████████████  5:00
▸ shift 1/2    25 %  ████▏················  0:59 / 5:00
  shift 2/2   100 %  ·····················  5:00
  keep old           ·····················  2:00
traffic    old   75 % ░░░░░░░░░░░░░░░░░░░███████   25 % new
instances  old 4, new 1
alarms     churn-5xx]], list[2])
  end)

  it("is short on a narrow terminal", function()
    local list = drawn(CANARY, styles.new { columns = 30 })
    assert.equal([[
churn: v1 -> v2
Updating, baking 1/2
5:59, at most 11:01 left
* provision          ########
> shift 1/2    25 %  ##......
  shift 2/2   100 %  ........
  keep old           ........
old 75 %, new 25 %
instances  old 4, new 1
alarms     churn-5xx]], list[2])
  end)

  it("never is wider than the terminal", function()
    local configs = { CANARY, deployment.rolling { batch = "25%", bake = 60, alarms = { "a" } },
      deployment.linear { step = "25%", bake = 60,
        alarms = { ("long-name-"):rep(12), ("another-"):rep(12) } } }
    local text, shown = require "sagemaker.cli.view.text", {}
    for columns = 20, 100, 8 do
      for _, is_unicode in ipairs { false, true } do
        shown[#shown + 1] = styles.new { columns = columns, unicode = is_unicode, colour = true }
      end
    end
    for _, config in ipairs(configs) do
      local churn, progress = churns.new(), progresses.new { name = "churn" }
      assert(churn.client:deploy { EndpointName = "churn", EndpointConfigName = "v2",
        DeploymentConfig = config, on_event = function(event)
          progress:see(event, churn.sim:now())
          for _, style in ipairs(shown) do
            for _, line in ipairs(frames.lines(progress, style, churn.sim:now() + 60)) do
              local width = text.width(line)
              assert.is_true(width < style.columns, ("%d of %d: %s"):format(width, style.columns,
                line))
            end
          end
        end })
    end
  end)

  it("counts what is left down to the end", function()
    local churn, list = churns.new(), {}
    local progress = progresses.new { name = "churn" }
    assert(churn.client:deploy { EndpointName = "churn", EndpointConfigName = "v2",
      DeploymentConfig = CANARY, delay = 1, max_delay = 1, on_event = function(event)
        progress:see(event, churn.sim:now())
        list[#list + 1] = progress:left(churn.sim:now()) or "over"
      end })
    for i, left in ipairs { 1020, 720, 420, 120, "over" } do
      if left == "over" then
        assert.equal("over", list[i])
      else
        assert.is_near(left, list[i], 2)
      end
    end
    assert.equal(5, #list)
  end)

  it("names what a new endpoint gets, and tells no time left without a plan", function()
    local progress = progresses.new { name = "churn" }
    assert.is_nil(progress:left(0))
    progress:see({ status = "Creating", stage = "Creating", elapsed = 0, moved = true,
      traffic = { old = 0, new = 0 }, instances = { old = 0, new = 0 },
      endpoint = { EndpointConfigName = "first", EndpointStatus = "Creating", CreationTime = 0 } },
      10)
    local shown = frames.lines(progress, styles.new { columns = 80 }, 10)
    assert.truthy(shown[1]:find("churn: first", 1, true), shown[1])
  end)

  it("says when a stage takes longer than planned", function()
    local list = drawn(deployment.all_at_once { bake = 0 }, styles.new { columns = 80 },
      { sim = { provisioning_seconds = 900 }, after = 600 })
    assert.truthy(list[1]:find("9:59, longer than planned"), list[1])
  end)

  it("has no more lines than there is room for: bars give way first", function()
    local churn = churns.new { variants = { { VariantName = "main", ModelName = "m",
      InstanceType = "ml.m5.large", InitialInstanceCount = 20 } } }
    local progress = progresses.new { name = "churn" }
    local config = deployment.linear { step = "10%", bake = 60, alarms = { "a" } }
    local counts, style = {}, styles.new { columns = 80 }
    assert(churn.client:deploy { EndpointName = "churn", EndpointConfigName = "v2",
      DeploymentConfig = config, delay = 1, max_delay = 1, on_event = function(event)
        progress:see(event, churn.sim:now())
        if event.step ~= 3 then return end
        for most = 1, 20 do
          local lines = frames.lines(progress, style, churn.sim:now(), most)
          counts[most] = #lines
          assert.truthy(lines[1]:find("churn: v1 -> v2", 1, true))
          local text = table.concat(lines, "\n")
          if most > 3 then assert.truthy(text:find("\n> ", 1, true), text) end
          if most > 7 then assert.truthy(text:find("\nalarms", 1, true), text) end
        end
      end })
    for most = 1, 20 do assert.equal(math.min(most, counts[20]), counts[most]) end
    assert.equal(15, counts[20])
  end)

  it("shows the batches around the one under way when there are many", function()
    local config = deployment.rolling { batch = 1, bake = 60, alarms = { "a" } }
    local list = drawn(config, styles.new { columns = 80 }, { sim = { variants = { {
      VariantName = "main", ModelName = "m", InstanceType = "ml.m5.large",
      InitialInstanceCount = 20 } } } })
    local middle = list[20]
    assert.truthy(middle:find("... %d+ more before"), middle)
    assert.truthy(middle:find("... %d+ more after"), middle)
    assert.truthy(middle:find("> batch %d+/20"), middle)
    local _, lines = middle:gsub("\n", "")
    assert.is_true(lines < 16)
    assert.truthy(list[#list]:find("* batch 20/20", 1, true), list[#list])
  end)

  it("shows a roll-back and its reason, without bars", function()
    local list, result = drawn(CANARY, styles.new { columns = 80 }, { prepare = function(sim)
      sim:at(400, function() sim:set_alarm("churn-5xx", "ALARM") end)
    end })
    assert.equal("rolled_back", result.outcome)
    local frame = list[#list - 1]
    assert.truthy(frame:find("RollingBack", 1, true), frame)
    assert.truthy(frame:find("reason     Alarm churn-5xx is in state ALARM.", 1, true), frame)
    assert.is_nil(frame:find("provision", 1, true), frame)
  end)
end)

describe("texts of the service", function()
  it("do not steer the terminal", function()
    local progress = progresses.new { name = "churn", to = "v2" }
    progress:see({ status = "RollingBack", traffic = { old = 100, new = 0 },
      instances = { old = 4, new = 0 }, failure_reason = "a\27[2J\n\7b\155\255" }, 1000)
    for _, style in ipairs { styles.new { columns = 80 }, styles.new { columns = 30 } } do
      local frame = table.concat(frames.lines(progress, style, 1000), "\n")
      assert.is_nil(frame:find("[%z\1-\9\11-\31\127-\255]"), frame)
      assert.truthy(frame:find("a?[2J ?b??", 1, true), frame)
    end
    local line = require("sagemaker.cli.view.lines").line(0, "churn",
      require("sagemaker.cli.view.lines").event(progress.event))
    assert.is_nil(line:find("[%z\1-\31\127-\255]"), line)
  end)
end)

describe("deploy on a terminal", function()
  local function live(columns, opts)
    local churn, term = churns.new(), terminal.new(columns)
    if opts and opts.prepare then opts.prepare(churn.sim, term) end
    local result = churn:run("deploy --endpoint-name churn --endpoint-config-name v2 --canary 25% "
      .. "--bake 5m --alarms churn-5xx", { tty = true, columns = columns, stdout = term,
        env = opts and opts.env or { TERM = "xterm", LANG = "C.UTF-8" } })
    return result, term
  end

  it("draws in place, every second, and ends with a sentence", function()
    local result, term = live(80)
    assert.equal(0, result.code)
    local lines = term:lines()
    assert.equal("churn: v1 → v2", lines[1])
    assert.truthy(lines[#lines]:find("^deployed: churn runs v2, after 15:"), lines[#lines])
    assert.equal(9, #lines)
    assert.is_true(term.writes > 900)
    assert.is_true(term.colours > 0)
  end)

  it("works on narrow terminals, and without colours", function()
    for _, columns in ipairs { 30, 45, 60 } do
      local result, term = live(columns, { env = { TERM = "xterm", NO_COLOR = "1" } })
      assert.equal(0, result.code)
      assert.equal(0, term.colours)
      assert.is_nil(table.concat(term:lines()):find("[\128-\255]"))
    end
  end)

  it("leaves the last picture of a roll-back, and says why", function()
    local result, term = live(80, { prepare = function(sim)
      sim:at(400, function() sim:set_alarm("churn-5xx", "ALARM") end)
    end })
    assert.equal(10, result.code)
    local seen = table.concat(term:lines(), " ")
    assert.truthy(seen:find("rolled back: churn runs the old configuration", 1, true), seen)
    assert.truthy(seen:find("Alarm churn-5xx is in state ALARM.", 1, true), seen)
    assert.truthy(seen:find("alarms     churn-5xx ALARM", 1, true), seen)
  end)

  it("tells a look that brings nothing while that lasts", function()
    local seen = false
    local result, term = live(80, { prepare = function(sim, term)
      sim:at(100, function() sim:unreachable(6) end)
      local write = term.write
      function term:write(bytes)
        write(self, bytes)
        seen = seen or table.concat(self:lines()):find("no answer  ", 1, true) ~= nil
        return self
      end
    end })
    assert.equal(0, result.code)
    assert.is_true(seen)
    assert.is_nil(table.concat(term:lines()):find("no answer", 1, true))
  end)

  it("does not draw on a terminal that cannot", function()
    local _, term = live(80, { env = { TERM = "dumb" } })
    assert.equal(0, term.colours)
    assert.truthy(term:lines()[1]:find("^2026%-01%-15T"))
  end)
end)
