/*
** lcore.c: opens `sagemaker.core`.
**
** What needs libcrypto is in a library of its own, `sagemaker.crypto`, whose
** functions move into the module table when the first of them is asked for: to
** load OpenSSL takes a good part of the time of a program that signs nothing.
*/
#include <string.h>

#include "lsm.h"

#define LSM_VERSION "0.1.0"

/* {{ What needs libcrypto */

/* Upvalues of the module table's __index. */
enum upvalue {
  U_CORE = 1, /* the module table */
  U_REQUIRE,
  U_NAME, /* of the library: here, so that it stays interned */
  U_COUNT = U_NAME
};

/* What lcrypto.c opens. Any other name is looked for without loading it. */
static const char *const crypto_names[] = {
    "ec_jwk", "equal",  "es256",  "hasher", "openssl",
    "sha1",   "sha256", "signer", NULL,
};

static int is_crypto (lua_State *L, int idx) {
  const char *const *name;
  const char *key;
  if (lua_type(L, idx) != LUA_TSTRING)
    return 0;
  key = lua_tostring(L, idx);
  for (name = crypto_names; *name != NULL; name++) {
    if (strcmp(key, *name) == 0)
      return 1;
  }
  return 0;
}

/*
** Pushes what require answers. In Lua 5.1 require leaves a mark behind when a
** library fails to open, for want of memory, say, and refuses that library
** ever after; it gets another chance. Nothing here needs memory.
*/
static void require_crypto (lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(U_REQUIRE));
  lua_pushvalue(L, lua_upvalueindex(U_NAME));
  if (lua_pcall(L, 1, 1, 0) == 0)
    return;
#if LUA_VERSION_NUM == 501
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  lua_pushvalue(L, lua_upvalueindex(U_NAME));
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
#endif
  lua_error(L);
}

/* core[key], where the table has no such key */
static int core_index (lua_State *L) {
  const char *const *name;
  int library = 3, core = 4;
  lua_settop(L, 2);
  if (!is_crypto(L, 2))
    return 0;
  require_crypto(L);
  luaL_checktype(L, library, LUA_TTABLE);
  lua_pushvalue(L, lua_upvalueindex(U_CORE));
  for (name = crypto_names; *name != NULL; name++) {
    lua_pushstring(L, *name);
    lua_pushvalue(L, -1);
    lua_rawget(L, core);
    if (lua_isnil(L, -1)) { /* else a caller's own */
      lua_pop(L, 1);
      lua_pushvalue(L, -1);
      lua_rawget(L, library);
      lua_rawset(L, core);
    }
    lua_settop(L, core);
  }
  lua_pushvalue(L, 2);
  lua_rawget(L, core);
  return 1;
}

/* Gives the table on top of the stack its metatable. */
static void await_crypto (lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, -2);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "sagemaker.crypto");
  lua_pushcclosure(L, core_index, U_COUNT);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

/* }} */

LSM_EXPORT int luaopen_sagemaker_core(lua_State *L);

LSM_EXPORT int luaopen_sagemaker_core (lua_State *L) {
  lua_newtable(L);
  lua_pushliteral(L, LSM_VERSION);
  lua_setfield(L, -2, "version");
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  lsm_open_model(L);
  lsm_open_encode(L);
  lsm_open_decode(L);
  lsm_open_text(L);
  lsm_open_pattern(L);
  lsm_open_file(L);
  lsm_open_bundle(L);
  lsm_open_http(L);
  lsm_open_terminal(L);
  lsm_open_process(L);
  lsm_open_task(L);
  lsm_open_eventstream(L);
  await_crypto(L);
  return 1;
}
