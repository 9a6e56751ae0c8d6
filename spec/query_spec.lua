-- The query protocol: forms out, XML in.
-- https://smithy.io/2.0/aws/protocols/aws-query-protocol.html

local support = require "support" -- luacheck: ignore
local core = require "sagemaker.core"

-- A service with every shape that the protocol knows.
local service = core.load_service {
  metadata = { protocol = "query", serviceId = "Probe", apiVersion = "2020-01-08",
    endpointPrefix = "probe" },
  operations = {
    Put = { input = { shape = "All" }, output = { shape = "All", resultWrapper = "PutResult" },
      errors = { { shape = "Gone" } } },
    Bare = { output = { shape = "All" } },
    Nothing = {},
  },
  shapes = {
    All = { type = "structure", members = {
      Blob = { shape = "Blob" },
      Epoch = { shape = "Time", timestampFormat = "unixTimestamp" },
      Flag = { shape = "Flag" },
      Flat = { shape = "FlatNames" },
      FlatMap = { shape = "FlatMap" },
      Inner = { shape = "All", locationName = "inside" },
      Integer = { shape = "Integer" },
      Items = { shape = "Items" },
      Map = { shape = "Map" },
      Name = { shape = "Name" },
      Names = { shape = "Names" },
      Odd = { shape = "OddMap" },
      Ratio = { shape = "Ratio" },
      Time = { shape = "Time" },
    } },
    Blob = { type = "blob" },
    Flag = { type = "boolean" },
    FlatMap = { type = "map", key = { shape = "Name" }, value = { shape = "Integer" },
      flattened = true },
    FlatNames = { type = "list", member = { shape = "Name", locationName = "Flattened" },
      flattened = true },
    Gone = { type = "structure", members = {}, exception = true,
      error = { code = "GoneAway", httpStatusCode = 410 } },
    Integer = { type = "integer", min = 1 },
    Items = { type = "list", member = { shape = "All", locationName = "item" } },
    Map = { type = "map", key = { shape = "Name" }, value = { shape = "Names" } },
    Name = { type = "string" },
    Names = { type = "list", member = { shape = "Name" } },
    OddMap = { type = "map", key = { shape = "Name", locationName = "K" },
      value = { shape = "Name", locationName = "V" } },
    Ratio = { type = "double" },
    Time = { type = "timestamp" },
  },
}

local function fields_of(params, mode)
  local request = assert(core.encode(service, "Put", params, mode))
  local fields = {}
  for name, value in (request.body .. "&"):gmatch("([^=&]*)=([^&]*)&") do
    fields[name] = core.text.percent_decode(value)
  end
  assert.equal("Put", fields.Action)
  assert.equal("2020-01-08", fields.Version)
  fields.Action, fields.Version = nil, nil
  return fields
end

local function decode(inside, operation)
  return core.decode(service, operation or "Put", 200, {},
    "<PutResponse><PutResult>" .. inside .. "</PutResult></PutResponse>")
end

