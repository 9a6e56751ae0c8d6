--- Modules that only a call needs, loaded when one does: they are most of the time and most of the
-- memory that making a client takes.

--- A stand-in for a module of functions and constants, which takes them over when the first is
-- asked for.
---@param name string for `require`
---@return table
return function(name)
  return setmetatable({}, { __index = function(self, key)
    local module = require(name)
    local found = module[key] -- first: it may be one of many that come when the first is asked for
    for field, value in pairs(module) do rawset(self, field, value) end
    return found
  end })
end
