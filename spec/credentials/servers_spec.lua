-- Providers against servers on 127.0.0.1, over libcurl and with files on a disk.

local cjson = require "cjson"
local core = require "sagemaker.core"
local lfs = require "lfs"
local server = require "support.server"
local signing = require "sagemaker.signing"

local LOCATIONS = [[
    default_type application/json;
    location = /latest/api/token {
      content_by_lua_block {
        local headers = ngx.req.get_headers()
        if ngx.req.get_method() ~= "PUT" or headers["content-length"] ~= "0"
          or headers["x-aws-ec2-metadata-token-ttl-seconds"] ~= "21600" then
          return ngx.exit(400)
        end
        ngx.print "session"
      }
    }
    location = /latest/meta-data/iam/security-credentials/ {
      content_by_lua_block {
        if ngx.var.http_x_aws_ec2_metadata_token ~= "session" then return ngx.exit(401) end
        ngx.print "role"
      }
    }
    location = /latest/meta-data/iam/security-credentials/role {
      content_by_lua_block {
        ngx.print('{"Code": "Success", "AccessKeyId": "IMDS", "SecretAccessKey": "s",',
          '"Token": "t", "Expiration": "2099-01-01T00:00:00Z"}')
      }
    }
    location = /container {
      content_by_lua_block {
        if ngx.var.http_authorization ~= "from file" then return ngx.exit(401) end
        ngx.print('{"AccessKeyId": "CONTAINER", "SecretAccessKey": "s", "Token": "t",',
          '"Expiration": "2099-01-01T00:00:00Z", "AccountId": "1"}')
      }
    }
    location = /token {
      content_by_lua_block {
        ngx.print '{"accessToken": "renewed", "expiresIn": 3600, "refreshToken": "next"}'
      }
    }
    location = /federation/credentials {
      content_by_lua_block {
        if ngx.var.http_x_amz_sso_bearer_token ~= "renewed" then return ngx.exit(401) end
        ngx.print('{"roleCredentials": {"accessKeyId": "SSO", "secretAccessKey": "s",',
          '"sessionToken": "t", "expiration": 4070908800000}}')
      }
    }
    location = /v1/token {
      content_by_lua_block {
        if not ngx.var.http_dpop then return ngx.exit(400) end
        ngx.print('{"accessToken": {"accessKeyId": "LOGIN", "secretAccessKey": "s",',
          '"sessionToken": "t"}, "expiresIn": 900, "refreshToken": "next",',
          '"tokenType": "aws_sigv4"}')
      }
    }
]]

local KEY = [[
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+PNauWi/ihtwHHbq
1tgc8Vgpwx0qQlNSN38y+z0igWehRANCAAR2Ntw6BXJ1v8jb9XjzKZJ+gL5f/3Jq
IqiH2PUGKWxoFwNlcNB83FivEXEzlTbuCQK5OezOYb3gbvHuzKkB0nDX
-----END PRIVATE KEY-----]]

describe("providers and servers", function()
  local ok, reason = server.available()
  if not ok then
    pending(reason)
    return
  end
  local nginx, home

  setup(function()
    nginx = server.nginx { http = "underscores_in_headers on;", locations = LOCATIONS }
  end)
  teardown(function()
    nginx:stop()
    server.clean()
  end)
  before_each(function() home = server.folder() end)
  after_each(function() server.shell("rm -rf " .. home) end)

  local function write(path, text)
    server.shell(("mkdir -p $(dirname %s/%s)"):format(home, path))
    local file = assert(io.open(home .. "/" .. path, "wb"))
    file:write(text)
    file:close()
  end

  local function read(path)
    local file = assert(io.open(home .. "/" .. path, "rb"))
    local text = file:read("*a")
    file:close()
    return text
  end

  -- The keys that a client finds in this environment.
  local function resolve(env)
    env.HOME, env.AWS_REGION = home, "eu-west-1"
    env.AWS_EC2_METADATA_DISABLED = env.AWS_EC2_METADATA_DISABLED or "true"
    local new = require("sagemaker.client").new
    local client = assert(new { io = { getenv = function(name) return env[name] end } })
    local request, message = client:request("ListEndpoints")
    local transport = client.transport
    local keys = request and signing.credentials(client.settings, client.provider_io)
    if transport and transport.close then transport:close() end
    return keys, message
  end

  -- Nobody listens there.
  local PROXY = "http://127.0.0.1:1"

  it("IMDS, with a proxy that is not for it", function()
    local keys = assert(resolve { AWS_EC2_METADATA_DISABLED = "false", http_proxy = PROXY,
      HTTP_PROXY = PROXY, AWS_EC2_METADATA_SERVICE_ENDPOINT = nginx:url "/" })
    assert.equal("IMDS", keys.access_key_id)
    assert.equal("iam-role", keys.source)
  end)

  it("a container's agent, with a proxy that is not for it", function()
    write("token", "from file")
    local keys = assert(resolve { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = home .. "/token",
      AWS_CONTAINER_CREDENTIALS_FULL_URI = nginx:url "/container", http_proxy = PROXY })
    assert.equal("CONTAINER", keys.access_key_id)
  end)

  it("IMDS that does not answer is not waited for", function()
    local bad = server.bad { "hang" }
    local keys, message = resolve { AWS_EC2_METADATA_DISABLED = "false",
      AWS_METADATA_SERVICE_TIMEOUT = "0.2", AWS_EC2_METADATA_SERVICE_ENDPOINT = bad:url "/" }
    bad:stop()
    assert.is_nil(keys)
    assert.truthy(message:find("iam-role: ReadTimeout: no byte came for 200 ms", 1, true), message)
  end)

  it("SSO, renewed", function()
    local path = (".aws/sso/cache/%s.json"):format(core.sha1("my"))
    write(".aws/config", "[default]\nsso_session = my\nsso_account_id = 1\nsso_role_name = R\n"
      .. "[sso-session my]\nsso_region = eu-west-1\nsso_start_url = https://x\n")
    write(path, cjson.encode { accessToken = "old", expiresAt = "2020-01-01T00:00:00Z",
      clientId = "C", clientSecret = "S", refreshToken = "R",
      registrationExpiresAt = "2099-01-01T00:00:00Z" })
    local keys = assert(resolve { AWS_ENDPOINT_URL_SSO = nginx:url "",
      AWS_ENDPOINT_URL_SSO_OIDC = nginx:url "" })
    assert.equal("SSO", keys.access_key_id)
    assert.equal("renewed", cjson.decode(read(path)).accessToken)
    assert.equal("rw-------", lfs.attributes(home .. "/" .. path, "permissions"))
  end)

  it("aws login, renewed", function()
    local path = (".aws/login/cache/%s.json"):format(core.sha256("arn"))
    write(".aws/config", "[default]\nlogin_session = arn\n")
    write(path, cjson.encode { clientId = "C", dpopKey = KEY, refreshToken = "R", accessToken = {
      accessKeyId = "OLD", secretAccessKey = "s", sessionToken = "t",
      expiresAt = "2020-01-01T00:00:00Z" } })
    local keys = assert(resolve { AWS_ENDPOINT_URL_SIGNIN = nginx:url "" })
    assert.equal("LOGIN", keys.access_key_id)
    assert.equal("next", cjson.decode(read(path)).refreshToken)
    assert.equal("rw-------", lfs.attributes(home .. "/" .. path, "permissions"))
  end)

  it("a process", function()
    write("keys", '{"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": "s"}')
    write(".aws/config", ("[default]\ncredential_process = cat %s/keys\n"):format(home))
    assert.equal("PROCESS", assert(resolve {}).access_key_id)
  end)
end)