describe("a form", function()
  it("goes to / by POST", function()
    local request = core.encode(service, "Nothing", nil, "basic")
    assert.same({ method = "POST", path = "/", query = "",
      body = "Action=Nothing&Version=2020-01-08",
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8" },
    }, request)
  end)

  it("names scalars and writes them as text", function()
    assert.same({ Name = "a b&c=é\n", Integer = "7", Ratio = "0.5", Flag = "true", Blob = "AP8=",
      Time = "2015-01-25T08:00:00Z", Epoch = "1422172800" },
      fields_of { Name = "a b&c=é\n", Integer = 7, Ratio = 0.5, Flag = true, Blob = "\0\255",
        Time = 1422172800, Epoch = "2015-01-25T08:00:00Z" })
    assert.same({ Ratio = "NaN" }, fields_of { Ratio = 0 / 0 })
    assert.same({ Ratio = "Infinity" }, fields_of { Ratio = math.huge })
    assert.same({ Ratio = "-Infinity" }, fields_of { Ratio = "-Infinity" })
  end)

  it("counts the items of lists from 1", function()
    assert.same({ ["Names.member.1"] = "a", ["Names.member.2"] = "b" },
      fields_of { Names = { "a", "b" } })
    assert.same({ ["Items.item.1.Name"] = "x", ["Items.item.2.Names.member.1"] = "y" },
      fields_of { Items = { { Name = "x" }, { Names = { "y" } } } })
    assert.same({ ["Flattened.1"] = "a", ["Flattened.2"] = "b" }, fields_of { Flat = { "a", "b" } })
    assert.same({ Names = "" }, fields_of { Names = {} })
  end)

  it("writes maps by their entries", function()
    assert.same({ ["Map.entry.1.key"] = "k", ["Map.entry.1.value.member.1"] = "v" },
      fields_of { Map = { k = { "v" } } })
    assert.same({ ["Odd.entry.1.K"] = "k", ["Odd.entry.1.V"] = "v" },
      fields_of { Odd = { k = "v" } })
    assert.same({ ["FlatMap.1.key"] = "k", ["FlatMap.1.value"] = "3" },
      fields_of { FlatMap = { k = 3 } })
    assert.same({}, fields_of { Map = {} })
  end)

  it("nests structures by their names on the wire", function()
    assert.same({ ["inside.inside.Integer"] = "2" },
      fields_of { Inner = { Inner = { Integer = 2 } } })
  end)

  it("is validated as JSON is, with all problems at once", function()
    local request, problems = core.encode(service, "Put", { Integer = 0, Nam = "x", Names = { 1 },
      Map = { k = { "a", b = 1 } }, Inner = { Name = "\255" }, Items = "x" }, "basic")
    assert.is_nil(request)
    local found = {}
    for _, problem in ipairs(problems) do found[problem.path] = problem.code end
    assert.same({ [""] = "unknown", Integer = "min", ["Names[0]"] = "type", ["Map.k"] = "type",
      ["Inner.Name"] = "utf8", Items = "type" }, found)
    assert.truthy(core.validate(service, "Put", { Names = { "a" } }, "strict"))
    local recursive = {}
    recursive.Inner = recursive
    assert.is_nil((core.encode(service, "Put", recursive, "basic")))
  end)

  it("leaves out null and unknown members where nobody minds", function()
    assert.same({ Name = "x" }, fields_of({ Name = "x", Integer = core.null, Other = 1 }, false))
  end)

  it("reads tables with metamethods", function()
    local params = setmetatable({}, { __index = function(_, name)
      return name == "Name" and "from afar" or nil
    end })
    assert.same({ Name = "from afar" }, fields_of(params))
  end)
end)

