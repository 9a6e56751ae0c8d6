--- Shorthand syntax: `Key=a,Value=b`, `Name={A=1,B=[x,y]}`, `Key@=file://path`.
--- https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html
--
--     parameter = pair *("," pair)          pair  = key ["@"] "=" [values]
--     values    = list / object / csv       csv   = value *("," value)
--     list      = "[" [item *("," item)] "]"      object = "{" [pair *("," pair)] "}"
--     value     = 'quoted' / "quoted" / word      item   = list / object / value
--
-- One empty place between two commas is passed over where a key follows.
--
-- A csv list ends where a word is followed by "=": that word is the next key. After "@=" a value
-- that names a file stands for its contents. Everything is a string, a list or an object; the model
-- says what it is meant to be.

local M = {}

-- Bytes that a word may not hold: the first of it, those that follow, and those of a later word of
-- a csv list, which may hold no "=" because that would be the next key.
local FIRST = "[^%s%c\"',=%[{]"
local FOLLOW = "^[^\"',%]}]+()"
local LATER = "^[^\"',=]+()"

local Parser = {}
Parser.__index = Parser

local function expected(self, what, found)
  local line = 1
  local start = 1
  for stop in self.text:gmatch("()\n") do
    if stop >= self.at then break end
    line, start = line + 1, stop + 1
  end
  local shown = self.text:sub(start):match("^[^\n]*")
  error({ shorthand = ("expected %s, found %s at column %d%s\n%s\n%s^"):format(what, found
    or self.at > #self.text and "the end" or "'" .. self.text:sub(self.at, self.at) .. "'",
    self.at - start + 1, line > 1 and " of line " .. line or "", shown,
    (" "):rep(self.at - start)) }, 0)
end

function Parser:peek()
  return self.text:sub(self.at, self.at)
end

function Parser:skip()
  self.at = self.text:match("^%s*()", self.at)
end

-- Passes over `char`, with the white space around it where `loose`.
function Parser:expect(char, loose)
  if loose then self:skip() end
  if self:peek() ~= char then expected(self, "'" .. char .. "'") end
  self.at = self.at + 1
  if loose then self:skip() end
end

-- Where a quoted text ends whose opening quote is at `from`. A backslash escapes itself and the
-- quote, and is itself before anything else. Where every quote is escaped the last one closes, as
-- in 'C:\dir\', whatever stands before it.
local function closing(text, quote, from)
  local at, last = from + 1, nil
  while true do
    local stop = text:find("[\\" .. quote .. "]", at)
    if not stop then return last end
    if text:sub(stop, stop) == quote then return stop end
    at = stop + 1
    if text:find("^[\\" .. quote .. "]", at) then
      if text:sub(at, at) == quote then last = at end
      at = at + 1
    end
  end
end

function Parser:quoted(quote)
  local stop = closing(self.text, quote, self.at)
  if not stop then expected(self, ("a closing %s"):format(quote), "the end") end
  local inner = self.text:sub(self.at + 1, stop - 1)
  self.at = stop + 1
  return (inner:gsub("\\([\\" .. quote .. "])", "%1"))
end

-- A word without quotes: what `pattern` lets follow, and "\," for a comma. "" where there is none.
function Parser:word(pattern)
  local text, from = self.text, self.at
  if text:find("^\\,", from) then
    self.at = from + 2
  elseif text:find("^" .. FIRST, from) then
    self.at = from + 1
  else
    return ""
  end
  while true do
    local stop = text:match(pattern, self.at)
    if stop then self.at = stop end
    if text:find("^,", self.at) and text:sub(self.at - 1, self.at - 1) == "\\" then
      self.at = self.at + 1
    elseif not stop then
      break
    end
  end
  return (text:sub(from, self.at - 1):gsub("\\,", ","):gsub("%s+$", ""))
end

-- The contents of a file where the key said so.
function Parser:resolve(value)
  if self.is_file and self.load then
    local contents = self.load(value)
    if contents ~= nil then return contents end
  end
  return value
end

function Parser:value()
  local char = self:peek()
  if char == "'" or char == '"' then return self:resolve(self:quoted(char)) end
  return self:resolve(self:word(FOLLOW))
end

-- A value of a csv list after the first one; nil where what follows is the next key.
function Parser:later()
  local char, start = self:peek(), self.at
  local value
  if char == "'" or char == '"' then
    value = self:quoted(char)
  else
    value = self:word(LATER)
    if self.at == start then
      if start > #self.text then expected(self, "a value after ','") end
      return nil
    end
  end
  self:skip()
  if self.at <= #self.text and self:peek() ~= "," then return nil end
  return self:resolve(value)
end

function Parser:csv()
  local first, list = self:value(), nil
  self:skip()
  while self.at <= #self.text and self:peek() == "," do
    local comma = self.at
    self.at = comma + 1
    self:skip()
    local place = self.at
    local value = self:later()
    if value == nil then -- a key follows, perhaps after a second comma
      self.at = self.text:find("^,", place) and place or comma
      break
    end
    list = list or { first }
    list[#list + 1] = value
  end
  return list or first
end

function Parser:item(depth)
  if depth > 100 then expected(self, "at most 100 levels") end
  local char = self:peek()
  if char == "[" then return self:list(depth) end
  if char == "{" then return self:object(depth) end
  return self:value()
end

function Parser:list(depth)
  local items, n = {}, 0
  self:expect("[", true)
  while self:peek() ~= "]" do
    n = n + 1
    items[n] = self:item(depth + 1)
    self:skip()
    if self:peek() ~= "]" then
      self:expect(",")
      self:skip()
    end
  end
  self.at = self.at + 1
  return require("sagemaker.cli.document").list(items)
end

function Parser:key()
  local start = self.at
  local key, stop = self.text:match("^([%w%-_.#/:]*)()", start)
  self.at = stop
  self:skip()
  self.is_file = self:peek() == "@"
  if self.is_file then self.at = self.at + 1 end
  self:expect("=", true)
  return key, start
end

function Parser:object(depth)
  local fields = {}
  self:expect("{", true)
  while self:peek() ~= "}" do
    local key = self:key()
    fields[key] = self:item(depth + 1)
    self:skip()
    if self:peek() ~= "}" then
      self:expect(",")
      self:skip()
    end
  end
  self.at = self.at + 1
  return require("sagemaker.cli.document").object(fields)
end

function Parser:values()
  local char = self:peek()
  if char == "[" or char == "{" then return self:item(1) end
  if char == "" then return "" end
  return self:csv()
end

function Parser:parameter()
  local fields = {}
  repeat
    local key, start = self:key()
    if fields[key] ~= nil then
      self.at = start
      expected(self, "another key (values of a list are separated by spaces)",
        ("a second %q"):format(key))
    end
    fields[key] = self:values()
    local more = self.at <= #self.text
    if more then self:expect(",", true) end
  until not more
  return require("sagemaker.cli.document").object(fields)
end

--- What a text in shorthand says.
---@param text string
---@param load? fun(word: string): any the contents of a file:// or fileb:// value, nil for others
---@return table|nil fields
---@return string|nil message what was expected, with the line and a mark below the place
function M.parse(text, load)
  local parser = setmetatable({ text = text, at = 1, load = load }, Parser)
  local ok, result = pcall(parser.parameter, parser)
  if ok then return result end
  if type(result) == "table" and result.shorthand then return nil, result.shorthand end
  error(result, 0)
end

return M
