/*
** lcurl_answer.c: an ended transfer as Lua values.
*/
#include "lcurl_lua.h"
#include "sm_text.h"

typedef struct head {
  const sm_http_span *spans;
  const char *text;
  size_t n;
} head;

static sm_str name_of (const head *h, size_t i) {
  return (sm_str){h->text + h->spans[i].name, h->spans[i].name_len};
}

static int are_same (const head *h, size_t i, size_t j) {
  return h->spans[i].name_len == h->spans[j].name_len &&
         sm_str_ieq(name_of(h, i), name_of(h, j));
}

/* Whether a field before field i has its name. */
static int is_repeated (const head *h, size_t i) {
  size_t j = 0;
  while (j < i && !are_same(h, i, j))
    j++;
  return j < i;
}

static void push_value (lua_State *L, const head *h, size_t i) {
  lua_pushlstring(L, h->text + h->spans[i].value, h->spans[i].value_len);
}

/* Pushes the value of field i, joined with later ones of the same name. */
static void push_values (lua_State *L, const head *h, size_t i) {
  size_t j;
  push_value(L, h, i);
  for (j = i + 1; j < h->n; j++) {
    if (!are_same(h, i, j))
      continue;
    lua_pushliteral(L, ", ");
    push_value(L, h, j);
    lua_concat(L, 3);
  }
}

static void push_headers (lua_State *L, const sm_http_reader *r) {
  head h;
  size_t i;
  h.n = sm_http_reader_fields(r, &h.spans, &h.text);
  lua_createtable(L, 0, (int)h.n);
  for (i = 0; i < h.n; i++) {
    sm_str name = name_of(&h, i);
    if (is_repeated(&h, i))
      continue;
    lua_pushlstring(L, name.p, name.len);
    push_values(L, &h, i);
    lua_rawset(L, -3);
  }
}

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
  push_headers(L, &r->reader);
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
  sm_str before = lent->s; /* of a call that has led to this one */
  int failed;
  lua_pushvalue(L, decode);
  lua_pushvalue(L, bytes);
  lent->s = (sm_str){body->len > 0 ? body->p : "", body->len};
  failed = lua_pcall(L, 1, 1, 0);
  lent->s = before;
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
