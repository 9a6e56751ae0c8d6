-- Prints which operations the simulator plays, as it knows itself: OPERATIONS.md is what this
-- prints.
--
--     lua examples/simulator/operations.lua > examples/simulator/OPERATIONS.md

local core = require "sagemaker.core"
local simulator = require "sagemaker.simulator"

local COLUMNS = 2

-- Names as rows of a table.
local function rows(names)
  print(("| "):rep(COLUMNS) .. "|")
  print(("|---"):rep(COLUMNS) .. "|")
  for i = 1, #names, COLUMNS do
    local row = {}
    for j = 1, COLUMNS do row[j] = names[i + j - 1] or "" end
    print("| " .. table.concat(row, " | ") .. " |")
  end
  print()
end

local function section(id)
  local played, rest, all = {}, {}, core.service(id):operations()
  local names = simulator.operations(id)
  for _, name in ipairs(names) do played[name] = true end
  table.sort(all)
  for _, name in ipairs(all) do
    if not played[name] then rest[#rest + 1] = name end
  end
  print(("## %s: %d of %d operations\n"):format(id, #names, #all))
  rows(names)
  if not rest[1] then return end
  print(("The other %d answer `NotSimulated` and name themselves:\n"):format(#rest))
  print(table.concat(rest, ", ") .. ".\n")
end

print "# What the simulator plays\n"
print "[operations.lua](operations.lua) prints this page; a spec compares the two.\n"
for _, id in ipairs(simulator.services()) do section(id) end
