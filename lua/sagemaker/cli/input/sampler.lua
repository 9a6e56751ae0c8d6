--- A short text that a pattern of the model matches. Patterns that look around are matched as if
-- they did not: whoever asks checks the text.

local M = {}

local alternatives -- forward

-- What stands for a class of characters.
local ESCAPES = { d = "1", w = "a", s = " ", S = "a", D = "a", W = "-", t = "\t", n = "\n",
  r = "\r", p = "a", P = "1" }
-- Tried in this order for a class that excludes characters.
local LIKELY = "a1A-_/. :"

-- The character that an escape at `at` (after the backslash) stands for, and where it ends.
local function escape(text, at)
  local letter = text:sub(at, at)
  if letter == "p" or letter == "P" then
    return ESCAPES[letter], text:match("^%b{}()", at + 1) or at + 1
  elseif letter == "x" or letter == "u" then
    local digits = text:match(letter == "x" and "^%x%x" or "^%x%x%x%x", at + 1)
    local code = digits and tonumber(digits, 16)
    return code and code < 128 and string.char(code) or "a", at + 1 + (digits and #digits or 0)
  end
  return ESCAPES[letter] or letter, at + 1
end

-- The members of the class whose bracket is at `at`: ranges {first, last}.
local function class(text, at)
  local ranges, negated = {}, false
  at = at + 1
  if text:sub(at, at) == "^" then negated, at = true, at + 1 end
  while text:sub(at, at) ~= "]" do
    if at > #text then error("class", 0) end
    local first, last
    if text:sub(at, at) == "\\" then
      first, at = escape(text, at + 1)
    else
      first, at = text:sub(at, at), at + 1
    end
    last = first
    if text:find("^%-[^%]]", at) then
      at = at + 1
      if text:sub(at, at) == "\\" then
        last, at = escape(text, at + 1)
      else
        last, at = text:sub(at, at), at + 1
      end
    end
    ranges[#ranges + 1] = { first, last }
  end
  return ranges, negated, at + 1
end

local function holds(ranges, char)
  for _, range in ipairs(ranges) do
    if char >= range[1] and char <= range[2] then return true end
  end
  return false
end

local function pick(ranges, negated)
  for char in LIKELY:gmatch(".") do
    if holds(ranges, char) ~= negated then return char end
  end
  return ranges[1] and ranges[1][1] or "a"
end

-- What a group that begins at `at` says before its contents: where these begin, and whether the
-- group only looks around.
local function group_head(text, at)
  if text:find("^%(%?:", at) then return at + 3, false end
  if text:find("^%(%?<?[=!]", at) then return text:match("^%(%?<?[=!]()", at), true end
  local after = text:match("^%(%?P?<%w+>()", at)
  return after or at + 1, false
end

-- One thing that may be repeated.
local function atom(text, at)
  local char = text:sub(at, at)
  if char == "(" then
    local inner, is_look = group_head(text, at)
    local sampled, stop = alternatives(text, inner)
    return is_look and "" or sampled, stop + 1
  elseif char == "[" then
    local ranges, negated, stop = class(text, at)
    return pick(ranges, negated), stop
  elseif char == "\\" then
    if text:find("^[bBAzZ]", at + 1) then return "", at + 2 end
    return escape(text, at + 1)
  elseif char == "." then
    return "a", at + 1
  elseif char == "^" or char == "$" then
    return "", at + 1
  end
  return char, at + 1
end

-- How often an atom is repeated at least.
local function times(text, at)
  local count, stop = 1, at
  local char = text:sub(at, at)
  if char == "*" or char == "?" then
    count, stop = 0, at + 1
  elseif char == "+" then
    stop = at + 1
  elseif char == "{" then
    local least, after = text:match("^{(%d+),?%d*}()", at)
    if least then count, stop = tonumber(least), after end
  end
  if stop > at and text:find("^[?+]", stop) then stop = stop + 1 end
  return count, stop
end

local function sequence(text, at)
  local parts = {}
  while at <= #text and not text:find("^[|)]", at) do
    local sampled, count
    sampled, at = atom(text, at)
    count, at = times(text, at)
    parts[#parts + 1] = sampled:rep(count)
  end
  return table.concat(parts), at
end

-- The first alternative that is not empty; stops at the end or at the closing parenthesis.
function alternatives(text, at)
  local best
  while true do
    local sampled
    sampled, at = sequence(text, at)
    if best == nil or best == "" then best = sampled end
    if text:sub(at, at) ~= "|" then return best, at end
    at = at + 1
  end
end

--- A text for a pattern.
---@param pattern string
---@return string|nil text nil where the pattern is beyond this
function M.sample(pattern)
  local ok, text = pcall(alternatives, pattern, 1)
  return ok and text or nil
end

return M
