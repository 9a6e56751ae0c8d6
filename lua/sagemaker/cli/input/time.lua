--- Times as people and other programs write them ("Jan 15 2026", "2026/01/15 1:30 pm", what date(1)
-- prints), made ISO 8601. The AWS CLI takes them, so scripts hold them.

local M = {}

local MONTHS = { "january", "february", "march", "april", "may", "june", "july", "august",
  "september", "october", "november", "december" }
local DAYS = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" }
local UTC = { utc = true, gmt = true, z = true }

-- The number of a name of a list, written out or its first three letters.
local function index_of(names, word)
  for i, name in ipairs(names) do
    if word == name or word == name:sub(1, 3) then return i end
  end
  return word == "sept" and names == MONTHS and 9 or nil
end

-- 15, January and 2026 of "01/15/2026", "15/01/2026" or "2026/01/15".
local function slashed(parts, a, b, c)
  if #a == 4 then
    parts.year, parts.month, parts.day = a, tonumber(b), b and c
  elseif #c == 4 then
    if tonumber(a) > 12 then a, b = b, a end
    parts.year, parts.month, parts.day = c, tonumber(a), b
  else
    return false
  end
  return true
end

-- 15-Jan-2026, Jan-15-2026 or 2026-Jan-15.
local function hyphened(parts, a, b, c)
  if index_of(MONTHS, a:lower()) then a, b = b, a end
  local month = index_of(MONTHS, b:lower())
  if not month or a:find("%D") then return false end
  if #a == 4 then a, c = c, a end
  if #c ~= 4 or #a > 2 then return false end
  parts.year, parts.month, parts.day = c, month, a
end

local ORDINALS = { st = true, nd = true, rd = true, th = true }

-- What may stand in a time, each with what it says. Answers false where it contradicts the rest.
local TOKENS = {
  { "^(%d+)[/.-](%d+)[/.-](%d+)", slashed },
  { "^(%w+)%-(%w+)%-(%d+)", hyphened },
  { "^(%d%d?):(%d%d):?(%d?%d?)([.,]?%d*)", function(parts, hour, minute, second, fraction)
    if parts.hour then return false end
    parts.hour, parts.minute, parts.second = tonumber(hour), minute, second
    parts.fraction = fraction:gsub(",", ".")
  end },
  { "^([+-]%d%d):?(%d%d)%f[%D]", function(parts, hours, minutes)
    if not parts.hour or parts.zone then return false end
    parts.zone = hours .. ":" .. minutes
  end },
  { "^(%d%d%d%d)%f[%D]", function(parts, year)
    if parts.year then return false end
    parts.year = year
  end },
  { "^(%d%d?)%f[%D](%a*)", function(parts, day, suffix)
    if parts.day or suffix ~= "" and not ORDINALS[suffix:lower()] then return false end
    parts.day = day
  end },
  { "^(%a+)%.?", function(parts, word)
    word = word:lower()
    local month = index_of(MONTHS, word)
    if month and not parts.month then
      parts.month = month
    elseif (word == "am" or word == "pm") and parts.hour and parts.hour <= 12 then
      parts.hour = parts.hour % 12 + (word == "pm" and 12 or 0)
    elseif UTC[word] then
      parts.zone = parts.zone or "Z"
    elseif word ~= "t" and not index_of(DAYS, word) then
      return false
    end
  end },
}

-- Takes what begins at a place; answers where to go on, nil where nothing is known.
local function take(parts, text, at)
  for _, token in ipairs(TOKENS) do
    local first, last, a, b, c, d = text:find(token[1], at)
    if first then return token[2](parts, a, b, c, d) ~= false and last + 1 or nil end
  end
  return nil
end

local function read(text)
  local parts, at = {}, 1
  while true do
    at = text:find("[^%s,]", at)
    if not at then break end
    at = take(parts, text, at)
    if not at then return nil end
  end
  if not (parts.year and parts.month and parts.day) then return nil end
  return ("%s-%02d-%02dT%02d:%02d:%02d%s%s"):format(parts.year, parts.month, tonumber(parts.day),
    parts.hour or 0, tonumber(parts.minute or 0), tonumber(parts.second) or 0,
    parts.fraction ~= "." and parts.fraction or "", parts.zone or "Z")
end

--- A time as ISO 8601 where it is written in another way; any other text as it is.
---@param text string
---@return string
function M.normal(text)
  if text:find("^%s*%d%d%d%d%-%d") then -- ISO 8601, and what is near it
    if text:find("%d%s+%S+%s+%S") or text:find("%s%d:") or text:find(":%d%d%s+%S") then
      return read(text) or text
    end
    local date, hour, rest = text:match("^%s*(%d%d%d%d%-%d%d%-%d%d[Tt ]%d%d)(:?)(.-)%s*$")
    if not date then return text:find("%s%s") and read(text) or text end
    if hour == "" and rest == "" then return date .. ":00" end
    return date .. hour .. rest:gsub(",(%d)", ".%1", 1)
  end
  local year, month, day, hour, minute, second =
    text:match("^(%d%d%d%d)(%d%d)(%d%d)T(%d%d)(%d%d)(%d%d)$")
  if year then
    return ("%s-%s-%sT%s:%s:%sZ"):format(year, month, day, hour, minute, second)
  elseif not text:find("%a") and not text:find("%d[/.-]%d+[/.-]%d") then
    return text -- seconds since the epoch
  end
  return read(text) or text
end

return M
