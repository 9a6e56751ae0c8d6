/*
** lcurl_call.c: requests from Lua.
**
**   response = agent:perform(request, seconds, decode)  waits for the answer
**   number = agent:start(request, seconds)              does not
**   response = loop:finish(number, agent, decode)  once the loop has named it
**   loop:cancel(number)
**
** Each but the last answers nil, code, text, sent, received, retryable when it
** fails. `seconds` limit the whole attempt. A function `decode`, where there is
** one, is lent an answer of 2xx (lbytes.h) and given its status, and the
** response has what it answers; see the transport contract.
*/
#include "lcurl_lua.h"

/* ---- references ------------------------------------------------------- */

void lcurl_refer (lcurl_ref *ref, const lcurl_transfer *t) {
  ref->loop = t->agent->loop;
  ref->slot = t->slot;
  ref->serial = t->serial;
}

lcurl_transfer *lcurl_deref (const lcurl_ref *ref) {
  lcurl_transfer *t = lcurl_loop_find(ref->loop, ref->slot);
  return t != NULL && t->serial == ref->serial ? t : NULL;
}

static void anchor (lua_State *L, int idx, size_t slot) {
  lcurl_getuservalue(L, idx);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (int)slot + 1);
  lua_pop(L, 1);
}

/* Only a key that is there can be set without memory. */
void lcurl_unanchor (lua_State *L, int idx, size_t slot) {
  lcurl_getuservalue(L, idx);
  lua_rawgeti(L, -1, (int)slot + 1);
  if (!lua_isnil(L, -1)) {
    lua_pushnil(L);
    lua_rawseti(L, -3, (int)slot + 1);
  }
  lua_pop(L, 2);
}

static int nothing (lua_State *L) {
  (void)L;
  return 0;
}

void lcurl_breathe (lua_State *L) {
  lua_pushcfunction(L, nothing);
  lua_call(L, 0, 0);
}

/* Has a transfer in its hands until lay_down. */
static void take_up (lcurl_ref *ref, lcurl_transfer *t) {
  lcurl_refer(ref, t);
  lcurl_hold(t);
  ref->held = 1;
}

/* The loop or agent is at 1. */
static void lay_down (lua_State *L, const lcurl_ref *ref) {
  lcurl_transfer *t = ref->loop != NULL ? lcurl_deref(ref) : NULL;
  if (t == NULL)
    return;
  if (ref->held)
    lcurl_release(t);
  if (lcurl_let_go(t))
    lcurl_unanchor(L, 1, ref->slot);
}

/*
** Calls the function in the first upvalue with a reference and the arguments
** at 1 to n, and gives back what the reference holds then, whatever happened.
*/
static int guard (lua_State *L, int n, lcurl_ref *ref) {
  int i, failed;
  lua_settop(L, n);
  luaL_checkstack(L, n + 2, "a request");
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushlightuserdata(L, ref);
  for (i = 1; i <= n; i++)
    lua_pushvalue(L, i);
  failed = lua_pcall(L, n + 1, LUA_MULTRET, 0);
  lay_down(L, ref);
  return failed ? lua_error(L) : lua_gettop(L) - n;
}

/* ---- sending ---------------------------------------------------------- */

static lcurl_agent *check_agent (lua_State *L, int idx) {
  lcurl_agent *a = lcurl_toagent(L, idx);
  if (a == NULL || a->multi == NULL)
    luaL_error(L, "the agent is closed");
  return a;
}

/* Where guarded functions have the function that decodes, or anything else. */
#define DECODE 5

/* The arguments of a guarded function: the reference, the agent, the request,
** the seconds, what decodes. Answers a transfer to begin, or NULL and has
** pushed the values of a failure. The body is on top of the stack then. */
static lcurl_transfer *prepare (lua_State *L, lcurl_ref *ref) {
  lcurl_agent *a = check_agent(L, 2);
  lua_Number seconds = luaL_optnumber(L, 4, 1e10);
  lcurl_transfer *t = lcurl_acquire(a);
  const char *problem;
  if (t == NULL)
    return lcurl_fail(L, "OutOfMemory", "not enough memory"), NULL;
  take_up(ref, t);
  problem = lcurl_readrequest(L, 3, a, &t->request);
  check_agent(L, 2); /* a metamethod of the request may have closed it */
  if (t->dropped)
    luaL_error(L, "the request was cancelled");
  if (problem != NULL)
    return lcurl_fail(L, "InvalidRequest", problem), NULL;
  if (!(seconds > 0))
    return lcurl_fail(L, "AttemptTimeout",
                      "no time was left to send the request"),
           NULL;
  t->request.limits.attempt = lcurl_toms(seconds);
  return t;
}

/* Whether an ended transfer has failed. That of a stream is told by the stream,
** after the bytes that came. */
static int has_failed (const lcurl_transfer *t) {
  return !t->response.streamed &&
         (t->stop != LCURL_STOP_NONE || t->result != CURLE_OK);
}

