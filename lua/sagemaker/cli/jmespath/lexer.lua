--- An expression to tokens.
-- https://jmespath.org/specification.html#grammar
--
-- A token is `{type, value, at}`: `at` is the byte where it starts. The last one is of type "end".

local json = require "sagemaker.cli.json"

local M = {}

--- Throws the error of a wrong expression; `compile` catches it.
---@param at integer byte where it is wrong
---@param message string
function M.fail(at, message)
  error({ kind = "syntax", at = at, message = message }, 0)
end

local fail = M.fail

-- By their first characters; longer ones first.
local SYMBOLS = {
  ["["] = { "[?", "[]", "[" }, ["|"] = { "||", "|" }, ["&"] = { "&&", "&" },
  ["<"] = { "<=", "<" }, [">"] = { ">=", ">" }, ["!"] = { "!=", "!" }, ["="] = { "==" },
  ["."] = { "." }, ["*"] = { "*" }, ["]"] = { "]" }, [","] = { "," }, [":"] = { ":" },
  ["@"] = { "@" }, ["("] = { "(" }, [")"] = { ")" }, ["{"] = { "{" }, ["}"] = { "}" },
}

-- The byte of the delimiter that ends what starts at `at`; a backslash protects what follows it.
local function closing(text, at, delimiter)
  local from = at + 1
  while true do
    local stop = text:find("[" .. delimiter .. "\\]", from)
    if not stop then fail(at, "nothing closes the " .. delimiter) end
    if text:sub(stop, stop) == delimiter then return stop end
    from = stop + 2
  end
end

local function quoted_identifier(text, at)
  local stop = closing(text, at, '"')
  local value, message = json.decode(text:sub(at, stop))
  if message then fail(at, "a quoted name that JSON cannot read: " .. message) end
  return "quoted", value, stop + 1
end

local function raw_string(text, at)
  local stop = closing(text, at, "'")
  return "literal", (text:sub(at + 1, stop - 1):gsub("\\'", "'")), stop + 1
end

-- JSON between backticks. Text that is no JSON is a string, as it was before literals had quotes
-- (JEP-12); scripts still write so.
local function literal(text, at)
  local stop = closing(text, at, "`")
  local inner = text:sub(at + 1, stop - 1):gsub("\\`", "`")
  local value, message = json.decode(inner)
  if not message then return "literal", value, stop + 1 end
  local bare
  bare = json.decode('"' .. inner:gsub("^%s+", "") .. '"')
  if bare == nil then fail(at, "a literal that JSON cannot read: " .. message) end
  return "literal", bare, stop + 1
end

local function number(text, at)
  local digits = text:match("^%-?%d+", at)
  if not digits then fail(at, "a - that no digit follows") end
  return "number", tonumber(digits), at + #digits
end

local function symbol(text, at, c)
  for _, candidate in ipairs(SYMBOLS[c] or {}) do
    if text:sub(at, at + #candidate - 1) == candidate then
      return candidate, candidate, at + #candidate
    end
  end
  if c == "=" then fail(at, "a single =; equality is ==") end
  -- A whole character, not the first byte of one.
  local character = text:match("^[%z\1-\127\194-\244][\128-\191]*", at)
  fail(at, character and "unexpected character " .. character
    or ("unexpected byte 0x%02X"):format(c:byte()))
end

local function token(text, at)
  local c = text:sub(at, at)
  if c:find("[%a_]") and c:byte() < 128 then
    local name = text:match("^[A-Za-z0-9_]+", at)
    return "name", name, at + #name
  elseif c == '"' then
    return quoted_identifier(text, at)
  elseif c == "'" then
    return raw_string(text, at)
  elseif c == "`" then
    return literal(text, at)
  elseif c:find("[-0-9]") then
    return number(text, at)
  end
  return symbol(text, at, c)
end

---@class sagemaker.cli.jmespath.Token
---@field type string "name", "quoted", "literal", "number", "end" or the symbol itself
---@field value any
---@field at integer

--- Cuts an expression into tokens. Throws what `fail` throws.
---@param text string
---@return sagemaker.cli.jmespath.Token[]
function M.tokens(text)
  local list, at = {}, 1
  while true do
    at = text:find("[^ \t\r\n]", at)
    if not at then break end
    local kind, value, after = token(text, at)
    list[#list + 1] = { type = kind, value = value, at = at }
    at = after
  end
  list[#list + 1] = { type = "end", at = #text + 1 }
  return list
end

return M
