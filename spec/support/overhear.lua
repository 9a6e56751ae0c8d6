--- Keeps what the library says in the specs, for spec/run.sh to look for secrets in it: the text of
-- every error, and every line for a logger.

local errors = require "sagemaker.error"
local logger = require "sagemaker.logger"

local M = {}

-- The functions of sagemaker.logger that write a line.
local LINES = { "failure", "request", "response", "retry" }

--- Writes it all to the end of a file, from now on. Once is enough.
---@param path string
function M.start(path)
  if errors.is_overheard then return end
  errors.is_overheard = true
  local file = assert(io.open(path, "ab"))
  file:setvbuf("line")
  for _, name in ipairs { "fail", "new" } do
    local make = errors[name]
    errors[name] = function(fields)
      file:write(tostring(fields.code), ": ", tostring(fields.message), "\n")
      return make(fields)
    end
  end
  for _, name in ipairs(LINES) do
    local say = logger[name]
    logger[name] = function(log, ...)
      return say(function(level, text)
        file:write(level, ": ", text, "\n")
        return log(level, text)
      end, ...)
    end
  end
end

return M
