-- What a single call can be told instead of what its client was told.
local options = require "sagemaker.options"
local sagemaker = require "sagemaker"
local stub = require "sagemaker.transport.stub"

local OK = { body = '{"EndpointName":"e","EndpointStatus":"InService"}' }
local BROKEN = { status = 500, body = "{}" }
local PARAMS = { EndpointName = "e" }

local function client_of(script, own)
  local transport = stub.new(script)
  local all = {
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "HIDDENSECRET" },
    io = { getenv = function() end, random = function() return 1 end },
    region = "eu-west-1",
    transport = transport,
  }
  for name, value in pairs(own or {}) do all[name] = value end
  return assert(sagemaker.new(all)), transport
end

local function header(request, name)
  for key, value in pairs(request.headers) do
    if key:lower() == name then return value end
  end
end

describe("an option of the wrong kind", function()
  it("is named with what it must be, and shown where that says more than its type", function()
    for _, row in ipairs {
      { { retry = { max_attempts = {} } }, "retry%.max_attempts must be .*, not table" },
      { { retry = { max_attempts = -1 } }, "retry%.max_attempts must be .*number.*, not %-1$" },
      { { region = 7 }, "region must be a string, not number" },
      { { user_agent_extra = 7 }, "user_agent_extra must be a string of printable .*, not number" },
      { { validation = "loose" }, 'validation must be .*, not "loose"' },
      { { credentials = "SECRET" }, "credentials must be .*, not string" },
    } do
      local ok, message = pcall(options.check, row[1])
      assert.is_false(ok)
      assert.matches(row[2], message)
      assert.is_nil(message:find("SECRET", 1, true))
    end
  end)
end)

