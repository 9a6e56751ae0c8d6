--- The page at /_simulator/: what a person looks at while deploying. Files of its own, no build
-- step, nothing from another host.

local M = {}

-- Nothing may be loaded but what this server serves, and no other page may frame this one.
M.policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
  .. "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

local ICON = [[<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect fill="#5b8def" x="2" y="4" width="12" height="24" rx="3"/>
<rect fill="#1f9d61" x="18" y="4" width="12" height="24" rx="3"/></svg>
]]

local TEXT, SCRIPT = "text/html; charset=utf-8", "text/javascript; charset=utf-8"

-- What is served below /_simulator/: Content-Type and the module with the text.
local FILES = {
  [""] = { TEXT, "markup" },
  ["chart.js"] = { SCRIPT, "chart" },
  ["page.css"] = { "text/css; charset=utf-8", "style" },
  ["page.js"] = { SCRIPT, "script" },
}

--- A file of the page.
---@param path string below /_simulator/; "" is the page itself
---@return string|nil body nil when there is none
---@return string|nil kind Content-Type
function M.file(path)
  if path == "icon.svg" then return ICON, "image/svg+xml" end
  local row = FILES[path]
  if not row then return nil end
  return require("sagemaker.simulator.server.page." .. row[2]), row[1]
end

return M
