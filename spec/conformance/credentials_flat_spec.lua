-- credentials/flat: whole chains of other AWS SDKs, as {env, files, exchanges, result}. Their
-- bodies were recorded loosely, so of a form only the action and the names of its fields count.

local support = require "support"
local chain = require "support.chain"
local core = require "sagemaker.core"

local FILES = {
  "aws-sdk-kotlin-default-provider-chain", "smithy-rs-default-credential-provider-chain",
  "smithy-rs-default-token-provider-chain", "smithy-rs-profile-provider",
}

local null = support.null

local function present(value)
  return value ~= nil and value ~= null
end

-- The reason not to run a row, by a rule about it.
local function skip(row)
  if row.system_properties then return "system properties are the Java machine's own" end
  if row.result.Ok and row.result.Ok.token then
    return "bearer tokens are not what SageMaker's requests are signed with"
  end
  return nil
end

-- An hour before the first keys expire: the rows are old.
local function clock_of(row)
  local first = row.result.Ok and row.result.Ok.expiry
  for _, exchange in ipairs(row.exchanges) do
    local body = exchange.response.body
    local time = present(body) and core.time.parse(body:match('"Expiration"%s*:%s*"([^"]+)"') or "")
    if time and first and time < first then first = time end
  end
  return first and first - 3600 or chain.NOW
end

local function answer_of(exchange)
  local response = exchange.response
  local headers = {}
  for name, value in pairs(response.headers) do
    -- The Date of the recording would be taken for a wrong clock.
    if name:lower() ~= "date" and type(value) == "string" then headers[name] = value end
  end
  return { status = response.status, body = present(response.body) and response.body or "",
    headers = headers }
end

-- Answers one exchange after the other; when they are used up, the last one again: whoever retries
-- more often hears the same.
local function script_of(row)
  local n = 0
  return function()
    n = math.min(n + 1, #row.exchanges)
    local exchange = row.exchanges[n]
    if not exchange then
      return { code = "ConnectTimeout", kind = "timeout", message = "no route", sent = false }
    end
    return answer_of(exchange)
  end
end

local function sorted_query(url)
  local path, query = url:match("^([^?]*)%??(.*)$")
  local parts = {}
  for part in query:gmatch("[^&]+") do parts[#parts + 1] = part end
  table.sort(parts)
  if path:find("^%a+://[^/]+$") then path = path .. "/" end
  -- Some SDKs ask the metadata service without the last slash.
  path = path:gsub("/security%-credentials$", "/security-credentials/")
  return path .. "?" .. table.concat(parts, "&")
end

local function field_names(body)
  local names = {}
  for name, value in (body .. "&"):gmatch("([^=&]*)=([^&]*)&") do
    names[name] = name == "Action" and value or true
  end
  return names
end

local function header(headers, name)
  for key, value in pairs(headers) do
    if key:lower() == name then return value end
  end
  return nil
end

local CARRIED = { "x-amz-sso_bearer_token", "x-aws-ec2-metadata-token",
  "x-aws-ec2-metadata-token-ttl-seconds" }

-- Region and service of a signature: some of the keys were taken from another recording.
local function scope(headers)
  return (header(headers, "authorization") or ""):match("Credential=[^/]+/%d+/(%S+),")
end

local function check_request(expected, request)
  assert.equal(expected.method, request.method)
  assert.equal(sorted_query(expected.uri), sorted_query(request.url))
  for _, name in ipairs(CARRIED) do
    assert.equal(header(expected.headers, name), header(request.headers, name), name)
  end
  assert.equal(scope(expected.headers), scope(request.headers))
  if present(expected.body) and expected.body ~= "" then
    assert.same(field_names(expected.body), field_names(request.body))
  end
end

local function check_result(row, keys, message, err)
  local wanted = row.result.Ok
  if not wanted then
    assert.is_nil(keys)
    assert.is_string(message)
    assert.truthy(err.kind == "credentials" or err.kind == "config", err.kind)
    return
  end
  assert.truthy(keys, message)
  assert.equal(wanted.access_key_id, keys.access_key_id)
  assert.equal(wanted.secret_access_key, keys.secret_access_key)
  assert.equal(wanted.session_token, keys.session_token)
  if wanted.expiry then assert.equal(wanted.expiry, math.floor(keys.expires_at)) end
  local account = wanted.account_id or wanted.accountId
  if account then assert.equal(account, keys.account_id) end
end

-- The rows of a profile provider test it alone: as when the program names the profile.
local function prepared(row)
  local copy = {}
  for key, value in pairs(row) do copy[key] = value end
  if row.id:find("/profile%-provider/") then copy.profile = row.env.AWS_PROFILE or "default" end
  return copy
end

local function run(row)
  local client, world, err = chain.client(prepared(row), script_of(row), clock_of(row))
  if not client then return check_result(row, nil, world, err) end
  local keys, message
  keys, message, err = chain.credentials(client)
  check_result(row, keys, message, err)
  local sent = world.transport.requests
  for i, exchange in ipairs(row.exchanges) do
    assert.truthy(sent[i], "request " .. i .. " was not sent")
    check_request(exchange.request, sent[i])
  end
  if row.result.Ok then assert.equal(#row.exchanges, #sent) end
end

describe("credential chains of other SDKs", function()
  if not support.conformance() then
    pending("the conformance vectors are not at hand")
    return
  end
  for _, name in ipairs(FILES) do
    support.suite({ it = it, teardown = teardown }, name,
      support.rows("credentials/flat/" .. name .. ".jsonl"), function(row) return row.id end, skip,
      run)
  end
end)
