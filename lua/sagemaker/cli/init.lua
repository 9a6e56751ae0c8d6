--- The `sagemaker` command.
--
--     sagemaker <operation> [options]              as `aws sagemaker <operation>`
--     sagemaker runtime <operation> … [outfile]    as `aws sagemaker-runtime <operation>`
--     sagemaker wait <waiter> [options]
--     sagemaker <command> [options]                deploy, plan, …: sagemaker.cli.commands
--
-- `run` needs nothing of a process: specs hand in a world. Its parts, and what they may rely on:
--
-- * A command of our own is a module `sagemaker.cli.commands.<name>`, listed in commands/init.lua
--   with its summary:
--   { name, summary, options = {rows as in sagemaker.cli.globals}, arguments = {{name, required}},
--   run = function(ctx) return exit code or nil for 0 end }. It finds its options in `ctx.options`
--   under their names with "_" for "-", and works through the methods of sagemaker.cli.context.
-- * A form of output is a module `sagemaker.cli.output.<form>`: `write(value, info, out)` prints a
--   value (see sagemaker.cli.document) by calling `out(text)`; info = {title, color, columns}. It
--   is not called for an object without keys.
-- * A query: `require("sagemaker.cli.jmespath").compile(expression)` answers a function of a value,
--   or nil and a message.
-- * Help: `require("sagemaker.cli.help").show(ctx, topic)` with topic = {}, {command = name},
--   {service, operation} or {waiter}; it prints and answers nothing.
-- * Errors are thrown (sagemaker.cli.failure) and end the command with their exit code.

local args = require "sagemaker.cli.args"
local errors = require "sagemaker.error"
local failure = require "sagemaker.cli.failure"

local M = {}

-- Words that may stand before an operation.
local SERVICES = { sagemaker = "sagemaker", runtime = "sagemaker-runtime",
  ["sagemaker-runtime"] = "sagemaker-runtime", ["runtime.sagemaker"] = "sagemaker-runtime" }

local function print_version(ctx)
  local core = require "sagemaker.core"
  local jit = rawget(_G, "jit")
  local lua = jit and jit.version:gsub(" ", "/", 1) or _VERSION:gsub(" ", "/")
  local system, release, machine = core.platform()
  ctx:out(("sagemaker-lua/%s %s %s/%s %s\n"):format(core.version, lua, system, release, machine))
end

-- The operation that `name` is the command of.
local function operation_of(service_name, name)
  if name:find("^%l[%l%d%-]*$") then
    local service = require("sagemaker.core").service(service_name)
    return service:operation((name:gsub("-", "_")))
  end
end

-- What people type to learn the version.
local VERSION = { version = true, ["-v"] = true, ["-V"] = true }

