-- golden/credentials.jsonl: whole credential chains as botocore resolved them, with every HTTP
-- request and every file that was written.

local support = require "support"
local chain = require "support.chain"
local cjson = require "cjson"
local core = require "sagemaker.core"

local METHODS = { environment = "env" }

-- The reason not to run a row, by a rule about it.
local function skip(row)
  for _, text in pairs(row.files) do
    if text:find("]\n[ \t]+%S") then
      return "an indented line right after a section header is malformed in the SDKs' guide"
    end
  end
  return nil
end

local function null(value)
  if value == support.null then return nil end
  return value
end

local function decoded_form(body)
  local fields = {}
  for name, value in (body .. "&"):gmatch("([^=&]*)=([^&]*)&") do
    fields[name] = core.text.percent_decode((value:gsub("+", " ")))
  end
  local session = fields.RoleSessionName
  -- The name of a session that nobody named is each client's own; the time in it counts.
  if session then fields.RoleSessionName = session:gsub("^[%w-]+%-session%-(%d+)$", "%1") end
  return fields
end

local function decoded(body, content_type)
  if (content_type or ""):find("urlencoded", 1, true) then return decoded_form(body) end
  local ok, value = pcall(cjson.decode, body)
  return ok and value or body
end

local function header(request, name)
  for key, value in pairs(request.headers) do
    if key:lower() == name then return value end
  end
  return nil
end

-- What makes a header comparable: lengths are the transport's business, the most attempts are the
-- retry mode's, the signature covers the body's bytes (whose order of fields is ours).
local RELEVANT = {
  ["content-length"] = function() return nil end,
  ["amz-sdk-request"] = function(value) return value:match("attempt=%d+") end,
  authorization = function(value) return (value:gsub("Signature=%x+", "")) end,
}

local function relevant(name, value)
  local of = RELEVANT[name]
  if of and value then return of(value) end
  return value
end

local function check_request(expected, request)
  assert.equal(expected.method, request.method)
  assert.equal(expected.url, request.url)
  for name, value in pairs(expected.headers) do
    assert.equal(relevant(name, value), relevant(name, header(request, name)), name)
  end
  local body = null(expected.body)
  local content_type = expected.headers["content-type"]
  assert.same(body and decoded(body, content_type) or "",
    request.body ~= "" and decoded(request.body, content_type) or "")
end

local function check_keys(expected, keys)
  assert.equal(expected.access_key, keys.access_key_id)
  assert.equal(expected.secret_key, keys.secret_access_key)
  assert.equal(null(expected.token), keys.session_token)
  assert.equal(null(expected.account_id), keys.account_id)
  assert.equal(null(expected.method), METHODS[keys.source] or keys.source)
  local expiry = null(expected.expiry)
  assert.equal(expiry and expiry["$timestamp"], keys.expires_at)
end

local function check_files(row, world)
  for path, text in pairs(row.files_written) do
    local written = assert(world.written[chain.HOME .. "/" .. path], path)
    assert.same(cjson.decode(text), cjson.decode(written))
  end
end

-- Failures end with an error of kind credentials or config that holds no secret of the row.
local function check_failure(row, message, err)
  assert.is_string(message)
  assert.truthy(err.kind == "credentials" or err.kind == "config", err.kind)
  for _, text in pairs(row.files) do
    for secret in text:gmatch("aws_secret_access_key%s*=%s*(%S%S%S+)") do
      assert.falsy(message:find(secret, 1, true), "a secret in the message")
    end
  end
end

local function run(row)
  local script = chain.script(row.http)
  local client, world, err = chain.client(row, script)
  if not client then
    assert.is_nil(null(row.result), world)
    return check_failure(row, world, err)
  end
  local keys, message
  keys, message, err = chain.credentials(client)
  if null(row.result) then
    assert.truthy(keys, message)
    check_keys(row.result, keys)
  else
    assert.is_nil(keys)
    check_failure(row, message, err)
  end
  if row.after then
    world.transport:sleep(row.after.seconds)
    keys = assert(chain.credentials(client))
    assert.equal(row.after.access_key, keys.access_key_id)
  end
  local sent = world.transport.requests
  assert.equal(#row.requests, #sent)
  for i, expected in ipairs(row.requests) do check_request(expected, sent[i]) end
  check_files(row, world)
end

describe("credential chains", function()
  local rows = support.rows("golden/credentials.jsonl")
  if #rows == 0 then
    pending("the conformance vectors are not at hand")
    return
  end
  support.suite({ it = it, teardown = teardown }, "golden credentials", rows,
    function(row) return row.id end, skip, run)
end)
