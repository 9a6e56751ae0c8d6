--- The folders of signing vectors as cases: what goes into the signer, what comes out.

local cjson = require "cjson"
local lfs = require "lfs"

local support = require "support"

local M = {}

-- The credentials of all suites where a case does not say otherwise.
M.KEY = {
  access_key_id = "AKIDEXAMPLE",
  secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}

local STAGES = { "canonical-request", "string-to-sign", "signature", "signed-request" }

--- The folders below `dir`, sorted, `dir` itself included.
---@param dir string
---@return string[]
function M.folders(dir)
  local found = { dir }
  for name in lfs.dir(dir) do
    local path = dir .. "/" .. name
    if not name:find("^%.") and lfs.attributes(path, "mode") == "directory" then
      for _, inner in ipairs(M.folders(path)) do found[#found + 1] = inner end
    end
  end
  table.sort(found)
  return found
end

local function add_header(headers, name, value)
  local old = headers[name]
  if old == nil then
    headers[name] = value
  elseif type(old) == "table" then
    old[#old + 1] = value
  else
    headers[name] = { old, value }
  end
end

--- A request as it stands on the wire. Equal headers become an array, a folded line goes on with
-- the one before it.
---@param text string
---@return table request {method, target, path, query, headers, body, folded}
function M.parse_request(text)
  local head, body = text:match("^(.-)\r?\n\r?\n(.*)$")
  head = head or text
  local request = { headers = {}, body = body or "" }
  local name
  for line in head:gmatch("[^\r\n]+") do
    if not request.method then
      local target
      request.method, target = line:match("^(%S+) (.*)$")
      request.target = target:gsub(" HTTP/1%.1$", "")
      request.path, request.query = request.target:match("^([^?]*)%??(.*)$")
    elseif line:find("^%s") then
      request.folded = true
      local values = request.headers[name]
      if type(values) == "table" then
        values[#values] = values[#values] .. " " .. line
      else
        request.headers[name] = values .. " " .. line
      end
    else
      local value
      name, value = line:match("^([^:]+):(.*)$")
      add_header(request.headers, name, value)
    end
  end
  return request
end

--- The headers as sorted "name:value" lines, blanks normalised.
---@param headers table<string, string|string[]>
---@return string[]
function M.header_lines(headers)
  local lines = {}
  for name, values in pairs(headers) do
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      value = value:gsub("^%s+", ""):gsub("%s+$", "")
      lines[#lines + 1] = name:lower() .. ":" .. value
    end
  end
  table.sort(lines)
  return lines
end

--- Epoch seconds of 20150830T123600Z or 2015-08-30T12:36:00Z.
---@param text string
---@return number
function M.epoch(text)
  return assert(require("sagemaker.core").time.parse(text))
end

--- Region, service and time of a string to sign.
local function scope_of(string_to_sign)
  local date, region, service = string_to_sign:match("\n(%w+)\n%d+/([^/]+)/([^/]+)/aws4_request\n")
  return region, service, M.epoch(date)
end

local function stripped(text)
  return text and (text:gsub("%s+$", ""))
end

--- What a folder of aws-c-auth's form says: request.txt, context.json, and expectations named
-- header-… and query-…
---@param dir string
---@return table|nil
function M.form_case(dir)
  local text = support.read(dir .. "/request.txt")
  if not text then return nil end
  local case = { id = dir:match("[^/]+/[^/]+$"), request = text,
    want = { header = {}, query = {} } }
  for form, want in pairs(case.want) do
    for _, stage in ipairs(STAGES) do
      want[stage] = support.read(("%s/%s-%s.txt"):format(dir, form, stage))
    end
    want["canonical-request"] = stripped(want["canonical-request"])
    want["string-to-sign"] = stripped(want["string-to-sign"])
    want.signature = stripped(want.signature)
  end
  local context = support.read(dir .. "/context.json")
  local options = {}
  if context then
    context = cjson.decode(context)
    local keys = context.credentials
    options.access_key_id, options.secret_access_key = keys.access_key_id, keys.secret_access_key
    options.session_token = keys.token
    options.region, options.service = context.region, context.service
    options.normalize = context.normalize
    options.sign_body = context.sign_body
    options.omit_session_token = context.omit_session_token
    case.epoch, case.expires = M.epoch(context.timestamp), context.expiration_in_seconds
  elseif case.want.header["string-to-sign"] then
    options.access_key_id, options.secret_access_key = M.KEY.access_key_id, M.KEY.secret_access_key
    options.region, options.service, case.epoch = scope_of(case.want.header["string-to-sign"])
  end
  options.sign_content_length = true -- this suite signs every header that it is given
  case.options = options
  return case
end

--- What a folder of the older form says: name.req, .creq, .sts, .authz, .sreq.
---@param dir string
---@return table|nil
function M.file_case(dir)
  local base = dir .. "/" .. dir:match("[^/]+$")
  local text = support.read(base .. ".req")
  if not text then return nil end
  local case = { id = dir:match("[^/]+/[^/]+$"), request = text }
  for _, ext in ipairs { "creq", "sts", "authz", "sreq" } do
    case[ext] = stripped(support.read(base .. "." .. ext))
  end
  local options = { access_key_id = M.KEY.access_key_id,
    secret_access_key = M.KEY.secret_access_key }
  options.region, options.service, case.epoch = scope_of(case.sts)
  local signed = M.parse_request(case.sreq).headers
  options.session_token = signed["X-Amz-Security-Token"]
  options.omit_session_token = options.session_token ~= nil
    and not case.authz:find("x-amz-security-token", 1, true)
  case.options = options
  case.signed = signed
  return case
end

return M
