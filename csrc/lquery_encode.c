/*
** lquery_encode.c: the walk over parameters that writes a form.
*/
#include "lquery.h"
#include "sm_number.h"
#include "sm_text.h"

typedef struct form {
  lsm_enc *e;
  sm_query q;
} form;

static void put_value(form *f, const sm_shape *shape, unsigned ts, int idx);

/* {{ Scalars */

/* The buffer that the text of a value is put together in. */
static sm_buf *value_buf (form *f) {
  sm_buf *b = &f->e->scratch->query;
  sm_buf_reset(b);
  return b;
}

static void put_buf (form *f, const sm_buf *b) {
  if (b->err != SM_OK)
    f->e->out->err = b->err;
  sm_query_put(&f->q, sm_buf_str(b));
}

static void put_string (form *f, const sm_shape *shape, int idx) {
  sm_str s;
  size_t good;
  if (!lsm_enc_string(f->e, shape, idx, &s))
    return;
  good = sm_utf8_check(s);
  if (good < s.len) {
    sm_buf *b = lsm_enc_problem(f->e);
    sm_buf_puts(b, SM_LIT("not valid UTF-8 from byte "));
    sm_put_u64(b, good + 1);
    sm_buf_puts(b, SM_LIT(" on"));
    lsm_enc_note(f->e, "utf8", shape);
    lua_pop(f->e->L, 1);
    return;
  }
  sm_query_put(&f->q, s);
}

static void put_blob (form *f, const sm_shape *shape, int idx) {
  sm_str s;
  sm_buf *b;
  if (!lsm_enc_blob(f->e, shape, idx, &s))
    return;
  b = value_buf(f);
  sm_base64_put(b, s.p, s.len);
  put_buf(f, b);
}

static void put_time (form *f, const sm_shape *shape, unsigned ts, int idx) {
  sm_time t;
  sm_buf *b;
  unsigned format = ts != SM_TS_DEFAULT ? ts : shape->ts_format;
  if (!lsm_enc_time(f->e, shape, idx, &t))
    return;
  b = value_buf(f);
  lsm_enc_puttime(f->e, b, format == SM_TS_DEFAULT ? SM_TS_ISO8601 : format, t);
  put_buf(f, b);
}

static void put_number (form *f, const sm_shape *shape, int idx) {
  sm_buf *b = value_buf(f);
  double d;
  int64_t i;
  if (shape->type == SM_INTEGER || shape->type == SM_LONG) {
    if (!lsm_enc_int(f->e, shape, idx, &i))
      return;
    sm_put_i64(b, i);
  } else {
    if (!lsm_enc_double(f->e, shape, idx, &d))
      return;
    if (d - d == 0)
      sm_put_double(b, d);
    else
      sm_buf_puts(b, d != d  ? SM_LIT("NaN")
                     : d > 0 ? SM_LIT("Infinity")
                             : SM_LIT("-Infinity"));
  }
  put_buf(f, b);
}

static void put_bool (form *f, const sm_shape *shape, int idx) {
  int v;
  if (lsm_enc_bool(f->e, shape, idx, &v))
    sm_query_put(&f->q, v ? SM_LIT("true") : SM_LIT("false"));
}

/* }} */

/* {{ Containers */

/* Pushes the value of member i: the table's, or the idempotency token. */
static void push_member (lsm_enc *e, const lsm_found *found,
                         const sm_member *m) {
  lsm_pushname(e->L, e->call.names, e->s, m->name);
  lua_rawget(e->L, found->table);
  if (lua_isnil(e->L, -1) && (m->flags & SM_M_TOKEN) && e->token != 0) {
    lua_pop(e->L, 1);
    lua_pushvalue(e->L, e->token);
  }
}

/* What a list or a map has around its items, unless it is flattened. */
static sm_str wrapper_of (const sm_service *s, const sm_shape *shape) {
  if (shape->type == SM_MAP)
    return SM_LIT("entry");
  return shape->code != SM_NONE ? sm_text_of(s, shape->code) : SM_LIT("member");
}

static void put_items (form *f, const sm_shape *shape, int idx, int n) {
  lsm_enc *e = f->e;
  lsm_frame at = {e->at, LSM_ITEM, 0, 0, {NULL, 0}};
  e->at = &at;
  for (; (int)at.index < n && !e->stop; at.index++) {
    size_t mark = sm_query_index(&f->q, at.index + 1);
    lua_rawgeti(e->L, idx, (int)at.index + 1);
    put_value(f, e->s->shapes + shape->value, SM_TS_DEFAULT, lua_gettop(e->L));
    lua_pop(e->L, 1);
    sm_query_leave(&f->q, mark);
  }
  e->at = at.up;
}

static void put_list (form *f, const sm_shape *shape, int idx, int flat) {
  lsm_enc *e = f->e;
  size_t mark = f->q.path->len;
  int n;
  if (!lsm_enc_table(e, shape, &idx))
    return;
  n = lsm_enc_count(e, shape, idx);
  if (n == 0)
    sm_query_put(&f->q, SM_LIT("")); /* an empty list is told */
  if (!flat)
    sm_query_enter(&f->q, wrapper_of(e->s, shape));
  put_items(f, shape, idx, n);
  sm_query_leave(&f->q, mark);
  if (n >= 0)
    lsm_enc_length(e, shape, (size_t)n, "item");
  lsm_enc_leave(e);
}

