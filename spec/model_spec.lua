-- The services as Lua values: look-ups, reflection, and services built from a model at run time.

local cjson = require "cjson"
local core = require "sagemaker.core"
local support = require "support"

local SERVICES =
  { "cloudwatch", "sagemaker", "sagemaker-runtime", "signin", "sso", "sso-oidc", "sts" }

-- The folder of the service models, or nil when it is not at hand.
local function models()
  local dir = os.getenv("SAGEMAKER_MODELS") or "../shared/models"
  return support.read(dir .. "/partitions.json") and dir
end

local function model_of(name)
  local dir = models()
  return dir and cjson.decode(support.read(("%s/%s/service.json"):format(dir, name)))
end

local function by_name(a, b)
  return a.name < b.name
end

-- A small model with every trait that a service may have.
local function small_model()
  return {
    metadata = {
      protocol = "rest-json", serviceId = "Small", endpointPrefix = "small", apiVersion = "2020",
    },
    operations = {
      PutThing = {
        http = { method = "PUT", requestUri = "/things/{Name}", responseCode = 201 },
        endpoint = { hostPrefix = "{Name}." },
        input = { shape = "ThingInput", payload = "Data" },
        output = { shape = "ThingOutput" },
        errors = { { shape = "NotFound" } },
        auth = { "smithy.api#noAuth" },
        httpChecksumRequired = true,
      },
      ListARNs = { readonly = true, idempotent = true, httpChecksum = cjson.null },
    },
    shapes = {
      ThingInput = {
        type = "structure",
        required = { "Name" },
        members = {
          Name = { shape = "Name", location = "uri", hostLabel = true },
          Token = { shape = "Name", idempotencyToken = true, location = "header",
            locationName = "x-token" },
          Filters = { shape = "Labels", location = "querystring" },
          Extra = { shape = "Labels", location = "headers", locationName = "x-extra-" },
          When = { shape = "Time", location = "querystring", timestampFormat = "rfc822" },
          Json = { shape = "Name", jsonvalue = true, location = "header", deprecated = true },
          Data = { shape = "Blob" },
        },
      },
      ThingOutput = {
        type = "structure",
        payload = "Stream",
        members = {
          Stream = { shape = "Stream" },
          Status = { shape = "Int", location = "statusCode" },
        },
      },
      Stream = { type = "structure", eventstream = true, members = { Part = { shape = "Part" } } },
      Part = {
        type = "structure", event = true,
        members = {
          Bytes = { shape = "Blob", eventpayload = true },
          Kind = { shape = "Name", eventheader = true },
        },
      },
      NotFound = {
        type = "structure", exception = true, fault = true,
        error = { code = "ThingNotFound", httpStatusCode = 404 },
        members = { message = { shape = "Name", locationName = "Message" } },
      },
      Choice = { type = "structure", union = true, members = { Again = { shape = "Choice" } } },
      Document = { type = "structure", document = true, members = {} },
      Labels = { type = "map", key = { shape = "Name" }, value = { shape = "Names" } },
      Names = { type = "list", member = { shape = "Name" }, min = 1, max = 5 },
      Name = {
        type = "string", enum = { "b", "a" }, pattern = "[a-z]*", sensitive = true,
        locationName = "name",
      },
      Time = { type = "timestamp", timestampFormat = "iso8601" },
      Int = { type = "integer", max = 2 ^ 40, box = true },
      Blob = { type = "blob" },
    },
  }
end

