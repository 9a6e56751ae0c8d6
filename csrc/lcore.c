/*
** lcore.c: opens `sagemaker.core` and keeps what the binding's files share.
*/
#include "lsm.h"

#define LSM_VERSION "0.1.0"
#define BUFFER "sagemaker.buffer"

void lsm_setfuncs (lua_State *L, const luaL_Reg *list) {
  for (; list->name != NULL; list++) {
    lua_pushcfunction(L, list->func);
    lua_setfield(L, -2, list->name);
  }
}

void lsm_newmetatable (lua_State *L, const char *name, const luaL_Reg *methods,
                       lua_CFunction gc) {
  luaL_getmetatable(L, name);
  if (!lua_isnil(L, -1))
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  if (gc != NULL) {
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__gc");
#if LUA_VERSION_NUM >= 504
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__close");
#endif
  }
  if (methods != NULL) {
    lua_newtable(L);
    lsm_setfuncs(L, methods);
    lua_setfield(L, -2, "__index");
  }
  /* Last: a half-filled one, after an error of memory, is never found. */
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, name);
}

static int buffer_gc (lua_State *L) {
  sm_buf_wipe((sm_buf *)luaL_checkudata(L, 1, BUFFER));
  return 0;
}

sm_buf *lsm_newbuf (lua_State *L, size_t max) {
  void *ud;
  lua_Alloc alloc = lua_getallocf(L, &ud);
  sm_buf *b = (sm_buf *)lua_newuserdata(L, sizeof(*b));
  sm_buf_init(b, max, alloc, ud);
  lsm_newmetatable(L, BUFFER, NULL, buffer_gc);
  lua_setmetatable(L, -2);
  return b;
}

sm_str lsm_checkstr (lua_State *L, int idx) {
  sm_str s;
  luaL_checktype(L, idx, LUA_TSTRING);
  s.p = lua_tolstring(L, idx, &s.len);
  return s;
}

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
  lsm_open_sign(L);
  lsm_open_text(L);
  lsm_open_pattern(L);
  lsm_open_jose(L);
  lsm_open_file(L);
  lsm_open_hash(L);
  lsm_open_http(L);
  lsm_open_terminal(L);
  lsm_open_process(L);
  lsm_open_task(L);
  lsm_open_eventstream(L);
  return 1;
}
