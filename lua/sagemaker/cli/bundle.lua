--- The modules of the library, compiled, in one file: the installed command reads them from there,
-- which takes a third of the time of compiling the sources that lie beside it.
--
-- The file is eight digits, the length of the index; the index, a line "name length" for each
-- module; and their code, one after the other. Code of another Lua is refused when it is loaded:
-- then the sources are used.

local M = {}

local load_text = loadstring or load -- luacheck: ignore (5.1 has the first)

-- Where the code of each module is: name = {offset, length}.
local function index_of(file)
  local index, offset = {}, 0
  local head = file:read(assert(tonumber(file:read(8))))
  for name, length in head:gmatch("(%S+) (%d+)\n") do
    index[name] = { 8 + #head + offset, tonumber(length) }
    offset = offset + length
  end
  return index
end

--- Takes modules from a bundle before they are looked for elsewhere.
---@param path string
---@return boolean used false where there is no such file
function M.use(path)
  local file = io.open(path, "rb")
  if not file then return false end
  local index = index_of(file)
  local function find(name)
    local place = index[name]
    if place and file:seek("set", place[1]) then
      local module = load_text(file:read(place[2]) or "", "=" .. name)
      if module then return module end
    end
    return ("\n\tno module '%s' for this Lua in '%s'"):format(name, path)
  end
  table.insert(package.searchers or package.loaders, 2, find) -- luacheck: ignore
  return true
end

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

-- The code of a module, with its lines for messages, but no place of the machine that builds.
local function compile(module)
  local file = assert(io.open(module.path, "rb"))
  local text = file:read("*a"):gsub("^#[^\n]*", "")
  file:close()
  return string.dump(assert(load_text(text, "=" .. module.name)))
end

--- Compiles the modules of a tree into a bundle.
---@param path string of the bundle
---@param root string the folder that the names of modules are relative to
function M.write(path, root)
  local head, code = {}, {}
  for _, module in ipairs(modules_of(root)) do
    local compiled = compile(module)
    head[#head + 1] = ("%s %d\n"):format(module.name, #compiled)
    code[#code + 1] = compiled
  end
  local index = table.concat(head)
  local file = assert(io.open(path, "wb"))
  assert(file:write(("%08d"):format(#index), index, table.concat(code)))
  assert(file:close())
end

return M
