--- A block that is drawn in its place: what a terminal shows of it.

local screens = require "sagemaker.cli.view.screen"
local terminal = require "support.terminal"

describe("screen", function()
  local term, screen

  before_each(function()
    term = terminal.new()
    screen = screens.new(function(bytes) term:write(bytes) end)
  end)

  it("is drawn over itself", function()
    term:write "before\n"
    screen:draw({ "one", "two" }, 80)
    screen:draw({ "1", "two and more" }, 80)
    assert.same({ "before", "1", "two and more" }, term:lines())
  end)

  it("grows and shrinks", function()
    screen:draw({ "a", "b", "c" }, 80)
    screen:draw({ "d" }, 80)
    assert.same({ "d" }, term:lines())
    screen:draw({ "e", "f" }, 80)
    assert.same({ "e", "f" }, term:lines())
  end)

  it("leaves nothing of the old block where the terminal becomes narrower and breaks it", function()
    term:write "before\n"
    screen:draw({ "0123456789", "\27[1mab\27[0m", "模型模型模" }, 20)
    term:resize(5)
    assert.same({ "befor", "e", "01234", "56789", "ab", "模型", "模型", "模" }, term:lines())
    screen:draw({ "01234", "c" }, 5)
    assert.same({ "befor", "e", "01234", "c" }, term:lines())
    term:resize(2)
    screen:draw({ "d" }, 2)
    assert.same({ "be", "fo", "re", "d" }, term:lines())
  end)

  it("leaves nothing of the old block where it becomes wider", function()
    term:write "before\n"
    screen:draw({ "01234", "56" }, 5)
    term:resize(2)
    term:resize(9)
    screen:draw({ "a", "b", "c" }, 9)
    assert.same({ "before", "a", "b", "c" }, term:lines())
  end)

  it("leaves what is above it where the terminal cuts lines", function()
    screen = screens.new(function(bytes) term:write(bytes) end, false)
    term:write "before\n"
    screen:draw({ "0123456789", "ab" }, 20)
    term:resize(5, true)
    screen:draw({ "01234", "c" }, 5)
    assert.same({ "befor", "01234", "c" }, term:lines())
  end)

  it("stays in its place where the terminal is narrower than the lines", function()
    term.columns, term.wraps = 4, true
    screen:draw({ "012345", "ab" }, 4)
    assert.same({ "0123", "45", "ab" }, term:lines())
    screen:draw({ "0123456789" }, 4)
    assert.same({ "0123", "4567", "89" }, term:lines())
  end)

  it("can be taken away and left", function()
    screen:draw({ "a", "b" }, 80)
    screen:clear(80)
    term:write "note\n"
    screen:draw({ "c" }, 80)
    screen:leave()
    term:write "after\n"
    screen:draw({ "d" }, 80)
    assert.same({ "note", "c", "after", "d" }, term:lines())
  end)
end)
