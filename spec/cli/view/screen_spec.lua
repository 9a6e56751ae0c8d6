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

  it("is drawn afresh where the terminal has another width", function()
    screen:draw({ "a" }, 80)
    screen:draw({ "b" }, 40)
    screen:draw({ "c" }, 40)
    assert.same({ "a", "", "c" }, term:lines())
  end)

  it("can be taken away and left", function()
    screen:draw({ "a", "b" }, 80)
    screen:clear()
    term:write "note\n"
    screen:draw({ "c" }, 80)
    screen:leave()
    term:write "after\n"
    screen:draw({ "d" }, 80)
    assert.same({ "note", "c", "after", "d" }, term:lines())
  end)
end)
