-- The core and its part that needs libcrypto as shared libraries: what they export, what they need,
-- when the second is loaded, which pages the first dirties.

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

-- The file that require loads for sagemaker.<name>.
local function library(name)
  for template in package.cpath:gmatch("[^;]+") do
    local path = template:gsub("%?", "sagemaker/" .. name)
    if support.read(path) then return path end
  end
end

-- What a program prints that starts with a new state; its first word is the new core.
local function run(program, lua)
  local file = os.tmpname()
  local out = assert(io.open(file, "w"))
  out:write("local core = require 'sagemaker.core'\n", program)
  out:close()
  local text = shell(("LUA_PATH='%s' LUA_CPATH='%s' %s %s"):format(package.path, package.cpath,
    lua or os.getenv "SAGEMAKER_LUA" or "lua", file))
  os.remove(file)
  return text
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
    for _, part in ipairs { "core", "crypto" } do
      local text = shell(("nm -D --defined-only '%s'"):format(library(part)), "nm")
      if not text then return pending("nm is not installed") end
      if text:find("asan", 1, true) then return pending("a sanitized build exports more") end
      local names = {}
      for name in text:gmatch("%x+ %u (%S+)") do names[#names + 1] = name end
      assert.same({ "luaopen_sagemaker_" .. part }, names)
    end
  end)

  it("needs no libcrypto, which only its other part does", function()
    for part, needs in pairs { core = false, crypto = true } do
      local text = shell(("readelf -d '%s'"):format(library(part)), "readelf")
      if not text then return pending("readelf is not installed") end
      assert.truthy(text:find("NEEDED", 1, true), text)
      assert.equal(needs, text:find("libcrypto", 1, true) ~= nil, text)
    end
  end)

  it("loads that part when one of its functions is asked for, and for no other name", function()
    assert.equal("nil nil nil nil nil|table true true", run [[
      local loaded = package.loaded
      io.write(tostring(core.nothing), " ", tostring(core[1]), " ", tostring(core[{}]), " ",
        tostring(rawget(core, "sha256")), " ", tostring(loaded["sagemaker.crypto"]), "|")
      local sha256 = core.sha256
      assert(sha256 "" == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
      io.write(type(loaded["sagemaker.crypto"]), " ", tostring(rawget(core, "sha256") == sha256),
        " ", tostring(rawget(core, "signer") ~= nil)) ]])
  end)

  it("knows every function of that part", function()
    local part = require "sagemaker.crypto"
    for name, value in pairs(part) do assert.equal(value, core[name], name) end
    assert.matches("^OpenSSL %d", core.openssl)
  end)

  it("throws when that part cannot be loaded, and tries again", function()
    assert.equal("false boom true|mine", run [[
      package.preload["sagemaker.crypto"] = function() error("boom", 0) end
      local ok, message = pcall(function() return core.signer end)
      io.write(tostring(ok), " ", tostring(message), " ")
      package.preload["sagemaker.crypto"] = nil
      core.equal = "mine"
      io.write(tostring(core.signer == require("sagemaker.crypto").signer), "|", core.equal) ]])
  end)

  it("can be the stand-in of a stand-in", function()
    assert.equal("true true", run [[
      local lazy = require "sagemaker.lazy" "sagemaker.core"
      io.write(tostring(lazy.hasher ~= nil and rawget(lazy, "hasher") == core.hasher), " ",
        tostring(rawget(lazy, "sha1") == core.sha1)) ]])
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
    for _, part in ipairs { "core", "crypto" } do
      local text = shell(("nm -D --undefined-only '%s'"):format(library(part)), "nm")
      if not text then return pending("nm is not installed") end
      for name in text:gmatch("U (lua%w*_%w+)") do assert.is_true(API_51[name], name) end
    end
  end)

  it("loads in PUC Lua and in LuaJIT", function()
    for _, lua in ipairs { "lua5.1", "luajit" } do
      if shell("true", lua) then
        assert.equal("CreateEndpoint 40", run([[
          io.write(core.service "sagemaker":operation "create_endpoint".name, " ",
            #core.sha1 "") ]], lua))
      end
    end
  end)
end)
