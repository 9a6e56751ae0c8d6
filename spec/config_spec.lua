local config = require "sagemaker.config"
local env = require "sagemaker.env"
local files = require "support.files"
local options_of = require "sagemaker.options"

local SERVICE = { id = "SageMaker" }

-- The injected functions of a user whose home is /h, with files by path.
local function world(variables, by_path, opened)
  local io = files.user(variables)
  io.open = files.opener(by_path or {}, opened)
  return env.new(io)
end

-- Complete settings.
local function settings_of(options, variables, service, by_path)
  local settings, message, err = config.new(options, world(variables, by_path), service or SERVICE)
  if not settings then return nil, message, err end
  local ok
  ok, message, err = config.complete(settings)
  if not ok then return nil, message, err end
  return settings
end

local function must(options, variables, service, by_path)
  return assert(settings_of(options, variables, service, by_path))
end

-- As `must` with text of ~/.aws/config.
local function with_config(text, options, variables, service)
  return must(options, variables, service, { ["/h/.aws/config"] = text })
end

local function refuse(options, variables, by_path)
  local settings, message, err = settings_of(options, variables, nil, by_path)
  assert.is_nil(settings)
  assert.equal("config", err.kind)
  assert.equal(tostring(err), message)
  return err
end

describe("sagemaker.config", function()
  describe("region", function()
    it("comes from the option, then AWS_REGION, then AWS_DEFAULT_REGION", function()
      local variables = { AWS_REGION = "eu-west-1", AWS_DEFAULT_REGION = "eu-west-2" }
      assert.equal("eu-west-3", must({ region = "eu-west-3" }, variables).region)
      assert.equal("eu-west-1", must({}, variables).region)
      assert.equal("eu-west-2", must({}, { AWS_DEFAULT_REGION = "eu-west-2" }).region)
    end)

    it("counts empty strings as unset", function()
      assert.equal("eu-west-2",
        must({ region = "" }, { AWS_REGION = "", AWS_DEFAULT_REGION = "eu-west-2" }).region)
      assert.equal("NoRegion", refuse({}, { AWS_REGION = "" }).code)
    end)

    it("is taken from the transport before the environment", function()
      local transport = { send = function() end, defaults = { region = "us-east-1",
        credentials = { access_key_id = "test" } } }
      local settings = must({ transport = transport }, { AWS_REGION = "eu-west-1" })
      assert.equal("us-east-1", settings.region)
      assert.equal("test", settings.credentials.access_key_id)
      assert.equal("eu-west-3",
        must({ transport = transport, region = "eu-west-3" }).region)
    end)

    it("must be a host label", function()
      for _, region in ipairs { "not a region", "x.evil.com/#", "-a", "a-", "12345", "a.b",
        ("a"):rep(64), "ü" } do
        local err = refuse({ region = region })
        assert.equal("InvalidRegion", err.code)
      end
      assert.matches("AWS_REGION", refuse({}, { AWS_REGION = "a b" }).message)
    end)

    it("may carry the wish for FIPS", function()
      for _, region in ipairs { "fips-us-east-1", "us-east-1-fips" } do
        local settings = must({ region = region })
        assert.equal("us-east-1", settings.region)
        assert.is_true(settings.use_fips)
      end
    end)
  end)

  it("reads the retry settings", function()
    assert.equal("standard", must({ region = "x" }).retry_mode)
    local settings = must({ region = "x" },
      { AWS_MAX_ATTEMPTS = "7", AWS_RETRY_MODE = "legacy" })
    assert.equal(7, settings.max_attempts)
    assert.equal("legacy", settings.retry_mode)
    settings = must({ region = "x", retry = { mode = "standard", max_attempts = 2 } },
      { AWS_MAX_ATTEMPTS = "7", AWS_RETRY_MODE = "legacy" })
    assert.equal(2, settings.max_attempts)
    assert.equal("standard", settings.retry_mode)
    for _, value in ipairs { "0", "-1", "many", "1.5" } do
      local err = refuse({ region = "x" }, { AWS_MAX_ATTEMPTS = value })
      assert.matches("AWS_MAX_ATTEMPTS must be a whole number of at least 1", err.message)
    end
    assert.matches("AWS_RETRY_MODE must be one of",
      refuse({ region = "x" }, { AWS_RETRY_MODE = "STANDARD" }).message)
  end)

  it("reads FIPS and dual stack", function()
    local settings = must({ region = "x" },
      { AWS_USE_FIPS_ENDPOINT = "TRUE", AWS_USE_DUALSTACK_ENDPOINT = "true" })
    assert.is_true(settings.use_fips)
    assert.is_true(settings.use_dualstack)
    settings = must({ region = "x", use_fips = false }, { AWS_USE_FIPS_ENDPOINT = "true" })
    assert.is_false(settings.use_fips)
    assert.is_false(must({ region = "x" }, { AWS_USE_FIPS_ENDPOINT = "1" }).use_fips)
  end)

  describe("endpoint URL", function()
    local variables = {
      AWS_ENDPOINT_URL = "https://all.example",
      AWS_ENDPOINT_URL_SAGEMAKER = "https://control.example",
      AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME = "https://runtime.example",
    }

    it("of the service beats the general one", function()
      assert.equal("https://control.example", must({ region = "x" }, variables).endpoint_url)
      assert.equal("https://runtime.example",
        must({ region = "x" }, variables, { id = "SageMaker Runtime" }).endpoint_url)
      assert.equal("https://all.example", must({ region = "x" }, variables,
        { id = "STS" }).endpoint_url)
      assert.equal("http://here", must({ region = "x", endpoint_url = "http://here" },
        variables).endpoint_url)
    end)

    it("is ignored on request, except as an option", function()
      variables.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS = "true"
      assert.is_nil(must({ region = "x" }, variables).endpoint_url)
      assert.equal("http://here", must({ region = "x", endpoint_url = "http://here" },
        variables).endpoint_url)
    end)

    it("beats FIPS, but a program must not ask for both", function()
      local settings = must({ region = "x" },
        { AWS_ENDPOINT_URL = "http://a", AWS_USE_FIPS_ENDPOINT = "true" })
      assert.is_false(settings.use_fips)
      assert.equal("InvalidEndpoint",
        refuse({ region = "x", endpoint_url = "http://a", use_fips = true }).code)
    end)
  end)

  it("reads AWS_CA_BUNDLE, the application's name and the proxies", function()
    local settings = must({ region = "x" }, {
      AWS_CA_BUNDLE = "/ca.pem", AWS_SDK_UA_APP_ID = "shop",
      HTTP_PROXY = "http://upper", https_proxy = "http://lower", HTTPS_PROXY = "http://upper",
      NO_PROXY = "localhost",
    })
    assert.equal("/ca.pem", settings.tls.ca_file)
    assert.equal("shop", settings.app_id)
    assert.same({ http = "http://upper", https = "http://lower", no_proxy = "localhost" },
      settings.proxy)
    assert.equal("/mine.pem", must({ region = "x", tls = { ca_file = "/mine.pem" } },
      { AWS_CA_BUNDLE = "/ca.pem" }).tls.ca_file)
    assert.is_nil(must({ region = "x", tls = { ca_path = "/certs" } },
      { AWS_CA_BUNDLE = "/ca.pem" }).tls.ca_file)
    assert.is_false(must({ region = "x", proxy = false }, { HTTPS_PROXY = "http://p" }).proxy)
  end)

  it("takes an empty proxy in lower case for none", function()
    local proxy = must({ region = "x" }, { https_proxy = "", HTTPS_PROXY = "http://p",
      no_proxy = "", NO_PROXY = "*" }).proxy
    assert.same({}, proxy)
  end)

  it("does not believe HTTP_PROXY in a CGI program", function()
    local settings = must({ region = "x" }, { HTTP_PROXY = "http://p", REQUEST_METHOD = "GET" })
    assert.is_nil(settings.proxy.http)
  end)

  it("has defaults", function()
    local settings = must({ region = "x" })
    assert.same({ connect = 60, read = 60 }, settings.timeouts)
    assert.equal("basic", settings.validation)
    assert.is_true(settings.tls.verify)
    assert.is_false(must({ region = "x", validation = false }).validation)
    assert.equal(70, must({ region = "x" }, nil,
      { id = "SageMaker Runtime", read_timeout = 70 }).timeouts.read)
  end)

  it("throws for options it does not know, with the nearest name", function()
    for option, text in pairs {
      regoin = "unknown option regoin (did you mean region?)",
      xyzzy = "unknown option xyzzy",
    } do
      assert.error_matches(function() settings_of { [option] = 1 } end, text, 1, true)
    end
    assert.error_matches(function() settings_of { timeouts = { raed = 1 } } end,
      "unknown option timeouts.raed (did you mean read?)", 1, true)
    assert.error_matches(function() settings_of { 1 } end, "unknown option 1", 1, true)
  end)

  it("throws for values of the wrong kind", function()
    local cases = {
      { { region = 17 }, "option region must be a string, not number" },
      { { use_fips = "yes" }, 'option use_fips must be a boolean, not "yes"' },
      { { validation = "none" }, 'option validation must be one of "basic", "strict", false' },
      { { validation = true }, "option validation must be one of" },
      { { retry = { max_attempts = 0 } }, "option retry.max_attempts must be a whole number" },
      { { retry = { mode = "fast" } }, 'option retry.mode must be one of "standard"' },
      { { retry = 3 }, "option retry must be a table" },
      { { timeouts = { read = -1 } }, "option timeouts.read must be a number above 0" },
      { { timeouts = { read = 0 / 0 } }, "option timeouts.read must be a number above 0" },
      { { timeouts = { read = math.huge } }, "option timeouts.read must be a number above 0" },
      { { tls = { verify = "no" } }, "option tls.verify must be a boolean" },
      { { proxy = 80 }, "option proxy must be a URL, false, or a table" },
      { { transport = {} }, "option transport must be a transport" },
      { { credentials = "AKID:SECRET" }, "option credentials must be a table of keys" },
      { { hooks = { before_send = 1 } }, "option hooks.before_send must be a function" },
      { { hooks = { before_sned = print } }, "did you mean before_send?" },
      { { user_agent_extra = "a\r\nX: b" }, "printable ASCII" },
      { { max_response_bytes = 1.5 }, "option max_response_bytes must be a whole number" },
      { { logger = {} }, "option logger must be a function" },
    }
    for _, case in ipairs(cases) do
      local ok, message = pcall(settings_of, case[1])
      assert.is_false(ok)
      assert.matches(case[2], message, 1, true)
      assert.is_nil(message:find("SECRET", 1, true))
    end
  end)

  describe("the shared files", function()
    it("are read at the first call, if at all", function()
      local opened = {}
      local settings = assert(config.new({ region = "x" }, world({}, {}, opened), SERVICE))
      assert.same({}, opened)
      assert.is_false(settings.is_complete)
      assert(config.complete(settings))
      assert.equal(2, #opened)
      assert(config.complete(settings))
      assert.equal(2, #opened)
    end)

    it("are not read when options and environment say everything", function()
      local opened = {}
      local settings = assert(config.new({ region = "x", use_fips = false, use_dualstack = false,
        retry = { mode = "standard", max_attempts = 3 }, endpoint_url = "http://h", app_id = "a" },
        world({ AWS_CA_BUNDLE = "/ca", AWS_DEFAULTS_MODE = "standard",
          AWS_STS_REGIONAL_ENDPOINTS = "regional" }, {}, opened), SERVICE))
      assert.same({}, opened)
      assert.is_true(settings.is_complete)
    end)

    it("of a user are not for a transport that brings region and keys", function()
      local transport = { send = function() end, defaults = { region = "us-east-1",
        credentials = {} } }
      local opened = {}
      local settings = assert(config.new({ transport = transport },
        world({}, { ["/h/.aws/config"] = "nonsense" }, opened), SERVICE))
      assert.same({}, opened)
      assert.equal("standard", settings.retry_mode)
    end)

    it("answer what options and environment do not", function()
      local text = "[default]\nregion = eu-west-1\n[profile dev]\nregion = eu-west-2\n"
        .. "retry_mode = legacy\nmax_attempts = 7\nuse_fips_endpoint = true\n"
        .. "use_dualstack_endpoint = TRUE\nca_bundle = ~/ca.pem\nsdk_ua_app_id = shop\n"
        .. "sts_regional_endpoints = legacy\n"
      local settings = with_config(text)
      assert.equal("eu-west-1", settings.region)
      assert.equal("default", settings.profile)
      assert.is_nil(settings.profile_source)
      assert.equal('region of the profile "default" in /h/.aws/config', settings.sources.region)
      settings = with_config(text, { profile = "dev" })
      assert.equal("eu-west-2", settings.region)
      assert.equal("legacy", settings.retry_mode)
      assert.equal(7, settings.max_attempts)
      assert.is_true(settings.use_fips)
      assert.is_true(settings.use_dualstack)
      assert.equal("/h/ca.pem", settings.tls.ca_file)
      assert.equal("shop", settings.app_id)
      assert.equal("legacy", settings.sts_regional_endpoints)
      assert.equal("option", settings.profile_source)
      settings = with_config(text, { use_fips = false, app_id = "mine" },
        { AWS_PROFILE = "dev", AWS_MAX_ATTEMPTS = "2", AWS_REGION = "eu-west-3" })
      assert.equal("AWS_PROFILE", settings.profile_source)
      assert.equal("eu-west-3", settings.region)
      assert.is_false(settings.use_fips)
      assert.equal(2, settings.max_attempts)
      assert.equal("mine", settings.app_id)
      assert.equal("AWS_MAX_ATTEMPTS", settings.sources.max_attempts)
    end)

    it("tell which profile is missing, and which there are", function()
      local both = { ["/h/.aws/config"] = "[default]\n[profile dev]\n",
        ["/h/.aws/credentials"] = "[prod]\n" }
      local err = refuse({ profile = "dve" }, {}, both)
      assert.equal("ProfileNotFound", err.code)
      assert.equal('there is no profile "dve" (option) in /h/.aws/config or /h/.aws/credentials '
        .. "(did you mean dev?); known profiles: default, dev, prod", err.message)
      err = refuse({ region = "x" }, { AWS_PROFILE = "nope" }, {})
      assert.matches('"nope" (AWS_PROFILE)', err.message, 1, true)
      assert.matches("they have no profiles", err.message, 1, true)
    end)

    it("may be malformed, which costs the path and the line", function()
      local err = refuse({}, {}, { ["/h/.aws/config"] = "[default]\nregion = x\nnonsense\n" })
      assert.equal("InvalidConfigFile", err.code)
      assert.matches("/h/.aws/config, line 3: ", err.message, 1, true)
      err = refuse({ region = "x" }, { AWS_CONFIG_FILE = "/loop" },
        { ["/loop"] = { "/loop: Too many levels of symbolic links", 40 } })
      assert.equal("InvalidConfigFile", err.code)
      assert.matches("/loop: Too many levels", err.message, 1, true)
    end)

    it("may be unreadable, which the missing region tells", function()
      local forbidden = { "/h/.aws/config: Permission denied", 13 }
      local err = refuse({}, {}, { ["/h/.aws/config"] = forbidden })
      assert.equal("NoRegion", err.code)
      assert.matches("(/h/.aws/config: Permission denied)", err.message, 1, true)
    end)

    it("hold values that cannot be used, told with their place", function()
      local function message(line)
        return refuse({ region = "x" }, {}, { ["/h/.aws/config"] = "[default]\n" .. line }).message
      end
      assert.equal('max_attempts of the profile "default" in /h/.aws/config must be a whole number '
        .. 'of at least 1, not "many"', message "max_attempts = many")
      assert.matches("retry_mode of .* must be one of ", message "retry_mode = fast")
      assert.matches("retry_mode of .* must be a text", message "retry_mode =\n  a = b")
      assert.matches("there is no section %[services s%]", message "services = s")
      assert.is_true(#message("retry_mode = " .. ("x"):rep(1e6)) < 300)
      assert.equal("InvalidRegion",
        refuse({}, {}, { ["/h/.aws/config"] = "[default]\nregion = a b\n" }).code)
    end)

    it("name endpoints for a service or for all", function()
      local text = "[default]\nregion = x\nservices = s\nendpoint_url = http://all\n"
        .. "[services s]\nsagemaker =\n  endpoint_url = http://control\nsso_oidc =\n"
        .. "  endpoint_url = http://oidc\n"
      assert.equal("http://control", with_config(text).endpoint_url)
      assert.equal("endpoint_url of [services s]", with_config(text).sources.endpoint_url)
      assert.equal("http://oidc", with_config(text, nil, nil, { id = "SSO OIDC" }).endpoint_url)
      local runtime = { id = "SageMaker Runtime" }
      assert.equal("http://all", with_config(text, nil, nil, runtime).endpoint_url)
      assert.equal("http://env",
        with_config(text, nil, { AWS_ENDPOINT_URL = "http://env" }).endpoint_url)
      assert.is_nil(with_config(text, { ignore_configured_endpoint_urls = true }).endpoint_url)
      assert.is_nil(with_config(text .. "[default]\nignore_configured_endpoint_urls = true\n",
        nil, { AWS_ENDPOINT_URL = "http://env" }).endpoint_url)
    end)
  end)

  it("follows a mode of defaults", function()
    local function timeout(mode, variables, options)
      variables = variables or {}
      variables.AWS_DEFAULTS_MODE = mode
      options = options or {}
      options.region = "eu-west-1"
      return must(options, variables).timeouts.connect
    end
    assert.equal(60, timeout(nil))
    assert.equal(60, timeout("legacy"))
    assert.equal(6.2, timeout("standard"))
    assert.equal(2.2, timeout("in-region"))
    assert.equal(6.2, timeout("cross-region"))
    assert.equal(60, timeout("mobile"))
    assert.equal(6.2, timeout("auto"))
    local here = { AWS_EXECUTION_ENV = "AWS_Lambda", AWS_REGION = "eu-west-1" }
    local there = { AWS_EXECUTION_ENV = "AWS_Lambda", AWS_DEFAULT_REGION = "eu-west-2" }
    assert.equal(2.2, timeout("auto", here))
    assert.equal(6.2, timeout("auto", there))
    assert.equal(3, timeout("standard", {}, { timeouts = { connect = 3 } }))
    assert.equal(2.2, must({ region = "x", defaults_mode = "in-region" },
      { AWS_DEFAULTS_MODE = "mobile" }).timeouts.connect)
    assert.matches("AWS_DEFAULTS_MODE must be one of",
      refuse({ region = "x" }, { AWS_DEFAULTS_MODE = "bogus" }).message)
  end)

  it("lets a URL of a call switch configured FIPS off", function()
    local settings = must({ region = "x" }, { AWS_USE_FIPS_ENDPOINT = "true" })
    local derived = assert(config.override(settings, { endpoint_url = "http://h" }))
    assert.is_false(derived.use_fips)
    assert.is_true(settings.use_fips)
    local bad, _, err = config.override(settings, { endpoint_url = "http://h", use_fips = true })
    assert.is_nil(bad)
    assert.equal("InvalidEndpoint", err.code)
  end)

  it("overrides settings for a call", function()
    local settings = must({ region = "eu-west-1", timeouts = { read = 5 } })
    options_of.check_call({ region = "eu-west-2", max_items = 3 }, { max_items = true })
    local derived = config.override(settings, { region = "eu-west-2", timeouts = { connect = 1 },
      retry = { max_attempts = 1 }, validation = false })
    assert.equal("eu-west-2", derived.region)
    assert.equal(5, derived.timeouts.read)
    assert.equal(1, derived.timeouts.connect)
    assert.equal(1, derived.max_attempts)
    assert.equal("standard", derived.retry_mode)
    assert.is_false(derived.validation)
    assert.equal("eu-west-1", settings.region)
    assert.equal(60, settings.timeouts.connect)
    local bad, _, err = config.override(settings, { region = "a b" })
    assert.is_nil(bad)
    assert.equal("InvalidRegion", err.code)
    assert.error_matches(function() options_of.check_call { tls = {} } end, "unknown option tls", 1,
      true)
    assert.error_matches(function() options_of.check_call(3) end, "must be a table")
  end)
end)
