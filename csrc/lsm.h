/*
** lsm.h: what the files of the binding (l*.c, symbols lsm_*) share.
**
** Where LUA_VERSION_NUM is 501 only the API of PUC Lua 5.1 is used, so that
** one binary serves PUC 5.1 and LuaJIT.
*/
#ifndef LSM_H
#define LSM_H

#include <lua.h>
#include <lauxlib.h>

#include "sm_base.h"
#include "sm_buf.h"
#include "sm_model.h"

SM_HIDDEN_BEGIN

#if LUA_VERSION_NUM == 501
#define lsm_rawlen(L, i) lua_objlen((L), (i))
#else
#define lsm_rawlen(L, i) lua_rawlen((L), (i))
#endif

/* The shared library's one exported symbol. */
#if defined(__GNUC__)
#define LSM_EXPORT __attribute__((visibility("default")))
#else
#define LSM_EXPORT
#endif

/*
** Sets the functions of a {NULL, NULL}-terminated list in the table on top of
** the stack, with no upvalues (luaL_setfuncs, which 5.1 has not).
*/
void lsm_setfuncs(lua_State *L, const luaL_Reg *list);

/*
** Creates, or fetches, the metatable `name` and leaves it on the stack; fills
** in __name, __gc (and __close where Lua knows it) and __index with `methods`.
*/
void lsm_newmetatable(lua_State *L, const char *name, const luaL_Reg *methods,
                      lua_CFunction gc);

/*
** An empty sm_buf inside a new userdata that the garbage collector frees (and
** wipes), pushed on the stack: nothing leaks when a later Lua call throws. Its
** memory comes from the allocator of the Lua state.
*/
sm_buf *lsm_newbuf(lua_State *L, size_t max);

/* The string at `idx`, which must be one, as borrowed bytes. */
sm_str lsm_checkstr(lua_State *L, int idx);

/* Pushes borrowed bytes as a Lua string. */
static inline void lsm_pushstr (lua_State *L, sm_str s) {
  lua_pushlstring(L, s.p == NULL ? "" : s.p, s.len);
}

/* A service userdata (lmodel.c): its tables, and the registry-free cache of
** its member names as Lua strings. */
const sm_service *lsm_checkservice(lua_State *L, int idx);

/*
** Pushes the array of member-name strings of the service at `idx`. It fills as
** names are asked for with lsm_pushname.
*/
void lsm_pushnames(lua_State *L, int idx);

/*
** Pushes the Lua string of member name `id` (below s->nnames) by way of the
** array at stack index `names`, which must be absolute.
*/
void lsm_pushname(lua_State *L, int names, const sm_service *s, unsigned id);

/* Each adds its functions to the module table on top of the stack. */
void lsm_open_model(lua_State *L);   /* service, load_service */
void lsm_open_encode(lua_State *L);  /* encode, encode_output, validate */
void lsm_open_decode(lua_State *L);  /* decode, decode_error, decode_input */
void lsm_open_text(lua_State *L);    /* text, uri, time; random, uuid, clocks */
void lsm_open_pattern(lua_State *L); /* match_pattern */
void lsm_open_file(lua_State *L);    /* replace */
void lsm_open_bundle(lua_State *L);  /* use_bundle */
void lsm_open_http(lua_State *L);    /* http_request, http_reader */
void lsm_open_terminal(lua_State *L); /* terminal */
void lsm_open_process(lua_State *L);  /* process */
void lsm_open_task(lua_State *L);     /* try_yield, on 5.1 */

/* eventstream_decoder, eventstream_encode */
void lsm_open_eventstream(lua_State *L);

/*
** Makes sure that descriptors 0 to 2 are taken. One that the caller closed
** (`>&-`) would be given to the next file or socket, and what the program
** prints would be written there. The stand-ins are open the wrong way round, so
** that using them still fails as a closed one does.
*/
void lsm_hold_descriptors(void);

/* Gives a terminal back that shows no keys because of us, as it was. Handlers
** of signals may call it. */
void lsm_give_back(void);

/*
** Ends the process: writes what is buffered, and leaves an unread rest of the
** standard input to who reads on. Libraries that would give back their memory
** now, as OpenSSL would, are not asked to: the system does.
*/
void lsm_leave(int code);

/* The same in `sagemaker.crypto`; lcore.c has a list of these names. */
void lsm_open_hash(lua_State *L); /* hasher, sha1, sha256 */
void lsm_open_jose(lua_State *L); /* ec_jwk, es256 */
void lsm_open_sign(lua_State *L); /* equal, signer */

SM_HIDDEN_END

#endif
