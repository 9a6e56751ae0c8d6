/*
** lcurl_answer.c: an ended transfer as Lua values.
*/
#include "lcurl_lua.h"

/* Pushes the value of field i, joined with later ones of the same name. */
static void push_value (lua_State *L, lcurl_field *fields, int n, int i) {
  int j;
  lua_pushlstring(L, fields[i].value.p, fields[i].value.len);
  for (j = i + 1; j < n; j++) {
    if (fields[j].name.len != fields[i].name.len || fields[j].name.p == NULL ||
        !lcurl_same(fields[i].name, fields[j].name))
      continue;
    lua_pushliteral(L, ", ");
    lua_pushlstring(L, fields[j].value.p, fields[j].value.len);
    lua_concat(L, 3);
    fields[j].name.p = NULL; /* done */
  }
}

static void push_headers (lua_State *L, const lcurl_response *r) {
  lcurl_field fields[LCURL_MAX_FIELDS];
  int i, n = lcurl_response_fields(r, fields);
  lua_createtable(L, 0, n);
  for (i = 0; i < n; i++) {
    if (fields[i].name.p == NULL)
      continue;
    lua_pushlstring(L, fields[i].name.p, fields[i].name.len);
    push_value(L, fields, n, i);
    lua_rawset(L, -3);
  }
}

static void push_timings (lua_State *L, CURL *easy) {
  static const struct {
    const char *name;
    CURLINFO info;
  } rows[] = {
      {"resolve", CURLINFO_NAMELOOKUP_TIME_T},
      {"connect", CURLINFO_CONNECT_TIME_T},
      {"tls", CURLINFO_APPCONNECT_TIME_T},
      {"first_byte", CURLINFO_STARTTRANSFER_TIME_T},
      {"total", CURLINFO_TOTAL_TIME_T},
  };
  size_t i;
  lua_createtable(L, 0, sizeof(rows) / sizeof(*rows));
  for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    curl_off_t us = 0;
    curl_easy_getinfo(easy, rows[i].info, &us);
    lua_pushnumber(L, (lua_Number)us / 1e6);
    lua_setfield(L, -2, rows[i].name);
  }
}

/* Pushes {status, reused}, with `timings` where the agent says so. */
static void push_facts (lua_State *L, const lcurl_transfer *t) {
  long connects = 0;
  curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, t->response.status);
  lua_setfield(L, -2, "status");
  lua_pushboolean(L, connects == 0);
  lua_setfield(L, -2, "reused");
  if (t->agent->timings) {
    push_timings(L, t->easy);
    lua_setfield(L, -2, "timings");
  }
}

void lcurl_pushanswer (lua_State *L, const lcurl_transfer *t) {
  const lcurl_response *r = &t->response;
  push_facts(L, t);
  push_headers(L, r);
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
