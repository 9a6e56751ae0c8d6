-- The core as a shared library: what it exports, what it needs, which pages it dirties.

local core = require "sagemaker.core"
local support = require "support"

-- What a shell command prints, or nil when it fails or one of the programs is not installed.
local function shell(command, ...)
  for _, program in ipairs { ... } do
    if os.execute("command -v " .. program .. " >/dev/null") ~= 0
      and os.execute("command -v " .. program .. " >/dev/null") ~= true then
      return nil
    end
  end
  local pipe = io.popen(command .. " 2>&1")
  local text = pipe:read("*a")
  pipe:close()
  return text
end

-- The file that require loaded.
local function library()
  for template in package.cpath:gmatch("[^;]+") do
    local path = template:gsub("%?", "sagemaker/core")
    if support.read(path) then return path end
  end
end

-- The functions of the API of PUC Lua 5.1 that a 5.1 build may call.
local API_51 = {}
for name in ([[lua_newstate lua_close lua_newthread lua_atpanic lua_gettop lua_settop lua_pushvalue
  lua_remove lua_insert lua_replace lua_checkstack lua_xmove lua_isnumber lua_isstring
  lua_iscfunction lua_isuserdata lua_type lua_typename lua_equal lua_rawequal lua_lessthan
  lua_tonumber lua_tointeger lua_toboolean lua_tolstring lua_objlen lua_tocfunction lua_touserdata
  lua_tothread lua_topointer lua_pushnil lua_pushnumber lua_pushinteger lua_pushlstring
  lua_pushstring lua_pushvfstring lua_pushfstring lua_pushcclosure lua_pushboolean
  lua_pushlightuserdata lua_pushthread lua_gettable lua_getfield lua_rawget lua_rawgeti
  lua_createtable lua_newuserdata lua_getmetatable lua_getfenv lua_settable lua_setfield lua_rawset
  lua_rawseti lua_setmetatable lua_setfenv lua_call lua_pcall lua_cpcall lua_load lua_dump lua_yield
  lua_resume lua_status lua_gc lua_error lua_next lua_concat lua_getallocf lua_setallocf
  luaL_register luaL_getmetafield luaL_callmeta luaL_typerror luaL_argerror luaL_checklstring
  luaL_optlstring luaL_checknumber luaL_optnumber luaL_checkinteger luaL_optinteger
  luaL_checkstack luaL_checktype luaL_checkany luaL_newmetatable luaL_checkudata luaL_where
  luaL_error luaL_checkoption luaL_ref luaL_unref luaL_loadfile luaL_loadbuffer luaL_loadstring
  luaL_newstate luaL_gsub luaL_findtable luaL_buffinit luaL_prepbuffer luaL_addlstring
  luaL_addstring luaL_addvalue luaL_pushresult lua_getstack lua_getinfo]]):gmatch("%S+") do
  API_51[name] = true
end

describe("the core library", function()
  it("says its version and has the null value", function()
    assert.truthy(core.version:find("^%d+%.%d+%.%d+$"))
    assert.equal("userdata", type(core.null))
    assert.equal(core.null, require("cjson").null)
  end)

  it("exports one symbol", function()
    local text = shell(("nm -D --defined-only '%s'"):format(library()), "nm")
    if not text then return pending("nm is not installed") end
    if text:find("asan", 1, true) then return pending("a sanitized build exports more") end
    local names = {}
    for name in text:gmatch("%x+ %u (%S+)") do names[#names + 1] = name end
    assert.same({ "luaopen_sagemaker_core" }, names)
  end)

  it("needs no relocation in the tables of a service, only in sm_service", function()
    local object = os.tmpname()
    local text = shell(("cc -std=c99 -O1 -fPIC -c csrc/model/sagemaker.c -o %s && readelf -rSW %s")
      :format(object, object), "cc", "readelf")
    os.remove(object)
    if not text then return pending("cc or readelf is not installed") end
    local relocated = {}
    for section in text:gmatch("Relocation section '%.rela?([^']*)'") do
      relocated[#relocated + 1] = section
    end
    assert.equal(1, #relocated, text)
    assert.truthy(relocated[1]:find("^%.data%.rel%.ro"), text)
    local size = text:match("%.data%.rel%.ro%S*%s+PROGBITS%s+%x+%s+%x+%s+(%x+)")
    assert.is_true(tonumber(size, 16) <= 128, text)
  end)

  if _VERSION ~= "Lua 5.1" then return end -- what follows is about a 5.1 build

  it("calls what PUC Lua 5.1 has, and LuaJIT too", function()
    local text = shell(("nm -D --undefined-only '%s'"):format(library()), "nm")
    if not text then return pending("nm is not installed") end
    for name in text:gmatch("U (lua%w*_%w+)") do assert.is_true(API_51[name], name) end
  end)

  it("loads in PUC Lua and in LuaJIT", function()
    for _, lua in ipairs { "lua5.1", "luajit" } do
      local text = shell(("LUA_CPATH='%s' %s -e 'local c = require [[sagemaker.core]] "
        .. "io.write(c.service[[sagemaker]]:operation[[create_endpoint]].name)'")
        :format(package.cpath, lua), lua)
      if text then assert.equal("CreateEndpoint", text) end
    end
  end)
end)
