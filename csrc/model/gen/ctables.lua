--- Writes the C file of a service: the list of strings, shapes and operations that tables.h turns
-- into constant tables (its header explains the words).

local json = require "gen.json"
local names = require "gen.names"

local M = {}

local TYPES = {
  structure = "SM_STRUCTURE", list = "SM_LIST", map = "SM_MAP", string = "SM_STRING",
  boolean = "SM_BOOLEAN", integer = "SM_INTEGER", long = "SM_LONG", float = "SM_FLOAT",
  double = "SM_DOUBLE", blob = "SM_BLOB", timestamp = "SM_TIMESTAMP",
}

local FORMATS = {
  unixTimestamp = "SM_TS_EPOCH", iso8601 = "SM_TS_ISO8601", rfc822 = "SM_TS_RFC7231",
}

local LOCATIONS = {
  uri = "SM_IN_LABEL", querystring = "SM_IN_QUERY", header = "SM_IN_HEADER",
  headers = "SM_IN_HEADERS", statusCode = "SM_IN_STATUS",
}

local PROTOCOLS = { json = "SM_AWS_JSON", ["rest-json"] = "SM_REST_JSON", query = "SM_AWS_QUERY" }

-- Lists of {trait of the model, word of tables.h}, in the order of the words there.
local SHAPE_FLAGS = {
  { "union", "UNION" }, { "fault", "FAULT" }, { "sensitive", "SENSITIVE" },
  { "eventstream", "EVENTSTREAM" }, { "event", "EVENT" },
}

local MEMBER_FLAGS = {
  { "idempotencyToken", "TOKEN" }, { "jsonvalue", "JSONVALUE" }, { "hostLabel", "HOSTLABEL" },
  { "flattened", "FLATTENED" },
  { "eventpayload", "EVENTPAYLOAD" }, { "eventheader", "EVENTHEADER" },
  { "deprecated", "DEPRECATED" },
}

local OPERATION_FLAGS = {
  { "readonly", "READONLY" }, { "idempotent", "IDEMPOTENT" },
  { "httpChecksumRequired", "CHECKSUM" },
}

