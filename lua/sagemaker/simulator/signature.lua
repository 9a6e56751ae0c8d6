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

--- The same of services that are more patient, by their signing names.
M.SKEWS = { sts = 900 }

local Verifier = { __name = "sagemaker.simulator.verifier" }
Verifier.__index = Verifier

---@class sagemaker.simulator.identity credentials that the service knows
---@field access_key_id string
---@field secret_access_key string
---@field session_token string|nil
---@field expires_at number|nil seconds since the epoch

---@param identities sagemaker.simulator.identity[]
---@param region string
---@return table verifier
function M.new(identities, region)
  local self = setmetatable({ region = region, known = {} }, Verifier)
  for _, identity in ipairs(identities) do
    self.known[identity.access_key_id] = {
      token = identity.session_token, expires_at = identity.expires_at, signers = {},
      access_key_id = identity.access_key_id, secret_access_key = identity.secret_access_key,
    }
  end
  return self
end

-- The signer of an identity for a service, made when it is first needed.
local function signer_for(self, identity, service)
  local signer = identity.signers[service]
  if not signer then
    signer = core.signer {
      access_key_id = identity.access_key_id, secret_access_key = identity.secret_access_key,
      region = self.region, service = service,
    }
    identity.signers[service] = signer
  end
  return signer
end

local function refuse(code, format, ...)
  return refusal.new(code, select("#", ...) > 0 and format:format(...) or format, 403)
end

-- The parts of a signature, or false when one is missing.
local function parts(credential, signed, signature)
  local key, date, region, service, ending =
    (credential or ""):match("^([^/]+)/(%d+)/([^/]+)/([^/]+)/([^/]+)$")
  if not key or not signed or not signature then return false end
  return {
    key = key, date = date, region = region, service = service, ending = ending, signed = signed,
    signature = signature:lower(),
  }
end

-- As most clients write it.
local USUAL = "^AWS4%-HMAC%-SHA256 Credential=([^/,%s]+)/(%d+)/([^/,%s]+)/([^/,%s]+)/([^/,%s]+), "
  .. "?SignedHeaders=([^,%s]+), ?Signature=(%x+)$"

local function parse(authorization)
  local key, date, region, service, ending, signed, signature = authorization:match(USUAL)
  if key then
    return { key = key, date = date, region = region, service = service, ending = ending,
      signed = signed, signature = signature:lower() }
  end
  return parts(authorization:match("Credential=([^%s,]+)"),
    authorization:match("SignedHeaders=([^%s,]+)"), authorization:match("Signature=(%x+)"))
end

-- The query form; nil when the query holds no signature.
local function parse_query(query)
  local values = {}
  for name, value in query:gmatch("([^&=]+)=([^&]*)") do
    values[name] = core.text.percent_decode(value)
  end
  if not values["X-Amz-Signature"] then return nil end
  local auth = values["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256" and parts(
    values["X-Amz-Credential"], values["X-Amz-SignedHeaders"], values["X-Amz-Signature"])
  local expires = (values["X-Amz-Expires"] or ""):match("^%d%d?%d?%d?%d?%d?$")
  if not auth or not expires then return false end
  auth.stamp, auth.token = values["X-Amz-Date"], values["X-Amz-Security-Token"]
  auth.expires = tonumber(expires)
  return auth
end

local function check_scope(self, auth, stamp, service)
  if auth.region ~= self.region then
    return refuse("InvalidSignatureException",
      "Credential should be scoped to a valid region, not '%s'.", auth.region)
  elseif auth.service ~= service then
    return refuse("InvalidSignatureException",
      "Credential should be scoped to correct service: '%s'.", service)
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

-- A limit as messages tell it.
local function shown(seconds)
  if seconds % 60 == 0 then return ("%d min."):format(seconds / 60) end
  return ("%d sec."):format(seconds)
end

local function check_time(stamp, at, auth, now, service)
  local skew = M.SKEWS[service] or M.SKEW
  local age = auth.expires or skew
  if at < now - age then
    return refuse("InvalidSignatureException",
      "Signature expired: %s is now earlier than %s (%s - %s)", stamp,
      core.time.format(now - age, "amz"), core.time.format(now, "amz"), shown(age))
  elseif at > now + skew then
    return refuse("InvalidSignatureException",
      "Signature not yet current: %s is still later than %s (%s + %s)", stamp,
      core.time.format(now + skew, "amz"), core.time.format(now, "amz"), shown(skew))
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

-- Whether a name is among "host;x-amz-date".
local function is_signed(auth, name)
  return (";" .. auth.signed .. ";"):find(";" .. name .. ";", 1, true) ~= nil
end

-- What the signature of the request should be. Strange requests make the signer throw.
local function expected(signer, request, auth, at)
  if auth.expires then
    local ok, signature = pcall(signer.query_signature, signer, request, at, auth.signed)
    return ok and signature
  end
  local ok, authorization = pcall(signer.authorization, signer, request, at, auth.signed)
  return ok and authorization:sub(-64)
end

local function check_signature(signer, request, auth, at)
  for _, name in ipairs(auth.expires and { "host" } or { "host", "x-amz-date" }) do
    if not is_signed(auth, name) then
      return refuse("InvalidSignatureException", "'%s' must be a signed header of the request.",
        name)
    end
  end
  local signature = expected(signer, request, auth, at)
  if signature and core.equal(signature, auth.signature) then return true end
  return refuse("InvalidSignatureException", "The request signature we calculated does not match "
    .. "the signature you provided. Check your AWS Secret Access Key and signing method. Consult "
    .. "the service documentation for details.")
end

-- What the request says about its signature, in its headers or in its query; nil when it says
-- nothing, false when it is not whole.
local function read_signature(request, values)
  local authorization = values.authorization
  if authorization then
    local auth = authorization:match("^AWS4%-HMAC%-SHA256%s") and parse(authorization)
    if not auth then return false end
    auth.stamp, auth.token = values["x-amz-date"], values["x-amz-security-token"]
    return auth
  end
  return parse_query(request.query or "")
end

--- Whether the request was signed by somebody known, for this service, now.
---@param request table {method, path, query, headers, body, host}, headers by lower-case name
---@param now number seconds since the epoch, the service's time
---@param service string the signing name of the service that it is for
---@return true|nil
---@return sagemaker.simulator.refusal|nil
function Verifier:check(request, now, service)
  local auth = read_signature(request, request.headers)
  if auth == nil then
    return refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
  end
  local stamp = auth and auth.stamp
  local at = stamp and stamp:match("^%d%d%d%d%d%d%d%dT%d%d%d%d%d%dZ$") and core.time.parse(stamp)
  if not auth or not at then
    return refuse("IncompleteSignatureException", auth and "The request needs an X-Amz-Date header."
      or "The request has no complete AWS4-HMAC-SHA256 signature.")
  end
  local identity = self.known[auth.key]
  local good, refused = check_identity(identity, auth.token, now)
  if good then good, refused = check_scope(self, auth, stamp, service) end
  if good then good, refused = check_time(stamp, at, auth, now, service) end
  if good then
    good, refused = check_signature(signer_for(self, identity, service), request, auth, at)
  end
  return good, refused
end

return M
