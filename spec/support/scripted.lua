--- Clients over a script of answers (sagemaker.transport.stub), with keys, a region and no
-- environment.

local sagemaker = require "sagemaker"
local stub = require "sagemaker.transport.stub"

local M = {}

M.KEYS = { access_key_id = "AKIDEXAMPLE", secret_access_key = "HIDDENSECRET",
  session_token = "HIDDENTOKEN" }

local function make(new, script, options, random)
  local transport = stub.new(script)
  local all = {
    credentials = M.KEYS,
    io = { getenv = function() end, random = function() return random end },
    region = "eu-west-1",
    transport = transport,
  }
  for name, value in pairs(options or {}) do all[name] = value end
  return assert(new(all)), transport
end

--- A client of the control plane, which waits as long as it may between attempts.
function M.client(script, options)
  return make(sagemaker.new, script, options, 1)
end

--- A client for invocations, which does not wait between attempts.
function M.runtime(script, options)
  return make(sagemaker.runtime, script, options, 0)
end

--- A header of a request, whatever the case of its name (given in lower case).
function M.header(request, name)
  for key, value in pairs(request.headers) do
    if key:lower() == name then return value end
  end
end

return M
