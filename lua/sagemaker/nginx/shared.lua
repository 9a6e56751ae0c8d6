--- State that the clients of all workers share through a `lua_shared_dict`: keys that expire, the
--- clock offset and the retry quota of a service, and what the last look at an endpoint showed.
---
---     lua_shared_dict sagemaker 1m;
---     shared = nginx.shared{ dict = "sagemaker" }                       -- in init_by_lua
---     client = sagemaker.new{ shared = shared }
--
-- One worker at a time fetches new keys, or looks at an endpoint; the others use what it brings.
-- The mark of the one that does is `dict:add` with an expiry, so a worker that dies holds nobody
-- up. Keys lie in the dictionary as they are, secrets too: it is memory of nginx's own processes,
-- like that in which each worker would keep them otherwise. Keys without an expiry are left to each
-- worker, which reads them anew when nginx reloads. Without the dictionary, and outside of nginx,
-- each worker has a state of its own. The rate limiter of the adaptive retry mode always is a
-- worker's own.

local values = require "sagemaker.credentials.value"

local M = {}

---@class sagemaker.nginx.SharedOptions
---@field dict? string a lua_shared_dict; default "sagemaker"
---@field name? string tells clients apart that have nothing to do with each other. With a name the
--- keys of a function given as `credentials` are shared, too: it must then be the same function for
--- all clients of that name

---@class sagemaker.nginx.Shared
local methods = {}
local metatable = { __index = methods, __name = "sagemaker.nginx.shared" }

local LOCK = 30 -- seconds after which one that works for all counts as lost
local PATIENCE, STEP = 60, 0.05 -- seconds
local ADVISORY, LIFETIME = 900, 3600 -- as in sagemaker.credentials.cache

local function encode(value)
  return require("cjson").encode(value)
end

local function decode(text)
  if not text then return nil end
  local ok, value = pcall(require("cjson").decode, text)
  return ok and type(value) == "table" and value or nil
end

-- {{ Clock offset and quota

-- A quota whose tokens are a number of the dictionary. A change is made as a difference to what was
-- read last, so that changes of other workers in between are kept.
local function quota_of(dict, key, capacity)
  local last = capacity
  return setmetatable({ capacity = capacity }, {
    __index = function(_, name)
      if name ~= "available" then return nil end
      last = math.min(dict:get(key) or capacity, capacity)
      return last
    end,
    __newindex = function(self, name, value)
      if name ~= "available" then return rawset(self, name, value) end
      local now = dict:incr(key, value - last, capacity)
      if now and now > capacity then dict:set(key, capacity) end
    end,
  })
end

--- What retries need to know of a service.
---@param service string
---@param settings table of a client
---@return sagemaker.RetryState
function methods:state(service, settings)
  local dict, capacity = self.dict, 500
  if not dict then
    return { limiters = false, modes = false,
      quota = { available = capacity, capacity = capacity }, skew = 0 }
  end
  local place = ("%s %s %s"):format(self.name, service, settings.endpoint_url or settings.region
    or "")
  local skew_key = "skew " .. place
  return setmetatable({ limiters = false, modes = false,
    quota = quota_of(dict, "quota " .. place, capacity) }, {
    __index = function(_, name)
      return name == "skew" and (dict:get(skew_key) or 0) or nil
    end,
    __newindex = function(state, name, value)
      if name ~= "skew" then return rawset(state, name, value) end
      dict:set(skew_key, value)
    end,
  })
end

-- }}

-- {{ One for all

local function unlock(dict, key, mark)
  if dict:get(key) == mark then dict:delete(key) end
end

-- Calls `work` under a mark of the dictionary: what it answers. Nil at once where another has it.
local function alone(self, key, work)
  local dict, mark = self.dict, require("sagemaker.core").uuid()
  if not dict:add(key, mark, LOCK) then return nil end
  local answers = { pcall(work) }
  unlock(dict, key, mark)
  if not answers[1] then error(answers[2], 0) end
  return true, answers[2], answers[3], answers[4]
end

-- }}

