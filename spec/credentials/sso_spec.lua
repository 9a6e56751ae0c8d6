local cjson = require "cjson"
local core = require "sagemaker.core"
local provider = require "support.provider"
local sso = require "sagemaker.credentials.sso"

local LEGACY = [[
[default]
sso_start_url = https://d-1.awsapps.com/start
sso_region = us-east-1
sso_account_id = 111122223333
sso_role_name = Admin
]]
local SESSION = [[
[default]
sso_session = my
sso_account_id = 111122223333
sso_role_name = Admin
[sso-session my]
sso_start_url = https://d-1.awsapps.com/start
sso_region = eu-west-1
]]
local ROLE = { roleCredentials = { accessKeyId = "AK", secretAccessKey = "hush-secret",
  sessionToken = "hush-session", expiration = 1768502096000 } }
local RENEWED = { accessToken = "hush-renewed", expiresIn = 28800, refreshToken = "hush-next" }

local function cache_path(key)
  return (".aws/sso/cache/%s.json"):format(core.sha1(key))
end

-- A token that ends `seconds` from the now of the world.
local function token(seconds, more)
  local document = { accessToken = "hush-access", startUrl = "https://d-1.awsapps.com/start",
    region = "eu-west-1", expiresAt = core.time.format(1768480496 + seconds, "iso8601") }
  for key, value in pairs(more or {}) do document[key] = value end
  return cjson.encode(document)
end

local RENEWABLE = { refreshToken = "hush-refresh", clientId = "CID", clientSecret = "hush-client",
  registrationExpiresAt = "2026-03-01T00:00:00Z" }

local function world(config, cached, outputs, key)
  return provider.world { outputs = outputs, files = { [".aws/config"] = config,
    [cache_path(key or "my")] = cached } }
end

local function get(config, cached, outputs, key)
  local w = world(config, cached, outputs, key)
  local keys, reason, broken = sso.new { profile = "default" }:get(w.io)
  if reason then assert.falsy(reason:find("hush", 1, true), reason) end
  return keys, reason, broken, w
end

