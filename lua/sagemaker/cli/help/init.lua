--- Help: which page a topic means, and printing it.

local documents = require "sagemaker.cli.help.document"
local errors = require "sagemaker.error"
local failure = require "sagemaker.cli.failure"
local styles = require "sagemaker.cli.view.style"

local M = {}

local function waiter(word)
  local commands = require "sagemaker.cli.help.command"
  if word == "" then
    local page = documents.new("sagemaker-wait", "wait until something is as it should be")
    page:section "WAITERS"
    page:literal((commands.waiters()))
    page:paragraph "`sagemaker wait WAITER --help` tells what one waits for."
    return page
  end
  local page = commands.waiter_page(word)
  if not page then
    failure.usage(("unknown waiter %q%s; `sagemaker wait help` lists them"):format(word,
      errors.hint(word, (commands.waiters()))))
  end
  return page
end

--- The page of a topic.
---@param topic table {} is the overview; {manual = true}; {operations = true}; {command = name};
--- {service, operation}, without an operation those of the service; {waiter = word}, "" for their
--- list
---@return sagemaker.cli.Page
function M.page(topic)
  if topic.waiter then return waiter(topic.waiter) end
  if topic.operation then
    return require("sagemaker.cli.help.operation").page(topic.service, topic.operation)
  elseif topic.command then
    return require("sagemaker.cli.help.command").page(topic.command,
      require("sagemaker.cli.commands." .. topic.command))
  elseif topic.operations then
    return require("sagemaker.cli.help.overview").operations_page()
  elseif topic.service == "sagemaker-runtime" then
    return require("sagemaker.cli.help.overview").runtime_page()
  end
  return require("sagemaker.cli.help.overview").page(topic.manual)
end

--- Prints the page of a topic.
---@param ctx sagemaker.cli.Context
---@param topic table as for `page`; {manual = true} is printed as roff
function M.show(ctx, topic)
  local page = M.page(topic)
  local lines
  if topic.manual then
    lines = documents.roff(page, require("sagemaker.core").version)
  else
    lines = documents.text(page, styles.of(ctx.world, "stdout", ctx.globals.color))
  end
  ctx:out(table.concat(lines, "\n") .. "\n")
end

return M
