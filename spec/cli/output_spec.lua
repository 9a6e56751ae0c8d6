local document = require "sagemaker.cli.document"
local json = require "sagemaker.cli.json"
local width = require "sagemaker.cli.output.width"

local ENDPOINT = [[{
  "EndpointName": "churn",
  "EndpointStatus": "InService",
  "Failures": null,
  "Retain": true,
  "ProductionVariants": [
    {"VariantName": "A", "CurrentWeight": 1.0, "DeployedImages": [{"SpecifiedImage": "x:1"}]},
    {"VariantName": "B", "CurrentInstanceCount": 2}
  ],
  "Empty": [],
  "Environment": {"K": "v"}
}]]

local function utf8_char(code)
  if code < 0x800 then return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64) end
  local tail = string.char(0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  if code < 0x10000 then return string.char(0xE0 + math.floor(code / 4096)) .. tail end
  return string.char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64) .. tail
end

local function printed(form, text, info)
  local parts = {}
  info = info or {}
  info.title = info.title or "DescribeEndpoint"
  require("sagemaker.cli.output." .. form).write((json.decode(text)), info, function(part)
    parts[#parts + 1] = part
  end)
  return table.concat(parts)
end

describe("json output", function()
  it("indents by four and keeps order and characters", function()
    assert.equal('{\n    "b": "é",\n    "a": [],\n    "n": 1.0\n}\n',
      printed("json", '{"b":"é","a":[],"n":1.0}'))
    assert.equal('"x"\n', printed("json", '"x"'))
    assert.equal("null\n", printed("json", "null"))
  end)
end)

describe("text output", function()
  it("puts scalars in the order of their keys, and names what is nested", function()
    assert.equal("churn\tInService\tNone\tTrue\n"
      .. "ENVIRONMENT\tv\n"
      .. "PRODUCTIONVARIANTS\t\t1.0\tA\n"
      .. "DEPLOYEDIMAGES\tx:1\n"
      .. "PRODUCTIONVARIANTS\t2\t\tB\n", printed("text", ENDPOINT))
  end)

  it("prints what a query picks without names", function()
    assert.equal("a\tb\n", printed("text", '["a","b"]'))
    assert.equal("a\t1\nb\t2\n", printed("text", '[["a",1],["b",2]]'))
    assert.equal("a\nb\tc\n", printed("text", '["a",["b","c"]]'))
    assert.equal("None\n", printed("text", "null"))
    assert.equal("", printed("text", "[]"))
    assert.equal("x\n1\n", printed("text", '[{"A":"x"},1]'))
  end)
end)

describe("table output", function()
  it("draws frames around frames", function()
    assert.equal([[
------------------------------------------------------------
|                     DescribeEndpoint                     |
+---------------+------------------+------------+----------+
| EndpointName  | EndpointStatus   | Failures   | Retain   |
+---------------+------------------+------------+----------+
|  churn        |  InService       |  None      |  True    |
+---------------+------------------+------------+----------+
||                       Environment                      ||
|+---------------------------+----------------------------+|
||  K                        |  v                         ||
|+---------------------------+----------------------------+|
||                   ProductionVariants                   ||
|+----------------------+-----------------+---------------+|
|| CurrentInstanceCount |  CurrentWeight  |  VariantName  ||
|+----------------------+-----------------+---------------+|
||                      |  1.0            |  A            ||
|+----------------------+-----------------+---------------+|
|||                    DeployedImages                    |||
||+------------------------------------------------------+||
|||                    SpecifiedImage                    |||
||+------------------------------------------------------+||
|||  x:1                                                 |||
||+------------------------------------------------------+||
||                   ProductionVariants                   ||
|+----------------------+-----------------+---------------+|
|| CurrentInstanceCount |  CurrentWeight  |  VariantName  ||
|+----------------------+-----------------+---------------+|
||  2                   |                 |  B            ||
|+----------------------+-----------------+---------------+|
]], printed("table", ENDPOINT))
  end)

  it("turns a table that is wider than the terminal", function()
    local wanted = [[
-----------------------------------
|        DescribeEndpoint         |
+------------------+--------------+
|  EndpointName    |  churn       |
|  EndpointStatus  |  InService   |
|  Failures        |  None        |
|  Retain          |  True        |
+------------------+--------------+
||          Environment          ||
|+--------------+----------------+|
||  K           |  v             ||
|+--------------+----------------+|
]]
    assert.equal(wanted, printed("table", ENDPOINT, { columns = 50 }):sub(1, #wanted))
  end)

  it("counts wide characters twice, and fills rows that are short", function()
    assert.equal([[
--------------------
|   ListEndpoints  |
+---+-----+--------+
|  a|  1  |        |
|  b|  2  |  日本  |
+---+-----+--------+
]], printed("table", '[["a",1],["b",2,"日本"]]', { title = "ListEndpoints" }))
  end)

  it("shows every item of a list of different things", function()
    assert.equal([[
---------------
|ListEndpoints|
+-------------+
|  x          |
+-------------+
+-----+-------+
|  a  |   b   |
+-----+-------+
|  1  |  2    |
+-----+-------+
+-------------+
|  y          |
+-------------+
]], printed("table", '["x",{"a":1,"b":2},"y"]', { title = "ListEndpoints" }))
  end)

  it("colours cells and inner frames when asked", function()
    local text = printed("table", '{"A":"x","B":["y"]}', { color = true })
    assert.truthy(text:find("|  \27[1m\27[34mx\27[0m", 1, true))
    assert.truthy(text:find("\27[2m\27[33m|\27[0m\27[0m|  \27[1m\27[34my\27[0m", 1, true))
    assert.is_nil(printed("table", '{"A":"x"}'):find("\27", 1, true))
  end)

  it("prints nothing for nothing", function()
    for _, text in ipairs { "{}", "[]", "null", '""', "0", "false" } do
      assert.equal("", printed("table", text), text)
    end
  end)
end)

describe("yaml output", function()
  it("sorts keys and quotes only what must be", function()
    assert.equal([[
Empty: []
EndpointName: churn
EndpointStatus: InService
Environment:
  K: v
Failures: null
ProductionVariants:
- CurrentWeight: 1.0
  DeployedImages:
  - SpecifiedImage: x:1
  VariantName: A
- CurrentInstanceCount: 2
  VariantName: B
Retain: true
]], printed("yaml", ENDPOINT))
    assert.equal([[
- '1'
- 'null'
- on
- 'a: b'
- "\t"
- it's
- '- ''x'''
- "\U0001F600"
]], printed("yaml", [==[["1","null","on","a: b","\t","it's","- 'x'","😀"]]==]))
  end)

  it("folds long lines", function()
    assert.equal("A: " .. ("word "):rep(15) .. "word\n  " .. ("word "):rep(3) .. "end\n",
      printed("yaml", '{"A":"' .. ("word "):rep(19) .. 'end"}'))
  end)

  it("writes a list that is there twice only once", function()
    local parts, list = {}, document.list { 1 }
    require("sagemaker.cli.output.yaml").write(document.object { a = list, b = list }, {},
      function(text) parts[#parts + 1] = text end)
    assert.equal("a: &id001\n- 1\nb: *id001\n", table.concat(parts))
  end)

  it("prints a lone scalar as JSON does", function()
    assert.equal('"x"\n', printed("yaml", '"x"'))
    assert.equal("1.0\n", printed("yaml", "1.0"))
    assert.equal("[]\n", printed("yaml", "[]"))
  end)
end)

describe("the width of a text", function()
  it("counts columns", function()
    assert.same({ 0, 3, 4, 2, 2, 1 }, { width.of "", width.of "abc", width.of "日本", width.of "😀",
      width.of "é", width.of "ñ" })
  end)

  it("counts every character as Python does, where it is at hand", function()
    local p = io.popen([[unset LD_PRELOAD; /usr/bin/python3 -c "
import os, unicodedata
print(unicodedata.unidata_version)
for c in range(0x80, 0x30000, 7 if os.environ.get('SAGEMAKER_TORTURE') else 1):
    if not 0xD800 <= c < 0xE000:
        print(c, 2 if unicodedata.east_asian_width(chr(c)) in 'WFA' else 1)
" 2>/dev/null]])
    if p:read("*l") ~= "14.0.0" then
      p:close()
      pending("no Python with Unicode 14.0")
      return
    end
    local wrong = {}
    for line in p:lines() do
      local code, columns = line:match("^(%d+) (%d)$")
      if width.of(utf8_char(tonumber(code))) ~= tonumber(columns) then wrong[#wrong + 1] = code end
    end
    p:close()
    assert.same({}, wrong)
  end)
end)
