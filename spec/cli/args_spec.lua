-- The words of a command line, and what is said about wrong ones.

local command = require "support.command"

local NAMED = { "describe-endpoint", "--endpoint-name", "x" }

local function body(argv)
  argv[#argv + 1] = "--dry-run"
  local result = command.run(argv)
  assert.equal("", result.err)
  assert.equal(0, result.code)
  return require("cjson").decode(result.out).body
end

local function usage(argv, pattern)
  local result = command.run(argv)
  assert.equal(252, result.code)
  assert.truthy(result.err:find(pattern, 1, true), result.err)
  assert.equal("", result.out)
  assert.equal(0, #result.requests)
end

describe("options", function()
  it("take their value from the next word or after =", function()
    assert.same({ EndpointName = "x" }, body { "describe-endpoint", "--endpoint-name", "x" })
    assert.same({ EndpointName = "x=y" }, body { "describe-endpoint", "--endpoint-name=x=y" })
    assert.same({ EndpointName = "" }, body { "describe-endpoint", "--endpoint-name=" })
  end)

  it("may be abbreviated while that is unambiguous", function()
    assert.same({ EndpointName = "x" }, body { "describe-endpoint", "--endpoint-n", "x" })
    usage({ "list-endpoints", "--creation-time", "x" },
      "--creation-time could be --creation-time-after, --creation-time-before")
  end)

  it("of a command of ours are not taken for beginnings of global ones", function()
    usage({ "deploy", "--endpoint", "churn" },
      "--endpoint could be --endpoint-config-name, --endpoint-name")
    usage({ "deploy", "--endpoint-u", "http://127.0.0.1:9", "churn" }, '"churn" belongs to no')
  end)

  it("may be what a word alone was meant for", function()
    usage({ "deploy", "churn", "v3" }, 'deploy: "churn" belongs to no option (did you mean '
      .. "--endpoint-name churn?); a value with spaces needs quotes")
    usage({ "describe-endpoint", "--endpoint-name", "a", "b" },
      'describe-endpoint: "b" belongs to no option; a value with spaces needs quotes')
    usage({ "describe-endpoint", "-endpoint-name", "a" },
      'describe-endpoint: "-endpoint-name" belongs to no option (did you mean --endpoint-name?)')
  end)

  it("are overridden by later ones of the same name", function()
    assert.same({ EndpointName = "b" },
      body { "describe-endpoint", "--endpoint-name", "a", "--endpoint-name", "b" })
  end)

  it("of all commands may stand anywhere", function()
    for _, argv in ipairs {
      { "--region", "eu-west-1", "describe-endpoint", "--endpoint-name", "x" },
      { "describe-endpoint", "--region=eu-west-1", "--endpoint-name", "x" },
      { "describe-endpoint", "--endpoint-name", "x", "--reg", "eu-west-1" },
    } do
      argv[#argv + 1] = "--dry-run"
      assert.truthy(command.run(argv).out:find("api.sagemaker.eu-west-1", 1, true))
    end
  end)

  it("take values that begin with a dash only where that is no option", function()
    assert.same({ EndpointName = "-5" }, body { "describe-endpoint", "--endpoint-name", "-5" })
    assert.same({ EndpointName = "-a b" }, body { "describe-endpoint", "--endpoint-name", "-a b" })
    usage({ "describe-endpoint", "--endpoint-name", "-a" },
      "--endpoint-name needs a value, but -a follows (a value that begins with a dash: "
      .. "--endpoint-name=-a)")
  end)

  it("of a command win over beginnings of those of all commands", function()
    local args = require "sagemaker.cli.args"
    local globals = require "sagemaker.cli.globals"
    local values, rest = args.extract({ "x", "--no-verify", "--reg", "r" }, globals,
      { { name = "no-verify", kind = "flag" } })
    assert.same({ region = "r" }, values)
    assert.same({ "x", "--no-verify" }, rest)
  end)

  it("may be an empty word, as scripts leave", function()
    assert.same({ EndpointName = "x" }, body { "describe-endpoint", "--endpoint-name", "x", "" })
  end)

  it("of lists take several words", function()
    assert.same({ ResourceArn = "a", TagKeys = { "x", "y" } },
      body { "delete-tags", "--tag-keys", "x", "y", "--resource-arn", "a" })
  end)

  it("of booleans take none, and the last one wins", function()
    local argv = { "update-endpoint", "--endpoint-name", "e", "--endpoint-config-name", "c",
      "--retain-all-variant-properties", "--no-retain-all-variant-properties" }
    assert.is_false(body(argv).RetainAllVariantProperties)
  end)
end)

describe("a wrong command line", function()
  it("names the option that was probably meant", function()
    usage({ "describe-endpoint", "--endpoint-nmae", "x" },
      "unknown option --endpoint-nmae of describe-endpoint (did you mean --endpoint-name?)")
    usage({ "describe-endpoint", "--endpoint-name", "x", "--regoin", "y" },
      "did you mean --region?")
  end)

  it("names the command that was probably meant", function()
    usage({ "descibe-endpoint" },
      'unknown command "descibe-endpoint" (did you mean describe-endpoint?)')
    usage({ "runtime", "invoke-endpont" }, "did you mean invoke-endpoint?")
    usage({ "invoke-endpoint" }, "invoke-endpoint is an operation of runtime: sagemaker runtime "
      .. "invoke-endpoint")
    usage({ "runtime", "invoke" }, "it has invoke-endpoint, invoke-endpoint-async, ")
    usage({ "weights" }, 'unknown command "weights" (there is '
      .. "update-endpoint-weights-and-capacities)")
    usage({ "describe" }, 'unknown command "describe"; `sagemaker help` lists them')
    usage({ "wait", "endpoint-in-servce" }, "did you mean endpoint-in-service?")
    usage({ "version" }, 'unknown command "version" (did you mean --version?)')
    usage({ "-v" }, "unknown option -v (did you mean --version?)")
    usage({ "--foo" }, "unknown option --foo: options of an operation follow its name")
  end)

  it("tells what is missing", function()
    usage({ "describe-endpoint" }, "describe-endpoint needs --endpoint-name")
    usage({ "describe-endpoint", "--endpoint-name" }, "--endpoint-name needs a value")
    usage({ "describe-endpoint", "--endpoint-name", "--region", "x" },
      "--endpoint-name needs a value")
    usage({ "runtime", "invoke-endpoint", "--endpoint-name", "x", "--body", "eA==" },
      "needs outfile")
    usage({ "watch" }, "watch needs NAME; ")
    usage({ "completion" }, "completion needs bash|zsh|fish; ")
    usage({}, "sagemaker help")
    usage({ "wait" }, "endpoint-in-service")
  end)

  it("tells the choices", function()
    usage({ "list-endpoints", "--output", "jsn" }, "--output must be one of json, text")
    usage({ "list-endpoints", "--output", "jsn" }, "did you mean json?")
  end)

  it("is told about words that belong nowhere", function()
    usage({ "describe-endpoint", "--endpoint-name", "x", "extra" }, "extra")
    usage({ "list-endpoints", "--debug=1" }, "--debug takes no value")
  end)
end)

describe("help", function()
  it("is asked for by a word alone, or by an option", function()
    for _, argv in ipairs { { "help" }, { "--help" }, { "create-endpoint", "help" },
      { "create-endpoint", "--endpoint-name", "x", "--help" }, { "wait", "help" },
      { "help", "create-endpoint" }, { "wait", "endpoint-in-service", "help" },
      { "runtime", "invoke-endpoint", "help" }, { "help", "deploy" }, { "deploy", "--help" } } do
      local result = command.run(argv)
      assert.equal(0, result.code, table.concat(argv, " ") .. result.err)
      assert.truthy(#result.out > 100)
      assert.equal("", result.err)
    end
  end)

  it("is also a name that a resource may have", function()
    assert.same({ EndpointName = "help" }, body { "describe-endpoint", "--endpoint-name", "help" })
  end)
end)

describe("services", function()
  it("may be named as the AWS CLI names them", function()
    for _, word in ipairs { "sagemaker" } do
      local result = command.run { word, NAMED[1], NAMED[2], NAMED[3], "--dry-run" }
      assert.equal(0, result.code)
    end
    for _, word in ipairs { "runtime", "sagemaker-runtime", "runtime.sagemaker" } do
      local result = command.run { word, "invoke-endpoint-async", "--endpoint-name", "e",
        "--input-location", "s3://b/k", "--dry-run" }
      assert.equal(0, result.code)
      assert.truthy(result.out:find("/endpoints/e/async-invocations", 1, true))
    end
  end)
end)
