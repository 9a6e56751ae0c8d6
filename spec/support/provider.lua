--- A world for one credential provider: environment, files, answers of HTTP requests and of calls,
-- all written down, and what the provider did with them.

local chain = require "support.chain"
local env = require "sagemaker.env"

local M = {}

---@class spec.ProviderWorld
---@field io table what the provider gets
---@field requests table[] sent with io.send
---@field calls table[] made with io.call: {service, operation, params, opts}
---@field sleeps number[]
---@field files table<string, string>
---@field written table<string, string>
---@field now number epoch seconds; moves when somebody sleeps

local function next_of(list, n, what)
  local answer = list[n]
  if not answer then error(("%s %d came, but %d answers are there"):format(what, n, #list), 0) end
  return answer
end

-- An answer of the script as the transport gives it.
local function respond(answer)
  if answer.code then
    return nil, answer.code .. ": " .. (answer.message or "as the script says"),
      { kind = "transport", code = answer.code, raw = answer.raw, status = answer.status }
  end
  return { status = answer.status or 200, headers = {}, body = answer.body or "" }
end

--- Makes one. A failing answer is {code = "ConnectTimeout", message = …}.
---@param t {env?: table, files?: table, answers?: table[], outputs?: table[], now?: number,
---   random?: fun(): number, io?: table} answers are for io.send, outputs for io.call
---@return spec.ProviderWorld
function M.world(t)
  local world = chain.world { env = t.env, files = t.files }
  local io = env.new(world.io)
  world.requests, world.calls, world.sleeps = {}, {}, {}
  world.now = t.now or chain.NOW
  io.now = function() return world.now end
  io.random = t.random or function() return 0 end
  io.sleep = function(seconds)
    world.sleeps[#world.sleeps + 1] = seconds
    world.now = world.now + seconds
  end
  io.send = function(request)
    world.requests[#world.requests + 1] = request
    return respond(next_of(t.answers or {}, #world.requests, "request"))
  end
  io.call = function(service, operation, params, credentials, opts)
    local call = { service = service, operation = operation, params = params, opts = opts,
      credentials = credentials }
    world.calls[#world.calls + 1] = call
    local output = next_of(t.outputs or {}, #world.calls, "call")
    if type(output) == "function" then output = output(call) end
    if output.code then return respond(output) end
    return output
  end
  for name, value in pairs(t.io or {}) do io[name] = value end
  world.io = io
  return world
end

return M
