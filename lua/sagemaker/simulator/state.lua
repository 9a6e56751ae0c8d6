--- The whole state of a simulator as one text, and back: what the account owns, its endpoints with
-- all that is under way on them, alarms, metrics, knobs and the clock.
--
--   local text = state.snapshot(sim)
--   local ok, message = state.restore(sim, text)
--
-- Records of the store are written whatever their kind is, each with all tables that it refers to
-- (see simulator/graph.lua). What a record can compute again it names in `state.transient`. What
-- lives outside the store has a section: state.section("name", { save = fn, load = fn }).

local graph = require "sagemaker.simulator.graph"
local json = require "sagemaker.simulator.json"
local lifecycle = require "sagemaker.simulator.lifecycle"

local M = {}

local FORMAT, VERSION = "sagemaker-simulator-state", 2

--- Fields of records that are not written: they are made again when they are needed.
---@type table<string, boolean>
M.transient = { view = true, described = true }

---@class sagemaker.simulator.section
---@field save fun(sim: sagemaker.Simulator): any plain data, nil for nothing
---@field load fun(sim: sagemaker.Simulator, data: any) throws when it cannot
---@field passes (fun(sim: sagemaker.Simulator): boolean)|nil whether it is another one each time
--- although nothing was changed: time that runs, what was drawn at random

---@type table<string, sagemaker.simulator.section>
local sections = {}

-- How many records are written before others get a turn.
local TURN = 4

--- Adds something to every snapshot.
---@param name string
---@param section sagemaker.simulator.section
function M.section(name, section)
  sections[name] = section
end

M.section("time", {
  save = function(sim)
    return { now = sim:now(), start = sim.time.start }
  end,
  load = function(sim, data) sim.time:resume(data.now, data.start) end,
  passes = function(sim) return sim.time.factor ~= nil end,
})

M.section("seeds", {
  save = function(sim) return { ids = sim.seeds.ids, random = sim.seeds.random } end,
  load = function(sim, data) sim.seeds.ids, sim.seeds.random = data.ids, data.random end,
  passes = function() return true end,
})

M.section("knobs", {
  save = function(sim)
    local data = {}
    for name, value in pairs(sim.knobs) do
      if type(value) ~= "function" then data[name] = value end
    end
    return data
  end,
  load = function(sim, data)
    for name, value in pairs(data) do sim[name](sim, value) end
  end,
})

M.section("alarms", {
  save = function(sim) return sim.account.watch:save() end,
  load = function(sim, data) sim.account.watch:load(data) end,
})

M.section("metrics", {
  save = function(sim) return sim.account.metrics:save() end,
  load = function(sim, data) sim.account.metrics:load(data) end,
})

-- Functions are containers of their process only; those that are URLs are pinged again.
M.section("hosting", {
  save = function(sim)
    local objects = sim.account.objects
    return { dice = sim.hosting.dice, bodies = objects.bodies, order = json.array(objects.order) }
  end,
  load = function(sim, data)
    sim.hosting.dice = data.dice
    for _, location in ipairs(data.order) do
      sim.account.objects:put(location, data.bodies[location])
    end
  end,
})

local function head_of(sim)
  return json.encode {
    format = FORMAT, version = VERSION, account_id = sim.account_id, region = sim.region,
    partition = sim.partition, sequence = sim.account.store.sequence,
  }
end