-- {{ Keys

local Provider = {}
Provider.__index = Provider
Provider.__name = "sagemaker.nginx.credentials"

-- What the dictionary has, with `renew_at`: the time from which somebody should fetch newer ones.
local function kept(self)
  local row = decode(self.shared.dict:get(self.key))
  if not row then return nil end
  local credentials = values.new(row, row.source)
  if credentials then credentials.refresh_at = row.refresh_at end
  return credentials, row.renew_at
end

local function keep(self, credentials, now)
  local expires_at = credentials.expires_at
  if not expires_at or expires_at <= now then return end
  local lifetime = expires_at - now
  local renew_at = expires_at - ADVISORY * math.min(1, lifetime / LIFETIME)
  if credentials.refresh_at and credentials.refresh_at < renew_at then
    renew_at = credentials.refresh_at
  end
  self.shared.dict:set(self.key, encode {
    access_key_id = credentials.access_key_id, account_id = credentials.account_id,
    expires_at = expires_at, refresh_at = credentials.refresh_at, renew_at = renew_at,
    secret_access_key = credentials.secret_access_key, session_token = credentials.session_token,
    source = credentials.source,
  }, lifetime)
end

-- Good for a while: nobody needs to fetch newer ones.
local function fresh(self, now)
  local credentials, renew_at = kept(self)
  if credentials and now < renew_at then return credentials end
  return nil, credentials
end

local function fetch(self, io)
  local found = fresh(self, io.now()) -- another may have been faster
  if found then return found end
  local credentials, reason, broken = self.inner:get(io)
  if credentials then
    keep(self, credentials, io.now())
  else
    self.shared.dict:set(self.failed, tostring(reason), 1)
  end
  return credentials, reason, broken
end

--- The shared keys while they are good; else new ones, fetched by one worker for all.
---@param io sagemaker.Env
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken
function Provider:get(io)
  local dict, waited = self.shared.dict, 0
  while true do
    local found, old = fresh(self, io.now())
    if found then return found end
    local done, credentials, reason, broken = alone(self.shared, self.lock, function()
      return fetch(self, io)
    end)
    if done then return credentials, reason, broken end
    if old and old.expires_at > io.now() then return old end
    local failed = waited > 0 and dict:get(self.failed)
    if failed then return nil, failed, true end
    if waited >= PATIENCE or io.is_late and io.is_late() then
      return nil, "no time is left to wait for another worker's refresh", true
    end
    io.sleep(STEP)
    waited = waited + STEP
  end
end

--- A provider that shares what another one answers. `kind` says what that is: without a name, keys
--- of a function are not shared, because nobody can tell whether it is the same in every worker.
---@param inner sagemaker.CredentialProvider
---@param kind "function"|"profile"
---@param id? string the profile
---@return sagemaker.CredentialProvider
function methods:provider(inner, kind, id)
  if not self.dict or kind == "function" and self.name == "" then return inner end
  local key = ("keys %s %s %s %s"):format(self.load, self.name, kind, id or "")
  return setmetatable({ failed = "failed " .. key, inner = inner, key = key,
    lock = "lock " .. key, name = inner.name, shared = self }, Provider)
end

-- }}

-- {{ Looks at endpoints

local Polls = {}
Polls.__index = Polls
Polls.__name = "sagemaker.nginx.polls"

local POLL_KEPT = 120 -- seconds

local function seen_later(dict, key, seen)
  local row = decode(dict:get(key))
  if row and row.asked > seen then return row end
  return nil
end

--- An answer of DescribeEndpoint that was asked for after `seen`, by whomever.
---@param name string EndpointName
---@param seen number time of `clock` of what the caller knows already
---@param ask fun(): table|nil, string|nil, sagemaker.Error|nil
---@return table|nil output
---@return sagemaker.Error|nil err
---@return number seen for the next look
function Polls:look(name, seen, ask)
  local dict, key, waited = self.shared.dict, self.place .. name, 0
  local clock = self.transport
  while true do
    local row = seen_later(dict, key, seen)
    if row then return row.output, nil, row.asked end
    local asked = clock:clock()
    local done, output, _, err = alone(self.shared, "lock " .. key, function()
      asked = clock:clock()
      return ask()
    end)
    if done then
      if output then dict:set(key, encode { asked = asked, output = output }, POLL_KEPT) end
      return output, err, asked
    end
    if waited >= PATIENCE then
      output, _, err = ask()
      return output, err, asked
    end
    clock:sleep(STEP)
    waited = waited + STEP
  end
end

--- Looks at endpoints that the watchers of all workers share; nil without a dictionary.
---@param settings table of a client
---@param transport sagemaker.Transport
---@return table|nil
function methods:polls(settings, transport)
  if not self.dict then return nil end
  return setmetatable({ shared = self, transport = transport, place = ("poll %s %s "):format(
    self.name, settings.endpoint_url or settings.region or "") }, Polls)
end

-- }}

--- Shared state, best made in init_by_lua: then keys that were fetched before a reload are not used
--- after it.
---@param opts? sagemaker.nginx.SharedOptions
---@return sagemaker.nginx.Shared
function M.new(opts)
  opts = opts or {}
  local ngx, name = rawget(_G, "ngx"), opts.dict or "sagemaker"
  local is_nginx = type(ngx) == "table" and ngx.shared ~= nil
  local dict = is_nginx and ngx.shared[name] or nil
  if is_nginx and not dict then
    ngx.log(ngx.WARN, "sagemaker: there is no lua_shared_dict ", name,
      ": each worker has a state of its own")
  end
  return setmetatable({
    dict = dict or false,
    load = is_nginx and ngx.get_phase() == "init" and require("sagemaker.core").uuid() or "",
    name = opts.name or "",
  }, metatable)
end

return M
