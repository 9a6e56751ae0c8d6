-- One set of environments: this client and boto3 find the same region, endpoint, source of
-- credentials and key. Where the client differs on purpose, the row says so.

local support = require "support" -- luacheck: ignore
local cjson = require "cjson"
local sagemaker = require "sagemaker"
local server = require "support.server"

local KEYS = "aws_access_key_id = AK%s\naws_secret_access_key = S\n"

local function keys(name)
  return KEYS:format(name)
end

local function role(name, rest)
  return ("role_arn = arn:aws:iam::111122223333:role/%s\n%s\n"):format(name, rest or "")
end

local ENV_KEYS = { AWS_ACCESS_KEY_ID = "AKENV", AWS_SECRET_ACCESS_KEY = "S" }

-- The SHA-1 of "https://d-1.awsapps.com/start" names the file of its token; that of "my" the
-- session's.
local SSO_TOKEN = '{"startUrl": "https://d-1.awsapps.com/start", "region": "us-east-1", '
  .. '"accessToken": "ACCESS", "expiresAt": "2037-01-01T00:00:00Z"}'
local SSO = "sso_account_id = 111122223333\nsso_role_name = Admin\n"

local function merge(...)
  local out = {}
  for i = 1, select("#", ...) do
    for key, value in pairs((select(i, ...))) do out[key] = value end
  end
  return out
end

local R = { AWS_DEFAULT_REGION = "us-west-2" }

