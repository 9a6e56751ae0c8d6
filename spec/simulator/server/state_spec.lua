-- A server that is killed in the middle of writes goes on from its last snapshot.

local cjson = require "cjson"
local server = require "support.server"
local simulate = require "support.simulate"

describe("a server with a state file", function()
  local ok, reason = simulate.available()
  if not ok then
    pending("starts nginx: " .. reason)
    return
  end

  local running, dir, path

  before_each(function()
    dir = server.folder()
    path = dir .. "/state.json"
  end)

  after_each(function()
    if running then running:stop() end
    running = nil
    server.shell("rm -rf " .. dir)
  end)

  local function start(opts)
    opts = opts or { clock = "virtual", save_seconds = 0.05 }
    opts.state = path
    local message
    running, message = simulate.start(opts, dir)
    return running, message
  end

  -- Operations as a client with the first keys would call them.
  local function call(operation, input)
    local status, data = running:post("/_simulator/call/" .. operation, input)
    assert.equal(200, status, cjson.encode(data))
    return data
  end

  local function create_model()
    call("CreateModel", { ModelName = "model", PrimaryContainer = { Image = "x" },
      ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker" })
  end

  local function lines_of(name)
    local list = {}
    local file = io.open(name, "rb")
    if not file then return list end
    for line in file:lines() do list[#list + 1] = line end
    file:close()
    return list
  end

  local function names_now()
    local names = {}
    for _, config in ipairs(select(2, running:get "/_simulator/state").configs) do
      names[config.name] = true
    end
    return names
  end

  it("loses nothing that is older than its last snapshot when it is killed", function()
    assert(start())
    create_model()
    local kept = {} -- what came through the kill before
    for round = 1, 4 do
      local log = dir .. "/acknowledged-" .. round
      local writer = server.spawn(("%s spec/support/writer.lua %s r%d %s"):format(
        os.getenv "SAGEMAKER_LUA" or "lua", running.url, round, log), dir .. "/writer")
      assert(server.wait_for(10, function() return #lines_of(log) > 50 * round end))
      local sure = lines_of(log)
      assert.equal(200, (running:post("/_simulator/save", {})))
      assert(server.wait_for(10, function() return #lines_of(log) > #sure + 20 end))
      server.shell(("kill -9 %d"):format(select(2, running:get "/_simulator/state").process))
      assert(server.wait_for(10, function() return not server.alive(writer) end))
      assert(server.wait_for(10, function() return not server.alive(running.pid) end))
      assert(start())
      local there = names_now()
      for _, name in ipairs(sure) do kept[name] = true end
      for name in pairs(kept) do assert.is_true(there[name], name) end
      kept = there
    end
  end)

  it("writes its state when it ends, and goes on with a deployment", function()
    assert(start())
    create_model()
    for _, name in ipairs { "v1", "v2" } do
      call("CreateEndpointConfig", { EndpointConfigName = name, ProductionVariants = { {
        VariantName = "v", ModelName = "model", InstanceType = "ml.m5.large",
        InitialInstanceCount = 4 } } })
    end
    call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "v1" })
    running:post("/_simulator/advance", { seconds = 300 })
    call("UpdateEndpoint", { EndpointName = "e", EndpointConfigName = "v2", DeploymentConfig = {
      BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = { Type = "CANARY",
        WaitIntervalInSeconds = 600, CanarySize = { Type = "INSTANCE_COUNT", Value = 1 } } } } })
    running:post("/_simulator/advance", { seconds = 400 })
    local before = select(2, running:get "/_simulator/endpoints/e")
    assert.equal("bake", before.stage.kind)
    assert.is_true(running:stop())
    assert(start())
    assert.same(before, select(2, running:get "/_simulator/endpoints/e"))
    running:post("/_simulator/advance", { seconds = 1200 })
    assert.equal("v2", select(2, running:get "/_simulator/endpoints/e").config)
  end)

  it("does not start from a file that is none of its own", function()
    for text, message in pairs {
      ["{}"] = "this is not a snapshot of the simulator", ["{"] = "this is not a whole snapshot",
    } do
      local file = assert(io.open(path, "wb"))
      file:write(text)
      file:close()
      local started, said = start()
      assert.is_nil(started)
      assert.matches("^simulate: " .. path:gsub("%p", "%%%0") .. ": " .. message, said)
      assert.equal(text, lines_of(path)[1])
    end
  end)
end)
