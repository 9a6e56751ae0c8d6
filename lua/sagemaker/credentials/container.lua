--- Credentials of a container's role: ECS, Fargate, EKS Pod Identity, Greengrass.
--- https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
--
-- The agent's address is in the environment. Over plain HTTP only this machine and the agents' own
-- addresses are asked, because the request carries a token.

local document = require "sagemaker.credentials.document"
local profiles = require "sagemaker.profiles"

local M = {}

local Container = {}
Container.__index = Container
Container.__name = "sagemaker.credentials.container"
Container.name = "container-role"

local ECS = "169.254.170.2"
local ALLOWED = {
  [ECS] = true,
  ["169.254.170.23"] = true,
  ["[fd00:ec2::23]"] = true,
  localhost = true,
}
-- As botocore: three attempts of two seconds, a second apart.
local ATTEMPTS, PAUSE, TIMEOUT = 3, 1, 2
-- An answer that trickles is given up.
local WHOLE = 10
local REQUIRED = { "AccessKeyId", "SecretAccessKey", "Token", "Expiration" }
local NAMES = { id = "AccessKeyId", secret = "SecretAccessKey", token = "Token",
  expiration = "Expiration", account = "AccountId" }

local function variable(io, name)
  local value = io.getenv(name)
  return value ~= "" and value or nil
end

local function is_loopback(host)
  local a, b, c = host:match("^127%.(%d+)%.(%d+)%.(%d+)$")
  if a then
    for _, part in ipairs { a, b, c } do
      if tonumber(part) > 255 or part:find("^0%d") then return false end
    end
    return true
  end
  return host:find("^%[[0:]*:0*1%]$") ~= nil
end

-- The agent's URL, if it may be asked.
local function url_of(io)
  local relative = variable(io, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
  local full = variable(io, "AWS_CONTAINER_CREDENTIALS_FULL_URI")
  if not relative and not full then
    return nil, "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
      .. "AWS_CONTAINER_CREDENTIALS_FULL_URI is set"
  end
  local name = relative and "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    or "AWS_CONTAINER_CREDENTIALS_FULL_URI"
  if relative and relative:sub(1, 1) ~= "/" then
    return nil, name .. " does not begin with /", true
  end
  local url = relative and "http://" .. ECS .. relative or full
  local parts, message = require("sagemaker.core").uri.split(url)
  if not parts then return nil, ("%s: %s"):format(name, message), true end
  local scheme, host = parts.scheme:lower(), parts.host:lower()
  if scheme == "https" then return url end
  if scheme ~= "http" then return nil, name .. " is neither http nor https", true end
  if is_loopback(host) or ALLOWED[host] then return url end
  return nil, ("%s: over http only a loopback address, 169.254.170.2, 169.254.170.23 or "
    .. "[fd00:ec2::23] is asked, not %s"):format(name, parts.host), true
end

local function token_of(io)
  local path = variable(io, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
  local name = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
  local token = not path and variable(io, name) or nil
  if path then
    local message
    name = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
    token, message = profiles.read(io, path, document.MAX_BYTES)
    if not token then
      return nil, ("%s: %s"):format(name, message or path .. " does not exist")
    end
  end
  if token and token:find("[%c\127]") then
    return nil, name .. ": the token holds a line break or another control character"
  end
  return token
end

-- Why an agent refused, if it says so with a word.
local function word_of(body)
  local answer = document.decode(body)
  local word = answer and (document.text(answer, "code") or document.text(answer, "Code"))
  return word and #word <= 64 and word:find("^%a[%w_.]*$") and (" (%s)"):format(word) or ""
end

local function ask(io, url, token)
  local response, message = io.send {
    method = "GET",
    url = url,
    headers = { Accept = "application/json", Authorization = token },
    timeouts = { attempt = WHOLE, connect = TIMEOUT, read = TIMEOUT },
    direct = true,
  }
  if not response then return nil, document.scrub(message, token) end
  if response.status ~= 200 then
    return nil, ("the agent answered HTTP status %d%s"):format(response.status,
      document.scrub(word_of(response.body), token))
  end
  local answer
  answer, message = document.decode(response.body)
  if not answer then return nil, "the agent's answer " .. message end
  return answer
end

--- Asks the agent that the environment names.
---@param io sagemaker.ProviderIo
---@return sagemaker.Credentials|nil credentials
---@return string|nil reason
---@return boolean|nil broken true where the environment names an agent that gives none
function Container:get(io)
  local url, reason, broken = url_of(io)
  if not url then return nil, reason, broken end
  local token
  token, reason = token_of(io)
  if reason then return nil, reason, true end
  local answer
  for attempt = 1, ATTEMPTS do
    answer, reason = ask(io, url, token)
    if answer then break end
    if attempt < ATTEMPTS then io.sleep(PAUSE) end
  end
  if not answer then return nil, reason, true end
  local credentials
  local missing = document.missing(answer, REQUIRED)
  if missing then return nil, "the agent's answer has no " .. missing, true end
  credentials, reason = document.credentials(answer, NAMES, self.name)
  if not credentials then return nil, "the agent's answer " .. reason, true end
  return credentials
end

--- A provider that asks a container's agent.
---@return sagemaker.CredentialProvider
function M.new()
  return setmetatable({}, Container)
end

return M
