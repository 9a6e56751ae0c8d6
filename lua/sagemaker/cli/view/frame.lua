--- One picture of a running deployment, drawn again and again on a terminal: what is under way, a
-- bar for each stage, the traffic of both fleets, the time left, the alarms.

local plans = require "sagemaker.deployment.plan"
local summaries = require "sagemaker.cli.view.plan"
local text = require "sagemaker.cli.view.text"

local M = {}

-- Bars shown at once where there is room; a deployment of many steps shows those around the one
-- under way.
local MOST_BARS = 8
-- From this width on, a line has room for numbers beside its bar.
local WIDE = 56

local STAGES = {
  Creating = "provisioning", ActivatingTraffic = "shifting traffic", Baking = "baking",
  TerminationWait = "keeping the old instances", Deleting = "removing old instances",
  Updating = "provisioning",
}

--- What is under way, in words.
---@param event sagemaker.watch.Event|nil
---@param wish? string the configuration that was asked for
---@return string
function M.state(event, wish)
  if not event or not event.status then return "looking" end
  local runs = event.endpoint and event.endpoint.EndpointConfigName
  local is_early = event.status == "InService" and not event.outcome and not event.queued
  if is_early and wish and runs and runs:lower() ~= wish:lower() then
    return ("InService with %s, waiting for %s"):format(runs, wish)
  end
  local stage = event.status ~= "RollingBack" and STAGES[event.stage]
  local words = stage and ("%s, %s"):format(event.status, stage) or event.status
  local counts = event.stage ~= "TerminationWait" and event.stage ~= "Deleting"
  if stage and counts and (event.steps or 0) > 1 and (event.step or 0) > 0 then
    words = ("%s %d/%d"):format(words, event.step, event.steps)
  end
  return words
end

local LABELS = { provision = "provision", keep = "keep old", remove = "remove old" }

local function label_of(segment, count)
  if LABELS[segment.kind] then return LABELS[segment.kind] end
  return ("%s %d/%d"):format(segment.kind == "batch" and "batch" or "shift", segment.step, count)
end

