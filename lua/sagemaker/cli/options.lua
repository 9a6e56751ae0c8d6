--- The options of an operation, made from the shape of its input, named as the AWS CLI names them.

local M = {}

--- The name of an option or a command: "endpoint-config-name" for "EndpointConfigName".
---@param name string as AWS spells it
---@return string
function M.xform(name)
  return (require("sagemaker.core").snake(name):gsub("_", "-"))
end

-- An option whose name a global one has gets another: --version prints the version.
local RENAMED = { version = "version-number" }

local function row_of(member)
  local name = M.xform(member.name)
  name = RENAMED[name] or name
  local row = { key = member.name, member = member, name = name,
    required = member.required and not member.token or nil }
  if member.type == "list" then
    row.kind = "list"
  elseif member.type == "boolean" then
    row.kind, row.sets = "flag", true
  end
  return row
end

--- The options of an operation that come from its input, in the model's order.
---@param service userdata
---@param operation table of service:operation
---@param paginator? sagemaker.PaginatorConfig its tokens and its limit are marked `hidden`
---@return table[] rows as in sagemaker.cli.globals; `member` is the member of the input, `key` its
---   name
function M.of_input(service, operation, paginator)
  local rows, hidden = {}, {}
  if not operation.input then return rows end
  if paginator then
    for _, name in ipairs(paginator.input) do hidden[name] = true end
    if paginator.limit then hidden[paginator.limit] = true end
  end
  for _, member in ipairs(service:shape(operation.input).members) do
    local row = row_of(member)
    row.hidden = hidden[member.name]
    rows[#rows + 1] = row
    if row.kind == "flag" then
      rows[#rows + 1] = { key = row.key, kind = "flag", member = member, name = "no-" .. row.name,
        negates = row.name, sets = false }
    end
  end
  return rows
end

-- Options that every operation has besides.
local INPUT_JSON = { name = "cli-input-json", value = "JSON",
  summary = "Parameters as one JSON object; options win over its members." }
local INPUT_YAML = { name = "cli-input-yaml", value = "YAML",
  summary = "Parameters as one YAML document; options win over its members." }
local SKELETON = { name = "generate-cli-skeleton", value = "FORM", optional = "input",
  choices = { "input", "output", "yaml-input" },
  summary = "Print an example of the input or of the output, and send nothing." }
local STARTING_TOKEN = { name = "starting-token", value = "TOKEN",
  summary = "Where to go on: the NextToken of an output that --max-items ended." }
local PAGE_SIZE = { name = "page-size", kind = "integer", value = "COUNT",
  summary = "How many items to ask for in one call." }
local MAX_ITEMS = { name = "max-items", kind = "integer", value = "COUNT",
  summary = "How many items to print at most; NextToken tells where to go on." }

--- All options of an operation, and its arguments.
---@param service userdata
---@param operation table
---@param paginator? sagemaker.PaginatorConfig
---@return table[] rows
---@return table[]|nil arguments `outfile` where the answer is the bytes of a model
function M.of(service, operation, paginator)
  local rows = M.of_input(service, operation, paginator)
  local function add(row) rows[#rows + 1] = row end
  add(INPUT_JSON)
  add(INPUT_YAML)
  if paginator then
    add(STARTING_TOKEN)
    if paginator.limit then add(PAGE_SIZE) end
    add(MAX_ITEMS)
  end
  add(SKELETON)
  return rows, M.has_body(service, operation) and { { name = "outfile", required = true } } or nil
end

--- Whether the answer of an operation is bytes that go into a file.
---@param service userdata
---@param operation table
---@return boolean
function M.has_body(service, operation)
  if operation.stream_output then return true end
  local output = operation.output and service:info().protocol == "rest-json"
    and service:shape(operation.output)
  for _, member in ipairs(output and output.members or {}) do
    if member.location == "payload" and member.type == "blob" then return true end
  end
  return false
end

return M
