--- Signs a client's request in the access phase, so that proxy_pass can send it to SageMaker and
--- stream the answer back.
---
---     set $sagemaker_host ""; set $sagemaker_uri "";
---     access_by_lua_block {
---       require("sagemaker.nginx").sign{ client = runtime, endpoint = "churn" }
---     }
---     proxy_pass https://sagemaker$sagemaker_uri;
---     proxy_set_header Host $sagemaker_host;
--
-- The body is read and hashed, also one that nginx has put into a file. What a client must not
-- bring along (its own Authorization, cookies, X-Amz-*, hop-by-hop headers) is taken away;
-- Content-Type and X-Amzn-SageMaker-* are signed as they are. When nothing can be signed the
-- request is answered here, with a status and a JSON body, and never reaches proxy_pass.

local clients = require "sagemaker.client"

local M = {}

-- LuaJIT makes tables of a given size, which need not grow.
local has_new, new_table = pcall(require, "table.new")
if not has_new then new_table = function() return {} end end

---@class sagemaker.nginx.SignOptions
---@field client sagemaker.Runtime whose keys, region and endpoint count
---@field endpoint? string its name: the path is that of an invocation
---@field openai? string with `endpoint`: a path below its OpenAI-compatible interface,
--- "/v1/chat/completions"
---@field stream? boolean with `endpoint`: InvokeEndpointWithResponseStream
---@field path? string instead of `endpoint`: the path, percent-encoded; without both path and query
--- are those of the request, as they came
---@field query? string percent-encoded; default none
---@field headers? table<string, string|false> what to send and sign besides; false takes a header
--- of the client away
---@field on_error? fun(status: integer, err: sagemaker.Error) answers instead of us; without a
--- response of its own the request ends with the status

-- What a client's header is for: false, taken away; true, signed; nil, none of our business.
local FATE = {
  authorization = false, cookie = false, ["proxy-authorization"] = false,
  ["proxy-connection"] = false, trailer = false, ["content-type"] = true,
}
local PREFIXES = { { "x-amz-", false }, { "amz-sdk-", false }, { "x-amzn-sagemaker-", true } }

local fates, known = {}, 0

