--- `sagemaker check`: strict validation of parameters; nothing is sent.

local args = require "sagemaker.cli.args"
local core = require "sagemaker.core"
local failure = require "sagemaker.cli.failure"
local options_of = require "sagemaker.cli.options"
local text = require "sagemaker.cli.view.text"

local M = {
  name = "check",
  summary = require("sagemaker.cli.commands").check,
  -- Its options are those of the operation.
  takes_words = true,
}

M.description = {
  "Checks what an operation would be given against the model: names, types, required members, enum "
    .. "values, limits and patterns. DeploymentConfig is checked against the documented rules of "
    .. "deployments too. All problems are told at once, each with its path. No region and no "
    .. "credentials are needed.",
}

M.arguments = { { name = "operation", value = "[runtime] OPERATION", required = true,
  summary = "As on the command line: create-endpoint." } }

M.options = {
  { name = "cli-input-json", value = "JSON", summary = "The parameters, or file://PATH; every "
    .. "option of the operation may be given beside it." },
}

M.exits = { { 0, "nothing is wrong" }, { 252, "something is" } }

M.examples = { { "sagemaker check update-endpoint --cli-input-json file://update.json",
  "A file of parameters:" } }

-- The operation that the words begin with.
local function operation_of(words)
  local service_name, name = "sagemaker", table.remove(words, 1)
  if name == "runtime" or name == "sagemaker-runtime" then
    service_name, name = "sagemaker-runtime", table.remove(words, 1)
  end
  if not name then
    failure.usage("check needs an operation: sagemaker check create-endpoint --cli-input-json …")
  end
  local service = core.service(service_name)
  local operation = service:operation((name:gsub("-", "_")))
  if not operation then
    local near = service:suggest((name:gsub("-", "_")))
    failure.usage(("unknown operation %q%s"):format(name,
      near and (" (did you mean %s?)"):format((near:gsub("_", "-"))) or ""))
  end
  return service, operation
end

-- What is allowed but probably not meant.
local function warnings_of(operation, params)
  local config = params.DeploymentConfig
  if type(config) ~= "table" then return {} end
  local _, warnings = require("sagemaker.deployment.rules").check(config)
  if operation.name == "CreateEndpoint" then
    warnings[#warnings + 1] = "a new endpoint has no old fleet: its DeploymentConfig guards "
      .. "nothing yet"
  end
  return warnings
end

local function print_text(ctx, operation, problems, warnings)
  local count = #problems == 0 and "nothing is wrong" or #problems == 1 and "1 problem"
    or ("%d problems"):format(#problems)
  ctx:out(("%s: %s\n"):format(operation.name, count))
  for _, problem in ipairs(problems) do
    ctx:out("  " .. text.clean(failure.worded(problem.message)) .. "\n")
  end
  for _, warning in ipairs(warnings) do ctx:out("  warning: " .. warning .. "\n") end
end

local function print_value(ctx, operation, problems, warnings)
  local document, rows = require "sagemaker.cli.document", {}
  for i, problem in ipairs(problems) do
    rows[i] = document.object({ path = problem.path, code = problem.code, member = problem.member,
      message = failure.worded(problem.message), suggestion = problem.suggestion },
      { "path", "code", "member", "message", "suggestion" })
  end
  ctx:print(document.object({ operation = operation.name, valid = #problems == 0,
    problems = document.list(rows), warnings = document.list(warnings) },
    { "operation", "valid", "problems", "warnings" }), "Check")
end

--- Runs the command.
---@param ctx sagemaker.cli.Context with the words that follow the command's name
---@return integer exit status
function M.run(ctx)
  local words = ctx.words
  local service, operation = operation_of(words)
  local rows = options_of.of(service, operation)
  local what = "check " .. operation.snake:gsub("_", "-")
  ctx.service, ctx.operation = service, operation
  ctx.options = args.parse(words, rows, nil, what)
  local params = require("sagemaker.cli.input.params").of(ctx, rows, ctx.options)
  local valid, _, err = require("sagemaker.check").parameters(service, operation.name, params)
  local problems = not valid and (err.errors or { err }) or {}
  local print = (ctx.globals.output or ctx.globals.query) and print_value or print_text
  print(ctx, operation, problems, warnings_of(operation, params))
  return valid and failure.OK or failure.USAGE
end

return M