/* Whether the body of an answer is to be decoded where it is. */
static int is_decoded (lua_State *L, const lcurl_response *r) {
  return lua_isfunction(L, DECODE) && !r->streamed && r->reader.status >= 200 &&
         r->reader.status < 300;
}

/* Pushes what became of a ripe transfer. A stream takes it over. */
static int hand_out (lua_State *L, lcurl_ref *ref, lcurl_transfer *t,
                     int agent) {
  if (has_failed(t)) {
    lcurl_failure failure;
    lcurl_classify(t, &failure);
    return lcurl_pushfailure(L, &failure);
  }
  if (is_decoded(L, &t->response) &&
      lcurl_pushoutput(L, t, DECODE, lua_upvalueindex(1)))
    return 1;
  lcurl_pushanswer(L, t);
  if (t->response.streamed) {
    lcurl_pushstream(L, agent, t);
    lua_setfield(L, -2, "stream");
    t->handed = 1;
    t->quiet = 0;
    ref->held = 0;
  }
  return 1;
}

static int guarded_perform (lua_State *L) {
  lcurl_ref *ref = (lcurl_ref *)lua_touserdata(L, 1);
  lcurl_transfer *t = prepare(L, ref);
  if (t == NULL)
    return 6;
  if (t->request.stream && t->request.body.len > 0)
    anchor(L, 2, t->slot);
  t->quiet = 1;
  if (lcurl_begin(t)) {
    while (lcurl_run(ref->loop, t, LCURL_NEVER) != LCURL_EVENT_READY) {
      lcurl_breathe(L);
      t = lcurl_deref(ref);
      if (t == NULL || t->dropped)
        return luaL_error(L, "the transport was closed while a request was "
                             "under way");
    }
  }
  return hand_out(L, ref, t, 2);
}

static int perform (lua_State *L) {
  lcurl_ref ref = {NULL, 0, 0, 0};
  check_agent(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  return guard(L, 4, &ref);
}

static int guarded_start (lua_State *L) {
  lcurl_ref *ref = (lcurl_ref *)lua_touserdata(L, 1);
  lcurl_transfer *t = prepare(L, ref);
  if (t == NULL)
    return 6;
  if (t->request.body.len > 0)
    anchor(L, 2, t->slot);
  if (!lcurl_begin(t))
    return hand_out(L, ref, t, 2);
  lua_pushinteger(L, (lua_Integer)t->slot + 1);
  ref->held = 0;
  return 1;
}

static int start (lua_State *L) {
  lcurl_ref ref = {NULL, 0, 0, 0};
  check_agent(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  return guard(L, 4, &ref);
}

/* ---- finishing -------------------------------------------------------- */

/* The transfer that the argument at 2 numbers, or NULL. */
static lcurl_transfer *numbered (lua_State *L, const lcurl_loop *l) {
  lua_Integer n = luaL_checkinteger(L, 2);
  return n < 1 ? NULL : lcurl_loop_find(l, (size_t)n - 1);
}

static int guarded_finish (lua_State *L) {
  lcurl_ref *ref = (lcurl_ref *)lua_touserdata(L, 1);
  return hand_out(L, ref, lcurl_deref(ref), 4);
}

/* loop:finish(number, agent [, decode]) */
static int finish (lua_State *L) {
  lcurl_loop *l = (lcurl_loop *)luaL_checkudata(L, 1, LCURL_LOOP);
  lcurl_transfer *t = numbered(L, l);
  const lcurl_agent *a = lcurl_toagent(L, 3);
  lcurl_ref ref;
  if (t == NULL || t->hands > 0 || t->handed || !lcurl_ripe(t))
    return luaL_error(L, "there is no answer to hand out");
  luaL_argcheck(L, t->agent == a, 3, "not the agent of this request");
  luaL_checkstack(L, LUA_MINSTACK, "an answer");
  take_up(&ref, t);
  return guard(L, 4, &ref);
}

int lcurl_cancel (lua_State *L) {
  lcurl_loop *l = (lcurl_loop *)luaL_checkudata(L, 1, LCURL_LOOP);
  lcurl_transfer *t = numbered(L, l);
  if (t != NULL) {
    size_t slot = t->slot;
    lcurl_release(t);
    lcurl_unanchor(L, 1, slot);
  }
  return 0;
}

static void push_guarded (lua_State *L, lua_CFunction f, lua_CFunction g) {
  lsm_newbytes(L);
  lua_pushcclosure(L, g, 1);
  lua_pushcclosure(L, f, 1);
}

void lcurl_pushperform (lua_State *L) {
  push_guarded(L, perform, guarded_perform);
}

void lcurl_pushstart (lua_State *L) {
  push_guarded(L, start, guarded_start);
}

void lcurl_pushfinish (lua_State *L) {
  push_guarded(L, finish, guarded_finish);
}
