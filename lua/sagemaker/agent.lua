--- What requests say of who sends them: the User-Agent header, and inside AWS Lambda the trace that
-- they belong to.

local M = {}

-- What may not stand in a name; "#" parts it from its value, which may have it too.
local NO_NAME, NO_VALUE = "[^A-Za-z0-9!$%%&'*+%-.^_`|~,]", "[^A-Za-z0-9!$%%&'*+%-.^_`|~,#]"

-- "os/linux#6.1.0", or without a value "os/linux".
local function part(kind, name, value)
  local text = kind .. "/" .. name:gsub(NO_NAME, "-")
  if value and value ~= "" then text = text .. "#" .. value:gsub(NO_VALUE, "-") end
  return text
end

-- The names that AWS has for operating systems; what is none of them is "other".
local SYSTEMS = { android = "android", darwin = "macos", ios = "ios", linux = "linux",
  macos = "macos", windows = "windows" }

-- The parts that are the same for every client: this library, the system, the Lua.
local function add_platform(parts, version, system, release, machine)
  parts[#parts + 1] = part("sagemaker-lua", version)
  parts[#parts + 1] = "ua/2.1"
  local known = system and SYSTEMS[system:lower()]
  parts[#parts + 1] = part("os", known or "other", known and release)
  if system and not known then parts[#parts + 1] = part("md", system, release) end
  if machine then parts[#parts + 1] = part("md", "arch", machine:lower()) end
  parts[#parts + 1] = part("lang", "lua", _VERSION:match("[%d.]+"))
  local jit = rawget(_G, "jit")
  if jit then parts[#parts + 1] = part("md", "luajit", jit.version:match("%d%S*")) end
end

-- AWS's letters for what a client makes use of.
local MODES = { legacy = "D", standard = "E", adaptive = "F" }
local ENDPOINT_OVERRIDE = "N"

--- The User-Agent header, in the form that AWS's own clients give it: this library, the system, the
--- Lua it runs on, where it runs, and what the settings add.
--- https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html
---@param settings table complete
---@param version string of this library
---@param platform fun(): string|nil, string|nil, string|nil name and release of the operating
---   system, and the machine, as uname tells them
---@return string
function M.user_agent(settings, version, platform)
  local parts = {}
  add_platform(parts, version, platform())
  local where, mode, app_id = settings.io.getenv "AWS_EXECUTION_ENV", settings.retry_mode,
    settings.app_id
  if where and where ~= "" then parts[#parts + 1] = part("exec-env", where) end
  if mode then
    local features = MODES[mode]
    if settings.endpoint_url then features = features .. "," .. ENDPOINT_OVERRIDE end
    parts[#parts + 1] = part("m", features)
    parts[#parts + 1] = part("cfg", "retry-mode", mode)
  end
  if app_id and app_id ~= "" then
    parts[#parts + 1] = "app/" .. app_id:sub(1, 50):gsub(NO_VALUE, "-")
  end
  parts[#parts + 1] = settings.user_agent_extra
  return table.concat(parts, " ")
end

--- Whether this is a function of AWS Lambda.
---@param getenv fun(name: string): string|nil
---@return boolean
function M.in_lambda(getenv)
  local name = getenv "AWS_LAMBDA_FUNCTION_NAME"
  return name ~= nil and name ~= ""
end

--- The X-Amzn-Trace-Id header of a request: Lambda stops functions that call each other for ever by
-- it. Each invocation of a function has its own. Nil outside of Lambda.
--- https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
---@param getenv fun(name: string): string|nil
---@return string|nil
function M.trace(getenv)
  local trace = getenv "_X_AMZN_TRACE_ID"
  if not trace or trace == "" or not M.in_lambda(getenv) then return nil end
  return (trace:gsub("[^\32-\126]", function(c) return ("%%%02X"):format(c:byte()) end))
end

return M
