local chain = require "support.chain"
local cjson = require "cjson"
local core = require "sagemaker.core"
local login = require "sagemaker.credentials.login"
local provider = require "support.provider"

local ARN = "arn:aws:sts::012345678910:assumed-role/Admin/admin"
local CONFIG = "[default]\nlogin_session = " .. ARN .. "\n"
local FILE = core.sha256(ARN) .. ".json"
local KEY = [[
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+PNauWi/ihtwHHbq
1tgc8Vgpwx0qQlNSN38y+z0igWehRANCAAR2Ntw6BXJ1v8jb9XjzKZJ+gL5f/3Jq
IqiH2PUGKWxoFwNlcNB83FivEXEzlTbuCQK5OezOYb3gbvHuzKkB0nDX
-----END PRIVATE KEY-----]]
local RENEWED = { tokenOutput = { accessToken = { accessKeyId = "AK2",
  secretAccessKey = "hush-secret2", sessionToken = "hush-session2" }, expiresIn = 900,
  refreshToken = "hush-refresh2", tokenType = "aws_sigv4" } }

-- What `aws login` writes: keys that end `seconds` from the now of the world.
local function token(seconds, more)
  local document = {
    accessToken = { accessKeyId = "AK", secretAccessKey = "hush-secret", accountId = "012345678910",
      sessionToken = "hush-session", expiresAt = core.time.format(chain.NOW + seconds) },
    clientId = "arn:aws:signin:::devtools/same-device",
    dpopKey = KEY,
    idToken = "hush-id",
    refreshToken = "hush-refresh",
  }
  for key, value in pairs(more or {}) do document[key] = value or nil end
  return cjson.encode(document)
end

local function get(cached, outputs, config)
  local w = provider.world { outputs = outputs, files = { [".aws/config"] = config or CONFIG,
    [".aws/login/cache/" .. FILE] = cached } }
  local keys, reason, broken = login.new { profile = "default" }:get(w.io)
  if reason then assert.falsy(reason:find("hush", 1, true), reason) end
  return keys, reason, broken, w
end

