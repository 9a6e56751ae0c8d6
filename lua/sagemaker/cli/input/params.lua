--- The parameters of a call, from options: what their texts mean is said by the shapes of the
-- model.

local errors = require "sagemaker.error"
local failure = require "sagemaker.cli.failure"
local files = require "sagemaker.cli.input.file"
local json = require "sagemaker.cli.json"
local document = require "sagemaker.cli.document"

local M = {}

local COMPLEX = { structure = true, list = true, map = true }

local function refuse(name, problem)
  failure.usage(("%s: %s"):format(name, problem))
end

-- Line and column, in characters, of a byte of a text.
local function position(text, at)
  local line, start = 1, 1
  for stop in text:gmatch("()\n") do
    if stop >= at then break end
    line, start = line + 1, stop + 1
  end
  local _, follow = text:sub(start, at - 1):gsub("[\128-\191]", "")
  return ("line %d, column %d"):format(line, at - start + 1 - follow)
end

-- What stands where something else is expected.
local function found(text, at)
  if at > #text then return ", found the end" end
  local word = text:match("^[%w_.+-]+", at)
    or text:match("^[%z\1-\127\194-\244][\128-\191]*", at)
  if not word then return "" end
  if word:find "^%c" then return (", found byte 0x%02x"):format(word:byte()) end
  return (", found %q"):format(word:sub(1, 20))
end

-- The value of a JSON text that a person wrote.
local function read_json(name, text)
  text = text:gsub("^\239\187\191", "") -- editors and shells of Windows begin files with it
  local result, message, at = json.decode(text)
  if message then
    if not message:find("found", 1, true) then message = message .. found(text, at) end
    refuse(name, ("invalid JSON at %s: %s"):format(position(text, at), message))
  end
  return document.unbox(result)
end

-- {{ Scalars

-- A whole number as Python's int() reads it.
local function integer(name, text)
  local digits = text:match("^%s*([+-]?%d[%d_]*)%s*$")
  local number = digits and tonumber((digits:gsub("[_+]", "")))
  if not number then refuse(name, ("expected a whole number, not %q"):format(text)) end
  return number
end

local WORDS = { nan = "nan", inf = "inf", infinity = "inf", ["+inf"] = "inf", ["-inf"] = "-inf",
  ["-infinity"] = "-inf", ["+infinity"] = "inf" }
local NUMBERS = { nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }

local function float(name, text)
  local trimmed = text:match("^%s*(.-)%s*$")
  local digits = trimmed:gsub("(%d)_%f[%d]", "%1")
  local number = digits:find("^[+-]?[%d.]") and not digits:find("[xX]")
    and tonumber((digits:gsub("^%+", "")))
  number = number or NUMBERS[WORDS[trimmed:lower()]]
  if not number then refuse(name, ("expected a number, not %q"):format(text)) end
  return number
end

local function base64(name, text, binary)
  if binary ~= "base64" then return text end
  local bytes = require("sagemaker.core").text.unbase64((text:gsub("%s+", "")))
  if not bytes then
    refuse(name, "this is not base64; give bytes with fileb://FILE, or text with "
      .. "--cli-binary-format raw-in-base64-out")
  end
  return bytes
end

-- The value that a text has for a shape that is no structure, list or map.
local function scalar(ctx, name, shape, text)
  local kind = shape.type
  if files.is_bytes(text) then
    if kind == "blob" then return text.bytes end
    if kind == "string" then
      refuse(name, "this is text, and fileb:// gives bytes; use file://")
    end
    text = text.bytes
  end
  if kind == "integer" or kind == "long" then return integer(name, text) end
  if kind == "float" or kind == "double" then return float(name, text) end
  if kind == "blob" then return base64(name, text, ctx:binary()) end
  if kind == "timestamp" then return require("sagemaker.cli.input.time").normal(text) end
  if kind == "boolean" then
    local word = text:lower()
    if word == "true" or word == "false" then return word == "true" end
    refuse(name, ("expected true or false, not %q"):format(text))
  end
  return text
end

-- }}

