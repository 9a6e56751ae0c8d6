--- The part of JMESPath that waiters and paginators of service models use: names with dots, `[n]`,
-- `[]` and `[*]`, `length(…)`, comparisons with literals, `||`.
-- https://jmespath.org/specification.html
--
-- A path is compiled once into a function. Anything outside the subset is an error when the path is
-- compiled, never a wrong answer.

local M = {}

local function is_list(value)
  return type(value) == "table" and (#value > 0 or next(value) == nil)
end

-- A projection: what follows is applied to every element, and elements without a value are dropped.
local Projection = {}

local function over(value, step)
  if getmetatable(value) ~= Projection then return step(value) end
  local out = setmetatable({}, Projection)
  for _, element in ipairs(value) do
    local found = over(element, step)
    if found ~= nil then out[#out + 1] = found end
  end
  return out
end

local function key_step(name)
  return function(value)
    if type(value) ~= "table" then return nil end
    return value[name]
  end
end

local function index_step(n)
  return function(value)
    if not is_list(value) then return nil end
    return value[n < 0 and #value + 1 + n or n + 1]
  end
end

-- `[*]` projects a list; `[]` also merges the lists it finds in it.
local function flatten(value, merges)
  if not is_list(value) then return nil end
  local out = setmetatable({}, Projection)
  for _, element in ipairs(value) do
    if merges and is_list(element) then
      for _, inner in ipairs(element) do out[#out + 1] = inner end
    else
      out[#out + 1] = element
    end
  end
  return out
end

-- The steps of a path without operators: "a.b[].c[0]".
local function compile_steps(text)
  local steps, at = {}, 1
  local function add(step)
    steps[#steps + 1] = step
  end
  while at <= #text do
    local name, rest = text:match("^([%a_][%w_]*)()", at)
    if not name then name, rest = text:match('^"([^"\\]+)"()', at) end
    if name and (at == 1 or text:sub(at - 1, at - 1) == ".") then
      local step = key_step(name)
      add(function(value) return over(value, step) end)
    else
      local index
      index, rest = text:match("^%[(%-?%d+)%]()", at)
      local star, after_star = text:match("^%[(%*?)%]()", at)
      if index then
        local step = index_step(tonumber(index))
        add(function(value) return over(value, step) end)
      elseif star == "" then
        rest = after_star
        add(function(value) return flatten(value, true) end)
      elseif star then
        rest = after_star
        add(function(value)
          return over(value, function(inner) return flatten(inner, false) end)
        end)
      else
        return nil
      end
    end
    at = rest
    if text:sub(at, at) == "." then
      if at == #text then return nil end
      at = at + 1
    end
  end
  if #steps == 0 then return nil end
  return function(value)
    for i = 1, #steps do
      value = steps[i](value)
      if value == nil then return nil end
    end
    return value
  end
end

local LITERALS = { ["true"] = true, ["false"] = false }

-- `0`, `true`, `"text"` and 'text'.
local function literal(text)
  local raw = text:match("^'([^'\\]*)'$")
  if raw then return true, raw end
  local inner = text:match("^`([^`\\]*)`$")
  if not inner then return false end
  if LITERALS[inner] ~= nil then return true, LITERALS[inner] end
  if tonumber(inner) then return true, tonumber(inner) end
  local quoted = inner:match('^"(.*)"$')
  if quoted then return true, quoted end
  return false
end

local function number_of(value)
  return type(value) == "number" and value or nil
end

local COMPARE = {
  ["=="] = function(a, b) return a == b end,
  ["!="] = function(a, b) return a ~= b end,
  [">"] = function(a, b) return a > b end,
  [">="] = function(a, b) return a >= b end,
  ["<"] = function(a, b) return a < b end,
  ["<="] = function(a, b) return a <= b end,
}

local compile -- forward

local function compile_operand(text)
  local is_literal, value = literal(text)
  if is_literal then
    return function() return value end
  end
  local inner = text:match("^length%((.+)%)$")
  if not inner then return compile_steps(text) end
  local of = compile(inner)
  if not of then return nil end
  return function(root)
    local list = of(root)
    if type(list) == "string" then return (select(2, list:gsub("[^\128-\191]", ""))) end
    return is_list(list) and #list or nil
  end
end

local function compile_comparison(left, operator, right)
  local a, b = compile_operand(left), compile_operand(right)
  if not (a and b) then return nil end
  local compare, ordered = COMPARE[operator], operator ~= "==" and operator ~= "!="
  return function(root)
    local x, y = a(root), b(root)
    if ordered and not (number_of(x) and number_of(y)) then return nil end
    return compare(x, y)
  end
end

local function is_truthy(value)
  if value == nil or value == false or value == "" then return false end
  return type(value) ~= "table" or next(value) ~= nil
end

local function trim(text)
  return text:match("^%s*(.-)%s*$")
end

function compile(text)
  text = trim(text)
  local left, right = text:match("^(.-)||(.+)$")
  if left then
    local a, b = compile(left), compile(right)
    if not (a and b) then return nil end
    return function(root)
      local value = a(root)
      if is_truthy(value) then return value end
      return b(root)
    end
  end
  local operator
  left, operator, right = text:match("^(.-)%s*([=!<>]=)%s*(.+)$")
  if not left then left, operator, right = text:match("^(.-)%s*([<>])%s*(.+)$") end
  if left then return compile_comparison(left, operator, right) end
  return compile_operand(text)
end

--- Compiles a path.
---@param text string
---@return fun(root: any): any|nil find nil when the path is outside the subset
---@return string|nil message
function M.compile(text)
  local find = compile(text)
  if not find then return nil, ("the path %q is not understood"):format(text) end
  return function(root)
    local value = find(root)
    if getmetatable(value) == Projection then setmetatable(value, nil) end
    return value
  end
end

--- Puts a value where a path of names leads, making the tables on the way.
---@param root table
---@param text string names with dots
---@param value any
function M.assign(root, text, value)
  local at, last = root, nil
  for name in text:gmatch("[^.]+") do
    if last then
      if type(at[last]) ~= "table" then at[last] = {} end
      at = at[last]
    end
    last = name
  end
  at[last] = value
end

return M
