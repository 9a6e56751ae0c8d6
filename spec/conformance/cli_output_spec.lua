--- Text and tables against the cases of the AWS CLI's own tests.

local json = require "sagemaker.cli.json"
local support = require "support"

local dir = support.conformance()

local function rows(name)
  local list = {}
  for line in io.lines(dir .. "/cli/" .. name) do
    if line:find("%S") then list[#list + 1] = assert(json.decode(line)) end
  end
  return list
end

local function print_with(form, value, info)
  local parts = {}
  require("sagemaker.cli.output." .. form).write(value, info, function(text)
    parts[#parts + 1] = text
  end)
  return table.concat(parts)
end

describe("command line output", function()
  if not dir then
    pending("conformance: the vectors are not at hand")
    return
  end

  it("passes the cases of text", function()
    local list = rows "text.jsonl"
    for _, row in ipairs(list) do
      assert.equal(row.text, print_with("text", row.data, { title = "OperationName" }), row.id)
    end
    support.tally("cli/text", #list, {})
  end)

  it("passes the cases of tables", function()
    local list = rows "table.jsonl"
    for _, row in ipairs(list) do
      local info = { title = row.operation, columns = row.auto_reformat and 80 or 1000 }
      assert.equal(row.table, print_with("table", row.data, info), row.id)
    end
    support.tally("cli/table", #list, {})
  end)
end)
