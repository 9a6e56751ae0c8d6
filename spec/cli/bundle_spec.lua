-- The compiled modules of the installed command, and what `cmake --install` makes.

local core = require "sagemaker.core"
local server = require "support.server"
local support = require "support"
local writer = require "sagemaker.cli.bundle.writer"

local BUILD = os.getenv("SAGEMAKER_BUILD") or "build/lua5.4"
local searchers = package.searchers or package.loaders -- luacheck: ignore 143

local read, write = support.read, support.write

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

  -- The searcher of a bundle, which is taken out again.
  local function searcher(...)
    assert.is_true(core.use_bundle(...))
    return table.remove(searchers, 2)
  end

  it("holds modules under their names", function()
    local find = searcher(dir .. "/all")
    assert.same({ name = "bundled", kind = "init" }, find("bundled")("bundled"))
    assert.same({ name = "bundled.main" }, find("bundled.main")("bundled.main"))
    for _, name in ipairs { "absent", "", "bundle", "bundled.", "bundled.m", "bundled.main2",
      "zzz", "bundled 0", "sagemaker.absent", "sagemaker." } do
      assert.truthy(find(name):find(("no module '%s'"):format(name), 1, true))
    end
  end)

  it("finds each of many modules", function()
    local names = {}
    for i = 1, 200 do
      names[i] = ("bundled.m%d"):format(i * 7919 % 1009)
      write(("%s/tree/bundled/%s.lua"):format(dir, names[i]:match "m%d+"), "return ...")
    end
    writer.write(dir .. "/all", dir .. "/tree")
    local find = searcher(dir .. "/all")
    for _, name in ipairs(names) do assert.equal(name, find(name)(name)) end
  end)

  it("is put in its place when it is whole", function()
    local find = searcher(dir .. "/all")
    write(dir .. "/tree/bundled/init.lua", "return 'another'")
    writer.write(dir .. "/all", dir .. "/tree")
    assert.same({ name = "bundled", kind = "init" }, find("bundled")("bundled"))
    assert.equal("another", searcher(dir .. "/all")("bundled")("bundled"))
  end)

  it("of another Lua is passed over", function()
    write(dir .. "/all", (read(dir .. "/all"):gsub("\27", "\26")))
    assert.equal("string", type(searcher(dir .. "/all")("bundled")))
  end)

  it("that is cut off or damaged holds fewer modules, or none", function()
    local text = read(dir .. "/all")
    local first, second = text:match("\n()"), text:match("\n.-\n()")
    for _, stop in ipairs { 1, 7, 8, 9, first - 1, first, second - 1, second } do
      write(dir .. "/some", text:sub(1, stop))
      assert.equal("string", type(searcher(dir .. "/some")("bundled.main")))
    end
    for _, digits in ipairs { "00000000", "99999999", "xxxxxxxx" } do
      write(dir .. "/some", digits .. text:sub(9))
      searcher(dir .. "/some")("absent")
    end
    for _, line in ipairs { "bundled", "bundled ", "bundled 1", "bundled 1 ", "bundled 0 0",
      "bundled 99999999999999999999999 1", "bundled 0 99999999999999999999999", "bundled x y" } do
      for _, ending in ipairs { "", "\n" } do
        write(dir .. "/some", ("%08d%s"):format(#line + #ending, line .. ending))
        assert.equal("string", type(searcher(dir .. "/some")("bundled")))
      end
    end
  end)

  it("that is not there is not used", function()
    assert.is_false(core.use_bundle(dir .. "/none"))
    assert.is_false(core.use_bundle(dir))
    write(dir .. "/none", "")
    assert.is_false(core.use_bundle(dir .. "/none"))
    assert.error(function() core.use_bundle() end)
    assert.error(function() core.use_bundle(dir .. "/all", {}) end)
  end)

  it("loads the libraries that lie in a folder", function()
    local find = searcher(dir .. "/all", BUILD)
    assert.equal("function", type(find "sagemaker.crypto"))
    assert.equal("table", type(find("sagemaker.crypto")("sagemaker.crypto")))
    assert.is_nil(os.getenv "GNUTLS_NO_IMPLICIT_INIT") -- which children would inherit
    for _, name in ipairs { "sagemaker.none", "sagemaker.", "sagemaker", "other.crypto",
      "sagemaker.../crypto" } do
      assert.equal("string", type(find(name)))
    end
    assert.equal("string", type(searcher(dir .. "/all", dir)("sagemaker.crypto")))
  end)
end)

-- A build folder from which the command is installed as a script, with the libraries of BUILD: this
-- Lua cannot be part of a program.
local function script_build(dir)
  local build, archive = dir .. "/build", dir .. "/lua.a"
  write(archive, "!<arch>\n")
  local output, ok = server.shell(("cmake -S . -B %s -DSAGEMAKER_LUA=%s "
    .. "-DSAGEMAKER_LUA_ARCHIVE=%s && mkdir -p %s/sagemaker && cp %s/sagemaker/*.so %s/sagemaker")
    :format(build, os.getenv("SAGEMAKER_LUA") or "lua5.4", archive, build, BUILD, build))
  assert(ok, output)
  return build
end

describe("a build folder", function()
  it("is for one Lua", function()
    local dir = server.folder()
    finally(function() server.shell("rm -rf " .. dir) end)
    local configure = "cmake -S . -B " .. dir .. " -DSAGEMAKER_LUA="
    local output, ok = server.shell(configure .. "lua-that-is-none")
    assert.is_false(ok, output)
    output, ok = server.shell(configure .. "lua5.4")
    assert.is_true(ok, output)
    output, ok = server.shell(configure .. "lua5.1")
    assert.is_false(ok)
    assert.matches("for%s+lua5%.4: take another one", output)
  end)
end)

for _, kind in ipairs { "program", "script" } do describe("the installed " .. kind, function()
  local dir

  setup(function()
    dir = server.folder()
    local build = kind == "script" and script_build(dir) or BUILD
    local output, ok = server.shell(("build=$(realpath %s) && cd %s && LD_PRELOAD='%s' "
      .. "cmake --install $build --prefix ."):format(build, dir, os.getenv("LD_PRELOAD") or ""))
    assert(ok, output)
  end)

  teardown(function() server.shell("rm -rf " .. dir) end)

  local function is_script()
    return server.shell(("head -c 2 %s/bin/sagemaker"):format(dir)) == "#!"
  end

  local function run(words, folder, name, here)
    return server.shell(("cd %s && LD_PRELOAD='%s' env -u LUA_PATH -u LUA_CPATH %s/%s %s"):format(
      here or "/", os.getenv("LD_PRELOAD") or "", folder or dir, name or "bin/sagemaker", words))
  end

  it("runs anywhere", function()
    assert.is_true(kind == "program" or is_script())
    local output, ok = run "--version"
    assert.is_true(ok, output)
    assert.truthy(output:find("^sagemaker%-lua/%d"), output)
    output = run "delete-endpoint --generate-cli-skeleton"
    assert.equal('{\n    "EndpointName": "EndpointName"\n}\n', output)
    server.shell(("ln -s %s/bin/sagemaker %s/link"):format(dir, dir))
    output, ok = run("--version", dir, "link")
    assert.is_true(ok, output)
  end)

  it("runs no module of the folder that it is started in", function()
    local here = dir .. "/here"
    server.shell("mkdir -p " .. here .. "/sagemaker")
    for _, name in ipairs { "cjson", "sagemaker/core", "sagemaker/crypto", "sagemaker/cli" } do
      write(("%s/%s.lua"):format(here, name), "os.exit(99)")
    end
    for _, sources in ipairs { "", "SAGEMAKER_SOURCES=1 " } do
      local output, ok = run("list-models --region us-east-1 --dry-run",
        "env " .. sources .. "AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b " .. dir, nil, here)
      assert.is_true(ok, output)
    end
    local output = run([[simulate --limits '{"endpoints":2}' --nginx /nowhere/nginx]], nil, nil,
      here)
    assert.equal("sagemaker: simulate: there is no /nowhere/nginx\n", output)
  end)

  if kind == "program" then it("runs from another place when it was moved as a whole", function()
    if is_script() then return pending("this Lua cannot be part of a program") end
    local output, ok
    server.shell(("cd %s && mkdir moved && cp -R bin lib share moved"):format(dir))
    output, ok = run("--version", dir .. "/moved")
    assert.is_true(ok, output)
    server.shell(("ln -s %s/moved/bin/sagemaker %s/moved/link"):format(dir, dir))
    output, ok = run("--version", dir .. "/moved", "link")
    assert.is_true(ok, output)
  end) end

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
    assert.matches("^sagemaker: %-%-latency must be seconds", output)
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
end) end
