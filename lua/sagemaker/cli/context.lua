--- What a command works with: its options, the world, a client, and ways to print.

local failure = require "sagemaker.cli.failure"

local M = {}

---@class sagemaker.cli.Context
---@field world sagemaker.cli.World
---@field globals table<string, any> values of sagemaker.cli.globals, for example globals.region
---@field options table<string, any> values of the command's own options
---@field unwritten string|nil why output was lost that the command went on without
---@field farewell string|nil what is told when the command is interrupted
---@field body string|nil the text of the latest answer of the control plane
local methods = {}
local Context = { __index = methods, __name = "sagemaker.cli.context" }

--- Writes text to stdout.
---@param text string
function methods:out(text)
  local ok, message = self.sink:write(text)
  if not ok then failure.other("cannot write the output: " .. tostring(message)) end
end

--- Writes a line to stderr.
---@param text string
function methods:note(text)
  self.world.stderr:write(text, "\n")
end

--- Ends what a terminal shows of the key that has interrupted the command, and writes what that
--- leaves behind.
---@param text string|nil
function methods:say_farewell(text)
  if self.world.isatty "stderr" and not self.world.terminated() then
    self.world.stderr:write("\n")
  end
  if text then self:note(text) end
end

-- No limit, in seconds.
local FOREVER = 365 * 86400

local function seconds(value)
  if value == nil then return nil end
  if value < 0 then failure.usage("a timeout must be 0 (none) or more seconds") end
  return value == 0 and FOREVER or value
end

-- Whom to trust: the file, or the folder, of --ca-bundle. A wrong one is told also where nothing is
-- encrypted: it is a mistake.
local function tls_of(self)
  local path, verify = self.globals.ca_bundle, self.globals.verify_ssl
  if not path then return { verify = verify } end
  local file, message = self.world.open(path, "rb")
  if not file then failure.usage("--ca-bundle: " .. tostring(message)) end
  file:close() -- unread: a pipe, as <(…) of a shell is, gives its bytes once
  local folder = self.world.open(path .. "/.", "rb")
  if not folder then return { ca_file = path, verify = verify } end
  folder:close()
  return { ca_path = path, verify = verify }
end

local function options_of(self, service)
  local globals, world = self.globals, self.world
  local url = globals.endpoint_url
  if url and not url:find("^https?://[^/]") then
    failure.usage(("--endpoint-url must begin with http:// or https:// and name a host, not %q")
      :format(url))
  end
  local unsigned
  if globals.sign_request == false then unsigned = true end
  -- Invocations answer in a model's own form, perhaps as a stream: their text is left alone.
  local hooks = service == "sagemaker" and {
    after_response = function(response) self.body = response.body end,
  } or nil
  return {
    endpoint_url = url,
    hooks = hooks,
    io = world.io,
    logger = self.logger,
    profile = globals.profile,
    region = globals.region,
    timeouts = { connect = seconds(globals.cli_connect_timeout),
      read = seconds(globals.cli_read_timeout) },
    tls = tls_of(self),
    transport = world.transport,
    unsigned = unsigned,
    validation = globals.strict and "strict" or nil,
  }
end

-- Says on stderr what the library does.
local function debug_logger(self)
  return function(level, text)
    self.world.stderr:write(level, ": ", text, "\n")
  end
end

--- The client for a service, made when it is first asked for. Ends the command where it cannot be
--- made: no region, an unknown profile.
---@param service? "sagemaker"|"sagemaker-runtime"
---@return sagemaker.Client|sagemaker.Runtime
function methods:client(service)
  service = service or "sagemaker"
  local client = self.clients[service]
  if client then return client end
  self.logger = self.globals.debug and debug_logger(self) or nil
  local _, err
  client, _, err = self.world.new_client(options_of(self, service), service)
  if not client then failure.raise(err) end
  self.clients[service] = client
  return client
end

--- Where the client calls, once it has found that out.
---@return string|nil
function methods:url()
  local _, client = next(self.clients)
  local route = client and type(client.settings) == "table" and client.settings.route
  local endpoint = route and route.endpoint
  return endpoint and endpoint.origin .. (endpoint.path == "" and "/" or endpoint.path)
