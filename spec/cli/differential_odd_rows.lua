--- More command lines for the differential spec, of unusual kinds: every corner of shorthand,
-- values of every type in every form and wrong ones, YAML, queries on every kind of value, pages,
-- errors.
local json = require "sagemaker.cli.json"
local text = require("sagemaker.core").text

local M = {}

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local NUMBER = { rc = "a value that is no number is a wrong command line (252)" }
local BASE64 = { rc = "a value that is no base64 is a wrong command line (252)" }
local UNREADABLE = { all = "an answer that cannot be read is an error" }
local ACCIDENT = { all = "a word of Python's, no rule" }
local INFINITE = { request = "no number of JSON, which the AWS CLI sends" }
local FILES = { ["f.txt"] = "from file\n", ["l.txt"] = '["x","y"]' }

-- Rows of one kind: `words` with each of `values`, quoted, in place of "@". `differs` by value.
local function each(rows, kind, words, answer, values, differs)
  local before, after = words:match("^(.-)@(.*)$")
  for i, value in ipairs(values) do
    rows[#rows + 1] = { ("%s-%d"):format(kind, i), before .. quote(value) .. after, answer,
      files = FILES, differs = differs and differs[value] }
  end
end

-- The same with words of a shell.
local function each_word(rows, kind, words, answer, values, differs)
  for i, value in ipairs(values) do
    rows[#rows + 1] = { ("%s-%d"):format(kind, i), words .. value, answer, files = FILES,
      differs = differs and differs[value] }
  end
end

local CREATE = "create-endpoint --endpoint-name e --endpoint-config-name c "
local VARIANT = "create-endpoint-config --endpoint-config-name c --production-variants "
local LIST = "list-endpoints --no-paginate "
local SEARCH = "search --resource Endpoint --no-paginate --search-expression @"

