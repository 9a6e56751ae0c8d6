--- `sagemaker plan`: offline, and on an endpoint as it is.

local churns = require "support.churn"
local cjson = require "cjson"
local command = require "support.command"

local function plan(words, opts)
  local argv = { "plan" }
  for word in words:gmatch("%S+") do argv[#argv + 1] = word end
  opts = opts or {}
  opts.env = opts.env or {}
  return command.run(argv, opts)
end

local function has(result, text)
  assert.truthy((result.out .. result.err):find(text, 1, true), result.out .. result.err)
end

describe("plan", function()
  it("needs no region, no credentials and no network with --instances", function()
    local result = plan "--instances 4 --canary 25% --bake 5m --alarms churn-5xx"
    assert.equal(0, result.code)
    assert.equal(0, #result.requests)
    has(result, "canary of 25 %, on 4 instances")
    has(result, "watching churn-5xx")
  end)

  it("shows the steps in a table", function()
    local result = plan "--instances 4 --canary 25% --bake 5m --termination-wait 2m --alarms a"
    has(result, [[
                                              traffic         instances
   time  takes  what                     shift    old    new  old  new
   0:00   5:00  provision new instances         100 %    0 %    4    0
   5:00   5:00  shift traffic, bake        1/2   75 %   25 %    4    1
  10:00   5:00  shift traffic, bake        2/2    0 %  100 %    4    4
  15:00   2:00  keep the old instances     2/2    0 %  100 %    4    4
  17:00         remove old instances       2/2    0 %  100 %    4    4
  17:00         in service                 2/2    0 %  100 %    0    4
]])
    has(result, "at worst 17:00, of which 5:00 are an estimate of provisioning; up to 8 instances")
  end)

  it("draws them", function()
    local result = plan "--instances 2 --canary 50% --bake 5m --alarms a --provisioning 5m"
    has(result, [[
        traffic   .. old   ## new
  100 % |...............................................#######################
        |...............................................#######################
        |...............................................#######################
        |...............................................#######################
   50 % |.......................###############################################
]])
    has(result, [[
      2 |...............................................#######################
      1 |.......................###############################################
        +----------------------+----------------------+------------------------
        0:00                   5:00                   10:00               15:00
]])
  end)

  it("fits the width of a terminal", function()
    for _, columns in ipairs { 20, 21, 30, 33, 34, 40, 60, 72, 80, 120 } do
      for _, words in ipairs { "--instances 10 --linear 20% --bake 10m", "--rolling 20% --bake 60",
        "--instances 10 --old-instances 8 --rolling 2 --deployment-timeout 20m --bake 60",
        "--instances a=3 b=5 --all-at-once --bake 5m --alarms a,b,c,d" } do
        local result = plan(words, { tty = true, columns = columns, env = { TERM = "xterm" } })
        assert.equal(0, result.code, result.err)
        for line in result.out:gmatch("[^\n]*") do
          local plain = line:gsub("\27%[[%d;]*m", "")
          assert.is_true(#plain <= columns, ("%d: %s"):format(columns, plain))
        end
      end
    end
  end)

  it("is a table of three columns on the narrowest terminals", function()
    local result = plan("--canary 25% --bake 5m --alarms a", { tty = true, columns = 20,
      env = { TERM = "dumb" } })
    has(result, [[
             traffic
 time what       new
 0:00 provision   0%
 5:00 shift      25%
10:00 shift     100%
15:00 remove    100%
15:00 done      100%
]])
  end)

  it("holds shares only where no fleet is known", function()
    local result = plan "--linear 50% --bake 60"
    assert.equal(0, result.code)
    assert.is_nil(result.out:find("instances\n", 1, true))
  end)

  it("prints values", function()
    local result = plan "--instances 10 --rolling 2 --bake 60 --alarms a b --output json"
    local value = cjson.decode(result.out)
    assert.equal("ROLLING", value.policy)
    assert.same({ "a", "b" }, value.alarms)
    assert.equal(12, value.peak)
    assert.equal(16, #value.steps)
    assert.same({ old = 10, new = 2 }, value.steps[2].instances)
    result = plan "--instances 10 --canary 10% --output json --query duration"
    assert.equal("300\n", result.out)
  end)

  it("says which option breaks a rule", function()
    local result = plan "--instances 4 --canary 60%"
    assert.equal(252, result.code)
    has(result, "--canary is 60 %, but must be at most 50 %")
    has(plan "--instances 4 --linear 5%", "--linear is 5 %, but must be 10 to 50 %")
    has(plan "--instances 4 --rolling x", "--rolling must be whole percents")
    has(plan "--bake 5", "--bake needs one of --canary, --linear, --rolling and --all-at-once")
    has(plan "--canary 1 --linear 1", "--canary and --linear exclude each other")
    has(plan "--all-at-once --bake 5x", '--bake: "5x" is no time')
    has(plan "--rolling 2 --termination-wait 5", "--termination-wait does not go with --rolling")
    has(plan "--instances 4 --canary 3", "\n--canary is 3 of the 4 instances")
    has(plan "--instances 4 --linear 3", "\n--linear is 3 of the 4 instances")
    has(plan "--instances 4 --rolling 3", "\n--rolling is 3 of the 4 instances")
    has(plan "--instances 4 --rolling 1 --rollback-batch 9", "\n--rollback-batch is 9 of the 4")
    has(plan("--instances 4 --deployment-config BlueGreenUpdatePolicy={TrafficRoutingConfiguration="
      .. "{Type=CANARY,WaitIntervalInSeconds=1,CanarySize={Type=INSTANCE_COUNT,Value=3}}}"),
      "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.CanarySize.Value: is 3")
    has(plan "--instances", "--instances needs a number, or VARIANT=NUMBER")
    has(plan "--instances 999999999999", '"999999999999" is neither a number of instances')
    has(plan "--instances a=999999999999", '"a=999999999999" is neither a number of instances')
    has(plan "--provisioning 999999999999", '"999999999999" is longer than any deployment')
    has(plan "--instances x --canary 1", '--instances: "x" is neither a number')
    has(plan "--canary 1", "its steps follow only from a known fleet")
  end)

  it("is that of deploy where endpoint and configuration are named", function()
    local churn = churns.new()
    local count = #churn.sim:requests()
    local result = churn:run "plan --endpoint-name churn --endpoint-config-name v2 --canary 25%"
    assert.equal(0, result.code, result.err)
    has(result, "churn: update v1 -> v2, canary of 25 %")
    has(result, "warning: no alarms are named")
    for _, name in ipairs(churn:operations(count)) do
      assert.truthy(name:find("^Describe"), name)
    end
    assert.equal(252,
      churn:run("plan --endpoint-name churn --endpoint-config-name v2 --canary 3").code)
    local value = cjson.decode(churn:run("plan --endpoint-name churn --endpoint-config-name v2 "
      .. "--canary 25% --provisioning 10m --output json").out)
    assert.same({ "update", "v1", "v2", 600 },
      { value.action, value.from, value.config, value.duration })
  end)

  it("tells the states of the alarms, and that they would refuse the deployment", function()
    local churn = churns.new()
    local words = "plan --endpoint-name churn --endpoint-config-name v2 --canary 25% --bake 60 "
      .. "--alarms churn-5xx other --output json"
    local value = cjson.decode(churn:run(words).out)
    assert.same({ ["churn-5xx"] = "OK", other = "missing" }, value.alarm_states)
    assert.is_nil(value.refused)
    churn.sim:set_alarm("churn-5xx", "ALARM")
    value = cjson.decode(churn:run(words).out)
    assert.equal("the alarm churn-5xx is in ALARM: it rolls the deployment back at once; there is "
      .. "no alarm other in CloudWatch: it guards nothing", value.refused)
    assert.is_nil(cjson.decode(churn:run(words .. " --alarm-check off").out).alarm_states)
  end)

  it("tells of a new endpoint, of nothing to change and of a deployment under way", function()
    local churn = churns.new { absent = true }
    has(churn:run "plan --endpoint-name churn --endpoint-config-name v1", "create with v1")
    assert(churn.client:deploy { EndpointName = "churn", EndpointConfigName = "v1" })
    has(churn:run "plan --endpoint-name churn --endpoint-config-name v1", "nothing to change")
    assert(churn.client:update_endpoint { EndpointName = "churn", EndpointConfigName = "v2" })
    has(churn:run "plan --endpoint-name churn --endpoint-config-name v3", "deployment of v2")
  end)

  it("takes the fleet of a configuration or of an endpoint alone", function()
    local churn = churns.new()
    has(churn:run "plan --endpoint-config-name v2 --linear 25%", "on 4 of main (v2)")
    has(churn:run "plan --endpoint-name churn --linear 25%", "on 4 of main (churn)")
  end)
end)
