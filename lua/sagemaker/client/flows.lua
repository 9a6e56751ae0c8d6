--- What takes more than one call: pages, waiters, deployments. Methods of every client.

local inputs = require "sagemaker.client.inputs"

---@class sagemaker.Client
local methods = {}

local PAGE_OPTIONS = { max_items = true, page_size = true, starting_token = true }
local WAIT_OPTIONS = { delay = true, max_attempts = true, timeout = true }

local function pages_of(client, name, params, opts, level)
  local operation = inputs.operation(client, name, level + 1)
  local row = require("sagemaker.model.paginators")[operation.name]
  if not row then error(operation.name .. " has no pages", level + 1) end
  local own, rest = inputs.split(opts, PAGE_OPTIONS, level + 1)
  local pages = require("sagemaker.paginator").pages(row, operation.name, client.caller,
    inputs.params(params, level + 1), own, rest)
  return pages
end

--- An iterator over the pages of a list. `for page in client:pages(…)` raises the err table on
--- failure; the iterator's `:next()` answers page, or nil, message, err.
---@param name string an operation that has pages
---@param params? table
---@param opts? sagemaker.PageOptions and options of each call
---@return sagemaker.Pages
function methods:pages(name, params, opts)
  local pages = pages_of(self, name, params, opts, 2)
  return pages
end

--- An iterator over the items of the pages of a list, as `pages` otherwise.
---@param name string an operation that has pages
---@param params? table
---@param opts? sagemaker.PageOptions and options of each call
---@return sagemaker.Items
function methods:each(name, params, opts)
  local pages = pages_of(self, name, params, opts, 2)
  return require("sagemaker.paginator").items(pages)
end

--- Waits for a state, with a waiter of AWS's model. For deployments use `wait_until_in_service`.
---@param name string "endpoint_in_service" or "EndpointInService"
---@param params table of the operation that the waiter polls
---@param opts? sagemaker.WaitOptions and options of each call
---@return table|nil output
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:wait(name, params, opts)
  local waiter = require "sagemaker.waiter"
  local row = waiter.find(require "sagemaker.model.waiters", name)
  local own, rest = inputs.split(opts, WAIT_OPTIONS, 2)
  params = inputs.params(params, 2)
  local transport, message, err = inputs.transport(self, self.settings)
  if not transport then return nil, message, err end
  local output
  output, message, err = waiter.run(row, self.caller, transport, params, own, rest)
  return output, message, err
end

-- The watch of a client, made when it is first needed.
local function watch_of(client)
  local watch = client.watch
  if watch then return watch end
  local transport, message, err = inputs.transport(client, client.settings)
  if not transport then return nil, message, err end
  client.watch = require("sagemaker.watch").new {
    call = client.caller,
    check = function(name, params)
      return require("sagemaker.check").shapes(client.service, name, params)
    end,
    describe_alarms = require("sagemaker.client.alarms").describer(client),
    polls = client.settings.shared and client.settings.shared:polls(client.settings, transport),
    random = client.settings.io.random,
    transport = transport,
  }
  return client.watch
end

--- Brings an endpoint to a configuration: checks everything first, creates or updates, watches.
---@param request sagemaker.watch.DeployRequest EndpointName, EndpointConfigName and more
---@param opts? sagemaker.CallOptions options of each call
---@return sagemaker.watch.Result|nil result also for a roll-back: look at its outcome
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:deploy(request, opts)
  local watch, message, err = watch_of(self)
  if not watch then return nil, message, err end
  return watch:deploy(request, opts)
end

--- Follows a deployment: an iterator over events, the last one with the outcome.
---@param name string EndpointName
---@param opts? sagemaker.watch.Options
---@param call_opts? sagemaker.CallOptions options of each call
---@return sagemaker.watch.Iterator|nil iterator
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:watch_endpoint(name, opts, call_opts)
  local watch, message, err = watch_of(self)
  if not watch then return nil, message, err end
  return watch:watch_endpoint(name, opts, call_opts)
end

--- The same as a coroutine that never sleeps: each resume makes one poll and yields event, delay.
---@param name string EndpointName
---@param opts? sagemaker.watch.Options
---@param call_opts? sagemaker.CallOptions options of each call
---@return thread|nil
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:in_service_coroutine(name, opts, call_opts)
  local watch, message, err = watch_of(self)
  if not watch then return nil, message, err end
  return watch:in_service_coroutine(name, opts, call_opts)
end

--- Waits until an endpoint runs what was asked for; a roll-back is an error.
---@param name string EndpointName
---@param opts? sagemaker.watch.Options
---@param call_opts? sagemaker.CallOptions options of each call
---@return sagemaker.watch.Event|nil result the last event, with history and warnings
---@return string|nil message
---@return sagemaker.Error|nil err
function methods:wait_until_in_service(name, opts, call_opts)
  local watch, message, err = watch_of(self)
  if not watch then return nil, message, err end
  return watch:wait_until_in_service(name, opts, call_opts)
end

return methods
