-- Looks at what a crowd (spec/support/crowd.lua) has written down and at what the server remembers:
-- no update that was acknowledged is lost, no status follows one that it cannot follow.
--
--   lua spec/support/crowd_check.lua URL LOG
--
-- Prints what it has looked at; ends with 1 and says what is wrong otherwise.

local cjson = require "cjson"
local lifecycle = require "sagemaker.simulator.lifecycle"

local url, path = arg[1], arg[2]

local function fetch(where, data)
  local pipe = io.popen(("curl -sS %s '%s%s'"):format(data and "-X POST -d '" .. data .. "'" or "",
    url, where))
  local text = pipe:read "*a"
  pipe:close()
  return cjson.decode(text)
end

local problems = {}

local function problem(format, ...)
  problems[#problems + 1] = format:format(...)
end

-- Whether a status can be seen some time after another one.
local function reachable(from, to, seen)
  if from == to then return true end
  seen = seen or {}
  if seen[from] then return false end
  seen[from] = true
  for status in pairs(lifecycle.transitions[from] or {}) do
    if reachable(status, to, seen) then return true end
  end
  return false
end

-- What was asked of each endpoint and what became of it, in the order in which it was answered.
local asked, seen, counts = {}, {}, { calls = 0, described = 0 }

local function read_row(row)
  counts.calls = counts.calls + 1
  if row.operation == "DescribeEndpoint" and row.ok then
    local key = row.client .. " " .. row.endpoint
    if seen[key] and not reachable(seen[key], row.status) then
      problem("client %d saw %s go from %s to %s", row.client, row.endpoint, seen[key], row.status)
    end
    seen[key] = row.status
    counts.described = counts.described + 1
  elseif row.operation == "UpdateEndpoint" and (row.ok or row.kind ~= "service") then
    asked[row.endpoint] = asked[row.endpoint] or {}
    table.insert(asked[row.endpoint], row)
  end
end

for line in io.lines(path) do
  local row = cjson.decode(line)
  if row.operation then read_row(row) end
end

-- The history of an endpoint: every step is one that the state machine knows.
local function check_history(name, history)
  local before, updates = "", 0
  for _, entry in ipairs(history) do
    if entry.status ~= before then
      if not (lifecycle.transitions[before] or {})[entry.status] then
        problem("%s went from %s to %s", name, before, entry.status)
      end
      if entry.status == "Updating" then updates = updates + 1 end
    end
    before = entry.status
  end
  return updates
end

-- Updates that were acknowledged have happened; the others may have.
local function check_updates(name, rows, updates, config)
  local good, lost, last = 0, 0, nil
  for _, row in ipairs(rows) do
    if row.ok then good, last = good + 1, row else lost = lost + 1 end
  end
  counts.updates, counts.lost = (counts.updates or 0) + good, (counts.lost or 0) + lost
  if updates < good or updates > good + lost then
    problem("%s was updated %d times; %d were acknowledged and %d got no answer", name, updates,
      good, lost)
  end
  if name == "shared" or not last then return end
  local fits = last.config == config
  for _, row in ipairs(rows) do
    fits = fits or not row.ok and row.sent >= last.got and row.config == config
  end
  if not fits then
    problem("%s runs %s, and the last update was to %s", name, config, last.config)
  end
end

fetch("/_simulator/knobs", '{"drop":null,"reset":null,"truncate":null,"throttle":null,'
  .. '"latency":null}')
fetch("/_simulator/advance", '{"seconds":100000}')
for name, rows in pairs(asked) do
  local endpoint = fetch("/_simulator/endpoints/" .. name)
  if endpoint.status ~= "InService" then problem("%s is %s", name, tostring(endpoint.status)) end
  local updates = check_history(name, endpoint.history)
  check_updates(name, rows, updates, endpoint.config)
end

print(("%d calls, %d looks, %d updates acknowledged, %d without an answer, %d problems"):format(
  counts.calls, counts.described, counts.updates or 0, counts.lost or 0, #problems))
for _, text in ipairs(problems) do print(text) end
os.exit(#problems == 0 and 0 or 1)
