--- The injected functions of a user whose files are a table and whose variables are another.

local M = {}

M.HOME = "/h"

-- "<HOME>" in a text.
local function at_home(text)
  return (text:gsub("<HOME>", M.HOME))
end

--- `open` over a table of path → text. A table instead of a text is what open answers besides nil:
-- {message, code}.
---@param files table<string, string|table>
---@param opened? string[] is told which paths were opened
---@return fun(path: string): table|nil, string|nil, integer|nil
function M.opener(files, opened)
  return function(path)
    if opened then opened[#opened + 1] = path end
    local text = files[path] or { path .. ": No such file or directory", 2 }
    if type(text) == "table" then return nil, text[1], text[2] end
    local at = 1
    return {
      read = function(_, n)
        local bytes = text:sub(at, at + n - 1)
        at = at + #bytes
        return bytes ~= "" and bytes or nil
      end,
      close = function() return true end,
    }
  end
end

--- The functions `getenv` and `open` of a user whose home is M.HOME.
---@param env? table<string, string> "<HOME>" in values is the home
---@param config? string text of ~/.aws/config; nil: there is no such file
---@param credentials? string text of ~/.aws/credentials
---@param opened? string[]
---@return {getenv: function, open: function}
function M.user(env, config, credentials, opened)
  return {
    getenv = function(name)
      local value = (env or {})[name]
      if value == nil and name == "HOME" then return M.HOME end
      return value and at_home(value)
    end,
    open = M.opener({
      [M.HOME .. "/.aws/config"] = config,
      [M.HOME .. "/.aws/credentials"] = credentials,
    }, opened),
  }
end

return M
