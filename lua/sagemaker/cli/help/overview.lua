--- What `sagemaker help` tells, and the manual page: the commands, the global options, how values
-- are written, exit statuses, environment and files.

local commands = require "sagemaker.cli.help.command"
local core = require "sagemaker.core"
local documents = require "sagemaker.cli.help.document"
local operations = require "sagemaker.cli.help.operation"
local outcomes = require "sagemaker.cli.outcome"

local M = {}

local function command_names()
  local names = {}
  for name in pairs(require "sagemaker.cli.commands") do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- The words of all operations of a service, sorted.
---@param service_name string
---@return string[]
function M.operations(service_name)
  local service, words = core.service(service_name), {}
  for i, name in ipairs(service:operations()) do
    words[i] = service:operation(name).snake:gsub("_", "-")
  end
  table.sort(words)
  return words
end

local function add_synopsis(page)
  page:section "SYNOPSIS"
  page:synopsis{ "sagemaker OPERATION", "[options]" }
  page:synopsis{ "sagemaker runtime OPERATION", "[options]", "[outfile]" }
  page:synopsis{ "sagemaker wait WAITER", "[options]" }
  page:synopsis{ "sagemaker COMMAND", "[options]" }
end

local function add_description(page)
  page:section "DESCRIPTION"
  page:paragraph("Every operation of Amazon SageMaker, with the names and options of the AWS CLI: "
    .. "a script that says `aws sagemaker create-endpoint` may say `sagemaker create-endpoint`, "
    .. "and `sagemaker runtime` instead of `aws sagemaker-runtime`.")
  page:paragraph("And what the AWS CLI does not have: deployments that tell a roll-back from a "
    .. "success, and a SageMaker of your own to try them on.")
end

local function add_commands(page)
  page:section "COMMANDS"
  local summaries = require "sagemaker.cli.commands"
  for _, name in ipairs(command_names()) do page:item(name, summaries[name]) end
  page:item("help [TOPIC ...]", "This page, or that of an operation, a waiter or a command.")
  page:item("runtime OPERATION", "One of " .. table.concat(M.operations "sagemaker-runtime", ", ")
    .. ".")
  page:item("wait WAITER", "One of " .. table.concat((commands.waiters()), ", ") .. ".")
end

