local M = {}
function M.new() return nil end
return M
