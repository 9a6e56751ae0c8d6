/*
** lsm.c: what the binding's files share. Each library that is a binding has it.
**
** Metatables are found by name, so the first library of a state makes that of
** the buffers for all of them. A state closes its libraries last.
*/
#include "lsm.h"

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
