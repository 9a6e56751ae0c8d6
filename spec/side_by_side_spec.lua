-- Clients in tasks: calls, waits, retries and deployments of many endpoints side by side.
local sagemaker = require "sagemaker"
local server = require "support.server"
local task = require "sagemaker.task"

local GOOD = [[{"EndpointName":"e","EndpointStatus":"InService"}]]

-- Tells the client not to use the connection again where it `closes`.
local function answer(status, body, closes)
  return ("send:HTTP/1.1 %d X\\r\\n%sContent-Length: %d\\r\\n\\r\\n%s"):format(status,
    closes and "Connection: close\\r\\n" or "", #body, body)
end

local function client_of(url, options)
  local all = {
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "HIDDENSECRET" },
    endpoint_url = url, region = "eu-west-1", io = { getenv = function() end },
    timeouts = { connect = 2, read = 2 },
  }
  for name, value in pairs(options or {}) do all[name] = value end
  return assert(sagemaker.new(all))
end

-- A simulator with endpoints in service, each with a second configuration to go to.
local function world(n)
  local sim = sagemaker.simulator.new()
  local client = assert(sagemaker.new { transport = sim })
  assert(client:create_model { ModelName = "m",
    ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker" })
  for _, config in ipairs { "v1", "v2" } do
    assert(client:create_endpoint_config { EndpointConfigName = config, ProductionVariants = { {
      VariantName = "main", ModelName = "m", InstanceType = "ml.m5.large",
      InitialInstanceCount = 4 } } })
  end
  for i = 1, n do
    assert(client:create_endpoint { EndpointName = "e" .. i, EndpointConfigName = "v1" })
  end
  for i = 1, n do
    assert(client:wait_until_in_service("e" .. i, { EndpointConfigName = "v1" }))
  end
  return sim, client
end

local function times(n, fn)
  local fns = {}
  for i = 1, n do fns[i] = function() return fn(i) end end
  return sagemaker.all(fns)
end

describe("clients in tasks", function()
  local function deploy(client, i)
    return client:deploy { EndpointName = "e" .. i, EndpointConfigName = "v2",
      DeploymentConfig = sagemaker.deployment.canary { size = "25%", bake = 600 } }
  end

  it("deploy many endpoints in the time of one, and tell which was rolled back", function()
    local sim, client = world(1)
    local start = sim:clock()
    assert(deploy(client, 1))
    local alone = sim:clock() - start
    sim, client = world(8)
    sim:fail_provisioning("e3")
    start = sim:clock()
    local rows = times(8, function(i) return deploy(client, i) end)
    local together = sim:clock() - start
    for i = 1, 8 do
      assert.is_true(rows[i][1], tostring(rows[i][2]))
      assert.equal(i == 3 and "rolled_back" or "deployed", assert(rows[i][2]).outcome)
    end
    assert.is_true(together < alone * 1.5, ("%g s, alone %g s"):format(together, alone))
  end)

  it("wait, watch and page side by side, in a for as elsewhere", function()
    local sim, client = world(6)
    for i = 1, 3 do
      assert(client:update_endpoint { EndpointName = "e" .. i, EndpointConfigName = "v2" })
    end
    local events = 0
    local rows = sagemaker.all {
      function()
        local result = assert(client:wait_until_in_service("e1", { EndpointConfigName = "v2" }))
        return result.outcome
      end,
      function()
        local outcome
        for event in client:watch_endpoint("e2", { EndpointConfigName = "v2" }) do
          events, outcome = events + 1, event.outcome
        end
        return outcome
      end,
      function()
        local thread = client:in_service_coroutine("e3", { EndpointConfigName = "v2" })
        while true do
          local ok, event, delay = coroutine.resume(thread)
          assert(ok, event)
          if event.outcome then return event.outcome end
          sim:sleep(delay)
        end
      end,
      function()
        local names = {}
        for row in client:each("ListEndpoints", {}, { page_size = 2 }) do
          names[#names + 1] = row.EndpointName
        end
        table.sort(names)
        return table.concat(names, " ")
      end,
      function()
        return assert(client:wait("endpoint_in_service", { EndpointName = "e4" })).EndpointStatus
      end,
    }
    local results = {}
    for i, row in ipairs(rows) do results[i] = row[2] end
    assert.same({ "deployed", "deployed", "deployed", "e1 e2 e3 e4 e5 e6", "InService" }, results)
    assert.is_true(events > 1)
  end)

  it("give up a deployment that takes too long, and leave the others alone", function()
    local _, client = world(2)
    local rows = task.run(function()
      local one = task.spawn(function() return deploy(client, 1) end)
      local rows = task.all { function() return deploy(client, 2) end, function()
        coroutine.yield()
        one:cancel()
        return one:wait()
      end }
      return rows
    end)
    assert.equal("deployed", rows[1][2].outcome)
    assert.same({ false, "TaskCancelled" }, { rows[2][2], rows[2][3].code })
  end)

  it("of an in-process service wait on its clock only", function()
    local sim, client = world(1)
    sim:latency(5)
    local start = sim:clock()
    local rows = times(10, function()
      return assert(client:describe_endpoint { EndpointName = "e1" }).EndpointStatus
    end)
    for i = 1, 10 do assert.equal("InService", rows[i][2]) end
    assert.equal(5, sim:clock() - start)
  end)
end)

describe("clients in tasks, over HTTP,", function()
  local available, reason = server.available()
  if not available then
    pending("not run: " .. reason)
    return
  end

  local crew = server.crew()
  local bad = crew.bad

  after_each(crew.stop)
  teardown(server.clean)

  it("make their calls, and the pauses before retries, at the same time", function()
    local steps = {}
    for i = 1, 20 do -- no connection is answered before ten have asked
      for _, step in ipairs { "read", "meet:10", i <= 10 and answer(503, "{}", true)
        or answer(200, GOOD, true), "next" } do steps[#steps + 1] = step end
    end
    local one = bad(steps)
    -- A pause is short, and does not end before ten have begun.
    local sleep, pauses, sleeps = require("sagemaker.env").new().sleep, 0, 0
    local client = client_of(one:url(), { io = { getenv = function() end,
      random = function() return 0.001 end, sleep = function()
        pauses = pauses + 1
        while pauses < 10 and sleeps < 10000 do
          sleeps = sleeps + 1
          sleep(0.001)
        end
      end } })
    local rows = times(10, function()
      return assert(client:describe_endpoint { EndpointName = "e" }).EndpointStatus
    end)
    for i = 1, 10 do assert.same({ true, "InService" }, { rows[i][1], rows[i][2] }) end
    assert.equal(10, pauses)
    assert.is_true(sleeps < 10000)
  end)

  it("ask once for credentials that all of them need", function()
    local keys = bad { "read", "wait:50", answer(200, [[{"AccessKeyId": "AK", "SecretAccessKey":]]
      .. [[ "secret", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}]]), "again" }
    local one = bad { "read", answer(200, GOOD), "again" }
    local client = assert(sagemaker.new { endpoint_url = one:url(), region = "eu-west-1",
      io = { getenv = function(name)
        return name == "AWS_CONTAINER_CREDENTIALS_FULL_URI" and keys:url "/keys" or nil
      end } })
    local rows = times(40, function()
      return assert(client:describe_endpoint { EndpointName = "e" }).EndpointStatus
    end)
    for i = 1, 40 do assert.same({ true, "InService" }, { rows[i][1], rows[i][2] }) end
    assert.equal(1, keys:requests())
  end)

  it("page through a list in a for while others call", function()
    local list = bad { "read", answer(200, '{"Endpoints":[{"EndpointName":"a"}],"NextToken":"t"}'),
      "read", "wait:30", answer(200, '{"Endpoints":[{"EndpointName":"b"}]}'), "again" }
    local one = bad { "read", "wait:10", answer(200, GOOD), "again" }
    local lister, client = client_of(list:url()), client_of(one:url())
    local rows = sagemaker.all {
      function()
        local names = ""
        for row in lister:each("ListEndpoints") do names = names .. row.EndpointName end
        return names
      end,
      function()
        local n = 0
        for _ = 1, 5 do
          assert(client:describe_endpoint { EndpointName = "e" })
          n = n + 1
        end
        return n
      end,
    }
    assert.same({ "ab", 5 }, { rows[1][2], rows[2][2] })
  end)

  it("are cancelled in a call, and can be used again", function()
    local one = bad { "read", "hang", "next", "read", answer(200, GOOD) }
    local client = client_of(one:url())
    local result, _, err = task.timeout(0.05, function()
      return client:describe_endpoint { EndpointName = "e" }
    end)
    assert.is_nil(result)
    assert.equal("TaskTimeout", err.code)
    assert.equal("InService", client:describe_endpoint { EndpointName = "e" }.EndpointStatus)
  end)
end)
