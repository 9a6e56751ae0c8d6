require "support"
local profiles = require "sagemaker.profiles"

-- Injected functions over a table of files.
local function world(files, env)
  local io = { opened = {} }
  function io.getenv(name) return env[name] end
  function io.open(path)
    io.opened[#io.opened + 1] = path
    local text = files[path]
    if not text then return nil, path .. ": No such file or directory", 2 end
    if type(text) == "table" then return nil, text[1], text[2] end
    local file = {}
    function file.read(_, n)
      if text == "" then return nil end
      return text:sub(1, n)
    end
    function file.close() return true end
    return file
  end
  return io
end

describe("profiles", function()
  it("finds the files from the environment", function()
    local config, credentials = profiles.paths(world({}, { HOME = "/home/u" }))
    assert.are.equal("/home/u/.aws/config", config)
    assert.are.equal("/home/u/.aws/credentials", credentials)
    config, credentials = profiles.paths(world({}, { HOME = "/home/u",
      AWS_CONFIG_FILE = "/etc/aws", AWS_SHARED_CREDENTIALS_FILE = "~/keys" }))
    assert.are.equal("/etc/aws", config)
    assert.are.equal("/home/u/keys", credentials)
    assert.are.equal("C:\\u", profiles.home(world({}, { HOMEDRIVE = "C:", HOMEPATH = "\\u" })))
    assert.are.equal("~/x", profiles.expand(world({}, {}), "~/x"))
  end)

  it("knows which profile is meant", function()
    local function name(env, option)
      return { profiles.name(world({}, env), option) }
    end
    assert.are.same({ "default" }, name {})
    assert.are.same({ "default" }, name { AWS_PROFILE = "" })
    assert.are.same({ "p", "AWS_PROFILE" }, name { AWS_PROFILE = "p" })
    assert.are.same({ "q", "AWS_DEFAULT_PROFILE" },
      name { AWS_PROFILE = "p", AWS_DEFAULT_PROFILE = "q" })
    assert.are.same({ "o", "option" }, name({ AWS_PROFILE = "p" }, "o"))
  end)

  it("merges the files, the credentials file winning", function()
    local io = world({
      ["/h/.aws/config"] = "[profile a]\nregion = r1\noutput = json\n[sso-session s]\nx = y\n",
      ["/h/.aws/credentials"] = "[a]\nregion = r2\n[b]\naws_access_key_id = K\n",
    }, { HOME = "/h" })
    local view = assert(profiles.load(io))
    assert.are.same({ a = { region = "r2", output = "json" }, b = { aws_access_key_id = "K" } },
      view.profiles)
    assert.are.equal("r1", view.config.profiles.a.region)
    assert.are.equal("r2", view.credentials.profiles.a.region)
    assert.are.same({ s = { x = "y" } }, view.sso_sessions)
  end)

  it("reads each file once, also through a table that inherits", function()
    local io = world({}, { HOME = "/h" })
    local view = assert(profiles.load(io))
    assert.are.equal(view, profiles.load(setmetatable({}, { __index = io })))
    assert.are.equal(2, #io.opened)
  end)

  it("takes missing files for empty ones and names those that cannot be read", function()
    assert.are.same({}, profiles.load(world({}, {})).profiles)
    local _, message = profiles.load(world({
      ["/h/.aws/config"] = { "/h/.aws/config: Too many levels of symbolic links", 40 },
    }, { HOME = "/h" }))
    assert.are.equal("/h/.aws/config: Too many levels of symbolic links", message)
    local io = world({ ["/h/.aws/credentials"] = "nonsense\n" }, { HOME = "/h" })
    _, message = profiles.load(io)
    assert.matches("^/h/.aws/credentials, line 1: ", message)
    assert.are.equal(message, select(2, profiles.load(io)))
  end)

  it("passes over files that are not for this user, unless a variable names them", function()
    local files = { ["/h/.aws/config"] = { "/h/.aws/config: Permission denied", 13 } }
    local view = assert(profiles.load(world(files, { HOME = "/h" })))
    assert.are.same({ "/h/.aws/config: Permission denied" }, view.notes)
    assert.are.same({}, view.profiles)
    local _, message = profiles.load(world(files, { AWS_CONFIG_FILE = "/h/.aws/config" }))
    assert.are.equal("AWS_CONFIG_FILE: /h/.aws/config: Permission denied", message)
  end)

  it("does not read without end", function()
    local bytes, message = profiles.read(world({ f = ("x"):rep(11) }, {}), "f", 10)
    assert.is_nil(bytes)
    assert.are.equal("f is longer than 10 bytes", message)
    assert.are.equal("", profiles.read(world({ f = "" }, {}), "f"))
  end)

  describe("on a disk", function()
    local home

    local function shell(command)
      local pipe = io.popen(("cd '%s' && { %s\n} 2>&1; echo"):format(home, command))
      local text = pipe:read("*a")
      pipe:close()
      return (text:gsub("%s+$", ""))
    end

    before_each(function()
      home = os.tmpname()
      os.remove(home)
      os.execute(("mkdir -p '%s/.aws'"):format(home))
    end)
    after_each(function() os.execute(("chmod -R u+rwx '%s'; rm -rf '%s'"):format(home, home)) end)

    local function load(env)
      env = env or {}
      env.HOME = env.HOME or home
      return profiles.load { getenv = function(name) return env[name] end, open = io.open }
    end

    it("reads files, also through links", function()
      shell "printf '[default]\\nregion = a\\n' >real; ln -s ../real .aws/config"
      assert.equal("a", load().profiles.default.region)
      assert.equal("a", load({ AWS_CONFIG_FILE = "~/real", AWS_SHARED_CREDENTIALS_FILE = "" })
        .profiles.default.region)
    end)

    it("refuses a circle of links, a folder and a device, each with its path", function()
      for command, text in pairs {
        ["ln -s config .aws/config"] = "/.aws/config: Too many levels of symbolic links",
        ["mkdir .aws/config"] = "/.aws/config: Is a directory",
        ["ln -s /dev/zero .aws/config"] = "/.aws/config is longer than 16777216 bytes",
      } do
        shell("rm -rf .aws/config; " .. command)
        local view, message = load()
        assert.is_nil(view)
        assert.equal(home .. text, message)
      end
    end)

    it("takes nothing from a file in a folder that is none, or from nowhere", function()
      assert.same({}, load({ HOME = home .. "/none" }).profiles)
      shell "touch file"
      assert.same({}, load({ HOME = home .. "/file" }).profiles)
      assert.same({}, load({ AWS_CONFIG_FILE = "/dev/null" }).profiles)
    end)

    it("reads a pipe to its end", function()
      shell("printf '[default]\\nregion = a\\n' >text; mkfifo pipe; "
        .. "(cat text >pipe) >/dev/null 2>&1 &")
      assert.equal("a", load({ AWS_CONFIG_FILE = home .. "/pipe" }).profiles.default.region)
    end)

    it("reads lines of megabytes", function()
      local file = assert(io.open(home .. "/.aws/config", "wb"))
      file:write("[default]\nregion = a\nlong = ", ("x"):rep(2 ^ 22), "\n# ", (" #"):rep(2 ^ 20))
      file:close()
      local view = assert(load())
      assert.equal(2 ^ 22, #view.profiles.default.long)
      assert.equal("a", view.profiles.default.region)
    end)

    it("passes over a file without permission", function()
      shell "printf '[default]\\nregion = a\\n' >.aws/config; chmod 0 .aws/config"
      local file = io.open(home .. "/.aws/config", "rb")
      if file then
        file:close()
        return pending("this user may read everything")
      end
      local view = assert(load())
      assert.same({}, view.profiles)
      assert.same({ home .. "/.aws/config: Permission denied" }, view.notes)
      assert.is_nil(load({ AWS_CONFIG_FILE = home .. "/.aws/config" }))
    end)
  end)
end)
