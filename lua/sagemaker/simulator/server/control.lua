--- The control API under /_simulator/: what a person, a page or a test asks of the simulator
-- itself. JSON in, JSON out; for callers on this machine only.
--
--   GET  /_simulator/state                        everything there is to see
--   GET  /_simulator/endpoints/NAME               one endpoint, with its whole history
--   POST /_simulator/advance   {"seconds": 60}    moves time on
--   POST /_simulator/alarms/NAME {"state": "ALARM"}
--   GET  /_simulator/knobs                        POST {"unhealthy": "v3", "latency": null} sets
--   POST /_simulator/endpoints/NAME/system_update {"seconds": 60}
--   GET  /_simulator/objects                      locations; /objects/LOCATION what lies there
--   POST /_simulator/objects/LOCATION {"body": "1,2"}  puts something there
--   POST /_simulator/save                         writes the state file now
--   POST /_simulator/call/OPERATION {…}           a call to SageMaker, signed here
--   GET  /_simulator/                             the page

local core = require "sagemaker.core"
local json = require "sagemaker.simulator.json"
local knobs = require "sagemaker.simulator.knobs"
local pages = require "sagemaker.simulator.server.page"
local report = require "sagemaker.simulator.server.report"
local services = require "sagemaker.simulator.services"

local M = {}

---@param status integer
---@param body string
---@param kind? string
---@return table response
local function answer(status, body, kind)
  return {
    status = status, body = body,
    headers = { ["Content-Type"] = kind or "application/json", ["Cache-Control"] = "no-store" },
  }
end

--- An error in JSON.
---@param status integer
---@param code string
---@param message string
---@return table response
function M.failure(status, code, message)
  return answer(status, json.encode { code = code, message = message })
end

-- The body of an answer of AWS's own.
local function passed_on(response)
  return answer(response.status, response.body)
end

local function value(status, data)
  return answer(status, json.encode(data) .. "\n")
end

local function bad(message)
  return M.failure(400, "BadRequest", message)
end

-- A caller's mistake, without the place in this project that threw it.
local function said(failure)
  return (tostring(failure):gsub("^%S+%.lua:%d+: ", ""))
end

-- The simulator's clock, as most answers tell it.
local function moment(server)
  return { now = server.sim:now() }
end

-- How control requests are answered: fn(server, input, name, request). `input` is the decoded body
-- of a POST.
local GET, POST = {}, {}

function GET.state(server) return value(200, report.state(server)) end

function GET.knobs(server) return value(200, report.knobs(server.sim)) end

function GET.endpoints(server, _, name)
  local row = report.endpoint(server.sim, name)
  if row then return value(200, row) end
  return M.failure(404, "NotFound", ("There is no endpoint %s."):format(name))
end

-- Containers are asked how they are first: a jump over their patience would find none healthy.
function POST.advance(server, input)
  server:ping()
  local ok, failure = pcall(server.sim.advance, server.sim, input.seconds)
  if not ok then return bad(said(failure)) end
  return value(200, moment(server))
end

function POST.alarms(server, input, name)
  if name == "" then return bad("The path must name an alarm.") end
  local ok, failure = pcall(server.sim.set_alarm, server.sim, name, input.state)
  if not ok then return bad(said(failure)) end
  return value(200, { name = name, state = input.state, now = server.sim:now() })
end

local function is_null(entry)
  return type(entry) == "userdata"
end

--- Sets knobs; all of them or, when one cannot be, none.
function POST.knobs(server, input)
  local sim, known = server.sim, {}
  for _, name in ipairs(knobs.names()) do known[name] = true end
  for name, entry in pairs(input) do
    if not known[name] then return bad(("There is no knob %s."):format(tostring(name))) end
    local ok, failure = pcall(knobs.check, name, not is_null(entry) and entry or nil,
      services.catalogue)
    if not ok then return bad(said(failure)) end
  end
  for name, entry in pairs(input) do
    sim[name](sim, not is_null(entry) and entry or nil)
  end
  return GET.knobs(server)
end

-- endpoints/NAME/system_update
function POST.endpoints(server, input, rest)
  local name = rest:match("^(.+)/system_update$")
  if not name then return nil end
  local ok, failure = pcall(server.sim.system_update, server.sim, name, input.seconds)
  if not ok then return bad(said(failure)) end
  return value(200, moment(server))
end

