--- What a command sees of the world outside, in one table, so that specs run it without a process.

local M = {}

---@class sagemaker.cli.World
---@field stdout file* or anything with write and flush
---@field stderr file*
---@field stdin file*
---@field getenv fun(name: string): string|nil
---@field open fun(path: string, mode?: string): file*|nil, string?
---@field popen fun(command: string, mode?: string): file*|nil, string?
---@field isatty fun(stream: "stdin"|"stdout"|"stderr"): boolean
---@field columns fun(): integer|nil, integer|nil width and height of the terminal on stdout
---@field is_in_front fun(): boolean whether something can be drawn on the terminal on stdout: it is
---  not others', as in the background
---@field take fun(): boolean the same; it then shows no keys
---@field heed fun() from now on SIGTERM ends a command as Ctrl-C does
---@field terminated fun(): boolean whether it came
---@field continued fun(): boolean whether the process was stopped since this was asked
---@field offset fun(time: number): integer seconds by which the local time is ahead of UTC then
---@field new_client fun(options: sagemaker.Options, service: string):
---  sagemaker.Client|sagemaker.Runtime|nil, string?, sagemaker.Error? service: "sagemaker",
---  "sagemaker-runtime" or "cloudwatch"

local DESCRIPTORS = { stdin = 0, stdout = 1, stderr = 2 }

-- Seconds between the local time and UTC at a time, from the C library's time zone.
local function offset(time)
  time = math.floor(time)
  local utc = os.date("!*t", time)
  local here = os.date("*t", time)
  utc.isdst, here.isdst = false, false
  return os.difftime(os.time(here), os.time(utc))
end

--- A client of the library.
---@param options sagemaker.Options
---@param service "sagemaker"|"sagemaker-runtime"|"cloudwatch"
---@return sagemaker.Client|sagemaker.Runtime|nil
---@return string|nil message
---@return sagemaker.Error|nil err
function M.new_client(options, service)
  local client, message, err
  if service == "sagemaker-runtime" then
    client, message, err = require("sagemaker.runtime").new(options)
  elseif service == "cloudwatch" then
    client, message, err = require("sagemaker.client").new(options,
      { name = "cloudwatch", id = "CloudWatch" })
  else
    client, message, err = require("sagemaker.client").new(options)
  end
  return client, message, err
end

--- The real world.
---@return sagemaker.cli.World
function M.new()
  local terminal = require("sagemaker.core").terminal
  return {
    stdout = io.stdout,
    stderr = io.stderr,
    stdin = io.stdin,
    getenv = os.getenv,
    open = io.open,
    popen = io.popen,
    isatty = function(stream) return terminal.isatty(DESCRIPTORS[stream]) end,
    columns = function() return terminal.size(1) end,
    is_in_front = function() return terminal.is_in_front(1) end,
    take = function() return terminal.take(1) end,
    heed = terminal.heed,
    terminated = terminal.terminated,
    continued = terminal.continued,
    offset = offset,
    new_client = M.new_client,
  }
end

-- Lua looks for modules in the current folder too. There may lie anybody's, of a name that is asked
-- for here (cjson), and no part of the command.
local function away_from_here(path)
  local templates = {}
  for template in path:gmatch "[^;]+" do
    if not template:find "^%./%?" then templates[#templates + 1] = template end
  end
  return table.concat(templates, ";")
end

--- Runs the command of a process. The collector may be stopped until a command restarts it: a
-- command that makes one call and prints its answer ends before there is anything to gain.
---@param argv string[]
---@return integer exit code
function M.start(argv)
  package.path, package.cpath = away_from_here(package.path), away_from_here(package.cpath)
  require("sagemaker.core").terminal.hold()
  local world = M.new()
  if not world.isatty("stdout") then io.stdout:setvbuf("full") end
  return require("sagemaker.cli").run(argv, world)
end

return M
