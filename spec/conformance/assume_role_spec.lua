-- config/smithy-rs/assume-role-tests.json: which credentials a profile leads to, step by step.

local support = require "support"
local chain = require "support.chain"
local cjson = require "cjson"
local core = require "sagemaker.core"

local function section(lines, title, properties)
  lines[#lines + 1] = "[" .. title .. "]"
  for name, value in pairs(properties) do lines[#lines + 1] = name .. " = " .. value end
end

local function config_of(input)
  local lines = {}
  for name, properties in pairs(input.profiles) do
    section(lines, "profile " .. name, properties)
  end
  for name, properties in pairs(input.sso_sessions or {}) do
    section(lines, "sso-session " .. name, properties)
  end
  return table.concat(lines, "\n") .. "\n"
end

local ANSWER = "<R><%sResult><Credentials><AccessKeyId>AK%d</AccessKeyId><SecretAccessKey>SK"
  .. "</SecretAccessKey><SessionToken>T%d</SessionToken><Expiration>2026-01-15T14:34:56Z"
  .. "</Expiration></Credentials></%sResult></R>"

-- STS as it gives keys AK1, AK2 … one request after the other.
local function script()
  local n = 0
  return function(request)
    n = n + 1
    local action = request.body:match("Action=(%w+)")
    if not action then return { status = 404 } end
    return { body = ANSWER:format(action, n, n, action) }
  end
end

local function field(request, name)
  local value = ("&" .. request.body):match("&" .. name .. "=([^&]*)")
  return value and core.text.percent_decode(value)
end

local function key_of(request)
  return (request.headers.Authorization or ""):match("Credential=([^/]+)/")
end

-- The steps that the provider took, in the words of the vectors.
local function steps_of(requests, keys)
  local steps, before = {}, nil
  for i, request in ipairs(requests) do
    local action = field(request, "Action")
    local role, session = field(request, "RoleArn"), field(request, "RoleSessionName")
    if session:find("%-session%-%d+$") then session = nil end
    if action == "AssumeRoleWithWebIdentity" then
      steps[#steps + 1] = { WebIdentityToken = { role_arn = role, role_session_name = session } }
    else
      if i == 1 then steps[1] = { AccessKey = key_of(request) } end
      if before then assert.equal(before, key_of(request)) end
      steps[#steps + 1] = { AssumeRole = { role_arn = role, role_session_name = session,
        external_id = field(request, "ExternalId") } }
    end
    before = "AK" .. i
  end
  if #requests == 0 then steps[1] = { AccessKey = keys.access_key_id } end
  return steps
end

-- The same of a vector. Secrets and accounts are not to be seen in requests.
local function wanted_steps(row)
  local steps = {}
  for i, step in ipairs(row.output.ProfileChain) do
    if step.AccessKey then
      steps[i] = { AccessKey = step.AccessKey.access_key_id }
    elseif step.WebIdentityToken then
      steps[i] = { WebIdentityToken = { role_arn = step.WebIdentityToken.role_arn,
        role_session_name = step.WebIdentityToken.role_session_name } }
    else
      steps[i] = step
    end
  end
  return steps
end

local function first_kind(row)
  local first = row.output.ProfileChain and row.output.ProfileChain[1]
  if first then return next(first) end
  return nil
end

-- The reason not to run a row, by a rule about it.
local function skip(row)
  local _, first = first_kind(row)
  if type(first) == "table" and first.sso_session and not first.sso_role_name then
    return "bearer tokens are not what SageMaker's requests are signed with"
  end
  return nil
end

local function run(row)
  local client, world, err = chain.client({
    env = { AWS_EC2_METADATA_DISABLED = "true", AWS_REGION = "us-east-1",
      AWS_PROFILE = row.input.selected_profile },
    files = { [".aws/config"] = config_of(row.input), ["/var/token.jwt"] = "a.b.c" },
  }, script())
  local keys, message
  if client then
    keys, message, err = chain.credentials(client)
  else
    message = world
  end
  if row.output.Error then
    assert.is_nil(keys)
    assert.is_string(message)
    assert.truthy(err.kind == "credentials" or err.kind == "config")
    if client then assert.equal(0, #world.transport.requests) end
    return
  end
  if first_kind(row) == "Sso" then -- there is no token at hand: the provider says so
    assert.is_nil(keys)
    assert.matches("^InvalidCredentials: no usable credentials: sso: ", message)
    return
  end
  assert.truthy(keys, message)
  assert.same(wanted_steps(row), steps_of(world.transport.requests, keys))
end

describe("profiles that lead to credentials", function()
  local dir = support.conformance()
  local text = dir and support.read(dir .. "/config/smithy-rs/assume-role-tests.json")
  if not text then
    pending("the conformance vectors are not at hand")
    return
  end
  support.suite({ it = it, teardown = teardown }, "assume-role profiles", cjson.decode(text),
    function(row, i) return ("%d %s"):format(i, row.docs) end, skip, run)
end)
