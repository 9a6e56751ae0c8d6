-- Runs inside csrc/test/failing_host.c: each case again and again, with one allocation more each
-- time before they are refused, until it gets through. Until then it must fail with nothing but
-- Lua's "not enough memory", and afterwards everything must still work. Its argument is the
-- package.cpath.

package.cpath = (...)

local core = require "sagemaker.core"
local refuse = refuse -- luacheck: ignore

local MOST = 5000

local sagemaker, sts = core.service "sagemaker", core.service "sts"

local PROBE = {
  metadata = { protocol = "query", serviceId = "Probe", apiVersion = "1", endpointPrefix = "p" },
  operations = { Put = { input = { shape = "All" },
    output = { shape = "All", resultWrapper = "R" } } },
  shapes = {
    All = { type = "structure", members = { Map = { shape = "Map" }, Flat = { shape = "Flat" },
      Blob = { shape = "Blob" }, Time = { shape = "Time" }, Name = { shape = "Name" } } },
    Blob = { type = "blob" },
    Flat = { type = "list", member = { shape = "Name", locationName = "x" }, flattened = true },
    Map = { type = "map", key = { shape = "Name" }, value = { shape = "Flat" } },
    Name = { type = "string", pattern = "[a-z<]*", max = 100 },
    Time = { type = "timestamp" },
  },
}

local probe = core.load_service(PROBE)

local function at(shape, location, name)
  return { shape = shape, location = location, locationName = name }
end

local LONG = ("x"):rep(9000)

-- A restJson1 operation with something of everything.
local REST = {
  metadata = { protocol = "rest-json", serviceId = "Rest" },
  operations = { Op = { httpChecksumRequired = true, input = { shape = "All" },
    output = { shape = "All" }, http = { method = "POST", requestUri = "/a/{Label}?x=y" } } },
  shapes = {
    All = { type = "structure", required = { "Label" }, members = {
      Blob = { shape = "Blob" }, Doc = { shape = "Doc" }, Time = { shape = "Time" },
      Header = at("List", "header", "x-h"), Label = at("Text", "uri", "Label"),
      Prefix = at("Map", "headers", "x-p-"), Query = at("List", "querystring", "q"),
      Json = { shape = "Text", location = "header", locationName = "x-j", jsonvalue = true } } },
    Blob = { type = "blob" },
    Doc = { type = "structure", document = true, members = {} },
    List = { type = "list", member = { shape = "Text" } },
    Map = { type = "map", key = { shape = "Text" }, value = { shape = "Text" } },
    Text = { type = "string", pattern = ".+", min = 1 },
    Time = { type = "timestamp" },
  },
}

local ALL = { Label = "a", Query = { "b", "c" }, Header = { "d,e", "f" }, Prefix = { g = "h" },
  Json = { 1 }, Time = 1, Doc = { x = { core.null, {} } }, Blob = "\0" }

-- A container whose environment only its metatable knows.
local HOOKED = setmetatable({}, { __index = function(_, key)
  if key == "Environment" then return { A = "1" } end
end })

local ENDPOINT = { EndpointName = "churn", EndpointConfigName = "churn-v2",
  Tags = { { Key = "team", Value = ("science "):rep(20) } } }

local DESCRIBED = '{"EndpointName":"churn","CreationTime":1.5,"ProductionVariants":[{"VariantName":'
  .. '"a\\u00e9","CurrentWeight":1.0,"DeployedImages":[{"SpecifiedImage":"x"}]}],"Unknown":[1]}'

local ROLE = "<R><AssumeRoleResult><AssumedRoleUser><Arn>arn&lt;</Arn></AssumedRoleUser>"
  .. "<Credentials><AccessKeyId>A</AccessKeyId><Expiration>2026-01-15T13:34:56Z</Expiration>"
  .. "</Credentials></AssumeRoleResult></R>"

local FAULT = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not &lt;"
  .. "</Message></Error><RequestId>r</RequestId></ErrorResponse>"

