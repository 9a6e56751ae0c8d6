--- Deployments by the command as a process, against the simulator as a server: exit statuses,
-- lines that come as things happen, signals.

local cjson = require "cjson"
local server = require "support.server"
local simulate = require "support.simulate"

local SAGEMAKER = (os.getenv "SAGEMAKER_LUA" or "lua5.4") .. " lua/sagemaker/cli/main.lua"
local CANARY = " --canary 25% --bake 5m --alarms churn-5xx --delay 0.02 --max-delay 0.02"
local DEPLOY = "$s deploy --endpoint-name churn --endpoint-config-name "

describe("deployments by a process", function()
  local ok, reason = simulate.available()
  if not ok then
    pending("starts nginx: " .. reason)
    return
  end

  local running

  -- Runs a line of shell in which $s is the command; answers what it printed and its exit status.
  local function shell(line)
    local output = running:shell(("s='%s'; %s\necho \" code=$?\""):format(SAGEMAKER, line))
    local text, code = output:match("^(.*) code=(%d+)\n$")
    return text, tonumber(code), output
  end

  local function says(text, part)
    assert.truthy(text:find(part, 1, true), text)
  end

  setup(function()
    -- Every look moves time on.
    running = assert(simulate.start { clock = "virtual", step = 20 })
    local text, code = shell([[
$s create-model --model-name m --execution-role-arn arn:aws:iam::123456789012:role/sagemaker \
  --primary-container Image=123456789012.dkr.ecr.us-east-1.amazonaws.com/m:1
for i in 1 2 3 4; do
  $s create-endpoint-config --endpoint-config-name v$i --production-variants \
    VariantName=main,ModelName=m,InstanceType=ml.m5.large,InitialInstanceCount=4 || exit 1
done]])
    assert.equal(0, code, text)
  end)

  teardown(function() running:stop() end)

  local function alarm(state)
    assert.equal(200, (running:post("/_simulator/alarms/churn-5xx", { state = state })))
  end

  it("end with 0 when they succeed, and there is nothing to change after that", function()
    alarm "OK"
    local text, code = shell(DEPLOY .. "v1 --delay 0.02 --max-delay 0.02")
    assert.equal(0, code, text)
    says(text, "create with v1")
    text, code = shell(DEPLOY .. "v1")
    assert.equal(0, code, text)
    says(text, "nothing to change")
  end)

  it("can be planned", function()
    local text, code = shell("$s plan --endpoint-name churn --endpoint-config-name v2" .. CANARY
      :gsub(" %-%-delay.*", "") .. " --output json")
    assert.equal(0, code, text)
    assert.equal(900, cjson.decode(text).duration)
  end)

  it("end with 10 when an alarm rings while they bake, and the lines come as it happens", function()
    alarm "OK"
    local ring = ("curl -sS -o /dev/null -X POST %s/_simulator/alarms/churn-5xx -d '%s'"):format(
      running.url, '{"state": "ALARM"}')
    local text = shell("{ " .. DEPLOY .. "v2" .. CANARY .. [[; echo "status $?"; } | while read -r l
do
  echo "$l"
  case $l in *"baking 1/2"*) ]] .. ring .. [[;; esac
done]])
    says(text, "rolled back: churn runs the old configuration, not v2")
    says(text, "status 10")
    alarm "OK"
  end)

  it("end with 13, 252 and 254", function()
    local text, code = shell(DEPLOY .. "v2 --timeout 0.05" .. CANARY)
    assert.equal(13, code, text)
    text, code = shell(DEPLOY .. "v3")
    assert.equal(254, code, text)
    says(text, "--wait queues behind it")
    text, code = shell(DEPLOY .. "v3 --canary 70%")
    assert.equal(252, code, text)
    text, code = shell("$s watch churn --delay 0.02 --max-delay 0.02")
    assert.equal(0, code, text)
  end)

  it("go on when Ctrl-C ends the command", function()
    local dir = server.folder()
    local text = shell((DEPLOY .. [[v3 --canary 25%% --bake 5m --delay 0.1 --max-delay 0.1 \
  >%s/out 2>&1 &
pid=$!
n=200
until grep -q Updating %s/out || [ $n -eq 0 ]; do n=$((n - 1)); sleep 0.05; done
kill -INT $pid
wait $pid
echo "status $?"
cat %s/out]]):format(dir, dir, dir))
    server.shell("rm -rf " .. dir)
    says(text, "status 130")
    says(text, "Interrupted, but the deployment goes on. To follow it: sagemaker watch churn "
      .. "--endpoint-config-name v3")
    says((shell "$s describe-endpoint --endpoint-name churn --query EndpointStatus"), "Updating")
  end)

  it("ends quietly when nobody reads any more", function()
    local text, code = shell(DEPLOY .. "v4 --wait" .. CANARY .. " | head -n 1")
    assert.equal(0, code)
    says(text, "waiting, Updating")
    assert.is_nil(text:find("traceback", 1, true), text)
  end)
end)