-- All records, oldest first, so that the same state gives the same text.
local function records_of(sim)
  local rows, store = {}, sim.account.store
  for kind in pairs(store.kinds) do
    for _, record in ipairs(store:all(kind)) do rows[#rows + 1] = record end
  end
  table.sort(rows, function(a, b) return a.sequence < b.sequence end)
  return rows
end

--- The state as text. `pause`, when given, is called now and then: what other requests change
-- meanwhile may be in the text or not, every record as a whole.
---@param sim sagemaker.Simulator
---@param pause? fun()
---@return string text
---@return integer from the place in it behind what passes by itself: as long as nothing is changed,
--- the text is the same from there on
function M.snapshot(sim, pause)
  local lines, store = {}, sim.account.store
  for i, record in ipairs(records_of(sim)) do
    if store:find(record.kind, record.name) == record then
      lines[#lines + 1] = graph.encode(record, M.transient)
    end
    if pause and i % TURN == 0 then pause() end
  end
  local passing, lasting = {}, {}
  for name, section in pairs(sections) do
    local data, out = section.save(sim), lasting
    if section.passes and section.passes(sim) then out = passing end
    if data ~= nil then out[#out + 1] = json.string(name) .. ":" .. json.encode(data) end
  end
  table.sort(passing)
  table.sort(lasting)
  local head = ('{"head":%s,\n"sections":{%s'):format(head_of(sim), table.concat(passing, ",\n"))
  return ('%s,\n%s},\n"records":[\n%s\n]}\n'):format(head, table.concat(lasting, ",\n"),
    table.concat(lines, ",\n")), #head + 1
end

-- Why this is not a snapshot that this simulator can go on from, or nil.
local function bad_head(sim, data)
  local head = type(data) == "table" and data.head
  if type(head) ~= "table" or head.format ~= FORMAT then
    return "this is not a snapshot of the simulator"
  elseif head.version ~= VERSION then
    return ("the snapshot has version %s, and this simulator reads version %d")
      :format(json.encode(head.version), VERSION)
  elseif type(data.records) ~= "table" or type(data.sections) ~= "table" then
    return "the snapshot is not whole"
  end
  for _, name in ipairs { "account_id", "region", "partition" } do
    if head[name] ~= sim[name] then
      return ("the snapshot is of %s %s, and this simulator plays %s"):format(
        name:gsub("_", " "), tostring(head[name]), sim[name])
    end
  end
  return nil
end

local function bring_back(account, rows, i)
  local record = graph.decode(rows)
  if type(record.name) ~= "string" or not account.store.kinds[record.kind] then
    error(("record %d is of no known kind"):format(i), 0)
  end
  if record.machine then lifecycle.share_alike(record.machine) end
  account:bring_back(record)
end

local function apply(sim, data, records)
  local i = 0
  for rows in records do
    i = i + 1
    bring_back(sim.account, rows, i)
  end
  sim.account.store.sequence = data.head.sequence
  for name, section in pairs(sections) do
    if data.sections[name] ~= nil then section.load(sim, data.sections[name]) end
  end
end

-- Where the lines of the records begin and end in a text as `snapshot` writes it.
local OPENS, CLOSES = '"records":[\n', "\n]}\n"

-- The records of such a text, one after the other: all of them at once take ten times its length.
local function lines_of(text, at)
  local last = #text - #CLOSES
  return function()
    if at > last then return nil end
    local stop = text:find("\n", at, true)
    local line = text:sub(at, stop - 1):gsub(",$", "")
    at = stop + 1
    return require("cjson").decode(line)
  end
end

-- What a snapshot says, and an iterator over its records. Throws when it is no JSON.
local function read(text)
  local decode = require("cjson").decode
  local _, open = text:find(OPENS, 1, true)
  if not open or text:sub(-#CLOSES) ~= CLOSES then -- written by somebody else, or not whole
    local data = decode(text)
    local i, rows = 0, type(data) == "table" and data.records
    return data, function()
      i = i + 1
      return rows[i]
    end
  end
  return decode(text:sub(1, open) .. "]}"), lines_of(text, open + 1)
end

--- Brings a new simulator to a state that was saved.
---@param sim sagemaker.Simulator one that nothing has happened in
---@param text string
---@return true|nil
---@return string|nil message; the simulator is of no use then
function M.restore(sim, text)
  local ok, data, records = pcall(read, text)
  if not ok then
    return nil, "this is not a whole snapshot of the simulator: "
      .. tostring(data):gsub("^%S+:%d+: ", "") -- the place in this project helps nobody
  end
  local bad = bad_head(sim, data)
  if bad then return nil, bad end
  local good, failure = pcall(apply, sim, data, records)
  if not good then return nil, "the snapshot cannot be used: " .. tostring(failure) end
  return true
end

return M
