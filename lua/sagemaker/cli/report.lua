--- What `deploy` and `watch` tell while a deployment runs: a picture that is drawn anew on a
-- terminal, a line for each change in a log, a JSON object a line for programs, or nothing.

local events = require "sagemaker.cli.view.events"
local failure = require "sagemaker.cli.failure"
local frame = require "sagemaker.cli.view.frame"
local lines = require "sagemaker.cli.view.lines"
local outcomes = require "sagemaker.cli.outcome"
local progresses = require "sagemaker.cli.view.progress"
local screens = require "sagemaker.cli.view.screen"
local styles = require "sagemaker.cli.view.style"
local summaries = require "sagemaker.cli.view.plan"
local text = require "sagemaker.cli.view.text"

local M = {}

---@class sagemaker.cli.Report
---@field mode "live"|"lines"|"json"|"off"
---@field progress sagemaker.cli.Progress
---@field was_away boolean|nil others had the terminal when something was to be drawn
local Report = {}
Report.__index = Report
Report.__name = "sagemaker.cli.report"

-- The form that --output asks for; without it a terminal gets a picture. A pipe gets lines, and so
-- does the terminal of one that begins in the background.
local function mode_of(ctx, style)
  local form = ctx.globals.output
  if ctx.globals.query then
    failure.usage "--query is not for this command: it tells things as they happen"
  end
  if form == "json" or form == "off" then return form end
  -- What --debug says would be drawn over.
  if form == "text" or not form and ctx.globals.debug then return "lines" end
  if form then failure.usage(("--output %s is not for this command; there are json, text, off")
    :format(form)) end
  return style.is_live and ctx.world.is_in_front() and "live" or "lines"
end

-- A disk that is full does not end the watching: the exit status still tells how it went.
function Report:out(bytes)
  local ctx = self.ctx
  ctx:out(bytes)
  local ok, message = ctx.world.stdout:flush()
  if not ok then ctx.unwritten = ctx.unwritten or tostring(message) end
end

function Report:line(what)
  self:out(lines.line(self.now(), self.progress.name, what) .. "\n")
end

-- An object on a line of its own; `fields` is changed.
function Report:json(kind, fields)
  fields.event, fields.time = kind, events.time(self.now())
  fields.endpoint = self.progress.name
  self:out(events.encode(fields) .. "\n")
end

-- How large the terminal is now: columns, and the lines of a picture that can be drawn over: the
-- cursor stands below it.
function Report:size()
  local columns, rows = self.ctx.world.columns()
  return columns or self.style.columns, rows and math.max(1, rows - 1)
end

-- Whether the terminal is ours. What others have written to it meanwhile is not drawn over.
function Report:has_terminal()
  local world = self.ctx.world
  local was_stopped = world.continued()
  if not world.take() then
    self.was_away = true
    return false
  end
  if was_stopped or self.was_away then self.screen:leave() end
  self.was_away = false
  return true
end

-- Draws the picture as it is now.
function Report:draw()
  if not self:has_terminal() then return end
  local columns, rows = self:size()
  self.style.columns = math.max(20, columns)
  self.screen:draw(frame.lines(self.progress, self.style, self.now(), rows), columns)
end

-- The title of what begins, and where it comes from and goes to.
local function title_of(preview, request, glyphs)
  local to = request.EndpointConfigName
  if preview.action == "create" then return "create with " .. to end
  if preview.action == "none" then return "nothing to change, it runs " .. to end
  return ("update %s %s %s, %s"):format(tostring(preview.endpoint.EndpointConfigName), glyphs.arrow,
    to, summaries.summary(preview.config))
end

--- What a preview tells of an endpoint, in a line.
---@param preview sagemaker.watch.Preview
---@param request table EndpointName, EndpointConfigName
---@param glyphs table of a style
---@return string
function M.title(preview, request, glyphs)
  return ("%s: %s"):format(request.EndpointName, title_of(preview, request, glyphs))
end

-- The alarms of the deployment, each with its state where that is known.
local function alarm_rows(self)
  local rows, states = {}, self.progress.alarm_states
  for i, name in ipairs(summaries.alarms(self.progress.config)) do
    rows[i] = { name = name, state = states and states[name] or nil }
  end
  return rows
end

--- Looks at the alarms, and tells those whose state has changed.
---@param is_urgent? boolean also if that was done a moment ago
function Report:look_at_alarms(is_urgent)
  local progress = self.progress
  local names = summaries.alarms(progress.config)
  if self.mode == "off" or #names == 0 then return end
  local before = progress.alarm_states
  progress.alarm_states = self.alarms:look(names, is_urgent)
  if self.mode ~= "lines" or not before or not progress.alarm_states then return end
  for _, name in ipairs(names) do
    local state = progress.alarm_states[name]
    if before[name] ~= state then
      self:line(("alarm %s: %s, was %s"):format(name, state, before[name]))
    end
  end
end