-- Adds the words of the traits that a table has.
local function add_flags(flags, from, list)
  for _, pair in ipairs(list) do
    if from[pair[1]] then flags[#flags + 1] = pair[2] end
  end
  return flags
end

local function join_flags(flags)
  return #flags > 0 and table.concat(flags, " | ") or "0"
end

local Writer = {}
Writer.__index = Writer
Writer.__name = "gen.ctables"

function Writer:line(format, ...)
  self.lines[#self.lines + 1] = format:format(...)
end

--- The id of a text, which joins the string pool.
function Writer:text(text)
  if text == nil then return "0" end
  self.texts[text] = true
  return (names.id(text))
end

function Writer:member(structure, shape, name)
  local member, target = shape.members[name], self.model.shapes[shape.members[name].shape]
  local function trait(key) return member[key] or target[key] end
  local rest = self.model.metadata.protocol == "rest-json"
  local location = rest and LOCATIONS[trait("location") or ""] or "SM_IN_BODY"
  local flags = {}
  if self.required[name] then flags[1] = "REQUIRED" end
  add_flags(flags, setmetatable({}, { __index = function(_, key) return trait(key) end }),
    MEMBER_FLAGS)
  if location == "SM_IN_QUERY" and target.type == "map" then location = "SM_IN_QUERIES" end
  if rest and shape.payload == name then location = "SM_IN_PAYLOAD" end
  local wire, format = trait("locationName") or name, FORMATS[member.timestampFormat or ""]
  if trait("flattened") and target.member then wire = target.member.locationName or wire end
  self.member_names[name] = true
  if wire == name and location == "SM_IN_BODY" and not format then
    self:line("MEMBER(%s, %s, %s, %s)", structure, self:text(name), member.shape,
      join_flags(flags))
  else
    self:line("MEMBER_(%s, %s, %s, %s, %s, %s, %s)", structure, self:text(name), member.shape,
      join_flags(flags), self:text(wire), location, format or "SM_TS_DEFAULT")
  end
end

function Writer:structure(name, shape, flags)
  local payload = shape.payload and ("AT(%s, %s)"):format(name, names.id(shape.payload))
    or "SM_NONE"
  if shape.exception or shape.error then
    local error = shape.error or {}
    self:line("EXCEPTION(%s, %s, %s, %s, %d)", name, flags, payload,
      self:text(error.code or name), error.httpStatusCode or 0)
  else
    self:line("STRUCTURE(%s, %s, %s)", name, flags, payload)
  end
  self.required = {}
  for _, required in ipairs(shape.required or {}) do self.required[required] = true end
  for _, member in ipairs(json.keys(shape.members)) do self:member(name, shape, member) end
  self:line("END(%s)", name)
end

function Writer:string(name, shape, flags, limits)
  local word = shape.enum and "ENUM" or "STRING"
  self:line("%s(%s, %s, %s, %s)", word, name, flags, limits, self:text(shape.pattern))
  for _, value in ipairs(shape.enum or {}) do self:line("VALUE(%s, %s)", name, self:text(value)) end
  if shape.enum then self:line("END_ENUM(%s)", name) end
end

function Writer:list(name, shape, flags, limits)
  local item = shape.member
  if item.locationName then
    self:line("LIST_(%s, %s, %s, %s, %s)", name, flags, limits, item.shape,
      self:text(item.locationName))
  else
    self:line("LIST(%s, %s, %s, %s)", name, flags, limits, item.shape)
  end
end

function Writer:map(name, shape, flags, limits)
  local key, value = shape.key, shape.value
  if key.locationName or value.locationName then
    self:line("MAP_(%s, %s, %s, %s, %s, %s, %s)", name, flags, limits, key.shape, value.shape,
      self:text(key.locationName), self:text(value.locationName))
  else
    self:line("MAP(%s, %s, %s, %s, %s)", name, flags, limits, key.shape, value.shape)
  end
end

function Writer:shape(name, shape)
  local list = {}
  if shape.min then list[#list + 1] = "HAS_MIN" end
  if shape.max then list[#list + 1] = "HAS_MAX" end
  local flags = join_flags(add_flags(list, shape, SHAPE_FLAGS))
  local limits = names.number(shape.min or 0) .. ", " .. names.number(shape.max or 0)
  self:text(name)
  if shape.document then
    self:line("SCALAR(%s, SM_DOCUMENT, %s, %s, SM_TS_DEFAULT)", name, flags, limits)
  elseif shape.type == "structure" then
    self:structure(name, shape, flags)
  elseif shape.type == "list" then
    self:list(name, shape, flags, limits)
  elseif shape.type == "map" then
    self:map(name, shape, flags, limits)
  elseif shape.type == "string" then
    self:string(name, shape, flags, limits)
  else
    self:line("SCALAR(%s, %s, %s, %s, %s)", name,
      TYPES[shape.type] or error("shape " .. name .. ": type " .. tostring(shape.type)), flags,
      limits, FORMATS[shape.timestampFormat or ""] or "SM_TS_DEFAULT")
  end
end

-- Is any member of the structure an event stream?
local function streams(model, structure)
  for _, member in pairs(structure and structure.members or {}) do
    if model.shapes[member.shape].eventstream then return true end
  end
  return false
end

local function operation_flags(model, op, output)
  local flags = {}
  local auth = op.auth and op.auth[1]
  if op.authtype == "none" or auth == "smithy.api#noAuth" then flags[1] = "UNSIGNED" end
  add_flags(flags, op, OPERATION_FLAGS)
  if op.httpChecksum and op.httpChecksum.requestChecksumRequired then
    flags[#flags + 1] = "CHECKSUM"
  end
  if streams(model, output) then flags[#flags + 1] = "STREAM_OUTPUT" end
  return join_flags(flags)
end

-- AT(input, member) of the idempotency token, or SM_NONE.
local function token_of(model, input)
  local shape = input and model.shapes[input]
  for _, name in ipairs(json.keys(shape and shape.members)) do
    if shape.members[name].idempotencyToken then
      return ("AT(%s, %s)"):format(input, names.id(name))
    end
  end
  return "SM_NONE"
end

function Writer:operation(name, op)
  local http, host = op.http or {}, op.endpoint and op.endpoint.hostPrefix
  local input, output = op.input and op.input.shape, op.output and op.output.shape
  local row = ("%s, %s, %s, %s, %s, %s"):format(self:text(name), self:text(names.snake(name)),
    input or "0", output or "0", operation_flags(self.model, op, self.model.shapes[output or ""]),
    token_of(self.model, input))
  local method, uri, status = http.method or "POST", http.requestUri or "/", http.responseCode or 0
  local method_id, uri_id = self:text(method), self:text(uri)
  if op.output and op.output.resultWrapper then
    self:line("QUERY(%s, %s)", row, self:text(op.output.resultWrapper))
  elseif method == "POST" and uri == "/" and status == 0 and not host then
    self:line("OPERATION(%s)", row)
  else
    self:line("OPERATION_(%s, %s, %s, %d, %s)", row, method_id, uri_id, status, self:text(host))
  end
  for _, reference in ipairs(op.errors or {}) do
    self:line("ERROR(%s, %s)", name, reference.shape)
  end
  self:line("END(%s)", name)
end

-- One of the two kinds of strings, in byte order.
function Writer:pool(word, want_names)
  local taken = self.taken
  for _, text in ipairs(json.sorted(self.texts)) do
    if (self.member_names[text] ~= nil) == want_names then
      local id, plain = names.id(text)
      if taken[id] then error(("%q and %q have the same id"):format(text, taken[id])) end
      taken[id] = text
      if plain then
        self:line("%s(%s)", word, id)
      else
        self:line("%s_(%s, %s)", word, id, names.literal(text))
      end
    end
  end
end

-- Runs a method and returns the lines that it wrote.
function Writer:section(write)
  local before = self.lines
  self.lines = {}
  write()
  local text = table.concat(self.lines, "\n")
  self.lines = before
  return text
end

-- The protocol to speak: the one that a service names first, of those that there is a codec for.
local function protocol_of(metadata)
  for _, name in ipairs(metadata.protocols or { metadata.protocol }) do
    if PROTOCOLS[name] then return PROTOCOLS[name] end
  end
  return PROTOCOLS[metadata.protocol] or error("protocol " .. tostring(metadata.protocol))
end

function Writer:metadata()
  local m = self.model.metadata
  local protocol = protocol_of(m)
  self:line("METADATA(%s, %d, %s, %s, %s, %s, %s, %s)", protocol, m.awsQueryCompatible and 1 or 0,
    self:text(m.serviceId), self:text(m.signingName or m.endpointPrefix),
    self:text(m.endpointPrefix), self:text(m.targetPrefix), self:text(m.jsonVersion),
    self:text(m.apiVersion))
end

local function sections(writer)
  local model = writer.model
  local parts = {}
  parts.shapes = writer:section(function()
    for _, name in ipairs(json.sorted(model.shapes)) do writer:shape(name, model.shapes[name]) end
  end)
  parts.operations = writer:section(function()
    for _, name in ipairs(json.sorted(model.operations)) do
      writer:operation(name, model.operations[name])
    end
  end)
  parts.order = writer:section(function()
    local order = json.sorted(model.operations)
    table.sort(order, function(a, b) return names.snake(a) < names.snake(b) end)
    for _, name in ipairs(order) do writer:line("SNAKE(%s)", name) end
  end)
  parts.metadata = writer:section(function() writer:metadata() end)
  parts.strings = writer:section(function() -- last: the others say which there are
    writer:pool("NAME", true)
    writer:line("NAMES_END()")
    writer:pool("TEXT", false)
  end)
  return parts
end

local TEMPLATE = [[
/*
** ${file}.c: the shapes of ${title}, API version ${version}.
** Generated by csrc/model/generate.lua, do not edit.
** sha256 of the model: ${digest}
*/
/* clang-format off */
#ifndef SM_PART
#define SM_SERVICE sm_service_${file}
#define SM_FILE "${file}.c"
#include "tables.h"
#elif SM_PART == SM_STRINGS
${strings}
#elif SM_PART == SM_SHAPES
${shapes}
#elif SM_PART == SM_OPERATIONS
${operations}
#elif SM_PART == SM_ORDER
${order}
#elif SM_PART == SM_METADATA
${metadata}
#endif
]]

--- The text of the C file of a service.
---@param model table decoded by gen.json
---@param file string name of the file without ".c", and end of the name of its sm_service
---@param digest string sha256 of the model
---@return string
function M.write(model, file, digest)
  local writer = setmetatable({
    model = model, lines = {}, texts = {}, member_names = {}, taken = {}, required = {},
  }, Writer)
  local parts = sections(writer)
  parts.file, parts.digest = file, digest
  parts.title, parts.version = model.metadata.serviceFullName, model.metadata.apiVersion
  return (TEMPLATE:gsub("%${(%w+)}", parts))
end

return M
