/*
** ldecode_rest.c: what restJson1 messages hold outside of a JSON object.
*/
#include "lbytes.h"
#include "ldecode.h"
#include "sm_rest.h"
#include "sm_text.h"

/* {{ Text of a single value */

static int text_number (lsm_dec *d, const sm_shape *shape, sm_str text) {
  int64_t i;
  double v;
  if (shape->type == SM_INTEGER || shape->type == SM_LONG) {
    if (sm_parse_i64(text, &i) != SM_OK)
      return lsm_dec_wrongtext(d, shape, text);
    lsm_pushint(d->L, i);
    return 1;
  }
  if (!sm_float_name(text, &v) && sm_parse_double(text, &v) != SM_OK)
    return lsm_dec_wrongtext(d, shape, text);
  lua_pushnumber(d->L, (lua_Number)v);
  return 1;
}

static int text_time (lsm_dec *d, const sm_shape *shape, sm_str text) {
  sm_time t;
  if (sm_time_parse(text, &t) != SM_OK)
    return lsm_dec_wrongtext(d, shape, text);
  if (t.nsec == 0)
    lsm_pushint(d->L, t.sec);
  else
    lua_pushnumber(d->L, (lua_Number)sm_time_to_double(t));
  return 1;
}

static int text_bool (lsm_dec *d, const sm_shape *shape, sm_str text) {
  int yes = sm_str_eq(text, SM_LIT("true"));
  if (!yes && !sm_str_eq(text, SM_LIT("false")))
    return lsm_dec_wrongtext(d, shape, text);
  lua_pushboolean(d->L, yes);
  return 1;
}

static int text_blob (lsm_dec *d, const sm_shape *shape, sm_str text) {
  sm_buf *b = &d->scratch->path;
  sm_buf_reset(b);
  if (sm_base64_decode(b, text) != SM_OK) {
    lsm_checkmemory(d->L, b);
    return lsm_dec_wrongtext(d, shape, text);
  }
  lsm_pushstr(d->L, sm_buf_str(b));
  return 1;
}

static int text_list (lsm_dec *d, const sm_shape *shape, sm_str text) {
  const sm_shape *item = d->s->shapes + shape->value;
  unsigned format = item->ts_format;
  int dates = item->type == SM_TIMESTAMP &&
              (format == SM_TS_DEFAULT || format == SM_TS_RFC7231);
  int n = 0;
  sm_str s;
  lua_newtable(d->L);
  while (sm_header_next_item(&text, &s, dates, &d->scratch->query)) {
    lsm_checkmemory(d->L, &d->scratch->query);
    if (lsm_dec_text(d, item, s) < 0)
      return -1;
    lua_rawseti(d->L, -2, ++n);
  }
  return 1;
}

int lsm_dec_text (lsm_dec *d, const sm_shape *shape, sm_str text) {
  luaL_checkstack(d->L, LUA_MINSTACK, NULL);
  switch (shape->type) {
  case SM_STRING:
    lsm_pushstr(d->L, text);
    return 1;
  case SM_BOOLEAN:
    return text_bool(d, shape, sm_str_trim(text));
  case SM_BLOB:
    return text_blob(d, shape, sm_str_trim(text));
  case SM_TIMESTAMP:
    return text_time(d, shape, text);
  case SM_LIST:
    return text_list(d, shape, text);
  case SM_INTEGER:
  case SM_LONG:
  case SM_FLOAT:
  case SM_DOUBLE:
    return text_number(d, shape, sm_str_trim(text));
  default:
    return lsm_dec_complain(d, "this type has no place outside of the body");
  }
}

/* A header with the jsonvalue trait: base64 of JSON. */
static int json_header (lsm_dec *d, const sm_shape *shape, sm_str text) {
  int got = text_blob(d, shape, sm_str_trim(text));
  if (got < 0)
    return got;
  lsm_dec_open(d, lsm_checkstr(d->L, -1));
  got = lsm_dec_document(d);
  if (lsm_dec_close(d) < 0 || got < 0)
    return -1;
  lua_remove(d->L, -2);
  return 1;
}

/* }} */

/* {{ Headers */

