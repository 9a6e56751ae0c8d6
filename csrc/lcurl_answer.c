/*
** lcurl_answer.c: an ended transfer as Lua values.
*/
#include "lcurl_lua.h"
#include "lhttp_head.h"

static void push_time (lua_State *L, const char *name, int64_t us) {
  lua_pushnumber(L, (lua_Number)us / 1e6);
  lua_setfield(L, -2, name);
}

static void push_timings (lua_State *L, const lcurl_transfer *t) {
  const lcurl_timings *took = &t->took;
  int64_t total =
      t->phase == LCURL_ENDED ? took->total : lcurl_now_us() - t->start_us;
  lua_createtable(L, 0, 5);
  push_time(L, "resolve", took->resolve);
  push_time(L, "connect", took->connect);
  push_time(L, "tls", took->tls);
  push_time(L, "first_byte", took->first_byte);
  push_time(L, "total", total);
}

/* Pushes {status, reused}, with `timings` where the agent says so. */
static void push_facts (lua_State *L, const lcurl_transfer *t) {
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, t->response.reader.status);
  lua_setfield(L, -2, "status");
  lua_pushboolean(L, t->kept);
  lua_setfield(L, -2, "reused");
  if (t->agent->timings) {
    push_timings(L, t);
    lua_setfield(L, -2, "timings");
  }
}

void lcurl_pushanswer (lua_State *L, const lcurl_transfer *t) {
  const lcurl_response *r = &t->response;
  push_facts(L, t);
  lhttp_pushheaders(L, &r->reader);
  lua_setfield(L, -2, "headers");
  if (!r->streamed) {
    lua_pushlstring(L, r->body.len > 0 ? r->body.p : "", r->body.len);
    lua_setfield(L, -2, "body");
  }
}

int lcurl_pushoutput (lua_State *L, const lcurl_transfer *t, int decode,
                      int bytes) {
  const sm_buf *body = &t->response.body;
  lsm_bytes *lent = (lsm_bytes *)lua_touserdata(L, bytes);
  lsm_bytes before = *lent; /* of a call that has led to this one */
  int failed;
  lua_pushvalue(L, decode);
  lua_pushvalue(L, bytes);
  lua_pushinteger(L, t->response.reader.status);
  lent->s = (sm_str){body->len > 0 ? body->p : "", body->len};
  lent->nfields =
      sm_http_reader_fields(&t->response.reader, &lent->fields, &lent->text);
  failed = lua_pcall(L, 2, 1, 0);
  *lent = before;
  if (failed)
    return lua_error(L);
  if (lua_isnil(L, -1))
    return 0;
  push_facts(L, t);
  lua_insert(L, -2);
  lua_setfield(L, -2, "output");
  return 1;
}

int lcurl_pushfailure (lua_State *L, const lcurl_failure *f) {
  lua_pushnil(L);
  lua_pushstring(L, f->code);
  lua_pushstring(L, f->text);
  lua_pushboolean(L, f->sent);
  lua_pushboolean(L, f->received);
  lua_pushboolean(L, f->retryable);
  return 6;
}

int lcurl_fail (lua_State *L, const char *code, const char *text) {
  lcurl_failure f;
  memset(&f, 0, sizeof(f));
  f.code = code;
  strncpy(f.text, text, sizeof(f.text) - 1);
  return lcurl_pushfailure(L, &f);
}
