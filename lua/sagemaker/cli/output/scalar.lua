--- The scalars of YAML: how each must be written so that it is read back as what it is.

local document = require "sagemaker.cli.document"

local M = {}

--- Characters that end a line in YAML.
M.BREAKS = { ["\r"] = true, ["\n"] = true, ["\194\133"] = true, ["\226\128\168"] = true,
  ["\226\128\169"] = true }

local BREAKS = M.BREAKS

--- An iterator over the characters of a text: where each starts, and its bytes.
---@param text string
---@return fun(): integer|nil, string
function M.characters(text)
  local at = 1
  return function()
    if at > #text then return nil end
    local start = at
    local character = text:match("^[%z\1-\127\192-\255][\128-\191]*", at) or text:sub(at, at)
    at = at + #character
    return start, character
  end
end

--- Whether a text has more than one line.
---@param text string
---@return boolean
function M.has_breaks(text)
  return text:find("[\r\n]") ~= nil or text:find("\194\133", 1, true) ~= nil
    or text:find("\226\128[\168\169]") ~= nil
end

-- Whether a character can stand as it is: no control character, no byte order mark, nothing beyond
-- the basic plane.
local function is_printable(character)
  if #character == 1 then return character:find("[\n\32-\126]") ~= nil end
  if #character == 2 then return character >= "\194\160" end
  if #character == 3 then
    return character ~= "\239\187\191" and character < "\239\191\190"
  end
  return false
end

-- What a plain text would be read as, by its first character.
local NUMBER = { "^[-+]?%d[%d_]*%.[%d_]*$", "^[-+]?%d[%d_]*%.[%d_]*[eE][-+]?%d+$",
  "^[-+]?%d[%d_]*[eE][-+]?%d+$", "^[-+]?%.[%d_]+$", "^[-+]?%.[%d_]+[eE][-+]%d+$",
  "^[-+]?0b[01_]+$", "^[-+]?0o?[0-7_]+$", "^[-+]?[%d_]+$", "^[-+]?0x[%x_]+$",
  "^%d%d%d%d%-%d%d%-%d%d$" }
local WORDS = { ["true"] = true, ["True"] = true, ["TRUE"] = true, ["false"] = true,
  ["False"] = true, ["FALSE"] = true, ["null"] = true, ["Null"] = true, ["NULL"] = true,
  ["~"] = true, [""] = true, ["<<"] = true, ["="] = true, [".inf"] = true, [".Inf"] = true,
  [".INF"] = true, ["+.inf"] = true, ["+.Inf"] = true, ["+.INF"] = true, ["-.inf"] = true,
  ["-.Inf"] = true, ["-.INF"] = true, [".nan"] = true, [".NaN"] = true, [".NAN"] = true }

local TIME = "^%d%d%d%d%-%d%d?%-%d%d?[Tt \t]%s*%d%d?:%d%d:%d%d()"

-- "2026-01-15T12:34:56.5 +01:00" and its like.
local function is_time(text)
  local at = text:match(TIME)
  if not at then return false end
  if text:find("^[Tt]%s", 9) then return false end
  local rest = text:sub(at):gsub("^%.%d*", "")
  return rest == "" or rest:find("^[ \t]*Z$") ~= nil or rest:find("^[ \t]*[-+]%d%d?$") ~= nil
    or rest:find("^[ \t]*[-+]%d%d?:%d%d$") ~= nil
end

-- Whether a plain text would be read as something else than a string.
local function is_misread(text)
  if WORDS[text] then return true end
  if not text:find("^[-+.%d]") then return false end
  for _, pattern in ipairs(NUMBER) do
    if text:find(pattern) then return true end
  end
  return is_time(text)
end

-- Whether the characters of a text mean something to YAML where they stand.
local function has_indicators(text)
  if text:find("^%-%-%-") or text:find("^%.%.%.") then return true end
  if text:find("^[#,%[%]{}&*!|>'\"%%@`]") then return true end
  for at, character in M.characters(text) do
    local after = text:sub(at + 1)
    local next_character = after:match("^[%z\1-\127\192-\255][\128-\191]*")
    local before_blank = not next_character or next_character == " " or next_character == "\t"
      or next_character == "\0" or BREAKS[next_character] or false
    if (character == ":" and before_blank)
      or (at == 1 and (character == "?" or character == "-") and before_blank) then
      return true
    end
    if character == "#" and at > 1 then
      local before = text:sub(1, at - 1)
      local previous = before:match("[%z\1-\127\192-\255][\128-\191]*$")
      if previous == " " or previous == "\t" or previous == "\0" or BREAKS[previous] then
        return true
      end
    end
  end
  return false
end

-- Whether only double quotes can hold a text: it has characters that need escapes, or spaces beside
-- breaks, which would be lost.
local function needs_escapes(text)
  local previous
  for _, character in M.characters(text) do
    if not is_printable(character) and not BREAKS[character] then return true end
    if character == "\r" or character == "\194\133" then return true end
    if character == " " and previous and BREAKS[previous] then return true end
    if BREAKS[character] and previous == " " then return true end
    previous = character
  end
  return false
end

--- The style in which a string is written: the name of the emitter's method.
---@param text string
---@param as_key boolean whether it is a key on a line with its value
---@return "plain"|"single_quoted"|"double_quoted"
function M.style(text, as_key)
  if text == "" then return "single_quoted" end
  if needs_escapes(text) or (as_key and M.has_breaks(text)) then return "double_quoted" end
  if M.has_breaks(text) or text:find("^ ") or text:find(" $") or is_misread(text)
    or has_indicators(text) then
    return "single_quoted"
  end
  return "plain"
end

local ESCAPES = { ["\0"] = "\\0", ["\7"] = "\\a", ["\8"] = "\\b", ["\9"] = "\\t", ["\n"] = "\\n",
  ["\11"] = "\\v", ["\12"] = "\\f", ["\r"] = "\\r", ["\27"] = "\\e", ['"'] = '\\"', ["\\"] = "\\\\",
  ["\194\133"] = "\\N", ["\226\128\168"] = "\\L", ["\226\128\169"] = "\\P" }

--- A character as it stands between double quotes.
---@param character string
---@return string
function M.escaped(character)
  if ESCAPES[character] then return ESCAPES[character] end
  if is_printable(character) then return character end
  local lead = character:byte(1)
  if lead < 128 then return ("\\x%02X"):format(lead) end
  local code = lead % (lead >= 240 and 8 or lead >= 224 and 16 or 32)
  for i = 2, #character do code = code * 64 + character:byte(i) % 64 end
  return (code < 256 and "\\x%02X" or code < 65536 and "\\u%04X" or "\\U%08X"):format(code)
end

local FLOATS = { inf = ".inf", ["-inf"] = "-.inf", nan = ".nan" }

--- The text of a scalar that is no string.
---@param value any
---@return string
function M.text(value)
  local kind = document.kind(value)
  if kind == "null" then return "null" end
  if kind == "boolean" then return tostring(value) end
  local text = document.number_text(value)
  return FLOATS[text] or text
end

return M
