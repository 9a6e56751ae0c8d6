--- The options of the launcher as a command line has them: rows that a parser takes, and the table
-- for launch.run that their values become.

local accounts = require "sagemaker.simulator.account"
local errors = require "sagemaker.error"
local knobs = require "sagemaker.simulator.knobs"

local M = {}

---@class sagemaker.simulator.argument
---@field name string without dashes
---@field value string|nil what stands for its value in help
---@field summary string
---@field kind "integer"|"flag"|nil
---@field reads string|nil how the text of its value is read: "number", "json"

local ROWS = {
  { name = "port", value = "PORT", kind = "integer",
    summary = "Where to listen; 0 picks a free port. Default: 4580, or a free one." },
  { name = "host", value = "ADDRESS", summary = "The address to listen on. Default: 127.0.0.1." },
  { name = "speed", value = "FACTOR", reads = "number",
    summary = "How many times as fast time passes. Default: 60." },
  { name = "clock", value = "virtual", choices = { "virtual" },
    summary = "Time stands still, but for --step and the control API." },
  { name = "step", value = "SECONDS", reads = "number",
    summary = "Virtual time moves on by so much with every DescribeEndpoint." },
  { name = "state", value = "FILE",
    summary = "Keeps what happens in a file, and goes on from there." },
  { name = "save-seconds", value = "SECONDS", reads = "number",
    summary = "How often the file is written. Default: 5." },
  { name = "credentials", value = "KEY:SECRET",
    summary = "Whose signatures count. Default: test:test." },
  { name = "no-verify", kind = "flag", key = "verify", sets = false,
    summary = "Takes any signature, and none." },
  { name = "tls", value = "CERT:KEY", summary = "Serves HTTPS with these two files (PEM)." },
  { name = "log", value = "FILE",
    summary = "Logs requests and errors; - is the terminal." },
  { name = "account-id", value = "ID", summary = "Default: 123456789012." },
  { name = "seed", value = "N", kind = "integer",
    summary = "What looks random follows from it. Default: 1." },
  { name = "start", value = "EPOCH", reads = "number", summary = "When time begins." },
  { name = "limits", value = "JSON", reads = "json",
    summary = 'How many there may be, such as {"endpoints": 10}.' },
  { name = "nginx", value = "PROGRAM", summary = "The nginx to use." },
}

local TAKES = {
  provisioning = "A fleet, or each batch of a rolling deployment", activation = "A step's traffic",
  removal = "Removing an old fleet or batch", rollback = "A roll-back",
  scaling = "New weights and capacities", deleting = "Deleting an endpoint",
  health_check = "Giving an unhealthy container up",
  loading = "A target model, or the resources of a serverless variant, once asked for,",
}

local FAULTS = {
  clock_skew = "How many seconds the service's clock is off.",
  deny = "Requests that get AccessDeniedException.",
  drop = "Requests whose answer is lost.", expire = "Requests that get ExpiredTokenException.",
  fail_provisioning = "Endpoints, configurations or models whose instances do not come.",
  hide_failure_reason = "Endpoints whose FailureReason stays away.",
  latency = "Seconds until answers come, or a distribution.",
  not_ready = "Endpoints or models whose invocations get ModelNotReadyException.",
  reset = "Requests whose connection is reset.",
  rollback_fails = "Endpoints or configurations whose roll-back fails.",
  stream_pause = "Seconds between two parts of a response stream.",
  throttle = "Requests that get ThrottlingException, or {\"rate\": 5, \"burst\": 10}.",
  truncate = "Requests whose answer ends in the middle.",
  unhealthy = "Endpoints, configurations or models whose containers are not healthy.",
  unreachable = "Requests whose connection is closed at once.",
  visible_after = "Seconds until other operations see a new resource.",
}

local function sorted(map)
  local names = {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- The rows, in the order in which help shows them.
---@return sagemaker.simulator.argument[]
function M.rows()
  local rows = {}
  for _, row in ipairs(ROWS) do rows[#rows + 1] = row end
  for _, name in ipairs(sorted(accounts.SECONDS)) do
    rows[#rows + 1] = { name = name:gsub("_", "-") .. "-seconds", value = "SECONDS",
      reads = "number",
      summary = ("%s takes so long. Default: %d."):format(TAKES[name], accounts.SECONDS[name]) }
  end
  for _, name in ipairs(knobs.names()) do
    rows[#rows + 1] = { name = name:gsub("_", "-"), value = "VALUE", reads = "json",
      summary = FAULTS[name] or "See the guide to the simulator." }
  end
  return rows
end

local function read_number(row, text)
  return tonumber(text) or error(("--%s must be a number, not %q"):format(row.name, text), 0)
end

-- JSON where it is JSON; otherwise a word, or several with commas between them.
local function read_json(row, text)
  local ok, value = pcall(require("cjson").decode, "[" .. text .. "]")
  if ok and value[2] == nil then return value[1] end
  if text:find "^%s*[{[]" then
    -- cjson says where, counted from the bracket before the text.
    local at = not ok and tonumber(tostring(value):match "at character (%d+)")
    error(("--%s: invalid JSON%s: %s"):format(row.name,
      at and (" at character %d"):format(math.max(1, at - 1)) or "", text:sub(1, 60)), 0)
  end
  local words = {}
  for word in text:gmatch("[^,%s]+") do words[#words + 1] = word end
  return words[2] and words or text
end

local READERS = { number = read_number, json = read_json }

--- What launch.run takes, made of the values that a parser found by the keys of the rows.
---@param values table<string, any>
---@return table|nil options
---@return string|nil message
function M.options(values)
  local options = {}
  for _, row in ipairs(M.rows()) do
    local key = row.key or row.name:gsub("-", "_")
    local value = values[key]
    if value ~= nil and row.reads then
      local ok, read = pcall(READERS[row.reads], row, value)
      if not ok then return nil, read end
      value = read
    end
    options[key] = value
  end
  return options
end

-- The row that a word names, and the value it brings along.
local function row_of(word, rows)
  local name, value = word:match("^%-%-([%w-]+)=(.*)$")
  name = name or word:match("^%-%-([%w-]+)$")
  local names = {}
  for i, row in ipairs(rows) do
    if row.name == name then return row, value end
    names[i] = "--" .. row.name
  end
  return nil, ("unknown option %s%s"):format(word, errors.hint(word, names))
end

--- The values of the words of a command line, for a launcher without a parser of its own.
---@param words string[]
---@return table|nil values
---@return string|nil message
function M.parse(words)
  local rows, values, i = M.rows(), {}, 1
  while words[i] do
    local row, value = row_of(words[i], rows)
    if not row then return nil, value end
    if row.kind == "flag" then
      value = row.sets
    elseif not value then
      i = i + 1
      value = words[i]
      if not value then return nil, ("--%s needs a value"):format(row.name) end
    end
    if row.kind == "integer" then
      value = tonumber(value)
      if not value then return nil, ("--%s must be a whole number"):format(row.name) end
    end
    values[row.key or row.name:gsub("-", "_")] = value
    i = i + 1
  end
  return values
end

return M
