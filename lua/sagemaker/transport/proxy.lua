--- What transports share about proxies: which one serves a scheme, what is reached without one, and
-- the parts of a proxy's URL.

local M = {}

--- One proxy for all, or one per scheme, as one per scheme.
---@param option? string|false|sagemaker.Proxies
---@return sagemaker.Proxies
function M.of(option)
  if type(option) == "table" then return option end
  local one = option or nil
  return { http = one, https = one }
end

-- The groups of an address, each of `bits` bits, or nil where the text is none: four of 8 bits for
-- IPv4, eight of 16 for IPv6.
local function ipv4(text)
  local groups = { text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  for i, group in ipairs(groups) do
    groups[i] = tonumber(group)
    if #group > 3 or groups[i] > 255 then return nil end
  end
  return groups[1] and groups, 8
end

local function hex_groups(text)
  local groups = {}
  if text == "" then return groups end
  for group in (text .. ":"):gmatch("([^:]*):") do
    if not group:find("^%x%x?%x?%x?$") then return nil end
    groups[#groups + 1] = tonumber(group, 16)
  end
  return groups
end

local function ipv6(text)
  local head, tail = text:match("^(.-)::(.*)$")
  local groups, rest = hex_groups(head or text), hex_groups(tail or "")
  if not groups or not rest or not text:find(":", 1, true) then return nil end
  if head then
    for _ = 1, 8 - #groups - #rest do groups[#groups + 1] = 0 end
  end
  for _, group in ipairs(rest) do groups[#groups + 1] = group end
  if #groups ~= 8 then return nil end
  return groups, 16
end

local function address(text)
  local groups, bits = ipv4(text)
  if groups then return groups, bits end
  return ipv6(text)
end

--- Whether a text is an IP address, IPv6 without brackets.
---@param text string
---@return boolean
function M.is_address(text)
  return (address(text)) ~= nil
end

-- Whether an address is in a network, "10.0.0.0/8" or "2001:db8::/32".
local function is_within(host, network)
  local base, prefix = network:match("^(.+)/(%d%d?%d?)$")
  if not base then return false end
  local left = tonumber(prefix)
  local groups, bits = address(base)
  local own, own_bits = address(host)
  if not groups or bits ~= own_bits or left > #groups * bits then return false end
  for i, group in ipairs(groups) do
    if left <= 0 then break end
    local unit = 2 ^ (bits - math.min(bits, left))
    if math.floor(group / unit) ~= math.floor(own[i] / unit) then return false end
    left = left - bits
  end
  return true
end

local function is_below(text, name, dotted)
  return text == name or text:sub(-#dotted) == dotted
end

-- Whether an entry of the list means this host: the name itself or anything below it, also with a
-- port, or an address in brackets, or a network.
local function is_meant(entry, host, authority)
  local name = entry:match("^%s*%.*(.-)%s*$")
  if name == "" then return false end
  local dotted = "." .. name
  return is_below(host, name, dotted) or is_below(authority, name, dotted)
    or is_within(host:match("^%[(.*)%]$") or host, name)
end

--- Whether a URL is to be reached without a proxy, as Python's urllib (so botocore) reads the list,
--- and with the networks that curl knows.
---@param list? string hosts, separated by commas; "*" alone means everything
---@param url string
---@return boolean
function M.is_direct(list, url)
  if not list then return false end
  if list == "*" then return true end
  local authority = (url:match("^%a+://([^/?#]*)") or ""):lower()
  local host = authority:gsub(":%d*$", "")
  for entry in list:lower():gmatch("[^,]+") do
    if is_meant(entry, host, authority) then return true end
  end
  return false
end

local PORTS = { http = 80, https = 443 }

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

---@class sagemaker.Proxy
---@field scheme "http"|"https"
---@field host string as a socket takes it, an IPv6 address in brackets
---@field port integer
---@field user? string name and password, "name:password"

--- The parts of a proxy's URL. What is wrong with one is said without its password.
---@param url string "http://name:password@host:8080"; without a scheme it is http
---@return sagemaker.Proxy|nil
---@return string|nil message
function M.parse(url)
  local scheme, rest = url:match("^(%a[%w+.-]*)://(.*)$")
  scheme = (scheme or "http"):lower()
  rest = rest or url
  if not PORTS[scheme] then
    return nil, ("a proxy of the kind %s:// cannot be used here, only http:// and https://")
      :format(scheme)
  end
  local user, authority = rest:match("^([^/?#]*)@([^/?#@]*)/?$")
  authority = authority or rest:match("^([^/?#@]*)/?$")
  local host, port = (authority or ""):match("^(%[[%x:.]+%]):?(%d*)$")
  if not host then
    host, port = (authority or ""):match("^([%w%-_.]+):?(%d*)$")
  end
  port = port and (port == "" and PORTS[scheme] or tonumber(port))
  if not host or port < 1 or port > 65535 then return nil, "the URL of the proxy cannot be used" end
  return { scheme = scheme, host = host, port = port, user = user and unescape(user) }
end

return M
