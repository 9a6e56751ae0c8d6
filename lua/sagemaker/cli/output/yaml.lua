--- YAML in block style, as the AWS CLI prints it (by libyaml): keys in the order of their bytes,
-- lines folded after 80 columns, quotes only where a plain text would be read as something else
-- (YAML 1.2). A list or an object that is there twice is written once, with an anchor.
-- https://yaml.org/spec/1.2.2/

local document = require "sagemaker.cli.document"
local json = require "sagemaker.cli.json"
local scalar = require "sagemaker.cli.output.scalar"

local M = {}

local kind = document.kind

local BEST_WIDTH, INDENT = 80, 2
local MAX_SIMPLE_KEY = 128 -- bytes; a longer key stands after a "?"

---@class sagemaker.cli.output.Emitter
---@field column integer characters written in the line
---@field is_blank boolean whether whitespace was written last
---@field is_indention boolean whether the line has nothing yet but indentation and indicators
local Emitter = {}
Emitter.__index = Emitter

function Emitter:put(text)
  self.parts[#self.parts + 1] = text
  local _, characters = text:gsub("[^\128-\191]", "")
  self.column = self.column + characters
end

function Emitter:line_break(text)
  self.parts[#self.parts + 1] = text or "\n"
  self.column = 0
end

function Emitter:indent(indent)
  if not self.is_indention or self.column > indent
    or (self.column == indent and not self.is_blank) then
    self:line_break()
  end
  if self.column < indent then self:put((" "):rep(indent - self.column)) end
  self.is_blank, self.is_indention = true, true
end

-- A dash, a colon, a quote or the like; `blank`: with a space before it unless there is one;
-- `opens`: what follows in the line stands as if the line began there.
function Emitter:indicator(text, blank, opens)
  if blank and not self.is_blank then self:put(" ") end
  self:put(text)
  self.is_blank = false
  self.is_indention = self.is_indention and opens
end

-- Where a line may be folded: at a single space that is neither the first nor the last character.
local function folds(self, text, at, foldable)
  return foldable and self.column > BEST_WIDTH and at > 1 and at < #text
end

function Emitter:plain(text, indent, foldable)
  if not self.is_blank and text ~= "" then self:put(" ") end
  local spaces = false
  for at, character in scalar.characters(text) do
    if character == " " then
      if folds(self, text, at, foldable) and not spaces and text:sub(at + 1, at + 1) ~= " " then
        self:indent(indent)
      else
        self:put(character)
      end
      spaces = true
    else
      self:put(character)
      self.is_indention, spaces = false, false
    end
  end
  self.is_blank, self.is_indention = false, false
end

function Emitter:single_quoted(text, indent, foldable)
  self:indicator("'", true, false)
  local spaces, breaks = false, false
  for at, character in scalar.characters(text) do
    if character == " " then
      if folds(self, text, at, foldable) and not spaces and text:sub(at + 1, at + 1) ~= " " then
        self:indent(indent)
      else
        self:put(character)
      end
      spaces = true
    elseif scalar.BREAKS[character] then
      if not breaks and character == "\n" then self:line_break() end
      self:line_break(character)
      self.is_indention, breaks = true, true
    else
      if breaks then self:indent(indent) end
      self:put(character == "'" and "''" or character)
      self.is_indention, spaces, breaks = false, false, false
    end
  end
  if breaks then self:indent(indent) end
  self:indicator("'", false, false)
  self.is_blank, self.is_indention = false, false
end

function Emitter:double_quoted(text, indent, foldable)
  self:indicator('"', true, false)
  local spaces = false
  for at, character in scalar.characters(text) do
    if character == " " then
      if folds(self, text, at, foldable) and not spaces then
        self:indent(indent)
        if text:sub(at + 1, at + 1) == " " then self:put("\\") end
      else
        self:put(character)
      end
      spaces = true
    else
      self:put(scalar.escaped(character))
      spaces = false
    end
  end
  self:indicator('"', false, false)
  self.is_blank, self.is_indention = false, false
end

-- A string; `as_key` in a line of its own kind, which is never folded.
function Emitter:string(text, indent, as_key)
  local style = scalar.style(text, as_key)
  self[style](self, text, indent + INDENT, not as_key)
end

function Emitter:scalar(value, indent, as_key)
  if type(value) == "string" then return self:string(value, indent, as_key) end
  self:plain(scalar.text(value), indent + INDENT, false)
end

-- Writes the anchor of a value that comes more than once; true when it was written already.
function Emitter:reference(value)
  local count = self.counts[value]
  if count < 2 then return false end
  local name = self.anchors[value]
  if name then
    self:indicator("*" .. name, true, false)
    return true
  end
  self.anchor_count = self.anchor_count + 1
  name = ("id%03d"):format(self.anchor_count)
  self.anchors[value] = name
  self:indicator("&" .. name, true, false)
  return false
end

function Emitter:list(list, indent)
  for i = 1, #list do
    self:indent(indent)
    self:indicator("-", true, true)
    self:node(list[i], indent, false)
  end
end

function Emitter:object(object, indent)
  for _, key in ipairs(document.sorted_keys(object)) do
    self:indent(indent)
    if #key <= MAX_SIMPLE_KEY and not scalar.has_breaks(key) then
      self:string(key, indent, true)
      self:indicator(":", false, false)
    else
      self:indicator("?", true, true)
      self:string(key, indent, false)
      self:indent(indent)
      self:indicator(":", true, true)
    end
    self:node(object[key], indent, true)
  end
end

-- A value. In an object a list stands at the indentation of its key, unless something that opens a
-- line stands before it.
function Emitter:node(value, indent, in_object)
  local is = kind(value)
  if is ~= "list" and is ~= "object" then return self:scalar(value, indent, false) end
  if self:reference(value) then return end
  if next(value) == nil then
    self:indicator(is == "list" and "[]" or "{}", true, false)
  elseif is == "object" then
    self:object(value, indent + INDENT)
  else
    self:list(value, in_object and not self.is_indention and indent or indent + INDENT)
  end
end

-- How often each list and object is reached.
local function count(value, counts)
  local is = kind(value)
  if is ~= "list" and is ~= "object" then return counts end
  counts[value] = (counts[value] or 0) + 1
  if counts[value] > 1 then return counts end
  if is == "list" then
    for i = 1, #value do count(value[i], counts) end
  else
    for _, item in pairs(value) do count(item, counts) end
  end
  return counts
end

--- A value as YAML.
---@param value any a document
---@return string
function M.encode(value)
  if document.is_scalar(value) then return json.encode(value) .. "\n" end
  local emitter = setmetatable({ parts = {}, column = 0, is_blank = true, is_indention = true,
    counts = count(value, {}), anchors = {}, anchor_count = 0 }, Emitter)
  emitter:node(value, -INDENT, false)
  return table.concat(emitter.parts) .. "\n"
end

--- Prints a value.
---@param value any a document
---@param _ table
---@param out fun(text: string)
function M.write(value, _, out)
  out(M.encode(value))
end

return M