-- {{ Values from shorthand, and blobs in JSON

local coerce -- forward

local function near_member(name, key, shape)
  local names = {}
  for i, member in ipairs(shape.members) do names[i] = member.name end
  local hint = errors.hint(key, names)
  if hint == "" then hint = "; there are " .. table.concat(names, ", ") end
  refuse(name, ("unknown key %q%s"):format(key, hint))
end

local function coerce_structure(ctx, name, shape, given)
  local shapes = {}
  for _, member in ipairs(shape.members) do shapes[member.name] = member.shape end
  for key, item in pairs(given) do
    if not shapes[key] then near_member(name, key, shape) end
    given[key] = coerce(ctx, name .. "." .. key, shapes[key], item)
  end
  return given
end

-- What shorthand has read, made what the shape says.
function coerce(ctx, name, shape_name, given)
  local shape = ctx.service:shape(shape_name)
  local kind = shape.type
  local is_table = type(given) == "table" and not files.is_bytes(given)
  if kind == "document" then
    refuse(name, "a document has no shorthand; give the whole option as JSON")
  elseif kind == "list" then
    if not is_table or document.kind(given) == "object" then given = { given } end
    for i, item in ipairs(given) do
      given[i] = coerce(ctx, ("%s[%d]"):format(name, i - 1), shape.value, item)
    end
    return document.list(given)
  elseif not is_table then
    if COMPLEX[kind] then return given end -- the encoder says what is wrong with it
    return scalar(ctx, name, shape, given)
  elseif document.kind(given) == "list" then
    return given
  elseif kind == "structure" then
    return coerce_structure(ctx, name, shape, given)
  elseif kind == "map" then
    for key, item in pairs(given) do
      given[key] = coerce(ctx, name .. "." .. key, shape.value, item)
    end
  end
  return given
end

-- Whether blobs are somewhere below a shape; `seen` keeps recursive shapes from going on for ever.
local function holds_blob(service, shape_name, seen)
  if seen[shape_name] then return false end
  seen[shape_name] = true
  local shape = service:shape(shape_name)
  if shape.type == "blob" then return true end
  if shape.value and holds_blob(service, shape.value, seen) then return true end
  for _, member in ipairs(shape.members or {}) do
    if COMPLEX[member.type] or member.type == "blob" then
      if holds_blob(service, member.shape, seen) then return true end
    end
  end
  return false
end

-- Decodes the blobs in a value that came as JSON.
local function decode_blobs(ctx, name, shape_name, given)
  local shape = ctx.service:shape(shape_name)
  if shape.type == "blob" and type(given) == "string" then
    return base64(name, given, ctx:binary())
  elseif type(given) ~= "table" then
    return given
  end
  for key, item in pairs(given) do
    local below = shape.value
    for _, member in ipairs(shape.members or {}) do
      if member.name == key then below = member.shape end
    end
    if below then given[key] = decode_blobs(ctx, name .. "." .. key, below, item) end
  end
  return given
end

-- }}

-- Refuses {} where a list belongs and [] where an object does: the encoder takes both for either.
local function check_empty(ctx, name, shape_name, given)
  if type(given) ~= "table" or document.kind(given) == "number" then return end
  local shape = ctx.service:shape(shape_name)
  local kind = shape.type == "list" and "list" or COMPLEX[shape.type] and "object"
  if kind and next(given) == nil and document.kind(given) ~= kind then
    refuse(name, kind == "list" and "expected a list ([…]), not an object ({})"
      or "expected an object ({…}), not a list ([])")
  end
  local shapes = {}
  for _, member in ipairs(shape.members or {}) do shapes[member.name] = member.shape end
  for key, item in pairs(given) do
    local below = shape.value or shapes[key]
    local place = type(key) == "number" and ("%s[%d]"):format(name, key - 1) or name .. "." .. key
    if below then check_empty(ctx, place, below, item) end
  end
end

-- The value of a text of JSON for a shape. A list may be given by its only item, an object.
local function read_shaped(ctx, name, shape_name, text)
  local result = read_json(name, text)
  local shape = ctx.service:shape(shape_name)
  if shape.type == "list" and type(result) == "table" and document.kind(result) == "object" then
    shape_name = shape.value
  end
  if text:find("[%[{]%s*[%]}]") then check_empty(ctx, name, shape_name, result) end
  return result
end

local function decode_json(ctx, name, shape_name, text)
  if files.is_bytes(text) then text = text.bytes end
  local result = read_shaped(ctx, name, shape_name, text)
  if holds_blob(ctx.service, shape_name, {}) then
    result = decode_blobs(ctx, name, shape_name, result)
  end
  return result
end

local function loader(ctx, name)
  return function(word) return files.load(ctx.world, name, word) end
end

local function decode_shorthand(ctx, name, shape_name, text)
  if files.is_bytes(text) then text = text.bytes end
  local result, message = require("sagemaker.cli.input.shorthand").parse(text, loader(ctx, name))
  if not result then
    refuse(name, message .. "\nGive shorthand (Key=value,…) or JSON; both can stand in a file: "
      .. "file://PATH")
  end
  return coerce(ctx, name, shape_name, result)
end

