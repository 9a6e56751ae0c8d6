--- What the guides show: every block of Lua is Lua, and the first example runs as pasted.

local FILES = { "README.md", "examples/deploy/README.md", "examples/invoke/README.md",
  "examples/simulator/README.md" }

-- The blocks of Lua in a file.
local function blocks_of(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  local blocks = {}
  for block in text:gmatch("\n```lua\n(.-)\n```") do blocks[#blocks + 1] = block end
  return blocks
end

local function compile(text, name)
  return (loadstring or load)(text, name) -- luacheck: ignore 113
end

describe("the guides", function()
  for _, path in ipairs(FILES) do
    it("hold Lua that compiles: " .. path, function()
      local blocks = blocks_of(path)
      assert.is_true(#blocks > 0)
      for i, block in ipairs(blocks) do
        local chunk, message = compile(block, ("=%s block %d"):format(path, i))
        assert(chunk, message)
      end
    end)
  end

  it("begin with at most twelve lines, which work as pasted", function()
    local example = blocks_of("README.md")[1]
    assert.is_true(select(2, example:gsub("\n", "")) < 12)
    local printed, print_before = {}, print
    _G.print = function(...) printed[#printed + 1] = { ... } end
    local ok, message = pcall(assert(compile(example, "=README.md")))
    _G.print = print_before
    assert(ok, message)
    assert.same({ "churn-v1", "deployed" }, { printed[1][1], printed[1][2] })
    assert.same({ "churn-v2", "deployed" }, { printed[2][1], printed[2][2] })
    assert.equal(2, #printed)
  end)

  it("say where the library comes from in every example of the README that names it", function()
    for i, block in ipairs(blocks_of("README.md")) do
      if block:find("sagemaker.", 1, true) then
        assert.truthy(block:find('local sagemaker = require "sagemaker"', 1, true), "block " .. i)
      end
    end
  end)
end)
