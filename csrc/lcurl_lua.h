/*
** lcurl_lua.h: the part of `sagemaker.curl` that speaks Lua.
*/
#ifndef LCURL_LUA_H
#define LCURL_LUA_H

#include <lua.h>
#include <lauxlib.h>

#include "lcurl.h"

SM_HIDDEN_BEGIN

/* ---- lcurl_request.c -------------------------------------------------- */

/* Buffers for the header lines, with a hard limit; allocates nothing. */
void lcurl_request_init(lcurl_request *r, sm_alloc alloc, void *ud);

void lcurl_request_free(lcurl_request *r);

/*
** Reads the request table at absolute index `idx`: method (default "GET"), url,
** headers (name -> string or number), body (default ""), timeouts {connect,
** read} in seconds (default: `fallback`). Pushes values that r borrows from.
*Returns NULL, or says in a static sentence why the request may not be
** sent. Throws when a field has a wrong type. r owns no Lua values.
*/
const char *lcurl_readrequest(lua_State *L, int idx,
                              const lcurl_limits *fallback, lcurl_request *r);

/* The field `key` of the table at `idx` as milliseconds (rounded up), or
** `fallback` when it is nil. Throws unless it is a number above zero. */
int64_t lcurl_checkms(lua_State *L, int idx, const char *key, int64_t fallback);

/* ---- lcurl_answer.c --------------------------------------------------- */

/* Pushes {status, headers, body, reused} of an ended transfer, with `timings`
** if asked for (they cost as much as the rest). */
void lcurl_pushanswer(lua_State *L, const lcurl_transfer *t, int timings);

/* Pushes nil, code, text, sent, received, retryable; returns 6. */
int lcurl_pushfailure(lua_State *L, const lcurl_failure *f);

SM_HIDDEN_END

#endif
