--- One operation of the API as a command.

local args = require "sagemaker.cli.args"
local failure = require "sagemaker.cli.failure"
local options_of = require "sagemaker.cli.options"

local M = {}

-- The row of sagemaker.model.paginators of an operation. Only those that take a token are looked
-- up: the rows are many.
local function paginator_of(service, operation)
  for _, member in ipairs(operation.input and service:shape(operation.input).members or {}) do
    if member.name == "NextToken" then
      return require("sagemaker.model.paginators")[operation.name]
    end
  end
end

-- Members of the input that mean paging by hand.
local function pages_by_hand(paginator, params)
  for _, name in ipairs(paginator.input) do
    if params[name] ~= nil then return true end
  end
  return paginator.limit ~= nil and params[paginator.limit] ~= nil
end

local PAGE_OPTIONS = { "starting_token", "page_size", "max_items" }

-- How to page: the options of client:pages, or nil for one call.
local function paging(ctx, paginator, params)
  if not paginator then return nil end
  local options = ctx.options
  if ctx.globals.paginate ~= false and not pages_by_hand(paginator, params) then
    if (options.max_items or 0) < 0 then failure.usage("--max-items must be 0 or more") end
    return { max_items = options.max_items, page_size = options.page_size,
      starting_token = options.starting_token }
  end
  for _, key in ipairs(PAGE_OPTIONS) do
    if options[key] ~= nil then
      failure.usage(("--%s pages by itself and goes neither with --no-paginate nor with tokens and "
        .. "limits of the API"):format((key:gsub("_", "-"))))
    end
  end
  return nil
end

local function present(ctx, output)
  return require("sagemaker.cli.present").answer(ctx.service, ctx.operation.output, output,
    { body = ctx.body, timestamps = ctx:timestamps(), offset = ctx.world.offset })
end

-- Text comes page by page with the items only, a stream of YAML page by page as they are; the other
-- forms need the whole list.
local function print_pages(ctx, client, paginator, params, page_options)
  collectgarbage "restart"
  local name, form = ctx.operation.name, ctx:format()
  local paging_of = require "sagemaker.cli.pages"
  local pages = paging_of.of(client, paginator, name, params, page_options, function(output)
    return present(ctx, output)
  end)
  local each = form == "text" and paging_of.parts or form == "yaml-stream" and paging_of.whole
    or paging_of.joined
  for part, err in each(pages) do
    if err then failure.raise(err) end
    ctx:print(part, name)
  end
end

-- Outfiles that are no file: the one that stdout was sent to, opened anew, would be written over.
local STDOUT = { ["-"] = true, ["/dev/stdout"] = true }

local function open_outfile(ctx, path)
  local file, message = ctx.world.open(path, "wb")
  if not file then failure.other("cannot write the answer: " .. tostring(message)) end
  return file
end

-- Writes the bytes of an answer, whole or as they come, to the file that was named.
local function save_body(ctx, output)
  local path = ctx.options.outfile
  local body = output.Body
  local is_stdout = STDOUT[path]
  local file = is_stdout and ctx.sink or open_outfile(ctx, path)
  local function put(bytes)
    local ok, problem = file:write(bytes)
    if not ok then failure.other(("cannot write to %s: %s"):format(path, tostring(problem))) end
  end
  if type(body) == "string" then
    put(body)
  elseif body then
    repeat
      local part, _, err = body:read()
      if err then failure.raise(err) end
      if part then
        put(part)
        if is_stdout then file:flush() end
      end
    until not part
  end
  if not is_stdout then
    local ok, problem = file:close()
    if not ok then failure.other(("cannot write to %s: %s"):format(path, tostring(problem))) end
  end
  return path == "-"
end

local function plain_members(output)
  local members = {}
  for key, item in pairs(output) do
    if key ~= "Body" then members[key] = item end
  end
  return members
end

-- Kilobytes in use from which collecting pays. (Bytes of a model may be many, too.)
local MUCH = 8192

local function call(ctx, client, params)
  local output, _, err = client:call(ctx.operation.name, params)
  if ctx.options.outfile or collectgarbage "count" > MUCH then collectgarbage "restart" end
  if not output then failure.raise(err) end
  if ctx.options.outfile then
    local is_alone = save_body(ctx, output)
    local body = output.Body
    output = plain_members(type(body) == "table" and body.output or output)
    if is_alone then return end
  end
  ctx:print(present(ctx, output), ctx.operation.name)
end

-- --generate-cli-skeleton
local function print_skeleton(ctx, form)
  local skeleton = require "sagemaker.cli.input.skeleton"
  local operation = ctx.operation
  if form == "output" then
    ctx:print(skeleton.output(ctx.service, operation), operation.name)
    return
  end
  local writer = require("sagemaker.cli.output." .. (form == "input" and "json" or "yaml"))
  local example = skeleton.input(ctx.service, operation)
  if next(example) == nil then
    ctx:out("{}\n")
  else
    writer.write(example, { title = operation.name }, function(text) ctx:out(text) end)
  end
end

-- The parameters that the command line gives; what it lacks ends the command.
function M.params(ctx, rows, arguments, what)
  local options = ctx.options
  local from_document = options.cli_input_json or options.cli_input_yaml
  args.need(options, from_document and {} or rows, arguments, what)
  return require("sagemaker.cli.input.params").of(ctx, rows, options)
end

--- Runs an operation.
---@param ctx sagemaker.cli.Context
---@param service_name "sagemaker"|"sagemaker-runtime"
---@param operation table of service:operation
---@param words string[] what follows the name
---@return integer exit code
function M.run(ctx, service_name, operation, words)
  local service = require("sagemaker.core").service(service_name)
  local paginator = paginator_of(service, operation)
  local rows, arguments = options_of.of(service, operation, paginator)
  local what = (service_name == "sagemaker" and "" or "runtime ")
    .. operation.snake:gsub("_", "-")
  ctx.service, ctx.operation = service, operation
  ctx.options = args.parse(words, rows, arguments, what)
  local skeleton = ctx.options.generate_cli_skeleton
  if skeleton and skeleton ~= "output" then
    print_skeleton(ctx, skeleton)
    return failure.OK
  end
  local params = M.params(ctx, rows, arguments, what)
  if skeleton then
    print_skeleton(ctx, skeleton)
    return failure.OK
  end
  local page_options = paging(ctx, paginator, params)
  local client = ctx:client(service_name)
  require("sagemaker.cli.print").check(ctx)
  if ctx.globals.dry_run then
    require("sagemaker.cli.dry_run").print(ctx, client, params)
  elseif page_options then
    print_pages(ctx, client, paginator, params, page_options)
  else
    call(ctx, client, params)
  end
  require("sagemaker.cli.print").close(ctx)
  return failure.OK
end

return M
