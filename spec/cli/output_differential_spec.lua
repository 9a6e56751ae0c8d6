--- Random documents, printed here and by the formatters of AWS CLI v2: the same bytes.
--
-- What differs on purpose is not drawn: lists that mix objects with scalars (the AWS CLI shows the
-- keys of an object there, or fails), and in the rare cells that show a list or an object as Python
-- would write it, characters that Python escapes.

local document = require "sagemaker.cli.document"
local json = require "sagemaker.cli.json"
local shapes = require "support.shapes"

local PYTHON = "/usr/bin/python3"
local COUNT = os.getenv "SAGEMAKER_TORTURE" and 60 or 600

local STRINGS = { "", "a", "b c", "é", "日本", "😀", "true", "null", "1", "1.5", "1e3", "-", "- a",
  "a: b", "a:b", "#x", "a #b", " x", "x ", "it's", 'say "x"', "l1\nl2", "a\n b", "a \nb", "\t",
  ("word "):rep(30), ("x"):rep(100), "2026-01-15T12:34:56+00:00", "2026-01-15T12:34:56.123000Z",
  "arn:aws:sagemaker:us-east-1:123456789012:endpoint/x", "InService", "ml.m5.large", "12345678901",
  "~", "y", "=", "<<", ".5", "[x", "{a", "a,b", "%x", "@x", "`x", "!x", "&x", "*x", "?", "? x",
  "?x",
  ":", ": x", ":x", "x:", "---", "--- a", "...", "0x1F", "0o7", "1_000", "+1", "\1", "\127", "\r",
  "a\rb", "\r\n", ("word  word "):rep(12), ("longer words 'quoted' and more "):rep(6),
  ("tabs\there and words "):rep(8), "\n", "\n\n", "a\n", "\na", "a\n\nb", "None", "False", "°C ±",
  "\\", "C:\\x", "2001-1-1 1:00:00", "2001-01-01T01:00:00Z", "2001-01-01  01:00:00 +1", "12:30:45",
  "-.inf", ".nan", "1.", "-1", "+.5", "e3", "0b1", "_1", "+_", ("a"):rep(81) .. " b c",
  ("k"):rep(40) .. " " .. ("k"):rep(45) .. " z", "NO", "on" }
local NUMBERS = { 0, 1, -5, document.float(1), document.float(0.5), document.float(1e16),
  document.float(1e-7), 123456789012, document.float(1e100), document.float(3.14159) }
local KEYS = { "Name", "Arn", "Status", "b", "a", "Z", "Name", "Arn", "Status", "b", "a", "Z",
  "k x", "1", "true", "", "key with spaces", "K: x", "#k", "l\nm", ("q"):rep(128),
  ("q"):rep(129), "<<" }

local random = shapes.random(20)

local function pick(list)
  return list[1 + random(#list)]
end

local function scalar()
  local dice = random(10)
  if dice < 7 then return pick(STRINGS) end
  if dice < 9 then return pick(NUMBERS) end
  return pick { true, false, document.null }
end

local function many(most, make)
  local list = document.list {}
  for i = 1, random(most + 1) do list[i] = make(i) end
  return list
end

local value -- forward

local function object(depth, most)
  local fields = {}
  for _ = 1, random(most + 1) do fields[pick(KEYS)] = value(depth - 1) end
  return document.object(fields)
end

-- A value nested at most so deep. In the objects of one list, a key has scalars or it has not.
function value(depth)
  local dice = random(20)
  if depth <= 0 or dice < 9 then return scalar() end
  if dice < 12 then return many(4, scalar) end
  if dice < 15 then
    local scalars, nested = { pick(KEYS), pick(KEYS) }, "Nested"
    return many(3, function()
      local fields = { [nested] = random(2) == 0 and value(depth - 2) or nil }
      if document.is_scalar(fields[nested]) then fields[nested] = nil end
      for _, key in ipairs(scalars) do
        if random(10) > 0 then fields[key] = scalar() end
      end
      return document.object(fields)
    end)
  end
  if dice < 17 then return many(3, function() return many(3, scalar) end) end
  return object(depth, 4)
end

local function documents()
  local list = {}
  for i = 1, COUNT do
    list[i] = random(10) < 7 and document.object { A = value(4), B = value(3) } or value(4)
  end
  return list
end

-- What the AWS CLI prints for each, or nil where it is not at hand.
local function reference(list)
  local name = os.tmpname()
  local f = assert(io.open(name, "wb"))
  for _, given in ipairs(list) do f:write(json.encode(given), "\n") end
  f:close()
  local p = io.popen(("unset LD_PRELOAD; %s spec/support/aws_output.py < %s 2>&1")
    :format(PYTHON, name))
  local rows = {}
  for line in p:lines() do rows[#rows + 1] = json.decode(line) end
  p:close()
  os.remove(name)
  return #rows == #list and rows or nil
end

local function printed(form, given)
  local parts = {}
  if document.kind(given) == "object" and next(given) == nil then return "" end
  local info = { title = "DescribeThing", columns = 80, color = form == "color" }
  local module = form == "color" and "table" or form
  require("sagemaker.cli.output." .. module).write(given, info, function(text)
    parts[#parts + 1] = text
  end)
  return table.concat(parts)
end

describe("output beside AWS CLI v2", function()
  local list = documents()
  local rows = reference(list)
  if not rows then
    pending("the formatters of AWS CLI v2 are not at hand for " .. PYTHON)
    return
  end
  for _, form in ipairs { "json", "text", "table", "color", "yaml" } do
    it(("prints %d documents as %s alike"):format(COUNT, form), function()
      local compared = 0
      for i, given in ipairs(list) do
        local wanted = rows[i][form]
        if wanted then
          compared = compared + 1
          local got = printed(form, (json.decode(json.encode(given))))
          -- what colorama adds on a real stdout is left to the spec of whole commands
          if form == "color" then
            wanted, got = wanted:gsub("\27%[0m", ""), got:gsub("\27%[0m", "")
          end
          assert.equal(wanted, got, json.encode(given))
        end
      end
      assert.is_true(compared > COUNT * 0.8)
    end)
  end
end)