local NEWER = { all = "@= is of newer versions" }
local SHORTHAND = {
  "Key=a,Value=", "Key=a,Value=''", 'Key=a,Value=""', "Key=a,Value=' x '", "Key=a,Value= x ",
  "Key=a,Value=\\,", "Key=a,Value=\\\\", "Key=a,Value=\\x", 'Key=a,Value="a\\"b"',
  "Key=a,Value=a\"b",
  "Key=a,Value='a\\'b'", "Key=a,Value=it's", "Key=a,Value=[x]", "Key=a,Value={x}",
  "Key=a,Value={x=y}", "Key=a,Value=[]", "Key=a,Value=x]", "Key=a,Value=x}", "Key=a,Value==",
  "Key=a,Value=1,2", "Key=a,Key=b,Value=c", "Key=a,Value=é日本", "Key=a,Value=a\nb",
  "Key=a,Value=a\tb", "Key=a", "Key=", "=a", "Key", "Key=a,", ",Key=a", "Key:a", " Key=a,Value=b",
  "Key=a ,Value=b ", "Key=a\n,Value=b", "Key=a,Value@=file://none", "Key@=file://f.txt,Value=b",
  "Key=file://f.txt,Value=b", "Key=a,Value=null", "key=a,value=b", "Key=a,Value=b,Other=c",
  "Key=a,Value=" .. ("long"):rep(5000), "{Key=a,Value=b}", "[Key=a]", "Key=\"a,b\",Value='c,d'",
  "Key=a,Value=\"b", "Key='a'b,Value=c", "", " ", "Key=a,Value=--x", "Key=$HOME,Value=`x`",
  "Key=a,Value=😀", "Key=a,,Value=b",
}
local TAGS = {
  "[]", "{}", "[{}]", "null", "5", '"x"', "[1]", "[null]", '["a"]', '[["a"]]', '{"Key":1}',
  '{"Key":null,"Value":"a"}', '{"Key":true}', '{"Key":[]}', '{"key":"a"}', '{"Key":"a"',
  '{"Key":"a","Key":"b","Value":"c"}', '{"Key":"\\u00e9\\ud83d\\ude00","Value":"\\n"}',
  ' [ { "Key" : "a", "Value":"" } ] ', '[{"Key":"a"}]x', '[{"Key":"a",}]', "[{'Key':'a'}]",
}
local CONDITIONS = {
  "Filters=[{Name=a,Operator=Equals,Value=b},{Name=c,Operator=Exists}],Operator=Or",
  "NestedFilters=[{NestedPropertyName=a,Filters=[{Name=b},{Name=c}]}]", "SubExpressions=[{},{}]",
  "SubExpressions=[{SubExpressions=[{Filters=[{Name=a}]}]}]", "Filters=[]", "Filters={Name=a}",
  "Filters=Name=a", "Filters=[{Name=a,Value='x,]}y'}]", "Filters=[{Name=a},{Name=b}",
  "Filters=[ {Name=a} , {Name=b} ]", "Filters=[{Name=a}{Name=b}]", "Filters=[{Name=a},]",
  "Filters=x", "Filters=[x,y]", "[]", "{}", '{"Filters":{}}', '{"Filters":[[]]}', "null", "5", "",
  '{"Filters":null}', '{"Filters":[{"Name":5}]}', '{"Operator":"Or","Filters":[]}', "Nope=1",
}
local LISTS = {
  "SecurityGroupIds=a,Subnets=b", "SecurityGroupIds=a,b,Subnets=c,d", "SecurityGroupIds=a,b,c",
  "SecurityGroupIds=[a,b],Subnets=[c]", "SecurityGroupIds=[],Subnets=",
  "SecurityGroupIds='a,b',Subnets=c", "SecurityGroupIds=a,,b,Subnets=c",
  "SecurityGroupIds=[a b,c],Subnets=[d]", "SecurityGroupIds=[a,],Subnets=[b]",
  "SecurityGroupIds=[a,'b,c'],Subnets=[d]", "SecurityGroupIds=a\\,b,Subnets=c",
}
local MAPS = {
  "a=b,c=d", "a=", "=b", "a", "a=b=c", "a='x,y'", 'a="x\\"y"', "a=\\,", "é=ü", "a.b-c_d=e", "a b=c",
  "a=b,a=c", "a=[b]", "a={b=c}", "a=1,b=true,c=null", '{"a":"b"}', '{"a":1}', '{"a":null}',
  '{"a":["b"]}', "{}", "[]", "a=file://f.txt", "a=b,", '{"":"x"}', '{"a":"b","a":"c"}', "a/b=c",
}
local WORDS = { "a b c", "''", "a ''", "a,b", "'a b' c", "'[\"a\"]'", "'[\"a\"]' b", "'[]'",
  "'[1]'",
  "'{}'", "'{\"a\":1}' x", "'[\"a\"'", "file://l.txt", "a --region eu-west-1 b", "'a\nb'", "-1 -x" }
local FLOATS = { "0.5", "-0.0", "1e3", "1E-3", ".5", "5.", " 1 ", "1_0", "-1", "x", "", "0x1p3",
  "inf", "1e400" }
local FLOAT_DIFFERS = { x = NUMBER, [""] = NUMBER, ["0x1p3"] = NUMBER, inf = INFINITE,
  ["1e400"] = INFINITE }
local JSON_FLOATS = { "0.5", "-0.0", "1e3", "123456789012345678901234567890", '"1"', "null", "1.0",
  "0.1000000000000000055", "1e-7", "100000000000000000000.0", "12345678.9" }
local INTEGERS = { "-5", "+5", "007", "1_0", " 5 ", "5.0", "1e1", "five", "" }
local INTEGER_DIFFERS = { ["5.0"] = NUMBER, ["1e1"] = NUMBER, five = NUMBER, [""] = NUMBER }
local STRINGS = { "", " ", "-", "-x", "é", "日本", "😀", "a\nb", "a\\nb", "null", "{", "[", "{}", "[]",
  "file:/x", "file:///nope", "fileb://f.txt", "file://f.txt", "http://x", "%41", "'", '"',
  ("x"):rep(60000), "a=b" }
