-- What the texts of options mean: scalars, files, JSON, shorthand, documents of parameters.

local cjson = require "cjson"
local command = require "support.command"

-- The parameters that a command line sends.
local function params(argv, opts)
  argv[#argv + 1] = "--dry-run"
  local result = command.run(argv, opts)
  assert.equal("", result.err)
  return cjson.decode(result.out).body
end

local function refused(argv, pattern, opts)
  local result = command.run(argv, opts)
  assert.equal(252, result.code)
  assert.truthy(result.err:find(pattern, 1, true), result.err)
  local _, lines = result.err:gsub("\n", "")
  assert.truthy(lines <= 4, result.err)
  assert.equal(0, #result.requests)
end

local CREATE = { "create-endpoint", "--endpoint-name", "e", "--endpoint-config-name", "c" }

local function create(...)
  local argv = {}
  for i, word in ipairs(CREATE) do argv[i] = word end
  for i = 1, select("#", ...) do argv[#argv + 1] = (select(i, ...)) end
  return argv
end

describe("scalars", function()
  it("are whole numbers as Python reads them", function()
    for text, number in pairs { ["5"] = 5, [" +7 "] = 7, ["1_000"] = 1000 } do
      assert.equal(number, params { "list-endpoints", "--max-results=" .. text }.MaxResults)
    end
    for _, text in ipairs { "five", "5.5", "0x10", "" } do
      refused({ "list-endpoints", "--max-results=" .. text },
        ("--max-results: expected a whole number, not %q"):format(text))
    end
  end)

  it("are times in several forms", function()
    for _, text in ipairs { "2026-01-15T12:34:56Z", "1768480496", "2026-01-15T18:04:56+05:30" } do
      assert.equal(1768480496,
        params { "list-endpoints", "--creation-time-after", text }.CreationTimeAfter)
    end
    refused({ "list-endpoints", "--creation-time-after", "yesterday" }, "CreationTimeAfter")
  end)

  it("stand in files", function()
    local files = { ["p.json"] = '{"a":1}\n', ["/home/u/n"] = "name" }
    local argv = { "create-pipeline", "--pipeline-name", "file://~/n", "--role-arn",
      "arn:aws:iam::111122223333:role/r", "--pipeline-definition", "file://p.json" }
    local sent = params(argv, { files = files, also = { HOME = "/home/u" } })
    assert.equal('{"a":1}\n', sent.PipelineDefinition)
    assert.equal("name", sent.PipelineName)
  end)

  it("stand in files whose names hold variables", function()
    local sent = params({ "describe-endpoint", "--endpoint-name", "file://$D/x" },
      { files = { ["/d/x"] = "n" }, also = { D = "/d" } })
    assert.equal("n", sent.EndpointName)
  end)

  it("do not take bytes for text", function()
    refused({ "describe-endpoint", "--endpoint-name", "fileb://x" }, "use file://",
      { files = { x = "n" } })
    refused({ "describe-endpoint", "--endpoint-name", "file://x" }, "bytes are given with fileb://",
      { files = { x = "\255" } })
  end)

  it("say which file cannot be read", function()
    refused({ "describe-endpoint", "--endpoint-name", "file://nope" },
      "--endpoint-name: cannot read file://nope: nope: No such file or directory")
  end)
end)

describe("lists and structures", function()
  local TAGS = { { Key = "a", Value = "b" }, { Key = "c", Value = "d" } }

  it("are JSON, several JSON values or shorthand", function()
    for _, words in ipairs {
      { '[{"Key":"a","Value":"b"},{"Key":"c","Value":"d"}]' },
      { '{"Key":"a","Value":"b"}', '{"Key":"c","Value":"d"}' },
      { "Key=a,Value=b", "Key=c,Value=d" },
      { "Key=a,Value=b", ' {"Key":"c","Value":"d"}' },
    } do
      local argv = create("--tags")
      for _, word in ipairs(words) do argv[#argv + 1] = word end
      assert.same(TAGS, params(argv).Tags)
    end
  end)

  it("say where shorthand is broken: the column, and the line where there are several", function()
    local shorthand = require "sagemaker.cli.input.shorthand"
    local function problem_of(text) return select(2, shorthand.parse(text)) end
    assert.equal("expected ',', found the end at column 5\na=[1\n    ^", problem_of "a=[1")
    assert.equal("expected ',', found the end at column 2 of line 2\nd\n ^",
      problem_of "a=1,b={c=\nd")
  end)

  it("stand in files, as JSON or shorthand", function()
    local files = { ["t.json"] = ' [{"Key":"a","Value":"b"}]\n', t = "Key=a,Value=b" }
    for name in pairs(files) do
      assert.same({ TAGS[1] }, params(create("--tags", "file://" .. name), { files = files }).Tags)
    end
  end)

  it("get the types of the model in shorthand", function()
    local sent = params { "create-endpoint-config", "--endpoint-config-name", "c",
      "--production-variants",
      "VariantName=1,InitialInstanceCount=2,InitialVariantWeight=1e-3,EnableSSMAccess=TRUE" }
    assert.same({ { VariantName = "1", InitialInstanceCount = 2, InitialVariantWeight = 0.001,
      EnableSSMAccess = true } }, sent.ProductionVariants)
  end)

  it("take files inside shorthand", function()
    local sent = params({ "create-model", "--model-name", "m", "--primary-container",
      "Image@=file://i,Environment={A@=file://i,B=file://i}" }, { files = { i = "x,y" } })
    assert.same({ Image = "x,y", Environment = { A = "x,y", B = "file://i" } },
      sent.PrimaryContainer)
  end)

  it("make one item of what is no list", function()
    local sent = params { "create-model", "--model-name", "m", "--vpc-config",
      "SecurityGroupIds=sg-1,Subnets=a,b" }
    assert.same({ SecurityGroupIds = { "sg-1" }, Subnets = { "a", "b" } }, sent.VpcConfig)
  end)

  it("may be empty", function()
    assert.truthy(command.run(create("--tags", "[]", "--dry-run")).out:find('"Tags": []', 1, true))
  end)

  it("say where they are wrong", function()
    refused(create("--tags", '[{"Key": "a",\n "Value" "b"}]'),
      "--tags: invalid JSON at line 2, column 10")
    refused(create("--tags", "Key=a,Vale=b"), '--tags: unknown key "Vale" (did you mean Value?)')
    refused(create("--tags", "Key"), "--tags: expected '=', found the end at column 4")
    refused({ "create-endpoint-config", "--endpoint-config-name", "c", "--production-variants",
      "VariantName=v,InitialInstanceCount=x" },
      '--production-variants.InitialInstanceCount: expected a whole number, not "x"')
    refused({ "create-endpoint-config", "--endpoint-config-name", "c", "--production-variants",
      "VariantName=v,EnableSSMAccess=maybe" }, 'expected true or false, not "maybe"')
  end)
end)

describe("--cli-input-json", function()
  it("gives parameters, and options win", function()
    local sent = params { "create-endpoint", "--endpoint-name", "mine", "--cli-input-json",
      '{"EndpointName":"x","EndpointConfigName":"y"}' }
    assert.same({ EndpointName = "mine", EndpointConfigName = "y" }, sent)
  end)

  it("stands in a file", function()
    local sent = params({ "describe-endpoint", "--cli-input-json", "file://i.json" },
      { files = { ["i.json"] = '\t{"EndpointName":"x"}\n' } })
    assert.equal("x", sent.EndpointName)
  end)

  it("must be an object of known parameters", function()
    refused({ "create-endpoint", "--cli-input-json", "[]" }, "expected an object of parameters")
    refused({ "create-endpoint", "--cli-input-json", "{bad" }, "line 1, column 2")
    refused({ "create-endpoint", "--cli-input-json", "in.json" },
      '"in.json" is no JSON object; a file is given as file://in.json')
    refused({ "create-endpoint", "--cli-input-json", '{"EndpointName":"x"}' },
      "EndpointConfigName is required")
    refused({ "describe-endpoint", "--cli-input-json", '{"EndpointNam":"x"}' },
      "did you mean EndpointName?")
  end)

  it("is checked to the letter with --strict", function()
    refused({ "list-endpoints", "--status-equals", "Inservice", "--strict" },
      "did you mean InService?")
    refused({ "create-endpoint", "--cli-input-json", "{}", "--cli-input-yaml", "{}" },
      "give one of --cli-input-json and --cli-input-yaml")
  end)
end)

describe("--cli-input-yaml", function()
  if not pcall(require, "lyaml") then
    it("says what it needs", function()
      refused({ "describe-endpoint", "--cli-input-yaml", "EndpointName: x" },
        "--cli-input-yaml needs the Lua module lyaml, which is not installed (Debian: lua-yaml")
    end)
    return
  end

  -- What is sent for a text of YAML.
  local function sent(operation, yaml)
    local result = command.run { operation, "--cli-input-yaml", yaml, "--dry-run", "--query",
      "body" }
    assert.equal(0, result.code, result.err)
    return cjson.decode(result.out)
  end

  it("takes what JSON takes", function()
    assert.same({ EndpointName = "a", EndpointConfigName = "b: c", Tags = {
      { Key = "k", Value = "1" }, { Key = "lines", Value = "one\ntwo\n" } },
      DeploymentConfig = { BlueGreenUpdatePolicy = { TrafficRoutingConfiguration = {
        Type = "ALL_AT_ONCE", WaitIntervalInSeconds = 10 } } } }, sent("create-endpoint", [[
EndpointName: a # a comment
EndpointConfigName: 'b: c'
Tags:
- {Key: k, Value: "1"}
- Key: lines
  Value: |
    one
    two
DeploymentConfig: {BlueGreenUpdatePolicy: {TrafficRoutingConfiguration: {Type: ALL_AT_ONCE,
  WaitIntervalInSeconds: 10}}}
]]))
    assert.same({ EndpointName = "x", EndpointConfigName = "c", Tags = {} },
      sent("create-endpoint", "Tags: []\nEndpointName: &n x\nEndpointConfigName: c"))
  end)

  it("reads plain words as YAML 1.2 does", function()
    local function results(word)
      return sent("list-endpoints", "MaxResults: " .. word).MaxResults
    end
    for word, number in pairs { ["7"] = 7, ["+7"] = 7, ["0x10"] = 16, ["0o17"] = 15, ["010"] = 10,
      ["0b11"] = 3, ["1_0"] = 10, ["1e1"] = 10 } do
      assert.equal(number, results(word), word)
    end
    for _, word in ipairs { "yes", "no", "on", "off", "y", "12:30", "2026-01-15", "1.2.3", "0xg",
      "1e", "_", "'5'" } do
      assert.equal((word:gsub("'", "")),
        sent("list-endpoints", "NameContains: " .. word).NameContains)
    end
  end)

  it("takes the skeleton that --generate-cli-skeleton yaml-input gives", function()
    local skeleton = command.run { "create-endpoint", "--generate-cli-skeleton", "yaml-input" }
    assert.equal(0, skeleton.code)
    assert.equal("table", type(sent("create-endpoint", skeleton.out).DeploymentConfig))
  end)

  it("says what is wrong, and where", function()
    local function wrong(yaml, message)
      refused({ "describe-endpoint", "--cli-input-yaml", yaml }, message)
    end
    wrong("EndpointName: [1", "--cli-input-yaml: invalid YAML at line 1, column 16: ")
    wrong("EndpointName: true", "EndpointName: expected a string, got true")
    wrong("EndpointName: ~", "EndpointName: expected a string, got null")
    wrong("- a", "expected an object of parameters ({…}), not a list")
    wrong("", "expected an object of parameters ({…}), not null")
    wrong("a: 1\n---\nb: 2\n", "one document is expected, not 2")
    wrong("EndpointName: &x [*x]", "nested deeper than 500 levels")
    wrong("? [a]\n: b", "a key must be a text")
    wrong(("["):rep(100000), "nested deeper than 500 levels")
    local lines = { "- &a0 [x, x]" }
    for i = 1, 25 do lines[i + 1] = ("- &a%d [*a%d, *a%d]"):format(i, i - 1, i - 1) end
    wrong(table.concat(lines, "\n"), "more than 1000000 values")
  end)

  it("refuses a key that is there twice", function()
    local function twice(yaml, key, first, second)
      refused({ "create-endpoint", "--cli-input-yaml", yaml },
        ('--cli-input-yaml: the key "%s" is there twice, at line %d and at line %d\n'):format(key,
          first, second))
    end
    twice("EndpointName: a\nEndpointConfigName: c\nEndpointName: b", "EndpointName", 1, 3)
    twice("EndpointName: a\n'EndpointName': a", "EndpointName", 1, 2)
    twice("Tags:\n- {Key: k,\n  Value: a, Key: k}", "Key", 2, 3)
    twice("Tags:\n- Key: k\n  Value: [1, {b: c}]\n  Value: x\n", "Value", 3, 4)
    twice("&n EndpointName: a\n*n : b", "EndpointName", 1, 2)
    twice("1: a\n0x1: b", "1", 1, 2)
    twice("~: a\nnull: b", "null", 1, 2)
  end)

  it("takes the same key in different mappings, and one that was merged and is given again",
    function()
      assert.same({ EndpointName = "Key", EndpointConfigName = "EndpointName", Tags = {
        { Key = "a", Value = "1" }, { Key = "b", Value = "1" } } }, sent("create-endpoint", [[
EndpointName: Key
EndpointConfigName: EndpointName
Tags:
- &tag {Key: a, Value: '1'}
- <<: *tag
  Key: b
]]))
    end)
end)

describe("blobs", function()
  local function body(argv, opts)
    argv[#argv + 1] = "--dry-run"
    table.insert(argv, 1, "runtime")
    table.insert(argv, 2, "invoke-endpoint")
    for _, word in ipairs { "--endpoint-name", "e", "out" } do argv[#argv + 1] = word end
    local result = command.run(argv, opts)
    assert.equal("", result.err)
    return cjson.decode(result.out).body
  end

  it("are base64 unless told otherwise", function()
    assert.equal("hello", body { "--body", "aGVsbG8=" })
    assert.equal("hello", body { "--body", "hello", "--cli-binary-format", "raw-in-base64-out" })
    assert.equal("hello", body({ "--body", "hello" }, { also = { HOME = "/h" }, files = {
      ["/h/.aws/config"] = "[default]\ncli_binary_format = raw-in-base64-out\n" } }))
    refused({ "runtime", "invoke-endpoint", "--endpoint-name", "e", "--body", "hello!", "out" },
      "--body: this is not base64; give bytes with fileb://FILE")
  end)

  it("are the bytes of a file, or of the standard input", function()
    assert.equal("\1\2", body({ "--body", "fileb://b" }, { files = { b = "\1\2" } }))
    assert.equal("in", body({ "--body", "-" }, { stdin = "in" }))
    assert.equal("hello", body({ "--body", "file://b" }, { files = { b = "aGVsbG8=\n" } }))
  end)
end)

describe("what other programs make of text", function()
  it("is passed over where it begins a file", function()
    local result = command.run({ "describe-endpoint", "--cli-input-json", "file://i", "--dry-run",
      "--query", "body" }, { files = { i = '\239\187\191{"EndpointName": "x"}' } })
    assert.equal('{\n    "EndpointName": "x"\n}\n', result.out)
  end)

  it("is told where it is the dash of an option", function()
    refused({ "describe-endpoint", "\226\128\147endpoint-name", "x" },
      'begins with a typographic dash (\226\128\147); write --endpoint-name')
  end)
end)

describe("JSON that ends too early", function()
  it("is told with the place and what is missing there", function()
    local function wrong(json, message)
      refused({ "create-endpoint", "--endpoint-name", "e", "--endpoint-config-name", "c", "--tags",
        json }, "--tags: invalid JSON at line 1, column " .. message)
    end
    wrong("{", "2: expected a key in double quotes, found the end")
    wrong("[", "2: expected a value, found the end")
    wrong('[{"Key": "a"', "13: expected , or } after a value, found the end")
    wrong('["a\nb"]', "4: a control character must be written as an escape, found byte 0x0a")
    wrong("{'Key': 'a'}", [[2: expected a key in double quotes, found "'"]])
  end)
end)

describe("times", function()
  local function sent(time)
    local result = command.run { "list-endpoints", "--creation-time-after=" .. time, "--dry-run",
      "--query", "body.CreationTimeAfter" }
    return tonumber(result.out) or result.err
  end

  it("are taken as people and programs write them", function()
    for _, day in ipairs { "2026-01-15", "15 Jan 2026", "Jan 15 2026", "January 15, 2026",
      "15-Jan-2026", "2026-Jan-15", "Jan-15-2026", "15-01-2026",
      "January 15th, 2026", "2026/1/15", "01/15/2026", "15/01/2026", "15.01.2026",
      "Thu, 15 Jan 2026", "1768435200" } do
      assert.equal(1768435200, sent(day), day)
    end
    for _, time in ipairs { "2026-01-15T12:34:56Z", "2026-01-15 12:34:56", "20260115T123456",
      "Thu Jan 15 12:34:56 UTC 2026", "Thu Jan 15 12:34:56 2026", "15 Jan 2026 12:34:56 GMT",
      "Thu, 15 Jan 2026 13:34:56 +0100", "Jan 15 2026 12:34:56 pm", "2026/01/15 12:34:56",
      "1768480496.0", "2026-01-15 12:34:56 UTC", "2026-01-15 12:34:56 +0000 UTC",
      "2026-01-15T12:34:56 Z", "2026-01-15  12:34:56", "2026-01-15 13:34:56 +01:00",
      "2026-01-15 12:34:56 PM" } do
      assert.equal(1768480496, sent(time), time)
    end
    assert.equal(1768480496, sent "2026-01-15T12:34:56,5Z")
    assert.equal(1768435200 + 5400, sent "2026-01-15 1:30")
    assert.equal(1768435200 + 5400, sent "1:30 am Jan 15 2026")
    assert.equal(1768435200 + 12 * 3600, sent "2026-01-15T12")
    assert.equal(1768435200, sent "12:00AM 2026/01/15")
  end)

  it("are refused where they are none", function()
    for _, text in ipairs { "now", "15 Foo 2026", "Jan 2026", "1:30", "Jan 45 2026", "2026/13/01",
      "Jan 15 2026 2026", "13:00 pm Jan 15 2026", "1/2/3", "Jan 15 2026 +0100",
      "15x Jan 2026", "15-Foo-2026", "2026-01-15 12:34:56 CET" } do
      assert.truthy(tostring(sent(text)):find("expected a timestamp", 1, true), text)
    end
  end)
end)

describe("empty objects and lists", function()
  it("are told apart", function()
    local function with(...)
      return { "create-endpoint", "--endpoint-name", "e", "--endpoint-config-name", "c", ... }
    end
    refused(with("--deployment-config", "[]"),
      "--deployment-config: expected an object ({…}), not a list ([])")
    refused(with("--deployment-config", '{"AutoRollbackConfiguration": []}'),
      "--deployment-config.AutoRollbackConfiguration: expected an object ({…}), not a list ([])")
    refused(with("--deployment-config", '{"AutoRollbackConfiguration": {"Alarms": {}}}'),
      "--deployment-config.AutoRollbackConfiguration.Alarms: expected a list ([…]), not an object")
    refused({ "create-endpoint", "--cli-input-json", '{"Tags": {}}' },
      "--cli-input-json.Tags: expected a list ([…]), not an object ({})")
    refused({ "update-artifact", "--artifact-arn", "a", "--properties", "[]" },
      "--properties: expected an object ({…}), not a list ([])")
    refused(with("--tags", '[{"Key": "a", "Value": "b"}, []]'),
      "--tags[1]: expected an object ({…}), not a list ([])")
    assert.same({}, params(with("--tags", "[]")).Tags)
  end)
end)

describe("shorthand", function()
  local function tag(word)
    return params { "create-endpoint", "--endpoint-name", "e", "--endpoint-config-name", "c",
      "--tags", word }.Tags[1]
  end

  it("closes a quoted text at an escaped quote where there is no other", function()
    assert.same({ Key = "a", Value = "C:\\dir\\" }, tag [[Key=a,Value='C:\dir\']])
    assert.same({ Key = "a", Value = 'x"\\' }, tag [[Key=a,Value="x\"\"]])
    assert.same({ Key = "a", Value = "it's" }, tag [[Key=a,Value='it\'s']])
    refused({ "add-tags", "--resource-arn", "a", "--tags", "Key=a,Value='x" },
      "expected a closing '")
  end)

  it("passes over an empty place before a key", function()
    assert.same({ Key = "a", Value = "b" }, tag "Key=a,,Value=b")
    refused({ "add-tags", "--resource-arn", "a", "--tags", "Key=a,,,Value=b" },
      "expected '=', found ','")
  end)
end)

describe("texts that begin with a brace", function()
  it("are items of a list of texts", function()
    assert.same({ '{"a":1}' }, params { "delete-tags", "--resource-arn", "a", "--tag-keys",
      '{"a":1}' }.TagKeys)
    assert.same({ "b" }, params { "delete-tags", "--resource-arn", "a", "--tag-keys",
      '["b"]' }.TagKeys)
  end)
end)

describe("values of the wrong kind", function()
  it("are told in the words of JSON", function()
    refused({ "create-endpoint", "--endpoint-name", "e", "--endpoint-config-name", "c",
      "--deployment-config", "AutoRollbackConfiguration=x" },
      'DeploymentConfig.AutoRollbackConfiguration: expected an object, got "x"')
  end)
end)
