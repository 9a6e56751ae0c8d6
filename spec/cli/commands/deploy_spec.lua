--- `sagemaker deploy` in virtual time: every way in which a deployment ends.

local churns = require "support.churn"
local cjson = require "cjson"
local deployment = require("sagemaker").deployment

local CANARY = " --canary 25% --bake 5m --alarms churn-5xx"
local DEPLOY = "deploy --endpoint-name churn --endpoint-config-name "

-- The JSON objects of an output, a line each.
local function objects(out)
  local list = {}
  for line in out:gmatch("[^\n]+") do list[#list + 1] = cjson.decode(line) end
  return list
end

local function says(result, text)
  assert.truthy((result.out .. result.err):find(text, 1, true), result.out .. result.err)
end

describe("deploy", function()
  it("ends with 0 when the configuration is in service", function()
    local churn = churns.new()
    local result = churn:run(DEPLOY .. "v2" .. CANARY)
    assert.equal(0, result.code)
    assert.equal("", result.err)
    says(result, "update v1 -> v2, canary of 25 %")
    says(result, "traffic 75 % old, 25 % new; instances 4 old, 1 new")
    says(result, "deployed: churn runs v2, after 15:")
    assert.equal("v2", churn.client:describe_endpoint { EndpointName = "churn" }.EndpointConfigName)
  end)

  it("tells each change on a line of its own, with its time", function()
    local result = churns.new():run(DEPLOY .. "v2" .. CANARY)
    local times = {}
    for line in result.out:gmatch("[^\n]+") do
      local time = line:match("^(2026%-01%-15T%d%d:%d%d:%d%dZ)  churn  ")
      assert.truthy(time, line)
      assert.is_true(#times == 0 or time >= times[#times])
      times[#times + 1] = time
    end
    assert.equal(5, #times)
  end)

  it("ends with 10 when an alarm rolls it back", function()
    local churn = churns.new()
    churn.sim:at(400, function(sim) sim:set_alarm("churn-5xx", "ALARM") end)
    local result = churn:run(DEPLOY .. "v2" .. CANARY)
    assert.equal(10, result.code)
    says(result, "rolled back: churn runs the old configuration, not v2")
    says(result, "Alarm churn-5xx is in state ALARM.")
  end)

  it("ends with 11 when the roll-back fails", function()
    local churn = churns.new { rollback_fails = "churn" }
    churn.sim:at(400, function(sim) sim:set_alarm("churn-5xx", "ALARM") end)
    local result = churn:run(DEPLOY .. "v2" .. CANARY)
    assert.equal(11, result.code)
    says(result, "serves a mix of the old configuration and v2")
    says(result, "The next deployment that succeeds repairs it.")
  end)

  it("ends with 12 when a new endpoint cannot be provisioned", function()
    local churn = churns.new { absent = true, fail_provisioning = "v1" }
    local result = churn:run(DEPLOY .. "v1")
    assert.equal(12, result.code)
    says(result, "create with v1")
    says(result, "failed: churn does not run v1")
    says(result, "--replace-failed")
    local refused = churn:run(DEPLOY .. "v2")
    assert.equal(254, refused.code)
    says(refused, "--replace-failed deletes it and creates it anew")
    churn.sim:fail_provisioning(false)
    assert.equal(0, churn:run(DEPLOY .. "v2 --replace-failed").code)
  end)

  it("ends with 13 when time is over", function()
    local churn = churns.new()
    local result = churn:run(DEPLOY .. "v2 --timeout 10m" .. CANARY)
    assert.equal(13, result.code)
    says(result, "timed out: churn does not run v2 yet, after 10:00")
    says(result, "`sagemaker watch churn` follows it")
  end)

  it("ends with 14 when somebody deletes the endpoint", function()
    local churn = churns.new { absent = true, fail_provisioning = true, deleting_seconds = 0 }
    churn.sim:at(300.5, function()
      assert(churn.client:delete_endpoint { EndpointName = "churn" })
    end)
    local result = churn:run(DEPLOY .. "v1")
    assert.equal(14, result.code)
    says(result, "deleted: churn is gone")
  end)

  it("tells all broken rules at once, and sends nothing", function()
    local churn = churns.new()
    local count = #churn.sim:requests()
    local result = churn:run { "deploy", "--endpoint-name", "chu_rn", "--endpoint-config-name",
      "v2", "--deployment-config",
      "BlueGreenUpdatePolicy={TrafficRoutingConfiguration={Type=CANARY,"
        .. "WaitIntervalInSeconds=9999,CanarySize={Type=CAPACITY_PERCENT,Value=60}}}" }
    assert.equal(252, result.code)
    says(result, "EndpointName")
    says(result, "WaitIntervalInSeconds")
    says(result, "must be at most 50 %")
    assert.same({}, churn:operations(count))
  end)

  it("tells rules that follow from the real fleet, and changes nothing", function()
    local churn = churns.new()
    local count = #churn.sim:requests()
    local result = churn:run(DEPLOY .. "v2 --canary 3")
    assert.equal(252, result.code)
    says(result, "\n--canary is 3 of the 4 instances of main, but must be at most 50 %")
    for _, name in ipairs(churn:operations(count)) do
      assert.truthy(name:find("^Describe"), name)
    end
  end)

  it("sends nothing when there is nothing to change", function()
    local churn = churns.new()
    local count = #churn.sim:requests()
    local result = churn:run(DEPLOY .. "v1")
    assert.equal(0, result.code)
    assert.equal("2026-01-15T12:05:", result.out:sub(1, 17))
    says(result, "nothing to change: churn runs v1 already")
    for _, name in ipairs(churn:operations(count)) do
      assert.truthy(name:find("^Describe"), name)
    end
    assert.equal(0, churn:run(DEPLOY .. "v1 --force").code)
  end)

  it("refuses while another deployment is under way, or queues behind it", function()
    local churn = churns.new()
    assert(churn.client:update_endpoint { EndpointName = "churn", EndpointConfigName = "v3",
      DeploymentConfig = deployment.canary { size = "25%", bake = 60, alarms = { "a" } } })
    local result = churn:run(DEPLOY .. "v2")
    assert.equal(254, result.code)
    says(result, "deployment of v3")
    says(result, "--wait queues behind it")
    result = churn:run(DEPLOY .. "v2 --wait")
    assert.equal(0, result.code)
    says(result, "waiting, Updating")
    says(result, "update v3 -> v2")
  end)

  it("tags the endpoint", function()
    local churn = churns.new()
    local tagged = churn:run(DEPLOY .. "v2 --tags Key=team,Value=growth Key=stage,Value=test")
    assert.equal(0, tagged.code)
    local arn = churn.client:describe_endpoint { EndpointName = "churn" }.EndpointArn
    local tags = churn.client:list_tags { ResourceArn = arn }.Tags
    table.sort(tags, function(a, b) return a.Key < b.Key end)
    assert.same({ { Key = "stage", Value = "test" }, { Key = "team", Value = "growth" } }, tags)
  end)

  it("warns that baking without alarms protects nothing", function()
    says(churns.new():run(DEPLOY .. "v2 --linear 50% --bake 60"), "warning: no alarms are named")
  end)

  it("takes a DeploymentConfig as JSON, shorthand or from a file", function()
    local json = cjson.encode(deployment.all_at_once { bake = 60, alarms = { "a" } })
    local churn = churns.new()
    local result = churn:run({ "deploy", "--endpoint-name", "churn", "--endpoint-config-name", "v2",
      "--deployment-config", "file://config.json" }, { files = { ["config.json"] = json } })
    assert.equal(0, result.code)
    says(result, "all at once")
    result = churn:run { "deploy", "--endpoint-name", "churn", "--endpoint-config-name", "v3",
      "--deployment-config", json, "--canary", "10%" }
    assert.equal(252, result.code)
    says(result, "--deployment-config and --canary exclude each other")
  end)

  it("names a configuration that does not exist", function()
    local result = churns.new():run(DEPLOY .. "v9")
    assert.equal(254, result.code)
    says(result, "Could not find endpoint configuration")
  end)

  it("tells what it does in JSON, one object a line", function()
    local churn = churns.new()
    churn.sim:at(400, function(sim) sim:set_alarm("churn-5xx", "ALARM") end)
    local result = churn:run(DEPLOY .. "v2 --output json" .. CANARY)
    assert.equal(10, result.code)
    local events, kinds = objects(result.out), {}
    for i, event in ipairs(events) do
      kinds[i] = event.event
      assert.equal("churn", event.endpoint)
      assert.truthy(event.time:find("^2026%-01%-15T"))
    end
    assert.same({ "plan", "moved", "moved", "moved", "result" }, kinds)
    assert.equal("CANARY", events[1].policy)
    assert.equal(900, events[1].duration)
    assert.same({ { name = "churn-5xx", state = "OK" } }, events[1].alarms)
    assert.equal(2, events[1].steps[2].instances.new + 1)
    assert.same({ old = 75, new = 25 }, events[3].traffic)
    assert.equal("RollingBack", events[4].status)
    local last = events[5]
    assert.equal("rolled_back", last.outcome)
    assert.equal(10, last.exit_code)
    assert.is_true(last.changed)
    assert.equal("Alarm churn-5xx is in state ALARM.", last.failure_reason)
    assert.equal(4, #last.history)
  end)

  it("tells failures in JSON too", function()
    local events = objects(churns.new():run(DEPLOY .. "v9 --output json").out)
    assert.equal(1, #events)
    assert.equal("error", events[1].event)
    assert.equal("ValidationException", events[1].code)
    assert.equal(254, events[1].exit_code)
    events = objects(churns.new():run(DEPLOY .. "v2 --canary 3 --output json").out)
    assert.equal(252, events[1].exit_code)
    assert.truthy(events[1].errors[1].path:find("CanarySize", 1, true))
  end)

  it("says nothing with --output off, and knows no tables", function()
    local result = churns.new():run(DEPLOY .. "v2 --output off")
    assert.same({ 0, "", "" }, { result.code, result.out, result.err })
    assert.equal(252, churns.new():run(DEPLOY .. "v2 --output table").code)
  end)

  it("shows the plan and changes nothing with --dry-run", function()
    local churn = churns.new()
    local count = #churn.sim:requests()
    local result = churn:run(DEPLOY .. "v2 --dry-run" .. CANARY)
    assert.equal(0, result.code)
    says(result, "churn: update v1 -> v2, canary of 25 %")
    says(result, "at worst 15:00")
    for _, name in ipairs(churn:operations(count)) do
      assert.truthy(name:find("^Describe"), name)
    end
    assert.equal(252, churn:run(DEPLOY .. "v2 --dry-run --canary 3").code)
    assert.equal("update",
      cjson.decode(churn:run(DEPLOY .. "v2 --dry-run --output json").out).action)
  end)

  it("takes no query", function()
    assert.equal(252, churns.new():run(DEPLOY .. "v2 --query outcome").code)
  end)

  it("gives lines on a terminal with --debug and with --output text", function()
    for _, option in ipairs { " --debug", " --output text" } do
      local result = churns.new():run(DEPLOY .. "v2" .. option, { tty = true,
        env = { TERM = "xterm" } })
      assert.equal(0, result.code)
      assert.is_nil(result.out:find("\27", 1, true))
    end
  end)

  it("tells when nobody answers, once", function()
    local churn = churns.new()
    churn.sim:at(100, function(sim) sim:unreachable(6) end)
    local result = churn:run(DEPLOY .. "v2")
    assert.equal(0, result.code)
    local _, count = result.out:gsub("no answer", "")
    assert.equal(1, count)
  end)

  it("says how to go on when nobody answers any more", function()
    local churn = churns.new()
    churn.sim:at(100, function(sim) sim:unreachable(true) end)
    local result = churn:run(DEPLOY .. "v2")
    assert.equal(255, result.code)
    assert.truthy(result.err:find("^Nobody has answered for a while; the deployment goes on. To "
      .. "follow it: sagemaker watch churn %-%-endpoint%-config%-name v2\n"), result.err)
  end)
end)

describe("deploy with alarms", function()
  it("warns of one that is not there, or in ALARM already", function()
    local result = churns.new():run(DEPLOY .. "v2 --canary 25% --bake 60 --alarms churn-5x")
    says(result, "warning: there is no alarm churn-5x in CloudWatch: it guards nothing")
    local churn = churns.new()
    churn.sim:set_alarm("churn-5xx", "ALARM")
    local before = churn:run("plan --endpoint-name churn --endpoint-config-name v2" .. CANARY)
    assert.equal(0, before.code)
    says(before, "warning: the alarm churn-5xx is in ALARM: it rolls the deployment back at once")
    says(before, "`sagemaker deploy` would refuse")
    result = churn:run(DEPLOY .. "v2 --alarm-check warn" .. CANARY)
    assert.equal(10, result.code)
    says(result, "warning: the alarm churn-5xx is in ALARM")
  end)

  it("refuses while one is in ALARM, or what --alarm-check asks for", function()
    local churn = churns.new()
    churn.sim:set_alarm("churn-5xx", "ALARM")
    local count = #churn.sim:requests()
    local result = churn:run(DEPLOY .. "v2" .. CANARY)
    assert.equal(254, result.code)
    assert.equal("", result.out)
    says(result, "Not deployed (AlarmsNotReady): the alarm churn-5xx is in ALARM: it rolls the "
      .. "deployment back at once; "
      .. "--alarm-check warn deploys all the same")
    for _, name in ipairs(churn:operations(count)) do assert.truthy(name:find "^Describe", name) end
    churn.sim:set_alarm("churn-5xx", "INSUFFICIENT_DATA")
    result = churn:run(DEPLOY .. "v2 --alarm-check strict" .. CANARY)
    assert.equal(254, result.code)
    says(result, "has no data")
    count = #churn.sim:requests()
    assert.equal(0, churn:run(DEPLOY .. "v2 --alarm-check off" .. CANARY).code)
    for _, name in ipairs(churn:operations(count)) do assert.not_equal("DescribeAlarms", name) end
    assert.equal(252, churn:run(DEPLOY .. "v2 --alarm-check sometimes" .. CANARY).code)
  end)

  it("tells when their state changes", function()
    local churn = churns.new()
    churn.sim:at(100, function(sim) sim:set_alarm("churn-5xx", "INSUFFICIENT_DATA") end)
    says(churn:run(DEPLOY .. "v2" .. CANARY), "alarm churn-5xx: INSUFFICIENT_DATA, was OK")
    local events = objects(churns.new():run(DEPLOY .. "v2 --output json" .. CANARY).out)
    assert.same({ { name = "churn-5xx", state = "OK" } }, events[2].alarms)
  end)

  it("goes on with names where CloudWatch may not be asked", function()
    local churn = churns.new()
    churn:forbid_alarms(400)
    local result = churn:run(DEPLOY .. "v2 --output json" .. CANARY)
    assert.equal(0, result.code)
    assert.same({ { name = "churn-5xx" } }, objects(result.out)[2].alarms)
    assert.truthy(objects(result.out)[1].warnings[1]:find("cloudwatch:DescribeAlarms", 1, true))
    assert.equal("", result.err)
  end)

  it("asks for none where none are named", function()
    local churn = churns.new()
    local count = #churn.sim:requests()
    churn:run(DEPLOY .. "v2")
    for _, name in ipairs(churn:operations(count)) do assert.not_equal("DescribeAlarms", name) end
  end)
end)

describe("Ctrl-C", function()
  -- A simulator whose user interrupts at a time of its clock.
  local function interrupted(seconds, opts)
    local churn = churns.new()
    churn.sim:at(seconds, function() error("interrupted!", 0) end)
    return churn:run(DEPLOY .. "v2" .. CANARY, opts), churn
  end

  it("ends the command with 130 and says that the deployment goes on", function()
    local result, churn = interrupted(400)
    assert.equal(130, result.code)
    assert.equal("Interrupted, but the deployment goes on. To follow it: sagemaker watch churn "
      .. "--endpoint-config-name v2\n", result.err)
    assert.equal(0, churn:run("watch churn --endpoint-config-name v2").code)
  end)

  it("is no different from SIGTERM, but for the exit status 143", function()
    local result = interrupted(400, { terminated = true })
    assert.equal(143, result.code)
    assert.equal("Interrupted, but the deployment goes on. To follow it: sagemaker watch churn "
      .. "--endpoint-config-name v2\n", result.err)
    local churn = churns.new()
    churn.sim:at(400, function() error("interrupted!", 0) end)
    result = churn:run(DEPLOY .. "v2 --output json" .. CANARY, { terminated = true })
    local events = objects(result.out)
    assert.equal(143, events[#events].exit_code)
  end)

  it("is told below the key that a terminal shows", function()
    local function told(opts, words)
      local churn = churns.new { provisioning_seconds = 3000 }
      assert(churn.client:update_endpoint { EndpointName = "churn", EndpointConfigName = "v2" })
      churn.sim:at(400, function() error("interrupted!", 0) end)
      return churn:run(words or "wait endpoint-in-service --endpoint-name churn", opts).err
    end
    assert.truthy(told({ tty = "all" }):find "^\nInterrupted")
    assert.truthy(told({ tty = "all", terminated = true }):find "^Interrupted")
    local watch = "watch churn --output text"
    assert.truthy(told({ tty = "all" }, watch):find "^\nInterrupted")
    -- A picture has taken it away.
    assert.truthy(told({ tty = "all", env = { TERM = "xterm" } }, "watch churn"):find
      "^Interrupted")
  end)

  it("ends an operation without a word", function()
    local churn = churns.new()
    churn.sim.send = function() error("interrupted!", 0) end
    for tty, said in pairs { all = "\n", none = "" } do
      local result = churn:run("list-endpoints", { tty = tty == "all" and tty or nil })
      assert.same({ 130, "", said }, { result.code, result.out, result.err })
    end
  end)

  it("ends a wait, which says that it can be gone on with", function()
    for code, is_terminated in pairs { [130] = false, [143] = true } do
      local churn = churns.new { provisioning_seconds = 3000 }
      assert(churn.client:update_endpoint { EndpointName = "churn", EndpointConfigName = "v2" })
      churn.sim:at(400, function() error("interrupted!", 0) end)
      local result = churn:run("wait endpoint-in-service --endpoint-name churn",
        { terminated = is_terminated })
      assert.equal(code, result.code)
      assert.equal("Interrupted: what was waited for goes on. The same command waits on.\n",
        result.err)
    end
  end)

  it("says that nothing was changed before anything was sent", function()
    local churn = churns.new()
    local before = churn.sim.send
    churn.sim.send = function() error("interrupted!", 0) end
    local result = churn:run(DEPLOY .. "v2" .. CANARY)
    churn.sim.send = before
    assert.equal(130, result.code)
    assert.equal("Interrupted. Nothing was changed.\n", result.err)
  end)

  it("is told in JSON", function()
    local churn = churns.new()
    churn.sim:at(400, function() error("interrupted!", 0) end)
    local result = churn:run(DEPLOY .. "v2 --output json" .. CANARY)
    local events = objects(result.out)
    assert.equal("interrupted", events[#events].event)
    assert.equal(130, events[#events].exit_code)
  end)
end)
