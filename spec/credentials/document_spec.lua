local document = require "sagemaker.credentials.document"
local provider = require "support.provider"

describe("sagemaker.credentials.document", function()
  it("reads JSON objects, without what is null", function()
    assert.same({ a = { c = 1 }, d = {} }, document.decode('{"a": {"b": null, "c": 1}, "d": [], '
      .. '"e": null}'))
    for text, message in pairs {
      [""] = "is not JSON",
      ["{"] = "is not JSON",
      ["{}\0"] = "is not JSON",
      ["null"] = "is not a JSON object",
      [" [1]"] = "is not a JSON object",
      ['"{}"'] = "is not a JSON object",
      [("["):rep(5000)] = "is not JSON",
      [("x"):rep(65537)] = "is longer than 65536 bytes",
    } do
      assert.same({ nil, message }, { document.decode(text) })
    end
  end)

  it("knows texts and times", function()
    local d = { text = "x", empty = "", number = 5 }
    assert.equal("x", document.text(d, "text"))
    assert.is_nil(document.text(d, "empty"))
    assert.is_nil(document.text(d, "number"))
    assert.equal("empty, number", document.missing(d, { "empty", "text", "number" }))
    assert.is_nil(document.missing(d, { "text" }))
    assert.equal(1768507200, document.time "2026-01-15T20:00:00Z")
    assert.equal(1768507200, document.time "2026-01-15T20:00:00UTC")
    assert.is_nil(document.time "soon")
    assert.is_nil(document.time(5))
    assert.is_nil(document.time(nil))
  end)

  it("hides secrets, however often and whatever they look like", function()
    assert.equal("a … b … c", document.scrub("a s% b s% c", "s%", nil, ""))
    assert.equal("……", document.scrub("xx", "x"))
    assert.equal("…", document.scrub("…", "…"))
    assert.equal("nil", document.scrub(nil, "x"))
  end)

  it("reads and writes cache files", function()
    local world = provider.world { files = { good = '{"a": 1}', bad = "hush" } }
    assert.same({ a = 1 }, document.read(world.io, "/home/u/good"))
    assert.same({ nil, "/home/u/bad is not JSON" }, { document.read(world.io, "/home/u/bad") })
    assert.same({}, { document.read(world.io, "/home/u/none") })
    assert.is_true(document.write(world.io, "/home/u/new", { b = "c" }))
    assert.equal('{"b":"c"}', world.written["/home/u/new"])
  end)
end)
