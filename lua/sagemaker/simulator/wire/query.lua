--- The service's side of AWS's query protocol: forms in, XML out, by the shapes of the model.
-- https://smithy.io/2.0/aws/protocols/aws-query-protocol.html

local core = require "sagemaker.core"
local json = require "sagemaker.simulator.json"

local M = {}

-- A form with more fields, or a name with more steps, is nobody's request.
local MAX_FIELDS, MAX_STEPS = 10000, 32

local function decoded(text)
  return core.text.percent_decode((text:gsub("%+", " ")))
end

-- The fields of a form as a tree: "A.member.1" is tree.A.member["1"]. Text stands in ["="].
local function tree_of(form)
  local root, fields = {}, 0
  for name, value in form:gmatch("([^&=]+)=?([^&]*)") do
    name, value = decoded(name), decoded(value)
    fields = fields + 1
    if not name or not value or fields > MAX_FIELDS then return nil end
    local node, steps = root, 0
    for step in name:gmatch("[^.]+") do
      node[step] = node[step] or {}
      node, steps = node[step], steps + 1
      if steps > MAX_STEPS then return nil end
    end
    node["="] = value
  end
  return root
end

local convert

-- What the service says of a value that is not what its shape demands.
local function malformed(name)
  error({ message = ("The value of %s is not valid."):format(name) }, 0)
end

-- The items of a list or map: below "member" or "entry", or, flattened, right here.
local function items_of(node)
  if not node["1"] then
    for key, child in pairs(node) do
      if key ~= "=" then node = child end
    end
  end
  local items = {}
  while node[tostring(#items + 1)] do items[#items + 1] = node[tostring(#items + 1)] end
  return items
end

local SCALARS = {
  string = function(text) return core.text.utf8_valid(text) and text or nil end,
  integer = function(text) return text:find("^%-?%d+$") and tonumber(text) or nil end,
  double = function(text) return tonumber(text) end,
  boolean = function(text)
    if text == "true" then return true end
    if text == "false" then return false end
    return nil
  end,
  timestamp = function(text) return core.time.parse(text) end,
  blob = function(text) return core.text.unbase64(text) end,
}
SCALARS.long, SCALARS.float = SCALARS.integer, SCALARS.double

local function structure_of(service, shape, node)
  local value = {}
  for _, member in ipairs(shape.members) do
    local child = node[member.wire]
    if child then value[member.name] = convert(service, member.shape, child, member.name) end
  end
  return value
end

convert = function(service, shape_name, node, name)
  local shape = service:shape(shape_name)
  if shape.type == "structure" then
    return structure_of(service, shape, node)
  elseif shape.type == "list" then
    local list = {}
    for i, item in ipairs(items_of(node)) do list[i] = convert(service, shape.value, item, name) end
    return list
  elseif shape.type == "map" then
    local map = {}
    for _, entry in ipairs(items_of(node)) do
      local key = entry.key and entry.key["="] or malformed(name)
      map[key] = entry.value and convert(service, shape.value, entry.value, name)
    end
    return map
  end
  local text, read = node["="], SCALARS[shape.type]
  local value = text and read and read(text)
  if value == nil then malformed(name) end
  return value
end

-- The form of a request: its body, or its query where it has no body.
local function form_of(request)
  return request.body ~= "" and request.body or request.query
end

--- The name of the operation that a form asks for.
---@param request table
---@return string|nil
function M.action(request)
  return ("&" .. form_of(request)):match("&Action=([%w_]+)")
end

function M.operation(_, request)
  return M.action(request)
end

function M.decode(row, request)
  local name = M.action(request)
  local operation = name and row.service:operation(name)
  if not operation or operation.name ~= name then
    return nil, "InvalidAction", ("Could not find operation %s"):format(name or "(none)")
  end
  local tree = tree_of(form_of(request))
  if not tree then return nil, "MalformedQueryString", "The form is not valid." end
  if not operation.input then return name, {} end
  local ok, input = pcall(convert, row.service, operation.input, tree, name)
  if ok then return name, input end
  if type(input) ~= "table" then error(input, 0) end
  return nil, "MalformedInput", input.message
end

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

-- What XML cannot hold becomes a question mark.
local function escaped(text)
  return (text:gsub("[%c\127]", function(char)
    return (char == "\n" or char == "\t") and char or "?"
  end):gsub('[&<>"]', ENTITIES))
end

local put

local function put_items(out, service, shape, list)
  for _, item in ipairs(list) do
    out[#out + 1] = "<member>"
    put(out, service, shape.value, item)
    out[#out + 1] = "</member>"
  end
end

local function put_map(out, service, shape, map)
  for key, item in pairs(map) do
    out[#out + 1] = "<entry><key>" .. escaped(key) .. "</key><value>"
    put(out, service, shape.value, item)
    out[#out + 1] = "</value></entry>"
  end
end

put = function(out, service, shape_name, value)
  local shape = service:shape(shape_name)
  local kind = shape.type
  if kind == "structure" then
    for _, member in ipairs(shape.members) do
      local child = value[member.name]
      if child ~= nil then
        out[#out + 1] = "<" .. member.wire .. ">"
        put(out, service, member.shape, child)
        out[#out + 1] = "</" .. member.wire .. ">"
      end
    end
  elseif kind == "list" then
    put_items(out, service, shape, value)
  elseif kind == "map" then
    put_map(out, service, shape, value)
  elseif kind == "timestamp" then
    out[#out + 1] = core.time.format(value, "iso8601")
  elseif kind == "blob" then
    out[#out + 1] = core.text.base64(value)
  elseif type(value) == "number" then
    out[#out + 1] = json.number(value)
  else
    out[#out + 1] = escaped(tostring(value))
  end
end

local function answer(status, out)
  return { status = status, headers = { ["Content-Type"] = "text/xml" }, body = table.concat(out) }
end

function M.encode(row, name, output, id)
  local operation = row.service:operation(name)
  local out = { ('<%sResponse xmlns="%s">'):format(name, row.xmlns) }
  if operation.output then
    out[2] = ("<%sResult>"):format(name)
    put(out, row.service, operation.output, output)
    out[#out + 1] = ("</%sResult>"):format(name)
  end
  out[#out + 1] = ("<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>")
    :format(id, name)
  return answer(200, out)
end

-- What services with this protocol call refusals that others have as well.
local COMMON = {
  AccessDeniedException = "AccessDenied", ExpiredTokenException = "ExpiredToken",
  IncompleteSignatureException = "IncompleteSignature",
  InvalidSignatureException = "SignatureDoesNotMatch",
  MissingAuthenticationTokenException = "MissingAuthenticationToken",
  ThrottlingException = "Throttling", UnrecognizedClientException = "InvalidClientTokenId",
}

--- The code of an exception in this protocol, which some models have beside its name.
---@param row sagemaker.simulator.service
---@param code string
---@return string
function M.code(row, code)
  local shape = row.service:shape(code)
  return COMMON[code] or shape and shape.code or code
end

function M.refuse(row, refused, id)
  return answer(refused.status, {
    ('<ErrorResponse xmlns="%s"><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error>'
      .. "<RequestId>%s</RequestId></ErrorResponse>"):format(row.xmlns,
      refused.status < 500 and "Sender" or "Receiver", escaped(M.code(row, refused.code)),
      escaped(refused.message), id),
  })
end

return M
