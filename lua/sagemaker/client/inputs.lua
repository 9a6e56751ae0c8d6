--- What a call is made of: its operation, its parameters, its settings and its transport.
--
-- What only a mistake in the program can be (an unknown operation, a wrong option) throws, at
-- `level`: 1 is the function that calls the one of here, 2 its caller, …

local config = require "sagemaker.config"
local lazy = require "sagemaker.lazy"
local options_of = require "sagemaker.options"

local agent = lazy "sagemaker.agent"
local core = lazy "sagemaker.core"

local M = {}

local EMPTY = {}

--- The operation of a name.
---@param client sagemaker.Client
---@param name any "CreateEndpoint" or "create_endpoint"
---@param level integer
---@return table operation as service:operation answers it
function M.operation(client, name, level)
  local operation = type(name) == "string" and client.service:operation(name)
  if operation then return operation end
  local nearest = type(name) == "string" and client.service:suggest(name)
  error(("unknown operation %s%s"):format(tostring(name),
    nearest and (" (did you mean %s?)"):format(nearest) or ""), level + 1)
end

--- The parameters of a call.
---@param params any
---@param level integer
---@return table
function M.params(params, level)
  if params == nil then return EMPTY end
  if type(params) ~= "table" then
    error("parameters must be a table, not " .. type(params), level + 1)
  end
  return params
end

--- Parts the options of a method into those that it knows itself and those of its calls.
---@param opts table|nil
---@param own table<string, any> the names that it knows
---@param level integer
---@return table own
---@return table|nil rest
function M.split(opts, own, level)
  if opts == nil then return EMPTY, nil end
  options_of.check_call(opts, own, level + 2)
  local rest
  for name, value in pairs(opts) do
    if not own[name] then
      rest = rest or {}
      rest[name] = value
    end
  end
  return opts, rest
end

--- Makes the User-Agent header of settings.
---@param settings table complete
---@return string
function M.user_agent(settings)
  settings.user_agent = agent.user_agent(settings, core.version, core.platform)
  return settings.user_agent
end

-- Settings seen through the options of a call.
local function override(settings, opts)
  local derived, message, err = config.override(settings, opts)
  if not derived then return nil, message, err end
  if opts.credentials then derived.keyring = { credentials = opts.credentials } end
  if opts.credentials or opts.region or opts.endpoint_url or opts.use_fips ~= nil
    or opts.use_dualstack ~= nil then
    derived.route = {}
  end
  if opts.user_agent_extra or opts.endpoint_url or opts.retry then M.user_agent(derived) end
  return derived
end

--- The settings of a call: the client's, or those seen through its own options.
---@param client sagemaker.Client
---@param opts sagemaker.CallOptions|nil
---@param level integer
---@return table|nil settings complete
---@return string|nil message
---@return sagemaker.Error|nil err kind "config"
function M.settings(client, opts, level)
  local settings = client.settings
  if opts ~= nil then options_of.check_call(opts, nil, level + 2) end
  if not settings.is_complete then
    local ok, message, err = config.complete(settings)
    if not ok then return nil, message, err end
  end
  if opts == nil or next(opts) == nil then return settings end
  return override(settings, opts)
end

--- The transport of a call; libcurl's, made at its first use, when nobody gave one.
---@param client sagemaker.Client
---@param settings table
---@return sagemaker.Transport|nil transport
---@return string|nil message
---@return sagemaker.Error|nil err
function M.transport(client, settings)
  local transport, message, err = settings.transport, nil, nil
  if not transport then
    local ok
    ok, message, err = config.complete(client.settings)
    if not ok then return nil, message, err end
    transport, message, err = require("sagemaker.transport").choose(client.settings.transport_name,
      client.settings)
    client.settings.transport = transport or false
  end
  return transport, message, err
end

return M
