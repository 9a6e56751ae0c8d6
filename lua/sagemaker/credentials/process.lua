--- Credentials that a program of the user prints: `credential_process` of a profile.
--- https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
--
-- The command line is run by /bin/sh. What the program prints is never repeated in a message; what
-- it says on its standard error is, when it fails, as far as it looks like no secret.

local document = require "sagemaker.credentials.document"
local profiles = require "sagemaker.profiles"

local M = {}

local Process = {}
Process.__index = Process
Process.__name = "sagemaker.credentials.process"
Process.name = "custom-process"

-- How much is kept of what it says on its standard error, and how much of that is shown. The rest
-- is passed over, but not without end: then the pipe is closed on it.
local MAX_STDERR, MAX_SHOWN, MAX_PASSED = 1024, 300, 1048576
-- Milliseconds that a program may be silent inside nginx.
local NGINX_TIMEOUT = 60000
local NAMES = { id = "AccessKeyId", secret = "SecretAccessKey", token = "SessionToken",
  expiration = "Expiration", account = "AccountId" }
local TELLING = { "secret", "token", "passw", "key", "credential", "authorization", "bearer" }

local real_popen = io.popen

local function quote(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

-- A script that passes the program's output on and then, after a mark that nobody can guess, its
-- exit status and the beginning of its standard error: closing a pipe tells no status on Lua 5.1.
local function script_of(command, mark)
  return ([[exec 3>&1
r=$(exec 4>&1
e=$({ /bin/sh -c %s 2>&1 1>&3 3>&- 4>&-; echo "$?" >&4; } |
{ head -c %d; head -c %d >/dev/null; }); printf %%s "$e")
printf '\n%%s %%s' %s "$r"]]):format(quote(command), MAX_STDERR, MAX_PASSED, mark)
end

-- More bytes than this are never looked at.
local LIMIT = document.MAX_BYTES + MAX_STDERR + 64

local function run_blocking(io, script)
  local ok, file, message = pcall(io.popen, script, "r")
  if not ok or not file then
    return nil, ("it cannot be run: %s"):format(tostring(ok and message or file))
  end
  local output = file:read(LIMIT)
  file:close()
  return output or ""
end

local function read_all(process)
  local parts, size = {}, 0
  while size < LIMIT do
    local data, message, partial = process:stdout_read_any(LIMIT - size)
    local piece = data or partial
    if piece and piece ~= "" then
      parts[#parts + 1] = piece
      size = size + #piece
    end
    if not data then
      if message ~= "closed" then return nil, "it cannot be read: " .. tostring(message) end
      break
    end
  end
  return table.concat(parts)
end

local function run_in_nginx(script)
  local ok, pipe = pcall(require, "ngx.pipe")
  if not ok then
    return nil, "this nginx has no ngx.pipe, and without it a program would hold up all requests "
      .. "of the worker; use other credentials here"
  end
  local spawned, process, message = pcall(pipe.spawn, { "/bin/sh", "-c", script })
  if not spawned or not process then
    return nil, ("it cannot be run: %s"):format(tostring(spawned and message or process))
  end
  process:set_timeouts(nil, NGINX_TIMEOUT, NGINX_TIMEOUT, NGINX_TIMEOUT)
  local output
  output, message = read_all(process)
  if not output or #output >= LIMIT then process:kill(9) end
  process:wait()
  return output, message
end

-- Inside nginx nothing may wait for a pipe, except for one that the host brought.
local function run(io, script)
  local ngx = rawget(_G, "ngx")
  if type(ngx) == "table" and ngx.get_phase and io.popen == real_popen then
    return run_in_nginx(script)
  end
  if not io.popen then return nil, "programs cannot be run here (io.popen is missing)" end
  return run_blocking(io, script)
end

local function is_telling(name)
  name = name:lower()
  for _, word in ipairs(TELLING) do
    if name:find(word, 1, true) then return true end
  end
  return false
end

-- Long words of mixed letters and digits, or of hexadecimal digits, are keys and tokens.
local function hide_word(word)
  if #word >= 32 and word:find("^%x+$") then return "…" end
  if #word >= 16 and word:find("%d") and word:find("%u") and word:find("%l") then return "…" end
  return word
end

local function hide_value(name, between, value)
  if is_telling(name) then return name .. between .. "…" end
  return name .. between .. value
end

local function hide_quoted(name, between, quotes, value)
  return name .. between .. quotes .. (is_telling(name) and "…" or value) .. quotes
end

-- What a program said on its standard error, fit for a message.
local function shown(text, output)
  local answer = document.decode(output)
  if answer then
    for _, value in pairs(answer) do
      if type(value) == "string" and #value > 3 then text = document.scrub(text, value) end
    end
  end
  text = text:gsub("[%c\127-\255]+", " "):gsub("^%s+", ""):gsub("%s+$", "")
  for _, scheme in ipairs { "[Bb]asic", "[Bb]earer" } do
    text = text:gsub("(" .. scheme .. "%s+)[^%s\"',;}]+", "%1…")
  end
  text = text:gsub("([%w_%-]+)([\"']?%s*[=:]%s*)([\"'])(.-)%3", hide_quoted)
  text = text:gsub("([%w_%-]+)([\"']?%s*[=:]%s*[\"']?)([^%s\"',;}]+)", hide_value)
  text = text:gsub("[%w+/=_%-]+", hide_word)
  if #text > MAX_SHOWN then text = text:sub(1, MAX_SHOWN) .. " …" end
  return text ~= "" and ": " .. text or ""
end

-- What the program printed, when it ended well.
local function output_of(io, command)
  local mark = io.uuid()
  local all, message = run(io, script_of(command, mark))
  if not all then return nil, message end
  local from, to = all:find("\n" .. mark .. " ", 1, true)
  if not from then
    if #all >= LIMIT then
      return nil, ("it printed more than %d bytes"):format(document.MAX_BYTES)
    end
    return nil, "/bin/sh did not run it"
  end
  local output = all:sub(1, from - 1)
  local status, stderr = all:match("^(%d+)\n?(.*)$", to + 1)
  if status ~= "0" then
    return nil, ("it ended with status %s%s"):format(status or "?", shown(stderr or "", output))
  end
  return output
end

local function credentials_of(output, profile, source)
  local answer, message = document.decode(output)
  if not answer then return nil, "what it printed " .. message end
  local version = answer.Version
  if version ~= 1 then
    return nil, ("it printed credentials of version %s; only 1 is known"):format(
      type(version) == "number" and ("%.14g"):format(version) or "?")
  end
  answer.AccountId = document.text(answer, "AccountId") or document.text(profile, "aws_account_id")
  local credentials
  credentials, message = document.credentials(answer, NAMES, source)
  if not credentials then return nil, "what it printed " .. message end
  return credentials
end

--- Runs the program of the profile.
---@param io sagemaker.Env
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken true where there is a program that gives none
function Process:get(io)
  local view, message = profiles.load(io)
  if not view then return nil, message, true end
  local profile = view.profiles[self.profile] or {}
  local command = document.text(profile, "credential_process")
  if not command then
    return nil, ("profile %s has no credential_process"):format(self.profile)
  end
  local output
  output, message = output_of(io, command)
  if not output then return nil, "credential_process: " .. message, true end
  local credentials
  credentials, message = credentials_of(output, profile, self.name)
  if not credentials then return nil, "credential_process: " .. message, true end
  return credentials
end

--- A provider that runs the program of a profile.
---@param options? {profile?: string}
---@return sagemaker.CredentialProvider
function M.new(options)
  return setmetatable({ profile = options and options.profile or "default" }, Process)
end

return M