int lsm_dec_findheader (lua_State *L, int headers, sm_str name) {
  if (!lua_istable(L, headers))
    return 0;
  lsm_pushstr(L, name);
  lua_rawget(L, headers);
  if (lua_type(L, -1) == LUA_TSTRING)
    return 1;
  lua_pop(L, 1);
  lua_pushnil(L);
  while (lua_next(L, headers)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TSTRING &&
        sm_str_ieq(lsm_checkstr(L, -2), name)) {
      lua_remove(L, -2);
      return 1;
    }
    lua_pop(L, 1);
  }
  return 0;
}

/* The member that a header of this name holds, or NULL. */
static const sm_member *member_of (const lsm_dec *d, const sm_shape *shape,
                                   sm_str name) {
  const sm_member *m = sm_members_of(d->s, shape);
  int i;
  for (i = 0; i < shape->count; i++, m++) {
    if (m->location == SM_IN_HEADER && d->s->refs[m->wire].len == name.len &&
        sm_str_ieq(sm_text_of(d->s, m->wire), name))
      return m;
  }
  return NULL;
}

/* Whether the table at t has a value for the name on top of the stack. */
static int is_set (lua_State *L, int t) {
  int yes;
  lua_pushvalue(L, -1);
  lua_rawget(L, t);
  yes = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return yes;
}

/* The member m, whose name is on top of the stack, from a header into the table
** at t. The header's text is the string at `idx`, or 0: there is none yet. */
static int set_header (lsm_dec *d, const sm_member *m, int t, sm_str text,
                       int idx) {
  const sm_shape *shape = d->s->shapes + m->shape;
  int got = 1;
  if (m->flags & SM_M_JSONVALUE)
    got = json_header(d, shape, text);
  else if (shape->type == SM_STRING && idx != 0)
    lua_pushvalue(d->L, idx);
  else
    got = lsm_dec_text(d, shape, text);
  if (got > 0)
    lua_rawset(d->L, t);
  return got;
}

/*
** The header on top of the stack, behind its name, into the table at t. Of two
** whose names differ in case only, the one that is spelled as in the model
** counts. Leaves more or less on the stack.
*/
static int take_header (lsm_dec *d, const sm_shape *shape, int t,
                        lsm_frame *f) {
  lua_State *L = d->L;
  const int value = lua_gettop(L);
  const sm_member *m;
  sm_str name;
  if (lua_type(L, value - 1) != LUA_TSTRING)
    return 1;
  name.p = lua_tolstring(L, value - 1, &name.len);
  m = member_of(d, shape, name);
  if (m == NULL || lua_type(L, value) != LUA_TSTRING)
    return 1;
  f->id = m->name;
  lsm_pushname(L, d->call.names, d->s, m->name);
  if (!sm_str_eq(name, sm_text_of(d->s, m->wire)) && is_set(L, t))
    return 1;
  return set_header(d, m, t, lsm_checkstr(L, value), value);
}

/* The same from a head that is lent. Fields that come in several lines are not
** for here. */
static int take_lent (lsm_dec *d, const sm_shape *shape, int t,
                      const lsm_bytes *head, lsm_frame *f) {
  const sm_http_span *field = head->fields, *end = field + head->nfields;
  const int top = lua_gettop(d->L);
  int got = 1;
  for (; got > 0 && field < end; field++) {
    const sm_str name = {head->text + field->name, field->name_len};
    const sm_member *m = member_of(d, shape, name);
    if (m == NULL)
      continue;
    f->id = m->name;
    lsm_pushname(d->L, d->call.names, d->s, m->name);
    if (is_set(d->L, t))
      return lsm_dec_complain(d, "comes in several lines");
    got = set_header(d, m, t,
                     (sm_str){head->text + field->value, field->value_len}, 0);
    lua_settop(d->L, top);
  }
  return got;
}

/* The headers that are members, in one walk over all that have come. */
static int take_headers (lsm_dec *d, const sm_shape *shape, int t, int headers,
                         lsm_frame *f) {
  lua_State *L = d->L;
  int got = 1;
  lua_pushnil(L);
  while (got > 0 && lua_next(L, headers)) {
    const int key = lua_gettop(L) - 1;
    got = take_header(d, shape, t, f);
    lua_settop(L, got > 0 ? key : key - 1);
  }
  return got;
}

