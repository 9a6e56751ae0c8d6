-- The rockspec lists every source by name; this keeps the list and the tree the same.

local lfs = require "lfs"

local function files(dir, suffix, out)
  for name in lfs.dir(dir) do
    local path = dir .. "/" .. name
    if name:sub(1, 1) ~= "." then
      if lfs.attributes(path, "mode") == "directory" then
        files(path, suffix, out)
      elseif name:sub(-#suffix) == suffix then
        out[path] = true
      end
    end
  end
  return out
end

local function rockspec()
  local env = {}
  local source = assert(io.open("rockspec/sagemaker-scm-1.rockspec")):read("*a")
  if setfenv then -- luacheck: ignore 113
    setfenv(assert(loadstring(source)), env)() -- luacheck: ignore 113
  else
    assert(load(source, "rockspec", "t", env))()
  end
  return env
end

describe("rockspec", function()
  local spec = rockspec()

  it("names every Lua module by its path", function()
    local expected = {}
    for path in pairs(files("lua", ".lua", {})) do
      if not path:find("/model/types/", 1, true) then
        expected[path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")] = path
      end
    end
    local listed = {}
    for name, source in pairs(spec.build.modules) do
      if type(source) == "string" then listed[name] = source end
    end
    assert.same(expected, listed)
  end)

  it("names every C source once", function()
    local expected = files("csrc", ".c", {})
    for path in pairs(expected) do
      if path:find("^csrc/test/") or path:find("^csrc/fuzz/") then expected[path] = nil end
    end
    expected["csrc/lcommand.c"] = nil -- the program that CMake makes; LuaRocks installs a script
    local listed = {}
    for _, name in ipairs { "sagemaker.core", "sagemaker.crypto", "sagemaker.curl" } do
      for _, source in ipairs(spec.build.modules[name].sources) do listed[source] = true end
    end
    assert.same(expected, listed)
  end)
end)
