local errors = require "sagemaker.error"
local paginator = require "sagemaker.paginator"

local CONFIG = { input = { "NextToken" }, output = { "NextToken" }, limit = "MaxResults",
  result = { "Things" } }

local function three_pages(asked)
  local pages = {
    { Things = { "a", "b" }, NextToken = "t1" },
    { Things = { "c", "d" }, NextToken = "t2" },
    { Things = { "e" } },
  }
  return function(operation, params)
    assert.equal("ListThings", operation)
    asked[#asked + 1] = params
    local index = ({ t1 = 2, t2 = 3 })[params.NextToken] or 1
    local page = {}
    for key, value in pairs(pages[index]) do page[key] = value end
    return page
  end
end

local function pages_of(opts, params, call)
  local asked = {}
  call = call or three_pages(asked)
  return paginator.pages(CONFIG, "ListThings", call, params or {}, opts), asked
end

local function collect(items)
  local seen = {}
  for item in items do seen[#seen + 1] = item end
  return table.concat(seen)
end

describe("sagemaker.paginator", function()
  it("goes over pages and leaves the caller's parameters alone", function()
    local params = { NameContains = "x" }
    local pages, asked = pages_of(nil, params)
    local count = 0
    for page in pages do
      count = count + 1
      assert.equal("table", type(page.Things))
    end
    assert.equal(3, count)
    assert.same({ NameContains = "x" }, params)
    assert.same({ { NameContains = "x" }, { NameContains = "x", NextToken = "t1" },
      { NameContains = "x", NextToken = "t2" } }, asked)
    assert.is_nil(pages:next())
  end)

  it("goes over items", function()
    assert.equal("abcde", collect(paginator.items((pages_of()))))
  end)

  it("asks for nothing before the first item is wanted", function()
    local pages, asked = pages_of()
    paginator.items(pages)
    assert.same({}, asked)
  end)

  it("stops after max_items and goes on from there", function()
    local pages = pages_of { max_items = 3 }
    assert.equal("abc", collect(paginator.items(pages)))
    assert.equal("string", type(pages.resume_token))
    local rest = pages_of { starting_token = pages.resume_token }
    assert.equal("de", collect(paginator.items(rest)))
    assert.is_nil(rest.resume_token)
  end)

  it("resumes from any place, one item at a time", function()
    local seen, token = {}, nil
    repeat
      local pages = pages_of { max_items = 1, starting_token = token, page_size = 2 }
      for page in pages do
        for _, item in ipairs(page.Things) do seen[#seen + 1] = item end
      end
      token = pages.resume_token
    until not token
    assert.equal("abcde", table.concat(seen))
  end)

  it("raises the err table in a for, and returns the triple from next", function()
    local function call()
      return errors.fail { kind = "service", code = "Denied", message = "m" }
    end
    local ok, err = pcall(function()
      for _ in pages_of(nil, nil, call) do error("not reached") end
    end)
    assert.is_false(ok)
    assert.equal("Denied", err.code)
    local page, message
    page, message, err = pages_of(nil, nil, call):next()
    assert.is_nil(page)
    assert.equal("Denied: m", message)
    assert.equal("Denied", err.code)
    local _, _, item_err = paginator.items((pages_of(nil, nil, call))):next()
    assert.equal("Denied", item_err.code)
  end)

  it("can ask again for a page that failed", function()
    local fails, asked = true, {}
    local good = three_pages(asked)
    local pages = pages_of(nil, nil, function(operation, params)
      if params.NextToken == "t1" and fails then
        fails = false
        return errors.fail { kind = "transport", code = "Reset", message = "m" }
      end
      return good(operation, params)
    end)
    local seen = {}
    while true do
      local page, _, err = pages:next()
      if not page and not err then break end
      for _, item in ipairs(page and page.Things or {}) do seen[#seen + 1] = item end
    end
    assert.equal("abcde", table.concat(seen))
  end)

  it("notices a token that comes twice", function()
    local pages = pages_of(nil, nil, function() return { Things = {}, NextToken = "same" } end)
    assert.is_table(pages:next())
    assert.is_table(pages:next())
    local _, message, err = pages:next()
    assert.equal("RepeatedToken", err.code)
    assert.matches("NextToken = same", message, 1, true)
  end)

  it("joins all pages in one", function()
    assert.same({ Things = { "a", "b", "c", "d", "e" } }, (pages_of()):collect())
    local first = assert(pages_of({ max_items = 3 }):collect())
    assert.same({ "a", "b", "c" }, first.Things)
    assert.equal("string", type(first.NextToken))
  end)

  it("joins texts, adds numbers up, and keeps what only the first page tells", function()
    local config = { input = { "Token" }, output = { "Token" },
      result = { "List", "Text", "Sum" }, non_aggregate = { "Owner", "Deep.Value" } }
    local answers = {
      { List = { 1 }, Text = "a", Sum = 1, Owner = "ann", Deep = { Value = 1 }, Token = "t" },
      { List = { 2 }, Text = "b", Sum = 2, Owner = "bob", Deep = { Value = 2 } },
    }
    local n = 0
    local pages = paginator.pages(config, "ListThings", function()
      n = n + 1
      return answers[n]
    end, {})
    assert.same({ List = { 1, 2 }, Text = "ab", Sum = 3, Owner = "ann", Deep = { Value = 1 } },
      pages:collect())
  end)

  it("writes tokens as the AWS CLI does: JSON in ASCII", function()
    -- Characters of 3, 2, 3, 4, 1 and 1 bytes.
    local token = "\224\184\129 \194\169 \239\191\189 \240\159\152\128 \31\""
    local pages = pages_of({ max_items = 1 }, nil, function()
      return { Things = { "a" }, NextToken = token }
    end)
    assert.equal("a", collect(paginator.items(pages)))
    assert.equal([[{"NextToken": "\u0e01 \u00a9 \ufffd \ud83d\ude00 \u001f\""}]],
      require("sagemaker.core").text.unbase64(pages.resume_token))
  end)

  it("keeps tokens of any bytes over a resume", function()
    for _, token in ipairs { "plain", "ümläut \240\159\152\128", "\255\0\1", 'q"\\\n\127' } do
      local pages = pages_of({ max_items = 1 }, nil, function(_, params)
        if params.NextToken == nil then return { Things = {}, NextToken = token } end
        assert.equal(token, params.NextToken)
        return { Things = { "a", "b" } }
      end)
      assert.equal("a", collect(paginator.items(pages)))
      local rest = pages_of({ starting_token = pages.resume_token }, nil, function(_, params)
        assert.equal(token, params.NextToken)
        return { Things = { "a", "b" } }
      end)
      assert.equal("b", collect(paginator.items(rest)))
    end
  end)

  it("takes junk as a token of the service", function()
    local pages = pages_of({ starting_token = "not-base64!" }, nil, function(_, params)
      assert.equal("not-base64!", params.NextToken)
      return { Things = { "z" } }
    end)
    assert.equal("z", collect(paginator.items(pages)))
  end)

  it("fails for a starting token that cannot be one", function()
    local page, message, err = pages_of({ starting_token = "not___one___of ours" }):next()
    assert.is_nil(page)
    assert.equal("BadStartingToken", err.code)
    assert.equal("validation", err.kind)
    assert.matches("not___one___of ours", message, 1, true)
  end)

  it("throws for wrong options", function()
    for text, opts in pairs {
      ["max_items must be a whole number"] = { max_items = 1.5 },
      ["page_size must be a number"] = { page_size = {} },
      ["starting_token must be a string"] = { starting_token = 5 },
    } do
      assert.error_matches(function() pages_of(opts) end, text)
    end
    assert.error_matches(function()
      paginator.pages({ input = { "T" }, output = { "T" }, result = { "R" } }, "ListX", print, {},
        { page_size = 3 })
    end, "ListX takes no page size")
  end)
end)
