-- The page of the running simulator, in a browser: what a person sees while a deployment goes well,
-- and while one is rolled back.

local browser = require "support.browser"
local pages = require "sagemaker.simulator.server.page"
local server = require "support.server"
local simulate = require "support.simulate"

describe("the files of the page", function()
  it("name nothing on another host", function()
    for _, path in ipairs { "", "chart.js", "icon.svg", "page.css", "page.js" } do
      local body = assert(pages.file(path))
      for url in body:gmatch("%a+://[%w./]+") do
        assert.equal("http://www.w3.org/2000/svg", url)
      end
    end
    assert.is_nil(pages.file "other.js")
  end)

  it("are the ones that the markup asks for", function()
    local markup = pages.file ""
    for path in markup:gmatch('[hs][re][ec]f?="([%w.]+)"') do
      assert.truthy(pages.file(path), path)
    end
    assert.truthy(markup:find('src="page.js"', 1, true))
  end)
end)

describe("the page", function()
  local running, page
  local runs, reason = simulate.available()
  if runs then runs, reason = browser.available() end

  local function story(name, body)
    it(name, function()
      if not runs then return pending(reason) end
      running = assert(simulate.start { clock = "virtual" })
      page = browser.open(running.url .. "/_simulator/")
      body()
      assert.same({}, page:complaints())
    end)
  end

  after_each(function()
    if page then page:close() end
    if running then running:stop() end
    page, running = nil, nil
  end)

  local function status() return page:text "#status" end

  local function until_status(wanted)
    page:wait(function() return status() == wanted end)
  end

  -- The percentage of the traffic that the chart says the new fleet has.
  local function share()
    local label = page:run "return document.getElementById('chart').getAttribute('aria-label')"
    return tonumber(label:match("now ([%d.]+) %%"))
  end

  local function begin()
    page:click "#example"
    until_status "Creating"
    page:click "#next"
    until_status "InService"
    assert.equal("example", page:text "#name")
    page:click "#deploy-form button"
    until_status "Updating"
    assert.truthy(page:text "#summary":find("on the way to example-v2", 1, true))
    page:click "#next"
    page:wait(function() return share() == 25 end)
  end

  story("shows a canary deployment on its way and in service", function()
    begin()
    page:click "[data-advance='60']"
    page:wait(function()
      return page:run "return document.querySelectorAll('#chart .area-new').length" == 2
    end)
    assert.equal(1, page:run "return document.querySelectorAll('#chart .plan').length")
    page:click "#next"
    page:wait(function() return share() == 100 end)
    page:click "#next"
    until_status "InService"
    assert.equal("runs example-v2", page:text "#summary")
    assert.equal("", page:text "#reason")
  end)

  story("shows a roll-back when an alarm is tripped", function()
    begin()
    assert.truthy(page:text "#alarms":find("example-5xx", 1, true))
    page:click "#alarm-0"
    until_status "RollingBack"
    page:wait(function() return share() == 0 end)
    assert.truthy(page:text "#reason":find("example-5xx", 1, true))
    page:click "#next"
    until_status "InService"
    assert.truthy(page:text "#summary":find("runs example-v1", 1, true))
    assert.truthy(page:text "#history":find("RollingBack", 1, true))
  end)

  story("shows which action of an alarm was not carried out", function()
    server.shell(("curl -sS --aws-sigv4 aws:amz:us-east-1:monitoring -u test:test "
      .. "-d 'Action=PutMetricAlarm&AlarmName=pager"
      .. "&Namespace=N&MetricName=M&Statistic=Sum&Period=60&EvaluationPeriods=1&Threshold=1"
      .. "&ComparisonOperator=GreaterThanThreshold"
      .. "&AlarmActions.member.1=arn:aws:sns:us-east-1:123456789012:page' %s/"):format(
      running.url))
    assert.equal(200, (running:post("/_simulator/alarms/pager", { state = "ALARM" })))
    page:wait(function()
      return page:text "#alarms":find("ALARM action not carried out: page", 1, true)
    end)
  end)

  story("lets time run by itself", function()
    page:click "#example"
    until_status "Creating"
    page:run "document.getElementById('pace-of-run').value = '600'"
    page:click "#run"
    until_status "InService"
  end)

  story("shows inference components beside their endpoint", function()
    local function call(operation, input)
      assert.equal(200, (running:post("/_simulator/call/" .. operation, input)))
    end
    call("CreateModel", { ModelName = "model",
      ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
      PrimaryContainer = { Image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1" } })
    call("CreateEndpointConfig", { EndpointConfigName = "bare",
      ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker",
      ProductionVariants = { { VariantName = "main", InstanceType = "ml.g5.xlarge",
        InitialInstanceCount = 2 } } })
    call("CreateEndpoint", { EndpointName = "host", EndpointConfigName = "bare" })
    running:post("/_simulator/advance", { seconds = 600 })
    call("CreateInferenceComponent", { InferenceComponentName = "llama", EndpointName = "host",
      VariantName = "main", RuntimeConfig = { CopyCount = 2 }, Specification = {
        ModelName = "model", ComputeResourceRequirements = { MinMemoryRequiredInMb = 1024 } } })
    page:wait(function() return page:text "#endpoints":find("component of host", 1, true) end)
    page:click "#endpoint-1"
    page:wait(function() return page:text "#name" == "llama" end)
    assert.equal("Creating", status())
    assert.matches("^on host", page:text "#summary")
    page:click "#next"
    until_status "InService"
  end)

  story("says why something is refused", function()
    page:wait(function() return page:text "#faults" ~= "" end)
    page:run "document.getElementById('faults').value = 'unhealthy'"
    page:fill("#knob-form input", "[1, 2]")
    page:click "#knob-form button"
    page:wait(function() return page:text "#knob-said":find "unhealthy" end)
    assert.matches("400", page:complaints()[1])
    page:fill("#knob-form input", "example-model")
    page:click "#knob-form button"
    page:wait(function() return page:text "#knobs":find "example%-model" end)
    assert.equal("", page:text "#knob-said")
    page:click "#knob-0"
    page:wait(function() return page:text "#knobs" == "none" end)
  end)

  story("can be used with the keyboard alone", function()
    local reached = {}
    for _ = 1, 20 do
      page:press "Tab"
      local id = page:run "return document.activeElement.id"
      if id ~= "" then reached[id] = true end
      if id == "example" then break end
    end
    assert.truthy(reached.example)
    page:press "Enter"
    until_status "Creating"
    assert.truthy(page:run "return document.getElementById('said') !== null")
  end)

  story("fits a narrow window", function()
    page:click "#example"
    until_status "Creating"
    page:resize(420, 900)
    page:wait(function()
      return page:run "return document.documentElement.scrollWidth <= window.innerWidth"
    end)
  end)
end)