local function fate_of(name)
  local plain = name:lower()
  local fate = FATE[plain]
  for _, row in ipairs(PREFIXES) do
    if plain:sub(1, #row[1]) == row[1] then fate = row[2] end
  end
  if fate == nil then fate = 0 end
  if known == 512 then fates, known = {}, 0 end
  fates[name], known = fate, known + 1
  return fate
end

-- Connection names further headers that are meant for this hop only.
local function drop_named(req, value)
  local list = type(value) == "table" and table.concat(value, ",") or value
  for name in list:gmatch("[^,%s]+") do
    local plain = name:lower()
    if plain ~= "close" and plain ~= "keep-alive" and plain ~= "content-type"
      and plain ~= "content-length" and plain ~= "host" then
      req.clear_header(name)
    end
  end
end

-- Takes away what must not go out; answers what is to be signed.
local function sort_headers(req)
  local signed = new_table(0, 8)
  for name, value in pairs(req.get_headers(0, true)) do
    local fate = fates[name]
    if fate == nil then fate = fate_of(name) end
    if fate == true then
      signed[name] = value
    elseif fate == false then
      req.clear_header(name)
    elseif #name == 10 and name:lower() == "connection" then
      drop_named(req, value)
    end
  end
  return signed
end

local function apply(req, signed, headers)
  for name, value in pairs(headers) do
    local plain = name:lower()
    for other in pairs(signed) do
      if other:lower() == plain then signed[other] = nil end
    end
    if value then
      req.set_header(name, value)
      signed[name] = value
    else
      req.clear_header(name)
    end
  end
end

-- {{ Failures

local STATUSES = { timeout = 504, credentials = 503, transport = 503, config = 500 }
-- What a client of the gateway is told: how the gateway is set up is not its business.
local TEXTS = {
  [500] = "the gateway is not set up to reach the model",
  [503] = "the gateway has no access to the model at the moment",
  [504] = "the gateway could not get access to the model in time",
}

local function answer(ngx, status, code, message, is_openai)
  local text
  if is_openai then
    text = { error = { code = code, message = message, type = status < 500
      and "invalid_request_error" or "server_error" } }
  else
    text = { code = code, message = message }
  end
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.say(require("cjson").encode(text))
  return ngx.exit(ngx.HTTP_OK)
end

local function refuse(ngx, opts, status, err)
  if opts.on_error then
    opts.on_error(status, err)
    if not ngx.headers_sent then ngx.exit(status) end
    return ngx.exit(ngx.HTTP_OK)
  end
  return answer(ngx, status, err.code, err.message, opts.openai)
end

-- A request that cannot be signed for reasons of ours: they go to the log.
local function fail(ngx, opts, message, err)
  local status = STATUSES[err.kind] or 500
  ngx.log(ngx.ERR, "sagemaker: the request cannot be signed: ", message)
  if opts.on_error then return refuse(ngx, opts, status, err) end
  return answer(ngx, status, err.code, TEXTS[status], opts.openai)
end

-- A request that is wrong in itself.
local function reject(ngx, opts, status, code, message)
  return refuse(ngx, opts, status, require("sagemaker.error").new { kind = "validation",
    code = code, message = message, sent = false, retryable = false })
end

-- }}

-- {{ The body

local CHUNK, BREATH = 65536, 1048576

-- The hash of a file, a piece at a time; after each BREATH bytes other requests get their turn.
local function hash_file(ngx, path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local hasher, size = require("sagemaker.core").hasher(), 0
  while true do
    local bytes
    bytes, message = file:read(CHUNK)
    if not bytes then break end
    hasher:update(bytes)
    size = size + #bytes
    if size % BREATH == 0 then ngx.sleep(0) end
  end
  file:close()
  if message then return nil, message end
  return hasher:digest()
end

-- The body, or its hash; or nil, nil and why it cannot be read.
local function read_body(ngx)
  local req = ngx.req
  req.read_body()
  local body = req.get_body_data()
  if body then return body end
  local path = req.get_body_file()
  if not path then return "" end
  local hash, message = hash_file(ngx, path)
  return nil, hash, message
end

-- }}

local PHASES = { access = true, rewrite = true, server_rewrite = true }

local function check(ngx, opts)
  if type(ngx) ~= "table" or not ngx.req then error("sign works inside nginx only", 3) end
  local phase = ngx.get_phase()
  if not PHASES[phase] then
    error(("sign belongs into the access phase (access_by_lua*), not into '%s'"):format(phase), 3)
  end
  if type(opts) ~= "table" or type(opts.client) ~= "table" or not opts.client.settings then
    error("sign{ client = … } needs a client, as sagemaker.runtime{…} makes it", 3)
  end
end

local ACTIONS = { [true] = "/invocations-response-stream", [false] = "/invocations" }

-- Whether a path stays where it is put: no dots that lead up, nothing that is read in two ways.
local function is_plain(path)
  return path:find("^/[%w%-._~/]*$") ~= nil and not (path .. "/"):find("/%.?%.?/")
end

-- The path of an endpoint's request; nil when its name is none, or the path below it. They come
-- from the URLs of clients, so whatever could lead elsewhere is refused.
local function path_of(opts)
  local name, below = opts.endpoint, opts.openai
  if type(name) ~= "string" or #name > 63 or not name:find("^%w[%w%-]*$") then return nil end
  if below then return is_plain(below) and ("/endpoints/%s/openai%s"):format(name, below) or nil end
  return "/endpoints/" .. name .. ACTIONS[opts.stream == true]
end

local function set_variables(ngx, request)
  local var = ngx.var
  local query = request.query
  var.sagemaker_host = request.host
  var.sagemaker_uri = query ~= "" and request.path .. "?" .. query or request.path
end

--- Signs the request that nginx is working on. Sets its headers, and the variables
--- `$sagemaker_host` and `$sagemaker_uri` (declare them with `set`). Where it fails it answers the
--- request: 404 for what is no path of an endpoint, 405 for an invocation that is no POST, 400 for
--- a body that cannot be read, 503 without usable credentials, 504 when they did not come in time,
--- 500 for a configuration that does not work; the reasons of the last three are in the error log.
---@param opts sagemaker.nginx.SignOptions
---@return boolean|nil ok
function M.sign(opts)
  local ngx = rawget(_G, "ngx")
  check(ngx, opts)
  local req, path = ngx.req, opts.path
  local method = req.get_method()
  if opts.endpoint ~= nil then
    path = path_of(opts)
    if not path then
      return reject(ngx, opts, 404, "NoSuchEndpoint", "this is not the path of an endpoint")
    end
    if method ~= "POST" and not opts.openai then
      ngx.header["Allow"] = "POST"
      return reject(ngx, opts, 405, "MethodNotAllowed", "an endpoint is invoked with POST")
    end
  end
  local query = opts.query or ""
  if not path then path, query = ngx.var.request_uri:match("^([^?#]*)%??([^#]*)") end
  local body, hash, problem = read_body(ngx)
  if not body and not hash then
    ngx.log(ngx.ERR, "sagemaker: the body of the request cannot be read: ", problem)
    return reject(ngx, opts, 400, "UnreadableBody", "the body of the request cannot be read")
  end
  local signed = sort_headers(req)
  if opts.headers then apply(req, signed, opts.headers) end
  local request = { body = body, headers = signed, host = "", method = method, path = path,
    payload_hash = hash, query = query, url = "" }
  local ok, message, err = clients.sign(opts.client, request)
  if not ok then return fail(ngx, opts, message, err) end
  req.set_header("Authorization", signed["Authorization"])
  req.set_header("X-Amz-Date", signed["X-Amz-Date"])
  local token = signed["X-Amz-Security-Token"]
  if token then req.set_header("X-Amz-Security-Token", token) end
  set_variables(ngx, request)
  return true
end

return M
