--- The calls that benchmarks make, each over a transport or a client of its own.

local yardstick = require "bench.yardstick"

local M = {}

-- Every invocation has a body of its own: the signer makes use of what requests have in common.
M.BODIES = {}
for i = 1, 100 do M.BODIES[i] = ('{"EndpointName":"%05d"}'):format(i) end

--- A request over the transport alone, signed beforehand.
---@param url string
---@param in_flight? integer calls at once
---@return fun(): sagemaker.Response
function M.transport(url, in_flight)
  local core = require "sagemaker.core"
  local transport = require("sagemaker.transport.curl").new{
    io = require("sagemaker.env").new(),
    max_connections_per_host = in_flight,
  }
  local request = { method = "POST", url = url, host = "127.0.0.1", headers = yardstick.HEADERS,
    body = yardstick.BODY, timeouts = { connect = 10, read = 60 } }
  return function()
    local response = assert(transport:send(request, core.clock() + 60))
    assert(response.status == 200)
    return response
  end
end

local function settings(url, in_flight, transport)
  local made = yardstick.settings(url, in_flight)
  made.transport = transport
  return made
end

--- A whole client:describe_endpoint, whose answer becomes a table of 16 variants.
---@param url string
---@param in_flight? integer
---@param transport? sagemaker.Transport
---@return fun()
function M.client(url, in_flight, transport)
  local client = assert(require("sagemaker").new(settings(url, in_flight, transport)))
  return function() assert(client:describe_endpoint{ EndpointName = "churn" }) end
end

--- A whole runtime:invoke_endpoint, whose answer is a string.
---@param url string
---@param in_flight? integer
---@param transport? sagemaker.Transport
---@return fun()
function M.runtime(url, in_flight, transport)
  local runtime = assert(require("sagemaker").runtime(settings(url, in_flight, transport)))
  local i = 0
  return function()
    i = i % #M.BODIES + 1
    assert(runtime:invoke_endpoint{ EndpointName = "churn", Body = M.BODIES[i] })
  end
end

return M
