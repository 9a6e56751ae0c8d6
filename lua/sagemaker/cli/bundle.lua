--- The modules of the library, compiled, in one file: the installed command reads them from there,
-- which takes a third of the time of compiling the sources that lie beside it.
--
-- The file is eight digits, the length of the index; the index, a line "name offset length" for
-- each module; and their code, one after the other. Code of another Lua is refused when it is
-- loaded: then the sources are used. sagemaker.cli.bundle.writer makes the file.

local M = {}

local load_text = loadstring or load -- luacheck: ignore (5.1 has the first)

--- Takes modules from a bundle before they are looked for elsewhere; not where SAGEMAKER_SOURCES is
--- set, because the sources know their lines.
---@param path string
---@return boolean used false where there is no such file
function M.use(path)
  local file = not os.getenv "SAGEMAKER_SOURCES" and io.open(path, "rb")
  if not file then return false end
  local index = "\n" .. file:read(assert(tonumber(file:read(8))))
  local function find(name)
    -- Looked up in the text: a table of all modules takes longer to make than a command to run.
    local _, stop = index:find("\n" .. name .. " ", 1, true)
    if stop then
      local offset, length = index:match("^(%d+) (%d+)", stop + 1)
      file:seek("set", 7 + #index + offset)
      local module = load_text(file:read(tonumber(length)) or "", "=" .. name)
      if module then return module end
    end
    return ("\n\tno module '%s' for this Lua in '%s'"):format(name, path)
  end
  table.insert(package.searchers or package.loaders, 2, find) -- luacheck: ignore
  return true
end

return M
