--- What the guides show: what begins the README runs as it is pasted, and the Lua of each guide
--- runs from top to bottom, where the simulator stands in for AWS.

local lfs = require "lfs"
local sagemaker = require "sagemaker"
local support = require "support"

-- The guides with blocks of Lua.
local function guides()
  local list = { "README.md" }
  for folder in lfs.dir("examples") do
    local path = "examples/" .. folder
    if folder:sub(1, 1) ~= "." and lfs.attributes(path, "mode") == "directory" then
      for file in lfs.dir(path) do
        if file:find("%.md$") then list[#list + 1] = path .. "/" .. file end
      end
    end
  end
  table.sort(list)
  return list
end

-- The blocks of Lua in a file.
local function blocks_of(path)
  local blocks = {}
  for block in support.read(path):gmatch("\n```lua\n(.-)\n```") do blocks[#blocks + 1] = block end
  return blocks
end

-- Lua code with other globals.
local function load_in(env, text, name)
  if setfenv then -- luacheck: ignore 113
    return setfenv(assert(loadstring(text, name)), env) -- luacheck: ignore 113
  end
  return assert(load(text, name, "t", env)) -- luacheck: ignore 131
end

local VARIANTS = { { VariantName = "main", ModelName = "model", InstanceType = "ml.m5.large",
  InitialInstanceCount = 10 } }

local EVENTS = { 'data: {"n":1}\n\n', "data: [DONE]\n\n" }

-- A region with what the guides name: the answers of a model, endpoints, a deployment to come.
local function region()
  local sim = sagemaker.simulator.new { region = "eu-west-1" }
  local client = assert(sagemaker.new { transport = sim })
  assert(client:create_model { ModelName = "model",
    ExecutionRoleArn = "arn:aws:iam::123456789012:role/sagemaker" })
  sim:container("model", function(request)
    if request.path == "/ping" then return "" end
    if request.body:find('"stream":true', 1, true) then
      return { status = 200, headers = { ["Content-Type"] = "text/event-stream" }, parts = EVENTS }
    elseif request.body:find("messages", 1, true) then
      return { status = 200, headers = { ["Content-Type"] = "application/json" },
        body = '{"choices":[{"message":{"content":"Bonjour."}}]}' }
    end
    return "0.25"
  end)
  for _, name in ipairs { "churn-v1", "churn-v2" } do
    assert(client:create_endpoint_config { EndpointConfigName = name,
      ProductionVariants = VARIANTS })
  end
  for _, name in ipairs { "churn", "churn-eu", "churn-us", "chat" } do
    assert(client:deploy { EndpointName = name, EndpointConfigName = "churn-v1" })
  end
  sim:set_alarm("churn-5xx", "OK")
  return sim
end

-- Runs code in which clients without a transport talk to this simulator; what it prints.
local function run(text, name, sim)
  local printed = {}
  local function elsewhere(make)
    return function(opts)
      local own = { transport = sim }
      for key, value in pairs(opts) do own[key] = value end
      return make(own)
    end
  end
  local library = setmetatable({ new = elsewhere(sagemaker.new),
    runtime = elsewhere(sagemaker.runtime) }, { __index = sagemaker })
  local function note(...)
    local words = {}
    for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))) end
    printed[#printed + 1] = table.concat(words, " ")
  end
  local env = setmetatable({ io = setmetatable({ write = note }, { __index = io }), print = note,
    require = function(what) return what == "sagemaker" and library or require(what) end },
    { __index = _G })
  load_in(env, text, "=" .. name)()
  return table.concat(printed, "\n")
end

-- What a guide prints, in part.
local PRINTS = {
  ["README.md"] = { "churn%-v2 deployed after", "^[^\n]+\n[^\n]+\n", "0%.25 main", '{"n":1}' },
  ["examples/configuration/README.md"] = {},
  ["examples/deploy/README.md"] = { "InService: deployed", "\nInService" },
  ["examples/invoke/README.md"] = { "0%.25 main", '{"n":1}', "Bonjour" },
  ["examples/many-calls/README.md"] = { "1 true table", "2 true table" },
  ["examples/simulator/README.md"] = { "main score of 1,2,3" },
}

describe("the guides", function()
  for _, path in ipairs(guides()) do
    local blocks = blocks_of(path)
    if #blocks > 0 then
      it("hold Lua that runs from top to bottom: " .. path, function()
        local printed = run(table.concat(blocks, "\n"), path, region())
        assert.is_table(PRINTS[path], "what does it print?")
        for _, pattern in ipairs(PRINTS[path]) do
          assert.truthy(printed:find(pattern), ("%s\nis not in\n%s"):format(pattern, printed))
        end
      end)
    end
  end

  it("begin with at most twelve lines, which work as pasted", function()
    local example = blocks_of("README.md")[1]
    assert.is_true(select(2, example:gsub("\n", "")) < 12)
    local printed, print_before = {}, print
    _G.print = function(...) printed[#printed + 1] = { ... } end
    local ok, message = pcall(load_in(_G, example, "=README.md"))
    _G.print = print_before
    assert(ok, message)
    assert.same({ "churn-v1", "deployed" }, { printed[1][1], printed[1][2] })
    assert.same({ "churn-v2", "deployed" }, { printed[2][1], printed[2][2] })
    assert.equal(2, #printed)
  end)

  it("say where the library comes from in every example of the README that names it", function()
    for i, block in ipairs(blocks_of("README.md")) do
      if block:find("sagemaker.", 1, true) then
        assert.truthy(block:find('local sagemaker = require "sagemaker"', 1, true), "block " .. i)
      end
    end
  end)
end)
