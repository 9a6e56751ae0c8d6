--- Makes the bundle of the command's modules, when it is installed, by the Lua that will load them;
-- csrc/lbundle.c reads it.

local M = {}

local load_text = loadstring or load -- luacheck: ignore (5.1 has the first)

-- The modules of a tree in the order of their names. `find` is there where this is run: on a
-- machine that builds.
local function modules_of(root)
  local modules = {}
  local listing = assert(io.popen(("find '%s' -name '*.lua'"):format(root)))
  for path in listing:lines() do
    local name = path:sub(#root + 2):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
    if not name:find("%.types%.") then modules[#modules + 1] = { name = name, path = path } end
  end
  listing:close()
  table.sort(modules, function(a, b) return a.name < b.name end)
  return modules
end

-- The code of a module, without what only messages about mistakes of ours need: lines and names
-- make it a third longer.
local function compile(module)
  local file = assert(io.open(module.path, "rb"))
  local text = file:read("*a"):gsub("^#[^\n]*", "")
  file:close()
  return string.dump(assert(load_text(text, "=" .. module.name)), true)
end

--- Compiles the modules of a tree into a bundle.
---@param path string of the bundle
---@param root string the folder that the names of modules are relative to
function M.write(path, root)
  local head, code, offset = {}, {}, 0
  for _, module in ipairs(modules_of(root)) do
    local compiled = compile(module)
    head[#head + 1] = ("%s %d %d\n"):format(module.name, offset, #compiled)
    code[#code + 1] = compiled
    offset = offset + #compiled
  end
  local index = table.concat(head)
  -- In one step: a command that runs has the old one mapped.
  local file = assert(io.open(path .. ".new", "wb"))
  assert(file:write(("%08d"):format(#index), index, table.concat(code)))
  assert(file:close())
  assert(os.rename(path .. ".new", path))
end

return M