describe("options of a call", function()
  -- What differs from the client's, in the first request or in how it was made; each beside a call
  -- without options that must not notice.
  local CASES = {
    region = { "us-east-1", function(request)
      assert.equal("api.sagemaker.us-east-1.amazonaws.com", request.host)
      assert.matches("/us%-east%-1/sagemaker/", header(request, "authorization"))
    end },
    credentials = { { access_key_id = "OTHER", secret_access_key = "x", session_token = "t" },
      function(request)
        assert.matches("Credential=OTHER/", header(request, "authorization"), 1, true)
        assert.equal("t", header(request, "x-amz-security-token"))
      end },
    unsigned = { true, function(request)
      assert.is_nil(header(request, "authorization"))
      assert.is_nil(header(request, "x-amz-date"))
    end },
    endpoint_url = { "http://127.0.0.1:8080/p", function(request)
      assert.equal("http://127.0.0.1:8080/p", request.url)
      assert.matches("/eu%-west%-1/sagemaker/", header(request, "authorization"))
      assert.matches(" m/E,N ", header(request, "user-agent"), 1, true)
    end },
    use_fips = { true, function(request)
      assert.equal("api-fips.sagemaker.eu-west-1.amazonaws.com", request.host)
    end },
    use_dualstack = { true, function(request)
      assert.equal("api.sagemaker.eu-west-1.api.aws", request.host)
    end },
    timeouts = { { read = 5, attempt = 2 }, function(request)
      assert.equal(5, request.timeouts.read)
      assert.equal(60, request.timeouts.connect)
      assert.equal(request.at + 2, request.deadline)
    end },
    user_agent_extra = { "once/2", function(request)
      assert.matches(" once/2$", header(request, "user-agent"))
    end },
    retry = { { mode = "legacy", max_attempts = 2 }, function(request)
      assert.matches(" cfg/retry%-mode#legacy", header(request, "user-agent"))
    end },
  }

  for name, case in pairs(CASES) do
    it(name .. " wins for that call alone", function()
      local client, transport = client_of { OK, OK, OK }
      assert(client:describe_endpoint(PARAMS))
      assert(client:describe_endpoint(PARAMS, { [name] = case[1] }))
      assert(client:describe_endpoint(PARAMS))
      local first, own, last = transport.requests[1], transport.requests[2], transport.requests[3]
      case[2](own)
      assert.is_false(pcall(case[2], first))
      assert.is_false(pcall(case[2], last))
      assert.equal(first.url, last.url)
      assert.same(first.timeouts, last.timeouts)
      assert.equal(header(first, "authorization"), header(last, "authorization"))
    end)
  end

  it("every one of them has its case here or its own spec", function()
    local elsewhere = { hooks = true, logger = true, transport = true, validation = true }
    for name in pairs(options.CALL_OPTIONS) do
      assert.is_true(CASES[name] ~= nil or elsewhere[name] ~= nil, name)
    end
  end)

  it("retry: the number of attempts and the mode", function()
    local client, transport = client_of(function() return BROKEN end)
    local function attempts(own)
      local _, _, err = client:describe_endpoint(PARAMS, own)
      return err.attempts
    end
    assert.equal(3, attempts())
    assert.equal(1, attempts { retry = { max_attempts = 1 } })
    assert.equal(5, attempts { retry = { mode = "legacy" } })
    assert.equal(3, attempts { retry = { mode = "adaptive" } })
    assert.equal(3, attempts())
    assert.equal(15, #transport.requests)
  end)

  it("timeouts: the operation's limit ends waiting before it is passed", function()
    local client, transport = client_of(function() return BROKEN end)
    local _, _, err = client:describe_endpoint(PARAMS, { timeouts = { operation = 2.5 },
      retry = { max_attempts = 9 } })
    assert.equal(2, err.attempts)
    assert.equal("deadline", err.gave_up)
    assert.is_true(err.retryable)
    assert.equal(1, transport:clock())
  end)

  it("unsigned: asks for no credentials, and may be undone", function()
    local asked = 0
    local client, transport = client_of({ OK, OK, OK }, { unsigned = true,
      credentials = function()
        asked = asked + 1
        return { access_key_id = "AKIDEXAMPLE", secret_access_key = "s" }
      end })
    assert(client:describe_endpoint(PARAMS))
    assert.is_nil(header(transport.requests[1], "authorization"))
    assert.equal(0, asked)
    assert(client:describe_endpoint(PARAMS, { unsigned = false }))
    assert.is_string(header(transport.requests[2], "authorization"))
    assert.equal(1, asked)
    local request = assert(client:request("DescribeEndpoint", PARAMS))
    assert.is_nil(header(request, "authorization"))
  end)

  it("go with every call of pages, waits and watches", function()
    local list = { body = '{"Endpoints":[]}' }
    local client, transport = client_of { list, OK, OK }
    for _ in client:each("list_endpoints", {}, { unsigned = true }) do error "no item" end
    assert(client:wait("endpoint_in_service", PARAMS, { unsigned = true }))
    assert(client:wait_until_in_service("e", {}, { unsigned = true }))
    assert.equal(3, #transport.requests)
    for _, request in ipairs(transport.requests) do
      assert.is_nil(header(request, "authorization"))
    end
  end)

  it("are checked where the call is made", function()
    local client, transport = client_of {}
    for text, own in pairs {
      ["option unsigned must be a boolean, not "] = { unsigned = "yes" },
      ["option retry.mode must be one of"] = { retry = { mode = "fast" } },
      ["unknown option profile"] = { profile = "x" },
      ["option timeouts.read must be a number above 0, not 0"] = { timeouts = { read = 0 } },
    } do
      local ok, message = pcall(function() client:describe_endpoint(PARAMS, own) end)
      assert.is_false(ok)
      assert.matches("^spec/options_spec.lua:%d+: ", message)
      assert.matches(text, message, 1, true)
    end
    assert.equal(0, #transport.requests)
  end)

  it("name a transport, for a client and not for a call", function()
    local client = assert(sagemaker.new{ region = "eu-west-1", transport = "curl" })
    assert.equal("sagemaker.transport.curl", tostring(client.transport))
    client = assert(sagemaker.new{ region = "eu-west-1", transport = "resty" })
    local output, message, err = client:list_endpoints{}
    assert.is_nil(output)
    assert.equal("config", err.kind)
    assert.truthy(message:find("works inside nginx only", 1, true))
    assert.has_error(function() sagemaker.new{ transport = "pigeon" } end,
      'option transport must be one of "curl", "resty", not "pigeon"')
    assert.has_error(function() client:list_endpoints({}, { transport = "curl" }) end)
  end)
end)
