-- No secret in anything that a person may see: messages, log lines, tostring of values. Every
-- provider is led through success and failures; every secret of this spec holds the word "hush".

local chain = require "support.chain"
local cjson = require "cjson"
local core = require "sagemaker.core"

local KEY = [[
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+PNauWi/ihtwHHbq
1tgc8Vgpwx0qQlNSN38y+z0igWehRANCAAR2Ntw6BXJ1v8jb9XjzKZJ+gL5f/3Jq
IqiH2PUGKWxoFwNlcNB83FivEXEzlTbuCQK5OezOYb3gbvHuzKkB0nDX
-----END PRIVATE KEY-----]]
local KEYS = { Code = "Success", Version = 1, AccessKeyId = "AKID", SecretAccessKey = "hush-secret",
  Token = "hush-token", SessionToken = "hush-token", Expiration = "2026-01-15T18:34:56Z" }
local ROLE = { roleCredentials = { accessKeyId = "AKID", secretAccessKey = "hush-secret",
  sessionToken = "hush-token", expiration = 1768502096000 } }
local SSO_PROFILE = [[
[default]
sso_session = my
sso_account_id = 111122223333
sso_role_name = Admin
[sso-session my]
sso_start_url = https://d-1.awsapps.com/start
sso_region = eu-west-1
]]

local function sso_token(expires_at)
  return cjson.encode { accessToken = "hush-access", refreshToken = "hush-refresh",
    clientId = "CID", clientSecret = "hush-client", expiresAt = expires_at,
    registrationExpiresAt = "2026-03-01T00:00:00Z" }
end

local function sts(action)
  return (([[<%sResponse><%sResult><Credentials><AccessKeyId>AKID</AccessKeyId>
<SecretAccessKey>hush-secret</SecretAccessKey><SessionToken>hush-token</SessionToken>
<Expiration>2026-01-15T13:34:56Z</Expiration></Credentials></%sResult></%sResponse>]])
    :gsub("%%s", action))
end

local ARN = "arn:aws:sts::012345678910:assumed-role/Admin/admin"
local SSO_FILE = (".aws/sso/cache/%s.json"):format(core.sha1("my"))
local LOGIN_FILE = (".aws/login/cache/%s.json"):format(core.sha256(ARN))
local ROLE_PROFILE = "[default]\nrole_arn = arn:aws:iam::1:role/R\nexternal_id = hush-external\n"

-- What leads to each provider, and the answers of a good day.
local SCENES = {
  environment = { env = { AWS_ACCESS_KEY_ID = "AKID", AWS_SECRET_ACCESS_KEY = "hush-secret",
    AWS_SESSION_TOKEN = "hush-token" } },
  ["environment, cut"] = { env = { AWS_ACCESS_KEY_ID = "AKID",
    AWS_SECRET_ACCESS_KEY = "hush\nsecret" }, bad = true },
  ["credentials file"] = { files = { [".aws/credentials"] =
    "[default]\naws_access_key_id = AKID\naws_secret_access_key = hush-secret\n" } },
  ["credentials file, malformed"] = { bad = true, files = { [".aws/credentials"] =
    "[default]\naws_access_key_id = AKID\nhush-secret\n" } },
  ["configuration file"] = { files = { [".aws/config"] =
    "[default]\naws_access_key_id = AKID\naws_secret_access_key = hush-secret\n" } },
  ["assumed role"] = { files = { [".aws/config"] = ROLE_PROFILE .. "source_profile = s\n"
    .. "[profile s]\naws_access_key_id = AKID\naws_secret_access_key = hush-source\n" },
    answers = { { body = sts "AssumeRole" } } },
  ["web identity"] = { env = { AWS_WEB_IDENTITY_TOKEN_FILE = "<HOME>/jwt",
    AWS_ROLE_ARN = "arn:aws:iam::1:role/R" }, files = { jwt = "hush-jwt" },
    answers = { { body = sts "AssumeRoleWithWebIdentity" } } },
  sso = { files = { [".aws/config"] = SSO_PROFILE, [SSO_FILE] = sso_token "2026-01-15T20:00:00Z" },
    answers = { { body = cjson.encode(ROLE) } } },
  ["sso, renewed"] = { answers = { { body = cjson.encode { accessToken = "hush-renewed",
    expiresIn = 28800, refreshToken = "hush-next" } }, { body = cjson.encode(ROLE) } },
    files = { [".aws/config"] = SSO_PROFILE, [SSO_FILE] = sso_token "2026-01-15T12:30:00Z" } },
  login = { files = { [".aws/config"] = "[default]\nlogin_session = " .. ARN .. "\n",
    [LOGIN_FILE] = cjson.encode { clientId = "C", dpopKey = KEY, refreshToken = "hush-refresh",
      idToken = "hush-id", accessToken = { accessKeyId = "AKID", secretAccessKey = "hush-old",
        sessionToken = "hush-old", expiresAt = "2026-01-15T12:34:00Z" } } },
    answers = { { body = cjson.encode { accessToken = { accessKeyId = "AKID",
      secretAccessKey = "hush-secret", sessionToken = "hush-token" }, expiresIn = 900,
      refreshToken = "hush-next", tokenType = "aws_sigv4" } } } },
  process = { files = { p = cjson.encode(KEYS),
    [".aws/config"] = "[default]\ncredential_process = cat <HOME>/p\n" } },
  ["process, failing"] = { bad = true, files = { p = cjson.encode(KEYS), [".aws/config"] =
    "[default]\ncredential_process = cat <HOME>/p; cat <HOME>/p >&2; exit 1\n" } },
  ["process, chatty"] = { bad = true, files = { p = "hush", [".aws/config"] =
    "[default]\ncredential_process = cat <HOME>/p\n" } },
  container = { env = { AWS_CONTAINER_CREDENTIALS_FULL_URI = "http://localhost/c",
    AWS_CONTAINER_AUTHORIZATION_TOKEN = "hush-auth" },
    answers = { { body = cjson.encode(KEYS) } } },
  imds = { env = {}, answers = { { body = "hush-imds" }, { body = "role" },
    { body = cjson.encode(KEYS) } } },
}

