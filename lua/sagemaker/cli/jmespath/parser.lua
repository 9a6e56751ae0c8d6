--- An expression to a tree of nodes, by top-down operator precedence.
-- https://jmespath.org/specification.html#grammar
--
-- A node is a table with its `type`; what else it holds, the interpreter's functions of the same
-- name say.

local lexer = require "sagemaker.cli.jmespath.lexer"

local M = {}

local fail = lexer.fail

-- Far beyond what anybody writes, and far from what a Lua stack holds.
local MAX_DEPTH = 400
local MAX_ARGUMENTS = 200

-- How tightly a token binds what stands on its left; those that are not named do not bind.
local POWER = { ["|"] = 1, ["||"] = 2, ["&&"] = 3, ["=="] = 5, ["!="] = 5, ["<"] = 5, ["<="] = 5,
  [">"] = 5, [">="] = 5, ["[]"] = 9, ["*"] = 20, ["[?"] = 21, ["."] = 40, ["!"] = 45, ["{"] = 50,
  ["["] = 55, ["("] = 60 }

-- What binds less than this ends a projection: the rest sees the projected list as a whole.
local ENDS_PROJECTION = 10

local IDENTITY = { type = "identity", depth = 1 }

---@class sagemaker.cli.jmespath.Parser
---@field tokens sagemaker.cli.jmespath.Token[]
---@field at integer
---@field depth integer
local Parser = {}
Parser.__index = Parser

local function name_of(token)
  if token.type == "end" then return "the end" end
  if token.type == "literal" then return "a literal" end
  return tostring(token.value)
end

