--- One look at an endpoint at a time: which failures pass, which end it, and when to look again.
--
-- Delays start short, grow while nothing happens and give way to throttling. A poller never
-- sleeps.

local retry = require "sagemaker.retry"

local M = {}

-- Seconds between looks: the first, the longest, how fast they grow.
local FIRST, LONGEST, GROWTH = 2, 30, 1.5

-- The same after "Rate exceeded": the first, the longest.
local THROTTLED_FIRST, THROTTLED_LONGEST = 10, 120

-- So many looks in a row may fail for want of an answer; each is a call with its own retries.
local FAILURES = 10

---@class sagemaker.watch.Poller
---@field failures integer looks in a row without an answer
---@field polled? number where looks are shared, when the last one that was seen here was asked for
local Poller = { failures = 0 }
Poller.__index = Poller
Poller.__name = "sagemaker.watch.poller"

local function text_of(err)
  return tostring(err.service_message or err.message or "")
end

--- Whether an error says that there is no such endpoint.
---@param err sagemaker.Error
---@return boolean
function M.is_missing_endpoint(err)
  return err.kind == "service" and text_of(err):find('Could not find endpoint "', 1, true) ~= nil
end

--- Whether an error says that there is no such endpoint configuration.
---@param err sagemaker.Error
---@return boolean
function M.is_missing_config(err)
  return err.kind == "service"
    and text_of(err):find("Could not find endpoint configuration", 1, true) ~= nil
end

--- Whether an update was refused because a deployment is under way.
---@param err sagemaker.Error
---@return boolean
function M.is_in_progress(err)
  return err.kind == "service"
    and text_of(err):find("Cannot update in-progress endpoint", 1, true) ~= nil
end

--- Whether a create was refused because the name is taken.
---@param err sagemaker.Error
---@return boolean
function M.is_existing(err)
  return err.kind == "service"
    and text_of(err):find("Cannot create already existing endpoint", 1, true) ~= nil
end

--- What a failed call means for one who will ask again.
---@param err sagemaker.Error
---@return "throttling"|"passing"|"final"
function M.classify(err)
  if err.status == 429 then return "throttling" end
  local reason = retry.classify(retry.modes.standard, err)
  if reason == "throttling" then return "throttling" end
  if reason or err.kind == "timeout" or err.kind == "protocol" then return "passing" end
  return (err.status or 0) >= 500 and "passing" or "final"
end

--- A poller of one endpoint. What many of them share stays in `context`.
---@param context {call: function, random?: fun(): number}
---@param name string EndpointName
---@param opts {delay?: number, max_delay?: number} seconds between the first looks (default 2),
--- between looks at most (default 30)
---@param call_opts? table for each call
---@return sagemaker.watch.Poller
function M.new(context, name, opts, call_opts)
  return M.begin(setmetatable({ call_opts = call_opts, context = context, first = opts.delay,
    longest = opts.max_delay, name = name }, Poller))
end

--- Makes a poller of a table that has what `new` gives one: who polls need not have one besides.
---@generic T
---@param self T
---@return T
function M.begin(self)
  local context = self.context
  self.polled = context.polls and not self.call_opts and context.clock() or nil
  return self
end

-- The answer of DescribeEndpoint; where looks are shared it may have been somebody else's, asked
-- for after the last one that was seen here.
local function describe(self)
  local context, params = self.context, { EndpointName = self.name }
  if not self.polled then
    local output, _, err = context.call("DescribeEndpoint", params, self.call_opts)
    return output, err
  end
  local output, err
  output, err, self.polled = context.polls:look(self.name, self.polled, function()
    return context.call("DescribeEndpoint", params)
  end)
  return output, err
end

--- Looks once.
---@param self sagemaker.watch.Poller
---@return table|nil output of DescribeEndpoint
---@return "gone"|"wait"|"error"|nil why there is none
---@return sagemaker.Error|nil err
function M.look(self)
  local output, err = describe(self)
  if output then
    self.failures, self.throttle = nil, nil
    return output
  end
  if M.is_missing_endpoint(err) then
    self.failures, self.throttle = nil, nil
    return nil, "gone", err
  end
  local class = M.classify(err)
  if class == "final" then return nil, "error", err end
  if class == "throttling" then
    self.failures = nil
    self.throttle = math.min(THROTTLED_LONGEST, (self.throttle or THROTTLED_FIRST / 2) * 2)
    return nil, "wait", err
  end
  self.failures = self.failures + 1
  return nil, self.failures >= FAILURES and "error" or "wait", err
end

--- Seconds until the next look.
---@param self sagemaker.watch.Poller
---@param moved? boolean something has happened since the last one: look again soon
---@return number
function M.delay(self, moved)
  local first = self.first or FIRST
  if moved or not self.pause then
    self.pause = first
  else
    self.pause = math.min(math.max(first, self.longest or LONGEST), self.pause * GROWTH)
  end
  local random = (self.context.random or math.random)()
  local seconds = self.throttle and math.max(self.pause, self.throttle) * (1 + random / 2)
    or self.pause * (0.75 + random / 4)
  -- Whole 64ths add up exactly, so that a host's clock reaches the moment it waits for.
  return math.ceil(seconds * 64) / 64
end

Poller.look, Poller.delay = M.look, M.delay

return M
