--- `sagemaker simulate`: a local SageMaker that any AWS client can talk to.

local arguments = require "sagemaker.simulator.server.arguments"
local failure = require "sagemaker.cli.failure"
local launch = require "sagemaker.simulator.server.launch"

local M = {
  name = "simulate",
  summary = require("sagemaker.cli.commands").simulate,
}

M.description = {
  "Runs in the foreground until it is told to end (Ctrl-C, SIGTERM), in an nginx of its own with "
    .. "the Lua module. It says how clients reach it; signatures are checked as AWS does.",
  "Endpoints live as on SageMaker, in time that passes faster or stands still. Every knob can also "
    .. "be turned while it runs: POST /_simulator/knobs. See examples/simulator.",
}

M.options = arguments.rows()

M.exits = {
  { 0, "it ended as it was told to" },
  { 252, "an option cannot be" },
  { 255, "nginx could not be started" },
}

M.examples = {
  { "sagemaker simulate", "An hour passes in a minute:" },
  { "sagemaker simulate --clock virtual --step 30 --port 0",
    "Time moves by half a minute with every DescribeEndpoint, on any free port:" },
  { "sagemaker simulate --state sagemaker.json --unhealthy churn-v3-model",
    "What happens is kept, and one model is never healthy:" },
}

-- A problem of the library's options in the words of the command line.
local function worded(problem)
  return (problem:gsub("^([%l_]+)( %l+ be)", function(name, verb)
    return ("--%s%s"):format(name:gsub("_", "-"), verb)
  end):gsub("a table of (.-) = a number", 'JSON like {"endpoints": 2}, with %1')
    :gsub("a table of name = seconds, a distribution, or a function",
      'JSON like {"DescribeEndpoint": 2}, or a distribution')
    :gsub("such a table", "such JSON"))
end

--- Runs the command.
---@param ctx table
---@return integer status
function M.run(ctx)
  local options, message = arguments.options(ctx.options)
  if not options then failure.usage(message) end
  options.region = ctx.globals and ctx.globals.region
  local problem = launch.problem(options)
  if problem then failure.usage(worded(problem)) end
  local status
  status, message = launch.run(options)
  if not status then
    failure.other("simulate: " .. message:gsub("; port 0 picks", "; --port 0 picks"))
  end
  return status
end

return M
