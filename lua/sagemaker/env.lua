--- The outside world in one table, so that specs and hosts can replace it: clocks, waiting,
-- environment, files, processes, randomness. Everything else of this project reaches them through
-- here only.

local M = {}

---@class sagemaker.Env
---@field now fun(): number wall time, seconds since the epoch
---@field clock fun(): number monotonic time in seconds
---@field sleep fun(seconds: number) waits; in a task others go on meanwhile
---@field getenv fun(name: string): string|nil
---@field open fun(path: string, mode?: string): file*|nil, string?
---@field popen fun(command: string, mode?: string): file*|nil, string?
---@field random fun(): number in [0, 1)
---@field uuid fun(): string a random UUID (version 4, RFC 9562), lower case
---@field replace fun(path: string, bytes: string): boolean|nil, string? writes a file in one step,
---   readable by its owner only

local NAMES = { "now", "clock", "sleep", "getenv", "open", "popen", "random", "replace", "uuid" }

local KNOWN = {}
for _, name in ipairs(NAMES) do KNOWN[name] = true end

local format, floor = string.format, math.floor

local CORE = { clock = true, now = true, uuid = true }

-- The core is loaded when a clock or randomness is first asked for, not with this module.
local Env = { __index = function(env, name)
  local fn = CORE[name] and require("sagemaker.core")[name] or nil
  env[name] = fn
  return fn
end }

-- In a task the others go on meanwhile.
local function sleep(seconds)
  local scheduler = package.loaded["sagemaker.task.scheduler"]
  if scheduler and scheduler.is_active() then return scheduler.sleep(seconds) end
  return require("sagemaker.core").sleep(seconds)
end

local function core_random()
  local a, b, c, d, e, f, g = require("sagemaker.core").random(7):byte(1, 7)
  local low = ((e * 256 + f) * 256 + g) % 2 ^ 21
  return ((((a * 256 + b) * 256 + c) * 256 + d) * 2 ^ 21 + low) / 2 ^ 53
end

-- Four groups of 32 bits to a UUID: version 4, variant 10.
local function uuid_of(a, b, c, d)
  return format("%08x-%04x-4%03x-%04x-%04x%08x", a, floor(b / 65536), b % 4096,
    32768 + floor(c / 65536) % 16384, c % 65536, d)
end

-- With a random of its own, a caller gets identifiers that follow from it.
local function uuid_from(random)
  local function word()
    return floor(random() * 2 ^ 32) % 2 ^ 32
  end
  return function()
    return uuid_of(word(), word(), word(), word())
  end
end

local function core_replace(path, bytes)
  local core_module = require "sagemaker.core"
  return core_module.replace(path, bytes, "." .. core_module.uuid() .. ".tmp")
end

-- With files of its own, a caller gets them written by the same function that opens them.
local function replace_with(open)
  return function(path, bytes)
    local file, message = open(path, "wb")
    if not file then return nil, message end
    local ok
    ok, message = file:write(bytes)
    local closed, reason = file:close()
    if not ok then return nil, message end
    if not closed then return nil, reason end
    return true
  end
end

--- The table of injected functions: `overrides` win, the rest is the real world.
---@param overrides? table<string, function> any of the fields of sagemaker.Env
---@return sagemaker.Env
function M.new(overrides)
  local env = setmetatable({
    sleep = sleep,
    getenv = os.getenv,
    open = io.open,
    popen = io.popen,
    random = core_random,
    replace = core_replace,
  }, Env)
  if overrides then
    for name, fn in pairs(overrides) do
      if not KNOWN[name] then
        local errors = require "sagemaker.error"
        error(("unknown function io.%s%s"):format(tostring(name), errors.hint(name, NAMES)), 0)
      end
      env[name] = fn
    end
    if overrides.random and not overrides.uuid then env.uuid = uuid_from(overrides.random) end
    if overrides.open and not overrides.replace then
      env.replace = replace_with(overrides.open)
    end
  end
  return env
end

return M
