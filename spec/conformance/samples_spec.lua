--- Bodies that another implementation of the service sent, and what AWS's own client made of them.

local codec = require "support.codec"
local core = require "sagemaker.core"
local support = require "support"

local function run(row)
  local service = codec.named_service(row.service)
  local body = codec.untag(row.body)
  if row.status >= 300 then
    local got = core.decode_error(service, row.operation, row.status, row.headers, body)
    if got.code ~= row.error.code then return "code: got " .. got.code end
    return codec.difference(row.error.message, got.message, "message")
  end
  local got, message = core.decode(service, row.operation, row.status, row.headers, body)
  if not got then return message end
  return codec.difference(codec.untag(row.parsed), got, "parsed")
end

describe("recorded answers", function()
  local rows = support.rows("samples/moto-responses.jsonl")
  if #rows == 0 then
    pending("samples/moto-responses.jsonl: the vectors are not at hand")
    return
  end
  it("are read the same", function()
    assert.equal("", codec.run("samples/moto-responses.jsonl", rows, run))
  end)
end)