--- Tells what is going to happen, before anything is changed.
---@param preview sagemaker.watch.Preview
---@param request table EndpointName, EndpointConfigName
function Report:plan(preview, request)
  local progress = self.progress
  progress.from = preview.endpoint and preview.endpoint.EndpointConfigName or nil
  progress.to = request.EndpointConfigName
  if preview.action == "update" then progress:follow(preview.plan, preview.config) end
  if preview.action == "create" then progress:follow(progresses.creation(), nil) end
  if preview.action == "update" then
    self.alarms:take(preview.alarms)
    progress.alarm_states = preview.alarms
  end
  self.told = preview.warnings
  if preview.action == "none" then return end
  if self.mode == "json" then
    local fields = preview.plan and events.plan(preview.plan) or {}
    fields.action, fields.from, fields.config = preview.action, progress.from, progress.to
    fields.alarms, fields.warnings = alarm_rows(self), preview.warnings
    self:json("plan", fields)
  elseif self.mode == "lines" then
    self:line(title_of(preview, request, self.style.glyphs))
    for _, warning in ipairs(preview.warnings) do self:line("warning: " .. warning) end
  elseif self.mode == "live" then
    self.screen:clear((self:size()))
    for _, line in ipairs(summaries.warnings(preview.warnings, self.style)) do
      self:out(line .. "\n")
    end
  end
end

--- Tells that the deployment has moved.
---@param event sagemaker.watch.Event
function Report:event(event)
  self.progress:see(event, self.now())
  if event.outcome and event.outcome ~= "deployed" then self:look_at_alarms(true) end
  if self.mode == "live" then return self:draw() end
  if event.outcome then return end
  if self.mode == "json" then
    local fields = events.of(event)
    fields.alarms = alarm_rows(self)
    self:json("moved", fields)
  elseif self.mode == "lines" then
    self:line(lines.event(event, self.progress.to))
  end
end

--- Tells that a look brought nothing, or (nil) that one brought something again.
---@param note string|nil
function Report:miss(note)
  if note == self.progress.note then return end
  self.progress:miss(note)
  if self.mode == "live" then
    if self.progress.event then self:draw() end
  elseif note and self.mode == "json" then
    self:json("no_answer", { message = note })
  elseif note and self.mode == "lines" then
    self:line("no answer: " .. note)
  end
end

--- A moment has passed.
function Report:tick()
  if self.mode == "live" and self.progress.event then self:draw() end
end

-- Warnings that were not told with the plan.
local function news(self, warnings)
  local known, list = {}, {}
  for _, warning in ipairs(self.told or {}) do known[warning] = true end
  for _, warning in ipairs(warnings or {}) do
    if not known[warning] then list[#list + 1] = warning end
  end
  return list
end

local COLOURS = { deployed = "good", in_service = "good", timed_out = "warn" }

--- Tells how it ended.
---@param result sagemaker.watch.Result
---@param status integer exit status
function Report:result(result, status)
  local wish = self.progress.to
  local sentences = outcomes.lines(result, self.progress.name, wish)
  if self.mode == "json" then
    local fields = events.of(result)
    fields.outcome, fields.exit_code, fields.config = result.outcome, status, wish
    fields.action, fields.changed = result.action, result.changed
    fields.history, fields.warnings = result.history, news(self, result.warnings)
    return self:json("result", fields)
  elseif self.mode == "off" then
    return
  end
  local warnings = news(self, result.warnings)
  if self.mode == "lines" then
    for _, warning in ipairs(warnings) do self:line("warning: " .. warning) end
    for _, sentence in ipairs(sentences) do self:line(sentence) end
    return
  end
  self.screen:leave()
  local colour = COLOURS[result.outcome] or "bad"
  for _, line in ipairs(summaries.warnings(warnings, self.style)) do self:out(line .. "\n") end
  for i, sentence in ipairs(sentences) do
    for _, line in ipairs(text.wrap(sentence, self.style.columns)) do
      self:out((i == 1 and self.style:paint(colour, line) or line) .. "\n")
    end
  end
end

--- Tells a program that reads JSON what went wrong; people are told on stderr.
---@param err sagemaker.Error
---@param status integer exit status
function Report:failed(err, status)
  if self.mode == "live" then self.screen:leave() end
  if self.mode ~= "json" then return end
  local problems = {}
  for i, problem in ipairs(err.errors or {}) do
    problems[i] = { path = problem.path, code = problem.code, message = problem.message }
  end
  self:json("error", { code = err.code, message = err.message, exit_code = status,
    errors = #problems > 0 and problems or nil })
end

--- Tells that Ctrl-C or SIGTERM ends the command but not the deployment.
---@param sentence string
---@param status integer
function Report:interrupted(sentence, status)
  if self.mode == "live" then
    self.screen:leave()
    self:out "\r\27[K" -- what the terminal showed of the key
    return self.ctx:note(sentence)
  elseif self.mode == "json" then
    self:json("interrupted", { message = sentence, exit_code = status })
  end
  self.ctx:say_farewell(sentence)
end

--- Seconds after which a picture is drawn anew.
M.TICK = 1

--- A report.
---@param ctx sagemaker.cli.Context
---@param of {name: string, to?: string}
---@param now fun(): number wall time
---@return sagemaker.cli.Report
function M.new(ctx, of, now)
  local style = styles.of(ctx.world, "stdout", ctx.globals.color)
  local self = setmetatable({
    ctx = ctx, mode = mode_of(ctx, style), now = now, progress = progresses.new(of), style = style,
  }, Report)
  self.screen = screens.new(function(bytes) self:out(bytes) end, style.reflows)
  return self
end

return M