-- Whether a text is JSON for a list or an object; where only a list is meant, "{" may begin a text.
local function looks_like_json(text, also_object)
  if files.is_bytes(text) then text = text.bytes end
  return type(text) == "string" and text:find(also_object and "^%s*[%[{]" or "^%s*%[") ~= nil
end

-- One word for a structure, a list or a map.
local function complex(ctx, name, shape, text)
  if looks_like_json(text, true) then return decode_json(ctx, name, shape.name, text) end
  local only = shape.type == "structure" and #shape.members == 1 and shape.members[1]
  if only and only.name == "Value" and only.type == "string" and type(text) == "string"
    and not text:find("=", 1, true) then
    return { Value = text }
  end
  return decode_shorthand(ctx, name, shape.name, text)
end

-- The words of a list: a JSON list, or one item a word.
local function list(ctx, name, shape, words)
  local item = ctx.service:shape(shape.value)
  if #words == 1 then
    local text = files.load(ctx.world, name, words[1])
    if text ~= nil then
      words = { text }
    else
      text = words[1]
    end
    if looks_like_json(text, COMPLEX[item.type] or item.type == "document") then
      local result = decode_json(ctx, name, shape.name, text)
      if document.kind(result) == "object" then result = { result } end
      return document.list(result)
    end
  end
  local items = {}
  for i, word in ipairs(words) do
    local place = #words > 1 and ("%s (value %d)"):format(name, i) or name
    if COMPLEX[item.type] then
      items[i] = complex(ctx, place, item, word)
    elseif item.type == "document" then
      items[i] = decode_json(ctx, place, item.name, word)
    else
      items[i] = scalar(ctx, place, item, word)
    end
  end
  return document.list(items)
end

-- All of the standard input, which may be closed or a directory.
local function standard_input(ctx, name)
  local bytes, message = ctx.world.stdin:read("*a")
  if not bytes then
    failure.usage(("%s: cannot read the standard input: %s"):format(name, tostring(message)))
  end
  return bytes
end

--- The value of an option.
---@param ctx table the context, with the service that the shapes are of
---@param row table of sagemaker.cli.options
---@param given string|string[]|boolean
---@return any
function M.of_option(ctx, row, given)
  local name = "--" .. row.name
  if type(given) == "boolean" then return given end
  local shape = ctx.service:shape(row.member.shape)
  if shape.type == "list" then return list(ctx, name, shape, given) end
  local text = files.load(ctx.world, name, given)
  if text == nil then text = given end
  if shape.type == "blob" and given == "-" then return standard_input(ctx, name) end
  if shape.type == "document" or row.member.jsonvalue then
    return decode_json(ctx, name, shape.name, text)
  elseif COMPLEX[shape.type] then
    return complex(ctx, name, shape, text)
  end
  return scalar(ctx, name, shape, text)
end

-- The members that --cli-input-json or --cli-input-yaml gives.
local function from_document(ctx, options)
  local text, is_yaml = options.cli_input_json, false
  if options.cli_input_yaml then
    if text then failure.usage("give one of --cli-input-json and --cli-input-yaml") end
    text, is_yaml = options.cli_input_yaml, true
  end
  if not text then return {} end
  local name = is_yaml and "--cli-input-yaml" or "--cli-input-json"
  local loaded = files.load(ctx.world, name, text)
  if files.is_bytes(loaded) then loaded = loaded.bytes end
  local result
  if is_yaml then
    result = require("sagemaker.cli.input.yaml").decode(loaded or text)
  else
    if not loaded and text:find "^[%a./~]" then
      refuse(name, ("%q is no JSON object; a file is given as file://%s"):format(text, text))
    end
    text = loaded or text
    local input = text:find("^%s*{") and ctx.operation.input
    result = input and read_shaped(ctx, name, input, text) or read_json(name, text)
  end
  if type(result) ~= "table" or document.kind(result) ~= "object" then
    refuse(name, ("expected an object of parameters ({…}), not %s"):format(
      document.kind(result) == "null" and "null" or "a " .. document.kind(result)))
  end
  local input = ctx.operation.input
  if input and holds_blob(ctx.service, input, {}) then
    result = decode_blobs(ctx, name, input, result)
  end
  return result
end

--- The parameters of a call.
---@param ctx table with service, operation and world
---@param rows table[]
---@param options table<string, any>
---@return table params
function M.of(ctx, rows, options)
  local params = from_document(ctx, options)
  for _, row in ipairs(rows) do
    if row.member and not row.negates and options[row.key] ~= nil then
      params[row.key] = M.of_option(ctx, row, options[row.key])
    end
  end
  return params
end

return M
