--- JMESPath against the compliance suite of the language.

local document = require "sagemaker.cli.document"
local jmespath = require "sagemaker.cli.jmespath"
local json = require "sagemaker.cli.json"
local support = require "support"

local dir = support.conformance()

local SUITES = { "basic", "boolean", "current", "escape", "filters", "functions", "identifiers",
  "indices", "literal", "multiselect", "pipe", "slice", "syntax", "unicode", "wildcard",
  "benchmarks" }

-- Lists whose order the language leaves open.
local function text_of(value, is_unordered)
  if is_unordered and document.kind(value) == "list" then
    local items = {}
    for i, item in ipairs(value) do items[i] = json.encode(item) end
    table.sort(items)
    return table.concat(items, ",")
  end
  return json.encode(value)
end

-- nil when the case holds, else what is wrong with it.
local function problem(case, given)
  local search, message, err = jmespath.compile(case.expression)
  local result
  if search then result, message, err = search(given) end
  if case.error then
    if not err then return "was accepted: " .. json.encode(result) end
    if err.kind ~= case.error then
      return ("failed as %s, not as %s: %s"):format(err.kind, case.error, message)
    end
    return nil
  elseif message then
    return "failed: " .. message
  elseif case.bench then
    return nil
  end
  local is_unordered = case.expression:find("keys%(") or case.expression:find("values%(")
    or case.expression:find("*", 1, true)
  local got, wanted = text_of(result, is_unordered), text_of(case.result, is_unordered)
  if got ~= wanted then return ("gives %s, not %s"):format(got, wanted) end
  return nil
end

describe("JMESPath", function()
  if not dir then
    pending("compliance: the vectors are not at hand")
    return
  end
  for _, name in ipairs(SUITES) do
    it("passes " .. name, function()
      local groups = assert(json.decode(support.read(dir .. "/jmespath/tests/" .. name .. ".json")))
      local wrong, count = {}, 0
      for _, group in ipairs(groups) do
        for _, case in ipairs(group.cases) do
          count = count + 1
          local what = problem(case, group.given)
          if what then wrong[#wrong + 1] = case.expression .. " " .. what end
        end
      end
      support.tally("jmespath/" .. name, count, {})
      assert.equal("", table.concat(wrong, "\n"))
    end)
  end
end)