static int has_prefix (sm_str name, sm_str prefix) {
  return name.len >= prefix.len &&
         sm_str_ieq((sm_str){name.p, prefix.len}, prefix);
}

/* All headers with a prefix, as a map; absent when there are none. */
static int get_prefixed (lsm_dec *d, const sm_member *m, int t, int headers) {
  lua_State *L = d->L;
  sm_str prefix = sm_text_of(d->s, m->wire);
  int map, n = 0;
  if (lua_type(L, headers) == LUA_TUSERDATA)
    return lsm_dec_complain(d, "cannot be read from a head that is lent");
  lsm_pushname(L, d->call.names, d->s, m->name);
  lua_newtable(L);
  map = lua_gettop(L);
  lua_pushnil(L);
  while (lua_istable(L, headers) && lua_next(L, headers)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TSTRING &&
        has_prefix(lsm_checkstr(L, -2), prefix)) {
      sm_str name = lsm_checkstr(L, -2);
      lsm_pushstr(L, (sm_str){name.p + prefix.len, name.len - prefix.len});
      lua_pushvalue(L, -2);
      lua_rawset(L, map);
      n++;
    }
    lua_pop(L, 1);
  }
  lua_settop(L, map);
  if (n > 0)
    lua_rawset(L, t);
  else
    lua_pop(L, 2);
  return 1;
}

int lsm_dec_headers (lsm_dec *d, const sm_shape *shape, int t, int headers,
                     int status) {
  const sm_member *m = sm_members_of(d->s, shape);
  lsm_frame f = {d->at, LSM_MEMBER, 0, 0, {NULL, 0}};
  int i, n = 0, got = 1;
  d->at = &f;
  for (i = 0; i < shape->count && got > 0; i++, m++) {
    f.id = m->name;
    n += m->location == SM_IN_HEADER;
    if (m->location == SM_IN_HEADERS) {
      got = get_prefixed(d, m, t, headers);
    } else if (m->location == SM_IN_STATUS && status > 0) {
      lsm_pushname(d->L, d->call.names, d->s, m->name);
      lua_pushinteger(d->L, status);
      lua_rawset(d->L, t);
    }
  }
  if (n > 0 && got > 0 && lua_istable(d->L, headers))
    got = take_headers(d, shape, t, headers, &f);
  else if (n > 0 && got > 0 && lua_type(d->L, headers) == LUA_TUSERDATA)
    got = take_lent(d, shape, t, lsm_checkhead(d->L, headers), &f);
  d->at = f.up;
  return got;
}

/* }} */

/* {{ Bodies */

static int get_payload (lsm_dec *d, const sm_shape *shape, int t, int body) {
  lua_State *L = d->L;
  const sm_member *m = sm_members_of(d->s, shape) + shape->payload;
  const sm_shape *payload = d->s->shapes + m->shape;
  lsm_frame f = {d->at, LSM_MEMBER, m->name, 0, {NULL, 0}};
  sm_str text = lsm_checkstr(L, body);
  int got;
  if (payload->flags & SM_S_EVENTSTREAM)
    return 1;
  lsm_pushname(L, d->call.names, d->s, m->name);
  if (payload->type == SM_BLOB || payload->type == SM_STRING) {
    lua_pushvalue(L, body);
    lua_rawset(L, t);
    return 1;
  }
  if (sm_str_trim(text).len == 0) {
    lua_pop(L, 1);
    return 1;
  }
  d->at = &f;
  lsm_dec_open(d, text);
  got = lsm_dec_value(d, payload, m->ts_format);
  if (lsm_dec_close(d) < 0 || got < 0)
    return -1;
  d->at = f.up;
  if (got == 0)
    lua_pop(L, 1);
  else
    lua_rawset(L, t);
  return 1;
}

int lsm_dec_body (lsm_dec *d, const sm_shape *shape, int t, int body) {
  sm_str text = lsm_checkstr(d->L, body);
  int got;
  if (d->s->protocol == SM_REST_JSON && shape->payload != SM_NONE)
    return get_payload(d, shape, t, body);
  if (sm_str_trim(text).len == 0)
    return 1;
  lsm_dec_open(d, text);
  got = lsm_dec_members(d, shape, t, 1);
  return lsm_dec_close(d) < 0 || got < 0 ? -1 : 1;
}

/* }} */
