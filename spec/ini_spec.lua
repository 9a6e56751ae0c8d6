local ini = require "sagemaker.ini"
local server = require "support.server"

local function profiles(text, is_credentials)
  return assert(ini.parse(text, "f", is_credentials)).profiles
end

local function refuse(text, is_credentials)
  local result, message = ini.parse(text, "f", is_credentials)
  assert.is_nil(result)
  return message
end

describe("sagemaker.ini", function()
  it("reads profiles, sessions and services of the configuration file", function()
    local text = "[default]\na = 1\n[profile p]\nb=2\n[sso-session s]\nc= 3\n"
      .. "[services v]\nsagemaker =\n  endpoint_url = http://h\n  other = x\n[plugins]\nd = 4\n"
    local result = assert(ini.parse(text, "f"))
    assert.same({ default = { a = "1" }, p = { b = "2" } }, result.profiles)
    assert.same({ s = { c = "3" } }, result.sso_sessions)
    assert.same({ sagemaker = { endpoint_url = "http://h", other = "x" } }, result.services.v)
  end)

  it("reads profiles of the credentials file, whose names have no prefix", function()
    assert.same({ default = { a = "1" }, p = { b = "2" } },
      profiles("[default]\na = 1\n[p]\nb = 2\n[profile q]\nc = 3\n", true))
    assert.equal("f, line 2: an sso-session belongs into the configuration file",
      refuse("\n[sso-session s]\n", true))
  end)

  it("takes names in quotes, and name: value", function()
    assert.same({ ["my profile"] = { a = "1" } }, profiles('[profile "my profile"]\na: 1\n'))
    assert.same({ ["my profile"] = { a = "b:c" } }, profiles("['my profile']\na = b:c\n", true))
    assert.same({ p = { a = "b=c" } }, profiles("[p]\na=b=c\n", true))
  end)

  it("reads CRLF, a byte order mark and a last line without end", function()
    assert.same({ default = { region = "eu-west-1" } },
      profiles("\239\187\191[default]\r\nregion = eu-west-1\r\n"))
    assert.same({ default = { region = "x" } }, profiles("[default]\nregion=x"))
  end)

  it("continues values on indented lines", function()
    assert.same({ p = { a = "1\n2\n3", b = "4" } }, profiles("[p]\na = 1\n 2\n\t3\nb = 4\n", true))
    assert.same({ p = { a = "1\n2" }, q = {} }, profiles("[p]\na = 1\n 2\n[q]\n", true))
  end)

  it("merges sections, the last of several properties winning", function()
    assert.same({ p = { a = "3", b = "2" } }, profiles("[p]\na=1\nb=2\n[p]\nA=3\n", true))
    assert.same({ default = { a = "1" } },
      profiles("[default]\nb = 2\n[profile default]\na = 1\n[default]\nb = 3\n"))
  end)

  it("names the line of what it cannot read", function()
    for text, place in pairs {
      ["nonsense\n"] = "f, line 1: expected a section",
      ["[p]\nnonsense\n"] = "f, line 2: expected an '='",
      ["[p]\n= x\n"] = "f, line 2: a property needs a name",
      ["[p\n"] = "f, line 1: a section needs a closing ]",
      ["[p] x\n"] = "f, line 1: only a comment",
      ["[p]\n x\n"] = "f, line 2: expected a property definition",
      ["[p]\na =\n x\n"] = "f, line 3: expected an '=' sign in a nested property",
      ["[p]\na =\n = x\n"] = "f, line 3: a nested property needs a name",
      ["[p]\n\na = \0\n"] = "f, line 3: a NUL byte",
    } do
      assert.equal(place, refuse(text, true):sub(1, #place))
    end
  end)

  it("says no value in its messages: it may be a key", function()
    local message = refuse("[p]\naws_secret_access_key wJalrXUtnFEMI\n", true)
    assert.is_nil(message:find("wJalr", 1, true))
  end)

  -- Whatever a line holds, reading takes time in proportion to it. Were it the square, a text would
  -- take minutes: a process of its own may use half a minute of a processor for all of them.
  it("is linear in the length of lines, names, values and files", function()
    local code = [=[
      local ini = require "sagemaker.ini"
      local n = 420000
      local texts = {
        "[" .. ("a"):rep(n) .. "]\n",
        "[" .. (" "):rep(n),
        "[profile " .. (" "):rep(n) .. "p]\n",
        "[p]\n" .. ("a"):rep(n) .. "\n",
        "[p]\na = " .. (" "):rep(n) .. "x\n",
        "[p]\na = x" .. (" "):rep(n) .. "\n",
        "[p]\na = " .. ("# "):rep(210000) .. "\n",
        "[p]\na = 1\n" .. (" 2\n"):rep(140000),
        "[p]\na =\n" .. (" b = 2\n"):rep(60000),
        ("[p]\n"):rep(105000),
        ("\n"):rep(n),
        "[p]\n" .. ("="):rep(n) .. "\n",
        (" "):rep(n) .. "[p]\n",
      }
      for i, text in ipairs(texts) do
        io.write(i, " ")
        io.flush()
        ini.parse(text, "f", i % 2 == 0)
      end
      print "read"]=]
    local output = server.bounded(30, code)
    assert.truthy(output:find("^1 2 .* 13 read\n$"), output)
  end)

  it("never crashes on bytes at random", function()
    local seed = 42
    local function random(n)
      seed = (seed * 16807) % 2147483647
      return seed % n
    end
    local pieces = { "[", "]", "=", ":", "\n", "\r\n", " ", "\t", "#", ";", "\"", "'", "a",
      "profile ", "default", "sso-session ", "services ", "\255", "\0", "\239\187\191",
      "endpoint_url" }
    for _ = 1, 3000 do
      local parts = {}
      for i = 1, random(40) do parts[i] = pieces[random(#pieces) + 1] end
      local text = table.concat(parts)
      local result, message = ini.parse(text, "f", random(2) == 0)
      assert(result or message:find("^f, line %d+: "), text)
    end
  end)
end)
