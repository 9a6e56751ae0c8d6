local container = require "sagemaker.credentials.container"
local provider = require "support.provider"

local RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
local FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
local KEYS = [[{"AccessKeyId": "AK", "SecretAccessKey": "hush-secret", "Token": "hush-token",
  "Expiration": "2026-01-15T18:34:56Z", "AccountId": "111122223333"}]]

local function get(env, answers, files)
  local world = provider.world { env = env, answers = answers, files = files }
  local keys, reason, broken = container.new():get(world.io)
  return keys, reason, broken, world
end

describe("sagemaker.credentials.container", function()
  it("does not apply where the environment names no agent", function()
    local keys, reason, broken = get {}
    assert.is_nil(keys)
    assert.truthy(reason:find("neither AWS_CONTAINER", 1, true))
    assert.is_nil(broken)
    assert.is_nil((get { [RELATIVE] = "", [FULL] = "" }))
  end)

  it("asks ECS's address for a relative path, off any proxy and soon", function()
    local keys, _, _, world = get({ [RELATIVE] = "/v2/x?id=1", [FULL] = "http://localhost/" },
      { { body = KEYS } })
    assert.equal("AK", keys.access_key_id)
    assert.equal("hush-secret", keys.secret_access_key)
    assert.equal("hush-token", keys.session_token)
    assert.equal("111122223333", keys.account_id)
    assert.equal(1768502096, keys.expires_at)
    assert.equal("container-role", keys.source)
    local request = world.requests[1]
    assert.equal("http://169.254.170.2/v2/x?id=1", request.url)
    assert.equal("application/json", request.headers.Accept)
    assert.is_true(request.direct)
    assert.same({ attempt = 10, connect = 2, read = 2 }, request.timeouts)
  end)

  it("asks over http only what is near, and any host over https", function()
    for _, url in ipairs { "http://localhost/c", "http://LOCALHOST:1/c", "http://127.0.0.1/c",
      "http://127.255.0.9:8080/c", "http://[::1]/c", "http://[0:0:0:0:0:0:0:1]/c",
      "http://169.254.170.2/c", "http://169.254.170.23/c", "http://[fd00:ec2::23]/c",
      "https://example.com/c" } do
      assert.truthy((get({ [FULL] = url }, { { body = KEYS } })), url)
    end
    for _, url in ipairs { "http://example.com/c", "http://169.254.169.254/c",
      "http://127.0.0.256/",
      "http://127.0.0.1.evil.example/c", "http://128.0.0.1/", "http://localhost.example/",
      "http://[fd00:ec2::24]/c", "http://127.0.0.1@evil.example/c", "http://[::2]/c",
      "file:///etc/x", "ftp://localhost/c", "localhost/c", "http://", "http://local host/" } do
      local keys, reason, broken, world = get { [FULL] = url }
      assert.is_nil(keys, url)
      assert.truthy(reason:find(FULL, 1, true), reason)
      assert.is_true(broken)
      assert.same({}, world.requests)
    end
  end)

  it("refuses a relative path that would lead elsewhere", function()
    for _, path in ipairs { "@evil.example/", ".evil.example/c", "c", "//evil.example/c" } do
      local keys, _, broken, world = get({ [RELATIVE] = path }, { { body = KEYS } })
      if path:sub(1, 1) == "/" then
        assert.equal("http://169.254.170.2" .. path, world.requests[1].url)
      else
        assert.is_nil(keys)
        assert.is_true(broken)
        assert.same({}, world.requests)
      end
    end
  end)

  it("sends the token of the file, else of the environment", function()
    local env = { [FULL] = "http://localhost/c", AWS_CONTAINER_AUTHORIZATION_TOKEN = "from env" }
    local _, _, _, world = get(env, { { body = KEYS } })
    assert.equal("from env", world.requests[1].headers.Authorization)
    env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = "/token"
    _, _, _, world = get(env, { { body = KEYS } }, { ["/token"] = "from file" })
    assert.equal("from file", world.requests[1].headers.Authorization)
    local keys, reason, broken = get(env, {})
    assert.is_nil(keys)
    assert.equal("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: /token does not exist", reason)
    assert.is_true(broken)
  end)

  it("refuses a token that would break the header", function()
    for _, token in ipairs { "hush\n", "hush\r\nX: y", "hu\0sh" } do
      local keys, reason, broken, world = get({ [FULL] = "http://localhost/",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = "/t" }, {}, { ["/t"] = token })
      assert.is_nil(keys)
      assert.truthy(reason:find("control character", 1, true))
      assert.falsy(reason:find("hu", 1, true))
      assert.is_true(broken)
      assert.same({}, world.requests)
    end
  end)

  it("tries three times, a second apart", function()
    local keys, _, _, world = get({ [RELATIVE] = "/c" },
      { { status = 500 }, { code = "ConnectionReset" }, { body = KEYS } })
    assert.truthy(keys)
    assert.same({ 1, 1 }, world.sleeps)
    local reason, broken
    keys, reason, broken, world = get({ [RELATIVE] = "/c" },
      { { body = "<x>" }, { body = "[1]" }, { status = 404 } })
    assert.is_nil(keys)
    assert.equal("the agent answered HTTP status 404", reason)
    assert.is_true(broken)
    assert.equal(3, #world.requests)
    assert.same({ 1, 1 }, world.sleeps)
  end)

  it("takes an answer that is whole", function()
    for _, name in ipairs { "AccessKeyId", "SecretAccessKey", "Token", "Expiration" } do
      local body = KEYS:gsub('"' .. name .. '": "[^"]*"', '"' .. name .. '": null')
      local keys, reason, broken = get({ [RELATIVE] = "/c" }, { { body = body } })
      assert.is_nil(keys)
      assert.equal("the agent's answer has no " .. name, reason)
      assert.is_true(broken)
    end
  end)

  it("repeats no word of a hostile agent", function()
    local env = { [FULL] = "http://localhost/", AWS_CONTAINER_AUTHORIZATION_TOKEN = "hush-auth" }
    for _, body in ipairs { "hush-auth", ("x"):rep(1e6), '{"code": "hush-auth"}', "{\0}", "null",
      '{"AccessKeyId": "AK", "SecretAccessKey": {"hush": 1}}', '{"AccessKeyId": "A\\nhush"}',
      '{"AccessKeyId": "AK", "SecretAccessKey": "hush", "Expiration": "hush"}',
      '{"AccessKeyId": "AK", "SecretAccessKey": "hu\\u0000sh"}', ("["):rep(60000) } do
      for _, status in ipairs { 200, 400 } do
        local answer = { status = status, body = body }
        local keys, reason, broken = get(env, { answer, answer, answer })
        assert.is_nil(keys)
        assert.is_true(broken)
        assert.falsy(reason:find("hush", 1, true), reason)
        assert.is_true(#reason < 200)
      end
    end
    local said = { status = 400, body = '{"code": "NoIdProvided", "message": "hush"}' }
    local _, reason = get(env, { said, said, said })
    assert.equal("the agent answered HTTP status 400 (NoIdProvided)", reason)
    local lost = { code = "ConnectionReset", message = "while sending hush-auth" }
    _, reason = get(env, { lost, lost, lost })
    assert.equal("ConnectionReset: while sending …", reason)
  end)
end)
