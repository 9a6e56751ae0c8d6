--- Command lines of words in any order: whatever a person types, nothing ends in an internal error.

local churns = require "support.churn"
local command = require "support.command"
local core = require "sagemaker.core"
local options = require "sagemaker.cli.options"

local RUNS = os.getenv "SAGEMAKER_TORTURE" and 300 or 3000

local VALUES = { "", "x", "a=b", "{", "[", "{}", "[]", "null", "5", "-5", "1e9", "true", "file://f",
  "fileb://f", "file://nope", "é", "\255", "\1", "a b", "Key=a,Value=b", "[1]", '{"a":1}', '["a"]',
  "10%", "200%", "5m", "1h30m", "-", "--", "=", "'", '"', "a,b", "2026-01-15", "now", "v2", "churn",
  "v1", "json", "text", "table", "yaml", "off", "http://127.0.0.1:9", "eu-west-1", "`1`",
  "Endpoints[", "*", "@", "a.b", "Endpoints[].EndpointName", ("x"):rep(300), "a={b=c}",
  "a=[b,{c=d}]", "999999999999", "0.5", "nan", "1:2", "strict", "warn" }

local ANSWERS = { { body = "{}" }, { body = '{"Endpoints":[{"EndpointName":"a"}]}' },
  { status = 400, body = '{"__type":"ValidationException","message":"no"}' },
  { status = 400, body = "x" } }

-- The same numbers on every Lua.
local function generator(seed)
  return function(count)
    seed = (seed * 16807) % 2147483647
    return seed % count + 1
  end
end

local function names_of(rows)
  local names = {}
  for _, row in ipairs(rows) do
    if row.name ~= "debug" then names[#names + 1] = "--" .. row.name end
  end
  return names
end

local OWN = { "deploy", "plan", "watch", "check", "doctor", "help", "completion", "wait" }

describe("garbage", function()
  local random = generator(20260115)
  local service = core.service "sagemaker"
  local operations = service:operations()
  local globals = names_of(require "sagemaker.cli.globals")

  local function pick(list)
    return list[random(#list)]
  end

  -- The first words of a command line, and the options that its command has.
  local function begin()
    local operation = service:operation(pick(operations))
    local name = operation.snake:gsub("_", "-")
    if random(2) == 1 then return { name }, names_of(options.of(service, operation)) end
    local own = pick(OWN)
    local words = { own }
    if own == "check" then words[2] = name end
    if own == "watch" then words[2] = pick { "churn", "nope", "" } end
    if own == "deploy" or own == "plan" then
      for _, word in ipairs { "--endpoint-name", "churn", "--endpoint-config-name",
        pick { "v1", "v2", "v3" } } do
        words[#words + 1] = word
      end
    end
    if own == "help" or own == "wait" then return words, {} end
    return words, names_of(require("sagemaker.cli.commands." .. own).options or {})
  end

  local function line()
    local words, names = begin()
    for _ = 1, random(6) - 1 do
      local list = random(4) > 1 and #names > 0 and names or globals
      words[#words + 1] = pick(list)
      for _ = 1, random(3) - 1 do words[#words + 1] = pick(VALUES) end
    end
    return words
  end

  it("is told in words, with an exit status of a few", function()
    local churn = churns.new()
    local codes = { [0] = true, [10] = true, [12] = true, [13] = true, [14] = true, [252] = true,
      [253] = true, [254] = true, [255] = true }
    for i = 1, RUNS do
      if i % 200 == 0 then churn = churns.new() end
      local words, simulated = line(), random(2) == 1
      local result = command.run(words, { files = { f = pick(VALUES) }, tty = random(4) == 1,
        columns = random(4) == 1 and random(100) or nil, env = simulated and {} or nil,
        transport = simulated and churn.sim or nil, answers = function() return pick(ANSWERS) end })
      local said = table.concat(words, " ") .. "\n" .. result.err
      assert.is_nil(result.err:find("internal error", 1, true), said)
      assert.is_nil(result.out:find("stack traceback", 1, true), said)
      assert.is_true(codes[result.code], said)
      if result.code > 14 and not said:find("--output off", 1, true) then
        assert.is_true(#result.err + #result.out > 0, said)
      end
    end
  end)
end)
