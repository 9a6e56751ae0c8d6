--- Texts that stand for a value in examples: the member's name where that fits the pattern and the
-- limits of the shape, else something of the usual kinds that does.

local M = {}

local ACCOUNT = "123456789012"
local REGION = "us-east-1"

-- Texts of the usual kinds; %s is the member's name.
local KINDS = {
  "arn:aws:iam::" .. ACCOUNT .. ":role/%s",
  "arn:aws:kms:" .. REGION .. ":" .. ACCOUNT .. ":key/%s",
  "arn:aws:lambda:" .. REGION .. ":" .. ACCOUNT .. ":function:%s",
  "arn:aws:s3:::%s",
  "arn:aws:sagemaker:" .. REGION .. ":" .. ACCOUNT .. ":%s/name",
  "s3://bucket/key",
  "https://example.com/",
  "1.0", "1", "0.0.0.0/0", ACCOUNT, ACCOUNT .. ".dkr.ecr.us-east-1.amazonaws.com/image:1",
  "cron(0 12 * * ? *)", "/path", "text/csv",
}

local function fits(shape, text)
  if shape.min and #text < shape.min or shape.max and #text > shape.max then return false end
  if not shape.pattern then return true end
  local ok, matched = pcall(require("sagemaker.core").match_pattern, shape.pattern, text)
  return ok and matched == true
end

-- "endpoint-name" for "EndpointName".
local function dashed(name)
  return (require("sagemaker.core").snake(name):gsub("_", "-"))
end

-- An ARN of the service and the kind of resource that a pattern names.
local function arns(pattern, name)
  local found = {}
  if not pattern:find("arn", 1, true) then return found end
  for kind in pattern:gmatch("[:(|]([%l][%l%d%-]+)/") do
    found[#found + 1] = ("arn:aws:sagemaker:%s:%s:%s/%s"):format(REGION, ACCOUNT, kind, name)
    found[#found + 1] = ("arn:aws:sagemaker:%s:%s:%s/%s/1"):format(REGION, ACCOUNT, kind, name)
  end
  return found
end

-- Made long enough, or short enough.
local function fit(shape, text)
  if shape.max and #text > shape.max then text = text:sub(1, shape.max) end
  if shape.min and #text < shape.min then
    text = (text == "" and "a" or text):rep(math.ceil(shape.min / math.max(#text, 1)))
      :sub(1, shape.min)
  end
  return text
end

--- A text for a member of a string shape.
---@param shape table of service:shape
---@param name string the member's
---@return string
function M.text(shape, name)
  if shape.enum then return shape.enum[1] end
  local plain = dashed(name)
  local own = { name, plain, name:lower() }
  for _, text in ipairs(own) do
    local fitting = fit(shape, text)
    if fits(shape, fitting) then return fitting end
  end
  for _, text in ipairs(arns(shape.pattern or "", plain)) do
    if fits(shape, text) then return text end
  end
  for _, kind in ipairs(KINDS) do
    local text = kind:find("%s", 1, true) and kind:format(plain) or kind
    if fits(shape, text) then return text end
    local longer = fit(shape, text)
    if longer ~= text and fits(shape, longer) then return longer end
  end
  local sampled = shape.pattern and require("sagemaker.cli.input.sampler").sample(shape.pattern)
  if sampled then
    sampled = fit(shape, sampled)
    if fits(shape, sampled) then return sampled end
  end
  return fit(shape, name)
end

return M
