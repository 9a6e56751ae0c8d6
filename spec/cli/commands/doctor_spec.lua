--- `sagemaker doctor`: what it finds in an environment and in files, and what it never does.

local cjson = require "cjson"
local command = require "support.command"

local KEYS = { AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = "wJalrXUtnFEMI/EXAMPLE" }

-- Runs the doctor; nothing may be sent unless it is asked to.
local function doctor(env, files, more, opts)
  local argv = { "doctor" }
  for _, word in ipairs(more or {}) do argv[#argv + 1] = word end
  opts = opts or {}
  env.HOME = env.HOME or "/home/ann"
  opts.env, opts.files = env, files or {}
  local result = command.run(argv, opts)
  assert.is_nil((result.out .. result.err):find("wJalr", 1, true))
  if not opts.answers then assert.equal(0, #result.requests) end
  return result
end

local function has(result, ...)
  for _, text in ipairs { ... } do
    assert.truthy(result.out:gsub("%s+", " "):find(text, 1, true), result.out .. result.err)
  end
end

local function also(env)
  for name, value in pairs(KEYS) do env[name] = value end
  return env
end

describe("doctor", function()
  it("finds nothing wrong where all is there", function()
    local result = doctor(also { AWS_REGION = "eu-west-1" })
    assert.equal(0, result.code, result.out)
    has(result, "region eu-west-1, from AWS_REGION", "environment these are used",
      "access key *******MPLE", "requests go to https://api.sagemaker.eu-west-1.amazonaws.com",
      "Nothing is wrong.", "libcurl")
  end)

  it("says what to do where there is no region", function()
    local result = doctor(also {})
    assert.equal(253, result.code)
    has(result, "region not set; looked at --region, AWS_REGION, AWS_DEFAULT_REGION, region of the "
      .. "profile default", "give --region, set AWS_REGION", "environment these are used")
  end)

  it("tells what each provider said where there are no keys", function()
    local result = doctor { AWS_REGION = "eu-west-1", AWS_EC2_METADATA_DISABLED = "true" }
    assert.equal(253, result.code)
    has(result, "environment no: AWS_ACCESS_KEY_ID is not set",
      "iam-role no: switched off by AWS_EC2_METADATA_DISABLED", "there are no credentials")
  end)

  it("does not ask the network by itself", function()
    has(doctor { AWS_REGION = "eu-west-1" }, "iam-role not asked: it would ask a service")
  end)

  it("tells half a pair of keys", function()
    local result = doctor { AWS_REGION = "eu-west-1", AWS_ACCESS_KEY_ID = "AKIDEXAMPLE" }
    assert.equal(253, result.code)
    has(result, "environment cannot be used: AWS_ACCESS_KEY_ID is set, but "
      .. "AWS_SECRET_ACCESS_KEY is not")
  end)

  it("tells profile, file and property", function()
    local result = doctor({ AWS_PROFILE = "staging" }, {
      ["/home/ann/.aws/config"] = "[profile staging]\nregion = eu-north-1\nretry_mode = adaptive\n",
      ["/home/ann/.aws/credentials"] = "[staging]\naws_access_key_id = AKIDSTAGING\n"
        .. "aws_secret_access_key = wJalrXUtnFEMI/EXAMPLE\n",
    })
    assert.equal(0, result.code, result.out)
    has(result, "config file /home/ann/.aws/config: 1 profile", "profile staging, from AWS_PROFILE",
      'region eu-north-1, from region of the profile "staging" in /home/ann/.aws/config',
      "retry mode adaptive, from retry_mode", "shared-credentials-file these are used")
  end)

  it("tells what is set but not used", function()
    local result = doctor(also { AWS_REGION = "eu-west-1", AWS_DEFAULT_REGION = "us-east-1" }, nil,
      { "--region", "eu-north-1" })
    has(result, "region eu-north-1, from --region; not used: AWS_REGION = eu-west-1, "
      .. "AWS_DEFAULT_REGION = us-east-1")
  end)

  it("tells that keys in the environment come before a profile", function()
    has(doctor(also { AWS_REGION = "eu-west-1", AWS_PROFILE = "a" },
      { ["/home/ann/.aws/config"] = "[profile a]\n" }),
      "warning: AWS_PROFILE names the profile a, but the keys in the environment come first")
  end)

  it("names the profiles that there are", function()
    local result = doctor(also { AWS_REGION = "eu-west-1", AWS_PROFILE = "stagin" },
      { ["/home/ann/.aws/config"] = "[profile staging]\n" })
    assert.equal(253, result.code)
    has(result, "(did you mean staging?)")
  end)

  it("tells an expired sign-in, and how to sign in again", function()
    local key = require("sagemaker.core").sha1("corp")
    local result = doctor({ AWS_REGION = "eu-west-1" }, {
      ["/home/ann/.aws/config"] = "[default]\nsso_session = corp\nsso_account_id = 123456789012\n"
        .. "sso_role_name = dev\n[sso-session corp]\nsso_start_url = https://corp.example\n"
        .. "sso_region = eu-west-1\n",
      ["/home/ann/.aws/sso/cache/" .. key .. ".json"] = cjson.encode { accessToken = "wJalr-token",
        expiresAt = "2026-01-01T00:00:00Z" },
    })
    assert.equal(253, result.code)
    has(result, "sso cannot be used: the SSO token has expired", "run `aws sso login`")
  end)

  it("tells a file that cannot be read", function()
    local result = doctor(also { AWS_REGION = "eu-west-1" },
      { ["/home/ann/.aws/config"] = "[default\n" })
    assert.equal(253, result.code)
    has(result, "/home/ann/.aws/config")
    result = doctor(also { AWS_REGION = "eu-west-1" }, { ["/home/ann/.aws/config"] = false })
    has(result, "config file /home/ann/.aws/config: Permission denied")
  end)

  it("tells a named file that cannot be read once, by its variable", function()
    local result = doctor({ AWS_REGION = "eu-west-1", AWS_SHARED_CREDENTIALS_FILE = "/d" },
      { ["/d"] = false })
    assert.equal(253, result.code)
    has(result, "problem: AWS_SHARED_CREDENTIALS_FILE: /d: Permission denied")
    local _, count = result.out:gsub("problem:", "")
    assert.equal(1, count)
  end)

  it("tells files that are passed over, and named ones that are not there", function()
    local result = doctor(also { AWS_REGION = "eu-west-1" }, { ["/home/ann/.aws/config"] = false })
    assert.equal(0, result.code, result.out)
    has(result, "warning: /home/ann/.aws/config: Permission denied: it is passed over, as if it "
      .. "were not there")
    result = doctor({}, { ["/home/ann/.aws/config"] = false })
    assert.equal(253, result.code)
    has(result, "problem: /home/ann/.aws/config: Permission denied: it is passed over")
    has(doctor(also { AWS_REGION = "eu-west-1", AWS_CONFIG_FILE = "/nope" }),
      "warning: AWS_CONFIG_FILE names /nope, which is not there")
  end)

  it("stands below its labels on a narrow terminal", function()
    for _, columns in ipairs { 20, 30, 43, 44, 60 } do
      local result = doctor(also { AWS_REGION = "eu-west-1" }, {}, nil,
        { tty = true, columns = columns })
      local out = result.out:gsub("\27%[[%d;]*m", "")
      assert.equal(columns >= 44, out:find("\n  environment       these are", 1, true) ~= nil)
      for line in out:gmatch("[^\n]+") do
        local word = line:find "^%s+%S+$" or columns >= 44 and line:find "^  %l.-  +%S+$"
        assert.is_truthy(#line <= columns or word, line)
      end
    end
  end)

  it("hides passwords of URLs", function()
    local result = doctor(also { AWS_REGION = "eu-west-1",
      HTTPS_PROXY = "http://ann:wJalr@proxy.example:3128", NO_PROXY = "localhost" })
    has(result, "https proxy http://...@proxy.example:3128", "no proxy for localhost")
  end)

  it("warns of what is not safe", function()
    has(doctor(also { AWS_REGION = "eu-west-1", AWS_ENDPOINT_URL = "http://example.com" }, nil,
      { "--no-verify-ssl" }), "http://example.com is not encrypted",
      "certificates are not verified")
  end)

  it("prints values", function()
    local value = cjson.decode(doctor(also { AWS_REGION = "eu-west-1" }, nil,
      { "--output", "json" }).out)
    assert.equal("environment", value.credentials.keys.source)
    assert.same({ source = "AWS_REGION", value = "eu-west-1" }, value.settings[1].tried[2])
    assert.equal("not_reached", value.credentials.rows[2].state)
    assert.same({}, value.findings)
  end)

  it("asks the service with --online", function()
    local env = also { AWS_REGION = "eu-west-1" }
    local ok = { status = 200, body = '{"Endpoints": []}',
      headers = { Date = "Thu, 15 Jan 2026 12:34:56 GMT" } }
    local result = doctor(env, nil, { "--online" }, { answers = { ok } })
    assert.equal(0, result.code, result.out)
    has(result, "ListEndpoints answered", "clock right")
    ok.headers.Date = "Thu, 15 Jan 2026 12:24:56 GMT"
    has(doctor(env, nil, { "--online" }, { answers = { ok } }), "clock 600 s fast",
      "warning: the clock here is 600 seconds fast")
    result = doctor(env, nil, { "--online" }, { answers = { { status = 403, headers = {},
      body = '{"__type": "UnrecognizedClientException", "message": "no such key"}' } } })
    assert.equal(253, result.code)
    has(result, "ListEndpoints UnrecognizedClientException: no such key (after 0.")
  end)
end)
