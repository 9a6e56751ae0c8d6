local caller = require "simulator.caller"
local core = require "sagemaker.core"
local simulator = require "sagemaker.simulator"

describe("the simulator's check of signatures", function()
  local sim

  before_each(function() sim = simulator.new() end)

  -- What a request gets that `change` spoiled after it was signed, or that was signed with `opts`.
  local function refused(code, message, opts)
    local call = caller.new(sim, opts)
    local output, got, text, response = call("ListModels", {})
    assert.is_nil(output)
    assert.equal(code, got)
    assert.matches(message, text)
    assert.equal(403, response.status)
  end

  local function header(name, value)
    return { change = function(request)
      for key in pairs(request.headers) do
        if key:lower() == name:lower() then request.headers[key] = nil end
      end
      request.headers[name] = value
    end }
  end

  it("lets a good one pass, whatever the case of its header names", function()
    assert(caller.new(sim)("ListModels", {}))
    local lower = { change = function(request)
      local headers = {}
      for name, value in pairs(request.headers) do headers[name:lower()] = value end
      request.headers = headers
    end }
    assert(caller.new(sim, lower)("ListModels", {}))
  end)

  it("lets headers pass that were added after signing", function()
    assert(caller.new(sim, header("User-Agent", "x"))("ListModels", {}))
    assert(caller.new(sim, header("amz-sdk-request", "attempt=1"))("ListModels", {}))
  end)

  it("misses a signature", function()
    refused("MissingAuthenticationTokenException", "Missing", header("Authorization", nil))
  end)

  it("refuses what is no signature", function()
    refused("IncompleteSignatureException", "no complete",
      header("Authorization", "Basic dGVzdDp0ZXN0"))
    refused("IncompleteSignatureException", "no complete",
      header("Authorization", "AWS4-HMAC-SHA256 Credential=test/x, SignedHeaders=host"))
    refused("IncompleteSignatureException", "X%-Amz%-Date", header("X-Amz-Date", nil))
    refused("IncompleteSignatureException", "X%-Amz%-Date", header("X-Amz-Date", "today"))
  end)

  it("does not know other keys", function()
    refused("UnrecognizedClientException", "security token",
      { credentials = { access_key_id = "other", secret_access_key = "test" } })
  end)

  it("finds a wrong secret, a changed body, a changed header", function()
    refused("InvalidSignatureException", "does not match",
      { credentials = { access_key_id = "test", secret_access_key = "wrong" } })
    refused("InvalidSignatureException", "does not match",
      { change = function(request) request.body = '{"MaxResults": 1}' end })
    refused("InvalidSignatureException", "does not match",
      header("X-Amz-Target", "SageMaker.ListEndpoints"))
  end)

  it("finds a wrong scope", function()
    refused("InvalidSignatureException", "valid region, not 'eu%-west%-1'",
      { region = "eu-west-1" })
    refused("InvalidSignatureException", "correct service: 'sagemaker'", { service = "s3" })
    refused("InvalidSignatureException", "Date in Credential scope", { change = function(request)
      request.headers.Authorization =
        request.headers.Authorization:gsub("/%d%d%d%d%d%d%d%d/", "/20200101/")
    end })
    refused("InvalidSignatureException", "aws4_request", { change = function(request)
      request.headers.Authorization =
        request.headers.Authorization:gsub("aws4_request", "aws4_response")
    end })
  end)

  it("wants host and date signed", function()
    for _, name in ipairs { "host", "x-amz-date" } do
      local pattern = name:gsub("%-", "%%-")
      refused("InvalidSignatureException", pattern, { change = function(request)
        request.headers.Authorization = request.headers.Authorization
          :gsub("SignedHeaders=[^,]+", function(list)
            return (list:gsub(pattern .. ";?", ""))
          end)
      end })
    end
  end)

  it("takes dates up to five minutes off", function()
    for _, offset in ipairs { -299, 0, 299 } do
      assert(caller.new(sim, { at = sim:now() + offset })("ListModels", {}))
    end
    refused("InvalidSignatureException", "Signature expired: 20260115T115459Z",
      { at = sim:now() - 301 })
    refused("InvalidSignatureException", "not yet current", { at = sim:now() + 301 })
  end)

  it("knows session tokens and when they end", function()
    local credentials = { access_key_id = "AKID", secret_access_key = "secret",
      session_token = "token", expires_at = simulator.new():now() + 100 }
    sim = simulator.new { credentials = { credentials,
      { access_key_id = "second", secret_access_key = "s" } } }
    assert(caller.new(sim)("ListModels", {}))
    assert(caller.new(sim, { credentials =
      { access_key_id = "second", secret_access_key = "s" } })("ListModels", {}))
    refused("UnrecognizedClientException", "security token", { credentials =
      { access_key_id = "AKID", secret_access_key = "secret" } })
    refused("UnrecognizedClientException", "security token", { credentials =
      { access_key_id = "AKID", secret_access_key = "secret", session_token = "other" } })
    sim:advance(100)
    refused("ExpiredTokenException", "expired", {})
  end)

  it("checks against a clock of its own when it is given one", function()
    local wall = 1700000000
    sim = simulator.new { wall = function() return wall end }
    refused("InvalidSignatureException", "not yet current", {})
    local output, response = caller.new(sim, { at = wall })("ListModels", {})
    assert.is_table(output)
    assert.equal("Tue, 14 Nov 2023 22:13:20 GMT", response.headers.Date)
  end)

  it("takes a signature in the query, for as long as it says", function()
    local request = { method = "POST", path = "/", query = "", body = "{}",
      host = "api.sagemaker.us-east-1.amazonaws.com", headers = {} }
    local signer = core.signer { access_key_id = "test", secret_access_key = "test",
      region = "us-east-1", service = "sagemaker" }
    request.query = signer:presign(request, sim:now(), 60):match("%?(.*)$")
    request.headers = { Host = request.host, ["X-Amz-Target"] = "SageMaker.ListModels",
      ["Content-Type"] = "application/x-amz-json-1.1" }
    assert.equal(200, sim:handle(request).status)
    request.body = "{} "
    assert.matches("InvalidSignatureException", sim:handle(request).body)
    request.body = "{}"
    sim:advance(60)
    assert.equal(200, sim:handle(request).status)
    sim:advance(1)
    local response = sim:handle(request)
    assert.equal(403, response.status)
    assert.matches("InvalidSignatureException", response.body)
    request.query = request.query:gsub("X%-Amz%-Expires=%d+", "X-Amz-Expires=soon")
    assert.matches("IncompleteSignatureException", sim:handle(request).body)
  end)

  it("can be told to look away", function()
    sim = simulator.new { verify = false }
    assert(caller.new(sim, header("Authorization", nil))("ListModels", {}))
  end)

  it("never shows a secret", function()
    sim = simulator.new { credentials =
      { access_key_id = "AKID", secret_access_key = "hush-hush", session_token = "hush-token" } }
    assert.is_nil(tostring(sim):find("hush", 1, true))
    local call = caller.new(sim, { change = function(request) request.body = "{}  " end })
    local _, _, message, response = call("ListModels", {})
    assert.is_nil((message .. response.body):find("hush", 1, true))
  end)

  it("works for other regions and partitions", function()
    sim = simulator.new { region = "cn-north-1", account_id = "210987654321" }
    local call = caller.new(sim)
    caller.prepare(call)
    assert.equal("arn:aws-cn:sagemaker:cn-north-1:210987654321:model/model",
      assert(call("DescribeModel", { ModelName = "model" })).ModelArn)
    assert.is_function(core.sha256)
  end)
end)
