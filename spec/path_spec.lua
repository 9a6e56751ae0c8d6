local path = require "sagemaker.path"

local ROOT = {
  a = { b = { c = 7 } },
  list = { { n = 1, tags = { "x" } }, { n = 2, tags = { "y", "z" } }, { other = true } },
  nested = { { inner = { { v = 1 }, { v = 2 } } }, { inner = { { v = 3 } } } },
  empty = {},
  text = "héllo",
  truth = false,
}

describe("sagemaker.path", function()
  it("finds values", function()
    for text, expected in pairs {
      ["a.b.c"] = 7,
      ["list[0].n"] = 1,
      ["list[-1].other"] = true,
      ["list[].n"] = { 1, 2 },
      ["list[*].n"] = { 1, 2 },
      ["list[].tags[]"] = { "x", "y", "z" },
      ["list[].tags[0]"] = { "x", "y" },
      ["nested[*].inner[*].v"] = { { 1, 2 }, { 3 } },
      ["nested[].inner[].v"] = { 1, 2, 3 },
      ["empty"] = {},
      ["empty[].x"] = {},
      ["length(list)"] = 3,
      ["length(text)"] = 5,
      ["length(list) > `2`"] = true,
      ["length(empty) > `0`"] = false,
      ["a.b.c == `7`"] = true,
      ["a.b.c != `7`"] = false,
      ["text == 'héllo'"] = true,
      ['a."b".c'] = 7,
      ["missing || a.b.c"] = 7,
      ["empty || truth || text"] = "héllo",
    } do
      assert.same({ expected }, { path.compile(text)(ROOT) }, text)
    end
  end)

  it("finds nothing where nothing is", function()
    for _, text in ipairs { "x", "x.y", "a.b.c.d", "list[9]", "a[0]", "x[]", "length(a)",
      "length(x) > `0`", "text[0]", "a.b[]" } do
      assert.is_nil(path.compile(text)(ROOT), text)
    end
  end)

  it("gives plain tables", function()
    assert.is_nil(getmetatable(path.compile("list[].n")(ROOT)))
  end)

  it("refuses what it does not understand", function()
    for _, text in ipairs { "", "a.", ".a", "a b", "a[?x]", "a | b", "{x: y}", "keys(a)",
      "length()", "a ==", "`x", "a..b", "sort_by(a, &b)" } do
      local find, message = path.compile(text)
      assert.is_nil(find, text)
      assert.matches("not understood", message)
    end
  end)

  it("assigns, making tables on the way", function()
    local root = { a = { x = 1 } }
    path.assign(root, "a.b.c", 2)
    path.assign(root, "d", 3)
    assert.same({ a = { x = 1, b = { c = 2 } }, d = 3 }, root)
  end)
end)
