--- Names: snake_case as botocore makes it, C identifiers for any text.

local M = {}

-- One word each, whatever their capitals say.
local ODD_WORDS = { "iSCSI", "HITs", "OTel", "PartiQL", "WhatsApp" }

--- The snake_case form of an AWS name: botocore's xform_name, as sm_snake in sm_model.c.
---@param name string CreateAIBenchmarkJob
---@return string snake create_ai_benchmark_job
function M.snake(name)
  if name:find("_", 1, true) then return name end
  local capitals = name:match("(%u%u+)s$")
  if capitals then
    name = name:sub(1, -#capitals - 2) .. "_" .. capitals:lower() .. "s"
  end
  for _, word in ipairs(ODD_WORDS) do name = name:gsub(word, "_" .. word:lower()) end
  name = name:gsub("^_", capitals and "%0" or "")
  name = name:gsub("(.)(%u%l+)", "%1_%2"):gsub("([%l%d])(%u)", "%1_%2")
  return name:lower()
end

-- 32 bits that hardly ever collide; no bit operations, for Lua 5.1.
local function hash(text)
  local h = 0
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 4294967296 end
  return ("%08x"):format(h)
end

--- A name of letters, digits and underscores for a text, the same whatever other texts there are:
-- the text itself, or with its other characters in hexadecimal, or a hash.
---@param text string
---@return string id to be used after a prefix
---@return boolean plain the id is the text
function M.id(text)
  if text:find("^[%w_]+$") and text ~= "0" then return text, true end
  local id = text == "0" and "_30"
    or text:gsub("[^%w_]", function(c) return ("_%02x"):format(c:byte()) end)
  if #id > 60 or text == "" then id = "x" .. hash(text) end
  return id, false
end

--- A text as a C string literal.
---@param text string
---@return string
function M.literal(text)
  text = text:gsub('[\\"]', "\\%0"):gsub("%?%?", "?\\?")
  text = text:gsub("[%c\128-\255]", function(c) return ("\\%03o"):format(c:byte()) end)
  return '"' .. text .. '"'
end

--- A number as Lua and C both read it.
---@param n number
---@return string
function M.number(n)
  if n % 1 == 0 and n > -2 ^ 53 and n < 2 ^ 53 then return ("%.0f"):format(n) end
  return ("%.17g"):format(n)
end

return M
