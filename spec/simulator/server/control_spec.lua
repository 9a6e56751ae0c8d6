local caller = require "simulator.caller"
local cjson = require "cjson"
local servers = require "sagemaker.simulator.server"

describe("the control API", function()
  local server, call

  before_each(function()
    server = assert(servers.new { clock = "virtual" })
    call = caller.new(server.sim, { at = require("sagemaker.core").now() })
    caller.prepare(call, "v1", "v2")
  end)

  local function ask(method, path, body, headers, address)
    headers = headers or {}
    headers.host = headers.host or "127.0.0.1:4580"
    local response = server:control { method = method, path = path, headers = headers,
      body = body or "", query = "", address = address or "127.0.0.1" }
    local ok, data = pcall(cjson.decode, response.body)
    return response.status, ok and data or nil, response
  end

  it("tells everything that a person looks at", function()
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "v1" }))
    server.sim:advance(300)
    assert(call("UpdateEndpoint", { EndpointName = "e", EndpointConfigName = "v2",
      DeploymentConfig = {
        BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = { Type = "CANARY",
          WaitIntervalInSeconds = 600, CanarySize = { Type = "INSTANCE_COUNT", Value = 1 } } },
        AutoRollbackConfiguration = { Alarms = { { AlarmName = "a" } } },
      } }))
    server.sim:advance(301)
    for _ = 1, 7 do
      server.sim.account.metrics:record("e", "AllTraffic", "Invocations", 1, server.sim:now())
    end
    local status, state, response = ask("GET", "/_simulator/state")
    assert.equal(200, status)
    assert.equal("no-store", response.headers["Cache-Control"])
    assert.same({ kind = "virtual", start = 1768478400 }, state.clock)
    assert.equal(1768478400 + 601, state.now)
    assert.equal(1, #state.endpoints)
    local row = state.endpoints[1]
    assert.equal("Updating", row.status)
    assert.equal("v1", row.config)
    assert.same({ { name = "AllTraffic", model = "model", weight = 1, desired_weight = 1, count = 3,
      desired = 3, serverless = false, invocations = 7 } }, row.variants)
    local stage, d = row.stage, row.deployment
    assert.same({ "bake", 1, 2 }, { stage.kind, stage.step, stage.steps })
    assert.same({ state.now - 1, state.now + 599 }, { stage.since, stage.ends })
    assert.same({ "CANARY", "v2", { "a" } }, { d.kind, d.config, d.alarms })
    assert.same({ old = 66.7, new = 33.3 }, row.traffic)
    local shares, ends = {}, {}
    for i, planned in ipairs(d.stages) do
      shares[i], ends[i] = planned.share, planned.ends - d.started
    end
    assert.same({ 0, 0, 33.3, 33.3, 100, 100 }, shares)
    assert.same({ 300, 300, 900, 900, 1500, 1500 }, ends)
    assert.equal("InService", row.history[2 + 1].status)
    assert.same({ { name = "a", state = "OK", defined = false, actions = {} } }, state.alarms)
    assert.equal("UpdateEndpoint", state.requests[#state.requests].operation)
    assert.equal(#state.requests, state.requests_total)
    assert.same(row, select(2, ask("GET", "/_simulator/endpoints/E")))
    assert.equal(404, (ask("GET", "/_simulator/endpoints/none")))
  end)

  it("gives lists also when they are empty", function()
    local _, _, response = ask("GET", "/_simulator/state")
    assert.matches('"endpoints":%[%]', response.body)
    assert.matches('"alarms":%[%]', response.body)
    assert.matches('"knobs":{}', response.body)
  end)

  it("moves time on", function()
    local before = server.sim:now()
    local moved, moment = ask("POST", "/_simulator/advance", '{"seconds":90}')
    assert.same({ 200, { now = before + 90 } }, { moved, moment })
    for _, body in ipairs { "", "{}", '{"seconds":-1}', '{"seconds":"1"}', '{"seconds":1e999}' } do
      local status, data = ask("POST", "/_simulator/advance", body)
      assert.equal(400, status)
      assert.equal("BadRequest", data.code)
      assert.matches("^advance takes a number of seconds", data.message)
    end
    assert.equal(before + 90, server.sim:now())
  end)

  it("sets alarms", function()
    local status, data = ask("POST", "/_simulator/alarms/churn%205xx%2Fb", '{"state":"ALARM"}')
    assert.equal(200, status)
    assert.equal("churn 5xx/b", data.name)
    assert.equal("ALARM", server.sim.account.alarms["churn 5xx/b"])
    assert.equal(400, (ask("POST", "/_simulator/alarms/x", '{"state":"RED"}')))
    assert.equal(400, (ask("POST", "/_simulator/alarms/", '{"state":"OK"}')))
  end)

  it("reads and writes what asynchronous invocations do", function()
    assert.equal(200, (ask("POST", "/_simulator/objects/s3://b/in%20put.csv", '{"body":"1,2"}')))
    local status, list = ask("GET", "/_simulator/objects")
    assert.same({ 200, { "s3://b/in put.csv" } }, { status, list })
    local _, _, response = ask("GET", "/_simulator/objects/s3://b/in%20put.csv")
    assert.equal("1,2", response.body)
    assert.equal("application/octet-stream", response.headers["Content-Type"])
    assert.equal(404, (ask("GET", "/_simulator/objects/s3://b/none")))
    assert.equal(400, (ask("POST", "/_simulator/objects/", '{"body":"x"}')))
    assert.equal(400, (ask("POST", "/_simulator/objects/s3://b/x", '{"body":1}')))
  end)

  it("sets knobs, all or none", function()
    local status, data = ask("POST", "/_simulator/knobs",
      '{"unhealthy":["v2"],"latency":{"distribution":"uniform","min":0,"max":0.5},"drop":3}')
    assert.equal(200, status)
    assert.same({ unhealthy = { "v2" }, drop = 3,
      latency = { distribution = "uniform", min = 0, max = 0.5 } }, data)
    status, data = ask("POST", "/_simulator/knobs", '{"drop":null,"latency":-1}')
    assert.equal(400, status)
    assert.matches("^latency must be seconds", data.message)
    assert.equal(3, server.sim.knobs.drop)
    status, data = ask("POST", "/_simulator/knobs", '{"drop":null,"latency":false}')
    assert.equal(200, status)
    assert.same({ unhealthy = { "v2" } }, data)
    status, data = ask("POST", "/_simulator/knobs", '{"dorp":1}')
    assert.equal(400, status)
    assert.equal("There is no knob dorp.", data.message)
  end)

  it("updates endpoints as the service does by itself", function()
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "v1" }))
    server.sim:advance(300)
    assert.equal(200, (ask("POST", "/_simulator/endpoints/e/system_update", '{"seconds":60}')))
    assert.equal("SystemUpdating", select(2, ask("GET", "/_simulator/endpoints/e")).status)
    assert.equal(400, (ask("POST", "/_simulator/endpoints/e/system_update", '{"seconds":60}')))
    assert.equal(400, (ask("POST", "/_simulator/endpoints/e/system_update", '{"seconds":-1}')))
    assert.equal(404, (ask("POST", "/_simulator/endpoints/e/other", "{}")))
  end)

  it("answers callers on this machine only", function()
    local function status(headers, address)
      return (ask("GET", "/_simulator/state", "", headers, address))
    end
    assert.equal(200, status({}, "::1"))
    assert.equal(200, status({}, "unix:"))
    assert.equal(200, status { host = "sim.localhost:80" })
    assert.equal(200, status { host = "[::1]:80" })
    assert.equal(200, status { host = "localhost:1", origin = "http://localhost:1" })
    assert.equal(403, status({}, "10.0.0.1"))
    assert.equal(403, status({}, "1270.0.0.1"))
    assert.equal(403, status { host = "rebound.example" })
    assert.equal(403, status { host = "127.0.0.1.example" })
    assert.equal(403, status { host = "localhost:1", origin = "http://localhost:2" })
    assert.equal(403, status { host = "localhost:1", origin = "null" })
  end)

  it("leads to the page, which may load its own files only", function()
    local status, _, response = ask("GET", "/_simulator")
    assert.same({ 308, "/_simulator/" }, { status, response.headers.Location })
    status, _, response = ask("GET", "/_simulator/")
    assert.equal(200, status)
    assert.matches("^<!doctype html>", response.body)
    assert.matches("default%-src 'none'", response.headers["Content-Security-Policy"])
    status, _, response = ask("GET", "/_simulator/page.js")
    assert.same({ 200, "text/javascript; charset=utf-8" },
      { status, response.headers["Content-Type"] })
  end)

  it("calls operations for the page, which has no keys", function()
    local body = cjson.encode { ModelName = "by-hand",
      ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker" }
    local status, data = ask("POST", "/_simulator/call/CreateModel", body)
    assert.equal(200, status)
    assert.matches("model/by%-hand$", data.ModelArn)
    status, data = ask("POST", "/_simulator/call/CreateModel", body)
    assert.equal(400, status)
    assert.matches("already existing model", data.message)
    assert.equal(400, (ask("POST", "/_simulator/call/CreateCake", "{}")))
    assert.equal(403, (ask("POST", "/_simulator/call/CreateModel", body,
      { host = "rebound.example" })))
  end)

  it("refuses in JSON what it does not know", function()
    local cases = {
      { "GET", "/_simulator/nothing", 404 }, { "GET", "/_simulatorx", 404 },
      { "DELETE", "/_simulator/state", 405 }, { "POST", "/_simulator/state", 405 },
      { "GET", "/_simulator/advance", 405 }, { "POST", "/_simulator/nothing", 404 },
      { "POST", "/_simulator/save", 400 },
    }
    for _, case in ipairs(cases) do
      local status, data = ask(case[1], case[2])
      assert.equal(case[3], status)
      assert.is_string(data.code)
      assert.is_string(data.message)
    end
    for _, body in ipairs { "{", "1", '"x"', "[1" } do
      assert.equal(400, (ask("POST", "/_simulator/knobs", body)))
    end
  end)

  it("survives its own faults, and logs them", function()
    local said
    server.log = function(message) said = message end
    server.sim.account.settle = function() error "broken" end
    local status, data = ask("GET", "/_simulator/state")
    assert.equal(500, status)
    assert.equal("InternalFailure", data.code)
    assert.matches("broken", said)
  end)
end)
