/*
** lbytes.h: bytes that one library lends to a function of another.
**
** `sagemaker.curl` has an answer in a buffer of its own; `sagemaker.core` reads
** it there, and no Lua string has to be made of it. What Lua sees of the bytes
** is a userdata, good until the function that was given it returns: then
** nothing is lent any more.
*/
#ifndef LBYTES_H
#define LBYTES_H

#include <lua.h>
#include <lauxlib.h>

#include "sm_base.h"

SM_HIDDEN_BEGIN

/* The name of the metatable; whichever library comes first makes it. */
#define LSM_BYTES "sagemaker.bytes"

typedef struct lsm_bytes {
  sm_str s; /* p is NULL: nothing is lent */
} lsm_bytes;

/* Pushes a userdata that lends nothing yet. */
static inline void lsm_newbytes (lua_State *L) {
  lsm_bytes *b = (lsm_bytes *)lua_newuserdata(L, sizeof(*b));
  b->s = (sm_str){NULL, 0};
  luaL_newmetatable(L, LSM_BYTES);
  lua_setmetatable(L, -2);
}

/* What the userdata at `idx` lends; throws when that is nothing. */
static inline sm_str lsm_checkbytes (lua_State *L, int idx) {
  const lsm_bytes *b = (const lsm_bytes *)luaL_checkudata(L, idx, LSM_BYTES);
  if (b->s.p == NULL)
    luaL_argerror(L, idx, "these bytes are lent no more");
  return b->s;
}

SM_HIDDEN_END

#endif
