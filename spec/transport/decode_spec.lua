-- Answers that are decoded where the transport has them: `decode` of `send`.
local core = require "sagemaker.core"
local curl = require "sagemaker.transport.curl"
local sagemaker = require "sagemaker"
local server = require "support.server"

local io = require("sagemaker.env").new()
local service = core.service("sagemaker")

local ANSWER = '{"EndpointName":"churn","EndpointStatus":"InService"}'

local function http(status, body)
  return ("send:HTTP/1.1 %s\\r\\nContent-Length: %d\\r\\nA: b\\r\\n\\r\\n%s"):format(status, #body,
    body)
end

-- Of an invocation, without its length.
local HEAD = "send:HTTP/1.1 200 OK\\r\\nCONTENT-TYPE: text/csv\\r\\nX-Other: 1\\r\\nX-Other: 2"
  .. "\\r\\nX-Amzn-SageMaker-Custom-Attributes: a\\r\\n"
  .. "x-Amzn-Invoked-Production-Variant: v\\r\\n"

local function read(bytes)
  return (core.decode(service, "DescribeEndpoint", 200, nil, bytes))
end

-- In a task the answer is handed out in another way.
local function in_task(fn)
  return function() sagemaker.run(fn) end
end

local function plainly(fn)
  return fn
end

