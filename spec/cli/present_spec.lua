--- What an answer's text shows and its values do not.

local core = require "sagemaker.core"
local document = require "sagemaker.cli.document"
local json = require "sagemaker.cli.json"
local present = require "sagemaker.cli.present"

local service = core.service "sagemaker"

local function printed(operation, body, opts)
  opts = opts or {}
  local output = assert(core.decode(service, operation, 200, {}, body))
  return json.encode(present.answer(service, service:operation(operation).output, output, {
    timestamps = opts.timestamps or "iso8601", offset = function() return opts.offset or 0 end,
    body = opts.body ~= false and body or nil }))
end

describe("answers for printing", function()
  it("keep the keys of maps as they came", function()
    local body = '{"PrimaryContainer":{"Environment":{"Z":"1","A":"2","M":"3"}}}'
    assert.equal(body, printed("DescribeModel", body))
    assert.equal('{"PrimaryContainer":{"Environment":{"A":"2","M":"3","Z":"1"}}}',
      printed("DescribeModel", body, { body = false }))
  end)

  it("keep numbers as they were written", function()
    local body = '{"ProductionVariants":[{"CurrentWeight":1.0,"DesiredWeight":1},'
      .. '{"CurrentWeight":1e-7,"DesiredWeight":"NaN"}]}'
    assert.equal((body:gsub("1e%-7", "1e-07"):gsub('"NaN"', "NaN")),
      (printed("DescribeEndpoint", body):gsub('"NaN"', "NaN")))
    assert.equal('{"ProductionVariants":[{"CurrentWeight":2.0}]}',
      printed("DescribeEndpoint", '{"ProductionVariants":[{"CurrentWeight":2}]}', { body = false }))
  end)

  it("show times in the zone, or as the service sends them", function()
    local body = '{"CreationTime":1768480496.789}'
    assert.equal('{"CreationTime":"2026-01-15T18:04:56.789000+05:30"}',
      printed("DescribeEndpoint", body, { offset = 19800 }))
    assert.equal(body, printed("DescribeEndpoint", body, { timestamps = "wire" }))
    assert.equal('{"CreationTime":1.0}',
      printed("DescribeEndpoint", '{"CreationTime":1.0}', { timestamps = "wire" }))
  end)

  it("come without what the model does not know, and in its order", function()
    assert.equal('{"EndpointName":"e","ProductionVariants":[],"EndpointStatus":"s"}', printed(
      "DescribeEndpoint",
      '{"New":{"a":1},"EndpointStatus":"s","ProductionVariants":[],"EndpointName":"e"}'))
  end)

  it("survive a text that has other shapes than the values", function()
    local output = { PrimaryContainer = { Environment = { B = "1", A = "2" } },
      Containers = { { Environment = { B = "1", A = "2" } } } }
    local got = present.answer(service, "DescribeModelOutput", output, { timestamps = "iso8601",
      offset = function() return 0 end, body = '{"PrimaryContainer":[1],"Containers":{"x":1}}' })
    assert.equal('{"PrimaryContainer":{"Environment":{"A":"2","B":"1"}},'
      .. '"Containers":[{"Environment":{"A":"2","B":"1"}}]}', json.encode(got))
    assert.equal("list", document.kind(got.Containers))
  end)
end)
