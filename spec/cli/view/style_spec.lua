--- What a terminal can show.

local styles = require "sagemaker.cli.view.style"

local function style(env, tty, colour)
  return styles.of({
    getenv = function(name) return env[name] end,
    columns = function() return 50 end,
    isatty = function() return tty end,
  }, "stdout", colour)
end

describe("style", function()
  it("has colours on a terminal, unless they are not wanted", function()
    assert.is_true(style({ TERM = "xterm" }, true).has_colour)
    assert.is_false(style({ TERM = "xterm" }, false).has_colour)
    assert.is_false(style({ NO_COLOR = "1" }, true).has_colour)
    assert.is_true(style({ NO_COLOR = "" }, true).has_colour)
    assert.is_false(style({}, true, "off").has_colour)
    assert.is_true(style({ NO_COLOR = "1" }, false, "on").has_colour)
    assert.is_false(style({ TERM = "dumb" }, true).has_colour)
    assert.equal("x", style({}, true, "off"):paint("bad", "x"))
    assert.equal("\27[31mx\27[0m", style({}, true):paint("bad", "x"))
  end)

  it("writes over what was written only on terminals that can", function()
    assert.is_true(style({ TERM = "xterm" }, true).is_live)
    assert.is_false(style({ TERM = "dumb" }, true).is_live)
    assert.is_false(style({}, false, "on").is_live)
  end)

  it("knows which terminals cut lines that are too long when they become narrower", function()
    for _, env in ipairs { { TERM = "xterm-256color" }, { TERM = "tmux-256color", TMUX = "x" }, {},
      { TERM = "screen-256color", TMUX = "x" }, { TERM = "xterm", TMUX = "x", XTERM_VERSION = "v" },
      { TERM = "sterling" } } do
      assert.is_true(style(env, true).reflows)
    end
    for _, env in ipairs { { TERM = "xterm", XTERM_VERSION = "XTerm(379)" }, { TERM = "screen" },
      { TERM = "st-256color" }, { TERM = "linux" } } do
      assert.is_false(style(env, true).reflows)
    end
  end)

  it("draws in ASCII unless the locale is UTF-8", function()
    for _, env in ipairs { { LANG = "en_US.UTF-8" }, { LC_ALL = "C.utf8" },
      { LC_CTYPE = "de_DE.UTF8", LANG = "C" }, { LC_ALL = "", LANG = "C.UTF-8" } } do
      assert.equal("→", style(env, true).glyphs.arrow)
    end
    for _, env in ipairs { {}, { LANG = "C" }, { LC_ALL = "C", LANG = "C.UTF-8" },
      { LC_CTYPE = "de_DE.ISO-8859-1", LANG = "C.UTF-8" } } do
      assert.equal("->", style(env, true).glyphs.arrow)
    end
  end)

  it("is as wide as the terminal, 80 columns elsewhere, and never nothing", function()
    assert.equal(50, style({}, true).columns)
    assert.equal(80, style({}, false).columns)
    assert.equal(20, styles.new { columns = 3 }.columns)
  end)

  it("is as wide as COLUMNS says where it is no terminal", function()
    assert.equal(60, style({ COLUMNS = "60" }, false).columns)
    assert.equal(50, style({ COLUMNS = "60" }, true).columns)
    for _, odd in ipairs { "", "0x20", "many", "-5" } do
      assert.is_true(style({ COLUMNS = odd }, false).columns >= 20, odd)
    end
  end)

  it("draws bars", function()
    local ascii, unicode = styles.new {}, styles.new { unicode = true }
    assert.equal("....", ascii:bar(0, 4, "now"))
    assert.equal("##..", ascii:bar(0.5, 4, "now"))
    assert.equal("####", ascii:bar(7, 4, "now"))
    assert.equal("██▌·", unicode:bar(0.625, 4, "now"))
    assert.equal("····", unicode:bar(-1, 4, "now"))
    assert.equal("████", unicode:bar(1, 4, "now"))
  end)
end)