describe("an answer in XML", function()
  it("gives scalars", function()
    assert.same({ Name = " a <b> ", Integer = 7, Ratio = 0.5, Flag = false, Blob = "\0\255",
      Time = 1422172800, Epoch = 1422172800.5 }, decode("<Name> a &lt;b&#62; </Name>"
      .. "<Integer>7</Integer><Ratio>0.5</Ratio><Flag>false</Flag><Blob>AP8=</Blob>"
      .. "<Time>2015-01-25T08:00:00Z</Time><Epoch>1422172800.5</Epoch>"))
    assert.same({ Name = "" }, decode("<Name/>"))
    assert.same({ Name = "x" }, decode("<Name><![CDATA[x]]></Name><Unknown><a/>y</Unknown>"))
  end)

  it("gives lists, flattened ones too", function()
    assert.same({ Names = { "a", "b" } },
      decode("<Names>\n <member>a</member>\n <member>b</member>\n</Names>"))
    assert.same({ Names = {} }, decode("<Names/>"))
    assert.same({ Names = {} }, decode("<Names>\n</Names>"))
    assert.same({ Flat = { "a", "b" }, Name = "x" },
      decode("<Flattened>a</Flattened><Name>x</Name><Flattened>b</Flattened>"))
    assert.same({ Items = { { Name = "x" }, {} } },
      decode("<Items><item><Name>x</Name></item><item/></Items>"))
  end)

  it("gives maps, flattened ones too", function()
    assert.same({ Map = { k = { "v" }, l = {} } }, decode("<Map><entry><key>k</key><value>"
      .. "<member>v</member></value></entry><entry><key>l</key><value/></entry></Map>"))
    assert.same({ Odd = { k = "v" } }, decode("<Odd><entry><V>v</V><K>k</K></entry></Odd>"))
    assert.same({ FlatMap = { a = 1, b = 2 } }, decode("<FlatMap><key>a</key><value>1</value>"
      .. "</FlatMap><FlatMap><key>b</key><value>2</value></FlatMap>"))
  end)

  it("gives structures by their names on the wire, without namespaces", function()
    assert.same({ Inner = { Inner = { Name = "deep" } } },
      decode("<x:inside><inside><Name>deep</Name></inside></x:inside>"))
  end)

  it("finds the result in its element, or in the root", function()
    assert.same({ Name = "x" }, core.decode(service, "Bare", 200, {},
      "<?xml version='1.0'?><R><Name>x</Name><ResponseMetadata><RequestId>r</RequestId>"
      .. "</ResponseMetadata></R>"))
    assert.same({}, core.decode(service, "Nothing", 200, {}, ""))
    assert.same({}, core.decode(service, "Nothing", 200, {}, "<NothingResponse/>"))
    local output, message = core.decode(service, "Put", 200, {}, "<PutResponse/>")
    assert.is_nil(output)
    assert.equal("the element PutResult is missing", message)
  end)

  it("that is not what it should be is a failure with a place", function()
    for inside, expected in pairs {
      ["<Integer>x</Integer>"] = 'Integer: expected an integer, got "x"',
      ["<inside><Flag>yes</Flag></inside>"] = 'Inner.Flag: expected a boolean, got "yes"',
      ["<Map><entry><key>k</key><value><member>x</member>y</value></entry></Map>"] =
        "Map.k: expected elements, got text",
      ["<Names><member>a</member>b</Names>"] = "Names: expected elements, got text",
      ["<Names><member><a/></member></Names>"] = "not valid XML: text is expected, not an element "
        .. "at byte 44",
      ["<Name>x</Nam>"] = "not valid XML: an end tag without its start tag at byte 38",
      ["<!DOCTYPE x>"] = "not valid XML: a declaration is refused at byte 25",
    } do
      local output, message = decode(inside)
      assert.is_nil(output, inside)
      assert.equal(expected, message)
    end
  end)

  it("that was cut anywhere is a failure", function()
    local body = "<PutResponse><PutResult><Names><member>a</member></Names><Flag>true</Flag>"
      .. "</PutResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PutResponse>"
    assert.truthy(core.decode(service, "Put", 200, {}, body))
    for n = 0, #body - 1 do
      local output, message = core.decode(service, "Put", 200, {}, body:sub(1, n))
      assert.is_nil(output, n)
      assert.is_string(message)
    end
  end)

  it("may have any bytes changed: an output or a message comes", function()
    local body = "<R><PutResult><Name>a</Name><Names><member>b</member></Names><Flattened>c"
      .. "</Flattened><Map><entry><key>k</key><value><member>v</member></value></entry></Map>"
      .. "<FlatMap><key>a</key><value>1</value></FlatMap><Time>2015-01-25T08:00:00Z</Time>"
      .. "<inside><Blob>AP8=</Blob><Ratio>0.5</Ratio></inside></PutResult></R>"
    local pieces = { "<", ">", "/", "&", "&#65;", "", "<![CDATA[", "]]>", "<Names>", "</Names>",
      "<key>", "\0", "\255", " ", "<Flattened/>" }
    local seed = 1
    local function random(n)
      seed = (seed * 16807) % 2147483647
      return seed % n + 1
    end
    for _ = 1, 3000 do
      local text = body
      for _ = 1, random(4) do
        local at = random(#text)
        text = text:sub(1, at - 1) .. pieces[random(#pieces)] .. text:sub(at + random(6) - 1)
      end
      local output, message = core.decode(service, "Put", 200, {}, text)
      assert.truthy(type(output) == "table" or type(message) == "string")
      assert.is_string(core.decode_error(service, "Put", 400, {}, text).code)
    end
  end)

  it("is bounded in depth", function()
    local output, message = decode(("<inside>"):rep(100) .. ("</inside>"):rep(100))
    assert.is_nil(output)
    assert.truthy(message:find("not valid XML: ", 1, true), message)
  end)
end)

describe("an error in XML", function()
  local function decode_error(status, body)
    return core.decode_error(service, "Put", status, {}, body)
  end

  it("has code, message, type and the identifier of the request", function()
    local body = "<ErrorResponse><Error><Type>Sender</Type><Code>GoneAway</Code>"
      .. "<Message>It is &quot;gone&quot;</Message></Error><RequestId>r-1</RequestId>"
      .. "</ErrorResponse>"
    assert.same({ code = "GoneAway", message = 'It is "gone"', type = "Sender", body = body,
      request_id = "r-1", fields = {} }, decode_error(410, body))
  end)

  it("may come in the older form", function()
    local body = "<Response><Errors><Error><Code>A</Code><Message>m</Message></Error>"
      .. "<Error><Code>B</Code></Error></Errors><RequestID>r</RequestID></Response>"
    assert.same({ code = "A", message = "m", body = body, request_id = "r" },
      decode_error(400, body))
  end)

  it("that cannot be read leaves the status", function()
    for _, body in ipairs { "", "<html>", "<ErrorResponse><Error><Code>X", "<a/>" } do
      local found = decode_error(503, body)
      assert.equal("503", found.code)
      assert.is_nil(found.request_id)
    end
    assert.equal("Service Unavailable", decode_error(503, "").message)
    assert.equal("plain words", decode_error(400, "plain words").message)
  end)
end)

describe("the service's side", function()
  it("is missing and says so", function()
    for _, call in ipairs {
      function() core.encode_output(service, "Put", {}) end,
      function() core.encode_error(service, "GoneAway", "m") end,
      function() core.decode_input(service, { method = "POST", path = "/", body = "" }) end,
    } do
      assert.has_error(call)
    end
  end)
end)
