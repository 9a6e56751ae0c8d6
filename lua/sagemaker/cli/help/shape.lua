--- What a shape of the model looks like on a command line: its type and limits in words, its
-- members as an outline of JSON, and its shorthand syntax.

local M = {}

-- Deeper structures are told by their names.
local DEEPEST = 8

-- As many values as a sentence bears; more are listed all the same, but not in an outline.
local FEW = 6

local SCALARS = { blob = "bytes in base64", double = "number", float = "number",
  document = "any JSON", long = "integer" }

local function range(shape, what)
  local least, most = shape.min, shape.max
  if not least and not most then return nil end
  local unit = what and " " .. what or ""
  if least and most and least == most then return ("%.14g%s"):format(least, unit) end
  if least and most then return ("%.14g to %.14g%s"):format(least, most, unit) end
  if least then return ("at least %.14g%s"):format(least, unit) end
  return ("at most %.14g%s"):format(most, unit)
end

local UNITS = { blob = "bytes", list = "items", map = "entries", string = "characters" }

--- The limits of a shape in words.
---@param shape table of core's service:shape
---@return string|nil "1 to 63 characters, pattern ^[a-z]"
function M.limits(shape)
  if shape.enum then return nil end
  local words = range(shape, UNITS[shape.type])
  if shape.pattern then
    words = (words and words .. ", " or "") .. "pattern " .. shape.pattern
  end
  return words
end

--- The type of a shape as a word.
---@param service userdata
---@param shape table
---@return string "string", "list of Tag", "structure DeploymentConfig"
function M.type(service, shape)
  if shape.type == "list" then
    local item = service:shape(shape.value)
    local is_named = item.type == "structure" or item.type == "list" or item.type == "map"
    return "list of " .. (is_named and item.name or M.type(service, item))
  elseif shape.type == "map" then
    return ("map of %s to %s"):format(M.type(service, service:shape(shape.key)),
      M.type(service, service:shape(shape.value)))
  elseif shape.type == "structure" then
    return (shape.union and "union " or "structure ") .. shape.name
  end
  return SCALARS[shape.type] or shape.type
end

-- A value that is no structure, in an outline.
local function scalar(shape)
  if shape.enum and #shape.enum <= FEW then
    return '"' .. table.concat(shape.enum, '"|"') .. '"'
  elseif shape.enum then
    return ('"%s"|"%s"|... (%d values)'):format(shape.enum[1], shape.enum[2], #shape.enum)
  end
  local words = SCALARS[shape.type] or shape.type
  local limits = range(shape, shape.type ~= "string" and UNITS[shape.type] or nil)
  return limits and ("%s (%s%s)"):format(words, limits, shape.type == "string"
    and " characters" or "") or words
end

local outline

local function members(lines, service, shape, indent, path)
  for _, member in ipairs(shape.members) do
    local note = member.required and "  # required" or ""
    if member.deprecated then note = "  # deprecated" end
    outline(lines, service, service:shape(member.shape), indent,
      ('"%s": '):format(member.name), note, path)
  end
end

-- Writes a shape: `head` stands before it, `note` after its first line, `path` holds the names of
-- the shapes around it.
function outline(lines, service, shape, indent, head, note, path)
  local function add(line)
    lines[#lines + 1] = indent .. line
  end
  local kind = shape.type
  if kind ~= "structure" and kind ~= "list" and kind ~= "map" then
    return add(head .. scalar(shape) .. note)
  end
  if path[shape.name] or path.depth >= DEEPEST then
    return add(("%s%s: see %s"):format(head, kind, shape.name) .. note)
  end
  local open, close = kind == "list" and "[" or "{", kind == "list" and "]" or "}"
  if kind == "structure" and #shape.members == 0 then return add(head .. "{}" .. note) end
  local limits = shape.union and "exactly one of these" or kind ~= "structure" and M.limits(shape)
  if limits then note = note == "" and "  # " .. limits or ("%s, %s"):format(note, limits) end
  add(head .. open .. note)
  local deeper = setmetatable({ [shape.name] = true, depth = path.depth + 1 }, { __index = path })
  if kind == "structure" then
    members(lines, service, shape, indent .. "  ", deeper)
  else
    local key = kind == "map" and ("<%s>: "):format(scalar(service:shape(shape.key))) or ""
    outline(lines, service, service:shape(shape.value), indent .. "  ", key, "", deeper)
    if kind == "list" then lines[#lines + 1] = indent .. "  ..." end
  end
  return add(close)
end

--- A shape as an outline of JSON.
---@param service userdata
---@param name string of a shape
---@return string[] lines
function M.outline(service, name)
  local lines = {}
  outline(lines, service, service:shape(name), "", "", "", { depth = 0 })
  return lines
end

--- The members of a structure, one outline each, without the braces around them.
---@param service userdata
---@param name string
---@return string[] lines
function M.members(service, name)
  local lines, shape = {}, service:shape(name)
  members(lines, service, shape, "", { [name] = true, depth = 1 })
  return lines
end

local shorthand

local function shorthand_members(service, shape, path)
  local deeper = setmetatable({ [shape.name] = true, depth = path.depth + 1 }, { __index = path })
  local parts = {}
  for i, member in ipairs(shape.members) do
    local words = shorthand(service, service:shape(member.shape), deeper)
    if not words then return nil end
    parts[i] = ("%s=%s"):format(member.name, words)
  end
  return table.concat(parts, ",")
end

function shorthand(service, shape, path)
  local kind = shape.type
  if kind == "document" then return nil end
  if kind ~= "structure" and kind ~= "list" and kind ~= "map" then
    return SCALARS[kind] and (kind == "blob" and "blob" or SCALARS[kind]) or kind
  end
  if path[shape.name] or path.depth >= DEEPEST then return nil end
  if kind == "structure" then
    local words = shorthand_members(service, shape, path)
    return words and ("{%s}"):format(words)
  end
  local deeper = setmetatable({ [shape.name] = true, depth = path.depth + 1 }, { __index = path })
  local inner = shorthand(service, service:shape(shape.value), deeper)
  if not inner then return nil end
  if kind == "map" then return ("{KeyName=%s}"):format(inner) end
  return ("[%s,...]"):format(inner)
end

--- The shorthand syntax for an option of this shape.
---@param service userdata
---@param name string
---@return string|nil nil for scalars, and where the shape has no shorthand
function M.shorthand(service, name)
  local shape, root = service:shape(name), { depth = 0 }
  if shape.type == "structure" then return shorthand_members(service, shape, root) end
  if shape.type ~= "list" and shape.type ~= "map" then return nil end
  local inner = service:shape(shape.value)
  if shape.type == "map" then
    local words = shorthand(service, inner, root)
    return words and ("KeyName1=%s,KeyName2=%s"):format(words, words)
  elseif inner.type == "structure" then
    local words = shorthand_members(service, inner, root)
    return words and words .. " ..."
  end
  local words = shorthand(service, inner, root)
  return words and ("%s ..."):format(words)
end

return M
