--- Requests as AWS's own client sends them, for the same parameters.

local codec = require "support.codec"
local core = require "sagemaker.core"
local support = require "support"

-- What signing, retrying and the transport add.
local LATER = { authorization = true, ["user-agent"] = true, ["x-amz-date"] = true, host = true,
  ["content-length"] = true, ["x-amz-security-token"] = true, ["amz-sdk-invocation-id"] = true,
  ["amz-sdk-request"] = true }

local function path_difference(row, request)
  local path, query = row.url:match("^%w+://[^/]*([^?]*)%??(.*)$")
  local base = ((row.client or {}).endpoint_url or ""):match("^%w+://[^/]*(.-)/?$") or ""
  local joined = base .. request.path
  if path ~= joined and path .. "/" ~= joined then
    return ("path: expected %s, got %s"):format(path, joined)
  end
  return codec.difference(codec.query_pairs(query), codec.query_pairs(request.query), "query")
end

local function header_difference(row, request)
  local expected, actual = {}, {}
  for name, value in pairs(row.headers) do
    if not LATER[name:lower()] then expected[name:lower()] = value end
  end
  for name, value in pairs(request.headers) do actual[name:lower()] = value end
  return codec.difference(expected, actual, "headers")
end

local function body_difference(row, service, request)
  local body = codec.untag(row.body)
  if body == support.null then body = "" end
  if row.headers["content-length"] and service:info().protocol ~= "json"
    and tonumber(row.headers["content-length"]) ~= #request.body then
    return "content-length: got " .. #request.body
  end
  if service:info().protocol == "json" then return codec.body_difference(body, request.body) end
  if body ~= request.body then return ("body: expected %q, got %q"):format(body, request.body) end
  return nil
end

-- The token that the reference made up, so that ours can be the same.
local function token_of(row, service)
  local name = service:operation(row.operation).token
  local body = type(row.body) == "string" and codec.json(row.body)
  return name and type(body) == "table" and body[name] or nil
end

local function run(row)
  local service = codec.named_service(row.service)
  local request, errors = core.encode(service, row.operation, codec.untag(row.params), "basic",
    { token = token_of(row, service) })
  if row.validate_error and row.validate_error ~= support.null then
    return request and "was accepted" or nil
  end
  if not request then return errors[1].message end
  if request.method ~= row.method then return "method " .. request.method end
  local found = path_difference(row, request) or header_difference(row, request)
    or body_difference(row, service, request)
  if found then return found end
  -- what goes out can be read back by the service's side
  local name, params, message = core.decode_input(service, request)
  if name ~= row.operation then return ("decode_input: %s %s"):format(params, message) end
  local again = assert(core.encode(service, name, params, "basic"))
  return codec.body_difference(request.body, again.body)
end

describe("golden requests", function()
  for _, file in ipairs { "golden/requests.jsonl", "golden/requests_auto.jsonl" } do
    local rows = support.rows(file)
    if #rows == 0 then
      pending(file .. ": the vectors are not at hand")
    else
      it("equals " .. file, function()
        assert.equal("", codec.run(file, rows, run))
      end)
    end
  end
end)
