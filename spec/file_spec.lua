local core = require "sagemaker.core"
local env = require "sagemaker.env"
local lfs = require "lfs"
local read = require("support").read

describe("core.replace", function()
  local dir

  before_each(function()
    dir = os.tmpname()
    os.remove(dir)
    assert(lfs.mkdir(dir))
  end)

  after_each(function()
    for name in lfs.dir(dir) do os.remove(dir .. "/" .. name) end
    lfs.rmdir(dir)
  end)

  local function names()
    local list = {}
    for name in lfs.dir(dir) do
      if name:sub(1, 1) ~= "." then list[#list + 1] = name end
    end
    table.sort(list)
    return list
  end

  it("writes a file for its owner only, and leaves nothing else behind", function()
    local path = dir .. "/token.json"
    local file = assert(io.open(path, "wb"))
    file:write("old")
    file:close()
    for _, bytes in ipairs { "new\0bytes", "", ("x"):rep(3e5) } do
      assert.is_true(env.new().replace(path, bytes))
      assert.equal(bytes, read(path))
      assert.equal("rw-------", lfs.attributes(path, "permissions"))
      assert.same({ "token.json" }, names())
    end
  end)

  it("leaves the old bytes where it fails", function()
    assert.is_true(core.replace(dir .. "/a", "old", ".1"))
    local file = assert(io.open(dir .. "/a.2", "wb"))
    file:close()
    local ok, message, code = core.replace(dir .. "/a", "new", ".2")
    assert.is_nil(ok)
    assert.equal(dir .. "/a.2: File exists", message)
    assert.equal(17, code)
    assert.equal("old", read(dir .. "/a"))
    assert.same({ "a", "a.2" }, names())
  end)

  it("follows no link that somebody has put in the way", function()
    os.execute("ln -s /nowhere/at/all " .. dir .. "/a.tmp")
    assert.is_nil((core.replace(dir .. "/a", "new", ".tmp")))
  end)

  it("names what it cannot write, not what it should have written", function()
    for _, path in ipairs { dir .. "/none/a", dir, "a\0b", ("x"):rep(5000) } do
      local ok, message = core.replace(path, "hush", ".tmp")
      assert.is_nil(ok)
      assert.is_string(message)
      assert.falsy(message:find("hush", 1, true))
    end
    assert.same({}, names())
  end)
end)

describe("sagemaker.env replace", function()
  it("writes through an injected open", function()
    local written, failing = {}, nil
    local world = env.new { open = function(path, mode)
      if path == "none" then return nil, "none: no" end
      assert.equal("wb", mode)
      return {
        write = function(_, bytes)
          if failing == "write" then return nil, "disk full" end
          written[path] = bytes
          return true
        end,
        close = function()
          if failing == "close" then return nil, "disk full" end
          return true
        end,
      }
    end }
    assert.is_true(world.replace("a", "bytes"))
    assert.equal("bytes", written.a)
    assert.same({ nil, "none: no" }, { world.replace("none", "") })
    for _, what in ipairs { "write", "close" } do
      failing = what
      assert.same({ nil, "disk full" }, { world.replace("a", "") })
    end
  end)
end)
