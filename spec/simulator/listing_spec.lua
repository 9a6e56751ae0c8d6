local caller = require "simulator.caller"
local simulator = require "sagemaker.simulator"

describe("the simulator's lists", function()
  local sim, call

  before_each(function()
    sim = simulator.new()
    call = caller.new(sim)
    caller.prepare(call, "v1", "v2")
    for i = 1, 23 do
      assert(call("CreateEndpoint",
        { EndpointName = ("Endpoint-%02d"):format(i), EndpointConfigName = "v1" }))
      sim:advance(10)
    end
  end)

  local function names(rows, member)
    local list = {}
    for i, row in ipairs(rows) do list[i] = row[member or "EndpointName"] end
    return list
  end

  -- All names, page by page.
  local function all(input)
    local list, pages = {}, 0
    repeat
      local page = assert(call("ListEndpoints", input))
      for _, name in ipairs(names(page.Endpoints)) do list[#list + 1] = name end
      input.NextToken, pages = page.NextToken, pages + 1
    until not page.NextToken
    return list, pages
  end

  it("pages newest first, ten at a time, when told nothing", function()
    local list, pages = all {}
    assert.equal(23, #list)
    assert.equal(3, pages)
    assert.equal("Endpoint-23", list[1])
    assert.equal("Endpoint-01", list[23])
  end)

  it("gives a token only when there is more", function()
    assert.is_nil(assert(call("ListEndpoints", { MaxResults = 23 })).NextToken)
    assert.is_string(assert(call("ListEndpoints", { MaxResults = 22 })).NextToken)
  end)

  it("sorts by name, by time and by status, both ways", function()
    local list = all { SortBy = "Name", SortOrder = "Ascending", MaxResults = 7 }
    assert.equal("Endpoint-01", list[1])
    assert.equal("Endpoint-23", list[23])
    list = all { SortBy = "CreationTime", SortOrder = "Ascending", MaxResults = 1 }
    assert.equal("Endpoint-01", list[1])
    sim:advance(150)
    assert(call("DeleteEndpoint", { EndpointName = "endpoint-05" }))
    list = all { SortBy = "Status", SortOrder = "Ascending", MaxResults = 3 }
    assert.equal(23, #list)
    local order = {}
    for _, name in ipairs(list) do
      local status = assert(call("DescribeEndpoint", { EndpointName = name })).EndpointStatus
      if order[#order] ~= status then order[#order + 1] = status end
    end
    assert.same({ "Creating", "Deleting", "InService" }, order)
  end)

  it("filters by name, time and status", function()
    assert.same({ "Endpoint-23", "Endpoint-13", "Endpoint-03" }, (all { NameContains = "3" }))
    assert.same({ "Endpoint-03" }, (all { NameContains = "T-03" }))
    local start = sim:now() - 230
    assert.equal(5, #all { CreationTimeBefore = start + 50 })
    assert.equal(18, #all { CreationTimeAfter = start + 50 })
    assert.equal(4, #all { CreationTimeAfter = start + 50, CreationTimeBefore = start + 90 })
    assert.equal(0, #all { StatusEquals = "InService" })
    sim:advance(100)
    assert.equal(4, #all { StatusEquals = "InService" })
    assert.equal(19, #all { StatusEquals = "Creating" })
    assert.equal(4, #all { LastModifiedTimeAfter = start + 300 })
    assert.equal(19, #all { LastModifiedTimeBefore = start + 300 })
  end)

  it("neither repeats nor hides rows when others come and go between two pages", function()
    sim:advance(1000)
    local input = { SortBy = "Name", SortOrder = "Ascending", MaxResults = 5 }
    local first = assert(call("ListEndpoints", input))
    assert(call("DeleteEndpoint", { EndpointName = "endpoint-05" }))
    assert(call("DeleteEndpoint", { EndpointName = "endpoint-02" }))
    assert(call("CreateEndpoint", { EndpointName = "a-new-one", EndpointConfigName = "v1" }))
    sim:advance(1000)
    input.NextToken = first.NextToken
    local list = all(input)
    assert.equal("Endpoint-06", list[1])
    assert.equal(18, #list)
  end)

  it("refuses tokens that are not its own, or belong to another question", function()
    local function refused(operation, input)
      local output, code, message = call(operation, input)
      assert.same({ nil, "ValidationException" }, { output, code })
      assert.matches("NextToken", message)
    end
    local token = assert(call("ListEndpoints", { MaxResults = 2 })).NextToken
    refused("ListEndpoints", { NextToken = "nonsense" })
    local spoilt = token:sub(1, 4) .. (token:sub(5, 5) == "0" and "1" or "0") .. token:sub(6)
    refused("ListEndpoints", { NextToken = spoilt })
    refused("ListEndpoints", { NextToken = token, SortBy = "Name" })
    refused("ListEndpoints", { NextToken = token, NameContains = "x" })
    refused("ListEndpointConfigs", { NextToken = token })
    refused("ListModels", { NextToken = token })
    assert.equal(3, #assert(call("ListEndpoints", { MaxResults = 3, NextToken = token })).Endpoints)
  end)

  it("lists models and endpoint configurations", function()
    assert.same({ "v1", "v2" }, names(assert(call("ListEndpointConfigs",
      { SortBy = "Name", SortOrder = "Ascending" })).EndpointConfigs, "EndpointConfigName"))
    local models = assert(call("ListModels", {})).Models
    assert.same({ "model" }, names(models, "ModelName"))
    assert.equal("arn:aws:sagemaker:us-east-1:123456789012:model/model", models[1].ModelArn)
    assert.same({}, assert(call("ListModels", { NameContains = "none" })).Models)
  end)
end)
