--- What an nginx that serves the simulator is made of, wherever the system keeps it: the program,
-- its Lua module, the Lua files of this project, and its core built for LuaJIT.

local M = {}

-- Where else nginx may be than on the PATH, which often leaves out the administrator's folders.
local PLACES = {
  "/usr/sbin", "/usr/local/sbin", "/usr/local/openresty/nginx/sbin", "/usr/local/nginx/sbin",
  "/opt/homebrew/bin", "/usr/local/bin",
}

local function exists(path, io)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

--- The program: the one that is named, else nginx or openresty on the PATH and in usual places.
---@param named string|nil
---@param io sagemaker.Env
---@return string|nil path
---@return string|nil message
function M.nginx(named, io)
  if named then
    if named:find("/", 1, true) and exists(named, io) then return named end
    if named:find("/", 1, true) then return nil, "there is no " .. named end
  end
  local folders = {}
  for folder in (io.getenv "PATH" or ""):gmatch("[^:]+") do folders[#folders + 1] = folder end
  for _, folder in ipairs(PLACES) do folders[#folders + 1] = folder end
  for _, name in ipairs(named and { named } or { "nginx", "openresty" }) do
    for _, folder in ipairs(folders) do
      local path = folder .. "/" .. name
      if exists(path, io) then return path end
    end
  end
  return nil, ("there is no %s on the PATH; on Debian: apt install nginx libnginx-mod-http-lua")
    :format(named or "nginx")
end

local function shell_quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- The modules that this nginx must load to know Lua; none where it was built in.
---@param nginx string
---@param io sagemaker.Env
---@return string[]|nil
---@return string|nil message
function M.modules(nginx, io)
  local pipe = io.popen(shell_quoted(nginx) .. " -V 2>&1")
  local text = pipe and pipe:read("*a") or ""
  if pipe then pipe:close() end
  if not text:find("nginx version", 1, true) then
    return nil, nginx .. " is no nginx: " .. (text:match("^[^\n]*") or "")
  end
  for added in text:gmatch("%-%-add%-module=(%S+)") do
    if added:find("ngx_lua", 1, true) or added:find("lua-nginx-module", 1, true) then return {} end
  end
  local prefix = text:match("%-%-prefix=(%S+)") or "/usr/local/nginx"
  local folder = text:match("%-%-modules%-path=(%S+)") or prefix .. "/modules"
  local lua, kit = folder .. "/ngx_http_lua_module.so", folder .. "/ndk_http_module.so"
  if not exists(lua, io) then
    return nil, ("%s has no Lua module (%s is missing); on Debian: apt install "
      .. "libnginx-mod-http-lua"):format(nginx, lua)
  end
  return exists(kit, io) and { kit, lua } or { lua }
end

-- The first template of a path at which a module is found, without the part that names it.
local function root_of(path, name, io)
  for template in path:gmatch("[^;]+") do
    local root = template:match("^(.*)%?%.lua$") or template:match("^(.*)%?/init%.lua$")
    if root and exists(root .. name .. ".lua", io) then return M.absolute(root, io) end
  end
  return nil
end

--- The Lua files of this project, as nginx is told.
---@param path string package.path
---@param io sagemaker.Env
---@return string|nil lua_package_path
---@return string|nil message
function M.lua_path(path, io)
  local root = root_of(path, "sagemaker/simulator/server/launch", io)
  if not root then return nil, "the simulator's own Lua files are not on the path" end
  return ("%s?.lua;%s?/init.lua;;"):format(root, root)
end

-- A library built for Lua 5.1 and LuaJIT uses a function that all others have not.
local function is_for_luajit(path, io)
  local file = io.open(path, "rb")
  if not file then return false end
  local bytes = file:read("*a") or ""
  file:close()
  return bytes:find("lua_setfenv", 1, true) ~= nil
end

-- Where the core for LuaJIT may be when this Lua is another one: beside its own.
local function neighbours(template)
  local list = { template }
  for _, name in ipairs { "luajit", "lua5.1", "5.1" } do
    for _, mine in ipairs { "lua5%.%d", "luajit", "5%.%d" } do
      local there, changed = template:gsub(mine, name)
      if changed > 0 then list[#list + 1] = there end
    end
  end
  return list
end

--- Where the core built for LuaJIT is, as nginx is told.
---@param cpath string package.cpath
---@param io sagemaker.Env
---@return string|nil lua_package_cpath
---@return string|nil message
function M.lua_cpath(cpath, io)
  for template in cpath:gmatch("[^;]+") do
    for _, candidate in ipairs(neighbours(template)) do
      local path = candidate:gsub("%?", "sagemaker/core")
      if is_for_luajit(path, io) then return M.absolute(candidate, io) .. ";;" end
    end
  end
  return nil, "nginx runs LuaJIT, and there is no sagemaker.core for Lua 5.1 or LuaJIT beside the "
    .. "one for this Lua; luarocks --lua-version=5.1 install sagemaker"
end

--- An absolute path.
---@param path string
---@param io sagemaker.Env
---@return string
function M.absolute(path, io)
  if path:sub(1, 1) == "/" then return path end
  local pipe = io.popen "pwd" -- the variable PWD may be that of another process
  local folder = pipe and pipe:read("*l") or "."
  if pipe then pipe:close() end
  return folder .. "/" .. path
end

return M
