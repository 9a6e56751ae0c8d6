--- Names of this machine. nginx asks its resolver only, so "localhost" and what stands in the hosts
-- file would not be found.

local proxy = require "sagemaker.transport.proxy"

local M = {}

local PATH = "/etc/hosts"

local function parse(text)
  local found = {}
  for line in text:gmatch("[^\r\n]+") do
    local address, names = line:gsub("#.*", ""):match("^%s*(%S+)%s+(.*)$")
    if address and proxy.is_address(address) then
      local is_ipv6 = address:find(":", 1, true) ~= nil
      for name in names:gmatch("%S+") do
        name = name:lower()
        local known = found[name]
        -- The first one counts, one of IPv4 before one of IPv6.
        if not known or (known:find(":", 1, true) and not is_ipv6) then
          found[name] = is_ipv6 and "[" .. address .. "]" or address
        end
      end
    end
  end
  found.localhost = found.localhost or "127.0.0.1"
  return found
end

--- The addresses of the hosts file by name, lower case.
---@param open fun(path: string, mode?: string): file*|nil
---@return table<string, string> IPv6 addresses in brackets
function M.read(open)
  local file = open(PATH, "rb")
  if not file then return parse("") end
  local text = file:read("*a")
  file:close()
  return parse(text or "")
end

return M
