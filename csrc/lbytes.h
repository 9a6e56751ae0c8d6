/*
** lbytes.h: an answer that one library lends to a function of another.
**
** `sagemaker.curl` has an answer in buffers of its own; `sagemaker.core` reads
** its body there, and no Lua string has to be made of it, nor a table of all
** headers where few are wanted. What Lua sees of it is a userdata, good until
** the function that was given it returns: then nothing is lent any more.
*/
#ifndef LBYTES_H
#define LBYTES_H

#include <string.h>

#include <lua.h>
#include <lauxlib.h>

#include "sm_base.h"
#include "sm_http_read.h"

SM_HIDDEN_BEGIN

/* The name of the metatable; whichever library comes first makes it. */
#define LSM_BYTES "sagemaker.bytes"

typedef struct lsm_bytes {
  sm_str s;                   /* the body; p is NULL: nothing is lent */
  const sm_http_span *fields; /* of the head, in the order they came in */
  size_t nfields;
  const char *text; /* what they are in */
} lsm_bytes;

/* Pushes a userdata that lends nothing yet. */
static inline void lsm_newbytes (lua_State *L) {
  lsm_bytes *b = (lsm_bytes *)lua_newuserdata(L, sizeof(*b));
  memset(b, 0, sizeof(*b));
  luaL_newmetatable(L, LSM_BYTES);
  lua_setmetatable(L, -2);
}

/* The answer that the userdata at `idx` lends; throws when that is nothing. */
static inline const lsm_bytes *lsm_checkhead (lua_State *L, int idx) {
  const lsm_bytes *b = (const lsm_bytes *)luaL_checkudata(L, idx, LSM_BYTES);
  if (b->s.p == NULL)
    luaL_argerror(L, idx, "these bytes are lent no more");
  return b;
}

/* Its body. */
static inline sm_str lsm_checkbytes (lua_State *L, int idx) {
  return lsm_checkhead(L, idx)->s;
}

SM_HIDDEN_END

#endif
