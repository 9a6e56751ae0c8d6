--- Text on a terminal.

local text = require "sagemaker.cli.view.text"

describe("text", function()
  it("knows how wide it is", function()
    assert.equal(0, text.width "")
    assert.equal(5, text.width "churn")
    assert.equal(3, text.width "█→…")
    assert.equal(4, text.width "模型")
    assert.equal(1, text.width "e\204\129")
    assert.equal(3, text.width "\27[1mabc\27[0m")
    assert.equal(2, text.width "\255\254")
  end)

  it("is cut to a width", function()
    assert.equal("churn", text.cut("churn", 5))
    assert.equal("ch...", text.cut("churner", 5))
    assert.equal("chu…", text.cut("churner", 4, "…"))
    assert.equal("模…", text.cut("模型模型", 4, "…"))
    assert.equal("ch", text.cut("churner", 2))
  end)

  it("is filled up", function()
    assert.equal("ab  ", text.pad("ab", 4))
    assert.equal("  ab", text.pad("ab", -4))
    assert.equal("abcde", text.pad("abcde", 4))
  end)

  it("does not steer the terminal", function()
    assert.equal("a b ?[31mc?", text.clean " a\n\tb \27[31mc\127 ")
    assert.equal("?", text.clean "\194\155")
    assert.equal("a??b", text.clean "a\255\254b")
  end)

  it("is broken into lines", function()
    assert.same({ "a bc", "def" }, text.wrap("a bc def", 5))
    assert.same({ "- a", "  bcdefgh", "  i" }, text.wrap("a bcdefgh i", 5, "  ", "- "))
    assert.same({ "" }, text.wrap("", 5))
  end)

  it("stands in columns", function()
    assert.same({ "a   b", "cc  d" }, text.columns { { "a", "b" }, { "cc", "d" } })
    assert.same({ " a  b", "cc" }, text.columns({ { "a", "b" }, { "cc", "" } }, { true }))
  end)
end)