-- {what, environment, config, credentials file, option profile, what differs}
local ROWS = {
  { "nothing", {} },
  { "a region only", R },
  { "keys of the environment", merge(R, ENV_KEYS) },
  { "keys of the environment and a token", merge(R, ENV_KEYS, { AWS_SESSION_TOKEN = "T" }) },
  { "half of the keys", merge(R, { AWS_ACCESS_KEY_ID = "AKENV" }) },
  { "an empty key", merge(R, ENV_KEYS, { AWS_ACCESS_KEY_ID = "" }), nil,
    "[default]\n" .. keys "FILE" },
  { "keys of the credentials file", R, nil, "[default]\n" .. keys "FILE" },
  { "keys of the configuration file", R, "[default]\n" .. keys "CFG" },
  { "keys of both files", R, "[default]\n" .. keys "CFG", "[default]\n" .. keys "FILE" },
  { "keys of environment and file", merge(R, ENV_KEYS), nil, "[default]\n" .. keys "FILE" },
  { "a region of the profile", {}, "[default]\nregion = eu-west-1\n" .. keys "CFG" },
  { "a region of environment and profile", R, "[default]\nregion = eu-west-1\n" .. keys "CFG" },
  { "AWS_PROFILE", { AWS_PROFILE = "p" }, "[profile p]\nregion = eu-west-1\n" .. keys "P" },
  { "AWS_DEFAULT_PROFILE before AWS_PROFILE", { AWS_PROFILE = "p", AWS_DEFAULT_PROFILE = "q" },
    "[profile p]\nregion = eu-west-1\n[profile q]\nregion = eu-west-2\n" .. keys "Q" },
  { "a profile that is not there", merge(R, { AWS_PROFILE = "nope" }), nil,
    "[default]\n" .. keys "FILE" },
  { "a profile of the environment and keys", merge(R, ENV_KEYS, { AWS_PROFILE = "p" }),
    "[profile p]\n" .. keys "P" },
  { "a profile of the program and keys", merge(R, ENV_KEYS), "[profile p]\n" .. keys "P", nil,
    "p" },
  { "another configuration file", { AWS_CONFIG_FILE = "<HOME>/.aws/config2" }, nil,
    "[default]\n" .. keys "FILE" },
  { "a malformed file", R, "region = x\n" },
  { "a role", merge(R, { AWS_PROFILE = "a" }), "[profile a]\n"
    .. role("A", "source_profile = b") .. "[profile b]\n" .. keys "B" },
  { "a role of a role", merge(R, { AWS_PROFILE = "a" }), "[profile a]\n"
    .. role("A", "source_profile = b") .. "[profile b]\n" .. role("B", "source_profile = c"),
    "[c]\n" .. keys "C" },
  { "a role of itself", merge(R, { AWS_PROFILE = "a" }), "[profile a]\n"
    .. role("A", "source_profile = a") .. keys "OWN" },
  { "a role in a circle", merge(R, { AWS_PROFILE = "a" }), "[profile a]\n"
    .. role("A", "source_profile = b") .. "[profile b]\n" .. role("B", "source_profile = a") },
  { "a role without a source", merge(R, { AWS_PROFILE = "a" }), "[profile a]\n" .. role("A") },
  { "a role with two sources", merge(R, { AWS_PROFILE = "a" }), "[profile a]\n"
    .. role("A", "source_profile = b\ncredential_source = Environment") .. "[profile b]\n"
    .. keys "B" },
  { "a role whose source is missing", merge(R, { AWS_PROFILE = "a" }), "[profile a]\n"
    .. role("A", "source_profile = b") },
  { "a role that is denied", merge(R, { AWS_PROFILE = "a" }), "[profile a]\n"
    .. role("Denied", "source_profile = b") .. "[profile b]\n" .. keys "B" },
  { "a role by the environment", merge(R, ENV_KEYS), "[profile a]\n"
    .. role("A", "credential_source = Environment"), nil, "a" },
  { "a role by the container", merge(R, { AWS_PROFILE = "a",
    AWS_CONTAINER_CREDENTIALS_FULL_URI = "<URL>/container" }), "[profile a]\n"
    .. role("A", "credential_source = EcsContainer") },
  { "a role by the instance", merge(R, { AWS_PROFILE = "a", AWS_EC2_METADATA_DISABLED = "false" }),
    "[profile a]\n" .. role("A", "credential_source = Ec2InstanceMetadata") },
  { "web identity of the environment", merge(R, { AWS_ROLE_ARN = "arn:aws:iam::1:role/Web",
    AWS_WEB_IDENTITY_TOKEN_FILE = "<HOME>/.aws/config" }), "[default]\n" },
  { "web identity of the profile", merge(R, { AWS_PROFILE = "w" }), "[profile w]\n"
    .. role("Web", "web_identity_token_file = <HOME>/.aws/config") },
  { "a role by web identity", merge(R, { AWS_PROFILE = "a" }), "[profile a]\n"
    .. role("A", "source_profile = w") .. "[profile w]\n"
    .. role("Web", "web_identity_token_file = <HOME>/.aws/config") },
  { "web identity without a file", merge(R, { AWS_ROLE_ARN = "arn:aws:iam::1:role/Web",
    AWS_WEB_IDENTITY_TOKEN_FILE = "<HOME>/none" }) },
  { "SSO", R, "[default]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = us-east-1\n"
    .. SSO },
  { "an SSO session", R, "[default]\nsso_session = my\n" .. SSO .. "[sso-session my]\n"
    .. "sso_start_url = https://d-1.awsapps.com/start\nsso_region = us-east-1\n" },
  { "a role by SSO", merge(R, { AWS_PROFILE = "a" }), "[profile a]\n"
    .. role("A", "source_profile = s") .. "[profile s]\nsso_session = my\n" .. SSO
    .. "[sso-session my]\nsso_start_url = https://d-1.awsapps.com/start\n"
    .. "sso_region = us-east-1\n" },
  { "a process", R, "[default]\ncredential_process = printf "
    .. [['{"Version":1,"AccessKeyId":"AKPROC","SecretAccessKey":"S"}']] .. "\n" },
  { "a process that fails", R, "[default]\ncredential_process = false\n" },
  { "keys before a process", R, "[default]\ncredential_process = false\n",
    "[default]\n" .. keys "FILE" },
  { "the container", merge(R, { AWS_CONTAINER_CREDENTIALS_FULL_URI = "<URL>/container" }) },
  { "the instance", merge(R, { AWS_EC2_METADATA_DISABLED = "false" }) },
  { "FIPS and dual stack", merge(R, ENV_KEYS, { AWS_USE_FIPS_ENDPOINT = "true",
    AWS_USE_DUALSTACK_ENDPOINT = "true" }) },
  { "a URL for the service", merge(R, ENV_KEYS, { AWS_ENDPOINT_URL_SAGEMAKER = "http://x:1/y" }) },
  { "a URL in the profile", merge(R, ENV_KEYS), "[default]\nservices = s\n[services s]\n"
    .. "sagemaker =\n  endpoint_url = https://svc.example\n" },
  { "FIPS of a profile", merge(R, ENV_KEYS), "[default]\nuse_fips_endpoint = true\n" },
  { "FIPS switched off by the environment", merge(R, ENV_KEYS, { AWS_USE_FIPS_ENDPOINT = "no" }),
    "[default]\nuse_fips_endpoint = true\n" },
  { "dual stack of a profile", merge(R, ENV_KEYS), "[default]\nuse_dualstack_endpoint = TRUE\n" },
  { "FIPS in GovCloud", merge(ENV_KEYS, { AWS_DEFAULT_REGION = "us-gov-west-1",
    AWS_USE_FIPS_ENDPOINT = "true" }) },
  { "FIPS elsewhere", merge(ENV_KEYS, { AWS_DEFAULT_REGION = "eu-west-1",
    AWS_USE_FIPS_ENDPOINT = "true" }) },
  { "a region of China", merge(ENV_KEYS, { AWS_DEFAULT_REGION = "cn-north-1" }) },
  { "dual stack in China", merge(ENV_KEYS, { AWS_DEFAULT_REGION = "cn-north-1",
    AWS_USE_DUALSTACK_ENDPOINT = "true" }) },
  { "dual stack where there is none", merge(ENV_KEYS, { AWS_DEFAULT_REGION = "us-isob-east-1",
    AWS_USE_DUALSTACK_ENDPOINT = "true" }) },
  { "a region of the European sovereign cloud",
    merge(ENV_KEYS, { AWS_DEFAULT_REGION = "eusc-de-east-1" }) },
  { "a region to come", merge(ENV_KEYS, { AWS_DEFAULT_REGION = "eu-west-99" }) },
  { "a pseudo region", merge(ENV_KEYS, { AWS_DEFAULT_REGION = "fips-us-east-1" }) },
  { "a region that is none", merge(ENV_KEYS, { AWS_DEFAULT_REGION = "x.evil.example/#" }) },
  { "a region of the credentials file", ENV_KEYS, nil, "[default]\nregion = sa-east-1\n" },
  { "a URL for all", merge(R, ENV_KEYS, { AWS_ENDPOINT_URL = "https://all.example:8443/p/" }),
    "[default]\nservices = s\n[services s]\nsagemaker =\n  endpoint_url = https://svc.example\n" },
  { "a URL for another service", merge(R, ENV_KEYS,
    { AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME = "https://rt.example" }) },
  { "a URL and FIPS", merge(R, ENV_KEYS, { AWS_USE_FIPS_ENDPOINT = "true",
    AWS_ENDPOINT_URL = "https://all.example" }) },
  { "a URL that is to be ignored", merge(R, ENV_KEYS, { AWS_ENDPOINT_URL = "https://all.example",
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS = "true" }) },
  { "a URL that the profile ignores", merge(R, ENV_KEYS,
    { AWS_ENDPOINT_URL = "https://all.example" }),
    "[default]\nignore_configured_endpoint_urls = true\n" },
  { "a URL that is none", merge(R, ENV_KEYS, { AWS_ENDPOINT_URL = "not a url" }) },
  { "services that are not there", merge(R, ENV_KEYS), "[default]\nservices = s\n" },
  { "a retry mode that is none", merge(R, ENV_KEYS, { AWS_RETRY_MODE = "sometimes" }) },
  { "no attempts", merge(R, ENV_KEYS, { AWS_MAX_ATTEMPTS = "0" }) },
  { "a mode of defaults that is none", merge(R, ENV_KEYS), "[default]\ndefaults_mode = fast\n" },
  { "AWS_REGION", merge(ENV_KEYS, { AWS_REGION = "eu-north-1" }), nil, nil, nil,
    "AWS_REGION is honoured" },
  { "a comment after a value", ENV_KEYS, "[default]\nregion = eu-west-1 # home\n", nil, nil,
    "comments after values are read as the file format says" },
  { "a section twice", ENV_KEYS, "[default]\noutput = json\n[default]\nregion = eu-west-1\n",
    nil, nil, "sections of one name merge, as the file format says" },
  { "a byte order mark", ENV_KEYS, "\239\187\191[default]\nregion = eu-west-1\n", nil, nil,
    "a byte order mark is passed over" },
}

