local agent = require "sagemaker.agent"

local core = require "sagemaker.core"

local function no_getenv() end

local function linux()
  return "Linux", "6.1.0-18-amd64", "x86_64"
end

-- The parts of a header.
local function parts_of(settings, platform)
  settings.io = settings.io or { getenv = no_getenv }
  local parts = {}
  for part in agent.user_agent(settings, "0.1.0", platform or linux):gmatch("%S+") do
    parts[#parts + 1] = part
  end
  return parts
end

local LUA = "lang/lua#" .. _VERSION:match("[%d.]+")
local JIT = rawget(_G, "jit")

-- Without what the Lua adds of itself.
local function plain(parts)
  local out = {}
  for _, part in ipairs(parts) do
    if part ~= LUA and not part:find("^md/luajit#") then out[#out + 1] = part end
  end
  return table.concat(out, " ")
end

describe("sagemaker.agent", function()
  it("names the library, the system, the Lua and the retry mode", function()
    local parts = parts_of { retry_mode = "standard" }
    assert.equal("sagemaker-lua/0.1.0 ua/2.1 os/linux#6.1.0-18-amd64 md/arch#x86_64 m/E "
      .. "cfg/retry-mode#standard", plain(parts))
    assert.equal(LUA, parts[5])
    if JIT then
      assert.matches("^md/luajit#2%.", parts[6])
    else
      assert.is_nil(parts[6]:find("luajit", 1, true))
    end
  end)

  it("tells what the settings add", function()
    local parts = parts_of {
      app_id = "shop (eu)#2",
      endpoint_url = "http://localhost",
      io = { getenv = function(name)
        return name == "AWS_EXECUTION_ENV" and "AWS_ECS_EC2" or nil
      end },
      retry_mode = "adaptive",
      user_agent_extra = "md/a#1 tool/2 (for tests)",
    }
    assert.matches(" exec%-env/AWS_ECS_EC2 m/F,N cfg/retry%-mode#adaptive app/shop%-%-eu%-#2 "
      .. "md/a#1 tool/2 %(for tests%)$", plain(parts))
  end)

  it("keeps 50 characters of an application's name", function()
    assert.matches(" app/" .. ("x"):rep(50) .. "$", plain(parts_of { app_id = ("x"):rep(80) }))
    assert.is_nil(plain(parts_of { app_id = "" }):find("app/", 1, true))
  end)

  it("has nothing in it that a header or AWS's grammar forbids", function()
    local every = {}
    for i = 0, 255 do every[#every + 1] = string.char(i) end
    every = table.concat(every)
    local text = agent.user_agent({
      app_id = every:sub(1, 50),
      io = { getenv = function() return every end },
      retry_mode = "legacy",
    }, "0.1.0", function() return every, every, every end)
    assert.is_nil(text:find("[^ /#A-Za-z0-9!$%%&'*+%-.^_`|~,]"))
    for part in text:gmatch("%S+") do
      local _, slashes = part:gsub("/", "")
      assert.equal(1, slashes, part)
    end
  end)

  it("knows the systems by AWS's names", function()
    local function system(name, release)
      return plain(parts_of({}, function() return name, release end))
    end
    assert.equal("sagemaker-lua/0.1.0 ua/2.1 os/macos#23.1.0", system("Darwin", "23.1.0"))
    assert.equal("sagemaker-lua/0.1.0 ua/2.1 os/other md/FreeBSD#14.0", system("FreeBSD", "14.0"))
    assert.equal("sagemaker-lua/0.1.0 ua/2.1 os/other", system())
  end)

  it("works with what this machine says", function()
    local system, release, machine = core.platform()
    assert.is_string(system)
    assert.is_string(release)
    assert.is_string(machine)
  end)

  it("hands on the trace of a Lambda function, printable", function()
    local env = { AWS_LAMBDA_FUNCTION_NAME = "f", _X_AMZN_TRACE_ID = "Root=1-5;\n\200" }
    local function getenv(name) return env[name] end
    assert.is_true(agent.in_lambda(getenv))
    assert.equal("Root=1-5;%0A%C8", agent.trace(getenv))
    env.AWS_LAMBDA_FUNCTION_NAME = ""
    assert.is_false(agent.in_lambda(getenv))
    assert.is_nil(agent.trace(getenv))
    assert.is_false(agent.in_lambda(no_getenv))
    assert.is_nil(agent.trace(no_getenv))
  end)
end)
