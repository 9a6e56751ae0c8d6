local caller = require "simulator.caller"
local cjson = require "cjson"
local core = require "sagemaker.core"
local files = require "support.server"
local servers = require "sagemaker.simulator.server"

describe("a server of the simulator", function()
  -- A request as nginx brings it, signed now.
  local function request(operation, params, change)
    local service = core.service "sagemaker"
    local made = assert(core.encode(service, operation, params, false))
    made.headers.host = "127.0.0.1:1"
    core.signer { access_key_id = "test", secret_access_key = "test", region = "us-east-1",
      service = "sagemaker" }:sign(made, core.now())
    local headers = {}
    for name, value in pairs(made.headers) do headers[name:lower()] = value end
    made.headers = headers
    if change then change(made) end
    return made
  end

  local function code_of(delivery)
    return cjson.decode(delivery.response.body).__type
  end

  it("checks signatures in real time and lives in virtual time", function()
    local server = assert(servers.new { clock = "virtual" })
    local delivery = server:answer(request("ListModels", {}))
    assert.equal(200, delivery.response.status)
    assert.equal(core.time.format(math.floor(core.now()), "rfc7231"):sub(1, 16),
      delivery.response.headers.Date:sub(1, 16))
    assert.equal(1768478400, server.sim:now())
    server.sim:clock_skew(3600)
    assert.equal("InvalidSignatureException", code_of(server:answer(request("ListModels", {}))))
    server.sim:clock_skew(-3600)
    assert.equal("InvalidSignatureException", code_of(server:answer(request("ListModels", {}))))
  end)

  it("leaves the collector of the nginx that it is mounted in alone", function()
    local name = "sagemaker.simulator.server"
    local pause, speed = collectgarbage("setpause", 160), collectgarbage("setstepmul", 240)
    finally(function()
      collectgarbage("setpause", pause)
      collectgarbage("setstepmul", speed)
      package.loaded[name] = servers
    end)
    package.loaded[name] = nil -- there is one server in a process
    require(name).start { clock = "virtual" }
    assert.equal(160, collectgarbage("setpause", 160))
    assert.equal(240, collectgarbage("setstepmul", 240))
  end)

  it("moves time with each DescribeEndpoint", function()
    local server = assert(servers.new { clock = "virtual", step = 100 })
    local call = caller.new(server.sim, { at = core.now() })
    caller.prepare(call, "v1")
    assert(call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "v1" }))
    for _, status in ipairs { "Creating", "Creating", "InService" } do
      assert.equal(status, call("DescribeEndpoint", { EndpointName = "e" }).EndpointStatus)
    end
  end)

  it("never throws whatever comes", function()
    local server = assert(servers.new { clock = "virtual" })
    local logged = 0
    server.log = function() logged = logged + 1 end
    local spoilt = {
      function(r) r.path = "/%zz" end, function(r) r.path = "" end, function(r) r.path = "/\0" end,
      function(r) r.method = "BREW" end, function(r) r.query = "%%%&&==&X-Amz-Signature=1" end,
      function(r) r.body = "{" end, function(r) r.body = "\255\254" end,
      function(r) r.body = ("["):rep(100000) end, function(r) r.body = "null" end,
      function(r) r.headers["x-amz-target"] = "SageMaker.Nothing" end,
      function(r) r.headers["x-amz-target"] = "\255.\254" end,
      function(r) r.headers["x-amz-target"] = { "SageMaker.ListModels", "x" } end,
      function(r) r.headers[1] = "x" end, function(r) r.headers.x = true end,
      function(r) r.headers.host = nil end, function(r) r.headers["x-amz-date"] = "20260115" end,
      function(r) r.headers["x-amz-date"] = "99999999T999999Z" end,
      function(r) r.headers.authorization = r.headers.authorization:rep(100) end,
      function(r) r.headers.authorization = "AWS4-HMAC-SHA256 Credential=\255/1/\254/s/"
        .. "aws4_request, SignedHeaders=host, Signature=00" end,
      function(r) r.headers.authorization = "AWS4-HMAC-SHA256 " end,
      function(r) r.headers = nil end, function(r) r.body = nil end,
      function(r) r.path = "/endpoints/e/invocations" end,
      function(r) r.path = "/endpoints/%ff%00/invocations" end,
    }
    for _, verify in ipairs { true, false } do
      server = assert(servers.new { clock = "virtual", verify = verify })
      server.log = function(message) error(message) end
      for _, change in ipairs(spoilt) do
        local response = server:answer(request("ListModels", {}, change)).response
        local answer = cjson.decode(response.body)
        if response.status == 200 then
          assert.is_table(answer.Models)
        else
          assert.is_true(response.status >= 400 and response.status < 500)
          assert.is_string(answer.message or answer.Message)
        end
      end
    end
    assert.equal(0, logged)
  end)

  it("answers InternalFailure when it is at fault, and logs why", function()
    local server = assert(servers.new { clock = "virtual" })
    local said
    server.log = function(message) said = message end
    server.sim.account.visible = function() error "broken" end
    local delivery = server:answer(request("ListModels", {}))
    assert.equal(500, delivery.response.status)
    assert.equal("InternalFailure", code_of(delivery))
    assert.matches("broken", said)
    assert.matches("stack traceback", said)
  end)

  it("says what is to go wrong on the way", function()
    local server = assert(servers.new { clock = "virtual" })
    server.sim:unreachable(1)
    assert.is_nil(server:answer(request("ListModels", {})).response)
    server.sim:latency { ListModels = 0.25 }
    for _, loss in ipairs { "drop", "reset", "truncate" } do
      server.sim[loss](server.sim, "ListModels")
      local delivery = server:answer(request("ListModels", {}))
      assert.same({ loss, 0.25, 200 }, { delivery.loss, delivery.delay, delivery.response.status })
      server.sim[loss](server.sim, false)
    end
    assert.is_nil(server:answer(request("ListModels", {})).loss)
    server.sim:expire "ListModels"
    assert.equal("ExpiredTokenException", code_of(server:answer(request("ListModels", {}))))
  end)

  it("keeps its state in a file", function()
    local dir = files.folder()
    finally(function() files.shell("rm -rf " .. dir) end)
    local path = dir .. "/state.json"
    local server = assert(servers.new { clock = "virtual", state = path })
    assert.is_true(server:is_unsaved())
    caller.prepare(caller.new(server.sim, { at = core.now() }), "v1")
    assert(server:save())
    assert.is_false(server:is_unsaved())
    local before = files.shell("stat -c '%i %a' " .. path)
    assert.matches(" 600", before)
    assert(server:save())
    assert.equal(before, (files.shell("stat -c '%i %a' " .. path)))
    local other = assert(servers.new { clock = "virtual", state = path })
    assert.is_false(other:is_unsaved())
    assert.equal(1, other.sim.account.store:count("endpoint-config"))
    local file = assert(io.open(path, "wb"))
    file:write "{}"
    file:close()
    local none, message = servers.new { state = path }
    assert.is_nil(none)
    assert.equal(path .. ": this is not a snapshot of the simulator", message)
    file = assert(io.open(path, "wb"))
    file:close() -- an empty one holds no state
    other = assert(servers.new { state = path })
    assert.equal(0, other.sim.account.store:count("endpoint-config"))
    assert.is_true(other:is_unsaved())
    none, message = servers.new { state = dir }
    assert.is_nil(none)
    assert.matches("directory", message)
    server.options.state = dir .. "/no/where"
    assert(caller.new(server.sim, { at = core.now() })("DeleteEndpointConfig",
      { EndpointConfigName = "v1" }))
    local ok, why = server:save()
    assert.is_nil(ok)
    assert.matches("no/where", why)
  end)

  it("writes its state file only when something was changed", function()
    local dir = files.folder()
    finally(function() files.shell("rm -rf " .. dir) end)
    local path, elapsed = dir .. "/state.json", 0
    local io = { clock = function() return elapsed end, now = function() return 1e9 + elapsed end }
    local server = assert(servers.new({ speed = 10, state = path }, io))

    -- What a call does to the file: "written" or "kept".
    local function effect(operation, input)
      elapsed = elapsed + 1
      local before = files.shell("stat -c %i " .. path .. "; touch -d @0 " .. path)
      local call = caller.new(server.sim, { at = server.sim.wall() })
      if operation then assert(call(operation, input)) end
      assert(server:save())
      local after = files.shell("stat -c %i%Y " .. path)
      return before:gsub("%s", "") .. "0" == after:gsub("%s", "") and "kept" or "written"
    end

    caller.prepare(caller.new(server.sim, { at = server.sim.wall() }), "v1", "v2")
    assert(server:save())
    assert.equal("written", effect("CreateEndpoint",
      { EndpointName = "churn", EndpointConfigName = "v1" }))
    for _ = 1, 3 do
      assert.equal("kept", effect("DescribeEndpoint", { EndpointName = "churn" }))
      assert.equal("kept", effect("ListEndpoints", {}))
    end
    assert.equal("kept", effect())
    elapsed = elapsed + 30 -- of ten seconds each: it is there
    assert.equal("written", effect("DescribeEndpoint", { EndpointName = "churn" }))
    assert.equal("kept", effect("DescribeEndpoint", { EndpointName = "churn" }))
    assert.equal("written", effect("AddTags", { Tags = { { Key = "a", Value = "b" } },
      ResourceArn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/churn" }))
    assert.equal("written", effect("DeleteEndpointConfig", { EndpointConfigName = "v2" }))

    -- One that goes on from the file has it already.
    server = assert(servers.new({ speed = 10, state = path }, io))
    assert.equal("kept", effect("DescribeEndpoint", { EndpointName = "churn" }))
    assert.equal("written", effect("DeleteEndpoint", { EndpointName = "churn" }))
  end)

  it("writes at its end what time has come to, where time runs", function()
    local dir = files.folder()
    finally(function() files.shell("rm -rf " .. dir) end)
    local path, elapsed = dir .. "/state.json", 0
    local io = { clock = function() return elapsed end, now = function() return 1e9 + elapsed end }
    local server = assert(servers.new({ speed = 60, state = path }, io))
    local call = caller.new(server.sim, { at = server.sim.wall() })
    caller.prepare(call, "v1")
    assert(call("CreateEndpoint", { EndpointName = "churn", EndpointConfigName = "v1" }))
    assert(server:save())
    elapsed = 10
    assert(server:save(nil, true))
    local other = assert(servers.new({ speed = 60, state = path }, io))
    assert.is_near(1e9 + 600, other.sim:now(), 1)
    elapsed = 20
    assert(server:save())
    other = assert(servers.new({ speed = 60, state = path }, io))
    assert.is_near(1e9 + 600, other.sim:now(), 1)
    local before = files.shell("stat -c %i " .. path)
    other = assert(servers.new({ clock = "virtual", state = path }))
    assert(other:save(nil, true))
    assert.equal(before, files.shell("stat -c %i " .. path))
  end)

  it("keeps the time of a virtual clock that moves by reads", function()
    local dir = files.folder()
    finally(function() files.shell("rm -rf " .. dir) end)
    local path = dir .. "/state.json"
    local server = assert(servers.new { clock = "virtual", step = 7, state = path })
    local call = caller.new(server.sim, { at = core.now() })
    caller.prepare(call, "v1")
    assert(call("CreateEndpoint", { EndpointName = "churn", EndpointConfigName = "v1" }))
    assert(server:save())
    assert(call("DescribeEndpoint", { EndpointName = "churn" }))
    assert(server:save())
    local other = assert(servers.new { clock = "virtual", state = path })
    assert.equal(server.sim:now(), other.sim:now())
  end)

  it("never replaces a snapshot by one that began before it", function()
    local dir = files.folder()
    finally(function() files.shell("rm -rf " .. dir) end)
    local path = dir .. "/state.json"
    local server = assert(servers.new { clock = "virtual", state = path })
    local call = caller.new(server.sim, { at = core.now() })
    caller.prepare(call)
    for i = 1, 30 do assert(call("CreateEndpointConfig", caller.config("c" .. i, 1))) end
    local done
    assert(server:save(function() -- in the middle of which something happens and is saved
      if done then return end
      done = true
      assert(call("CreateEndpointConfig", caller.config("late", 1)))
      assert(server:save())
    end))
    local other = assert(servers.new { clock = "virtual", state = path })
    assert.is_table(other.sim.account.store:find("endpoint-config", "late"))
    assert.is_false(server:is_unsaved())
  end)

  it("says what is wrong with its options", function()
    local function message(opts)
      local none, text = servers.new(opts)
      assert.is_nil(none)
      return text
    end
    assert.equal("speed must be a number above 0", message { speed = 0 })
    assert.equal("save_seconds must be a number above 0", message { save_seconds = "1" })
    assert.equal('clock can only be "virtual"', message { clock = "real" })
    assert.equal("speed and clock exclude each other", message { clock = "virtual", speed = 2 })
    assert.equal('step needs clock = "virtual"', message { step = 2 })
    assert.equal("credentials must be KEY:SECRET", message { credentials = "test" })
    assert.equal("seed must be a number of at least 0", message { seed = "x" })
    assert.matches("no option prot", message { prot = 1 })
  end)
end)