-- The nearest name, or a few that hold the word.
local function hint_of(name, names)
  if VERSION[name] then return " (did you mean --version?)" end
  local hint, holding = errors.hint(name, names), {}
  if hint ~= "" or #name < 4 then return hint end
  for _, candidate in ipairs(names) do
    if candidate:find(name, 1, true) then holding[#holding + 1] = candidate end
  end
  if #holding == 0 or #holding > 8 then return "" end
  table.sort(holding)
  return (" (there %s %s)"):format(#holding == 1 and "is" or "are", table.concat(holding, ", "))
end

local function unknown_command(service_name, name)
  if service_name == "sagemaker" and operation_of("sagemaker-runtime", name) then
    failure.usage(("%s is an operation of runtime: sagemaker runtime %s"):format(name, name))
  end
  local service = require("sagemaker.core").service(service_name)
  local names = {}
  for _, operation in ipairs(service:operations()) do
    names[#names + 1] = (service:operation(operation).snake:gsub("_", "-"))
  end
  if service_name == "sagemaker" then
    for command in pairs(require "sagemaker.cli.commands") do names[#names + 1] = command end
    for _, word in ipairs { "runtime", "wait", "help" } do names[#names + 1] = word end
  end
  if service_name == "sagemaker-runtime" then
    failure.usage(("unknown operation %q of runtime%s; it has %s"):format(name,
      errors.hint(name, names), table.concat(names, ", ")))
  end
  failure.usage(("unknown command %q%s; `sagemaker help` lists them"):format(name,
    hint_of(name, names)))
end

-- Whether help is asked for: the word alone (it may be a value elsewhere), or the option anywhere.
local function wants_help(words)
  if words[1] == "help" and #words == 1 then return true end
  for _, word in ipairs(words) do
    if word == "--help" or word == "-h" then return true end
  end
  return false
end

local function help(ctx, topic)
  require("sagemaker.cli.help").show(ctx, topic)
  return failure.OK
end

local function run_command(ctx, name, words)
  if wants_help(words) then return help(ctx, { command = name }) end
  local command = require("sagemaker.cli.commands." .. name)
  if command.takes_words then
    ctx.words = words
    return command.run(ctx) or failure.OK
  end
  local rows = command.options or {}
  ctx.options = args.parse(words, rows, command.arguments, name)
  args.need(ctx.options, rows, command.arguments, name)
  collectgarbage "restart"
  return command.run(ctx) or failure.OK
end

local function run_operation(ctx, service, operation, words)
  if wants_help(words) then return help(ctx, { service = service, operation = operation.name }) end
  return require("sagemaker.cli.operation").run(ctx, service, operation, words)
end

local function run_waiter(ctx, words)
  local name = table.remove(words, 1)
  if name == "help" or name == "--help" or name == "-h" then return help(ctx, { waiter = "" }) end
  if name and wants_help(words) then return help(ctx, { waiter = name }) end
  return require("sagemaker.cli.wait").run(ctx, name, words)
end

local function dispatch(ctx, words)
  local name = table.remove(words, 1)
  local service = "sagemaker"
  if name and SERVICES[name] then
    service, name = SERVICES[name], table.remove(words, 1)
  end
  if name == nil and service == "sagemaker" then
    failure.usage("what to do? `sagemaker help` lists the commands")
  elseif name == nil then
    failure.usage("runtime needs an operation: invoke-endpoint, invoke-endpoint-async or "
      .. "invoke-endpoint-with-response-stream")
  elseif name == "help" or name == "--help" or name == "-h" then
    local topic = table.remove(words, 1)
    if topic == "--man" then return help(ctx, { manual = true }) end
    if topic == "operations" then return help(ctx, { operations = true }) end
    if topic == nil or topic:sub(1, 1) == "-" then return help(ctx, { service = service }) end
    table.insert(words, 1, topic)
    words[#words + 1] = "--help"
    return dispatch(ctx, words)
  elseif service == "sagemaker" and name == "wait" then
    return run_waiter(ctx, words)
  end
  local operation = operation_of(service, name)
  if operation then return run_operation(ctx, service, operation, words) end
  if service == "sagemaker" and require("sagemaker.cli.commands")[name] then
    return run_command(ctx, name, words)
  elseif name:sub(1, 1) == "-" then
    failure.usage(("unknown option %s%s: options of an operation follow its name; `sagemaker help` "
      .. "lists all"):format(name, hint_of(name, {})))
  end
  return unknown_command(service, name)
end

local function main(world, argv, state)
  local words = {}
  for i = 1, #argv do words[i] = argv[i] end
  if words[1] == "__complete" then
    table.remove(words, 1)
    return require("sagemaker.cli.complete").run(world, words)
  end
  if words[1] == "__bundle" then -- for `cmake --install`
    require("sagemaker.cli.bundle.writer").write(words[2], words[3])
    return failure.OK
  end
  local rows = require "sagemaker.cli.globals"
  local globals, rest = args.extract(words, rows)
  local name = rest[1]
  if name and not name:find("-", 1, true) and require("sagemaker.cli.commands")[name] then
    local command = require("sagemaker.cli.commands." .. name)
    globals, rest = args.extract(words, rows, command.options or {})
  end
  local ctx = require("sagemaker.cli.context").new(world, globals)
  state.ctx = ctx
  if globals.version then
    print_version(ctx)
    return failure.OK
  end
  return dispatch(ctx, rest)
end

-- What was thrown, as an exit code, told on stderr.
local function report(world, thrown, ctx)
  if failure.is_interrupt(thrown) then
    if ctx then ctx:say_farewell(ctx.farewell) end
    return failure.interrupted(world)
  end
  local text, code
  if errors.is(thrown) then
    text, code = failure.text(thrown, ctx and ctx:url()), failure.code_of(thrown)
    if thrown.kind == "usage" or thrown.kind == "other" then text = "sagemaker: " .. text end
  elseif failure.is_out_of_memory(thrown) then
    text, code = "sagemaker: there is not enough memory for this command", failure.OTHER
  else
    text, code = "sagemaker: internal error (please report it, with the lines that "
      .. "SAGEMAKER_SOURCES=1 adds): " .. tostring(thrown), failure.OTHER
  end
  world.stderr:write(text, "\n")
  return code
end

-- A thrown string is a mistake of ours: say where.
local function trace(thrown)
  if type(thrown) ~= "string" or failure.is_interrupt(thrown) then return thrown end
  return debug.traceback(thrown, 2)
end

--- Runs a command line.
---@param argv string[] without the name of the program
---@param world sagemaker.cli.World
---@return integer exit code
function M.run(argv, world)
  local state = {}
  local ok, code = xpcall(function() return main(world, argv, state) end, trace)
  if not ok then code = report(world, code, state.ctx) end
  local flushed, message = world.stdout:flush()
  local unwritten = state.ctx and state.ctx.unwritten
    or not flushed and code == failure.OK and tostring(message)
  if not unwritten then return code end
  world.stderr:write("sagemaker: cannot write the output: ", unwritten, "\n")
  return code == failure.OK and failure.OTHER or code
end

return M
