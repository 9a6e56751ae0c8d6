/*
** lcurl_stream.c: a body that is read while it comes.
**
**   bytes = stream:take()        what is there; nil at the end
**   false, number = stream:take()  nothing yet: the loop will name the number
**   nil, code, text, sent, received, retryable = stream:take()
**   stream:wait()                drives the loop until there is something
**   stream:close()
**
** The limit of a request for reading counts from a `take` that found nothing,
** or from the last byte. Between reads the transfer may be paused.
*/
#include "lcurl_lua.h"

typedef struct stream {
  lcurl_ref ref;
  int reading; /* take is at work, and Lua runs the collector */
} stream;

static stream *check (lua_State *L) {
  return (stream *)luaL_checkudata(L, 1, LCURL_STREAM);
}

static lcurl_transfer *transfer_of (const stream *s) {
  return s->ref.held ? lcurl_deref(&s->ref) : NULL;
}

void lcurl_pushstream (lua_State *L, int idx, const lcurl_transfer *t) {
  stream *s = (stream *)lua_newuserdata(L, sizeof(*s));
  memset(s, 0, sizeof(*s));
  luaL_getmetatable(L, LCURL_STREAM);
  lua_setmetatable(L, -2);
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, idx);
  lua_rawseti(L, -2, 1);
  lcurl_setuservalue(L, -2);
  lcurl_refer(&s->ref, t);
  s->ref.held = 1;
}

/* Gives the transfer back, and with it the connection if the body was read to
** its end; else that is closed. Throws nothing. */
static void release (lua_State *L, stream *s) {
  lcurl_transfer *t = transfer_of(s);
  s->ref.held = 0;
  if (t == NULL)
    return;
  lcurl_release(t);
  lcurl_getuservalue(L, 1);
  lua_rawgeti(L, -1, 1);
  lcurl_unanchor(L, lua_gettop(L), s->ref.slot);
  lua_pop(L, 2);
}

static int stream_close (lua_State *L) {
  release(L, check(L));
  return 0;
}

/* How the stream has ended. */
static int push_end (lua_State *L, stream *s, const lcurl_transfer *t) {
  lcurl_failure failure;
  if (t->stop == LCURL_STOP_NONE && t->result == CURLE_OK) {
    release(L, s);
    lua_pushnil(L);
    return 1;
  }
  lcurl_classify(t, &failure);
  release(L, s);
  return lcurl_pushfailure(L, &failure);
}

static int push_body (lua_State *L) {
  const sm_buf *body = (const sm_buf *)lua_touserdata(L, 1);
  lua_pushlstring(L, body->p, body->len);
  return 1;
}

/* Hands the bytes out. The collector may run a finalizer meanwhile (some Luas
** do so before they copy): it must not read the stream, but may close it or
** drive the loop. */
static int push_bytes (lua_State *L, stream *s, lcurl_transfer *t) {
  lcurl_ref ref = s->ref;
  int failed;
  t->waiting = 0;
  s->reading = t->response.lent = 1;
  lcurl_hold(t);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushlightuserdata(L, &t->response.body);
  failed = lua_pcall(L, 1, 1, 0);
  s->reading = 0;
  t = lcurl_deref(&ref);
  if (t != NULL) {
    t->response.lent = 0;
    if (!failed)
      sm_buf_reset(&t->response.body);
    lcurl_let_go(t);
  }
  return failed ? lua_error(L) : 1;
}

static int stream_take (lua_State *L) {
  stream *s = check(L);
  lcurl_transfer *t = transfer_of(s);
  if (s->reading)
    return luaL_error(L, "the stream is being read");
  if (t == NULL)
    return lcurl_fail(L, "StreamClosed", "the stream is closed");
  if (t->response.body.len == 0)
    lcurl_await(t);
  if (t->response.body.len > 0)
    return push_bytes(L, s, t);
  if (t->phase == LCURL_ENDED)
    return push_end(L, s, t);
  t->quiet = 0;
  lua_pushboolean(L, 0);
  lua_pushinteger(L, (lua_Integer)t->slot + 1);
  return 2;
}

static int stream_wait (lua_State *L) {
  const stream *s = check(L);
  lcurl_transfer *t = transfer_of(s);
  if (t != NULL)
    t->quiet = 1;
  while (t != NULL &&
         lcurl_run(s->ref.loop, t, LCURL_NEVER) != LCURL_EVENT_READY) {
    lcurl_breathe(L);
    t = transfer_of(s);
  }
  return 0;
}

void lcurl_openstream (lua_State *L) {
  static const luaL_Reg methods[] = {
      {"wait", stream_wait},
      {"close", stream_close},
      {NULL, NULL},
  };
  lcurl_newclass(L, LCURL_STREAM, methods, stream_close);
  lua_pushcfunction(L, push_body);
  lua_pushcclosure(L, stream_take, 1);
  lua_setfield(L, -2, "take");
  lua_pop(L, 2);
}
