--- The head of an HTTP/1.1 request. The plain case is done in C (csrc/sm_http.h); what is not plain
-- or wrong is done, and said, here.

local core = require "sagemaker.core"

local concat, find, lower = table.concat, string.find, string.lower

local M = {}

-- Words that were found to be fit for a header's name (or a method), with what they mean to us:
-- "host", "content-length" or true. Forgotten when there are many.
local names, known = {}, 0
local REFUSED = "transfer-encoding"

local function meaning_of(name)
  if find(name, "^[%w!#$%%&'*+%-.^_`|~]+$") == nil then return nil end
  local plain = lower(name)
  local meaning = (plain == "host" or plain == "content-length" or plain == REFUSED) and plain
    or true
  if known == 512 then names, known = {}, 0 end
  names[name], known = meaning, known + 1
  return meaning
end

local WANTS_BODY = { POST = true, PUT = true, PATCH = true }

-- One header of the caller to `lines`: the new number of pieces, or nil and the problem.
local function add_header(lines, n, name, value, length)
  if type(name) ~= "string" or type(value) ~= "string" and type(value) ~= "number" then
    error("request.headers must map names to strings", 0)
  end
  local meaning = names[name] or meaning_of(name)
  if not meaning then return nil, "a header name holds a character that names may not have" end
  if type(value) == "number" then value = tostring(value) end
  if find(value, "[\r\n%z]") then return nil, "a header value holds a line break or a NUL" end
  if meaning == REFUSED then return nil, "the header Transfer-Encoding cannot be sent" end
  if meaning == "content-length" then
    if find(value, "^%d+$") and tonumber(value) == length then return n end
    return nil, "the header Content-Length is not the length of the body"
  end
  lines[n + 1], lines[n + 2], lines[n + 3], lines[n + 4] = name, ": ", value, "\r\n"
  return n + 4, nil, meaning == "host"
end

-- The head of a request, line by line.
local function write(method, target, host, headers, length, extra)
  if not names[method] and not meaning_of(method) then return nil, "the method is not a word" end
  local lines, n, has_host = { method, " ", target, " HTTP/1.1\r\nHost: ", host, "\r\n" }, 6, false
  for name, value in pairs(headers) do
    local problem, is_host
    n, problem, is_host = add_header(lines, n, name, value, length)
    if not n then return nil, problem end
    has_host = has_host or is_host
  end
  if has_host then lines[4], lines[5], lines[6] = " HTTP/1.1\r\n", "", "" end
  if length > 0 or WANTS_BODY[method] then
    lines[n + 1], lines[n + 2], lines[n + 3] = "Content-Length: ", length, "\r\n"
    n = n + 3
  end
  if extra then
    n = n + 1
    lines[n] = extra
  end
  lines[n + 1] = "\r\n"
  return concat(lines, "", 1, n + 1)
end

--- The head of a request, with Host and Content-Length.
---@param method string
---@param target string the path with its query, or a whole URL for a proxy
---@param host string what Host says unless the headers do
---@param headers table<string, string>
---@param length integer of the body
---@param extra? string further lines, each with its end
---@return string|nil head
---@return string|nil problem why the request cannot be sent
function M.request(method, target, host, headers, length, extra)
  local announced = (length > 0 or WANTS_BODY[method]) and length or nil
  local head = core.http_request(method, target, host, headers, announced, extra)
  if head then return head end
  return write(method, target, host, headers, length, extra)
end

return M
