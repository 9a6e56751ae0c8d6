--- Times functions beside a yardstick, in turns, and prints medians and ratios.

local M = {}

---@param list number[] is put in order
---@return number
function M.median(list)
  table.sort(list)
  return list[math.ceil(#list / 2)]
end

local function microseconds(f, times)
  local start = os.clock()
  for _ = 1, times do f() end
  return (os.clock() - start) / times * 1e6
end

---@param title string
---@param subjects table[] {name, function, highest ratio?}; the first is the yardstick
---@param rounds integer
---@param per_round integer calls of each function
function M.run(title, subjects, rounds, per_round)
  local times = {}
  for i, subject in ipairs(subjects) do
    assert(subject[2]())
    times[i] = {}
  end
  for round = 1, rounds do
    for i, subject in ipairs(subjects) do times[i][round] = microseconds(subject[2], per_round) end
  end
  print(("%s, %s"):format(rawget(_G, "jit") and "LuaJIT" or _VERSION, title))
  local unit = M.median(times[1])
  for i, subject in ipairs(subjects) do
    local time = M.median(times[i])
    print(("  %-22s %7.2f us  %5.2f x%s"):format(subject[1], time, time / unit,
      subject[3] and ("  (must be at most %.2f)"):format(subject[3]) or ""))
  end
end

return M
