--- What may stand at the end of a command line: operations, commands, options and their values. The
-- completion scripts ask here, so they know whatever the model knows. Nothing is sent.
--
--     sagemaker __complete WORD … CURRENT
--
-- prints one candidate a line, and after a tab what it is. Where it prints nothing, a file name
-- may follow.

local core = require "sagemaker.core"

local M = {}

local SERVICES = { sagemaker = "sagemaker", runtime = "sagemaker-runtime",
  ["sagemaker-runtime"] = "sagemaker-runtime" }

---@class sagemaker.cli.Candidates
---@field list {[1]: string, [2]: string|nil}[]
local Candidates = {}
Candidates.__index = Candidates
Candidates.__name = "sagemaker.cli.candidates"

-- Adds a word if it goes on from what was typed.
function Candidates:add(word, about)
  if word:sub(1, #self.current) ~= self.current then return end
  self.list[#self.list + 1] = { word, about }
end

local function add_operations(out, service_name)
  local service = core.service(service_name)
  for _, name in ipairs(service:operations()) do
    out:add((service:operation(name).snake:gsub("_", "-")), name)
  end
end

local function add_waiters(out)
  for name in pairs(require "sagemaker.model.waiters") do
    out:add((name:gsub("_", "-")), "waiter")
  end
end

local function add_commands(out)
  for name, summary in pairs(require "sagemaker.cli.commands") do out:add(name, summary) end
  out:add("help", "Help on a topic.")
  out:add("runtime", "Invocations.")
  out:add("wait", "Wait until something is as it should be.")
end

-- Only regions that people call: "aws-global" is none.
local function add_regions(out)
  for _, partition in ipairs(require "sagemaker.model.partitions") do
    for region in pairs(partition.regions) do
      if not region:find("global", 1, true) then out:add(region, partition.id) end
    end
  end
end

local function add_profiles(out, world)
  local profiles = require "sagemaker.profiles"
  local view = profiles.load(require("sagemaker.env").new(world.io
    or { getenv = world.getenv, open = world.open }))
  for name in pairs(view and view.profiles or {}) do out:add(name, "profile") end
end

-- The row of options that a word names.
local function find(rows, word)
  local name = word:match("^%-%-(.+)$")
  for _, row in ipairs(rows) do
    if row.name == name then return row end
  end
  return nil
end

-- The enum values of an option: its own, or those of the items of its list.
local function enum_of(service, row)
  if row.choices then return row.choices end
  if not row.member then return nil end
  local shape = service:shape(row.member.shape)
  if shape.type == "list" then shape = service:shape(shape.value) end
  return shape.enum
end

-- Adds the values of an option. Answers whether any are known.
local function add_values(out, scope, row)
  if row.name == "region" then return add_regions(out) end
  if row.name == "profile" then return add_profiles(out, scope.world) end
  for _, value in ipairs(enum_of(scope.service, row) or {}) do
    -- Shells take what has blanks in it for several words.
    if not value:find("%s") then out:add(value) end
  end
end

local function describe(service, row)
  if row.summary then return row.summary end
  if not row.member then return nil end
  local words = require("sagemaker.cli.help.shape").type(service, service:shape(row.member.shape))
  return row.required and words .. ", required" or words
end

-- Adds the options that were not given yet.
local function add_options(out, scope)
  local given = {}
  for _, word in ipairs(scope.words) do given[word] = true end
  for _, row in ipairs(scope.rows) do
    local option = "--" .. row.name
    if not given[option] then out:add(option, describe(scope.service, row)) end
  end
end

local function append(rows, more)
  for _, row in ipairs(more) do rows[#rows + 1] = row end
end

-- The rows of an operation's options.
local function operation_rows(service_name, word)
  local service = core.service(service_name)
  local operation = service:operation((word:gsub("-", "_")))
  if not operation then return nil end
  local paginator = service_name == "sagemaker"
    and require("sagemaker.model.paginators")[operation.name] or nil
  return require("sagemaker.cli.options").of(service, operation, paginator)
end

-- Rows of the options that a waiter takes: those of the operation that it calls.
local function waiter_rows(word)
  local row = require("sagemaker.model.waiters")[word:gsub("-", "_")]
  local service = core.service "sagemaker"
  return row and require("sagemaker.cli.options").of_input(service,
    service:operation(row.operation)) or nil
end

-- Takes the global options out of the words.
local function strip(words, globals)
  local rest, i = {}, 1
  while i <= #words do
    local row = find(globals, words[i])
    if row then
      i = i + (row.kind == "flag" and 1 or 2)
    else
      rest[#rest + 1], i = words[i], i + 1
    end
  end
  return rest
end

-- What a line names: the words for the next place, or the rows of what was named.
local function locate(words, globals)
  local rest = strip(words, globals)
  local first = table.remove(rest, 1)
  if first == "help" then first = table.remove(rest, 1) end
  if not first then return { next = "command" } end
  local service_name = SERVICES[first]
  if service_name then
    first = table.remove(rest, 1)
    if not first then return { next = "operation", service_name = service_name } end
  elseif first == "check" then
    return locate(rest, globals)
  elseif first == "wait" then
    first = table.remove(rest, 1)
    if not first then return { next = "waiter" } end
    return { rows = waiter_rows(first), rest = rest }
  end
  service_name = service_name or "sagemaker"
  local rows = operation_rows(service_name, first)
  if not rows and require("sagemaker.cli.commands")[first] then
    local command = require("sagemaker.cli.commands." .. first)
    return { rows = command.options or {}, arguments = command.arguments, rest = rest,
      service_name = service_name }
  end
  return { rows = rows, rest = rest, service_name = service_name }
end

-- The option whose value comes next: the last word where it takes one, or a list that goes on.
local function open_option(words, rows)
  for i = #words, 1, -1 do
    local row = find(rows, words[i])
    if row then
      if row.kind == "flag" then return nil end
      if i == #words or row.kind == "list" then return row end
      return nil
    end
    if words[i]:sub(1, 2) == "--" then return nil end
  end
  return nil
end

local function add_arguments(out, place)
  local first = place.arguments and place.arguments[1]
  if first and first.choices and #place.rest == 0 then
    for _, choice in ipairs(first.choices) do out:add(choice) end
  end
end

local NEXT = {
  command = function(out)
    add_operations(out, "sagemaker")
    add_commands(out)
  end,
  operation = function(out, place) add_operations(out, place.service_name) end,
  waiter = function(out) add_waiters(out) end,
}

--- The candidates for the last word.
---@param world sagemaker.cli.World
---@param words string[] what stands before it, without the name of the program
---@param current string what was typed of it
---@return {[1]: string, [2]: string|nil}[] the word, and what it is
function M.candidates(world, words, current)
  -- bash parts "--output=json" into three words.
  local clean = {}
  for _, word in ipairs(words) do
    if word ~= "=" then clean[#clean + 1] = word end
  end
  local globals, rows = require "sagemaker.cli.globals", {}
  local place = locate(clean, globals)
  append(rows, place.rows or {})
  append(rows, globals)
  local out = setmetatable({ current = current == "=" and "" or current, list = {} }, Candidates)
  local scope = { rows = rows, words = clean, world = world,
    service = core.service(place.service_name or "sagemaker") }
  local open = open_option(clean, rows)
  if current:sub(1, 1) == "-" then
    -- Own options in the order of the model, then the global ones.
    add_options(out, scope)
    return out.list
  elseif open then
    add_values(out, scope, open)
  elseif place.next then
    NEXT[place.next](out, place)
  else
    add_arguments(out, place)
  end
  table.sort(out.list, function(a, b) return a[1] < b[1] end)
  return out.list
end

--- Prints the candidates for the last of the words.
---@param world sagemaker.cli.World
---@param words string[]
---@return integer exit status
function M.run(world, words)
  local before = {}
  for i = 1, #words - 1 do before[i] = words[i] end
  local lines = {}
  for i, candidate in ipairs(M.candidates(world, before, words[#words] or "")) do
    lines[i] = candidate[2] and candidate[1] .. "\t" .. candidate[2] or candidate[1]
  end
  if #lines > 0 then world.stdout:write(table.concat(lines, "\n"), "\n") end
  return 0
end

return M
