local cjson = require "cjson"
local core = require "sagemaker.core"
local server = require "support.server"
local support = require "support"

local MODELS = os.getenv("SAGEMAKER_MODELS") or "../shared/models"

--- The patterns of every model at hand, each with one shape that has it.
local function model_patterns()
  local found, n = {}, 0
  for _, name in ipairs { "sagemaker", "sagemaker-runtime", "sts", "sso", "sso-oidc", "signin",
    "cloudwatch" } do
    local text = support.read(MODELS .. "/" .. name .. "/service.json")
    for shape, row in pairs(text and cjson.decode(text).shapes or {}) do
      if row.pattern and not found[row.pattern] then
        found[row.pattern] = name .. "#" .. shape
        n = n + 1
      end
    end
  end
  return found, n
end

--- Checks rows {pattern, {subjects that match}, {subjects that do not}}.
local function check(rows)
  for _, row in ipairs(rows) do
    for i, want in ipairs { true, false } do
      for _, subject in ipairs(row[i + 1]) do
        local got, message = core.match_pattern(row[1], subject)
        assert.message(("%s on %q: %s"):format(row[1], subject, message or "")).equal(want, got)
      end
    end
  end
end

describe("core.match_pattern", function()
  it("agrees with Python on the patterns of the models", function()
    -- Rows {pattern, yes, no}: subjects made from each pattern and changed at random, judged by the
    -- full match of Python's `regex`, ASCII meaning of \d \w \s, $ as the very end.
    local rows = {}
    for line in io.lines("spec/support/patterns.jsonl") do
      local row = cjson.decode(line)
      rows[#rows + 1] = { row.pattern, row.yes, row.no }
    end
    assert.truthy(#rows > 0)
    check(rows)
  end)

  it("expresses every pattern of the models", function()
    local found, n = model_patterns()
    if n == 0 then return pending("the service models are not at hand") end
    local refused = {}
    for pattern, shape in pairs(found) do
      local yes, message = core.match_pattern(pattern, "a")
      if yes == nil then refused[#refused + 1] = shape .. ": " .. message end
    end
    table.sort(refused)
    io.write(("  [patterns] %d of the models, %d not expressible\n"):format(n, #refused))
    assert.same({}, refused)
  end)

  it("matches the whole subject", function()
    check {
      { "", { "" }, { "a" } },
      { "b", { "b" }, { "ab", "bc", "b\n", "" } },
      { "a|bc", { "a", "bc" }, { "abc", "ac", "ab" } },
      { "^a|b$", { "a", "b" }, { "ab", "ax" } },
      { "(|a)b", { "b", "ab" }, { "a" } },
      { "a||b", { "", "a", "b" }, { "ab" } },
    }
  end)

  it("repeats", function()
    check {
      { "a*", { "", "aaa" }, { "b" } },
      { "a+?", { "a", "aaa" }, { "" } },
      { "a??b", { "b", "ab" }, { "aab" } },
      { "a{2}", { "aa" }, { "a", "aaa" } },
      { "a{2,}", { "aa", "aaaa" }, { "a" } },
      { "a{0}", { "" }, { "a" } },
      { "a{1,3}?", { "a", "aaa" }, { "", "aaaa" } },
      { "(ab){2,3}", { "abab", "ababab" }, { "ab", "aba", "abababab" } },
      { "(a{2}){2}", { "aaaa" }, { "aa", "aaa", "aaaaa" } },
      { "(a*)*", { "", "aa" }, { "b" } },
      { "(a|)+", { "", "aa" }, { "b" } },
      { "(a?){3}", { "", "aaa" }, { "aaaa" } },
      { "(){3,5}a", { "a" }, { "" } },
      { "a{", { "a{" }, { "a" } },
      { "a{,3}", { "a{,3}" }, { "aaa" } },
      { "a{1", { "a{1" }, { "a" } },
      { "{}", { "{}" }, { "" } },
      { "x{1,4096}", { "x", ("x"):rep(4096) }, { "", ("x"):rep(4097) } },
    }
  end)

  it("knows sets", function()
    check {
      { "[a-c]", { "a", "c" }, { "d", "-" } },
      { "[^a-c]", { "d", "\n", "é" }, { "a", "", "dd" } },
      { "[-a]", { "-", "a" }, { "b" } },
      { "[a-]", { "-", "a" }, { "b" } },
      { "[a-z0-9-_]", { "-", "_", "5" }, { "." } },
      { "[\\w-x]", { "-", "x", "_" }, { "+" } },
      { "[x-\\d]", { "x", "-", "5" }, { "y" } },
      { "[[]", { "[" }, { "]" } },
      { "[\\]\\\\^]", { "]", "\\", "^" }, { "a" } },
      { "[.$|(){}*+?]", { ".", "$", "|", "(", "}", "?" }, { "a" } },
      { "[\\x41\\u0042\\cA\\t\\0]", { "A", "B", "\1", "\t", "\0" }, { "C" } },
      { "[\\b]", { "\8" }, { "b" } },
      { "[^\\S ]", { "\t", "\n" }, { " ", "a" } },
      { "[\\D5]", { "a", "5" }, { "4" } },
      { "[é-ü]", { "é", "ö" }, { "e", "z" } },
    }
  end)

  it("knows classes, and code points rather than bytes", function()
    check {
      { ".", { "a", "é", "😀", "\r", "\226\128\168" }, { "\n", "", "ab" } },
      { "\\d\\D\\w\\W\\s\\S", { "1a_- x" }, { "aa_- x" } },
      { "\\w", { "_", "Z", "0" }, { "é", "-" } },
      { "\\s", { " ", "\t", "\n", "\v", "\f", "\r" }, { "\194\160" } },
      { ".{3}", { "éß😀" }, { "éß" } },
      { "\\u00e9", { "é" }, { "e" } },
      { "\\uD83D\\uDE00", { "😀" }, { "😁" } },
      { "[\\uD800\\uDC00-\\uDBFF\\uDFFF]", { "😀" }, { "é" } },
      { "\\p{L}+", { "aéЖ中" }, { "1", "a1" } },
      { "\\pL", { "a" }, { "1" } },
      { "\\P{L}+", { "1 -😀" }, { "a" } },
      { "[\\p{M}\\p{Z}]", { "\204\129", " ", "\227\128\128" }, { "a" } },
      { "[^\\p{N}]", { "a" }, { "1", "²", "٣" } },
      { "\\p{P}\\p{S}", { "-€", "«+" }, { "€-" } },
      { "\\p{C}", { "\0", "\239\191\191", "\238\128\128" }, { " " } },
      { "\\p{Alnum}\\p{ASCII}\\p{Print}", { "a\127 " }, { "é\127 ", "a\127\127" } },
    }
  end)

  it("knows assertions and look-around", function()
    check {
      { "^$", { "" }, { "a" } },
      { "\\Aab\\z", { "ab" }, { "ab\n" } },
      { "a^b", {}, { "ab", "a" } },
      { "(a$)b?", { "a" }, { "ab" } },
      { "a\\b.c", { "a-c" }, { "abc" } },
      { "a\\Bbc", { "abc" }, { "a-c" } },
      { "(\\b|x)\\w+", { "a" }, { "" } },
      { "(a${1,3})", { "a" }, { "aa" } },
      { "(?=.*\\d)[a-z\\d]+", { "a1", "1" }, { "a" } },
      { "(?!.*--)[a-z-]+", { "a-b" }, { "a--b" } },
      { "a(?=b)bc|a(?!b)..", { "abc", "axy" }, { "abd" } },
      { "[a-z]+(?<!x)", { "a", "xa" }, { "ax" } },
      { "[a-z]+(?<=xy|z)1?", { "axy", "z1" }, { "ax", "y1" } },
      { "(?<!^)a|b", { "b" }, { "a" } },
      { "(?=(?!b).)[a-c]+", { "ab" }, { "ba" } },
      { "(?!(?=a)..)[a-c]+", { "a", "bc" }, { "ab" } },
      { "(?=.{2,4}$)a+", { "aa", "aaaa" }, { "a", "aaaaa" } },
      { "(?:a)(?<name>b)(?P<other>c)", { "abc" }, { "ab" } },
      { "(?=[a-z])(?=.*1)(?=.*2)(?!.*3).+", { "a12", "b21" }, { "a1", "a123", "12" } },
    }
  end)

  it("says what is wrong with a pattern, and where", function()
    for _, row in ipairs {
      { "(", ") expected at byte 1" }, { "ab(c", ") expected at byte 3" },
      { ")", "unmatched ) at byte 1" }, { "a)", "unmatched ) at byte 2" },
      { "[", "] expected" }, { "[a", "] expected" }, { "[a-", "] expected" }, { "[]", "empty set" },
      { "[^]", "empty set" }, { "[z-a]", "range out of order at byte 2" },
      { "*", "nothing to repeat at byte 1" }, { "a|+", "nothing to repeat" },
      { "a**", "nothing to repeat" }, { "a{2}{3}", "nothing to repeat" },
      { "a*+", "possessive" }, { "a{3,2}", "counts out of order" }, { "a{99999}", "too large" },
      { "(?>a)", "atomic groups" }, { "(?i)a", "flags" }, { "(?<1", "group name" },
      { "(a)\\1", "back references" }, { "\\k<a>", "back references" },
      { "\\", "ends with a backslash" }, { "[\\", "ends with a backslash" },
      { "\\y", "unknown escape" }, { "\\x4", "hexadecimal digit" },
      { "\\u12", "hexadecimal digit" },
      { "\\p{Greek}", "unknown character property" }, { "\\p", "property without a name" },
      { "\\p{L", "property without a name" }, { "\\c1", "letter expected" },
      { "\255", "not UTF-8" }, { "[\237\160\128]", "not UTF-8" },
      { ("("):rep(200), "too deep" }, { ("a"):rep(9000), "too long" },
      { "((a{100}){100}){100}", "too large" }, { "(?=a)(?=a)(?=a)(?=a)(?=a)(?=a)(?=a)",
        "too many look-arounds" },
    } do
      local got, message = core.match_pattern(row[1], "x")
      assert.is_nil(got, row[1])
      assert.truthy(message:find(row[2], 1, true), row[1]:sub(1, 20) .. ": " .. message)
    end
    assert.has_error(function() core.match_pattern("a") end)
    assert.has_error(function() core.match_pattern(1, "a") end)
  end)

  it("refuses a subject that is not UTF-8", function()
    for _, subject in ipairs { "\255", "a\192\128", "\237\160\128", "é\226\130" } do
      local got, message = core.match_pattern(".*", subject)
      assert.is_nil(got)
      assert.equal("subject: invalid UTF-8", message)
      assert.is_nil((core.match_pattern("(?=.).*", subject)))
    end
    assert.is_false(core.match_pattern("b+", "a\255"))
  end)

  -- One that goes back and tries again would take years.
  it("needs no more than a step a character and instruction", function()
    local output = server.bounded(60, [=[
      local match = require("sagemaker.core").match_pattern
      local long = ("a"):rep(10000)
      for i, row in ipairs {
        { "(a*)*b", { long .. "b" }, { long } },
        { "(a|a)*b", { long .. "b" }, { long } },
        { "(a+)+$", { long }, { long .. "!" } },
        { "(.*)(.*)(.*)(.*)(.*)x", { long .. "x" }, { long } },
        { "(a?){500}a{500}", { ("a"):rep(700) }, { ("a"):rep(499), ("a"):rep(1001) } },
        { "(a|b)*a(a|b){30}", { long }, { ("b"):rep(10000) } },
        { "(?=.*b)(?=.*c)a*", {}, { long } },
        { ".*(?:[ \r\n\t].*)*", { ("a "):rep(50000), ("\n"):rep(50000) }, {} },
      } do
        for _, subject in ipairs(row[2]) do assert(match(row[1], subject) == true, row[1]) end
        for _, subject in ipairs(row[3]) do assert(match(row[1], subject) == false, row[1]) end
        io.write(i, " ")
        io.flush()
      end]=])
    assert.equal("1 2 3 4 5 6 7 8 ", output)
  end)

  it("keeps a bounded number of patterns", function()
    for _ = 1, 2 do
      for i = 1, 600 do assert.is_true(core.match_pattern("a{" .. i .. "}", ("a"):rep(i))) end
    end
  end)
end)