-- The range of bars to show: all, or those around the first that is not done.
local function window(rows, most)
  if #rows <= most then return 1, #rows end
  local current = #rows
  for i = #rows, 1, -1 do
    if rows[i].state ~= "done" then current = i end
  end
  local before = math.min(2, math.floor((most - 1) / 2))
  local first = math.max(1, math.min(current - before, #rows - most + 1))
  return first, first + most - 1
end

-- Seconds that are done of those planned.
local function times_of(row)
  local duration = row.segment.duration
  if duration == 0 then return "" end
  if row.state ~= "now" then return plans.clock(duration) end
  return ("%s / %s"):format(plans.clock(row.done), plans.clock(duration))
end

local COLOUR_OF = { done = "good", now = "now", todo = "dim" }

local function bar_line(style, row, labels, columns)
  local glyphs, segment = style.glyphs, row.segment
  local mark = row.state == "done" and style:paint("good", glyphs.done)
    or row.state == "now" and style:paint("now", glyphs.now) or " "
  local share = segment.duration > 0 and row.done / segment.duration
    or (row.state == "done" and 1 or 0)
  local kind, label = segment.kind, text.pad(label_of(segment, labels.count), labels.width)
  local head = ("%s %s %s  "):format(mark, label,
    (kind == "shift" or kind == "batch") and ("%5.4g %%"):format(segment.share) or (" "):rep(7))
  local tail = columns >= WIDE and times_of(row) or ""
  if tail ~= "" then tail = "  " .. tail end
  local room = columns - text.width(head) - (columns >= WIDE and 17 or 0)
  if room < 6 then
    return ("%s %s"):format(mark, text.cut(("%s%4.0f %%"):format(label, share * 100), columns - 2))
  end
  return head .. style:bar(share, math.min(room, 50), COLOUR_OF[row.state]) .. tail
end

-- How many shifts there are, and how wide the widest label is.
local function labels_of(rows)
  local labels = { count = 0, width = 0 }
  for _, row in ipairs(rows) do
    local kind = row.segment.kind
    if kind == "shift" or kind == "batch" then labels.count = labels.count + 1 end
  end
  for _, row in ipairs(rows) do
    labels.width = math.max(labels.width, #label_of(row.segment, labels.count))
  end
  return labels
end

local function bar_lines(style, progress, now, columns, most)
  local rows, lines = progress:bars(now), {}
  local labels = labels_of(rows)
  local first, last = window(rows, most)
  local function more(count, where)
    if count > 0 then
      local line = ("  %s %d more %s"):format(style.glyphs.ellipsis, count, where)
      lines[#lines + 1] = style:paint("dim", line)
    end
  end
  more(first - 1, "before")
  for i = first, last do lines[#lines + 1] = bar_line(style, rows[i], labels, columns) end
  more(#rows - last, "after")
  return lines
end

local function traffic_line(style, event, columns)
  local old, new = event.traffic.old, event.traffic.new
  if old + new == 0 then return nil end -- a new endpoint, not there yet
  local head = ("traffic    old %4.4g %% "):format(old)
  local tail = (" %4.4g %% new"):format(new)
  local room = math.min(columns - #head - #tail, 40)
  if room < 6 then return text.cut(("old %.4g %%, new %.4g %%"):format(old, new), columns) end
  local filled = math.floor(room * new / 100 + 0.5)
  return head .. style:paint("old", style.glyphs.old:rep(room - filled))
    .. style:paint("new", style.glyphs.new:rep(filled)) .. tail
end

local function instances_line(event, columns)
  local old, new = event.instances.old, event.instances.new
  if old == 0 and new == 0 then return nil end
  return text.cut(("instances  old %d, new %d"):format(old, new), columns)
end

-- A name between dots that tell where it was cut.
local function header(style, progress, columns)
  local from, to = progress.from, progress.to
  local line = progress.name
  if to and from and from ~= to then
    line = ("%s: %s %s %s"):format(line, from, style.glyphs.arrow, to)
  elseif to then
    line = ("%s: %s"):format(line, to)
  end
  if progress.plan and progress.has_summary then
    line = ("%s, %s"):format(line, summaries.summary(progress.config))
  end
  return style:paint("bold", text.cut(line, columns, style.glyphs.ellipsis))
end

local function clock_line(style, progress, now, columns)
  local state = M.state(progress.event, progress.to)
  if progress.event and progress.event.queued then
    state = ("%s: waiting for the deployment before ours"):format(state)
  end
  local time = plans.clock(progress:elapsed(now))
  local left = progress:left(now)
  if left then
    time = left > 0 and ("%s, at most %s left"):format(time, plans.clock(left))
      or ("%s, longer than planned"):format(time)
  end
  local gap = math.min(columns, 78) - text.width(state) - #time
  if gap >= 2 then return { state .. (" "):rep(gap) .. style:paint("dim", time) } end
  return { text.cut(state, columns, style.glyphs.ellipsis), text.cut(time, columns) }
end

local STATE_COLOURS = { OK = "good", ALARM = "bad", missing = "warn" }

-- The alarms, and their states where they are known.
local function alarm_line(style, progress, columns)
  local names = summaries.alarms(progress.config)
  if #names == 0 then return nil end
  local plain, painted, states = {}, {}, progress.alarm_states or {}
  for i, name in ipairs(names) do
    local state = states[name]
    plain[i] = state and ("%s %s"):format(name, state) or name
    local colour = STATE_COLOURS[state] or "warn"
    painted[i] = state and ("%s %s"):format(name, style:paint(colour, state)) or name
  end
  local line = "alarms     " .. table.concat(plain, ", ")
  if text.width(line) > columns then return text.cut(line, columns, style.glyphs.ellipsis) end
  return "alarms     " .. table.concat(painted, ", ")
end

local function tail_lines(style, progress, columns)
  local event, lines = progress.event, {}
  local function add(colour, line)
    lines[#lines + 1] = style:paint(colour, text.cut(line, columns, style.glyphs.ellipsis))
  end
  lines[1] = alarm_line(style, progress, columns)
  if event and event.failure_reason and not event.outcome then
    for _, line in ipairs(text.wrap(text.clean(event.failure_reason), columns, "           ",
      columns >= WIDE and "reason     " or "")) do
      add("bad", line)
    end
  end
  if progress.note then add("warn", "no answer  " .. text.clean(progress.note)) end
  return lines
end

-- The lines of a frame with at most so many bars.
local function lines_of(progress, style, now, bars)
  -- The last column stays free: some terminals wrap when it is written to.
  local columns = style.columns - 1
  local lines = { header(style, progress, columns) }
  local function add(more)
    for _, line in ipairs(more) do lines[#lines + 1] = line end
  end
  add(clock_line(style, progress, now, columns))
  local event = progress.event
  if event and not event.queued then
    local is_on_plan = event.status ~= "RollingBack"
      and (event.outcome == nil or event.outcome == "deployed")
    if progress.plan and is_on_plan then
      add(bar_lines(style, progress, now, columns, bars))
    end
    lines[#lines + 1] = traffic_line(style, event, columns)
    lines[#lines + 1] = instances_line(event, columns)
  end
  add(tail_lines(style, progress, columns))
  return lines
end

--- The lines of a frame. None is wider than the terminal.
---@param progress sagemaker.cli.Progress
---@param style sagemaker.cli.Style
---@param now number wall time
---@param most? integer lines that there is room for: bars give way first, then what is last
---@return string[]
function M.lines(progress, style, now, most)
  local bars = MOST_BARS
  local lines = lines_of(progress, style, now, bars)
  while most and #lines > most and bars > 1 do
    bars = bars - 1
    lines = lines_of(progress, style, now, bars)
  end
  for i = #lines, (most or #lines) + 1, -1 do lines[i] = nil end
  return lines
end

return M
