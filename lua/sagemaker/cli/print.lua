--- What is printed: the query picks, the form writes.

local failure = require "sagemaker.cli.failure"
local document = require "sagemaker.cli.document"

local M = {}

-- The query of a context as a function, compiled once; nil where there is none.
local function query_of(ctx)
  local expression = ctx.globals.query
  if not expression or ctx.query then return ctx.query end
  local query, message = require("sagemaker.cli.jmespath").compile(expression)
  if not query then failure.usage(("--query %s: %s"):format(expression, tostring(message))) end
  ctx.query = query
  return query
end

--- Finds a wrong query or a wrong form of output before anything is sent.
---@param ctx sagemaker.cli.Context
function M.check(ctx)
  query_of(ctx)
  ctx:format()
  ctx:timestamps()
end

-- Whether nothing is to be printed: an object without members, which also a query may leave.
local function is_hollow(given)
  return type(given) == "table" and next(given) == nil and document.kind(given) == "object"
end

-- Where the text goes: to stdout, or through the pager that was asked for.
local function open_sink(ctx)
  if ctx.pager ~= nil or ctx.globals.cli_pager == false or not ctx.world.isatty("stdout") then
    return
  end
  local command = ctx:setting "cli_pager"
  ctx.pager = false
  if not command or command == "" or not ctx.world.popen then return end
  ctx.pager = ctx.world.popen(command, "w") or false
  ctx.pager_name = command
  if ctx.pager then ctx.sink = ctx.pager end
end

-- Exit codes of a shell for a command that it could not run.
local NOT_RUN = { [126] = true, [127] = true }

--- Gives the terminal back: waits for the pager to end.
---@param ctx sagemaker.cli.Context
function M.close(ctx)
  if ctx.pager then
    local _, how, code = ctx.pager:close() -- Lua 5.1 does not tell
    if how == "exit" and NOT_RUN[code] then
      ctx.unwritten = ("the pager %q cannot be run; --no-cli-pager does without"):format(
        ctx.pager_name)
    end
    ctx.pager, ctx.sink = nil, ctx.world.stdout
  end
end

--- Prints a value.
---@param ctx sagemaker.cli.Context
---@param given any
---@param title string
function M.value(ctx, given, title)
  local form, query = ctx:format(), query_of(ctx)
  if form == "off" then return end
  if query then
    local result, message = query(given)
    if message then -- the call has been made: this is no longer a wrong command line
      failure.other(("--query does not fit the answer: %s"):format(message))
    end
    given = result
  end
  if is_hollow(given) then return end
  open_sink(ctx)
  local module = form == "yaml-stream" and "yaml" or form
  if form == "yaml-stream" then given = document.list { given } end
  local writer = require("sagemaker.cli.output." .. module)
  local info = { title = title, color = ctx:colored(), columns = ctx.world.columns() }
  writer.write(given, info, function(text) ctx:out(text) end)
end

return M
