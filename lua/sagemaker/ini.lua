--- The files `~/.aws/config` and `~/.aws/credentials`: text in, profiles and sections out.
--
-- The dialect is that of the AWS SDKs and tools reference guide,
-- https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html. Where the AWS CLI's own reader
-- (an INI library) differs, the guide wins, except that names in quotes and `name: value` are
-- understood too, because the CLI reads them.
--
-- * `[profile NAME]`, `[default]`, `[sso-session NAME]`, `[services NAME]` in the configuration
--   file, `[NAME]` in the credentials file. A section of another form is left out.
-- * Property names count in lower case; the last of several wins; repeated sections merge.
-- * ` #` and ` ;` start a comment after a value; a comment line starts with `#` or `;`.
-- * An indented line continues the value before it; after an empty value it is a nested property.

local M = {}

local NAME = "^[%w_%-/%.%%@:%+]+$"
local KINDS = { profile = "profiles", ["sso-session"] = "sso_sessions", services = "services" }

-- Linear in the length of s, whatever it holds: these files may have lines of any length.
local function trim(s)
  local first = s:match("^%s*()")
  local last = #s
  while last >= first and s:find("^%s", last) do last = last - 1 end
  return s:sub(first, last)
end

-- "NAME" with or without quotes, or nil when it is not a name.
local function section_name(text)
  local quoted = text:match('^"([^"]+)"$') or text:match("^'([^']+)'$")
  if quoted then return quoted end
  return text:match(NAME)
end

-- Which table of the result a section header means, and its name there; nil for one to leave out.
local function classify(header, is_credentials)
  if is_credentials then
    return "profiles", section_name(header)
  end
  if header == "default" then return "profiles", "default" end
  local word, rest = header:match("^(%S+)%s+(.+)$")
  local kind = word and KINDS[word]
  if not kind then return nil end
  return kind, section_name(rest)
end

local Reader = {}
Reader.__index = Reader

function Reader:fail(what)
  return nil, ("%s, line %d: %s"):format(self.source, self.line, what)
end

-- Ends a value that went over several lines. They are joined once, whatever their number.
function Reader:close()
  local lines = self.lines
  if lines then
    self.section[self.property] = table.concat(lines, "\n")
    self.lines = nil
  end
end

-- The `[…]` line. Properties that follow go to self.section, or nowhere when it is left out.
function Reader:header(line)
  local inside, rest = line:match("^%[([^%]]*)%](.*)$")
  if not inside then return self:fail("a section needs a closing ]") end
  rest = trim(rest)
  if rest ~= "" and not rest:find("^[#;]") then
    return self:fail("only a comment may follow the ] of a section")
  end
  inside = trim(inside)
  if self.is_credentials and inside:find("^sso%-session%s") then
    return self:fail("an sso-session belongs into the configuration file")
  end
  local kind, name = classify(inside, self.is_credentials)
  self:close()
  self.property, self.nested = nil, nil
  self.started = true
  self.section = nil
  if not name then return true end
  if kind == "profiles" and name == "default" and not self.is_credentials then
    local prefixed = inside ~= "default"
    if self.prefixed_default and not prefixed then return true end
    if prefixed and not self.prefixed_default then
      self.prefixed_default = true
      self.result.profiles.default = nil
    end
  end
  local sections = self.result[kind]
  sections[name] = sections[name] or {}
  self.section = sections[name]
  return true
end

-- Splits "name = value" (or "name: value" in a line without =) at its first delimiter.
local function split(line)
  local name, value = line:match("^([^=]*)=(.*)$")
  if not name then name, value = line:match("^([^:]*):(.*)$") end
  if not name then return nil end
  return trim(name), trim(value)
end

function Reader:define(line)
  if not self.started then return self:fail("expected a section before the first property") end
  local name, value = split(line)
  if not name then return self:fail("expected an '=' after a property name") end
  if name == "" then return self:fail("a property needs a name before its '='") end
  local comment = value:find("^[#;]") or value:find("%s[#;]")
  if comment then value = trim(value:sub(1, comment - 1)) end
  name = name:lower()
  self:close()
  self.nested = nil
  self.property = name
  self.ignored = not name:find(NAME)
  if self.section and not self.ignored then self.section[name] = value end
  self.empty = value == ""
  return true
end

-- An indented line: more of the value before it, or a nested property after an empty value.
function Reader:continue(line)
  if not self.property then
    return self:fail("expected a property definition, found an indented line")
  end
  local text = trim(line)
  local nested_name, nested_value
  if self.empty then
    nested_name, nested_value = split(text)
    if not text:find("=", 1, true) then
      return self:fail("expected an '=' sign in a nested property")
    end
    if nested_name == "" then return self:fail("a nested property needs a name before its '='") end
  end
  if not self.section or self.ignored then return true end
  if self.empty then
    if not self.nested then
      self.nested = {}
      self.section[self.property] = self.nested
    end
    self.nested[nested_name] = nested_value
  else
    self.lines = self.lines or { self.section[self.property] }
    self.lines[#self.lines + 1] = text
  end
  return true
end

function Reader:read(line)
  if not line:find("%S") then return true end
  if line:find("^[#;]") then return true end
  if line:find("^%s") then
    if line:find("^%s+%[") and not self.property then return self:header(trim(line)) end
    return self:continue(line)
  end
  if line:sub(1, 1) == "[" then return self:header(line) end
  return self:define(line)
end

--- Reads one file.
---@param text string the bytes of the file; CRLF and a UTF-8 byte order mark are fine
---@param source string what errors call it, usually its path
---@param is_credentials? boolean true for the credentials file, whose sections have no prefix
---@return {profiles: table, sso_sessions: table, services: table}|nil sections each a table of
---   name → properties; a value is a string, or a table of strings where it has nested properties
---@return string|nil message with the number of the line that is malformed
function M.parse(text, source, is_credentials)
  local reader = setmetatable({
    source = source,
    is_credentials = is_credentials,
    line = 0,
    result = { profiles = {}, sso_sessions = {}, services = {} },
  }, Reader)
  text = text:gsub("^\239\187\191", "")
  local zero = text:find("\0", 1, true)
  if zero then
    local _, before = text:sub(1, zero):gsub("\n", "")
    reader.line = before + 1
    return reader:fail("a NUL byte has no place in a configuration file")
  end
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    reader.line = reader.line + 1
    local ok, message = reader:read((line:gsub("\r$", "")))
    if not ok then return nil, message end
  end
  reader:close()
  return reader.result
end

return M
