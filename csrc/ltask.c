/*
** ltask.c: yields where that is possible, for the scheduler on PUC Lua 5.1.
**
** There a coroutine cannot yield across a metamethod, the iterator of a generic
** `for` or a C function (pcall), and nothing says beforehand whether it is in
** one; the attempt raises an error that only a pcall could catch, which would
** itself be in the way. Later Luas and LuaJIT yield across pcall.
**
** lua_load calls its reader in protected mode but not as a C function, so in
** there lua_yield fails, and is caught, exactly when it would fail outside.
** When it does not fail it has marked the coroutine as suspended, which is what
** the yield that follows at once does again.
*/
#include "lsm.h"

#if LUA_VERSION_NUM == 501

static const char *reader (lua_State *L, void *ud, size_t *size) {
  (void)lua_yield(L, 0);
  *(int *)ud = 1;
  *size = 0;
  lua_pushnil(L);
  lua_error(L); /* there is nothing to load */
  return NULL;
}

/* A C function below this one, such as pcall; its error handler must not hear
** of the attempt. */
static int is_below_c (lua_State *L) {
  lua_Debug ar;
  int level;
  for (level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "S", &ar);
    if (*ar.what == 'C')
      return 1;
  }
  return 0;
}

/* core.try_yield() -> true once resumed, or false at once */
static int try_yield (lua_State *L) {
  int possible = 0;
  if (!is_below_c(L)) {
    (void)lua_load(L, reader, &possible, "=yield");
    lua_settop(L, 0);
  }
  if (possible)
    return lua_yield(L, 0);
  lua_pushboolean(L, 0);
  return 1;
}

void lsm_open_task (lua_State *L) {
  static const luaL_Reg functions[] = {
      {"try_yield", try_yield},
      {NULL, NULL},
  };
  lsm_setfuncs(L, functions);
}

#else

void lsm_open_task (lua_State *L) {
  (void)L;
}

#endif
