--- Checks the AWS Signature Version 4 of a request, as the service does.
--
-- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
-- The signature is computed again from the headers that the request says it signed, with the
-- signer that clients use, and compared. Refusals are 403; see the guide for their codes.

local core = require "sagemaker.core"
local refusal = require "sagemaker.simulator.refusal"

local M = {}

--- How far a request's date may be from the service's, in seconds.
M.SKEW = 300

local Verifier = { __name = "sagemaker.simulator.verifier" }
Verifier.__index = Verifier

---@class sagemaker.simulator.identity credentials that the service knows
---@field access_key_id string
---@field secret_access_key string
---@field session_token string|nil
---@field expires_at number|nil seconds since the epoch

---@param identities sagemaker.simulator.identity[]
---@param region string
---@param service string the signing name
---@return table verifier
function M.new(identities, region, service)
  local self = setmetatable({ region = region, service = service, known = {} }, Verifier)
  for _, identity in ipairs(identities) do
    self.known[identity.access_key_id] = {
      token = identity.session_token, expires_at = identity.expires_at,
      signer = core.signer {
        access_key_id = identity.access_key_id, secret_access_key = identity.secret_access_key,
        region = region, service = service,
      },
    }
  end
  return self
end

local function refuse(code, format, ...)
  return refusal.new(code, select("#", ...) > 0 and format:format(...) or format, 403)
end

-- Header values by lower-case name.
local function by_lower_name(headers)
  local values = {}
  for name, value in pairs(headers) do values[name:lower()] = value end
  return values
end

-- The parts of an Authorization header, or nil.
local function parse(authorization)
  local credential = authorization:match("Credential=([^%s,]+)")
  local signed = authorization:match("SignedHeaders=([^%s,]+)")
  local signature = authorization:match("Signature=(%x+)")
  if not credential or not signed or not signature then return nil end
  local key, date, region, service, ending =
    credential:match("^([^/]+)/(%d+)/([^/]+)/([^/]+)/([^/]+)$")
  if not key then return nil end
  return {
    key = key, date = date, region = region, service = service, ending = ending, signed = signed,
    signature = signature:lower(),
  }
end

local function check_scope(self, auth, stamp)
  if auth.region ~= self.region then
    return refuse("InvalidSignatureException",
      "Credential should be scoped to a valid region, not '%s'.", auth.region)
  elseif auth.service ~= self.service then
    return refuse("InvalidSignatureException",
      "Credential should be scoped to correct service: '%s'.", self.service)
  elseif auth.ending ~= "aws4_request" then
    return refuse("InvalidSignatureException",
      "Credential should be scoped with a valid terminator: 'aws4_request', not '%s'.",
      auth.ending)
  elseif auth.date ~= stamp:sub(1, 8) then
    return refuse("InvalidSignatureException",
      "Date in Credential scope does not match the date of the request: '%s' != '%s'.", auth.date,
      stamp:sub(1, 8))
  end
  return true
end

local function check_time(stamp, at, now)
  if at < now - M.SKEW then
    return refuse("RequestExpired", "Signature expired: %s is now earlier than %s (%s - 5 min.)",
      stamp, core.time.format(now - M.SKEW, "amz"), core.time.format(now, "amz"))
  elseif at > now + M.SKEW then
    return refuse("RequestExpired",
      "Signature not yet current: %s is still later than %s (%s + 5 min.)", stamp,
      core.time.format(now + M.SKEW, "amz"), core.time.format(now, "amz"))
  end
  return true
end

local function check_identity(identity, token, now)
  if not identity or token ~= identity.token then
    return refuse("UnrecognizedClientException",
      "The security token included in the request is invalid.")
  elseif identity.expires_at and now >= identity.expires_at then
    return refuse("ExpiredTokenException",
      "The security token included in the request is expired")
  end
  return true
end

-- The request with only the headers that its sender signed, or the name of one it lacks.
local function as_signed(request, values, auth)
  local headers = {}
  for name in auth.signed:gmatch("[^;]+") do
    local value = values[name]
    if name == "host" then value = value or request.host end
    if not value then return nil, name end
    headers[name] = value
  end
  if not headers.host or not headers["x-amz-date"] then
    return nil, headers.host and "x-amz-date" or "host"
  end
  return {
    method = request.method, path = request.path, query = request.query, headers = headers,
    body = request.body, host = request.host,
  }
end

local function check_signature(identity, request, values, auth, at)
  local signed, lacking = as_signed(request, values, auth)
  if not signed then
    return refuse("InvalidSignatureException", "'%s' must be a signed header of the request.",
      lacking)
  end
  local signer = identity.signer
  local canonical = signer:canonical_request(signed, at)
  if signer:signature(signer:string_to_sign(canonical, at)) ~= auth.signature then
    return refuse("InvalidSignatureException", "The request signature we calculated does not match "
      .. "the signature you provided. Check your AWS Secret Access Key and signing method. Consult "
      .. "the service documentation for details.")
  end
  return true
end

--- Whether the request was signed by somebody known, for this service, now.
---@param request table {method, path, query, headers, body, host}
---@param now number seconds since the epoch, the service's time
---@return true|nil
---@return sagemaker.simulator.refusal|nil
function Verifier:check(request, now)
  local values = by_lower_name(request.headers)
  local authorization = values.authorization
  if not authorization then
    return refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
  end
  local auth = authorization:match("^AWS4%-HMAC%-SHA256%s") and parse(authorization)
  local stamp = values["x-amz-date"]
  local at = stamp and stamp:match("^%d%d%d%d%d%d%d%dT%d%d%d%d%d%dZ$") and core.time.parse(stamp)
  if not auth or not at then
    return refuse("IncompleteSignatureException", auth and "The request needs an X-Amz-Date header."
      or "The Authorization header is not a complete AWS4-HMAC-SHA256 signature.")
  end
  local identity = self.known[auth.key]
  local good, refused = check_identity(identity, values["x-amz-security-token"], now)
  if good then good, refused = check_scope(self, auth, stamp) end
  if good then good, refused = check_time(stamp, at, now) end
  if good then good, refused = check_signature(identity, request, values, auth, at) end
  return good, refused
end

return M
