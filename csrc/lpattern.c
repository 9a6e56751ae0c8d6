/*
** lpattern.c: core.match_pattern(pattern, subject).
**
** Compiled patterns are kept in a table, upvalue 1 of the function, by their
** text; upvalue 2 counts them, and the table begins anew at KEPT.
*/
#include "lsm.h"
#include "sm_pattern.h"

#define PATTERN "sagemaker.pattern"
#define KEPT 256

typedef struct holder {
  sm_pattern *pattern;
} holder;

static int holder_gc (lua_State *L) {
  holder *h = (holder *)luaL_checkudata(L, 1, PATTERN);
  sm_pattern_free(h->pattern);
  h->pattern = NULL;
  return 0;
}

/* Pushes a holder of the compiled pattern at index 1, or fails with nil and a
** message on the stack. */
static holder *new_holder (lua_State *L, sm_str text) {
  sm_pattern_error error;
  void *ud;
  lua_Alloc alloc = lua_getallocf(L, &ud);
  holder *h = (holder *)lua_newuserdata(L, sizeof *h);
  int status;
  h->pattern = NULL;
  luaL_getmetatable(L, PATTERN);
  lua_setmetatable(L, -2);
  status = sm_pattern_new(&h->pattern, text, alloc, ud, &error);
  if (status == SM_OK)
    return h;
  if (status == SM_ENOMEM)
    luaL_error(L, "not enough memory");
  lua_pushnil(L);
  lua_pushfstring(L, "pattern: %s at byte %d", error.what, (int)error.at + 1);
  return NULL;
}

/* Keeps the holder on top of the stack under the pattern at index 1. */
static void keep (lua_State *L) {
  int n = (int)lua_tointeger(L, lua_upvalueindex(2)) + 1;
  if (n > KEPT) {
    lua_newtable(L);
    lua_replace(L, lua_upvalueindex(1));
    n = 1;
  }
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -2);
  lua_rawset(L, lua_upvalueindex(1));
  lua_pushinteger(L, n);
  lua_replace(L, lua_upvalueindex(2));
}

static int match_pattern (lua_State *L) {
  sm_str text = lsm_checkstr(L, 1), subject = lsm_checkstr(L, 2);
  holder *h;
  int status;
  lua_settop(L, 2);
  lua_pushvalue(L, 1);
  lua_rawget(L, lua_upvalueindex(1));
  h = (holder *)lua_touserdata(L, -1);
  if (h == NULL) {
    h = new_holder(L, text);
    if (h == NULL)
      return 2;
    keep(L);
  }
  status = sm_pattern_match(h->pattern, subject);
  if (status == SM_ENOMEM)
    return luaL_error(L, "not enough memory");
  if (status < 0) {
    lua_pushnil(L);
    lua_pushfstring(L, "subject: %s", sm_strerror(status));
    return 2;
  }
  lua_pushboolean(L, status);
  return 1;
}

void lsm_open_pattern (lua_State *L) {
  lsm_newmetatable(L, PATTERN, NULL, holder_gc);
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, match_pattern, 2);
  lua_setfield(L, -2, "match_pattern");
}
