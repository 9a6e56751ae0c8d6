--- Lines of fields between tabs, for cut, awk and while read; as the AWS CLI prints them.
--
-- An object is a line of its scalars, in the order of their keys; what it holds besides follows,
-- each line with the name of its key in capitals in front. The objects of a list have the same
-- columns: a scalar that one of them lacks leaves its field empty.
-- https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-output-format.html#text-output

local document = require "sagemaker.cli.document"
local plain = require "sagemaker.cli.output.plain"

local M = {}

local kind, is_scalar, text = document.kind, document.is_scalar, plain.text

local write

local function line(out, fields)
  out(table.concat(fields, "\t") .. "\n")
end

-- The keys under which the objects of a list have scalars; those of any of them.
local function scalar_keys(list)
  local seen = {}
  for i = 1, #list do
    if kind(list[i]) == "object" then
      for key, value in pairs(list[i]) do
        if is_scalar(value) then seen[key] = true end
      end
    end
  end
  return document.sorted_keys(seen)
end

-- The keys of an object's own scalars, and those of the rest.
local function divide(object)
  local scalars, rest = {}, {}
  for _, key in ipairs(document.sorted_keys(object)) do
    local part = is_scalar(object[key]) and scalars or rest
    part[#part + 1] = key
  end
  return scalars, rest
end

-- The keys of an object that are none of the columns of its list.
local function beside(object, columns)
  local taken, rest = {}, {}
  for _, key in ipairs(columns) do taken[key] = true end
  for _, key in ipairs(document.sorted_keys(object)) do
    if not taken[key] then rest[#rest + 1] = key end
  end
  return rest
end

local function write_object(object, name, columns, out)
  local keys, rest
  if columns then
    keys, rest = columns, beside(object, columns)
  else
    keys, rest = divide(object)
  end
  if #keys > 0 then
    local fields = {}
    if name then fields[1] = name:upper() end
    for _, key in ipairs(keys) do
      fields[#fields + 1] = object[key] == nil and "" or text(object[key])
    end
    line(out, fields)
  end
  for _, key in ipairs(rest) do write(object[key], key, nil, out) end
end

local function write_scalars(list, name, out)
  local fields = {}
  for i = 1, #list do
    if name then
      line(out, { name:upper(), text(list[i]) })
    else
      fields[i] = text(list[i])
    end
  end
  if not name then line(out, fields) end
end

local function has(list, wanted)
  for i = 1, #list do
    if kind(list[i]) == wanted then return true end
  end
  return false
end

local function write_list(list, name, out)
  if has(list, "object") then
    local columns = scalar_keys(list)
    for i = 1, #list do write(list[i], name, columns, out) end
    return
  end
  local scalars, rest = {}, {}
  for i = 1, #list do
    local part = is_scalar(list[i]) and scalars or rest
    part[#part + 1] = list[i]
  end
  if #scalars > 0 then write_scalars(scalars, name, out) end
  for i = 1, #rest do write(rest[i], name, nil, out) end
end

function write(value, name, columns, out)
  local is = kind(value)
  if is == "object" then
    write_object(value, name, columns, out)
  elseif is == "list" then
    write_list(value, name, out)
  else
    line(out, { text(value) })
  end
end

--- Prints a value.
---@param value any a document
---@param _ table
---@param out fun(text: string)
function M.write(value, _, out)
  write(value, nil, nil, out)
end

return M
