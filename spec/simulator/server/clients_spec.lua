-- Clients that this project did not write, unmodified and with signature checking on.

local cjson = require "cjson"
local core = require "sagemaker.core"
local server = require "support.server"
local shapes = require "support.shapes_json"
local simulate = require "support.simulate"

describe("the simulator and", function()
  local ok, reason = simulate.available()
  if not ok then
    pending("other clients: " .. reason)
    return
  end

  local running

  before_each(function() running = assert(simulate.start { clock = "virtual" }) end)

  after_each(function() running:stop() end)

  -- Every answer that a client got is what the model says.
  local function check_answers(path)
    local counted = 0
    for line in io.lines(path) do
      local row = cjson.decode(line)
      local service = core.service(row.service)
      local operation = service:operation(row.operation)
      if row.body:sub(1, 1) == "{" and row.status == 200 and operation.output then
        local problems = shapes.problems(service, operation.output, cjson.decode(row.body))
        assert.same({}, problems, row.operation)
        counted = counted + 1
      elseif row.status ~= 200 and row.body:sub(1, 1) == "{" then
        local body = cjson.decode(row.body)
        assert.is_string(body.message or body.Message)
      end
    end
    assert.is_true(counted > 20)
  end

  local function run(command)
    local raw = running.dir .. "/raw.jsonl"
    local said, good = running:shell(("export SIMULATOR_URL=%s RAW=%s OUT=%s/out; %s"):format(
      running.url, raw, running.dir, command))
    assert.is_true(good, said)
    assert.matches("\ndone%s*$", said)
    assert.is_nil(running:output():find("[error]", 1, true), running:output())
    return raw
  end

  local function has(command)
    return select(2, server.shell("command -v " .. command)) and true or false
  end

  local function boto3_of(python)
    local said, good = server.shell(python .. " -c 'import boto3; print(boto3.__version__)'")
    return good and said:gsub("%s+$", "")
  end

  -- A client that this machine has not got says so.
  local function tour(name, there, fn)
    if there then
      it(name, fn)
    else
      pending(name .. " (not on this machine)")
    end
  end

  local debian = boto3_of "/usr/bin/python3"
  tour("boto3 of the system", debian, function()
    check_answers(run "/usr/bin/python3 spec/clients/tour.py")
  end)

  local python = server.shell "command -v python3":gsub("%s+$", "")
  if python ~= "/usr/bin/python3" then
    tour("another boto3", boto3_of "python3", function()
      check_answers(run "python3 spec/clients/tour.py")
    end)
  end

  tour("the AWS CLI of the system", has "/usr/bin/aws", function()
    run "AWS=/usr/bin/aws sh spec/clients/tour.sh"
  end)

  local aws = server.shell "command -v aws":gsub("%s+$", "")
  if aws ~= "/usr/bin/aws" then
    tour("another AWS CLI", has "aws", function() run "AWS=aws sh spec/clients/tour.sh" end)
  end

  local modules = (os.getenv "SAGEMAKER_NODE" or (server.shell "pwd":gsub("%s+$", "")
    .. "/build/node"))
  local installed = io.open(modules .. "/node_modules/@aws-sdk/client-sagemaker/package.json")
  if installed then installed:close() end
  tour("the AWS SDK for JavaScript", installed and has "node", function()
    check_answers(run(("NODE_MODULES=%s NODE_NO_WARNINGS=1 node spec/clients/tour.mjs"):format(
      modules)))
  end)
end)