local function add_operations(page, is_manual)
  page:section "OPERATIONS"
  if is_manual then
    page:paragraph(table.concat(M.operations "sagemaker", ", ") .. ".")
  else
    page:paragraph(("%d of them: `sagemaker help operations` lists them. Those of deployments:")
      :format(#core.service("sagemaker"):operations()))
    page:paragraph(table.concat({ "create-model", "create-endpoint-config", "create-endpoint",
      "describe-endpoint", "update-endpoint", "update-endpoint-weights-and-capacities",
      "list-endpoints", "delete-endpoint", "delete-endpoint-config", "delete-model" }, ", ") .. ".")
  end
end

local function add_values(page)
  page:section "VALUES"
  page:paragraph("A value is a text or number, JSON, or shorthand: "
    .. "`--tags Key=team,Value=growth Key=stage,Value=test`. Values of a list are separated by "
    .. "blanks. `file://PATH` stands for the text of a file, `fileb://PATH` for its bytes. "
    .. "Booleans are written `--flag` or `--no-flag`. Times are seconds since 1970 or ISO 8601, "
    .. "bytes are base64.")
end

local STATUSES = {
  { 0, "It is done; with `deploy` and `watch`: deployed." },
  { 130, "Interrupted (Ctrl-C). A deployment goes on." },
  { 143, "Ended by SIGTERM. A deployment goes on." },
  { 252, "The command line or the parameters are wrong. Nothing was sent." },
  { 253, "The configuration or the credentials are missing or wrong: see `sagemaker doctor`." },
  { 254, "The service answered with an error." },
  { 255, "Anything else: no connection, no answer in time, a waiter that gave up." },
}

local function add_statuses(page)
  page:section "EXIT STATUS"
  for _, row in ipairs(STATUSES) do page:item(tostring(row[1]), row[2]) end
  page:paragraph "`deploy` and `watch` also end with:"
  for _, row in ipairs(outcomes.MEANINGS) do
    local status = outcomes.STATUS[row[1]]
    if status > 0 then page:item(tostring(status), ("%s: %s."):format(row[1], row[2])) end
  end
end

local VARIABLES = {
  { "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "Credentials." },
  { "AWS_PROFILE", "The profile of the shared files." },
  { "AWS_REGION, AWS_DEFAULT_REGION", "The region; the first wins." },
  { "AWS_ENDPOINT_URL_SAGEMAKER, AWS_ENDPOINT_URL", "Where requests go instead of AWS." },
  { "AWS_CA_BUNDLE", "A file of certificates to trust." },
  { "AWS_DEFAULT_OUTPUT", "The form of what is printed." },
  { "AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE", "Other places for the shared files." },
  { "HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "Proxies, as with curl." },
  { "NO_COLOR", "No colours unless `--color on` is given." },
}

local function add_environment(page)
  page:section "ENVIRONMENT"
  for _, row in ipairs(VARIABLES) do page:item(row[1], row[2]) end
  page:section "FILES"
  page:item("~/.aws/config, ~/.aws/credentials", "The shared files of AWS's own clients.")
end

local EXAMPLES = {
  { "sagemaker plan --instances 10 --canary 10% --bake 5m --alarms churn-5xx",
    "What a canary deployment would do on ten instances:" },
  { "sagemaker deploy --endpoint-name churn --endpoint-config-name churn-v2 --canary 10% "
    .. "--bake 5m --alarms churn-5xx", "Do it, and tell whether it was rolled back:" },
  { "sagemaker list-endpoints --query 'Endpoints[].EndpointName' --output text",
    "The names of all endpoints:" },
}

local function add_examples(page)
  page:section "EXAMPLES"
  for _, row in ipairs(EXAMPLES) do
    page:paragraph(row[2])
    page:literal(require("sagemaker.cli.view.text").wrap(row[1], 74, "    ", ""))
  end
end

--- The overview.
---@param is_manual? boolean everything, also the commands' own options: the manual page
---@return sagemaker.cli.Page
function M.page(is_manual)
  local page = documents.new("sagemaker", "Amazon SageMaker from the command line")
  page:section "NAME"
  page:paragraph "sagemaker: Amazon SageMaker from the command line"
  add_synopsis(page)
  add_description(page)
  add_commands(page)
  if is_manual then
    for _, name in ipairs(command_names()) do
      local command = require("sagemaker.cli.commands." .. name)
      page:section(name:upper())
      for _, words in ipairs(command.description or { command.summary }) do
        page:paragraph(words)
      end
      for _, place in ipairs(command.arguments or {}) do
        page:item(place.value or place.name:upper(), place.summary or "")
      end
      commands.add_options(page, command.options or {})
    end
  end
  page:section "GLOBAL OPTIONS"
  page:paragraph "They may stand before or after an operation."
  commands.add_options(page, require "sagemaker.cli.globals")
  add_values(page)
  add_operations(page, is_manual)
  add_statuses(page)
  add_environment(page)
  add_examples(page)
  page:section "SEE ALSO"
  page:paragraph "`sagemaker OPERATION --help`"
  page:literal { operations.url("sagemaker", "Operations_Amazon_SageMaker_Service") }
  return page
end

--- The list of the operations of the runtime.
---@return sagemaker.cli.Page
function M.runtime_page()
  local page = documents.new("sagemaker-runtime", "invocations")
  page:section "SYNOPSIS"
  page:synopsis { "sagemaker runtime OPERATION", "[options]", "outfile" }
  page:section "OPERATIONS"
  page:literal(M.operations "sagemaker-runtime")
  page:paragraph "`sagemaker runtime OPERATION --help` tells about one."
  return page
end

--- The list of all operations.
---@return sagemaker.cli.Page
function M.operations_page()
  local page = documents.new("sagemaker-operations", "all operations")
  page:section "OPERATIONS"
  page:literal(M.operations "sagemaker")
  page:section "RUNTIME OPERATIONS"
  page:literal(M.operations "sagemaker-runtime")
  page:section "WAITERS"
  page:literal((commands.waiters()))
  return page
end

return M
