--- Values that stand in files: file:// for text, fileb:// for bytes.

local failure = require "sagemaker.cli.failure"

local M = {}

---@class sagemaker.cli.Bytes the contents of a fileb:// value: nothing is decoded in them
---@field bytes string

local Bytes = { __name = "sagemaker.cli.bytes" }

--- Whether a value is the contents of a fileb:// file.
---@param value any
---@return boolean
function M.is_bytes(value)
  return getmetatable(value) == Bytes
end

--- Marks bytes as such.
---@param bytes string
---@return sagemaker.cli.Bytes
function M.bytes(bytes)
  return setmetatable({ bytes = bytes }, Bytes)
end

-- $NAME and ${NAME}, then a leading ~, as a shell would.
local function expand(world, path)
  local function variable(name)
    return world.getenv(name)
  end
  path = path:gsub("%$(%a[%w_]*)", variable):gsub("%${(%a[%w_]*)}", variable)
  if path == "~" or path:sub(1, 2) == "~/" then
    local home = world.getenv "HOME"
    if home and home ~= "" then path = home .. path:sub(2) end
  end
  return path
end

local function read(world, name, path, whole)
  local file, message = world.open(expand(world, path), "rb")
  local text
  if file then
    text, message = file:read("*a")
    file:close()
  end
  if not text then
    failure.usage(("%s: cannot read %s: %s"):format(name, whole, tostring(message)))
  end
  return text
end

--- The contents of the file that a value names, or nil where it names none.
---@param world sagemaker.cli.World
---@param name string what is given so, for messages: "--tags"
---@param word string
---@return string|sagemaker.cli.Bytes|nil
function M.load(world, name, word)
  if word:sub(1, 4) ~= "file" then return nil end
  local path = word:match("^fileb://(.*)$")
  if path then return M.bytes(read(world, name, path, word)) end
  path = word:match("^file://(.*)$")
  if not path then return nil end
  local text = read(world, name, path, word)
  if not require("sagemaker.core").text.utf8_valid(text) then
    failure.usage(("%s: %s is not UTF-8 text; bytes are given with fileb://"):format(name, word))
  end
  return text
end

return M
