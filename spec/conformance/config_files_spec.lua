-- The shared files: how they are read, where they are, and hostile ones.
local cjson = require "cjson"
local agent = require "sagemaker.agent"
local env = require "sagemaker.env"
local files = require "support.files"
local ini = require "sagemaker.ini"
local profiles = require "sagemaker.profiles"
local support = require "support"

local dir = support.conformance()
local FOLDER = dir and dir .. "/config/"

local function decode(name)
  return cjson.decode(support.read(FOLDER .. name))
end

-- "\nname = value" is how one suite writes nested properties.
local function nested(value)
  if type(value) ~= "string" or value:sub(1, 1) ~= "\n" then return value end
  local out = {}
  for name, text in value:gmatch("\n%s*([^\n=]-)%s*=%s*([^\n]*)") do out[name] = text end
  return out
end

-- What is expected of profiles. Names of properties count in lower case, as botocore reads them,
-- and a few of these cases do not say so.
local function normalized(of_profiles)
  local out = {}
  for name, properties in pairs(of_profiles or {}) do
    out[name] = {}
    for key, value in pairs(properties) do out[name][key:lower()] = nested(value) end
  end
  return out
end

-- Two suites say what is expected in two forms: {profiles, sso-sessions} and {config = {profiles}}.
local function check_parser(case)
  local input = case.input
  local view, message = profiles.load(env.new(files.user({}, input.configFile,
    input.credentialsFile)))
  if case.output.errorContaining then
    assert.is_nil(view, case.name)
    -- The words are each SDK's own; the place is what helps.
    assert.matches("^/h/%.aws/%w+, line %d+: ", message, case.name)
    return
  end
  assert(view, ("%s: %s"):format(case.name, tostring(message)))
  local expected = case.output.config or case.output
  assert.same(normalized(expected.profiles), view.profiles, case.name)
  if expected["sso-sessions"] then
    assert.same(expected["sso-sessions"], view.sso_sessions, case.name)
  end
end

-- What makes a case of file locations impossible here.
local function no_location(case)
  if case.languageSpecificHome and not case.environment.HOME then
    return "Lua knows no home folder but the environment's (languageSpecificHome without HOME)"
  end
end

local function check_location(case)
  local io = env.new { getenv = function(name) return case.environment[name] end }
  local config, credentials = profiles.paths(io)
  -- Windows takes both separators.
  local function path(text)
    return case.platform == "windows" and text:gsub("/", "\\") or text
  end
  assert.equal(case.configLocation, path(config), case.name)
  assert.equal(case.credentialsLocation, path(credentials), case.name)
  if case.profile then assert.equal(case.profile, (profiles.name(io)), case.name) end
end

local function run(suite, cases, why_not, check)
  local ran, skipped = 0, {}
  for i, case in ipairs(cases) do
    local id = case.name or ("%d"):format(i)
    local reason = why_not and why_not(case)
    if reason then
      skipped[#skipped + 1] = { id = id, reason = reason }
    else
      check(case)
      ran = ran + 1
    end
  end
  support.tally(suite, ran, skipped)
end

-- The names of the files in a folder.
local function entries(path)
  local list = {}
  local pipe = io.popen(("ls '%s' 2>/dev/null"):format(path))
  for name in pipe:lines() do list[#list + 1] = name end
  pipe:close()
  return list
end

local function must_not_crash(text, name)
  for _, is_credentials in ipairs { false, true } do
    local result, message = ini.parse(text, name, is_credentials)
    if result then
      for _, kind in ipairs { "profiles", "sso_sessions", "services" } do
        assert.is_table(result[kind], name)
      end
    else
      assert.matches(", line %d+: ", message, name)
    end
  end
end

describe("conformance: shared files", function()
  if not dir then
    pending("the vectors are not at hand")
    return
  end

  for _, suite in ipairs { "aws-sdk-kotlin/parser_test_suite.json",
    "smithy-rs/profile-parser-tests.json" } do
    it("are read as in " .. suite, function()
      run(suite, decode(suite).tests, nil, check_parser)
    end)
  end

  for _, suite in ipairs { "aws-sdk-kotlin/loader_test_suite.json",
    "smithy-rs/file-location-tests.json" } do
    it("are where " .. suite .. " says", function()
      run(suite, decode(suite).tests, no_location, check_location)
    end)
  end

  it("of botocore's own tests", function()
    local expected = decode "botocore-cfg-expected.json"
    local ran, skipped = 0, {}
    for _, name in ipairs(entries(FOLDER .. "botocore-cfg")) do
      local row = expected[name]
      local text = support.read(FOLDER .. "botocore-cfg/" .. name)
      local result, message = ini.parse(text, name)
      if row.error then
        assert.is_nil(result, name)
        assert.matches(", line %d+: ", message, name)
        ran = ran + 1
      elseif not result then
        skipped[#skipped + 1] = { id = name, reason = "refused, not passed over: " .. message }
      else
        assert.same(row.result.profiles, result.profiles, name)
        assert.same(row.result.services, result.services, name)
        assert.same(row.result.sso_sessions, result.sso_sessions, name)
        ran = ran + 1
      end
    end
    support.tally("botocore-cfg", ran, skipped)
  end)

  it("of the fuzz corpus never crash", function()
    local names = entries(FOLDER .. "aws-c-auth-fuzz-corpus")
    for _, name in ipairs(names) do
      must_not_crash(support.read(FOLDER .. "aws-c-auth-fuzz-corpus/" .. name), name)
    end
    for _, folder in ipairs { "botocore-cfg" } do
      for _, name in ipairs(entries(FOLDER .. folder)) do
        must_not_crash(support.read(FOLDER .. folder .. "/" .. name), name)
      end
    end
    support.tally("aws-c-auth-fuzz-corpus", #names, {})
  end)

  it("matter less than the trace of a Lambda function", function()
    run("smithy-rs/recursion-detection.json", decode "smithy-rs/recursion-detection.json",
      function(case)
        if #case.requestHeadersBefore > 0 then
          return "a caller sets no header of a request itself (requestHeadersBefore)"
        end
      end,
      function(case)
        local trace = agent.trace(function(name) return case.env[name] end)
        local header = case.requestHeadersAfter[1]
        assert.equal(header and header:match("^X%-Amzn%-Trace%-Id: (.*)$"), trace)
      end)
  end)
end)