describe("a compiled-in service", function()
  it("is the same value each time", function()
    for _, name in ipairs(SERVICES) do
      assert.equal(core.service(name), core.service(name))
    end
    assert.equal("sagemaker.service: SageMaker", tostring(core.service("sagemaker")))
  end)

  it("is nil for a name that is not compiled in", function()
    assert.is_nil(core.service("s3"))
    assert.has_error(function() core.service(nil) end)
    assert.has_error(function() core.service(42) end)
  end)

  it("knows every operation by both names and caches it", function()
    for _, name in ipairs(SERVICES) do
      local service = core.service(name)
      local operations = service:operations()
      assert.is_true(#operations > 0)
      for _, operation in ipairs(operations) do
        local info = service:operation(operation)
        assert.equal(operation, info.name)
        assert.equal(core.snake(operation), info.snake)
        assert.equal(info, service:operation(info.snake))
        assert.equal(info, service:operation(operation))
        assert.is_table(service:shape(info.input))
      end
    end
  end)

  it("describes an operation", function()
    assert.same({
      name = "CreateEndpoint", snake = "create_endpoint", method = "POST", uri = "/",
      input = "CreateEndpointInput", output = "CreateEndpointOutput", status = 200,
      errors = { "ResourceLimitExceeded" },
    }, core.service("sagemaker"):operation("create_endpoint"))
    assert.same({
      name = "InvokeEndpointWithResponseStream", snake = "invoke_endpoint_with_response_stream",
      method = "POST", uri = "/endpoints/{EndpointName}/invocations-response-stream",
      input = "InvokeEndpointWithResponseStreamInput",
      output = "InvokeEndpointWithResponseStreamOutput", status = 200, stream_output = true,
      errors = { "InternalFailure", "ServiceUnavailable", "ValidationError", "ModelError",
        "ModelStreamError", "InternalStreamFailure" },
    }, core.service("sagemaker-runtime"):operation("InvokeEndpointWithResponseStream"))
  end)

  it("names the idempotency token", function()
    local service = core.service("sagemaker")
    assert.equal("ClientRequestToken", service:operation("CreatePipeline").token)
    assert.is_nil(service:operation("CreateEndpoint").token)
  end)

  it("answers nil for an operation that does not exist", function()
    local service = core.service("sagemaker")
    assert.is_nil(service:operation("CreateEndpoints"))
    assert.is_nil(service:operation(""))
    assert.is_nil(service:operation("Create\0Endpoint"))
    assert.has_error(function() service:operation(nil) end)
    assert.has_error(function() service.operation({}, "x") end)
  end)

  it("suggests the nearest operation in the form that was used", function()
    local service = core.service("sagemaker")
    assert.equal("create_endpoint", service:suggest("creat_endpoint"))
    assert.equal("CreateEndpoint", service:suggest("CreateEndpiont"))
    assert.equal("CreateEndpoint", service:suggest("Createendpoint"))
    assert.is_nil(service:suggest("xyzzy"))
    assert.is_nil(service:suggest(("a"):rep(100)))
  end)

  it("describes shapes", function()
    local service = core.service("sagemaker")
    local shape = service:shape("CreateEndpointInput")
    assert.same({
      { "EndpointName", true, "string" }, { "EndpointConfigName", true, "string" },
      { "DeploymentConfig", false, "structure" }, { "Tags", false, "list" },
    }, (function()
      local list = {}
      for i, m in ipairs(shape.members) do list[i] = { m.name, m.required, m.type } end
      return list
    end)())
    assert.same({
      name = "TrafficRoutingConfigType", type = "string",
      enum = { "ALL_AT_ONCE", "CANARY", "LINEAR" },
    }, service:shape("TrafficRoutingConfigType"))
    assert.same({ name = "TagList", type = "list", value = "Tag", min = 0, max = 50 },
      service:shape("TagList"))
    assert.is_nil(service:shape("NoSuchShape"))
    for _, name in ipairs(service:shapes()) do assert.equal(name, service:shape(name).name) end
  end)

  it("says how to reach the service", function()
    assert.same({
      id = "SageMaker", signing_name = "sagemaker", endpoint_prefix = "api.sagemaker",
      target_prefix = "SageMaker", json_version = "1.1", api_version = "2017-07-24",
      protocol = "json",
    }, core.service("sagemaker"):info())
    local info = core.service("sagemaker-runtime"):info()
    assert.equal("rest-json", info.protocol)
    assert.equal("sagemaker", info.signing_name)
    assert.is_nil(info.target_prefix)
  end)

  it("stays usable when somebody closes it", function()
    local service = core.service("sagemaker")
    getmetatable(service).__gc(service)
    assert.is_table(service:operation("CreateEndpoint"))
  end)

  it("equals the service that is built from the model at run time", function()
    if not models() then return pending("the service models are not at hand") end
    for _, name in ipairs(SERVICES) do
      local compiled, loaded = core.service(name), core.load_service(model_of(name))
      assert.same(compiled:info(), loaded:info())
      assert.same(compiled:operations(), loaded:operations())
      assert.same(compiled:shapes(), loaded:shapes())
      for _, operation in ipairs(compiled:operations()) do
        assert.same(compiled:operation(operation), loaded:operation(operation))
      end
      for _, shape in ipairs(compiled:shapes()) do
        local a, b = compiled:shape(shape), loaded:shape(shape)
        if a.members then table.sort(a.members, by_name) end
        assert.same(a, b)
      end
    end
  end)
end)

describe("core.snake", function()
  it("names the golden operations and parameters as botocore does", function()
    local dir = support.conformance()
    local text = dir and support.read(dir .. "/golden/xform.json")
    if not text then return pending("the golden files are not at hand") end
    for _, operations in pairs(cjson.decode(text)) do
      for name, row in pairs(operations) do
        assert.equal(row.method, core.snake(name))
        for param, forms in pairs(row.params) do assert.equal(forms.py, core.snake(param)) end
      end
    end
  end)

  it("passes botocore's own cases", function()
    local ran, skipped = 0, {}
    for _, row in ipairs(support.rows("botocore-unit/utils/xform_name.jsonl")) do
      local name, separator = row.args[1], row.args[2] or "_"
      if name:find("_", 1, true) and separator ~= "_" then
        skipped[#skipped + 1] = { id = row.id, reason = "an underscore but another separator" }
      else
        ran = ran + 1
        assert.equal(row.result, (core.snake(name):gsub("_", separator)))
      end
    end
    support.tally("xform_name", ran, skipped)
  end)
end)

describe("a service built at run time", function()
  it("keeps every trait of an operation", function()
    local service = core.load_service(small_model())
    assert.same({ "ListARNs", "PutThing" }, service:operations())
    assert.same({
      name = "PutThing", snake = "put_thing", method = "PUT", uri = "/things/{Name}", status = 201,
      host_prefix = "{Name}.", input = "ThingInput", output = "ThingOutput", token = "Token",
      errors = { "NotFound" }, unsigned = true, checksum = true, stream_output = true,
    }, service:operation("PutThing"))
    assert.same({
      name = "ListARNs", snake = "list_arns", method = "POST", uri = "/", status = 200,
      errors = {}, readonly = true, idempotent = true,
    }, service:operation("list_arns"))
    assert.equal("Small", service:info().id)
  end)

  it("keeps every trait of a member, also those of its shape", function()
    local shape = core.load_service(small_model()):shape("ThingInput")
    local members = {}
    for _, m in ipairs(shape.members) do members[m.name] = m end
    assert.equal("Data", shape.payload)
    assert.equal("payload", members.Data.location)
    assert.equal("uri", members.Name.location)
    assert.equal("name", members.Name.wire)
    assert.is_true(members.Name.required and members.Name.host_label)
    assert.equal("x-token", members.Token.wire)
    assert.is_true(members.Token.token)
    assert.equal("querystrings", members.Filters.location)
    assert.equal("headers", members.Extra.location)
    assert.equal("rfc822", members.When.timestamp_format)
    assert.equal("querystring", members.When.location)
    assert.is_true(members.Json.jsonvalue and members.Json.deprecated)
    assert.is_false(members.Json.required)
  end)

  it("keeps every trait of a shape", function()
    local service = core.load_service(small_model())
    assert.same({
      name = "Name", type = "string", enum = { "b", "a" }, pattern = "[a-z]*", sensitive = true,
    }, service:shape("Name"))
    assert.same({ name = "Labels", type = "map", key = "Name", value = "Names" },
      service:shape("Labels"))
    assert.same({ name = "Names", type = "list", value = "Name", min = 1, max = 5 },
      service:shape("Names"))
    assert.same({ name = "Time", type = "timestamp", timestamp_format = "iso8601" },
      service:shape("Time"))
    assert.same({ name = "Document", type = "document" }, service:shape("Document"))
    assert.equal(2 ^ 40, service:shape("Int").max)
    assert.is_true(service:shape("Choice").union)
    assert.is_true(service:shape("Stream").eventstream)
    assert.is_true(service:shape("Part").event)
    assert.is_true(service:shape("Part").members[1].event_payload)
    assert.is_true(service:shape("Part").members[2].event_header)
    local exception = service:shape("NotFound")
    assert.same({ "ThingNotFound", 404, true, true },
      { exception.code, exception.status, exception.exception, exception.fault })
  end)

  it("has no locations in a JSON protocol", function()
    local model = small_model()
    model.metadata.protocol = "json"
    for _, m in ipairs(core.load_service(model):shape("ThingInput").members) do
      assert.equal("body", m.location)
    end
  end)

  it("takes the first protocol that the client speaks", function()
    local model = small_model()
    model.metadata.protocol = "smithy-rpc-v2-cbor"
    model.metadata.protocols = { "smithy-rpc-v2-cbor", "json", "query" }
    model.metadata.awsQueryCompatible = {}
    local info = core.load_service(model):info()
    assert.equal("json", info.protocol)
    assert.is_true(info.query_errors)
  end)

  it("may be empty", function()
    local service = core.load_service {
      metadata = { protocol = "json" }, operations = {}, shapes = {},
    }
    assert.same({}, service:operations())
    assert.same({}, service:shapes())
    assert.is_nil(service:operation("A"))
    assert.is_nil(service:suggest("A"))
    assert.equal("", service:info().id)
  end)

  it("runs no metamethod of the model", function()
    local loud = { __index = function() error("called") end, __pairs = error, __len = error }
    local model = small_model()
    for _, part in pairs(model) do setmetatable(part, loud) end
    assert.equal(2, #core.load_service(setmetatable(model, loud)):operations())
  end)

  it("says so when it is used after it was closed", function()
    local service = core.load_service(small_model())
    local close = getmetatable(service).__gc
    close(service)
    close(service)
    assert.has_error(function() service:operations() end)
    assert.has_error(function() return tostring(service) end)
  end)
end)

-- What makes a model malformed, and what the message says about it.
local MALFORMED = {
  { "the table metadata: protocol is missing", function(m) m.metadata.protocol = nil end },
  { "'ec2' is not one of", function(m) m.metadata.protocol = "ec2" end },
  { "metadata is missing", function(m) m.metadata = nil end },
  { "shapes is missing", function(m) m.shapes = nil end },
  { "operations is missing", function(m) m.operations = cjson.null end },
  { "shapes must be a table, not a string", function(m) m.shapes = "x" end },
  { "shape Blob: type is missing", function(m) m.shapes.Blob.type = nil end },
  { "shape Blob: type 'text' is unknown", function(m) m.shapes.Blob.type = "text" end },
  { "shape Name: enum must be a table", function(m) m.shapes.Name.enum = "a" end },
  { "shape Name: enum has a value that is not", function(m) m.shapes.Name.enum = { 1 } end },
  { "shape Names: max must be a number", function(m) m.shapes.Names.max = "5" end },
  { "shape Names: member is missing", function(m) m.shapes.Names.member = nil end },
  { "shape Names: shape is missing", function(m) m.shapes.Names.member = {} end },
  { "names the shape Nope, which is missing",
    function(m) m.shapes.Names.member = { shape = "Nope" } end },
  { "shape Labels: key is missing", function(m) m.shapes.Labels.key = nil end },
  { "shape Labels: key must refer to a string",
    function(m) m.shapes.Labels.key = { shape = "Names" } end },
  { "shape ThingInput: required Nope is not a member",
    function(m) m.shapes.ThingInput.required = { "Nope" } end },
  { "shape ThingOutput: payload Nope is not a member",
    function(m) m.shapes.ThingOutput.payload = "Nope" end },
  { "shape Part: members must be a table", function(m) m.shapes.Part.members = true end },
  { "shape Part: the entry must be a table", function(m) m.shapes.Part.members.Kind = "x" end },
  { "shape Part: members has a key that is not a string",
    function(m) m.shapes.Part.members = { { shape = "Name" } } end },
  { "location 'cookie' is unknown",
    function(m) m.shapes.Part.members.Kind.location = "cookie" end },
  { "timestampFormat 'roman' is unknown", function(m) m.shapes.Time.timestampFormat = "roman" end },
  { "httpStatusCode is not an HTTP status",
    function(m) m.shapes.NotFound.error.httpStatusCode = 70000 end },
  { "the entry must be a table", function(m) m.shapes.Name = 1 end },
  { "the entry must be a table", function(m) m.operations.PutThing = "x" end },
  { "operation PutThing: input must be a structure",
    function(m) m.operations.PutThing.input = { shape = "Name" } end },
  { "operation PutThing: errors must be structures",
    function(m) m.operations.PutThing.errors = { { shape = "Name" } } end },
  { "errors has an entry that is not a table",
    function(m) m.operations.PutThing.errors = { "NotFound" } end },
  { "http must be a table", function(m) m.operations.PutThing.http = "PUT" end },
  { "method must be a string", function(m) m.operations.PutThing.http.method = 1 end },
}

describe("a malformed model", function()
  it("throws and says what is wrong and where", function()
    for _, case in ipairs(MALFORMED) do
      local model = small_model()
      case[2](model)
      local ok, message = pcall(core.load_service, model)
      assert.is_false(ok, case[1])
      assert.truthy(message:find("malformed model: ", 1, true), message)
      assert.truthy(message:find(case[1], 1, true), message .. " / " .. case[1])
    end
    assert.has_error(function() core.load_service() end)
    assert.has_error(function() core.load_service("x") end)
  end)

  -- Every table of the model with the path to it, in an order that does not depend on the Lua.
  local function places(root)
    local list = {}
    local function walk(t)
      local keys = {}
      for key in pairs(t) do keys[#keys + 1] = key end
      table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
      for _, key in ipairs(keys) do
        list[#list + 1] = { t, key }
        if type(t[key]) == "table" then walk(t[key]) end
      end
    end
    walk(root)
    return list
  end

  it("never crashes, whatever value stands anywhere in it", function()
    local values = { 0, -1, 2 ^ 60, "", "ThingInput", true, false, {}, { {} }, { "Name" },
      cjson.null, { shape = "ThingInput" }, print }
    for i = 1, #places(small_model()) do
      for _, value in ipairs(values) do
        local model = small_model()
        local place = places(model)[i]
        place[1][place[2]] = value
        local ok, service = pcall(core.load_service, model)
        if ok then
          for _, name in ipairs(service:shapes()) do service:shape(name) end
          for _, name in ipairs(service:operations()) do service:operation(name) end
        else
          assert.is_string(service)
        end
      end
    end
  end)

  it("gives its memory back", function()
    local function failing()
      local model = small_model()
      model.operations.PutThing.errors = { { shape = "Nope" } }
      for _ = 1, 50 do pcall(core.load_service, model) end
      collectgarbage()
      collectgarbage()
      return collectgarbage("count")
    end
    failing()
    local before = failing()
    assert.is_true(failing() - before < 64)
  end)
end)

describe("the collector", function()
  it("may run at any time", function()
    collectgarbage("setpause", 0)
    local service = core.load_service(small_model())
    for _, name in ipairs(service:shapes()) do
      assert.equal(name, service:shape(name).name)
      collectgarbage()
    end
    collectgarbage("setpause", 200)
  end)
end)