/* One entry: its key at idx, its value behind it. */
static void put_entry (form *f, const sm_shape *shape, int idx, size_t n) {
  lsm_enc *e = f->e;
  lsm_frame at = {e->at, LSM_ENTRY, 0, 0, {NULL, 0}};
  size_t mark = sm_query_index(&f->q, n), inner;
  inner = sm_query_enter(&f->q, shape->payload != SM_NONE
                                    ? sm_text_of(e->s, shape->payload)
                                    : SM_LIT("key"));
  if (lsm_enc_key(e, shape, idx, &at.key))
    sm_query_put(&f->q, at.key);
  sm_query_leave(&f->q, inner);
  sm_query_enter(&f->q, shape->code != SM_NONE ? sm_text_of(e->s, shape->code)
                                               : SM_LIT("value"));
  e->at = &at;
  put_value(f, e->s->shapes + shape->value, SM_TS_DEFAULT, idx + 1);
  e->at = at.up;
  sm_query_leave(&f->q, mark);
}

static void put_map (form *f, const sm_shape *shape, int idx, int flat) {
  lsm_enc *e = f->e;
  lua_State *L = e->L;
  size_t mark = f->q.path->len, n = 0;
  if (!lsm_enc_table(e, shape, &idx))
    return;
  if (!flat)
    sm_query_enter(&f->q, wrapper_of(e->s, shape));
  lua_pushnil(L);
  while (!e->stop && lua_next(L, idx)) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      lsm_enc_wrong(e, shape, idx);
      break;
    }
    put_entry(f, shape, lua_gettop(L) - 1, ++n);
    lua_pop(L, 1);
  }
  sm_query_leave(&f->q, mark);
  lsm_enc_length(e, shape, n, "entry");
  lsm_enc_leave(e);
}

static void put_member (form *f, const sm_member *m, int idx) {
  const sm_shape *shape = f->e->s->shapes + m->shape;
  int flat = (m->flags & SM_M_FLATTENED) != 0;
  if (shape->type == SM_LIST)
    put_list(f, shape, idx, flat);
  else if (shape->type == SM_MAP)
    put_map(f, shape, idx, flat);
  else
    put_value(f, shape, m->ts_format, idx);
}

static void put_structure (form *f, const sm_shape *shape, int idx) {
  lsm_enc *e = f->e;
  const sm_member *m = sm_members_of(e->s, shape);
  lsm_frame at = {e->at, LSM_MEMBER, 0, 0, {NULL, 0}};
  lsm_found found;
  int i, top;
  if (!lsm_enc_enter(e, shape, idx, &found))
    return;
  top = lua_gettop(e->L);
  luaL_checkstack(e->L, LUA_MINSTACK, NULL);
  e->at = &at;
  for (i = 0; i < shape->count && !e->stop; i++, m++) {
    size_t mark;
    if (found.pos[i] == 0)
      continue;
    push_member(e, &found, m);
    at.id = m->name;
    mark = sm_query_enter(&f->q, sm_text_of(e->s, m->wire));
    if ((e->checks & LSM_CHECK_NULL) || !lsm_isnull(e->L, top + 1))
      put_member(f, m, top + 1);
    sm_query_leave(&f->q, mark);
    lua_settop(e->L, top);
  }
  e->at = at.up;
  lsm_enc_leave(e);
}

/* }} */

static void put_value (form *f, const sm_shape *shape, unsigned ts, int idx) {
  int top = lua_gettop(f->e->L);
  luaL_checkstack(f->e->L, LUA_MINSTACK, NULL);
  switch (shape->type) {
  case SM_STRUCTURE:
    put_structure(f, shape, idx);
    break;
  case SM_LIST:
    put_list(f, shape, idx, 0);
    break;
  case SM_MAP:
    put_map(f, shape, idx, 0);
    break;
  case SM_STRING:
    put_string(f, shape, idx);
    break;
  case SM_BLOB:
    put_blob(f, shape, idx);
    break;
  case SM_TIMESTAMP:
    put_time(f, shape, ts, idx);
    break;
  case SM_BOOLEAN:
    put_bool(f, shape, idx);
    break;
  case SM_DOCUMENT:
    lsm_enc_complain(f->e, "type", shape, "a form cannot hold this value");
    break;
  default:
    put_number(f, shape, idx);
  }
  lua_settop(f->e->L, top);
}

void lsm_enc_query (lsm_enc *e, int params) {
  const sm_operation *op = e->call.op;
  form f;
  f.e = e;
  sm_query_begin(&f.q, e->out, &e->scratch->path, sm_text_of(e->s, op->name),
                 sm_text_of(e->s, e->s->api_version));
  if (op->input != SM_NONE)
    put_value(&f, e->s->shapes + op->input, SM_TS_DEFAULT, params);
  if (f.q.path->err != SM_OK)
    e->out->err = f.q.path->err;
  sm_buf_reset(&e->scratch->path); /* these are the request's own: empty */
  sm_buf_reset(&e->scratch->query);
}
