--- An answer as it is printed: lists and objects marked, members in the model's order, timestamps
-- in ISO 8601, blobs in base64. The answer is changed in place.

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

local function timestamp(state, time)
  if state.timestamps == "wire" then return time % 1 == 0 and to_integer(time) or time end
  return M.iso8601(time, state.offset(time))
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

function walk(state, shape_name, given)
  local shape = shape_of(state, shape_name)
  local kind = shape.type
  if type(given) ~= "table" then
    if given == nil or type(given) == "userdata" then return given end
    if kind == "timestamp" then return timestamp(state, given) end
    if kind == "float" or kind == "double" then return document.float(given) end
    if kind == "blob" then return require("sagemaker.core").text.base64(given) end
    return given
  end
  if kind == "structure" then
    for key, item in pairs(given) do
      local below = shape.members[key]
      if below then given[key] = walk(state, below, item) end
    end
    return setmetatable(given, shape.meta)
  elseif kind == "list" then
    for i, item in ipairs(given) do given[i] = walk(state, shape.value, item) end
    return document.list(given)
  elseif kind == "map" then
    for key, item in pairs(given) do given[key] = walk(state, shape.value, item) end
    return document.object(given)
  end
  return walk_document(given)
end

--- Prepares an answer for printing.
---@param service userdata
---@param shape_name string|nil of the output; nil: there is none
---@param output table
---@param opts {timestamps: "iso8601"|"wire", offset: fun(time: number): integer}
---@return table output
function M.answer(service, shape_name, output, opts)
  if not shape_name then return document.object(output) end
  local state = { service = service, timestamps = opts.timestamps, offset = opts.offset }
  return walk(state, shape_name, output)
end

return M
