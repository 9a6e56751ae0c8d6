-- Calls: what is sent, printed and answered as exit code.

local cjson = require "cjson"
local command = require "support.command"

local answer = command.answer
local LIST = '{"Endpoints":[{"EndpointName":"a","CreationTime":1700000000.123},'
  .. '{"EndpointName":"b","CreationTime":1700000100}]%s}'

local function run(argv, answers, more)
  more = more or {}
  more.answers = answers
  return command.run(argv, more)
end

describe("answers", function()
  it("are printed as JSON in the order of the model", function()
    local result = run({ "describe-endpoint", "--endpoint-name", "x" }, { answer
      '{"CreationTime":1700000000,"ProductionVariants":[],"EndpointName":"x","New":1}' })
    assert.equal(0, result.code)
    assert.equal([[{
    "EndpointName": "x",
    "ProductionVariants": [],
    "CreationTime": "2023-11-14T22:13:20+00:00"
}
]], result.out)
  end)

  it("that a query leaves without members are not printed, as by the AWS CLI", function()
    for _, form in ipairs { "json", "text", "yaml", "table" } do
      local result = run({ "describe-endpoint", "--endpoint-name", "x", "--query", "`{}`",
        "--output", form }, { answer "{}" })
      assert.same({ 0, "" }, { result.code, result.out })
    end
    assert.equal("[]\n", run({ "describe-endpoint", "--endpoint-name", "x", "--query", "`[]`" },
      { answer "{}" }).out)
  end)

  it("have times in the time zone of the machine", function()
    local result = run({ "describe-endpoint", "--endpoint-name", "x", "--query", "CreationTime" },
      { answer '{"CreationTime":1700000000.5}' }, { offset = -5400 })
    assert.equal('"2023-11-14T20:43:20.500000-01:30"\n', result.out)
  end)

  it("have times as the service sends them where the profile says so", function()
    local result = run({ "describe-endpoint", "--endpoint-name", "x", "--query", "CreationTime" },
      { answer '{"CreationTime":1700000000}' }, { also = { HOME = "/h" },
        files = { ["/h/.aws/config"] = "[default]\ncli_timestamp_format = wire\n" } })
    assert.equal("1700000000\n", result.out)
  end)

  it("without members print nothing", function()
    for _, body in ipairs { "", "{}" } do
      local result = run({ "delete-endpoint", "--endpoint-name", "x" }, { answer(body) })
      assert.equal("", result.out)
      assert.equal(0, result.code)
    end
  end)

  it("are printed in the form that is asked for, by flag, variable or profile", function()
    local config = { ["/h/.aws/config"] = "[default]\noutput = text\n" }
    local argv = { "describe-endpoint", "--endpoint-name", "x", "--query", "EndpointName" }
    local ok = { answer '{"EndpointName":"x"}' }
    assert.equal('"x"\n', run(argv, ok).out)
    assert.equal("x\n", run(argv, ok, { also = { AWS_DEFAULT_OUTPUT = "text" } }).out)
    assert.equal("x\n", run(argv, ok, { also = { HOME = "/h" }, files = config }).out)
    argv[6], argv[7] = "--output", "json"
    assert.equal('"x"\n', run(argv, ok, { also = { AWS_DEFAULT_OUTPUT = "text" } }).out)
    argv[7] = "off"
    assert.equal("", run(argv, ok).out)
  end)

  it("are queried", function()
    local result = run({ "list-endpoints", "--query", "length(Endpoints)" },
      { answer(LIST:format "") })
    assert.equal("2\n", result.out)
  end)

  it("that a query does not fit are another error than a wrong query", function()
    local result = run({ "list-endpoints", "--query", "abs(Endpoints)" },
      { answer(LIST:format "") })
    assert.equal(255, result.code)
    assert.equal(1, #result.requests)
    assert.truthy(result.err:find("abs() takes a value of type number, not this list", 1, true))
    for _, query in ipairs { "nope(@)", "abs()", "Endpoints[" } do
      result = run({ "list-endpoints", "--query", query }, {})
      assert.equal(252, result.code)
      assert.equal(0, #result.requests)
    end
  end)

  it("cannot be printed in an unknown form, and nothing is sent", function()
    local result = run({ "list-endpoints" }, {}, { also = { AWS_DEFAULT_OUTPUT = "xml" } })
    assert.equal(253, result.code)
    assert.truthy(result.err:find("AWS_DEFAULT_OUTPUT must be one of json", 1, true))
    result = run({ "list-endpoints", "--query", "a[" }, {})
    assert.equal(252, result.code)
  end)
end)

describe("failures", function()
  it("of the service are told in the words of the AWS CLI", function()
    local result = run({ "describe-endpoint", "--endpoint-name", "x" }, { answer(
      '{"__type":"ValidationException","message":"Could not find endpoint \\"x\\"."}', 400) })
    assert.equal(254, result.code)
    assert.equal('An error occurred (ValidationException) when calling the DescribeEndpoint '
      .. 'operation: Could not find endpoint "x".\n', result.err)
    assert.equal("", result.out)
  end)

  it("after retries say how many", function()
    local result = run({ "describe-endpoint", "--endpoint-name", "x" }, function()
      return { status = 500 }
    end)
    assert.equal(254, result.code)
    assert.truthy(result.err:find("operation (reached max retries: 2): ", 1, true), result.err)
    assert.equal(3, #result.requests)
  end)

  it("of the network name the address", function()
    local result = run({ "list-endpoints" }, function()
      return { code = "ConnectFailed", message = "no route", sent = false }
    end)
    assert.equal(255, result.code)
    assert.equal('Could not connect to the endpoint URL: "https://api.sagemaker.us-west-2'
      .. '.amazonaws.com/": no route\n', result.err)
    result = run({ "list-endpoints" }, function()
      return { kind = "timeout", code = "ReadTimeout", message = "x", sent = true }
    end)
    assert.truthy(result.err:find("Read timeout on endpoint URL: ", 1, true))
    result = run({ "list-endpoints" }, function()
      return { code = "ConnectionLost", message = "the connection was reset", sent = true }
    end)
    assert.equal('No whole answer came from the endpoint URL: "https://api.sagemaker.us-west-2'
      .. '.amazonaws.com/": the connection was reset\n', result.err)
    assert.equal(255, result.code)
  end)

  it("of the proxy say where it is set, and blame no endpoint", function()
    local result = run({ "list-endpoints" }, function()
      return { code = "ProxyError", message = "Failed to connect to proxy.test", sent = false }
    end)
    assert.equal(255, result.code)
    assert.equal("The proxy does not pass the request on (HTTPS_PROXY, HTTP_PROXY and NO_PROXY say "
      .. 'which is used, here for "https://api.sagemaker.us-west-2.amazonaws.com/"): '
      .. "Failed to connect to proxy.test\n", result.err)
  end)

  it("of the configuration say what to do", function()
    local result = command.run({ "list-endpoints" }, { env = {} })
    assert.equal(253, result.code)
    assert.truthy(result.err:find("You must specify a region: give --region", 1, true))
    result = command.run({ "list-endpoints", "--region", "eu-west-1" },
      { env = { AWS_EC2_METADATA_DISABLED = "true" } })
    assert.equal(253, result.code)
    assert.equal("Unable to locate credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
      .. "or name a profile with --profile.\n`sagemaker doctor` tells where they were looked for."
      .. "\n", result.err)
    result = command.run { "list-endpoints", "--profile", "nope" }
    assert.equal(253, result.code)
    assert.truthy(result.err:find('no profile "nope" (--profile)', 1, true))
  end)

  it("of keys tell a half of a pair, an empty profile, and a file that is none", function()
    local function told(env, files)
      env.AWS_EC2_METADATA_DISABLED, env.AWS_REGION, env.HOME = "true", "eu-west-1", "/h"
      local result = command.run({ "list-endpoints" }, { env = env, files = files })
      assert.equal(253, result.code)
      return result.err
    end
    assert.equal("The credentials cannot be used: environment: AWS_ACCESS_KEY_ID is set, but "
      .. "AWS_SECRET_ACCESS_KEY is not\n", told { AWS_ACCESS_KEY_ID = "AKIDEXAMPLE" })
    assert.truthy(told({ AWS_SECRET_ACCESS_KEY = "example-key" }):find("Unable to locate "
      .. "credentials: AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not.\n", 1, true))
    assert.truthy(told({ AWS_PROFILE = "p" }, { ["/h/.aws/config"] = "[profile p]\n" })
      :find("Unable to locate credentials: the profile p holds none.", 1, true))
    assert.equal("AWS_SHARED_CREDENTIALS_FILE: /d: Permission denied\n",
      told({ AWS_SHARED_CREDENTIALS_FILE = "/d" }, { ["/d"] = false }))
  end)

  it("tell a CA bundle that is not there, also where nothing is encrypted", function()
    local result = command.run { "list-endpoints", "--endpoint-url", "http://127.0.0.1:9",
      "--ca-bundle", "ca.pem" }
    assert.equal(252, result.code)
    assert.equal("sagemaker: --ca-bundle: ca.pem: No such file or directory\n", result.err)
    assert.equal(0, #result.requests)
  end)

  it("take a CA bundle that is a file, a folder, or a pipe that gives its bytes once", function()
    local function tls_of(there, path)
      local world, options = {}, nil
      function world.open(name)
        if not there[name] then return nil, name .. ": No such file or directory" end
        return { close = function() end, read = function() error "it was read" end }
      end
      function world.new_client(given)
        options = given
        return {}
      end
      require("sagemaker.cli.context").new(world, { ca_bundle = path }):client()
      return options.tls
    end
    assert.same({ ca_file = "/dev/fd/63" }, tls_of({ ["/dev/fd/63"] = true }, "/dev/fd/63"))
    assert.same({ ca_path = "/certs" }, tls_of({ ["/certs"] = true, ["/certs/."] = true },
      "/certs"))
  end)
end)

describe("pages", function()
  local function pages()
    return { answer(LIST:format ',"NextToken":"t1"'), answer(LIST:format "") }
  end

  it("are one answer", function()
    local result = run({ "list-endpoints", "--query", "Endpoints[].EndpointName" }, pages())
    assert.same({ "a", "b", "a", "b" }, cjson.decode(result.out))
    assert.equal(2, #result.requests)
  end)

  it("end after --max-items, and go on from --starting-token", function()
    local first = run({ "list-endpoints", "--max-items", "1", "--page-size", "2" }, pages())
    local token = cjson.decode(first.out).NextToken
    assert.equal('{"NextToken": null, "boto_truncate_amount": 1}',
      require("sagemaker.core").text.unbase64(token))
    assert.equal(2, cjson.decode(first.requests[1].body).MaxResults)
    local second = run({ "list-endpoints", "--starting-token", token, "--max-items", "2" }, pages())
    local names = {}
    for i, row in ipairs(cjson.decode(second.out).Endpoints) do names[i] = row.EndpointName end
    assert.same({ "b", "a" }, names)
  end)

  it("are not turned with --no-paginate or a token by hand", function()
    for _, argv in ipairs { { "--no-paginate" }, { "--next-token", "t" }, { "--max-results", "2" },
      { "--cli-input-json", '{"NextToken":"t"}' } } do
      local result = run({ "list-endpoints", argv[1], argv[2] }, pages())
      assert.equal("t1", cjson.decode(result.out).NextToken)
      assert.equal(1, #result.requests)
    end
    local result = run({ "list-endpoints", "--no-paginate", "--max-items", "1" }, pages())
    assert.equal(252, result.code)
    assert.equal(0, #result.requests)
  end)

  it("come one by one as text, also before one fails", function()
    local answers = pages()
    answers[2] = answer('{"__type":"AccessDeniedException","message":"no"}', 400)
    local result = run({ "list-endpoints", "--output", "text", "--query",
      "Endpoints[].EndpointName" }, answers)
    assert.equal("a\tb\n", result.out)
    assert.equal(254, result.code)
  end)
end)

describe("wait", function()
  it("polls until the state is there", function()
    local result = run({ "wait", "endpoint-in-service", "--endpoint-name", "x" },
      { answer '{"EndpointStatus":"Creating"}', answer '{"EndpointStatus":"InService"}' })
    assert.equal(0, result.code)
    assert.equal("", result.out)
    assert.same({ 30 }, result.sleeps)
  end)

  it("fails with 255 in the words of the AWS CLI", function()
    local result = run({ "wait", "endpoint-in-service", "--endpoint-name", "x" },
      { answer '{"EndpointStatus":"Failed"}' })
    assert.equal(255, result.code)
    assert.equal('Waiter EndpointInService failed: Waiter encountered a terminal failure state: '
      .. 'For expression "EndpointStatus" we matched expected path: "Failed"\n', result.err)
    result = run({ "wait", "endpoint-in-service", "--endpoint-name", "x" },
      { answer '{"EndpointStatus":"Failed","FailureReason":"no capacity"}' })
    assert.truthy(result.err:find 'path: "Failed"\nno capacity\n$', result.err)
    result = run({ "wait", "endpoint-in-service", "--endpoint-name", "x" },
      { answer('{"__type":"ValidationException","message":"Could not find it."}', 400) })
    assert.truthy(result.err:find "code: ValidationException\nCould not find it%.\n$", result.err)
    result = run({ "wait", "endpoint-in-service", "--endpoint-name", "x" },
      function() return answer '{"EndpointStatus":"Creating"}' end)
    assert.equal(255, result.code)
    assert.truthy(result.err:find("^Waiter EndpointInService failed: Max attempts exceeded"))
    assert.equal(120, #result.requests)
  end)
end)

describe("invocations", function()
  local ARGV = { "runtime", "invoke-endpoint", "--endpoint-name", "e", "--body", "eA==", "out" }
  local PREDICTION = { body = "[1]", headers = { ["Content-Type"] = "application/json",
    ["x-Amzn-Invoked-Production-Variant"] = "v" } }

  it("write the answer into a file and print the rest", function()
    local result = run(ARGV, { PREDICTION })
    assert.equal("[1]", result.files.out)
    assert.same({ ContentType = "application/json", InvokedProductionVariant = "v" },
      cjson.decode(result.out))
    assert.equal("x", result.requests[1].body)
  end)

  it("write it to stdout for -", function()
    local argv = {}
    for i, word in ipairs(ARGV) do argv[i] = word end
    argv[#argv] = "-"
    assert.equal("[1]", run(argv, { PREDICTION }).out)
    -- Opened anew, a file that stdout was sent to would be written over by what is printed.
    argv[#argv] = "/dev/stdout"
    local result = run(argv, { PREDICTION })
    assert.truthy(result.out:find('^%[1%]{\n    "ContentType"'), result.out)
    assert.same({}, result.files)
  end)

  it("fail where the file cannot be written", function()
    local argv = {}
    for i, word in ipairs(ARGV) do argv[i] = word end
    argv[#argv] = "nodir/out"
    local result = run(argv, { PREDICTION })
    assert.equal(255, result.code)
    assert.truthy(result.err:find("nodir/out: No such file", 1, true))
  end)

  it("leave the file alone where the model fails", function()
    local result = run(ARGV, { { status = 424, body = '{"Message":"bad"}',
      headers = { ["x-amzn-ErrorType"] = "ModelError" } } })
    assert.equal(254, result.code)
    assert.is_nil(result.files.out)
  end)

  it("write streams as they come", function()
    local core = require "sagemaker.core"
    local function event(bytes)
      return core.eventstream_encode({
        { name = ":message-type", type = "string", value = "event" },
        { name = ":event-type", type = "string", value = "PayloadPart" },
      }, bytes)
    end
    local argv = { "runtime", "invoke-endpoint-with-response-stream", "--endpoint-name", "e",
      "--body", "eA==", "out" }
    local result = run(argv, { { parts = { event "one ", event "two" }, headers = {
      ["X-Amzn-SageMaker-Content-Type"] = "text/plain",
      ["Content-Type"] = "application/vnd.amazon.eventstream" } } })
    assert.equal("", result.err)
    assert.equal("one two", result.files.out)
    assert.equal("text/plain", cjson.decode(result.out).ContentType)
  end)
end)

describe("--dry-run", function()
  it("shows the signed request without secrets", function()
    local result = run({ "describe-endpoint", "--endpoint-name", "x", "--dry-run" }, {},
      { also = { AWS_SESSION_TOKEN = "a-token-of-a-session" } })
    assert.equal(0, #result.requests)
    local shown = cjson.decode(result.out)
    assert.equal("POST", shown.method)
    assert.equal("<redacted>", shown.headers["X-Amz-Security-Token"])
    assert.truthy(shown.headers.Authorization:find("Signature=<redacted>$"))
    assert.falsy(result.out:find("a-token", 1, true))
  end)
end)

describe("global options", function()
  it("reach the request", function()
    local function send(...)
      return run({ "list-endpoints", ... }, { answer '{"Endpoints":[]}' }).requests[1]
    end
    assert.equal("https://api.sagemaker.eu-west-1.amazonaws.com/",
      send("--region", "eu-west-1").url)
    assert.equal("http://localhost:4566/", send("--endpoint-url", "http://localhost:4566").url)
    assert.is_nil(send("--no-sign-request").headers.Authorization)
    assert.equal(7, send("--cli-read-timeout", "7").timeouts.read)
    assert.truthy(send("--cli-connect-timeout", "0").timeouts.connect > 86400)
  end)

  it("say on stderr what is sent, without secrets", function()
    local result = run({ "list-endpoints", "--debug" }, { answer '{"Endpoints":[]}' })
    assert.truthy(result.err:find("ListEndpoints", 1, true))
    assert.falsy(result.err:find("example-key", 1, true))
  end)

  it("use a pager only on a terminal and where one is configured", function()
    local seen
    local function popen(name)
      local text = {}
      return { write = function(_, piece) text[#text + 1] = piece return true end,
        close = function() seen = { name, table.concat(text) } return true end }
    end
    local function list(more, ...)
      seen = nil
      more.popen = popen
      return run({ "list-endpoints", "--query", "Endpoints", ... },
        { answer '{"Endpoints":[]}' }, more)
    end
    assert.equal("[]\n", list({ tty = true }).out)
    assert.equal("", list({ tty = true, also = { AWS_PAGER = "less" } }).out)
    assert.same({ "less", "[]\n" }, seen)
    assert.equal("[]\n", list({ also = { AWS_PAGER = "less" } }).out)
    assert.equal("[]\n", list({ tty = true, also = { AWS_PAGER = "less" } }, "--no-cli-pager").out)
  end)

  it("say that a pager cannot be run", function()
    local result = run({ "list-endpoints" }, { answer '{"Endpoints":[]}' }, {
      tty = true, also = { AWS_PAGER = "lesss" }, popen = function()
        return { write = function() return true end,
          close = function() return nil, "exit", 127 end }
      end })
    assert.same({ 255, 'sagemaker: cannot write the output: the pager "lesss" cannot be run; '
      .. "--no-cli-pager does without\n" }, { result.code, result.err })
  end)

  it("colour a table only for a terminal that knows colours", function()
    local function colours(env, color)
      return run({ "list-endpoints", "--output", "table", color and "--color", color },
        { answer '{"Endpoints":[{"EndpointName":"a"}]}' }, { tty = true, also = env })
        .out:find("\27", 1, true) ~= nil
    end
    assert.same({ true, false, false, true }, { colours { TERM = "xterm" },
      colours { TERM = "dumb" }, colours { NO_COLOR = "1" }, colours({ TERM = "dumb" }, "on") })
  end)
end)

describe("memory that is used up", function()
  local TOLD = "sagemaker: there is not enough memory for this command\n"

  -- What the command says where this is thrown in the middle of a call.
  local function thrown(message, words)
    return run(words or { "list-endpoints" }, function() error(message, 0) end)
  end

  it("is told in a sentence, and ends the command with 255", function()
    for _, message in ipairs { "not enough memory", "?:-1: not enough memory",
      "error loading module 'x' from file 'x.lua':\n\tnot enough memory" } do
      local result = thrown(message)
      assert.same({ 255, "", TOLD }, { result.code, result.out, result.err })
    end
    local result = thrown("not enough memory", { "deploy", "--endpoint-name", "x",
      "--endpoint-config-name", "y" })
    assert.same({ 255, "", TOLD }, { result.code, result.out, result.err })
  end)

  it("is not what other mistakes are taken for", function()
    for _, message in ipairs { "not enough memory cards", "mistake\nnot enough memory\nmore" } do
      assert.truthy(thrown(message).err:find("internal error", 1, true))
    end
  end)
end)
