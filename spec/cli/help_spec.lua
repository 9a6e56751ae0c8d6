--- Help: made from the model, for every operation, waiter and command; and the manual page.

local command = require "support.command"
local core = require "sagemaker.core"
local server = require "support.server"

local function run(line, opts)
  local argv = {}
  for word in line:gmatch("%S+") do argv[#argv + 1] = word end
  opts = opts or {}
  opts.env = opts.env or {}
  return command.run(argv, opts)
end

local function help(line, opts)
  local result = run(line, opts)
  assert.same({ 0, "" }, { result.code, result.err })
  assert.equal(0, #result.requests)
  return result.out
end

local function has(out, ...)
  for _, text in ipairs { ... } do assert.truthy(out:find(text, 1, true), out) end
end

describe("help on an operation", function()
  it("tells options with types, limits and values", function()
    local out = help "create-endpoint --help"
    has(out, "sagemaker create-endpoint --endpoint-name <value>\n", "[--tags <value> ...]",
      "--endpoint-name (required, string)\n        0 to 63 characters, pattern",
      "--deployment-config (structure DeploymentConfig)",
      '"Type": "ALL_AT_ONCE"|"CANARY"|"LINEAR"  # required',
      '"WaitIntervalInSeconds": integer (0 to 3600)  # required',
      "Shorthand:\n          Key=string,Value=string ...",
      'OUTPUT\n    "EndpointArn": string', "ERRORS\n    ResourceLimitExceeded.",
      "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html")
    assert.equal(out, help "create-endpoint help")
    assert.equal(out, help "help create-endpoint")
  end)

  it("tells enum values, flags, lists of words and pages", function()
    has(help "list-endpoints --help", "One of: Name, CreationTime, Status.", "--max-items COUNT",
      "Pages by hand")
    has(help "create-notebook-instance --help", "One of: ")
    has(help "runtime invoke-endpoint --help", "<outfile>", "API_runtime_InvokeEndpoint.html")
    has(help "delete-endpoint --help", "OUTPUT\n    Nothing, when it succeeds.")
  end)

  it("ends at shapes that hold themselves", function()
    local found = 0
    local service = core.service "sagemaker"
    for _, name in ipairs(service:operations()) do
      local word = service:operation(name).snake:gsub("_", "-")
      local out = help(word .. " --help")
      has(out, "API_" .. name .. ".html")
      assert.is_nil(out:find("nil", 1, true), name)
      if out:find(": see ", 1, true) then found = found + 1 end
    end
    assert.is_true(found > 0)
  end)

  it("fits 80 columns, but for what cannot be broken", function()
    for line in help("create-endpoint --help"):gmatch("[^\n]+") do
      assert.is_true(#line <= 80 or line:find("https://", 1, true) ~= nil, line)
    end
  end)

  it("takes the width of the terminal", function()
    local widest = 0
    for line in help("help", { tty = true, columns = 50, env = { NO_COLOR = "1" } })
      :gmatch("[^\n]+") do
      local is_term = line:find("^    %S+ [%S ]+$") or line:find("^%s+%S+$")
        or line:find("^    %-%-")
      if not is_term then widest = math.max(widest, #line) end
    end
    assert.is_true(widest <= 100 and widest > 40, tostring(widest))
  end)

  it("is broken between words on a terminal of twenty columns", function()
    for _, words in ipairs { "help", "help watch", "help deploy", "help simulate" } do
      local lines = 0
      for line in help(words, { tty = true, columns = 20, env = { NO_COLOR = "1" } })
        :gmatch("[^\n]+") do
        lines = lines + 1
        -- Examples, and how options, variables and files are written, stay whole.
        local is_whole = line:find "^%s+%S+$" or line:find "\\$"
        for _, start in ipairs { "%-%-", "%[%-%-", "sagemaker ", "~/", "[%u_]+[%s,]" } do
          is_whole = is_whole or line:find("^%s+" .. start)
        end
        assert.is_true(is_whole ~= nil or #line <= 20, line)
      end
      assert.is_true(lines > 20)
    end
  end)
end)

describe("help", function()
  it("tells commands, global options, values, exit statuses, environment", function()
    local out = help "help"
    has(out, "deploy ", "plan ", "--region NAME", "VALUES", "EXIT STATUS", "130", "253",
      "rolled_back", "AWS_PROFILE", "update-endpoint")
    assert.equal(out, help "--help")
  end)

  it("lists the operations of the runtime", function()
    local out = help "runtime --help"
    has(out, "sagemaker runtime OPERATION", "\n    invoke-endpoint\n")
    assert.is_nil(out:find("create-endpoint", 1, true))
  end)

  it("lists all operations and waiters", function()
    local out = help "help operations"
    local _, count = out:gsub("\n    %l[%l%d%-]*", "")
    assert.is_true(count > 400)
  end)

  it("tells about our own commands", function()
    local out = help "deploy --help"
    has(out, "--canary SIZE", "[--wait]", "EXIT STATUS", "EXAMPLES")
    for _, name in ipairs { "check", "completion", "doctor", "plan", "watch" } do
      has(help(name .. " --help"), "NAME\n    sagemaker " .. name .. ":")
    end
  end)

  it("tells what a waiter waits for", function()
    has(help "wait endpoint-in-service --help", "every 30 seconds", "EndpointStatus is InService",
      "sagemaker watch")
    has(help "wait help", "endpoint-deleted")
    local result = run "wait endpoint-in-servce --help"
    assert.equal(252, result.code)
    has(result.err, "did you mean endpoint-in-service?")
  end)

  it("suggests what was meant", function()
    has(run("creat-endpoint").err, "did you mean create-endpoint?")
    has(run("depoly").err, "did you mean deploy?")
  end)
end)

describe("the manual page", function()
  it("tells what help tells, and all options of our commands", function()
    local out = help "help --man"
    has(out, '.TH "SAGEMAKER" "1"', ".SH NAME\nsagemaker \\- Amazon SageMaker", ".SH DEPLOY",
      "\\fB\\-\\-canary SIZE\\fR", "update\\-endpoint\\-weights\\-and\\-capacities")
    for line in out:gmatch("[^\n]+") do
      assert.is_nil(line:find("^'"), line)
      assert.is_nil(line:find("[\128-\255]"), line)
    end
  end)

  it("is set without a warning", function()
    if not server.shell("command -v groff || true"):find("%S") then
      pending "groff is not installed"
      return
    end
    local dir = server.folder()
    local f = assert(io.open(dir .. "/sagemaker.1", "w"))
    f:write(help "help --man")
    f:close()
    assert.equal("", server.shell(("groff -man -Tutf8 -ww -z %s/sagemaker.1 2>&1"):format(dir)))
    server.shell("rm -rf " .. dir)
  end)
end)
