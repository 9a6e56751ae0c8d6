--- Runs the command in a world of its own: an environment, files and a terminal that are tables,
-- and a transport with answers written down beforehand. No process, no disk, no network.

local cli = require "sagemaker.cli"
local stub = require "sagemaker.transport.stub"
local world_module = require "sagemaker.cli.world"

local M = {}

local KEYS = { AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = "example-key",
  AWS_REGION = "us-west-2", AWS_EC2_METADATA_DISABLED = "true" }

-- A file in memory. What is written lands in `files` when it is closed or flushed.
local File = {}
File.__index = File

function File:read(what)
  if type(what) == "number" then
    if self.at > #self.text then return nil end
    local chunk = self.text:sub(self.at, self.at + what - 1)
    self.at = self.at + #chunk
    return chunk
  end
  local rest = self.text:sub(self.at)
  self.at = #self.text + 1
  return rest
end

function File:write(...)
  for i = 1, select("#", ...) do
    local piece = select(i, ...)
    if self.broken then return nil, self.broken end
    self.text = self.text .. piece
  end
  return self
end

function File:flush()
  if self.files then self.files[self.path] = self.text end
  if self.broken then return nil, self.broken end
  return self
end

File.close = File.flush

local function file(text, files, path)
  return setmetatable({ at = 1, files = files, path = path, text = text or "" }, File)
end

local function opener(files)
  return function(path, mode)
    if mode and mode:find "w" then
      local folder = path:match("^(.*)/[^/]*$")
      if folder and folder ~= "" and not files[folder .. "/"] then
        return nil, path .. ": No such file or directory", 2
      end
      return file("", files, path)
    end
    local text = files[path]
    if text == false then return nil, path .. ": Permission denied", 13 end
    if not text then return nil, path .. ": No such file or directory", 2 end
    return file(text)
  end
end

---@class spec.Command
---@field env? table<string, string> instead of a region and keys
---@field also? table<string, string> besides those
---@field files? table<string, string|false> by path; false may not be read
---@field answers? table[]|fun the script of sagemaker.transport.stub
---@field transport? sagemaker.Transport instead of the stub: a simulator, with an empty `env`
---@field stdin? string
---@field behind? boolean the command begins in the background
---@field take? fun(): boolean whether the terminal is the command's
---@field continued? fun(): boolean whether the command was stopped
---@field terminated? boolean what interrupts is SIGTERM
---@field tty? boolean|"all" stdout is a terminal; stdin and stderr as well
---@field columns? integer
---@field size? fun(): integer, integer columns and rows, instead
---@field stdout? table a file that replaces the one in memory

--- Runs a command line.
---@param argv string[]
---@param opts? spec.Command
---@return {code: integer, out: string, err: string, requests: table[], sleeps: number[],
---  files: table<string, string>}
function M.run(argv, opts)
  opts = opts or {}
  local env, files = {}, {}
  for name, text in pairs(opts.env or KEYS) do env[name] = text end
  for name, text in pairs(opts.also or {}) do env[name] = text end
  for path, text in pairs(opts.files or {}) do files[path] = text end
  local transport = opts.transport or stub.new(opts.answers or {}, { now = 1768480496 })
  local open = opener(files)
  local function getenv(name) return env[name] end
  local stdout, stderr = opts.stdout or file(), file()
  local code = cli.run(argv, {
    stdout = stdout,
    stderr = stderr,
    stdin = file(opts.stdin),
    getenv = getenv,
    open = open,
    popen = opts.popen,
    isatty = function(stream)
      return opts.tty == "all" or stream == "stdout" and opts.tty or false
    end,
    columns = opts.size or function() return opts.columns end,
    heed = function() end,
    is_in_front = function() return not opts.behind end,
    take = opts.take or function() return true end,
    continued = opts.continued or function() return false end,
    terminated = function() return opts.terminated or false end,
    offset = function() return opts.offset or 0 end,
    new_client = world_module.new_client,
    io = { getenv = getenv, open = open, popen = opts.popen or function() return nil end,
      random = function() return 0.5 end },
    transport = transport,
  })
  return { code = code, out = stdout.text, err = stderr.text, requests = transport.requests,
    sleeps = transport.sleeps, files = files }
end

--- An answer with a body of JSON.
---@param body string
---@param status? integer
---@return table
function M.answer(body, status)
  return { status = status, body = body, headers = { ["Content-Type"] =
    "application/x-amz-json-1.1" } }
end

return M
