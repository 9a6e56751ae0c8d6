--- Random values of the shapes of a service, the same ones in every run.

local M = {}

--- A source of random integers 0 … n-1 that a seed determines (Lehmer, 31 bits).
---@param seed integer
---@return fun(n: integer): integer
function M.random(seed)
  local state = seed % 2147483646 + 1
  return function(n)
    state = state * 48271 % 2147483647
    return math.floor(state / 2147483647 * n)
  end
end

local PIECES = { "a", "B", "7", "-", "_", "/", " ", '"', "\\", "\n", "\t", "\0", "\127", "é", "✓",
  "日本", "😀", "<x>", "%20", "{", "}", "," }

local function text(rnd, least, most)
  local pieces = {}
  for i = 1, least + rnd(most - least + 1) do pieces[i] = PIECES[1 + rnd(#PIECES)] end
  return table.concat(pieces)
end

local function bytes(rnd, least)
  local list = {}
  for i = 1, least + rnd(20) do list[i] = string.char(rnd(256)) end
  return table.concat(list)
end

local function length(shape)
  local least = shape.min or 0
  local most = math.max(least, math.min(shape.max or least + 4, least + 4))
  return least, most
end

-- A number within the bounds of the shape and of its type.
local function number(shape, rnd)
  local least = math.max(shape.min or -1000, -2147483648)
  local most = math.min(shape.max or least + 2000, 2147483647)
  local integral = shape.type == "integer" or shape.type == "long"
  if integral then return math.ceil(least) + rnd(math.floor(most) - math.ceil(least) + 1) end
  return least + (most - least) * rnd(1000) / 1000
end

local scalars = {
  string = function(shape, rnd, options)
    if shape.enum then return shape.enum[1 + rnd(#shape.enum)] end
    local least, most = length(shape)
    if options.plain then return ("abcdefghij"):rep(math.ceil(most / 10) + 1):sub(1, most) end
    return text(rnd, least, most)
  end,
  blob = function(shape, rnd) return bytes(rnd, shape.min or 0) end,
  boolean = function(_, rnd) return rnd(2) == 1 end,
  timestamp = function(_, rnd) return rnd(2000000000) end,
  document = function(_, rnd) return { a = rnd(10), b = { "x", true } } end,
}
for _, name in ipairs { "integer", "long", "float", "double" } do scalars[name] = number end

--- A value of a shape. Below `depth` levels only required members are set.
---@param service userdata
---@param name string
---@param rnd fun(n: integer): integer
---@param depth integer
---@param options {plain: boolean} plain: only strings that may stand in a URL or a header
function M.value(service, name, rnd, depth, options)
  local shape = service:shape(name)
  if scalars[shape.type] then return scalars[shape.type](shape, rnd, options or {}) end
  local value = {}
  if shape.type == "list" then
    local least, most = length(shape)
    local n = depth <= 0 and least or least + rnd(most - least + 1)
    for i = 1, n do value[i] = M.value(service, shape.value, rnd, depth - 1, options) end
  elseif shape.type == "map" then
    for _ = 1, depth <= 0 and (shape.min or 0) or rnd(4) do
      local key = M.value(service, shape.key, rnd, 0, options)
      value[key] = M.value(service, shape.value, rnd, depth - 1, options)
    end
  elseif shape.union then
    local member = shape.members[1 + rnd(#shape.members)]
    value[member.name] = M.value(service, member.shape, rnd, depth - 1, options)
  else
    for _, member in ipairs(shape.members) do
      local plain = member.location ~= "body" and member.location ~= "payload"
      if member.required or (depth > 0 and rnd(3) > 0) then
        value[member.name] = M.value(service, member.shape, rnd, depth - 1,
          plain and { plain = true } or options)
      end
    end
  end
  return value
end

return M
