--- A model server for specs of nginx, itself inside nginx: it verifies the signature of what it
--- gets and tells what it got: `content_by_lua_block { require("nginx.model_server").serve() }`.
--
-- /endpoints/NAME/invocations answers JSON {endpoint, headers, length, sha256, query}, or by NAME:
-- "slow" after 1 s, "quick" after 1 ms, "failing" a ModelError, "busy" 503, "plain" without any of
-- this. The OpenAI-compatible path answers server-sent events, each when the one before was seen.

local cjson = require "cjson"
local core = require "sagemaker.core"

local M = {}

local KEYS = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret", region = "eu-west-1",
  service = "sagemaker" }

-- Whether the request bears the signature that it should; else what is wrong.
local function verify(body)
  local headers = ngx.req.get_headers(0, true)
  local plain = {}
  for name, value in pairs(headers) do plain[name:lower()] = value end
  local given = plain.authorization
  if type(given) ~= "string" then return nil, "no Authorization, or several" end
  local names = given:match("SignedHeaders=([^,]+)")
  local epoch = plain["x-amz-date"] and core.time.parse(plain["x-amz-date"])
  if not names or not epoch then return nil, "no signature of version 4" end
  local path, query = ngx.var.request_uri:match("^([^?]*)%??(.*)$")
  local signed = {}
  for name in names:gmatch("[^;]+") do signed[name] = plain[name] end
  local signer = core.signer{ access_key_id = KEYS.access_key_id, region = KEYS.region,
    secret_access_key = KEYS.secret_access_key, service = KEYS.service,
    session_token = plain["x-amz-security-token"] }
  local wanted = signer:authorization({ method = ngx.req.get_method(), path = path, query = query,
    headers = signed, body = body }, epoch, names)
  if wanted ~= given then return nil, "the signature does not match" end
  return true, plain, names
end

local function read_body()
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  if body then return body end
  local path = ngx.req.get_body_file()
  if not path then return "" end
  local file = assert(io.open(path, "rb"))
  body = file:read("*a")
  file:close()
  return body
end

local function say(status, value)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.print(cjson.encode(value))
end

local EVENTS = { '{"n":1}', '{"n":2}', '{"n":3}', "[DONE]" }

-- Waits until so many events have been seen; false when they are not.
local function are_seen(count)
  for _ = 1, 1000 do
    if (ngx.shared.sagemaker:get("seen") or 0) >= count then return true end
    ngx.sleep(0.005)
  end
  return false
end

-- No event goes out before whoever reads them has told of the one before it, by a GET of /seen.
local function stream()
  ngx.header["Content-Type"] = "text/event-stream"
  for i, event in ipairs(EVENTS) do
    ngx.print("data: " .. (are_seen(i - 1) and event or "unseen") .. "\n\n")
    ngx.flush(true)
  end
end

--- Answers the request that nginx is working on.
function M.serve()
  if ngx.var.uri == "/seen" then
    ngx.shared.sagemaker:incr("seen", 1, 0)
    return
  end
  local body = read_body()
  local ok, headers, names = verify(body)
  if not ok then return say(403, { message = headers }) end
  local name, rest = ngx.var.uri:match("^/endpoints/([^/]+)/(.*)$")
  if rest and rest:find("^openai/") and body:find('"stream"', 1, true) then return stream() end
  if name == "slow" then ngx.sleep(1) end
  if name == "quick" then ngx.sleep(0.001) end
  if name == "busy" then return say(503, { message = "busy" }) end
  if name == "failing" then
    ngx.header["x-amzn-errortype"] = "ModelError"
    return say(424, { OriginalStatusCode = 500, OriginalMessage = "no", Message = "failed" })
  end
  ngx.header["x-Amzn-Invoked-Production-Variant"] = "blue"
  say(200, { endpoint = name, headers = headers, length = #body, sha256 = core.sha256(body),
    path = ngx.var.request_uri, signed = names })
end

return M
