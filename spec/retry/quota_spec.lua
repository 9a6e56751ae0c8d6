-- The quota of retries as the calls of a client share it.
local sagemaker = require "sagemaker"
local stub = require "sagemaker.transport.stub"

local GOOD, BAD = { body = "{}" }, { status = 503, body = "{}" }

local function client_of(script)
  return assert(sagemaker.new { region = "eu-west-1", transport = stub.new(script),
    credentials = { access_key_id = "AKID", secret_access_key = "s" },
    io = { getenv = function() end, random = function() return 0 end } })
end

describe("the quota of a client", function()
  it("is given back by a retry that succeeds, and slowly by calls without one", function()
    local client = client_of { BAD, GOOD, BAD, BAD, GOOD, BAD, BAD, BAD, GOOD, GOOD }
    assert(client:list_endpoints())
    assert.equal(500, client.state.quota.available)
    assert(client:list_endpoints()) -- two retries, of which the last one comes back
    assert.equal(495, client.state.quota.available)
    assert.is_nil((client:list_endpoints()))
    assert.equal(485, client.state.quota.available)
    assert(client:list_endpoints())
    assert(client:list_endpoints())
    assert.equal(487, client.state.quota.available)
  end)

  it("ends retries when it is used up", function()
    local client = client_of { BAD, BAD, BAD, BAD }
    client.state.quota.available = 7
    local _, _, err = client:list_endpoints()
    assert.equal("quota", err.gave_up)
    assert.equal(2, err.attempts)
  end)
end)
