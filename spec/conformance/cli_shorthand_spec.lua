-- The AWS CLI's own cases of shorthand syntax.

local shorthand = require "sagemaker.cli.input.shorthand"
local support = require "support"

-- The words of version 1 to ours.
local WORDS = {
  { "^Expected: '<(.-) quoted>'", "a closing" },
  { "^Expected: '<second>'", "a value after ','" },
  { "^Expected: '(.)', received: 'EOF'", "the end" },
  { "^Expected: '(.)', received: '(.)'", "found" },
  { "^Second instance of key", "a second" },
}

describe("shorthand of the AWS CLI", function()
  local rows = support.rows "cli/shorthand.jsonl"
  if #rows == 0 then pending("the conformance vectors are not at hand") end
  for _, row in ipairs(rows) do
    it(row.id .. " " .. row.input:sub(1, 40), function()
      local parsed, message = shorthand.parse(row.input)
      if row.parsed then
        assert.is_nil(message)
        assert.same(row.parsed, parsed)
        return
      end
      assert.is_nil(parsed)
      for _, rule in ipairs(WORDS) do
        if row.error:find(rule[1]) then
          assert.truthy(message:find(rule[2], 1, true), message)
          return
        end
      end
      error("no rule for " .. row.error)
    end)
  end
  support.tally("shorthand.jsonl", #rows, {})
end)
