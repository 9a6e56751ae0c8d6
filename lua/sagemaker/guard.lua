--- Whether pcall may be used around what may wait in a coroutine: on PUC 5.1 nothing can yield
-- inside of it.

local yields -- whether pcall lets a yield pass; found out once

--- Whether pcall is harmless here.
---@return boolean
return function()
  if yields == nil then
    yields = coroutine.wrap(function() return (pcall(coroutine.yield, true)) end)()
  end
  return yields or not coroutine.running()
end