local KEYS = { access_key_id = "AKID", secret_access_key = "SECRET", session_token = "T",
  region = "us-east-1", service = "sagemaker" }

local function request()
  return { method = "POST", host = "h", path = "/a b", query = "x=1&b=2", body = "{}",
    url = "https://h/a%20b?x=1&b=2", headers = { Host = "h", ["Content-Type"] = "text/plain" } }
end

local load_text = loadstring or load -- luacheck: ignore (5.1 has the first)
local searchers = package.searchers or package.loaders -- luacheck: ignore

-- A bundle of one module.
local BUNDLE = os.tmpname()
do
  local code = string.dump(load_text "return 1")
  local index = ("bundled 0 %d\n"):format(#code)
  local file = assert(io.open(BUNDLE, "wb"))
  file:write(("%08d"):format(#index), index, code)
  file:close()
end

local CASES = {
  ["find modules in a bundle"] = function()
    assert(core.use_bundle(BUNDLE))
    local find = table.remove(searchers, 2)
    assert(find("bundled")("bundled") == 1)
    assert(find("absent"):find("no module", 1, true))
  end,
  encode = function()
    assert(core.encode(sagemaker, "CreateEndpoint", ENDPOINT, "strict"))
  end,
  ["encode with metatables"] = function()
    local body = assert(core.encode(sagemaker, "CreateModel",
      { ModelName = "m", PrimaryContainer = HOOKED })).body
    assert(body == '{"ModelName":"m","PrimaryContainer":{"Environment":{"A":"1"}}}')
    assert(not core.encode(sagemaker, "CreateModel", setmetatable({}, { __index = error })))
  end,
  ["encode and decode every place of a request"] = function()
    local rest = core.load_service(REST)
    local encoded = core.encode(rest, "Op", ALL, "strict")
    assert(encoded and encoded.headers["Content-MD5"] and encoded.query == "x=y&q=b&q=c")
    local operation, got = core.decode_input(rest, encoded)
    assert(operation == "Op" and got.Blob == "\0" and got.Header[1] == "d,e" and got.Json[1] == 1)
  end,
  ["encode a form"] = function()
    assert(core.encode(probe, "Put", { Map = { k = { "v", "w" } }, Flat = { "a" }, Blob = "xyz",
      Time = 1, Name = "a" }, "strict"))
  end,
  ["find problems"] = function()
    assert(not core.encode(sagemaker, "CreateEndpoint", { EndpointName = "-", Tag = 1,
      Tags = { { Key = 1 } } }, "strict"))
  end,
  ["find problems in a form"] = function()
    assert(not core.encode(probe, "Put", { Map = { k = 1 }, Flat = { 1 }, Other = 1 }, "strict"))
  end,
  decode = function()
    assert(core.decode(sagemaker, "DescribeEndpoint", 200, {}, DESCRIBED))
  end,
  ["decode XML"] = function()
    assert(core.decode(sts, "AssumeRole", 200, {}, ROLE))
    assert(core.decode(probe, "Put", 200, {}, "<A><R><Map><entry><key>a&lt;</key><value><x>v</x>"
      .. "</value></entry></Map><x>1</x><x>2</x><Blob>AAAA</Blob><Time>2020-01-01T00:00:00Z"
      .. "</Time></R></A>"))
  end,
  ["decode what was cut"] = function()
    assert(not core.decode(sagemaker, "DescribeEndpoint", 200, {}, DESCRIBED:sub(1, 100)))
    assert(not core.decode(sts, "AssumeRole", 200, {}, ROLE:sub(1, 100)))
  end,
  ["decode errors"] = function()
    local found = core.decode_error(sagemaker, "CreateEndpoint", 400, {},
      '{"__type":"a#ResourceInUse","Message":"in use"}')
    assert(found.code == "ResourceInUse")
    found = core.decode_error(sts, "AssumeRole", 400, {}, FAULT)
    assert(found.code == "AccessDenied" and found.request_id == "r")
  end,
  ["decode input"] = function()
    local encoded = core.encode(sagemaker, "CreateEndpoint", ENDPOINT, "basic")
    assert(core.decode_input(sagemaker, encoded) == "CreateEndpoint")
  end,
  ["encode output"] = function()
    assert(core.encode_output(sagemaker, "DescribeEndpoint", { EndpointName = "churn" }))
    assert(core.encode_error(sagemaker, "ResourceInUse", "in use"))
  end,
  ["load a service"] = function()
    assert(core.load_service(PROBE):operation("put"))
  end,
  reflect = function()
    assert(sagemaker:shape("DescribeEndpointOutput"))
    assert(#sagemaker:operations() > 100)
    assert(sagemaker:suggest("CreateEndpoin") == "CreateEndpoint")
  end,
  sign = function()
    local signer = core.signer(KEYS)
    assert(signer:sign(request(), 1768480496).headers.Authorization)
    assert(signer:presign(request(), 1768480496, 60))
  end,
  ["read and write event streams"] = function()
    local function header(name, value) return { name = name, value = value } end
    local bytes = core.eventstream_encode({ header(":message-type", "event"),
      header(":event-type", "PayloadPart") }, ("x"):rep(100))
    local decoder = core.eventstream_decoder(core.service "sagemaker-runtime",
      "InvokeEndpointWithResponseStream")
    decoder:feed(bytes:sub(1, 50))
    assert(not decoder:next())
    decoder:feed(bytes:sub(51) .. core.eventstream_encode({ header(":message-type", "exception"),
      header(":exception-type", "ModelStreamError") }, '{"Message":"boom"}'))
    assert(decoder:next().PayloadPart.Bytes == ("x"):rep(100))
    local _, message, fault = decoder:next()
    assert(message == "ModelStreamError: boom" and fault.fields.Message == "boom", message)
  end,
  ["hash in pieces"] = function()
    assert(core.hasher():update("a"):update("bc"):digest() == core.sha256("abc"))
  end,
  ["read and write HTTP"] = function()
    assert(core.http_request("POST", "/", "h", { A = "b" }, 2)
      == "POST / HTTP/1.1\r\nHost: h\r\nA: b\r\nContent-Length: 2\r\n\r\n")
    local reader = core.http_reader()
    assert(#core.http_request("GET", "/", "h", { A = LONG }, 0) > 9000)
    reader:begin(20000)
    assert(reader:feed("HTTP/1.1 200 OK\r\nA: b\r\nC: " .. LONG, 1) == 9027)
    assert(reader:feed("\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", 1) == 33)
    local status, headers = reader:head()
    assert(status == 200 and headers.C == LONG)
    assert(reader:read("1\r\na\r\n", 1, 10) == 7)
    assert(select(2, reader:read("1\r\nb\r\n0\r\n\r\nmore", 1, 10)) == "ab")
  end,
  ["split URLs and write times"] = function()
    assert(core.uri.split("https://[::1]:8080/a?b"))
    assert(core.time.format(1768480496, "iso8601") == "2026-01-15T12:34:56Z")
    assert(core.text.unbase64(core.text.base64("abc")) == "abc")
    assert(core.match_pattern("[a-z]{1,3}", "abc"))
  end,
}

local function names()
  local list = {}
  for name in pairs(CASES) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function try(name, case)
  for n = 0, MOST do
    local ok, message = refuse(n, case)
    if ok then return n end
    if not tostring(message):find("not enough memory", 1, true) then
      error(("%s, after %d allocations: %s"):format(name, n, tostring(message)), 0)
    end
    if n % 16 == 0 then collectgarbage() end
  end
  error(name .. " does not get through", 0)
end

for round = 1, 2 do
  for _, name in ipairs(names()) do
    local n = try(name, CASES[name])
    if round == 1 then io.write(("    %s: refused %d times\n"):format(name, n)) end
    CASES[name]()
  end
end

os.remove(BUNDLE)