local TIMES = { "1768480496.5", "-5", "1e9", "99999999999", "2026-01-15 12:34:56",
  "2026-01-15T12:34",
  "20260115T123456Z", "20260115T123456", "2026-01-15T12:34:56.789Z", "15 Jan 2026", "Jan 15 2026",
  "January 15, 2026", "2026/01/15", "01/15/2026", "15/01/2026", "2026-01-15T12:34:56+0530",
  "Thu Jan 15 12:34:56 2026", "Thu Jan 15 12:34:56 UTC 2026", "Jan 15 2026 1:30 PM",
  "2026-01-15T12:34:56,5Z", "2026-01-15 1:30", "2026-02-30", "0001-01-01", "9999-12-31T23:59:59Z",
  "now", "", "15 Foo 2026" }
local DOCUMENTS = {
  '{"EndpointName":"j","EndpointConfigName":"c","Tags":null}', '{"EndpointName":"j"}', "[]", "null",
  '{"EndpointName":"j","EndpointConfigName":"c","Unknown":1}', "{}", "", "file://none.json",
  '{"EndpointName":5,"EndpointConfigName":"c"}', '{"EndpointName":"j","EndpointConfigName":"c"} x',
  '{"EndpointName":"j","EndpointName":"k","EndpointConfigName":"c"}', "{'EndpointName':'j'}",
  '{"EndpointName":"file://f.txt","EndpointConfigName":"c"}',
}

local WHOLE = { all = "a float that is whole is taken for an integer" }
local YAML_INTEGERS = { "010", "1_000", "0x10", "0o17", "0b11", "+5", "-5", ".5", "1.5", "'5'",
  "five",
  "~", "12:30", "0777", "08", "0x", "1e", "!!int 5", "!!str 5", "[5]", "5.0" }
local YAML_STRINGS = {
  "a", "yes", "no", "on", "y", "True", "NULL", "1e3", "0x1", '"x\\ty"', "'it''s'", "a: b",
  "|-\n  x\n  y", ">\n  x\n  y\n\n  z\n", "a\n  b", "@x", "%x", "`x`", "*x", "&x y", "[a", "é 😀",
  '"\\u00e9"', "#x", "a #x", "- x", "{a: b}", "[]", "{}", "2026-01-15",
}

-- What is sent, for values of every type.
local function sent(rows, answer)
  local empty = answer "{}"
  each(rows, "odd-shorthand", CREATE .. "--tags @", empty, SHORTHAND, {
    ["Key@=file://f.txt,Value=b"] = NEWER, ["Key=a,Value@=file://none"] = nil,
    ["Key=a,Value=😀"] = { all = "every character may stand in a value" },
  })
  each(rows, "odd-tags", CREATE .. "--tags @", empty, TAGS)
  each(rows, "odd-conditions", SEARCH, answer '{"Results": []}', CONDITIONS)
  each(rows, "odd-lists", "create-model --model-name m --execution-role-arn r --vpc-config @",
    empty, LISTS)
  each(rows, "odd-maps", "update-artifact --artifact-arn arn --properties @", empty, MAPS)
  each_word(rows, "odd-words", "delete-tags --resource-arn arn --tag-keys ", empty, WORDS)
  each_word(rows, "odd-flags", "create-model --model-name m --execution-role-arn r ", empty, {
    "--enable-network-isolation --no-enable-network-isolation", "--enable-network-isolation true",
    "--no-enable-network-isolation --enable-network-isolation", "--enable-network-isolation=true" })
  for i, value in ipairs(FLOATS) do
    rows[#rows + 1] = { "odd-float-" .. i, VARIANT .. quote("VariantName=v,ModelName=m,"
      .. "InitialVariantWeight=" .. value), empty, differs = FLOAT_DIFFERS[value] }
  end
  for i, value in ipairs(JSON_FLOATS) do
    rows[#rows + 1] = { "odd-json-float-" .. i, VARIANT .. quote('[{"VariantName":"v","ModelName":'
      .. '"m","InitialVariantWeight":' .. value .. "}]"), empty }
  end
  each(rows, "odd-integer", LIST .. "--max-results=@", empty, INTEGERS, INTEGER_DIFFERS)
  each(rows, "odd-string", LIST .. "--name-contains=@", empty, STRINGS)
  each(rows, "odd-time", LIST .. "--creation-time-after=@", empty, TIMES)
  each(rows, "odd-document", "create-endpoint --cli-input-json @", empty, DOCUMENTS)
  local function yaml(kind, member, values, differs)
    for i, value in ipairs(values) do
      rows[#rows + 1] = { ("%s-%d"):format(kind, i), LIST .. "--cli-input-yaml file://i.yaml",
        empty, files = { ["i.yaml"] = member .. ": " .. value .. "\n" }, differs = differs[value],
        needs_yaml = true }
    end
  end
  yaml("odd-yaml-integer", "MaxResults", YAML_INTEGERS, { ["5.0"] = WHOLE })
  yaml("odd-yaml-string", "NameContains", YAML_STRINGS,
    { ["2026-01-15"] = { all = "a date is text, as it is in JSON" } })
