--- The same command lines, answered by the same server, given to the AWS CLI and to `sagemaker`:
--- the same requests, the same output, the same exit codes. Debian's AWS CLI v2 is the measure; v1,
--- where python3 has it, must send the same too.

local core = require "sagemaker.core"
local document = require "sagemaker.cli.document"
local json = require "sagemaker.cli.json"
local rows_of = require "cli.differential_rows"
local server = require "support.server"
local support = require "support"

local quote, write = server.quote, support.write

local ENV = {
  AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = "secret", AWS_CONFIG_FILE = "none",
  AWS_DEFAULT_REGION = "eu-west-1", AWS_EC2_METADATA_DISABLED = "true",
  AWS_PAGER = "", AWS_SHARED_CREDENTIALS_FILE = "none", LANG = "C.UTF-8", PATH = "/usr/bin:/bin",
  PYTHONIOENCODING = "utf-8", TZ = "UTC",
}

-- The words of a command line; quotes as in a shell.
local function words_of(text)
  local words, at = document.list {}, 1
  while true do
    at = text:find("%S", at)
    if not at then return words end
    local word = ""
    while at <= #text and not text:find("^%s", at) do
      local quoted = text:match("^'([^']*)'", at)
      local plain = quoted and "" or text:match("^\\(.)", at) or text:match("^[^%s'\\]+", at)
      word = word .. (quoted or plain)
      at = at + (quoted and #quoted + 2 or text:find("^\\", at) and 2 or #plain)
    end
    words[#words + 1] = word
  end
end

-- The rows as the recorder reads them.
local function write_rows(path, rows, is_wanted)
  local list = document.list {}
  for _, row in ipairs(rows) do
    local answers = document.list {}
    for at, answer in ipairs(row.answers) do
      answers[at] = { status = answer.status, headers = document.object(answer.headers),
        body = core.text.base64(answer.body) }
    end
    local argv = words_of(row.words)
    table.insert(argv, 1, row.service)
    argv[#argv + 1], argv[#argv + 2] = "--endpoint-url", "<URL>"
    list[#list + 1] = is_wanted(row) and { id = row.id, argv = argv, env = document.object(row.env),
      files = document.object(row.files), read = document.list(row.read), answers = answers } or nil
  end
  write(path, json.encode { env = ENV, rows = list })
end

-- Starts the AWS CLI of a Python on the rows that are wanted; nil where it has none of the version.
local function start(python, version, folder, rows, is_wanted)
  local program, out = "spec/support/aws_cli.py", folder .. "/results"
  write(out, "")
  local asked = server.shell(python .. " -c 'import awscli; print(awscli.__version__)'")
  if asked:sub(1, #version) ~= version then return nil end
  write_rows(folder .. "/rows.json", rows, is_wanted)
  local pid = server.spawn(("%s %s %s/rows.json"):format(python, program, folder), out)
  local line = server.wait_for(600, function()
    return support.read(out):match('{"port.*}\n') or not server.alive(pid) and "dead"
  end)
  if not line or line == "dead" then
    server.stop(pid)
    error(program .. " has ended: " .. support.read(out):sub(-2000), 0)
  end
  local got = assert(json.decode(line))
  got.pid = pid
  return got
end

local function recorded(port)
  local text = server.shell(("curl -s http://127.0.0.1:%d/recorded"):format(port))
  return assert(json.decode(text))
end

-- A shell script that runs `sagemaker` for every row, each in a folder of its own.
local function script_of(rows, port, folder)
  local lines = { "main=" .. quote(io.popen("pwd"):read("*l") .. "/lua/sagemaker/cli/main.lua") }
  for _, row in ipairs(rows) do
    local home = folder .. "/" .. row.id
    server.shell("mkdir -p " .. home)
    for name, text in pairs(row.files) do write(home .. "/" .. name, text) end
    local parts = { "cd", home, "&& env -i", "HOME=" .. home }
    for _, env in ipairs { ENV, row.env } do
      for name, value in pairs(env) do parts[#parts + 1] = quote(name .. "=" .. value) end
    end
    for _, name in ipairs { "LUA_PATH", "LUA_CPATH" } do
      parts[#parts + 1] = quote(name .. "=" .. (os.getenv(name) or ""))
    end
    parts[#parts + 1] = os.getenv("SAGEMAKER_LUA") .. ' "$main"'
    if row.service == "sagemaker-runtime" then parts[#parts + 1] = "runtime" end
    for _, word in ipairs(words_of(row.words)) do parts[#parts + 1] = quote(word) end
    parts[#parts + 1] = ("--endpoint-url http://127.0.0.1:%d/%s/ours"):format(port, row.id)
    parts[#parts + 1] = ">.out 2>.err </dev/null; echo $? >.rc"
    lines[#lines + 1] = table.concat(parts, " ")
  end
  return table.concat(lines, "\n") .. "\n"
end

local function run_ours(rows, port, folder)
  local path = folder .. "/ours.sh"
  write(path, script_of(rows, port, folder))
  server.shell("sh " .. path)
  local results = {}
  for _, row in ipairs(rows) do
    local home = folder .. "/" .. row.id
    local files = {}
    for _, name in ipairs(row.read) do files[name] = support.read(home .. "/" .. name) end
    results[row.id] = { rc = tonumber(support.read(home .. "/.rc")),
      stdout = support.read(home .. "/.out"), stderr = support.read(home .. "/.err"),
      files = files }
  end
  return results
end

-- A request as it is compared: without what differs from call to call.
local function request_text(request)
  local headers, lines = request.headers, {}
  local scope = (headers.authorization or ""):match("Credential=([^,]*)") or ""
  local key, region, service = scope:match("^([^/]*)/%d+/([^/]*)/([^/]*)/")
  for name, value in pairs(headers) do
    if name ~= "authorization" then lines[#lines + 1] = name .. ": " .. value end
  end
  table.sort(lines)
  local body = core.text.unbase64(request.body)
  local decoded = (headers["content-type"] or ""):find("json") and json.decode(body)
  if type(decoded) == "table" then
    local function sort(value)
      if document.is_scalar(value) then
        local number = document.number(value)
        return number and number % 1 == 0 and ("%.0f"):format(number) or value
      end
      local out = {}
      for name, item in pairs(value) do out[name] = sort(item) end
      return document.kind(value) == "list" and document.list(out) or document.object(out)
    end
    body = json.encode(sort(decoded), { indent = 1 })
  end
  return ("%s %s\n%s %s %s\n%s\n%s"):format(request.method, request.path, tostring(key),
    tostring(region), tostring(service), table.concat(lines, "\n"), body)
end

local function requests_text(record, who)
  local parts = {}
  for i, request in ipairs(record and record[who] or {}) do parts[i] = request_text(request) end
  return table.concat(parts, "\n\n")
end

-- Only one Lua needs to do this: all print the same, which other specs show.
local LUA = "lua5.4"

describe("the AWS CLI and this command", function()
  if (os.getenv("SAGEMAKER_LUA") or LUA) ~= LUA or os.getenv "SAGEMAKER_TORTURE" then
    pending("compared once, with " .. LUA .. " and without sanitizers")
    return
  end
  local rows, folder = rows_of.all(), server.folder()
  local second, first, ours, recorded_second, recorded_first
  for i, row in ipairs(rows) do row.is_second = row.is_sent and i % 2 == 0 end -- time is short

  setup(function()
    second = start("/usr/bin/python3", "2.", folder, rows, function() return true end)
    if not second then return end
    ours = run_ours(rows, second.port, folder)
    recorded_second = recorded(second.port)
    first = start("python3", "1.", folder, rows, function(row) return row.is_second end)
    recorded_first = first and recorded(first.port)
  end)

  teardown(function()
    if second then server.stop(second.pid) end
    if first then server.stop(first.pid) end
    server.remove(folder)
  end)

  local function judge_second(row)
    local wanted, got, differs = second.results[row.id], ours[row.id], row.differs
    local said = ("%s\nAWS: %s\nours: %s"):format(row.words, wanted.stderr, got.stderr)
    for part, reason in pairs(differs) do
      io.write(("  [differs on purpose] %s, %s: %s\n"):format(row.id, part, reason))
    end
    if differs.all then return end
    local sent = recorded_second[row.id]
    if not differs.request then
      assert.equal(requests_text(sent, "aws"), requests_text(sent, "ours"), said)
    end
    if not differs.rc then assert.equal(wanted.rc, got.rc, said) end
    if not differs.stdout then assert.equal(wanted.stdout, got.stdout, said) end
    if wanted.rc == 254 and not differs.stderr then -- the AWS CLI puts an empty line before
      assert.equal((wanted.stderr:gsub("^\n", "")), (got.stderr:gsub("^\n", "")))
    end
    if wanted.rc ~= 0 then assert.is_true(#got.stderr > 0) end
    assert.same(wanted.files, got.files)
  end

  for _, row in ipairs(rows) do
    it(("do the same for %s"):format(row.id), function()
      if second then
        judge_second(row)
      else
        pending("there is no AWS CLI v2 for /usr/bin/python3")
      end
    end)
  end

  it("send the same in version 1, where it is at hand", function()
    if not first then
      pending("there is no AWS CLI v1 for python3")
      return
    end
    local compared = 0
    for _, row in ipairs(rows) do
      if row.is_second and first.results[row.id].rc == 0 and not row.differs.all then
        compared = compared + 1
        assert.equal(requests_text(recorded_first[row.id], "aws"),
          requests_text(recorded_second[row.id], "ours"), row.words)
      end
    end
    assert.is_true(compared > 20)
  end)
end)
