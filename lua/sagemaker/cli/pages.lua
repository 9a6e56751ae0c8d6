--- The pages of a list one by one, each with the items only, as text output prints them.

local M = {}

--- An iterator over the parts of a list: each a table with the result keys of a page; the first one
-- also has what does not repeat. Ends with nil, err where a page cannot be had.
---@param pages sagemaker.Pages
---@return fun(): table|nil|false, sagemaker.Error|nil
function M.parts(pages)
  local paths, config = pages.paths, pages.config
  local assign = require("sagemaker.path").assign
  local first = true
  return function()
    local page, _, err = pages:next()
    if err then return false, err end
    if not page then return nil end
    local part = {}
    for i, get in ipairs(paths.result) do
      local found = get(page)
      if found ~= nil then assign(part, config.result[i], found) end
    end
    if first then
      for key, item in pairs(pages.non_aggregate) do
        if part[key] == nil then part[key] = item end
      end
      first = false
    end
    return part
  end
end

return M