describe("decode of send", function()
  local crew, transport = server.crew(), nil

  local function bad(steps)
    return crew.bad(steps):url()
  end

  local function send(url, decode)
    return transport:send({ method = "POST", url = url, headers = {}, body = "{}" }, nil, decode)
  end

  before_each(function()
    transport = curl.new{ io = io }
  end)
  after_each(function()
    transport:close()
    crew.stop()
  end)
  teardown(server.clean)

  for name, how in pairs { ["in a task"] = in_task, ["outside of tasks"] = plainly } do
    describe(name, function()
      it("gets the body, and its answer stands for headers and body", how(function()
        local url = bad{ "read", http("201 Created", ANSWER), "again" }
        for i = 1, 2 do
          local response = assert(send(url, read))
          assert.same({ status = 201, reused = i == 2, output = {
            EndpointName = "churn", EndpointStatus = "InService" } }, response)
        end
      end))

      it("leaves the answer as it is where it has none of its own", how(function()
        local url, asked = bad{ "read", http("200 OK", ANSWER) }, 0
        local response = assert(send(url, function()
          asked = asked + 1
          return nil
        end))
        assert.same({ 1, ANSWER, "b" }, { asked, response.body, response.headers.A })
      end))

      it("is not asked about an error", how(function()
        local url = bad{ "read", http("400 Bad Request", ANSWER) }
        local response = assert(send(url, function() error("asked") end))
        assert.same({ 400, ANSWER }, { response.status, response.body })
      end))

      it("may throw, and the connection is used again", how(function()
        local url = bad{ "read", http("200 OK", ANSWER), "again" }
        local ok, thrown
        sagemaker.all { function() -- pcall of PUC 5.1 would have the transport drive the tasks
          ok, thrown = pcall(send, url, function() error("no more", 0) end)
        end }
        assert.same({ false, "no more" }, { ok, thrown })
        assert.is_true(assert(send(url, read)).reused)
      end))
    end)
  end

  it("has the bytes only until it returns", function()
    local url, kept = bad{ "read", http("200 OK", ANSWER) }, nil
    assert.is_table(assert(send(url, function(bytes)
      kept = bytes
      return read(bytes)
    end)).output)
    local ok, message = pcall(read, kept)
    assert.is_false(ok)
    assert.matches("these bytes are lent no more", message, 1, true)
  end)

  it("has its own bytes again after a call in between", function()
    local first, second = bad{ "read", http("200 OK", '{"EndpointName":"first"}') },
      bad{ "read", http("200 OK", '{"EndpointName":"second"}') }
    local inner
    local outer = assert(send(first, function(bytes)
      inner = assert(send(second, read)).output
      return read(bytes)
    end)).output
    assert.same({ "first", "second" }, { outer.EndpointName, inner.EndpointName })
  end)

  it("has its bytes when the transport is closed meanwhile", function()
    local url = bad{ "read", http("200 OK", ANSWER) }
    local output = assert(send(url, function(bytes)
      transport:close()
      collectgarbage()
      return read(bytes)
    end)).output
    assert.equal("churn", output.EndpointName)
  end)

  it("takes nothing but bytes for bytes", function()
    for _, value in ipairs { core.null, service } do
      assert.has_error(function() core.decode(service, "DescribeEndpoint", 200, nil, value) end)
    end
    assert.has_error(function()
      core.decode(core.service "sagemaker-runtime", "InvokeEndpoint", 200, service, "")
    end)
  end)

  it("gets the head with the body", function()
    local runtime = core.service("sagemaker-runtime")
    for _, meanwhile in ipairs { function() end, function() transport:close() end } do
      local url = bad{ "read", HEAD .. "Content-Length: 5\\r\\n\\r\\nbytes" }
      local output = assert(send(url, function(answer, status)
        assert.equal(200, status)
        meanwhile()
        collectgarbage()
        return (core.decode(runtime, "InvokeEndpoint", status, answer, answer))
      end)).output
      assert.same({ Body = "bytes", ContentType = "text/csv", CustomAttributes = "a",
        InvokedProductionVariant = "v" }, output)
    end
  end)

  -- What a call answers whose answer is decoded by the transport, and by the client.
  local function both(of, steps, method, params)
    local results = {}
    for i, hooks in ipairs { false, {} } do -- with hooks the answer comes as a table
      local client = assert(of{ region = "eu-west-1", endpoint_url = bad(steps),
        transport = transport, hooks = hooks or nil,
        credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = ("x"):rep(40) } })
      results[i] = { client[method](client, params) }
    end
    assert.same(results[2], results[1])
    return results[1][1], results[1][2]
  end

  it("changes nothing for who invokes", function()
    local length = "Content-Length: 5\\r\\n"
    local cases = {
      { length, { Body = "bytes", ContentType = "text/csv", CustomAttributes = "a",
        InvokedProductionVariant = "v" } },
      { length .. "X-Amzn-SageMaker-Custom-Attributes: b\\r\\n", { Body = "bytes",
        ContentType = "text/csv", CustomAttributes = "a, b", InvokedProductionVariant = "v" } },
      { length .. "x-amzn-sagemaker-new-session-id: \\r\\n", { Body = "bytes",
        ContentType = "text/csv", CustomAttributes = "a", InvokedProductionVariant = "v",
        NewSessionId = "" } },
    }
    for _, case in ipairs(cases) do
      assert.same(case[2], (both(sagemaker.runtime, { "read", HEAD .. case[1] .. "\\r\\nbytes" },
        "invoke_endpoint", { EndpointName = "churn", Body = "" })))
    end
    assert.same({ InferenceId = "i", OutputLocation = "s3://b" }, (both(sagemaker.runtime,
      { "read", "send:HTTP/1.1 202 A\\r\\nX-Amzn-SageMaker-OutputLocation: s3://b\\r\\n"
        .. "Content-Length: 19\\r\\n\\r\\n{\"InferenceId\":\"i\"}" },
      "invoke_endpoint_async", { EndpointName = "churn", InputLocation = "s3://a" })))
    local _, message = both(sagemaker.runtime,
      { "read", "send:HTTP/1.1 202 A\\r\\nContent-Length: 1\\r\\n\\r\\n{" },
      "invoke_endpoint_async", { EndpointName = "churn", InputLocation = "s3://a" })
    assert.matches("not valid JSON", message, 1, true)
  end)

  it("changes nothing for the caller of a client", function()
    local cases = {
      { "", "its body is empty" },
      { "{}" },
      { "{", "not valid JSON" },
      { '{"EndpointName":7}', "EndpointName: expected a string" },
      { ANSWER },
    }
    for _, case in ipairs(cases) do
      local _, message = both(sagemaker.new, { "read", http("200 OK", case[1]) },
        "describe_endpoint", { EndpointName = "churn" })
      if case[2] then assert.matches(case[2], message, 1, true) end
    end
  end)
end)
