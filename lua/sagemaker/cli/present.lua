--- An answer as it is printed: lists and objects marked, members in the model's order, timestamps
-- in ISO 8601, blobs in base64. The answer is changed in place.
--
-- What decoding loses is taken from the text of the answer where it shows: the order of the keys of
-- maps, and whether a number was written as 1 or as 1.0.

local document = require "sagemaker.cli.document"

local M = {}

-- Shapes that were asked for, with the metatable of their objects.
local function shape_of(state, name)
  local known = state[name]
  if known then return known end
  local shape = state.service:shape(name)
  known = { type = shape.type, value = shape.value }
  if shape.members then
    local order, members = {}, {}
    for i, member in ipairs(shape.members) do
      order[i] = member.name
      members[member.name] = member.shape
    end
    known.members = members
    known.meta = getmetatable(document.object({}, order))
  end
  state[name] = known
  return known
end

-- "+01:00"
local function zone(offset)
  local sign = offset < 0 and "-" or "+"
  offset = math.abs(offset)
  return ("%s%02d:%02d"):format(sign, math.floor(offset / 3600), math.floor(offset / 60) % 60)
end

--- A time in ISO 8601, local time with its offset, as Python writes it.
---@param time number seconds since the epoch
---@param offset integer seconds by which local time is ahead
---@return string
function M.iso8601(time, offset)
  local whole = math.floor(time)
  local micros = math.floor((time - whole) * 1e6 + 0.5)
  if micros == 1000000 then whole, micros = whole + 1, 0 end
  local text = require("sagemaker.core").time.format(whole + offset, "iso8601"):sub(1, 19)
  return text .. (micros > 0 and (".%06d"):format(micros) or "") .. zone(offset)
end

local to_integer = math.tointeger or tonumber -- luacheck: ignore (5.3 has it)

local function timestamp(state, time, written)
  if state.timestamps ~= "wire" then return M.iso8601(time, state.offset(time)) end
  if written ~= nil then return written end
  return time % 1 == 0 and to_integer(time) or time
end

local FLOATS = { float = true, double = true }

local function scalar(state, kind, given, written)
  if kind == "timestamp" then return timestamp(state, given, written) end
  if kind == "blob" then return require("sagemaker.core").text.base64(given) end
  if type(given) ~= "number" then return given end
  if written ~= nil and document.is_scalar(written) then return written end
  return FLOATS[kind] and document.float(given) or given
end

-- Whether an answer has something that its text shows and its values do not.
local function loses(state, shape_name, given)
  local shape = shape_of(state, shape_name)
  local kind = shape.type
  if type(given) ~= "table" then
    if kind == "timestamp" then return state.timestamps == "wire" end
    return FLOATS[kind] and type(given) == "number" and (given % 1 == 0 or given % 1 ~= given % 1)
  end
  if kind == "map" then
    if next(given) ~= nil and next(given, (next(given))) ~= nil then return true end
  elseif kind ~= "structure" and kind ~= "list" then
    return true
  end
  for key, item in pairs(given) do
    local below = kind == "structure" and shape.members[key] or kind ~= "structure" and shape.value
    if below and loses(state, below, item) then return true end
  end
  return false
end

local walk -- forward

local function walk_document(given)
  if type(given) ~= "table" then return given end
  for key, item in pairs(given) do given[key] = walk_document(item) end
  if getmetatable(given) == nil then
    if given[1] ~= nil then return document.list(given) end
    return document.object(given)
  end
  return given
end

-- The text of a part of the answer, where it is of this kind.
local function written_as(kind, written)
  return written ~= nil and document.kind(written) == kind and written or nil
end

local function walk_object(state, shape, given, written)
  written = written_as("object", written)
  for key, item in pairs(given) do
    local below = shape.type == "map" and shape.value or shape.members[key]
    if below then given[key] = walk(state, below, item, written and written[key]) end
  end
  if shape.type == "structure" then return setmetatable(given, shape.meta) end
  return document.object(given, written and document.keys(written))
end

function walk(state, shape_name, given, written)
  local shape = shape_of(state, shape_name)
  local kind = shape.type
  if type(given) ~= "table" then
    if given == nil or type(given) == "userdata" then return given end
    return scalar(state, kind, given, written)
  end
  if kind == "structure" or kind == "map" then
    return walk_object(state, shape, given, written)
  elseif kind == "list" then
    written = written_as("list", written)
    for i, item in ipairs(given) do
      given[i] = walk(state, shape.value, item, written and written[i])
    end
    return document.list(given)
  end
  return written ~= nil and written or walk_document(given)
end

--- Prepares an answer for printing.
---@param service userdata
---@param shape_name string|nil of the output; nil: there is none
---@param output table
---@param opts {timestamps: "iso8601"|"wire", offset: (fun(time: number): integer), body?: string}
---   body: the JSON that the output was decoded from, member by member under the same names
---@return table output
function M.answer(service, shape_name, output, opts)
  if not shape_name then return document.object(output) end
  local state = { service = service, timestamps = opts.timestamps, offset = opts.offset }
  local written
  if opts.body and loses(state, shape_name, output) then
    written = require("sagemaker.cli.json").decode(opts.body)
  end
  return walk(state, shape_name, output, written)
end

return M
