local sagemaker = require "sagemaker"
local stub = require "sagemaker.transport.stub"
local signing = require "sagemaker.signing"

local KEYS = { access_key_id = "AKID", secret_access_key = "SECRET" }

-- A client whose credentials come from `get(io)`.
local function client_of(script, get, options)
  local transport = stub.new(script)
  local settings = { region = "eu-west-1", transport = transport,
    credentials = { get = function(_, io) return get(io) end } }
  for name, value in pairs(options or {}) do settings[name] = value end
  return assert(sagemaker.new(settings)), transport
end

local IDENTITY = "<R><GetCallerIdentityResult><Account>111122223333</Account>"
  .. "</GetCallerIdentityResult></R>"

describe("sagemaker.credentials.io", function()
  it("calls other services through the client's own transport", function()
    local output
    local client, transport = client_of({ { body = IDENTITY }, { body = "{}" } }, function(io)
      output = assert(io.call("sts", "GetCallerIdentity", {}, KEYS))
      return KEYS
    end)
    assert(client:list_endpoints())
    assert.same({ Account = "111122223333" }, output)
    local request = transport.requests[1]
    assert.equal("https://sts.eu-west-1.amazonaws.com/", request.url)
    assert.equal("Action=GetCallerIdentity&Version=2011-06-15", request.body)
    assert.matches("Credential=AKID/%d+/eu%-west%-1/sts/aws4_request",
      request.headers.Authorization)
    assert.is_nil(request.headers["X-Amz-Target"])
  end)

  it("sends unsigned operations without keys, to another region", function()
    local output
    local client, transport = client_of({
      { body = '{"roleCredentials":{"accessKeyId":"A","expiration":1768502096000}}' },
      { body = "{}" },
    }, function(io)
      output = assert(io.call("sso", "GetRoleCredentials", { roleName = "r", accountId = "1",
        accessToken = "TOKEN" }, nil, { region = "us-east-2" }))
      return KEYS
    end)
    assert(client:list_endpoints())
    assert.equal("A", output.roleCredentials.accessKeyId)
    local request = transport.requests[1]
    assert.equal("GET", request.method)
    assert.matches("^https://portal%.sso%.us%-east%-2%.amazonaws%.com/federation/credentials%?",
      request.url)
    assert.equal("TOKEN", request.headers["x-amz-sso_bearer_token"])
    assert.is_nil(request.headers.Authorization)
  end)

  it("shows no token that a service or a proxy sends back", function()
    local lines, said = {}, nil
    local function echo(request)
      return { status = 403, body = ("<p>%s %s</p>"):format(request.body,
        request.headers["x-amz-sso_bearer_token"] or "") }
    end
    local client = client_of(echo, function(io)
      local _, sts = io.call("sts", "AssumeRoleWithWebIdentity", { RoleArn = ("r"):rep(20),
        RoleSessionName = "name", WebIdentityToken = "hush-jwt" })
      local _, sso = io.call("sso", "GetRoleCredentials", { roleName = "r", accountId = "1",
        accessToken = "hush-sso" })
      local _, oidc = io.call("sso-oidc", "CreateToken", { grantType = "refresh_token",
        clientId = "c", clientSecret = "hush-secret", refreshToken = "hush-refresh" })
      said = { sts, sso, oidc }
      return nil, "none"
    end, { logger = function(_, text) lines[#lines + 1] = text end })
    assert.is_nil((client:list_endpoints()))
    assert.equal(3, #said)
    assert.matches("RoleSessionName=name", said[1])
    assert.is_true(#lines > 6)
    local all = table.concat(said, "\n") .. table.concat(lines, "\n")
    assert.is_nil(all:find("hush", 1, true), all)
  end)

  it("calls other services by FIPS and dual stack where the client is to", function()
    local client, transport = client_of({ { body = IDENTITY }, { body = "{}" } }, function(io)
      assert(io.call("sts", "GetCallerIdentity", {}, KEYS))
      return KEYS
    end, { use_dualstack = true, use_fips = true })
    assert(client:list_endpoints())
    assert.equal("https://sts-fips.eu-west-1.api.aws/", transport.requests[1].url)
  end)

  it("signs by the time when the keys are there, not when they were asked for", function()
    local client, transport = client_of({ { body = "{}" } }, function(io)
      io.sleep(600)
      return KEYS
    end)
    assert(client:list_endpoints())
    assert.equal("20260115T121000Z", transport.requests[1].headers["X-Amz-Date"])
  end)

  it("does not ask the chain for the keys of a call that the chain makes", function()
    local client = client_of({}, function(io)
      return io.call("sts", "GetCallerIdentity", {})
    end)
    assert.has_error(function() client:list_endpoints() end)
  end)

  it("retries, and tells the service's error", function()
    local body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
      .. "<RequestId>r-1</RequestId></ErrorResponse>"
    local message, err
    local client, transport = client_of({ { status = 500 }, { status = 403, body = body } },
      function(io)
        message, err = select(2, io.call("sts", "GetCallerIdentity", {}, KEYS))
        return nil, message
      end)
    client:list_endpoints()
    assert.equal("AccessDenied: no", message)
    assert.equal("service", err.kind)
    assert.equal("r-1", err.request_id)
    assert.equal(2, err.attempts)
    assert.equal(2, #transport.requests)
  end)

  it("keeps the client's endpoint_url to the client", function()
    local client, transport = client_of({ { body = IDENTITY }, { body = "{}" } }, function(io)
      assert(io.call("sts", "GetCallerIdentity", {}, KEYS))
      return KEYS
    end, { endpoint_url = "http://localhost:8080" })
    assert(client:list_endpoints())
    assert.equal("https://sts.eu-west-1.amazonaws.com/", transport.requests[1].url)
    assert.equal("http://localhost:8080/", transport.requests[2].url)
  end)

  it("keeps the client's hooks to the client", function()
    local seen = {}
    local client = client_of({ { body = IDENTITY }, { body = "{}" } }, function(io)
      assert(io.call("sts", "GetCallerIdentity", {}, KEYS))
      return KEYS
    end, { hooks = { before_send = function(_, operation) seen[#seen + 1] = operation end } })
    assert(client:list_endpoints())
    assert.same({ "ListEndpoints" }, seen)
  end)

  it("sends single requests as they are", function()
    local response
    local client, transport = client_of({ { status = 404, body = "none" }, { body = "{}" } },
      function(io)
        response = assert(io.send { method = "PUT", url = "http://169.254.169.254/latest?x=1",
          headers = { a = "b" }, timeouts = { connect = 1, read = 2 } })
        return KEYS
      end)
    assert(client:list_endpoints())
    assert.equal(404, response.status)
    local request = transport.requests[1]
    assert.equal("169.254.169.254", request.host)
    assert.equal("/latest", request.path)
    assert.equal("x=1", request.query)
    assert.same({ a = "b" }, request.headers)
    assert.same({ connect = 1, read = 2 }, request.timeouts)
  end)

  it("refuses a URL that is none", function()
    local message, err
    local client = client_of({}, function(io)
      message, err = select(2, io.send { url = "http://user@/x y" })
      return nil, message
    end)
    client:list_endpoints()
    assert.is_string(message)
    assert.equal("InvalidEndpoint", err.code)
  end)

  it("shows region and settings of the client", function()
    local client = client_of({}, function() return nil, "no" end)
    local io = signing.provider_io(client)
    assert.equal("eu-west-1", io.region)
    assert.equal(client.settings, io.settings)
    assert.equal(client.settings.io.getenv, io.getenv)
  end)
end)
