--- What every spec may use: where the vectors are, rows of a vector file, the null value.
-- Run from the top of the project, with the built libraries on LUA_CPATH.

local cjson = require "cjson"

local M = {}

-- A collector that is always in the middle of a cycle finds values that C forgot to anchor. It
-- does about a unit of work for a byte: more ends a whole cycle every few KB, which takes minutes.
if os.getenv("SAGEMAKER_TORTURE") then
  if _VERSION == "Lua 5.4" then collectgarbage("incremental") end
  collectgarbage("setpause", 0)
  collectgarbage("setstepmul", 16)
end

local overheard = os.getenv("SAGEMAKER_OVERHEARD")
if overheard then dofile("spec/support/overhear.lua").start(overheard) end

M.null = cjson.null

--- The folder of the conformance vectors, or nil when it is not at hand. SAGEMAKER_CONFORMANCE
-- names another place than ../shared/conformance.
---@return string|nil
function M.conformance()
  local dir = os.getenv("SAGEMAKER_CONFORMANCE") or "../shared/conformance"
  local f = io.open(dir .. "/README.md", "rb")
  if f then
    f:close()
    return dir
  end
  return nil
end

--- The bytes of a file, or nil when there is none.
---@param path string
---@return string|nil
function M.read(path)
  local f = io.open(path, "rb")
  if not f then return nil end
  local bytes = f:read("*a")
  f:close()
  return bytes
end

--- Writes a file.
---@param path string
---@param bytes string
function M.write(path, bytes)
  local f = assert(io.open(path, "wb"))
  f:write(bytes)
  f:close()
end

--- The decoded rows of a JSON-lines file below the conformance folder.
---@param name string for example "golden/requests.jsonl"
---@return table[] rows empty when the vectors are not at hand
function M.rows(name)
  local dir = M.conformance()
  local rows = {}
  if not dir then return rows end
  for line in io.lines(dir .. "/" .. name) do
    if line:find("%S") then rows[#rows + 1] = cjson.decode(line) end
  end
  return rows
end

--- Says on the terminal what a conformance spec ran and what it skipped: a line a suite and one per
-- skipped case, so that a skip is never silent.
---@param suite string
---@param ran integer
---@param skipped {id: string, reason: string}[]
function M.tally(suite, ran, skipped)
  io.write(("  [%s] %d cases ran, %d skipped\n"):format(suite, ran, #skipped))
  for _, case in ipairs(skipped) do
    io.write(("    skipped %s: %s\n"):format(case.id, case.reason))
  end
end

--- Makes a spec of each row that no rule skips, and tells in the end what ran.
---@param busted table `it`, `teardown` of the spec
---@param suite string for the tally
---@param rows table[]
---@param id_of fun(row: table, i: integer): string
---@param skip fun(row: table): string|nil why a row is left out
---@param run fun(row: table)
function M.suite(busted, suite, rows, id_of, skip, run)
  local ran, skipped = 0, {}
  for i, row in ipairs(rows) do
    local id, reason = id_of(row, i), skip(row)
    if reason then
      skipped[#skipped + 1] = { id = id, reason = reason }
    else
      busted.it(id, function()
        ran = ran + 1
        run(row)
      end)
    end
  end
  busted.teardown(function() M.tally(suite, ran, skipped) end)
end

local unpack = table.unpack or unpack -- luacheck: ignore

--- The values that a row counts in `n`, as a list.
---@param row table of sagemaker.all
---@return table
function M.values(row)
  return { unpack(row, 1, row.n) }
end

return M
