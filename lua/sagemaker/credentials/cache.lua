--- Keeps what a provider answered until it is about to expire. A provider too.
--
-- From `advisory` seconds before the expiry one caller refreshes while others go on with the keys
-- that are still valid; a refresh that fails then changes nothing. From `mandatory` seconds before
-- it nobody goes on: callers wait for the refresh under way. Keys without an expiry are kept. For
-- keys that live less than an hour both times shrink in proportion: those of a role for 15 minutes
-- would else be asked for anew at each call.

local can_guard = require "sagemaker.guard"
local errors = require "sagemaker.error"

local M = {}

local Cache = {}
Cache.__index = Cache
Cache.__name = "sagemaker.credentials.cache"

-- A caller waits this long for a refresh that another one has begun; an older one counts as lost
-- (its coroutine was never resumed), and the next caller refreshes anew.
local PATIENCE, STEP = 60, 0.05
-- Keys that live this long, or longer, are refreshed by the times as they are.
local LIFETIME = 3600
-- After an advisory refresh that failed, the next one waits this long.
local PAUSE = 60

-- Seconds that the kept credentials are still good for.
local function left(self, now)
  local credentials = self.credentials
  if not credentials then return -math.huge end
  return credentials.expires_at and credentials.expires_at - now or math.huge
end

local function is_refreshing(self, io)
  if not self.since or io.now() - self.since >= PATIENCE then return false end
  return not self.owner or coroutine.status(self.owner) ~= "dead"
end

-- Whether the one that refreshes waits below us on the stack: in a task, unable to yield. It goes
-- on only after us, so nobody can wait for it here.
local function is_below(self)
  return self.owner and coroutine.status(self.owner) == "normal"
end

-- Whether the provider wants to be asked again, long before the keys end.
local function is_due(credentials, now)
  return credentials.refresh_at ~= nil and now >= credentials.refresh_at
end

local function is_late(io)
  return io.is_late ~= nil and io.is_late()
end

-- Calls the provider, which may wait and so let others run. Where pcall would forbid that, the mark
-- of a refresh that throws goes with its coroutine.
local function ask(self, io)
  if not can_guard() then return true, self.provider:get(io) end
  return pcall(self.provider.get, self.provider, io)
end

local function refresh(self, io)
  self.since, self.owner = io.now(), coroutine.running() or false
  -- The mark must go whatever happens in there.
  local ok, credentials, reason, broken = ask(self, io)
  self.since, self.owner = false, false
  if not ok and errors.is(credentials) and credentials.kind == "cancelled" then
    error(credentials, 0) -- the task that asked, not the provider
  end
  if not ok then credentials, reason, broken = nil, tostring(credentials), true end
  if credentials then
    self.credentials, self.not_before = credentials, -math.huge
    local lifetime = credentials.expires_at and credentials.expires_at - io.now() or LIFETIME
    self.scale = math.max(0, math.min(1, lifetime / LIFETIME))
  end
  self.reason = not credentials and reason or false
  self.was_late = not credentials and is_late(io)
  return credentials, reason, broken
end

-- Another caller refreshes and the kept keys are no good any more. If only that caller's time was
-- too short, this one tries.
local function wait(self, io)
  local waited = 0
  while is_refreshing(self, io) and waited < PATIENCE and not is_late(io) do
    io.sleep(STEP)
    waited = waited + STEP
  end
  if left(self, io.now()) > 0 then return self.credentials end
  if is_late(io) then return nil, "no time is left to wait for another caller's refresh", true end
  if not self.since and self.was_late then return self:get(io) end
  if self.since then return nil, "a refresh that another caller began does not end", true end
  return nil, self.reason or "the refresh that another caller began failed", true
end

--- The kept credentials, or new ones.
---@param io sagemaker.Env whose sleep may let others run
---@param deadline? number when to give up, if io knows `within`
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken
function Cache:get(io, deadline)
  local credentials = self.credentials
  if credentials and not credentials.expires_at then return credentials end
  local now = io.now()
  local seconds = left(self, now)
  if seconds > self.advisory * self.scale and not is_due(credentials, now) then
    return credentials
  end
  if deadline and io.within then io = io.within(deadline) end
  if seconds > self.mandatory * self.scale then
    if is_refreshing(self, io) or now < self.not_before then return credentials end
    local fresh = refresh(self, io)
    if not fresh then self.not_before = now + PAUSE end
    return fresh or credentials
  end
  if is_refreshing(self, io) and not is_below(self) then return wait(self, io) end
  local fresh, reason, broken = refresh(self, io)
  if not fresh then
    if left(self, io.now()) > 0 then return credentials end
    return nil, reason, broken
  end
  if left(self, io.now()) <= 0 then
    return nil, ("the credentials (%s) have expired"):format(fresh.source), true
  end
  return fresh
end

--- A cache around a provider.
---@param provider sagemaker.CredentialProvider
---@param advisory? number seconds before the expiry; default 900
---@param mandatory? number default 600
---@return sagemaker.CredentialProvider
function M.new(provider, advisory, mandatory)
  return setmetatable({
    advisory = advisory or 900,
    mandatory = mandatory or 600,
    not_before = -math.huge,
    owner = false,
    provider = provider,
    reason = false,
    scale = 1,
    since = false,
    was_late = false,
  }, Cache)
end

return M