end

-- Functions and operators on every kind of value.
local FUNCTIONS = { "abs(@)", "avg(@)", "ceil(@)", "floor(@)", "keys(@)", "values(@)", "length(@)",
  "max(@)", "min(@)", "sum(@)", "sort(@)", "reverse(@)", "to_array(@)", "to_number(@)",
  "to_string(@)", "type(@)", "not_null(@,`9`)", "join(`\",\"`,@)", "starts_with(@,`\"a\"`)",
  "ends_with(@,`\"c\"`)", "map(&@,@)", "merge(@,`{\"z\":1}`)", "max_by(@,&@)", "sort_by(@,&@)",
  "!@", "@==@", "@ && `5`", "@ || `5`", "@[0]", "@[]", "@[-1]", "@[::-1]", "@.a", "@.*", "@[*]" }
local OPERANDS = { "`1`", "`-1.5`", "`\"abc\"`", "`\"\"`", "`null`", "`true`", "`[1,2,3]`",
  "`[\"b\",\"a\"]`", "`[]`", "`{\"a\":1,\"b\":null}`", "`{}`", "`1e3`", "`\"12\"`", "`[null,1]`" }

local LITERALS = { "`-1.5`", "`\"\"`", "`null`", "`true`", "`[1,[2,[3]]]`", "`[[1,2],[3,4]]`",
  "`[{\"a\":[1,2]},{\"a\":[]}]`", "`{\"a\":{\"b\":{\"c\":1}}}`", "`[\"é\",\"日本\",\"😀\"]`", "`[]`",
  "`{}`", "`[null,1]`", "`[[],[]]`", "`\"a\\nb\"`", "`1e100`", "`[1.5,2.0,3e5]`" }

local function queries(rows, answer)
  local empty = answer '{"Endpoints": []}'
  for i, form in ipairs(FUNCTIONS) do
    for at, operand in ipairs(OPERANDS) do
      if (i + at) % 6 == 0 then -- each function on some, each operand in some
        local name = form:gsub("&@", "&\1"):gsub("@", (operand:gsub("%%", "%%%%"))):gsub("\1", "@")
        rows[#rows + 1] = { ("odd-query-%d-%d"):format(i, at), "list-endpoints --query "
          .. quote(name), empty }
      end
    end
  end
  for _, form in ipairs { "text", "yaml", "table" } do
    each(rows, "odd-literal-" .. form, "list-endpoints --output " .. form .. " --query @", empty,
      LITERALS)
  end
end

