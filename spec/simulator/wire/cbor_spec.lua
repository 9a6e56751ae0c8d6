local cbor = require "sagemaker.simulator.wire.cbor"
local core = require "sagemaker.core"

describe("CBOR", function()
  local function hex(text)
    return core.text.unhex((text:gsub("%s", "")))
  end

  it("reads the examples of its RFC", function()
    local cases = {
      ["00"] = 0, ["17"] = 23, ["1818"] = 24, ["1903e8"] = 1000, ["1a000f4240"] = 1000000,
      ["1b000000e8d4a51000"] = 1000000000000, ["20"] = -1, ["3863"] = -100, ["3903e7"] = -1000,
      ["f90000"] = 0, ["f93c00"] = 1, ["fb3ff199999999999a"] = 1.1, ["f93e00"] = 1.5,
      ["f97bff"] = 65504, ["fa47c35000"] = 100000, ["fa7f7fffff"] = 3.4028234663852886e+38,
      ["fb7e37e43c8800759c"] = 1.0e+300, ["f90001"] = 5.960464477539063e-8,
      ["f90400"] = 0.00006103515625, ["f9c400"] = -4, ["fbc010666666666666"] = -4.1,
      ["f97c00"] = math.huge, ["fbfff0000000000000"] = -math.huge, ["f4"] = false, ["f5"] = true,
      ["c11a514b67b0"] = 1363896240, ["c1fb41d452d9ec200000"] = 1363896240.5,
      ["60"] = "", ["6449455446"] = "IETF", ["62c3bc"] = "\195\188", ["4401020304"] = "\1\2\3\4",
      ["7f657374726561646d696e67ff"] = "streaming",
    }
    for text, value in pairs(cases) do assert.equal(value, (cbor.decode(hex(text))), text) end
    assert.same({ 1, { 2, 3 }, { 4, 5 } }, (cbor.decode(hex "8301820203820405")))
    assert.same({ a = 1, b = { 2, 3 } }, (cbor.decode(hex "a26161016162820203")))
    assert.same({ 1, { 2, 3 }, { 4, 5 } }, (cbor.decode(hex "9f018202039f0405ffff")))
    assert.same({ Fun = true, Amt = -2 }, (cbor.decode(hex "bf6346756ef563416d7421ff")))
    local value, message = cbor.decode(hex "f6")
    assert.is_nil(value)
    assert.is_nil(message)
    local nan = cbor.decode(hex "f97e00")
    assert.is_true(nan ~= nan)
  end)

  it("reads back what it writes", function()
    local values = { 0, 23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, 2 ^ 53 - 1, -1, -24,
      -25, -256, -257, -2 ^ 40, 0.5, -0.25, 1.1, 1e300, -1e-300, 5e-324, 2.5e-310, 2 ^ 60,
      math.huge, -math.huge, true, false, "", "text", ("x"):rep(70000) }
    for _, value in ipairs(values) do
      assert.equal(value, (cbor.decode(cbor.encode(value))), tostring(value))
    end
    assert.equal("\251\63\241\153\153\153\153\153\154", cbor.encode(1.1))
    assert.equal("\193\251\65\212\82\217\236\32\0\0", cbor.encode(cbor.time(1363896240.5)))
    assert.equal("\128", cbor.encode(cbor.list {}))
    assert.equal("\160", cbor.encode {})
    local all = { a = cbor.list { 1, cbor.list {}, { b = "c" } }, d = false }
    assert.same({ a = { 1, {}, { b = "c" } }, d = false }, (cbor.decode(cbor.encode(all))))
  end)

  it("refuses what it cannot read", function()
    local cases = { "", "18", "1c", "1f", "61", "7f00ff", "9f", "a1", "a10101", "df", "e0", "ff",
      "0000", "5b7fffffffffffffff", "9b00ffffffffffffff", "bf", "fb00" }
    for _, text in ipairs(cases) do
      local value, message = cbor.decode(hex(text))
      assert.is_nil(value, text)
      assert.is_string(message, text)
    end
    local _, message = cbor.decode(("\129"):rep(1000))
    assert.equal("the data are nested too deeply", message)
  end)

  it("ends with every spoilt or cut text", function()
    local text = cbor.encode { a = cbor.list { 1, 2.5, "x" }, b = { c = true } }
    for i = 1, #text do
      assert.is_nil((cbor.decode(text:sub(1, i - 1))))
      for byte = 0, 255, 5 do
        cbor.decode(text:sub(1, i - 1) .. string.char(byte) .. text:sub(i + 1))
      end
    end
  end)
end)
