--- Functions of the endpoint rules language that few rule sets call, by their names there.
--- https://smithy.io/2.0/additional-specs/rules-engine/standard-library.html
--
-- All arguments are set; nil is the answer "not set".

local M = {}

local function is_host_label(text, allow_subdomains)
  if type(text) ~= "string" then return false end
  if allow_subdomains then
    if text == "" then return false end
    for label in (text .. "."):gmatch("([^.]*)%.") do
      if not is_host_label(label, false) then return false end
    end
    return true
  end
  return #text >= 1 and #text <= 63 and text:find("^%w[%w%-]*$") ~= nil
end

local function is_ipv4(host)
  local count = 0
  for octet in (host .. "."):gmatch("([^.]*)%.") do
    if not octet:find("^%d%d?%d?$") or tonumber(octet) > 255 then return false end
    count = count + 1
  end
  return count == 4
end

M.isValidHostLabel = is_host_label

M.substring = function(text, first, last, reverse)
  if first >= last or #text < last or text:find("[\128-\255]") then return nil end
  if reverse then return text:sub(#text - last + 1, #text - first) end
  return text:sub(first + 1, last)
end

M.uriEncode = function(text)
  return (text:gsub("[^%w%-_.~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

M.split = function(text, delimiter, limit)
  local parts, at = {}, 1
  while limit == 0 or #parts < limit - 1 do
    local first, last = text:find(delimiter, at, true)
    if not first then break end
    parts[#parts + 1] = text:sub(at, first - 1)
    at = last + 1
  end
  parts[#parts + 1] = text:sub(at)
  return parts
end

M.parseURL = function(text)
  local scheme, authority, path = text:match("^(https?)://([^/?#]+)([^?#]*)$")
  if not scheme or authority:find("@", 1, true) then return nil end
  local host = authority:match("^(%[[%x:.]+%])") or authority:match("^([^:]+)")
  if not host then return nil end
  local port = authority:sub(#host + 1)
  if port ~= "" and not port:find("^:%d+$") then return nil end
  local normalized = path
  if normalized:sub(-1) ~= "/" then normalized = normalized .. "/" end
  return {
    scheme = scheme,
    authority = authority,
    path = path,
    normalizedPath = normalized,
    isIp = host:sub(1, 1) == "[" or is_ipv4(host),
  }
end

M["aws.parseArn"] = function(text)
  local partition, service, region, account, resource =
    text:match("^arn:([^:]*):([^:]*):([^:]*):([^:]*):(.*)$")
  if not partition or partition == "" or service == "" or resource == "" then return nil end
  local parts = {}
  for part in (resource .. ":"):gmatch("([^:/]*)[:/]") do parts[#parts + 1] = part end
  return {
    partition = partition,
    service = service,
    region = region,
    accountId = account,
    resourceId = parts,
  }
end

M["aws.isVirtualHostableS3Bucket"] = function(bucket, allow_subdomains)
  if #bucket < 3 or #bucket > 63 or bucket:find("%u") then return false end
  if is_ipv4(bucket) or not is_host_label(bucket, allow_subdomains) then return false end
  for label in (bucket .. "."):gmatch("([^.]*)%.") do
    if label:sub(1, 1) == "-" or label:sub(-1) == "-" then return false end
  end
  return true
end

return M