function Parser:peek(ahead)
  return self.tokens[math.min(self.at + (ahead or 0), #self.tokens)]
end

function Parser:next()
  local token = self:peek()
  self.at = self.at + 1
  return token
end

function Parser:is(kind, ahead)
  return self:peek(ahead).type == kind
end

function Parser:expect(kind, what)
  local token = self:next()
  if token.type ~= kind then
    fail(token.at, ("expected %s, found %s"):format(what or kind, name_of(token)))
  end
  return token
end

local function unexpected(token)
  fail(token.at, "unexpected " .. name_of(token))
end

-- A node over others, which bounds how deep the tree gets.
function Parser:node(kind, fields, children)
  local depth = 0
  for _, child in ipairs(children or {}) do depth = math.max(depth, child.depth) end
  if depth >= MAX_DEPTH then
    fail(self:peek().at, ("nested deeper than %d levels"):format(MAX_DEPTH))
  end
  fields.type, fields.depth = kind, depth + 1
  return fields
end

local prefix, infix = {}, {}

function Parser:expression(power)
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then
    fail(self:peek().at, ("nested deeper than %d levels"):format(MAX_DEPTH))
  end
  local token = self:next()
  local start = prefix[token.type]
  if not start then
    fail(token.at, token.type == "end" and "the expression ends too early"
      or "unexpected " .. name_of(token))
  end
  local left = start(self, token)
  while power < (POWER[self:peek().type] or 0) do
    token = self:next()
    local continue = infix[token.type]
    if not continue then unexpected(token) end
    left = continue(self, left, token)
  end
  self.depth = self.depth - 1
  return left
end

-- What may follow a dot.
function Parser:after_dot(power)
  local token = self:peek()
  if token.type == "name" or token.type == "quoted" or token.type == "*" then
    return self:expression(power)
  elseif token.type == "[" then
    self:next()
    return self:multi_list()
  elseif token.type == "{" then
    self:next()
    return self:multi_hash()
  end
  fail(token.at, ("expected a name, *, [ or { after the dot, found %s"):format(name_of(token)))
end

-- What a projection applies to each of its elements.
function Parser:projected(power)
  local token = self:peek()
  if (POWER[token.type] or 0) < ENDS_PROJECTION then return IDENTITY end
  if token.type == "[" or token.type == "[?" then return self:expression(power) end
  if token.type ~= "." then unexpected(token) end
  self:next()
  return self:after_dot(power)
end

function Parser:projection(kind, left, power, fields)
  local right = self:projected(power)
  fields = fields or {}
  fields.left, fields.right = left, right
  return self:node(kind, fields, { left, right, fields.condition })
end

function Parser:multi_list()
  local items = {}
  repeat
    items[#items + 1] = self:expression(0)
    local token = self:next()
    if token.type ~= "," and token.type ~= "]" then
      fail(token.at, "expected , or ], found " .. name_of(token))
    end
  until token.type == "]"
  return self:node("multi_list", { items = items }, items)
end

function Parser:multi_hash()
  local fields, values = {}, {}
  repeat
    local key = self:next()
    if key.type ~= "name" and key.type ~= "quoted" then
      fail(key.at, "expected a name for a value, found " .. name_of(key))
    end
    self:expect(":", ": after " .. key.value)
    values[#values + 1] = self:expression(0)
    fields[#fields + 1] = { key = key.value, value = values[#values] }
    local token = self:next()
    if token.type ~= "," and token.type ~= "}" then
      fail(token.at, "expected , or }, found " .. name_of(token))
    end
  until token.type == "}"
  return self:node("multi_hash", { fields = fields }, values)
end

-- The parts of a slice; the bracket is behind us.
function Parser:slice(left)
  local parts, i = {}, 1
  while not self:is "]" do
    local token = self:next()
    if token.type == ":" and i < 3 then
      i = i + 1
    elseif token.type == "number" and parts[i] == nil then
      parts[i] = token.value
    else
      fail(token.at, "a slice is [start:stop:step], found " .. name_of(token))
    end
  end
  if parts[3] == 0 then
    error({ kind = "invalid-value", at = self:peek().at, message = "the step of a slice is 0" }, 0)
  end
  self:next()
  local node = self:node("slice", { left = left, start = parts[1], stop = parts[2],
    step = parts[3] or 1 }, { left })
  return self:projection("projection", node, POWER["*"])
end

-- `[n]` or a slice; nil when it is neither.
function Parser:subscript(left)
  if self:is ":" or (self:is "number" and self:is(":", 1)) then return self:slice(left) end
  if not self:is "number" then return nil end
  local index = self:next().value
  self:expect "]"
  return self:node("index", { left = left, index = index }, { left })
end

function Parser:star_list(left)
  self:next()
  self:expect "]"
  return self:projection("projection", left, POWER["*"])
end

prefix["literal"] = function(self, token)
  return self:node("literal", { value = token.value })
end

prefix["name"] = function(self, token)
  return self:node("field", { name = token.value, at = token.at, is_plain = true })
end

prefix["quoted"] = function(self, token)
  return self:node("field", { name = token.value, at = token.at })
end

prefix["@"] = function()
  return IDENTITY
end

prefix["*"] = function(self)
  return self:projection("values", IDENTITY, POWER["*"])
end

prefix["[]"] = function(self)
  return infix["[]"](self, IDENTITY)
end

prefix["[?"] = function(self)
  return infix["[?"](self, IDENTITY)
end

prefix["["] = function(self)
  if self:is "*" and self:is("]", 1) then return self:star_list(IDENTITY) end
  return self:subscript(IDENTITY) or self:multi_list()
end

prefix["{"] = function(self)
  return self:multi_hash()
end

prefix["("] = function(self)
  local inner = self:expression(0)
  self:expect(")", ") for the ( before")
  return inner
end

prefix["!"] = function(self)
  local inner = self:expression(POWER["!"])
  return self:node("not_", { inner = inner }, { inner })
end

infix["."] = function(self, left)
  if self:is "*" then
    self:next()
    return self:projection("values", left, POWER["."])
  end
  local right = self:after_dot(POWER["."])
  return self:node("chain", { left = left, right = right }, { left, right })
end

infix["["] = function(self, left)
  if self:is "*" then return self:star_list(left) end
  local node = self:subscript(left)
  if not node then
    local token = self:peek()
    fail(token.at, ("expected a number, : or * in the brackets, found %s"):format(name_of(token)))
  end
  return node
end

infix["[]"] = function(self, left)
  local flat = self:node("flatten", { left = left }, { left })
  return self:projection("projection", flat, POWER["[]"])
end

infix["[?"] = function(self, left)
  local condition = self:expression(0)
  self:expect("]", "] after the condition")
  return self:projection("filter", left, POWER["[?"], { condition = condition })
end

-- An argument may be `&expression`, which is handed over unevaluated.
function Parser:argument()
  if not self:is "&" then return self:expression(0) end
  self:next()
  local inner = self:expression(0)
  return self:node("reference", { inner = inner }, { inner })
end

infix["("] = function(self, left, token)
  if left.type ~= "field" or not left.is_plain or self.tokens[self.at - 2].at ~= left.at then
    fail(token.at, "only a plain name can be called as a function")
  end
  local arguments = {}
  if self:is ")" then
    self:next()
    return self:node("call", { name = left.name, at = left.at, arguments = arguments })
  end
  repeat
    if #arguments == MAX_ARGUMENTS then
      fail(self:peek().at, ("more than %d arguments"):format(MAX_ARGUMENTS))
    end
    arguments[#arguments + 1] = self:argument()
    local after = self:next()
    if after.type ~= "," and after.type ~= ")" then
      fail(after.at, "expected , or ), found " .. name_of(after))
    end
  until after.type == ")"
  return self:node("call", { name = left.name, at = left.at, arguments = arguments },
    arguments)
end

local function binary(kind)
  return function(self, left, token)
    local right = self:expression(POWER[token.type])
    return self:node(kind, { left = left, right = right, operator = token.type },
      { left, right })
  end
end

infix["|"] = binary "chain"
infix["||"] = binary "or_"
infix["&&"] = binary "and_"
for _, operator in ipairs { "==", "!=", "<", "<=", ">", ">=" } do
  infix[operator] = binary "comparison"
end

--- Parses an expression. Throws what `lexer.fail` throws.
---@param text string
---@return table node
function M.parse(text)
  local parser = setmetatable({ tokens = lexer.tokens(text), at = 1, depth = 0 }, Parser)
  if parser:is "end" then fail(1, "the expression is empty") end
  local node = parser:expression(0)
  if not parser:is "end" then unexpected(parser:peek()) end
  return node
end

return M