function GET.objects(server, _, location)
  if location == "" then
    local list = json.array {}
    for i, name in ipairs(server.sim.account.objects.order) do list[i] = name end
    return value(200, list)
  end
  local body = server.sim:object(location)
  if body then return answer(200, body, "application/octet-stream") end
  return M.failure(404, "NotFound", ("There is nothing at %s."):format(location))
end

function POST.objects(server, input, location)
  if location == "" then return bad("The path must name a location.") end
  if type(input.body) ~= "string" then return bad("body must be a string.") end
  server.sim:put_object(location, input.body)
  return value(200, moment(server))
end

function POST.save(server)
  if not server.options.state then return bad("There is no state file to write.") end
  local ok, message = server:save(nil, true)
  if not ok then return M.failure(500, "InternalFailure", message) end
  return value(200, moment(server))
end

-- call/OPERATION: what a client with the first keys would get. The page has no keys of its own.
function POST.call(server, _, name, request)
  local sim, info = server.sim, server.sim.service:info()
  local signed = {
    method = "POST", path = "/", query = "", host = "localhost", body = request.body,
    headers = {
      ["Content-Type"] = "application/x-amz-json-" .. info.json_version,
      ["X-Amz-Target"] = info.target_prefix .. "." .. name,
    },
  }
  local keys = sim.defaults.credentials
  core.signer {
    access_key_id = keys.access_key_id, secret_access_key = keys.secret_access_key,
    session_token = keys.session_token, region = sim.region, service = info.signing_name,
  }:sign(signed, sim.wall())
  return passed_on(sim:handle(signed))
end

-- Hosts that are this machine, whatever the name of a page that asks.
local function is_local_host(host)
  host = (host or ""):lower():gsub(":%d+$", "")
  return host == "localhost" or host:find("%.localhost$") ~= nil or host == "[::1]"
    or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

local function is_local_address(address)
  return address == "::1" or address == "unix:" or address == "::ffff:127.0.0.1"
    or address:find("^127%.") ~= nil
end

--- Why a request may not ask this: it comes from elsewhere, or from a page of another site.
---@param request table
---@return string|nil
function M.stranger(request)
  if not is_local_address(request.address or "") then
    return "The control API answers callers on this machine only."
  elseif not is_local_host(request.headers.host) then
    return "The control API answers to the names of this machine only, such as localhost."
  end
  local origin = request.headers.origin
  if origin and origin:match("^%a+://(.+)$") ~= request.headers.host then
    return "The control API does not answer pages of other sites."
  end
  return nil
end

local function percent_decoded(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- The decoded body of a POST; nil and why not.
local function input_of(request)
  if request.body:find("^%s*$") then return {} end
  local ok, input = pcall(require("cjson").decode, request.body)
  if not ok or type(input) ~= "table" then
    return nil, "The body must be a JSON object."
  end
  return input
end

local function page(path)
  local body, kind = pages.file(path)
  if not body then return nil end
  local response = answer(200, body, kind)
  response.headers["Content-Security-Policy"] = pages.policy
  response.headers["X-Content-Type-Options"] = "nosniff"
  return response
end

--- Answers a request under /_simulator/.
---@param server sagemaker.simulator.Server
---@param request table {method, path, headers (lower case), body, address}
---@return table response
function M.handle(server, request)
  local stranger = M.stranger(request)
  if stranger then return M.failure(403, "AccessDenied", stranger) end
  local path = request.path:match("^/_simulator/(.*)$")
  if request.path == "/_simulator" then -- so that the page finds its files
    local response = answer(308, "")
    response.headers.Location = "/_simulator/"
    return response
  elseif not path then
    return M.failure(404, "NotFound", "There is nothing at this path.")
  end
  local topic, name = path:match("^([^/]*)/?(.*)$")
  local known = GET[topic] or POST[topic]
  local handler = (request.method == "POST" and POST or GET)[topic]
  local response
  if request.method ~= "GET" and request.method ~= "POST" or known and not handler then
    return M.failure(405, "MethodNotAllowed", ("There is no %s here."):format(request.method))
  elseif not known then
    response = request.method == "GET" and page(path)
  else
    local input, message = {}, nil
    if request.method == "POST" then input, message = input_of(request) end
    if not input then return bad(message) end
    response = handler(server, input, percent_decoded(name), request)
    if request.method == "POST" then server.changes = server.changes + 1 end
  end
  return response or M.failure(404, "NotFound", "There is nothing at this path.")
end

return M
