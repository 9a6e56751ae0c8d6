-- The compiled modules of the installed command, and what `cmake --install` makes.

local bundle = require "sagemaker.cli.bundle"
local server = require "support.server"
local writer = require "sagemaker.cli.bundle.writer"

local BUILD = os.getenv("SAGEMAKER_BUILD") or "build/lua5.4"
local searchers = package.searchers or package.loaders -- luacheck: ignore 143

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

describe("a bundle", function()
  local dir

  before_each(function()
    dir = server.folder()
    server.shell("mkdir -p " .. dir .. "/tree/bundled")
    write(dir .. "/tree/bundled/init.lua", "return { name = ..., kind = 'init' }")
    write(dir .. "/tree/bundled/main.lua", "#!/usr/bin/lua\nreturn { name = ... }")
    writer.write(dir .. "/all", dir .. "/tree")
  end)

  after_each(function() server.shell("rm -rf " .. dir) end)

  it("holds modules under their names", function()
    assert.is_true(bundle.use(dir .. "/all"))
    local find = table.remove(searchers, 2)
    assert.same({ name = "bundled", kind = "init" }, find("bundled")("bundled"))
    assert.same({ name = "bundled.main" }, find("bundled.main")("bundled.main"))
    assert.truthy(find("absent"):find("no module 'absent'", 1, true))
  end)

  it("of another Lua is passed over", function()
    local file = assert(io.open(dir .. "/all", "rb"))
    local text = file:read("*a")
    file:close()
    write(dir .. "/all", (text:gsub("\27", "\26")))
    assert.is_true(bundle.use(dir .. "/all"))
    local find = table.remove(searchers, 2)
    assert.equal("string", type(find("bundled")))
  end)

  it("that is not there is not used", function()
    assert.is_false(bundle.use(dir .. "/none"))
  end)
end)

describe("the installed command", function()
  local dir

  setup(function()
    dir = server.folder()
    local output, ok = server.shell(("LD_PRELOAD='%s' cmake --install %s --prefix %s"):format(
      os.getenv("LD_PRELOAD") or "", BUILD, dir))
    assert(ok, output)
  end)

  teardown(function() server.shell("rm -rf " .. dir) end)

  local function run(words)
    return server.shell(("cd / && LD_PRELOAD='%s' env -u LUA_PATH -u LUA_CPATH %s/bin/sagemaker %s")
      :format(os.getenv("LD_PRELOAD") or "", dir, words))
  end

  it("runs anywhere, with the Lua that it names", function()
    local output, ok = run "--version"
    assert.is_true(ok, output)
    assert.truthy(output:find("^sagemaker%-lua/%d"), output)
    output = run "delete-endpoint --generate-cli-skeleton"
    assert.equal('{\n    "EndpointName": "EndpointName"\n}\n', output)
  end)

  it("takes no file of its own for a closed standard input or output", function()
    local output, ok = run("runtime invoke-endpoint --endpoint-name e --body - - --dry-run <&-")
    assert.is_false(ok)
    assert.truthy(output:find("--body: cannot read the standard input: ", 1, true), output)
    output = run("delete-endpoint --generate-cli-skeleton <&- >&-")
    assert.truthy(output:find("cannot write the output", 1, true), output)
  end)

  it("tells no place in its code when an option is wrong", function()
    local output, ok = run "simulate --latency x"
    assert.is_false(ok)
    assert.matches("^sagemaker: latency must be seconds", output)
  end)

  it("needs none of its sources, unless it is told to use them", function()
    server.shell(("mv %s/share/lua/*/sagemaker/cli/operation.lua %s/aside"):format(dir, dir))
    local output, ok = run "delete-endpoint --generate-cli-skeleton"
    assert.is_true(ok, output)
    output, ok = server.shell(("cd / && export SAGEMAKER_SOURCES=1 LD_PRELOAD='%s' && "
      .. "env -u LUA_PATH -u LUA_CPATH %s/bin/sagemaker delete-endpoint --generate-cli-skeleton")
      :format(os.getenv("LD_PRELOAD") or "", dir))
    assert.is_false(ok)
    assert.truthy(output:find("internal error", 1, true), output)
  end)
end)
