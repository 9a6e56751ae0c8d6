--- A tree of nodes to a function that evaluates it.
--
-- Every value is a document and never nil: what is absent is `null`.

local document = require "sagemaker.cli.document"
local functions = require "sagemaker.cli.jmespath.functions"

local M = {}

local kind, null, number = document.kind, document.null, document.number
local compare = require "sagemaker.cli.jmespath.compare"

local compile

local node = {}

function node.identity()
  return function(value)
    return value
  end
end

function node.literal(tree)
  local literal = tree.value
  return function()
    return literal
  end
end

function node.field(tree)
  local name = tree.name
  return function(value)
    if kind(value) ~= "object" then return null end
    local found = value[name]
    if found == nil then return null end
    return found
  end
end

function node.index(tree)
  local left, index = compile(tree.left), tree.index
  return function(value)
    value = left(value)
    if kind(value) ~= "list" then return null end
    local found = value[index < 0 and #value + 1 + index or index + 1]
    if found == nil then return null end
    return found
  end
end

-- Where a slice starts and stops in a list of `n` items, counted from 0; the stop is left out.
local function bounds(n, start, stop, step)
  local low, high = 0, n
  if step < 0 then low, high = -1, n - 1 end
  local function within(at, default)
    if at == nil then return default end
    if at < 0 then at = at + n end
    return math.max(low, math.min(high, at))
  end
  if step > 0 then return within(start, low), within(stop, high) end
  return within(start, high), within(stop, low)
end

function node.slice(tree)
  local left = compile(tree.left)
  local start, stop, step = tree.start, tree.stop, tree.step
  return function(value)
    value = left(value)
    if kind(value) ~= "list" then return null end
    local out = document.list {}
    local from, to = bounds(#value, start, stop, step)
    for i = from, to - (step > 0 and 1 or -1), step do out[#out + 1] = value[i + 1] end
    return out
  end
end

function node.chain(tree)
  local left, right = compile(tree.left), compile(tree.right)
  return function(value)
    return right(left(value))
  end
end

-- `right` of every item that `keep` lets through, without those that are null.
local function project(items, right, keep)
  local out = document.list {}
  for i = 1, #items do
    if not keep or keep(items[i]) then
      local found = right(items[i])
      if found ~= null then out[#out + 1] = found end
    end
  end
  return out
end

function node.projection(tree)
  local left, right = compile(tree.left), compile(tree.right)
  return function(value)
    value = left(value)
    if kind(value) ~= "list" then return null end
    return project(value, right)
  end
end

function node.filter(tree)
  local left, right = compile(tree.left), compile(tree.right)
  local condition = compile(tree.condition)
  local function keep(item)
    return compare.truth(condition(item))
  end
  return function(value)
    value = left(value)
    if kind(value) ~= "list" then return null end
    return project(value, right, keep)
  end
end

function node.values(tree)
  local left, right = compile(tree.left), compile(tree.right)
  return function(value)
    value = left(value)
    if kind(value) ~= "object" then return null end
    local items = {}
    for i, key in ipairs(document.keys(value)) do items[i] = value[key] end
    return project(items, right)
  end
end

function node.flatten(tree)
  local left = compile(tree.left)
  return function(value)
    value = left(value)
    if kind(value) ~= "list" then return null end
    local out = document.list {}
    for i = 1, #value do
      local item = value[i]
      if kind(item) == "list" then
        for j = 1, #item do out[#out + 1] = item[j] end
      else
        out[#out + 1] = item
      end
    end
    return out
  end
end

function node.multi_list(tree)
  local items = {}
  for i, item in ipairs(tree.items) do items[i] = compile(item) end
  return function(value)
    if kind(value) == "null" then return null end
    local out = document.list {}
    for i, item in ipairs(items) do out[i] = item(value) end
    return out
  end
end

function node.multi_hash(tree)
  local fields, order = {}, {}
  for i, field in ipairs(tree.fields) do
    fields[i] = compile(field.value)
    order[i] = field.key
  end
  return function(value)
    if kind(value) == "null" then return null end
    local out = {}
    for i, field in ipairs(fields) do out[order[i]] = field(value) end
    return document.object(out, order)
  end
end

function node.or_(tree)
  local left, right = compile(tree.left), compile(tree.right)
  return function(value)
    local found = left(value)
    if compare.truth(found) then return found end
    return right(value)
  end
end

function node.and_(tree)
  local left, right = compile(tree.left), compile(tree.right)
  return function(value)
    local found = left(value)
    if not compare.truth(found) then return found end
    return right(value)
  end
end

function node.not_(tree)
  local inner = compile(tree.inner)
  return function(value)
    return not compare.truth(inner(value))
  end
end

local ORDERED = {
  ["<"] = function(a, b) return a < b end,
  ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end,
  [">="] = function(a, b) return a >= b end,
}

-- Numbers compare with numbers and strings with strings; anything else compares to null.
local function ordered(operator)
  local holds = ORDERED[operator]
  return function(a, b)
    local x, y = number(a), number(b)
    if x and y then return holds(x, y) end
    if type(a) == "string" and type(b) == "string" then return holds(a, b) end
    return null
  end
end

local function unequal(a, b)
  return not compare.equal(a, b)
end

function node.comparison(tree)
  local left, right = compile(tree.left), compile(tree.right)
  local operator = tree.operator
  local holds = operator == "==" and compare.equal or operator == "!=" and unequal
    or ordered(operator)
  return function(value)
    return holds(left(value), right(value))
  end
end

function node.reference(tree)
  return functions.reference(compile(tree.inner))
end

function node.call(tree)
  local call = functions.prepare(tree)
  local arguments = {}
  for i, argument in ipairs(tree.arguments) do arguments[i] = compile(argument) end
  return function(value)
    local values = {}
    for i, argument in ipairs(arguments) do values[i] = argument(value) end
    return call(values)
  end
end

function compile(tree)
  return node[tree.type](tree)
end

--- Compiles a tree. Throws the errors that need no value: functions that are unknown or get a wrong
--- number of arguments.
---@param tree table of the parser
---@return fun(value: any): any evaluate throws a table of `kind` and `message` on a wrong type
function M.compile(tree)
  return compile(tree)
end

return M
