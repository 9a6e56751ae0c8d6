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
    assert.are.equal("/h/.aws/config: Permission denied", message)
  end)

  it("does not read without end", function()
    local bytes, message = profiles.read(world({ f = ("x"):rep(11) }, {}), "f", 10)
    assert.is_nil(bytes)
    assert.are.equal("f is longer than 10 bytes", message)
    assert.are.equal("", profiles.read(world({ f = "" }, {}), "f"))
  end)
end)