local ODD = { "yes", "no", "~", "null", "1e3", "0x1", "12:30", "2026-01-15", "", " ", " lead",
  "trail ", "a: b", "a #b", "#x", "- x", "? x", "[x", "{x", "*x", "&x", "!x", "|x", ">x", "%x",
  "@x",
  "`x", "'x", "\"x", "x'y", "a\nb", "a\n", "\na", " a\nb", "a\tb", "\t", "é", "日本", "😀",
  "\226\128\168", "\239\187\191", "\194\133", "\194\160", "\1", "\127", "=", "<<", ".inf", "True",
  "-",
  "---", "...", "x:", "-1", "1.", "08", ("w "):rep(60), ("x"):rep(200), "a  b", "a\\b",
  "e\204\129", "👩‍💻", "ｗｉｄｅ" }

local NUMBERS = [[{"TrainingJobName": "j", "TrainingTimeInSeconds": -5, "BillableTimeInSeconds":
  9007199254740993, "EnableManagedSpotTraining": false, "HyperParameters": {"b": "1", "a": "2", "é":
  "3", "": "4"}, "FinalMetricDataList": [{"Value": -0.0}, {"Value": 1e22}, {"Value":
  1.7976931348623157e308}, {"Value": 5e-324}, {"Value": 0.1}, {"Value": 123456789.125}, {"Value":
  1e15},
  {"Value": 1e16}]}]]

