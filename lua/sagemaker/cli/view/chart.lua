--- Pictures of a plan over time: how the traffic moves from the old fleet to the new one, and how
-- many instances of each run.
--
-- Every column stands for an equal part of the time and shows the state in its middle. The new
-- fleet grows from below, the old one stands on it.

local plans = require "sagemaker.deployment.plan"
local text = require "sagemaker.cli.view.text"

local M = {}

-- Columns before the area: "  100 % │".
local MARGIN = 9

-- The step that is under way at a time.
local function step_at(steps, time)
  local found = steps[1]
  for _, step in ipairs(steps) do
    if step.time <= time then found = step end
    if step.time > time then break end
  end
  return found
end

-- The state in the middle of each column.
local function samples(plan, columns)
  local list, duration = {}, math.max(plan.duration, 1)
  for i = 1, columns do list[i] = step_at(plan.steps, (i - 0.5) * duration / columns) end
  return list
end

-- One line of an area: the runs of the same character are painted together.
local function area(style, list, kind_of)
  local parts, run, last = {}, 0, nil
  local function flush()
    if not last then return end
    local glyph = last == "none" and " " or style.glyphs[last]
    local piece = glyph:rep(run)
    parts[#parts + 1] = last == "none" and piece or style:paint(last, piece)
  end
  for _, step in ipairs(list) do
    local kind = kind_of(step)
    if kind ~= last then
      flush()
      run, last = 0, kind
    end
    run = run + 1
  end
  if last ~= "none" then flush() end
  return table.concat(parts)
end

-- Lines of an area whose full height is `whole`; `levels(step)` are the new fleet's part and the
-- sum.
local function areas(style, list, height, whole, unit, levels)
  local lines = {}
  for row = height, 1, -1 do
    local middle = (row - 0.5) * whole / height
    local label = (row == height or row == math.ceil(height / 2) or height <= 4)
      and ("%.4g"):format(row * whole / height) .. unit or ""
    lines[#lines + 1] = text.pad(label, -(MARGIN - 2)) .. " " .. style.glyphs.axis
      .. area(style, list, function(step)
        local new, sum = levels(step)
        if middle < new then return "new" end
        return middle < sum and "old" or "none"
      end)
  end
  return lines
end

-- Places a label without touching the one before it.
local function place(line, column, label)
  local gap = column - #line
  if gap < (line:find("%S") and 1 or 0) then return line end
  return line .. (" "):rep(gap) .. label
end

-- The axis of time: a tick where a step begins, and below it when that is.
local function axis(style, plan, columns, has_marks)
  local ticks, marks = {}, (" "):rep(MARGIN - 1)
  local duration = math.max(plan.duration, 1)
  for _, step in ipairs(plan.steps) do
    local column = math.floor(step.time * columns / duration)
    if step.time < plan.duration then
      ticks[column] = true
      local label = plans.clock(step.time)
      if MARGIN - 1 + column + #label <= MARGIN + columns - #plans.clock(plan.duration) - 2 then
        marks = place(marks, MARGIN - 1 + column, label)
      end
    end
  end
  marks = place(marks, MARGIN + columns - #plans.clock(plan.duration),
    plans.clock(plan.duration))
  local glyphs, line = style.glyphs, {}
  for column = 1, columns do line[column] = ticks[column] and glyphs.tick or glyphs.line end
  local rule = (" "):rep(MARGIN - 1) .. glyphs.corner .. table.concat(line)
  return { rule, has_marks and marks or nil }
end

local function append(lines, more)
  for _, line in ipairs(more) do lines[#lines + 1] = line end
end

local function legend(style, what)
  local glyphs = style.glyphs
  return ("%s%s   %s old   %s new"):format((" "):rep(MARGIN - 1), what,
    style:paint("old", glyphs.old:rep(2)), style:paint("new", glyphs.new:rep(2)))
end

-- Rows for the instances: few are drawn one a row, many in eight rows.
local function height_of(peak)
  return peak <= 8 and peak or 8
end

--- The picture of a plan: traffic, and where the fleet is known instances, over time.
---@param plan sagemaker.deployment.Plan
---@param style sagemaker.cli.Style
---@return string[] lines empty where the terminal is too narrow or nothing takes time
function M.lines(plan, style)
  local columns = math.min(style.columns, 100) - MARGIN - 1
  if columns < 36 or plan.duration <= 0 then return {} end
  local list, lines = samples(plan, columns), { legend(style, "traffic") }
  append(lines, areas(style, list, 8, 100, " %", function(step)
    return step.traffic.new, 100
  end))
  local most = 0
  for _, step in ipairs(plan.steps) do
    if step.instances then most = math.max(most, step.instances.old + step.instances.new) end
  end
  append(lines, axis(style, plan, columns, most == 0))
  if most == 0 then return lines end
  lines[#lines + 1] = ""
  lines[#lines + 1] = legend(style, "instances") .. ", taking traffic"
  append(lines, areas(style, list, height_of(most), most, "", function(step)
    return step.instances.new, step.instances.old + step.instances.new
  end))
  append(lines, axis(style, plan, columns, true))
  return lines
end

return M
