/*
** lcurl_lua.h: the part of `sagemaker.curl` that speaks Lua.
**
** A loop, its agents and the streams are userdata. The user value of an agent
** is that of its loop: a table that holds the loop at 0 and, beside the number
** of a transfer, the body that is sent from there. The user value of a stream
** is a table with its agent at 1.
**
** A function that has a transfer in its hands runs in a protected call
** (lcurl_guard), so that whatever throws in there (the request's metamethods, a
** hook at Ctrl-C, want of memory) gives it back.
*/
#ifndef LCURL_LUA_H
#define LCURL_LUA_H

#include <lua.h>
#include <lauxlib.h>

#include "lbytes.h"
#include "lcurl.h"

SM_HIDDEN_BEGIN

#define LCURL_LOOP "sagemaker.curl.loop"
#define LCURL_AGENT "sagemaker.curl.agent"
#define LCURL_STREAM "sagemaker.curl.stream"

#if LUA_VERSION_NUM == 501
#define lcurl_getuservalue(L, i) lua_getfenv((L), (i))
#define lcurl_setuservalue(L, i) lua_setfenv((L), (i))
#else
#define lcurl_getuservalue(L, i) lua_getuservalue((L), (i))
#define lcurl_setuservalue(L, i) lua_setuservalue((L), (i))
#endif

/* ---- lcurl_request.c -------------------------------------------------- */

/*
** Reads the request table at absolute index `idx`: method (default "GET"), url,
** headers (name -> string or number), body (default ""), timeouts {connect,
** read} in seconds (default: those of the agent), stream. Pushes values that r
** borrows from, the body last. Returns NULL, or says in a static sentence why
** the request may not be sent. Throws when a field has a wrong type.
*/
const char *lcurl_readrequest(lua_State *L, int idx, const lcurl_agent *a,
                              lcurl_request *r);

/* The field `key` of the table at `idx` as milliseconds (rounded up), or
** `fallback` when it is nil. Throws unless it is a number above zero. */
int64_t lcurl_checkms(lua_State *L, int idx, const char *key, int64_t fallback);

/* Seconds as milliseconds, rounded up; LCURL_NEVER for many. */
int64_t lcurl_toms(lua_Number seconds);

/* ---- lcurl_answer.c --------------------------------------------------- */

/* Pushes {status, headers, reused} of a transfer, with `body` unless it is
** streamed, and with `timings` if its agent says so (they cost as much as the
** rest). */
void lcurl_pushanswer(lua_State *L, const lcurl_transfer *t);

/*
** Lends the answer of a transfer that somebody holds to the function at
** `decode`, by way of the userdata at `bytes` (lbytes.h), and pushes {status,
** output, reused} with what it answers, and 1. Where that is nil: 0, and
** nothing is pushed that counts. Throws what the function throws.
*/
int lcurl_pushoutput(lua_State *L, const lcurl_transfer *t, int decode,
                     int bytes);

/* Pushes nil, code, text, sent, received, retryable; returns 6. */
int lcurl_pushfailure(lua_State *L, const lcurl_failure *f);

/* The same for a failure that no transfer has. */
int lcurl_fail(lua_State *L, const char *code, const char *text);

/* ---- lcurl.c ---------------------------------------------------------- */

/*
** What the userdata of an agent holds. The agent itself belongs to the loop:
** PUC 5.1 forgets a finalizer that runs out of memory, and then the userdata is
** gone while the loop still uses the agent.
*/
typedef struct lcurl_box {
  lcurl_loop *loop;
  lcurl_agent *agent; /* NULL: freed */
  unsigned long life; /* of the loop; in another one the agent is freed */
} lcurl_box;

/* The agent at `idx`, NULL when it is freed. Throws for anything else. */
lcurl_agent *lcurl_toagent(lua_State *L, int idx);

/* ---- lcurl_call.c ----------------------------------------------------- */

/* Names a transfer that may go away while Lua runs. */
typedef struct lcurl_ref {
  lcurl_loop *loop;
  size_t slot;
  uint64_t serial;
  int held; /* whoever made the reference gives the transfer back */
} lcurl_ref;

void lcurl_refer(lcurl_ref *ref, const lcurl_transfer *t);

/* The transfer, or NULL when it is gone. */
lcurl_transfer *lcurl_deref(const lcurl_ref *ref);

/* Lets Lua run what a signal asks for: a pending hook runs at a call. It may
** throw, or use whatever it likes. */
void lcurl_breathe(lua_State *L);

/* agent:perform, agent:start, loop:finish: closures with the function that they
** guard as upvalue; that one has the bytes that it lends. Each pushes one
** function. */
void lcurl_pushperform(lua_State *L);
void lcurl_pushstart(lua_State *L);
void lcurl_pushfinish(lua_State *L);

/* loop:cancel(number) */
int lcurl_cancel(lua_State *L);

/* Lets go of the body of a transfer; `idx` is the loop or an agent. Throws
** nothing. */
void lcurl_unanchor(lua_State *L, int idx, size_t slot);

/* ---- lcurl_stream.c --------------------------------------------------- */

/* Pushes the stream of a transfer whose agent is at `idx`. */
void lcurl_pushstream(lua_State *L, int idx, const lcurl_transfer *t);

void lcurl_openstream(lua_State *L);

/* Makes a metatable with these methods, of which one is `close`. Leaves it and
** the table of methods on the stack. */
void lcurl_newclass(lua_State *L, const char *name, const luaL_Reg *methods,
                    lua_CFunction gc);

SM_HIDDEN_END

#endif