local function printed(rows, answer)
  for _, form in ipairs { "json", "text", "yaml", "table" } do
    for from = 1, #ODD, 10 do
      local tags = {}
      for i = from, math.min(from + 9, #ODD) do
        tags[#tags + 1] = ('{"Key": "k%d", "Value": %s}'):format(i, json.encode(ODD[i]))
      end
      rows[#rows + 1] = { ("odd-tags-%s-%d"):format(form, from), "list-tags --resource-arn a "
        .. "--output " .. form, answer('{"Tags": [' .. table.concat(tags, ", ") .. "]}") }
    end
    rows[#rows + 1] = { "odd-numbers-" .. form, "describe-training-job --training-job-name j "
      .. "--output " .. form, answer(NUMBERS) }
  end
end

local function token(value)
  return text.base64(value)
end

local PAGING = { "--max-items 2", "--max-items 3 --output text", "--max-items 3 --output table",
  "--max-items 3 --output yaml-stream", "--max-items 4 --page-size 2", "--max-items 5",
  "--max-items 1 --query NextToken", "--max-items 0", "--max-items x", "--page-size x",
  "--page-size 0", "--starting-token " .. token '{"NextToken": "t1"}', "--starting-token "
  .. token '{"NextToken": "t2", "boto_truncate_amount": 1}', "--starting-token None___1",
  "--starting-token t1___1", "--starting-token t1", "--starting-token ''", "--starting-token eyJ9",
  "--no-paginate --max-items 2", "--no-paginate --page-size 2", "--no-paginate --starting-token t1",
  "--max-items 2 --max-results 1", "--next-token t2 --max-items 1",
  "--query 'length(Endpoints)' --output text",
  "--output text --query '[Endpoints[0].EndpointName]'",
  "--output yaml-stream --query Endpoints", "--output table --query 'Endpoints[].EndpointName'" }

local function paged(rows, answer)
  each_word(rows, "odd-pages", "list-endpoints ", {
    answer [[{"Endpoints": [{"EndpointName": "a"}, {"EndpointName": "b"}], "NextToken": "t1"}]],
    answer [[{"Endpoints": [], "NextToken": "t2"}]],
    answer [[{"Endpoints": [{"EndpointName": "c"}, {"EndpointName": "d"}], "NextToken": "t3"}]],
    answer [[{"Endpoints": [{"EndpointName": "e"}]}]],
  }, PAGING)
  each_word(rows, "odd-unpaged", "describe-endpoint --endpoint-name x ", answer "{}",
    { "--max-items 1", "--page-size 1", "--starting-token 1", "--no-paginate" })
end

local STATUS = { stderr = "the status stands where there is no message" }
local ERRORS = {
  { '{"__type":"ValidationException","message":"a\\nb"}' }, { '{"message":"m"}' },
  { "{}", 400, STATUS }, { "", 403, STATUS }, { "not json" }, { '{"__type":"A#B","message":"m"}' },
  { '{"__type":"E","message":"é 日本 😀"}' }, { '{"__type":"E","message":5}' },
  { '{"__type":"x:y/z#B","message":"m"}', 400,
    { stderr = "of a code what stands before the first colon counts" } },
  { '{"__type":"R","Message":"x","message":"y"}' }, { '{"__type":"C","message":"m"}', 409 },
  { "[]", 400, ACCIDENT }, { "null", 400, ACCIDENT }, { "", 200, UNREADABLE },
  { "{", 200, UNREADABLE }, { '{"Endpoints": {}}', 200, UNREADABLE },
  { '{"Endpoints": [{"EndpointName": 5}]}', 200, UNREADABLE }, { '{"Endpoints": null}', 200 },
  { '{"Endpoints": [null]}', 200 }, { '{"Endpoints": [{"CreationTime": null}]}', 200 },
  { '{"Endpoints": [{"CreationTime": "2026-01-15T12:34:56Z"}]}', 200 },
  { '{"Endpoints": [{"CreationTime": -62135596800}]}', 200 },
  { '{"Endpoints": [{"CreationTime": 1768480496.9999999}]}', 200 }, { '{"Extra": 1}', 200 },
}

local function failing(rows, answer)
  for i, case in ipairs(ERRORS) do
    rows[#rows + 1] = { "odd-answer-" .. i, "list-endpoints --no-paginate",
      answer(case[1], case[2] or 400), differs = case[3] }
  end
  for _, form in ipairs { "text", "yaml", "table" } do
    rows[#rows + 1] = { "odd-error-" .. form, "describe-endpoint --endpoint-name x --output "
      .. form, answer('{"__type":"ValidationException","message":"no"}', 400) }
  end
end

--- Rows of the control plane.
---@param answer fun(body: string, status?: integer, headers?: table): table
---@return table[]
function M.rows(answer)
  local rows = {}
  sent(rows, answer)
  queries(rows, answer)
  printed(rows, answer)
  paged(rows, answer)
  failing(rows, answer)
  return rows
end

local BODIES = { "eA==", "eA=", "e A = =", "+/+/", "", "ZXhhbXBsZQo=", "é", "fileb://f.txt",
  "file://b64", "file://nope" }
local HEADS = { "--content-type ''", "--content-type 'a/b; c=\"d\"'", "--custom-attributes 'a b'",
  "--target-variant ''", "--content-type a --content-type b", "--output yaml", "--output table",
  "--query ContentType --output text" }

--- Rows of invocations.
---@param answer fun(body: string, status?: integer, headers?: table): table
---@return table[]
function M.runtime(answer)
  local rows, bytes = {}, answer("out", 200, { ["Content-Type"] = "text/plain" })
  local files = { b64 = "eA==\n", ["f.txt"] = "bytes\n" }
  local function add(kind, words, differs)
    rows[#rows + 1] = { kind, "invoke-endpoint " .. words, bytes, files = files, read = { "out" },
      differs = differs }
  end
  for i, body in ipairs(BODIES) do
    add("odd-body-" .. i, "--endpoint-name e --body " .. quote(body) .. " out",
      (body == "eA=" or body == "é") and BASE64 or nil)
    add("odd-raw-" .. i, "--endpoint-name e --cli-binary-format raw-in-base64-out --body "
      .. quote(body) .. " out")
  end
  for i, words in ipairs(HEADS) do
    add("odd-head-" .. i, "--endpoint-name e --body eA== " .. words .. " out")
  end
  for i, name in ipairs { "a b", "a/b", "é" } do
    add("odd-name-" .. i, "--endpoint-name " .. quote(name) .. " --body eA== out")
  end
  add("odd-out-1", "--endpoint-name e --body eA== nodir/out")
  add("odd-out-2", "--endpoint-name e --body eA== out extra")
  add("odd-out-3", "--endpoint-name e out")
  return rows
end

return M
