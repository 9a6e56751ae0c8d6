local process = require "sagemaker.credentials.process"
local provider = require "support.provider"

local GOOD = [[{"Version": 1, "AccessKeyId": "AK", "SecretAccessKey": "hush-secret",
  "SessionToken": "hush-token", "Expiration": "2026-01-15T13:34:56Z", "AccountId": "42"}]]

-- The provider for a profile with this command; real pipes unless `world_io` brings others.
local function get(command, world_io, more)
  local overrides = { popen = io.popen }
  for name, value in pairs(world_io or {}) do overrides[name] = value end
  local world = provider.world { io = overrides, files = { [".aws/config"] =
    "[default]\ncredential_process = " .. command .. "\n" .. (more or "") } }
  return process.new { profile = "default" }:get(world.io)
end

local function quoted(text)
  return "'" .. text:gsub("'", [['\'']]):gsub("\n", " ") .. "'"
end

local function printing(text)
  return "printf %s " .. quoted(text)
end

describe("sagemaker.credentials.process", function()
  it("does not apply where the profile has no program", function()
    local world = provider.world { files = { [".aws/config"] = "[default]\nregion = x\n" } }
    local keys, reason, broken = process.new():get(world.io)
    assert.is_nil(keys)
    assert.equal("profile default has no credential_process", reason)
    assert.is_nil(broken)
    assert.is_nil((process.new { profile = "none" }:get(world.io)))
  end)

  it("reads what the program prints", function()
    local keys = assert(get(printing(GOOD)))
    assert.equal("AK", keys.access_key_id)
    assert.equal("hush-secret", keys.secret_access_key)
    assert.equal("hush-token", keys.session_token)
    assert.equal(1768484096, keys.expires_at)
    assert.equal("42", keys.account_id)
    assert.equal("custom-process", keys.source)
  end)

  it("takes the account of the profile where the program names none", function()
    local text = '{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "S", "SessionToken": null}'
    local keys = assert(get(printing(text), nil, "aws_account_id = 77\n"))
    assert.equal("77", keys.account_id)
    assert.is_nil(keys.session_token)
    assert.is_nil(keys.expires_at)
  end)

  it("runs the command line as a shell does", function()
    assert.truthy(get([[X="it's"; ]] .. printing(GOOD) .. [[ | cat; echo "fine $X" >&2; exit 0]]))
    assert.truthy(get(printing(GOOD) .. [[ && yes noise | head -c 200000 >&2]]))
  end)

  it("says how the program ended", function()
    for reason, command in pairs {
      ["it ended with status 3"] = "exit 3",
      ["it ended with status 7: no such role"] = "echo no such role >&2; exit 7",
      ["it ended with status 1: a b"] = [[printf "  a\n\033\tb\n\n" >&2; exit 1]],
    } do
      local keys, found, broken = get(command)
      assert.is_nil(keys)
      assert.equal("credential_process: " .. reason, found)
      assert.is_true(broken)
    end
    local _, reason = get "/nowhere/at/all"
    assert.truthy(reason:find("status 127", 1, true), reason)
    _, reason = get "echo 'unbalanced"
    assert.truthy(reason:find("it ended with status 2", 1, true), reason)
    _, reason = get "kill -9 $$"
    assert.truthy(reason:find("it ended with status 137", 1, true), reason)
  end)

  it("refuses what is no credentials", function()
    for text, reason in pairs {
      [""] = "what it printed is not JSON",
      ["not json"] = "what it printed is not JSON",
      ["[1]"] = "what it printed is not a JSON object",
      ["7"] = "what it printed is not a JSON object",
      ["{}"] = "it printed credentials of version ?; only 1 is known",
      ['{"Version": 2}'] = "it printed credentials of version 2; only 1 is known",
      ['{"Version": "hush"}'] = "it printed credentials of version ?; only 1 is known",
      ['{"Version": 1}'] = "what it printed has no AccessKeyId, SecretAccessKey",
      ['{"Version": 1, "AccessKeyId": "A"}'] = "what it printed has no SecretAccessKey",
      ['{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "S", "Expiration": "hush"}'] =
        "what it printed has an Expiration that is not a time",
      ['{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "hu\\u0001sh"}'] =
        "what it printed cannot be used: secret_access_key holds a control character",
    } do
      local keys, found, broken = get(printing(text))
      assert.is_nil(keys)
      assert.equal("credential_process: " .. reason, found)
      assert.is_true(broken)
    end
  end)

  it("bears hostile output", function()
    for command, reason in pairs {
      ["yes hush"] = "it printed more than 65536 bytes",
      ["head -c 3000000 /dev/zero"] = "it printed more than 65536 bytes",
      [ [[printf 'a\000b']] ] = "what it printed is not JSON",
      [ [[printf '{"Version": 1, "AccessKeyId": "\377\376"}']] ] =
        "what it printed has no SecretAccessKey",
      ["head -c 60000 /dev/zero | tr '\\000' '['"] = "what it printed is not JSON",
      ["head -c 65537 /dev/zero | tr '\\000' ' '"] = "what it printed is longer than 65536 bytes",
    } do
      local keys, found, broken = get(command)
      assert.is_nil(keys)
      assert.equal("credential_process: " .. reason, found)
      assert.is_true(broken)
    end
    local _, reason = get "yes noise | head -c 3000000 >&2; exit 1"
    assert.is_true(#reason < 400)
    _, reason = get "exec yes noise >&2"
    assert.matches("ended with status %d+: noise noise", reason)
  end)

  it("shows no secret that a failing program says", function()
    local key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    for _, said in ipairs { "denied for " .. key, "aws_secret_access_key = hush",
      [[{"SecretAccessKey": "hush", "SessionToken": "hush"}]], "Token:hush", "PASSWORD=hush",
      "Authorization: hush", "Authorization: Bearer hush", "> authorization: basic hush",
      [[{"SecretAccessKey" : "two hush"}]], "found 0123456789abcdef0123456789abcdefwJalr",
      "found " .. ("7f"):rep(20) } do
      local keys, reason = get("printf %s " .. quoted(said) .. " >&2; exit 1")
      assert.is_nil(keys)
      assert.falsy(reason:find("hush", 1, true), reason)
      assert.falsy(reason:find("wJalr", 1, true), reason)
      assert.falsy(reason:find("7f7f", 1, true), reason)
    end
    local _, reason = get(printing(GOOD) .. "; echo got hush-secret >&2; exit 1")
    assert.equal("credential_process: it ended with status 1: got", reason)
  end)

  it("says that a program cannot be run", function()
    local _, reason, broken = get("x", { popen = function() return nil, "no pipes" end })
    assert.equal("credential_process: it cannot be run: no pipes", reason)
    assert.is_true(broken)
    _, reason = get("x", { popen = function() error("not supported", 0) end })
    assert.equal("credential_process: it cannot be run: not supported", reason)
    _, reason = get("x", { popen = false })
    assert.equal("credential_process: programs cannot be run here (io.popen is missing)", reason)
    _, reason = get("x", { popen = function()
      return { read = function() end, close = function() end }
    end })
    assert.equal("credential_process: /bin/sh did not run it", reason)
  end)

  describe("inside nginx", function()
    local spawned, pieces, ending, killed

    before_each(function()
      _G.ngx = { get_phase = function() return "content" end } -- luacheck: ignore 122
      spawned, killed, ending = nil, nil, "closed"
      package.loaded["ngx.pipe"] = { spawn = function(arguments)
        spawned = arguments
        local mark = arguments[3]:match("'\\n%%s %%s' (%S+)")
        local text, at = pieces(mark), 0
        return {
          set_timeouts = function() end,
          stdout_read_any = function(_, max)
            at = at + 1
            if text[at] then return text[at]:sub(1, max) end
            return nil, ending, ""
          end,
          kill = function(_, signal) killed = signal end,
          wait = function() return true, "exit", 0 end,
        }
      end }
    end)

    after_each(function()
      _G.ngx = nil -- luacheck: ignore 122
      package.loaded["ngx.pipe"] = nil
    end)

    it("uses ngx.pipe", function()
      pieces = function(mark) return { GOOD:sub(1, 9), GOOD:sub(10), "\n" .. mark .. " 0\nlog" } end
      assert.equal("AK", assert(get "program --x").access_key_id)
      assert.equal("/bin/sh", spawned[1])
      assert.truthy(spawned[3]:find("/bin/sh -c 'program --x'", 1, true))
      assert.is_nil(killed)
    end)

    it("ends a program that says nothing or too much", function()
      pieces, ending = function() return {} end, "timeout"
      local _, reason = get "sleepy"
      assert.equal("credential_process: it cannot be read: timeout", reason)
      assert.equal(9, killed)
      pieces = function() return { ("x"):rep(60000), ("x"):rep(60000) } end
      _, reason = get "chatty"
      assert.equal("credential_process: it printed more than 65536 bytes", reason)
    end)

    it("does not run a program without ngx.pipe, unless the host brings a popen", function()
      package.loaded["ngx.pipe"] = nil
      package.preload["ngx.pipe"] = function() error "none" end
      local _, reason, broken = get "program"
      package.preload["ngx.pipe"] = nil
      assert.truthy(reason:find("this nginx has no ngx.pipe", 1, true), reason)
      assert.is_true(broken)
      assert.truthy(get(printing(GOOD), { popen = function(...) return io.popen(...) end }))
    end)
  end)
end)
