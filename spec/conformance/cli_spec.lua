-- Whole command lines of the AWS CLI (version 1): the requests that they send, whether and how they
-- fail, and what they print. Both clients are told to print timestamps as they come and to take
-- blobs as they are, because versions 1 and 2 differ there; the rest of what differs on purpose is
-- a rule below, and in examples/command/README.md.

local cjson = require "cjson"
local command = require "support.command"
local support = require "support"

local HOME = "/home/user"

-- Why a row is not run, or what of it is not compared.
local SKIPPED = {
  { "^cfg%-", "`configure` edits files; there is no such command" },
  { "^unknown%-service$", "there is one service, so its name is a command" },
  { "^rt%-stream%-not%-available$", "streams are a command of ours" },
  { "^g%-cli%-binary%-format$", "an option of version 2" },
  { "^g%-no%-cli%-pager$", "an option of version 2" },
  { "^g%-region%-env%-aws%-region$", "AWS_REGION is honoured" },
  { "^renamed%-version%-original%-name$", "prints the version of another program" },
  { "^g%-version$", "prints the version of another program" },
  { "^skeleton%-", "skeletons are valid here, see the specs of skeletons" },
}

local function skipped(id)
  for _, rule in ipairs(SKIPPED) do
    if id:find(rule[1]) then return rule[2] end
  end
end

local function decode_bytes(value)
  if type(value) == "table" and value["$bytes"] then
    return require("sagemaker.core").text.unbase64(value["$bytes"])
  end
  return value
end

local NETWORK = {
  connect_timeout = { kind = "timeout", code = "ConnectTimeout", sent = false, retryable = true },
  read_timeout = { kind = "timeout", code = "ReadTimeout", sent = true, retryable = true },
}

local function answers_of(row)
  local n = 0
  return function()
    n = n + 1
    local given = row.http[n]
    if not given then return { body = "{}" } end
    if given.network_error then
      local failure = {}
      for key, value in pairs(NETWORK[given.network_error]) do failure[key] = value end
      return failure
    end
    return { status = given.status, body = decode_bytes(given.body), headers = given.headers }
  end
end

local function world_of(row)
  local env = { HOME = HOME, AWS_RETRY_MODE = "legacy" }
  for name, text in pairs(row.env) do env[name] = (text:gsub("<HOME>", HOME)) end
  local files = {}
  for path, text in pairs(row.files) do
    text = decode_bytes(text)
    files[path], files[HOME .. "/" .. path] = text, text
  end
  local path = HOME .. "/.aws/config"
  local settings = "cli_timestamp_format = wire\ncli_binary_format = raw-in-base64-out\n"
  if not files[path] then
    files[path] = "[default]\n" .. settings
  elseif not files[path]:find("cli_timestamp_format", 1, true) then
    files[path] = files[path]:gsub("(%[[^%]]+%]\n)", "%1" .. settings)
  end
  local argv = {}
  for i, word in ipairs(row.argv) do argv[i] = (word:gsub("<HOME>", HOME)) end
  return argv, { env = env, files = files, answers = answers_of(row) }
end

-- What kind of failure the original's words mean.
local CLASSES = {
  { "calling the %w+ operation", 254 },
  { "You must specify a region", 253 },
  { "Unable to locate credentials", 253 },
  { "Partial credentials", 253 },
  { "The config profile", 253 },
  { "Unknown output type", 253 },
  { "Unknown cli_timestamp_format", 253 },
  { "timeout on endpoint URL", 255 },
  { "Waiter %w+ failed", 255 },
  { "%[Errno 2%] No such file or directory: 'nodir", 255 },
  { "^$", 253 }, -- a broken configuration file ends version 1 without a word
}

local function class_of(row)
  if row.rc == 0 then return 0 end
  for _, rule in ipairs(CLASSES) do
    if row.stderr:find(rule[1]) then return rule[2] end
  end
  return 252
end

local function json_body(body)
  local ok, decoded = pcall(cjson.decode, body)
  return ok and decoded or body
end

local function compare_requests(row, result)
  assert.equal(#row.requests, #result.requests, "requests")
  for i, wanted in ipairs(row.requests) do
    local sent = result.requests[i]
    assert.equal(wanted.method, sent.method)
    assert.equal(wanted.url, sent.url)
    for name, text in pairs(wanted.headers) do
      if name ~= "authorization" and not name:find("^amz%-sdk") and name ~= "user-agent" then
        local found
        for key, value in pairs(sent.headers) do
          if key:lower() == name then found = value end
        end
        assert.equal(text, found, name)
      end
    end
    local body = decode_bytes(wanted.body ~= cjson.null and wanted.body or "") or ""
    assert.same(json_body(body), json_body(sent.body))
  end
end

-- The form of output that a row asks for.
local function form_of(row)
  for i, word in ipairs(row.argv) do
    if word == "--output" then return row.argv[i + 1] end
    if word:find("^%-%-output=") then return word:match("=(.*)$") end
  end
  return row.env.AWS_DEFAULT_OUTPUT
    or (row.files[".aws/config"] or ""):match("output%s*=%s*(%w+)") or "json"
end

local function compare_output(row, result)
  if form_of(row) == "json" and row.stdout ~= "" then
    assert.truthy(result.out:find("\n$"))
    local wanted, got = "[" .. row.stdout .. "]", "[" .. result.out .. "]"
    assert.same(cjson.decode(wanted), cjson.decode(got))
  else
    -- Which escapes make a colour is another matter: the original turns off what is not on.
    local function plain(text) return (text:gsub("\27%[[%d;]*m", "")) end
    assert.equal(plain(row.stdout), plain(result.out))
    assert.equal(row.stdout:find("\27[1m", 1, true) ~= nil,
      result.out:find("\27[1m", 1, true) ~= nil)
  end
end

describe("command lines of the AWS CLI", function()
  local rows, ran, skips = support.rows("golden/cli.jsonl"), 0, {}
  if #rows == 0 then pending("the conformance vectors are not at hand") end
  for _, row in ipairs(rows) do
    local reason = skipped(row.id)
    if reason then
      skips[#skips + 1] = { id = row.id, reason = reason }
    else
      ran = ran + 1
      it(row.id, function()
        local argv, opts = world_of(row)
        local result = command.run(argv, opts)
        assert.equal(class_of(row), result.code, result.err)
        compare_requests(row, result)
        compare_output(row, result)
        for path, contents in pairs(row.files_written) do
          assert.equal(decode_bytes(contents), result.files[path])
        end
      end)
    end
  end
  support.tally("cli.jsonl", ran, skips)
end)