describe("sagemaker.credentials.sso", function()
  it("does not apply to a profile without an account and a role", function()
    local keys, reason, broken = get("[default]\nsso_session = my\n[sso-session my]\n")
    assert.is_nil(keys)
    assert.equal("profile default has neither sso_account_id nor sso_role_name", reason)
    assert.is_nil(broken)
  end)

  it("exchanges the token of a legacy profile", function()
    local keys, _, _, w = get(LEGACY, token(60), { ROLE }, "https://d-1.awsapps.com/start")
    assert.equal("AK", keys.access_key_id)
    assert.equal("hush-secret", keys.secret_access_key)
    assert.equal("hush-session", keys.session_token)
    assert.equal("111122223333", keys.account_id)
    assert.equal(1768502096, keys.expires_at)
    assert.equal("sso", keys.source)
    assert.same({ { service = "sso", operation = "GetRoleCredentials", opts = {
      region = "us-east-1" }, params = { accessToken = "hush-access", accountId = "111122223333",
      roleName = "Admin" } } }, w.calls)
  end)

  it("exchanges the token of a session, which is looked for by its name", function()
    local keys, _, _, w = get(SESSION, token(3600), { ROLE })
    assert.equal("AK", keys.access_key_id)
    assert.same({ region = "eu-west-1" }, w.calls[1].opts)
  end)

  it("renews a token that ends soon, and keeps the new one", function()
    local more = { other = "kept" }
    for key, value in pairs(RENEWABLE) do more[key] = value end
    local keys, _, _, w = get(SESSION, token(300, more), { RENEWED, ROLE })
    assert.truthy(keys)
    assert.same({ clientId = "CID", clientSecret = "hush-client", grantType = "refresh_token",
      refreshToken = "hush-refresh" }, w.calls[1].params)
    assert.equal("CreateToken", w.calls[1].operation)
    assert.same({ region = "eu-west-1" }, w.calls[1].opts)
    assert.equal("hush-renewed", w.calls[2].params.accessToken)
    assert.same({ accessToken = "hush-renewed", clientId = "CID", clientSecret = "hush-client",
      expiresAt = "2026-01-15T20:34:56Z", other = "kept", refreshToken = "hush-next",
      region = "eu-west-1", registrationExpiresAt = "2026-03-01T00:00:00Z",
      startUrl = "https://d-1.awsapps.com/start" },
      cjson.decode(w.written["/home/u/" .. cache_path "my"]))
  end)

  it("goes on with a token that was not renewed but is good", function()
    for _, more in ipairs { {}, RENEWABLE } do
      local keys = get(SESSION, token(300, more),
        more == RENEWABLE and { { code = "InvalidGrantException" }, ROLE } or { ROLE })
      assert.truthy(keys)
    end
  end)

  it("says why a token cannot be used", function()
    local expired = {}
    for key, value in pairs(RENEWABLE) do expired[key] = value end
    expired.registrationExpiresAt = "2025-01-01T00:00:00Z"
    local path = "/home/u/" .. cache_path "my"
    for reason, case in pairs {
      ["there is no token in " .. path .. "; run `aws sso login`"] = {},
      [path .. " is not JSON"] = { "hush" },
      [path .. " holds no token that can be used; run `aws sso login`"] = { "{}" },
      ["the SSO token has expired and was not renewed (it has no refreshToken, clientId, "
        .. "clientSecret, registrationExpiresAt); run `aws sso login`"] = { token(-1) },
      ["the SSO token has expired and was not renewed (its registration has expired); "
        .. "run `aws sso login`"] = { token(-1, expired) },
      ["the SSO token has expired and was not renewed (InvalidGrantException: bad …); "
        .. "run `aws sso login`"] = { token(-1, RENEWABLE),
        { { code = "InvalidGrantException", message = "bad hush-refresh" } } },
      ["the SSO token has expired and was not renewed (the answer of SSO OIDC holds no token); "
        .. "run `aws sso login`"] = { token(-1, RENEWABLE), { {} } },
      ["the SSO session has expired or is invalid; run `aws sso login`"] = { token(3600),
        { { code = "UnauthorizedException", message = "hush", status = 401 } } },
      ["ForbiddenException: not …"] = { token(3600),
        { { code = "ForbiddenException", message = "not hush-access" } } },
      ["the answer of SSO holds no keys"] = { token(3600), { {} } },
      ["the answer of SSO has no secretAccessKey"] = { token(3600),
        { { roleCredentials = { accessKeyId = "hush" } } } },
    } do
      local keys, found, broken = get(SESSION, case[1], case[2])
      assert.is_nil(keys)
      assert.equal(reason, found)
      assert.is_true(broken)
    end
    local _, reason = get(LEGACY, token(0, RENEWABLE), {}, "https://d-1.awsapps.com/start")
    assert.equal("the SSO token has expired; run `aws sso login`", reason)
  end)

  it("says what is wrong with the profile", function()
    for config, reason in pairs {
      ["[default]\nsso_account_id = 1\n"] =
        "profile default has no sso_role_name, sso_start_url, sso_region",
      ["[default]\nsso_account_id = 1\nsso_role_name = r\nsso_session = x\n"] =
        "profile default: there is no section [sso-session x]",
      [SESSION .. "sso_account_id = 4\n"] =
        "profile default: sso_account_id differs between the profile and the section "
        .. "[sso-session my]",
      [SESSION:gsub("sso_region[^\n]*\n", "")] = "profile default has no sso_region",
    } do
      local keys, found, broken, w = get(config)
      assert.is_nil(keys)
      assert.equal(reason, found)
      assert.is_true(broken)
      assert.same({}, w.calls)
    end
  end)

  it("keeps a renewed token that cannot be written, and says so", function()
    local told = {}
    local w = world(SESSION, token(300, RENEWABLE), { RENEWED, ROLE, ROLE })
    w.io.replace = function(path) return nil, path .. ": Read-only file system" end
    w.io.settings = { logger = function(level, text) told[#told + 1] = level .. " " .. text end }
    local one = sso.new { profile = "default" }
    assert.truthy(one:get(w.io))
    assert.truthy(one:get(w.io))
    assert.equal("hush-renewed", w.calls[3].params.accessToken)
    assert.same({ "warn the renewed SSO token was not written: /home/u/" .. cache_path "my"
      .. ": Read-only file system" }, told)
  end)
end)
