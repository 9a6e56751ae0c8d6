--- The words of a command line to options and arguments, by the rules of Python's argparse, which
-- the AWS CLI follows: `--name value`, `--name=value`, any unambiguous beginning of a name, lists
-- that go on to the next option, and the last one wins.

local errors = require "sagemaker.error"
local failure = require "sagemaker.cli.failure"

local M = {}

-- What word processors make of two hyphens: U+2010 to U+2015, and the minus sign.
local DASH, MINUS = "^\226\128[\144-\149]", "^\226\136\146"

-- The option that a word names: row, the value after "=". Otherwise nil and the rows that it may
-- be the beginning of.
local function find(index, word)
  if word:byte(1) ~= 45 or #word < 2 then return nil end
  local name, value = word:match("^%-%-([^=]*)=(.*)$")
  name = name or word:match("^%-%-(.+)$")
  if not name or name == "" then return nil end
  local row = index.by_name[name]
  if row then return row, value end
  local near = {}
  for _, candidate in ipairs(index.rows) do
    if not candidate.exact and candidate.name:sub(1, #name) == name then
      near[#near + 1] = candidate
    end
  end
  if #near == 1 then return near[1], value end
  return nil, nil, near
end

-- Whether a word can be the value of an option.
local function is_value(word)
  return word:byte(1) ~= 45 or word == "-" or word:find(" ", 1, true) ~= nil
    or word:find("^%-%d+$") ~= nil or word:find("^%-%d*%.%d+$") ~= nil
end

local function choose(row, value)
  for _, choice in ipairs(row.choices) do
    if choice == value then return end
  end
  failure.usage(("--%s must be one of %s, not %q%s"):format(row.name,
    table.concat(row.choices, ", "), value, errors.hint(value, row.choices)))
end

local function integer(row, value)
  local digits = value:match("^%s*([+-]?%d+)%s*$")
  if not digits then
    failure.usage(("--%s must be a whole number, not %q"):format(row.name, value))
  end
  return tonumber((digits:gsub("^%+", "")))
end

--- The value of an option's text.
---@param row table
---@param value string
---@return any
function M.convert(row, value)
  if row.choices then choose(row, value) end
  if row.kind == "integer" then return integer(row, value) end
  return value
end

local function missing(row, following)
  local hint = ""
  if following and following:byte(1) == 45 then
    hint = (", but %s follows (a value that begins with a dash: --%s=%s)"):format(following,
      row.name, following)
  end
  failure.usage(("--%s needs a value%s"):format(row.name, hint))
end

local function is_free(index, word)
  return is_value(word) and not find(index, word)
end

-- Takes the values of the option at words[at]; answers where to go on.
local function take(index, row, explicit, words, at, values)
  local key = row.key or row.name:gsub("-", "_")
  if row.kind == "flag" then
    if explicit then
      failure.usage(("--%s takes no value (it has %q)"):format(row.name, explicit))
    end
    values[key] = row.sets == nil or row.sets
    return at + 1
  elseif row.kind == "list" then
    local list = { explicit }
    at = at + 1
    while not explicit and words[at] and is_free(index, words[at]) do
      list[#list + 1], at = words[at], at + 1
    end
    values[key] = list
    return at
  end
  local following = words[at + 1]
  if explicit then
    values[key] = M.convert(row, explicit)
    return at + 1
  elseif following and is_free(index, following) then
    values[key] = M.convert(row, following)
    return at + 2
  elseif row.optional then
    values[key] = row.optional
    return at + 1
  end
  return missing(row, following)
end

local indexes = setmetatable({}, { __mode = "k" })

local function index_of(rows)
  local index = indexes[rows]
  if not index then
    index = { rows = rows, by_name = {} }
    for _, row in ipairs(rows) do index.by_name[row.name] = row end
    indexes[rows] = index
  end
  return index
end

-- Whether a word is left to other options: it is the name of one, or may be the beginning of one
-- and is no name of ours.
local function is_theirs(word, index, others)
  local name = word:match("^%-%-([^=]+)")
  if not name then return false end
  if others.by_name[name] then return true end
  if index.by_name[name] then return false end
  for _, row in ipairs(others.rows) do
    if row.name:sub(1, #name) == name then return true end
  end
  return false
end

--- Takes the options out of `words` that `rows` has; the others stay in order.
---@param words string[]
---@param rows table[]
---@param others? table[] rows whose names, and beginnings of them, are not taken for beginnings of
---   those of `rows`
---@return table<string, any> values
---@return string[] rest
function M.extract(words, rows, others)
  local index, values, rest, at = index_of(rows), {}, {}, 1
  local theirs = others and index_of(others)
  while words[at] do
    local word = words[at]
    if word == "--" then
      for i = at, #words do rest[#rest + 1] = words[i] end
      break
    end
    local row, explicit = find(index, word)
    if row and not (theirs and is_theirs(word, index, theirs)) then
      at = take(index, row, explicit, words, at, values)
    else
      rest[#rest + 1], at = word, at + 1
    end
  end
  return values, rest
end

local function names_of(rows)
  local names = {}
  for _, row in ipairs(rows) do names[#names + 1] = row.name end
  for _, row in ipairs(require "sagemaker.cli.globals") do names[#names + 1] = row.name end
  return names
end

-- The first required option that has no value: what stands alone may have been meant for it.
local function meant(word, rows, values)
  for _, row in ipairs(word:byte(1) ~= 45 and rows or {}) do
    if row.required and values[row.key or row.name:gsub("-", "_")] == nil then
      return (" (did you mean --%s %s?); a value with spaces needs quotes"):format(row.name, word)
    end
  end
  return "; a value with spaces needs quotes"
end

local function unknown(word, rows, near, what, values)
  if near and near[1] then
    local names = {}
    for i, row in ipairs(near) do names[i] = "--" .. row.name end
    table.sort(names)
    failure.usage(("%s could be %s"):format(word, table.concat(names, ", ")))
  end
  local name = word:match("^%-%-([^=]+)")
  if not name then
    local dash = word:match(DASH) or word:match(MINUS)
    if dash then
      failure.usage(('%s: "%s" begins with a typographic dash (%s); write --%s'):format(what, word,
        dash, (word:gsub(dash, ""):gsub("^%-+", ""))))
    end
    local nearest = word:find("^%-%a") and errors.nearest(word:sub(2), names_of(rows))
    local hint = nearest and (" (did you mean --%s?)"):format(nearest) or meant(word, rows, values)
    failure.usage(("%s: %q belongs to no option%s"):format(what, word, hint))
  end
  local nearest = errors.nearest(name, names_of(rows))
  failure.usage(("unknown option %s of %s%s"):format(word, what,
    nearest and (" (did you mean --%s?)"):format(nearest) or ""))
end

--- Parses all words that are left for a command.
---@param words string[]
---@param rows table[] its options
---@param positionals? {name: string, required?: boolean, key?: string}[]
---@param what string the command, for messages
---@return table<string, any> values
function M.parse(words, rows, positionals, what)
  local index, values, at, filled, only = index_of(rows), {}, 1, 0, false
  while words[at] do
    local word = words[at]
    local row, explicit, near
    if not only then row, explicit, near = find(index, word) end
    if word == "--" and not only then
      only, at = true, at + 1
    elseif row then
      at = take(index, row, explicit, words, at, values)
    elseif (only or is_value(word)) and positionals and positionals[filled + 1] then
      filled, at = filled + 1, at + 1
      local place = positionals[filled]
      values[place.key or place.name:gsub("-", "_")] = word
    elseif word == "" then -- an empty "$OPTIONS" in a script
      at = at + 1
    else
      unknown(word, rows, near, what, values)
    end
  end
  return values
end

--- Ends the command where something is missing.
---@param values table<string, any>
---@param rows table[]
---@param positionals? table[]
---@param what string
function M.need(values, rows, positionals, what)
  local lacking = {}
  for _, row in ipairs(rows) do
    if row.required and values[row.key or row.name:gsub("-", "_")] == nil then
      lacking[#lacking + 1] = "--" .. row.name
    end
  end
  for _, place in ipairs(positionals or {}) do
    if place.required and values[place.key or place.name:gsub("-", "_")] == nil then
      lacking[#lacking + 1] = place.value or place.name
    end
  end
  if #lacking > 0 then
    failure.usage(("%s needs %s; `%s --help` tells about its options"):format(what,
      table.concat(lacking, ", "), "sagemaker " .. what))
  end
end

return M