-- Every row sees the same servers, and no others.
local SERVERS = { AWS_ENDPOINT_URL_STS = "<URL>", AWS_ENDPOINT_URL_SSO = "<URL>",
  AWS_EC2_METADATA_SERVICE_ENDPOINT = "<URL>", AWS_EC2_METADATA_DISABLED = "true",
  no_proxy = "127.0.0.1" }

local CACHE = "/.aws/sso/cache/"

-- Writes the files of a row below a home folder of its own; its environment.
local function prepare(top, i, row)
  local home = ("%s/%d"):format(top, i)
  local files = { ["/.aws/config"] = row[3] or "", ["/.aws/credentials"] = row[4] or "" }
  local core = require "sagemaker.core"
  for _, name in ipairs { "https://d-1.awsapps.com/start", "my" } do
    files[CACHE .. core.sha1(name) .. ".json"] = SSO_TOKEN
  end
  server.shell("mkdir -p " .. home .. CACHE)
  for path, text in pairs(files) do
    local file = assert(io.open(home .. path, "wb"))
    file:write((text:gsub("<HOME>", home)))
    file:close()
  end
  local env = merge(SERVERS, { HOME = home }, row[2])
  for name, value in pairs(env) do env[name] = value:gsub("<HOME>", home) end
  return env