local function from_base64url(text)
  text = text:gsub("[-_]", { ["-"] = "+", ["_"] = "/" })
  return core.text.unbase64(text .. ("="):rep(-#text % 4))
end

describe("sagemaker.credentials.login", function()
  it("does not apply to a profile without a login", function()
    local keys, reason, broken = get(nil, nil, "[default]\nregion = x\n")
    assert.is_nil(keys)
    assert.equal("profile default has no login_session", reason)
    assert.is_nil(broken)
  end)

  it("takes the keys in the cache", function()
    local keys, _, _, w = get(token(301))
    assert.equal("AK", keys.access_key_id)
    assert.equal("hush-secret", keys.secret_access_key)
    assert.equal("hush-session", keys.session_token)
    assert.equal("012345678910", keys.account_id)
    assert.equal(chain.NOW + 301, keys.expires_at)
    assert.equal("login", keys.source)
    assert.same({}, w.calls)
  end)

  it("looks where AWS_LOGIN_CACHE_DIRECTORY says", function()
    for _, dir in ipairs { "/logins", "$HOME/logins", "${HOME}/logins", "~/logins" } do
      local home = dir == "/logins" and "/logins/" or "/home/u/logins/"
      local w = provider.world { env = { AWS_LOGIN_CACHE_DIRECTORY = dir },
        files = { [".aws/config"] = CONFIG, [home .. FILE] = token(900) } }
      assert.truthy((login.new():get(w.io)), dir)
    end
  end)

  it("renews keys that end soon, and keeps the new ones", function()
    for _, seconds in ipairs { 300, 0, -1e6 } do
      local keys, _, _, w = get(token(seconds), { RENEWED })
      assert.equal("AK2", keys.access_key_id)
      assert.equal("hush-session2", keys.session_token)
      assert.equal("012345678910", keys.account_id)
      assert.equal(chain.NOW + 900, keys.expires_at)
      local call = w.calls[1]
      assert.equal("signin CreateOAuth2Token", call.service .. " " .. call.operation)
      assert.same({ tokenInput = { clientId = "arn:aws:signin:::devtools/same-device",
        grantType = "refresh_token", refreshToken = "hush-refresh" } }, call.params)
      local written = cjson.decode(w.written["/home/u/.aws/login/cache/" .. FILE])
      assert.same({ accessKeyId = "AK2", secretAccessKey = "hush-secret2",
        sessionToken = "hush-session2", accountId = "012345678910",
        expiresAt = "2026-01-15T12:49:56Z" }, written.accessToken)
      assert.equal("hush-refresh2", written.refreshToken)
      assert.equal("hush-id", written.idToken)
      assert.equal(KEY, written.dpopKey)
    end
  end)

  it("proves in each attempt that it owns the key", function()
    local proofs = {}
    local w = provider.world { files = { [".aws/config"] = CONFIG,
      [".aws/login/cache/" .. FILE] = token(0) }, outputs = { function(call)
        for i = 1, 2 do
          local request = { url = "https://eu-west-1.signin.aws.amazon.com/v1/token", headers = {} }
          call.opts.hooks.before_send(request, "CreateOAuth2Token")
          proofs[i] = request.headers.DPoP
        end
        return RENEWED
      end } }
    w.io.uuid = require("sagemaker.env").new().uuid
    assert.truthy((login.new():get(w.io)))
    local jti = {}
    for i, proof in ipairs(proofs) do
      local header, payload, signature = proof:match("^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$")
      assert.same({ typ = "dpop+jwt", alg = "ES256", jwk = core.ec_jwk(KEY) },
        cjson.decode(from_base64url(header)))
      payload = cjson.decode(from_base64url(payload))
      jti[i] = payload.jti
      assert.equal("POST", payload.htm)
      assert.equal("https://eu-west-1.signin.aws.amazon.com/v1/token", payload.htu)
      assert.equal(chain.NOW, payload.iat)
      assert.equal(64, #from_base64url(signature))
    end
    assert.not_equal(jti[1], jti[2])
  end)

  it("goes on with keys that were not renewed but are good", function()
    local keys = get(token(200), { { code = "InternalServerException" } })
    assert.equal("AK", keys.access_key_id)
    keys = get(token(200), { { code = "AccessDeniedException",
      raw = { error = "TOKEN_EXPIRED" } } })
    assert.is_nil(keys)
  end)

  it("says why there are no keys", function()
    local path = "/home/u/.aws/login/cache/" .. FILE
    local function denied(word)
      return { { code = "AccessDeniedException", message = "m", raw = { error = word } } }
    end
    for reason, case in pairs {
      ["there is no login session in " .. path .. "; run `aws login`"] = {},
      [path .. " is not JSON"] = { "hush" },
      [path .. " has no accessToken, clientId, dpopKey, refreshToken; run `aws login`"] = { "{}" },
      [path .. " has no dpopKey; run `aws login`"] = { token(900, { dpopKey = false }) },
      [path .. " has no expiresAt; run `aws login`"] = { token(1, { accessToken = {} }) },
      ["dpopKey: there is no readable private key in the PEM text"] =
        { token(0, { dpopKey = "hush" }) },
      ["the login session has expired; run `aws login`"] = { token(0), denied "TOKEN_EXPIRED" },
      ["the user's credentials have changed; run `aws login`"] =
        { token(0), denied "USER_CREDENTIALS_CHANGED" },
      ["the service refused to renew the login for lack of permissions"] =
        { token(0), denied "INSUFFICIENT_PERMISSIONS" },
      ["AccessDeniedException: m"] = { token(0), denied "OTHER" },
      ["E: not …"] = { token(0), { { code = "E", message = "not hush-refresh" } } },
      ["the answer of the sign-in service holds no token"] = { token(0), { {} } },
    } do
      local keys, found, broken = get(case[1], case[2])
      assert.is_nil(keys)
      assert.equal(reason, found)
      assert.is_true(broken)
    end
  end)

  it("keeps renewed keys that cannot be written", function()
    local w = provider.world { outputs = { RENEWED }, files = { [".aws/config"] = CONFIG,
      [".aws/login/cache/" .. FILE] = token(0) } }
    w.io.replace = function() return nil, "no" end
    local one = login.new()
    assert.equal("AK2", one:get(w.io).access_key_id)
    assert.equal("AK2", one:get(w.io).access_key_id)
  end)
end)

describe("a login renewed through the client", function()
  it("is sent unsigned, with a proof for its own URL", function()
    local client, world = assert(chain.client({ env = { AWS_REGION = "eu-central-1" },
      files = { [".aws/config"] = CONFIG, [".aws/login/cache/" .. FILE] = token(0) } },
      { { status = 500 }, { body = cjson.encode(RENEWED.tokenOutput) } }))
    local keys = assert(chain.credentials(client))
    assert.equal("AK2", keys.access_key_id)
    assert.equal("login", keys.source)
    assert.equal(2, #world.transport.requests)
    local request = world.transport.requests[2]
    assert.equal("https://eu-central-1.signin.aws.amazon.com/v1/token", request.url)
    assert.same({ clientId = "arn:aws:signin:::devtools/same-device", grantType = "refresh_token",
      refreshToken = "hush-refresh" }, cjson.decode(request.body))
    assert.is_nil(request.headers.Authorization)
    local payload = cjson.decode(from_base64url(request.headers.DPoP:match("%.(.*)%.")))
    assert.equal(request.url, payload.htu)
    assert.not_equal(request.headers.DPoP, world.transport.requests[1].headers.DPoP)
    local written = cjson.decode(world.written["/home/u/.aws/login/cache/" .. FILE])
    assert.equal("hush-refresh2", written.refreshToken)
  end)
end)
