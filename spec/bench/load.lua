--- What it costs to load: a whole process that requires sagemaker and makes a client, beside a
-- process that does nothing. In interleaved rounds; medians.
--
--   lua5.4 spec/bench/load.lua [rounds] [lua to start]
--
-- Goal: at most 2 ms and 1 MB over the bare interpreter (stretch: 1 ms). libcurl is loaded at the
-- first call, so it does not count here.

package.path = "lua/?.lua;lua/?/init.lua;" .. package.path

local core = require "sagemaker.core"

local rounds, lua = tonumber(arg[1]) or 41, arg[2] or "lua5.4"

-- Prints the most memory that the process has had, in KB.
local MEMORY = [[for line in io.lines("/proc/self/status") do
  local kb = line:match("^VmHWM:%s*(%d+)") if kb then print(kb) end end]]

local LOAD = [[assert(require("sagemaker").new{ region = "eu-west-1" }) ]]

local ROWS = {
  { name = "interpreter alone", code = "" },
  { name = "require core", code = [[require "sagemaker.core" ]] },
  { name = "require + new", code = LOAD },
}

local function command(code)
  return ("LUA_PATH='%s' LUA_CPATH='%s' exec %s -e '%s'"):format(package.path, package.cpath, lua,
    code:gsub("%s+", " "))
end

local function run(code)
  local start = core.clock()
  local ok = os.execute(command(code))
  assert(ok == true or ok == 0, "the process failed: " .. command(code))
  return core.clock() - start
end

local function memory(code)
  local process = io.popen(command(code .. MEMORY))
  local kb = process:read("*n")
  process:close()
  return kb
end

local function median(list)
  table.sort(list)
  return list[math.floor(#list / 2) + 1]
end

for _, row in ipairs(ROWS) do
  row.times, row.over = {}, {}
  row.kb = memory(row.code)
end
-- What a row costs over the bare interpreter is compared within a round: other work on the machine
-- slows both alike.
for _ = 1, rounds do
  local base = run(ROWS[1].code)
  for i, row in ipairs(ROWS) do
    local seconds = i == 1 and base or run(row.code)
    row.times[#row.times + 1] = seconds
    row.over[#row.over + 1] = seconds - base
  end
end

for _, row in ipairs(ROWS) do
  print(("load  %-20s %6.2f ms  %6d KB   over Lua: %5.2f ms %6d KB"):format(row.name,
    median(row.times) * 1e3, row.kb, median(row.over) * 1e3, row.kb - ROWS[1].kb))
end