end

-- What this client finds.
local function look(env, profile, url)
  local client, message = sagemaker.new { profile = profile, io = { getenv = function(name)
    return env[name] and (env[name]:gsub("<URL>", url))
  end } }
  if not client then return { error = message } end
  local request
  request, message = client:request("ListEndpoints")
  if not request then return { error = message } end
  local found = client.settings.keyring.provider:get(client.provider_io)
  return { key = found.access_key_id, region = client.settings.region,
    method = found.source == "environment" and "env" or found.source,
    endpoint = request.url:gsub("/$", "") }
end

-- The versions of boto3 that are installed: of the python3 that comes first, and Debian's.
local function installed()
  local list, seen = {}, {}
  for _, python in ipairs { "python3", "/usr/bin/python3" } do
    local version, ok = server.shell(python .. " -c 'import boto3; print(boto3.__version__)'")
    local minor = tonumber(version:match("^1%.(%d+)"))
    if ok and minor and not seen[version] then
      seen[version] = true
      list[#list + 1] = { python = python, version = version:match("%S+"), minor = minor }
    end
  end
  return list
end

-- What an old boto3 does not know, and a version that does.
local LATER = {
  { 28, "URLs of services in the environment and in profiles", function(row)
    for name in pairs(row[2]) do
      if name:find("^AWS_ENDPOINT_URL") then return true end
    end
    return (row[3] or ""):find("services = ", 1, true) ~= nil
  end },
  { 40, "endpoints of partitions that have changed since", function(row)
    local region = row[2].AWS_DEFAULT_REGION or ""
    return region:find("^eusc%-") ~= nil or region:find("^us%-iso") ~= nil
  end },
  { 40, "an SSO session as the source of a role", function(row)
    local config = row[3] or ""
    return config:find("sso_session", 1, true) ~= nil and config:find("role_arn", 1, true) ~= nil
  end },
}

-- Why a boto3 is not asked about a row; nil when it is.
local function unknown(boto3, row)
  for _, rule in ipairs(LATER) do
    if boto3.minor < rule[1] and rule[3](row) then
      return ("boto3 before 1.%d may not know %s"):format(rule[1], rule[2])
    end
  end
  return nil
end

local function compare(boto3)
  local top, pipe, url, theirs = server.folder(), nil, nil, {}
  local rows, envs = {}, {}

  setup(function()
    for i, row in ipairs(ROWS) do
      envs[i] = prepare(top, i, row)
      rows[i] = { env = envs[i], profile = row[5] }
    end
    local file = assert(io.open(top .. "/rows.json", "wb"))
    file:write(cjson.encode(rows))
    file:close()
    pipe = assert(io.popen(("unset LD_PRELOAD; %s spec/support/differential.py %s/rows.json")
      :format(boto3.python, top)))
    url = pipe:read("*l")
    for i = 1, #ROWS do theirs[i] = cjson.decode(pipe:read("*l")) end
  end)

  teardown(function()
    local transport = require("sagemaker.transport").choose("curl")
    local address = require("sagemaker.core").uri.split(url .. "/quit")
    transport:send { method = "GET", url = url .. "/quit", host = address.authority,
      path = "/quit", query = "", headers = {}, body = "", timeouts = { connect = 5, read = 5 } }
    pipe:close()
    server.shell("rm -rf " .. top)
  end)

  for i, row in ipairs(ROWS) do
    local reason = unknown(boto3, row)
    local test = reason and function(what)
      io.write(("\n    skipped %s: %s\n"):format(what, reason))
    end or it
    test("agree about " .. row[1], function()
      local found, wanted = look(envs[i], row[5], url), theirs[i]
      if row[6] then
        io.write(("  [differs on purpose] %s: %s\n"):format(row[1], row[6]))
        assert.truthy(wanted.error)
        assert.is_nil(found.error)
      elseif wanted.error then
        assert.is_string(found.error, wanted.error)
      else
        assert.same(wanted, found)
      end
    end)
  end
end

local versions = installed()

if not versions[1] then
  describe("boto3 and this client", function() pending("boto3 is not installed") end)
end

for _, boto3 in ipairs(versions) do
  describe(("boto3 %s and this client"):format(boto3.version), function() compare(boto3) end)
end
