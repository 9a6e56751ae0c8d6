--- Help on an operation, all of it from the model: how it is called, each option with its type and
-- limits, what it answers, which errors it has, and where AWS describes it.

local commands = require "sagemaker.cli.help.command"
local core = require "sagemaker.core"
local documents = require "sagemaker.cli.help.document"
local options_of = require "sagemaker.cli.options"
local shapes = require "sagemaker.cli.help.shape"

local M = {}

--- The words before an operation on the command line.
M.PREFIXES = { sagemaker = "sagemaker", ["sagemaker-runtime"] = "sagemaker runtime" }

local API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_%s%s.html"
local API_PREFIXES = { sagemaker = "", ["sagemaker-runtime"] = "runtime_" }

--- AWS's page on an operation.
---@param service_name string
---@param operation string
---@return string url
function M.url(service_name, operation)
  return API:format(API_PREFIXES[service_name], operation)
end

-- What stands for an option in the synopsis.
local function synopsis_of(row)
  if not row.member then return "[" .. commands.term(row) .. "]" end
  local words = ("--%s <value>%s"):format(row.name, row.kind == "list" and " ..." or "")
  if row.kind == "flag" then words = ("--%s | --no-%s"):format(row.name, row.name) end
  if not row.required then return "[" .. words .. "]" end
  return row.kind == "flag" and "(" .. words .. ")" or words
end

-- The words of a synopsis: what is required comes first.
local function synopsis(rows, arguments)
  local words, rest = {}, {}
  for _, row in ipairs(rows) do
    if not row.negates then
      local list = row.required and words or rest
      list[#list + 1] = synopsis_of(row)
    end
  end
  for _, word in ipairs(rest) do words[#words + 1] = word end
  for _, place in ipairs(arguments or {}) do words[#words + 1] = ("<%s>"):format(place.name) end
  return words
end

local BY_SPACES = { string = true, integer = true, long = true, float = true, double = true }

-- What a value of this shape may be, in a sentence or more.
local function describe(service, shape, member)
  local sentences, inner = {}, shape
  local limits = shapes.limits(shape)
  if limits then sentences[1] = limits:sub(1, 1):upper() .. limits:sub(2) .. "." end
  if shape.type == "list" then
    inner = service:shape(shape.value)
    if BY_SPACES[inner.type] then
      sentences[#sentences + 1] = "Values are separated by blanks."
      local each = shapes.limits(inner)
      if each then sentences[#sentences + 1] = "Each: " .. each .. "." end
    end
  end
  if inner.enum then
    sentences[#sentences + 1] = "One of: " .. table.concat(inner.enum, ", ") .. "."
  end
  if member.token then sentences[#sentences + 1] = "Filled in when it is not given." end
  if member.jsonvalue then sentences[#sentences + 1] = "JSON." end
  return #sentences > 0 and table.concat(sentences, " ") or nil
end

local NESTED = { structure = true, list = true, map = true }

-- Whether the value has an inside that is worth an outline.
local function is_nested(service, shape)
  if shape.type == "list" then return NESTED[service:shape(shape.value).type] or false end
  return NESTED[shape.type] or false
end

-- The forms of a nested value: shorthand, broken at commas, and JSON.
local function forms(service, name)
  local lines, shorthand = {}, shapes.shorthand(service, name)
  if shorthand then
    lines[1] = "Shorthand:"
    for _, line in ipairs(M.break_at_commas(shorthand, 66)) do lines[#lines + 1] = "  " .. line end
    lines[#lines + 1] = ""
  end
  lines[#lines + 1] = "JSON:"
  for _, line in ipairs(shapes.outline(service, name)) do lines[#lines + 1] = "  " .. line end
  return lines
end

--- Breaks a long word after commas.
---@param word string
---@param columns integer
---@return string[] lines
function M.break_at_commas(word, columns)
  local lines, line = {}, ""
  for part in word:gmatch("[^,]*,?") do
    if line ~= "" and #line + #part > columns then
      lines[#lines + 1] = line
      line = ""
    end
    line = line .. part
  end
  if line ~= "" then lines[#lines + 1] = line end
  return lines
end

local function add_option(page, service, row)
  local member, notes = row.member, {}
  local shape = service:shape(member.shape)
  if row.required then notes[1] = "required" end
  notes[#notes + 1] = shapes.type(service, shape)
  if member.deprecated then notes[#notes + 1] = "deprecated" end
  local term = "--" .. row.name
  if row.kind == "flag" then term = ("%s | --no-%s"):format(term, row.name) end
  local words = describe(service, shape, member)
  if row.hidden then
    words = (words and words .. " " or "") .. "Pages by hand; without it all pages are read."
  end
  page:item(("%s (%s)"):format(term, table.concat(notes, ", ")), words,
    is_nested(service, shape) and forms(service, member.shape) or {})
end

local function add_synopsis(page, service_name, operation, rows, arguments)
  local words = synopsis(rows, arguments)
  table.insert(words, 1, M.command(service_name, operation))
  words[#words + 1] = "[global options]"
  page:section "SYNOPSIS"
  page:synopsis(words)
end

local function add_output(page, service, operation)
  page:section "OUTPUT"
  local output = operation.output and service:shape(operation.output)
  if not output or #output.members == 0 then
    return page:paragraph "Nothing, when it succeeds."
  end
  page:literal(shapes.members(service, operation.output))
end

local function add_options(page, service, rows, arguments)
  page:section "OPTIONS"
  for _, row in ipairs(rows) do
    if row.member and not row.negates then add_option(page, service, row) end
  end
  for _, place in ipairs(arguments or {}) do
    page:item(("<%s>"):format(place.name),
      "Where the body of the answer is written, - for here; the rest is printed.")
  end
  local own = {}
  for _, row in ipairs(rows) do
    if not row.member then own[#own + 1] = row end
  end
  commands.add_options(page, own)
  page:paragraph "`sagemaker help` tells about global options, and how values are written."
end

--- An operation as it is written.
---@param service_name string
---@param operation table of service:operation
---@return string "sagemaker runtime invoke-endpoint"
function M.command(service_name, operation)
  return ("%s %s"):format(M.PREFIXES[service_name], (operation.snake:gsub("_", "-")))
end

--- The page on an operation.
---@param service_name "sagemaker"|"sagemaker-runtime"
---@param name string of the operation
---@return sagemaker.cli.Page
function M.page(service_name, name)
  local service = core.service(service_name)
  local operation = service:operation(name)
  local command = M.command(service_name, operation)
  local paginator = service_name == "sagemaker"
    and require("sagemaker.model.paginators")[operation.name] or nil
  local rows, arguments = options_of.of(service, operation, paginator)
  local page = documents.new((command:gsub(" ", "-")), ("call %s"):format(operation.name))
  page:section "NAME"
  page:paragraph(("%s: calls %s of Amazon %s."):format(command, operation.name, service:info().id))
  add_synopsis(page, service_name, operation, rows, arguments)
  add_options(page, service, rows, arguments)
  add_output(page, service, operation)
  if #operation.errors > 0 then
    page:section "ERRORS"
    page:paragraph(table.concat(operation.errors, ", ") .. ".")
  end
  page:section "SEE ALSO"
  page:literal{ M.url(service_name, operation.name) }
  return page
end

return M
