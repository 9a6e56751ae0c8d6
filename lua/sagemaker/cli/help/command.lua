--- Help on the commands of our own and on waiters.

local documents = require "sagemaker.cli.help.document"

local M = {}

--- An option and its value, as they are written.
---@param row table of options, see sagemaker.cli.globals
---@return string
function M.term(row)
  local name = "--" .. row.name
  if row.kind == "flag" then return name end
  local value = row.value or row.choices and table.concat(row.choices, "|")
    or row.kind == "integer" and "N" or "VALUE"
  if row.kind == "list" then value = value .. " ..." end
  if row.optional then return ("%s [%s]"):format(name, value) end
  return name .. " " .. value
end

--- Adds a list of options.
---@param page sagemaker.cli.Page
---@param rows table[]
function M.add_options(page, rows)
  for _, row in ipairs(rows) do
    local words = row.summary or ""
    if row.choices and row.value then
      words = ("%s One of: %s."):format(words, table.concat(row.choices, ", "))
    end
    page:item(M.term(row), words)
  end
end

local function synopsis(name, command)
  local words, rest = { "sagemaker " .. name }, {}
  for _, place in ipairs(command.arguments or {}) do
    local word = place.value or place.name:upper()
    words[#words + 1] = place.required and word or "[" .. word .. "]"
  end
  for _, row in ipairs(command.options or {}) do
    if row.required then
      words[#words + 1] = M.term(row)
    else
      rest[#rest + 1] = "[" .. M.term(row) .. "]"
    end
  end
  for _, word in ipairs(rest) do words[#words + 1] = word end
  words[#words + 1] = "[global options]"
  return words
end

--- Adds what a command says of itself: description, examples, exit statuses.
---@param page sagemaker.cli.Page
---@param command table description?: string[], examples?: {line, text}[], exits?: {status, text}[]
local function add_details(page, command)
  if command.exits then
    page:section "EXIT STATUS"
    for _, row in ipairs(command.exits) do page:item(tostring(row[1]), row[2]) end
  end
  if command.examples then
    page:section "EXAMPLES"
    for _, row in ipairs(command.examples) do
      page:paragraph(row[2])
      page:literal{ row[1] }
    end
  end
end

--- The page on a command of our own.
---@param name string
---@param command table a module of sagemaker.cli.commands
---@return sagemaker.cli.Page
function M.page(name, command)
  local summary = command.summary
  local page = documents.new("sagemaker-" .. name, (summary:gsub("%.$", "")))
  page:section "NAME"
  page:paragraph(("sagemaker %s: %s"):format(name, summary))
  page:section "SYNOPSIS"
  page:synopsis(synopsis(name, command))
  if command.description then
    page:section "DESCRIPTION"
    for _, words in ipairs(command.description) do page:paragraph(words) end
  end
  if command.options and #command.options > 0 or command.arguments then
    page:section "OPTIONS"
    for _, place in ipairs(command.arguments or {}) do
      page:item(place.value or place.name:upper(), place.summary or "")
    end
    M.add_options(page, command.options or {})
    page:paragraph "`sagemaker help` tells about global options."
  end
  add_details(page, command)
  return page
end

--- The names of all waiters as they are written, sorted, and the name in the model of each.
---@return string[] words
---@return table<string, string> names
function M.waiters()
  local words, names = {}, {}
  for name in pairs(require "sagemaker.model.waiters") do
    local word = name:gsub("_", "-")
    words[#words + 1], names[word] = word, name
  end
  table.sort(words)
  return words, names
end

local function expected(acceptor)
  local what = acceptor.expected
  if acceptor.matcher == "error" then return ("the error %s"):format(tostring(what)) end
  if acceptor.argument then return ("%s is %s"):format(acceptor.argument, tostring(what)) end
  return ("%s %s"):format(tostring(acceptor.matcher), tostring(what))
end

--- The page on a waiter.
---@param word string as it is written
---@return sagemaker.cli.Page|nil
function M.waiter_page(word)
  local _, names = M.waiters()
  local name = names[word]
  if not name then return nil end
  local row = require("sagemaker.model.waiters")[name]
  local operation = require("sagemaker.core").service("sagemaker"):operation(row.operation)
  local call = operation.snake:gsub("_", "-")
  local page = documents.new("sagemaker-wait-" .. word, "wait until " .. word:gsub("%-", " "))
  page:section "NAME"
  page:paragraph(("sagemaker wait %s: calls %s every %g seconds, at most %g times."):format(word,
    row.operation, row.delay, row.max_attempts))
  page:section "SYNOPSIS"
  page:synopsis{ "sagemaker wait " .. word, ("<options of %s>"):format(call), "[global options]" }
  page:section "UNTIL"
  for _, acceptor in ipairs(row.acceptors) do
    page:item(acceptor.state, expected(acceptor))
  end
  page:section "SEE ALSO"
  page:paragraph(("`sagemaker %s --help`"):format(call))
  if word == "endpoint-in-service" then
    page:paragraph("A deployment that was rolled back ends in service too. `sagemaker watch` tells "
      .. "the two apart.")
  end
  return page
end

return M
