-- config/smithy-rs/recursion-detection.json: the trace of AWS Lambda goes on with each request.

local support = require "support"
local cjson = require "cjson"
local sagemaker = require "sagemaker"
local stub = require "sagemaker.transport.stub"

-- "Name: value" lines to a table.
local function headers_of(lines)
  local headers = {}
  for _, line in ipairs(lines) do
    local name, value = line:match("^([^:]+):%s*(.*)$")
    headers[name] = value
  end
  return headers
end

-- What a request of the row carries; the headers that were there before come from a hook.
local function sent_by(row)
  local transport = stub.new { { body = "{}" } }
  local client = assert(sagemaker.new {
    region = "us-east-1", transport = transport,
    credentials = { access_key_id = "AKID", secret_access_key = "SECRET" },
    io = { getenv = function(name) return row.env[name] end },
    hooks = { before_sign = function(request)
      for name, value in pairs(headers_of(row.requestHeadersBefore)) do
        request.headers[name] = value
      end
    end },
  })
  assert(client:list_endpoints())
  return transport.requests[1].headers
end

describe("detection of recursion", function()
  local dir = support.conformance()
  local text = dir and support.read(dir .. "/config/smithy-rs/recursion-detection.json")
  if not text then
    pending("the conformance vectors are not at hand")
    return
  end
  local ran = 0
  for _, row in ipairs(cjson.decode(text)) do
    it(table.concat(row.description or row.desciption or {}, " "), function()
      ran = ran + 1
      local headers = sent_by(row)
      local expected = headers_of(row.requestHeadersAfter)
      assert.equal(expected["X-Amzn-Trace-Id"], headers["X-Amzn-Trace-Id"])
      local signed = headers.Authorization:match("SignedHeaders=([^,]+)")
      assert.falsy(signed:find("trace", 1, true))
    end)
  end
  teardown(function() support.tally("recursion detection", ran, {}) end)
end)