-- What becomes of an answer on a bad day.
local WEATHER = {
  fine = function(answer) return answer end,
  garbage = function() return { body = "hush hush" } end,
  empty = function() return { body = "{}" } end,
  strange = function()
    return { body = '{"AccessKeyId": "AKID", "SecretAccessKey": ["hush"], "Token": {"a": "hush"},'
      .. '"roleCredentials": {"accessKeyId": "hush\\n"}, "accessToken": "hush\\u0000"}' }
  end,
  refused = function() return { status = 400, body = '{"hush": "hush"}' } end,
  -- What a service says in an error is shown.
  broken = function() return { status = 500, body = "<html>out of order</html>" } end,
  gone = function() return { network_error = true } end,
}

local function check(what, text)
  text = tostring(text)
  local at = text:find("hush", 1, true)
  assert.falsy(at, at and ("%s: …%s"):format(what, text:sub(math.max(1, at - 80), at + 20)))
end

-- Whatever tostring shows of a value and of what it holds.
local function check_value(what, value, seen)
  check(what, value)
  if type(value) ~= "table" or seen[value] then return end
  seen[value] = true
  if not getmetatable(value) then return end
  for key, inner in pairs(value) do
    if type(inner) == "table" then check_value(what .. "." .. tostring(key), inner, seen) end
  end
end

-- The scene in this weather, from the n-th answer on.
local function play(scene, change, from)
  local answers = {}
  for i, answer in ipairs(scene.answers or {}) do
    answers[i] = i >= from and change(answer) or answer
  end
  for _ = 1, 12 do
    answers[#answers + 1] = #answers > 0 and change(answers[#answers]) or { status = 404 }
  end
  local env = { AWS_EC2_METADATA_DISABLED = scene.env and not next(scene.env) and "false" or "true",
    AWS_REGION = "eu-west-1" }
  for name, value in pairs(scene.env or {}) do env[name] = value end
  local lines = {}
  local client, world, err = chain.client({ env = env, files = scene.files or {} },
    (chain.script(answers)))
  if not client then
    check("message", world)
    check("error", err)
    return nil, {}
  end
  local function logger(level, text) lines[#lines + 1] = level .. " " .. text end
  client.settings.logger = logger
  if client.options then client.options.logger = logger end
  local keys, message
  keys, message, err = chain.credentials(client)
  check("message", message)
  check("error", err)
  check_value("keys", keys, {})
  check_value("client", client, {})
  check_value("provider", client.settings.keyring.provider, {})
  if err then
    for name, value in pairs(err) do check("err." .. tostring(name), value) end
  end
  for _, line in ipairs(lines) do check("log", line) end
  return keys, lines
end

describe("credentials keep their secrets:", function()
  for name, scene in pairs(SCENES) do
    it(name, function()
      local keys, lines = play(scene, WEATHER.fine, 1)
      if scene.bad then
        assert.is_nil(keys)
      else
        assert.equal("AKID", keys.access_key_id)
        assert.equal("hush", keys.secret_access_key:sub(1, 4))
        if name:find "^sso" or name == "login" then assert.is_true(#lines > 0) end
      end
      for _, change in pairs(WEATHER) do
        for from = 1, #(scene.answers or {}) do play(scene, change, from) end
      end
    end)
  end
end)
