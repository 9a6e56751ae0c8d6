local answer = require "sagemaker.answer"
local core = require "sagemaker.core"

local service = core.service "sagemaker"

local function decode(status, body, headers)
  return answer.decode(service, "DescribeEndpoint",
    { status = status, body = body, headers = headers or {} })
end

describe("sagemaker.answer", function()
  it("finds headers whatever the case of their names", function()
    local headers = { ["X-Amzn-RequestId"] = "r", date = "d", [1] = "odd" }
    assert.equal("r", answer.header(headers, "x-amzn-requestid"))
    assert.equal("d", answer.header(headers, "date"))
    assert.is_nil(answer.header(headers, "server"))
  end)

  it("reads the Date header", function()
    assert.equal(1768480496,
      answer.date { headers = { Date = "Thu, 15 Jan 2026 12:34:56 GMT" } })
    assert.is_nil(answer.date { headers = { Date = "yesterday" } })
    assert.is_nil(answer.date { headers = {} })
    assert.is_nil(answer.date(nil))
  end)

  it("decodes outputs", function()
    assert.same({ EndpointName = "e" }, (decode(200, '{"EndpointName":"e","New":1}')))
  end)

  it("takes 200 to 299 for success and nothing else", function()
    for status, is_good in pairs { [199] = false, [200] = true, [299] = true, [300] = false,
      [304] = false } do
      local output, err = decode(status, '{"EndpointName":"e"}')
      assert.equal(is_good, output ~= nil, status)
      assert.equal(is_good, err == nil)
    end
  end)

  it("decodes errors of any shape", function()
    for body, code in pairs {
      ['{"__type":"a.b#ValidationException","message":"m"}'] = "ValidationException",
      ['{"code":"Denied","Message":"m"}'] = "Denied",
      ["<html>"] = "503",
      [""] = "503",
      ["[1]"] = "503",
      ['{"__type":17}'] = "503",
    } do
      local output, err = decode(503, body)
      assert.is_nil(output)
      assert.equal("service", err.kind)
      assert.equal(code, err.code, body)
      assert.equal(503, err.status)
      assert.is_true(#err.message > 0)
    end
  end)

  it("calls an unreadable success a protocol error", function()
    for _, body in ipairs { "<html>", '{"EndpointName":', "[]", '{"EndpointName":17}' } do
      local output, err = decode(200, body, { ["x-amzn-requestid"] = "r" })
      assert.is_nil(output, body)
      assert.equal("protocol", err.kind)
      assert.equal("UnreadableResponse", err.code)
      assert.equal("r", err.request_id)
      assert.is_false(err.retryable)
    end
  end)

  it("does not take an empty body for the answer of an operation that always has one", function()
    for _, body in ipairs { "", " \r\n" } do
      local output, err = decode(200, body)
      assert.is_nil(output)
      assert.equal("protocol", err.kind)
      assert.equal("the answer with HTTP status 200 cannot be read: its body is empty", err.message)
    end
    assert.same({}, (decode(200, "{}")))
    for _, operation in ipairs { "DeleteEndpoint", "AddTags" } do
      assert.same({}, (answer.decode(service, operation, { status = 200, headers = {} })))
    end
  end)

  it("lists all problems of parameters", function()
    assert.equal("ParamValidation: A: x",
      select(2, answer.invalid("Op", { { path = "A", message = "A: x" } })))
    local _, message, err = answer.invalid("Op",
      { { path = "A", message = "A: x" }, { path = "B", message = "B: y" } })
    assert.equal("ParamValidation: 2 problems with the parameters of Op:\n  A: x\n  B: y", message)
    assert.equal("A", err.path)
    assert.equal(2, #err.errors)
  end)
end)
