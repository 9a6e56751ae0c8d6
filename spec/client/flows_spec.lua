--- What takes more than one call: pages and waiters; deployments have specs of their own.

local scripted = require "support.scripted"

local cjson = require "cjson"

local client_of = scripted.client

describe("sagemaker.client.flows", function()
  it("pages through lists", function()
    local client, transport = client_of {
      { body = '{"Endpoints":[{"EndpointName":"a"},{"EndpointName":"b"}],"NextToken":"t"}' },
      { body = '{"Endpoints":[{"EndpointName":"c"}]}' },
    }
    local names = {}
    for row in client:each("list_endpoints", { SortBy = "Name" }, { page_size = 2,
      timeouts = { read = 5 } }) do
      names[#names + 1] = row.EndpointName
    end
    assert.equal("abc", table.concat(names))
    assert.same({ SortBy = "Name", MaxResults = 2, NextToken = "t" },
      cjson.decode(transport.requests[2].body))
    assert.equal(5, transport.requests[1].timeouts.read)
  end)

  it("raises the err table from a loop over pages", function()
    local client = client_of { { status = 400, body = '{"__type":"AccessDeniedException"}' } }
    local ok, err = pcall(function()
      for _ in client:pages("ListEndpoints") do error("not reached") end
    end)
    assert.is_false(ok)
    assert.equal("AccessDeniedException", err.code)
  end)

  it("waits with the waiters of the model", function()
    local client, transport = client_of { { body = '{"EndpointStatus":"Creating"}' },
      { body = '{"EndpointStatus":"InService"}' } }
    local output = assert(client:wait("endpoint_in_service", { EndpointName = "e" }))
    assert.equal("InService", output.EndpointStatus)
    assert.same({ 30 }, transport.sleeps)
  end)
end)