end

--- The client for invocations.
---@return sagemaker.Runtime
function methods:runtime()
  return self:client "sagemaker-runtime"
end

-- The properties of the profile in the shared files.
local function profile_of(self)
  if self.profile then return self.profile end
  local profiles = require "sagemaker.profiles"
  local client = next(self.clients) and self.clients[next(self.clients)]
  local io = client and client.settings and client.settings.io
    or require("sagemaker.env").new(self.world.io)
  local view, message = profiles.load(io)
  if not view then
    failure.raise(require("sagemaker.error").new { kind = "config", code = "InvalidConfigFile",
      message = message })
  end
  self.profile = view.profiles[profiles.name(io, self.globals.profile)] or {}
  return self.profile
end

local VARIABLES = { output = "AWS_DEFAULT_OUTPUT", cli_pager = "AWS_PAGER" }

--- What the configuration says of the command line: output, cli_pager, cli_binary_format,
--- cli_timestamp_format.
---@param name string
---@return string|nil value
---@return string|nil source where it stands, for messages
function methods:setting(name)
  local variable = VARIABLES[name]
  local value = variable and self.world.getenv(variable)
  if value and (value ~= "" or name == "cli_pager") then return value, variable end
  value = profile_of(self)[name]
  if type(value) ~= "string" then return nil end
  return value, name .. " of the profile"
end

-- The value of a setting that is one of a few words.
local function choice(self, name, choices, default)
  local value, source = self:setting(name)
  if value == nil or value == "" then return default end
  for _, known in ipairs(choices) do
    if value == known then return value end
  end
  failure.raise(require("sagemaker.error").new { kind = "config", code = "InvalidSetting",
    message = ("%s must be one of %s, not %q"):format(source, table.concat(choices, ", "),
      value:sub(1, 60)) })
end

--- The form of output: --output, AWS_DEFAULT_OUTPUT, the profile, else json.
---@return "json"|"text"|"table"|"yaml"|"yaml-stream"|"off"
function methods:format()
  if not self.form then
    self.form = self.globals.output or choice(self, "output",
      { "json", "text", "table", "yaml", "yaml-stream", "off" }, "json")
  end
  return self.form
end

--- How timestamps are printed: "iso8601", or "wire": as the service sends them.
---@return "iso8601"|"wire"
function methods:timestamps()
  local value = choice(self, "cli_timestamp_format", { "iso8601", "wire", "none" }, "iso8601")
  return value == "iso8601" and value or "wire"
end

--- How blobs are given: "base64" or "raw-in-base64-out".
---@return string
function methods:binary()
  return self.globals.cli_binary_format or choice(self, "cli_binary_format",
    { "base64", "raw-in-base64-out" }, "base64")
end

--- Whether output has colours: --color, else whether stdout is a terminal that knows them and
-- NO_COLOR is unset.
---@return boolean
function methods:colored()
  local color, world = self.globals.color, self.world
  if color == "on" or color == "off" then return color == "on" end
  return world.isatty("stdout") and world.getenv("TERM") ~= "dumb"
    and (world.getenv("NO_COLOR") or "") == ""
end

--- Prints a value by --query and --output.
---@param value any see sagemaker.cli.document
---@param title string for tables: "DescribeEndpoint"
function methods:print(value, title)
  require("sagemaker.cli.print").value(self, value, title)
end

--- Ends the command: the command line is wrong.
---@param message string
function methods.usage(_, message)
  failure.usage(message)
end

--- Ends the command with an error of the library, printed and coded by its kind.
---@param err sagemaker.Error
function methods.fail(_, err)
  failure.raise(err)
end

--- A context.
---@param world sagemaker.cli.World
---@param globals table<string, any>
---@return sagemaker.cli.Context
function M.new(world, globals)
  return setmetatable({ world = world, globals = globals, options = {}, clients = {},
    sink = world.stdout }, Context)
end

return M
