-- core.text, core.uri, core.time and the small services of the machine.

local core = require "sagemaker.core"
local support = require "support"

local text, uri, time = core.text, core.uri, core.time

local function bytes_of(value)
  if type(value) == "table" and value["$bytes"] then return text.unbase64(value["$bytes"]) end
  if type(value) == "string" then return value end
  if type(value) ~= "number" then return nil end
  return value % 1 == 0 and ("%d"):format(value) or tostring(value)
end

-- Runs a function over the recorded calls of one of botocore's helpers. `check(row)` answers nil,
-- or why the row says nothing about this library.
local function recorded(name, check)
  it("agrees with the recorded calls of " .. name, function()
    local rows = support.rows("botocore-unit/utils/" .. name .. ".jsonl")
    if #rows == 0 then return pending("the conformance vectors are not at hand") end
    local ran, skipped = 0, {}
    for _, row in ipairs(rows) do
      local reason = check(row)
      if reason then
        skipped[#skipped + 1] = { id = row.id, reason = reason }
      else
        ran = ran + 1
      end
    end
    support.tally(name, ran, skipped)
  end)
end

describe("core.text", function()
  it("writes and reads hex", function()
    assert.equal("00ff7a", text.hex("\0\255z"))
    assert.equal("\0\255z", text.unhex("00Ff7A"))
    assert.equal("", text.hex(""))
    for _, bad in ipairs { "0", "0g", "0x", " 00" } do
      local bytes, message = text.unhex(bad)
      assert.is_nil(bytes)
      assert.equal("malformed hexadecimal text", message)
    end
  end)

  it("writes and reads base64", function()
    local rows = { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", ["\0\255"] = "AP8=" }
    for plain, coded in pairs(rows) do
      assert.equal(coded, text.base64(plain))
      assert.equal(plain, text.unbase64(coded))
    end
    for _, bad in ipairs { "Zg", "Zg=", "Zh==", "Zm9v\n", "Zm-_", "====", "Zg==Zg==" } do
      local bytes, message = text.unbase64(bad)
      assert.is_nil(bytes)
      assert.equal("malformed base64 text", message)
    end
  end)

  it("writes and reads percent-encoding", function()
    assert.equal("a%20b%2Fc~-_.%00", text.percent_encode("a b/c~-_.\0"))
    assert.equal("a%20b/c", text.percent_encode("a b/c", true))
    assert.equal("a b/c+", text.percent_decode("a%20b%2fc+"))
    local bytes, message = text.percent_decode("50%")
    assert.is_nil(bytes)
    assert.equal("malformed percent-encoding", message)
  end)

  it("checks UTF-8 and says where it is bad", function()
    assert.is_true(text.utf8_valid("aä€𝄞"))
    for bad, place in pairs { ["a\255"] = 2, ["\192\128"] = 1, ["abc\237\160\128"] = 4,
      ["0123456789\226\130"] = 11, ["\244\144\128\128"] = 1 } do
      local ok, at = text.utf8_valid(bad)
      assert.is_false(ok)
      assert.equal(place, at)
    end
  end)

  it("treats a megabyte", function()
    local long = ("aä \0"):rep(250000)
    assert.equal(long, text.unhex(text.hex(long)))
    assert.equal(long, text.unbase64(text.base64(long)))
    assert.equal(long, text.percent_decode(text.percent_encode(long)))
  end)

  it("refuses what is not a string", function()
    for _, name in ipairs { "hex", "unhex", "base64", "unbase64", "percent_encode",
      "percent_decode", "utf8_valid" } do
      for _, value in ipairs { 12, true, {} } do
        assert.has_error(function() text[name](value) end)
      end
      assert.has_error(function() text[name]() end)
    end
  end)

  recorded("percent_encode", function(row)
    local value = bytes_of(row.args[1])
    if not value then return "the argument is neither text, bytes nor a number" end
    if next(row.kwargs) then return "a set of safe characters of its own" end
    assert.equal(row.result, text.percent_encode(value), row.id)
  end)

  -- Pairs from an object or an array of pairs; a list is one pair for each of its items.
  local function pairs_of(argument)
    local all = {}
    local function add(key, value)
      for _, one in ipairs(type(value) == "table" and not value["$bytes"] and value or { value }) do
        local name, plain = bytes_of(key), bytes_of(one)
        if not name or not plain then return false end
        all[#all + 1] = text.percent_encode(name) .. "=" .. text.percent_encode(plain)
      end
      return true
    end
    for key, value in pairs(argument) do
      if type(key) == "number" then key, value = value[1], value[2] end
      if not add(key, value) then return nil end
    end
    return all
  end

  recorded("percent_encode_sequence", function(row)
    local all = pairs_of(row.args[1])
    if not all then return "a value that is neither text nor a number" end
    -- The order of an object's members is lost in Lua: the canonical query sorts both.
    local query = table.concat(all, "&")
    assert.equal(uri.canonical_query(row.result), uri.canonical_query(query), row.id)
  end)
end)

describe("core.uri", function()
  it("takes URLs apart", function()
    assert.same({ scheme = "https", authority = "h.example:8443", host = "h.example", port = 8443,
      path = "/a/b", query = "c=d", has_port = true, secure = true, ipv6 = false },
      uri.split("https://h.example:8443/a/b?c=d#e"))
    assert.same({ scheme = "http", authority = "[::1]", host = "[::1]", port = 80, path = "",
      has_port = false, secure = false, ipv6 = true }, uri.split("http://[::1]"))
  end)

  it("refuses malformed URLs", function()
    for _, bad in ipairs { "", "h.example", "//h", "http://", "http://a b/", "http://h\n/",
      "http://u@h", "http://u:p@h/", "http://[::1", "http://h:x", "http://-h/" } do
      local parts, message = uri.split(bad)
      assert.is_nil(parts, bad)
      assert.equal("malformed URL", message)
    end
    assert.equal("port out of range", select(2, uri.split("http://h:65536")))
  end)

  it("knows hosts", function()
    assert.is_true(uri.host_valid("localhost"))
    assert.is_true(uri.host_valid("runtime.sagemaker.eu-west-1.amazonaws.com"))
    assert.is_false(uri.host_valid("a..b"))
    assert.is_false(uri.host_valid(("a"):rep(64)))
    assert.is_true(uri.ipv6_valid("fd00:ec2::254"))
    assert.is_false(uri.ipv6_valid("1.2.3.4"))
  end)

  it("writes canonical paths", function()
    assert.equal("/", uri.canonical_path(""))
    assert.equal("/c/arn%253Aaws%20x", uri.canonical_path("/a/.././/c/arn%3Aaws x"))
    assert.equal("/c/arn%3Aaws%20x", uri.canonical_path("/a/.././/c/arn%3Aaws x", true, false))
    assert.equal("/a/../b", uri.canonical_path("/a/../b", false))
  end)

  it("writes canonical queries", function()
    assert.equal("", uri.canonical_query(""))
    assert.equal("A=&a=%20&b=1&b=2", uri.canonical_query("b=2&a=%20&b=1&A"))
  end)

  recorded("remove_dot_segments", function(row)
    assert.equal(row.result, uri.remove_dots(row.args[1]), row.id)
  end)

  recorded("normalize_url_path", function(row)
    assert.equal(text.percent_encode(row.result, true), uri.canonical_path(row.args[1]), row.id)
  end)

  recorded("is_valid_endpoint_url", function(row)
    local parts = uri.split(row.args[1])
    if parts and parts.ipv6 then return "IPv6 literals have a function of their own there" end
    assert.equal(row.result == true, parts ~= nil, row.id) -- null is as good as false
  end)

  recorded("is_valid_ipv6_endpoint_url", function(row)
    local parts = uri.split(row.args[1])
    assert.equal(row.result, parts ~= nil and parts.ipv6, row.id)
  end)

  recorded("is_valid_uri", function(row)
    assert.equal(row.result, uri.split(row.args[1]) ~= nil, row.id)
  end)
end)

-- Seconds of an ISO 8601 text, computed another way than by the library.
local function seconds_of(iso)
  local y, mo, d, h, mi, s, rest = iso:match("^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)(.*)$")
  local fraction, sign, oh, om = rest:match("^(%.?%d*)([+-]?)(%d*):?(%d*)$")
  local days = 0
  for year = 1970, y - 1 do
    days = days + ((year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)) and 366 or 365)
  end
  for year = y, 1969 do
    days = days - ((year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)) and 366 or 365)
  end
  local leap = y % 4 == 0 and (y % 100 ~= 0 or y % 400 == 0)
  local lengths = { 31, leap and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
  for month = 1, mo - 1 do days = days + lengths[month] end
  local offset = sign == "" and 0 or (oh * 3600 + om * 60) * (sign == "-" and -1 or 1)
  return (days + d - 1) * 86400 + h * 3600 + mi * 60 + s - offset
    + (fraction == "" and 0 or tonumber("0" .. fraction))
end

describe("core.time", function()
  it("reads every form that AWS writes", function()
    for form, seconds in pairs { ["2015-08-30T12:36:00Z"] = 1440938160,
      ["2015-08-30T14:36:00.25+02:00"] = 1440938160.25, ["2015-08-30"] = 1440892800,
      ["Sun, 30 Aug 2015 12:36:00 GMT"] = 1440938160, ["20150830T123600Z"] = 1440938160,
      ["1440938160.181"] = 1440938160.181, ["-1"] = -1, ["1e9"] = 1e9 } do
      assert.equal(seconds, time.parse(form), form)
    end
    assert.equal(5.5, time.parse(5.5))
  end)

  it("gives whole seconds as integers where Lua has them", function()
    local subtype = rawget(math, "type")
    if not subtype then return end
    assert.equal("integer", subtype(time.parse("2015-08-30T12:36:00Z")))
    assert.equal("float", subtype(time.parse("0.5")))
  end)

  it("says what it cannot read", function()
    for _, bad in ipairs { "", "yesterday", "2015-08-30T", "30 Aug", "nan", "0x10" } do
      local seconds, message = time.parse(bad)
      assert.is_nil(seconds, bad)
      assert.matches("^not a timestamp", message)
    end
    for _, bad in ipairs { "2015-02-29", "2015-08-30T25:00:00Z", "1e300", 1e300, -1e300, 1 / 0,
      0 / 0 } do
      local seconds, message = time.parse(bad)
      assert.is_nil(seconds, bad)
      assert.equal("timestamp out of range", message)
    end
    assert.has_error(function() time.parse() end)
    assert.has_error(function() time.parse {} end)
  end)

  it("writes every form", function()
    assert.equal("2015-08-30T12:36:00Z", time.format(1440938160))
    assert.equal("2015-08-30T12:36:00.181Z", time.format(1440938160.181, "iso8601"))
    assert.equal("Sun, 30 Aug 2015 12:36:00 GMT", time.format(1440938160.9, "rfc7231"))
    assert.equal("20150830T123600Z", time.format(1440938160, "amz"))
    assert.equal("20150830", time.format(1440938160, "date"))
    assert.equal("1440938160.25", time.format(1440938160.25, "epoch"))
    assert.equal("1969-12-31T23:59:59.75Z", time.format(-0.25))
    for _, form in ipairs { "iso8601", "rfc7231", "amz", "date", "epoch" } do
      for _, bad in ipairs { 1e300, -1e300, 1 / 0, 0 / 0, 253402300800 } do
        local formatted, message = time.format(bad, form)
        assert.is_nil(formatted)
        assert.equal("timestamp out of range", message)
      end
    end
    assert.has_error(function() time.format(0, "weekday") end)
    assert.has_error(function() time.format("now") end)
  end)

  recorded("parse_timestamp", function(row)
    local value = row.args[1]
    local ok, seconds = pcall(time.parse, value)
    if type(value) ~= "string" and type(value) ~= "number" then
      assert.is_false(ok, row.id)
    elseif row.error then
      assert.is_nil(seconds, row.id)
    else
      assert.equal(seconds_of(row.result["$datetime"]), seconds, row.id)
    end
  end)
end)

describe("the machine", function()
  it("hashes", function()
    for plain, digest in pairs {
      [""] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    } do
      assert.equal(digest, core.sha256(plain))
    end
    assert.equal("da39a3ee5e6b4b0d3255bfef95601890afd80709", core.sha1(""))
    assert.equal("a9993e364706816aba3e25717850c26c9cd0d89d", core.sha1("abc"))
  end)

  it("gives random bytes", function()
    assert.equal("", core.random(0))
    assert.equal(32, #core.random(32))
    assert.not_equal(core.random(32), core.random(32))
    for _, bad in ipairs { -1, 1e9, 0 / 0, "x" } do
      assert.has_error(function() core.random(bad) end)
    end
  end)

  it("has two clocks", function()
    local first, now, last = os.time(), core.now(), os.time()
    -- time() is told by a coarser clock, which may be behind by a tick.
    assert.is_true(first <= now and now < last + 1.1)
    local before = core.clock()
    assert.is_true(core.clock() >= before)
  end)

  it("does not sleep for nothing, and sleeps at least as long as it is told", function()
    for _, seconds in ipairs { 0, -1, -1 / 0, 0 / 0, 1e-12 } do
      assert.is_true(core.sleep(seconds))
    end
    local before = core.clock()
    assert.is_true(core.sleep(0.01))
    assert.is_true(core.clock() - before >= 0.009)
    assert.has_error(function() core.sleep("soon") end)
  end)
end)
