-- client:request against what AWS's own client sends: method, URL, signed headers, body, and, over
-- the golden bytes of the body, the signature.
local clients = require "sagemaker.client"
local core = require "sagemaker.core"
local support = require "support"

local cjson = require "cjson"

local SERVICES = {
  ["sagemaker"] = { name = "sagemaker", id = "SageMaker" },
  ["sagemaker-runtime"] = { name = "sagemaker-runtime", id = "SageMaker Runtime" },
}

local START = 1768480496 -- 2026-01-15T12:34:56Z
local SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

local function optional(value)
  if value == cjson.null then return nil end
  return value
end

local FLOATS = { nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }

-- Tagged values of the rows as this client takes them: bytes as strings, times as ISO 8601 strings
-- (one without a zone is UTC), numbers that JSON does not have.
local function plain(value)
  if type(value) ~= "table" then return value end
  if value["$bytes"] then return core.text.unbase64(value["$bytes"]) end
  if value["$float"] then return FLOATS[value["$float"]] end
  local time = value["$datetime"]
  if time then return (time:find("Z$") or time:find("T.*[+-]%d")) and time or time .. "Z" end
  local out = {}
  for key, item in pairs(value) do out[key] = plain(item) end
  return out
end

local function client_of(row, hooks)
  local args = row.client or {}
  local config, ids = args.config or {}, 0
  return assert(clients.new({
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = SECRET,
      session_token = args.token },
    endpoint_url = args.endpoint_url,
    hooks = hooks,
    io = {
      getenv = function() end,
      now = function() return START end,
      uuid = function()
        ids = ids + 1
        return ("00000000-0000-4000-8000-%012d"):format(ids)
      end,
    },
    region = args.region or "us-west-2",
    use_dualstack = config.use_dualstack_endpoint,
    use_fips = config.use_fips_endpoint,
  }, SERVICES[row.service]))
end

local function lower(headers)
  local out = {}
  for name, value in pairs(headers) do out[name:lower()] = value end
  return out
end

local function same_body(row, expected, actual)
  if expected == nil then
    assert.equal("", actual, row.id)
  elseif row.service == "sagemaker" then
    assert.same(cjson.decode(expected), cjson.decode(actual), row.id)
  else
    assert.equal(expected, actual, row.id)
  end
end

local function check(row)
  local expected = row.headers and lower(row.headers)
  local body = optional(row.body)
  if type(body) == "table" then body = plain(body) end
  local ours
  local client = client_of(row, { before_sign = function(request)
    ours = request.body
    request.body = body or ""
  end })
  local request, _, err = client:request(row.operation, plain(row.params))
  if optional(row.validate_error) then
    assert.is_nil(request, row.id)
    assert.equal("validation", err.kind, row.id)
    return
  end
  assert(request, ("%s: %s"):format(row.id, tostring(err)))
  assert.equal(row.method, request.method, row.id)
  assert.equal(row.url, request.url, row.id)
  same_body(row, body, ours)
  local headers = lower(request.headers)
  for name in expected.authorization:match("SignedHeaders=([^,]+)"):gmatch("[^;]+") do
    if name ~= "host" then assert.equal(expected[name], headers[name], row.id .. ": " .. name) end
  end
  assert.equal(expected["amz-sdk-invocation-id"], headers["amz-sdk-invocation-id"], row.id)
  assert.equal(expected["amz-sdk-request"], headers["amz-sdk-request"], row.id)
  assert.equal(expected.authorization, headers.authorization, row.id)
end

describe("conformance: dry run", function()
  if not support.conformance() then
    pending("the vectors are not at hand")
    return
  end

  for _, name in ipairs { "golden/requests.jsonl", "golden/requests_auto.jsonl" } do
    it("makes the requests of " .. name, function()
      local rows, skipped, ran = support.rows(name), {}, 0
      for _, row in ipairs(rows) do
        if not SERVICES[row.service] then
          skipped[#skipped + 1] = { id = row.id, reason = "a request to " .. row.service }
        else
          check(row)
          ran = ran + 1
        end
      end
      support.tally("dry run of " .. name, ran, skipped)
    end)
  end
end)
