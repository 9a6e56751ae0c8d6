/*
** ldecode.c: core.decode.
*/
#include "ldecode.h"
#include "lbytes.h"
#include "lquery.h"
#include "sm_text.h"

void lsm_dec_begin (lua_State *L, lsm_dec *d) {
  d->L = L;
  d->s = d->call.s;
  d->at = NULL;
  d->failed = 0;
  d->scratch = lsm_takescratch(L);
}

void lsm_dec_finish (lsm_dec *d, int scratch) {
  lsm_givescratch(d->L, scratch);
}

/* The whole body is one object; a body without any text is an empty one. */
static int decode_json (lsm_dec *d, const sm_shape *shape, sm_str body) {
  int got;
  if (sm_str_trim(body).len == 0) {
    lua_newtable(d->L);
    return 1;
  }
  lsm_dec_open(d, body);
  got = lsm_dec_value(d, shape, SM_TS_DEFAULT);
  if (got == 0)
    got = lsm_dec_complain(d, "expected an object, got null");
  return lsm_dec_close(d) < 0 || got < 0 ? -1 : 1;
}

static int decode_rest (lsm_dec *d, const sm_shape *shape, sm_str body) {
  int t;
  if (lua_isuserdata(d->L, 5)) { /* it may become the value of a member */
    lsm_pushstr(d->L, body);
    lua_replace(d->L, 5);
  }
  lua_createtable(d->L, 0, 4); /* an invocation's has three members or four */
  t = lua_gettop(d->L);
  if (lsm_dec_headers(d, shape, t, 4, (int)lua_tointeger(d->L, 3)) < 0)
    return -1;
  return lsm_dec_body(d, shape, t, 5);
}

/* An operation without output: in awsJson what comes must still be JSON. */
static int decode_none (lsm_dec *d, sm_str body) {
  if (d->s->protocol == SM_AWS_JSON && sm_str_trim(body).len > 0) {
    lsm_dec_open(d, body);
    if (sm_json_peek(&d->r) > 0 && sm_json_peek(&d->r) != SM_J_OBJECT)
      return lsm_dec_complain(d, "expected an object");
    sm_json_skip(&d->r);
    if (lsm_dec_close(d) < 0)
      return -1;
  }
  lua_newtable(d->L);
  return 1;
}

/*
** core.decode(service, operation, status, headers, body) -> output | nil,
** message. For an answer that is a success. Headers and body may be an answer
** that is lent (lbytes.h).
*/
static int core_decode (lua_State *L) {
  lsm_dec d;
  int got, scratch;
  sm_str body;
  lua_settop(L, 5);
  if (lua_isnil(L, 5)) {
    lua_pushliteral(L, "");
    lua_replace(L, 5);
  }
  body = lua_isuserdata(L, 5) ? lsm_checkbytes(L, 5) : lsm_checkstr(L, 5);
  lsm_begincall(L, &d.call, 0);
  lsm_dec_begin(L, &d);
  scratch = lua_gettop(L);
  if (d.s->protocol == SM_AWS_QUERY)
    got = lsm_dec_query(&d, body);
  else if (d.call.op->output == SM_NONE)
    got = decode_none(&d, body);
  else if (d.s->protocol == SM_AWS_JSON)
    got = decode_json(&d, d.s->shapes + d.call.op->output, body);
  else
    got = decode_rest(&d, d.s->shapes + d.call.op->output, body);
  if (got < 0) {
    lua_settop(L, scratch);
    lua_pushnil(L);
    lsm_checkmemory(L, &d.scratch->text);
    lsm_pushstr(L, sm_buf_str(&d.scratch->text));
  }
  lsm_dec_finish(&d, scratch);
  return got < 0 ? 2 : 1;
}

static const luaL_Reg functions[] = {
    {"decode", core_decode},
    {"decode_error", lsm_core_decode_error},
    {"decode_input", lsm_core_decode_input},
    {NULL, NULL},
};

void lsm_open_decode (lua_State *L) {
  lsm_setcodecfuncs(L, functions);
}
