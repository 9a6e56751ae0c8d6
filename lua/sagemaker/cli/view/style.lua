--- What a terminal can show: colours, characters beyond ASCII, how wide it is, whether what was
-- written can be written over.

local M = {}

---@class sagemaker.cli.Style
---@field columns integer
---@field has_colour boolean
---@field is_live boolean what was written can be written over
---@field reflows boolean lines that become too long for a narrower terminal are broken anew
---@field glyphs table<string, string>
local Style = {}
Style.__index = Style
Style.__name = "sagemaker.cli.style"

local UNICODE = {
  arrow = "→", done = "✓", ellipsis = "…", now = "▸",
  bar = "█", empty = "·", parts = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" },
  old = "░", new = "█", axis = "│", corner = "└", line = "─", tick = "┴",
}
local ASCII = {
  arrow = "->", done = "*", ellipsis = "...", now = ">",
  bar = "#", empty = ".", parts = {},
  old = ".", new = "#", axis = "|", corner = "+", line = "-", tick = "+",
}

-- The eight colours that every palette has, and bold and faint.
local COLOURS = { bad = "31", bold = "1", dim = "2", good = "32", new = "32", now = "36",
  old = "34", warn = "33" }

--- A text in a colour, where there are colours.
---@param colour "bad"|"bold"|"dim"|"good"|"new"|"now"|"old"|"warn"
---@param text string
---@return string
function Style:paint(colour, text)
  if not self.has_colour or text == "" then return text end
  return ("\27[%sm%s\27[0m"):format(COLOURS[colour], text)
end

--- A bar.
---@param share number 0 to 1
---@param columns integer
---@param colour string
---@return string
function Style:bar(share, columns, colour)
  local glyphs = self.glyphs
  local units = #glyphs.parts + 1
  local filled = math.floor(math.max(0, math.min(1, share)) * columns * units + 0.5)
  local whole = math.floor(filled / units)
  local rest = glyphs.parts[filled % units] or ""
  local empty = columns - whole - (rest == "" and 0 or 1)
  return self:paint(colour, glyphs.bar:rep(whole) .. rest)
    .. self:paint("dim", glyphs.empty:rep(empty))
end

--- A style with these abilities.
---@param abilities {columns?: integer, colour?: boolean, live?: boolean, reflows?: boolean,
---  unicode?: boolean}
---@return sagemaker.cli.Style
function M.new(abilities)
  return setmetatable({
    columns = math.max(20, abilities.columns or 80),
    has_colour = abilities.colour or false,
    is_live = abilities.live or false,
    reflows = abilities.reflows ~= false,
    glyphs = abilities.unicode and UNICODE or ASCII,
  }, Style)
end

local function variable(world, name)
  local value = world.getenv(name)
  return value ~= "" and value or nil
end

--- Whether the locale's characters are UTF-8, by the variables in the order of POSIX.
---@param world {getenv: fun(name: string): string|nil}
---@return boolean
function M.is_utf8(world)
  local locale = variable(world, "LC_ALL") or variable(world, "LC_CTYPE") or variable(world, "LANG")
  return locale ~= nil and locale:lower():find("utf%-?8") ~= nil
end

-- How wide a stream is: a terminal knows it itself; what is piped is as wide as COLUMNS says.
local function columns_of(world, stream, is_terminal)
  local columns = is_terminal and world.columns(stream)
  return columns or tonumber(variable(world, "COLUMNS") or "80", 10) or 80
end

-- Most terminals break long lines anew when they become narrower, tmux among them. These cut them.
local function reflows(world)
  if variable(world, "TMUX") then return true end
  local term = variable(world, "TERM") or ""
  return not (variable(world, "XTERM_VERSION") or term == "linux" or term:find "^st%f[^%w]"
    or term:find "^screen")
end

--- The style of a stream.
---@param world table getenv, isatty, columns
---@param stream "stdout"|"stderr"
---@param colour? "on"|"off"|"auto" NO_COLOR turns "auto" off (https://no-color.org)
---@return sagemaker.cli.Style
function M.of(world, stream, colour)
  local is_terminal = world.isatty(stream) and true or false
  local is_capable = is_terminal and variable(world, "TERM") ~= "dumb"
  local has_colour = colour == "on"
    or colour ~= "off" and is_capable and not variable(world, "NO_COLOR")
  return M.new {
    colour = has_colour, columns = columns_of(world, stream, is_terminal),
    live = is_capable, reflows = reflows(world), unicode = M.is_utf8(world),
  }
end

return M
