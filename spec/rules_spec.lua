local core = require "sagemaker.core"
local rules = require "sagemaker.rules"

-- A rule set of one rule: the conditions, then this URL.
local function set(conditions, url, parameters)
  return {
    version = "1.0",
    parameters = parameters or { Text = { type = "string" }, Flag = { type = "boolean" } },
    rules = { { conditions = conditions, endpoint = { url = url } } },
  }
end

local function url_of(conditions, url, params)
  local found, message = rules.evaluate(set(conditions, url), params or {}, function() end)
  return found and found.url, message
end

local TEXT = { ref = "Text" }

describe("sagemaker.rules", function()
  it("fills in templates, with attributes and literal braces", function()
    local assign = { fn = "parseURL", argv = { TEXT }, assign = "Url" }
    assert.equal("http {h:1} /p/ ", url_of({ assign },
      "{Url#scheme} {{{Url#authority}}} {Url#normalizedPath} {Url#nothing}",
      { Text = "http://h:1/p" }))
  end)

  it("skips a rule whose condition is not set or false, and says when none is left", function()
    for _, condition in ipairs {
      { fn = "isSet", argv = { TEXT } },
      { fn = "isSet", argv = { { fn = "getAttr", argv = { { a = {} }, "a[0]" } } } },
      { fn = "stringEquals", argv = { TEXT, "x" } },
      { fn = "booleanEquals", argv = { { ref = "Flag" }, false } },
      { fn = "not", argv = { true } },
      { fn = "substring", argv = { "abc", 0, 4, false } },
      { fn = "substring", argv = { "ü", 0, 1, false } },
      { fn = "parseURL", argv = { "https://user@host" } },
      { fn = "parseURL", argv = { "https://host:port" } },
      { fn = "parseURL", argv = { "ftp://host" } },
      { fn = "aws.parseArn", argv = { "arn:aws:s3" } },
      { fn = "aws.isVirtualHostableS3Bucket", argv = { "1.2.3.4", true } },
      { fn = "isValidHostLabel", argv = { "a.b", false } },
    } do
      local url, message = url_of({ condition }, "u")
      assert.is_nil(url, condition.fn)
      assert.equal("no rule matched the endpoint parameters", message)
    end
  end)

  it("forgets what a rule assigned that did not match", function()
    local found = assert(rules.evaluate({
      parameters = {},
      rules = {
        {
          conditions = {
            { fn = "uriEncode", argv = { "a b" }, assign = "X" },
            { fn = "booleanEquals", argv = { true, false } },
          },
          endpoint = { url = "never" },
        },
        { endpoint = { url = "[{X}]" } },
      },
    }, {}, function() end))
    assert.equal("[]", found.url)
    assert.same({}, found.properties)
  end)

  it("knows the newer functions", function()
    local function value(fn, ...)
      return url_of({ { fn = fn, argv = { ... }, assign = "V" } }, "{V}")
    end
    assert.equal("b", value("coalesce", TEXT, "b"))
    assert.equal("yes", value("ite", true, "yes", "no"))
    assert.equal("no", value("ite", TEXT, "yes", "no"))
    local split = { fn = "split", argv = { "a--b--c", "--", 2 }, assign = "S" }
    assert.equal("a|b--c|", url_of({ split }, "{S#[0]}|{S#[1]}|{S#[2]}"))
    assert.equal("b--c", url_of({ split }, "{S#[-1]}"))
  end)

  it("wants required parameters, and takes their defaults", function()
    local parameters = { Flag = { required = true, default = true }, Text = { required = true } }
    local one = set({}, "{Flag} {Text}", parameters)
    assert.equal("true t", rules.evaluate(one, { Text = "t" }, function() end).url)
    local found, message = rules.evaluate(one, {}, function() end)
    assert.is_nil(found)
    assert.matches("Text is required", message)
  end)

  it("throws for a function that it does not know: the rule set is newer than this code", function()
    assert.error_matches(function() url_of({ { fn = "aws.new", argv = {} } }, "u") end,
      'unknown function "aws.new"', 1, true)
  end)

  it("finds the partition by region, by pattern, and else the first", function()
    local partitions = require "sagemaker.model.partitions"
    local function name(region)
      return rules.partition(partitions, region, core.match_pattern).name
    end
    assert.equal("aws", name("eu-west-1"))
    assert.equal("aws-cn", name("cn-north-1"))
    assert.equal("aws-us-gov", name("us-gov-new-9"))
    assert.equal("aws", name("mars"))
  end)
end)
